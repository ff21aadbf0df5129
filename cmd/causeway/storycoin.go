package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"causeway/chains"
)

// coin is what a round moves: a chain's own coin, or a token.
type coin struct {
	storyAmounts
	id       string // of the chain
	ticker   string // "BTC"
	decimals int
	node     storyNode
}

// name begins the names of a round's steps.
func (c *coin) name() string { return strings.ToLower(c.ticker) }

// coinsOf are what can be moved on a chain: its coin first.
func coinsOf(built builtCoin, r runningChain) []*coin {
	rpc := rpcNode{address: r.RPC, http: &http.Client{Timeout: 30 * time.Second}}
	if built.newCoin != nil {
		return []*coin{{storyAmounts: built.story, id: built.id, ticker: upper(built.id), decimals: 8, node: &outputsNode{rpcNode: rpc}}}
	}
	list := []*coin{{storyAmounts: built.story, id: built.id, ticker: upper(built.id), decimals: 18, node: &accountsNode{rpcNode: rpc}}}
	if contract := r.Tokens[devToken.symbol]; contract != "" {
		list = append(list, &coin{
			storyAmounts: storyAmounts{deposit: "150", transfer: "25", withdraw: "20"}, id: built.id, ticker: devToken.symbol,
			decimals: devToken.Decimals, node: &accountsNode{rpcNode: rpc, token: contract, decimals: devToken.Decimals},
		})
	}
	return list
}

// mineUntil mines a block whenever what is awaited has not come with the last
// one.
func mineUntil(ctx context.Context, node storyNode, ask func() (bool, error)) error {
	next := time.Now()
	return poll(ctx, storyWait, func() (bool, error) {
		done, err := ask()
		if done || err != nil || time.Now().Before(next) {
			return done, err
		}
		next = time.Now().Add(500 * time.Millisecond)
		return false, node.mine(ctx)
	})
}

// storyNode drives the node of an outside chain over its own RPC.
type storyNode interface {
	newAddress(ctx context.Context) (string, error)
	// pay moves an amount, in coins, to an address from the node's own wallet.
	pay(ctx context.Context, address, amount string) (txid string, err error)
	mine(ctx context.Context) error
	// received is what a transaction that is in the chain brought to a new address.
	received(ctx context.Context, txid, address string) (chains.Amount, error)
}

// rpcNode is a node's JSON-RPC.
type rpcNode struct {
	address string
	http    *http.Client
}

func (c *rpcNode) rpc(ctx context.Context, method string, out any, params ...any) error {
	if params == nil {
		params = []any{}
	}
	return postRPC(ctx, c.http, c.address, method, params, out)
}

// outputsNode is a node of the Bitcoin family.
type outputsNode struct {
	rpcNode
	mining string // address that blocks are mined to
}

func (c *outputsNode) newAddress(ctx context.Context) (address string, err error) {
	return address, c.rpc(ctx, "getnewaddress", &address)
}

func (c *outputsNode) pay(ctx context.Context, address, amount string) (txid string, err error) {
	return txid, c.rpc(ctx, "sendtoaddress", &txid, address, json.Number(amount))
}

func (c *outputsNode) mine(ctx context.Context) error {
	if c.mining == "" {
		var err error
		if c.mining, err = c.newAddress(ctx); err != nil {
			return err
		}
	}
	return c.rpc(ctx, "generatetoaddress", nil, 1, c.mining)
}

// received sums a transaction's outputs to an address, as the node prints them.
func (c *outputsNode) received(ctx context.Context, txid, address string) (chains.Amount, error) {
	var tx struct {
		Confirmations int `json:"confirmations"`
		Vout          []struct {
			Value        json.Number `json:"value"`
			ScriptPubKey struct {
				Address   string   `json:"address"`
				Addresses []string `json:"addresses"`
			} `json:"scriptPubKey"`
		} `json:"vout"`
	}
	if err := c.rpc(ctx, "getrawtransaction", &tx, txid, true); err != nil {
		return chains.Amount{}, err
	}
	if tx.Confirmations < 1 {
		return chains.Amount{}, fmt.Errorf("payout %s is not confirmed on the chain", txid)
	}
	var total chains.Amount
	for _, out := range tx.Vout {
		if out.ScriptPubKey.Address != address && (len(out.ScriptPubKey.Addresses) != 1 || out.ScriptPubKey.Addresses[0] != address) {
			continue
		}
		amount, err := chains.FromCoin(string(out.Value), 8)
		if err != nil {
			return chains.Amount{}, err
		}
		if total, err = total.Add(amount); err != nil {
			return chains.Amount{}, err
		}
	}
	return total, nil
}
