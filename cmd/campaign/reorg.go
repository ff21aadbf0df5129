package main

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strings"

	"causeway/chains/chaintest"
)

// reorgDepth is the credit depth of a reorg run: deeper than its trees.
const reorgDepth = 12

// reorgRun lets a gateway live through a random tree of blocks, and another one
// see the final chain alone: they must say the same.
func reorgRun(o options, seed uint64) outcome {
	l, err := newLife(o, seed, 1, 80)
	if err != nil {
		return outcome{seed: seed, violations: []string{"the world cannot be made: " + err.Error()}}
	}
	defer l.end()
	l.depths(reorgDepth)
	if err := l.grow(); err != nil && !errors.Is(err, errGiveUp) {
		l.fault("%v", err)
	}
	l.counts["trees"]++
	return outcome{seed: seed, violations: l.faults, counts: l.counts}
}

func (l *life) grow() error {
	if err := l.boot(trap{}); err != nil {
		return err
	}
	if err := l.addresses(); err != nil {
		return err
	}
	for range 10 + l.rng.IntN(15) {
		if err := l.branch(); err != nil {
			return err
		}
		if err := l.step(l.rng.IntN(3)); err != nil {
			return err
		}
	}
	if err := l.compare("before any credit"); err != nil {
		return err
	}
	if err := l.settle(); err != nil {
		return err
	}
	if err := l.compare("at rest"); err != nil {
		return err
	}
	return l.judge()
}

// branch changes the tree: blocks, payments, reorganisations, an extension of any
// block, a node that goes anywhere.
func (l *life) branch() error {
	deepest := reorgDepth - 3
	switch n := l.rng.IntN(10); {
	case n < 3:
		return l.deposit()
	case n < 5:
		return l.sim.Mine(1 + l.rng.IntN(2))
	case n < 8:
		l.counts["reorgs"]++
		depth := 1 + l.rng.IntN(deepest)
		drop := l.rng.IntN(3)
		_, err := l.sim.Reorg(chaintest.Rewrite{
			Depth: depth, Length: depth + l.rng.IntN(3),
			Drop:   func(*chaintest.Tx) bool { return drop > 0 && l.rng.IntN(2) == 0 },
			Forget: l.rng.IntN(3) == 0, Replace: l.rng.IntN(4) == 0,
		})
		return err
	case n < 9:
		chain := l.sim.Chain()
		_, err := l.sim.Extend(chain[len(chain)-1-l.rng.IntN(3)])
		return err
	}
	l.counts["wanderings"]++
	chain := l.sim.Chain()
	l.sim.Node(0).SetTip(chain[len(chain)-1-l.rng.IntN(deepest)])
	if err := l.step(2); err != nil {
		return err
	}
	l.sim.Node(0).Release()
	return nil
}

// compare holds what the gateway says against what another one says that has
// never seen any other chain.
func (l *life) compare(when string) error {
	// Both must have read to the end of the chain.
	if err := l.sim.Mine(1); err != nil {
		return err
	}
	if err := l.step(3); err != nil {
		return err
	}
	fresh := &life{options: l.options, network: l.network, seed: l.seed, rng: l.rng, world: l.world, sim: l.sim, urls: l.urls, depth: l.depth, extra: l.extra,
		api: &client{http: l.api.http}, counts: map[string]int{}, address: l.address}
	var err error
	if fresh.home, err = os.MkdirTemp(memory(), "causeway-campaign-"); err != nil {
		return err
	}
	defer fresh.end()
	if err := fresh.boot(trap{}); err != nil {
		return errors.Join(err, errors.New(strings.Join(fresh.faults, "; ")))
	}
	if err := fresh.step(8); err != nil {
		return err
	}
	want, err := fresh.seen()
	if err != nil {
		return err
	}
	got, err := l.seen()
	if err != nil {
		return err
	}
	if !slices.Equal(got, want) {
		l.fault("%s: after reorganisations %v, after the final chain alone %v", when, got, want)
	}
	l.counts["comparisons"]++
	return nil
}

// seen is all that depends on the chain: deposits and reserves.
func (l *life) seen() (list []string, err error) {
	deposits, err := pages[depositItem](l.api, "/v1/deposits")
	if err != nil {
		return nil, err
	}
	for _, d := range deposits {
		if d.State != "gone" {
			list = append(list, fmt.Sprintf("%s %s %s %s %d %s", d.ID, d.Account, d.Amount, d.State, d.Confirms, d.Block))
		}
	}
	var r reservesAnswer
	if err := l.api.get("/v1/reserves", &r); err != nil {
		return nil, err
	}
	for _, item := range r.Items {
		list = append(list, fmt.Sprintf("%s:%d %s %s", item.TxID, item.Index, item.Kind, item.Amount))
	}
	slices.Sort(list)
	return list, nil
}
