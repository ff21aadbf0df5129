package rpcnode

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"causeway/chains"
	"causeway/chains/jsonrpc"
)

// maxMempool bounds the list of a mempool, in bytes: a million txids.
const maxMempool = 68 << 20

// Coin is what the driver must know of a coin: *utxo.Coin is one.
type Coin interface {
	chains.Chain
	Genesis() string
	MaxBlockBytes() int
	// Checkpoints and Probe tell chains with one genesis apart; both may be empty.
	Checkpoints() map[uint64]string
	Probe() string
	// Oldest is the least version of each kind of node, by a part of its agent.
	Oldest() map[string]int64
}

// Version is what a node says of itself.
type Version struct {
	Number int64  // 270000 is Core 27.0, 260200 is btcd 0.26.2
	Agent  string // "/Satoshi:27.0.0/"; empty for btcd
}

// String is what the node calls itself, or else its number.
func (v Version) String() string {
	switch {
	case v.Agent != "":
		return clip(v.Agent)
	case v.Number != 0:
		return strconv.FormatInt(v.Number, 10)
	}
	return ""
}

// AtLeast is a gate that refuses versions below a number.
func AtLeast(least int64) func(Version) error {
	return func(v Version) error {
		if v.Number < least {
			return fmt.Errorf("version %d, at least %d is required", v.Number, least)
		}
		return nil
	}
}

// Options are what may be left out when making a Node.
type Options struct {
	Timeout time.Duration // of one call; 0: DefaultTimeout
	// Gate refuses node versions beside those that the coin itself refuses; nil
	// accepts all others. Its error is reported as ErrNodeVersion.
	Gate   func(Version) error
	Logger *slog.Logger // nil: nothing is logged
	// Transport carries the requests; nil: the network.
	Transport http.RoundTripper
}

// Node is one node of a coin, as a chains.Source.
type Node struct {
	client *Client
	coin   Coin
	gate   func(Version) error
	log    *slog.Logger
	guard  *jsonrpc.Guard
}

var _ chains.Source = (*Node)(nil)

// New makes a Node from its URL. Nothing is dialled yet.
func New(nodeURL string, coin Coin, o Options) (*Node, error) {
	client, err := jsonrpc.New(nodeURL, jsonrpc.Options{Version: jsonrpc.Version1, Timeout: o.Timeout, Transport: o.Transport})
	if err != nil {
		return nil, err
	}
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	n := &Node{
		client: client, coin: coin, gate: o.Gate,
		log: o.Logger.With("component", "rpcnode", "chain", string(coin.ID()), "node", client.Name()),
	}
	n.guard = jsonrpc.NewGuard(client.Name(), n.identify, func(e *RPCError) bool { return e.Code == codeWarmUp }, n.log)
	return n, nil
}

// String is host and port.
func (n *Node) String() string { return n.client.Name() }

// Close drops idle connections.
func (n *Node) Close() { n.client.Close() }

// call makes one call of a node that is on the right network.
func (n *Node) call(ctx context.Context, limit int64, result any, method string, params ...any) error {
	return n.guard.Do(ctx, func() error { return n.client.CallLimit(ctx, limit, result, method, params...) })
}

// identify asks the node for its block 0 and what else tells its chain from
// others, and for its version.
func (n *Node) identify(ctx context.Context) error {
	var genesis string
	if err := n.client.Call(ctx, &genesis, "getblockhash", 0); err != nil {
		return err
	}
	if genesis != n.coin.Genesis() {
		n.guard.Introduced("", "")
		return fmt.Errorf("%s: %w: its block 0 is %q, that of %s %s is %s", n.client.Name(), chains.ErrWrongNetwork, clip(genesis), n.coin.ID(), n.coin.Network(), n.coin.Genesis())
	}
	if err := n.distinguish(ctx); err != nil {
		return err
	}
	return n.checkVersion(ctx)
}

