package pegs

import (
	"slices"
	"testing"

	"causeway/chains"
)

// A variant that the ledger learns of only when another one is in the chain: what
// spends its change is dead, once that one is final.
func TestForgottenVariantAfterTheChain(t *testing.T) {
	b := newBook(t)
	b.credit("t1", "alice", 100_000)
	b.blocks(1)
	plan := b.sent("w1", 40_000, "v1", 59_700, at("t1", 0))
	child := ownPlan(BatchChild, at("v2", 1))
	b.do(assignedAs(child))
	b.block([]Payment{changes("v1", 1, 59_700)}, spends("v1", at("t1", 0))...)
	b.blocks(5)
	if proof, dead := b.Dead(b.batch(child)); dead {
		t.Fatalf("dead before anything is known of v2: %s", proof)
	}
	b.do(variantOf(plan, "v2", 600, 59_400))
	if _, dead := b.Dead(b.batch(child)); !dead || b.batch(plan).Mined == nil || len(b.ToBroadcast(chains.BTC)) != 0 {
		t.Errorf("dead %v, to broadcast %v", dead, b.ToBroadcast(chains.BTC))
	}
	b.replays(t)
}

// Of two variants the one goes first whose change is promised, as long as the child
// lives.
func TestVariantWithAChildGoesFirst(t *testing.T) {
	b := newBook(t)
	b.credit("t1", "alice", 100_000)
	b.blocks(1)
	plan := b.sent("w1", 40_000, "v1", 59_700, at("t1", 0))
	b.do(variantOf(plan, "v2", 600, 59_400))
	first := func() (list []string) {
		for _, v := range b.Sendable(b.batch(plan)) {
			list = append(list, v.TxID)
		}
		return list
	}
	if got := first(); !slices.Equal(got, []string{"v2", "v1"}) {
		t.Errorf("without a child: %v", got)
	}
	child := ownPlan(BatchChild, at("v1", 1))
	b.do(assignedAs(child))
	if got := first(); !slices.Equal(got, []string{"v1", "v2"}) {
		t.Errorf("with a child of the first: %v", got)
	}
	b.do(&Released{Batch: child.Batch, Reason: "dead"})
	if got := first(); !slices.Equal(got, []string{"v2", "v1"}) {
		t.Errorf("when it is dead: %v", got)
	}
	b.replays(t)
}
