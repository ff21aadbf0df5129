package gateway

import (
	"cmp"
	"slices"

	"causeway/chains"
	"causeway/pegs"
)

// entriesOf lists what of the facts the state does not know yet.
func entriesOf(s *pegs.State, f facts) []Entry {
	b := booking{state: s, facts: f, dropped: map[string]bool{}, leaving: map[chains.Outpoint]bool{}}
	b.assets()
	b.requests()
	b.deposits()
	b.batches()
	b.returns()
	b.charges()
	return b.entries
}

// booking turns facts into the events that the state does not know yet. Where an
// event rests on another of the same facts, the next round books it.
type booking struct {
	state   *pegs.State
	facts   facts
	entries []Entry
	dropped map[string]bool
	leaving map[chains.Outpoint]bool // inputs of adopted batches whose release the next round books
}

func (b *booking) add(e pegs.Event) {
	b.entries = append(b.entries, Entry{Event: e, Base: b.facts.head.Base})
}

func (b *booking) assets() {
	if len(b.facts.assets) > 0 && !slices.Equal(b.facts.assets, b.state.Assets()) {
		b.add(&pegs.AssetsSeen{Assets: b.facts.assets})
	}
}

func (b *booking) requests() {
	for _, row := range b.facts.requests {
		if row.Row <= b.state.LastRow() {
			continue
		}
		b.add(&pegs.Requested{
			Withdrawal: row.ID, Row: row.Row, Symbol: row.Symbol, Chain: row.Chain, Account: row.Account,
			Address: row.Address, Quantity: row.Quantity, Fee: row.Fee, Net: row.Net, Ref: row.Ref,
		})
	}
}

func (b *booking) charges() {
	for _, c := range b.facts.charges {
		if known, ok := b.state.Batch(c.batch); ok && known.Failed != nil && known.Charged == nil {
			b.add(&pegs.Charged{Batch: c.batch, TxID: c.txid, Cost: c.cost})
		}
	}
}

// batches books assignments and settlements, ours and those that we find.
func (b *booking) batches() {
	ids := make([]string, 0, len(b.facts.batches))
	for id := range b.facts.batches {
		ids = append(ids, id)
	}
	// What was released comes first: its inputs may be another's by now.
	slices.Sort(ids)
	slices.SortStableFunc(ids, func(x, y string) int { return cmp.Compare(b.order(x), b.order(y)) })
	for _, id := range ids {
		row := b.facts.batches[id]
		known, ok := b.state.Batch(id)
		switch {
		case !ok:
			b.adopt(row)
		case known.Assigned == nil && !known.Is(row.Chain, row.Kind, row.IDs, row.Spends):
			b.halt(row.Chain, "batch "+id+" was assigned otherwise than planned")
		case known.Assigned == nil:
			b.assigned(row)
		case row.State == rowReleased && known.Released == nil && known.Settled == nil:
			b.add(&pegs.Released{Batch: id, Reason: row.Reason})
			b.uncancel(known)
		case row.State == rowClosed && known.Settled == nil:
			b.add(&pegs.Settled{Batch: id, TxID: row.TxID, Cost: row.Cost, Tx: b.facts.closers[id]})
			b.uncancel(known)
		}
	}
}

// uncancel drops the cancel of a batch that is over when it was not assigned yet: it
// never will be, and its inputs would be kept for ever.
func (b *booking) uncancel(over *pegs.Batch) {
	if cancel := b.state.CancelOf(over); cancel != nil {
		b.drop(cancel.ID, "batch "+over.ID+" is over")
	}
}

// order puts what was released before the rest.
func (b *booking) order(batch string) int {
	if b.facts.batches[batch].State == rowReleased {
		return 0
	}
	return 1
}

func (b *booking) assigned(row BatchRow) {
	b.add(&pegs.Assigned{Batch: row.Batch, Chain: row.Chain, BatchKind: row.Kind, Withdrawals: row.IDs, Inputs: row.Spends})
}

// halt stops payouts of a chain for what the sidechain says.
func (b *booking) halt(chain chains.ID, reason string) {
	if c, ok := b.state.Chain(chain); ok && !c.HaltedBy(causeSidechain) {
		b.add(&pegs.Halted{Chain: chain, Scopes: []pegs.Scope{pegs.ScopePayouts}, Cause: causeSidechain, Reason: reason, Author: gatewayAuthor})
	}
}

// adopt takes in a batch that was assigned and that we did not plan. What we
// planned for its withdrawals, or with its inputs, can never be assigned: it is
// dropped first, and the batch adopted in the next round.
func (b *booking) adopt(row BatchRow) {
	if _, ok := b.state.Chain(row.Chain); !ok {
		return
	}
	waits := false
	drop := func(batch string) {
		waits = b.drop(batch, "the sidechain assigned batch "+row.Batch+" instead") || waits
	}
	for _, id := range row.IDs {
		w, ok := b.state.Withdrawal(id)
		if !ok {
			return // not read yet: the next round
		}
		drop(w.Batch)
	}
	c, _ := b.state.Chain(row.Chain)
	for _, spend := range row.Spends {
		drop(c.KeptFor(spend))
		waits = waits || b.leaving[spend] && row.Kind != pegs.BatchCancel
	}
	if waits {
		return
	}
	b.assigned(row)
	for _, spend := range row.Spends {
		b.leaving[spend] = row.State == rowReleased && row.Kind != pegs.BatchCancel
	}
}

// drop takes back a batch that was planned and can never be assigned, once. It
// says whether the batch is such a one, or still to be taken in.
func (b *booking) drop(batch, reason string) bool {
	known, ok := b.state.Batch(batch)
	if !ok || known.Assigned != nil {
		return false
	}
	if _, assigned := b.facts.batches[batch]; assigned {
		return true // and died: the next rounds book that first
	}
	if !b.dropped[batch] {
		b.dropped[batch] = true
		b.add(&pegs.Dropped{Batch: batch, Reason: reason})
	}
	return true
}

func (b *booking) returns() {
	for _, row := range b.facts.withdrawals {
		w, ok := b.state.Withdrawal(row.ID)
		if !ok || w.Returned != nil || row.State != rowReturned {
			continue
		}
		if b.drop(w.Batch, "withdrawal "+w.ID+" was given back") || b.unread(row) {
			continue
		}
		b.add(&pegs.Returned{Withdrawal: row.ID})
	}
}

// unread says whether a withdrawal belongs to a batch that is still to be taken
// in: it was released, and comes before what became of its withdrawals.
func (b *booking) unread(row WithdrawalRow) bool {
	_, known := b.state.Batch(row.Batch)
	_, served := b.state.Chain(row.Chain)
	return row.Batch != "" && served && !known
}

func (b *booking) deposits() {
	booked := map[string]bool{}
	for _, row := range b.facts.deposits {
		if b.state.TakesCredit(row.ID) && !booked[row.ID] {
			booked[row.ID] = true
			b.add(&pegs.Credited{Deposit: row.ID, Symbol: row.Symbol, Quantity: row.Quantity, To: row.To, Tx: row.Tx})
		}
	}
}
