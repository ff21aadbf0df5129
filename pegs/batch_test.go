package pegs

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"testing"

	"causeway/chains"

	"github.com/google/go-cmp/cmp"
)

// states gives the outboxes that a chain's batches are in.
func (b *book) outboxes() (list []string) {
	for name, batches := range map[string][]*Batch{
		"assign": b.ToAssign(chains.BTC), "replan": b.ToReplan(chains.BTC), "sign": b.ToSign(chains.BTC),
		"broadcast": b.ToBroadcast(chains.BTC), "settle": b.ToSettle(chains.BTC), "submit settle": b.ToSubmitSettles(chains.BTC),
	} {
		for range batches {
			list = append(list, name)
		}
	}
	slices.Sort(list)
	return list
}

// A withdrawal goes through its states, each outbox holding it exactly once and
// none before the act that it waits for is durable.
func TestPayoutLifeCycle(t *testing.T) {
	b := newBook(t)
	b.credit("t1", "alice", 100_000)
	b.blocks(1)
	w := b.queue("w1", 40_000)
	plan := planFor([]string{"w1"}, at("t1", 0))
	steps := []struct {
		do     func()
		state  WithdrawalState
		outbox []string
	}{
		{func() {}, WithdrawalQueued, nil},
		{func() { b.do(plan) }, WithdrawalPlanned, []string{"assign"}},
		{func() { b.do(assignedAs(plan)) }, WithdrawalPlanned, []string{"sign"}},
		{func() { b.do(signedAs(plan, "p1", 59_700)) }, WithdrawalSigned, []string{"broadcast"}},
		{func() { b.do(&Broadcast{Batch: plan.Batch, TxID: "p1", Verdict: chains.Accepted}) }, WithdrawalBroadcast, []string{"broadcast"}},
		{func() { b.block([]Payment{changes("p1", 1, 59_700)}, spends("p1", at("t1", 0))...) }, WithdrawalBroadcast, nil},
		{func() { b.back() }, WithdrawalBroadcast, []string{"broadcast"}},
		{func() { b.block([]Payment{changes("p1", 1, 59_700)}, spends("p1", at("t1", 0))...) }, WithdrawalBroadcast, nil},
		{func() { b.blocks(1) }, WithdrawalConfirmed, []string{"settle"}},
		{func() { b.do(&Settling{Batch: plan.Batch, TxID: "p1", Cost: "0.00000300"}) }, WithdrawalConfirmed, []string{"submit settle"}},
		{func() { b.do(&Settled{Batch: plan.Batch, TxID: "p1", Cost: "0.00000300"}) }, WithdrawalSettled, nil},
		{func() { b.back(); b.back() }, WithdrawalSettled, []string{"broadcast"}},
	}
	for i, step := range steps {
		step.do()
		if got := b.WithdrawalState(w); got != step.state {
			t.Errorf("step %d: %s, want %s", i, got, step.state)
		}
		if diff := cmp.Diff(step.outbox, b.outboxes()); diff != "" {
			t.Errorf("step %d: outboxes %s", i, diff)
		}
	}
	if fee, err := b.MinedFee(b.Batches()[0]); err == nil {
		t.Errorf("the fee of what is not in the chain is %s", fee)
	}
}

// A payout is known by what it spends, whatever its txid became on the way.
func TestPayoutUnderAnotherTxid(t *testing.T) {
	b := newBook(t)
	b.credit("t1", "alice", 100_000)
	b.blocks(1)
	b.queue("w1", 40_000)
	plan := planFor([]string{"w1"}, at("t1", 0))
	b.do(plan)
	b.do(assignedAs(plan))
	b.do(signedAs(plan, "p1", 59_700))
	b.block([]Payment{changes("malleated", 1, 59_700)}, spends("malleated", at("t1", 0))...)
	batch := b.Batches()[0]
	fee, err := b.MinedFee(batch)
	if batch.Mined == nil || err != nil || fee != chains.NewAmount(300) || len(b.Alarms(chains.BTC)) != 0 {
		t.Errorf("mined %v, fee %s, %v, alarms %v", batch.Mined, fee, err, b.Alarms(chains.BTC))
	}
}

