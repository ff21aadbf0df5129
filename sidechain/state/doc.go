// Package state holds the sidechain's tables: rows, ids, indexes, savepoints,
// the state root with its proofs, block history, and their checkpoint in bbolt
// (ADR 0002).
//
// All rows, indexes and the nodes of the root live in memory; the bbolt file is
// a checkpoint of a whole block that everything is rebuilt from at Open.
//
// Invariants:
//   - a Row that was stored never changes: readers may keep it, writers Clone it;
//   - what is stored equals its own JSON text parsed again (undefined members
//     dropped, NaN null, -0 zero), so a restarted node holds the same rows;
//   - the state root depends on the rows alone, not on the order of writes;
//   - after Rollback rows, indexes, sequences and definitions are as at the
//     mark;
//   - the file holds the last whole checkpoint at every instant.
//
// Concurrency: one writer, which holds Lock for a whole block and calls Root
// and Forget before Unlock; any number of readers under RLock. Checkpoint takes
// the read lock itself and is called without holding a lock.
//
// To add a kind of stored thing: a bucket in schema.go, its part of capture and
// flush in checkpoint.go, its part of load in load.go, and, when an old file
// cannot be read as it is, a higher formatVersion.
package state
