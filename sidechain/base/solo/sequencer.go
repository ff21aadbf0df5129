package solo

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
	"causeway/sidechain/state"
)

// Errors that stop a sequencer, or keep it from starting.
var (
	// ErrAhead: the state knows a block that base.db does not have (exit 3).
	ErrAhead = errors.New("solo: the state is ahead of base.db")
	// ErrDiverged: executing the stored blocks gives another state than their
	// headers say (exit 4).
	ErrDiverged = errors.New("solo: the state differs from what the blocks commit to")
	// ErrGap: the clock is more than an hour ahead of the newest block, and
	// nobody said that this is right (exit 3).
	ErrGap = errors.New("solo: the clock is more than an hour ahead of the newest block")
	// ErrSigner: the signer's key is not the network's sequencer.
	ErrSigner = errors.New("solo: the signing key is not the sequencer's")
)

const (
	maxGap              = time.Hour
	lateClock           = 5 * time.Second // behind the newest block: worth a warning
	defaultInterval     = 3 * time.Second
	defaultIdleInterval = time.Minute
)

// HeaderSigner signs block headers. Keys may live elsewhere; a careful one
// refuses a header that does not extend the last that it signed.
type HeaderSigner interface {
	PublicKey() graphene.PublicKey
	// SignHeader signs SHA-256(chain id || header); header is the binary form
	// of a graphene.Header.
	SignHeader(ctx context.Context, header []byte) (graphene.Signature, error)
}

// KeySigner is a HeaderSigner that holds the key itself: for tests and
// networks without value.
type KeySigner struct {
	Key     graphene.PrivateKey
	ChainID [32]byte
}

// PublicKey implements HeaderSigner.
func (s KeySigner) PublicKey() graphene.PublicKey { return s.Key.Public() }

// SignHeader implements HeaderSigner.
func (s KeySigner) SignHeader(_ context.Context, header []byte) (graphene.Signature, error) {
	h, err := graphene.DecodeHeader(header)
	if err != nil {
		return graphene.Signature{}, err
	}
	return s.Key.Sign(h.Digest(s.ChainID)), nil
}

// Config is what a sequencer needs. Machine, Store, State, Executor and Signer
// are required.
type Config struct {
	Machine  *Machine
	Store    *Store
	State    *state.DB // the one that Executor writes
	Executor base.Executor
	Signer   HeaderSigner

	Clock        func() time.Time // default time.Now
	Offset       time.Duration    // added to the clock (what /dev/advance left)
	Interval     time.Duration    // longest wait of an operation for its block; default 3 s
	IdleInterval time.Duration    // between blocks when nothing happens; default 1 min
	AccountsOpen bool             // everybody may create accounts, not only the admin
	AcceptGap    bool             // for the first block produced: the clock is right
	NoGapRule    bool             // dev and demo
	Pool         PoolLimits
	Logger       *slog.Logger // default: discard
}

// Sequencer is the base layer's one producer of blocks. It implements
// [base.Layer]. Run produces; all other methods may be called meanwhile.
type Sequencer struct {
	*View
	cfg Config
	log *slog.Logger

	producing sync.Mutex // one block at a time
	acceptGap bool
	broken    error // a block could not be stored or executed
	late      bool  // warned that the clock is behind

	mu       sync.Mutex // guards what follows
	pool     pool
	offset   time.Duration
	lastWall time.Time // when the last block was produced, by the clock
	halted   error

	wake chan struct{}
}

