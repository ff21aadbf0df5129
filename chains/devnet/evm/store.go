package evm

import (
	"encoding/binary"
	"fmt"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rlp"

	"causeway/chains/devnet/kit"
)

// The journal is the chain: blocks and what waits, written before anybody hears of
// them. The state is kept in memory only, and is made again at start by executing
// every block, each of which must come out as it was.
const (
	recBlock byte = 'B' // RLP of storedBlock; it becomes the latest
	recHead  byte = 'H' // hash of the block that becomes the latest
	recTx    byte = 'T' // transaction taken into the pool
	recClear byte = 'D' // the pool is emptied

	journalMagic = "cwdevne1"
)

// storedBlock is a block in the journal.
type storedBlock struct {
	Block  *types.Block
	Forced []forced
}

// entry is a record that may have failed to encode.
type entry struct {
	kit.Record
	err error
}

func blockRecord(b *block) entry {
	payload, err := rlp.EncodeToBytes(&storedBlock{b.Block, b.forced})
	return entry{kit.Record{Kind: recBlock, Payload: payload}, err}
}

func headRecord(b *block) entry {
	hash := b.Hash()
	return entry{kit.Record{Kind: recHead, Payload: hash[:]}, nil}
}

func txRecord(tx *types.Transaction) (entry, error) {
	payload, err := tx.MarshalBinary()
	return entry{kit.Record{Kind: recTx, Payload: payload}, nil}, err
}

// poolRecords say what waits now, whatever was said before.
func (c *Chain) poolRecords() ([]entry, error) {
	records := []entry{{kit.Record{Kind: recClear}, nil}}
	for _, waiting := range c.pool.list() {
		r, err := txRecord(waiting.tx)
		if err != nil {
			return nil, err
		}
		records = append(records, r)
	}
	return records, nil
}

// notePool writes what waits now.
func (c *Chain) notePool() error {
	records, err := c.poolRecords()
	if err != nil {
		return err
	}
	return c.note(records...)
}

// note writes records to the journal, all of them or none. After a failure nothing
// more is written, since what is in memory may be ahead of the journal: the chain
// stands still until it is opened again.
func (c *Chain) note(entries ...entry) error {
	if c.stuck == nil {
		c.stuck = c.write(entries)
	}
	return c.stuck
}

func (c *Chain) write(entries []entry) error {
	records := make([]kit.Record, len(entries))
	for i, e := range entries {
		if e.err != nil {
			return fmt.Errorf("journal: %w", e.err)
		}
		records[i] = e.Record
	}
	return c.journal.Append(records...)
}

// wellFormed says whether a record can be read at all.
func wellFormed(r kit.Record) bool {
	switch r.Kind {
	case recBlock:
		var stored storedBlock
		return rlp.DecodeBytes(r.Payload, &stored) == nil
	case recHead:
		return len(r.Payload) == common.HashLength
	case recTx:
		return new(types.Transaction).UnmarshalBinary(r.Payload) == nil
	case recClear:
		return len(r.Payload) == 0
	}
	return false
}

// restore opens the journal and repeats it.
func (c *Chain) restore(path string) (err error) {
	header := binary.BigEndian.AppendUint64([]byte(journalMagic), c.ChainID())
	header = append(header, c.head().Hash().Bytes()...) // of genesis
	var records []kit.Record
	if c.journal, records, err = kit.OpenJournal(path, header, wellFormed); err != nil {
		return err
	}
	var waiting []*types.Transaction
	for i, r := range records {
		if err := c.replay(r, &waiting); err != nil {
			return fmt.Errorf("replaying record %d: %w", i, err)
		}
	}
	for _, tx := range waiting {
		c.putBack(tx)
	}
	return c.refreshPool()
}

// replay repeats one record; waiting is what the pool was given.
func (c *Chain) replay(r kit.Record, waiting *[]*types.Transaction) error {
	switch r.Kind {
	case recBlock:
		var stored storedBlock
		if err := rlp.DecodeBytes(r.Payload, &stored); err != nil {
			return err
		}
		b, err := c.repeat(stored.Block, stored.Forced)
		if err != nil {
			return err
		}
		c.insert(b)
		return c.setHead(b)
	case recHead:
		b := c.byHash[common.Hash(r.Payload)]
		if b == nil {
			return fmt.Errorf("block %x is unknown", r.Payload)
		}
		return c.setHead(b)
	case recTx:
		tx := new(types.Transaction)
		if err := tx.UnmarshalBinary(r.Payload); err != nil {
			return err
		}
		*waiting = append(*waiting, tx)
	case recClear:
		*waiting = nil
	}
	return nil
}
