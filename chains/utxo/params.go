package utxo

import (
	"errors"
	"fmt"

	"causeway/chains"
)

// Params is all that one coin of the family on one network differs in.
type Params struct {
	ID      chains.ID
	Network chains.Network
	// Genesis is the hash of block 0, by which a node's network is known.
	Genesis string
	// MaxTarget is the easiest proof of work accepted, as an unsigned
	// big-endian number. Below the network's own limit it is a floor of work
	// for one block, which makes inventing blocks expensive.
	MaxTarget [32]byte
	// MaxMoney bounds every output and every sum of outputs, in base units.
	MaxMoney uint64
	// MaxBlockBytes bounds the serialised block, witnesses included.
	MaxBlockBytes int
	// Segwit says that transactions may have witnesses (BIP144) and that
	// blocks with witnesses commit to them (BIP141).
	Segwit bool
	// DustRate is the relay fee at which dust is reckoned, in satoshi per
	// 1000 virtual bytes.
	DustRate chains.FeeRate
	// Facts are the coin's properties that policy reads.
	Facts chains.Facts
	// Script and Address convert between a canonical address and a script.
	Script  func(address string) ([]byte, error)
	Address func(script []byte) (string, error)
}

// Coin is one coin of the family on one network. It is immutable, does no I/O
// and may be used by many goroutines at once.
type Coin struct{ params Params }

var _ chains.Chain = (*Coin)(nil)

// New makes a coin; it refuses params that leave out something needed.
func New(p Params) (*Coin, error) {
	switch {
	case p.ID == "" || p.Network == "":
		return nil, errors.New("utxo: params without chain or network")
	case !isHash(p.Genesis):
		return nil, fmt.Errorf("utxo: genesis hash %q of %s %s", p.Genesis, p.ID, p.Network)
	case p.MaxTarget == [32]byte{} || p.MaxMoney == 0 || p.MaxMoney > 1<<63-1 || p.MaxBlockBytes <= 0:
		return nil, fmt.Errorf("utxo: params of %s %s without limits", p.ID, p.Network)
	case p.Script == nil || p.Address == nil:
		return nil, fmt.Errorf("utxo: params of %s %s without addresses", p.ID, p.Network)
	}
	return &Coin{params: p}, nil
}

// ID implements chains.Chain.
func (c *Coin) ID() chains.ID { return c.params.ID }

// Network implements chains.Chain.
func (c *Coin) Network() chains.Network { return c.params.Network }

// Genesis is the hash of the network's block 0.
func (c *Coin) Genesis() string { return c.params.Genesis }

// MaxBlockBytes is the size of the largest block accepted.
func (c *Coin) MaxBlockBytes() int { return c.params.MaxBlockBytes }

// Facts implements chains.Chain.
func (c *Coin) Facts() chains.Facts { return c.params.Facts }

// CoinbaseMaturity implements chains.Chain.
func (c *Coin) CoinbaseMaturity() uint64 { return c.params.Facts.Maturity }

// Script implements chains.Chain.
func (c *Coin) Script(address string) ([]byte, error) { return c.params.Script(address) }

// Address implements chains.Chain.
func (c *Coin) Address(script []byte) (string, error) { return c.params.Address(script) }
