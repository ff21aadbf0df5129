package rpcnode

import (
	"time"

	"causeway/chains/jsonrpc"
)

// Client speaks JSON-RPC to one node, for callers that read its JSON themselves.
type Client = jsonrpc.Client

// RPCError is what a node answered instead of a result.
type RPCError = jsonrpc.Error

// DefaultTimeout bounds one call, from dialling to the last byte.
const DefaultTimeout = jsonrpc.DefaultTimeout

const smallAnswer = jsonrpc.SmallAnswer

// NewClient makes a client of a node from a URL such as
// http://user:password@127.0.0.1:8332. A timeout of 0 is DefaultTimeout.
// Nothing is dialled before the first call.
func NewClient(nodeURL string, timeout time.Duration) (*Client, error) {
	return jsonrpc.New(nodeURL, jsonrpc.Options{Version: jsonrpc.Version1, Timeout: timeout})
}

// Codes that nodes answer with.
const (
	codeMisc           = -1
	codeNotFound       = -5
	codeParameter      = -8
	codeDeserialise    = -22
	codeVerify         = -25
	codeRejected       = -26
	codeInChain        = -27
	codeWarmUp         = -28
	codeMethodNotFound = -32601
	codeInvalidRequest = -32600
)
