package pegs

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"causeway/chains"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// Every index says what a search of the whole state says, whatever happened, and
// so does the one that is made again.
func TestIndexesOfRandomHistories(t *testing.T) {
	mined := 0
	history := func(t *rapid.T) {
		s := &story{book: openBook(t), t: t, tried: map[string]bool{}}
		chapters := s.chapters()
		chapters[""] = func(t *rapid.T) {
			near := chains.NewAmount(rapid.Uint64Range(0, 250_000).Draw(t, "near"))
			checkIndexes(t, s.State, near)
			for _, b := range s.Batches() {
				if b.Mined != nil && len(s.chains[b.Chain].made[b.Mined.TxID]) > 0 {
					mined++
				}
			}
		}
		t.Repeat(chapters)
		read, err := ReadSnapshot(s.Snapshot())
		if err != nil {
			t.Fatal(err)
		}
		checkIndexes(t, read, chains.Amount{})
	}
	for range 50 { // about every second hundred of histories has what the test is about
		if rapid.Check(t, history); mined > 0 || t.Failed() {
			return
		}
	}
	t.Error("no history holds a payout with change: the test tells nothing")
}

// checkIndexes compares what the indexes of a state say with what a search does.
func checkIndexes(t *rapid.T, s *State, near chains.Amount) {
	for _, state := range []DepositState{DepositConfirming, DepositMinting} {
		want := where(s.depositList, func(d *Deposit) bool { return d.Chain == chains.BTC && d.State() == state })
		if got := queue(s.index.deposits, chains.BTC, string(state)); !slices.Equal(got, want) {
			t.Fatalf("%s: %d deposits in the index, %d in the state", state, len(got), len(want))
		}
	}
	for name, match := range map[WithdrawalState]func(*Withdrawal) bool{
		WithdrawalRequested: func(w *Withdrawal) bool { return s.WithdrawalState(w) == WithdrawalRequested },
		WithdrawalParked:    func(w *Withdrawal) bool { return s.WithdrawalState(w) == WithdrawalParked },
		WithdrawalQueued:    func(w *Withdrawal) bool { return s.WithdrawalState(w) == WithdrawalQueued },
		admitted:            func(w *Withdrawal) bool { return s.WithdrawalState(w) == WithdrawalQueued && w.Admitted != 0 },
		unadmitted:          func(w *Withdrawal) bool { return s.WithdrawalState(w) == WithdrawalQueued && w.Admitted == 0 },
	} {
		if got, want := s.withdrawalsIn(chains.BTC, name), where(s.withdrawalList, match); !slices.Equal(got, want) {
			t.Fatalf("%s: %v in the index, %v in the state", name, names(got), names(want))
		}
	}
	for name, q := range s.index.withdrawals {
		if len(*q) == 0 {
			t.Fatalf("an empty queue %v is kept", name)
		}
	}
	checkOutputs(t, s, s.chains[chains.BTC])
	checkCoins(t, s, near)
}

func where[T any](list []T, match func(T) bool) (some []T) {
	for _, v := range list {
		if match(v) {
			some = append(some, v)
		}
	}
	return some
}

func checkOutputs(t *rapid.T, s *State, c *Chain) {
	made := map[string]int{}
	unspent := 0
	reckoned := map[*Output]bool{}
	c.coins.down(func(out *Output) bool { reckoned[out] = true; return true })
	for _, out := range c.outputs {
		holder := s.batches[c.kept[out.Outpoint]]
		useful := out.In != nil && out.Spent == nil && out.usable() && (holder == nil || holder.Released != nil)
		if useful != reckoned[out] || useful != out.reckoned {
			t.Fatalf("%v: useful %t, in the index of coins %t", out.Outpoint, useful, reckoned[out])
		}
		if out.Kind != chains.WatchDeposit {
			made[out.Outpoint.TxID]++
			if !slices.Contains(c.made[out.Outpoint.TxID], out) {
				t.Fatalf("%v is not in the index of what was made", out.Outpoint)
			}
		}
		free := out.In != nil && out.Spent == nil
		if free {
			unspent++
		}
		if free != c.unspent.has(out.Outpoint) {
			t.Fatalf("%v: unspent %t, in the set %t", out.Outpoint, free, !free)
		}
	}
	if len(c.made) != len(made) || len(c.unspent) != unspent || !slices.IsSortedFunc(c.unspent, func(a, b *Output) int { return compareOutpoints(a.Outpoint, b.Outpoint) }) {
		t.Fatalf("made %d of %d, unspent %d of %d", len(c.made), len(made), len(c.unspent), unspent)
	}
}

