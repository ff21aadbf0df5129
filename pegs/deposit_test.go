package pegs

import (
	"errors"
	"slices"
	"testing"

	"causeway/chains"

	"github.com/google/go-cmp/cmp"
)

func TestDepositIsCreditedOnce(t *testing.T) {
	b := newBook(t)
	b.block([]Payment{pays("t1", 0, "alice", 50_000)})
	d := b.deposit("t1", 0)
	if d.State() != DepositConfirming || b.Confirmations(d) != 1 || b.Needed(d) != 2 || len(b.ToMint(chains.BTC)) != 0 {
		t.Errorf("after a block: %s, %d of %d", d.State(), b.Confirmations(d), b.Needed(d))
	}
	intent := &Minting{Deposit: d.ID, Symbol: "SWAP.BTC", Quantity: "0.00050000", To: "alice"}
	if err := b.try(intent); !errors.Is(err, ErrTransition) {
		t.Errorf("a mint too early: %v", err)
	}
	b.blocks(1)
	if got := b.ToMint(chains.BTC); len(got) != 1 || got[0] != d {
		t.Errorf("to mint: %v", got)
	}
	b.do(intent)
	if len(b.ToMint(chains.BTC)) != 0 || len(slices.Collect(b.ToSubmitMints(chains.BTC))) != 1 {
		t.Error("the intent is not in the outbox")
	}
	credit := &Credited{Deposit: d.ID, Symbol: "SWAP.BTC", Quantity: "0.00050000", To: "alice", Tx: "m"}
	b.do(credit)
	if d.State() != DepositCredited || len(b.OpenDeposits()) != 0 || len(slices.Collect(b.ToSubmitMints(chains.BTC))) != 0 {
		t.Errorf("after the row: %s", d.State())
	}
	for _, again := range []Event{intent, credit} {
		if err := b.try(again); !errors.Is(err, ErrTransition) {
			t.Errorf("%s again: %v", again.Kind(), err)
		}
	}
}

func TestOddPayments(t *testing.T) {
	b := newBook(t)
	var payments []Payment
	for i := range 14 {
		payments = append(payments, pays("many", uint32(i), "alice", uint64(20_000+i)))
	}
	payments = append(payments, pays("many", 14, "alice", 9_999), pays("many", 15, "bob", 10_000), pays("dust", 0, "alice", 9_999), pays("dust", 1, "alice", 9_999))
	b.block(payments)
	b.blocks(1)
	count := map[DepositState]int{}
	for _, d := range b.Deposits("") {
		count[d.State()]++
	}
	want := map[DepositState]int{DepositConfirming: 11, DepositHeld: 4, DepositBelowMinimum: 3}
	if diff := cmp.Diff(want, count); diff != "" {
		t.Error(diff)
	}
	for i := range 4 {
		if d := b.deposit("many", uint32(i)); d.State() != DepositHeld {
			t.Errorf("output %d of %s is %s", i, d.Amount, d.State())
		}
	}
	if got := len(b.ToMint(chains.BTC)); got != 11 {
		t.Errorf("%d to mint", got)
	}
}

func TestCoinbaseWaitsForItsMaturity(t *testing.T) {
	b := newBook(t)
	p := pays("cb", 0, "alice", 50*coin)
	p.Coinbase = true
	b.block([]Payment{p})
	b.blocks(98)
	if len(b.ToMint(chains.BTC)) != 0 {
		t.Error("minted at depth 99")
	}
	b.blocks(1)
	if len(b.ToMint(chains.BTC)) != 1 {
		t.Error("not minted at depth 100")
	}
}
