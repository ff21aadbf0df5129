package solo

import (
	"context"
	"fmt"
	"log/slog"
	"runtime"

	"golang.org/x/sync/errgroup"

	"causeway/sidechain/base"
	"causeway/sidechain/state"
)

// readAhead is how many blocks Replay reads, and recovers the keys of, while
// an earlier one is executed.
const readAhead = 4

// Replay executes the blocks of a store that the Executor has not seen, and
// checks before each that its commitment is the state that the Executor
// reached.
func Replay(ctx context.Context, m *Machine, store *Store, db *state.DB, executor base.Executor, log *slog.Logger) error {
	head, _, _ := store.Head()
	executed := executor.Executed()
	if executed.RefBlock > head {
		return fmt.Errorf("%w: it has executed block %d, the newest block is %d", ErrAhead, executed.RefBlock, head)
	}
	if err := sameHead(store, db, executed.RefBlock); err != nil {
		return err
	}
	if executed.RefBlock == head {
		return nil
	}
	log.Info("replaying base blocks", "from", executed.RefBlock+1, "to", head)
	blocks := make(chan *base.Block, readAhead)
	group, ctx := errgroup.WithContext(ctx)
	group.Go(func() error {
		defer close(blocks)
		return readBlocks(ctx, m, store, executed.RefBlock+1, head, blocks)
	})
	group.Go(func() error {
		for b := range blocks {
			if err := CheckCommitment(b, executor.Executed()); err != nil {
				return err
			}
			if err := executor.Apply(b); err != nil {
				return fmt.Errorf("replay: %w", err)
			}
		}
		return nil
	})
	return group.Wait()
}

// readBlocks sends the blocks first to last. Their transactions have been
// looked at, so that the machine finds their keys in its cache.
func readBlocks(ctx context.Context, m *Machine, store *Store, first, last uint64, out chan<- *base.Block) error {
	for n := first; n <= last; n++ {
		b, ok, err := store.Block(n)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%w: block %d is missing below block %d", ErrCorrupt, n, last)
		}
		m.warm(b)
		select {
		case out <- b:
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return nil
}

// warm prepares the block's transactions on all processors. What is wrong with
// one is Apply's to find.
func (m *Machine) warm(b *base.Block) {
	var group errgroup.Group
	workers := runtime.GOMAXPROCS(0)
	for w := range workers {
		group.Go(func() error {
			for i := w; i < len(b.Transactions); i += workers {
				m.prepare(&b.Transactions[i].SignedTransaction)
			}
			return nil
		})
	}
	group.Wait()
}

// CheckCommitment compares the state that a block commits to with the one that
// was reached before it.
func CheckCommitment(b *base.Block, executed base.Commitment) error {
	if b.Commitment == nil || *b.Commitment != executed {
		return fmt.Errorf("%w: block %d says %+v, executed is %+v", ErrDiverged, b.Number, b.Commitment, executed)
	}
	return nil
}

// sameHead makes sure that the state stems from this store's blocks.
func sameHead(store *Store, db *state.DB, number uint64) error {
	db.RLock()
	head := readHead(db.Base())
	db.RUnlock()
	if head.Number != number {
		return fmt.Errorf("%w: the machine is at block %d, the executor at %d", ErrDiverged, head.Number, number)
	}
	if number == 0 {
		return nil
	}
	b, ok, err := store.Block(number)
	if err != nil {
		return err
	}
	if !ok || b.ID != head.ID {
		return fmt.Errorf("%w: block %d of the state is %s, which base.db does not have", ErrAhead, number, head.ID)
	}
	return nil
}
