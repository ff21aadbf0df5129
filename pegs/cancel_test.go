package pegs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"causeway/chains"
)

// cancelBook has a payout under way that a cancel is planned for.
func cancelBook(t *testing.T) (b *book, payout, cancel *Planned) {
	b = newBook(t)
	b.credit("t1", "alice", 100_000)
	b.credit("t2", "alice", 20_000)
	b.blocks(1)
	payout = b.sent("w1", 40_000, "v1", 59_700, at("t1", 0))
	cancel = ownPlan(BatchCancel, at("t1", 0), at("t2", 0))
	cancel.Author, cancel.Reason = "olga", "wrong address"
	b.do(cancel)
	return b, payout, cancel
}

// signCancel has the cancel assigned, signed and sent.
func (b *book) signCancel(p *Planned) {
	b.do(assignedAs(p))
	b.do(&Signed{Batch: p.Batch, TxID: "c1", Raw: []byte{1}, Fee: p.Fee, VSize: 180, Counter: 2, Change: []Payment{changes("c1", 0, 119_500)}})
	b.do(&Broadcast{Batch: p.Batch, TxID: "c1", Verdict: chains.Accepted})
}

// The cancel wins: the payout is dead when the cancel is final, is released, and
// its withdrawal given back, once.
func TestCancelWins(t *testing.T) {
	b, payout, cancel := cancelBook(t)
	b.signCancel(cancel)
	if len(b.ToLift(chains.BTC)) != 1 {
		t.Errorf("what is cancelled is still lifted: %v", b.ToLift(chains.BTC))
	}
	mined := []Payment{changes("c1", 0, 119_500)}
	b.block(mined, spends("c1", at("t1", 0), at("t2", 0))...)
	if b.batch(payout).Conflict != "c1" || b.batch(cancel).Mined == nil || len(b.Alarms(chains.BTC)) > 0 {
		t.Fatalf("payout %+v, alarms %v", b.batch(payout), b.Alarms(chains.BTC))
	}
	b.blocks(1)
	if got := len(b.ToSettle(chains.BTC)); got != 1 || len(b.ToRelease(chains.BTC)) != 0 {
		t.Errorf("%d to settle, %d to release", got, len(b.ToRelease(chains.BTC)))
	}
	b.blocks(1)
	proof, dead := b.Dead(b.batch(payout))
	if !dead || !strings.HasPrefix(proof, "t1:0 is spent by c1 in block ") {
		t.Fatalf("%v %q", dead, proof)
	}
	if err := b.try(&Releasing{Batch: payout.Batch, Proof: "because"}); !errors.Is(err, ErrTransition) {
		t.Errorf("another proof: %v", err)
	}
	b.do(&Releasing{Batch: payout.Batch, Proof: proof})
	w, _ := b.Withdrawal("w1")
	if got := slices.Collect(b.ToGiveBack(chains.BTC)); len(got) != 0 {
		t.Errorf("given back before it is released: %v", got)
	}
	b.do(&Released{Batch: payout.Batch, Reason: proof})
	if got := slices.Collect(b.ToGiveBack(chains.BTC)); !slices.Equal(got, []*Withdrawal{w}) || b.GiveBackReason(w) != proof {
		t.Errorf("to give back: %v", got)
	}
	b.do(&Returned{Withdrawal: "w1"})
	if len(slices.Collect(b.ToGiveBack(chains.BTC))) != 0 || b.WithdrawalState(w) != WithdrawalReturned {
		t.Error("given back twice")
	}
	view, _ := b.AuditView(chains.BTC)
	if len(view.Pending) != 0 || view.Fees[cancel.Batch] != chains.NewAmount(500) || !view.InFlight.IsZero() {
		t.Errorf("audit: pending %v, fees %v, in flight %s", view.Pending, view.Fees, view.InFlight)
	}
	b.replays(t)
}

