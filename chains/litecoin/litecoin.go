package litecoin

import (
	"fmt"
	"time"

	"causeway/chains"
	"causeway/chains/utxo"
)

const (
	// MaxMoney is 84 million coins, in base units.
	MaxMoney = 84_000_000 * 100_000_000
	// PegOutDepth is the depth at which a payment out of the extension block
	// counts: that of large payments, for the extension block's rules have been
	// broken before (April 2026). Consensus asks for 6.
	PegOutDepth = 36
	// maxBlockBytes is the largest message that nodes pass on. The weight limit
	// leaves 4,000,000 bytes of it to transactions, the rest to MWEB.
	maxBlockBytes = 32 << 20
	// dustRate is Litecoin Core's DUST_RELAY_TX_FEE, in base units per kvB.
	dustRate = 30_000
	// oldestCore is 0.21.5.5, the first with the hardened MWEB rules.
	oldestCore = 210505
)

// facts: six confirmations are no longer safe since 13 blocks were replaced in
// April 2026. The window is a day.
var facts = chains.Facts{
	Name:     "Litecoin",
	Decimals: 8,
	Depths:   chains.Depths{Floor: 12, Normal: 24, Large: 36, Extreme: 72},
	Maturity: 100,
	Interval: 150 * time.Second,
	Window:   576,
	RelayFee: 1000, RelayStep: 1000,
}

// network is what differs between Litecoin's networks.
type network struct {
	genesis string
	// targetBits: the easiest target accepted is 2^targetBits - 1.
	targetBits uint
	oldest     map[string]int64
}

// New is Litecoin on a network. On mainnet a block must show 2^52 expected
// hashes (difficulty 2^20, exceeded since 2018): see bitcoin.New.
func New(net chains.Network) (*utxo.Coin, error) {
	networks := map[chains.Network]network{
		chains.Mainnet: {
			"12a765e31ffd4059bada1e25190f6e98c99d9714d334efa41a195a7e7e04bfe2", 256 - 52,
			map[string]int64{"LitecoinCore": oldestCore},
		},
		chains.Testnet: {"4966625a4b2851d9fdee139e56211a0d88575f59ed816ff5e6a63deb4e3e29a0", 256 - 20, nil},
		chains.Regtest: {"530827f38f93b43ed12af0b3ad25a288dc02ed74d6d7857862df51fc56c416f9", 255, nil},
	}
	n, ok := networks[net]
	if !ok {
		return nil, fmt.Errorf("litecoin: no network %q", net)
	}
	p := utxo.Params{
		ID:            chains.LTC,
		Network:       net,
		Genesis:       n.genesis,
		MaxTarget:     utxo.BelowPowerOf2(n.targetBits),
		MaxMoney:      MaxMoney,
		MaxBlockBytes: maxBlockBytes,
		Segwit:        true,
		PoW:           utxo.Scrypt,
		PegOutDepth:   PegOutDepth,
		DustRate:      dustRate,
		Oldest:        n.oldest,
		Facts:         facts,
	}
	return utxo.New(p.WithAddresses())
}
