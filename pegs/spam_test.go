package pegs

import (
	"fmt"
	"testing"

	"causeway/chains"
)

// spammed is a book with many deposits that nobody mints.
func spammed(b interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}, n int) *book {
	s := openBook(b)
	var list []Payment
	for i := range n {
		list = append(list, pays(fmt.Sprintf("dust%07d", i), 0, "alice", 600))
	}
	s.block(list)
	s.credit("t1", "alice", 100_000)
	s.blocks(3)
	return s
}

// Deposits below the minimum are in no list that somebody works off.
func TestDustIsInNoList(t *testing.T) {
	b := spammed(t, 50)
	b.block([]Payment{pays("t2", 0, "bob", 50_000)})
	b.blocks(1)
	d := b.deposit("t2", 0)
	asked := map[*Deposit]bool{}
	for from, turns := 0, 0; turns < 6; turns++ { // each of them has its turn
		var list []*Deposit
		list, from = b.TurnOfDeposits(from, 9)
		if len(list) != 9 {
			t.Errorf("turn %d: %d deposits", turns, len(list))
		}
		for _, d := range list {
			asked[d] = true
		}
	}
	if len(asked) != 51 || !asked[d] {
		t.Errorf("%d not credited", len(asked))
	}
	if got := b.ToMint(chains.BTC); len(got) != 1 || got[0] != d {
		t.Errorf("to mint: %v", got)
	}
	if coins := b.Spendable(chains.BTC); len(coins) != 1 || coins[0].Outpoint != at("t1", 0) {
		t.Errorf("spendable: %v", coins)
	}
}

// BenchmarkDust is what a turn of the services asks of a chain with 100,000
// outputs of dust.
func BenchmarkDust(b *testing.B) {
	s := spammed(b, 100_000)
	for _, c := range []struct {
		name string
		ask  func()
	}{
		{"ToMint", func() { s.ToMint(chains.BTC) }},
		{"ToPlan", func() { s.ToPlan(chains.BTC) }},
		{"Spendable", func() { s.Spendable(chains.BTC) }},
		{"Coins", func() { s.Coins(chains.BTC, chains.NewAmount(1000), 600) }},
		{"TurnOfDeposits", func() { s.TurnOfDeposits(50_000, 300) }},
	} {
		b.Run(c.name, func(b *testing.B) {
			for b.Loop() {
				c.ask()
			}
		})
	}
}
