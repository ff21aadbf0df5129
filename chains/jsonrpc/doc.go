// Package jsonrpc speaks JSON-RPC over HTTP to nodes that are not trusted: what
// they send is bounded in size and time before it is read and is parsed strictly,
// numbers stay text (json.Number) and are never floats, and an answer must be the
// answer to the request. Drivers of nodes (utxo/rpcnode, ethereum) are built on it.
//
// What the node itself refuses is an *Error; everything else that goes wrong is
// chains.ErrUnavailable and means "unknown". Credentials are in the Authorization
// header and nowhere else: neither they nor a URL stand in errors or names.
package jsonrpc
