package ethereum

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"

	"causeway/chains"
)

// Quorum reads the chain from several nodes. What it says of a height or of state
// was said by at least as many of them as must agree, exactly alike; the number is
// never lowered, whatever fails. What a hash proves (the contents of a block) is
// taken from any node. Every error means "unknown".
type Quorum struct {
	*chains.Panel[*Node]
	nodes []*Node
}

// Open makes a Quorum from the nodes' URLs, need of which must agree. Nothing is
// dialled yet.
func Open(urls []string, need int, o Options) (*Quorum, error) {
	nodes := make([]*Node, 0, len(urls))
	for _, u := range urls {
		n, err := NewNode(u, o)
		if err != nil {
			return nil, err
		}
		nodes = append(nodes, n)
	}
	return NewQuorum(nodes, need)
}

// NewQuorum asks nodes and believes need of them, which must be more than half.
func NewQuorum(nodes []*Node, need int) (*Quorum, error) {
	panel, err := chains.NewPanel(nodes, need)
	if err != nil {
		return nil, err
	}
	return &Quorum{Panel: panel, nodes: slices.Clone(nodes)}, nil
}

// Close drops idle connections.
func (q *Quorum) Close() {
	for _, n := range q.nodes {
		n.Close()
	}
}

// Health lists every node. One that contradicts the others is not OK.
func (q *Quorum) Health() []chains.NodeHealth {
	all := make([]chains.NodeHealth, len(q.nodes))
	for i, n := range q.nodes {
		all[i] = q.Judge(i, n.Health())
	}
	return all
}

// maxHeadSpread is how far below the nodes' heads Head looks for a block that
// enough of them share.
const maxHeadSpread = 6

// Head is the highest block of which enough nodes say that it, or one above it,
// has the tag, and that it is in their chains.
func (q *Quorum) Head(ctx context.Context, tag Tag) (chains.Header, error) {
	heads, errs := chains.Gather(ctx, q.Panel, func(ctx context.Context, n *Node) (chains.Header, error) { return n.Head(ctx, tag) })
	if len(heads) < q.Need() {
		return chains.Header{}, q.Failed(string(tag)+" block", len(heads), errs)
	}
	slices.SortFunc(heads, func(a, b chains.Header) int { return cmp.Compare(b.Height, a.Height) })
	top := heads[q.Need()-1]
	if same := slices.DeleteFunc(heads, func(h chains.Header) bool { return h != top }); len(same) >= q.Need() {
		return top, nil
	}
	var last error
	for height := top.Height; height+maxHeadSpread > top.Height; height-- {
		h, err := q.HeaderAt(ctx, height)
		if err == nil {
			return h, nil
		}
		if last = err; height == 0 {
			break
		}
	}
	return chains.Header{}, fmt.Errorf("%w: %s block near %d: %v", chains.ErrNoQuorum, tag, top.Height, last)
}

// HeaderAt is the header that enough nodes have at the height, which hashes to its
// hash; chains.ErrNotFound when enough of them have none. A node that has another
// is remembered as failing (Health) until it agrees again at that height or above.
func (q *Quorum) HeaderAt(ctx context.Context, height uint64) (chains.Header, error) {
	return chains.Agree(ctx, q.Panel, fmt.Sprintf("block at %d", height), func(a, b chains.Header) bool { return a == b },
		func(ctx context.Context, n *Node) (chains.Header, error) { return n.HeaderAt(ctx, height) },
		func(node int, said, agreed chains.Header) { q.Compare(node, height, said.Hash, agreed.Hash) })
}

// HashAt is the hash of HeaderAt.
func (q *Quorum) HashAt(ctx context.Context, height uint64) (string, error) {
	h, err := q.HeaderAt(ctx, height)
	return h.Hash, err
}

