package bitcoin

import (
	"fmt"
	"time"

	"causeway/chains"
	"causeway/chains/address"
	"causeway/chains/utxo"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
)

const (
	// MaxMoney is 21 million coins, in satoshi.
	MaxMoney = 21_000_000 * 100_000_000
	// maxBlockBytes follows from the weight limit of 4,000,000 units, of which
	// a byte costs at least one.
	maxBlockBytes = 4_000_000
	// dustRate is Bitcoin Core's DUST_RELAY_TX_FEE, in sat/kvB.
	dustRate = 3000
)

// facts: the depths are those of the field (deepest accidental reorganisations
// of recent years: 1 to 2 blocks), the window is a day.
var facts = chains.Facts{
	Name:     "Bitcoin",
	Decimals: 8,
	Depths:   chains.Depths{Floor: 2, Normal: 3, Large: 6, Extreme: 10},
	Maturity: 100,
	Interval: 10 * time.Minute,
	Window:   144,
}

// network is what differs between Bitcoin's networks.
type network struct {
	genesis *chainhash.Hash
	// targetBits: the easiest target accepted is 2^targetBits - 1.
	targetBits uint
}

// New is Bitcoin on a network.
//
// On mainnet a block must show at least 2^75 expected hashes (difficulty 2^43,
// exceeded by every block since 2020), not merely the network's lowest
// difficulty: inventing a block that we would read costs a real share of what
// mining one costs. Should the network's difficulty ever fall so low, the
// follower stops with ErrBadBlock and a human decides.
func New(net chains.Network) (*utxo.Coin, error) {
	networks := map[chains.Network]network{
		chains.Mainnet: {chaincfg.MainNetParams.GenesisHash, 256 - 75},
		chains.Testnet: {chaincfg.TestNet4Params.GenesisHash, 256 - 32},
		chains.Regtest: {chaincfg.RegressionNetParams.GenesisHash, 255},
	}
	n, ok := networks[net]
	if !ok {
		return nil, fmt.Errorf("bitcoin: no network %q", net)
	}
	return utxo.New(utxo.Params{
		ID:            chains.BTC,
		Network:       net,
		Genesis:       n.genesis.String(),
		MaxTarget:     belowPowerOf2(n.targetBits),
		MaxMoney:      MaxMoney,
		MaxBlockBytes: maxBlockBytes,
		Segwit:        true,
		DustRate:      dustRate,
		Facts:         facts,
		Script: func(text string) ([]byte, error) {
			a, err := address.Decode(string(chains.BTC), string(net), text)
			return a.Script, err
		},
		Address: func(script []byte) (string, error) {
			return address.Encode(string(chains.BTC), string(net), script)
		},
	})
}

// belowPowerOf2 is 2^n - 1 as a big-endian number.
func belowPowerOf2(n uint) (v [32]byte) {
	for i := range n {
		v[31-i/8] |= 1 << (i % 8)
	}
	return v
}
