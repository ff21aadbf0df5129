package pegs

import (
	"cmp"
	"iter"
	"slices"

	"causeway/chains"
	"causeway/internal/failpoint"
)

// Coin is an output that payouts may spend.
type Coin struct {
	*Output
	Depth uint64 // 0: own change in no block yet
	// Ancestors and AncestorSize (virtual bytes) count the transactions of ours
	// in no block that a coin of depth 0 needs, its creator included.
	Ancestors    int
	AncestorSize uint64
	// Waits is for how many blocks the oldest of them was not mined.
	Waits uint64
	// Contested says that a cancel makes it, which what it cancels may outrun.
	Contested bool
}

// Spendable lists what payouts of a chain may spend now, in a fixed order:
// confirmed own change, outputs from outside that are deeper than a credit
// needs (deposits only once credited), and own change in no block yet.
func (s *State) Spendable(id chains.ID) []Coin {
	c, ok := s.chains[id]
	if !ok {
		return nil
	}
	var list []Coin
	for _, out := range c.unspent {
		if depth := c.Depth(out.In); s.spendable(c, out, depth) {
			list = append(list, Coin{Output: out, Depth: depth})
		}
	}
	return append(list, s.change(c)...)
}

// change lists the change in no block that payouts may spend.
func (s *State) change(c *Chain) (list []Coin) {
	if c.ID == chains.DOGE {
		return nil // its nodes do not relay long chains of our own
	}
	for _, b := range s.openBatches {
		if b.Chain == c.ID {
			list = append(list, s.spendableChange(c, b)...)
		}
	}
	return list
}

// spendableChange lists the change of a batch in no block that may be spent.
func (s *State) spendableChange(c *Chain, b *Batch) (list []Coin) {
	if b.Mined != nil || len(b.Variants) != 1 || b.Pending || b.Broadcast == nil || b.Conflict != "" || s.cancelled(b) {
		return nil // it may be made by another variant, or by none
	}
	pack, ok := s.Package(b)
	for _, p := range b.Variants[0].Change {
		if out := c.outputs[p.Outpoint]; ok && pack.Count < MaxUnconfirmedChain && out.In == nil && s.holder(c, p.Outpoint) == nil {
			list = append(list, Coin{Output: out, Ancestors: pack.Count, AncestorSize: pack.VSize, Waits: c.waits(pack.Since), Contested: b.Kind == BatchCancel})
		}
	}
	return list
}

// maySpend says whether an outpoint is among those of Spendable.
func (s *State) maySpend(c *Chain, o chains.Outpoint) bool {
	if c.Accounts() {
		nonce, ok := s.NextNonce(c.ID, o.TxID)
		return ok && o == spendAt(accountKey(o.TxID), nonce)
	}
	out := c.outputs[o]
	if out == nil || s.holder(c, o) != nil {
		return false
	}
	if out.In != nil && out.Spent == nil {
		return s.spendable(c, out, c.Depth(out.In))
	}
	return c.ID != chains.DOGE && slices.ContainsFunc(s.openBatches, func(b *Batch) bool {
		if b.Chain != c.ID || len(b.Variants) != 1 || b.Variants[0].TxID != o.TxID {
			return false
		}
		return slices.ContainsFunc(s.spendableChange(c, b), func(coin Coin) bool { return coin.Outpoint == o })
	})
}

// spendable says whether an output of the chain that nothing has spent may be
// spent at a depth.
func (s *State) spendable(c *Chain, out *Output, depth uint64) bool {
	switch {
	case !out.usable() || s.holder(c, out.Outpoint) != nil:
		return false
	case out.MinDepth > 0 && depth < out.MinDepth+c.Config.InputExtra:
		return false
	case out.Coinbase && depth < c.Config.Policy.Maturity:
		return false
	case out.Own && out.Kind != chains.WatchDeposit:
		return true
	}
	return depth >= c.InputDepth()
}

// usable says whether an output may be spent once it is deep enough.
func (o *Output) usable() bool {
	if o.Kind == chains.WatchCold || o.Tokens {
		return false
	}
	return o.Kind != chains.WatchDeposit || o.credited() || failpoint.Off(failpoint.InputDepth)
}

// credited says whether the output is a deposit that was credited.
func (o *Output) credited() bool { return o.deposit != nil && o.deposit.State() == DepositCredited }

// Package is a batch and all batches of ours in no block that it needs, by their
// newest variants.
type Package struct {
	Count int
	VSize uint64 // virtual bytes
	Fee   chains.Amount
	Since uint64 // height at which the oldest of them was signed last
}

