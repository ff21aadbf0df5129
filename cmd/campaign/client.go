package main

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"time"

	"causeway/sidechain/graphene"
)

// client speaks to a gateway over its public surfaces.
type client struct {
	url  string
	http *http.Client
}

var errRefused = errors.New("refused")

// exchange sends a request and decodes the JSON of the answer.
func (c *client) exchange(verb, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(text)
	}
	request, err := http.NewRequest(verb, c.url+path, body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := c.http.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return err
	}
	if response.StatusCode >= 400 {
		return fmt.Errorf("%w: %s: HTTP %d: %.300s", errRefused, path, response.StatusCode, text)
	}
	if out == nil || len(text) == 0 {
		return nil
	}
	return json.Unmarshal(text, out)
}

func (c *client) get(path string, out any) error { return c.exchange(http.MethodGet, path, nil, out) }

func (c *client) post(path string, in, out any) error {
	return c.exchange(http.MethodPost, path, in, out)
}

// rpc makes one JSON-RPC call.
func (c *client) rpc(path, method string, params, out any) error {
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  *struct {
			Message string `json:"message"`
		} `json:"error"`
	}
	request := map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
	if err := c.post(path, request, &answer); err != nil && answer.Error == nil {
		return err
	}
	if answer.Error != nil {
		return fmt.Errorf("%w: %s: %s", errRefused, method, answer.Error.Message)
	}
	if out == nil {
		return nil
	}
	return json.Unmarshal(answer.Result, out)
}

// rowsOf lists what a table has for a query, all of it.
func rowsOf[T any](c *client, contract, table string, query any) (all []T, err error) {
	const most = 1000
	for {
		var some []T
		request := map[string]any{"contract": contract, "table": table, "query": query, "limit": most, "offset": len(all)}
		if err := c.rpc("/contracts", "find", request, &some); err != nil {
			return nil, err
		}
		if all = append(all, some...); len(some) < most {
			return all, nil
		}
	}
}

// pages reads a /v1 list to its end.
func pages[T any](c *client, path string) (all []T, err error) {
	cursor := ""
	for {
		var page struct {
			Items []T     `json:"items"`
			Next  *string `json:"next_cursor"`
		}
		if err := c.get(path+"?limit=500&cursor="+cursor, &page); err != nil {
			return nil, err
		}
		all = append(all, page.Items...)
		if page.Next == nil || *page.Next == "" {
			return all, nil
		}
		cursor = *page.Next
	}
}

// lifetime is how long a user's transaction can still be included.
const lifetime = 50 * time.Minute

// call signs calls of contracts by an account and gives the transaction, which
// send hands in.
func (c *client) call(baseID [32]byte, account string, calls ...any) (*graphene.SignedTransaction, error) {
	var head struct {
		Number uint32 `json:"head_block_number"`
		ID     string `json:"head_block_id"`
		Time   string `json:"time"`
	}
	if err := c.rpc("/hive", "condenser_api.get_dynamic_global_properties", []any{}, &head); err != nil {
		return nil, err
	}
	id, err := hex.DecodeString(head.ID)
	if err != nil || len(id) != 20 {
		return nil, fmt.Errorf("head block id %q", head.ID)
	}
	now, err := graphene.ParseTime(head.Time)
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(calls)
	if err != nil {
		return nil, err
	}
	key, err := userKey(account)
	if err != nil {
		return nil, err
	}
	tx := &graphene.Transaction{
		RefBlockNum: uint16(head.Number), RefBlockPrefix: binary.LittleEndian.Uint32(id[4:8]),
		Expiration: graphene.FormatTime(now + uint32(lifetime/time.Second)),
		Operations: []graphene.Operation{&graphene.CustomJSON{
			RequiredAuths: []string{account}, RequiredPostingAuths: []string{}, ID: "ssc-" + networkID, JSON: string(text),
		}},
	}
	return tx.Sign(baseID, key)
}

func (c *client) send(tx *graphene.SignedTransaction) error {
	return c.rpc("/hive", "condenser_api.broadcast_transaction", []any{tx}, nil)
}

// contractCall is one call of a contract.
type contractCall struct {
	Contract string `json:"contractName"`
	Action   string `json:"contractAction"`
	Payload  any    `json:"contractPayload"`
}

// The parts of the public answers that campaigns read.
type (
	depositItem struct {
		ID       string `json:"id"`
		Symbol   string `json:"symbol"`
		Account  string `json:"account"`
		Address  string `json:"address"`
		TxID     string `json:"txid"`
		Index    uint32 `json:"index"`
		Amount   string `json:"amount"`
		State    string `json:"state"`
		Reason   string `json:"reason"`
		Detail   string `json:"detail"`
		Confirms uint64 `json:"confirmations"`
		Block    string `json:"block"`
	}
	withdrawalItem struct {
		ID       string   `json:"id"`
		Account  string   `json:"account"`
		Address  string   `json:"address"`
		Quantity string   `json:"quantity"`
		Amount   string   `json:"amount"`
		State    string   `json:"state"`
		Reason   string   `json:"reason"`
		Detail   string   `json:"detail"`
		TxID     string   `json:"txid"`
		Variants []string `json:"variants"`
		Batch    string   `json:"batch"`
		Confirms uint64   `json:"confirmations"`
		Needed   uint64   `json:"confirmations_needed"`
	}
	statusAnswer struct {
		Chains []struct {
			Height   int    `json:"height"`
			Reason   string `json:"reason"`
			Deposits string `json:"deposits"`
			Minting  string `json:"minting"`
			Payouts  string `json:"payouts"`
		} `json:"chains"`
	}
	reservesAnswer struct {
		OK     bool `json:"ok"`
		Assets []struct {
			Symbol   string `json:"symbol"`
			Supply   string `json:"supply"`
			Reserves string `json:"reserves"`
			Surplus  string `json:"surplus"`
			Pending  string `json:"pending_withdrawals"`
			Open     string `json:"uncredited"`
			InFlight string `json:"in_flight"`
			Fees     string `json:"network_fees"`
			Block    string `json:"block"`
			OK       bool   `json:"ok"`
		} `json:"assets"`
		Items []struct {
			TxID    string `json:"txid"`
			Index   uint32 `json:"index"`
			Address string `json:"address"`
			Token   string `json:"token"`
			Kind    string `json:"kind"`
			Amount  string `json:"amount"`
		} `json:"items"`
	}
	balanceRow struct {
		Account string `json:"account"`
		Balance string `json:"balance"`
	}
	assignRow struct {
		Batch  string   `json:"batch"`
		Kind   string   `json:"kind"`
		IDs    []string `json:"ids"`
		Spends []string `json:"spends"`
		State  string   `json:"state"`
	}
	depositRow struct {
		ID       string `json:"id"`
		Symbol   string `json:"symbol"`
		Quantity string `json:"quantity"`
		To       string `json:"to"`
	}
	receipt struct {
		Logs string `json:"logs"`
	}
)
