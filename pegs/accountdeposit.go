package pegs

import (
	"slices"
	"strings"
	"time"

	"causeway/chains"
)

// chainOf is the chain that a deposit's id names.
func chainOf(deposit string) chains.ID {
	id, _, _ := strings.Cut(deposit, ":")
	return chains.ID(id)
}

// CoinDepositID is the identity of a deposit of the coin of a chain of accounts: the
// address, and what it had received before.
func CoinDepositID(chain chains.ID, address string, before chains.Amount) string {
	return string(chain) + ":" + accountKey(address) + ":" + before.String()
}

// splitCoinID is the inverse of CoinDepositID; ok is false for other ids.
func splitCoinID(id string) (key string, before chains.Amount, ok bool) {
	parts := strings.Split(id, ":")
	if len(parts) != 3 || accountKey(parts[1]) != parts[1] || parts[1] == "" {
		return "", before, false
	}
	before, err := chains.ParseAmount(parts[2])
	return parts[1], before, err == nil
}

// accountDeposit makes a deposit of an account.
func (s *State) accountDeposit(c *Chain, a *Account, h *Holding, id string, amount chains.Amount, ref chains.BlockRef) *Deposit {
	d := &Deposit{
		ID: id, Chain: c.ID, Token: h.Token, Account: a.Account, Address: a.Address, Epoch: a.Epoch, Amount: amount, In: &ref,
	}
	s.classify(d, false, 0)
	s.enlist(d)
	return d
}

// tokenDeposit makes a deposit of a transfer of a token that brought amount.
func (s *State) tokenDeposit(c *Chain, a *Account, h *Holding, w waitingLog, amount chains.Amount, at time.Time) {
	o := chains.Outpoint{TxID: w.TxID, Index: w.Index}
	d := s.accountDeposit(c, a, h, DepositID(c.ID, o), amount, w.In)
	d.Outpoint, d.Said = o, w.Amount
	if d.Class == "" || d.Class == DepositBelowMinimum {
		if amount.IsZero() {
			d.Class, d.Reason = DepositHeld, "the transfer moved nothing, whatever its log says"
		} else if d.Class == "" && amount != w.Amount {
			d.Reason = "the transfer says more than came in"
		}
	}
	h.deposits = append(h.deposits, d)
	s.touchDeposit(d, at, "block "+w.In.Hash)
	if row := c.early.take(d.ID); row != nil {
		s.credit(d, row, at)
	}
}

// lessen takes the amount of a row for that of a deposit that was not credited yet,
// where the row says less: what came in is divided among several transfers by
// readings, which others may have made at other times.
func (s *State) lessen(d *Deposit, h *Holding, row *Credited, at time.Time) {
	asset, ok := s.AssetOf(d.Chain, d.Token)
	if !ok || row.Symbol != asset.Symbol || row.Quantity == d.Quantity {
		return
	}
	amount, err := asset.Amount(row.Quantity)
	if err != nil || d.Amount.Less(amount) {
		return
	}
	h.Booked = subAmount(h.Booked, subAmount(d.Amount, amount))
	s.resize(d, amount, at)
}

// resize gives a deposit that was not credited another amount. What was to be minted
// of it is not any more.
func (s *State) resize(d *Deposit, amount chains.Amount, at time.Time) {
	d.Amount, d.Intent = amount, nil
	d.Symbol, d.Quantity, d.Remainder, d.Class, d.Reason = "", "", chains.Amount{}, "", ""
	s.classify(d, false, 0)
	s.touchDeposit(d, at, "")
}

// bookCoin makes deposits of a rise of the coin: one, unless the sidechain's rows
// divide it.
func (s *State) bookCoin(c *Chain, a *Account, h *Holding, received chains.Amount, cause string, at time.Time) {
	key := accountKey(a.Address)
	s.fillUp(c, h, received, at)
	for h.Booked.Less(received) {
		before, end := h.Booked, received
		row := c.early.take(CoinDepositID(c.ID, key, before))
		if next, ok := c.early.next(CoinDepositID(c.ID, key, before), before); ok && next.Less(end) {
			end = next
		}
		if row != nil {
			end = s.rowEnd(c, before, end, row)
		}
		d := s.accountDeposit(c, a, h, CoinDepositID(c.ID, key, before), subAmount(end, before), h.At)
		d.Outpoint.TxID = cause
		h.Booked = end
		h.deposits = append(h.deposits, d)
		s.touchDeposit(d, at, "block "+h.At.Hash)
		if row != nil {
			s.credit(d, row, at)
		}
	}
}

// rowEnd is where the deposit of a row ends that begins at before, at most at end:
// where its quantity ends, or at end when less than the smallest part is left.
func (s *State) rowEnd(c *Chain, before, end chains.Amount, row *Credited) chains.Amount {
	asset, ok := s.NativeAsset(c.ID)
	if !ok {
		return end
	}
	amount, err := asset.Amount(row.Quantity)
	after := addAmount(before, amount)
	if err != nil || row.Symbol != asset.Symbol || amount.IsZero() || !after.Less(end) {
		return end
	}
	if rest, _, err := asset.Quantity(subAmount(end, after)); err != nil || allZero(rest) {
		return end
	}
	return after
}

