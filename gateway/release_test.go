package gateway

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"testing"

	"causeway/hotwallet"
)

// awaySigner cannot be reached.
type awaySigner struct{ Signer }

func (awaySigner) Sign(context.Context, hotwallet.SignRequest) (hotwallet.Signed, error) {
	return hotwallet.Signed{}, errors.New("no answer")
}

// The attestors prove a payout dead and give the tokens back: its coins stay
// where they are, nothing is signed for it any more, nothing halts, and a ledger
// that is read again from nothing knows as much.
func TestReleasedBatch(t *testing.T) {
	d := booted(t)
	d.credit("alice", "0.02")
	d.credit("alice", "0.03")
	d.mine(2)
	d.node.gateway.cfg.Signer = awaySigner{d.node.signer}
	d.reloop()
	var payee string
	d.call(&payee, "getnewaddress")
	first := d.withdraw("alice", "0.015", payee)
	for range 5 {
		d.shake()
	}
	if w := d.withdrawal(first); w.State != "planned" {
		t.Fatalf("it is %+v", w)
	}
	d.act("gateway", "pegs", "release", `{"id":"`+first+`","proof":"an input is spent"}`)
	for range 3 {
		d.shake()
	}
	if w := d.withdrawal(first); w.State != "parked" || w.Reason == "" {
		t.Errorf("released: %+v", w)
	}
	d.node.gateway.cfg.Signer = d.node.signer
	d.reloop()
	for range 3 {
		d.pump()
	}
	if w := d.withdrawal(first); w.State != "parked" || len(w.Variants) > 0 {
		t.Errorf("a dead payout was signed: %+v", w)
	}
	d.act("gateway", "pegs", "giveBack", `{"id":"`+first+`","reason":"released"}`)
	d.until("returned", func() bool { return d.withdrawal(first).State == "returned" })
	if reason := d.node.gateway.ChainStatus()[0].Reason; reason != "" {
		t.Errorf("halted: %s", reason)
	}
	d.balanced()
	again := func(quantity string) {
		t.Helper()
		id := d.withdraw("alice", quantity, payee)
		d.until("paid", func() bool { return d.withdrawal(id).State == "broadcast" })
		d.mine(2)
		d.until("settled", func() bool { return d.withdrawal(id).State == "settled" })
		d.balanced()
	}
	again("0.016")
	d.node.close()
	if err := os.Remove(filepath.Join(d.dir, LogFile)); err != nil {
		t.Fatal(err)
	}
	d.boot()
	d.until("read again", func() bool { return d.withdrawal(first).State == "returned" && d.caughtUp() })
	again("0.005")
}
