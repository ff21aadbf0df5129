package devnet

import (
	"time"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// genesisHeader is what the blocks 0 of one coin differ in.
type genesisHeader struct {
	time  int64
	nonce uint32
	bits  uint32
}

// easyBits is the target of the test networks that anybody can meet.
const easyBits = 0x207fffff

// genesisHeaders lists them by coin and network.
var genesisHeaders = map[string]genesisHeader{
	"ltc mainnet":  {1317972665, 2084524493, 0x1e0ffff0},
	"ltc testnet":  {1486949366, 293345, 0x1e0ffff0},
	"ltc regtest":  {1296688602, 0, easyBits},
	"doge mainnet": {1386325540, 99943, 0x1e0ffff0},
	"doge testnet": {1391503289, 997879, 0x1e0ffff0},
	"doge regtest": {1296688602, 2, easyBits},
}

// genesisCoins lists what all networks of a coin have in common.
var genesisCoins = map[string]struct {
	text   string // in the coinbase
	reward int64
}{
	"ltc":  {"NY Times 05/Oct/2011 Steve Jobs, Apple’s Visionary, Dies at 56", 50e8},
	"doge": {"Nintondo", 88e8},
}

// genesisKey is the key, shared by both coins, that the reward cannot be spent with.
var genesisKey = []byte{
	0x04, 0x01, 0x84, 0x71, 0x0f, 0xa6, 0x89, 0xad, 0x50, 0x23, 0x69, 0x0c, 0x80, 0xf3, 0xa4, 0x9c, 0x8f, 0x13, 0xf8, 0xd4, 0x5b, 0x8c,
	0x85, 0x7f, 0xbc, 0xbc, 0x8b, 0xc4, 0xa8, 0xe4, 0xd3, 0xeb, 0x4b, 0x10, 0xf4, 0xd4, 0x60, 0x4f, 0xa0, 0x8d, 0xce, 0x60, 0x1a, 0xaf,
	0x0f, 0x47, 0x02, 0x16, 0xfe, 0x1b, 0x51, 0x85, 0x0b, 0x4a, 0xcf, 0x21, 0xb1, 0x79, 0xc4, 0x50, 0x70, 0xac, 0x7b, 0x03, 0xa9,
}

// genesisBlock is block 0 of ltc or doge on mainnet, testnet or regtest, built
// from what is written in it (CreateGenesisBlock of the coins' chainparams); nil
// for others.
func genesisBlock(chain, network string) *wire.MsgBlock {
	h, ok := genesisHeaders[chain+" "+network]
	if !ok {
		return nil
	}
	c := genesisCoins[chain]
	// 0x1d00ffff and 4, as the first block of all had it, then the text.
	script := []byte{4, 0xff, 0xff, 0x00, 0x1d, 1, 4}
	script = append(append(script, byte(len(c.text))), c.text...)
	coinbase := wire.NewMsgTx(1)
	coinbase.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{}, wire.MaxPrevOutIndex), script, nil))
	coinbase.AddTxOut(wire.NewTxOut(c.reward, append(append([]byte{byte(len(genesisKey))}, genesisKey...), txscript.OP_CHECKSIG)))
	return &wire.MsgBlock{
		Header:       wire.BlockHeader{Version: 1, MerkleRoot: coinbase.TxHash(), Timestamp: time.Unix(h.time, 0), Bits: h.bits, Nonce: h.nonce},
		Transactions: []*wire.MsgTx{coinbase},
	}
}
