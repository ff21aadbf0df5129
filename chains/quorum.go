package chains

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
)

// maxTipSpread is how far below the nodes' tips Quorum.Tip looks for a block
// that enough of them share.
const maxTipSpread = 6

// Quorum is a Source made of several nodes' Sources. What it says of blocks was
// said by at least need of them, byte for byte; the number is never lowered,
// whatever fails.
type Quorum struct{ *Panel[Source] }

var _ Source = (*Quorum)(nil)

// NewQuorum asks nodes and believes need of them.
func NewQuorum(nodes []Source, need int) (*Quorum, error) {
	panel, err := NewPanel(nodes, need)
	if err != nil {
		return nil, err
	}
	return &Quorum{panel}, nil
}

// Tip is the highest block that enough nodes have in their best chains.
func (q *Quorum) Tip(ctx context.Context) (BlockRef, error) {
	tips, errs := Gather(ctx, q.Panel, func(ctx context.Context, n Source) (BlockRef, error) { return n.Tip(ctx) })
	if len(tips) < q.need {
		return BlockRef{}, q.Failed("tip", len(tips), errs)
	}
	// Enough nodes are at least this high.
	slices.SortFunc(tips, func(a, b BlockRef) int { return cmp.Compare(b.Height, a.Height) })
	top := tips[q.need-1]
	if n := len(slices.DeleteFunc(slices.Clone(tips), func(t BlockRef) bool { return t != top })); n >= q.need {
		return top, nil
	}
	var last error
	for height := top.Height; height+maxTipSpread > top.Height; height-- {
		hash, err := q.HashAt(ctx, height)
		if err == nil {
			return BlockRef{Height: height, Hash: hash}, nil
		}
		if last = err; height == 0 {
			break
		}
	}
	return BlockRef{}, fmt.Errorf("%w: tip near %d: %v", ErrNoQuorum, top.Height, last)
}

// HashAt is the hash that enough nodes have at the height; ErrNotFound when
// enough of them have none. A node that has another one is remembered as failing
// (Health) until it agrees again at that height or above.
func (q *Quorum) HashAt(ctx context.Context, height uint64) (string, error) {
	return Agree(ctx, q.Panel, fmt.Sprintf("hash at %d", height), func(a, b string) bool { return a == b },
		func(ctx context.Context, n Source) (string, error) { return n.HashAt(ctx, height) },
		func(node int, said, agreed string) { q.Compare(node, height, said, agreed) })
}

// RawBlock is the bytes that enough nodes have for the block.
func (q *Quorum) RawBlock(ctx context.Context, hash string) ([]byte, error) {
	return Agree(ctx, q.Panel, "block "+clip(hash), bytes.Equal,
		func(ctx context.Context, n Source) ([]byte, error) { return n.RawBlock(ctx, hash) }, nil)
}

// Mempool is what so many nodes have in their mempools that not all of them can
// be the ones that may fail, sorted, once enough nodes have answered. One node
// that makes transactions up, of ours even, keeps nobody from what the others have.
// Nothing unconfirmed counts.
func (q *Quorum) Mempool(ctx context.Context) ([]string, error) {
	lists, errs := Gather(ctx, q.Panel, func(ctx context.Context, n Source) ([]string, error) { return n.Mempool(ctx) })
	if len(lists) < q.need {
		return nil, q.Failed("mempool", len(lists), errs)
	}
	count := map[string]int{}
	for _, list := range lists {
		for _, txid := range slices.Compact(slices.Sorted(slices.Values(list))) {
			count[txid]++
		}
	}
	maps.DeleteFunc(count, func(_ string, n int) bool { return n <= len(q.nodes)-q.need })
	return slices.Sorted(maps.Keys(count)), nil
}

// RawTransaction is the first answer of any node: a Source verifies that the
// bytes have the txid. ErrNotFound when enough nodes do not know it.
func (q *Quorum) RawTransaction(ctx context.Context, txid string) (raw []byte, err error) {
	var errs []error
	missing := 0
	Ask(ctx, q.Panel, func(ctx context.Context, n Source) ([]byte, error) { return n.RawTransaction(ctx, txid) },
		func(answer []byte, err error) bool {
			if err == nil {
				raw = answer
				return true
			}
			if errors.Is(err, ErrNotFound) {
				missing++
			}
			errs = append(errs, err)
			return false
		})
	switch {
	case raw != nil:
		return raw, nil
	case missing >= q.need:
		return nil, fmt.Errorf("transaction %s: %w at %d of %d nodes", clip(txid), ErrNotFound, missing, len(q.nodes))
	}
	return nil, q.Failed("transaction "+clip(txid), 0, errs)
}

// Broadcast hands the transaction to every node. One node that took it or has
// it is enough to know where it is; without one, a node that we know nothing of
// makes the whole unknown.
func (q *Quorum) Broadcast(ctx context.Context, raw []byte) (Verdict, error) {
	return SumVerdicts(Gather(ctx, q.Panel, func(ctx context.Context, n Source) (Verdict, error) { return n.Broadcast(ctx, raw) }))
}

// SumVerdicts is what is known once several nodes were handed a transaction: see
// Quorum.Broadcast.
func SumVerdicts(verdicts []Verdict, errs []error) (Verdict, error) {
	for _, v := range []Verdict{Accepted, Known} {
		if slices.Contains(verdicts, v) {
			return v, nil
		}
	}
	if len(errs) > 0 {
		return Unknown, fmt.Errorf("broadcast: %w", errors.Join(errs...))
	}
	for _, v := range []Verdict{Conflict, Rejected} {
		if slices.Contains(verdicts, v) {
			return v, nil
		}
	}
	return Unknown, errors.New("broadcast: no verdict")
}

// EstimateFee is the median of the nodes' estimates, if enough nodes have one. Of
// two it is the lower: what was paid too little is made dearer later, and no node
// by itself can have fees burned.
func (q *Quorum) EstimateFee(ctx context.Context, blocks int) (FeeRate, bool, error) {
	type estimate struct {
		rate FeeRate
		ok   bool
	}
	all, errs := Gather(ctx, q.Panel, func(ctx context.Context, n Source) (e estimate, err error) {
		e.rate, e.ok, err = n.EstimateFee(ctx, blocks)
		return e, err
	})
	if len(all) < q.need {
		return 0, false, q.Failed("fee", len(all), errs)
	}
	var rates []FeeRate
	for _, e := range all {
		if e.ok {
			rates = append(rates, e.rate)
		}
	}
	if len(rates) < q.need {
		return 0, false, nil
	}
	slices.Sort(rates)
	return rates[(len(rates)-1)/2], true, nil
}

// Health lists every node. One that contradicts the others is not OK.
func (q *Quorum) Health() []NodeHealth {
	var all []NodeHealth
	for i, n := range q.nodes {
		for _, h := range n.Health() {
			all = append(all, q.Judge(i, h))
		}
	}
	return all
}
