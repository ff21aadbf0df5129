package solo

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
	"causeway/sidechain/state"
)

// ErrEquivocation: the sequencer signed two blocks of one number. Nobody can
// say which of them others have seen: a human decides (exit 4).
var ErrEquivocation = errors.New("solo: the sequencer signed two blocks of one number")

const (
	defaultPoll  = time.Second
	followBatch  = 100 // blocks asked for at once
	checkedTails = 3   // newest blocks that every upstream is asked about
)

// Upstream is another node of the network, as its public interface shows it. It
// is not trusted: every block is verified.
type Upstream interface {
	fmt.Stringer
	// Head is the number of its newest block.
	Head(ctx context.Context) (number uint64, err error)
	// Blocks are at most count blocks from a number on, in the newer JSON form
	// (block_api.get_block_range).
	Blocks(ctx context.Context, from uint64, count int) ([]json.RawMessage, error)
	// Broadcast hands a transaction on and waits for its block. A refusal is a
	// *base.RejectError.
	Broadcast(ctx context.Context, tx *graphene.SignedTransaction) (Receipt, error)
}

// FollowerConfig is what a follower needs; all but Poll and Logger is required.
type FollowerConfig struct {
	Machine   *Machine
	Store     *Store
	State     *state.DB // the one that Executor writes
	Executor  base.Executor
	Upstreams []Upstream
	Poll      time.Duration
	Logger    *slog.Logger
}

// Follower verifies what upstream nodes say that the sequencer produced, stores
// and executes it. It implements [base.Layer]: broadcasts go to an upstream.
type Follower struct {
	*View
	cfg FollowerConfig
	log *slog.Logger

	mu   sync.Mutex
	said map[string]string // last trouble of each upstream, logged when it changes
}

// NewFollower replays to the Executor whatever the Store has beyond it.
func NewFollower(ctx context.Context, cfg FollowerConfig) (*Follower, error) {
	if len(cfg.Upstreams) == 0 {
		return nil, errors.New("solo: a follower needs an upstream")
	}
	if cfg.Poll <= 0 {
		cfg.Poll = defaultPoll
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	f := &Follower{cfg: cfg, log: cfg.Logger.With("component", "follower"), said: map[string]string{}}
	f.View = NewView(cfg.Machine, cfg.State, cfg.Store, time.Now)
	return f, Replay(ctx, cfg.Machine, cfg.Store, cfg.State, cfg.Executor, f.log)
}

// Run follows until ctx ends (nil), or the chain cannot be believed:
// ErrEquivocation, ErrDiverged, ErrInvalidBlock. What one upstream fails to say
// is asked of the next.
func (f *Follower) Run(ctx context.Context) error {
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		for _, up := range f.cfg.Upstreams {
			err := f.Follow(ctx, up)
			switch {
			case ctx.Err() != nil:
				return nil
			case err == nil:
			case fatal(err):
				f.log.Error("following stops", "upstream", up.String(), "error", err)
				return err
			}
			f.note(up, err)
		}
		timer.Reset(f.cfg.Poll)
	}
}

// fatal says whether an error concerns the chain itself and not an upstream.
func fatal(err error) bool {
	if _, lies := errors.AsType[*upstreamError](err); lies {
		return false
	}
	return errors.Is(err, ErrEquivocation) || errors.Is(err, ErrDiverged) || errors.Is(err, errExecution)
}

// errExecution marks a block that the sequencer signed and that breaks a rule,
// or that cannot be stored.
var errExecution = errors.New("solo: a signed block cannot be executed")

// upstreamError is what an upstream did wrong by itself.
type upstreamError struct{ err error }

func (e *upstreamError) Error() string { return e.err.Error() }
func (e *upstreamError) Unwrap() error { return e.err }

// note logs the trouble of an upstream when it changes.
func (f *Follower) note(up Upstream, err error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	text := ""
	if err != nil {
		text = err.Error()
	}
	if f.said[up.String()] == text {
		return
	}
	f.said[up.String()] = text
	if err != nil {
		f.log.Warn("upstream fails", "upstream", up.String(), "error", text)
		return
	}
	f.log.Info("upstream answers again", "upstream", up.String())
}

// Follow takes over what one upstream has, after it compared the newest blocks
// that both have.
func (f *Follower) Follow(ctx context.Context, up Upstream) error {
	theirs, err := up.Head(ctx)
	if err != nil {
		return &upstreamError{err}
	}
	ours, _, _ := f.cfg.Store.Head()
	first := ours + 1 - min(checkedTails, ours)
	for from := first; from <= theirs; {
		list, err := up.Blocks(ctx, from, followBatch)
		if err != nil {
			return &upstreamError{err}
		}
		if len(list) == 0 {
			return nil
		}
		for _, text := range list {
			if err := f.take(text, from); err != nil {
				return err
			}
			from++
		}
	}
	return nil
}

// take verifies a block that an upstream gave as number n. One that we have is
// compared, the next one stored and executed.
func (f *Follower) take(text json.RawMessage, n uint64) error {
	raw, err := parseBlockJSON(text)
	if err != nil {
		return &upstreamError{fmt.Errorf("block %d: %w", n, err)}
	}
	b, err := f.cfg.Machine.VerifyBlock(raw)
	if err != nil {
		return &upstreamError{err} // anybody can make it up
	}
	if b.Number != n {
		return &upstreamError{fmt.Errorf("block %d instead of block %d", b.Number, n)}
	}
	ours, head, _ := f.cfg.Store.Head()
	if n <= ours {
		known, ok, err := f.cfg.Store.Block(n)
		if err != nil || !ok {
			return fmt.Errorf("%w: block %d: %w", errExecution, n, err)
		}
		if known.ID != b.ID {
			return fmt.Errorf("%w: %d is %s and %s", ErrEquivocation, n, known.ID, b.ID)
		}
		return nil
	}
	if n == ours+1 && b.Previous != head {
		// Both are signed: the sequencer built on another block than ours.
		return fmt.Errorf("%w: block %d follows %s, ours is %s", ErrEquivocation, n, b.Previous, head)
	}
	if err := CheckCommitment(b, f.cfg.Executor.Executed()); err != nil {
		return err
	}
	if err := f.cfg.Store.Append(b); err != nil {
		return fmt.Errorf("%w: %w", errExecution, err)
	}
	if err := f.cfg.Executor.Apply(b); err != nil {
		return fmt.Errorf("%w: %w", errExecution, err)
	}
	return nil
}

// Broadcast implements [base.Layer].
func (f *Follower) Broadcast(ctx context.Context, tx *graphene.SignedTransaction) error {
	_, err := f.BroadcastSynchronous(ctx, tx)
	return err
}

// BroadcastSynchronous hands the transaction to the first upstream that takes
// or refuses it.
func (f *Follower) BroadcastSynchronous(ctx context.Context, tx *graphene.SignedTransaction) (Receipt, error) {
	var last error
	for _, up := range f.cfg.Upstreams {
		receipt, err := up.Broadcast(ctx, tx)
		if _, refused := errors.AsType[*base.RejectError](err); err == nil || refused {
			return receipt, err
		}
		last = err
	}
	return Receipt{}, &base.RejectError{Kind: base.RejectNoProducer, Message: "no upstream answers: " + last.Error(), Err: last}
}

var _ base.Layer = (*Follower)(nil)
