package chaintest

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"causeway/chains"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// rpcError is an error with Bitcoin Core's code.
type rpcError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

// Error implements error.
func (e *rpcError) Error() string { return e.Message }

func refuse(code int, format string, args ...any) error {
	return &rpcError{code, fmt.Sprintf(format, args...)}
}

// query is one request on its way: what it may see of the world, and the lock of
// the Sim is held.
type query struct {
	node   *Node
	fault  Fault
	branch branch
	pool   []*Tx
	params []json.RawMessage
}

// Methods are the RPC methods that a node has.
func Methods() []string {
	return []string{
		"getblockcount", "getblockhash", "getblock", "getrawtransaction", "getrawmempool", "sendrawtransaction",
		"estimatesmartfee", "getnetworkinfo", "gettxout",
	}
}

// answer runs a method under a fault.
func (n *Node) answer(method string, params []json.RawMessage, f Fault) (any, error) {
	if method == "sendrawtransaction" {
		return n.send(params, f)
	}
	n.sim.mu.Lock()
	defer n.sim.mu.Unlock()
	q := &query{node: n, fault: f, branch: n.branch, pool: n.pool, params: params}
	switch f.Kind {
	case Behind:
		q.branch, q.pool = n.branch[:max(len(n.branch)-behind, 1)], nil
	case Back:
		q.branch = n.branch[:len(n.branch)-1]
	case Lie:
		lie, err := n.falsehood()
		if err != nil {
			return nil, err
		}
		q.branch = lie
	}
	switch method {
	case "getblockcount":
		return len(q.branch) - 1, nil
	case "getblockhash":
		return q.blockHash()
	case "getblock":
		return q.block()
	case "getrawtransaction":
		return q.rawTransaction()
	case "getrawmempool":
		return q.mempool(), nil
	case "estimatesmartfee":
		return q.estimate(), nil
	case "getnetworkinfo":
		return map[string]any{"version": 270000, "subversion": "/chaintest/"}, nil
	case "gettxout":
		return q.txOut()
	}
	return nil, refuse(-32601, "Method not found")
}

func (q *query) number(i int) (int64, error) {
	if i >= len(q.params) {
		return 0, nil
	}
	switch text := string(q.params[i]); text {
	case "true":
		return 1, nil
	case "false", "null":
		return 0, nil
	default:
		v, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return 0, refuse(-3, "JSON value is not of expected type number")
		}
		return v, nil
	}
}

func (q *query) hash(i int) (h chainhash.Hash, err error) {
	var text string
	if i >= len(q.params) || json.Unmarshal(q.params[i], &text) != nil {
		return h, refuse(-3, "JSON value is not of expected type string")
	}
	hash, err := chainhash.NewHashFromStr(text)
	if err != nil || len(text) != chainhash.MaxHashStringSize {
		return h, refuse(-8, "%d hex digits are no hash", len(text))
	}
	return *hash, nil
}

func (q *query) blockHash() (any, error) {
	height, err := q.number(0)
	if err != nil {
		return nil, err
	}
	if height < 0 || height >= int64(len(q.branch)) {
		return nil, refuse(-8, "Block height out of range")
	}
	return q.branch[height].Hash.String(), nil
}

// find is a block that the node knows: of its branch, or of one it was on.
func (q *query) find(hash chainhash.Hash) *Block {
	// Who lies about the tip shows the invented block under the true hash too.
	if tip := q.branch.tip(); tip.Hash == hash || q.fault.Kind == Lie && q.node.branch.tip().Hash == hash {
		return tip
	}
	if block := q.node.sim.blocks[hash]; block != nil && block.Height < len(q.branch) {
		return block
	}
	return nil
}

func (q *query) block() (any, error) {
	hash, err := q.hash(0)
	if err != nil {
		return nil, err
	}
	verbosity, err := q.number(1)
	if err != nil {
		return nil, err
	}
	block := q.find(hash)
	if block == nil {
		return nil, refuse(-5, "Block not found")
	}
	if verbosity == 0 {
		raw, err := block.raw()
		return hex.EncodeToString(raw), err
	}
	txs := make([]any, len(block.txs))
	for i, tx := range block.txs {
		txs[i] = tx.ID.String()
		if verbosity > 1 {
			txs[i] = q.txJSON(tx, q.fault.Kind == Lie && block != q.branch.tip())
		}
	}
	confirmations := -1
	if q.branch.has(block) {
		confirmations = len(q.branch) - block.Height
	}
	return map[string]any{
		"hash": hash.String(), "height": block.Height, "confirmations": confirmations,
		"previousblockhash": block.Msg.Header.PrevBlock.String(), "tx": txs,
	}, nil
}

func (q *query) txJSON(tx *Tx, inflated bool) any {
	msg := tx.Msg
	if inflated {
		msg = inflate(msg)
	}
	vin := make([]any, len(msg.TxIn))
	for i, in := range msg.TxIn {
		vin[i] = map[string]any{"txid": in.PreviousOutPoint.Hash.String(), "vout": in.PreviousOutPoint.Index}
		if in.PreviousOutPoint.Hash == (chainhash.Hash{}) {
			vin[i] = map[string]any{"coinbase": hex.EncodeToString(in.SignatureScript)}
		}
	}
	vout := make([]any, len(msg.TxOut))
	for i, out := range msg.TxOut {
		tokens, script := q.node.sim.locking(out.PkScript)
		one := map[string]any{"value": q.coins(out.Value), "n": i, "scriptPubKey": q.scriptJSON(script)}
		if tokens != nil {
			one["tokenData"] = map[string]any{"category": hex.EncodeToString(tokens[1:33]), "amount": strconv.Itoa(int(tokens[tokenSize-1]))}
		}
		vout[i] = one
	}
	return map[string]any{"txid": tx.ID.String(), "vin": vin, "vout": vout}
}