// New replays to the Executor whatever the Store has beyond it, checking the
// chain of state commitments, and returns a sequencer that is ready to Run.
func New(ctx context.Context, cfg Config) (*Sequencer, error) {
	if cfg.Signer.PublicKey() != cfg.Machine.SequencerKey() {
		return nil, fmt.Errorf("%w: it is %s, genesis says %s", ErrSigner, cfg.Signer.PublicKey(), cfg.Machine.SequencerKey())
	}
	if cfg.Machine.skipKeys {
		return nil, errors.New("solo: a sequencer checks signatures")
	}
	if cfg.Clock == nil {
		cfg.Clock = time.Now
	}
	if cfg.Interval <= 0 {
		cfg.Interval = defaultInterval
	}
	if cfg.IdleInterval <= 0 {
		cfg.IdleInterval = defaultIdleInterval
	}
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	s := &Sequencer{
		cfg: cfg, log: cfg.Logger.With("component", "sequencer"),
		acceptGap: cfg.AcceptGap, offset: cfg.Offset,
		pool: newPool(cfg.Pool), wake: make(chan struct{}, 1),
	}
	s.View = NewView(cfg.Machine, cfg.State, cfg.Store, s.now)
	return s, Replay(ctx, cfg.Machine, cfg.Store, cfg.State, cfg.Executor, s.log)
}

// now is the clock with the offset.
func (s *Sequencer) now() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.cfg.Clock().Add(s.offset).UTC()
}

// Advance moves the clock by d from now on, and gives the whole offset, which
// the caller keeps (dev only).
func (s *Sequencer) Advance(d time.Duration) time.Duration {
	s.mu.Lock()
	s.offset += d
	total := s.offset
	s.mu.Unlock()
	s.poke()
	return total
}

func (s *Sequencer) poke() {
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// Run produces blocks until ctx ends (nil) or something is wrong that only an
// operator can judge: ErrGap, a block that cannot be stored or executed.
func (s *Sequencer) Run(ctx context.Context) error {
	defer s.halt(errors.New("the sequencer has stopped"))
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-s.wake:
		case <-timer.C:
		}
		wait := s.wait()
		if wait <= 0 {
			if _, err := s.Produce(ctx); err != nil {
				if ctx.Err() != nil {
					return nil
				}
				s.halt(err)
				return err
			}
			wait = max(s.wait(), 10*time.Millisecond)
		}
		timer.Reset(wait)
	}
}

// halt refuses transactions from now on and lets go of those who wait.
func (s *Sequencer) halt(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.halted == nil {
		s.halted = err
	}
	// The candidate, if there is one, becomes a block at the next start.
	s.pool.clear(&base.RejectError{
		Kind: base.RejectNoProducer, Err: s.halted,
		Message: "no block is being produced, and whether this transaction will be in one is not known: " + s.halted.Error(),
	})
}

// wait is how long from now the next block is due: an interval after the last
// one when transactions are pending, an idle interval after its time
// otherwise; and never before the clock has reached the parent's time. A
// candidate that was begun already is due at once.
func (s *Sequencer) wait() time.Duration {
	if c, err := s.cfg.Store.Candidate(); c != nil || err != nil {
		return 0
	}
	now, parent := s.now(), s.parentTime()
	due := parent.Add(s.cfg.IdleInterval)
	s.mu.Lock()
	if s.pool.len() > 0 {
		due = s.lastWall.Add(s.cfg.Interval)
	}
	s.mu.Unlock()
	if due.Before(parent) {
		due = parent
	}
	if number, _, _ := s.cfg.Store.Head(); number == 0 {
		due = now // the first block at once: it carries genesis' state
	}
	if now.Before(parent) {
		due = parent
	}
	s.warnLate(parent.Sub(now))
	return min(due.Sub(now), s.cfg.IdleInterval)
}

// warnLate says once that the clock is behind the newest block, when it is by
// more than what blocks in quick succession bring about.
func (s *Sequencer) warnLate(behind time.Duration) {
	if late := behind > lateClock; late != s.late {
		s.late = late
		if late {
			s.log.Warn("the clock is behind the newest block; waiting", "by", behind.Truncate(time.Millisecond))
		}
	}
}

// parentTime is the time of the newest block, or of genesis.
func (s *Sequencer) parentTime() time.Time {
	seconds, _ := graphene.ParseTime(s.Properties().parent)
	return time.Unix(int64(seconds), 0).UTC()
}
