package solo

import (
	"bytes"
	"context"
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

const (
	maxUpstreamAnswer = 512 << 20 // followBatch blocks of the largest size, as JSON
	upstreamTimeout   = time.Minute
)

// HTTPUpstream is an Upstream reached through its public /hive interface.
type HTTPUpstream struct {
	endpoint, name string
	http           *http.Client
}

// NewHTTPUpstream takes the public URL of a node (http://host:port).
func NewHTTPUpstream(address string) (*HTTPUpstream, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, fmt.Errorf("solo: upstream %q is no URL of a node", address)
	}
	return &HTTPUpstream{endpoint: u.JoinPath("hive").String(), name: u.Host, http: &http.Client{Timeout: upstreamTimeout}}, nil
}

// String is host and port.
func (u *HTTPUpstream) String() string { return u.name }

// remoteError is an error answer of the upstream.
type remoteError struct {
	Code    int    `json:"code"`
	Message string `json:"message"`
	Data    struct {
		Kind string `json:"kind"`
	} `json:"data"`
}

func (e *remoteError) Error() string { return e.Message }

func (u *HTTPUpstream) call(ctx context.Context, method string, params, result any) error {
	body, err := json.Marshal(map[string]any{"jsonrpc": "2.0", "id": 1, "method": method, "params": params})
	if err != nil {
		return err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, u.endpoint, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := u.http.Do(req)
	if err != nil {
		return fmt.Errorf("upstream %s: %w", u.name, err)
	}
	defer res.Body.Close()
	var answer struct {
		Result json.RawMessage `json:"result"`
		Error  *remoteError    `json:"error"`
	}
	if err := json.NewDecoder(io.LimitReader(res.Body, maxUpstreamAnswer)).Decode(&answer); err != nil {
		return fmt.Errorf("upstream %s: HTTP %d: %w", u.name, res.StatusCode, err)
	}
	if answer.Error != nil {
		return fmt.Errorf("upstream %s: %s: %w", u.name, method, answer.Error)
	}
	return json.Unmarshal(answer.Result, result)
}

// Head implements Upstream.
func (u *HTTPUpstream) Head(ctx context.Context) (uint64, error) {
	var props struct {
		Number uint64 `json:"head_block_number"`
	}
	err := u.call(ctx, "condenser_api.get_dynamic_global_properties", []any{}, &props)
	return props.Number, err
}

// Blocks implements Upstream.
func (u *HTTPUpstream) Blocks(ctx context.Context, from uint64, count int) ([]json.RawMessage, error) {
	var result struct {
		Blocks []json.RawMessage `json:"blocks"`
	}
	err := u.call(ctx, "block_api.get_block_range", map[string]any{"starting_block_num": from, "count": count}, &result)
	return result.Blocks, err
}

// Broadcast implements Upstream. What hived would refuse, the upstream refuses
// with a kind; every other error says nothing about what became of it.
func (u *HTTPUpstream) Broadcast(ctx context.Context, tx *graphene.SignedTransaction) (Receipt, error) {
	var result struct {
		ID      string `json:"id"`
		Block   uint64 `json:"block_num"`
		Index   int    `json:"trx_num"`
		Expired bool   `json:"expired"`
	}
	err := u.call(ctx, "condenser_api.broadcast_transaction_synchronous", []any{tx}, &result)
	if e, ok := errors.AsType[*remoteError](err); ok && e.Data.Kind != "" {
		return Receipt{}, &base.RejectError{Kind: base.RejectKind(e.Data.Kind), Message: e.Message, Err: err}
	}
	return Receipt{ID: result.ID, Block: result.Block, Index: result.Index, Expired: result.Expired}, err
}
