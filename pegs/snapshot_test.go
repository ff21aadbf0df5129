package pegs

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/pegs/graph"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// every compares all fields, the unexported ones included.
var every = cmp.Exporter(func(reflect.Type) bool { return true })

// story makes a book's history by chance.
type story struct {
	*book
	t     *rapid.T
	n     int
	tried map[string]bool // kinds of events, the refused ones included
	eth   *ether          // nil before the first block of it
}

// attempt applies an event that may be impossible just now.
func (s *story) attempt(e Event) {
	s.tried[e.Kind()] = true
	if err := s.try(e); err != nil && !errors.Is(err, ErrTransition) {
		s.t.Fatal(err)
	}
}

func (s *story) name(kind string) string {
	s.n++
	return fmt.Sprintf("%s%d", kind, s.n)
}

func pick[T any](s *story, list []T) (v T, ok bool) {
	if len(list) == 0 {
		return v, false
	}
	return list[rapid.IntRange(0, len(list)-1).Draw(s.t, "pick")], true
}

// chapters are the kinds of things that happen.
func (s *story) chapters() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"block": func(*rapid.T) { s.aBlock() }, "reorganisation": func(*rapid.T) { s.aReorganisation() },
		"depth": func(*rapid.T) {
			for range 12 {
				s.named(s.name("b"), nil)
			}
		},
		"person": func(*rapid.T) { s.aPerson() },
		"limit":  func(*rapid.T) { s.aLimit() },
		"credit": func(*rapid.T) { s.aCredit() }, "withdrawal": func(*rapid.T) { s.aWithdrawal() },
		"plan": func(*rapid.T) { s.aPlan() }, "payout": func(*rapid.T) { s.aPayout() },
		"decision": func(*rapid.T) { s.aDecision() }, "halt": func(*rapid.T) { s.aHalt() }, "account": func(*rapid.T) { s.anAccount() },
	}
}

func (s *story) aBlock() {
	var payments []Payment
	var spent []chains.Spend
	for range rapid.IntRange(0, 3).Draw(s.t, "payments") {
		p := pays(s.name("t"), uint32(rapid.IntRange(0, 2).Draw(s.t, "index")), rapid.SampledFrom([]string{"alice", "bob", ""}).Draw(s.t, "account"), rapid.Uint64Range(1, 200_000).Draw(s.t, "amount"))
		p.Coinbase = rapid.IntRange(0, 9).Draw(s.t, "coinbase") == 0
		payments = append(payments, p)
	}
	if b, ok := pick(s, s.OpenBatches(chains.BTC)); ok && len(b.Variants) > 0 && b.Mined == nil && rapid.Bool().Draw(s.t, "mine") {
		v, _ := pick(s, b.Variants)
		txid := rapid.SampledFrom([]string{v.TxID, v.TxID, s.name("malleated")}).Draw(s.t, "as")
		spent = append(spent, spends(txid, b.Inputs...)...)
		for _, p := range v.Change {
			p.Outpoint.TxID = txid
			payments = append(payments, p)
		}
	}
	c, _ := s.Chain(chains.BTC)
	if out, ok := pick(s, c.Unspent()); ok && len(spent) == 0 && rapid.IntRange(0, 3).Draw(s.t, "theft") == 0 {
		loot := []chains.Outpoint{out.Outpoint}
		if b, ok := pick(s, s.OpenBatches(chains.BTC)); ok && b.Assigned != nil && b.Mined == nil {
			loot = append(loot, b.Inputs[0])
		}
		spent = spends(s.name("thief"), loot...)
	}
	s.named(s.name("b"), payments, spent...)
}

func (s *story) aReorganisation() {
	c, _ := s.Chain(chains.BTC)
	for range min(rapid.IntRange(1, 4).Draw(s.t, "depth"), len(c.tail)) {
		s.back()
	}
	s.named(s.name("b"), nil)
}

func (s *story) aCredit() {
	for _, d := range s.ToMint(chains.BTC) {
		s.do(&Minting{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: d.Account})
	}
	for _, d := range s.OpenDeposits() {
		if d.Intent != nil && d.Credit == nil && rapid.Bool().Draw(s.t, "row") {
			quantity := rapid.SampledFrom([]string{d.Quantity, d.Quantity, d.Quantity, "9"}).Draw(s.t, "quantity")
			s.do(&Credited{Deposit: d.ID, Symbol: d.Symbol, Quantity: quantity, To: d.Account, Tx: "m"})
		}
	}
}

func (s *story) aWithdrawal() {
	id, text := s.name("w"), chains.NewAmount(rapid.Uint64Range(1, 60_000).Draw(s.t, "net")).Coin(8)
	s.do(&Requested{Withdrawal: id, Row: s.LastRow() + 1, Symbol: "SWAP.BTC", Chain: chains.BTC, Account: "alice", Address: "payee", Quantity: text, Fee: "0", Net: text, Ref: "r"})
	w, _ := s.Withdrawal(id)
	switch rapid.IntRange(0, 4).Draw(s.t, "check") {
	case 0:
		s.do(&Parked{Withdrawal: id, Reason: "x", GiveBack: rapid.Bool().Draw(s.t, "give back")})
		if rapid.Bool().Draw(s.t, "returned") {
			s.attempt(&Returned{Withdrawal: id, Tx: "r"})
		}
	case 1:
	default:
		s.do(&Queued{Withdrawal: id, Script: "0014", Amount: w.Amount})
	}
}

