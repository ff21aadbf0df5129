package state

import (
	"encoding/binary"
	"slices"
	"sort"
	"strings"
	"sync"

	bolt "go.etcd.io/bbolt"
)

// TxRef says where a transaction stands.
type TxRef struct {
	ID    string
	Block uint64
	Index int
}

// Bounds of TxPrefix: shorter prefixes find nothing, more matches are left out.
const (
	MinTxPrefix   = 8
	MaxTxPrefixed = 1000
)

// history is the blocks, the places of transactions and small records. What no
// checkpoint has flushed is in memory, small records always are. It has its own
// lock, so that its readers never wait for a block.
type history struct {
	mu     sync.RWMutex
	bolt   *bolt.DB
	blocks map[uint64][]byte
	txs    map[string]TxRef
	fresh  [][]TxRef // blocks whose transactions are not in txs yet: nobody asked
	meta   map[string][]byte

	newBlocks []uint64  // not yet captured, nor below
	newTxs    [][]TxRef // a block each
	newMeta   map[string]bool
}

func (h *history) init() {
	h.blocks = make(map[uint64][]byte)
	h.txs = make(map[string]TxRef)
	h.meta = make(map[string][]byte)
	h.newMeta = make(map[string]bool)
}

// SetMeta stores a small record; nil deletes it.
func (db *DB) SetMeta(key string, val []byte) {
	h := &db.history
	h.mu.Lock()
	defer h.mu.Unlock()
	if val == nil {
		delete(h.meta, key)
	} else {
		h.meta[key] = slices.Clone(val)
	}
	h.newMeta[key] = true
}

// Meta returns a small record, nil when there is none. The caller must not
// change it.
func (db *DB) Meta(key string) []byte {
	h := &db.history
	h.mu.RLock()
	defer h.mu.RUnlock()
	return h.meta[key]
}

// AppendBlock stores the document of a block and the places of its
// transactions: index i for txids[i]. It is visible at once. doc belongs to the
// store from now on.
func (db *DB) AppendBlock(number uint64, doc []byte, txids []string) {
	h := &db.history
	h.mu.Lock()
	defer h.mu.Unlock()
	h.blocks[number] = doc
	if db.durable {
		h.newBlocks = append(h.newBlocks, number)
	}
	refs := make([]TxRef, len(txids))
	for i, id := range txids {
		refs[i] = TxRef{ID: id, Block: number, Index: i}
	}
	h.fresh = append(h.fresh, refs)
	if db.durable {
		h.newTxs = append(h.newTxs, refs)
	}
}

// rlock is mu.RLock with all transactions in txs: who replays a chain does not
// pay for questions that nobody asks.
func (h *history) rlock() {
	h.mu.RLock()
	for len(h.fresh) > 0 {
		h.mu.RUnlock()
		h.mu.Lock()
		for _, refs := range h.fresh {
			for _, ref := range refs {
				h.txs[ref.ID] = ref
			}
		}
		h.fresh = nil
		h.mu.Unlock()
		h.mu.RLock()
	}
}

// Block returns the document of a block. The caller must not change it.
func (db *DB) Block(number uint64) (doc []byte, ok bool) {
	h := &db.history
	h.mu.RLock()
	defer h.mu.RUnlock()
	if doc, ok := h.blocks[number]; ok || h.bolt == nil {
		return doc, ok
	}
	h.view(func(tx *bolt.Tx) {
		if v := tx.Bucket(bucketBlocks).Get(blockKey(number)); v != nil {
			doc, ok = slices.Clone(v), true
		}
	})
	return doc, ok
}

// Tx returns the block of a transaction and its place in it.
func (db *DB) Tx(id string) (block uint64, index int, ok bool) {
	h := &db.history
	h.rlock()
	defer h.mu.RUnlock()
	ref, ok := h.txs[id]
	if !ok && h.bolt != nil && id != "" {
		h.view(func(tx *bolt.Tx) { ref, ok = fileTx(tx, id) })
	}
	return ref.Block, ref.Index, ok
}

// TxPrefix lists transactions whose id starts with prefix, by block and place.
func (db *DB) TxPrefix(prefix string) []TxRef {
	if len(prefix) < MinTxPrefix {
		return nil
	}
	h := &db.history
	h.rlock()
	defer h.mu.RUnlock()
	var refs []TxRef
	for id, ref := range h.txs {
		if strings.HasPrefix(id, prefix) {
			refs = append(refs, ref)
		}
	}
	if h.bolt != nil {
		h.view(func(tx *bolt.Tx) { refs = fileTxs(tx, refs, prefix) })
	}
	sort.Slice(refs, func(i, j int) bool {
		a, b := refs[i], refs[j]
		return a.Block < b.Block || a.Block == b.Block && a.Index < b.Index
	})
	return slices.Compact(refs[:min(len(refs), MaxTxPrefixed)])
}

// view reads the file. Reading fails only when the file has been damaged under
// the running process; then nothing is found.
func (h *history) view(read func(tx *bolt.Tx)) {
	_ = guard(func() error {
		return h.bolt.View(func(tx *bolt.Tx) error {
			read(tx)
			return nil
		})
	})
}

func blockKey(number uint64) []byte { return binary.BigEndian.AppendUint64(nil, number) }
