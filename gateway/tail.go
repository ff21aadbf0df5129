package gateway

import (
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
