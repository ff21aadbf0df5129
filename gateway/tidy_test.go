package gateway

import (
	"context"
	"testing"

	"causeway/chains"
	"causeway/pegs"
)

// Many small coins are merged when blocks are cheap and nobody waits, once a day;
// the cost is burned from the fee account, and nothing is credited.
func TestTidy(t *testing.T) {
	d := simBooted(t)
	amounts := make([]int64, tidyAbove+5)
	for i := range amounts {
		amounts[i] = 20_000 + int64(i)
	}
	d.fund(amounts...)
	d.act("alice", "tokens", "transfer", `{"to":"pegfees","symbol":"SWAP.BTC","quantity":"0.001"}`)
	d.until("fees", func() bool { return d.feesLeft() != "0" })
	d.node0.rate = 9000
	for range 3 {
		d.stuck(1)
	}
	d.node0.rate = 2000
	for n := 0; len(d.batches(pegs.BatchConsolidate)) == 0; n++ {
		if n == 3*tidyRates {
			t.Fatal("nothing is merged")
		}
		d.stuck(1)
	}
	d.until("sent", func() bool { return len(d.batches(pegs.BatchConsolidate)[0].Taken) == 1 })
	b := d.batches(pegs.BatchConsolidate)[0]
	if most := maxInputs(nil); len(b.Inputs) != most || b.BaseBlock == 0 {
		t.Errorf("%d inputs of at most %d, planned at base block %d", len(b.Inputs), most, b.BaseBlock)
	}
	before := d.feesLeft()
	d.mine(1)
	d.until("closed", func() bool { d.mineWith(); return d.batches(pegs.BatchConsolidate)[0].Settled != nil })
	if cost := minus(t, before, d.feesLeft()); cost != b.Newest().Fee.Coin(8) {
		t.Errorf("%s was burned for a fee of %s", cost, b.Newest().Fee)
	}
	d.balanced()
	for range 3 {
		d.stuck(1)
	}
	if n := len(d.batches(pegs.BatchConsolidate)); n != 1 {
		t.Errorf("%d mergers within a day", n)
	}
}

// TestCrashWhileMerging ends the node before a merger is planned and right after
// it (C22): coins are merged once, and nobody is paid less.
func TestCrashWhileMerging(t *testing.T) {
	d := simBooted(t)
	amounts := make([]int64, tidyAbove+5)
	for i := range amounts {
		amounts[i] = 20_000
	}
	d.fund(amounts...)
	d.act("alice", "tokens", "transfer", `{"to":"pegfees","symbol":"SWAP.BTC","quantity":"0.001"}`)
	d.until("fees", func() bool { return d.feesLeft() != "0" })
	for _, nth := range []int{1, 2} {
		passed := 0
		d.node.gateway.cfg.Failpoint = func(name string) {
			if name == "C22" {
				if passed++; passed == nth {
					panic(crashed{name})
				}
			}
		}
		d.reloop()
		d.died = ""
		for n := 0; d.died == ""; n++ {
			if n == 300 {
				t.Fatalf("C22 was passed %d times", passed)
			}
			if n%4 == 0 {
				d.mineWith()
			}
			d.pump()
		}
		d.boot()
		if got := len(d.batches(pegs.BatchConsolidate)); got != nth-1 {
			t.Fatalf("after crash %d there are %d mergers", nth, got)
		}
	}
	d.until("sent", func() bool { return len(d.batches(pegs.BatchConsolidate)[0].Taken) == 1 })
	d.mine(1)
	d.until("closed", func() bool { d.mineWith(); return d.batches(pegs.BatchConsolidate)[0].Settled != nil })
	w := d.broadcastOf("0.005", d.payee())
	d.mine(1)
	d.settles(w.ID)
	if n := len(d.batches(pegs.BatchConsolidate)); n != 1 {
		t.Errorf("%d mergers", n)
	}
	d.balanced()
}

// When merging is not due.
func TestTidyWaits(t *testing.T) {
	d := simBooted(t)
	d.fund(2_000_000)
	p := newPayer(d.node.gateway, d.node.gateway.followers[0])
	for height := range uint64(20) {
		p.rates.add(height, 2000)
	}
	_ = d.node.gateway.ledger.View(func(s *pegs.State) {
		if p.untidy(s) {
			t.Error("one coin is too many")
		}
		if !p.tidiedBefore(s, 1) {
			t.Error("it was never done, and is not long ago")
		}
	})
	if !p.rates.low(2000, tidyRates) || p.rates.low(2001, tidyRates) {
		t.Error("a low rate is not told from a high one")
	}
}

