package pegs

import (
	"fmt"
	"time"

	"causeway/chains"
)

// The kinds of batches of chains of accounts alone. A sweep brings what a deposit
// address holds to the hot account, a top-up brings the coin to an account that
// has to pay gas.
const (
	BatchSweep = "sweep"
	BatchTopup = "topup"
)

// Decided is the transaction of the chain that a batch became: Mined, or Failed.
func (b *Batch) Decided() *Spending {
	if b.Mined != nil {
		return b.Mined
	}
	return b.Failed
}

// decide ties a batch to its transaction.
func (b *Batch) decide(tx *Spending) {
	b.Conflict = ""
	if tx.Result != nil && tx.Result.Failed {
		b.Failed = tx
		return
	}
	b.Mined = tx
}

// ended says whether nothing is to be done about a batch any more. What failed has
// still to be charged.
func (b *Batch) ended() bool {
	if b.Mined != nil {
		return b.Settled != nil
	}
	return b.Released != nil && (b.Failed == nil || b.Charged != nil)
}

// paysAs says whether a transaction does what a batch is to do. Where an input
// says it all (outputs) there is nothing to ask; a nonce says nothing of what is
// paid with it.
func (s *State) paysAs(c *Chain, b *Batch, r *Result) bool {
	switch {
	case !c.Accounts():
		return true
	case r == nil:
		return false
	}
	switch b.Kind {
	case BatchPayout:
		return len(b.Withdrawals) == 1 && r.pays(s.withdrawals[b.Withdrawals[0]])
	case BatchSweep:
		return r.Kind == chains.WatchChange
	case BatchTopup:
		return r.Token == "" && (r.Kind == chains.WatchDeposit || r.Kind == chains.WatchSweeper || r.Kind == chains.WatchChange)
	case BatchCancel:
		return r.Token == "" && r.To == r.From && r.Value.IsZero()
	}
	return false
}

// pays says whether a transaction is to pay exactly what a withdrawal is owed.
func (r *Result) pays(w *Withdrawal) bool {
	payee := accountKey(w.Address)
	if w.Token == "" {
		return r.Token == "" && r.To == payee && r.Value == w.Amount
	}
	return r.Token == w.Token && r.To == w.Token && r.Value.IsZero() && r.Payee == payee && r.Units == w.Amount
}

// accountPlan checks a plan of a chain of accounts: one transaction of one account
// of the right kind, that pays at most one withdrawal.
func (s *State) accountPlan(c *Chain, e *Planned) error {
	if !c.Accounts() {
		return nil
	}
	a := c.holders[e.Inputs[0].TxID]
	switch {
	case len(e.Inputs) != 1 || len(e.Withdrawals) > 1:
		return refuse("batch %s of %d inputs pays %d withdrawals", e.Batch, len(e.Inputs), len(e.Withdrawals))
	case a == nil || a.Kind == "":
		return refuse("batch %s sends from %s, which is none of ours", e.Batch, e.Inputs[0].TxID)
	}
	right := false
	switch e.BatchKind {
	case BatchPayout:
		right = a.Kind == chains.WatchChange
	case BatchSweep:
		right = a.Kind == chains.WatchDeposit
	case BatchTopup:
		right = a.Kind == chains.WatchChange || a.Kind == chains.WatchSweeper
	case BatchCancel:
		right = true
	}
	if !right {
		return refuse("a %s cannot be sent from %s, which is of kind %s", e.BatchKind, a.Address, a.Kind)
	}
	return nil
}

// taken is what a plan takes out of its account: of a payout, what is owed.
func (s *State) taken(kind string, withdrawals []string, token string, value chains.Amount) (string, chains.Amount) {
	if kind == BatchPayout && len(withdrawals) == 1 {
		w := s.withdrawals[withdrawals[0]]
		return w.Token, w.Amount
	}
	return token, value
}

// Owes says whether the cost of a batch's transaction is to be charged: it is final
// and the sidechain has not closed the batch, or it failed and was not charged.
func (s *State) Owes(b *Batch) bool {
	if b.Assigned == nil {
		return false
	}
	if b.Failed != nil {
		return b.Charged == nil && s.chains[b.Chain].final(b.Failed.In)
	}
	return b.Settled == nil && b.state(s) == WithdrawalConfirmed
}

// charged books a fact of the sidechain.
func (s *State) charged(e *Charged, at time.Time) error {
	b := s.batches[e.Batch]
	if b == nil || b.Failed == nil || b.Failed.TxID != e.TxID || b.Charged != nil {
		return refuse("batch %s cannot be charged for %s", e.Batch, e.TxID)
	}
	b.Charged = e
	s.touchBatch(b, at, e.TxID)
	return nil
}

// Uncharged lists the batches of a chain that failed and that the sidechain has not
// been seen to charge.
func (s *State) Uncharged(id chains.ID) []*Batch {
	return s.batchesWhere(id, func(b *Batch) bool { return b.Failed != nil && b.Charged == nil })
}

// failedProof is the proof that a batch whose transaction failed is dead.
func failedProof(b *Batch) (needs, cause string) {
	tx := b.Failed
	return outpointText(b.Inputs[0]), fmt.Sprintf(" was used by %s with status 0 in block %d %s", tx.TxID, tx.In.Height, tx.In.Hash)
}
