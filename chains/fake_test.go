package chains

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// fakeChain is a Chain whose raw blocks are JSON.
type fakeChain struct{ Chain }

func (fakeChain) ID() ID { return BTC }

func (fakeChain) DecodeBlock(raw []byte, want string) (*Block, error) {
	var b Block
	if err := json.Unmarshal(raw, &b); err != nil || b.Hash != want {
		return nil, fmt.Errorf("%w: %q", ErrBadBlock, raw)
	}
	return &b, nil
}

// fakeNode is a node with every block it ever saw and one best chain.
type fakeNode struct {
	Source
	blocks map[string][]byte
	best   []string // hashes by height
	fail   func() error
	calls  int
}

func newFakeNode(genesis string) *fakeNode {
	n := &fakeNode{blocks: map[string][]byte{}}
	n.mine(nil, genesis)
	return n
}

// mine makes a block on top of a chain and returns the longer chain.
func (n *fakeNode) mine(chain []string, hash string) []string {
	b := Block{Header: Header{BlockRef: BlockRef{Hash: hash}}, Transactions: []string{"tx-" + hash}}
	if len(chain) > 0 {
		b.Parent = chain[len(chain)-1]
	}
	b.Outputs = []Output{{Outpoint: Outpoint{TxID: "tx-" + hash}, Script: []byte("ours"), Amount: NewAmount(uint64(len(chain)))}}
	n.blocks[hash], _ = json.Marshal(b)
	chain = append(slices.Clone(chain), hash)
	if len(chain) > len(n.best) {
		n.best = chain
	}
	return chain
}

func (n *fakeNode) check() error {
	n.calls++
	if n.fail != nil {
		return n.fail()
	}
	return nil
}

func (n *fakeNode) Tip(context.Context) (BlockRef, error) {
	if err := n.check(); err != nil {
		return BlockRef{}, err
	}
	return BlockRef{uint64(len(n.best) - 1), n.best[len(n.best)-1]}, nil
}

func (n *fakeNode) HashAt(_ context.Context, height uint64) (string, error) {
	if err := n.check(); err != nil {
		return "", err
	}
	if height >= uint64(len(n.best)) {
		return "", fmt.Errorf("height %d: %w", height, ErrNotFound)
	}
	return n.best[height], nil
}

// RawBlock refuses blocks outside the best chain, as btcd does.
func (n *fakeNode) RawBlock(_ context.Context, hash string) ([]byte, error) {
	if err := n.check(); err != nil {
		return nil, err
	}
	if !slices.Contains(n.best, hash) {
		return nil, fmt.Errorf("block %s: %w", hash, ErrNotFound)
	}
	return n.blocks[hash], nil
}

var errFake = errors.New("connection refused")

// watcher is the smallest consumer of a Follower: a tail, and what the chain
// says is ours.
type watcher struct {
	follower *Follower
	set      *WatchSet
	tail     []BlockRef
	keep     int
	payments map[string]map[Outpoint]Amount // by block
	steps    int
	undone   int
}

func newWatcher(s Source, o FollowerOptions) *watcher {
	w := &watcher{follower: NewFollower(s, fakeChain{}, o), set: NewWatchSet(), keep: o.MaxReorg + 1, payments: map[string]map[Outpoint]Amount{}}
	if o.MaxReorg == 0 {
		w.keep = DefaultMaxReorg + 1
	}
	_ = w.set.Add([]byte("ours"), Watch{Kind: WatchDeposit, Account: "alice", Address: "a"})
	return w
}

// step does one step; idle is true when there was none to do.
func (w *watcher) step() (idle bool, err error) {
	e, err := w.follower.Next(context.Background(), w.tail)
	if err != nil || e == nil {
		return e == nil && err == nil, err
	}
	w.steps++
	switch e := e.(type) {
	case Connected:
		found := map[Outpoint]Amount{}
		for _, p := range w.set.Match(e.Block, nil).Payments {
			found[p.Outpoint] = p.Amount
		}
		w.payments[e.Block.Hash] = found
	case Disconnected:
		delete(w.payments, e.Hash)
		w.undone++
	}
	w.tail = Extend(w.tail, e, w.keep)
	return false, nil
}

// run steps until there is nothing to do.
func (w *watcher) run() error {
	for range 100_000 {
		if idle, err := w.step(); idle || err != nil {
			return err
		}
	}
	return errors.New("never idle")
}

// state is all that is ours, by outpoint.
func (w *watcher) state() map[Outpoint]Amount {
	all := map[Outpoint]Amount{}
	for _, found := range w.payments {
		maps.Copy(all, found)
	}
	return all
}
