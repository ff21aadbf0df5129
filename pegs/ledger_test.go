package pegs

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/chains"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// book is a state with the events that made it.
type book struct {
	t interface {
		Helper()
		Fatal(...any)
		Fatalf(string, ...any)
	}
	*State
	log    []Record
	height uint64
	hash   string
}

var btcPolicy = Policy{Floor: 2, Normal: 3, Large: 6, Maturity: 100, Keep: 144, Much: chains.NewAmount(5 * coin)}

const coin = 100_000_000

func newBook(t *testing.T) *book { return openBook(t) }

func openBook(t interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}) *book {
	b := &book{t: t, State: NewState(), hash: "root"}
	b.do(&Configured{Chain: chains.BTC, Network: chains.Regtest, Start: 0, Confirmations: 2, InputExtra: 1, Policy: btcPolicy})
	b.do(&EpochAdded{Chain: chains.BTC, Key: "02aa", Scripts: []OwnScript{{Kind: chains.WatchChange, Address: "change", Script: "00"}}})
	b.do(&AssetsSeen{Assets: []Asset{testAsset}})
	b.do(&Watching{Chain: chains.BTC, Accounts: []string{"alice", "bob"}})
	return b
}

var testAsset = Asset{
	Symbol: "SWAP.BTC", Chain: chains.BTC, Precision: 8, Decimals: 8, MinDeposit: "0.00010000", MinWithdrawal: "0.00010000",
	WithdrawalFee: "0.00005000", FeeMax: "0.01000000",
}

func (b *book) try(e Event) error {
	r := Record{Seq: b.Seq + 1, At: time.Unix(int64(b.Seq), 0).UTC(), Event: e}
	err := b.Apply(r)
	if err == nil {
		b.log = append(b.log, r)
	}
	return err
}

func (b *book) do(e Event) {
	b.t.Helper()
	if err := b.try(e); err != nil {
		b.t.Fatal(err)
	}
}

// block connects a block with what it holds.
func (b *book) block(payments []Payment, spends ...chains.Spend) string {
	b.t.Helper()
	return b.named(fmt.Sprintf("%s.%d", b.hash, b.height), payments, spends...)
}

func (b *book) named(hash string, payments []Payment, spends ...chains.Spend) string {
	b.t.Helper()
	header := chains.Header{BlockRef: chains.BlockRef{Height: b.height, Hash: hash}, Parent: b.hash}
	b.do(&Connected{Chain: chains.BTC, Match: Match{Header: header, Payments: payments, Spends: spends}})
	b.height, b.hash = b.height+1, hash
	return hash
}

func (b *book) blocks(n int) {
	b.t.Helper()
	for range n {
		b.block(nil)
	}
}

// back disconnects the newest block.
func (b *book) back() {
	b.t.Helper()
	c, _ := b.Chain(chains.BTC)
	tail := c.Tail()
	last := tail[len(tail)-1]
	b.do(&Disconnected{Chain: chains.BTC, Block: last.BlockRef})
	b.height, b.hash = last.Height, last.Parent
}

func pays(txid string, index uint32, account string, amount uint64) Payment {
	return Payment{
		Outpoint: chains.Outpoint{TxID: txid, Index: index}, Amount: chains.NewAmount(amount), Script: "51",
		Kind: chains.WatchDeposit, Account: account, Address: "addr-" + account,
	}
}

func changes(txid string, index uint32, amount uint64) Payment {
	return Payment{
		Outpoint: chains.Outpoint{TxID: txid, Index: index}, Amount: chains.NewAmount(amount), Script: "00",
		Kind: chains.WatchChange, Address: "change",
	}
}

func spends(by string, list ...chains.Outpoint) (spends []chains.Spend) {
	for _, o := range list {
		spends = append(spends, chains.Spend{Outpoint: o, By: by})
	}
	return spends
}

func at(txid string, index uint32) chains.Outpoint { return chains.Outpoint{TxID: txid, Index: index} }

func (b *book) deposit(txid string, index uint32) *Deposit {
	b.t.Helper()
	d, ok := b.Deposit(DepositID(chains.BTC, at(txid, index)))
	if !ok {
		b.t.Fatalf("no deposit %s:%d", txid, index)
	}
	return d
}

// credit brings an amount in and credits it.
func (b *book) credit(txid, account string, amount uint64) *Deposit {
	b.t.Helper()
	b.block([]Payment{pays(txid, 0, account, amount)})
	b.blocks(1)
	d := b.deposit(txid, 0)
	b.do(&Minting{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: account})
	b.do(&Credited{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: account, Tx: "mint-" + txid})
	return d
}

// queue makes a withdrawal that can be paid.
func (b *book) queue(id string, net uint64) *Withdrawal {
	b.t.Helper()
	text := chains.NewAmount(net).Coin(8)
	b.do(&Requested{Withdrawal: id, Row: b.LastRow() + 1, Symbol: "SWAP.BTC", Chain: chains.BTC, Account: "alice", Address: "payee", Quantity: text, Fee: "0", Net: text})
	b.do(&Queued{Withdrawal: id, Script: "0014", Amount: chains.NewAmount(net)})
	w, _ := b.Withdrawal(id)
	return w
}