// The payout wins: the cancel is dead, and nothing is given back.
func TestCancelLoses(t *testing.T) {
	b, payout, cancel := cancelBook(t)
	b.signCancel(cancel)
	b.block([]Payment{changes("v1", 1, 59_700)}, spends("v1", at("t1", 0))...)
	b.blocks(2)
	if len(b.Alarms(chains.BTC)) > 0 || b.batch(payout).Mined == nil || len(b.ToSettle(chains.BTC)) != 1 {
		t.Fatalf("payout %+v, alarms %v", b.batch(payout), b.Alarms(chains.BTC))
	}
	if dead := b.ToRelease(chains.BTC); len(dead) != 1 || dead[0].ID != cancel.Batch {
		t.Errorf("to release: %v", dead)
	}
	for range 3 {
		b.back()
	}
	b.block([]Payment{changes("c1", 0, 119_500)}, spends("c1", at("t1", 0), at("t2", 0))...)
	if b.batch(payout).Mined != nil || b.batch(cancel).Mined == nil {
		t.Error("the reorganisation did not turn it round")
	}
	b.replays(t)
}

// A payout is settled, a reorganisation deeper than that takes it out of the chain,
// and its cancel is mined: whoever was to be paid was not. People must know.
func TestCancelAfterSettlement(t *testing.T) {
	b, payout, cancel := cancelBook(t)
	b.signCancel(cancel)
	b.block([]Payment{changes("v1", 1, 59_700)}, spends("v1", at("t1", 0))...)
	b.blocks(1)
	b.do(&Settling{Batch: payout.Batch, TxID: "v1", Cost: "0.00000300"})
	b.do(&Settled{Batch: payout.Batch, TxID: "v1", Cost: "0.00000300"})
	b.back()
	b.back()
	b.block([]Payment{changes("c1", 0, 119_500)}, spends("c1", at("t1", 0), at("t2", 0))...)
	b.blocks(2)
	if got := b.Alarms(chains.BTC); len(got) != 1 || len(b.ToRelease(chains.BTC)) != 0 {
		t.Errorf("alarms %v, %d to release", got, len(b.ToRelease(chains.BTC)))
	}
}

// A cancel that is adopted from rows, in whatever order they come, ends the same.
func TestAdoptedCancel(t *testing.T) {
	for _, cancelFirst := range []bool{false, true} {
		b := newBook(t)
		b.credit("t1", "alice", 100_000)
		b.credit("t2", "alice", 20_000)
		b.blocks(1)
		b.queue("w1", 40_000)
		payout := assignedAs(planFor([]string{"w1"}, at("t1", 0)))
		cancel := assignedAs(ownPlan(BatchCancel, at("t1", 0), at("t2", 0)))
		rows := []*Assigned{payout, cancel}
		if cancelFirst {
			slices.Reverse(rows)
		}
		for _, row := range rows {
			b.do(row)
		}
		b.block([]Payment{changes("c1", 0, 119_500)}, spends("c1", at("t1", 0), at("t2", 0))...)
		b.blocks(2)
		p, _ := b.Batch(payout.Batch)
		c, _ := b.Batch(cancel.Batch)
		if c.Mined == nil || p.Mined != nil || b.CancelOf(p) != c || len(b.Alarms(chains.BTC)) > 0 {
			t.Errorf("cancel first %v: %+v, %v", cancelFirst, p, b.Alarms(chains.BTC))
		}
		if dead := b.ToRelease(chains.BTC); len(dead) != 1 || dead[0] != p {
			t.Errorf("cancel first %v: to release %v", cancelFirst, dead)
		}
	}
}

