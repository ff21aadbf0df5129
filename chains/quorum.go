package chains

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"causeway/internal/failpoint"
)

// maxTipSpread is how far below the nodes' tips Quorum.Tip looks for a block
// that enough of them share.
const maxTipSpread = 6

// Quorum is a Source made of several nodes' Sources. What it says of blocks was
// said by at least need of them, byte for byte; the number is never lowered,
// whatever fails. More than half of the nodes are needed, so two quorums can
// not contradict each other.
type Quorum struct {
	nodes []Source
	need  int
}

var _ Source = (*Quorum)(nil)

// NewQuorum asks nodes and believes need of them.
func NewQuorum(nodes []Source, need int) (*Quorum, error) {
	if need < 1 || need > len(nodes) || 2*need <= len(nodes) {
		return nil, fmt.Errorf("chains: quorum of %d among %d nodes: more than half are needed", need, len(nodes))
	}
	if failpoint.Off(failpoint.Quorum) {
		need = 1
	}
	return &Quorum{nodes: slices.Clone(nodes), need: need}, nil
}

// Need is how many nodes must agree.
func (q *Quorum) Need() int { return q.need }

// Nodes is how many nodes are asked.
func (q *Quorum) Nodes() int { return len(q.nodes) }

// answer is what one node said.
type answer[T any] struct {
	value T
	err   error
}

// ask puts a question to all nodes at once and hands the answers to enough as
// they come, until it is content. Nodes that have not answered by then are cut
// off.
func ask[T any](ctx context.Context, nodes []Source, question func(context.Context, Source) (T, error), enough func(answer[T]) bool) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	answers := make(chan answer[T], len(nodes))
	for _, n := range nodes {
		go func() {
			v, err := question(ctx, n)
			answers <- answer[T]{v, err}
		}()
	}
	for range nodes {
		if enough(<-answers) {
			return
		}
	}
}

// askAll waits for every node.
func askAll[T any](ctx context.Context, nodes []Source, question func(context.Context, Source) (T, error)) (values []T, errs []error) {
	ask(ctx, nodes, question, func(a answer[T]) bool {
		if a.err != nil {
			errs = append(errs, a.err)
		} else {
			values = append(values, a.value)
		}
		return false
	})
	return values, errs
}

// agree finds an answer that enough nodes gave. That a node does not have the
// thing is an answer too; any other error is none.
func agree[T any](ctx context.Context, q *Quorum, what string, same func(a, b T) bool, question func(context.Context, Source) (T, error)) (T, error) {
	type vote struct {
		answer[T]
		count int
	}
	var votes []vote
	var errs []error
	var winner *vote
	ask(ctx, q.nodes, question, func(a answer[T]) bool {
		missing := errors.Is(a.err, ErrNotFound)
		if a.err != nil && !missing {
			errs = append(errs, a.err)
			return false
		}
		i := slices.IndexFunc(votes, func(v vote) bool {
			return missing && v.err != nil || !missing && v.err == nil && same(v.value, a.value)
		})
		if i < 0 {
			votes, i = append(votes, vote{answer: a}), len(votes)
		}
		votes[i].count++
		if votes[i].count >= q.need {
			winner = &votes[i]
		}
		return winner != nil
	})
	if winner != nil {
		return winner.value, winner.err
	}
	var none T
	return none, q.failed(what, len(votes), errs)
}

// failed says why there is no quorum. Not-found must not shine through: too few
// nodes said it.
func (q *Quorum) failed(what string, answers int, errs []error) error {
	err := fmt.Errorf("%w: %s: %d different answers and %d errors from %d nodes, %d must agree", ErrNoQuorum, what, answers, len(errs), len(q.nodes), q.need)
	for _, e := range errs {
		if errors.Is(e, ErrNotFound) {
			e = errors.New(e.Error())
		}
		err = fmt.Errorf("%w; %w", err, e)
	}
	return err
}

// Tip is the highest block that enough nodes have in their best chains.
func (q *Quorum) Tip(ctx context.Context) (BlockRef, error) {
	tips, errs := askAll(ctx, q.nodes, func(ctx context.Context, n Source) (BlockRef, error) { return n.Tip(ctx) })
	if len(tips) < q.need {
		return BlockRef{}, q.failed("tip", len(tips), errs)
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
// enough of them have none.
func (q *Quorum) HashAt(ctx context.Context, height uint64) (string, error) {
	return agree(ctx, q, fmt.Sprintf("hash at %d", height), func(a, b string) bool { return a == b },
		func(ctx context.Context, n Source) (string, error) { return n.HashAt(ctx, height) })
}

// RawBlock is the bytes that enough nodes have for the block.
func (q *Quorum) RawBlock(ctx context.Context, hash string) ([]byte, error) {
	return agree(ctx, q, "block "+clip(hash), bytes.Equal,
		func(ctx context.Context, n Source) ([]byte, error) { return n.RawBlock(ctx, hash) })
}

// Mempool is what any node has in its mempool, sorted, once enough nodes have
// answered. It is for display: nothing unconfirmed counts.
func (q *Quorum) Mempool(ctx context.Context) ([]string, error) {
	lists, errs := askAll(ctx, q.nodes, func(ctx context.Context, n Source) ([]string, error) { return n.Mempool(ctx) })
	if len(lists) < q.need {
		return nil, q.failed("mempool", len(lists), errs)
	}
	all := slices.Concat(lists...)
	slices.Sort(all)
	return slices.Compact(all), nil
}

// RawTransaction is the first answer of any node: a Source verifies that the
// bytes have the txid. ErrNotFound when enough nodes do not know it.
func (q *Quorum) RawTransaction(ctx context.Context, txid string) (raw []byte, err error) {
	var errs []error
	missing := 0
	ask(ctx, q.nodes, func(ctx context.Context, n Source) ([]byte, error) { return n.RawTransaction(ctx, txid) },
		func(a answer[[]byte]) bool {
			if a.err == nil {
				raw = a.value
				return true
			}
			if errors.Is(a.err, ErrNotFound) {
				missing++
			}
			errs = append(errs, a.err)
			return false
		})
	switch {
	case raw != nil:
		return raw, nil
	case missing >= q.need:
		return nil, fmt.Errorf("transaction %s: %w at %d of %d nodes", clip(txid), ErrNotFound, missing, len(q.nodes))
	}
	return nil, q.failed("transaction "+clip(txid), 0, errs)
}

// Broadcast hands the transaction to every node. One node that took it or has
// it is enough to know where it is; without one, a node that we know nothing of
// makes the whole unknown.
func (q *Quorum) Broadcast(ctx context.Context, raw []byte) (Verdict, error) {
	verdicts, errs := askAll(ctx, q.nodes, func(ctx context.Context, n Source) (Verdict, error) { return n.Broadcast(ctx, raw) })
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

// EstimateFee is the median of the nodes' estimates (of two, the higher one),
// if enough nodes have one.
func (q *Quorum) EstimateFee(ctx context.Context, blocks int) (FeeRate, bool, error) {
	type estimate struct {
		rate FeeRate
		ok   bool
	}
	all, errs := askAll(ctx, q.nodes, func(ctx context.Context, n Source) (e estimate, err error) {
		e.rate, e.ok, err = n.EstimateFee(ctx, blocks)
		return e, err
	})
	if len(all) < q.need {
		return 0, false, q.failed("fee", len(all), errs)
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
	return rates[len(rates)/2], true, nil
}

// Health lists every node.
func (q *Quorum) Health() []NodeHealth {
	var all []NodeHealth
	for _, n := range q.nodes {
		all = append(all, n.Health()...)
	}
	return all
}
