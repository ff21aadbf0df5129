package pegs

import (
	"errors"
	"testing"

	"causeway/chains"
)

// From the block on that holds a foreign spend nothing new is planned, signed or
// sent, before any halt is written. Who has looked at it is not told again; the
// next one is.
func TestAcknowledge(t *testing.T) {
	b := newBook(t)
	b.credit("t1", "alice", 100_000)
	b.credit("t2", "alice", 100_000)
	b.credit("t3", "alice", 100_000)
	b.blocks(1)
	b.queue("w1", 40_000)
	if len(b.ToPlan(chains.BTC)) != 1 {
		t.Fatal("not to be planned")
	}
	ack := &Acknowledged{Chain: chains.BTC, TxID: "thief", Author: "olga", Reason: "a sweep by hand"}
	if err := b.try(ack); !errors.Is(err, ErrTransition) {
		t.Errorf("acknowledged before it happened: %v", err)
	}
	b.block(nil, spends("thief", at("t1", 0), at("x", 0))...)
	if len(b.ToPlan(chains.BTC)) != 0 || b.PaysOut(chains.BTC) {
		t.Error("pays on")
	}
	b.do(ack)
	if len(b.Alarms(chains.BTC)) != 0 || len(b.ToPlan(chains.BTC)) != 1 {
		t.Errorf("still alarmed: %v", b.Alarms(chains.BTC))
	}
	if err := b.try(ack); !errors.Is(err, ErrTransition) {
		t.Errorf("twice: %v", err)
	}
	b.back()
	b.block(nil, spends("thief", at("t1", 0), at("x", 0))...)
	if len(b.Alarms(chains.BTC)) != 0 {
		t.Errorf("alarmed again in another block: %v", b.Alarms(chains.BTC))
	}
	b.block(nil, spends("again", at("t2", 0), at("x", 1))...)
	if len(b.Alarms(chains.BTC)) != 1 || b.PaysOut(chains.BTC) {
		t.Errorf("the next one: %v", b.Alarms(chains.BTC))
	}
	for name, e := range map[string]*Acknowledged{
		"nobody": {Chain: chains.BTC, TxID: "again", Reason: "x"}, "no reason": {Chain: chains.BTC, TxID: "again", Author: "x"},
		"no chain": {Chain: chains.LTC, TxID: "again", Author: "x", Reason: "x"},
	} {
		if err := b.try(e); !errors.Is(err, ErrTransition) {
			t.Errorf("%s: %v", name, err)
		}
	}
	b.replays(t)
}

// Who has looked at one thing about a transaction has not looked at the next: a
// deposit is robbed of its block, and later a payout of the same transaction.
func TestAcknowledgedFacts(t *testing.T) {
	b := newBook(t)
	b.blocks(2)
	b.credit("t1", "alice", 100_000)
	b.blocks(1)
	for range 3 {
		b.back()
	}
	first := b.Facts(chains.BTC, "t1")
	b.acknowledge("t1")
	if len(first) != 1 || len(b.Alarms(chains.BTC)) != 0 || len(b.Facts(chains.BTC, "t1")) != 0 {
		t.Fatalf("facts %v, alarms %v", first, b.Alarms(chains.BTC))
	}
	b.block([]Payment{pays("t1", 0, "alice", 100_000)})
	b.blocks(2)
	b.sent("w1", 40_000, "v1", 59_700, at("t1", 0))
	for range 3 {
		b.back()
	}
	second := b.Facts(chains.BTC, "t1")
	if len(b.Alarms(chains.BTC)) != 1 || len(second) != 1 || second[0] == first[0] || b.PaysOut(chains.BTC) {
		t.Fatalf("a payout rests on it: facts %v, alarms %v", second, b.Alarms(chains.BTC))
	}
	stale := &Acknowledged{Chain: chains.BTC, TxID: "t1", Facts: first, Author: "olga", Reason: "x"}
	if err := b.try(stale); !errors.Is(err, ErrTransition) {
		t.Errorf("what was acknowledged before: %v", err)
	}
	b.acknowledge("t1")
	if len(b.Alarms(chains.BTC)) != 0 {
		t.Errorf("alarms %v", b.Alarms(chains.BTC))
	}
	b.replays(t)
}

// A conflict stays while any input is spent otherwise, in whatever order blocks
// come and go.
func TestTwoConflicts(t *testing.T) {
	b := newBook(t)
	b.credit("t1", "alice", 100_000)
	b.credit("t2", "alice", 100_000)
	b.blocks(1)
	plan := b.sent("w1", 150_000, "v1", 49_700, at("t1", 0), at("t2", 0))
	b.block(nil, spends("thief1", at("t1", 0))...)
	b.block(nil, spends("thief2", at("t2", 0))...)
	b.back()
	if got := b.batch(plan).Conflict; got != "thief1" || len(b.ToBroadcast(chains.BTC)) != 0 {
		t.Errorf("conflict %q", got)
	}
	b.blocks(2)
	if proof, dead := b.Dead(b.batch(plan)); !dead || proof == "" {
		t.Errorf("%v %q", dead, proof)
	}
	if len(b.ToRelease(chains.BTC)) != 0 {
		t.Error("released while the theft is not acknowledged")
	}
	b.do(&Acknowledged{Chain: chains.BTC, TxID: "thief1", Author: "olga", Reason: "lost"})
	if len(b.ToRelease(chains.BTC)) != 1 {
		t.Error("not released")
	}
}