// distinguish tells the chain from others with the same block 0. A node that has
// not come to a checkpoint yet is of no use; one that does not know the question
// is not refused for it.
func (n *Node) distinguish(ctx context.Context) error {
	wrong := func(format string, args ...any) error {
		return fmt.Errorf("%s: %w: %s", n.client.Name(), chains.ErrWrongNetwork, fmt.Sprintf(format, args...))
	}
	for _, height := range slices.Sorted(maps.Keys(n.coin.Checkpoints())) {
		want := n.coin.Checkpoints()[height]
		var hash string
		if err := n.client.Call(ctx, &hash, "getblockhash", height); err != nil {
			return err
		}
		if hash != want {
			return wrong("its block %d is %q, that of %s %s is %s", height, clip(hash), n.coin.ID(), n.coin.Network(), want)
		}
	}
	probe := n.coin.Probe()
	if probe == "" {
		return nil
	}
	var answer struct {
		Valid *bool `json:"isvalid"`
	}
	var refused *RPCError
	err := n.client.Call(ctx, &answer, "validateaddress", probe)
	switch {
	case errors.As(err, &refused) && refused.Code != codeWarmUp:
		return nil
	case err != nil:
		return err
	case answer.Valid != nil && !*answer.Valid:
		return wrong("it does not know addresses such as %s of %s %s", probe, n.coin.ID(), n.coin.Network())
	}
	return nil
}

// checkVersion asks for the version, for the node's health and where it matters.
func (n *Node) checkVersion(ctx context.Context) error {
	v, err := n.version(ctx)
	n.guard.Introduced(n.coin.Network(), v.String())
	if n.gate == nil && len(n.coin.Oldest()) == 0 {
		return nil
	}
	if err != nil {
		return err
	}
	for kind, oldest := range n.coin.Oldest() {
		if strings.Contains(v.Agent, kind) && v.Number < oldest {
			return fmt.Errorf("%s: %w: %s of version %d, %d is the oldest for %s %s",
				n.client.Name(), chains.ErrNodeVersion, kind, v.Number, oldest, n.coin.ID(), n.coin.Network())
		}
	}
	if n.gate != nil {
		if err := n.gate(v); err != nil {
			return fmt.Errorf("%s: %w: %w", n.client.Name(), chains.ErrNodeVersion, err)
		}
	}
	return nil
}

// version asks getnetworkinfo, or getinfo where that is missing (btcd).
func (n *Node) version(ctx context.Context) (Version, error) {
	var info struct {
		Version json.Number `json:"version"`
		Agent   string      `json:"subversion"`
	}
	err := n.client.Call(ctx, &info, "getnetworkinfo")
	if unimplemented(err) {
		err = n.client.Call(ctx, &info, "getinfo")
	}
	if err != nil {
		return Version{}, err
	}
	number, err := info.Version.Int64()
	if err != nil {
		return Version{}, fmt.Errorf("%s: %w: version is no integer", n.client.Name(), chains.ErrUnavailable)
	}
	return Version{Number: number, Agent: info.Agent}, nil
}

// unimplemented tells that a node does not have the method: Core says so by the
// code, btcd by "Command unimplemented" under the code for everything.
func unimplemented(err error) bool {
	var refused *RPCError
	return errors.As(err, &refused) &&
		(refused.Code == codeMethodNotFound || refused.Code == codeMisc && strings.Contains(strings.ToLower(refused.Message), "unimplemented"))
}

// Tip implements chains.Source.
func (n *Node) Tip(ctx context.Context) (chains.BlockRef, error) {
	var height uint64
	if err := n.call(ctx, smallAnswer, &height, "getblockcount"); err != nil {
		return chains.BlockRef{}, err
	}
	hash, err := n.HashAt(ctx, height)
	if errors.Is(err, chains.ErrNotFound) { // it reorganised between the calls
		return chains.BlockRef{}, fmt.Errorf("%s: %w: no block at its own tip %d", n.client.Name(), chains.ErrUnavailable, height)
	}
	if err != nil {
		return chains.BlockRef{}, err
	}
	n.guard.Saw(height)
	return chains.BlockRef{Height: height, Hash: hash}, nil
}

