package gateway

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/chains/chaintest"
	"causeway/pegs"
)

// A payout that no block takes is made dearer, again and again; whichever variant
// is mined in the end, the payee is paid once and in full, and the books balance.
func TestEachVariantConfirms(t *testing.T) {
	for mined := range 3 {
		t.Run(fmt.Sprint("variant ", mined+1), func(t *testing.T) {
			d := simBooted(t)
			d.fund(2_000_000)
			payee := d.payee()
			id := d.broadcastOf("0.01", payee).ID
			for n := 2; n <= 3; n++ {
				d.stuck(bumpAfter)
				d.until("bumped", func() bool { return len(d.withdrawal(id).Variants) == n })
				d.until("sent", func() bool { return d.sim.Node(0).Pool()[0].ID.String() == d.withdrawal(id).Variants[n-1] })
			}
			txid := d.withdrawal(id).Variants[mined]
			d.mineWith(txid)
			d.settles(id)
			w := d.withdrawal(id)
			if w.TxID != txid || len(w.Variants) != 3 || d.paid(payee) != "0.00995000" {
				t.Errorf("mined %s, paid %s: %+v", txid, d.paid(payee), w)
			}
			d.balanced()
			// The change of the variant that was mined pays the next.
			next := d.broadcastOf("0.005", payee)
			d.mine(1)
			d.settles(next.ID)
			d.balanced()
		})
	}
}

// When much more is asked for than a payout pays it does not wait for three
// blocks; when less is, it does.
func TestEstimateRises(t *testing.T) {
	d := simBooted(t)
	d.fund(2_000_000)
	id := d.broadcastOf("0.01", d.payee()).ID
	d.node0.rate = 2900
	d.stuck(1)
	if n := len(d.withdrawal(id).Variants); n != 1 {
		t.Errorf("%d variants for half as much", n)
	}
	d.node0.rate = 10_000
	d.stuck(1)
	d.until("bumped", func() bool { return len(d.withdrawal(id).Variants) == 2 })
	b := d.batches(pegs.BatchPayout)[0]
	if rate := rateOf(b.Newest().Fee, b.Newest().VSize); rate < 10_000 || rate > 10_200 {
		t.Errorf("it pays %d", rate)
	}
	d.mine(1)
	d.settles(id)
	d.balanced()
}

// A payout is bumped up to what the fee account can burn, and then waits with a
// note: no payee is shaved, nothing is lost, and new payouts queue.
func TestBumpStopsAtItsBudget(t *testing.T) {
	d := simBooted(t)
	d.fund(2_000_000, 2_000_000)
	payee := d.payee()
	id := d.broadcastOf("0.005", payee).ID
	d.node0.rate = 900_000 // a fee of 0.0013; the fee account has 0.00005
	for range 3 {
		d.stuck(bumpAfter)
	}
	w := d.withdrawal(id)
	if !strings.Contains(w.Detail, "its fee is at its limit") {
		t.Errorf("the note is %q", w.Detail)
	}
	b := d.batches(pegs.BatchPayout)[0]
	if fee := b.Newest().Fee; chains.NewAmount(5000).Less(fee) || fee.Less(chains.NewAmount(4700)) {
		t.Errorf("its fee is %s", fee)
	}
	other := d.withdraw("alice", "0.004", payee)
	d.stuck(1)
	if q := d.withdrawal(other); q.State != "queued" || !strings.Contains(q.Detail, "waits: ") {
		t.Errorf("the next one is %+v", q)
	}
	d.node0.rate = 2000
	d.mine(1)
	d.settles(id)
	d.stuck(1)
	if q := d.withdrawal(other); q.State != "queued" {
		t.Errorf("the next one, whose fee the first has used up, is %s", q.State)
	}
	d.act("alice", "tokens", "transfer", `{"to":"pegfees","symbol":"SWAP.BTC","quantity":"0.0001"}`)
	d.until("the next one goes on", func() bool { return d.withdrawal(other).State == "broadcast" })
	d.mine(1)
	d.settles(other)
	if d.paid(payee) != "0.00890000" {
		t.Errorf("paid %s", d.paid(payee))
	}
	d.balanced()
}

// Where nodes keep the first of two transactions a child pays for both. Its cost
// is burned too.
func TestChildPaysForItsParent(t *testing.T) {
	coin := firstSeen(t)
	d := simBooted(t, func(cfg *Config) { cfg.Chains[0].Coin = coin })
	d.fund(2_000_000)
	payee := d.payee()
	id := d.broadcastOf("0.01", payee).ID
	d.node0.rate = 6000
	d.stuck(1)
	d.until("a child is sent", func() bool { c := d.batches(pegs.BatchChild); return len(c) == 1 && len(c[0].Taken) == 1 })
	parent, child := d.batches(pegs.BatchPayout)[0], d.batches(pegs.BatchChild)[0]
	var fee uint64
	for _, b := range []pegs.Batch{parent, child} {
		v, _ := b.Newest().Fee.Uint64()
		fee += v
	}
	if rate := rateOf(chains.NewAmount(fee), parent.Newest().VSize+child.Newest().VSize); len(parent.Variants) != 1 || rate < 6000 || rate > 6100 {
		t.Errorf("%d variants, the package pays %d", len(parent.Variants), rate)
	}
	d.mine(1)
	d.settles(id)
	d.until("the child is closed", func() bool { return d.batches(pegs.BatchChild)[0].Settled != nil })
	if want := minus(t, "0.00005000", chains.NewAmount(fee).Coin(8)); d.feesLeft() != want || d.paid(payee) != "0.00995000" {
		t.Errorf("the fee account has %s, want %s; paid %s", d.feesLeft(), want, d.paid(payee))
	}
	d.balanced()
}