func planFor(ids []string, inputs ...chains.Outpoint) *Planned {
	return &Planned{
		Batch: BatchID(chains.BTC, BatchPayout, ids, inputs), Chain: chains.BTC, BatchKind: BatchPayout, Withdrawals: ids,
		Inputs: inputs, Fee: chains.NewAmount(300), Plan: json.RawMessage(`{}`),
	}
}

func assignedAs(p *Planned) *Assigned {
	return &Assigned{Batch: p.Batch, Chain: p.Chain, BatchKind: p.BatchKind, Withdrawals: p.Withdrawals, Inputs: p.Inputs}
}

func signedAs(p *Planned, txid string, change uint64) *Signed {
	return &Signed{
		Batch: p.Batch, TxID: txid, Raw: []byte{1}, Fee: p.Fee, VSize: 141, Counter: 1,
		Change: []Payment{changes(txid, 1, change)},
	}
}

// digest is the whole state in one text: what reads of it can show.
func (b *book) digest() string {
	var out strings.Builder
	for _, c := range b.Chains() {
		fmt.Fprintln(&out, c.ID, c.next, c.tail, c.HaltReason(), c.WatchedAccounts(), c.Incomplete())
		for _, o := range slices.SortedFunc(maps.Values(c.outputs), func(a, b *Output) int { return compareOutpoints(a.Outpoint, b.Outpoint) }) {
			spent := ""
			if o.Spent != nil {
				spent = o.Spent.TxID
			}
			fmt.Fprintln(&out, o.Outpoint, o.Amount, o.In, o.Own, spent, c.kept[o.Outpoint], c.unspent.has(o.Outpoint))
		}
	}
	for _, d := range b.Deposits("") {
		fmt.Fprintln(&out, d.ID, d.State(), d.In, d.Class, len(d.History))
	}
	for _, w := range b.Withdrawals("") {
		fmt.Fprintln(&out, w.ID, b.WithdrawalState(w), w.Batch, len(w.History))
	}
	return out.String()
}

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

// The fold of the stored records is the state that wrote them.
func TestReplay(t *testing.T) {
	b := paidBook(t)
	again := NewState()
	var link, readLink Link
	for _, r := range b.log {
		text, next, err := r.Encode(link)
		if err != nil {
			t.Fatal(err)
		}
		read, nextRead, err := DecodeRecord(text, r.Seq, readLink)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Apply(read); err != nil {
			t.Fatal(err)
		}
		link, readLink = next, nextRead
	}
	if diff := cmp.Diff(b.digest(), (&book{State: again}).digest()); diff != "" {
		t.Error(diff)
	}
}

