package main

import (
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestKillAtRandom kills the process again and again while coins come in, go
// out and blocks are thrown away, sometimes before it is ready, sometimes
// several times within a second. CAUSEWAY_KILLS is the number of kills,
// CAUSEWAY_SEED the course of events.
func TestKillAtRandom(t *testing.T) {
	t.Parallel()
	kills, seed := number(t, "CAUSEWAY_KILLS", 8), number(t, "CAUSEWAY_SEED", uint64(time.Now().UnixNano()))
	t.Logf("CAUSEWAY_KILLS=%d CAUSEWAY_SEED=%d", kills, seed)
	y := newYard(t)
	y.start()
	y.treasury("5", "0.5", "0.7", "0.3")
	s := &storm{yard: y, rand: rand.New(rand.NewPCG(seed, 1)), counts: map[string]int{}}
	for s.counts["kill"] < int(kills) && !t.Failed() {
		s.round()
	}
	if y.ended() {
		y.start()
	}
	credits, payouts := y.settled("alice", "bob")
	s.checkRequests()
	if code := y.stop(); code != exitOK {
		t.Errorf("exit %d after SIGTERM", code)
	}
	if code, _, stderr := exitOf(t, y.env, "verify", "--home", y.home); code != exitOK {
		t.Errorf("verify: exit %d: %s", code, stderr)
	}
	t.Logf("%d starts, %v; %d credits, %d payouts", y.starts, s.counts, credits, payouts)
}

// TestKillAtTheVeryFirstStart kills a home that has never run before its stores
// and its first block are made.
func TestKillAtTheVeryFirstStart(t *testing.T) {
	t.Parallel()
	seed := number(t, "CAUSEWAY_SEED", uint64(time.Now().UnixNano()))
	t.Logf("CAUSEWAY_SEED=%d", seed)
	random := rand.New(rand.NewPCG(seed, 2))
	y := newYard(t)
	fresh := t.TempDir()
	copyFiles(t, y.home, fresh, genesisFile, configFile, keysFile)
	homes := 4
	if longTests() {
		homes = 60
	}
	for range homes {
		y.home = t.TempDir()
		copyFiles(t, fresh, y.home, genesisFile, configFile, keysFile)
		for range 6 {
			y.flash(time.Duration(random.IntN(120)) * time.Millisecond)
		}
		y.start()
		y.pay(y.depositAddress("alice"), "0.5")
		credits, _ := y.settled("alice")
		if credits == 0 {
			t.Error("nothing was credited")
		}
		y.kill()
	}
	t.Logf("%d homes, %d starts", homes, y.starts)
}

// TestOneProcessAtATime: of many processes on one home that start in the same
// instant one runs, the others are refused; after its death the next runs at
// once.
func TestOneProcessAtATime(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	for range 3 {
		var list []*process
		for range 5 {
			list = append(list, begin(t, y.env, "run", "--home", y.home))
		}
		var winner *process
		y.await("one process", func() bool {
			ended := 0
			for _, p := range list {
				if p.ended() {
					ended++
				} else if p.ready(y.home) {
					winner = p
				}
			}
			return winner != nil && ended == len(list)-1
		})
		for _, p := range list {
			if p != winner && (p.cmd.ProcessState.ExitCode() != exitRefused || !strings.Contains(p.stderr.String(), "in use by another process")) {
				t.Errorf("exit %d: %s", p.cmd.ProcessState.ExitCode(), p.stderr)
			}
		}
		winner.kill()
	}
}

func number(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	must(t, err)
	return n
}

// storm is a course of random events.
type storm struct {
	*yard
	rand   *rand.Rand
	counts map[string]int
	group  sync.WaitGroup // withdrawals under way

	mu     sync.Mutex
	payees []string // of every withdrawal that was asked for
}

// round is one life of the process: some events, an end that is mostly a kill,
// and the next start.
func (s *storm) round() {
	s.t.Helper()
	ctx, cancel := context.WithCancel(s.t.Context())
	for range s.rand.IntN(5) {
		s.event(ctx)
		time.Sleep(time.Duration(s.rand.IntN(400)) * time.Millisecond)
	}
	time.Sleep(time.Duration(s.rand.IntN(1200)) * time.Millisecond)
	if s.ended() {
		s.t.Fatalf("the process ended by itself with %d:\n%s", s.cmd.ProcessState.ExitCode(), s.stderr)
	}
	if s.rand.IntN(5) == 0 {
		if code := s.stop(); code != exitOK {
			s.t.Errorf("exit %d after SIGTERM:\n%s", code, s.stderr)
		}
		s.counts["stop"]++
	} else {
		s.kill()
		s.counts["kill"]++
	}
	cancel()
	s.group.Wait()
	if s.rand.IntN(3) == 0 {
		for range 1 + s.rand.IntN(4) {
			s.flash(time.Duration(s.rand.IntN(250)) * time.Millisecond)
			s.counts["flash"]++
		}
	}
	if s.rand.IntN(3) == 0 {
		s.event(s.t.Context()) // while nobody looks
	}
	s.start()
}

// event is something that happens outside the process.
func (s *storm) event(ctx context.Context) {
	s.t.Helper()
	amount := fmt.Sprintf("0.%08d", 10_000+s.rand.IntN(5_000_000))
	account := []string{"alice", "bob"}[s.rand.IntN(2)]
	switch n := s.rand.IntN(10); {
	case n < 3:
		if s.ended() {
			return
		}
		s.pay(s.depositAddress(account), amount)
		s.counts["payment"]++
	case n < 6:
		s.mine(1 + s.rand.IntN(3))
	case n < 7:
		s.reorganise(1)
		s.counts["reorg"]++
	default:
		if s.ended() {
			return
		}
		payee := s.newAddress()
		s.mu.Lock()
		s.payees = append(s.payees, payee)
		s.mu.Unlock()
		s.counts["withdrawal"]++
		quantity := fmt.Sprintf("0.%08d", 100_000+s.rand.IntN(9_000_000))
		// Whether it was taken may stay unknown: the process is killed.
		s.group.Go(func() { _, _ = s.withdraw(ctx, account, quantity, payee) })
	}
}

// checkRequests: nobody was paid without a burn, and no burn is there twice.
func (s *storm) checkRequests() {
	s.t.Helper()
	paid := s.paidTo()
	var burned []string
	for _, w := range s.withdrawals() {
		burned = append(burned, w.Address)
	}
	for _, payee := range s.payees {
		n := len(slices.DeleteFunc(slices.Clone(burned), func(a string) bool { return a != payee }))
		if n > 1 || len(paid[payee]) != n {
			s.t.Errorf("%s: %d burns, %d payments", payee, n, len(paid[payee]))
		}
	}
	if len(burned) > len(s.payees) {
		s.t.Errorf("%d withdrawals, %d were asked for", len(burned), len(s.payees))
	}
	s.counts["burned"] = len(burned)
}