func TestInputsSpentOtherwise(t *testing.T) {
	b := newBook(t)
	b.credit("t1", "alice", 100_000)
	b.credit("t2", "alice", 100_000)
	b.blocks(1)
	b.queue("w1", 150_000)
	plan := planFor([]string{"w1"}, at("t1", 0), at("t2", 0))
	b.do(plan)
	b.do(assignedAs(plan))
	b.do(signedAs(plan, "p1", 49_700))
	b.block(nil, spends("thief", at("t1", 0))...)
	if got := b.Alarms(chains.BTC); len(got) != 2 || len(b.ToBroadcast(chains.BTC)) != 0 {
		t.Errorf("alarms %v, %d to broadcast", got, len(b.ToBroadcast(chains.BTC)))
	}
	b.back()
	if got := b.Alarms(chains.BTC); len(got) != 0 || len(b.ToBroadcast(chains.BTC)) != 1 {
		t.Errorf("after the reorganisation: alarms %v, %d to broadcast", got, len(b.ToBroadcast(chains.BTC)))
	}
}

// What may be spent: credited deposits and gifts once deep, own change at once.
func TestSpendable(t *testing.T) {
	b := newBook(t)
	b.block([]Payment{pays("uncredited", 0, "alice", 100_000), changes("gift", 0, 7_000)})
	b.credit("deep", "alice", 100_000)
	b.blocks(1)
	b.credit("fresh", "alice", 100_000)
	list := func() (names []string) {
		for _, c := range b.Spendable(chains.BTC) {
			names = append(names, fmt.Sprintf("%s@%d/%d", c.Outpoint.TxID, c.Depth, c.Ancestors))
		}
		return names
	}
	if diff := cmp.Diff([]string{"deep@5/0", "gift@6/0"}, list()); diff != "" {
		t.Error(diff)
	}
	b.queue("w1", 40_000)
	plan := planFor([]string{"w1"}, at("deep", 0))
	b.do(plan)
	b.do(assignedAs(plan))
	b.do(signedAs(plan, "p1", 59_700))
	if diff := cmp.Diff([]string{"gift@6/0"}, list()); diff != "" {
		t.Errorf("change of what no node has: %s", diff)
	}
	b.do(&Broadcast{Batch: plan.Batch, TxID: "p1", Verdict: chains.Accepted})
	if diff := cmp.Diff([]string{"gift@6/0", "p1@0/1"}, list()); diff != "" {
		t.Error(diff)
	}
	b.queue("w2", 20_000)
	child := planFor([]string{"w2"}, at("p1", 1))
	b.do(child)
	b.do(assignedAs(child))
	b.do(signedAs(child, "p2", 39_400))
	b.do(&Broadcast{Batch: child.Batch, TxID: "p2", Verdict: chains.Accepted})
	if diff := cmp.Diff([]string{"gift@6/0", "p2@0/2"}, list()); diff != "" {
		t.Error(diff)
	}
	b.block([]Payment{changes("p1", 1, 59_700)}, spends("p1", at("deep", 0))...)
	if diff := cmp.Diff([]string{"fresh@3/0", "gift@7/0", "p2@0/1"}, list()); diff != "" {
		t.Error(diff)
	}
	b.block([]Payment{changes("p2", 1, 39_400)}, spends("p2", at("p1", 1))...)
	if diff := cmp.Diff([]string{"fresh@4/0", "gift@8/0", "p2@1/0"}, list()); diff != "" {
		t.Error(diff)
	}
}

