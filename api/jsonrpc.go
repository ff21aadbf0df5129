package api

import (
	"context"
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strings"
	"time"

	"causeway/sidechain/jsvalue"
)

// Limits of the JSON-RPC surface. The peer's body limit is Express' 100 kB.
const (
	maxRPCBody  = 100 * 1024
	maxRPCBatch = 100
	// maxRangeBytes ends an answer with many blocks: a caller gets fewer than
	// it asked for and goes on behind them.
	maxRangeBytes = 16 << 20
	// readTimeout is how long the queries of one request may take together.
	readTimeout = 20 * time.Second
)

// rawJSON is a result that is JSON already.
type rawJSON []byte

// rpcError is a JSON-RPC error object; data is left out when nil.
type rpcError struct {
	code    int
	message string
	data    jsvalue.Value
}

func (e *rpcError) Error() string { return e.message }

// The errors of the peer's RPC library (peer specification 6.1).
var (
	errInvalidRequest = &rpcError{code: -32600, message: "Invalid request"}
	errMethodNotFound = &rpcError{code: -32601, message: "Method not found"}
	errInternal       = &rpcError{code: -32603, message: "Internal error"}
	errParse          = &rpcError{code: -32700, message: "Parse Error"}
	errTooLarge       = &rpcError{code: -32600, message: "Invalid request: the body is too large"}
	errBatchTooLong   = &rpcError{code: -32099, message: "Invalid request: Maximum batch length exceeded"}
)

// method answers one call. params is nil when the request had none. A result is
// a jsvalue.Value or rawJSON.
type method func(r *http.Request, params jsvalue.Value) (jsvalue.Value, error)

// rpcHandler serves JSON-RPC 2.0 over POST as the peer's library does: HTTP 200
// for results and errors alike, 204 for notifications, arrays in, arrays out.
type rpcHandler struct {
	methods map[string]method
	// rewrite turns a request into a method name and params before the look-up;
	// nil leaves it alone.
	rewrite func(name string, params jsvalue.Value) (string, jsvalue.Value)
	// unknown is the error for a name that is not in methods.
	unknown func(name string) *rpcError
	maxBody int64
	// peer has the manners of the peer's web server: other content types are
	// refused, and a body that is no JSON answers HTTP 500. Otherwise they are
	// hived's: any content type (its client libraries send text/plain) and
	// errors in the form of JSON-RPC alone, since those libraries repeat a
	// request that failed otherwise until they give up.
	peer bool
	log  *slog.Logger
}

func (h *rpcHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "", http.StatusMethodNotAllowed)
		return
	}
	if h.peer && !strings.Contains(r.Header.Get("Content-Type"), "application/json") {
		http.Error(w, "", http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, h.maxBody+1))
	if err != nil {
		h.broken(w, errParse)
		return
	}
	if int64(len(body)) > h.maxBody {
		h.broken(w, errTooLarge)
		return
	}
	request, err := jsvalue.Parse(string(body))
	if err != nil {
		h.broken(w, errParse)
		return
	}
	batch, ok := request.([]jsvalue.Value)
	switch {
	case !ok:
		h.all(w, r, []jsvalue.Value{request}, "", "")
	case len(batch) == 0:
		h.send(w, failure(nil, errInvalidRequest).appendJSON(nil))
	case len(batch) > maxRPCBatch:
		h.send(w, failure(nil, errBatchTooLong).appendJSON(nil))
	default:
		h.all(w, r, batch, "[", "]")
	}
}

// all answers requests one after the other, and each before the next is begun,
// so that a long batch needs no more memory than its longest answer.
func (h *rpcHandler) all(w http.ResponseWriter, r *http.Request, requests []jsvalue.Value, before, after string) {
	if h.peer { // its methods only read
		ctx, cancel := context.WithTimeout(r.Context(), readTimeout)
		defer cancel()
		r = r.WithContext(ctx)
	}
	separator, silent := before, true
	for _, request := range requests {
		a, ok := h.single(r, request)
		if !ok {
			continue
		}
		if !h.send(w, a.appendJSON([]byte(separator))) {
			return
		}
		separator, silent = ",", false
	}
	switch {
	case silent:
		w.WriteHeader(http.StatusNoContent)
	case after != "":
		h.send(w, []byte(after))
	}
}

