package solo

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"sync"

	bolt "go.etcd.io/bbolt"

	"causeway/internal/boltfile"
	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
)

// Errors of the store.
var (
	// ErrCorrupt: base.db contradicts itself. It cannot be rebuilt: restore it
	// from a backup or another node.
	ErrCorrupt = errors.New("solo: base.db is damaged")
	// ErrStoreFormat: the file was written by a newer version, or is no base.db.
	ErrStoreFormat = errors.New("solo: base.db has a format that this version does not know")
	// ErrOtherChain: the file belongs to a network with another genesis.
	ErrOtherChain = errors.New("solo: base.db belongs to another chain")
	// ErrStoreInUse: another process holds the file.
	ErrStoreInUse = errors.New("solo: base.db is in use by another process")
)

// Layout of the file: bucket meta {version, chain, and between two blocks the
// candidate}; bucket blocks, 8-byte
// big-endian number -> record; bucket transactions, 20-byte id -> 8-byte
// number, 4-byte index. A record is its version (1 byte), SHA-256(number ||
// block) cut to 16 bytes, and the block in Hive's binary form.
var (
	bucketMeta         = []byte("meta")
	bucketBlocks       = []byte("blocks")
	bucketTransactions = []byte("transactions")
	keyVersion         = []byte("version")
	keyChain           = []byte("chain")
)

const (
	storeVersion  = 1
	recordVersion = 1
	checksumSize  = 16
	recordHead    = 1 + checksumSize
	tailChecked   = 128 // newest blocks that Open checks
)

// Store is base.db: the signed blocks, append-only. One goroutine appends, any
// number read.
type Store struct {
	db *bolt.DB

	mu        sync.RWMutex
	number    uint64
	id        string
	timestamp string
}

// StoreOptions are the ways to open a store.
type StoreOptions struct {
	ReadOnly bool // of a stopped node
	// NoSync leaves out fsync: for benchmarks and throw-away networks only.
	NoSync bool
}

