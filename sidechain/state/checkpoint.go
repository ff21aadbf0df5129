package state

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"

	bolt "go.etcd.io/bbolt"
)

// batch is what one checkpoint writes: the difference between two whole blocks.
// It is captured under the lock and encoded without one.
type batch struct {
	tables   []tableCapture
	segments []pair
	cleaned  []uint32 // segments to delete
	defs     []pair
	meta     []pair
	blocks   []pair
	txs      []TxRef
	run      txRun
	odd      []TxRef
	root     Hash
	digest   Hash // of all definitions and sequences

	numbers []uint64 // of blocks
}

// pair is a key and its value; nil deletes.
type pair struct {
	key, value []byte
}

// Checkpoint writes everything that changed since the last one in one
// transaction: afterwards the file holds the state of the last whole block. It
// takes the read lock by itself while it copies (the write lock when Root was
// not called since the last write), and none while it writes and syncs; so it
// may run beside the writer, but must not be called under a lock. After an
// error the next call tries again with the same and the newer changes; after
// Freeze it fails with ErrFrozen.
func (db *DB) Checkpoint() error {
	if db.bolt == nil {
		return nil
	}
	if db.readOnly {
		return ErrReadOnly
	}
	db.flushing.Lock()
	defer db.flushing.Unlock()
	b, err := db.takeBatch()
	if err != nil {
		return err
	}
	if b != nil {
		b.encode(&db.log)
		db.unsaved = append(db.unsaved, b)
	}
	if len(db.unsaved) == 0 {
		return nil
	}
	err = guard(func() error {
		return db.bolt.Update(func(tx *bolt.Tx) error {
			for _, b := range db.unsaved {
				if err := b.flush(tx); err != nil {
					return err
				}
			}
			return nil
		})
	})
	if err != nil {
		return fmt.Errorf("state: checkpoint: %w", err)
	}
	for _, b := range db.unsaved {
		db.history.flushed(b)
	}
	db.unsaved = nil
	return nil
}

// Freeze ends the checkpoints for good: the writer could not finish a block,
// and what is in memory may not reach the file. It is called under Lock.
func (db *DB) Freeze() { db.frozen = true }

// takeBatch captures the changes between two blocks, nil when there are none.
func (db *DB) takeBatch() (*batch, error) {
	db.mu.RLock()
	if db.frozen || db.tables.clean() && db.base.clean() {
		defer db.mu.RUnlock()
		return db.capture()
	}
	db.mu.RUnlock()
	db.mu.Lock()
	defer db.mu.Unlock()
	db.Root()
	return db.capture()
}

func (db *DB) capture() (*batch, error) {
	if db.frozen {
		return nil, ErrFrozen
	}
	b := &batch{}
	changed := db.history.changed()
	for _, s := range []*Section{db.tables, db.base} {
		for _, name := range s.TableNames() {
			t := s.tables[name]
			b.tables = append(b.tables, tableCapture{table: t, record: tableRecord{TableDef: t.def, Sequence: t.seq}, changed: t.seqDisk})
			changed = changed || t.seqDisk || len(t.toDisk) > 0
		}
	}
	if !changed {
		return nil, nil
	}
	if err := guard(func() error { return db.log.clean(db, b) }); err != nil {
		return nil, err
	}
	for i := range b.tables {
		c := &b.tables[i]
		c.table.seqDisk = false
		c.versions = append(c.versions, c.table.capture()...)
	}
	db.history.capture(b)
	b.root, _ = db.LastRoot()
	return b, nil
}

// encode makes of what was captured what the file holds.
func (b *batch) encode(log *rowLog) {
	w := segmentWriter{log: log}
	digest := sha256.New()
	for i := range b.tables {
		c := &b.tables[i]
		known := len(c.table.names.names)
		for _, v := range c.versions {
			w.add(c.table, v)
		}
		c.record.Names = c.table.names.names
		record, _ := json.Marshal(c.record) // strings and numbers
		key := []byte(c.table.path())
		digest.Write(key)
		digest.Write(record)
		if c.changed || len(c.record.Names) > known {
			b.defs = append(b.defs, pair{key, record})
		}
	}
	w.cut()
	b.segments, b.tables = w.out, nil
	b.run, b.odd = newTxRun(b.txs)
	digest.Sum(b.digest[:0])
}

// changed says whether there is something to capture.
func (h *history) changed() bool {
	h.mu.RLock()
	defer h.mu.RUnlock()
	return len(h.newBlocks)+len(h.newMeta) > 0
}

func (h *history) capture(b *batch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range h.newBlocks {
		b.blocks = append(b.blocks, pair{blockKey(n), h.blocks[n]})
		b.numbers = append(b.numbers, n)
	}
	b.txs = slices.Concat(h.newTxs...)
	h.newBlocks, h.newTxs = nil, nil
	keys := make([]string, 0, len(h.newMeta))
	for key := range h.newMeta {
		keys = append(keys, key)
	}
	slices.Sort(keys)
	for _, key := range keys {
		b.meta = append(b.meta, pair{[]byte(key), h.meta[key]})
	}
	clear(h.newMeta)
}

// flushed drops from memory what the file now holds.
func (h *history) flushed(b *batch) {
	h.mu.Lock()
	defer h.mu.Unlock()
	for _, n := range b.numbers {
		delete(h.blocks, n)
	}
	h.fresh = slices.DeleteFunc(h.fresh, func(refs []TxRef) bool {
		if len(refs) == 0 {
			return true
		}
		_, unsaved := h.blocks[refs[0].Block]
		return !unsaved
	})
	if len(h.txs) == 0 {
		return
	}
	for _, ref := range b.txs {
		delete(h.txs, ref.ID)
	}
}

func (b *batch) flush(tx *bolt.Tx) error {
	rows := tx.Bucket(bucketRows)
	rows.FillPercent = 1 // numbers ascend
	for _, number := range b.cleaned {
		if err := rows.Delete(segmentKey(number)); err != nil {
			return err
		}
	}
	if err := putAll(rows, b.segments); err != nil {
		return err
	}
	if err := putAll(tx.Bucket(bucketDefs), b.defs); err != nil {
		return err
	}
	if err := putAll(tx.Bucket(bucketMeta), b.meta); err != nil {
		return err
	}
	blocks := tx.Bucket(bucketBlocks)
	blocks.FillPercent = 1 // numbers ascend
	if err := putAll(blocks, b.blocks); err != nil {
		return err
	}
	if err := b.run.put(tx.Bucket(bucketTxs)); err != nil {
		return err
	}
	for _, ref := range b.odd {
		if err := tx.Bucket(bucketOddTxs).Put([]byte(ref.ID), appendOddTx(nil, ref)); err != nil {
			return err
		}
	}
	return putAll(tx.Bucket(bucketFormat), []pair{
		{keyVersion, []byte(strconv.Itoa(formatVersion))},
		{keyRoot, b.root[:]},
		{keyDefs, b.digest[:]},
	})
}

func putAll(bucket *bolt.Bucket, pairs []pair) error {
	for _, p := range pairs {
		if p.value == nil {
			if err := bucket.Delete(p.key); err != nil {
				return err
			}
			continue
		}
		if err := bucket.Put(p.key, p.value); err != nil {
			return err
		}
	}
	return nil
}
