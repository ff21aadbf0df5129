package gateway

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"slices"

	"causeway/chains"
	"causeway/pegs"
)

// tail brings the sidechain's rows of final blocks into the ledger. It asks for
// what the ledger waits for, so that nothing is missed by being late.
type tail struct {
	ledger    *Ledger
	sidechain Sidechain
	log       *slog.Logger
	notes     *notes
	hook      func(string)
	swept     map[chains.ID]bool // all batch rows were looked at since the start
	asked     uint64             // every withdrawal up to this row was asked for since the start
	turn      turns
}

// turns says where the next turn of those begins of which nothing is expected.
type turns struct{ deposits, withdrawals int }

const (
	// rowsPerStep bounds the withdrawals taken in at once.
	rowsPerStep = 500
	// firstPerStep bounds those of a queue that a step looks at because their rows
	// are expected, the oldest first.
	firstPerStep = maxOnTheWay
	// turnsPerStep is of how many others a step looks at the rows though nothing is
	// expected of them: deposits that nobody is to mint, of which only claims of
	// other attestors make credits, and withdrawals that wait or are told of by
	// their batch.
	turnsPerStep = 300
)

// questions is what the ledger waits for.
type questions struct {
	deposits    []string
	withdrawals []string
	batches     []string
	chains      []chains.ID
	charges     []charge
	accounts    []chains.ID // of chains, those whose deposits others may divide otherwise
	lastRow     uint64
	base        pegs.BaseRef
}

// charge is a transaction of a batch that failed, whose cost is to be charged.
type charge struct {
	batch string
	chain chains.ID
	txid  string
	cost  string // once it was
}

// facts is what the sidechain says at one block.
type facts struct {
	head        SideHead
	assets      []pegs.Asset
	deposits    []DepositRow
	requests    []WithdrawalRow
	withdrawals []WithdrawalRow
	batches     map[string]BatchRow
	closers     map[string]string // sidechain transactions that closed batches
	charges     []charge
}

// step takes in everything new, however much it is.
func (t *tail) step(ctx context.Context) error {
	more := false // rows of withdrawals that were not read yet
	for {
		q, next, err := t.questions(more)
		if err != nil {
			return err
		}
		f, err := t.ask(q)
		if err != nil {
			return err
		}
		n, err := t.book(ctx, f)
		if err != nil {
			return err
		}
		if n == 0 {
			t.asked, t.turn = q.lastRow, next
			return nil
		}
		more = len(f.requests) == rowsPerStep
	}
}

// questions lists what to ask for, and says where the next turns begin. While
// withdrawals are read that are new, nothing is asked of them.
func (t *tail) questions(more bool) (q questions, next turns, err error) {
	err = t.ledger.View(func(s *pegs.State) {
		q.deposits, next.deposits = t.deposits(s)
		q.withdrawals, next.withdrawals = t.withdrawals(s, more)
		for _, id := range s.ChainIDs() {
			q.chains = append(q.chains, id)
			if c, ok := s.Chain(id); ok && c.Accounts() {
				q.accounts = append(q.accounts, id)
			}
			for _, b := range s.Uncharged(id) {
				q.charges = append(q.charges, charge{batch: b.ID, chain: id, txid: b.Failed.TxID})
			}
			for _, b := range s.OpenBatches(id) {
				if b.Settled == nil {
					q.batches = append(q.batches, b.ID)
				}
			}
		}
		q.lastRow, q.base = s.LastRow(), s.Base
	})
	return q, next, err
}

// deposits lists the deposits to be asked for: those that are minted, the oldest
// first, and some of all that are not credited, so that each of them has its turn
// again and again.
func (t *tail) deposits(s *pegs.State) (ids []string, next int) {
	for _, id := range s.ChainIDs() {
		minting := s.Minting(id)
		for _, d := range minting[:min(len(minting), firstPerStep)] {
			ids = append(ids, d.ID)
		}
	}
	others, next := s.TurnOfDeposits(t.turn.deposits, turnsPerStep)
	for _, d := range others {
		ids = append(ids, d.ID)
	}
	return distinct(ids), next
}

// withdrawals lists the open withdrawals to be asked for: those that are new since
// the start or the step before, those whose batch is planned and not assigned, and
// those that are not to be paid, the oldest first; of the others some, so that each
// of them has its turn again and again.
func (t *tail) withdrawals(s *pegs.State, more bool) (ids []string, next int) {
	add := func(list []*pegs.Withdrawal) {
		for _, w := range list {
			ids = append(ids, w.ID)
		}
	}
	if !more {
		add(s.OpenAfter(t.asked))
	}
	for _, id := range s.ChainIDs() {
		parked := s.Parked(id)
		add(parked[:min(len(parked), firstPerStep)])
		for _, b := range s.OpenBatches(id) {
			if b.Unassigned() {
				ids = append(ids, b.Withdrawals...)
			}
		}
	}
	others, next := s.TurnOfWithdrawals(t.turn.withdrawals, turnsPerStep)
	add(others)
	return distinct(ids), next
}

