package pegs

import (
	"fmt"
	"iter"
	"slices"
	"strings"

	"causeway/chains"
)

// Dead proves that no variant of an assigned batch can ever be mined (design,
// rule 3): an input of it is spent by another transaction at final depth, or was
// to be made by a batch that is dead, by a variant that lost, or by a transaction of
// others that perished. A signed
// transaction is a bearer cheque: nothing else makes it worthless. The proof is
// the same text wherever the same chain was read: the input, and how the first of
// those died that it needs. It is as short however many are between.
func (s *State) Dead(b *Batch) (proof string, dead bool) {
	needs, cause, dead := s.dead(b, map[string]bool{})
	if !dead {
		return "", false
	}
	return needs + cause, true
}

// dead says which input of a batch is lost, and how.
func (s *State) dead(b *Batch, seen map[string]bool) (needs, cause string, dead bool) {
	if seen[b.ID] || b.Assigned == nil || b.Settled != nil || b.Mined != nil {
		return "", "", false
	}
	seen[b.ID] = true
	c := s.chains[b.Chain]
	if b.Failed != nil && c.final(b.Failed.In) {
		needs, cause = failedProof(b)
		return needs, cause, true
	}
	if tx := c.txs[b.Conflict]; tx != nil && c.final(tx.In) {
		for _, in := range b.Inputs {
			if slices.Contains(tx.Inputs, in) {
				return outpointText(in), fmt.Sprintf(" is spent by %s in block %d %s", tx.TxID, tx.In.Height, tx.In.Hash), true
			}
		}
	}
	for _, in := range b.Inputs {
		if out := c.outputs[in]; out != nil && out.In != nil {
			continue
		}
		maker := s.batches[c.makers[in.TxID]]
		if maker == nil {
			if p := c.perishedBy(in.TxID); p != nil && c.final(&p.Block) {
				return outpointText(in), fmt.Sprintf(willNotBeMade+"%s is spent by %s in block %d %s",
					outpointText(p.Needs), p.By, p.Block.Height, p.Block.Hash), true
			}
			continue
		}
		if tx := maker.Mined; tx != nil && tx.TxID != in.TxID && c.final(tx.In) {
			return outpointText(in), fmt.Sprintf(willNotBeMade+"%s was mined instead in block %d %s", tx.TxID, tx.In.Height, tx.In.Hash), true
		}
		if first, cause, dead := s.dead(maker, seen); dead {
			if !strings.HasPrefix(cause, willNotBeMade) {
				cause = willNotBeMade + first + cause
			}
			return outpointText(in), cause, true
		}
	}
	return "", "", false
}

const willNotBeMade = " will not be made: "

func outpointText(o chains.Outpoint) string { return fmt.Sprintf("%s:%d", o.TxID, o.Index) }

// ToRelease lists the batches that are dead, for the intent to release them; again
// when a reorganisation made another proof of it.
func (s *State) ToRelease(id chains.ID) []*Batch {
	if !s.PaysOut(id) {
		return nil
	}
	return s.batchesWhere(id, func(b *Batch) bool {
		if b.Released != nil {
			return false
		}
		proof, dead := s.Dead(b)
		return dead && (b.Releasing == nil || b.Releasing.Proof != proof)
	})
}

// ToSubmitReleases lists the batches whose release is to be submitted until the
// sidechain's row says so, as long as they are dead by that proof.
func (s *State) ToSubmitReleases(id chains.ID) []*Batch {
	if !s.PaysOut(id) {
		return nil
	}
	return s.batchesWhere(id, func(b *Batch) bool {
		if b.Releasing == nil || b.Released != nil {
			return false
		}
		proof, dead := s.Dead(b)
		return dead && b.Releasing.Proof == proof
	})
}

// ToGiveBack lists the parked withdrawals whose tokens are to be returned: what
// cannot be paid, and what was in a batch that is released and, by what we know
// ourselves, dead. What others released they give back themselves.
func (s *State) ToGiveBack(id chains.ID) iter.Seq[*Withdrawal] {
	return func(yield func(*Withdrawal) bool) {
		open := s.PaysOut(id)
		for _, w := range s.Parked(id) {
			if s.GiveBackReason(w) != "" && (w.Parked != nil || open) && !yield(w) {
				return
			}
		}
	}
}

// GiveBackReason is why the tokens of a parked withdrawal are to be returned;
// empty when they are not.
func (s *State) GiveBackReason(w *Withdrawal) string {
	if w.Parked != nil {
		if w.Parked.GiveBack {
			return w.Parked.Reason
		}
		return ""
	}
	b := s.batches[w.Batch]
	if b == nil || b.Released == nil {
		return ""
	}
	if _, dead := s.Dead(b); !dead {
		return ""
	}
	return b.Released.Reason
}