// HashAt implements chains.Source.
func (n *Node) HashAt(ctx context.Context, height uint64) (string, error) {
	var hash string
	err := n.call(ctx, smallAnswer, &hash, "getblockhash", height)
	var refused *RPCError
	if errors.As(err, &refused) && (refused.Code == codeParameter || refused.Code == codeMisc) && strings.Contains(strings.ToLower(refused.Message), "out of range") {
		return "", fmt.Errorf("%s: height %d: %w", n.client.Name(), height, chains.ErrNotFound)
	}
	if err != nil {
		return "", err
	}
	if !isHash(hash) {
		return "", n.malformed("hash at %d is %q", height, clip(hash))
	}
	return hash, nil
}

// RawBlock implements chains.Source.
func (n *Node) RawBlock(ctx context.Context, hash string) ([]byte, error) {
	if !isHash(hash) {
		return nil, fmt.Errorf("rpcnode: %q is no block hash", clip(hash))
	}
	limit := 2*int64(n.coin.MaxBlockBytes()) + 1024
	return n.bytes(ctx, limit, "getblock", hash, 0)
}

// RawTransaction implements chains.Source. Bytes that do not have the txid are
// an error, but for those of an extension block, which decode to ErrHidden.
func (n *Node) RawTransaction(ctx context.Context, txid string) ([]byte, error) {
	if !isHash(txid) {
		return nil, fmt.Errorf("rpcnode: %q is no txid", clip(txid))
	}
	limit := 2*int64(n.coin.MaxBlockBytes()) + 1024
	raw, err := n.bytes(ctx, limit, "getrawtransaction", txid)
	if err != nil {
		return nil, err
	}
	got, _, _, err := n.coin.DecodeTransaction(raw)
	if errors.Is(err, chains.ErrHidden) { // nothing in it concerns anybody
		return raw, nil
	}
	if err != nil || got != txid {
		return nil, n.malformed("asked for transaction %s, got %q (%v)", txid, got, err)
	}
	return raw, nil
}

// bytes calls a method whose result is hex.
func (n *Node) bytes(ctx context.Context, limit int64, method string, params ...any) ([]byte, error) {
	var text string
	err := n.call(ctx, limit, &text, method, params...)
	var refused *RPCError
	if errors.As(err, &refused) && refused.Code == codeNotFound {
		return nil, fmt.Errorf("%w: %w", chains.ErrNotFound, err)
	}
	if err != nil {
		return nil, err
	}
	raw, err := hex.DecodeString(text)
	if err != nil {
		return nil, n.malformed("%s: not hex", method)
	}
	return raw, nil
}

// Mempool implements chains.Source.
func (n *Node) Mempool(ctx context.Context) ([]string, error) {
	var txids []string
	if err := n.call(ctx, maxMempool, &txids, "getrawmempool"); err != nil {
		return nil, err
	}
	for _, txid := range txids {
		if !isHash(txid) {
			return nil, n.malformed("%q in the mempool", clip(txid))
		}
	}
	return txids, nil
}

// Health implements chains.Source.
func (n *Node) Health() []chains.NodeHealth {
	return []chains.NodeHealth{n.guard.Health()}
}

func (n *Node) malformed(format string, args ...any) error {
	return fmt.Errorf("%s: %w: %s", n.client.Name(), chains.ErrUnavailable, fmt.Sprintf(format, args...))
}

func isHash(text string) bool {
	return len(text) == 64 && strings.Trim(text, "0123456789abcdef") == ""
}

func clip(s string) string {
	if len(s) > 72 {
		return s[:72] + "…"
	}
	return s
}
