package bitcoincash

import (
	"fmt"
	"time"

	"causeway/chains"
	"causeway/chains/utxo"
)

const (
	// MaxMoney is 21 million coins, in satoshi.
	MaxMoney = 21_000_000 * 100_000_000
	// maxBlockBytes is four times the 32 MB from which the adaptive limit
	// starts; with blocks full all the time it takes more than a year to get
	// there.
	maxBlockBytes = 128_000_000
	// dustRate is three times the relay fee, per kB.
	dustRate = 3000
	// oldestNode is Bitcoin Cash Node 28.0.0.
	oldestNode = 280000
)

// facts: nodes finalise blocks 10 deep by themselves, so an operator's node can
// stay on the branch of a minority; the floor is beyond that. The window is a
// day.
var facts = chains.Facts{
	Name:     "Bitcoin Cash",
	Decimals: 8,
	Depths:   chains.Depths{Floor: 11, Normal: 15, Large: 30, Extreme: 60},
	Maturity: 100,
	Interval: 10 * time.Minute,
	Window:   144,
	RelayFee: 1000, RelayStep: 1000,
}

// network is what differs between the networks.
type network struct {
	genesis string
	// targetBits: the easiest target accepted is 2^targetBits - 1.
	targetBits  uint
	checkpoints map[uint64]string
	oldest      map[string]int64
}

// New is Bitcoin Cash on a network. On mainnet a block must show 2^66 expected
// hashes (difficulty 2^34, exceeded since 2018): see bitcoin.New.
func New(net chains.Network) (*utxo.Coin, error) {
	networks := map[chains.Network]network{
		chains.Mainnet: {
			"000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f", 256 - 66,
			map[uint64]string{
				556767: "0000000000000000004626ff6e3b936941d341c5932ece4357eeccac44e6d56c", // not SV
				661648: "0000000000000000029e471c41818d24b8b74c911071c4ef0b4a0509f9b5a8ce", // not eCash
			},
			map[string]int64{"Bitcoin Cash Node": oldestNode},
		},
		chains.Testnet: {"000000001dd410c49a788668ce26751718cc797474d3152a5fc073dd44fd9f7b", 256 - 32, nil, nil},
		chains.Regtest: {"0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206", 255, nil, nil},
	}
	n, ok := networks[net]
	if !ok {
		return nil, fmt.Errorf("bitcoincash: no network %q", net)
	}
	p := utxo.Params{
		ID:            chains.BCH,
		Network:       net,
		Genesis:       n.genesis,
		MaxTarget:     utxo.BelowPowerOf2(n.targetBits),
		MaxMoney:      MaxMoney,
		MaxBlockBytes: maxBlockBytes,
		CashTokens:    true,
		ForkID:        true,
		DustRate:      dustRate,
		Checkpoints:   n.checkpoints,
		Probe:         probe(),
		Oldest:        n.oldest,
		Facts:         facts,
	}
	return utxo.New(p.WithAddresses())
}

// probe is P2PKH of 20 zero bytes: as CashAddr a text that no Bitcoin node takes
// for an address.
func probe() []byte {
	script := append([]byte{0x76, 0xa9, 20}, make([]byte, 20)...)
	return append(script, 0x88, 0xac)
}
