package ethereum

import (
	"context"
	"fmt"
	"sync"

	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rlp"

	"causeway/chains"
)

// Follower walks the chain by hash up to the newest block of a tag, with the rules
// of chains.Follower. Blocks above that are for display alone (Quorum.Head of
// Latest, Quorum.Block). It keeps no position and can be used by many goroutines.
type Follower struct {
	quorum *Quorum
	tag    Tag
	walker *chains.Follower

	mu    sync.Mutex
	head  uint64            // up to here blocks had the tag
	known bool              // head is one
	read  map[string]*Block // the newest blocks that were read
}

// maxRead is how many blocks are kept between the steps of the walker.
const maxRead = 4

// Step is what has changed: exactly one of the fields is set.
type Step struct {
	Connected *Block
	// Disconnected is the newest block of the tail, which left the chain. It is never
	// said of finalized blocks.
	Disconnected *chains.BlockRef
}

// NewFollower follows the chain of a quorum.
func NewFollower(q *Quorum, tag Tag, o chains.FollowerOptions) *Follower {
	f := &Follower{quorum: q, tag: tag, read: make(map[string]*Block)}
	f.walker = chains.NewFollower(followed{f}, followed{f}, o)
	return f
}

// Next is the next step from the tail (chains.Follower.Next): nil, nil when there
// is nothing to do. A finalized block that is no longer in the chain is
// chains.ErrReorgTooDeep: only a human can decide what to believe then.
func (f *Follower) Next(ctx context.Context, tail []chains.BlockRef) (*Step, error) {
	event, err := f.walker.Next(ctx, tail)
	if err != nil {
		return nil, err
	}
	switch e := event.(type) {
	case chains.Connected:
		block, err := f.taken(ctx, e.Block.Hash)
		if err != nil {
			return nil, err
		}
		if block.Height != e.Block.Height {
			return nil, fmt.Errorf("eth block %d %s: %w: its header has another height", e.Block.Height, e.Block.Hash, chains.ErrBadBlock)
		}
		return &Step{Connected: block}, nil
	case chains.Disconnected:
		if f.tag == Finalized {
			return nil, fmt.Errorf("eth: %w: block %d %s was final and is not in the chain", chains.ErrReorgTooDeep, e.Height, e.Hash)
		}
		return &Step{Disconnected: &e.BlockRef}, nil
	}
	return nil, nil
}

// taken is a block that was just read, or is read again when others have read so
// many since that it was forgotten.
func (f *Follower) taken(ctx context.Context, hash string) (*Block, error) {
	f.mu.Lock()
	block := f.read[hash]
	f.mu.Unlock()
	if block != nil {
		return block, nil
	}
	id, err := ParseHash(hash)
	if err != nil {
		return nil, err
	}
	return f.quorum.Block(ctx, id)
}

// final asks for the tag only when a height was not below it before: the tag never
// goes back.
func (f *Follower) final(ctx context.Context, height uint64) (bool, error) {
	f.mu.Lock()
	known := f.known && height <= f.head
	f.mu.Unlock()
	if known && f.tag == Finalized {
		return true, nil
	}
	head, err := f.quorum.Head(ctx, f.tag)
	if err != nil {
		return false, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.head, f.known = max(head.Height, f.head), true
	return height <= head.Height, nil
}

// followed shows the walker the chain up to the tag, each block by its header
// alone: what is in it was read and verified at the same time.
type followed struct{ *Follower }

func (followed) ID() chains.ID { return chains.ETH }

// HashAt is chains.ErrNotFound above the tag.
func (s followed) HashAt(ctx context.Context, height uint64) (string, error) {
	ok, err := s.final(ctx, height)
	if err != nil {
		return "", err
	}
	if !ok {
		return "", fmt.Errorf("height %d is not %s yet: %w", height, s.tag, chains.ErrNotFound)
	}
	return s.quorum.HashAt(ctx, height)
}

// RawBlock is the header of a block that was read as a whole.
func (s followed) RawBlock(ctx context.Context, hash string) ([]byte, error) {
	id, err := ParseHash(hash)
	if err != nil {
		return nil, err
	}
	block, err := s.quorum.Block(ctx, id)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.read) >= maxRead {
		clear(s.read)
	}
	s.read[hash] = block
	return rlp.EncodeToBytes(block.header)
}

// DecodeBlock reads a header.
func (s followed) DecodeBlock(raw []byte, want string) (*chains.Block, error) {
	var h types.Header
	if err := rlp.DecodeBytes(raw, &h); err != nil {
		return nil, badBlock("header: %v", err)
	}
	header := headerOf(&h)
	if header.Hash != want {
		return nil, badBlock("it is block %s, not %s", header.Hash, want)
	}
	return &chains.Block{Header: header}, nil
}
