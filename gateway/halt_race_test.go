package gateway

import (
	"testing"
	"time"

	"causeway/chains"
	"causeway/pegs"
)

// waitsFor fails unless a halt becomes durable only after what is on its way.
func (d *simDriver) waitsFor(release chan struct{}) {
	d.t.Helper()
	halted := make(chan error, 1)
	go func() { halted <- d.node.gateway.Halt(d.t.Context(), chains.BTC, "a test", "ann", pegs.ScopePayouts) }()
	select {
	case err := <-halted:
		d.t.Errorf("the halt did not wait: %v", err)
	case <-time.After(50 * time.Millisecond):
	}
	close(release)
	if err := <-halted; err != nil {
		d.t.Error(err)
	}
}

// A halt waits for the broadcast that is on its way; after it nothing is sent,
// not even what a node has taken, since a person halted. While payouts stand still
// by themselves that is repeated.
func TestNothingIsSentOnceAHaltIsDurable(t *testing.T) {
	d := simBooted(t, func(cfg *Config) { cfg.RebroadcastAfter = 1 })
	d.fund(2_000_000)
	d.broadcastOf("0.01", d.payee())
	g, ctx := d.node.gateway, t.Context()
	b := newBroadcaster(g, g.followers[0])
	b.interval = 0
	entered, release := make(chan struct{}), make(chan struct{})
	d.node0.before = func([]byte) { close(entered); <-release }
	done := make(chan error, 1)
	go func() { done <- b.step(ctx) }()
	<-entered
	d.waitsFor(release)
	if err := <-done; err != nil {
		t.Fatal(err)
	}
	sent := 0
	d.node0.before = func([]byte) { sent++ }
	if err := b.step(ctx); err != nil || sent != 0 {
		t.Errorf("sent %d times after the halt, %v", sent, err)
	}
	if err := setHalt(ctx, g.ledger, chains.BTC, causeAudit, "the books", pegs.ScopePayouts); err != nil {
		t.Fatal(err)
	}
	if err := g.ledger.Append(ctx, &pegs.Resumed{Chain: chains.BTC, Cause: causeOperator, Reason: "x", Author: "ann"}); err != nil {
		t.Fatal(err)
	}
	if err := b.step(ctx); err != nil || sent != 1 {
		t.Errorf("sent %d times while halted by itself, %v", sent, err)
	}
}

// A halt waits for the signature that is on its way; what was signed is booked,
// and not sent. Nothing else is signed, nor planned.
func TestNothingIsSignedOnceAHaltIsDurable(t *testing.T) {
	d := simBooted(t)
	d.fund(2_000_000, 2_000_000)
	signer := d.node.gateway.cfg.Signer
	signed := 0
	d.node.gateway.cfg.Signer = &lateSigner{signer, func(string) {
		release := make(chan struct{})
		go d.waitsFor(release)
		<-release
		signed++
	}}
	d.reloop()
	payee := d.payee()
	first := d.withdraw("alice", "0.01", payee)
	d.until("signed", func() bool { return len(d.withdrawal(first).Variants) == 1 })
	second := d.withdraw("alice", "0.005", payee)
	for range 4 {
		d.pump()
	}
	if signed != 1 || len(d.sim.Node(0).Pool()) != 0 || d.withdrawal(first).State != "signed" || d.withdrawal(second).State != "queued" {
		t.Errorf("signed %d, sent %d: %s, %s", signed, len(d.sim.Node(0).Pool()), d.withdrawal(first).State, d.withdrawal(second).State)
	}
	d.node.gateway.cfg.Signer = signer
	d.reloop()
	if err := d.node.gateway.Resume(t.Context(), chains.BTC, "fine", "ann"); err != nil {
		t.Fatal(err)
	}
	d.until("both are sent", func() bool {
		return d.withdrawal(first).State == "broadcast" && d.withdrawal(second).State == "broadcast"
	})
	d.mine(1)
	d.settles(first)
	d.settles(second)
	d.balanced()
}

// From the block with a foreign spend on nothing is planned or signed, before the
// halt is written. Who acknowledges it and resumes stays resumed.
func TestForeignSpendAndAcknowledge(t *testing.T) {
	d := booted(t)
	deposit := d.credit("alice", "0.02")
	d.credit("alice", "0.03")
	d.mine(2)
	var payee, raw string
	d.call(&payee, "getnewaddress")
	d.call(&raw, "getrawtransaction", deposit.TxID)
	var thief string
	d.call(&thief, "sendrawtransaction", d.steal(deposit, raw, payee))
	d.mine(1)
	g := d.node.gateway
	f := g.followers[0]
	id := d.withdraw("alice", "0.01", payee)
	d.clock.tick()
	if _, err := d.node.sequencer.Produce(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, step := range []func() error{
		func() error { return g.rows.step(t.Context()) }, func() error { return g.mempools[f.id].step(t.Context()) },
		func() error { return f.step(t.Context()) }, func() error { return newPayer(g, f).step(t.Context()) },
	} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	if w := d.withdrawal(id); w.State != "queued" || g.ChainStatus()[0].Payouts != StateOpen {
		t.Errorf("between the block and the halt: %s, payouts %s", w.State, g.ChainStatus()[0].Payouts)
	}
	d.until("alarm", func() bool { return g.ChainStatus()[0].Payouts == StateHalted })
	if err := g.Acknowledge(t.Context(), chains.BTC, "00", "ann", "x"); !isCode(err, CodeNotFound) {
		t.Errorf("what nobody is alarmed about: %v", err)
	}
	if err := g.Acknowledge(t.Context(), chains.BTC, thief, "ann", "our own sweep, by hand"); err != nil {
		t.Fatal(err)
	}
	if err := g.Acknowledge(t.Context(), chains.BTC, thief, "ann", "our own sweep, by hand"); !isCode(err, CodeNotFound) {
		t.Errorf("twice: %v", err)
	}
	d.until("goes on", func() bool { return d.withdrawal(id).State == "broadcast" })
	if reason := g.ChainStatus()[0].Reason; reason != "" {
		t.Errorf("halted: %s", reason)
	}
}