// What a cancel may not be.
func TestCancelTransitions(t *testing.T) {
	signedBy := func(p *Planned, author, reason string) *Planned {
		p.Author, p.Reason = author, reason
		return p
	}
	for name, plan := range map[string]func(*book) *Planned{
		"nobody's":            func(*book) *Planned { return ownPlan(BatchCancel, at("t1", 0), at("t2", 0)) },
		"without a reason":    func(*book) *Planned { return signedBy(ownPlan(BatchCancel, at("t1", 0), at("t2", 0)), "olga", "") },
		"of the same inputs":  func(*book) *Planned { return signedBy(ownPlan(BatchCancel, at("t1", 0)), "olga", "x") },
		"of nothing":          func(*book) *Planned { return signedBy(ownPlan(BatchCancel, at("t2", 0)), "olga", "x") },
		"of what is not ours": func(*book) *Planned { return signedBy(ownPlan(BatchCancel, at("t1", 0), at("x", 0)), "olga", "x") },
		"of another kind":     func(*book) *Planned { return signedBy(ownPlan(BatchChild, at("t1", 0), at("t2", 0)), "olga", "x") },
		"after the block": func(b *book) *Planned {
			b.block(nil, spends("v1", at("t1", 0))...)
			return signedBy(ownPlan(BatchCancel, at("t1", 0), at("t2", 0)), "olga", "x")
		},
		"twice": func(b *book) *Planned {
			b.do(signedBy(ownPlan(BatchCancel, at("t1", 0), at("t2", 0)), "olga", "x"))
			return signedBy(ownPlan(BatchCancel, at("t1", 0), at("t3", 0)), "olga", "x")
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook(t)
			b.credit("t1", "alice", 100_000)
			b.credit("t2", "alice", 20_000)
			b.credit("t3", "alice", 20_000)
			b.blocks(1)
			b.sent("w1", 40_000, "v1", 59_700, at("t1", 0))
			event := plan(b)
			if err := b.try(event); !errors.Is(err, ErrTransition) {
				t.Errorf("%v", err)
			}
		})
	}
}

// A planned cancel that the sidechain will never have leaves the batch as it was.
func TestDroppedCancel(t *testing.T) {
	b, payout, cancel := cancelBook(t)
	if len(b.ToLift(chains.BTC)) != 0 {
		t.Error("lifted while a cancel is planned")
	}
	b.do(&Dropped{Batch: cancel.Batch, Reason: "the sidechain says otherwise"})
	if lift := b.ToLift(chains.BTC); len(lift) != 1 || lift[0].ID != payout.Batch {
		t.Errorf("to lift: %v", lift)
	}
	b.block(nil, spends("v1", at("t1", 0))...)
	if b.batch(payout).Mined == nil {
		t.Error("its inputs are forgotten")
	}
}

// The proof that the last of a long chain is dead fits into what the sidechain
// takes and ends with what the signer looks for, however long the chain is.
func TestProofOfALongChain(t *testing.T) {
	b, payout, cancel := cancelBook(t)
	b.do(&Dropped{Batch: cancel.Batch, Reason: "later"})
	name := func(i int) string { return fmt.Sprintf("%064d", i) }
	plan, in := payout, at("v1", 1)
	for i := range MaxUnconfirmedChain - 1 {
		plan = ownPlan(BatchChild, in)
		b.do(plan)
		b.do(assignedAs(plan))
		b.do(signedAs(plan, name(i), 50_000))
		b.do(&Broadcast{Batch: plan.Batch, TxID: name(i), Verdict: chains.Accepted})
		in = at(name(i), 1)
	}
	b.do(cancel)
	b.signCancel(cancel)
	b.block([]Payment{changes("c1", 0, 119_500)}, spends("c1", at("t1", 0), at("t2", 0))...)
	b.blocks(2)
	proof, dead := b.Dead(b.batch(plan))
	if c, _ := b.Chain(chains.BTC); !dead || len(proof) > 500 || !strings.HasSuffix(proof, " will not be made: t1:0 is spent by c1 in block "+fmt.Sprintf("%d %s", c.height()-2, c.tail[len(c.tail)-3].Hash)) {
		t.Errorf("%v, %d bytes: %s", dead, len(proof), proof)
	}
	if got := len(b.ToRelease(chains.BTC)); got != MaxUnconfirmedChain {
		t.Errorf("%d to release", got)
	}
	b.replays(t)
}

