package pegs

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"causeway/chains"
)

// robbed has a payout of two inputs under way of which somebody else has spent
// one. People have looked at it.
func robbed(t *testing.T) (b *book, payout *Planned) {
	t.Helper()
	b = newBook(t)
	b.credit("t1", "alice", 100_000)
	b.credit("t2", "alice", 100_000)
	b.blocks(1)
	payout = b.sent("w1", 150_000, "v1", 49_700, at("t1", 0), at("t2", 0))
	b.block(nil, spends("thief", at("t1", 0))...)
	b.acknowledge("thief")
	return b, payout
}

// acknowledge has a person look at all there is about a transaction.
func (b *book) acknowledge(txid string) {
	b.t.Helper()
	b.do(&Acknowledged{Chain: chains.BTC, TxID: txid, Facts: b.Facts(chains.BTC, txid), Author: "olga", Reason: "it is so"})
}

// release books the intent and the row by the proof that there is now.
func (b *book) release(p *Planned) (proof string) {
	b.t.Helper()
	proof, dead := b.Dead(b.batch(p))
	if !dead {
		b.t.Fatalf("batch %s is not dead", p.Batch)
	}
	b.do(&Releasing{Batch: p.Batch, Proof: proof})
	b.do(&Released{Batch: p.Batch, Reason: proof})
	return proof
}

// free lists the outpoints that may be spent.
func (b *book) free() (list []chains.Outpoint) {
	for _, coin := range b.Spendable(chains.BTC) {
		list = append(list, coin.Outpoint)
	}
	return list
}

// What nothing has spent of a dead batch's inputs is free once its death is final
// and the batch released, never before, and not while a reorganisation lets it live.
func TestInputsOfTheDeadAreFree(t *testing.T) {
	b, payout := robbed(t)
	b.blocks(1)
	if _, dead := b.Dead(b.batch(payout)); dead || len(b.free()) != 0 {
		t.Errorf("before it is final: %v", b.free())
	}
	b.blocks(1)
	if len(b.free()) != 0 {
		t.Errorf("before it is released: %v", b.free())
	}
	proof := b.release(payout)
	b.do(&Returned{Withdrawal: "w1"})
	if got := b.free(); !slices.Equal(got, []chains.Outpoint{at("t2", 0)}) {
		t.Fatalf("free: %v", got)
	}
	b.back()
	if len(b.free()) != 0 {
		t.Errorf("after a block left the chain: %v", b.free())
	}
	b.block(nil)

	b.queue("w2", 90_000)
	next := planFor([]string{"w2"}, at("t2", 0))
	b.do(next)
	b.do(&Dropped{Batch: next.Batch, Reason: "not now"})
	if c, _ := b.Chain(chains.BTC); c.KeptFor(at("t2", 0)) != payout.Batch {
		t.Error("who was promised it before is forgotten")
	}
	b.do(next)
	b.do(assignedAs(next))
	if got := b.Deaths(b.batch(next)); len(got) != 1 || got[0] != (Death{payout.Batch, proof}) || len(b.ToSign(chains.BTC)) != 1 {
		t.Errorf("deaths %v, %d to sign", got, len(b.ToSign(chains.BTC)))
	}
	b.back()
	if len(b.Deaths(b.batch(next))) != 0 || len(b.ToSign(chains.BTC)) != 0 {
		t.Error("it would be signed while the payout may live")
	}
	b.block(nil)
	b.do(signedAs(next, "v2", 9_700))
	b.block([]Payment{changes("v2", 1, 9_700)}, spends("v2", at("t2", 0))...)
	if b.batch(next).Mined == nil || len(b.Alarms(chains.BTC)) != 0 {
		t.Errorf("%+v, alarms %v", b.batch(next), b.Alarms(chains.BTC))
	}
	b.replays(t)
}

// The batch that took an input of a dead one dies too: the third is shown both
// deaths, whichever of them the signer knows of.
func TestDeathsInARow(t *testing.T) {
	b, payout := robbed(t)
	b.credit("t3", "alice", 100_000)
	b.blocks(1)
	b.release(payout)
	second := b.sent("w2", 150_000, "v2", 49_700, at("t2", 0), at("t3", 0))
	b.block(nil, spends("thief2", at("t3", 0))...)
	b.acknowledge("thief2")
	b.blocks(2)
	b.release(second)
	b.queue("w3", 50_000)
	third := planFor([]string{"w3"}, at("t2", 0))
	b.do(third)
	b.do(assignedAs(third))
	var names []string
	for _, d := range b.Deaths(b.batch(third)) {
		names = append(names, d.Batch)
		if !strings.Contains(d.Proof, " is spent by thief") {
			t.Errorf("proof %q", d.Proof)
		}
	}
	if !slices.Equal(names, []string{second.Batch, payout.Batch}) {
		t.Errorf("deaths of %v", names)
	}
	b.replays(t)
}

