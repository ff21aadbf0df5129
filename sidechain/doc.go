// Package sidechain turns final base blocks into state: it is the engine of a
// Hive-Engine-compatible sidechain.
//
//	base.Block ──streamer──▶ Transactions ──Runtime──▶ rows, logs, hashes ──▶ Block
//
// Runtime executes one block of transactions against a store and nothing else:
// no base layer, no disk policy, no network. Conformance runs drive it
// directly. Engine puts it behind a base layer (it is a base.Executor): it
// lets the layer's own Machine work first, streams the sidechain transactions
// out of the operations, stores blocks and decides when to checkpoint.
//
// Invariants:
//   - state is a pure function of genesis and the base blocks; there is no
//     clock, randomness, goroutine or map order on that path;
//   - a base block is applied as a whole or not at all, and only the next one;
//   - hashes are the peer's, byte for byte (peer-spec 1.3 - 1.7, ADR 0001);
//     beside them every block commits to every row by stateRoot and stateHash;
//   - sender "null" comes from the streamer for three calls of the contract
//     comments, from ticks and from contracts, and from nowhere else.
//
// To add a rule that came into force at a height: one line in the table of
// rules.go. To add a contract: see package contract; then name it where the
// engine is opened.
package sidechain