// send writes a part of an answer; false ends the request.
func (h *rpcHandler) send(w http.ResponseWriter, text []byte) bool {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if _, err := w.Write(text); err != nil {
		h.log.Debug("answer not delivered", "err", err)
		return false
	}
	return true
}

// broken answers a body that holds no request.
func (h *rpcHandler) broken(w http.ResponseWriter, e *rpcError) {
	if !h.peer {
		h.send(w, failure(nil, e).appendJSON(nil))
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = io.WriteString(w, `{"error":"Error processing requests"}`)
}

// answer is one response: a result or an error.
type answer struct {
	id     jsvalue.Value
	result any
	err    *rpcError
}

func failure(id jsvalue.Value, e *rpcError) answer { return answer{id: id, err: e} }

func (a answer) appendJSON(dst []byte) []byte {
	dst = jsvalue.AppendJSON(append(dst, `{"jsonrpc":"2.0","id":`...), a.id)
	raw, isRaw := a.result.(rawJSON)
	switch {
	case a.err != nil:
		dst = a.err.appendJSON(append(dst, `,"error":`...))
	case isRaw:
		dst = append(append(dst, `,"result":`...), raw...)
	default:
		dst = jsvalue.AppendJSON(append(dst, `,"result":`...), a.result)
	}
	return append(dst, '}')
}

func (e *rpcError) appendJSON(dst []byte) []byte {
	body := jsvalue.NewObject("code", float64(e.code), "message", e.message)
	if e.data != nil {
		body.Set("data", e.data)
	}
	return jsvalue.AppendJSON(dst, body)
}

// single answers one request; ok is false for a notification, which gets none.
func (h *rpcHandler) single(r *http.Request, request jsvalue.Value) (a answer, ok bool) {
	object, isObject := request.(*jsvalue.Object)
	if !isObject {
		return failure(nil, errInvalidRequest), true
	}
	id, notification, known := requestID(object)
	if !known {
		return failure(nil, errInvalidRequest), true
	}
	name, named := object.String("method")
	if !named || object.Get("jsonrpc") != "2.0" {
		return failure(id, errInvalidRequest), true
	}
	var params jsvalue.Value
	switch p := object.Get("params").(type) {
	case *jsvalue.Object, []jsvalue.Value:
		params = p
	case jsvalue.Undefined:
	default:
		return failure(id, errInvalidRequest), true
	}
	result, err := h.call(r, name, params)
	return answer{id, result, err}, !notification
}

// requestID reads the id: a string, a whole number or null; absent means that
// no answer is wanted.
func requestID(request *jsvalue.Object) (id jsvalue.Value, notification, ok bool) {
	switch id := request.Get("id").(type) {
	case jsvalue.Undefined:
		return nil, true, true
	case nil:
		return nil, false, true
	case string:
		return id, false, true
	case float64:
		return id, false, id == math.Trunc(id)
	default:
		return nil, false, false
	}
}

func (h *rpcHandler) call(r *http.Request, name string, params jsvalue.Value) (result any, rpcErr *rpcError) {
	defer func() {
		if p := recover(); p != nil {
			h.log.Error("a method panicked", "method", name, "panic", p)
			result, rpcErr = nil, errInternal
		}
	}()
	if h.rewrite != nil {
		name, params = h.rewrite(name, params)
	}
	m, ok := h.methods[name]
	if !ok {
		if h.unknown != nil {
			return nil, h.unknown(name)
		}
		return nil, errMethodNotFound
	}
	result, err := m(r, params)
	if err == nil {
		return result, nil
	}
	if e, ok := errors.AsType[*rpcError](err); ok {
		return nil, e
	}
	h.log.Warn("a method failed", "method", name, "err", err)
	return nil, errInternal
}

// badParameters is the peer's error for missing or wrong parameters.
func badParameters(message string) *rpcError { return &rpcError{code: 400, message: message} }

// wholeNumber reads a non-negative integer of at most 2^53.
func wholeNumber(v jsvalue.Value) (uint64, bool) {
	f, ok := v.(float64)
	if !ok || f != math.Trunc(f) || f < 0 || f > 1<<53 {
		return 0, false
	}
	return uint64(f), true
}
