package chains

import (
	"context"
	"errors"
	"fmt"

	"causeway/internal/failpoint"
)

// Event is one step of a Follower: Connected or Disconnected.
type Event interface{ event() }

// Connected says that Block extends the chain: its parent is the newest block
// of the tail, or the tail is empty and Block is at the start height.
type Connected struct{ Block *Block }

// Disconnected says that the newest block of the tail is no longer in the best
// chain.
type Disconnected struct{ BlockRef }

func (Connected) event()    {}
func (Disconnected) event() {}

// Follower walks the best chain of a Source by hash. It keeps nothing: where it
// is stands in the tail that the caller passes, stores and extends (Extend), so
// that a crash between two steps costs nothing and a step can be repeated. It is
// immutable and can be used by many goroutines.
type Follower struct {
	source   BlockSource
	chain    BlockDecoder
	start    uint64
	maxReorg int
}

// DefaultMaxReorg is the deepest reorganisation followed when Options say
// nothing: deeper than any that Bitcoin has seen, and than any credit depth.
const DefaultMaxReorg = 100

// FollowerOptions configure a Follower.
type FollowerOptions struct {
	// Start is the height of the first block, when the tail is empty.
	Start uint64
	// MaxReorg is how many blocks one reorganisation may disconnect; 0 means
	// DefaultMaxReorg. The tail must be kept at least one block longer.
	MaxReorg int
}

// BlockSource is what a Follower needs of a Source.
type BlockSource interface {
	HashAt(ctx context.Context, height uint64) (string, error)
	RawBlock(ctx context.Context, hash string) ([]byte, error)
}

// BlockDecoder is what a Follower needs of a Chain.
type BlockDecoder interface {
	ID() ID
	DecodeBlock(raw []byte, want string) (*Block, error)
}

// NewFollower follows a chain from a source.
func NewFollower(source BlockSource, chain BlockDecoder, o FollowerOptions) *Follower {
	if o.MaxReorg <= 0 {
		o.MaxReorg = DefaultMaxReorg
	}
	return &Follower{source: source, chain: chain, start: o.Start, maxReorg: o.MaxReorg}
}

// Next is the next step from the tail: the newest blocks connected so far,
// oldest first, without gaps. It returns nil, nil when there is nothing to do.
//
// What it takes for true:
//
//   - The tail is in the best chain when the source's hash at the tail's newest
//     height is the tail's. Then the block above it, if any, is connected, and
//     only if its own bytes name the tail's newest block as parent.
//   - A source that has no block at that height proves nothing: it lags, was
//     emptied, or sees a shorter chain. The answer is "nothing", for however
//     long: a chain that really replaced ours will grow past it. (The caller
//     sees such a node by its Tip.)
//   - A block is disconnected when the source has another block at that very
//     height, so that its best chain is at least as long as ours, and shows that
//     other chain to be real: it leaves ours at a block of the tail at most
//     MaxReorg below, both the block after the fork and the one at our height
//     decode with their work and roots, and the first names the fork as parent.
//     (A tail of at most MaxReorg blocks that begins at the start height may
//     also be left below its first block.) Otherwise nothing is disconnected:
//     ErrReorgTooDeep when there is no such fork, which only a human can
//     resolve, and ErrNotLinked when the answers contradict each other, as they
//     do while a node reorganises.
//   - Every error, of the source or its contents, means unknown.
//
// One step disconnects one block, the newest. The steps that follow check
// again, so the result depends on the final chain only.
func (f *Follower) Next(ctx context.Context, tail []BlockRef) (Event, error) {
	if err := checkTail(tail); err != nil {
		return nil, err
	}
	if len(tail) == 0 {
		return f.begin(ctx)
	}
	last := tail[len(tail)-1]
	hash, ok, err := f.hashAt(ctx, last.Height)
	switch {
	case err != nil || !ok:
		return nil, err
	case hash == last.Hash || failpoint.Off(failpoint.FollowByHash):
		return f.connect(ctx, last.Height+1, last.Hash)
	}
	if err := f.prove(ctx, tail, hash); err != nil {
		return nil, err
	}
	return Disconnected{last}, nil
}

// begin connects the block at the start height, whatever its parent.
func (f *Follower) begin(ctx context.Context) (Event, error) {
	hash, ok, err := f.hashAt(ctx, f.start)
	if err != nil || !ok {
		return nil, err
	}
	block, err := f.block(ctx, f.start, hash)
	if err != nil {
		return nil, err
	}
	return Connected{block}, nil
}

