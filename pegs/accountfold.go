package pegs

import (
	"cmp"
	"slices"
	"time"

	"causeway/chains"
)

// enterAccounts books what a final block holds of accounts of ours. It may be told
// twice of the same block: live and by a search of the past.
func (s *State) enterAccounts(c *Chain, m Match, ref *chains.BlockRef, at time.Time) {
	for _, r := range m.Results {
		s.result(c, r, ref, at)
	}
	for _, l := range m.Tokens {
		c.tokenLog(s, l, *ref)
	}
}

// result books a transaction that an account of ours sent.
func (s *State) result(c *Chain, r Result, ref *chains.BlockRef, at time.Time) {
	r.From, r.To, r.Token, r.Payee = accountKey(r.From), accountKey(r.To), accountKey(r.Token), accountKey(r.Payee)
	tx := c.txs[r.TxID]
	if tx != nil {
		if tx.Result.Kind == "" && r.Kind != "" { // the receiver is known to be ours by now
			tx.Result.Kind = r.Kind
			s.recognise(c, tx, at)
		}
		return
	}
	in := spendAt(r.From, r.Nonce)
	tx = &Spending{TxID: r.TxID, Inputs: []chains.Outpoint{in}, In: ref, Result: &r}
	c.txs[r.TxID], c.used[in] = tx, tx
	a := c.openAccount(r.From)
	a.Sent++
	coin := a.open("")
	coin.Out = addAmount(coin.Out, r.Fee)
	if !r.Failed {
		coin.Out = addAmount(coin.Out, r.Value)
		if r.Token != "" {
			h := a.open(r.Token)
			h.Out = addAmount(h.Out, r.Units)
		}
	}
	c.touch(r.From, "")
	if r.Token != "" {
		c.touch(r.From, r.Token)
	}
	if to := r.receiver(); r.Kind != "" || c.account(to) != nil {
		c.touch(to, r.Token)
	}
	s.recognise(c, tx, at)
}

// receiver is whom a transaction is to pay.
func (r *Result) receiver() string {
	if r.Token != "" {
		return r.Payee
	}
	return r.To
}

// attribute keeps the sum of what our accounts brought each other. Of a transaction
// of nobody we know the least is taken: that it is no payout, so that what it
// brings is nobody's deposit.
func (s *State) attribute(c *Chain, tx *Spending) {
	r := tx.Result
	if r == nil {
		return
	}
	b := s.batches[tx.Batch]
	inner := !r.Failed && !r.Value.IsZero() && (b == nil || b.Kind != BatchPayout)
	switch {
	case inner && !tx.Inner:
		c.inner[r.To] = addAmount(c.inner[r.To], r.Value)
	case !inner && tx.Inner:
		if c.inner[r.To] = subAmount(c.inner[r.To], r.Value); c.inner[r.To].IsZero() {
			delete(c.inner, r.To)
		}
		c.touchKnown(r.To)
	}
	tx.Inner = inner
	if h := c.holding(r.Payee, r.Token); h != nil && len(h.waiting) > 0 {
		c.touch(r.Payee, r.Token) // what waits may be a payout
	}
}

// touchKnown asks for a reading of the coin of an account that is known.
func (c *Chain) touchKnown(key string) {
	if c.holders[key] != nil {
		c.touch(key, "")
	}
}

// tokenLog books a transfer of a token. To a deposit address it waits for a
// reading; a transfer of nothing is nothing.
func (c *Chain) tokenLog(s *State, l TokenLog, ref chains.BlockRef) {
	l.Token, l.From, l.To = accountKey(l.Token), accountKey(l.From), accountKey(l.To)
	if c.account(l.From) != nil {
		c.touch(l.From, l.Token)
	}
	if l.Kind == "" {
		return
	}
	c.touch(l.To, l.Token)
	id := DepositID(c.ID, chains.Outpoint{TxID: l.TxID, Index: l.Index})
	if l.Kind != chains.WatchDeposit || l.Amount.IsZero() || s.deposits[id] != nil {
		return
	}
	h := c.openAccount(l.To).open(l.Token)
	if slices.ContainsFunc(h.waiting, func(w waitingLog) bool { return w.TxID == l.TxID && w.Index == l.Index }) {
		return
	}
	h.waiting = append(h.waiting, waitingLog{l, ref})
	slices.SortStableFunc(h.waiting, func(a, b waitingLog) int { return cmp.Compare(a.In.Height, b.In.Height) })
}

