package gateway

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"causeway/chains"
	"causeway/pegs"

	"go.etcd.io/bbolt"
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

// alter changes the stored record at a place.
func alter(t *testing.T, path string, seq uint64, change func([]byte) []byte) {
	t.Helper()
	db, err := bbolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	err = db.Update(func(tx *bbolt.Tx) error {
		key := binary.BigEndian.AppendUint64(nil, seq)
		value := append([]byte(nil), tx.Bucket(bucketEvents).Get(key)...)
		if value = change(value); value == nil {
			return tx.Bucket(bucketEvents).Delete(key)
		}
		return tx.Bucket(bucketEvents).Put(key, value)
	})
	if err != nil {
		t.Fatal(err)
	}
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

func TestDamagedLogs(t *testing.T) {
	flip := func(b []byte) []byte { b[len(b)/2] ^= 1; return b }
	half := func(b []byte) []byte { return b[:len(b)/2] }
	gone := func([]byte) []byte { return nil }
	for _, c := range []struct {
		what   string
		seq    uint64
		change func([]byte) []byte
		epochs int // -1: refused
	}{
		{"newest altered", 6, flip, 4}, {"newest cut", 6, half, 4}, {"newest gone", 6, gone, 4},
		{"middle altered", 3, flip, -1}, {"middle cut", 3, half, -1}, {"middle gone", 3, gone, -1},
	} {
		path := filepath.Join(t.TempDir(), LogFile)
		l := testLedger(t, path)
		fill(t, l, 5)
		if err := l.close(); err != nil {
			t.Fatal(err)
		}
		alter(t, path, c.seq, c.change)
		l, err := openLedger(path, "net", time.Now, quiet)
		if c.epochs < 0 {
			if !errors.Is(err, ErrLogDamaged) {
				t.Errorf("%s: %v", c.what, err)
			}
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", c.what, err)
			continue
		}
		if got := epochs(t, l); got != c.epochs {
			t.Errorf("%s: %d epochs", c.what, got)
		}
		if err := l.Append(context.Background(), &pegs.EpochAdded{Chain: chains.BTC, Epoch: 4}); err != nil {
			t.Errorf("%s: %v", c.what, err)
		}
		l.close()
		if l, err = readLedger(path, "net"); err != nil {
			t.Errorf("%s: read again: %v", c.what, err)
			continue
		}
		l.close()
	}
}

func TestLogOfAnotherNetwork(t *testing.T) {
	path := filepath.Join(t.TempDir(), LogFile)
	testLedger(t, path).close()
	if _, err := openLedger(path, "other", time.Now, quiet); !errors.Is(err, ErrLogDamaged) {
		t.Errorf("another network's log: %v", err)
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for _, n := range []int{100, len(text) / 2} {
		cut := filepath.Join(t.TempDir(), LogFile)
		if err := os.WriteFile(cut, text[:n], 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := openLedger(cut, "net", time.Now, quiet); !errors.Is(err, ErrLogDamaged) {
			t.Errorf("a file of %d bytes: %v", n, err)
		}
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
