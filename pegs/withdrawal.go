package pegs

import (
	"time"

	"causeway/chains"
)

// WithdrawalState is where a withdrawal stands.
type WithdrawalState string

// The states of a withdrawal.
const (
	WithdrawalRequested WithdrawalState = "requested" // burned in a final block
	WithdrawalQueued    WithdrawalState = "queued"    // can be paid, waits for its batch
	WithdrawalPlanned   WithdrawalState = "planned"   // inputs are kept for it
	WithdrawalSigned    WithdrawalState = "signed"
	WithdrawalBroadcast WithdrawalState = "broadcast"
	WithdrawalConfirmed WithdrawalState = "confirmed" // deep enough
	WithdrawalSettled   WithdrawalState = "settled"   // and booked on the sidechain
	WithdrawalParked    WithdrawalState = "parked"
	WithdrawalReturned  WithdrawalState = "returned"
)

// Withdrawal is a burn of tokens for which we owe coins. Its id is the
// sidechain transaction that burned them.
type Withdrawal struct {
	ID       string
	Row      uint64
	Chain    chains.ID
	Symbol   string
	Token    string // contract; empty for the chain's own coin
	Account  string
	Address  string
	Quantity string
	Fee      string
	Net      string
	Ref      string
	Amount   chains.Amount // what Net is in base units of the coin
	Script   string        // hex, once queued
	Batch    string        // once planned
	Due      uint64        // base block up to which a large one is delayed; 0: it is not
	Admitted uint64        // base block at which the limits let it through
	Parked   *Parked
	Returned *Returned
	History  []Step

	index  int
	queued bool
	queue  WithdrawalState `graph:"derived"` // of the index that it is in
	part   WithdrawalState `graph:"derived"` // the second one that it is in, if it is queued
}

func (w *Withdrawal) place() int { return w.index }

// WithdrawalState is where a withdrawal stands.
func (s *State) WithdrawalState(w *Withdrawal) WithdrawalState {
	switch {
	case w.Returned != nil:
		return WithdrawalReturned
	case w.Parked != nil:
		return WithdrawalParked
	case w.Batch == "" && w.queued:
		return WithdrawalQueued
	case w.Batch == "":
		return WithdrawalRequested
	}
	return s.batches[w.Batch].state(s)
}

func (s *State) touchWithdrawal(w *Withdrawal, at time.Time, detail string) {
	state := s.WithdrawalState(w)
	s.enqueue(w, state)
	if n := len(w.History); n > 0 && w.History[n-1].State == string(state) {
		return
	}
	w.History = append(w.History, Step{State: string(state), At: at, Detail: detail})
	if state == WithdrawalSettled || state == WithdrawalReturned {
		s.openWithdrawals.remove(w)
	} else {
		s.openWithdrawals.add(w)
	}
}

func (s *State) requested(e *Requested, at time.Time) error {
	asset, ok := s.assets[e.Symbol]
	switch {
	case s.withdrawals[e.Withdrawal] != nil:
		return refuse("withdrawal %s twice", e.Withdrawal)
	case e.Row <= s.lastRow:
		return refuse("row %d after row %d", e.Row, s.lastRow)
	case !ok || asset.Chain != e.Chain:
		return refuse("no asset %s on %s", e.Symbol, e.Chain)
	}
	amount, err := asset.Amount(e.Net)
	if err != nil {
		return refuse("net of withdrawal %s: %v", e.Withdrawal, err)
	}
	w := &Withdrawal{
		ID: e.Withdrawal, Row: e.Row, Chain: e.Chain, Symbol: e.Symbol, Account: e.Account, Address: e.Address,
		Quantity: e.Quantity, Fee: e.Fee, Net: e.Net, Ref: e.Ref, Amount: amount, Token: accountKey(asset.Token), index: len(s.withdrawalList),
	}
	w.share(asset, s.withdrawalsOf[w.Account])
	s.withdrawals[w.ID] = w
	s.withdrawalList = append(s.withdrawalList, w)
	s.withdrawalsOf[w.Account] = append(s.withdrawalsOf[w.Account], w)
	s.lastRow = e.Row
	s.touchWithdrawal(w, at, "")
	return nil
}

func (s *State) queued(e *Queued, at time.Time) error {
	w := s.withdrawals[e.Withdrawal]
	switch {
	case w == nil:
		return refuse("withdrawal %s is not known", e.Withdrawal)
	case w.Batch != "" || w.Returned != nil || w.queued && w.Parked == nil || w.Parked != nil && w.Parked.GiveBack:
		return refuse("withdrawal %s is %s", w.ID, s.WithdrawalState(w))
	case e.Amount != w.Amount:
		return refuse("withdrawal %s is of %s, not %s", w.ID, w.Amount, e.Amount)
	}
	w.Script, w.queued, w.Parked = e.Script, true, nil
	s.touchWithdrawal(w, at, "")
	return nil
}

func (s *State) parked(e *Parked, at time.Time) error {
	w := s.withdrawals[e.Withdrawal]
	if w == nil {
		return refuse("withdrawal %s is not known", e.Withdrawal)
	}
	again := w.Parked != nil && (w.Parked.GiveBack || !e.GiveBack)
	if w.Batch != "" || w.Returned != nil || again {
		return refuse("withdrawal %s is %s", w.ID, s.WithdrawalState(w))
	}
	if c, ok := s.chains[w.Chain]; ok {
		c.unadmit(w)
	}
	w.Parked = e
	s.touchWithdrawal(w, at, e.Reason)
	return nil
}

// returned books a fact of the sidechain, which gives tokens back only when
// nothing was assigned, or what was assigned is proven dead.
func (s *State) returned(e *Returned, at time.Time) error {
	w := s.withdrawals[e.Withdrawal]
	switch {
	case w == nil:
		return refuse("withdrawal %s is not known", e.Withdrawal)
	case w.Returned != nil:
		return refuse("withdrawal %s twice returned", w.ID)
	case w.Batch != "" && s.batches[w.Batch].Assigned == nil:
		return refuse("withdrawal %s is planned in %s", w.ID, w.Batch)
	}
	w.Returned = e
	s.touchWithdrawal(w, at, "")
	return nil
}
