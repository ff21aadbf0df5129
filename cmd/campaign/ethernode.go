package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
	"time"

	"causeway/chains/devnet/kit"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
)

// The ways of a node to answer wrongly, beside those of the embedded chain.
const (
	etherError = "error" // JSON-RPC error, nothing done
	etherLose  = "lose"  // done, and the answer is lost
	etherCut   = "cut"   // a transaction is taken and thrown away
	etherSlow  = "slow"
)

// etherFaults are all ways.
func etherFaults() []string {
	return []string{
		string(kit.FaultDown), string(kit.FaultLag), string(kit.FaultEmpty), string(kit.FaultLie), string(kit.FaultFloat),
		etherError, etherLose, etherCut, etherSlow,
	}
}

// etherMethods are what a gateway asks.
func etherMethods() []string {
	return []string{
		"eth_getBlockByNumber", "eth_getBlockByHash", "eth_getBlockReceipts", "eth_getBalance", "eth_getTransactionCount", "eth_call",
		"eth_estimateGas", "eth_feeHistory", "eth_getTransactionReceipt", "eth_sendRawTransaction", "eth_getTransactionByHash",
		"eth_chainId", "eth_getCode", "eth_syncing", "web3_clientVersion",
	}
}

// etherFault is one way, at one method or all (empty), so many times (0: always).
type etherFault struct {
	kind, method string
	times        int
}

// etherNode is one of several nodes of the same chain.
type etherNode struct {
	mu     sync.Mutex
	faults []etherFault
}

func (n *etherNode) inject(f etherFault) {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = append(n.faults, f)
}

func (n *etherNode) heal() {
	n.mu.Lock()
	defer n.mu.Unlock()
	n.faults = nil
}

// wrong is how the node answers this time, empty when rightly.
func (n *etherNode) wrong(method string) string {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i := range n.faults {
		f := &n.faults[i]
		if f.method != "" && f.method != method || f.kind == etherCut && method != "eth_sendRawTransaction" {
			continue
		}
		kind := f.kind
		if f.times > 0 {
			if f.times--; f.times == 0 {
				n.faults = slices.Delete(n.faults, i, i+1)
			}
		}
		return kind
	}
	return ""
}

// etherCall is a request for one method.
type etherCall struct {
	ID     json.RawMessage   `json:"id"`
	Method string            `json:"method"`
	Params []json.RawMessage `json:"params"`
}

// serve answers a request, or a batch of them, as the node does now.
func (w *etherWorld) serve(rw http.ResponseWriter, n *etherNode, body []byte) {
	var parts []json.RawMessage
	batch := json.Unmarshal(body, &parts) == nil
	if !batch {
		parts = []json.RawMessage{body}
	}
	answers := make([]json.RawMessage, len(parts))
	for i, part := range parts {
		var call etherCall
		if err := json.Unmarshal(part, &call); err != nil {
			http.Error(rw, err.Error(), http.StatusBadRequest)
			return
		}
		answer, err := w.answer(n, call, part)
		if err != nil {
			http.Error(rw, err.Error(), http.StatusServiceUnavailable)
			return
		}
		answers[i] = answer
	}
	rw.Header().Set("Content-Type", "application/json")
	if !batch {
		_, _ = rw.Write(answers[0]) // the gateway may be gone
		return
	}
	text, err := json.Marshal(answers)
	if err != nil {
		http.Error(rw, err.Error(), http.StatusInternalServerError)
		return
	}
	_, _ = rw.Write(text)
}

var errLost = errors.New("the answer is lost")

// answer is a node's to one call.
func (w *etherWorld) answer(n *etherNode, call etherCall, body []byte) ([]byte, error) {
	var tx *types.Transaction
	if call.Method == "eth_sendRawTransaction" && len(call.Params) == 1 {
		tx = w.sending(call.Params[0])
	}
	kind := n.wrong(call.Method)
	switch kind {
	case string(kit.FaultDown):
		return nil, errors.New("down")
	case string(kit.FaultLag), string(kit.FaultEmpty), string(kit.FaultLie), string(kit.FaultFloat):
		w.bend.Lock()
		defer w.bend.Unlock()
		if err := w.chain.SetFault(kit.Fault(kind)); err != nil {
			return nil, err
		}
		defer func() { _ = w.chain.SetFault(kit.FaultNone) }()
		return w.forward(body)
	case etherError:
		return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"error":{"code":-32603,"message":"internal error"}}`, call.ID), nil
	case etherCut:
		if tx != nil {
			return fmt.Appendf(nil, `{"jsonrpc":"2.0","id":%s,"result":"%s"}`, call.ID, tx.Hash()), nil
		}
	case etherSlow:
		time.Sleep(2 * time.Millisecond)
	}
	w.bend.RLock()
	defer w.bend.RUnlock()
	answer, err := w.forward(body)
	if kind == etherLose {
		return nil, errors.Join(errLost, err)
	}
	return answer, err
}

// forward asks the chain.
func (w *etherWorld) forward(body []byte) ([]byte, error) {
	response, err := w.node.http.Post(w.chain.URL(), "application/json", bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	answer, err := io.ReadAll(response.Body)
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("HTTP %d", response.StatusCode)
	}
	return bytes.TrimSpace(answer), err
}

// sending is told of every transaction before a node has it: its nonce must be
// assigned to it, and its bytes in the ledger.
func (w *etherWorld) sending(param json.RawMessage) *types.Transaction {
	var raw hexutil.Bytes
	tx := new(types.Transaction)
	if json.Unmarshal(param, &raw) != nil || tx.UnmarshalBinary(raw) != nil {
		w.fault("the gateway sent %s, which is no transaction", param)
		return nil
	}
	from, err := types.Sender(w.signer, tx)
	if err != nil {
		w.fault("the gateway sent %s: %v", tx.Hash(), err)
		return nil
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.taken[tx.Hash()] {
		return tx
	}
	w.taken[tx.Hash()] = true
	w.given = append(w.given, tx)
	if w.api.url != "" {
		w.recorded(tx.Hash().Hex(), map[string]bool{fmt.Sprintf("%s:%d", lower(from.Hex()), tx.Nonce()): true})
	}
	return tx
}
