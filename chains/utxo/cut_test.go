package utxo

import (
	"bytes"
	"math/rand/v2"
	"testing"
)

// Every transaction of a block can be cut out of its bytes, and a block cut short
// gives nothing but an error.
func TestCutTransaction(t *testing.T) {
	coin, rnd := testCoin(), rand.New(rand.NewPCG(1, 2))
	raw := rawBlock(t, randomBlock(t, rnd, 20))
	header := sha256d(raw[:HeaderBytes])
	block, err := coin.DecodeBlock(raw, hashText(header[:]))
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range block.Transactions {
		tx, err := coin.CutTransaction(raw, id)
		if err != nil {
			t.Fatal(err)
		}
		if got, _, _, err := coin.DecodeTransaction(tx); err != nil || got != id {
			t.Errorf("%s: %v", id, err)
		}
	}
	last := block.Transactions[len(block.Transactions)-1]
	if tx, err := coin.CutTransaction(raw, block.Header.Parent); tx != nil || err != nil {
		t.Errorf("what is not there: %x, %v", tx, err)
	}
	if _, err := coin.CutTransaction(raw, "00"); err == nil {
		t.Error("a txid that is none")
	}
	for n := range raw {
		if tx, err := coin.CutTransaction(raw[:n], last); err == nil {
			t.Fatalf("cut at %d: %x", n, tx)
		}
	}
}

// FuzzCutTransaction: what strangers put into a block is never taken for a
// transaction that it is not.
func FuzzCutTransaction(f *testing.F) {
	coin, rnd := testCoin(), rand.New(rand.NewPCG(3, 4))
	raw := rawBlock(f, randomBlock(f, rnd, 3))
	f.Add(raw)
	f.Add(append(make([]byte, 80), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
	header := sha256d(raw[:HeaderBytes])
	block, err := coin.DecodeBlock(raw, hashText(header[:]))
	if err != nil {
		f.Fatal(err)
	}
	txid := block.Transactions[1]
	want, err := coin.CutTransaction(raw, txid)
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, strange []byte) {
		tx, err := coin.CutTransaction(strange, txid)
		if err != nil || tx == nil {
			return
		}
		if id, _, _, err := coin.DecodeTransaction(tx); err != nil || id != txid || len(tx) < len(want)/2 || !bytes.Contains(strange, tx) {
			t.Fatalf("%x", tx)
		}
	})
}
