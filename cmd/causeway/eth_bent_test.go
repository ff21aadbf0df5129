package main

import (
	"bytes"
	"encoding/json"
	"io"
	"math/big"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"

	"causeway/chains/ethereum"
	"causeway/chains/ethereum/erc20test"
	"causeway/internal/nodetest"
)

// bentNode stands before a node and changes what it answers.
type bentNode struct {
	url  string
	node string

	mu   sync.Mutex
	bend func(method string, params []any, result any) (any, error) // nil: honest
	told int                                                        // answers that were changed
}

type rpcMessage struct {
	Version string          `json:"jsonrpc"`
	ID      json.RawMessage `json:"id"`
	Method  string          `json:"method,omitempty"`
	Params  []any           `json:"params,omitempty"`
	Result  any             `json:"result,omitempty"`
	Error   any             `json:"error,omitempty"`
}

func newBentNode(t *testing.T, node *nodetest.EVM) *bentNode {
	b := &bentNode{node: node.URL}
	server := httptest.NewServer(b)
	t.Cleanup(server.Close)
	b.url = server.URL
	return b
}

// lie has the node lie from now on; nil makes it honest.
func (b *bentNode) lie(bend func(method string, params []any, result any) (any, error)) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.bend, b.told = bend, 0
}

// lies is how many answers were changed since lie.
func (b *bentNode) lies() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.told
}

// ServeHTTP implements http.Handler.
func (b *bentNode) ServeHTTP(out http.ResponseWriter, r *http.Request) {
	asked, err := io.ReadAll(r.Body)
	if err != nil {
		return
	}
	answer, err := http.Post(b.node, "application/json", bytes.NewReader(asked))
	if err != nil {
		http.Error(out, "gone", http.StatusBadGateway)
		return
	}
	defer answer.Body.Close()
	text, err := io.ReadAll(answer.Body)
	if err != nil {
		http.Error(out, "gone", http.StatusBadGateway)
		return
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.bend != nil {
		if text, err = b.bent(asked, text); err != nil {
			b.told++
			http.Error(out, err.Error(), http.StatusBadGateway)
			return
		}
	}
	out.Header().Set("Content-Type", "application/json")
	_, _ = out.Write(text)
}

// bent changes an answer, alone or each of a batch.
func (b *bentNode) bent(asked, answered []byte) ([]byte, error) {
	if !bytes.HasPrefix(bytes.TrimSpace(asked), []byte("[")) {
		list, err := b.bent(append(append([]byte("["), asked...), ']'), append(append([]byte("["), answered...), ']'))
		return bytes.TrimSuffix(bytes.TrimPrefix(list, []byte("[")), []byte("]")), err
	}
	var calls []rpcMessage
	var replies []map[string]any
	for _, part := range []struct {
		text []byte
		into any
	}{{asked, &calls}, {answered, &replies}} {
		d := json.NewDecoder(bytes.NewReader(part.text))
		d.UseNumber()
		if err := d.Decode(part.into); err != nil {
			return nil, err
		}
	}
	for i := range replies {
		for _, call := range calls {
			var id any
			d := json.NewDecoder(bytes.NewReader(call.ID))
			d.UseNumber()
			if _ = d.Decode(&id); id != replies[i]["id"] || replies[i]["error"] != nil {
				continue
			}
			before, _ := json.Marshal(replies[i]["result"])
			result, err := b.bend(call.Method, call.Params, replies[i]["result"])
			if err != nil {
				return nil, err
			}
			replies[i]["result"] = result
			if after, _ := json.Marshal(result); !bytes.Equal(before, after) {
				b.told++
			}
		}
	}
	return json.Marshal(replies)
}

// moreOf adds to a number of the protocol.
func moreOf(result any, add *big.Int) any {
	text, ok := result.(string)
	if !ok {
		return result
	}
	n, ok := new(big.Int).SetString(strings.TrimPrefix(text, "0x"), 16)
	if !ok {
		return result
	}
	n.Add(n, add)
	if len(text) == 66 { // a word
		return "0x" + strings.Repeat("0", 64-len(n.Text(16))) + n.Text(16)
	}
	return "0x" + n.Text(16)
}

type bend = func(method string, params []any, result any) (any, error)

// lagging shows the chain as it was so many blocks ago.
func lagging(t *testing.T, node *nodetest.EVM, blocks int64) bend {
	var head string
	node.Call(&head, "eth_blockNumber")
	n, ok := new(big.Int).SetString(strings.TrimPrefix(head, "0x"), 16)
	if !ok {
		t.Fatalf("head %q", head)
	}
	old := "0x" + new(big.Int).Sub(n, big.NewInt(blocks)).Text(16)
	var block any
	node.Call(&block, "eth_getBlockByNumber", old, false)
	return func(method string, params []any, result any) (any, error) {
		switch {
		case method == "eth_blockNumber":
			return old, nil
		case method == "eth_getBlockByNumber" && (params[0] == "latest" || params[0] == "finalized"):
			return block, nil
		}
		return result, nil
	}
}

// forgedLog is a transfer of a token that never was.
func forgedLog(token TokenConfig, from, to ethereum.Address, amount *big.Int) map[string]any {
	topic := erc20test.TransferTopic()
	word := func(b []byte) string { return hexData(append(make([]byte, 32-len(b)), b...)) }
	return map[string]any{
		"address": token.Address, "topics": []any{hexData(topic[:]), word(from[:]), word(to[:])}, "data": word(amount.Bytes()), "removed": false,
		"logIndex": "0x0", "transactionIndex": "0x0",
	}
}

// wrongs are the ways in which a node is wrong.
func (s *anvilSite) wrongs(to ethereum.Address) map[string]bend {
	ether := units(s.t, "5", 18)
	token := units(s.t, "5", s.tokens[0].Decimals)
	only := func(change func(method string, result any) any) bend {
		return func(method string, _ []any, result any) (any, error) { return change(method, result), nil }
	}
	return map[string]bend{
		"balances": only(func(method string, result any) any {
			if method == "eth_getBalance" {
				return moreOf(result, ether)
			}
			return result
		}),
		"balances of a token": only(func(method string, result any) any {
			if method == "eth_call" {
				return moreOf(result, token)
			}
			return result
		}),
		"nonces": only(func(method string, result any) any {
			if method == "eth_getTransactionCount" {
				return moreOf(result, big.NewInt(1))
			}
			return result
		}),
		"missing receipts": only(func(method string, result any) any {
			if list, ok := result.([]any); ok && method == "eth_getBlockReceipts" && len(list) > 0 {
				return list[1:]
			}
			return result
		}),
		"extra logs": only(func(method string, result any) any {
			if list, ok := result.([]any); ok && method == "eth_getBlockReceipts" && len(list) > 0 {
				receipt := list[0].(map[string]any)
				log := forgedLog(s.tokens[0], s.purse, to, token)
				log["blockHash"], log["blockNumber"], log["transactionHash"] = receipt["blockHash"], receipt["blockNumber"], receipt["transactionHash"]
				logs, _ := receipt["logs"].([]any)
				receipt["logs"] = append(logs, log)
			}
			return result
		}),
		"lagging": lagging(s.t, s.node, 3),
		"errors":  func(string, []any, any) (any, error) { return nil, io.ErrUnexpectedEOF },
		"empty": only(func(method string, result any) any {
			switch result.(type) {
			case []any:
				return []any{}
			case map[string]any:
				return nil
			}
			return result
		}),
		"wrong chain": only(func(method string, result any) any {
			if method == "eth_chainId" {
				return "0x1"
			}
			return result
		}),
	}
}
