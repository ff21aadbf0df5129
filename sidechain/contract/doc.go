// Package contract is the seam between the sidechain engine and its contracts.
//
// A contract is native Go code that takes the place of a contract's JavaScript
// at the peer. It keeps no state of its own: everything lives in tables that
// its Context hands out, so a block is a pure function of the state before it
// and its transactions. Nothing here knows how blocks, hashes or logs are
// built.
//
// Invariants:
//   - an action reports a violated rule with Context.Assert and goes on or
//     returns; it never panics, except for Exception, which stands for an
//     uncaught JavaScript error that is part of the peer's log;
//   - rows are immutable: Clone, change, Update;
//   - the order of asserts, events and writes is consensus: it reaches hashes.
//
// To add a contract: a package below sidechain/contracts with a value that
// implements Contract (and Tabler when typed finds need hidden lookups), one
// line where the node lists its contracts, and the conformance vectors of its
// suite.
package contract