// balances books readings of the newest block.
func (s *State) balances(e *Balances, at time.Time) error {
	c, err := s.chain(e.Chain)
	if err != nil {
		return err
	}
	if tip, ok := c.Tip(); !c.Accounts() || !ok || e.Block != tip {
		return refuse("balances of %s in block %d %s, which is not the newest", e.Chain, e.Block.Height, e.Block.Hash)
	}
	seen := map[Unread]bool{}
	for _, r := range e.Accounts {
		key := Unread{accountKey(r.Address), r.Token}
		if err := c.readable(key, r); err != nil {
			return err
		}
		if seen[key] {
			return refuse("%s is read twice", r.Address)
		}
		seen[key] = true
	}
	for _, r := range e.Accounts {
		s.reading(c, r, e.Block, at)
	}
	return nil
}

// readable says why a reading cannot be one.
func (c *Chain) readable(key Unread, r AccountBalance) error {
	a := c.holders[key.Address]
	switch {
	case key.Address == "" || r.Token != accountKey(r.Token):
		return refuse("%q of %q is no account", r.Token, r.Address)
	case r.Kind != chains.WatchDeposit && r.Kind != chains.WatchChange && r.Kind != chains.WatchSweeper:
		return refuse("%s is of kind %q", r.Address, r.Kind)
	case r.Token != "" && r.Nonce != 0:
		return refuse("a nonce with token %s of %s", r.Token, r.Address)
	case a != nil && a.Kind != "" && (a.Kind != r.Kind || a.Account != r.Account || a.Epoch != r.Epoch):
		return refuse("%s is %s of %q, epoch %d", r.Address, a.Kind, a.Account, a.Epoch)
	}
	return nil
}

// reading books what an account holds of one asset.
func (s *State) reading(c *Chain, r AccountBalance, block chains.BlockRef, at time.Time) {
	key := accountKey(r.Address)
	a := c.openAccount(key)
	a.Address, a.Kind, a.Account, a.Epoch = r.Address, r.Kind, r.Account, r.Epoch
	h := a.open(r.Token)
	h.Amount, h.At = r.Amount, block
	delete(c.stale, Unread{key, r.Token})
	if r.Token == "" {
		a.Nonce, a.Odd = r.Nonce, r.Nonce != a.Sent
	}
	if !a.Odd { // else what left it is not known
		s.receive(c, a, h, r.Cause, at)
	}
	c.judge(key, a)
}

// receive books what an account has received since the reading before.
func (s *State) receive(c *Chain, a *Account, h *Holding, cause string, at time.Time) {
	key := accountKey(a.Address)
	received := c.received(key, h)
	due := h.Booked
	if h.Token == "" {
		due = addAmount(due, c.inner[key])
	}
	h.Short = subAmount(due, addAmount(h.Amount, h.Out))
	switch {
	case a.Kind == chains.WatchDeposit && h.Token == "":
		s.bookCoin(c, a, h, received, cause, at)
	case a.Kind == chains.WatchDeposit:
		s.bookLogs(c, a, h, received, at)
	case h.Token == "":
		if h.Booked.Less(received) {
			h.Booked = received
		}
	}
}

// bookLogs makes deposits of the transfers that wait, in their order, each of at
// most what has come in and no deposit has taken. What the sidechain has credited
// already comes first.
func (s *State) bookLogs(c *Chain, a *Account, h *Holding, received chains.Amount, at time.Time) {
	var rows, others, rest []waitingLog
	for _, w := range h.waiting {
		switch {
		case !s.fromOutside(c, w):
			rest = append(rest, w)
		case c.early.find(w.id(c)) != nil:
			rows = append(rows, w)
		default:
			others = append(others, w)
		}
	}
	h.waiting = rest
	for _, w := range append(rows, others...) {
		amount := least(subAmount(received, h.Booked), w.Amount, s.rowAmount(c, h, w))
		h.Booked = addAmount(h.Booked, amount)
		s.tokenDeposit(c, a, h, w, amount, at)
	}
}

// rowAmount is what the sidechain's row of a transfer credits, where there is one
// already; else all that the transfer says.
func (s *State) rowAmount(c *Chain, h *Holding, w waitingLog) chains.Amount {
	row := c.early.find(w.id(c))
	asset, ok := s.AssetOf(c.ID, h.Token)
	if row == nil || !ok {
		return w.Amount
	}
	amount, err := asset.Amount(row.Quantity)
	if err != nil {
		return w.Amount
	}
	return amount
}

func least(a chains.Amount, more ...chains.Amount) chains.Amount {
	for _, b := range more {
		if b.Less(a) {
			a = b
		}
	}
	return a
}

// fromOutside says whether a transfer is a deposit: not of our own accounts, unless
// it is a payout.
func (s *State) fromOutside(c *Chain, w waitingLog) bool {
	tx := c.txs[w.TxID]
	if tx == nil {
		return true
	}
	b := s.batches[tx.Batch]
	return b != nil && b.Kind == BatchPayout
}

// id is that of the deposit that a transfer becomes.
func (w *waitingLog) id(c *Chain) string {
	return DepositID(c.ID, chains.Outpoint{TxID: w.TxID, Index: w.Index})
}
