package chaintest

import (
	"errors"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// Node is one node of the chain: a tip of its own, a mempool of its own, and
// its own way of answering.
type Node struct {
	sim   *Sim
	index int

	// All guarded by the lock of the Sim.
	branch branch
	pool   []*Tx // parents first
	lag    int
	fixed  bool // stays where SetTip put it
	down   bool // cut off: it neither hears nor tells of transactions
	faults []*Fault
	lie    *falseTip
}

func newNode(s *Sim, index int) *Node {
	return &Node{sim: s, index: index, branch: branchTo(s.best)}
}

// Tip is the newest block that the node has.
func (n *Node) Tip() *Block {
	n.sim.mu.Lock()
	defer n.sim.mu.Unlock()
	return n.branch.tip()
}

// Pool lists what waits in the node's mempool, parents first.
func (n *Node) Pool() []*Tx {
	n.sim.mu.Lock()
	defer n.sim.mu.Unlock()
	return slices.Clone(n.pool)
}

// Delay keeps the node so many blocks behind the best one from now on.
func (n *Node) Delay(blocks int) {
	n.sim.mu.Lock()
	defer n.sim.mu.Unlock()
	n.lag = blocks
	n.follow()
}

// SetTip puts the node on any block, where it stays until Release.
func (n *Node) SetTip(b *Block) {
	n.sim.mu.Lock()
	defer n.sim.mu.Unlock()
	n.fixed = true
	n.move(b)
}

// Release lets the node follow the best branch again.
func (n *Node) Release() {
	n.sim.mu.Lock()
	defer n.sim.mu.Unlock()
	n.fixed = false
	n.follow()
}

// Cut keeps transactions from reaching the node, and what it hears from others.
func (n *Node) Cut(off bool) {
	n.sim.mu.Lock()
	defer n.sim.mu.Unlock()
	n.down = off
}

// follow moves the node to where it should be.
func (n *Node) follow() {
	if n.fixed {
		return
	}
	target := n.sim.best
	for range n.lag {
		if target.Parent != nil {
			target = target.Parent
		}
	}
	n.move(target)
}

// move changes the node's branch. What leaves the chain waits again; what has
// come into it, or cannot any more, leaves the mempool.
func (n *Node) move(target *Block) {
	if n.branch.tip() == target {
		return
	}
	next := branchTo(target)
	var back []*Tx
	for h := 1; h < len(n.branch); h++ {
		if !next.has(n.branch[h]) {
			back = append(back, n.branch[h].payments()...)
		}
	}
	n.branch, n.lie = next, nil
	n.pool = n.sim.fitting(next, append(back, n.pool...))
}

// Refusals in the words of Bitcoin Core.
var (
	errInPool   = errors.New("txn-already-in-mempool")
	errInChain  = errors.New("transaction already in block chain")
	errFee      = errors.New("min relay fee not met")
	errReplace  = errors.New("insufficient fee, rejecting replacement")
	errScript   = errors.New("mandatory-script-verify-flag-failed")
	errTooLong  = errors.New("too-long-mempool-chain")
	errNegative = errors.New("bad-txns-in-belowout")
)

// maxAncestors is the longest chain of unconfirmed transactions, the newest
// included.
const maxAncestors = 25

// accept takes a transaction into the mempool, in place of what it replaces.
func (n *Node) accept(tx *Tx) error {
	s := n.sim
	if slices.Contains(n.pool, tx) {
		return errInPool
	}
	if n.branch.where(tx) != nil {
		return errInChain
	}
	conflicts, rest := n.conflicts(tx)
	made := map[chainhash.Hash]*Tx{}
	for _, other := range rest {
		made[other.ID] = other
	}
	if err := s.fits(n.branch, tx, nil, made); err != nil {
		return err
	}
	fee, err := s.check(n.branch, tx, made)
	if err != nil {
		return err
	}
	if err := n.replaces(tx, fee, conflicts); err != nil {
		return err
	}
	if ancestors(tx, made) > maxAncestors {
		return errTooLong
	}
	n.pool = append(s.fitting(n.branch, rest), tx)
	return nil
}

// conflicts are the transactions of the mempool that spend an input too, with
// all that rests on them, and the others.
func (n *Node) conflicts(tx *Tx) (conflicts, rest []*Tx) {
	wants, gone := map[wire.OutPoint]bool{}, map[chainhash.Hash]bool{}
	for _, op := range outpoints(tx.Msg) {
		wants[op] = true
	}
	for _, other := range n.pool {
		hit := slices.ContainsFunc(outpoints(other.Msg), func(op wire.OutPoint) bool { return wants[op] || gone[op.Hash] })
		if hit {
			gone[other.ID] = true
			conflicts = append(conflicts, other)
		} else {
			rest = append(rest, other)
		}
	}
	return conflicts, rest
}

// replaces checks BIP 125: everything replaced signals it, and the new one pays
// more than all of it, at a higher rate.
func (n *Node) replaces(tx *Tx, fee int64, conflicts []*Tx) error {
	var old int64
	for _, other := range conflicts {
		if n.sim.params.FirstSeen || !slices.ContainsFunc(other.Msg.TxIn, func(in *wire.TxIn) bool { return in.Sequence <= mempool.MaxRBFSequence }) {
			return errConflict
		}
		paid, err := n.sim.fee(other)
		if err != nil {
			return err
		}
		old += paid
		if fee*vsize(other) <= paid*vsize(tx) {
			return errReplace
		}
	}
	if len(conflicts) > 0 && fee < old+vsize(tx)*n.sim.params.Fees.Relay/1000 {
		return errReplace
	}
	return nil
}

// ancestors counts the unconfirmed transactions that tx rests on, and itself.
func ancestors(tx *Tx, pool map[chainhash.Hash]*Tx) int {
	seen := map[chainhash.Hash]bool{}
	var walk func(*Tx)
	walk = func(t *Tx) {
		seen[t.ID] = true
		for _, in := range t.Msg.TxIn {
			if parent := pool[in.PreviousOutPoint.Hash]; parent != nil && !seen[parent.ID] {
				walk(parent)
			}
		}
	}
	walk(tx)
	return len(seen)
}

func vsize(tx *Tx) int64 { return mempool.GetTxVirtualSize(btcutil.NewTx(tx.Msg)) }

// fee is what a transaction leaves to the miner, wherever its inputs are.
func (s *Sim) fee(tx *Tx) (fee int64, err error) {
	for _, in := range tx.Msg.TxIn {
		prev := s.txs[in.PreviousOutPoint.Hash]
		if prev == nil || int(in.PreviousOutPoint.Index) >= len(prev.Msg.TxOut) {
			return 0, errMissing
		}
		fee += prev.Msg.TxOut[in.PreviousOutPoint.Index].Value
	}
	for _, out := range tx.Msg.TxOut {
		fee -= out.Value
	}
	return fee, nil
}

// check verifies amounts and signatures and gives the fee.
func (s *Sim) check(b branch, tx *Tx, made map[chainhash.Hash]*Tx) (int64, error) {
	fee, err := s.fee(tx)
	switch {
	case err != nil:
		return 0, err
	case fee < 0:
		return 0, errNegative
	case fee < vsize(tx)*s.params.Fees.Relay/1000:
		return 0, errFee
	}
	prevs := txscript.NewMultiPrevOutFetcher(nil)
	for _, op := range outpoints(tx.Msg) {
		prevs.AddPrevOut(op, s.txs[op.Hash].Msg.TxOut[op.Index])
	}
	hashes := txscript.NewTxSigHashes(tx.Msg, prevs)
	for i := range tx.Msg.TxIn {
		if err := s.params.VerifyInput(tx.Msg, i, prevs, hashes, s.sigs); err != nil {
			return 0, fmt.Errorf("%w, input %d: %w", errScript, i, err)
		}
	}
	return fee, nil
}
