package chaintest

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"time"
)

// maxRequest bounds a request: a transaction of 4 MB in hex, with room.
const maxRequest = 16 << 20

// Handler speaks the nodes' JSON-RPC under /0, /1 and so on.
func (s *Sim) Handler() http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		i, err := strconv.Atoi(strings.Trim(r.URL.Path, "/"))
		if err != nil || i < 0 || i >= len(s.nodes) {
			http.NotFound(w, r)
			return
		}
		s.nodes[i].serve(w, r)
	})
}

// Transport carries requests to the nodes without a network: to any host, the
// path says which node.
func (s *Sim) Transport() http.RoundTripper { return transport{s.Handler()} }

type transport struct{ handler http.Handler }

var errBroken = errors.New("chaintest: the connection broke")

// RoundTrip implements http.RoundTripper.
func (t transport) RoundTrip(r *http.Request) (answer *http.Response, err error) {
	defer func() {
		if p := recover(); p != nil {
			if p != http.ErrAbortHandler {
				panic(p)
			}
			answer, err = nil, errBroken
		}
	}()
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	w := httptest.NewRecorder()
	t.handler.ServeHTTP(w, r)
	if err := r.Context().Err(); err != nil {
		return nil, err
	}
	return w.Result(), nil
}

func (n *Node) serve(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxRequest))
	var request struct {
		ID     json.RawMessage   `json:"id"`
		Method string            `json:"method"`
		Params []json.RawMessage `json:"params"`
	}
	if err == nil {
		err = json.Unmarshal(body, &request)
	}
	if err != nil {
		http.Error(w, "Parse error", http.StatusInternalServerError)
		return
	}
	f := n.fault(request.Method)
	switch f.Kind {
	case Down:
		http.Error(w, "Service Unavailable", http.StatusServiceUnavailable)
		return
	case Garbage:
		_, _ = io.WriteString(w, "<html>")
		return
	case Hang:
		wait(r.Context(), f.Delay)
		panic(http.ErrAbortHandler)
	case Fail:
		reply(w, request.ID, nil, refuse(-1, "something went wrong"))
		return
	case WarmUp:
		reply(w, request.ID, nil, refuse(-28, "Loading block index..."))
		return
	case Null:
		reply(w, request.ID, nil, nil)
		return
	case Empty:
		reply(w, request.ID, emptyOf(request.Method), nil)
		return
	}
	result, err := n.answer(request.Method, request.Params, f)
	if f.Kind == Lose {
		panic(http.ErrAbortHandler)
	}
	reply(w, request.ID, result, err)
}

func wait(ctx context.Context, d time.Duration) {
	if d == 0 {
		<-ctx.Done()
		return
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-ctx.Done():
	case <-timer.C:
	}
}

func emptyOf(method string) any {
	switch method {
	case "getrawmempool":
		return []string{}
	case "estimatesmartfee", "getnetworkinfo":
		return struct{}{}
	case "getblockcount":
		return 0
	}
	return ""
}

// reply answers as Core does: an error comes with HTTP 500.
func reply(w http.ResponseWriter, id json.RawMessage, result any, err error) {
	answer := map[string]any{"result": result, "error": nil, "id": id}
	status := http.StatusOK
	if err != nil {
		var refused *rpcError
		if !errors.As(err, &refused) {
			refused = &rpcError{-1, err.Error()}
		}
		answer["error"], answer["result"], status = refused, nil, http.StatusInternalServerError
	}
	text, err := json.Marshal(answer)
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_, _ = w.Write(text) // the caller is gone
}
