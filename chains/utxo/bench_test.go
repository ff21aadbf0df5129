package utxo

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"math/rand/v2"
	"testing"

	"causeway/chains"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// fullBlock is like a busy block of mainnet: about 1.8 MB, 5,000 transactions
// that spend two P2WPKH outputs and make two or three outputs each.
func fullBlock(tb testing.TB) (raw []byte, hash string, outputs int) {
	rnd := rand.New(rand.NewPCG(1, 2))
	fill := func(n int) []byte {
		b := make([]byte, n)
		for i := range b {
			b[i] = byte(rnd.Uint32())
		}
		return b
	}
	block := &wire.MsgBlock{Header: wire.BlockHeader{Version: 4, Bits: 0x207fffff}}
	block.AddTransaction(newCoinbase(1))
	for range 5000 {
		tx := wire.NewMsgTx(2)
		for range 2 {
			in := wire.NewTxIn(wire.NewOutPoint((*chainhash.Hash)(fill(32)), 1), nil, nil)
			in.Witness = wire.TxWitness{fill(71), fill(33)}
			tx.AddTxIn(in)
		}
		for range 2 + rnd.IntN(2) {
			tx.AddTxOut(wire.NewTxOut(int64(rnd.Uint32()), append([]byte{0, 20}, fill(20)...)))
		}
		block.AddTransaction(tx)
		outputs += len(tx.TxOut)
	}
	mine(tb, block)
	return rawBlock(tb, block), block.BlockHash().String(), outputs + 2
}

func bigWatchSet(b *testing.B, n int) *chains.WatchSet {
	set := chains.NewWatchSet()
	for i := range n {
		script := append([]byte{0, 20}, make([]byte, 20)...)
		binary.LittleEndian.PutUint64(script[2:], uint64(i)*0x9e3779b97f4a7c15)
		if err := set.Add(script, chains.Watch{Kind: chains.WatchDeposit, Account: "user", Address: "bcrt1qxy2kgdygjrsqtzq2n0yrf2493p83kkfjhx0wl0"}); err != nil {
			b.Fatal(err)
		}
	}
	return set
}

// report adds the figures per output.
func report(b *testing.B, raw []byte, outputs int) {
	b.SetBytes(int64(len(raw)))
	b.ReportAllocs()
	b.ResetTimer()
	b.Cleanup(func() {
		b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N)/float64(outputs), "ns/output")
	})
}

func BenchmarkDecodeAndMatch(b *testing.B) {
	coin := testCoin()
	raw, hash, outputs := fullBlock(b)
	for _, n := range []int{1_000, 1_000_000} {
		b.Run(fmt.Sprintf("scripts=%d", n), func(b *testing.B) {
			set := bigWatchSet(b, n)
			ours := map[chains.Outpoint]bool{{TxID: hash}: true}
			report(b, raw, outputs)
			for range b.N {
				block, err := coin.DecodeBlock(raw, hash)
				if err != nil {
					b.Fatal(err)
				}
				if m := set.Match(block, func(o chains.Outpoint) bool { return ours[o] }); len(m.Payments) != 0 {
					b.Fatal("matched a stranger")
				}
			}
		})
	}
}

func BenchmarkDecode(b *testing.B) {
	coin := testCoin()
	raw, hash, outputs := fullBlock(b)
	txs, err := coin.layouts(raw, HeaderBytes)
	if err != nil {
		b.Fatal(err)
	}
	ids, err := checkMerkle(raw, raw[:80], txs)
	if err != nil {
		b.Fatal(err)
	}
	steps := []struct {
		name string
		do   func() error
	}{
		{"all", func() error { _, err := coin.DecodeBlock(raw, hash); return err }},
		{"layout", func() error { _, err := coin.layouts(raw, HeaderBytes); return err }},
		{"txids", func() error { _, err := checkMerkle(raw, raw[:80], txs); return err }},
		{"witness", func() error { return checkWitness(raw, txs) }},
		{"collect", func() error { coin.collect(raw, txs, ids); return nil }},
		{"btcd", func() error { // for comparison: parse and txids, nothing else
			var block wire.MsgBlock
			if err := block.Deserialize(bytes.NewReader(raw)); err != nil {
				return err
			}
			for _, tx := range block.Transactions {
				btcutil.NewTx(tx).Hash()
			}
			return nil
		}},
	}
	for _, step := range steps {
		b.Run(step.name, func(b *testing.B) {
			report(b, raw, outputs)
			for range b.N {
				if err := step.do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// TestDecodeTakesNoMemoryPerOutput: memory is taken a fixed number of times,
// however many outputs and inputs a block has.
func TestDecodeTakesNoMemoryPerOutput(t *testing.T) {
	coin := testCoin()
	allocs := func(transactions int) float64 {
		block := randomBlock(t, rand.New(rand.NewPCG(5, 5)), transactions)
		raw, hash := rawBlock(t, block), block.BlockHash().String()
		return testing.AllocsPerRun(20, func() {
			if _, err := coin.DecodeBlock(raw, hash); err != nil {
				t.Fatal(err)
			}
		})
	}
	small, large := allocs(5), allocs(500)
	if large > small+10 { // the scratch buffer grows a few times
		t.Fatalf("%v allocations for a small block, %v for a large one", small, large)
	}
}
