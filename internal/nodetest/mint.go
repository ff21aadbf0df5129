package nodetest

import (
	"bytes"
	"encoding/hex"
	"slices"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// bchdMines is the height of the last block that a bchd's own miner can make on
// regtest: after it transactions must have 100 bytes, its coinbases included, and
// they have 96.
const bchdMines = 1000

// mint makes and hands in one block of all that waits, for a bchd: in the order of
// the ids, as after bchdMines.
func (n *Node) mint() (hash string) {
	n.t.Helper()
	height := n.Height()
	parent := n.header(n.hashAt(height))
	block := &wire.MsgBlock{Header: wire.BlockHeader{
		Version: 0x20000000, PrevBlock: parent.BlockHash(), Bits: parent.Bits,
		Timestamp: time.Unix(max(time.Now().Unix(), parent.Timestamp.Unix()+1), 0),
	}}
	block.AddTransaction(n.coinbase(int32(height) + 1))
	for _, tx := range n.waiting() {
		block.AddTransaction(tx)
	}
	block.Header.MerkleRoot = blockchain.CalcMerkleRoot(btcutil.NewBlock(block).Transactions(), false)
	target := blockchain.CompactToBig(block.Header.Bits)
	for id := block.BlockHash(); blockchain.HashToBig(&id).Cmp(target) > 0; id = block.BlockHash() {
		block.Header.Nonce++
	}
	var raw bytes.Buffer
	if err := block.Serialize(&raw); err != nil {
		n.t.Fatal(err)
	}
	n.Call(nil, "submitblock", hex.EncodeToString(raw.Bytes()))
	if n.hashAt(height+1) != block.BlockHash().String() {
		n.t.Fatalf("%s does not take a block of ours\n%s", n.spec.name, n.log)
	}
	return block.BlockHash().String()
}

// coinbase pays the miner the subsidy, without fees.
func (n *Node) coinbase(height int32) *wire.MsgTx {
	n.t.Helper()
	script, err := txscript.NewScriptBuilder().AddInt64(int64(height)).AddInt64(time.Now().UnixNano()).AddData(make([]byte, 40)).Script()
	if err != nil {
		n.t.Fatal(err)
	}
	tx := wire.NewMsgTx(1)
	tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{}, wire.MaxPrevOutIndex), script, nil))
	tx.AddTxOut(wire.NewTxOut(blockchain.CalcBlockSubsidy(height, &chaincfg.RegressionNetParams), n.miner.script))
	return tx
}

// waiting is the mempool in the order of the ids.
func (n *Node) waiting() (txs []*wire.MsgTx) {
	n.t.Helper()
	var txids []string
	n.Call(&txids, "getrawmempool")
	slices.Sort(txids)
	for _, txid := range txids {
		var text string
		n.Call(&text, "getrawtransaction", txid)
		tx := new(wire.MsgTx)
		if err := tx.Deserialize(hex.NewDecoder(bytes.NewBufferString(text))); err != nil {
			n.t.Fatal(err)
		}
		txs = append(txs, tx)
	}
	return txs
}

// header is a block's.
func (n *Node) header(hash string) (h wire.BlockHeader) {
	n.t.Helper()
	var text string
	n.Call(&text, "getblockheader", hash, false)
	if err := h.Deserialize(hex.NewDecoder(bytes.NewBufferString(text))); err != nil {
		n.t.Fatal(err)
	}
	return h
}