// OpenStore opens or creates the blocks of the chain with that id and checks
// the newest of them.
func OpenStore(path string, chainID [32]byte, opt StoreOptions) (*Store, error) {
	var db *bolt.DB
	err := guarded(func() (err error) {
		db, err = boltfile.Open(path, boltfile.Options{ReadOnly: opt.ReadOnly, NoSync: opt.NoSync})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("solo: open: %w", err)
	}
	s := &Store{db: db}
	err = s.load(chainID, opt.ReadOnly)
	if err == nil {
		_, err = s.Candidate()
	}
	if err != nil {
		db.Close()
		return nil, err
	}
	return s, nil
}

// guarded gives what boltfile finds wrong with the file our names.
func guarded(f func() error) error {
	err := boltfile.Guard(f)
	switch {
	case errors.Is(err, boltfile.ErrInUse):
		return fmt.Errorf("%w: %w", ErrStoreInUse, err)
	case errors.Is(err, boltfile.ErrDamaged):
		return fmt.Errorf("%w: %w", ErrCorrupt, err)
	}
	return err
}

func (s *Store) load(chainID [32]byte, readOnly bool) error {
	return guarded(func() error {
		if !readOnly {
			if err := s.db.Update(func(tx *bolt.Tx) error { return createBuckets(tx, chainID) }); err != nil {
				return err
			}
		}
		return s.db.View(func(tx *bolt.Tx) error {
			if err := checkMeta(tx, chainID); err != nil {
				return err
			}
			return s.checkTail(tx)
		})
	})
}

func createBuckets(tx *bolt.Tx, chainID [32]byte) error {
	if tx.Bucket(bucketMeta) != nil {
		return nil
	}
	if name, _ := tx.Cursor().First(); name != nil {
		return ErrStoreFormat
	}
	for _, name := range [][]byte{bucketMeta, bucketBlocks, bucketTransactions} {
		if _, err := tx.CreateBucket(name); err != nil {
			return err
		}
	}
	meta := tx.Bucket(bucketMeta)
	if err := meta.Put(keyVersion, []byte{storeVersion}); err != nil {
		return err
	}
	return meta.Put(keyChain, chainID[:])
}

func checkMeta(tx *bolt.Tx, chainID [32]byte) error {
	meta := tx.Bucket(bucketMeta)
	if meta == nil || tx.Bucket(bucketBlocks) == nil || tx.Bucket(bucketTransactions) == nil ||
		!bytes.Equal(meta.Get(keyVersion), []byte{storeVersion}) {
		return ErrStoreFormat
	}
	if chain := meta.Get(keyChain); !bytes.Equal(chain, chainID[:]) {
		return fmt.Errorf("%w: its chain id is %x, not %x", ErrOtherChain, chain, chainID)
	}
	return nil
}

// checkTail walks back from the newest block and sets the head.
func (s *Store) checkTail(tx *bolt.Tx) error {
	c := tx.Bucket(bucketBlocks).Cursor()
	key, record := c.Last()
	want := graphene.BlockID{}.String()
	s.id = want
	var n uint64
	for i := 0; key != nil && i < tailChecked; i++ {
		b, err := readRecord(key, record)
		if err != nil {
			return err
		}
		switch {
		case i == 0:
			s.number, s.id, s.timestamp = b.Number, b.ID, b.Timestamp
		case b.ID != want || b.Number != n-1:
			return fmt.Errorf("%w: block %d is not the parent of block %d", ErrCorrupt, b.Number, n)
		}
		want, n = b.Previous, b.Number
		key, record = c.Prev()
	}
	if key == nil && (n > 1 || (n == 1 && want != graphene.BlockID{}.String())) {
		return fmt.Errorf("%w: its first block is %d, which follows %s", ErrCorrupt, n, want)
	}
	return nil
}

func leafOf(b []byte) [32]byte { return sha256.Sum256(b) }

func blockKey(n uint64) []byte { return binary.BigEndian.AppendUint64(nil, n) }

func makeRecord(key, raw []byte) []byte {
	sum := sha256.Sum256(append(append([]byte(nil), key...), raw...))
	return append(append([]byte{recordVersion}, sum[:checksumSize]...), raw...)
}

// readRecord checks and decodes; the result keeps nothing of record.
func readRecord(key, record []byte) (*base.Block, error) {
	if len(key) != 8 || len(record) < recordHead {
		return nil, fmt.Errorf("%w: record of %d bytes at key %x", ErrCorrupt, len(record), key)
	}
	n := binary.BigEndian.Uint64(key)
	if record[0] != recordVersion {
		return nil, fmt.Errorf("%w: record version %d of block %d", ErrStoreFormat, record[0], n)
	}
	raw := bytes.Clone(record[recordHead:])
	if !bytes.Equal(makeRecord(key, raw), record) {
		return nil, fmt.Errorf("%w: checksum of block %d does not match", ErrCorrupt, n)
	}
	b, _, err := decodeBlock(raw)
	if err != nil {
		return nil, fmt.Errorf("%w: block %d: %w", ErrCorrupt, n, err)
	}
	if b.Number != n {
		return nil, fmt.Errorf("%w: block %d stands in the place of block %d", ErrCorrupt, b.Number, n)
	}
	return b, nil
}

// Append stores the next block durably, in place of the candidate: when it
// returns, the block survives a power failure.
func (s *Store) Append(b *base.Block) error {
	number, id, _ := s.Head()
	if b.Number != number+1 || b.Previous != id || len(b.Raw) == 0 {
		return fmt.Errorf("%w: block %d after %s cannot follow block %d, %s", ErrInvalidBlock, b.Number, b.Previous, number, id)
	}
	err := s.db.Update(func(tx *bolt.Tx) error {
		if err := tx.Bucket(bucketMeta).Delete(keyCandidate); err != nil {
			return err
		}
		key, blocks := blockKey(b.Number), tx.Bucket(bucketBlocks)
		blocks.FillPercent = 0.95 // keys only grow
		if err := blocks.Put(key, makeRecord(key, b.Raw)); err != nil {
			return err
		}
		index := tx.Bucket(bucketTransactions)
		for i, t := range b.Transactions {
			id, err := hex.DecodeString(t.ID)
			if err != nil {
				return err
			}
			if err := index.Put(id, binary.BigEndian.AppendUint32(blockKey(b.Number), uint32(i))); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("solo: store block %d: %w", b.Number, err)
	}
	s.mu.Lock()
	s.number, s.id, s.timestamp = b.Number, b.ID, b.Timestamp
	s.mu.Unlock()
	return nil
}

// Head is the newest block: number 0, 40 zeros and no time before block 1.
func (s *Store) Head() (number uint64, id, timestamp string) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.number, s.id, s.timestamp
}

// HeadHeader is the signed header of the newest block, nil before block 1:
// where a careful signer begins.
func (s *Store) HeadHeader() (*graphene.SignedHeader, error) {
	number, _, _ := s.Head()
	if number == 0 {
		return nil, nil
	}
	b, ok, err := s.Block(number)
	if err != nil || !ok {
		return nil, errors.Join(err, ErrCorrupt)
	}
	return graphene.DecodeSignedHeader(b.Raw)
}

// Block reads a block; false when there is none of that number.
func (s *Store) Block(number uint64) (*base.Block, bool, error) {
	var b *base.Block
	err := guarded(func() error {
		return s.db.View(func(tx *bolt.Tx) (err error) {
			key := blockKey(number)
			if record := tx.Bucket(bucketBlocks).Get(key); record != nil {
				b, err = readRecord(key, record)
			}
			return err
		})
	})
	return b, b != nil && err == nil, err
}

// Transaction finds the block of a transaction id of 40 hex digits and its
// place therein.
func (s *Store) Transaction(id string) (block uint64, index int, ok bool) {
	key, err := hex.DecodeString(id)
	if err != nil {
		return 0, 0, false
	}
	err = guarded(func() error {
		return s.db.View(func(tx *bolt.Tx) error {
			if v := tx.Bucket(bucketTransactions).Get(key); len(v) == 12 {
				block, index, ok = binary.BigEndian.Uint64(v), int(binary.BigEndian.Uint32(v[8:])), true
			}
			return nil
		})
	})
	return block, index, ok && err == nil
}

// WriteTo writes a consistent copy of the file, also while it is in use.
func (s *Store) WriteTo(w io.Writer) (n int64, err error) {
	err = s.db.View(func(tx *bolt.Tx) error {
		n, err = tx.WriteTo(w)
		return err
	})
	return n, err
}

// Close closes the file.
func (s *Store) Close() error { return s.db.Close() }
