package state

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"slices"
	"strconv"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// batch is what one checkpoint writes: the difference between two whole blocks.
type batch struct {
	tables []tableBatch
	defs   []pair
	meta   []pair
	blocks []pair
	txs    []TxRef
	root   Hash
	digest Hash // of all definitions and sequences

	numbers []uint64 // of blocks
}

type tableBatch struct {
	section, table string
	rows           []pair
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
	digest := sha256.New()
	for _, s := range []*Section{db.tables, db.base} {
		for _, name := range s.TableNames() {
			t := s.tables[name]
			if len(t.toDisk) > 0 {
				b.tables = append(b.tables, tableBatch{s.name, name, t.captureRows()})
			}
			record, _ := json.Marshal(tableRecord{t.def, t.seq, t.names.names}) // strings and numbers
			digest.Write(defKey(s, name))
			digest.Write(record)
			if t.seqDisk {
				t.seqDisk = false
				b.defs = append(b.defs, pair{defKey(s, name), record})
			}
		}
	}
	db.history.capture(b)
	if len(b.tables)+len(b.defs)+len(b.meta)+len(b.blocks) == 0 {
		return nil, nil
	}
	digest.Sum(b.digest[:0])
	b.root, _ = db.LastRoot()
	return b, nil
}

func (t *Table) captureRows() []pair {
	rows := make([]pair, 0, len(t.toDisk))
	known := len(t.names.names)
	for _, e := range t.toDisk {
		e.inDisk = false
		p := pair{key: []byte(e.key)}
		if e.row != nil {
			p.value = t.names.appendRow(make([]byte, 0, 160), e.row)
		} else {
			t.section.purge = append(t.section.purge, change{t, e})
		}
		rows = append(rows, p)
	}
	t.toDisk = nil
	if len(t.names.names) > known {
		t.changedDef()
	}
	slices.SortFunc(rows, func(a, b pair) int { return bytes.Compare(a.key, b.key) })
	return rows
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
	for _, t := range b.tables {
		section, err := tx.CreateBucketIfNotExists([]byte(t.section))
		if err != nil {
			return err
		}
		rows, err := section.CreateBucketIfNotExists([]byte(t.table))
		if err != nil {
			return err
		}
		rows.FillPercent = 0.8
		if err := putAll(rows, t.rows); err != nil {
			return fmt.Errorf("table %s: %w", t.table, err)
		}
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
	if err := b.flushTxs(tx.Bucket(bucketTxs)); err != nil {
		return err
	}
	return putAll(tx.Bucket(bucketFormat), []pair{
		{keyVersion, []byte(strconv.Itoa(formatVersion))},
		{keyRoot, b.root[:]},
		{keyDefs, b.digest[:]},
	})
}

// flushTxs adds the transactions to the newest generation, or to a new one when
// they would not fit: then they are written in order, page by page.
func (b *batch) flushTxs(generations *bolt.Bucket) error {
	if len(b.txs) == 0 {
		return nil
	}
	number := uint32(0)
	last, _ := generations.Cursor().Last()
	if last != nil {
		number = binary.BigEndian.Uint32(last)
		if have := generations.Bucket(last).Sequence(); have > 0 && have+uint64(len(b.txs)) > generationSize {
			number++
		}
	}
	txs, err := generations.CreateBucketIfNotExists(binary.BigEndian.AppendUint32(nil, number))
	if err != nil {
		return err
	}
	if txs.Sequence() == 0 {
		txs.FillPercent = 0.9
	}
	refs := slices.Clone(b.txs)
	slices.SortFunc(refs, func(x, y TxRef) int {
		return cmp.Or(strings.Compare(x.ID, y.ID), cmp.Compare(x.Block, y.Block), cmp.Compare(x.Index, y.Index))
	})
	pairs := make([]pair, len(refs))
	var buf []byte // cut up as it grows; what was cut stays where it is
	for i, ref := range refs {
		start := len(buf)
		buf = append(buf, ref.ID...)
		middle := len(buf)
		buf = appendTxValue(buf, ref)
		pairs[i] = pair{buf[start:middle:middle], buf[middle:len(buf):len(buf)]}
	}
	if err := putAll(txs, pairs); err != nil {
		return err
	}
	return txs.SetSequence(txs.Sequence() + uint64(len(pairs)))
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

func defKey(s *Section, table string) []byte { return []byte(s.name + "/" + table) }
