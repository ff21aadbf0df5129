package pegs

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"causeway/chains"

	"pgregory.net/rapid"
)

// limited is a book with limits in whole coins.
func limited(t *testing.T, l Limits) *book {
	b := newBook(t)
	b.limit(l)
	return b
}

func (b *book) limit(l Limits) {
	b.do(&Configured{Chain: chains.BTC, Network: chains.Regtest, Confirmations: 2, InputExtra: 1, Policy: btcPolicy, Limits: l})
}

func coins(n uint64) chains.Amount { return chains.NewAmount(n * coin) }

// ask queues a withdrawal of an account.
func (b *book) ask(id, account string, net uint64) *Withdrawal {
	b.t.Helper()
	text := chains.NewAmount(net).Coin(8)
	b.do(&Requested{Withdrawal: id, Row: b.LastRow() + 1, Symbol: "SWAP.BTC", Chain: chains.BTC, Account: account, Address: "payee", Quantity: text, Fee: "0", Net: text})
	b.do(&Queued{Withdrawal: id, Script: "0014", Amount: chains.NewAmount(net)})
	w, _ := b.Withdrawal(id)
	return w
}

// admit lets through what the limits allow at a base block and gives the ids.
func (b *book) admit(block uint64) (ids []string) {
	b.t.Helper()
	list, _ := b.ToAdmit(chains.BTC, block, 1000)
	for _, w := range list {
		ids = append(ids, w.ID)
	}
	if len(ids) > 0 || b.Undated(chains.BTC) {
		b.do(&Admitted{Chain: chains.BTC, Block: block, Withdrawals: ids})
	}
	return ids
}

// pay plans, assigns, signs and broadcasts one withdrawal of a coin of its own.
func (b *book) pay(id string, amount uint64) {
	b.t.Helper()
	b.credit("coin-"+id, "bob", amount+1000)
	b.blocks(2)
	p := planFor([]string{id}, at("coin-"+id, 0))
	b.do(p)
	b.do(assignedAs(p))
	b.do(signedAs(p, "tx-"+id, 500))
	b.do(&Broadcast{Batch: p.Batch, TxID: "tx-" + id, Verdict: chains.Accepted})
}

func same(t *testing.T, what string, got []string, want ...string) {
	t.Helper()
	if !slices.Equal(got, want) {
		t.Errorf("%s: %v, want %v", what, got, want)
	}
}

// Scenario 73: the edges of the rolling window.
func TestCapAtTheEdgesOfTheWindow(t *testing.T) {
	b := limited(t, Limits{Cap: coins(8), Window: 10})
	b.ask("a", "alice", 4*coin)
	b.ask("b", "bob", 3*coin)
	b.ask("c", "carol", 1)
	b.ask("d", "dave", 4*coin)
	if len(b.ToPlan(chains.BTC)) != 0 {
		t.Error("planned before it was admitted")
	}
	same(t, "at first", b.admit(100), "a", "b", "c")
	if got := len(b.ToPlan(chains.BTC)); got != 3 {
		t.Errorf("%d to plan", got)
	}
	b.pay("a", 4*coin)
	same(t, "a paid, dated at 103", b.admit(103))
	for block := uint64(104); block < 113; block++ {
		same(t, fmt.Sprint("block ", block), b.admit(block))
	}
	if err := b.try(&Admitted{Chain: chains.BTC, Block: 112, Withdrawals: []string{"d"}}); !errors.Is(err, ErrTransition) {
		t.Errorf("admitted over the cap: %v", err)
	}
	same(t, "ten blocks after", b.admit(113), "d")
	if err := b.try(&Admitted{Chain: chains.BTC, Block: 112}); !errors.Is(err, ErrTransition) {
		t.Errorf("base blocks that go back: %v", err)
	}
}

// What no node has counts however long it takes, so that payouts that pile up
// are never paid at once beyond the cap.
func TestWhatWaitsToBePaidCounts(t *testing.T) {
	b := limited(t, Limits{Cap: coins(8), Window: 10})
	b.ask("a", "alice", 7*coin)
	b.ask("b", "bob", 7*coin)
	same(t, "first", b.admit(1), "a")
	same(t, "long after", b.admit(1000))
	b.pay("a", 7*coin)
	same(t, "paid", b.admit(1001))
	same(t, "ten blocks after that was seen", b.admit(1011), "b")
}

