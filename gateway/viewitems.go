package gateway

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"causeway/chains"
	"causeway/chains/address"
	"causeway/pegs"
)

// Deposits lists deposits, newest first, of one account unless it is empty. What
// only the mempool knows is newer than what blocks hold.
func (g *Gateway) Deposits(account, cursor string, limit int) (Page[Deposit], error) {
	page := Page[Deposit]{Items: []Deposit{}}
	var err error
	viewErr := g.ledger.View(func(s *pegs.State) {
		list, seen := s.Deposits(account), g.seen(s, account)
		var newest, oldest int
		if newest, oldest, page.NextCursor, err = window(len(list)+len(seen), cursor, limit); err != nil {
			return
		}
		for i := newest - 1; i >= oldest; i-- {
			if i >= len(list) {
				page.Items = append(page.Items, seen[i-len(list)].view(s))
				continue
			}
			page.Items = append(page.Items, g.currentView(s, list[i]))
		}
	})
	return page, firstError(viewErr, err)
}

// seen lists the deposits that no block of the ledger holds, oldest first. They take
// the same places in the list once one does.
func (g *Gateway) seen(s *pegs.State, account string) []seenDeposit {
	var list []seenDeposit
	for _, f := range g.chains {
		list = append(list, f.seen(g, s, account)...)
	}
	list = slices.DeleteFunc(list, func(d seenDeposit) bool { _, known := s.Deposit(d.id); return known })
	slices.SortStableFunc(list, func(a, b seenDeposit) int {
		return cmp.Or(a.at.Compare(b.at), cmp.Compare(a.order, b.order))
	})
	return list
}

// currentView is a deposit of the ledger; one that left the chain may be on its
// way into it again.
func (g *Gateway) currentView(s *pegs.State, d *pegs.Deposit) Deposit {
	if m := g.mempools[d.Chain]; m != nil && d.State() == pegs.DepositGone {
		if p, ok := m.find(d.Outpoint); ok {
			p.chain = d.Chain
			return g.seenView(s, p)
		}
	}
	return g.depositView(s, d)
}

// Deposit finds a deposit by its id.
func (g *Gateway) Deposit(id string) (d Deposit, err error) {
	found := false
	viewErr := g.ledger.View(func(s *pegs.State) {
		if known, ok := s.Deposit(id); ok {
			d, found = g.currentView(s, known), true
			return
		}
		for _, p := range g.seen(s, "") {
			if p.id == id {
				d, found = p.view(s), true
				return
			}
		}
	})
	if viewErr != nil {
		return Deposit{}, viewErr
	}
	if !found {
		return Deposit{}, refuse(CodeNotFound, "no deposit %q", clip(id))
	}
	return d, nil
}

// decimalsOf is how many decimals amounts of a chain's coin, or of a token of it,
// have.
func decimalsOf(s *pegs.State, chain chains.ID, token string) int {
	if asset, ok := s.AssetOf(chain, token); ok {
		return asset.Decimals
	}
	return pegs.CoinDecimals(chain)
}

func (g *Gateway) depositView(s *pegs.State, d *pegs.Deposit) Deposit {
	decimals := decimalsOf(s, d.Chain, d.Token)
	v := Deposit{
		ID: d.ID, Chain: string(d.Chain), Symbol: d.Symbol, Account: d.Account, Address: d.Address,
		TxID: d.Outpoint.TxID, Index: d.Outpoint.Index, Amount: d.Amount.Coin(decimals), Quantity: d.Quantity,
		Remainder: d.Remainder.Coin(decimals), State: string(d.State()), Reason: d.Reason,
		History: slices.Clone(d.History),
	}
	v.Confirmations, v.ConfirmationsNeeded = g.shown(d.Chain, d.In, s.Confirmations(d), s.Needed(d))
	if d.In != nil {
		v.Block, v.Height = &d.In.Hash, &d.In.Height
	}
	if d.Credit != nil {
		v.SidechainTx = d.Credit.Tx
	}
	v.Detail = g.detail(d.ID, d.History)
	switch c, _ := s.Chain(d.Chain); d.State() {
	case pegs.DepositCredited:
		v.Detail = lastDetail(d.History)
	case pegs.DepositConfirming, pegs.DepositMinting:
		if c.Stands(pegs.ScopeMinting) || c.Stands(pegs.ScopeDeposits) {
			v.Reason = c.HaltReason()
		}
		if g.notes.isHeld(d.ID) {
			v.State, v.Reason = string(pegs.DepositHeld), g.notes.get(d.ID)
		}
	}
	return v
}

func (g *Gateway) seenView(s *pegs.State, p seenPayment) Deposit {
	id := p.chain
	decimals := pegs.CoinDecimals(id)
	asset, _ := s.NativeAsset(id)
	c, _ := s.Chain(id)
	quantity, remainder, err := asset.Quantity(p.Amount)
	if err != nil {
		quantity = ""
	}
	return Deposit{
		ID: pegs.DepositID(id, p.Outpoint), Chain: string(id), Symbol: asset.Symbol, Account: p.Account, Address: p.Address,
		TxID: p.Outpoint.TxID, Index: p.Outpoint.Index, Amount: p.Amount.Coin(decimals), Quantity: quantity,
		Remainder: remainder.Coin(decimals), State: string(pegs.DepositSeen), ConfirmationsNeeded: c.CreditDepth(),
		History: []Step{{State: string(pegs.DepositSeen), At: p.at}},
	}
}

