package api

import (
	"errors"
	"io"
	"log/slog"
	"math"
	"net/http"
	"strings"

	"causeway/sidechain/jsvalue"
)

// Limits of the JSON-RPC surface. The peer's body limit is Express' 100 kB.
const (
	maxRPCBody  = 100 * 1024
	maxRPCBatch = 100
)

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
	errBatchTooLong   = &rpcError{code: -32099, message: "Invalid request: Maximum batch length exceeded"}
)

// method answers one call. params is nil when the request had none.
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
	// jsonOnly refuses other content types, as the peer does. hived takes any:
	// its client libraries send text/plain.
	jsonOnly bool
	log      *slog.Logger
}

func (h *rpcHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodPost {
		w.Header().Set("Allow", http.MethodPost)
		http.Error(w, "", http.StatusMethodNotAllowed)
		return
	}
	if h.jsonOnly && !strings.Contains(r.Header.Get("Content-Type"), "application/json") {
		http.Error(w, "", http.StatusUnsupportedMediaType)
		return
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, h.maxBody+1))
	if err != nil || int64(len(body)) > h.maxBody {
		writeRPCBroken(w)
		return
	}
	parsed, err := jsvalue.Parse(string(body))
	if err != nil {
		writeRPCBroken(w)
		return
	}
	answer, ok := h.answer(r, parsed)
	if !ok {
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	if _, err := w.Write(jsvalue.AppendJSON(nil, answer)); err != nil {
		h.log.Debug("answer not delivered", "err", err)
	}
}

func writeRPCBroken(w http.ResponseWriter) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	w.WriteHeader(http.StatusInternalServerError)
	_, _ = io.WriteString(w, `{"error":"Error processing requests"}`)
}

// answer handles a request or a batch; ok is false when nothing is to be said.
func (h *rpcHandler) answer(r *http.Request, parsed jsvalue.Value) (jsvalue.Value, bool) {
	batch, isBatch := parsed.([]jsvalue.Value)
	if !isBatch {
		return h.single(r, parsed)
	}
	switch {
	case len(batch) == 0:
		return failure(nil, errInvalidRequest), true
	case len(batch) > maxRPCBatch:
		return failure(nil, errBatchTooLong), true
	}
	answers := make([]jsvalue.Value, 0, len(batch))
	for _, request := range batch {
		if answer, ok := h.single(r, request); ok {
			answers = append(answers, answer)
		}
	}
	return answers, len(answers) > 0
}

func (h *rpcHandler) single(r *http.Request, request jsvalue.Value) (jsvalue.Value, bool) {
	object, ok := request.(*jsvalue.Object)
	if !ok {
		return failure(nil, errInvalidRequest), true
	}
	id, notification, ok := requestID(object)
	if !ok {
		return failure(nil, errInvalidRequest), true
	}
	name, ok := object.String("method")
	if !ok || object.Get("jsonrpc") != "2.0" {
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
	if notification {
		return nil, false
	}
	if err != nil {
		return failure(id, err), true
	}
	return jsvalue.NewObject("jsonrpc", "2.0", "id", id, "result", result), true
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

func (h *rpcHandler) call(r *http.Request, name string, params jsvalue.Value) (result jsvalue.Value, rpcErr *rpcError) {
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

func failure(id jsvalue.Value, e *rpcError) jsvalue.Value {
	body := jsvalue.NewObject("code", float64(e.code), "message", e.message)
	if e.data != nil {
		body.Set("data", e.data)
	}
	return jsvalue.NewObject("jsonrpc", "2.0", "id", id, "error", body)
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
