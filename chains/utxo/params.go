package utxo

import (
	"errors"
	"fmt"

	"causeway/chains"
	"causeway/chains/address"
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
	// PoW is the number, little-endian, that a header of 80 bytes is held
	// against its target by; nil: the block's hash.
	PoW func(header []byte) [32]byte
	// AuxPoW allows merge-mined blocks (nil: none).
	AuxPoW *AuxPoW
	// PegOutDepth says, when it is not 0, that blocks may end with an extension
	// block (MWEB), and is the MinDepth of what is paid out of it.
	PegOutDepth uint64
	// CashTokens says that output scripts may begin with a token prefix.
	CashTokens bool
	// ForkID says that signatures are SIGHASH_ALL|SIGHASH_FORKID (0x41) over the
	// digest of BIP143, for every form of script.
	ForkID bool
	// TxVersion is that of our own transactions; 0 is 2.
	TxVersion int32
	// DustRate is the relay fee at which dust is reckoned, in satoshi per
	// 1000 virtual bytes. DustLimit, when it is not 0, is dust's bound instead,
	// whatever the script.
	DustRate  chains.FeeRate
	DustLimit uint64
	// Checkpoints are block hashes by height, by which a chain is told from
	// others with the same genesis.
	Checkpoints map[uint64]string
	// Probe is a script whose address a node of this chain takes for valid, and
	// one of another chain with the same genesis does not; nil: no such question.
	Probe []byte
	// Oldest is the least version of each kind of node, by a part of its user
	// agent ("LitecoinCore" -> 210505). Kinds that are not listed are taken.
	Oldest map[string]int64
	// Facts are the coin's properties that policy reads.
	Facts chains.Facts
	// Script and Address convert between a canonical address and a script.
	Script  func(address string) ([]byte, error)
	Address func(script []byte) (string, error)
}

// WithAddresses is p with the project's own address forms (chains/address) of its
// chain and network.
func (p Params) WithAddresses() Params {
	chain, network := string(p.ID), string(p.Network)
	p.Script = func(text string) ([]byte, error) {
		a, err := address.Decode(chain, network, text)
		return a.Script, err
	}
	p.Address = func(script []byte) (string, error) { return address.Encode(chain, network, script) }
	return p
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
	case p.AuxPoW != nil && p.PoW == nil:
		return nil, fmt.Errorf("utxo: params of %s %s with merge mining under the block's own hash", p.ID, p.Network)
	case p.Segwit && p.ForkID:
		return nil, fmt.Errorf("utxo: params of %s %s with two kinds of signatures", p.ID, p.Network)
	case p.Script == nil || p.Address == nil:
		return nil, fmt.Errorf("utxo: params of %s %s without addresses", p.ID, p.Network)
	}
	for height, hash := range p.Checkpoints {
		if !isHash(hash) {
			return nil, fmt.Errorf("utxo: checkpoint %d of %s %s is %q", height, p.ID, p.Network, hash)
		}
	}
	return &Coin{params: p}, nil
}

// ID implements chains.Chain.
func (c *Coin) ID() chains.ID { return c.params.ID }

// Network implements chains.Chain.
func (c *Coin) Network() chains.Network { return c.params.Network }

// Genesis is the hash of the network's block 0.
func (c *Coin) Genesis() string { return c.params.Genesis }

// Checkpoints are the blocks, by height, that tell this chain from others with
// the same genesis. The caller may not change them.
func (c *Coin) Checkpoints() map[uint64]string { return c.params.Checkpoints }

// Probe is an address that nodes of this chain take for valid and those of
// another one with the same genesis do not; empty when there is no such chain.
func (c *Coin) Probe() string {
	if c.params.Probe == nil {
		return ""
	}
	text, err := c.params.Address(c.params.Probe)
	if err != nil {
		return ""
	}
	return text
}

// Oldest is the least version of each kind of node that may be trusted with this
// coin, as its getnetworkinfo gives it (210505 is 0.21.5.5), by a part of its user
// agent. The caller may not change it.
func (c *Coin) Oldest() map[string]int64 { return c.params.Oldest }

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
