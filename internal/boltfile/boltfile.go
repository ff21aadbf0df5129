package boltfile

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// Errors of Open and Guard.
var (
	// ErrDamaged: the file is no whole database.
	ErrDamaged = errors.New("the file is damaged")
	// ErrInUse: another process holds the file.
	ErrInUse = errors.New("the file is in use by another process")
)

// Options are the ways to open a file.
type Options struct {
	ReadOnly bool
	// NoSync leaves out fsync: commits are not durable.
	NoSync bool
}

// Open opens or creates a database. It waits a second for another process to
// let go of the file. A new file is there after a power cut too.
func Open(path string, o Options) (*bbolt.DB, error) {
	info, err := os.Stat(path)
	switch {
	case err == nil && info.Size() > 0:
		if err := checkLength(path, info.Size()); err != nil {
			return nil, err
		}
	case err != nil && (o.ReadOnly || !errors.Is(err, fs.ErrNotExist)):
		return nil, err
	}
	isNew := err != nil
	db, err := open(path, o)
	if err == nil && isNew && !o.NoSync {
		if err = SyncDirectory(filepath.Dir(path)); err != nil {
			return nil, errors.Join(err, db.Close())
		}
	}
	return db, err
}

// SyncDirectory makes the names in a directory durable: bbolt syncs the file
// alone.
func SyncDirectory(path string) error {
	dir, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(dir.Sync(), dir.Close())
}

func open(path string, o Options) (db *bbolt.DB, err error) {
	err = Guard(func() (err error) {
		db, err = bbolt.Open(path, 0o600, &bbolt.Options{
			Timeout: time.Second, ReadOnly: o.ReadOnly, NoSync: o.NoSync, FreelistType: bbolt.FreelistMapType,
		})
		return err
	})
	var system *fs.PathError
	switch {
	case err == nil:
		return db, nil
	case errors.Is(err, berrors.ErrTimeout):
		return nil, fmt.Errorf("%w: %s", ErrInUse, path)
	case errors.As(err, &system), errors.Is(err, ErrDamaged):
		return nil, err
	}
	return nil, fmt.Errorf("%w: %s: %w", ErrDamaged, path, err)
}

// checkLength finds a file that is shorter than its head says.
func checkLength(path string, size int64) error {
	db, err := open(path, Options{ReadOnly: true})
	if err != nil {
		return err
	}
	defer db.Close()
	return Guard(func() error {
		return db.View(func(tx *bbolt.Tx) error {
			if tx.Size() > size {
				return fmt.Errorf("%w: %s: %d bytes, its head speaks of %d", ErrDamaged, path, size, tx.Size())
			}
			return nil
		})
	})
}

// Guard turns what an altered page does to bbolt's code, a panic or a fault of
// the memory map, into ErrDamaged.
func Guard(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", ErrDamaged, p)
		}
	}()
	return f()
}