func TestChainsOfOurOwnAreBounded(t *testing.T) {
	b := newBook(t)
	b.credit("t", "alice", 10_000_000)
	b.blocks(1)
	last := at("t", 0)
	n := 0
	for ; n < 30; n++ {
		if !slices.ContainsFunc(b.Spendable(chains.BTC), func(c Coin) bool { return c.Outpoint == last }) {
			break
		}
		id := fmt.Sprintf("w%d", n)
		b.queue(id, 10_000)
		plan := planFor([]string{id}, last)
		b.do(plan)
		b.do(assignedAs(plan))
		b.do(signedAs(plan, fmt.Sprintf("p%d", n), 10_000_000))
		b.do(&Broadcast{Batch: plan.Batch, TxID: fmt.Sprintf("p%d", n), Verdict: chains.Accepted})
		last = at(fmt.Sprintf("p%d", n), 1)
	}
	if n != MaxUnconfirmedChain {
		t.Errorf("%d transactions in a row, want %d", n, MaxUnconfirmedChain)
	}
}

// A row of the sidechain that we did not plan is taken in, in whatever order row
// and chain are seen; what we planned instead is dropped.
func TestAdoptedBatch(t *testing.T) {
	for _, chainFirst := range []bool{false, true} {
		b := newBook(t)
		b.credit("t1", "alice", 100_000)
		b.credit("t2", "alice", 100_000)
		b.blocks(1)
		w := b.queue("w1", 40_000)
		other := planFor([]string{"w1"}, at("t2", 0))
		b.do(other)
		row := &Assigned{Batch: "theirs", Chain: chains.BTC, BatchKind: BatchPayout, Withdrawals: []string{"w1"}, Inputs: []chains.Outpoint{at("t1", 0)}}
		mine := func() { b.block([]Payment{changes("x", 1, 59_000)}, spends("x", at("t1", 0))...) }
		if chainFirst {
			mine()
		}
		if err := b.try(row); !errors.Is(err, ErrTransition) {
			t.Errorf("adopted over a plan: %v", err)
		}
		b.do(&Dropped{Batch: other.Batch, Reason: "the sidechain says otherwise"})
		b.do(row)
		if !chainFirst {
			if diff := cmp.Diff([]string{"replan"}, b.outboxes()); diff != "" {
				t.Error(diff)
			}
			mine()
		}
		batch := b.Batches()[0]
		fee, err := b.MinedFee(batch)
		if batch.Mined == nil || err != nil || fee != chains.NewAmount(1_000) || b.WithdrawalState(w) != WithdrawalBroadcast || len(b.Alarms(chains.BTC)) != 0 {
			t.Errorf("mined %v, fee %s, %v, %s, alarms %v", batch.Mined, fee, err, b.WithdrawalState(w), b.Alarms(chains.BTC))
		}
	}
}

// The change of a batch that is known from its row and the chain alone was spent
// by a signed one, and then both left the chain: the first is ours, and will be
// sent again. Nothing is lost, and there is nothing to halt for.
func TestChangeOfAnAdoptedBatchLeavesTheChain(t *testing.T) {
	b := newBook(t)
	b.credit("t1", "alice", 100_000)
	b.blocks(1)
	b.queue("w1", 40_000)
	b.do(&Assigned{Batch: "theirs", Chain: chains.BTC, BatchKind: BatchPayout, Withdrawals: []string{"w1"}, Inputs: []chains.Outpoint{at("t1", 0)}})
	b.block([]Payment{changes("x", 1, 59_000)}, spends("x", at("t1", 0))...)
	b.queue("w2", 20_000)
	child := planFor([]string{"w2"}, at("x", 1))
	b.do(child)
	b.do(assignedAs(child))
	b.do(signedAs(child, "y", 38_000))
	b.back()
	if alarms := b.Alarms(chains.BTC); len(alarms) != 0 {
		t.Errorf("alarms %v", alarms)
	}
	if !slices.Contains(b.outboxes(), "replan") {
		t.Errorf("the first is not sent again: %v", b.outboxes())
	}
}

