package pegs

import (
	"fmt"
	"math/big"
	"slices"
	"time"

	"causeway/chains"
)

// Limits bound what leaves a chain of its own coin, whoever asks for it; tokens have
// the caps of the contract alone. Amounts are in base units, 0: no bound. Time is counted in base blocks.
//
// A withdrawal is let through (Admitted) before it can be planned, and counts
// from then on: as long as no node has its payout, in every window; afterwards in
// the windows that hold the block at which that was noticed. So no Window blocks
// in a row ever pay more than Cap.
//
// An eighth of Cap is for small withdrawals (at most a 32nd of Cap): however many
// large ones wait, small ones get through. A withdrawal larger than the other
// seven eighths, or than AccountCap, waits for a person. The oldest one that has
// to wait keeps its place: others pass it only as far as that does not delay it,
// so that a stream of small ones cannot keep a large one waiting for ever. Small
// ones pass in their order.
type Limits struct {
	Cap        chains.Amount `json:"cap,omitzero"`         // of all accounts within Window
	AccountCap chains.Amount `json:"account_cap,omitzero"` // of each account within Window
	Window     uint64        `json:"window,omitempty"`     // base blocks
	Large      chains.Amount `json:"large,omitzero"`       // from here on a withdrawal is delayed
	Delay      uint64        `json:"delay,omitempty"`      // base blocks, in which it can be vetoed
}

const (
	// DefaultWindow is the window of caps when none is configured: that of the
	// contract's mint cap.
	DefaultWindow = 28_800
	smallShare    = 8  // this part of Cap is for small withdrawals alone
	smallPart     = 32 // a small one is at most this part of Cap
)

// Any says whether there is a limit.
func (l Limits) Any() bool {
	return !l.Cap.IsZero() || !l.AccountCap.IsZero() || !l.Large.IsZero() && l.Delay > 0
}

func (l Limits) window() uint64 {
	if l.Window == 0 {
		return DefaultWindow
	}
	return l.Window
}

// Delayed records that a large withdrawal waits until a base block.
type Delayed struct {
	Withdrawal string `json:"withdrawal"`
	Due        uint64 `json:"due"` // base block
}

// Admitted records that withdrawals are within the limits at a base block. With
// none it only dates what was paid since.
type Admitted struct {
	Chain       chains.ID `json:"chain"`
	Block       uint64    `json:"block"`
	Withdrawals []string  `json:"withdrawals,omitempty"`
}

// Kind implements Event.
func (*Delayed) Kind() string { return "delayed" }

// Kind implements Event.
func (*Admitted) Kind() string { return "admitted" }

// Outflow is a withdrawal that was admitted.
type Outflow struct {
	Withdrawal *Withdrawal
	Block      uint64 // base block at which a node was known to have it; 0: none has
}

func (s *State) delayed(e *Delayed, at time.Time) error {
	w := s.withdrawals[e.Withdrawal]
	if w == nil || s.WithdrawalState(w) != WithdrawalQueued || w.Token != "" || w.Admitted != 0 || w.Due != 0 || e.Due == 0 {
		return refuse("withdrawal %s cannot be delayed", e.Withdrawal)
	}
	w.Due = e.Due
	return nil
}

func (s *State) admitted(e *Admitted, at time.Time) error {
	c, err := s.chain(e.Chain)
	if err != nil {
		return err
	}
	if e.Block == 0 || e.Block < c.limitBlock {
		return refuse("base block %d after %d", e.Block, c.limitBlock)
	}
	u := s.usage(c, e.Block)
	for i, id := range e.Withdrawals {
		w := s.withdrawals[id]
		if w == nil || w.Chain != e.Chain || s.WithdrawalState(w) != WithdrawalQueued || w.Token != "" || w.Admitted != 0 || slices.Contains(e.Withdrawals[:i], id) {
			return refuse("withdrawal %s cannot be admitted", id)
		}
		if why := u.never(w); why != "" {
			return refuse("withdrawal %s: %s", id, why)
		}
		if !u.fits(w) {
			return refuse("withdrawal %s exceeds a cap at base block %d", id, e.Block)
		}
		u.add(w)
	}
	for _, id := range e.Withdrawals {
		w := s.withdrawals[id]
		w.Admitted = e.Block
		s.enqueue(w, WithdrawalQueued)
		c.outflow = append(c.outflow, &Outflow{Withdrawal: w})
	}
	c.limitBlock = e.Block
	for _, o := range c.outflow {
		if o.Block == 0 && s.handedOver(o.Withdrawal) {
			o.Block = e.Block
		}
	}
	// Kept four times as long, for a window that is made longer.
	c.outflow = slices.DeleteFunc(c.outflow, func(o *Outflow) bool {
		return o.Withdrawal.Returned != nil || o.Block != 0 && o.Block+4*c.Config.Limits.window() <= e.Block
	})
	return nil
}

