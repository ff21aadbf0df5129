package gateway

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/chains/chaintest"
	"causeway/hotwallet"
	"causeway/pegs"
)

// A cancel takes the inputs of a payout that is stuck. Whichever of the two is
// mined: the withdrawal is paid or given back, once, and the books balance.
func TestCancelRaces(t *testing.T) {
	for _, cancelWins := range []bool{true, false} {
		name := map[bool]string{true: "cancel wins", false: "payout wins"}[cancelWins]
		t.Run(name, func(t *testing.T) {
			d := simBooted(t)
			d.fund(2_000_000, 30_000)
			payee, before := d.payee(), d.balance("alice")
			w := d.broadcastOf("0.01", payee)
			if err := d.node.gateway.Cancel(t.Context(), w.Batch, "olga", "wrong address"); err != nil {
				t.Fatal(err)
			}
			if err := d.node.gateway.Cancel(t.Context(), w.Batch, "olga", "wrong address"); !isCode(err, CodeConflict) {
				t.Errorf("twice: %v", err)
			}
			d.until("the cancel is sent", func() bool { c := d.batches(pegs.BatchCancel); return len(c) == 1 && len(c[0].Taken) == 1 })
			cancel := d.batches(pegs.BatchCancel)[0].Newest().TxID
			if pool := d.sim.Node(0).Pool(); len(pool) != 1 || pool[0].ID.String() != cancel {
				t.Fatalf("the mempool holds %d transactions", len(pool))
			}
			if cancelWins {
				d.mineWith(cancel)
				d.until("given back", func() bool { d.mineWith(); return d.withdrawal(w.ID).State == "returned" })
				d.until("the cancel is closed", func() bool { return d.batches(pegs.BatchCancel)[0].Settled != nil })
				if got := d.balance("alice"); got != minus(t, before, "0.00005000") || d.paid(payee) != "0.00000000" {
					t.Errorf("alice has %s of %s, paid %s", got, before, d.paid(payee))
				}
			} else {
				d.mineWith(w.TxID)
				d.settles(w.ID)
				d.until("the cancel is released", func() bool { d.mineWith(); return d.batches(pegs.BatchCancel)[0].Released != nil })
				if d.paid(payee) != "0.00995000" {
					t.Errorf("paid %s", d.paid(payee))
				}
			}
			if reason := d.node.gateway.ChainStatus()[0].Reason; reason != "" {
				t.Errorf("halted: %s", reason)
			}
			d.balanced()
			// Nothing more happens, also after a restart from nothing.
			count := len(d.sim.Chain())
			for range 3 {
				d.pump()
			}
			if state := d.withdrawal(w.ID).State; state != "returned" && state != "settled" || len(d.sim.Chain()) != count {
				t.Errorf("it became %s", state)
			}
			d.balanced()
		})
	}
}

// A cancel that won is undone by a reorganisation before it is final: the payout
// is mined after all, and nothing is given back.
func TestCancelReorganised(t *testing.T) {
	d := simBooted(t)
	d.fund(2_000_000, 30_000)
	payee := d.payee()
	w := d.broadcastOf("0.01", payee)
	if err := d.node.gateway.Cancel(t.Context(), w.Batch, "olga", "wrong address"); err != nil {
		t.Fatal(err)
	}
	d.until("the cancel is sent", func() bool { c := d.batches(pegs.BatchCancel); return len(c) == 1 && len(c[0].Taken) == 1 })
	cancel := d.batches(pegs.BatchCancel)[0].Newest().TxID
	d.mineWith(cancel)
	d.until("the cancel is read", func() bool { return d.batches(pegs.BatchCancel)[0].Mined != nil && d.followed() })
	for range 3 {
		d.pump()
	}
	if got := d.withdrawal(w.ID); got.State == "returned" || !strings.Contains(got.Reason, cancel) {
		t.Errorf("before it is final: %+v", got)
	}
	fork := d.sim.Best().Parent
	for i := range 4 {
		var txs []*chaintest.Tx
		if i == 0 {
			txs = append(txs, d.tx(w.TxID))
		}
		next, err := d.sim.Extend(fork, txs...)
		if err != nil {
			t.Fatal(err)
		}
		fork = next
	}
	d.settles(w.ID)
	d.until("the cancel is released", func() bool { d.mineWith(); return d.batches(pegs.BatchCancel)[0].Released != nil })
	if d.paid(payee) != "0.00995000" || d.withdrawal(w.ID).State != "settled" {
		t.Errorf("paid %s: %+v", d.paid(payee), d.withdrawal(w.ID))
	}
	d.balanced()
}

