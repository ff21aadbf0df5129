package chaintest

import (
	"fmt"

	"github.com/btcsuite/btcd/wire/v2"
)

// Rewrite is a reorganisation of the best branch.
type Rewrite struct {
	Depth int // blocks that leave
	// Length is how many take their place; 0: one more than leave. Fewer than
	// leave only make a branch that nobody follows.
	Length int
	// Drop keeps transactions out of the new blocks; nil: none. They wait in
	// the mempools again unless Forget.
	Drop func(*Tx) bool
	// Forget takes what was dropped out of all mempools too.
	Forget bool
	// Replace spends the payer's coins of what was dropped to the payer itself
	// in the first new block: the payments can never come back.
	Replace bool
}

// Reorg rewrites the best branch and gives the new blocks. What is not dropped
// is mined again, spread over the new blocks at random.
func (s *Sim) Reorg(r Rewrite) ([]*Block, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if r.Length == 0 {
		r.Length = r.Depth + 1
	}
	if r.Depth < 1 || r.Depth >= s.best.Height {
		return nil, fmt.Errorf("chaintest: reorganisation of %d blocks at height %d", r.Depth, s.best.Height)
	}
	fork := s.best
	var old []*Tx
	for range r.Depth {
		old = append(fork.payments(), old...)
		if fork.hogEx != nil && !(r.Drop != nil && r.Drop(fork.hogEx) && (r.Forget || r.Replace)) {
			s.pegOuts = append(s.pegOuts, fork.hogEx.Msg.TxOut[1:]...)
		}
		fork = fork.Parent
	}
	keep, dropped := s.split(branchTo(fork), old, r.Drop)
	var first []*Tx
	if r.Replace {
		for _, tx := range dropped {
			if again := s.wallet.respend(tx); again != nil {
				first = append(first, s.enter(again))
			}
		}
	}
	return s.rebuild(fork, r.Length, first, keep, func() {
		if r.Forget || r.Replace {
			for _, tx := range dropped {
				s.evict(tx)
			}
		}
	})
}

// split parts transactions into those that stay and those that go, with all that
// rests on them.
func (s *Sim) split(b branch, txs []*Tx, drop func(*Tx) bool) (keep, dropped []*Tx) {
	for _, tx := range txs {
		if drop != nil && drop(tx) {
			dropped = append(dropped, tx)
		} else {
			keep = append(keep, tx)
		}
	}
	return s.fitting(b, keep), dropped
}

// rebuild makes the new branch; before is called when the nodes are on it.
func (s *Sim) rebuild(fork *Block, length int, first, rest []*Tx, before func()) (made []*Block, err error) {
	tip := fork
	for i := range length {
		var candidates, later []*Tx
		if i == 0 {
			candidates = first
		}
		for _, tx := range rest {
			if i == length-1 || s.rng.IntN(2) == 0 {
				candidates = append(candidates, tx)
			} else {
				later = append(later, tx)
			}
		}
		in := s.fitting(branchTo(tip), candidates)
		// A child whose parent comes later comes later too.
		rest = append(without(candidates, in), later...)
		if tip, err = s.extend(tip, in, nil); err != nil {
			return made, err
		}
		made = append(made, tip)
	}
	before()
	return made, nil
}

func without(list, some []*Tx) (rest []*Tx) {
	gone := map[*Tx]bool{}
	for _, tx := range some {
		gone[tx] = true
	}
	for _, tx := range list {
		if !gone[tx] {
			rest = append(rest, tx)
		}
	}
	return rest
}

// Evict takes a transaction, and what rests on it, out of a node's mempool.
func (n *Node) Evict(tx *Tx) {
	n.sim.mu.Lock()
	defer n.sim.mu.Unlock()
	n.evict(tx)
}

// Evict takes a transaction, and what rests on it, out of all mempools.
func (s *Sim) Evict(tx *Tx) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.evict(tx)
}

func (s *Sim) evict(tx *Tx) {
	for _, n := range s.nodes {
		n.evict(tx)
	}
}

func (n *Node) evict(tx *Tx) {
	var rest []*Tx
	for _, other := range n.pool {
		if other != tx {
			rest = append(rest, other)
		}
	}
	n.pool = n.sim.fitting(n.branch, rest)
}

// Malleate changes the signatures of a transaction that waits in a mempool, as
// anybody who relays it can: it does the same, and has another txid if its
// signatures count in it. The nodes then have the changed one. It gives nil for
// one that has no signature to change, and on Bitcoin Cash, where the other form
// of a signature is none.
func (s *Sim) Malleate(tx *Tx) *Tx {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.params.ForkID {
		return nil
	}
	msg := tx.Msg.Copy()
	if !flipSignatures(msg) {
		return nil
	}
	changed := &Tx{Msg: msg, ID: msg.TxHash()}
	if changed.ID == tx.ID { // witnesses alone: the same transaction to everybody
		tx.Msg = msg
		return tx
	}
	changed = s.enter(msg)
	for _, n := range s.nodes {
		for i, other := range n.pool {
			if other == tx {
				n.pool[i] = changed
			}
		}
		n.pool = s.fitting(n.branch, n.pool)
	}
	return changed
}

func outpoints(msg *wire.MsgTx) (list []wire.OutPoint) {
	for _, in := range msg.TxIn {
		list = append(list, in.PreviousOutPoint)
	}
	return list
}
