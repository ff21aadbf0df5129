package main

import (
	"errors"
	"fmt"

	"causeway/cmd/campaign/model"
)

// etherSettings: one of three nodes is wrong, two of three are, the only one is.
const etherSettings = 3

// etherWrongness is what is wrong in a run.
type etherWrongness struct {
	setting int
	fault   etherFault
	nodes   []int
	of      int
}

// etherWrongnessOf is decided by the seed: consecutive seeds go through all kinds.
func etherWrongnessOf(seed uint64) etherWrongness {
	kinds, methods := etherFaults(), append([]string{""}, etherMethods()...)
	n := int(seed % uint64(etherSettings*len(kinds)*len(methods)))
	w := etherWrongness{setting: n % etherSettings, of: 3}
	n /= etherSettings
	w.fault = etherFault{kind: kinds[n%len(kinds)], method: methods[n/len(kinds)]}
	one := int(seed/7) % 3
	switch w.setting {
	case 0:
		w.nodes = []int{one}
	case 1:
		w.nodes = []int{one, (one + 1) % 3}
	case 2:
		w.nodes, w.of = []int{0}, 1
	}
	return w
}

// etherLiesRun is liesRun on Ethereum.
func etherLiesRun(o options, seed uint64) outcome {
	w := etherWrongnessOf(seed)
	l, err := newLife(o, seed, w.of, 0)
	if err != nil {
		return outcome{seed: seed, violations: []string{"the world cannot be made: " + err.Error()}}
	}
	defer l.end()
	if err := l.world.(*etherWorld).suffer(l, w); err != nil && !errors.Is(err, errGiveUp) {
		l.fault("%v", err)
	}
	l.counts["lives"]++
	l.counts[fmt.Sprintf("%d of %d nodes wrong", len(w.nodes), w.of)]++
	for i, fault := range l.faults {
		l.faults[i] = fmt.Sprintf("nodes %v of %d, %s at %q: %s", w.nodes, w.of, w.fault.kind, w.fault.method, fault)
	}
	return outcome{seed: seed, violations: l.faults, counts: l.counts}
}

func (w *etherWorld) suffer(l *life, wrong etherWrongness) error {
	for _, do := range []func() error{func() error { return l.boot(trap{}) }, l.addresses, w.trade} {
		if err := do(); err != nil {
			return err
		}
	}
	for _, i := range wrong.nodes {
		// Two that tell the same lie are a quorum: nobody can tell (and the only
		// node of a chain is one).
		if wrong.fault.kind == "lie" && wrong.setting != 0 && i == wrong.nodes[0] {
			continue
		}
		w.nodes[i].inject(wrong.fault)
	}
	for range 4 {
		if err := w.trade(); err != nil {
			return err
		}
		if err := w.truth(l); err != nil {
			return err
		}
	}
	if wrong.setting == 0 {
		if err := l.unfelt(); err != nil {
			return err
		}
	}
	if err := l.settle(); err != nil {
		return err
	}
	return l.judge()
}

// trade is money, with tokens.
func (w *etherWorld) trade() error {
	if err := w.payTokens(w.life); err != nil {
		return err
	}
	if err := w.money(); err != nil {
		return err
	}
	return w.spendTokens(w.life)
}

// truth: nothing is credited that did not come in.
func (w *etherWorld) truth(l *life) error {
	story, err := w.story(l)
	if err != nil {
		return err
	}
	c := model.AccountClaim{Rows: map[string]model.Credit{}}
	if err := l.ask(func() error { return w.claimDeposits(l, &c) }); err != nil {
		return err
	}
	faults := model.Overcredited(story, c)
	for _, fault := range faults {
		l.fault("%s", fault)
	}
	if len(faults) > 0 {
		return errGiveUp
	}
	return nil
}
