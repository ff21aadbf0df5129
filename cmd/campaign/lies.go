package main

import (
	"errors"
	"fmt"
	"time"

	"causeway/chains/chaintest"
)

// liesRuns is how many runs try every way of answering wrongly at every method
// (and at all of them), in each of the three settings once.
func liesRuns() int { return settings * len(chaintest.FaultKinds()) * (len(chaintest.Methods()) + 1) }

// settings: one of three nodes is wrong, two of three are, the only one is, or
// two are and the third has a chain of its own with a payment that never was.
const settings = 4

// wrongness is what is wrong in a run.
type wrongness struct {
	setting int
	fault   chaintest.Fault
	nodes   []int // that are wrong
	forger  int   // in the last setting: who has a chain of its own
	of      int
}

// wrongnessOf is decided by the seed: consecutive seeds go through all kinds.
func wrongnessOf(seed uint64) wrongness {
	kinds, methods := chaintest.FaultKinds(), append([]string{""}, chaintest.Methods()...)
	n := int(seed % uint64(liesRuns()))
	w := wrongness{setting: n % settings, of: 3}
	n /= settings
	w.fault = chaintest.Fault{Kind: kinds[n%len(kinds)], Method: methods[n/len(kinds)], Delay: 2 * time.Millisecond}
	one := int(seed/7) % 3
	switch w.setting {
	case 0:
		w.nodes = []int{one}
	case 1:
		w.nodes = []int{one, (one + 1) % 3}
	case 2:
		w.nodes, w.of = []int{0}, 1
	case 3:
		w.nodes = []int{one, (one + 1) % 3}
		w.forger = (one + 2) % 3
	}
	return w
}

// liesRun lets nodes be wrong while money comes in and goes out. One wrong node
// of three must not even be felt. With more than that nothing wrong may be
// believed, and all must go on when the nodes are right again.
func liesRun(o options, seed uint64) outcome {
	if o.kindFor(seed).terms().final {
		return etherLiesRun(o, seed)
	}
	w := wrongnessOf(seed)
	l, err := newLife(o, seed, w.of, 60)
	if err != nil {
		return outcome{seed: seed, violations: []string{"the world cannot be made: " + err.Error()}}
	}
	defer l.end()
	if err := l.suffer(w); err != nil && !errors.Is(err, errGiveUp) {
		l.fault("%v", err)
	}
	l.counts["lives"]++
	l.counts[fmt.Sprintf("%d of %d nodes wrong", len(w.nodes), w.of)]++
	for i, fault := range l.faults {
		l.faults[i] = fmt.Sprintf("nodes %v of %d, %s at %q: %s", w.nodes, w.of, w.fault.Kind, w.fault.Method, fault)
	}
	return outcome{seed: seed, violations: l.faults, counts: l.counts}
}

func (l *life) suffer(w wrongness) error {
	if err := l.boot(trap{}); err != nil {
		return err
	}
	if err := l.addresses(); err != nil {
		return err
	}
	if err := l.money(); err != nil {
		return err
	}
	for _, i := range w.nodes {
		// Two that tell the same lie are a quorum: nobody can tell (and the only
		// node of a chain is one). Two that tell different ones are not.
		if w.fault.Kind == chaintest.Lie && w.setting != 0 && i == w.nodes[0] {
			continue
		}
		l.sim.Node(i).Inject(w.fault)
	}
	if w.setting == 3 {
		if err := l.forge(l.sim.Node(w.forger)); err != nil {
			return err
		}
		if err := l.step(6); err != nil {
			return err
		}
		if err := l.truth(); err != nil {
			return err
		}
	}
	for range 3 {
		if err := l.money(); err != nil {
			return err
		}
		if err := l.truth(); err != nil {
			return err
		}
	}
	if w.setting == 0 {
		if err := l.unfelt(); err != nil {
			return err
		}
	}
	if err := l.settle(); err != nil {
		return err
	}
	return l.judge()
}

// forge puts a node on a chain of its own, as high as the best one, in which a
// user was paid what nobody ever paid him.
func (l *life) forge(n *chaintest.Node) error {
	if err := l.sim.Mine(2 * int(l.depth)); err != nil {
		return err
	}
	chain := l.sim.Chain()
	at := chain[len(chain)-2-int(l.depth)]
	tx, err := l.sim.Send(chaintest.Output{Address: l.address[l.user()], Units: 7_000_000 * l.terms().scale})
	if err != nil {
		return err
	}
	l.sim.Evict(tx)
	for txs := []*chaintest.Tx{tx}; at.Height < l.sim.Best().Height; txs = nil {
		if at, err = l.sim.Extend(at, txs...); err != nil {
			return err
		}
	}
	n.SetTip(at)
	return nil
}

// money comes in and goes out.
func (l *life) money() error {
	if err := l.deposit(); err != nil {
		return err
	}
	if err := l.withdraw(l.user()); err != nil {
		return err
	}
	if err := l.world.mine(2); err != nil {
		return err
	}
	return l.step(4)
}

// truth: what is credited stands in the best chain, deep enough, in full.
func (l *life) truth() error {
	var rows []depositRow
	err := l.ask(func() (err error) {
		rows, err = rowsOf[depositRow](l.api, "pegs", "deposits", struct{}{})
		return err
	})
	if err != nil {
		return err
	}
	for _, r := range rows {
		if !l.stands(r) {
			l.fault("%s is credited with %s", r.ID, r.Quantity)
			return errGiveUp
		}
	}
	return nil
}

func (l *life) stands(r depositRow) bool {
	var txid string
	var index int
	if n, err := fmt.Sscanf(r.ID, string(l.terms().id)+":%64s:%d", &txid, &index); n != 2 || err != nil {
		return false
	}
	chain := l.sim.Chain()
	for _, block := range chain[:max(len(chain)-int(l.depth)+1, 0)] {
		for _, tx := range block.Txs() {
			if tx.ID.String() == txid && index < len(tx.Msg.TxOut) {
				return coins(tx.Msg.TxOut[index].Value) == r.Quantity
			}
		}
	}
	return false
}

// unfelt: with two right nodes of three everything comes to rest.
func (l *life) unfelt() error {
	reason := ""
	for range 40 {
		if err := l.world.mine(1); err != nil {
			return err
		}
		if err := l.step(3); err != nil {
			return err
		}
		var err error
		if reason, err = l.quiet(); err != nil || reason == "" {
			return err
		}
	}
	l.fault("two right nodes are not enough: %s", reason)
	return errGiveUp
}
