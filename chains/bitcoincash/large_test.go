package bitcoincash_test

import (
	"bytes"
	"encoding/binary"
	"testing"
	"time"

	"causeway/chains"
	"causeway/chains/bitcoincash"
	"causeway/chains/utxo"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// largeBlock is a block of about 32 MB, all of whose outputs pay one of watched
// scripts.
func largeBlock(t testing.TB, watched int) (raw []byte, hash string, outputs int) {
	t.Helper()
	block := &wire.MsgBlock{Header: wire.BlockHeader{Version: 4, Bits: 0x207fffff, Timestamp: time.Unix(1_700_000_000, 0)}}
	coinbase := wire.NewMsgTx(1)
	coinbase.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{}, wire.MaxPrevOutIndex), []byte{2, 1, 1}, nil))
	coinbase.AddTxOut(wire.NewTxOut(50e8, []byte{0x51}))
	block.AddTransaction(coinbase)
	var list []*btcutil.Tx
	for size, n := 0, uint32(0); size < 31_900_000; n++ {
		tx := wire.NewMsgTx(2)
		tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{byte(n), byte(n >> 8), byte(n >> 16), 1}, 0), make([]byte, 107), nil))
		for i := range 10 {
			tx.AddTxOut(wire.NewTxOut(1000, watchedScript(int(n)*10+i, watched)))
			outputs++
		}
		size += tx.SerializeSize()
		block.AddTransaction(tx)
	}
	for _, tx := range block.Transactions {
		list = append(list, btcutil.NewTx(tx))
	}
	block.Header.MerkleRoot = blockchain.CalcMerkleRoot(list, false)
	for h := block.BlockHash(); h[31] >= 0x7f; h = block.BlockHash() {
		block.Header.Nonce++
	}
	var buf bytes.Buffer
	if err := block.Serialize(&buf); err != nil {
		t.Fatal(err)
	}
	return buf.Bytes(), block.BlockHash().String(), outputs
}

func watchedScript(i, watched int) []byte {
	hash := make([]byte, 20)
	binary.BigEndian.PutUint32(hash, uint32(i%watched))
	return append(append([]byte{0x76, 0xa9, 20}, hash...), 0x88, 0xac)
}

// TestLargeBlock: a block of 32 MB full of our addresses is read whole.
func TestLargeBlock(t *testing.T) {
	const watched = 5000
	raw, hash, outputs := largeBlock(t, watched)
	coin, err := bitcoincash.New(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	set := chains.NewWatchSet()
	for i := range watched {
		script := watchedScript(i, watched)
		if err := set.Add(script, chains.Watch{Kind: chains.WatchDeposit, Account: "alice", Address: "a"}); err != nil {
			t.Fatal(err)
		}
	}
	block, err := coin.DecodeBlock(raw, hash)
	if err != nil {
		t.Fatal(err)
	}
	if got := len(set.Match(block, nil).Payments); got != outputs || len(raw) < 31_000_000 {
		t.Errorf("%d payments of %d in %d bytes", got, outputs, len(raw))
	}
}

// BenchmarkLargeBlock decodes 32 MB with its merkle root.
func BenchmarkLargeBlock(b *testing.B) {
	raw, hash, outputs := largeBlock(b, 5000)
	coin, err := bitcoincash.New(chains.Regtest)
	if err != nil {
		b.Fatal(err)
	}
	b.SetBytes(int64(len(raw)))
	b.ReportMetric(float64(outputs), "outputs")
	for b.Loop() {
		if _, err := coin.DecodeBlock(raw, hash); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkScrypt is one header's proof of work on Litecoin and Dogecoin.
func BenchmarkScrypt(b *testing.B) {
	header := make([]byte, 80)
	for b.Loop() {
		utxo.Scrypt(header)
	}
}
