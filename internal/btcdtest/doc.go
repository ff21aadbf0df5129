// Package btcdtest runs a real btcd in regtest for tests: nodetest.Btcd by a name
// of its own.
package btcdtest
