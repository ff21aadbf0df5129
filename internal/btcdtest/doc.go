// Package btcdtest runs a real btcd in regtest for tests: a process of its own
// on free loopback ports, stopped with the test.
//
// Which btcd: the file named by CAUSEWAY_BTCD; else btcd in PATH, if it is of
// the pinned Version; else, only when CAUSEWAY_REQUIRE_NODES=1, one built by go
// install (about a minute, once, kept in the user's cache folder). When there is
// none the test is skipped with a message that says so, and fails instead under
// CAUSEWAY_REQUIRE_NODES=1, so that a CI cannot pass by having no node.
//
// Invariants: nothing outside the test's temporary folder and the cache folder
// is read or written (btcd is started with an empty configuration file); btcd's
// regtest forgets its chain at every start, so a Node is never restarted.
//
// To add a harness for another node: a package beside this one with the same
// shape (Start, Generate, Pay, Stop) and an environment variable of its own.
package btcdtest
