//go:build failpoints

package main

import (
	"testing"

	"causeway/chains"
	"causeway/internal/failpoint"
)

// atMost is how many seeds may pass, and from which one on, before a campaign must
// have found that a defence is off. What is not sent again is mostly replaced by a
// dearer variant in time: few lives miss it.
var atMost = map[string]struct {
	campaign    string
	seeds, from uint64
	chain       chains.ID // empty: any
}{
	failpoint.AssignBeforeSign:         {campaign: "crash", seeds: 20, from: 1},
	failpoint.DurableBeforeBroadcast:   {campaign: "crash", seeds: 20, from: 1},
	failpoint.Rebroadcast:              {campaign: "crash", seeds: 120, from: 1},
	failpoint.CreditDepth:              {campaign: "crash", seeds: 60, from: 1},
	failpoint.InputDepth:               {campaign: "crash", seeds: 100, from: 1},
	failpoint.DepositOnce:              {campaign: "crash", seeds: 150, from: 1},
	failpoint.PayoutByInputs:           {campaign: "crash", seeds: 100, from: 1},
	failpoint.ReleaseWhenDead:          {campaign: "crash", seeds: 100, from: 1},
	failpoint.CandidateBeforeSignature: {campaign: "crash", seeds: 60, from: 1},
	failpoint.HomeLock:                 {campaign: "crash", seeds: 60, from: 1},
	failpoint.FollowByHash:             {campaign: "reorg", seeds: 10, from: 1},
	failpoint.Quorum:                   {campaign: "lies", seeds: 60, from: 1},
}

// TestDefencesAreReal: with any one of them switched off its campaign fails.
func TestDefencesAreReal(t *testing.T) {
	for _, defence := range failpoint.Defences() {
		t.Run(defence, func(t *testing.T) {
			how, ok := atMost[defence]
			if !ok {
				t.Fatal("no campaign is said to find it")
			}
			o := newOptions(t.Output())
			o.off, o.chain = []string{defence}, how.chain
			for seed := how.from; seed < how.from+how.seeds; seed++ {
				if result := campaigns()[how.campaign].run(o, seed); len(result.violations) > 0 {
					t.Logf("%s, seed %d: %s", how.campaign, seed, result.violations[0])
					return
				}
			}
			t.Errorf("%d seeds of %s found nothing", how.seeds, how.campaign)
		})
	}
}

// TestDefencesOfEthereum: those that both kinds of chains have are missed there too.
func TestDefencesOfEthereum(t *testing.T) {
	for _, test := range []struct {
		defence, campaign string
		seeds, from       uint64
	}{
		{failpoint.AssignBeforeSign, "crash", 30, 1},
		{failpoint.DurableBeforeBroadcast, "crash", 20, 1},
		{failpoint.Quorum, "lies", 60, 9},
	} {
		t.Run(test.defence, func(t *testing.T) {
			o := newOptions(t.Output())
			o.off, o.chain = []string{test.defence}, chains.ETH
			for seed := test.from; seed < test.from+test.seeds; seed++ {
				if result := campaigns()[test.campaign].run(o, seed); len(result.violations) > 0 {
					t.Logf("%s, seed %d: %s", test.campaign, seed, result.violations[0])
					return
				}
			}
			t.Errorf("%d seeds of %s found nothing", test.seeds, test.campaign)
		})
	}
}

// TestShortForms: with all of them no campaign finds anything.
func TestShortForms(t *testing.T) {
	for _, form := range []struct {
		name  string
		runs  int
		chain chains.ID
	}{{"crash", 12, ""}, {"crash", 5, chains.ETH}, {"reorg", 4, ""}, {"lies", 24, ""}, {"lies", 9, chains.ETH}, {"load", 300, ""}} {
		t.Run(form.name+string(form.chain), func(t *testing.T) {
			o := with(t.Output(), form.runs, 1)
			o.chain = form.chain
			r, _ := execute(form.name, campaigns()[form.name], o)
			if r.Violations > 0 {
				t.Errorf("%+v", r)
			}
		})
	}
}

// TestASeedReplays: a life that is lived step by step ends in the same chain
// every time, transactions of the gateway included, unless the process is killed at
// any instant in it.
func TestASeedReplays(t *testing.T) {
	o, compared := newOptions(t.Output()), 0
	for seed := uint64(1); compared < 4 && seed < 40; seed++ {
		live := func() (tip string, steady bool) {
			l, err := newLife(o, seed, 1+2*int(seed%2), 120)
			if err != nil {
				t.Fatal(err)
			}
			defer l.end()
			if err := l.live(); err != nil || len(l.faults) > 0 {
				t.Fatal(err, l.faults)
			}
			return l.world.tip(), len(l.sent) > 0 && l.counts["kills"] == 0
		}
		first, steady := live()
		if !steady {
			continue
		}
		compared++
		if second, _ := live(); first != second {
			t.Errorf("seed %d: %s, then %s", seed, first, second)
		}
	}
	if compared < 4 {
		t.Errorf("only %d lives were compared", compared)
	}
}