// connect connects the block above the newest one, if there is one.
func (f *Follower) connect(ctx context.Context, height uint64, parent string) (Event, error) {
	hash, ok, err := f.hashAt(ctx, height)
	if err != nil || !ok {
		return nil, err
	}
	block, err := f.child(ctx, height, hash, parent)
	if err != nil {
		return nil, err
	}
	return Connected{block}, nil
}

// prove verifies that the chain which has hash at the height of the tail's
// newest block forks off the tail within the allowed depth.
func (f *Follower) prove(ctx context.Context, tail []BlockRef, hash string) error {
	last := len(tail) - 1
	if _, err := f.block(ctx, tail[last].Height, hash); err != nil {
		return err
	}
	above := hash // the other chain's block above tail[i]
	for i := last - 1; i >= 0 && last-i <= f.maxReorg; i-- {
		other, ok, err := f.hashAt(ctx, tail[i].Height)
		if err != nil {
			return err
		}
		if !ok {
			return fmt.Errorf("%s: %w: a block at %d and none at %d", f.chain.ID(), ErrNotLinked, tail[i+1].Height, tail[i].Height)
		}
		if other != tail[i].Hash {
			above = other
			continue
		}
		_, err = f.child(ctx, tail[i+1].Height, above, tail[i].Hash)
		return err
	}
	if tail[0].Height == f.start && len(tail) <= f.maxReorg {
		return nil
	}
	return fmt.Errorf("%s: %w: block %d is %s at the node and %s here, and they have nothing in common in %d blocks",
		f.chain.ID(), ErrReorgTooDeep, tail[last].Height, hash, tail[last].Hash, min(len(tail), f.maxReorg+1))
}

// child fetches a block whose parent must be the given one.
func (f *Follower) child(ctx context.Context, height uint64, hash, parent string) (*Block, error) {
	block, err := f.block(ctx, height, hash)
	if err != nil {
		return nil, err
	}
	if block.Parent != parent {
		return nil, fmt.Errorf("%s block %d %s: %w: its parent is %s, not %s", f.chain.ID(), height, hash, ErrNotLinked, block.Parent, parent)
	}
	return block, nil
}

// hashAt is the source's hash at a height; ok is false when it has none.
func (f *Follower) hashAt(ctx context.Context, height uint64) (hash string, ok bool, err error) {
	hash, err = f.source.HashAt(ctx, height)
	switch {
	case errors.Is(err, ErrNotFound):
		return "", false, nil
	case err != nil:
		return "", false, fmt.Errorf("%s hash at %d: %w", f.chain.ID(), height, err)
	}
	return hash, true, nil
}

// block fetches and verifies one block. That the source does not have it, after
// naming it, is its contradiction and not a fact about the chain.
func (f *Follower) block(ctx context.Context, height uint64, hash string) (*Block, error) {
	raw, err := f.source.RawBlock(ctx, hash)
	if errors.Is(err, ErrNotFound) {
		return nil, fmt.Errorf("%s block %d %s: %w: named but not to be had", f.chain.ID(), height, hash, ErrNotLinked)
	}
	if err != nil {
		return nil, fmt.Errorf("%s block %d: %w", f.chain.ID(), height, err)
	}
	block, err := f.chain.DecodeBlock(raw, hash)
	if err != nil {
		return nil, fmt.Errorf("%s block %d: %w", f.chain.ID(), height, err)
	}
	block.Height = height
	return block, nil
}

// checkTail refuses a tail that is not a chain of heights: our own fault.
func checkTail(tail []BlockRef) error {
	for i := range tail {
		if tail[i].Hash == "" || i > 0 && tail[i].Height != tail[i-1].Height+1 {
			return fmt.Errorf("chains: tail is broken at %d: height %d, hash %q", i, tail[i].Height, tail[i].Hash)
		}
	}
	return nil
}

// Extend is the tail after an event, cut to its newest keep blocks. The tail
// that was passed is not to be used any more.
func Extend(tail []BlockRef, e Event, keep int) []BlockRef {
	switch e := e.(type) {
	case Connected:
		tail = append(tail, e.Block.BlockRef)
	case Disconnected:
		tail = tail[:len(tail)-1]
	}
	if len(tail) > keep {
		tail = tail[len(tail)-keep:]
	}
	return tail
}