// A refused record changes nothing.
func TestRefusals(t *testing.T) {
	b := paidBook(t)
	d := b.deposit("t1", 0)
	queued := b.queue("w-refused", 10_000)
	before := b.digest()
	c, _ := b.Chain(chains.BTC)
	tip, _ := c.Tip()
	for name, e := range map[string]Event{
		"block of another parent":    &Connected{Chain: chains.BTC, Match: Match{Header: chains.Header{BlockRef: chains.BlockRef{Height: b.height, Hash: "x"}, Parent: "y"}}},
		"block of another height":    &Connected{Chain: chains.BTC, Match: Match{Header: chains.Header{BlockRef: chains.BlockRef{Height: b.height + 1, Hash: "x"}, Parent: b.hash}}},
		"not the newest block":       &Disconnected{Chain: chains.BTC, Block: chains.BlockRef{Height: tip.Height, Hash: "x"}},
		"unknown chain":              &Connected{Chain: chains.LTC},
		"another network":            &Configured{Chain: chains.BTC, Network: chains.Mainnet},
		"epoch twice":                &EpochAdded{Chain: chains.BTC},
		"watched twice":              &Watching{Chain: chains.BTC, Accounts: []string{"carol", "alice"}},
		"searched for nobody":        &Backscanned{Chain: chains.BTC, Accounts: []string{"carol"}},
		"searched beyond the end":    &Backscanned{Chain: chains.BTC, Matched: []Match{{Header: chains.Header{BlockRef: chains.BlockRef{Height: b.height}}}}},
		"asset gone":                 &AssetsSeen{},
		"asset twice":                &AssetsSeen{Assets: []Asset{testAsset, testAsset}},
		"precision changed":          &AssetsSeen{Assets: []Asset{{Symbol: "SWAP.BTC", Chain: chains.BTC, Precision: 7, Decimals: 8}}},
		"mint of a credited one":     &Minting{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: "alice"},
		"credit of nothing":          &Credited{Deposit: "btc:nothing:0"},
		"withdrawal twice":           &Requested{Withdrawal: "w1", Row: 99, Symbol: "SWAP.BTC", Chain: chains.BTC, Net: "1"},
		"row twice":                  &Requested{Withdrawal: "w9", Row: 1, Symbol: "SWAP.BTC", Chain: chains.BTC, Net: "1"},
		"no such asset":              &Requested{Withdrawal: "w9", Row: 99, Symbol: "SWAP.LTC", Chain: chains.LTC, Net: "1"},
		"net with too many decimals": &Requested{Withdrawal: "w9", Row: 99, Symbol: "SWAP.BTC", Chain: chains.BTC, Net: "0.000000001"},
		"queued twice":               &Queued{Withdrawal: queued.ID, Amount: queued.Amount},
		"queued for more":            &Queued{Withdrawal: queued.ID, Amount: chains.NewAmount(1)},
		"parked after assign":        &Parked{Withdrawal: "w1", Reason: "x"},
		"returned twice":             &Returned{Withdrawal: "w2"},
		"plan of a paid one":         planFor([]string{"w1"}, at("p1", 1)),
		"plan of nothing of ours":    planFor([]string{queued.ID}, at("strange", 0)),
		"plan of a spent output":     planFor([]string{queued.ID}, at("t1", 0)),
		"plan that pays nobody":      planFor(nil, at("p1", 1)),
		"plan without inputs":        planFor([]string{queued.ID}),
		"plan under another name":    &Planned{Batch: "x", Chain: chains.BTC, BatchKind: BatchPayout, Withdrawals: []string{queued.ID}, Inputs: []chains.Outpoint{at("p1", 1)}},
		"sign before assign":         &Signed{Batch: "x", TxID: "y", Raw: []byte{1}},
		"broadcast of nothing":       &Broadcast{Batch: "x"},
		"settle of nothing":          &Settling{Batch: "x"},
		"drop of an assigned one":    &Dropped{Batch: b.Batches()[0].ID},
		"settled twice":              &Settled{Batch: b.Batches()[0].ID},
		"signed after the chain":     &Signed{Batch: b.Batches()[0].ID, TxID: "y", Raw: []byte{1}},
		"halt without a reason":      &Halted{Chain: chains.BTC, Scopes: Scopes(), Cause: "x", Author: "y"},
		"halt of another scope":      &Halted{Chain: chains.BTC, Scopes: []Scope{"lunch"}, Cause: "x", Author: "y", Reason: "z"},
		"resume of what goes":        &Resumed{Chain: chains.BTC, Cause: "x", Author: "y", Reason: "z"},
	} {
		if err := b.try(e); !errors.Is(err, ErrTransition) {
			t.Errorf("%s: %v", name, err)
		}
		if diff := cmp.Diff(before, b.digest()); diff != "" {
			t.Fatalf("%s changed the state: %s", name, diff)
		}
	}
	for name, r := range map[string]Record{
		"gap":         {Seq: b.Seq + 2, Event: &Resumed{}},
		"again":       {Seq: b.Seq, Event: &Resumed{}},
		"older base":  {Seq: b.Seq + 1, Base: BaseRef{Number: 6, ID: "6"}, Event: &AssetsSeen{Assets: []Asset{testAsset}}},
		"forked base": {Seq: b.Seq + 1, Base: BaseRef{Number: 7, ID: "other"}, Event: &AssetsSeen{Assets: []Asset{testAsset}}},
	} {
		if err := b.Apply(r); !errors.Is(err, ErrTransition) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// paidBook holds a credited deposit, a settled payout of it, a withdrawal that
// was given back, and a base block.
func paidBook(t *testing.T) *book {
	b := newBook(t)
	b.credit("t1", "alice", 100_000)
	b.blocks(1)
	b.queue("w1", 40_000)
	plan := planFor([]string{"w1"}, at("t1", 0))
	b.do(plan)
	b.do(assignedAs(plan))
	b.do(signedAs(plan, "p1", 59_700))
	b.do(&Broadcast{Batch: plan.Batch, TxID: "p1", Verdict: chains.Accepted})
	b.block([]Payment{changes("p1", 1, 59_700)}, spends("p1", at("t1", 0))...)
	b.blocks(1)
	b.do(&Settling{Batch: plan.Batch, TxID: "p1", Cost: "0.00000300"})
	b.do(&Settled{Batch: plan.Batch, TxID: "p1", Cost: "0.00000300", Tx: "settle"})
	text := "0.00010000"
	b.do(&Requested{Withdrawal: "w2", Row: 2, Symbol: "SWAP.BTC", Chain: chains.BTC, Account: "alice", Address: "own", Quantity: text, Fee: "0", Net: text})
	b.do(&Parked{Withdrawal: "w2", Reason: "our own address", GiveBack: true})
	r := Record{Seq: b.Seq + 1, Base: BaseRef{Number: 7, ID: "seven"}, Event: &Returned{Withdrawal: "w2"}}
	if err := b.Apply(r); err != nil {
		t.Fatal(err)
	}
	b.log = append(b.log, r)
	return b
}