// fillUp gives the newest deposit of the coin what its row credits beyond what had come
// in by the reading that made it: it is no other deposit.
func (s *State) fillUp(c *Chain, h *Holding, received chains.Amount, at time.Time) {
	last := len(h.deposits) - 1
	for last >= 0 && h.deposits[last].Amount.IsZero() { // absorbed
		last--
	}
	if last < 0 {
		return
	}
	d := h.deposits[last]
	if end, more := s.lacks(c, d, received); more && h.Booked.Less(end) {
		_, before, _ := splitCoinID(d.ID)
		h.Booked = end
		s.resize(d, subAmount(end, before), at)
	}
}

// lacks says whether the row of a deposit of the coin credits more than it, and where
// it then ends, at most at end.
func (s *State) lacks(c *Chain, d *Deposit, end chains.Amount) (place chains.Amount, more bool) {
	_, before, _ := splitCoinID(d.ID)
	asset, ok := s.NativeAsset(c.ID)
	if !ok || d.Credit == nil || d.Credit.Symbol != asset.Symbol {
		return end, false
	}
	amount, err := asset.Amount(d.Credit.Quantity)
	if err != nil || !d.Amount.Less(amount) {
		return end, false
	}
	return s.rowEnd(c, before, end, d.Credit), true
}

// absorb gives a deposit of the coin that was just credited what its row credits
// beyond it, from those after it that were not: their readings divided what came in
// otherwise. What is left of them is nothing.
func (s *State) absorb(c *Chain, d *Deposit, at time.Time) {
	h := c.holding(d.Address, "")
	key, before, isCoin := splitCoinID(d.ID)
	if h == nil || !isCoin {
		return
	}
	end, more := s.lacks(c, d, h.Booked)
	if !more {
		return
	}
	s.cut(c, key, end, at)
	for i := slices.Index(h.deposits, d) + 1; i < len(h.deposits); i++ {
		next := h.deposits[i]
		_, start, _ := splitCoinID(next.ID)
		if next.Credit != nil || !start.Less(end) {
			break
		}
		amount := addAmount(subAmount(start, before), next.Amount)
		s.resize(next, chains.Amount{}, at)
		s.resize(d, amount, at)
	}
}

func allZero(quantity string) bool { return strings.Trim(quantity, "0.") == "" }

// accountCredit prepares what a row of the sidechain credits. A row of a deposit
// that was not seen yet waits (waits is true); one that divides a deposit of the
// coin otherwise than our readings did divides ours.
func (s *State) accountCredit(c *Chain, e *Credited, at time.Time) (waits bool, err error) {
	if c.early.find(e.Deposit) != nil {
		return false, refuse("deposit %s is credited already", e.Deposit)
	}
	d := s.deposits[e.Deposit]
	key, before, isCoin := splitCoinID(e.Deposit)
	switch {
	case d != nil && isCoin && d.Credit == nil:
		s.cutAtRow(c, d, before, e, at)
	case d != nil && d.Credit == nil:
		if h := c.holding(d.Address, d.Token); h != nil {
			s.lessen(d, h, e, at)
		}
	case d == nil && isCoin && s.cut(c, key, before, at):
		s.cutAtRow(c, s.deposits[e.Deposit], before, e, at)
	case d == nil:
		c.early.add(e)
		return true, nil
	}
	return false, nil
}

// cutAtRow cuts a deposit of the coin where a row's quantity ends.
func (s *State) cutAtRow(c *Chain, d *Deposit, before chains.Amount, row *Credited, at time.Time) {
	end := addAmount(before, d.Amount)
	if cut := s.rowEnd(c, before, end, row); cut != end {
		s.cut(c, accountKey(d.Address), cut, at)
	}
}

// cut divides the deposit of the coin that spans an amount, so that a deposit
// begins there. It says whether one does now that is not credited.
func (s *State) cut(c *Chain, key string, place chains.Amount, at time.Time) bool {
	a := c.holders[key]
	if a == nil || a.holdings[""] == nil {
		return false
	}
	h := a.holdings[""]
	for i, d := range h.deposits {
		_, before, _ := splitCoinID(d.ID)
		end := addAmount(before, d.Amount)
		if !before.Less(place) || !place.Less(end) {
			continue
		}
		if d.Credit != nil {
			return false
		}
		s.resize(d, subAmount(place, before), at)
		rest := s.accountDeposit(c, a, h, CoinDepositID(c.ID, key, place), subAmount(end, place), *d.In)
		rest.Outpoint = d.Outpoint
		h.deposits = slices.Insert(h.deposits, i+1, rest)
		s.touchDeposit(rest, at, "block "+rest.In.Hash)
		return true
	}
	return false
}

// TakesCredit says whether a row of deposits is to be booked: of a deposit that is
// known and not credited, or, on a chain of accounts, of one that is not known yet.
func (s *State) TakesCredit(id string) bool {
	if d := s.deposits[id]; d != nil {
		return d.Credit == nil
	}
	c := s.chains[chainOf(id)]
	return c != nil && c.Accounts() && c.early.find(id) == nil
}
