// Package rpcnode is the driver for nodes of the Bitcoin family that speak
// bitcoind's JSON-RPC: Bitcoin Core and its descendants, and btcd as it is. A
// Node is a chains.Source of one node; chains.NewQuorum makes one of several. A
// Client is the bare protocol, for callers that read a node's JSON themselves.
//
// Invariants:
//
//   - Every error means "unknown". ErrNotFound is said only when the node itself
//     said so, in so many words.
//   - A node is asked for nothing before its block 0 was seen to be that of the
//     network, and again after each failure of the transport.
//   - What a node sends is bounded in size and time before it is read, and is
//     parsed strictly; numbers stay text (json.Number) and are never floats.
//   - Credentials are in the Authorization header and nowhere else: not in
//     errors, logs, names or anything that is printed.
//   - A transaction or block that a node hands out has the hash it was asked by:
//     transactions are checked here, blocks by the Chain that decodes them.
//
// What differs between nodes is tolerated, not configured: an RPC error may come
// with HTTP 200 (btcd) or 500 (Core); a request must carry "jsonrpc" (btcd);
// fees come from estimatesmartfee or, where that is missing, estimatefee, whose
// -1, 0 and malformed answers are "no estimate".
//
// To support one more kind of node: add its answers to the tables of the tests
// (verdicts, estimates, not-found) and make them pass.
package rpcnode