func (s *story) aPlan() {
	waiting := s.ToPlan(chains.BTC)
	coin, ok := pick(s, s.Spendable(chains.BTC))
	if !ok {
		return
	}
	var ids []string
	for _, w := range waiting[:min(len(waiting), 2)] {
		ids = append(ids, w.ID)
	}
	plan := planFor(ids, coin.Outpoint)
	if len(ids) == 0 {
		plan.BatchKind = "consolidate"
		plan.Batch = BatchID(chains.BTC, plan.BatchKind, nil, plan.Inputs)
	}
	switch rapid.IntRange(0, 3).Draw(s.t, "plan") {
	case 0: // the row of another one
		s.attempt(assignedAs(plan))
	case 1:
		s.attempt(plan)
		s.attempt(&Dropped{Batch: plan.Batch, Reason: "x"})
	default:
		s.attempt(plan)
		s.attempt(assignedAs(plan))
	}
}

func (s *story) aPayout() {
	b, ok := pick(s, s.OpenBatches(chains.BTC))
	if !ok {
		return
	}
	s.attempt(&Replanned{Batch: b.ID, Fee: chains.NewAmount(200), Plan: json.RawMessage(`{"a":1}`)})
	txid := s.name("p")
	s.attempt(&Signed{
		Batch: b.ID, TxID: txid, Raw: []byte{1, 2}, Fee: chains.NewAmount(300), VSize: 141, Counter: uint64(s.n),
		Change: []Payment{changes(txid, 1, 1000)},
	})
	s.attempt(&Bumped{Batch: b.ID, Fee: chains.NewAmount(uint64(400 + s.n)), Plan: json.RawMessage(`{"b":2}`)})
	if v, ok := pick(s, b.Variants); ok {
		s.attempt(&Broadcast{Batch: b.ID, TxID: v.TxID, Verdict: chains.Accepted})
	}
}

func (s *story) aDecision() {
	for _, b := range s.ToSettle(chains.BTC) {
		s.do(&Settling{Batch: b.ID, TxID: b.Mined.TxID, Cost: "0.000003"})
	}
	for _, b := range s.OpenBatches(chains.BTC) {
		proof, _ := s.Dead(b)
		s.attempt(&Releasing{Batch: b.ID, Proof: proof})
	}
	b, ok := pick(s, s.OpenBatches(chains.BTC))
	if !ok {
		return
	}
	if rapid.IntRange(0, 3).Draw(s.t, "dead") == 0 {
		s.attempt(&Released{Batch: b.ID, Reason: "x"})
		for _, id := range b.Withdrawals {
			s.attempt(&Returned{Withdrawal: id})
		}
	} else if b.Settling != nil {
		s.attempt(&Settled{Batch: b.ID, TxID: b.Settling.TxID, Cost: b.Settling.Cost, Tx: "s"})
	}
}

func (s *story) aHalt() {
	cause := rapid.SampledFrom([]string{"operator", "audit"}).Draw(s.t, "cause")
	if rapid.Bool().Draw(s.t, "resume") {
		s.attempt(&Resumed{Chain: chains.BTC, Cause: cause, Reason: "x", Author: "y"})
	} else {
		s.attempt(&Halted{Chain: chains.BTC, Scopes: []Scope{ScopeMinting}, Cause: cause, Reason: "x", Author: "y"})
	}
}

// aPerson claims what is not minted by itself, looks at alarms and cancels.
func (s *story) aPerson() {
	for _, d := range s.Deposits("") {
		if d.Class != "" && rapid.Bool().Draw(s.t, "claim") {
			s.attempt(&Claimed{Deposit: d.ID, Author: "x", Reason: "y"})
		}
	}
	for _, a := range s.alarms(chains.BTC) {
		s.attempt(&Acknowledged{Chain: chains.BTC, TxID: a.txid, Facts: s.Facts(chains.BTC, a.txid), Author: "x", Reason: "y"})
	}
	s.attempt(&SignerAdopted{Block: s.Seq, Author: "x", Reason: "y"})
	c, _ := s.Chain(chains.BTC)
	if h, ok := pick(s, c.tail); ok {
		s.attempt(&Perished{Chain: chains.BTC, TxID: s.name("t"), Needs: at("x", 1), By: s.name("by"), Block: h.BlockRef, Raw: [][]byte{{1}}})
	}
	b, ok := pick(s, s.OpenBatches(chains.BTC))
	coin, more := pick(s, s.Spendable(chains.BTC))
	if ok && more {
		inputs := []chains.Outpoint{b.Inputs[0], coin.Outpoint}
		s.attempt(&Planned{
			Batch: BatchID(chains.BTC, BatchCancel, nil, inputs), Chain: chains.BTC, BatchKind: BatchCancel, Inputs: inputs,
			Fee: chains.NewAmount(900), Plan: json.RawMessage(`{}`), Author: "x", Reason: "y",
		})
	}
}

