package btcdtest

import (
	"testing"

	"causeway/internal/nodetest"
)

// Node is a running btcd.
type Node = nodetest.Node

// Payout is one output that Node.Send makes.
type Payout = nodetest.Payout

// Start runs a btcd with an empty regtest chain, whose blocks pay to the
// node's own miner (Generate, Pay). It is stopped when the test ends.
func Start(t testing.TB) *Node {
	t.Helper()
	return nodetest.Btcd(t)
}