// A dearer variant was planned when the first was mined; its change was then
// promised to a child, and both left the chain. The signer would refuse the
// variant for ever: it is not asked for.
func TestNoVariantBesideAChildAfterAReorg(t *testing.T) {
	b := newBook(t)
	b.credit("t1", "alice", 100_000)
	b.blocks(1)
	b.queue("w1", 40_000)
	parent := planFor([]string{"w1"}, at("t1", 0))
	b.do(parent)
	b.do(assignedAs(parent))
	b.do(signedAs(parent, "x", 59_000))
	b.do(&Bumped{Batch: parent.Batch, Fee: chains.NewAmount(2_000), Plan: json.RawMessage(`{}`)})
	if len(b.ToSign(chains.BTC)) != 1 {
		t.Fatal("the variant is not to be signed")
	}
	b.block([]Payment{changes("x", 1, 59_000)}, spends("x", at("t1", 0))...)
	b.queue("w2", 20_000)
	child := planFor([]string{"w2"}, at("x", 1))
	b.do(child)
	b.do(assignedAs(child))
	b.back()
	if list := b.ToSign(chains.BTC); len(list) != 1 || list[0].ID != child.Batch {
		t.Errorf("%d batches to sign", len(list))
	}
}

func TestHalts(t *testing.T) {
	b := newBook(t)
	b.credit("t1", "alice", 100_000)
	b.block([]Payment{pays("t2", 0, "bob", 50_000)})
	b.blocks(1)
	b.queue("w1", 40_000)
	if len(b.ToPlan(chains.BTC)) != 1 || len(b.ToMint(chains.BTC)) != 1 {
		t.Fatal("nothing to halt")
	}
	b.do(&Halted{Chain: chains.BTC, Scopes: []Scope{ScopePayouts}, Cause: "a", Reason: "look", Author: "me"})
	b.do(&Halted{Chain: chains.BTC, Scopes: Scopes(), Cause: "b", Reason: "again", Author: "you"})
	c, _ := b.Chain(chains.BTC)
	if len(b.ToPlan(chains.BTC)) != 0 || len(b.ToMint(chains.BTC)) != 0 || c.HaltReason() != "a: look; b: again" {
		t.Error("not halted")
	}
	b.do(&Resumed{Chain: chains.BTC, Cause: "b", Reason: "fine", Author: "you"})
	if len(b.ToPlan(chains.BTC)) != 0 || len(b.ToMint(chains.BTC)) != 1 {
		t.Error("one cause of two was taken away")
	}
	b.do(&Resumed{Chain: chains.BTC, Cause: "a", Reason: "fine", Author: "me"})
	if len(b.ToPlan(chains.BTC)) != 1 {
		t.Error("still halted")
	}
}

// The past of an account that came later is searched, and blocks that have left
// the chain since do not count.
func TestBackscan(t *testing.T) {
	b := newBook(t)
	b.blocks(3)
	b.do(&Watching{Chain: chains.BTC, Accounts: []string{"late"}})
	c, _ := b.Chain(chains.BTC)
	if live, complete := c.Watched("late"); !live || complete || len(c.Incomplete()) != 1 {
		t.Error("not waiting for a search")
	}
	found := func(height uint64, hash, txid string) Match {
		return Match{Header: chains.Header{BlockRef: chains.BlockRef{Height: height, Hash: hash}}, Payments: []Payment{pays(txid, 0, "late", 20_000)}}
	}
	b.do(&Backscanned{Chain: chains.BTC, Accounts: []string{"late"}, Matched: []Match{
		found(1, c.tail[1].Hash, "here"), found(2, "elsewhere", "orphan"),
	}})
	if d := b.deposit("here", 0); b.Confirmations(d) != 2 || len(b.Deposits("late")) != 1 || len(c.Incomplete()) != 0 {
		t.Errorf("found %v, %d deep", b.Deposits("late"), b.Confirmations(d))
	}
	b.back()
	b.back()
	if d := b.deposit("here", 0); d.State() != DepositGone {
		t.Errorf("its block left the chain: %s", d.State())
	}
}
