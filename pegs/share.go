package pegs

import "causeway/chains"

// What is read from records has texts of its own, most of which the state has
// already. Of equal texts one is kept: with very many deposits and withdrawals the
// others would be a third of the state's memory. Nothing else changes by it.

// shared is the first text where the second equals it, else the second.
func shared[T ~string](known, text T) T {
	if text == known {
		return known
	}
	return text
}

// sharePayment gives a payment the texts of the newest deposit to its address.
func (s *State) sharePayment(c *Chain, p *Payment) {
	for _, kind := range []chains.WatchKind{chains.WatchDeposit, chains.WatchChange, chains.WatchHot, chains.WatchCold} {
		p.Kind = shared(kind, p.Kind)
	}
	list := s.depositsOf[p.Account]
	if len(list) == 0 || p.Kind != chains.WatchDeposit {
		return
	}
	last := list[len(list)-1]
	p.Account, p.Address = shared(last.Account, p.Account), shared(last.Address, p.Address)
	p.Outpoint.TxID = shared(last.Outpoint.TxID, p.Outpoint.TxID)
	if out := c.outputs[last.Outpoint]; out != nil {
		p.Script = shared(out.Script, p.Script)
	}
}

// share gives an intent the texts of its deposit.
func (e *Minting) share(d *Deposit) {
	e.Deposit, e.Symbol = shared(d.ID, e.Deposit), shared(d.Symbol, e.Symbol)
	e.Quantity, e.To = shared(d.Quantity, e.Quantity), shared(d.Account, e.To)
}

// share gives a credit the texts of its deposit, and its transaction that of the
// history.
func (e *Credited) share(d *Deposit, detail string) {
	e.Deposit, e.Symbol = shared(d.ID, e.Deposit), shared(d.Symbol, e.Symbol)
	e.Quantity, e.To = shared(d.Quantity, e.Quantity), shared(d.Account, e.To)
	e.Tx = detail[len(detail)-len(e.Tx):]
}

// share gives a withdrawal the texts of its asset and of the one before it of its
// account.
func (w *Withdrawal) share(asset Asset, earlier []*Withdrawal) {
	w.Symbol, w.Chain, w.Fee = shared(asset.Symbol, w.Symbol), shared(asset.Chain, w.Chain), shared(asset.WithdrawalFee, w.Fee)
	if len(earlier) == 0 {
		return
	}
	last := earlier[len(earlier)-1]
	w.Account, w.Fee = shared(last.Account, w.Account), shared(last.Fee, w.Fee)
	w.Address, w.Quantity, w.Net = shared(last.Address, w.Address), shared(last.Quantity, w.Quantity), shared(last.Net, w.Net)
}
