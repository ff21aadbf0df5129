// Package conform replays conformance vectors (format "hsc-vector/1") through
// the real engine and compares everything that they record: logs byte for
// byte, the order of table writes, virtual transactions, changed rows after
// every step, all rows, sequences, indexes and contracts at the end, and all
// hashes.
//
// The runner sees the block of a step and nothing else; what the vector says
// of its result goes to the comparer. There is one exception: where a vector
// replaces the source of a deployed contract, the hash of that transaction and
// of its block cannot be computed and are taken from the vector.
//
// It is also the home of the doubles: native stand-ins for contracts that
// exist only inside vectors. No other code knows them.
//
// A vector that calls a contract or an action that this software does not have
// fails and says so; a malformed one, or one that leaves a part of its results
// out, fails with what is wrong in it.
//
// To add a contract: its versions in versions.go, by the SHA-256 of the peer's
// source. To add a double: doubles.go.
package conform
