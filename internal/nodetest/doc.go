// Package nodetest runs real nodes in regtest for tests: each a process of its
// own on free loopback ports with an empty chain, stopped with the test.
//
//	Btcd      Bitcoin        btcd v0.26.2
//	Litecoind Litecoin       Litecoin Core (Debian's litecoind)
//	Bchd      Bitcoin Cash   bchd v0.21.1
//	Dogenet   Dogecoin       the project's own embedded chain, in another process
//	Anvil     Ethereum       anvil 1.7.1, which is an EVM and not the Node below
//	Embedded  each coin      the same in this process
//
// A World is a node with a rival of its kind, whose blocks can take the place of the
// node's: the conformance suite (chains/chaintest) runs on it.
//
// Which binary: the file named by CAUSEWAY_BTCD, CAUSEWAY_LITECOIND,
// CAUSEWAY_BCHD or CAUSEWAY_ANVIL; else the one in PATH, if it is of the pinned version (any, for
// litecoind); else, only when CAUSEWAY_REQUIRE_NODES=1, btcd and bchd are built
// (a minute or two, once, kept in the user's cache folder). When there is none the
// test is skipped with a message that says so, and fails instead under
// CAUSEWAY_REQUIRE_NODES=1, so that a CI cannot pass by having no node. Dogenet is
// built from this tree and never skips.
//
// Invariants: nothing outside the test's temporary folder and the cache folder is
// read or written; btcd and bchd forget their regtest chain at every start, and a
// World gives it back to them.
//
// To add another node: a function beside these that fills in spec.
package nodetest