// A reorganisation puts the proof of a death into another block: the release goes
// on with the new proof.
func TestProofMoves(t *testing.T) {
	b, payout, cancel := cancelBook(t)
	b.signCancel(cancel)
	mine := func() {
		b.block([]Payment{changes("c1", 0, 119_500)}, spends("c1", at("t1", 0), at("t2", 0))...)
		b.blocks(2)
	}
	mine()
	before, _ := b.Dead(b.batch(payout))
	b.do(&Releasing{Batch: payout.Batch, Proof: before})
	if err := b.try(&Releasing{Batch: payout.Batch, Proof: before}); !errors.Is(err, ErrTransition) {
		t.Errorf("the same twice: %v", err)
	}
	for range 3 {
		b.back()
	}
	b.named("other", nil)
	mine()
	after, dead := b.Dead(b.batch(payout))
	if !dead || after == before || len(b.ToSubmitReleases(chains.BTC)) != 0 || len(b.ToRelease(chains.BTC)) != 1 {
		t.Fatalf("%v %q: %d to submit, %d to release", dead, after, len(b.ToSubmitReleases(chains.BTC)), len(b.ToRelease(chains.BTC)))
	}
	b.do(&Releasing{Batch: payout.Batch, Proof: after})
	if len(b.ToSubmitReleases(chains.BTC)) != 1 || len(b.ToRelease(chains.BTC)) != 0 {
		t.Error("it is not released with the new proof")
	}
	b.replays(t)
}

// A batch whose change was promised to a child that died gets no further variant
// all the same: the signer would refuse it, and payouts stand still for that.
func TestDeadChildFreezesItsParent(t *testing.T) {
	b := newBook(t)
	for _, txid := range []string{"t1", "t2", "t3"} {
		b.credit(txid, "alice", 100_000)
	}
	b.blocks(1)
	stays := b.sent("w1", 40_000, "v1", 59_700, at("t1", 0))
	dies := b.sent("w2", 40_000, "v2", 59_700, at("t2", 0))
	child := ownPlan(BatchConsolidate, at("v1", 1), at("v2", 1))
	b.do(child)
	b.do(assignedAs(child))
	b.do(signedAs(child, "k1", 119_000))
	cancel := ownPlan(BatchCancel, at("t2", 0), at("t3", 0))
	cancel.Author, cancel.Reason = "olga", "wrong address"
	b.do(cancel)
	b.do(assignedAs(cancel))
	b.block([]Payment{changes("c1", 0, 199_500)}, spends("c1", at("t2", 0), at("t3", 0))...)
	b.blocks(2)
	proof, dead := b.Dead(b.batch(child))
	if _, also := b.Dead(b.batch(dies)); !dead || !also {
		t.Fatal("not dead")
	}
	b.do(&Releasing{Batch: child.Batch, Proof: proof})
	b.do(&Released{Batch: child.Batch, Reason: proof})
	if lift := b.ToLift(chains.BTC); slices.Contains(lift, b.batch(stays)) {
		t.Error("it would be bumped")
	}
	b.replays(t)
}

// What a cancel makes is marked until a block holds it: a payout that rests on it
// would die with it, and its withdrawal be given back.
func TestChangeOfACancelIsContested(t *testing.T) {
	b, payout, cancel := cancelBook(t)
	b.signCancel(cancel)
	contested := func() (list []bool) {
		for _, coin := range b.Spendable(chains.BTC) {
			list = append(list, coin.Contested)
		}
		return list
	}
	if got := contested(); !slices.Equal(got, []bool{true}) {
		t.Errorf("while %s may win: %v", payout.Batch, got)
	}
	b.block([]Payment{changes("c1", 0, 119_500)}, spends("c1", at("t1", 0), at("t2", 0))...)
	if got := contested(); !slices.Equal(got, []bool{false}) {
		t.Errorf("in a block: %v", got)
	}
}