// What is given back after all was not paid and does not use up the cap for ever.
func TestWhatIsGivenBackDoesNotCount(t *testing.T) {
	b := limited(t, Limits{Cap: coins(8), Window: 10})
	b.ask("a", "alice", 7*coin)
	b.ask("b", "bob", 7*coin)
	same(t, "first", b.admit(1), "a")
	b.credit("c", "bob", 8*coin)
	b.blocks(2)
	plan := planFor([]string{"a"}, at("c", 0))
	b.do(plan)
	b.do(assignedAs(plan))
	b.do(&Released{Batch: plan.Batch, Reason: "dead"})
	same(t, "while it may come back", b.admit(50))
	b.do(&Returned{Withdrawal: "a", Tx: "r"})
	same(t, "given back", b.admit(51), "b")
}

func TestCapOfAnAccount(t *testing.T) {
	b := limited(t, Limits{AccountCap: coins(5), Window: 10})
	for i, c := range []struct {
		account string
		amount  uint64
	}{{"alice", 4}, {"alice", 2}, {"bob", 5}, {"alice", 1}, {"carol", 6}} {
		b.ask(fmt.Sprint("w", i), c.account, c.amount*coin)
	}
	// w3 would fit, but w1 of the same account is older.
	same(t, "at first", b.admit(1), "w0", "w2")
	_, wait := b.ToAdmit(chains.BTC, 1, 10)
	if len(wait) != 3 || wait[2].ID != "w4" || wait[2].Why != "it is more than the cap of an account, 5.00000000: an operator decides" {
		t.Errorf("waiting: %+v", wait)
	}
	b.pay("w0", 4*coin)
	b.admit(2)
	same(t, "later", b.admit(12), "w1", "w3")
}

// Scenario 74: a veto and the end of the delay have one outcome.
func TestDelayAndVeto(t *testing.T) {
	b := limited(t, Limits{Large: coins(5), Delay: 20})
	big := b.ask("big", "alice", 5*coin)
	b.ask("small", "bob", 5*coin-1)
	same(t, "to delay", names(b.ToDelay(chains.BTC)), "big")
	same(t, "before", b.admit(100), "small")
	b.do(&Delayed{Withdrawal: "big", Due: 120})
	if err := b.try(&Delayed{Withdrawal: "big", Due: 500}); !errors.Is(err, ErrTransition) {
		t.Errorf("delayed twice: %v", err)
	}
	if err := b.try(&Admitted{Chain: chains.BTC, Block: 119, Withdrawals: []string{"big"}}); !errors.Is(err, ErrTransition) {
		t.Errorf("let through a block early: %v", err)
	}
	same(t, "a block before", b.admit(119))
	same(t, "when it is due", b.admit(120), "big")
	veto := &Parked{Withdrawal: "big", Reason: "no", Author: "ann"}
	b.do(veto) // not planned yet: the veto still counts
	if b.WithdrawalState(big) != WithdrawalParked || len(b.ToPlan(chains.BTC)) != 1 || b.OutflowWithin(chains.BTC, 120) != chains.NewAmount(5*coin-1) {
		t.Errorf("after the veto: %s", b.WithdrawalState(big))
	}
	b.credit("c", "bob", 9*coin)
	b.blocks(2)
	plan := planFor([]string{"big"}, at("c", 0))
	if err := b.try(plan); !errors.Is(err, ErrTransition) {
		t.Errorf("planned after the veto: %v", err)
	}
	b.do(&Queued{Withdrawal: "big", Script: "0014", Amount: big.Amount}) // a person decides to pay it after all
	same(t, "queued again", b.admit(121), "big")
	b.do(plan)
	if err := b.try(veto); !errors.Is(err, ErrTransition) {
		t.Errorf("vetoed after it was planned: %v", err)
	}
	later := b.ask("later", "alice", 6*coin)
	b.do(&Parked{Withdrawal: "later", Reason: "no", Author: "ann"})
	b.do(&Parked{Withdrawal: "later", Reason: "no", Author: "ann", GiveBack: true})
	if err := b.try(&Queued{Withdrawal: "later", Script: "0014", Amount: later.Amount}); !errors.Is(err, ErrTransition) {
		t.Errorf("queued while it is given back: %v", err)
	}
	same(t, "given back", names(slices.Collect(b.ToGiveBack(chains.BTC))), "later")
}

