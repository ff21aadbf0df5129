package devnet

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/btcsuite/btcd/wire/v2"
)

// client is a test's own RPC client.
type client struct {
	testing.TB
	url string
}

func start(t testing.TB, cfg Config) (*Chain, client) {
	t.Helper()
	if cfg.Params.Name == "" {
		cfg.Params = Bitcoin()
	}
	cfg.Logger = slog.New(slog.NewTextHandler(failOnError{t}, &slog.HandlerOptions{Level: slog.LevelError}))
	c, err := New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := c.Close(); err != nil {
			t.Error(err)
		}
	})
	return c, client{t, c.URL()}
}

// failOnError fails the test when the chain logs an error (a recovered panic).
type failOnError struct{ t testing.TB }

func (f failOnError) Write(p []byte) (int, error) {
	f.t.Errorf("logged: %s", p)
	return len(p), nil
}

func (c client) post(body string) (status int, answer []byte, err error) {
	endpoint, err := url.Parse(c.url)
	if err != nil {
		c.Fatal(err)
	}
	resp, err := http.Post(endpoint.String(), "application/json", strings.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	answer, err = io.ReadAll(resp.Body)
	return resp.StatusCode, answer, err
}

// try calls a method and returns its result or its error.
func (c client) try(method string, params ...any) (json.RawMessage, *rpcError) {
	c.Helper()
	if params == nil {
		params = []any{}
	}
	body, err := json.Marshal(map[string]any{"jsonrpc": "1.0", "id": 7, "method": method, "params": params})
	if err != nil {
		c.Fatal(err)
	}
	status, answer, err := c.post(string(body))
	if err != nil {
		c.Fatalf("%s: %v", method, err)
	}
	var reply struct {
		Result json.RawMessage
		Error  *rpcError
		ID     int
	}
	if err := json.Unmarshal(answer, &reply); err != nil {
		c.Fatalf("%s: HTTP %d %q: %v", method, status, answer, err)
	}
	if (status == 200) != (reply.Error == nil) || reply.ID != 7 {
		c.Fatalf("%s: HTTP %d %q", method, status, answer)
	}
	return reply.Result, reply.Error
}

// ask decodes the result of a method that must succeed into T.
func ask[T any](c client, method string, params ...any) T {
	c.Helper()
	raw, failure := c.try(method, params...)
	if failure != nil {
		c.Fatalf("%s%v: %v", method, params, failure)
	}
	var result T
	decoder := json.NewDecoder(bytes.NewReader(raw))
	decoder.UseNumber()
	if err := decoder.Decode(&result); err != nil {
		c.Fatalf("%s: %q: %v", method, raw, err)
	}
	return result
}

// refuse calls a method that must fail with this code and text.
func (c client) refuse(code int, text, method string, params ...any) {
	c.Helper()
	result, failure := c.try(method, params...)
	if failure == nil {
		c.Fatalf("%s%v: no error, result %s", method, params, result)
	}
	if failure.Code != code || !strings.Contains(failure.Message, text) {
		c.Fatalf("%s: error %v, want %d with %q", method, failure, code, text)
	}
}

func (c client) text(method string, params ...any) string {
	c.Helper()
	return ask[string](c, method, params...)
}

func (c client) count() int {
	c.Helper()
	return ask[int](c, "getblockcount")
}

func (c client) newAddress(form string) string {
	c.Helper()
	return c.text("getnewaddress", "", form)
}

// mine makes blocks that pay a wallet address and returns their hashes.
func (c client) mine(n int) []string {
	c.Helper()
	return ask[[]string](c, "generatetoaddress", n, c.text("getnewaddress"))
}

func (c client) mempool() []string {
	c.Helper()
	return ask[[]string](c, "getrawmempool")
}

// rawTx fetches and decodes a transaction.
func (c client) rawTx(txid string) *wire.MsgTx {
	c.Helper()
	raw, err := hex.DecodeString(c.text("getrawtransaction", txid))
	if err != nil {
		c.Fatal(err)
	}
	tx := new(wire.MsgTx)
	if err := tx.Deserialize(bytes.NewReader(raw)); err != nil {
		c.Fatal(err)
	}
	if tx.TxHash().String() != txid {
		c.Fatalf("raw transaction has id %s, want %s", tx.TxHash(), txid)
	}
	return tx
}

// outputTo finds the output of a transaction that pays an address.
func (c client) outputTo(txid, address string) (index int, value string) {
	c.Helper()
	for _, out := range ask[txJSON](c, "getrawtransaction", txid, true).Vout {
		if out.ScriptPubKey.Address == address || len(out.ScriptPubKey.Addresses) == 1 && out.ScriptPubKey.Addresses[0] == address {
			return out.N, out.Value.String()
		}
	}
	c.Fatalf("%s does not pay %s", txid, address)
	return 0, ""
}

func encodeTx(t testing.TB, tx *wire.MsgTx) string {
	t.Helper()
	text, err := hexTx(tx)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

func mustEqual[T comparable](t testing.TB, what string, got, want T) {
	t.Helper()
	if got != want {
		t.Fatalf("%s: got %v, want %v", what, got, want)
	}
}