// Withdrawals lists withdrawals, newest first, of one account unless it is empty.
func (g *Gateway) Withdrawals(account, cursor string, limit int) (Page[Withdrawal], error) {
	page := Page[Withdrawal]{Items: []Withdrawal{}}
	var err error
	viewErr := g.ledger.View(func(s *pegs.State) {
		list := s.Withdrawals(account)
		var newest, oldest int
		if newest, oldest, page.NextCursor, err = window(len(list), cursor, limit); err != nil {
			return
		}
		for i := newest - 1; i >= oldest; i-- {
			page.Items = append(page.Items, g.withdrawalView(s, list[i]))
		}
	})
	return page, firstError(viewErr, err)
}

// Withdrawal finds a withdrawal by the sidechain transaction that burned.
func (g *Gateway) Withdrawal(id string) (w Withdrawal, err error) {
	found := false
	viewErr := g.ledger.View(func(s *pegs.State) {
		if known, ok := s.Withdrawal(id); ok {
			w, found = g.withdrawalView(s, known), true
		}
	})
	if viewErr != nil || found {
		return w, viewErr
	}
	return g.burned(id)
}

// burned is a withdrawal that the ledger has not read yet: the sidechain shows
// it a moment earlier, and whoever saw his transaction there may ask at once.
func (g *Gateway) burned(id string) (Withdrawal, error) {
	var row WithdrawalRow
	found := false
	if err := g.cfg.Sidechain.View(func(v SideState) error { row, found = v.Withdrawal(id); return nil }); err != nil {
		return Withdrawal{}, err
	}
	if !found {
		return Withdrawal{}, refuse(CodeNotFound, "no withdrawal %q", clip(id))
	}
	w := Withdrawal{
		ID: row.ID, Chain: string(row.Chain), Symbol: row.Symbol, Account: row.Account, Address: row.Address, Quantity: row.Quantity,
		Fee: row.Fee, Amount: row.Net, State: string(pegs.WithdrawalRequested), SidechainTx: row.ID, Variants: []string{}, History: []Step{},
	}
	return w, g.ledger.View(func(s *pegs.State) {
		if asset, ok := s.Asset(row.Symbol); ok {
			if amount, err := asset.Amount(row.Net); err == nil {
				w.Amount = amount.Coin(asset.Decimals)
			}
		}
		if c, ok := s.Chain(row.Chain); ok {
			_, w.ConfirmationsNeeded = g.shown(row.Chain, nil, 0, c.CreditDepth())
		}
	})
}

func (g *Gateway) withdrawalView(s *pegs.State, w *pegs.Withdrawal) Withdrawal {
	v := Withdrawal{
		ID: w.ID, Chain: string(w.Chain), Symbol: w.Symbol, Account: w.Account, Address: w.Address, Quantity: w.Quantity,
		Fee: w.Fee, Amount: w.Amount.Coin(decimalsOf(s, w.Chain, w.Token)), State: string(s.WithdrawalState(w)),
		Batch: w.Batch, SidechainTx: w.ID, Variants: []string{}, History: slices.Clone(w.History),
	}
	if w.Parked != nil {
		v.Reason = w.Parked.Reason
	}
	v.Detail = g.detail(w.ID, w.History)
	if w.Returned != nil {
		v.Detail = lastDetail(w.History)
	}
	c, ok := s.Chain(w.Chain)
	if !ok {
		v.Reason = "chain " + string(w.Chain) + " is not served here"
		return v
	}
	_, v.ConfirmationsNeeded = g.shown(w.Chain, nil, 0, c.CreditDepth())
	switch s.WithdrawalState(w) {
	case pegs.WithdrawalQueued:
		if note := g.notes.get(queueNote(w.Chain)); note != "" && g.notes.get(w.ID) == "" {
			v.Detail = note
		}
		fallthrough
	case pegs.WithdrawalRequested, pegs.WithdrawalPlanned:
		v.Detail = warnAmbiguous(v.Detail, w, c.Config.Network)
	}
	if v.Reason == "" && c.Stands(pegs.ScopePayouts) && s.WithdrawalState(w) != pegs.WithdrawalSettled {
		v.Reason = c.HaltReason()
	}
	b, ok := s.Batch(w.Batch)
	if !ok {
		return v
	}
	for _, variant := range b.Variants {
		v.Variants = append(v.Variants, variant.TxID)
		v.TxID = variant.TxID
	}
	if tx := b.Decided(); tx != nil {
		v.TxID = tx.TxID
		v.Confirmations, _ = g.shown(w.Chain, tx.In, c.Depth(tx.In), c.CreditDepth())
	} else if f := g.served(w.Chain); f != nil {
		if txid, in := f.unsettled(b.Variants); in != nil {
			v.TxID = txid
			v.Confirmations, _ = f.shown(in, 0, c.CreditDepth())
		}
	}
	if b.Settled != nil {
		v.SettleTx = b.Settled.Tx
	}
	if b.Released != nil {
		v.Reason = "the payout can never be made: " + b.Released.Reason
	} else if b.Conflict != "" {
		v.Reason = "an input of the payout was spent by transaction " + b.Conflict
	}
	return v
}

// warnAmbiguous adds to the detail of a withdrawal that nobody has signed yet that
// its address is one of other chains too.
func warnAmbiguous(detail string, w *pegs.Withdrawal, network chains.Network) string {
	others := address.AlsoOn(string(w.Chain), string(network), w.Address)
	if len(others) == 0 {
		return detail
	}
	warning := fmt.Sprintf("the address is one of %s too; it is paid on %s", strings.ToUpper(strings.Join(others, ", ")), strings.ToUpper(string(w.Chain)))
	if detail == "" {
		return warning
	}
	return detail + "; " + warning
}

// detail is the newest note about an item, or what its history says.
func (g *Gateway) detail(id string, history []Step) string {
	if note := g.notes.get(id); note != "" {
		return note
	}
	return lastDetail(history)
}

func lastDetail(history []Step) string {
	if len(history) == 0 {
		return ""
	}
	return history[len(history)-1].Detail
}
