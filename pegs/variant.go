package pegs

import (
	"slices"
	"time"

	"causeway/chains"
	"causeway/internal/failpoint"
)

// bumped books the intent of a further variant. A batch whose change is promised
// to a child gets none: the child would die with it (design, rule 3).
func (s *State) bumped(e *Bumped, at time.Time) error {
	b := s.batches[e.Batch]
	switch {
	case b == nil || !b.undecided() || b.Settling != nil:
		return refuse("batch %s cannot be bumped", e.Batch)
	case b.Pending || len(b.Variants) == 0:
		return refuse("batch %s has a plan that is not signed", e.Batch)
	case s.HasChild(b):
		return refuse("the change of batch %s is promised to a child", e.Batch)
	case !b.Newest().Fee.Less(e.Fee):
		return refuse("batch %s: a fee of %s after %s", e.Batch, e.Fee, b.Newest().Fee)
	}
	b.Plan, b.Fee, b.Pending = e.Plan, e.Fee, true
	s.touchBatch(b, at, "")
	return nil
}

// HasChild says whether change of a batch is kept for another one. What was signed
// for one that died is promised for ever: the signer makes no further variant.
func (s *State) HasChild(b *Batch) bool {
	c := s.chains[b.Chain]
	for _, v := range b.Variants {
		for _, p := range v.Change {
			if child := s.batches[c.kept[p.Outpoint]]; child != nil && (child.Released == nil || len(child.Variants) > 0) {
				return true
			}
		}
	}
	return false
}

// Learns says whether bytes that were signed for a batch are still booked: until it
// is at its end.
func (b *Batch) Learns() bool { return b.Released == nil && (b.Settled == nil || b.Mined == nil) }

// childOf says whether change of a variant is kept for a batch that lives.
func (s *State) childOf(b *Batch, v Signed) bool {
	c := s.chains[b.Chain]
	return slices.ContainsFunc(v.Change, func(p Payment) bool {
		child := s.batches[c.kept[p.Outpoint]]
		return child != nil && child.Released == nil
	})
}

// signed books bytes that exist, also when the chain has decided by now: what they
// would make is then known never to be made.
func (s *State) signed(e *Signed, at time.Time) error {
	b := s.batches[e.Batch]
	switch {
	case b == nil || b.Assigned == nil && !failpoint.Off(failpoint.AssignBeforeSign):
		return refuse("batch %s is not assigned", e.Batch)
	case !b.Learns():
		return refuse("batch %s is at its end", e.Batch)
	case len(e.Raw) == 0 || e.TxID == "":
		return refuse("batch %s: nothing was signed", e.Batch)
	}
	for _, v := range b.Variants {
		if v.TxID == e.TxID {
			return refuse("batch %s: variant %s twice", e.Batch, e.TxID)
		}
	}
	c := s.chains[b.Chain]
	b.Variants = append(b.Variants, *e)
	b.Pending, b.Since = false, c.height()
	c.makers[e.TxID] = b.ID
	s.signerCounter = max(s.signerCounter, e.Counter)
	for _, p := range e.Change {
		if c.outputs[p.Outpoint] == nil {
			c.outputs[p.Outpoint] = &Output{Payment: p, Own: true}
			c.note(c.outputs[p.Outpoint])
		}
	}
	s.touchBatch(b, at, e.TxID)
	return nil
}

func (s *State) broadcast(e *Broadcast, at time.Time) error {
	b := s.batches[e.Batch]
	if b == nil || !slices.ContainsFunc(b.Variants, func(v Signed) bool { return v.TxID == e.TxID }) {
		return refuse("batch %s has no variant %s", e.Batch, e.TxID)
	}
	if slices.Contains(b.Taken, e.TxID) {
		return refuse("batch %s: broadcast of %s twice", e.Batch, e.TxID)
	}
	b.Broadcast, b.Taken = e, append(b.Taken, e.TxID)
	s.touchBatch(b, at, e.TxID)
	return nil
}

// Variant is the bytes of a signed transaction of ours, or nil.
func (s *State) Variant(chain chains.ID, txid string) []byte {
	c := s.chains[chain]
	if c == nil {
		return nil
	}
	if b := s.batches[c.makers[txid]]; b != nil {
		for _, v := range b.Variants {
			if v.TxID == txid {
				return v.Raw
			}
		}
	}
	return nil
}
