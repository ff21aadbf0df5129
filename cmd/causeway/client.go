package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"

	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
)

// client drives a node as an outside program would: over its public surfaces
// only.
type client struct {
	url     string
	chainID string // sidechain: custom_json id is "ssc-" + chainID
	baseID  [32]byte
	http    *http.Client
}

func newClient(address, chainID, baseChainID string) (*client, error) {
	id, err := hex.DecodeString(baseChainID)
	if err != nil || len(id) != 32 {
		return nil, fmt.Errorf("base chain id %q is not 64 hex digits", baseChainID)
	}
	return &client{url: address, chainID: chainID, baseID: [32]byte(id), http: &http.Client{Timeout: 30 * time.Second}}, nil
}

// rpcFailure is a JSON-RPC error answer.
type rpcFailure struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
}

func (e *rpcFailure) Error() string { return fmt.Sprintf("%s (code %d)", e.Message, e.Code) }

// call makes one JSON-RPC 2.0 call and decodes the result into out.
func (c *client) call(ctx context.Context, path, method string, params, out any) error {
	return postRPC(ctx, c.http, c.url+path, method, params, out)
}

func postRPC(ctx context.Context, h *http.Client, address, method string, params, out any) error {
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return err
	}
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  *rpcFailure     `json:"error"`
	}
	if err := exchange(ctx, h, http.MethodPost, address, body, &answer); err != nil && answer.Error == nil {
		return fmt.Errorf("%s: %w", method, err)
	}
	if answer.Error != nil {
		return fmt.Errorf("%s: %w", method, answer.Error)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer.Result, out)
}

// exchange sends a request and decodes a JSON answer, whatever its status; a
// status of 400 and above is an error all the same.
func exchange(ctx context.Context, h *http.Client, verb, address string, body []byte, out any) error {
	req, err := http.NewRequestWithContext(ctx, verb, address, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := h.Do(req)
	if err != nil {
		// The address may carry credentials: never in an error.
		if e, ok := errors.AsType[*url.Error](err); ok {
			err = e.Err
		}
		return err
	}
	defer res.Body.Close()
	text, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		return err
	}
	decodeErr := json.Unmarshal(text, out)
	if res.StatusCode >= 400 {
		return statusFailure(res.StatusCode, text)
	}
	return decodeErr
}

// httpFailure is an answer with a status of 400 and above.
type httpFailure struct {
	status int
	text   string
}

func (e *httpFailure) Error() string { return e.text }

// statusFailure takes the words out of such an answer.
func statusFailure(status int, text []byte) error {
	var said struct {
		Error struct{ Message string }
	}
	if json.Unmarshal(text, &said) == nil && said.Error.Message != "" {
		return &httpFailure{status, said.Error.Message}
	}
	return &httpFailure{status, fmt.Sprintf("HTTP %d: %.300s", status, bytes.TrimSpace(text))}
}

// get reads a /v1 path.
func (c *client) get(ctx context.Context, path string, out any) error {
	return exchange(ctx, c.http, http.MethodGet, c.url+path, nil, out)
}

// post writes to a /v1 path.
func (c *client) post(ctx context.Context, path string, in, out any) error {
	body, err := json.Marshal(in)
	if err != nil {
		return err
	}
	return exchange(ctx, c.http, http.MethodPost, c.url+path, body, out)
}

// broadcast signs operations and waits until a block holds them. It returns
// the transaction's id.
func (c *client) broadcast(ctx context.Context, key graphene.PrivateKey, operations ...graphene.Operation) (string, error) {
	var props struct {
		HeadBlockNumber uint32 `json:"head_block_number"`
		HeadBlockID     string `json:"head_block_id"`
		Time            string `json:"time"`
	}
	if err := c.call(ctx, "/hive", "condenser_api.get_dynamic_global_properties", []any{}, &props); err != nil {
		return "", err
	}
	id, err := hex.DecodeString(props.HeadBlockID)
	if err != nil || len(id) != 20 {
		return "", fmt.Errorf("head block id %q", props.HeadBlockID)
	}
	now, err := time.Parse(base.TimeLayout, props.Time)
	if err != nil {
		return "", err
	}
	tx := graphene.Transaction{
		RefBlockNum:    uint16(props.HeadBlockNumber),
		RefBlockPrefix: binary.LittleEndian.Uint32(id[4:8]),
		Expiration:     now.Add(time.Minute).Format(base.TimeLayout),
		Operations:     operations,
	}
	signed, err := tx.Sign(c.baseID, key)
	if err != nil {
		return "", err
	}
	var result struct {
		ID      string `json:"id"`
		Expired bool   `json:"expired"`
	}
	if err := c.call(ctx, "/hive", "condenser_api.broadcast_transaction_synchronous", []any{signed}, &result); err != nil {
		return "", err
	}
	if result.Expired {
		return "", fmt.Errorf("transaction %s expired before a block took it", result.ID)
	}
	return result.ID, nil
}

// contract calls one action of a sidechain contract with an active key and
// returns the sidechain transaction id. It is an error when the contract
// refused.
func (c *client) contract(ctx context.Context, from string, key graphene.PrivateKey, name, action string, payload any) (string, error) {
	body, err := json.Marshal(map[string]any{"contractName": name, "contractAction": action, "contractPayload": payload})
	if err != nil {
		return "", err
	}
	id, err := c.broadcast(ctx, key, &graphene.CustomJSON{RequiredAuths: []string{from}, RequiredPostingAuths: []string{}, ID: "ssc-" + c.chainID, JSON: string(body)})
	if err != nil {
		return "", fmt.Errorf("%s.%s: %w", name, action, err)
	}
	var info *struct {
		Logs string `json:"logs"`
	}
	err = poll(ctx, 10*time.Second, func() (bool, error) {
		err := c.call(ctx, "/blockchain", "getTransactionInfo", map[string]any{"txid": id}, &info)
		return info != nil, err
	})
	if err != nil {
		return id, fmt.Errorf("%s.%s: transaction %s: %w", name, action, id, err)
	}
	var logs struct {
		Errors []string `json:"errors"`
	}
	if err := json.Unmarshal([]byte(info.Logs), &logs); err != nil {
		return id, err
	}
	if len(logs.Errors) > 0 {
		return id, fmt.Errorf("%s.%s refused: %s", name, action, logs.Errors[0])
	}
	return id, nil
}

// findOne reads one row of a contract table; found is false when there is none.
func (c *client) findOne(ctx context.Context, contract, table string, query, out any) (found bool, err error) {
	var raw json.RawMessage
	err = c.call(ctx, "/contracts", "findOne", map[string]any{"contract": contract, "table": table, "query": query}, &raw)
	if err != nil || string(raw) == "null" || len(raw) == 0 {
		return false, err
	}
	return true, json.Unmarshal(raw, out)
}

// balance is an account's balance of a symbol, "0" without a row.
func (c *client) balance(ctx context.Context, account, symbol string) (string, error) {
	row := struct {
		Balance string `json:"balance"`
	}{"0"}
	_, err := c.findOne(ctx, "tokens", "balances", map[string]any{"account": account, "symbol": symbol}, &row)
	return row.Balance, err
}

// poll asks until done, an error or the limit.
func poll(ctx context.Context, limit time.Duration, ask func() (done bool, err error)) error {
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("nothing after %s", limit))
	defer cancel()
	for {
		done, err := ask()
		if done || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(100 * time.Millisecond):
		}
	}
}
