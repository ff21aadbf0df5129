package pegs

import (
	"fmt"
	"slices"
	"testing"

	"causeway/chains"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestReorgOfDeposits(t *testing.T) {
	b := newBook(t)
	b.blocks(3)
	b.block([]Payment{pays("t1", 0, "alice", 50_000)})
	b.back()
	d := b.deposit("t1", 0)
	if d.State() != DepositGone {
		t.Errorf("out of the chain: %s", d.State())
	}
	b.block(nil)
	b.block([]Payment{pays("t1", 0, "alice", 50_000)})
	b.blocks(1)
	if d.State() != DepositConfirming || b.Confirmations(d) != 2 || len(b.Deposits("")) != 1 {
		t.Errorf("in another block: %s, %d deep, %d deposits", d.State(), b.Confirmations(d), len(b.Deposits("")))
	}
	b.do(&Minting{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: "alice"})
	b.back()
	b.back()
	if d.State() != DepositGone || len(slices.Collect(b.ToSubmitMints(chains.BTC))) != 0 {
		t.Errorf("gone while minting: %s", d.State())
	}
	b.do(&Credited{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: "alice", Tx: "m"})
	if d.State() != DepositShortfall || len(b.Alarms(chains.BTC)) != 1 {
		t.Errorf("credited and gone: %s, alarms %v", d.State(), b.Alarms(chains.BTC))
	}
	b.block([]Payment{pays("t1", 0, "alice", 50_000)})
	if d.State() != DepositCredited || len(b.Alarms(chains.BTC)) != 0 {
		t.Errorf("back again: %s, alarms %v", d.State(), b.Alarms(chains.BTC))
	}
}

// Scenario 31: a payment leaves the chain and its inputs pay us in another
// transaction. One of the two is credited.
func TestReplacedByAnotherPaymentToUs(t *testing.T) {
	b := newBook(t)
	b.blocks(3)
	b.block([]Payment{pays("t1", 0, "alice", 50_000)}, spends("t1", at("his", 0))...)
	b.back()
	b.block([]Payment{pays("t2", 0, "alice", 49_000)}, spends("t2", at("his", 0))...)
	b.blocks(5)
	list := b.ToMint(chains.BTC)
	if len(list) != 1 || list[0] != b.deposit("t2", 0) || b.deposit("t1", 0).State() != DepositGone {
		t.Errorf("%d to mint, the first is %s", len(list), b.deposit("t1", 0).State())
	}
}

// Scenario 43: whatever miners write as the time of their blocks, the books are the
// same, depths included.
func TestTimesOfBlocksDecideNothing(t *testing.T) {
	live := func(time func(height uint64) int64) string {
		b := newBook(t)
		for height := range uint64(12) {
			var payments []Payment
			if height%3 == 0 {
				payments = []Payment{pays(fmt.Sprint("t", height), 0, "alice", 2*coin)}
			}
			header := chains.Header{BlockRef: chains.BlockRef{Height: height, Hash: fmt.Sprint("b", height)}, Parent: b.hash, Time: time(height)}
			b.do(&Connected{Chain: chains.BTC, Match: Match{Header: header, Payments: payments}})
			b.height, b.hash = height+1, header.Hash
		}
		c, _ := b.Chain(chains.BTC)
		text := fmt.Sprintln(c.CreditDepth(), len(b.ToMint(chains.BTC)))
		for _, d := range b.Deposits("") {
			text += fmt.Sprintln(d.ID, d.State(), b.Confirmations(d), b.Needed(d))
		}
		return text
	}
	want := live(func(height uint64) int64 { return 1_700_000_000 + 600*int64(height) })
	for name, time := range map[string]func(uint64) int64{
		"all at once":       func(uint64) int64 { return 1_700_000_000 },
		"two hours ahead":   func(height uint64) int64 { return 1_700_007_200 + 600*int64(height) },
		"going back":        func(height uint64) int64 { return 1_700_000_000 - 600*int64(height) },
		"jumping by a week": func(height uint64) int64 { return 1_700_000_000 + int64(height%2)*604_800 },
	} {
		if diff := cmp.Diff(want, live(time)); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

// Whatever the chain did on the way, what it ends with decides.
func TestOnlyTheFinalChainCounts(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		type content struct {
			payments []Payment
			spends   []chains.Spend
		}
		b := openBook(t)
		var stack []content
		n := 0
		for range rapid.IntRange(1, 40).Draw(t, "steps") {
			if len(stack) > 0 && rapid.IntRange(0, 2).Draw(t, "kind") == 0 {
				b.back()
				stack = stack[:len(stack)-1]
				continue
			}
			var c content
			for range rapid.IntRange(0, 3).Draw(t, "payments") {
				// Few names, so that transactions come back in other blocks.
				txid := fmt.Sprintf("t%d", rapid.IntRange(0, 5).Draw(t, "tx"))
				if slices.ContainsFunc(stack, func(x content) bool { return has(x.payments, txid) }) || has(c.payments, txid) {
					continue
				}
				c.payments = append(c.payments, pays(txid, 0, "alice", 20_000))
			}
			if rapid.Bool().Draw(t, "spend") {
				for _, x := range append(slices.Clone(stack), c) {
					for _, p := range x.payments {
						by := "s" + p.Outpoint.TxID
						if !slices.ContainsFunc(stack, func(y content) bool { return len(y.spends) > 0 && y.spends[0].By == by }) && len(c.spends) == 0 {
							c.spends = spends(by, p.Outpoint)
						}
					}
				}
			}
			n++
			b.named(fmt.Sprintf("b%d", n), c.payments, c.spends...)
			stack = append(stack, c)
		}
		straight := openBook(t)
		chain, _ := b.Chain(chains.BTC)
		for i, c := range stack {
			straight.named(chain.tail[i].Hash, c.payments, c.spends...)
		}
		view, _ := b.AuditView(chains.BTC)
		want, _ := straight.AuditView(chains.BTC)
		if diff := cmp.Diff(want, view); diff != "" {
			t.Fatal(diff)
		}
	})
}

func has(payments []Payment, txid string) bool {
	return slices.ContainsFunc(payments, func(p Payment) bool { return p.Outpoint.TxID == txid })
}

// A deposit that was deep enough, was to be minted and then changed its block is
// as shallow as its new block is: the depth counts again.
func TestMintWaitsAgainAfterAReorg(t *testing.T) {
	b := newBook(t)
	b.blocks(3)
	b.block([]Payment{pays("t1", 0, "alice", 50_000)})
	b.blocks(1)
	d := b.deposit("t1", 0)
	b.do(&Minting{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: "alice"})
	b.back()
	b.back()
	b.block(nil)
	b.block([]Payment{pays("t1", 0, "alice", 50_000)})
	if b.Confirmations(d) != 1 || len(slices.Collect(b.ToSubmitMints(chains.BTC))) != 0 {
		t.Errorf("%d deep, %d mints to submit", b.Confirmations(d), len(slices.Collect(b.ToSubmitMints(chains.BTC))))
	}
	b.blocks(1)
	if len(slices.Collect(b.ToSubmitMints(chains.BTC))) != 1 {
		t.Error("deep again, and not submitted")
	}
}
