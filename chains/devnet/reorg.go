package devnet

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/wire/v2"
)

var errUnknownBlock = errors.New("block not found")

// invalidateBlock takes a block and all that follow it off the chain and
// brings their transactions back to the mempool.
func (c *Chain) invalidateBlock(hash chainhash.Hash) error {
	if _, err := c.chain.HeaderByHash(&hash); err != nil {
		return errUnknownBlock
	}
	return c.reorganize(recInvalidate, hash, func() error { return c.chain.InvalidateBlock(&hash) })
}

// reconsiderBlock undoes invalidateBlock.
func (c *Chain) reconsiderBlock(hash chainhash.Hash) error {
	if _, err := c.chain.HeaderByHash(&hash); err != nil {
		return errUnknownBlock
	}
	return c.reorganize(recReconsider, hash, func() error { return c.reconsider(hash) })
}

func (c *Chain) reorganize(kind byte, hash chainhash.Hash, change func() error) error {
	c.detached = nil
	err := change()
	c.settlePool()
	if err != nil {
		return err
	}
	tip := c.chain.BestSnapshot().Hash
	return c.note(kind, hash[:], tip[:])
}

type staleBlock struct {
	hash   chainhash.Hash
	height int32
}

// reconsider clears the failure of a block, of its ancestors and of its
// descendants, as Bitcoin Core does, then moves to the best chain. btcd's
// ReconsiderBlock clears one block and looks at one tip only, so it is called
// for each block from the lowest up, and at last for any better tip.
func (c *Chain) reconsider(hash chainhash.Hash) error {
	if c.chain.MainChainHasBlock(&hash) {
		return nil
	}
	related, err := c.related(hash)
	if err != nil {
		return err
	}
	for _, block := range related {
		if c.chain.MainChainHasBlock(&block.hash) {
			continue
		}
		if err := c.chain.ReconsiderBlock(&block.hash); err != nil {
			return fmt.Errorf("reconsidering %s: %w", block.hash, err)
		}
	}
	tips := c.chain.ChainTips()
	slices.SortFunc(tips, func(a, b blockchain.ChainTip) int { return cmp.Compare(b.Height, a.Height) })
	for _, tip := range tips {
		if tip.Status == blockchain.StatusValidFork && tip.Height > c.chain.BestSnapshot().Height {
			if err := c.chain.ReconsiderBlock(&tip.BlockHash); err != nil {
				return fmt.Errorf("activating %s: %w", tip.BlockHash, err)
			}
		}
	}
	return nil
}

// related lists a stale block, its stale ancestors and its descendants, lowest
// first.
func (c *Chain) related(hash chainhash.Hash) ([]staleBlock, error) {
	seen := map[chainhash.Hash]bool{}
	var all []staleBlock
	for _, tip := range c.chain.ChainTips() {
		branch, err := c.branch(tip.BlockHash)
		if err != nil {
			return nil, err
		}
		if !slices.ContainsFunc(branch, func(b staleBlock) bool { return b.hash == hash }) {
			continue
		}
		for _, block := range branch {
			if !seen[block.hash] {
				seen[block.hash] = true
				all = append(all, block)
			}
		}
	}
	slices.SortFunc(all, func(a, b staleBlock) int {
		if order := cmp.Compare(a.height, b.height); order != 0 {
			return order
		}
		return slices.Compare(a.hash[:], b.hash[:])
	})
	return all, nil
}

// branch lists the stale blocks from a tip down to the best chain.
func (c *Chain) branch(tip chainhash.Hash) (branch []staleBlock, err error) {
	for hash := tip; !c.chain.MainChainHasBlock(&hash); {
		header, err := c.chain.HeaderByHash(&hash)
		if err != nil {
			return nil, err
		}
		height, _, err := c.heightOf(hash, header)
		if err != nil {
			return nil, err
		}
		branch = append(branch, staleBlock{hash, height})
		hash = header.PrevBlock
	}
	return branch, nil
}

// notified keeps index, wallet and mempool in step with the best chain. btcd
// calls it in the middle of ProcessBlock and the like, under our own lock.
func (c *Chain) notified(n *blockchain.Notification) {
	block, ok := n.Data.(*btcutil.Block)
	if !ok {
		return
	}
	switch n.Type {
	case blockchain.NTBlockConnected:
		if err := c.connected(block, block.Height()); err != nil {
			c.log.Error("wallet lost track of a block", "block", block.Hash(), "err", err)
		}
		for _, tx := range block.Transactions()[1:] {
			c.pool.RemoveTransaction(tx, false)
			c.pool.RemoveDoubleSpends(tx)
		}
	case blockchain.NTBlockDisconnected:
		c.detached = append(c.detached, block)
		for _, tx := range block.Transactions() {
			delete(c.index, *tx.Hash())
		}
		c.wallet.disconnect(block)
	}
}

func (c *Chain) connected(block *btcutil.Block, height int32) error {
	for _, tx := range block.Transactions() {
		c.index[*tx.Hash()] = *block.Hash()
	}
	return c.wallet.connect(block, height)
}

// settlePool rebuilds the mempool after blocks were disconnected: first what
// they held, oldest block first, then what was waiting. What is mined on the
// new chain, conflicts with it or spends a coinbase that is no longer mature
// falls out.
func (c *Chain) settlePool() {
	if len(c.detached) == 0 {
		return
	}
	waiting := c.poolTxs()
	for _, tx := range waiting {
		c.pool.RemoveTransaction(tx, false)
	}
	var todo []*btcutil.Tx
	for _, block := range slices.Backward(c.detached) {
		for _, tx := range block.Transactions()[1:] {
			todo = append(todo, btcutil.NewTx(tx.MsgTx()))
		}
	}
	c.detached = nil
	todo = append(todo, waiting...)
	for progress := true; progress; {
		progress = false
		todo = slices.DeleteFunc(todo, func(tx *btcutil.Tx) bool {
			orphan := c.acceptAgain(tx)
			progress = progress || !orphan
			return !orphan
		})
	}
}

// poolTxs lists the mempool, oldest first.
func (c *Chain) poolTxs() []*btcutil.Tx {
	descs := c.pool.TxDescs()
	slices.SortFunc(descs, func(a, b *mempool.TxDesc) int {
		if order := a.Added.Compare(b.Added); order != 0 {
			return order
		}
		return slices.Compare(a.Tx.Hash()[:], b.Tx.Hash()[:])
	})
	txs := make([]*btcutil.Tx, len(descs))
	for i, desc := range descs {
		txs[i] = desc.Tx
	}
	return txs
}

func serializeTx(tx *wire.MsgTx) ([]byte, error) {
	buf := bytes.NewBuffer(make([]byte, 0, tx.SerializeSize()))
	err := tx.Serialize(buf)
	return buf.Bytes(), err
}
