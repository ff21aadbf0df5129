package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"sync"
	"time"

	bolt "go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Errors of Open and Checkpoint.
var (
	// ErrFormat: the file was written by a newer version, or is no state file.
	ErrFormat = errors.New("state: format not supported")
	// ErrDamaged: the file contradicts itself. It is derived: delete it and
	// let the node derive it again from the base layer.
	ErrDamaged = errors.New("state: file is damaged")
	// ErrInUse: another process holds the file.
	ErrInUse = errors.New("state: file is in use by another process")
	// ErrReadOnly: the store was opened with OpenReadOnly.
	ErrReadOnly = errors.New("state: store is read-only")
	// ErrFrozen: Freeze was called. The file holds the last checkpoint.
	ErrFrozen = errors.New("state: the writer failed within a block; nothing is saved any more")
)

const (
	sectionTables = "tables"
	sectionBase   = "base"
)

// lockWait is how long Open waits for another process to let go of the file.
const lockWait = time.Second

// initialMap is how much address space a store takes from the start: 4 GiB, or
// 256 MiB where addresses have 32 bits.
const initialMap = 1 << (28 + 4*(^uint(0)>>63))

// growBy is how much a file that is full grows.
const growBy = 4 << 20

// DB is the store: two sections of tables, block history and small records.
type DB struct {
	mu       sync.RWMutex
	tables   *Section
	base     *Section
	history  history
	bolt     *bolt.DB // nil in memory
	durable  bool     // changes are collected for a checkpoint
	readOnly bool
	frozen   bool // under mu: no checkpoint any more

	flushing sync.Mutex // one checkpoint at a time
	unsaved  []*batch   // captured, not yet in the file
	log      rowLog     // of the file; under flushing
}

// Open opens the store at path, or one in memory when path is empty, and
// rebuilds rows, indexes and the state root. It fails with ErrInUse, ErrFormat
// or ErrDamaged.
func Open(path string) (*DB, error) {
	if path == "" {
		return newDB(), nil
	}
	return open(path, false)
}

// OpenReadOnly opens the file of a stopped node for reading. Tables may be
// written in memory, but never reach the file.
func OpenReadOnly(path string) (*DB, error) { return open(path, true) }

func newDB() *DB {
	db := &DB{}
	db.tables = newSection(db, sectionTables)
	db.base = newSection(db, sectionBase)
	db.history.init()
	db.log = rowLog{next: 1, slack: logSlack}
	return db
}

func open(path string, readOnly bool) (*DB, error) {
	var file *bolt.DB
	err := guard(func() (err error) {
		file, err = bolt.Open(path, 0o600, &bolt.Options{
			Timeout:      lockWait,
			ReadOnly:     readOnly,
			FreelistType: bolt.FreelistMapType,
			// Mapping anew while the file grows costs a checkpoint seconds.
			InitialMmapSize: initialMap,
		})
		if err == nil {
			file.AllocSize = growBy
		}
		return err
	})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("%w: %s", ErrInUse, path)
	case err != nil:
		var system *fs.PathError
		if errors.As(err, &system) {
			return nil, fmt.Errorf("state: open: %w", err)
		}
		return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, path, err)
	}
	db := newDB()
	db.bolt, db.durable, db.readOnly = file, !readOnly, readOnly
	db.history.bolt = file
	if err := db.load(); err != nil {
		file.Close()
		return nil, fmt.Errorf("%w (%s)", err, path)
	}
	return db, nil
}

// Tables is the section of the contract tables.
func (db *DB) Tables() *Section { return db.tables }

// Base is the section of the base layer's own rows.
func (db *DB) Base() *Section { return db.base }

// Lock is for the one writer; it is held for a whole block.
func (db *DB) Lock() { db.mu.Lock() }

// Unlock ends Lock.
func (db *DB) Unlock() { db.mu.Unlock() }

// RLock is for readers.
func (db *DB) RLock() { db.mu.RLock() }

// RUnlock ends RLock.
func (db *DB) RUnlock() { db.mu.RUnlock() }

// WriteTo writes a consistent copy of the file as of the last checkpoint. The
// store may be in use meanwhile. In memory it writes nothing.
func (db *DB) WriteTo(w io.Writer) (n int64, err error) {
	if db.bolt == nil {
		return 0, nil
	}
	err = db.bolt.View(func(tx *bolt.Tx) error {
		n, err = tx.WriteTo(w)
		return err
	})
	if err != nil {
		return n, fmt.Errorf("state: copy: %w", err)
	}
	return n, nil
}

// RowsStored is how many bytes the rows take in the file: those that count, and
// with older versions of them. It waits for a checkpoint that is being written.
func (db *DB) RowsStored() (live, all int) {
	db.flushing.Lock()
	defer db.flushing.Unlock()
	return db.log.live, db.log.bytes
}

// Close checkpoints, unless the store is frozen, and closes the file. It is
// called without a lock.
func (db *DB) Close() error {
	if db.bolt == nil {
		return nil
	}
	var err error
	if !db.readOnly {
		if err = db.Checkpoint(); errors.Is(err, ErrFrozen) {
			err = nil
		}
	}
	return errors.Join(err, db.bolt.Close())
}
