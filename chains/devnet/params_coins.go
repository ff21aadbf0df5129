package devnet

import (
	"causeway/chains/utxo"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
)

// Litecoin is Litecoin's regtest: real genesis, scrypt, maturity 100, segwit and
// taproot active, both forms of P2SH addresses, first seen instead of replacement,
// 2 sat/vB. There is no extension block (MWEB): it is as if that never activated.
func Litecoin() Params {
	return Params{
		Name:     "ltc",
		Net:      regtestFrom("ltc"),
		Maturity: 100,
		SegWit:   true,
		PoW:      scryptHash,
		Addresses: ClassicAddresses{
			PubKeyHash: []byte{0x6f},
			ScriptHash: []byte{0x3a, 0xc4},
			HRP:        "rltc",
		},
		Fees:        Fees{Wallet: 2_000, Relay: 1_000, Max: 10_000_000},
		AddressList: true,
		FirstSeen:   true,
	}
}

// dogeVersion is Dogecoin's chain id, 98, over version 4: its nodes refuse other
// chain ids.
const dogeVersion = 98<<16 | 4

// Dogecoin is Dogecoin's regtest: real genesis, scrypt, chain id, maturity 60, no
// segregated witness, replacement by fee, 0.01 DOGE per 1000 bytes (relayed from
// 0.001). Dogecoin Core takes its blocks. What Core allows beyond: a subsidy of
// 500,000 coins (here 50), amounts above 21 million coins, merge-mined blocks.
func Dogecoin() Params {
	return Params{
		Name:         "doge",
		Net:          regtestFrom("doge"),
		Maturity:     60,
		BlockVersion: dogeVersion,
		PoW:          scryptHash,
		Addresses:    ClassicAddresses{PubKeyHash: []byte{0x6f}, ScriptHash: []byte{0xc4}},
		Fees:         Fees{Wallet: 1_000_000, Relay: 100_000, Max: 10_000_000_000},
		AddressList:  true,
		Spare:        120,
	}
}

// BitcoinCash is Bitcoin Cash's regtest: real genesis (Bitcoin's), signatures with
// a fork id, CashAddr, first seen instead of replacement, transactions of a block
// in the order of their ids, maturity 100, 2 sat/B. What nodes allow beyond: see
// cash.go.
func BitcoinCash() Params {
	return Params{
		Name:        "bch",
		Net:         &chaincfg.RegressionNetParams,
		Maturity:    100,
		ForkID:      true,
		FirstSeen:   true,
		Addresses:   CashAddresses{Prefix: "bchreg"},
		Fees:        Fees{Wallet: 2_000, Relay: 1_000, Max: 10_000_000},
		AddressList: true,
	}
}

// regtestFrom is btcd's regtest with the block 0 of another coin. No subsidy of
// Dogecoin is ever halved.
func regtestFrom(chain string) *chaincfg.Params {
	net := chaincfg.RegressionNetParams
	net.GenesisBlock = genesisBlock(chain, "regtest")
	hash := net.GenesisBlock.BlockHash()
	net.GenesisHash = &hash
	if chain == "doge" {
		net.SubsidyReductionInterval = 0
	}
	return &net
}

func scryptHash(header []byte) chainhash.Hash { return utxo.Scrypt(header) }