func names(list []*Withdrawal) (ids []string) {
	for _, w := range list {
		ids = append(ids, w.ID)
	}
	return ids
}

func TestHaltedPayoutsAdmitNobody(t *testing.T) {
	b := limited(t, Limits{Cap: coins(8)})
	b.ask("a", "alice", coin)
	b.do(&Halted{Chain: chains.BTC, Scopes: []Scope{ScopePayouts}, Cause: "test", Reason: "r", Author: "a"})
	if admit, wait := b.ToAdmit(chains.BTC, 1, 10); len(admit)+len(wait) != 0 {
		t.Error("admitted while payouts are halted")
	}
}

// Limits that are taken away hold nothing back, and those of the time count in a
// replay (scenario 99).
func TestLimitsAreOfTheirTime(t *testing.T) {
	b := limited(t, Limits{Cap: coins(8), Window: 10})
	b.ask("a", "alice", 7*coin)
	b.ask("b", "bob", 7*coin)
	same(t, "at first", b.admit(1), "a")
	b.limit(Limits{})
	if got := len(b.ToPlan(chains.BTC)); got != 2 {
		t.Errorf("without limits %d to plan", got)
	}
	b.limit(Limits{Cap: coins(9), Window: 10})
	same(t, "with a cap again", b.admit(2))
	again := NewState()
	for _, r := range b.log {
		if err := again.Apply(r); err != nil {
			t.Fatal(err)
		}
	}
	if again.OutflowWithin(chains.BTC, 2) != coins(7) {
		t.Errorf("after a replay %s count", again.OutflowWithin(chains.BTC, 2))
	}
}

// Scenarios 62 and 73: whatever is asked for and however slowly nodes take it, no
// window pays more than the cap, and what came first is not passed for ever.
func TestCapsAreFair(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		const window = 12
		limits := Limits{Cap: chains.NewAmount(3200), AccountCap: chains.NewAmount(rapid.SampledFrom([]uint64{0, 2800}).Draw(t, "account cap")), Window: window}
		b := openBook(t)
		b.limit(limits)
		type paid struct{ block, amount uint64 }
		var out []paid
		n := 0
		for block := uint64(1); block <= 90; block++ {
			for range rapid.IntRange(0, 4).Draw(t, "new") {
				if block > 40 {
					break
				}
				n++
				id, amount := fmt.Sprint("w", n), rapid.SampledFrom([]uint64{1, 50, 100, 400, 1500, 2800}).Draw(t, "amount")
				b.ask(id, fmt.Sprint("user", n), amount)
			}
			b.admit(block)
			for _, o := range b.chains[chains.BTC].outflow {
				w := o.Withdrawal
				if w.Batch == "" && rapid.IntRange(0, 3).Draw(t, "pay") > 0 {
					broadcastAtOnce(b, w)
					amount, _ := w.Amount.Uint64()
					out = append(out, paid{block, amount})
				}
			}
			var sum uint64
			for _, p := range out {
				if p.block+window > block {
					sum += p.amount
				}
			}
			if sum > 3200 {
				t.Fatalf("block %d: %d left within %d blocks", block, sum, window)
			}
		}
		// The oldest of those that can ever be paid is not passed by all others.
		for i, w := range b.Withdrawals("") {
			if w.Admitted == 0 && i < 3 {
				t.Fatalf("%s of %s was never admitted", w.ID, w.Amount)
			}
		}
	})
}

// broadcastAtOnce makes a batch for a withdrawal that a node has, without the
// coins that it would need.
func broadcastAtOnce(b *book, w *Withdrawal) {
	batch := &Batch{ID: "batch-" + w.ID, Chain: w.Chain, Withdrawals: []string{w.ID}, Broadcast: &Broadcast{}}
	w.Batch = batch.ID
	b.batches[batch.ID] = batch
	b.openWithdrawals.remove(w)
	b.enqueue(w, b.WithdrawalState(w))
}