func distinct(ids []string) []string {
	slices.Sort(ids)
	return slices.Compact(ids)
}

func (t *tail) ask(q questions) (f facts, err error) {
	f.batches = map[string]BatchRow{}
	err = t.sidechain.View(func(v SideState) error {
		f.head = v.Head()
		if f.head.Base.Number < q.base.Number {
			return fmt.Errorf("gateway: the sidechain stands at base block %d, the ledger has seen %d", f.head.Base.Number, q.base.Number)
		}
		if f.assets, err = v.Assets(); err != nil {
			return err
		}
		for _, id := range q.deposits {
			if row, ok := v.Deposit(id); ok {
				f.deposits = append(f.deposits, row)
			}
		}
		t.askAccounts(v, q, &f)
		if f.requests, err = v.WithdrawalsAfter(q.lastRow, rowsPerStep); err != nil {
			return err
		}
		return t.askBatches(v, q, &f)
	})
	f.closers = map[string]string{}
	for id, row := range f.batches {
		if row.State == rowClosed {
			f.closers[id] = t.sidechain.SettledBy(row)
		}
	}
	return f, err
}

// askAccounts looks up what was charged for transactions that failed, and once after
// the start every deposit of chains of accounts: which there are is decided by when
// accounts were read, so that a ledger that was made anew may know others.
func (t *tail) askAccounts(v SideState, q questions, f *facts) {
	for _, c := range q.charges {
		var ok bool
		if c.cost, ok = v.Cost(c.chain, c.txid); ok {
			f.charges = append(f.charges, c)
		}
	}
	for _, chain := range q.accounts {
		if !t.swept[chain] {
			f.deposits = append(f.deposits, v.ChainDeposits(chain)...)
		}
	}
}

// askBatches looks up the rows of batches that we know, that withdrawals name,
// and once after the start all there are.
func (t *tail) askBatches(v SideState, q questions, f *facts) error {
	wanted := slices.Clone(q.batches)
	for _, id := range q.withdrawals {
		row, ok := v.Withdrawal(id)
		if !ok {
			return fmt.Errorf("%w: withdrawal %s is no longer there", ErrOlderBase, id)
		}
		f.withdrawals = append(f.withdrawals, row)
		if row.Batch != "" {
			wanted = append(wanted, row.Batch)
		}
	}
	slices.Sort(wanted)
	for _, id := range slices.Compact(wanted) {
		row, ok, err := v.Batch(id)
		if err != nil {
			return err
		}
		if ok {
			f.batches[id] = row
		}
	}
	for _, chain := range q.chains {
		if t.swept[chain] {
			continue
		}
		rows, err := v.Batches(chain)
		if err != nil {
			return err
		}
		for _, row := range rows {
			f.batches[row.Batch] = row
		}
		t.swept[chain] = true
	}
	return nil
}

// book appends what is new and says how much that was.
func (t *tail) book(ctx context.Context, f facts) (n int, err error) {
	var halts []chains.ID
	if err := t.ledger.View(func(s *pegs.State) {
		entries := entriesOf(s, f)
		n = len(entries)
		for _, e := range entries {
			if halt, ok := e.Event.(*pegs.Halted); ok {
				halts = append(halts, halt.Chain)
			}
		}
	}); err != nil || n == 0 {
		return 0, err
	}
	slices.Sort(halts)
	for _, id := range slices.Compact(halts) {
		defer t.ledger.exclude(id)()
	}
	t.hook("C6")
	t.hook("C7")
	err = t.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		entries := entriesOf(s, f)
		n = len(entries)
		return entries, nil
	})
	if err != nil {
		return 0, err
	}
	t.log.Debug("sidechain rows booked", "sidechain_block", f.head.Block, "events", n)
	for _, row := range f.deposits {
		t.notes.set(row.ID, "")
		t.notes.hold(row.ID, false)
	}
	for _, row := range f.withdrawals {
		if row.State == rowReturned || row.State == rowSettled {
			t.notes.set(row.ID, "")
		}
	}
	for _, row := range f.batches {
		if row.State != rowClosed {
			continue
		}
		for _, id := range row.IDs {
			t.notes.set(id, "")
		}
	}
	return n, nil
}

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

func (b *booking) deposits() {
	booked := map[string]bool{}
	for _, row := range b.facts.deposits {
		if b.state.TakesCredit(row.ID) && !booked[row.ID] {
			booked[row.ID] = true
			b.add(&pegs.Credited{Deposit: row.ID, Symbol: row.Symbol, Quantity: row.Quantity, To: row.To, Tx: row.Tx})
		}
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
