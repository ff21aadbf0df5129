package devnet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/database"
	_ "github.com/btcsuite/btcd/database/ffldb" // the only database driver btcd has
	"github.com/btcsuite/btcd/wire/v2"

	"causeway/chains/devnet/kit"
)

// utxoCacheBytes is small because btcd allocates it at once.
const utxoCacheBytes = 4 << 20

// restore opens the database and replays what it may lack. A database that
// does not open, or does not end where the journal ends, is built again.
func (c *Chain) restore(records []kit.Record) error {
	from, tip := 0, *c.net.GenesisHash
	for i, r := range records {
		switch r.Kind {
		case recClean:
			from, tip = i+1, tipOf(r)
		case recBlock, recInvalidate, recReconsider:
			tip = tipOf(r)
		}
	}
	err := c.restoreFrom(records[from:], tip)
	if err == nil {
		return nil
	}
	if len(records) > 0 {
		c.log.Warn("rebuilding the chain from its journal", "dir", c.dir.Path, "reason", err)
	}
	if err := c.dropStore(); err != nil {
		return err
	}
	return c.restoreFrom(records, tip)
}

func (c *Chain) restoreFrom(records []kit.Record, tip chainhash.Hash) error {
	if err := c.openStore(); err != nil {
		return err
	}
	for i, r := range records {
		if err := c.replay(r); err != nil {
			return fmt.Errorf("replaying record %d: %w", i, err)
		}
	}
	if best := c.chain.BestSnapshot().Hash; best != tip {
		return fmt.Errorf("database is at block %s, journal at %s", best, tip)
	}
	return nil
}

// replay repeats one operation; what the database already has is passed over.
func (c *Chain) replay(r kit.Record) error {
	switch r.Kind {
	case recBlock:
		block, err := btcutil.NewBlockFromBytes(bodyOf(r))
		if err != nil {
			return err
		}
		if have, err := c.chain.HaveBlock(block.Hash()); err != nil || have {
			return err
		}
		return c.process(block)
	case recInvalidate, recReconsider:
		hash, err := chainhash.NewHash(bodyOf(r))
		if err != nil {
			return err
		}
		if r.Kind == recInvalidate {
			return c.chain.InvalidateBlock(hash)
		}
		return c.reconsider(*hash)
	}
	return nil
}

func (c *Chain) storeDir() string { return filepath.Join(c.dir.Path, "blocks") }

// openStore opens or creates btcd's database and the chain in it. A database
// torn by a crash makes some btcd versions panic, which counts as an error.
func (c *Chain) openStore() (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("opening the block database: %v", r)
		}
	}()
	if _, statErr := os.Stat(filepath.Join(c.storeDir(), "metadata")); errors.Is(statErr, os.ErrNotExist) {
		c.db, err = database.Create("ffldb", c.storeDir(), c.net.Net)
	} else {
		c.db, err = database.Open("ffldb", c.storeDir(), c.net.Net)
	}
	if err != nil {
		return err
	}
	c.chain, err = blockchain.New(&blockchain.Config{
		DB:               c.db,
		ChainParams:      c.net,
		Checkpoints:      c.params.noScripts(),
		TimeSource:       blockTime(c.clock),
		UtxoCacheMaxSize: utxoCacheBytes,
		SigCache:         c.sigs,
		HashCache:        c.hashes,
	})
	return err
}

func (c *Chain) dropStore() error {
	if c.db != nil {
		_ = c.db.Close() // it is about to be deleted
		c.db, c.chain = nil, nil
	}
	return os.RemoveAll(c.storeDir())
}

// closeStore flushes the database and marks the journal clean.
func (c *Chain) closeStore() error {
	if c.chain == nil {
		return c.db.Close()
	}
	tip := c.chain.BestSnapshot().Hash
	if err := errors.Join(c.chain.FlushUtxoCache(blockchain.FlushRequired), c.db.Close()); err != nil {
		return err
	}
	if c.wallet == nil || c.pool == nil {
		return nil
	}
	errs := []error{c.note(recClean, tip[:]), c.noteKeys()}
	for _, tx := range c.poolTxs() {
		errs = append(errs, c.noteTx(tx))
	}
	return errors.Join(errs...)
}

// scan reads the best chain into the transaction index and the wallet.
func (c *Chain) scan(records []kit.Record) error {
	for _, r := range records {
		if r.Kind == recKey {
			if err := c.wallet.reserve(binary.LittleEndian.Uint32(r.Payload)); err != nil {
				return err
			}
		}
	}
	best := c.chain.BestSnapshot().Height
	for height := int32(1); height <= best; height++ {
		block, err := c.chain.BlockByHeight(height)
		if err != nil {
			return err
		}
		if err := c.connected(block, height); err != nil {
			return err
		}
	}
	c.made = uint64(best)
	for _, tip := range c.chain.ChainTips() {
		c.made += uint64(tip.BranchLen)
	}
	return nil
}

// reloadPool brings back the transactions that were waiting.
func (c *Chain) reloadPool(records []kit.Record) {
	from := 0
	for i, r := range records {
		if r.Kind == recClean {
			from = i
		}
	}
	for _, r := range records[from:] {
		if r.Kind != recTx {
			continue
		}
		if tx, err := btcutil.NewTxFromBytes(r.Payload); err == nil {
			c.acceptAgain(tx) // most are mined by now
		}
	}
}

func (c *Chain) noteTx(tx *btcutil.Tx) error {
	raw, err := serializeTx(tx.MsgTx())
	if err != nil {
		return err
	}
	return c.note(recTx, raw)
}

func (c *Chain) noteKeys() error {
	return c.note(recKey, binary.LittleEndian.AppendUint32(nil, c.wallet.next))
}

// rawBlock is the stored bytes of any known block, stale ones included.
func (c *Chain) rawBlock(hash chainhash.Hash) (raw []byte, err error) {
	err = c.db.View(func(tx database.Tx) error {
		stored, err := tx.FetchBlock(&hash)
		raw = append([]byte(nil), stored...)
		return err
	})
	return raw, err
}

func (c *Chain) block(hash chainhash.Hash) (*btcutil.Block, error) {
	raw, err := c.rawBlock(hash)
	if err != nil {
		return nil, err
	}
	return btcutil.NewBlockFromBytes(raw)
}

// heightOf is a known block's height and whether it is on the best chain.
func (c *Chain) heightOf(hash chainhash.Hash, header wire.BlockHeader) (height int32, main bool, err error) {
	if height, err := c.chain.BlockHeightByHash(&hash); err == nil {
		return height, true, nil
	}
	for depth := int32(1); ; depth++ {
		parent := header.PrevBlock
		if height, err := c.chain.BlockHeightByHash(&parent); err == nil {
			return height + depth, false, nil
		}
		if header, err = c.chain.HeaderByHash(&parent); err != nil {
			return 0, false, err
		}
	}
}
