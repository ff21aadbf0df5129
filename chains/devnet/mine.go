package devnet

import (
	"bytes"
	"errors"
	"fmt"
	"math"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// mine makes the next block, with everything in the mempool that fits, and
// pays its coinbase to script. The lock is held for writing.
func (c *Chain) mine(script []byte) (chainhash.Hash, error) {
	template, err := c.template.NewBlockTemplate(nil)
	if err != nil {
		return chainhash.Hash{}, fmt.Errorf("block template: %w", err)
	}
	msg := template.Block
	msg.Transactions[0].TxOut[0].PkScript = script
	if c.params.BlockVersion != 0 {
		msg.Header.Version = c.params.BlockVersion
	}
	c.fillCash(msg)
	// The extra nonce never repeats, so neither a coinbase nor a block is ever
	// made twice, even when its parent is built upon again after a reorg.
	c.made++
	if err := c.template.UpdateExtraNonce(msg, template.Height, c.made); err != nil {
		return chainhash.Hash{}, err
	}
	if err := c.solve(&msg.Header); err != nil {
		return chainhash.Hash{}, err
	}
	block := btcutil.NewBlock(msg)
	return *block.Hash(), c.take(block)
}

// take makes a block part of the chain and of the journal. It may end the branch
// that was the best. The lock is held for writing.
func (c *Chain) take(block *btcutil.Block) error {
	c.detached = nil
	err := c.process(block)
	c.settlePool()
	if err != nil {
		return err
	}
	raw, err := block.Bytes()
	if err != nil {
		return err
	}
	tip := c.chain.BestSnapshot().Hash
	return c.note(recBlock, raw, tip[:])
}

// solve finds the nonce. On a regtest every second one will do.
func (c *Chain) solve(header *wire.BlockHeader) error {
	for nonce := uint32(0); nonce < math.MaxUint32; nonce++ {
		header.Nonce = nonce
		if c.meetsTarget(header) {
			return nil
		}
	}
	return errors.New("no nonce solves the block")
}

func (c *Chain) meetsTarget(header *wire.BlockHeader) bool {
	hash := header.BlockHash()
	if c.params.PoW != nil {
		var buf bytes.Buffer
		if err := header.Serialize(&buf); err != nil {
			return false
		}
		hash = c.params.PoW(buf.Bytes())
	}
	return blockchain.HashToBig(&hash).Cmp(blockchain.CompactToBig(header.Bits)) <= 0
}

// process hands a block to btcd. Where the coin has its own proof of work it
// is checked here, since btcd knows only SHA-256d.
func (c *Chain) process(block *btcutil.Block) error {
	flags := blockchain.BFNone
	if c.params.PoW != nil {
		if !c.meetsTarget(&block.MsgBlock().Header) {
			return fmt.Errorf("block %s: proof of work misses its target", block.Hash())
		}
		flags = blockchain.BFNoPoWCheck
	}
	switch _, orphan, err := c.chain.ProcessBlock(block, flags); {
	case err != nil:
		return fmt.Errorf("block %s: %w", block.Hash(), err)
	case orphan:
		return fmt.Errorf("block %s: unknown parent", block.Hash())
	}
	return nil
}
