// Package solo is the embedded base layer: one sequencer that orders
// Hive-format signed transactions into signed blocks (ADR 0003).
//
// Its parts, from the bytes up:
//
//   - [Store] (base.db) holds the signed blocks. It is the only store of a
//     node that cannot be rebuilt: a block is in it, fsynced, before anything
//     is derived from it.
//   - [Machine] holds the rules: a pure function of the base section of the
//     state and a block, the same for everybody who has the blocks.
//   - [Sequencer] admits transactions and produces blocks, [View] answers
//     questions about accounts, posts, transactions and blocks.
//
// The life of a transaction:
//
//	Broadcast: checked against the head's state (a savepoint, taken back) -> pool
//	produce:   applied on a savepoint with those before it, taken back
//	           -> candidate in base.db -> header signed -> block in base.db
//	           -> Executor.Apply (engine: Machine, then contracts)
//
// Invariants:
//   - what the sequencer builds is checked by the very code that a verifier
//     runs; the only rule of the sequencer alone is who may create accounts
//     while accounts.open is false;
//   - a transaction id is accepted once: ids are kept until their expiration,
//     as rows, so a restart or a replay knows them too;
//   - the header of block N+1 carries the state after block N, so every
//     executed block is committed to by a signature;
//   - what is signed was durable before: a candidate that a dead process left
//     is the next block, the same bytes, so that no number is signed twice;
//   - after a block that could not be stored or executed the sequencer makes no
//     other;
//   - times, limits and sizes come from the block and genesis; the machine
//     never reads a clock.
//
// To add an operation: its type in graphene, its rule as a method of run in
// this package and one line in apply. To add a follower: verify each block with
// [Machine.VerifyBlock], Append it to the Store, and hand it to the Executor;
// compare its commitment with [base.Executor.Executed] as replay does.
package solo