func (q *query) scriptJSON(script []byte) any {
	return map[string]any{"hex": hex.EncodeToString(script), "address": q.node.sim.params.Addresses.Encode(script)}
}

// coins prints base units as a number of coins.
func (q *query) coins(units int64) json.Number {
	if q.fault.Kind == Float {
		f := float64(units) / 100_000_000
		text := strconv.FormatFloat(f*(1+1e-16)+f*2e-16, 'g', -1, 64)
		return json.Number(text)
	}
	if units < 0 {
		return json.Number("-" + chains.NewAmount(uint64(-units)).Coin(8))
	}
	return json.Number(chains.NewAmount(uint64(units)).Coin(8))
}

// seen is a transaction of the branch or the mempool.
func (q *query) seen(id chainhash.Hash) *Tx {
	for _, tx := range append(q.branch.tip().txs, q.pool...) {
		if tx.ID == id {
			return tx
		}
	}
	if tx := q.node.sim.txs[id]; tx != nil && q.branch.where(tx) != nil {
		return tx
	}
	return nil
}

func (q *query) rawTransaction() (any, error) {
	id, err := q.hash(0)
	if err != nil {
		return nil, err
	}
	verbose, err := q.number(1)
	if err != nil {
		return nil, err
	}
	tx := q.seen(id)
	if tx == nil {
		return nil, refuse(-5, "No such mempool or blockchain transaction. Use gettransaction for wallet transactions.")
	}
	if verbose > 0 {
		return q.txJSON(tx, q.fault.Kind == Lie), nil
	}
	if q.fault.Kind == Lie {
		tx = &Tx{Msg: inflate(tx.Msg), hogEx: tx.hogEx}
	}
	raw, err := tx.raw()
	return hex.EncodeToString(raw), err
}

func (q *query) mempool() []string {
	list := []string{}
	for _, tx := range q.pool {
		list = append(list, tx.ID.String())
	}
	if q.fault.Kind == Lie {
		return []string{q.node.sim.invented().String()}
	}
	return list
}

func (q *query) estimate() any {
	rate := cmp.Or(q.node.sim.rate, q.node.sim.params.Fees.Wallet)
	if q.fault.Kind == Lie {
		rate = []int64{0, -1, 100_000_000_000}[q.node.sim.rng.IntN(3)]
	}
	return map[string]any{"feerate": q.coins(rate), "blocks": 2}
}

func (q *query) txOut() (any, error) {
	id, err := q.hash(0)
	if err != nil {
		return nil, err
	}
	index, err := q.number(1)
	if err != nil {
		return nil, err
	}
	op := wire.OutPoint{Hash: id, Index: uint32(index)}
	out, block := q.node.sim.output(q.branch, op)
	if out == nil || q.node.sim.spender(q.branch, op) != nil {
		return nil, nil
	}
	units := out.Value
	if q.fault.Kind == Lie {
		units *= 2
	}
	return map[string]any{
		"bestblock": q.branch.tip().Hash.String(), "confirmations": len(q.branch) - block.Height, "value": q.coins(units),
		"scriptPubKey": q.scriptJSON(out.PkScript), "coinbase": block.txs[0].ID == id,
	}, nil
}

// send is sendrawtransaction.
func (n *Node) send(params []json.RawMessage, f Fault) (any, error) {
	var text string
	if len(params) == 0 || json.Unmarshal(params[0], &text) != nil {
		return nil, refuse(-3, "JSON value is not of expected type string")
	}
	msg := new(wire.MsgTx)
	r := hex.NewDecoder(strings.NewReader(text))
	if err := msg.Deserialize(r); err != nil {
		return nil, refuse(-22, "TX decode failed. Make sure the tx has at least one input.")
	}
	n.sim.mu.Lock()
	hook := n.sim.hook
	n.sim.mu.Unlock()
	if hook != nil {
		hook(n.index, msg)
	}
	id := msg.TxHash().String()
	if f.Kind == Lie {
		return id, nil
	}
	n.sim.mu.Lock()
	defer n.sim.mu.Unlock()
	err := n.take(msg)
	if f.Kind == Refuse {
		return nil, refuse(-25, "%v", errMissing)
	}
	return id, err
}

// take accepts a transaction and passes it on to the nodes that hear of it.
func (n *Node) take(msg *wire.MsgTx) error {
	tx := n.sim.txs[msg.TxHash()]
	if tx == nil {
		tx = &Tx{Msg: msg, ID: msg.TxHash()}
	}
	// The bytes that came are judged, not those that somebody else has changed.
	known := tx.Msg
	tx.Msg = msg
	if err := n.accept(tx); err != nil {
		tx.Msg = known
		return refusal(err)
	}
	if n.sim.txs[tx.ID] == nil {
		n.pool[len(n.pool)-1] = n.sim.enter(msg)
		tx = n.pool[len(n.pool)-1]
	}
	for _, other := range n.sim.nodes {
		if other != n && !other.down && !n.down {
			_ = other.accept(tx) // its own policy, its own mempool
		}
	}
	return nil
}

// refusal is what a node says of a transaction that it does not take.
func refusal(err error) error {
	switch {
	case errors.Is(err, errInPool), errors.Is(err, errInChain):
		return refuse(-27, "%v", err)
	case errors.Is(err, errMissing):
		return refuse(-25, "%v", err)
	}
	return refuse(-26, "%v", err)
}
