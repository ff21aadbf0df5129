package dogecoin

import (
	"fmt"
	"time"

	"causeway/chains"
	"causeway/chains/utxo"
)

const (
	// MaxMoney is the most that one output may hold: 10,000 million coins, in
	// base units. There is no limit to the supply.
	MaxMoney = 10_000_000_000 * 100_000_000
	// ChainID is Dogecoin's number among merge-mined chains.
	ChainID = 98
	// maxBlockBytes is what nodes read at most; transactions take 1,000,000 of it,
	// a merge-mined header a few hundred.
	maxBlockBytes = 4_000_000
	// dustLimit is 0.01 DOGE: below it an output costs a fee of its own.
	dustLimit = 1_000_000
	// oldestCore is 1.14.7.
	oldestCore = 1140700
)

// facts: the hash power is mostly that of merge-mined Litecoin and can leave. The
// window is a day.
var facts = chains.Facts{
	Name:        "Dogecoin",
	Decimals:    8,
	Depths:      chains.Depths{Floor: 20, Normal: 40, Large: 60, Extreme: 120},
	Maturity:    240,
	Interval:    time.Minute,
	Window:      1440,
	Replaceable: true,
	RelayFee:    100_000, RelayStep: 100_000,
}

// network is what differs between Dogecoin's networks.
type network struct {
	genesis string
	// targetBits: the easiest target accepted is 2^targetBits - 1.
	targetBits uint
	maturity   uint64
	strict     bool // about chain ids
	oldest     map[string]int64
}

// New is Dogecoin on a network. On mainnet a block must show 2^50 expected hashes
// (difficulty 2^18, exceeded since 2018): see bitcoin.New.
func New(net chains.Network) (*utxo.Coin, error) {
	networks := map[chains.Network]network{
		chains.Mainnet: {
			"1a91e3dace36e2be3bf030a65679fe821aa1d6ef92e7c9902eb318182c355691", 256 - 50, 240, true,
			map[string]int64{"Shibetoshi": oldestCore},
		},
		chains.Testnet: {"bb0a78264637406b6360aad926284d544d7049f45189db5664f3c4d07350559e", 256 - 20, 240, false, nil},
		chains.Regtest: {"3d2160a3b5dc4a9d62e7e66a295f70313ac808440ef7400d6c0772171ce973a5", 255, 60, true, nil},
	}
	n, ok := networks[net]
	if !ok {
		return nil, fmt.Errorf("dogecoin: no network %q", net)
	}
	own := facts
	own.Maturity = n.maturity
	p := utxo.Params{
		ID:            chains.DOGE,
		Network:       net,
		Genesis:       n.genesis,
		MaxTarget:     utxo.BelowPowerOf2(n.targetBits),
		MaxMoney:      MaxMoney,
		MaxBlockBytes: maxBlockBytes,
		PoW:           utxo.Scrypt,
		AuxPoW:        &utxo.AuxPoW{ChainID: ChainID, Strict: n.strict},
		TxVersion:     1,
		DustLimit:     dustLimit,
		Oldest:        n.oldest,
		Facts:         own,
	}
	return utxo.New(p.WithAddresses())
}