// What cannot be cancelled, and who may not.
func TestCancelRefuses(t *testing.T) {
	d := simBooted(t)
	d.fund(2_000_000)
	g := d.node.gateway
	w := d.broadcastOf("0.01", d.payee())
	for name, test := range map[string]struct {
		batch, author, reason, code string
	}{
		"unknown":          {"00", "olga", "x", CodeNotFound},
		"no reason":        {w.Batch, "olga", "", CodeBadRequest},
		"the gateway":      {w.Batch, gatewayAuthor, "x", CodeBadRequest},
		"no coin to spare": {w.Batch, "olga", "x", CodeConflict},
	} {
		if err := g.Cancel(t.Context(), test.batch, test.author, test.reason); !isCode(err, test.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	d.fundMore(30_000)
	if err := g.Halt(t.Context(), chains.BTC, "x", "olga", pegs.ScopePayouts); err != nil {
		t.Fatal(err)
	}
	if err := g.Cancel(t.Context(), w.Batch, "olga", "x"); !isCode(err, CodeHalted) {
		t.Errorf("halted: %v", err)
	}
	if err := g.Resume(t.Context(), chains.BTC, "x", "olga"); err != nil {
		t.Fatal(err)
	}
	d.mineWith(w.TxID)
	d.until("mined", func() bool { return d.withdrawal(w.ID).Confirmations > 0 })
	if err := g.Cancel(t.Context(), w.Batch, "olga", "x"); !isCode(err, CodeConflict) {
		t.Errorf("mined: %v", err)
	}
}

// The coin that told a cancel from its payout is spent by another payout once the
// cancel is dead and released: the signer has its own nodes say so.
func TestCoinOfALostCancelIsSpent(t *testing.T) {
	d := simBooted(t)
	d.fund(2_000_000, 1_000_000)
	w := d.broadcastOf("0.01", d.payee())
	if err := d.node.gateway.Cancel(t.Context(), w.Batch, "olga", "wrong address"); err != nil {
		t.Fatal(err)
	}
	d.until("the cancel is sent", func() bool { c := d.batches(pegs.BatchCancel); return len(c) == 1 && len(c[0].Taken) == 1 })
	d.mineWith(w.TxID)
	d.settles(w.ID)
	d.until("the cancel is released", func() bool { d.mineWith(); return d.batches(pegs.BatchCancel)[0].Released != nil })
	payee := d.payee()
	first, second := d.withdraw("alice", "0.0095", payee), d.withdraw("bob", "0.0095", payee)
	d.until("both are sent", func() bool {
		return d.withdrawal(first).State == "broadcast" && d.withdrawal(second).State == "broadcast"
	})
	cancel := d.batches(pegs.BatchCancel)[0]
	took := 0
	for _, b := range d.batches(pegs.BatchPayout) {
		if slices.Equal(b.Took, []string{cancel.ID}) {
			took++
		}
	}
	if took != 1 {
		t.Errorf("%d payouts took the cancel's coin", took)
	}
	d.mine(1)
	d.settles(first)
	d.settles(second)
	if d.paid(payee) != "0.01890000" {
		t.Errorf("paid %s", d.paid(payee))
	}
	d.balanced()
}

// A cancel of a payout on whose change others rest pays for all of them, so that
// nodes take it at once; they die with it and are given back.
func TestCancelOfAPayoutWithDescendants(t *testing.T) {
	d := simBooted(t)
	d.fund(2_000_000, 30_000)
	d.act("alice", "tokens", "transfer", `{"to":"pegfees","symbol":"SWAP.BTC","quantity":"0.0002"}`)
	payee := d.payee()
	first := d.broadcastOf("0.003", payee)
	second := d.broadcastOf("0.003", payee)
	third := d.broadcastOf("0.003", payee)
	if n := len(d.sim.Node(0).Pool()); n != 3 {
		t.Fatalf("%d transactions wait", n)
	}
	if err := d.node.gateway.Cancel(t.Context(), first.Batch, "olga", "wrong address"); err != nil {
		t.Fatal(err)
	}
	d.until("the cancel is sent", func() bool { c := d.batches(pegs.BatchCancel); return len(c) == 1 && len(c[0].Taken) == 1 })
	cancel := d.batches(pegs.BatchCancel)[0]
	if pool := d.sim.Node(0).Pool(); len(cancel.Variants) != 1 || len(pool) != 1 || pool[0].ID.String() != cancel.Newest().TxID {
		t.Fatalf("%d variants of the cancel, %d transactions wait", len(cancel.Variants), len(pool))
	}
	// Nothing is done for those that rest on it, and nothing new rests on them.
	d.stuck(bumpAfter)
	for _, w := range []Withdrawal{second, third} {
		if got := d.withdrawal(w.ID); len(got.Variants) != 1 {
			t.Errorf("%s has variants %v", w.ID, got.Variants)
		}
	}
	d.mineWith(d.batches(pegs.BatchCancel)[0].Newest().TxID)
	for _, w := range []Withdrawal{first, second, third} {
		d.until("given back", func() bool { d.mineWith(); return d.withdrawal(w.ID).State == "returned" })
	}
	d.until("the cancel is closed", func() bool { return d.batches(pegs.BatchCancel)[0].Settled != nil })
	if got := d.balance("alice"); got != "0.01965000" || d.paid(payee) != "0.00000000" {
		t.Errorf("alice has %s, paid %s", got, d.paid(payee))
	}
	d.balanced()
}

// When what nodes would drop has paid more than the fees allow, the order says so
// and changes nothing.
func TestCancelBeyondTheBudget(t *testing.T) {
	d := simBooted(t, func(cfg *Config) { cfg.Chains[0].Caps.MaxFee = chains.NewAmount(2600) })
	d.fund(2_000_000, 30_000)
	d.act("alice", "tokens", "transfer", `{"to":"pegfees","symbol":"SWAP.BTC","quantity":"0.0002"}`)
	payee := d.payee()
	first := d.broadcastOf("0.003", payee)
	d.node0.rate = 16_000
	second := d.broadcastOf("0.003", payee)
	err := d.node.gateway.Cancel(t.Context(), first.Batch, "olga", "wrong address")
	if !isCode(err, CodeConflict) || !strings.Contains(err.Error(), "fee above its cap") {
		t.Errorf("%v", err)
	}
	d.node0.rate = 2000
	d.mine(1)
	d.settles(first.ID)
	d.settles(second.ID)
	d.balanced()
}

// A batch that is assigned and will never be signed is ended by a cancel.
func TestCancelOfWhatCannotBeSigned(t *testing.T) {
	d := simBooted(t)
	d.fund(2_000_000, 30_000)
	d.node.gateway.cfg.Signer = notPayouts{d.node.signer}
	d.reloop()
	payee, before := d.payee(), d.balance("alice")
	id := d.withdraw("alice", "0.01", payee)
	d.until("it waits for the signer", func() bool { return strings.Contains(d.withdrawal(id).Detail, "too large") })
	if err := d.node.gateway.Cancel(t.Context(), d.withdrawal(id).Batch, "olga", "it cannot be signed"); err != nil {
		t.Fatal(err)
	}
	d.until("the cancel is sent", func() bool { c := d.batches(pegs.BatchCancel); return len(c) == 1 && len(c[0].Taken) == 1 })
	d.mineWith(d.batches(pegs.BatchCancel)[0].Newest().TxID)
	d.until("given back", func() bool { d.mineWith(); return d.withdrawal(id).State == "returned" })
	d.until("the cancel is closed", func() bool { return d.batches(pegs.BatchCancel)[0].Settled != nil })
	if got := d.balance("alice"); got != minus(t, before, "0.00005000") {
		t.Errorf("alice has %s of %s", got, before)
	}
	d.balanced()
}

// notPayouts is a signer that signs no payouts, for a reason that may pass.
type notPayouts struct{ Signer }

func (s notPayouts) Sign(ctx context.Context, r hotwallet.SignRequest) (hotwallet.Signed, error) {
	if r.Assign.Kind == hotwallet.KindPayout {
		return hotwallet.Signed{}, fmt.Errorf("%w: too large", chains.ErrUnavailable)
	}
	return s.Signer.Sign(ctx, r)
}