func (s *story) anAccount() {
	name := s.name("account")
	s.do(&Watching{Chain: chains.BTC, Accounts: []string{name}})
	c, _ := s.Chain(chains.BTC)
	found := &Backscanned{Chain: chains.BTC, Accounts: []string{name}}
	if h, ok := pick(s, c.tail); ok {
		found.Matched = []Match{{Header: h, Payments: []Payment{pays(s.name("t"), 0, name, 70_000)}}}
	}
	s.do(found)
	s.attempt(&EpochAdded{Chain: chains.BTC, Epoch: uint32(s.n), Key: "02bb", Birthday: 5})
}

// A snapshot holds everything, whatever the history: the state read back is the
// state in every field, and every record after it makes the same of both.
func TestSnapshotOfRandomHistories(t *testing.T) {
	tried := map[string]bool{}
	rapid.Check(t, func(t *rapid.T) {
		s := &story{book: openBook(t), t: t, tried: tried}
		t.Repeat(s.allChapters())
		text := s.Snapshot()
		read, err := ReadSnapshot(text)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(s.State, read, every); diff != "" {
			t.Fatalf("what was forgotten: %s", diff)
		}
		if !bytes.Equal(text, read.Snapshot()) {
			t.Fatal("sharing was lost")
		}
		from := len(s.log)
		t.Repeat(s.allChapters())
		for _, r := range s.log[from:] {
			if err := read.Apply(r); err != nil {
				t.Fatal(err)
			}
		}
		if s.Hash() != read.Hash() {
			t.Fatalf("%d records later they differ: %s", len(s.log)-from, cmp.Diff(s.State, read, every))
		}
		for _, r := range s.log {
			tried[r.Event.Kind()] = true
		}
	})
	for kind := range registry {
		if !tried[kind] && kind != "sealed" {
			t.Errorf("no history holds a %q: give aBlock and its like a new one", kind)
		}
	}
}

// The replay of what was stored comes to the same hash, and seals say so.
func TestReplayComesToTheSameHash(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		s := &story{book: openBook(t), t: t, tried: map[string]bool{}}
		again := NewState()
		t.Repeat(s.allChapters())
		var link Link
		for _, r := range s.log {
			text, next, err := r.Encode(link)
			if err != nil {
				t.Fatal(err)
			}
			read, _, err := DecodeRecord(text, r.Seq, link)
			if err != nil {
				t.Fatal(err)
			}
			link = next
			if err := again.Apply(read); err != nil {
				t.Fatal(err)
			}
		}
		if again.Hash() != s.Hash() {
			t.Fatalf("after %d records: %s", len(s.log), cmp.Diff(s.State, again, every))
		}
		seal, _ := s.Seal(0)
		r := Record{Seq: s.Seq + 1, Event: &Sealed{Form: seal.Form, Hash: seal.Hash}}
		if err := again.Apply(r); err != nil {
			t.Fatal(err)
		}
		for _, bad := range []*Sealed{{Form: seal.Form, Hash: strings.Repeat("0", 64)}, {}, {Form: seal.Form, Hash: "x"}} {
			if err := s.try(bad); !errors.Is(err, ErrTransition) {
				t.Fatalf("seal %+v: %v", bad, err)
			}
		}
		// Of a form that this program does not know nothing can be said.
		if err := s.try(&Sealed{Form: "0123456789abcdef", Hash: strings.Repeat("0", 64)}); err != nil {
			t.Fatal(err)
		}
	})
}

// Every field that a State reaches is in its snapshot: each is changed by itself
// and must change the hash.
func TestEveryFieldIsInTheSnapshot(t *testing.T) {
	b := paidBook(t)
	b.queue("w9", 20_000)
	b.do(&Halted{Chain: chains.BTC, Scopes: Scopes(), Cause: "x", Author: "y", Reason: "z"})
	before := b.Hash()
	walker := fieldWalker{check: func(path string) {
		if b.Hash() == before {
			t.Errorf("%s is not in the snapshot", path)
		}
	}, seen: map[any]bool{}}
	walker.walk("State", reflect.ValueOf(b.State).Elem())
	if b.Hash() != before || walker.fields < 100 {
		t.Errorf("%d fields were tried", walker.fields)
	}
}

func TestDamagedSnapshot(t *testing.T) {
	text := paidBook(t).Snapshot()
	for n := 0; n < len(text); n += 7 {
		if _, err := ReadSnapshot(text[:n:n]); !errors.Is(err, graph.ErrForm) {
			t.Fatalf("%d bytes: %v", n, err)
		}
	}
}