// The flat fee of a withdrawal does not pay for many small inputs. Whoever makes us
// spend them empties the fee account at most: then payouts queue, nobody is paid
// less, and they go on when it is filled.
func TestSmallInputsCannotDrainMoreThanTheFees(t *testing.T) {
	d := simBooted(t)
	amounts := make([]int64, 60)
	for i := range amounts {
		amounts[i] = 20_000
	}
	d.fund(amounts...)
	d.node0.rate = 20_000 // 68 vbytes for an input: 1,360 a coin
	for _, from := range []string{"bob", "carol"} {
		d.act(from, "tokens", "transfer", `{"to":"alice","symbol":"SWAP.BTC","quantity":"0.004"}`)
	}
	d.until("alice has all", func() bool { return d.balance("alice") == "0.01200000" })
	payee := d.payee()
	large := d.withdraw("alice", "0.01", payee)
	for range 4 {
		d.pump()
	}
	if w := d.withdrawal(large); w.State != "queued" || d.feesLeft() != "0.00005000" {
		t.Errorf("it is %s (%s), fees %s", w.State, w.Detail, d.feesLeft())
	}
	small := d.withdraw("alice", "0.0002", payee)
	d.until("the small one goes", func() bool { return d.withdrawal(small).State == "broadcast" })
	d.mine(1)
	d.settles(small)
	d.act("alice", "tokens", "transfer", `{"to":"pegfees","symbol":"SWAP.BTC","quantity":"0.0015"}`)
	d.until("the large one goes", func() bool { return d.withdrawal(large).State == "broadcast" })
	d.mine(1)
	d.settles(large)
	if d.paid(payee) != "0.01010000" {
		t.Errorf("paid %s", d.paid(payee))
	}
	d.balanced()
}

// An order of a person mints what is not minted by itself, once, by the ordinary
// way; the second click is told so.
func TestClaimADeposit(t *testing.T) {
	d := booted(t)
	d.pay(d.depositAddress("bob"), "0.00009999")
	d.mine(4)
	d.until("below the minimum", func() bool { return len(d.deposits("bob")["below_minimum"]) == 1 })
	g, id := d.node.gateway, d.deposits("bob")["below_minimum"][0].ID
	if err := g.Claim(t.Context(), id, "", "x"); !isCode(err, CodeBadRequest) {
		t.Errorf("nobody's order: %v", err)
	}
	if err := g.Claim(t.Context(), "btc:00:0", "olga", "x"); !isCode(err, CodeNotFound) {
		t.Errorf("an unknown deposit: %v", err)
	}
	results := make(chan error, 2)
	for range 2 {
		go func() { results <- g.Claim(context.Background(), id, "olga", "he asked") }()
	}
	first, second := <-results, <-results
	if (first == nil) == (second == nil) || !isCode(firstError(first, second), CodeConflict) {
		t.Errorf("a double click: %v, %v", first, second)
	}
	d.until("credited", func() bool { return len(d.deposits("bob")["credited"]) == 1 })
	if err := g.Claim(t.Context(), id, "olga", "again"); !isCode(err, CodeConflict) || d.balance("bob") != "0.00009999" {
		t.Errorf("after the credit: %v, bob has %s", err, d.balance("bob"))
	}
	d.balanced()
}

// TestCrashWhileBumping ends the node at every failpoint between the third block
// without a payout and its dearer variant in the mempool. It is paid once.
func TestCrashWhileBumping(t *testing.T) {
	d := simBooted(t)
	payee := d.payee()
	seen, total := map[string]int{}, 0
	var amounts []int64
	for range 60 {
		amounts = append(amounts, 200_000)
	}
	d.fund(amounts...)
	for crash := 1; ; crash++ {
		d.died = ""
		w := d.broadcastOf("0.0007", payee)
		d.calls, d.crash = 0, crash
		for range bumpAfter {
			d.mineWith()
			d.until("followed", d.followed)
		}
		d.until("bumped and sent", func() bool {
			v := d.withdrawal(w.ID).Variants
			pool := d.sim.Node(0).Pool()
			return len(v) == 2 && len(pool) == 1 && pool[0].ID.String() == v[1]
		})
		d.crash = 0
		newest := d.withdrawal(w.ID).Variants[crash%2]
		d.mineWith(newest)
		d.settles(w.ID)
		total++
		if want := chains.NewAmount(uint64(65_000 * total)).Coin(8); d.paid(payee) != want {
			t.Fatalf("after a crash at %s paid %s, want %s", d.died, d.paid(payee), want)
		}
		if d.died == "" || crash == 55 {
			break
		}
		seen[d.died]++
	}
	d.balanced()
	t.Logf("%d crashes: %v", total-1, seen)
	for _, point := range []string{"C1", "C2", "C12", "C13", "C14", "C15", "C16", "C17", "C21"} {
		if seen[point] == 0 {
			t.Errorf("failpoint %s was never passed", point)
		}
	}
}
