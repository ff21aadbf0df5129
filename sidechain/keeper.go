package sidechain

import (
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"causeway/sidechain/state"
)

// keeper decides when the store is written to disk: after so many blocks, in
// the call that applied the last of them, or after so much time, from a
// goroutine. It never runs inside the execution of a block, and what it writes
// is always the state of a whole one.
type keeper struct {
	db     *state.DB
	log    *slog.Logger
	blocks int
	every  time.Duration

	mu      sync.Mutex // one checkpoint at a time; guards what follows
	pending int
	failed  error

	wake chan struct{}
	stop chan struct{}
	done chan struct{}

	once   sync.Once
	closed error // what close returned
}

const (
	defaultBlocks = 1000
	defaultEvery  = 2 * time.Second
)

func newKeeper(db *state.DB, blocks int, every time.Duration, log *slog.Logger) *keeper {
	k := &keeper{
		db: db, log: log, blocks: blocks, every: every,
		wake: make(chan struct{}, 1), stop: make(chan struct{}), done: make(chan struct{}),
	}
	if k.blocks <= 0 {
		k.blocks = defaultBlocks
	}
	if k.every == 0 {
		k.every = defaultEvery
	}
	if k.every < 0 {
		close(k.done)
		return k
	}
	go k.run()
	return k
}

// applied counts a block. It reports a checkpoint that failed, now or before:
// a node that cannot save its state stops.
func (k *keeper) applied() error {
	k.mu.Lock()
	k.pending++
	due, err := k.pending >= k.blocks, k.failed
	k.mu.Unlock()
	if err != nil {
		return err
	}
	if due {
		return k.checkpoint()
	}
	select {
	case k.wake <- struct{}{}:
	default:
	}
	return nil
}

// checkpoint writes now.
func (k *keeper) checkpoint() error {
	k.mu.Lock()
	defer k.mu.Unlock()
	err := k.db.Checkpoint()
	if err != nil {
		k.failed = fmt.Errorf("sidechain: checkpoint: %w", err)
		return k.failed
	}
	k.pending, k.failed = 0, nil
	return nil
}

// run checkpoints a while after the first block that is not saved.
func (k *keeper) run() {
	defer close(k.done)
	for {
		select {
		case <-k.stop:
			return
		case <-k.wake:
		}
		timer := time.NewTimer(k.every)
		select {
		case <-k.stop:
			timer.Stop()
			return
		case <-timer.C:
		}
		if err := k.checkpoint(); err != nil && !errors.Is(err, state.ErrFrozen) {
			k.log.Error("checkpoint failed", "err", err)
		}
	}
}

// close ends the goroutine and writes what is left, once. A store that is only
// read has nothing to write; one that was frozen keeps its last checkpoint, and
// Apply has said why.
func (k *keeper) close() error {
	k.once.Do(func() {
		close(k.stop)
		<-k.done
		if err := k.checkpoint(); err != nil && !errors.Is(err, state.ErrReadOnly) && !errors.Is(err, state.ErrFrozen) {
			k.closed = err
		}
	})
	return k.closed
}