// cancels checks the inputs of a cancel: at least one of a batch that can be
// cancelled, and not exactly its own, because batches are told apart by what they
// spend. fresh are the inputs that are no batch's.
func (s *State) cancels(c *Chain, e *Planned) (fresh []chains.Outpoint, err error) {
	if e.Author == "" || e.Reason == "" {
		return nil, refuse("a cancel needs an author and a reason")
	}
	var target *Batch
	for _, in := range e.Inputs {
		b := s.holder(c, in)
		if b == nil {
			fresh = append(fresh, in)
			continue
		}
		if target != nil && target != b || !s.Cancellable(b) {
			return nil, refuse("%s of cancel %s is kept for batch %s", DepositID(c.ID, in), e.Batch, b.ID)
		}
		target = b
	}
	if target == nil || !c.Accounts() && slices.Equal(target.Inputs, sortedOutpoints(e.Inputs)) {
		return nil, refuse("cancel %s does not tell itself from another batch", e.Batch)
	}
	return fresh, nil
}

// Cancellable says whether a cancel may be planned for a batch: it is assigned,
// undecided, no cancel itself, and none was planned for it.
func (s *State) Cancellable(b *Batch) bool {
	return b.Assigned != nil && b.undecided() && b.Kind != BatchCancel && s.CancelOf(b) == nil
}

// CancelOf is the cancel of a batch, nil when there is none.
func (s *State) CancelOf(b *Batch) *Batch {
	c := s.chains[b.Chain]
	for _, in := range b.Inputs {
		if cancel := s.batches[c.cancels[in]]; cancel != nil && cancel != b && cancel.Released == nil {
			return cancel
		}
	}
	return nil
}

// cancelled says whether a batch is to be cancelled, or one of ours in no block that
// it needs.
func (s *State) cancelled(b *Batch) bool {
	c := s.chains[b.Chain]
	seen := map[string]bool{b.ID: true}
	for queue := []*Batch{b}; len(queue) > 0; queue = queue[1:] {
		if s.CancelOf(queue[0]) != nil {
			return true
		}
		for _, in := range queue[0].Inputs {
			if out := c.outputs[in]; out != nil && out.In != nil {
				continue
			}
			if maker := s.batches[c.makers[in.TxID]]; maker != nil && maker.Mined == nil && !seen[maker.ID] {
				seen[maker.ID] = true
				queue = append(queue, maker)
			}
		}
	}
	return false
}

// Resting lists the signed batches in no block that need a batch, however many are
// between: those that nodes drop with it.
func (s *State) Resting(b *Batch) (list []*Batch) {
	c := s.chains[b.Chain]
	needed := map[string]bool{b.ID: true}
	open := s.openBatchesOf(b.Chain)
	for more := true; more; {
		more = false
		for _, next := range open {
			if needed[next.ID] || len(next.Variants) == 0 || !next.undecided() {
				continue
			}
			if slices.ContainsFunc(next.Inputs, func(in chains.Outpoint) bool { return needed[c.makers[in.TxID]] }) {
				needed[next.ID], more = true, true
				list = append(list, next)
			}
		}
	}
	return list
}

// holder is the batch that keeps an outpoint from others: the one that it is kept
// for or that one's cancel, unless they are released and, by what we know
// ourselves, dead. nil: there is none.
func (s *State) holder(c *Chain, o chains.Outpoint) *Batch {
	for _, id := range [...]string{c.kept[o], c.cancels[o]} {
		if b := s.batches[id]; b != nil && !s.buried(b) {
			return b
		}
	}
	return nil
}

// Keeps says whether an outpoint is kept for a batch that may be mined.
func (s *State) Keeps(c *Chain, o chains.Outpoint) bool { return s.holder(c, o) != nil }

// buried says whether a batch is at its end because it is dead. What nothing has
// spent of its inputs is free; a reorganisation that undoes the proof takes it back.
func (s *State) buried(b *Batch) bool {
	if b.Released == nil {
		return false
	}
	_, dead := s.Dead(b)
	return dead
}

// tookOfDead says whether the batches are dead that inputs of a batch were kept for
// before it.
func (s *State) tookOfDead(b *Batch) bool {
	return !slices.ContainsFunc(b.Took, func(id string) bool { return !s.buried(s.batches[id]) })
}

// Death is a batch that is dead, with the proof.
type Death struct{ Batch, Proof string }

// Deaths are those of the batches that inputs of a batch were promised to before
// it, however many in a row.
func (s *State) Deaths(b *Batch) (list []Death) {
	seen := map[string]bool{}
	for queue := b.Took; len(queue) > 0; queue = queue[1:] {
		id := queue[0]
		if seen[id] {
			continue
		}
		seen[id] = true
		if proof, dead := s.Dead(s.batches[id]); dead {
			list = append(list, Death{id, proof})
		}
		queue = append(slices.Clone(queue), s.batches[id].Took...)
	}
	return list
}