// Block is the block of a hash with everything in it, verified against the hash,
// from the first node that has it. Which block of a height is the one is for
// HeaderAt to say. chains.ErrBadBlock when as many nodes as must agree sent what is
// not that block, which is likely one that this program does not understand: the
// chain must stop.
func (q *Quorum) Block(ctx context.Context, hash Hash) (*Block, error) {
	var block *Block
	var errs []error
	bad := 0
	for _, n := range q.nodes { // one after the other: blocks are large
		b, err := n.Block(ctx, hash)
		if err == nil {
			block = b
			break
		}
		if errors.Is(err, chains.ErrBadBlock) {
			bad++
		}
		errs = append(errs, err)
	}
	switch {
	case block != nil:
		return block, nil
	case bad >= q.Need():
		return nil, fmt.Errorf("ethereum: block %s: %w", hash, errors.Join(errs...))
	}
	for i, err := range errs {
		if errors.Is(err, chains.ErrBadBlock) {
			errs[i] = fmt.Errorf("%w: %v", chains.ErrUnavailable, err)
		}
	}
	return nil, q.Failed("block "+hash.String(), 0, errs)
}

// Broadcast hands the transaction to every node. One node that took it or has it
// is enough to know where it is; without one, a node that we know nothing of makes
// the whole unknown. chains.Conflict: its nonce is used or bidden for, perhaps by
// itself or by a variant: ask Lookup and Nonces.
func (q *Quorum) Broadcast(ctx context.Context, raw []byte) (chains.Verdict, error) {
	return chains.SumVerdicts(chains.Gather(ctx, q.Panel, func(ctx context.Context, n *Node) (chains.Verdict, error) { return n.Broadcast(ctx, raw) }))
}

// Market is the lower median of what the nodes say, of base fee and tip each, if
// enough of them answer: no node by itself can have fees burned.
func (q *Quorum) Market(ctx context.Context) (Market, error) {
	all, errs := chains.Gather(ctx, q.Panel, func(ctx context.Context, n *Node) (Market, error) { return n.market(ctx) })
	if len(all) < q.Need() {
		return Market{}, q.Failed("fees", len(all), errs)
	}
	var bases, tips []Wei
	for _, m := range all {
		bases, tips = append(bases, m.BaseFee), append(tips, m.Tip)
	}
	return Market{BaseFee: median(bases), Tip: median(tips)}, nil
}

// Gas is how much gas to allow a transaction from an account, at the newest block:
// PlainGas for coins to an account that has no code, else the lower median of the
// nodes' estimates and a quarter, within the caps (TokenGas, PayeeGasCap). ErrReverts
// when enough nodes say that it would fail, ErrGasCap when it takes more: neither is
// a matter of trying again.
func (q *Quorum) Gas(ctx context.Context, from Address, t Transaction) (uint64, error) {
	least, most := uint64(PlainGas), uint64(PayeeGasCap)
	if _, _, token := ParseTransferCall(t.Data); token {
		least, most = TokenGas, TokenGasCap
	} else if len(t.Data) == 0 {
		head, err := q.Head(ctx, Latest)
		if err != nil {
			return 0, err
		}
		block, err := ParseHash(head.Hash)
		if err != nil {
			return 0, err
		}
		code, err := q.Code(ctx, block, t.To)
		if err != nil || len(code) == 0 {
			return PlainGas, err
		}
	}
	reverts := 0
	estimates, errs := chains.Gather(ctx, q.Panel, func(ctx context.Context, n *Node) (uint64, error) { return n.estimate(ctx, from, t) })
	for _, err := range errs {
		if errors.Is(err, ErrReverts) {
			reverts++
		}
	}
	switch {
	case reverts >= q.Need():
		return 0, fmt.Errorf("to %s: %w", t.To, errors.Join(errs...))
	case len(estimates) < q.Need():
		return 0, fmt.Errorf("%w: gas: %d answers, %d must agree; %v", chains.ErrNoQuorum, len(estimates), q.Need(), errors.Join(errs...))
	}
	slices.Sort(estimates)
	return gasLimit(estimates[(len(estimates)-1)/2], least, most)
}