// A new payout rests on no stuck one: it waits for a confirmed coin. The last of
// a chain of our own is bumped for all of it.
func TestStuckChain(t *testing.T) {
	d := simBooted(t)
	d.fund(2_000_000)
	payee := d.payee()
	first := d.broadcastOf("0.003", payee)
	second := d.broadcastOf("0.003", payee)
	d.stuck(bumpAfter)
	d.until("the second is bumped", func() bool { return len(d.withdrawal(second.ID).Variants) == 2 })
	if got := d.withdrawal(first.ID); len(got.Variants) != 1 {
		t.Errorf("the first, whose change is promised, has variants %v", got.Variants)
	}
	third := d.withdraw("alice", "0.003", payee)
	d.stuck(1)
	if got := d.withdrawal(third); got.State != "queued" {
		t.Errorf("it rests on what is stuck: %+v", got)
	}
	d.mine(1)
	d.settles(first.ID)
	d.settles(second.ID)
	d.until("the third goes on", func() bool { return d.withdrawal(third).State == "broadcast" })
	d.mine(1)
	d.settles(third)
	d.balanced()
}

// Nodes lose a payout: it is sent again as it is. One of them may bring back an
// older variant, and that one is mined.
func TestEviction(t *testing.T) {
	d := simBooted(t, func(cfg *Config) { cfg.RebroadcastAfter, cfg.Chains[0].Poll = 1, 1 })
	d.fund(2_000_000)
	payee := d.payee()
	w := d.broadcastOf("0.01", payee)
	for range 3 {
		d.sim.Evict(d.tx(w.TxID))
		d.until("sent again", func() bool { return len(d.sim.Node(0).Pool()) == 1 })
	}
	d.stuck(bumpAfter)
	d.until("bumped", func() bool { return len(d.withdrawal(w.ID).Variants) == 2 })
	newest := d.withdrawal(w.ID).Variants[1]
	d.until("sent", func() bool { p := d.sim.Node(0).Pool(); return len(p) == 1 && p[0].ID.String() == newest })
	d.sim.Evict(d.tx(newest))
	d.mineWith(w.TxID)
	d.settles(w.ID)
	if got := d.withdrawal(w.ID); got.TxID != w.TxID || d.paid(payee) != "0.00995000" {
		t.Errorf("%+v", got)
	}
	d.balanced()
}

// A reorganisation puts a payout back: the same bytes go out, and nothing is
// signed a second time, also after it was settled.
func TestReorgSignsNothing(t *testing.T) {
	d := simBooted(t)
	d.fund(2_000_000)
	w := d.broadcastOf("0.01", d.payee())
	d.mine(1)
	d.until("mined", func() bool { return d.withdrawal(w.ID).Confirmations > 0 })
	for _, settled := range []bool{false, true} {
		if settled {
			d.settles(w.ID)
		}
		if _, err := d.sim.Reorg(chaintest.Rewrite{Depth: 3, Drop: func(tx *chaintest.Tx) bool { return tx.ID.String() == w.TxID }, Forget: true}); err != nil {
			t.Fatal(err)
		}
		d.node.gateway.cfg.RebroadcastAfter = 1
		d.reloop()
		d.until("followed", d.followed)
		d.until("sent again", func() bool { p := d.sim.Node(0).Pool(); return len(p) == 1 && p[0].ID.String() == w.TxID })
		d.stuck(1)
		if got := d.withdrawal(w.ID); len(got.Variants) != 1 {
			t.Errorf("settled %v: %+v", settled, got)
		}
		d.mine(1)
		d.until("mined again", func() bool { return d.followed() && d.withdrawal(w.ID).Confirmations > 0 })
	}
	d.settles(w.ID)
	d.balanced()
}

// Whatever nodes say of fees, payouts go out within the limits.
func TestEstimatesAreClamped(t *testing.T) {
	d := simBooted(t)
	d.fund(2_000_000)
	p := newPayer(d.node.gateway, d.node.gateway.followers[0])
	for i, test := range []struct {
		rate chains.FeeRate
		err  error
		want chains.FeeRate
	}{
		{0, nil, fallbackRate}, {1, nil, 1000}, {1_000_000_000_000, nil, 1_000_000}, {3000, nil, 3000},
		{0, nil, 3000}, {0, errNoEstimate, 3000}, {77, errNoEstimate, 3000},
	} {
		d.node0.rate, d.node0.err = test.rate, test.err
		if got := p.feeRate(t.Context()); got != test.want {
			t.Errorf("%d: %d %v: %d, want %d", i, test.rate, test.err, got, test.want)
		}
	}
	p.Caps.MaxRate = 2500
	if got := p.feeRate(t.Context()); got != 2500 {
		t.Errorf("above what the signer signs: %d", got)
	}
}

// The rates of the last blocks tell a low one.
func TestRates(t *testing.T) {
	var r rates
	if _, ok := r.newest(); ok || r.low(1, 1) {
		t.Error("knows what nobody said")
	}
	for height := range uint64(200) {
		r.add(height, chains.FeeRate(1000+height%4*1000))
		r.add(height, chains.FeeRate(1000+height%4*1000))
	}
	if len(r.list) != ratesKept || !r.low(1000, 12) || r.low(2000, 12) || r.low(1000, 145) {
		t.Errorf("%d rates, %v", len(r.list), slices.Compact(slices.Sorted(slices.Values(r.list))))
	}
}