// A stream of small withdrawals that would fill every gap does not keep a large
// one from its turn, and the small ones do not stop meanwhile.
func TestSmallAndLargeDoNotStarveEachOther(t *testing.T) {
	const window = 10
	b := openBook(t)
	b.limit(Limits{Cap: chains.NewAmount(3200), Window: window})
	let := map[string]uint64{}
	for block := uint64(1); block <= 60; block++ {
		if block == 5 {
			b.ask("large", "alice", 2800)
		}
		for i := range 8 {
			b.ask(fmt.Sprintf("s%d.%d", block, i), fmt.Sprint("user", block, i), 100)
		}
		for _, id := range b.admit(block) {
			let[id] = block
			broadcastAtOnce(b, b.withdrawals[id])
		}
	}
	if let["large"] == 0 || let["large"] > 5+2*window {
		t.Errorf("the large one went through at %d", let["large"])
	}
	for from := uint64(1); from+window < 60; from++ {
		if !slices.ContainsFunc(sortedKeys(let), func(id string) bool { return id[0] == 's' && let[id] >= from && let[id] <= from+window }) {
			t.Errorf("no small one went through from %d to %d", from, from+window)
		}
	}
}

// Small ones that get through before a large one do so in their order: one that
// does not fit into what is left is not passed by smaller ones behind it.
func TestSmallOnesKeepTheirOrder(t *testing.T) {
	const window = 10
	b := openBook(t)
	b.limit(Limits{Cap: chains.NewAmount(3200), AccountCap: chains.NewAmount(2500), Window: window})
	b.ask("first", "alice", 2000)
	b.ask("large", "bob", 2400)
	for i := range 60 {
		b.ask(fmt.Sprintf("s%02d", i), fmt.Sprint("user", i), []uint64{90, 20}[i%2])
	}
	b.ask("also alice's", "alice", 600) // more than is left for her
	b.ask("hers behind it", "alice", 1)
	var let []string
	for block := uint64(1); block <= 60; block++ {
		for _, id := range b.admit(block) {
			let = append(let, id)
			broadcastAtOnce(b, b.withdrawals[id])
		}
	}
	small := slices.DeleteFunc(slices.Clone(let), func(id string) bool { return id[0] != 's' })
	if len(let) != 64 || !slices.IsSorted(small) {
		t.Errorf("let through: %v", let)
	}
	if slices.Index(let, "also alice's") > slices.Index(let, "hers behind it") {
		t.Errorf("an account's own order: %v", let)
	}
	if slices.Index(let, "large") < 8 { // 400 are for small ones alone
		t.Errorf("the small ones waited for the large one: %v", let)
	}
}

// aLimit changes the limits, lets withdrawals through, vetoes and alerts.
func (s *story) aLimit() {
	s.limit(Limits{
		Cap: chains.NewAmount(rapid.SampledFrom([]uint64{0, 90_000}).Draw(s.t, "cap")), Window: 5,
		Large: chains.NewAmount(50_000), Delay: rapid.Uint64Range(0, 2).Draw(s.t, "delay"),
	})
	s.n++
	block := uint64(s.n)
	for _, w := range s.ToDelay(chains.BTC) {
		s.do(&Delayed{Withdrawal: w.ID, Due: block + 1})
	}
	admit, _ := s.ToAdmit(chains.BTC, block, 5)
	s.do(&Admitted{Chain: chains.BTC, Block: block, Withdrawals: names(admit)})
	if w, ok := pick(s, s.OpenWithdrawals()); ok && rapid.Bool().Draw(s.t, "veto") {
		s.attempt(&Parked{Withdrawal: w.ID, Reason: "x", Author: "y", GiveBack: rapid.Bool().Draw(s.t, "give back")})
	}
	s.attempt(&Alerted{Chain: chains.BTC, Cause: "slow", Over: rapid.Bool().Draw(s.t, "over"), Reason: "x", Author: "y"})
	s.attempt(&Delayed{Withdrawal: "none", Due: block})
}
