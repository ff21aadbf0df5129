package gateway

import (
	"bytes"
	"testing"
)

// Every transaction of a real block can be cut out of its bytes, and no prefix
// of a block makes the walk fail otherwise than by finding nothing.
func TestCutTransaction(t *testing.T) {
	d := booted(t)
	txid := d.pay(d.depositAddress("alice"), "0.01")
	d.mine(1)
	var hash, text string
	d.call(&hash, "getbestblockhash")
	d.call(&text, "getblock", hash, 0)
	raw := unhex(t, text)
	block, err := d.coin().DecodeBlock(raw, hash)
	if err != nil {
		t.Fatal(err)
	}
	p := &payer{ChainConfig: ChainConfig{Coin: d.coin()}}
	found := false
	for _, id := range block.Transactions {
		tx := p.cut(raw, id)
		if got, _, _, err := d.coin().DecodeTransaction(tx); err != nil || got != id {
			t.Errorf("%s: %v", id, err)
		}
		found = found || id == txid
	}
	if !found || p.cut(raw, "00") != nil {
		t.Error("the payment is not in its block, or nothing is found there")
	}
	for n := range raw {
		if tx := p.cut(raw[:n], txid); tx != nil && !bytes.Contains(raw, tx) {
			t.Fatalf("cut at %d", n)
		}
	}
}

// FuzzCut: what strangers put into a block makes the walk neither panic nor hang.
func FuzzCut(f *testing.F) {
	f.Add(append(make([]byte, 80), 1, 1, 0, 0, 0, 0, 1))
	f.Add(append(make([]byte, 80), 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff))
	w := &world{}
	p := &payer{ChainConfig: ChainConfig{Coin: w.coin()}}
	f.Fuzz(func(t *testing.T, block []byte) {
		if tx := p.cut(block, "00"); tx != nil {
			t.Fatal("found nothing's transaction")
		}
	})
}