// The coin that told a cancel from its payout is free when the payout has won; a
// cancel that may still be mined keeps what it takes.
func TestCoinOfALostCancelIsFree(t *testing.T) {
	b, payout, cancel := cancelBook(t)
	b.signCancel(cancel)
	b.block([]Payment{changes("v1", 1, 59_700)}, spends("v1", at("t1", 0))...)
	b.blocks(2)
	if got := b.free(); !slices.Equal(got, []chains.Outpoint{at("v1", 1)}) || b.batch(payout).Mined == nil {
		t.Errorf("before the cancel is released: %v", got)
	}
	b.release(cancel)
	if got := b.free(); !slices.Equal(got, []chains.Outpoint{at("t2", 0), at("v1", 1)}) {
		t.Errorf("free: %v", got)
	}
	if err := b.try(ownPlan(BatchConsolidate, at("t1", 0), at("t2", 0))); !errors.Is(err, ErrTransition) {
		t.Errorf("what is spent: %v", err)
	}
	b.do(ownPlan(BatchConsolidate, at("t2", 0), at("v1", 1)))
	b.replays(t)
}

// reorganised has a payout under way whose deposit has left the chain with its
// block, and is nowhere.
func reorganised(t *testing.T) (b *book, payout *Planned) {
	t.Helper()
	b = newBook(t)
	b.blocks(2)
	b.credit("t1", "alice", 100_000)
	b.blocks(1)
	payout = b.sent("w1", 40_000, "v1", 59_700, at("t1", 0))
	for range 3 {
		b.back()
	}
	return b, payout
}

// end is the record that the deposit t1 was double-spent in the newest block.
func (b *book) end(txid string) *Perished {
	c, _ := b.Chain(chains.BTC)
	tip, _ := c.Tip()
	return &Perished{Chain: chains.BTC, TxID: txid, Needs: at("coin", 7), By: "double", Block: tip, Raw: [][]byte{{1}}}
}

// A payout whose deposit was double-spent away is dead when the other spend is
// final, and what spends its change with it; not before, and not when a
// reorganisation brings the deposit back.
func TestDepositPerished(t *testing.T) {
	b, payout := reorganised(t)
	missing := b.Missing(chains.BTC)
	if len(missing) != 1 || missing[0].TxID != "t1" || missing[0].Left == nil || missing[0].Left.Height != 2 {
		t.Fatalf("missing %+v", missing)
	}
	b.named("other.2", nil)
	for name, e := range map[string]*Perished{
		"of ours": b.end("v1"), "by itself": b.end("double"), "no transaction": {Chain: chains.BTC, TxID: "t1", Block: b.end("").Block, By: "x"},
		"in no block": {Chain: chains.BTC, TxID: "t1", By: "x", Raw: [][]byte{{1}}, Block: chains.BlockRef{Height: 2, Hash: "gone"}},
		"no chain":    {Chain: "xyz", TxID: "t1", By: "x", Raw: [][]byte{{1}}},
	} {
		if err := b.try(e); !errors.Is(err, ErrTransition) {
			t.Errorf("%s: %v", name, err)
		}
	}
	event := b.end("t1")
	b.do(event)
	if len(b.Missing(chains.BTC)) != 0 || len(b.Alarms(chains.BTC)) != 2 {
		t.Errorf("missing %v, alarms %v", b.Missing(chains.BTC), b.Alarms(chains.BTC))
	}
	b.blocks(2)
	proof, dead := b.Dead(b.batch(payout))
	if want := "t1:0 will not be made: coin:7 is spent by double in block 2 other.2"; !dead || proof != want {
		t.Fatalf("%v %q", dead, proof)
	}
	// The deposit stays an alarm, of which people know; then the release goes on.
	if got := b.Alarms(chains.BTC); len(got) != 1 || len(b.ToRelease(chains.BTC)) != 0 {
		t.Errorf("alarms %v, %d to release", got, len(b.ToRelease(chains.BTC)))
	}
	b.acknowledge("t1")
	if raws := b.PerishedBefore(b.batch(payout)); len(raws) != 1 || len(b.ToRelease(chains.BTC)) != 1 {
		t.Errorf("%d transactions, %d to release", len(raws), len(b.ToRelease(chains.BTC)))
	}
	b.replays(t)

	for range 3 {
		b.back()
	}
	b.blocks(3)
	if _, dead := b.Dead(b.batch(payout)); dead || len(b.Missing(chains.BTC)) != 1 {
		t.Error("the block that spent it elsewhere has left the chain")
	}
	b.block([]Payment{pays("t1", 0, "alice", 100_000)})
	b.do(b.end("t1"))
	b.blocks(2)
	if _, dead := b.Dead(b.batch(payout)); dead || len(b.Missing(chains.BTC)) != 0 {
		t.Error("its deposit is in the chain")
	}
	b.replays(t)
}

// What spends the change of a payout whose deposit perished dies with it.
func TestChildOfThePerished(t *testing.T) {
	b, payout := reorganised(t)
	child := ownPlan(BatchChild, at("v1", 1))
	b.do(assignedAs(child))
	b.named("other.2", nil)
	b.do(b.end("t1"))
	b.blocks(2)
	proof, dead := b.Dead(b.batch(child))
	if want := "v1:1 will not be made: coin:7 is spent by double in block 2 other.2"; !dead || proof != want {
		t.Errorf("%v %q", dead, proof)
	}
	if raws := b.PerishedBefore(b.batch(child)); len(raws) != 1 {
		t.Errorf("%d transactions", len(raws))
	}
	if _, dead := b.Dead(b.batch(payout)); !dead {
		t.Error("the payout lives")
	}
}