// Package adds up what a batch needs to be mined. ok is false when nothing is
// signed of a part of it, when that is more than is ever asked for, or when an
// input is neither in the chain nor to be made by one of ours.
func (s *State) Package(b *Batch) (p Package, ok bool) {
	c := s.chains[b.Chain]
	if c.Accounts() {
		newest := b.Newest()
		if newest == nil {
			return Package{}, false
		}
		return Package{Count: 1, VSize: newest.VSize, Fee: newest.Fee, Since: b.Since}, true
	}
	seen := map[string]bool{b.ID: true}
	queue := []*Batch{b}
	p.Since = b.Since
	for len(queue) > 0 {
		next := queue[0]
		queue = queue[1:]
		if len(next.Variants) == 0 || len(seen) > MaxUnconfirmedChain {
			return Package{}, false
		}
		p.VSize += next.Newest().VSize
		p.Fee = addAmount(p.Fee, next.Newest().Fee)
		p.Since = min(p.Since, next.Since)
		for _, in := range next.Inputs {
			out := c.outputs[in]
			if out != nil && out.In != nil {
				continue
			}
			maker := s.batches[c.makers[in.TxID]]
			if maker == nil || maker.Conflict != "" || maker.Mined != nil {
				return Package{}, false
			}
			if !seen[maker.ID] {
				seen[maker.ID] = true
				queue = append(queue, maker)
			}
		}
	}
	p.Count = len(seen)
	return p, true
}

// waits is the number of blocks since a height.
func (c *Chain) waits(since uint64) uint64 {
	if height := c.height(); height > since {
		return height - since
	}
	return 0
}

// Waits is for how many blocks a signed batch was not mined since anything was
// done about it.
func (s *State) Waits(b *Batch) uint64 { return s.chains[b.Chain].waits(b.Since) }

// ToMint lists the deposits of a chain that are deep enough for the intent to
// mint them.
func (s *State) ToMint(id chains.ID) []*Deposit {
	c := s.chains[id]
	if c == nil || c.Stands(ScopeDeposits) || c.Stands(ScopeMinting) {
		return nil
	}
	return matching(queue(s.index.deposits, id, string(DepositConfirming)), s.mintable)
}

// ToSubmitMints lists the deposits whose mint is to be submitted, again and
// again, until the sidechain's row is there. The depth counts every time: the
// deposit may have changed its block since it was to be minted.
func (s *State) ToSubmitMints(id chains.ID) iter.Seq[*Deposit] {
	return func(yield func(*Deposit) bool) {
		if c := s.chains[id]; c == nil || c.Stands(ScopeMinting) {
			return
		}
		for _, d := range s.Minting(id) {
			if s.mintable(d) && !yield(d) {
				return
			}
		}
	}
}

// Minting lists the deposits of a chain whose mint is intended, oldest first. The
// list lasts until the next record.
func (s *State) Minting(id chains.ID) []*Deposit {
	return queue(s.index.deposits, id, string(DepositMinting))
}

// mintable says whether a deposit is deep enough for its mint.
func (s *State) mintable(d *Deposit) bool {
	return s.Confirmations(d) >= s.Needed(d) && s.mintsOpen(d.Symbol)
}

func (s *State) mintsOpen(symbol string) bool { return !s.assets[symbol].MintsPaused }

// TurnOfDeposits lists at most n deposits that the sidechain has not been seen to
// credit, in the chain or not, in the order of first sight and from the last to the
// first again, and says where the next turn begins.
func (s *State) TurnOfDeposits(from, n int) (list []*Deposit, next int) {
	list, next = turn(s.openDeposits, from, n)
	return slices.DeleteFunc(list, func(d *Deposit) bool { return d.Credit != nil }), next
}

// TurnOfWithdrawals does the same for the withdrawals that are open.
func (s *State) TurnOfWithdrawals(from, n int) (list []*Withdrawal, next int) {
	return turn(s.openWithdrawals, from, n)
}

// OpenWithdrawals lists the withdrawals that are neither settled nor returned.
func (s *State) OpenWithdrawals() []*Withdrawal { return slices.Clone(s.openWithdrawals) }

// OpenAfter lists those of them whose rows come after one. The list lasts until the
// next record.
func (s *State) OpenAfter(row uint64) []*Withdrawal {
	first, _ := slices.BinarySearchFunc(s.openWithdrawals, row+1, func(w *Withdrawal, row uint64) int { return cmp.Compare(w.Row, row) })
	return s.openWithdrawals[first:]
}

// Parked lists the withdrawals of a chain that are not to be paid, oldest first.
// The list lasts until the next record.
func (s *State) Parked(id chains.ID) []*Withdrawal { return s.withdrawalsIn(id, WithdrawalParked) }

// withdrawalsIn lists the withdrawals of a chain in a queue, oldest first. The list
// is the queue itself: it lasts until the next record.
func (s *State) withdrawalsIn(id chains.ID, state WithdrawalState) []*Withdrawal {
	return queue(s.index.withdrawals, id, string(state))
}

// ToCheck lists the withdrawals of a chain to be queued or parked. The list lasts
// until the next record.
func (s *State) ToCheck(id chains.ID) []*Withdrawal { return s.withdrawalsIn(id, WithdrawalRequested) }

