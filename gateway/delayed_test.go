package gateway

import (
	"context"
	"strings"
	"testing"

	"causeway/sidechain"
)

// A large deposit waits in the contract: it is not submitted again and again
// meanwhile, says why it waits, is shown as held while it is, and is credited in
// the end.
func TestLargeDepositWaits(t *testing.T) {
	d := newDriver(t)
	d.genesis.Assets[0].LargeMint, d.genesis.Assets[0].MintDelay = "1.00000000", 3
	d.remake()
	d.boot()
	defer func() { d.node.close() }()
	d.pump()
	counted := &countingSubmitter{Submitter: d.node.gateway.cfg.Submitter}
	d.node.gateway.cfg.Submitter = counted
	d.reloop()
	txid := d.pay(d.depositAddress("alice"), "1.5")
	d.mine(2)
	d.until("delayed", func() bool { return strings.Contains(d.find(txid).Detail, "base block") })
	sent := counted.actions
	for range 10 {
		d.pump()
	}
	if counted.actions != sent {
		t.Errorf("%d submissions while the mint waits", counted.actions-sent)
	}
	id := d.find(txid).ID
	d.act("causeway", "pegs", "hold", `{"id":"`+id+`","reason":"odd"}`)
	d.until("held", func() bool { return d.find(txid).State == "held" })
	if got := d.find(txid); got.Reason == "" {
		t.Errorf("held without a reason: %+v", got)
	}
	d.act("causeway", "pegs", "hold", `{"id":"`+id+`","lift":true,"reason":"checked"}`)
	d.until("not held", func() bool { return d.find(txid).State == "minting" })
	for range 4 {
		d.act("bob", "tokens", "transfer", `{"to":"carol","symbol":"BEE","quantity":"1"}`)
		d.pump()
	}
	d.until("credited", func() bool { return d.find(txid).State == "credited" })
	if got := d.find(txid); got.Reason != "" || counted.actions != sent {
		t.Errorf("credited: %+v after %d submissions", got, counted.actions)
	}
	d.balanced()
}

// countingSubmitter counts the actions that are handed in.
type countingSubmitter struct {
	Submitter
	actions int
}

func (c *countingSubmitter) Submit(ctx context.Context, actions []Action) ([]string, error) {
	c.actions += len(actions)
	return c.Submitter.Submit(ctx, actions)
}

// remake takes over a changed genesis, before the first boot.
func (d *driver) remake() {
	d.t.Helper()
	var err error
	if d.text, err = d.genesis.Encode(); err != nil {
		d.t.Fatal(err)
	}
	d.chainID = sidechain.BaseChainID(d.text)
}

// reloop makes the services anew, of a changed configuration.
func (d *driver) reloop() {
	d.loops = nil
	for _, l := range d.node.gateway.loops() {
		if l.name != "audit" {
			d.loops = append(d.loops, l)
		}
	}
}
