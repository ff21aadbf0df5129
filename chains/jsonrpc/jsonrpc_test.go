package jsonrpc

import (
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"causeway/chains"
)

// answering serves one body to every request.
func answering(t *testing.T, status int, body string) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.WriteHeader(status)
		_, _ = io.WriteString(w, body)
	}))
	t.Cleanup(server.Close)
	c, err := New(strings.Replace(server.URL, "http://", "http://hidd3n:s3cret@", 1)+"/k3y", Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.Close)
	return c
}

// TestBatch: a batch whose calls are not all answered once is no answer at all.
func TestBatch(t *testing.T) {
	const one, two = `{"jsonrpc":"2.0","id":1,"result":"a"}`, `{"jsonrpc":"2.0","id":2,"result":"b"}`
	for _, test := range []struct {
		name, body string
		status     int
		want       error // of the whole
	}{
		{"in order", "[" + one + "," + two + "]", 200, nil},
		{"in another order", "[" + two + "," + one + "]", 200, nil},
		{"half", "[" + one + "]", 200, chains.ErrUnavailable},
		{"one twice", "[" + one + "," + one + "]", 200, chains.ErrUnavailable},
		{"one too many", "[" + one + "," + two + "," + two + "]", 200, chains.ErrUnavailable},
		{"foreign", "[" + one + `,{"id":7,"result":"b"}]`, 200, chains.ErrUnavailable},
		{"text id", "[" + one + `,{"id":"2","result":"b"}]`, 200, chains.ErrUnavailable},
		{"no list", one, 200, chains.ErrUnavailable},
		{"empty", "[]", 200, chains.ErrUnavailable},
		{"nothing", "", 200, chains.ErrUnavailable},
		{"status", "[" + one + "," + two + "]", 503, chains.ErrUnavailable},
		{"huge", `["` + strings.Repeat("x", 2000) + `"]`, 200, chains.ErrUnavailable},
		{"refused as a whole", `{"id":null,"error":{"code":-32600,"message":"batch too large"}}`, 200, &Error{Code: -32600, Message: "batch too large"}},
	} {
		var a, b string
		err := answering(t, test.status, test.body).Batch(t.Context(), 1000, []Call{{Method: "x", Result: &a}, {Method: "y", Result: &b}})
		var refused *Error
		switch {
		case errors.As(test.want, &refused):
			if !errors.As(err, &refused) || refused.Code != -32600 {
				t.Errorf("%s: %v", test.name, err)
			}
		case !errors.Is(err, test.want):
			t.Errorf("%s: %v, want %v", test.name, err, test.want)
		case err == nil && a+b != "ab":
			t.Errorf("%s: %q, %q", test.name, a, b)
		}
		if err != nil && (a+b != "" || strings.Contains(err.Error(), "s3cret") || strings.Contains(err.Error(), "k3y")) {
			t.Errorf("%s: %q, %q, %v", test.name, a, b, err)
		}
	}
}

// TestBatchCalls: each call has an outcome of its own.
func TestBatchCalls(t *testing.T) {
	c := answering(t, 200, `[{"id":3,"result":null},{"id":1,"result":"a"},{"id":2,"error":{"code":3,"message":"execution reverted"}},{"id":4,"result":1.5}]`)
	var a, b, n, f string
	calls := []Call{{Method: "a", Result: &a}, {Method: "b", Result: &b}, {Method: "n", Result: &n}, {Method: "f", Result: &f}}
	if err := c.Batch(t.Context(), 1000, calls); err != nil {
		t.Fatal(err)
	}
	var refused *Error
	if calls[0].Err != nil || a != "a" {
		t.Errorf("%q, %v", a, calls[0].Err)
	}
	if !errors.As(calls[1].Err, &refused) || refused.Code != 3 {
		t.Error(calls[1].Err)
	}
	if !errors.Is(calls[2].Err, ErrNull) || !errors.Is(calls[2].Err, chains.ErrUnavailable) {
		t.Error(calls[2].Err)
	}
	if calls[3].Err == nil || errors.Is(calls[3].Err, ErrNull) {
		t.Errorf("a float is %q: %v", f, calls[3].Err)
	}
	if err := c.Batch(t.Context(), 1000, nil); err != nil {
		t.Error(err)
	}
}

func FuzzDecodeReply(f *testing.F) {
	f.Add(200, []byte(`{"result":12,"error":null,"id":7}`))
	f.Add(500, []byte(`{"result":null,"error":{"code":-5,"message":"x"},"id":7}`))
	f.Add(200, []byte(`{"result":{"feerate":1E-8},"error":null,"id":7}`))
	f.Add(200, []byte(`[{"result":{"feerate":1E-8},"error":null,"id":7}]`))
	f.Fuzz(func(t *testing.T, status int, body []byte) {
		for _, into := range []any{nil, new(string), new(uint64), new([]string), new(json.Number), new(any)} {
			err := decodeReply(status, body, 7, into)
			if err != nil && len(err.Error()) > 2500 {
				t.Fatalf("error of %d bytes", len(err.Error()))
			}
		}
		replies, err := decodeBatch(status, body, map[string]int{"7": 0})
		if (err == nil) != (len(replies) == 1) || err != nil && len(err.Error()) > 2500 {
			t.Fatalf("%d replies, %v", len(replies), err)
		}
	})
}
