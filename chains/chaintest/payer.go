package chaintest

// Payer moves coins on a chain under test and makes its blocks: what a test of
// a chain needs beside the chain itself. A Sim is one; so is a node with its rival
// (internal/nodetest.World).
type Payer interface {
	// NewAddress is a fresh address that belongs to nobody under test.
	NewAddress() (string, error)
	// Pay sends base units to an address.
	Pay(address string, units int64) (txid string, err error)
	// Mine makes blocks of all that waits.
	Mine(blocks int) error
}

var _ Payer = (*Sim)(nil)
