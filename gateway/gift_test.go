package gateway

import (
	"testing"

	"causeway/chains"
	"causeway/pegs"
)

// A gift to our own script is nobody's deposit: it is surplus, may be spent once
// it is deep enough, and hides no theft.
func TestGiftToOurOwnScript(t *testing.T) {
	d := booted(t)
	change, err := d.wallet().ChangeAddress(chains.BTC, 0)
	if err != nil {
		t.Fatal(err)
	}
	d.credit("alice", "0.02")
	d.pay(change, "0.5")
	d.mine(1)
	d.until("followed", d.caughtUp)
	if a := d.balanced().Assets[0]; a.Surplus != "0.50000000" || a.Uncredited != "0.00000000" || a.Reserves != "0.52000000" {
		t.Errorf("books are %+v", a)
	}
	spendable := func() (n int) {
		_ = d.node.gateway.ledger.View(func(s *pegs.State) { n = len(s.Spendable(chains.BTC)) })
		return n
	}
	if n := spendable(); n != 1 {
		t.Errorf("%d coins may be spent while the gift is one block deep", n)
	}
	d.mine(3)
	d.until("followed", d.caughtUp)
	if n := spendable(); n != 2 {
		t.Errorf("%d coins may be spent", n)
	}
	if got := len(d.deposits("")); got != 1 {
		t.Errorf("%d kinds of deposits", got)
	}
	var payee string
	d.call(&payee, "getnewaddress")
	id := d.withdraw("alice", "0.019", payee)
	d.until("broadcast", func() bool { return d.withdrawal(id).State == "broadcast" })
	d.mine(2)
	d.until("settled", func() bool { return d.withdrawal(id).State == "settled" })
	if a := d.balanced().Assets[0]; a.Surplus != "0.50000000" {
		t.Errorf("books are %+v", a)
	}
}
