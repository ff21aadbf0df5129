// Package api is what the world sees of a node: the Hive-Engine JSON-RPC
// (/blockchain, /contracts), the Hive JSON-RPC that signing clients speak
// (/hive), our own REST (/v1) and, on a listener of its own, health, metrics
// and the operator's surface.
//
// There are no business rules here. A handler reads its parameters, asks the
// sidechain, the base layer or the gateway through the small interfaces of
// interfaces.go, and writes the answer in the shape that the surface fixes. An
// answer never waits for an outside chain.
//
// # What an answer to a broadcast means
//
// broadcast_transaction answers when the transaction was checked and waits in memory
// for its block, an interval away at most. Nothing durable says so: when the process
// dies before that block is stored, the transaction is gone, as at hived, whose
// memory is no more durable. Who must know asks with
// broadcast_transaction_synchronous, which answers when the block is stored, or looks
// for the id (transaction_status_api.find_transaction, get_transaction) and sends the
// same bytes again until it is there or has expired: twice is harmless. The
// gateway itself does.
//
// To add a method: one row in the method table of its surface
// (blockchain.go, contracts.go, hive.go, v1.go).
package api