// checkCoins compares the choice of coins with all that may be spent.
func checkCoins(t *rapid.T, s *State, near chains.Amount) {
	all := s.Spendable(chains.BTC)
	if diff := cmp.Diff(coinTexts(all), coinTexts(s.Coins(chains.BTC, near, len(all)+1))); diff != "" {
		t.Fatalf("all coins: %s", diff)
	}
	deep := where(all, func(c Coin) bool { return c.Depth > 0 })
	slices.SortFunc(deep, func(a, b Coin) int { return compareCoins(a.Output, b.Output) })
	for _, most := range []int{1, 2} {
		enough := where(deep, func(c Coin) bool { return !c.Amount.Less(near) })
		want := where(all, func(c Coin) bool { return c.Depth == 0 })
		want = append(want, deep[:min(most, len(deep))]...)
		want = append(want, deep[max(0, len(deep)-most):]...)
		want = append(want, enough[:min(most, len(enough))]...)
		texts := coinTexts(want)
		slices.Sort(texts)
		got := coinTexts(s.Coins(chains.BTC, near, most))
		slices.Sort(got)
		if diff := cmp.Diff(slices.Compact(texts), got); diff != "" {
			t.Fatalf("%d coins near %s: %s", most, near, diff)
		}
	}
	for n := range len(deep) + 2 {
		if s.MoreCoins(chains.BTC, n) != (len(deep) > n) {
			t.Fatalf("more than %d of %d coins: %t", n, len(deep), s.MoreCoins(chains.BTC, n))
		}
	}
}

func coinTexts(list []Coin) (texts []string) {
	for _, c := range list {
		texts = append(texts, fmt.Sprintf("%v %s %d", c.Outpoint, c.Amount, c.Depth))
	}
	return texts
}

// A set of coins holds what was put into it and not taken out, in order, however
// many have the same amount.
func TestCoinSet(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var set coinSet
		model := map[string]*Output{}
		amounts := rapid.Uint64Range(1, rapid.SampledFrom([]uint64{1, 3, 1 << 40}).Draw(t, "amounts"))
		for range rapid.IntRange(1, 1500).Draw(t, "changes") {
			out := &Output{Payment: pays(fmt.Sprint("t", rapid.IntRange(0, 900).Draw(t, "which")), 0, "", 0)}
			name := out.Outpoint.TxID
			switch known := model[name]; {
			case known == nil:
				out.Amount = chains.NewAmount(amounts.Draw(t, "amount"))
				set.add(out)
				model[name] = out
			case rapid.IntRange(0, 2).Draw(t, "again") == 0:
				set.add(known)
			default:
				set.remove(known)
				set.remove(known)
				delete(model, name)
			}
		}
		least := chains.NewAmount(amounts.Draw(t, "least"))
		var want []*Output
		for _, name := range sortedKeys(model) {
			want = append(want, model[name])
		}
		slices.SortFunc(want, compareCoins)
		var up, down, some []*Output
		set.up(chains.Amount{}, func(out *Output) bool { up = append(up, out); return true })
		set.up(least, func(out *Output) bool { some = append(some, out); return len(some) < 5 })
		set.down(func(out *Output) bool { down = append(down, out); return true })
		slices.Reverse(down)
		enough := where(want, func(out *Output) bool { return !out.Amount.Less(least) })
		if !slices.Equal(up, want) || !slices.Equal(down, want) || !slices.Equal(some, enough[:min(5, len(enough))]) {
			t.Fatalf("%d, %d and %d of %d outputs", len(up), len(down), len(some), len(want))
		}
	})
}

// What is drawn from lists of many is as few as was asked for, and walks few.
func TestFewCoinsOfMany(t *testing.T) {
	b := newBook(t)
	for range 20 {
		var payments []Payment
		for i := range 100 {
			payments = append(payments, pays(strings.Repeat("x", 1+i%7)+fmt.Sprint(b.Seq), uint32(i), "", uint64(1000+i)))
			payments[i].Kind = chains.WatchHot
		}
		b.block(payments)
	}
	b.blocks(20)
	if got := len(b.Coins(chains.BTC, chains.NewAmount(1050), 10)); got != 30 {
		t.Errorf("%d coins of 2,000", got)
	}
	if !b.MoreCoins(chains.BTC, 1999) || b.MoreCoins(chains.BTC, 2000) {
		t.Error("2,000 coins are not counted as such")
	}
}
