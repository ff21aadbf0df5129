package ethereum

import (
	"bytes"
	"context"
	"fmt"
	"slices"

	"golang.org/x/sync/errgroup"

	"causeway/chains"
)

// The state of accounts is read at a block's hash, so that all nodes speak of the
// same. Nodes as they are shipped keep the state of the newest 128 blocks only: read
// at the head of the configured tag, not at old blocks.

// Balances are the wei of accounts at a block, in their order.
func (q *Quorum) Balances(ctx context.Context, block Hash, accounts []Address) ([]Wei, error) {
	return agreed(ctx, q, fmt.Sprintf("balances at %s", block), accounts, (*Node).balances, block)
}

// Nonces are the next nonces of accounts at a block: an account has used every
// smaller one, each by exactly one transaction in that block or below.
func (q *Quorum) Nonces(ctx context.Context, block Hash, accounts []Address) ([]uint64, error) {
	return agreed(ctx, q, fmt.Sprintf("nonces at %s", block), accounts, (*Node).nonces, block)
}

// TokenBalances are the units of a token that accounts hold at a block.
func (q *Quorum) TokenBalances(ctx context.Context, block Hash, token Address, accounts []Address) ([]Wei, error) {
	read := func(n *Node, ctx context.Context, block Hash, part []Address) ([]Wei, error) {
		return n.tokenBalances(ctx, block, token, part)
	}
	return agreed(ctx, q, fmt.Sprintf("balances of token %s at %s", token, block), accounts, read, block)
}

// parallel is how many parts of a list are asked for at a time: half of what a
// chains.Panel lets a node leave unanswered.
const parallel = 4

// agreed reads something of each account, in parts of batchSize, on each of which
// enough nodes agree.
func agreed[T comparable](ctx context.Context, q *Quorum, what string, accounts []Address,
	read func(*Node, context.Context, Hash, []Address) ([]T, error), block Hash) ([]T, error) {
	values := make([]T, len(accounts))
	group, ctx := errgroup.WithContext(ctx)
	group.SetLimit(parallel)
	for from := 0; from < len(accounts); from += batchSize {
		part := accounts[from:min(from+batchSize, len(accounts))]
		group.Go(func() error {
			said, err := chains.Agree(ctx, q.Panel, what, slices.Equal[[]T],
				func(ctx context.Context, n *Node) ([]T, error) { return read(n, ctx, block, part) }, nil)
			copy(values[from:], said)
			return err
		})
	}
	if err := group.Wait(); err != nil {
		return nil, err
	}
	return values, nil
}

// Code is the contract at an account at a block; empty for an account without.
func (q *Quorum) Code(ctx context.Context, block Hash, account Address) ([]byte, error) {
	return chains.Agree(ctx, q.Panel, "code of "+account.String(), bytes.Equal,
		func(ctx context.Context, n *Node) ([]byte, error) { return n.code(ctx, block, account) }, nil)
}

// Token is what a token's contract says of itself at a block.
func (q *Quorum) Token(ctx context.Context, block Hash, token Address) (Token, error) {
	return chains.Agree(ctx, q.Panel, "token "+token.String(), func(a, b Token) bool { return a == b },
		func(ctx context.Context, n *Node) (Token, error) { return n.token(ctx, block, token) }, nil)
}