// An input of a signed payout leaves the chain with its deposit: a person decides,
// nothing is given back by itself.
func TestInputLeftTheChain(t *testing.T) {
	b := newBook(t)
	b.blocks(2)
	b.credit("t1", "alice", 100_000)
	b.blocks(1)
	plan := b.sent("w1", 40_000, "v1", 59_700, at("t1", 0))
	for range 3 {
		b.back()
	}
	alarms := b.Alarms(chains.BTC)
	if len(alarms) != 2 {
		t.Errorf("alarms %v", alarms)
	}
	b.blocks(30)
	if _, dead := b.Dead(b.batch(plan)); dead || len(b.ToRelease(chains.BTC)) != 0 {
		t.Error("taken for dead: the deposit may come back, and with it the payout")
	}
	b.block([]Payment{pays("t1", 0, "alice", 100_000)})
	if len(b.Alarms(chains.BTC)) != 0 || len(b.ToBroadcast(chains.BTC)) != 1 {
		t.Errorf("after its return: %v", b.Alarms(chains.BTC))
	}
}

// A deposit that is not minted by itself is minted by order of a person, once.
func TestClaim(t *testing.T) {
	b := newBook(t)
	b.block([]Payment{pays("small", 0, "alice", 9_999), pays("nobody", 0, "", 50_000), pays("good", 0, "bob", 50_000)})
	b.blocks(1)
	order := func(txid string) *Claimed {
		return &Claimed{Deposit: DepositID(chains.BTC, at(txid, 0)), Author: "olga", Reason: "asked for"}
	}
	for name, e := range map[string]*Claimed{
		"unknown": order("x"), "not held": order("good"), "without an account": order("nobody"),
		"nobody orders": {Deposit: order("small").Deposit, Reason: "x"}, "no reason": {Deposit: order("small").Deposit, Author: "x"},
	} {
		if err := b.try(e); !errors.Is(err, ErrTransition) {
			t.Errorf("%s: %v", name, err)
		}
	}
	d := b.deposit("small", 0)
	if d.State() != DepositBelowMinimum || len(b.ToMint(chains.BTC)) != 1 {
		t.Fatalf("it is %s", d.State())
	}
	b.do(order("small"))
	if d.State() != DepositConfirming || len(b.ToMint(chains.BTC)) != 2 {
		t.Errorf("it is %s", d.State())
	}
	if err := b.try(order("small")); !errors.Is(err, ErrTransition) {
		t.Errorf("twice: %v", err)
	}
	b.do(&Minting{Deposit: d.ID, Symbol: "SWAP.BTC", Quantity: "0.00009999", To: "alice"})
	b.do(&Credited{Deposit: d.ID, Symbol: "SWAP.BTC", Quantity: "0.00009999", To: "alice", Tx: "mint"})
	if err := b.try(order("small")); !errors.Is(err, ErrTransition) {
		t.Errorf("after the credit: %v", err)
	}
	if len(b.Alarms(chains.BTC)) != 0 || d.State() != DepositCredited {
		t.Errorf("it is %s, %v", d.State(), b.Alarms(chains.BTC))
	}
	b.replays(t)
}

// While a person has halted payouts nothing is sent; while they stand still by
// themselves, what a node has taken is sent again, and nothing else.
func TestWhatIsSentWhileHalted(t *testing.T) {
	b := newBook(t)
	b.credit("t1", "alice", 100_000)
	b.credit("t2", "alice", 100_000)
	b.blocks(1)
	plan := b.sent("w1", 40_000, "v1", 59_700, at("t1", 0))
	b.do(bumpOf(plan, 600))
	b.do(variantOf(plan, "v2", 600, 59_400))
	b.queue("w2", 40_000)
	other := planFor([]string{"w2"}, at("t2", 0))
	b.do(other)
	b.do(assignedAs(other))
	b.do(signedAs(other, "o1", 59_700))
	sent := func() (list []string) {
		for _, batch := range b.ToBroadcast(chains.BTC) {
			for _, v := range b.Sendable(batch) {
				list = append(list, v.TxID)
			}
		}
		return list
	}
	if got := sent(); len(got) != 3 {
		t.Errorf("open: %v", got)
	}
	b.do(&Halted{Chain: chains.BTC, Scopes: []Scope{ScopePayouts}, Cause: "audit", Reason: "x", Author: GatewayAuthor})
	if got := sent(); len(got) != 1 || got[0] != "v1" {
		t.Errorf("halted by itself: %v", got)
	}
	b.do(&Halted{Chain: chains.BTC, Scopes: []Scope{ScopePayouts}, Cause: "operator", Reason: "x", Author: "olga"})
	if got := sent(); len(got) != 0 {
		t.Errorf("halted by a person: %v", got)
	}
}
