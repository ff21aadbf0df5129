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

	mu     sync.Mutex
	head   uint64              // up to here blocks had the tag
	known  bool                // head is one
	read   map[string]*Block   // the newest blocks that were read
	coming map[uint64]*reading // finalized blocks that are read ahead
}

const (
	maxRead = 4 // blocks that are kept between the steps of the walker
	// readAhead is how many blocks are fetched and verified while the caller is busy
	// with one: half of what a chains.Panel lets a node leave unanswered.
	readAhead = 4
)

// reading is a block on its way.
type reading struct {
	done   chan struct{}
	header chains.Header
	block  *Block
	err    error
}

// Step is what has changed: exactly one of the fields is set.
type Step struct {
	Connected *Block
	// Disconnected is the newest block of the tail, which left the chain. It is never
	// said of finalized blocks.
	Disconnected *chains.BlockRef
}

// NewFollower follows the chain of a quorum.
func NewFollower(q *Quorum, tag Tag, o chains.FollowerOptions) *Follower {
	f := &Follower{quorum: q, tag: tag, read: make(map[string]*Block), coming: make(map[uint64]*reading)}
	f.walker = chains.NewFollower(followed{f}, followed{f}, o)
	return f
}

// Next is the next step from the tail (chains.Follower.Next): nil, nil when there
// is nothing to do. Below the finalized head it reads on, with the same context,
// while the caller is busy. A finalized block that is no longer in the chain is
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
		f.readOn(ctx, block.Height)
		return &Step{Connected: block}, nil
	case chains.Disconnected:
		if f.tag == Finalized {
			return nil, fmt.Errorf("eth: %w: block %d %s was final and is not in the chain", chains.ErrReorgTooDeep, e.Height, e.Hash)
		}
		return &Step{Disconnected: &e.BlockRef}, nil
	}
	return nil, nil
}

// taken is a block that was just read, or is read now.
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

// readOn starts to read the finalized blocks above a height, and forgets others.
func (f *Follower) readOn(ctx context.Context, height uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for h := range f.coming {
		if h <= height || h > height+readAhead {
			delete(f.coming, h)
		}
	}
	if f.tag != Finalized {
		return
	}
	for h := height + 1; h <= min(height+readAhead, f.head); h++ {
		if f.coming[h] != nil {
			continue
		}
		r := &reading{done: make(chan struct{})}
		f.coming[h] = r
		go func() {
			defer close(r.done)
			if r.header, r.err = f.quorum.HeaderAt(ctx, h); r.err != nil {
				return
			}
			id, err := ParseHash(r.header.Hash)
			if err == nil {
				r.block, err = f.quorum.Block(ctx, id)
			}
			r.err = err
		}()
	}
}

// ahead is what was read ahead at a height, once it is there; nil when nothing was,
// or in vain.
func (f *Follower) ahead(ctx context.Context, height uint64) *reading {
	f.mu.Lock()
	r := f.coming[height]
	f.mu.Unlock()
	if r == nil {
		return nil
	}
	select {
	case <-r.done:
	case <-ctx.Done():
		return nil
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	delete(f.coming, height)
	if r.err != nil {
		return nil
	}
	f.keep(r.block)
	return r
}

// keep remembers a block for the next steps of the walker.
func (f *Follower) keep(block *Block) {
	if len(f.read) >= maxRead {
		clear(f.read)
	}
	f.read[block.Hash] = block
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
	if r := s.ahead(ctx, height); r != nil {
		return r.header.Hash, nil
	}
	return s.quorum.HashAt(ctx, height)
}

// RawBlock is the header of a block that was read as a whole.
func (s followed) RawBlock(ctx context.Context, hash string) ([]byte, error) {
	block, err := s.taken(ctx, hash)
	if err != nil {
		return nil, err
	}
	s.mu.Lock()
	s.keep(block)
	s.mu.Unlock()
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