// handedOver says whether a node has had the payout of a withdrawal.
func (s *State) handedOver(w *Withdrawal) bool {
	b := s.batches[w.Batch]
	return b != nil && (b.Broadcast != nil || b.Decided() != nil)
}

// unadmit forgets that a withdrawal was admitted: it is not paid.
func (c *Chain) unadmit(w *Withdrawal) {
	w.Admitted = 0
	c.outflow = slices.DeleteFunc(c.outflow, func(o *Outflow) bool { return o.Withdrawal == w })
}

// within says whether the limits let a queued withdrawal be planned.
func (c *Chain) within(w *Withdrawal) bool {
	return w.Admitted != 0 || w.Token != "" || !c.Config.Limits.Any()
}

// Undated says whether payouts that nodes have are still to be dated.
func (s *State) Undated(id chains.ID) bool {
	c := s.chains[id]
	return c != nil && slices.ContainsFunc(c.outflow, func(o *Outflow) bool { return o.Block == 0 && s.handedOver(o.Withdrawal) })
}

// OutflowWithin is what counts against the cap of a chain at a base block.
func (s *State) OutflowWithin(id chains.ID, block uint64) chains.Amount {
	if c := s.chains[id]; c != nil {
		return s.usage(c, block).all
	}
	return chains.Amount{}
}

// usage is what of the caps is used at a base block.
type usage struct {
	Limits
	shares
	block    uint64
	all      chains.Amount
	big      chains.Amount // the part of all that is not small
	accounts map[string]chains.Amount
}

// shares are the parts of a cap.
type shares struct {
	mostSmall chains.Amount // that is small
	forSmall  chains.Amount // for small ones alone
	forBig    chains.Amount // the rest
}

func (l Limits) shares() (s shares) {
	s.mostSmall, s.forSmall = part(l.Cap, smallPart), part(l.Cap, smallShare)
	s.forBig = subAmount(l.Cap, s.forSmall)
	return s
}

func (s *State) usage(c *Chain, block uint64) *usage {
	limits := c.Config.Limits
	u := &usage{Limits: limits, shares: limits.shares(), block: block, accounts: map[string]chains.Amount{}}
	for _, o := range c.outflow {
		if u.counts(o, block) {
			u.add(o.Withdrawal)
		}
	}
	return u
}

// counts says whether an outflow is in the window that ends with a block. What
// was given back was not paid.
func (u *usage) counts(o *Outflow, block uint64) bool {
	return o.Withdrawal.Returned == nil && (o.Block == 0 || o.Block+u.window() > block)
}

func (u *usage) add(w *Withdrawal) {
	u.all = addAmount(u.all, w.Amount)
	u.accounts[w.Account] = addAmount(u.accounts[w.Account], w.Amount)
	if !u.small(w) {
		u.big = addAmount(u.big, w.Amount)
	}
}

func part(a chains.Amount, n int64) chains.Amount {
	v, err := chains.AmountFromBig(new(big.Int).Quo(a.Big(), big.NewInt(n)))
	if err != nil {
		return chains.Amount{}
	}
	return v
}

func (u *usage) small(w *Withdrawal) bool { return !u.mostSmall.Less(w.Amount) }

// atMost says whether used and amount together do not exceed a cap; 0 is none.
func atMost(used, amount, limit chains.Amount) bool {
	return limit.IsZero() || !limit.Less(addAmount(used, amount))
}

// fits says whether a withdrawal is within all caps now.
func (u *usage) fits(w *Withdrawal) bool {
	return u.fitsAccount(w) && atMost(u.all, w.Amount, u.Cap) && (u.small(w) || atMost(u.big, w.Amount, u.forBig))
}

func (u *usage) fitsAccount(w *Withdrawal) bool {
	return atMost(u.accounts[w.Account], w.Amount, u.AccountCap)
}

// never says why a withdrawal does not go through, whatever else is paid.
func (u *usage) never(w *Withdrawal) string {
	decimals := CoinDecimals(w.Chain)
	switch {
	case !u.Large.IsZero() && u.Delay > 0 && !w.Amount.Less(u.Large) && w.Due == 0:
		return "a large withdrawal is delayed first"
	case w.Due > u.block:
		return fmt.Sprintf("a large withdrawal waits until base block %d and can be vetoed", w.Due)
	case !atMost(chains.Amount{}, w.Amount, u.AccountCap):
		return fmt.Sprintf("it is more than the cap of an account, %s: an operator decides", u.AccountCap.Coin(decimals))
	case !u.small(w) && !atMost(chains.Amount{}, w.Amount, u.forBig):
		return fmt.Sprintf("it is more than seven eighths of the cap, %s: an operator decides", u.Cap.Coin(decimals))
	}
	return ""
}
