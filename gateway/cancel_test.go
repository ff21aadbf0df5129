package gateway

import (
	"slices"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/chains/chaintest"
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
