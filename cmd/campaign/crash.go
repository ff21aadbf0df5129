package main

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"time"

	"causeway/pegs"
)

// The shape of a schedule.
const (
	leastActions = 8
	moreActions  = 16
)

// crashRun is one schedule: a random life of a gateway whose process ends again
// and again, then rest, then judgement.
func crashRun(o options, seed uint64) outcome {
	nodes := 1
	if seed%3 == 0 {
		nodes = 3
	}
	l, err := newLife(o, seed, nodes, 120)
	if err != nil {
		return outcome{seed: seed, violations: []string{"the world cannot be made: " + err.Error()}}
	}
	defer l.end()
	final := l.terms().final
	l.free, l.deep = seed%5 == 4, seed%7 == 3 && !final
	if seed%11 == 5 && !final {
		l.own, l.extra = true, pegs.DefaultInputExtra
		l.depth = l.terms().own
	}
	if err := l.live(); err != nil && !errors.Is(err, errGiveUp) {
		l.fault("%v", err)
	}
	l.counts["lives"]++
	l.counts["lives of "+string(l.terms().id)]++
	for _, r := range l.batches {
		l.counts["batches of kind "+r.Kind+", "+r.State]++
	}
	for what, is := range map[string]bool{"lives at full speed": l.free, "lives with deep rewrites": l.deep, "lives at the coin's own depth": l.own} {
		if is {
			l.counts[what]++
		}
	}
	return outcome{seed: seed, violations: l.faults, counts: l.counts}
}

// live is the schedule.
func (l *life) live() error {
	if err := l.boot(trap{}); err != nil {
		return err
	}
	if err := l.addresses(); err != nil {
		return err
	}
	if err := l.opening(); err != nil {
		return err
	}
	for range leastActions + l.rng.IntN(moreActions) {
		if err := l.act(); err != nil {
			return err
		}
		if err := l.step(l.rng.IntN(4)); err != nil {
			return err
		}
	}
	if l.deep {
		if err := l.endure(); err != nil {
			return err
		}
		return l.judge()
	}
	if err := l.settle(); err != nil {
		return err
	}
	return l.judge()
}

// opening pays in, so that there is something to lose.
func (l *life) opening() error {
	if l.rng.IntN(2) == 0 {
		if err := l.arm(); err != nil {
			return err
		}
	}
	for range 2 {
		if err := l.deposit(); err != nil {
			return err
		}
	}
	for range 2 {
		if err := l.world.mine((int(l.depth) + 2) / 2); err != nil {
			return err
		}
		if err := l.step(2); err != nil {
			return err
		}
	}
	return nil
}

// action is one thing that can happen, as likely as its weight.
type action struct {
	weight int
	name   string
	do     func(*life) error
}

// actions happen on chains of every kind.
var actions = []action{
	{20, "deposits", (*life).deposit},
	{25, "withdrawals", (*life).spend},
	{25, "blocks", (*life).mine},
	{20, "traps", (*life).arm},
	{6, "kills", (*life).kill},
	{3, "restarts", (*life).stop},
	{3, "restores", (*life).restore},
	{3, "rewinds", (*life).rewind},
	{2, "intruders", (*life).second},
	{6, "orders to cancel", (*life).cancel},
}

func (l *life) act() error {
	list, sum := slices.Concat(actions, l.world.actions()), 0
	for _, a := range list {
		sum += a.weight
	}
	n := l.rng.IntN(sum)
	for _, a := range list {
		if n -= a.weight; n < 0 {
			l.counts[a.name]++
			l.say("%s", a.name)
			return a.do(l)
		}
	}
	return nil
}

func (l *life) user() string { return users[l.rng.IntN(len(users))] }

// deposit pays in: mostly once, sometimes to several at once or too little.
func (l *life) deposit() error {
	t := l.terms()
	var list []payment
	for range 1 + max(l.rng.IntN(4)-1, 0) {
		units := 20_000 + l.rng.Int64N(3_000_000)
		if l.rng.IntN(10) == 0 {
			units = 600 + l.rng.Int64N(minimumUnits-600)
		}
		list = append(list, payment{l.address[l.user()], units * t.scale})
	}
	return l.world.pay(list...)
}

func (l *life) spend() error { return l.withdraw(l.user()) }

func (l *life) mine() error { return l.world.mine(1 + l.rng.IntN(2)) }

// rewind pays, and then puts back the ledger from before.
func (l *life) rewind() error {
	if err := l.stop(); err != nil {
		return err
	}
	path := filepath.Join(l.home, "gateway.db")
	before, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if err := l.spend(); err != nil {
		return err
	}
	if err := l.step(2 + l.rng.IntN(6)); err != nil {
		return err
	}
	if err := l.mine(); err != nil {
		return err
	}
	if err := l.step(l.rng.IntN(2)); err != nil {
		return err
	}
	if err := l.stop(); err != nil {
		return err
	}
	return os.WriteFile(path, before, 0o600)
}

// trapPoints are where processes are made to end.
var trapPoints = []string{
	"", "C1", "C2", "C3", "C4", "C5", "C6", "C7", "C10", "C11", "C12", "C13", "C14", "C15", "C16", "C17", "C18", "C19", "C20", "C21",
	"C23", "C24", "P1", "P2", "P3", "P4",
}

// newTrap is a crash point to die at.
func (l *life) newTrap() trap {
	t := trap{Set: true, Point: trapPoints[l.rng.IntN(len(trapPoints))]}
	t.After = l.rng.IntN(3)
	if t.Point == "" {
		t.After = l.rng.IntN(60)
	}
	if t.Point == "C24" {
		t.Delay = time.Duration(1+l.rng.IntN(300)) * time.Microsecond
	}
	return t
}

func (l *life) arm() error {
	l.trap = l.newTrap()
	return l.ask(func() error { return l.api.post("/campaign/trap", l.trap, nil) })
}

// kill ends the process at any instant.
func (l *life) kill() error {
	if err := l.alive(); err != nil {
		return err
	}
	if !l.free {
		// In the middle of a step.
		doomed := *l.api
		go func() { _ = doomed.post("/campaign/step?n=3", nil, nil) }()
	}
	time.Sleep(time.Duration(l.rng.IntN(4000)) * time.Microsecond)
	l.proc.kill()
	return nil
}
