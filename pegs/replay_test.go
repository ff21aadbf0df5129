package pegs

import (
	"errors"
	"testing"

	"causeway/chains"

	"github.com/google/go-cmp/cmp"
)

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
