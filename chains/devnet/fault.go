package devnet

import (
	"sync"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"causeway/chains/devnet/kit"
)

// Fault is how the RPC surface misbehaves. The chain behind it stays sound.
// Except for FaultDown, the methods that act (generatetoaddress, sendtoaddress,
// sendrawtransaction, invalidateblock …) go on working, so that a test can let
// the world move while its view is wrong.
type Fault = kit.Fault

// The faults.
const (
	// FaultNone is an honest node.
	FaultNone = kit.FaultNone
	// FaultDown answers every other request with HTTP 503 and drops the
	// connection of the rest.
	FaultDown = kit.FaultDown
	// FaultLag answers as of LagBlocks blocks ago: newer blocks, what they
	// hold and what they spent, and the mempool are unknown.
	FaultLag = kit.FaultLag
	// FaultEmpty answers reads with null, or with an empty list.
	FaultEmpty = kit.FaultEmpty
	// FaultLie shows another block at the tip, with valid proof of work and
	// merkle root, in which every output has twice its amount. In all other
	// answers amounts are doubled too, under the true hashes and ids.
	FaultLie = kit.FaultLie
	// FaultFloat prints amounts as floats: 1e-08, 0.30000000000000004.
	FaultFloat = kit.FaultFloat
)

// LagBlocks is how far FaultLag is behind.
const LagBlocks = kit.LagBlocks

// fakeTip is the block that FaultLie shows in place of the tip.
type fakeTip struct {
	mu    sync.Mutex
	of    chainhash.Hash // the true tip
	block *btcutil.Block
}

// lieAbout makes (once for each tip) the false tip block.
func (c *Chain) lieAbout(tip chainhash.Hash, height int32) (*btcutil.Block, error) {
	c.fake.mu.Lock()
	defer c.fake.mu.Unlock()
	if c.fake.block != nil && c.fake.of == tip {
		return c.fake.block, nil
	}
	block, err := c.block(tip)
	if err != nil {
		return nil, err
	}
	msg := block.MsgBlock()
	for _, tx := range msg.Transactions {
		inflate(tx)
	}
	msg.Header.MerkleRoot = blockchain.CalcMerkleRoot(btcutil.NewBlock(msg).Transactions(), false)
	if err := c.solve(&msg.Header); err != nil {
		return nil, err
	}
	fake := btcutil.NewBlock(msg)
	fake.SetHeight(height)
	fake.Hash() // memoised here, since readers share the block
	for _, tx := range fake.Transactions() {
		tx.Hash()
	}
	c.fake.of, c.fake.block = tip, fake
	return fake, nil
}

// inflate doubles every amount of a transaction.
func inflate(tx *wire.MsgTx) {
	for _, out := range tx.TxOut {
		out.Value = lieAmount(out.Value)
	}
}

func lieAmount(sat int64) int64 { return min(2*sat, btcutil.MaxSatoshi) }
