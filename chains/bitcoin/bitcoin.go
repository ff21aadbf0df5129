package bitcoin

import (
	"fmt"
	"time"

	"causeway/chains"
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
	// Since Core 28 nodes replace whether a transaction signals it or not.
	Replaceable: true,
	RelayFee:    1000, RelayStep: 1000,
}

// network is what differs between Bitcoin's networks.
type network struct {
	genesis *chainhash.Hash
	// targetBits: the easiest target accepted is 2^targetBits - 1.
	targetBits  uint
	checkpoints map[uint64]string
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
		chains.Mainnet: {chaincfg.MainNetParams.GenesisHash, 256 - 75, map[uint64]string{
			800_000: "00000000000000000002a7c4c1e48d76c5a37902165a270156b7a8d72728a054", // not Bitcoin Cash
		}},
		chains.Testnet: {chaincfg.TestNet4Params.GenesisHash, 256 - 32, nil},
		chains.Regtest: {chaincfg.RegressionNetParams.GenesisHash, 255, nil},
	}
	n, ok := networks[net]
	if !ok {
		return nil, fmt.Errorf("bitcoin: no network %q", net)
	}
	p := utxo.Params{
		ID:            chains.BTC,
		Network:       net,
		Genesis:       n.genesis.String(),
		MaxTarget:     utxo.BelowPowerOf2(n.targetBits),
		MaxMoney:      MaxMoney,
		MaxBlockBytes: maxBlockBytes,
		Segwit:        true,
		DustRate:      dustRate,
		Facts:         facts,
		Checkpoints:   n.checkpoints,
		// 20 zero bytes as P2WPKH: Bitcoin Cash, of the same genesis, has no such
		// addresses.
		Probe: append([]byte{0, 20}, make([]byte, 20)...),
	}
	if net != chains.Regtest {
		// Older ones have known faults of consensus or can be stopped from afar
		// (btcd: CVE-2024-34478; Core: CVE-2024-35202).
		p.Oldest = map[string]int64{"Satoshi": 250000, "btcd": 240200}
	}
	return utxo.New(p.WithAddresses())
}
