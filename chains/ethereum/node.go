package ethereum

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"

	"causeway/chains"
	"causeway/chains/jsonrpc"
)

// Tag names a block by how settled it is.
type Tag string

// The tags, of which one is configured to be believed.
const (
	Finalized Tag = "finalized" // two epochs deep, or more: can be undone at the cost of a third of all stake
	Safe      Tag = "safe"
	Latest    Tag = "latest"
)

// ParseTag reads the configuration's finality.
func ParseTag(text string) (Tag, error) {
	switch t := Tag(text); t {
	case Finalized, Safe, Latest:
		return t, nil
	}
	return "", fmt.Errorf("ethereum: finality %q is none of finalized, safe, latest", clip(text))
}

// Bounds of answers, in bytes. A block is at most 10 MB of RLP (EIP-7934), and hex
// and names make it a few times as much; the gas of a block pays for some 160,000
// empty logs of 500 bytes of JSON.
const (
	maxHeaderAnswer   = 8 << 20
	maxBlockAnswer    = 64 << 20
	maxReceiptsAnswer = 256 << 20
)

// Options are what may be left out when making a Node, but for the chain id.
type Options struct {
	ChainID uint64
	Network chains.Network
	Timeout time.Duration // of one call; 0: jsonrpc.DefaultTimeout
	Logger  *slog.Logger  // nil: nothing is logged
	// Transport carries the requests; nil: the network.
	Transport http.RoundTripper
}

// Node is one node, as the Quorum asks it. Every error means "unknown".
type Node struct {
	client *jsonrpc.Client
	o      Options
	log    *slog.Logger
	guard  *jsonrpc.Guard
}

// NewNode makes a Node from its URL. Nothing is dialled yet.
func NewNode(nodeURL string, o Options) (*Node, error) {
	if o.ChainID == 0 {
		return nil, errors.New("ethereum: the chain id must be configured")
	}
	client, err := jsonrpc.New(nodeURL, jsonrpc.Options{Timeout: o.Timeout, Transport: o.Transport})
	if err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	n := &Node{client: client, o: o, log: o.Logger.With("component", "ethereum", "chain", string(chains.ETH), "node", client.Name())}
	n.guard = jsonrpc.NewGuard(client.Name(), n.identify, nil, n.log)
	return n, nil
}

// String is host and port.
func (n *Node) String() string { return n.client.Name() }

// Close drops idle connections.
func (n *Node) Close() { n.client.Close() }

// Health is the last that is known of the node.
func (n *Node) Health() chains.NodeHealth { return n.guard.Health() }

// call makes one call of a node that is on the right network.
func (n *Node) call(ctx context.Context, limit int64, result any, method string, params ...any) error {
	return n.guard.Do(ctx, func() error { return n.client.CallLimit(ctx, limit, result, method, params...) })
}

// batch makes calls of a node that is on the right network, of which none may fail.
func (n *Node) batch(ctx context.Context, limit int64, calls []jsonrpc.Call) error {
	return n.guard.Do(ctx, func() error {
		err := n.client.Batch(ctx, limit, calls)
		for i := 0; err == nil && i < len(calls); i++ {
			err = calls[i].Err
		}
		return err
	})
}

func (n *Node) malformed(format string, args ...any) error {
	return fmt.Errorf("%s: %w: %s", n.client.Name(), chains.ErrUnavailable, fmt.Sprintf(format, args...))
}

// Head is the newest block of a tag. A node that is still catching up has none.
func (n *Node) Head(ctx context.Context, tag Tag) (chains.Header, error) {
	var syncing, head json.RawMessage
	var height hexutil.Uint64
	calls := []jsonrpc.Call{
		{Method: "eth_syncing", Result: &syncing},
		{Method: "eth_getBlockByNumber", Params: []any{string(tag), false}, Result: &head},
		{Method: "eth_blockNumber", Result: &height},
	}
	if err := n.batch(ctx, maxHeaderAnswer, calls); err != nil {
		return chains.Header{}, err
	}
	if string(syncing) != "false" {
		return chains.Header{}, n.malformed("it is still catching up")
	}
	h, err := decodeHeader(head)
	if err != nil {
		return chains.Header{}, n.wrong("block "+string(tag), err)
	}
	n.guard.Saw(uint64(height))
	return headerOf(h), nil
}

// HeaderAt is the header at a height of the node's best chain; chains.ErrNotFound
// when its chain is shorter.
func (n *Node) HeaderAt(ctx context.Context, height uint64) (chains.Header, error) {
	var raw json.RawMessage
	err := n.call(ctx, maxHeaderAnswer, &raw, "eth_getBlockByNumber", quantity(height), false)
	if errors.Is(err, jsonrpc.ErrNull) {
		return chains.Header{}, fmt.Errorf("%s: height %d: %w", n.client.Name(), height, chains.ErrNotFound)
	}
	if err != nil {
		return chains.Header{}, err
	}
	h, err := decodeHeader(raw)
	if err != nil {
		return chains.Header{}, n.wrong(fmt.Sprintf("block %d", height), err)
	}
	if h.Number.Uint64() != height {
		return chains.Header{}, n.malformed("asked for block %d, got %s", height, h.Number)
	}
	return headerOf(h), nil
}

// Block is the block of a hash, verified; chains.ErrNotFound when the node does
// not have it, and chains.ErrBadBlock when what it sent is not that block.
func (n *Node) Block(ctx context.Context, hash Hash) (*Block, error) {
	type part struct {
		raw json.RawMessage
		err error
	}
	receipts := make(chan part, 1)
	go func() {
		var p part
		p.err = n.call(ctx, maxReceiptsAnswer, &p.raw, "eth_getBlockReceipts", hash)
		receipts <- p
	}()
	var body part
	body.err = n.call(ctx, maxBlockAnswer, &body.raw, "eth_getBlockByHash", hash, true)
	second := <-receipts
	for _, p := range []part{body, second} {
		if errors.Is(p.err, jsonrpc.ErrNull) {
			return nil, fmt.Errorf("%s: block %s: %w", n.client.Name(), hash, chains.ErrNotFound)
		}
		if p.err != nil {
			return nil, p.err
		}
	}
	block, err := decodeBlock(body.raw, second.raw, hash)
	if err != nil {
		return nil, n.wrong("block "+hash.String(), err)
	}
	return block, nil
}

// wrong names the node that sent something that is not what it should be.
func (n *Node) wrong(what string, err error) error {
	return fmt.Errorf("%s: %s: %w", n.client.Name(), what, err)
}

// headerOf is what links a block to its parent.
func headerOf(h *types.Header) chains.Header {
	return chains.Header{
		BlockRef: chains.BlockRef{Height: h.Number.Uint64(), Hash: Hash(h.Hash()).String()},
		Parent:   Hash(h.ParentHash).String(), Time: int64(h.Time),
	}
}

// quantity is a number as the protocol writes it.
func quantity(v uint64) string { return "0x" + strconv.FormatUint(v, 16) }
