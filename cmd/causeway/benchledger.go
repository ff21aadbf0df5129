package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"sync"
	"time"

	"causeway/chains"
	"causeway/gateway"
	"causeway/pegs"
)

// ledgerLoad is decisions on the gateway's event log.
type ledgerLoad struct {
	path   string
	ledger *gateway.Ledger
	alone  float64 // decisions a second, one at a time
}

// openLedger is as many decisions at a time as a block has transactions, each of
// one event and durable when its maker goes on. They share the writes to the
// disk. Beside it: the same one at a time, the replay of all of it, and a start
// from the snapshot.
func openLedger(ctx context.Context, o benchOptions) (*workload, error) {
	l := &ledgerLoad{path: home{o.dir}.path(gatewayFile)}
	var err error
	if l.ledger, err = gateway.OpenLedger(l.path, benchChainID); err != nil {
		return nil, err
	}
	err = l.ledger.Append(ctx, &pegs.Configured{
		Chain: chains.BTC, Network: chains.Regtest, Start: 1, Policy: pegs.Policy{Normal: 2, Keep: 144},
	})
	if err != nil {
		return nil, err
	}
	start, alone := time.Now(), 0
	for ; time.Since(start) < time.Second; alone++ {
		if err := l.connect(ctx); err != nil {
			return nil, err
		}
	}
	l.alone = float64(alone) / time.Since(start).Seconds()
	const rounds = 10 // of every maker of decisions
	return &workload{
		next: func() (int, func() error, error) {
			return o.PerBlock * rounds, func() error { return l.together(ctx, o.PerBlock, rounds) }, nil
		},
		extra: l.starts,
		close: func() error { return l.ledger.Close() },
	}, nil
}

// connect decides that the next block is connected.
func (l *ledgerLoad) connect(ctx context.Context) error {
	return l.ledger.Do(ctx, func(s *pegs.State) ([]gateway.Entry, error) {
		c, _ := s.Chain(chains.BTC)
		tip, _ := c.Tip()
		return []gateway.Entry{{Event: &pegs.Connected{Chain: chains.BTC, Match: pegs.Match{Header: chains.Header{
			BlockRef: chains.BlockRef{Height: c.Next(), Hash: fmt.Sprintf("%064x", c.Next())}, Parent: tip.Hash,
		}}}}}, nil
	})
}

func (l *ledgerLoad) together(ctx context.Context, makers, rounds int) error {
	var group sync.WaitGroup
	failed := make([]error, makers)
	for i := range makers {
		group.Go(func() {
			for range rounds {
				failed[i] = errors.Join(failed[i], l.connect(ctx))
			}
		})
	}
	group.Wait()
	return errors.Join(failed...)
}

// starts opens the ledger again, from its snapshot and from its beginning.
func (l *ledgerLoad) starts() (map[string]float64, error) {
	facts := map[string]float64{"alone_per_second": l.alone}
	records := 0.0
	if err := l.ledger.View(func(s *pegs.State) { records = float64(s.Seq) }); err != nil {
		return nil, err
	}
	reopen := func() (seconds float64, err error) {
		if err := l.ledger.Close(); err != nil {
			return 0, err
		}
		start := time.Now()
		l.ledger, err = gateway.OpenLedger(l.path, benchChainID)
		return time.Since(start).Seconds(), err
	}
	var err error
	if facts["start_seconds"], err = reopen(); err != nil {
		return nil, err
	}
	// A short log has no snapshot.
	if err := os.Remove(l.path + gateway.SnapshotSuffix); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	cpu := processTime()
	seconds, err := reopen()
	facts["replay_per_second"], facts["records"] = records/seconds, records
	facts["replay_cpu_ns_per_record"] = float64((processTime() - cpu).Nanoseconds()) / records
	return facts, err
}
