package ethereum

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"causeway/chains"
	"causeway/chains/jsonrpc"
)

// State is where a transaction is.
type State string

// The states of a transaction.
const (
	InBlock State = "mined"   // in a block of the best chain, which may not be final yet
	Pending State = "pending" // a node has it and waits to see it in a block
	// Absent: enough nodes answer that they do not know it. That proves nothing: it
	// may come back for as long as its nonce is not used.
	Absent State = "absent"
)

// Status is what is known of a transaction.
type Status struct {
	State State
	// Block is where it is, and Mined what it did there; for InBlock alone.
	Block chains.BlockRef
	Mined Mined
}

// place is where one node says that a transaction is.
type place struct {
	state State
	block Hash
}

// locate asks the node where a transaction is.
func (n *Node) locate(ctx context.Context, txid Hash) (place, error) {
	var claim struct {
		Hash  *Hash `json:"transactionHash"`
		Block *Hash `json:"blockHash"`
	}
	err := n.call(ctx, jsonrpc.SmallAnswer*8, &claim, "eth_getTransactionReceipt", txid)
	switch {
	case err == nil && (claim.Hash == nil || *claim.Hash != txid || claim.Block == nil):
		return place{}, n.malformed("the receipt of transaction %s is that of another, or of no block", txid)
	case err == nil:
		return place{InBlock, *claim.Block}, nil
	case !errors.Is(err, jsonrpc.ErrNull):
		return place{}, err
	}
	var pending json.RawMessage
	err = n.call(ctx, jsonrpc.SmallAnswer, &pending, "eth_getTransactionByHash", txid)
	switch {
	case errors.Is(err, jsonrpc.ErrNull):
		return place{state: Absent}, nil
	case err != nil:
		return place{}, err
	}
	return place{state: Pending}, nil
}

// Lookup finds a transaction. That it is in a block is said only when enough nodes
// say so of the same block, which then was read and verified; that nobody has it
// only when enough nodes answered. All else is an error, and unknown.
func (q *Quorum) Lookup(ctx context.Context, txid Hash) (Status, error) {
	places, errs := chains.Gather(ctx, q.Panel, func(ctx context.Context, n *Node) (place, error) { return n.locate(ctx, txid) })
	count := map[place]int{}
	best, mined := place{}, 0
	for _, p := range places {
		count[p]++
		if p.state == InBlock {
			mined++
			if count[p] > count[best] {
				best = p
			}
		}
	}
	switch {
	case count[best] >= q.Need():
		return q.find(ctx, txid, best.block)
	case mined > 0 || len(places) < q.Need():
		return Status{}, q.Failed("transaction "+txid.String(), len(count), errs)
	case count[place{state: Pending}] > 0:
		return Status{State: Pending}, nil
	}
	return Status{State: Absent}, nil
}

// find reads the block that a transaction is said to be in.
func (q *Quorum) find(ctx context.Context, txid, hash Hash) (Status, error) {
	block, err := q.Block(ctx, hash)
	if err != nil {
		return Status{}, err
	}
	for i := range block.Transactions {
		if block.Transactions[i].Hash == txid {
			return Status{State: InBlock, Block: block.BlockRef, Mined: block.Transactions[i]}, nil
		}
	}
	return Status{}, fmt.Errorf("%w: transaction %s is not in block %s, where it is said to be", chains.ErrUnavailable, txid, hash)
}
