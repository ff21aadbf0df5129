package evm

import (
	"fmt"
	"slices"

	"github.com/ethereum/go-ethereum/core/types"
)

// Reorg replaces the last depth blocks by as many others, which are empty. Their
// transactions are gone when drop is set (as with anvil_reorg); else they go back
// to the pool. Balances that SetBalance set are gone either way.
func (c *Chain) Reorg(depth uint64, drop bool) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.reorg(depth, drop, nil)
}

// reorg replaces blocks. with holds the transactions of the new ones, by their
// place: when one of them cannot be executed there, nothing is changed. The lock
// is held for writing.
func (c *Chain) reorg(depth uint64, drop bool, with map[uint64]types.Transactions) error {
	keep, err := c.ancestor(depth)
	if err != nil {
		return err
	}
	var branch []*block
	made := c.made
	for i, parent := uint64(0), keep; i < depth; i++ {
		b, err := c.replacement(parent, with[i])
		if err != nil {
			c.made = made
			for _, b := range branch {
				delete(c.byHash, b.Hash())
			}
			return fmt.Errorf("block %d of the reorganisation: %w", i, err)
		}
		branch, parent = append(branch, b), b
		c.insert(b)
	}
	if depth == 0 {
		return nil
	}
	return c.turn(branch, branch[len(branch)-1], drop)
}

// replacement makes a block with exactly these transactions.
func (c *Chain) replacement(parent *block, txs types.Transactions) (*block, error) {
	w, err := c.begin(parent, c.nextTime(parent), c.extra())
	if err != nil {
		return nil, err
	}
	defer w.release()
	for _, tx := range txs {
		if err := w.add(tx); err != nil {
			return nil, err
		}
	}
	return w.seal()
}

// Rollback removes the last depth blocks. Their transactions are gone.
func (c *Chain) Rollback(depth uint64) error {
	c.mu.Lock()
	defer c.mu.Unlock()
	keep, err := c.ancestor(depth)
	if err != nil {
		return err
	}
	return c.turn(nil, keep, true)
}

// ancestor is the block that is depth blocks below the latest.
func (c *Chain) ancestor(depth uint64) (*block, error) {
	if height := c.head().NumberU64(); depth > height {
		return nil, fmt.Errorf("depth %d exceeds the chain's height of %d", depth, height)
	}
	return c.chain[c.head().NumberU64()-depth], nil
}

// turn makes a block of another branch, whose new blocks are given, the latest.
// One write keeps all of it.
func (c *Chain) turn(branch []*block, head *block, drop bool) error {
	left := slices.Clone(c.chain)
	if err := c.setHead(head); err != nil {
		return err
	}
	for _, b := range left {
		n := b.NumberU64()
		if drop || n < uint64(len(c.chain)) && c.chain[n] == b {
			continue
		}
		for _, tx := range b.Transactions() {
			c.putBack(tx)
		}
	}
	if err := c.refreshPool(); err != nil {
		return err
	}
	records := make([]entry, 0, len(branch)+1)
	for _, b := range branch {
		records = append(records, blockRecord(b))
	}
	records = append(records, headRecord(head))
	waiting, err := c.poolRecords()
	if err != nil {
		return err
	}
	return c.note(append(records, waiting...)...)
}

// putBack returns a transaction to the pool, if it may still be mined.
func (c *Chain) putBack(tx *types.Transaction) {
	if _, ok := c.mined[tx.Hash()]; ok || c.pool.byHash[tx.Hash()] != nil {
		return
	}
	if err := c.pool.put(tx); err != nil {
		c.log.Debug("devnet eth: transaction not put back", "hash", tx.Hash(), "err", err)
	}
}
