package gateway

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"causeway/chains"
	"causeway/pegs"
)

func quiet(string) {}

func testLedger(t *testing.T, path string) *Ledger {
	t.Helper()
	l, err := openLedger(path, "net", time.Now, quiet)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// fill appends a configuration and n epochs.
func fill(t *testing.T, l *Ledger, n int) {
	t.Helper()
	if err := l.Append(context.Background(), &pegs.Configured{Chain: chains.BTC, Network: chains.Regtest}); err != nil {
		t.Fatal(err)
	}
	for i := range n {
		if err := l.Append(context.Background(), &pegs.EpochAdded{Chain: chains.BTC, Epoch: uint32(i)}); err != nil {
			t.Fatal(err)
		}
	}
}

func epochs(t *testing.T, l *Ledger) (n int) {
	t.Helper()
	if err := l.View(func(s *pegs.State) { c, _ := s.Chain(chains.BTC); n = len(c.Epochs) }); err != nil {
		t.Fatal(err)
	}
	return n
}

func TestLogIsReplayed(t *testing.T) {
	path := filepath.Join(t.TempDir(), LogFile)
	l := testLedger(t, path)
	fill(t, l, 5)
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	l = testLedger(t, path)
	defer l.close()
	if got := epochs(t, l); got != 5 {
		t.Errorf("%d epochs after the restart", got)
	}
	if err := l.Append(context.Background(), &pegs.EpochAdded{Chain: chains.BTC, Epoch: 4}); !errors.Is(err, pegs.ErrTransition) {
		t.Errorf("an impossible event: %v", err)
	}
	if err := l.Append(context.Background(), &pegs.EpochAdded{Chain: chains.BTC, Epoch: 9}); err != nil {
		t.Errorf("after a refusal: %v", err)
	}
}

// Once an append has failed nothing is known, and nothing is done.
func TestFailedAppendStopsTheLedger(t *testing.T) {
	l := testLedger(t, filepath.Join(t.TempDir(), LogFile))
	fill(t, l, 1)
	l.log.close()
	if err := l.Append(context.Background(), &pegs.EpochAdded{Chain: chains.BTC, Epoch: 7}); !errors.Is(err, ErrLedgerStopped) {
		t.Errorf("append to a closed file: %v", err)
	}
	if err := l.View(func(*pegs.State) { t.Error("the state is shown") }); !errors.Is(err, ErrLedgerStopped) {
		t.Errorf("view: %v", err)
	}
	if err := l.Append(context.Background(), &pegs.EpochAdded{Chain: chains.BTC, Epoch: 8}); !errors.Is(err, ErrLedgerStopped) {
		t.Errorf("append after that: %v", err)
	}
	l.once.Do(func() { close(l.quit) })
}

// What several events of one decision did before one was refused stays, on disk
// as in memory.
func TestPrefixOfARefusedDecision(t *testing.T) {
	path := filepath.Join(t.TempDir(), LogFile)
	l := testLedger(t, path)
	fill(t, l, 1)
	err := l.Append(context.Background(), &pegs.EpochAdded{Chain: chains.BTC, Epoch: 5}, &pegs.EpochAdded{Chain: chains.BTC, Epoch: 5})
	if !errors.Is(err, pegs.ErrTransition) || epochs(t, l) != 2 {
		t.Errorf("%v, %d epochs", err, epochs(t, l))
	}
	l.close()
	l = testLedger(t, path)
	defer l.close()
	if got := epochs(t, l); got != 2 {
		t.Errorf("%d epochs after the restart", got)
	}
}

func TestManyWriters(t *testing.T) {
	path := filepath.Join(t.TempDir(), LogFile)
	l := testLedger(t, path)
	fill(t, l, 0)
	changed := l.Changed()
	var group sync.WaitGroup
	for w := range 8 {
		group.Go(func() {
			for i := range 10 {
				if err := l.Append(context.Background(), &pegs.EpochAdded{Chain: chains.BTC, Epoch: uint32(100*w + i), Key: fmt.Sprint(w)}); err != nil {
					t.Error(err)
				}
				_ = epochs(t, l)
			}
		})
	}
	group.Wait()
	select {
	case <-changed:
	default:
		t.Error("nobody was told")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	_ = l.Do(ctx, func(*pegs.State) ([]Entry, error) { return nil, nil })
	l.close()
	if err := l.Append(context.Background(), &pegs.EpochAdded{}); !errors.Is(err, ErrLedgerStopped) {
		t.Errorf("after the end: %v", err)
	}
	l = testLedger(t, path)
	defer l.close()
	if got := epochs(t, l); got != 80 {
		t.Errorf("%d epochs", got)
	}
}