// ToPlan lists the withdrawals of a chain that wait for a batch, oldest first. The
// list lasts until the next record.
func (s *State) ToPlan(id chains.ID) []*Withdrawal {
	if !s.PaysOut(id) {
		return nil
	}
	if s.chains[id].Config.Limits.Any() {
		return s.withdrawalsIn(id, admitted)
	}
	return s.withdrawalsIn(id, WithdrawalQueued)
}

func (s *State) batchesWhere(id chains.ID, match func(*Batch) bool) []*Batch {
	return slices.DeleteFunc(s.openBatchesOf(id), func(b *Batch) bool { return !match(b) })
}

// OpenBatches lists the batches of a chain that are not at their end.
func (s *State) OpenBatches(id chains.ID) []*Batch { return s.openBatchesOf(id) }

// ToAssign lists the planned batches whose row is not there yet.
func (s *State) ToAssign(id chains.ID) []*Batch {
	if !s.PaysOut(id) {
		return nil
	}
	return s.batchesWhere(id, func(b *Batch) bool { return b.Assigned == nil })
}

// ToReplan lists adopted batches that are not in the chain and have no plan.
func (s *State) ToReplan(id chains.ID) []*Batch {
	if !s.PaysOut(id) {
		return nil
	}
	return s.batchesWhere(id, func(b *Batch) bool {
		return b.Assigned != nil && b.undecided() && b.Plan == nil && len(b.Variants) == 0
	})
}

// ToSign lists the batches with a plan that may be signed: assigned in a final
// block, and not to be cancelled.
func (s *State) ToSign(id chains.ID) []*Batch {
	if !s.PaysOut(id) {
		return nil
	}
	return s.batchesWhere(id, func(b *Batch) bool { return s.Signable(b) })
}

// Signable says whether the plan of a batch waits for a signature. A further
// variant does not once the change of an earlier one is promised to a child: it
// was mined, spent, and has left the chain again. What spends inputs of the dead
// waits while a reorganisation lets them live.
func (s *State) Signable(b *Batch) bool {
	assigned := b.Assigned != nil || failpoint.Off(failpoint.AssignBeforeSign)
	return assigned && b.undecided() && b.Pending && b.Plan != nil && !s.cancelled(b) && !s.HasChild(b) && s.tookOfDead(b)
}

// ToLift lists the signed batches in no block that can still be made dearer, by a
// further variant or a child of their change: those on which nothing else rests.
func (s *State) ToLift(id chains.ID) []*Batch {
	if !s.PaysOut(id) {
		return nil
	}
	return s.batchesWhere(id, func(b *Batch) bool {
		return b.undecided() && b.Settling == nil && !b.Pending && len(b.Variants) > 0 && !s.cancelled(b) && !s.HasChild(b)
	})
}

// ToBroadcast lists the signed batches that are not in the chain and of which
// something may be sent, parents before children.
func (s *State) ToBroadcast(id chains.ID) []*Batch {
	open := s.PaysOut(id)
	return s.batchesWhere(id, func(b *Batch) bool { return len(s.sendable(b, open)) > 0 })
}

// Sendable lists the variants of a batch that may be sent: first those whose change
// is promised to a child, which would die with them, and newest first. While
// payouts stand still by themselves these are the ones that a node has taken:
// they cannot be taken back, and an alarm may end only when they are mined. While
// a person has halted payouts there are none.
func (s *State) Sendable(b *Batch) []Signed { return s.sendable(b, s.PaysOut(b.Chain)) }

func (s *State) sendable(b *Batch, open bool) (list []Signed) {
	if b.Decided() != nil || b.Conflict != "" || b.Released != nil || s.chains[b.Chain].haltedByPerson(ScopePayouts) {
		return nil
	}
	for _, v := range slices.Backward(b.Variants) {
		if open || slices.Contains(b.Taken, v.TxID) {
			list = append(list, v)
		}
	}
	slices.SortStableFunc(list, func(v, w Signed) int {
		switch a, b := s.childOf(b, v), s.childOf(b, w); {
		case a == b:
			return 0
		case a:
			return -1
		}
		return 1
	})
	return list
}

// ToSettle lists the batches that are deep enough for the intent to settle.
func (s *State) ToSettle(id chains.ID) []*Batch {
	return s.batchesWhere(id, func(b *Batch) bool {
		return s.Owes(b) && (b.Settling == nil || b.Settling.TxID != b.Decided().TxID)
	})
}

// ToSubmitSettles lists the batches whose settlement is to be submitted until
// the sidechain's row is closed, as long as they are deep enough.
func (s *State) ToSubmitSettles(id chains.ID) []*Batch {
	return s.batchesWhere(id, func(b *Batch) bool {
		return b.Settling != nil && s.Owes(b) && b.Decided().TxID == b.Settling.TxID
	})
}
