package api

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"

	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
)

// The codes of hived's JSON-RPC errors.
const (
	codeUnknown = -32601 // API or method
	codeParams  = -32602
	codeAssert  = -32003 // a failed assertion: what a refused transaction answers
)

// hiveInvalid is the answer to parameters that cannot be read.
func hiveInvalid(format string, args ...any) *rpcError {
	return &rpcError{code: codeParams, message: fmt.Sprintf(format, args...)}
}

// hiveUnknown says as hived does whether an API or its method is missing.
func hiveUnknown(methods map[string]method) func(string) *rpcError {
	apis := map[string]bool{}
	for name := range methods {
		api, _, _ := strings.Cut(name, ".")
		apis[api] = true
	}
	return func(name string) *rpcError {
		api, inner, dotted := strings.Cut(name, ".")
		switch {
		case !dotted:
			return &rpcError{code: codeUnknown, message: "Could not find method " + clip(name)}
		case !apis[api]:
			return &rpcError{code: codeUnknown, message: "Could not find API " + clip(api)}
		}
		return &rpcError{code: codeUnknown, message: "Could not find method " + clip(api) + "." + clip(inner)}
	}
}

// signedTransaction reads the transaction of a broadcast.
func signedTransaction(params jsvalue.Value) (*graphene.SignedTransaction, error) {
	given, ok := argument(params, 0, "trx").(*jsvalue.Object)
	if !ok {
		return nil, hiveInvalid("Bad Cast Exception: a signed transaction is expected")
	}
	var tx graphene.SignedTransaction
	err := json.Unmarshal(jsvalue.AppendJSON(nil, given), &tx)
	if e, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		where := e.Field
		if where == "" {
			where = "operation"
		}
		return nil, hiveInvalid("Bad Cast Exception: %s: %s is not what stands here", where, clip(e.Value))
	}
	if err != nil {
		return nil, hiveInvalid("Bad Cast Exception: %s", clip(err.Error()))
	}
	return &tx, nil
}

// hiveException is one of hived's numbered exceptions, known by the text that
// its messages begin with.
type hiveException struct {
	text string
	code int
	name string
}

var (
	hiveAssert     = hiveException{"Assert Exception", 10, "assert_exception"}
	hiveExceptions = []hiveException{
		{"missing required active authority", 3010000, "tx_missing_active_auth"},
		{"missing required owner authority", 3020000, "tx_missing_owner_auth"},
		{"missing required posting authority", 3030000, "tx_missing_posting_auth"},
		{"irrelevant signature included", 3050000, "tx_irrelevant_sig"},
		{"duplicate signature included", 3060000, "tx_duplicate_sig"},
		{"transaction expiration exception", 4030100, "transaction_expiration_exception"},
		{"transaction tapos exception", 4030200, "transaction_tapos_exception"},
	}
)

// refusal turns a refused transaction into hived's error. Client libraries show
// the stack's first format rather than the message.
func refusal(err error) error {
	reject, ok := errors.AsType[*base.RejectError](err)
	if !ok {
		return err
	}
	kind := hiveAssert
	for _, e := range hiveExceptions {
		if strings.HasPrefix(reject.Message, e.text) {
			kind = e
		}
	}
	return &rpcError{code: codeAssert, message: reject.Message, data: jsvalue.NewObject(
		"code", kind.code, "name", kind.name, "message", kind.text, "kind", string(reject.Kind),
		"stack", []jsvalue.Value{jsvalue.NewObject(
			"context", jsvalue.NewObject(),
			// A dollar would begin a placeholder.
			"format", strings.ReplaceAll(reject.Message, "$", ""),
			"data", jsvalue.NewObject())},
	)}
}
