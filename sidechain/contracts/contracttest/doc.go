// Package contracttest runs contracts in tests: on a new chain behind the real
// engine (New), or on a chain with the peer's history at block level (Peer),
// where calls may come from "null" and name a calling contract.
//
//	chain := contracttest.New(t, tokens.New())
//	got := chain.Call("alice", "tokens", "transfer", `{"to":"bob",…}`)
//	got.Events(t) …
package contracttest
