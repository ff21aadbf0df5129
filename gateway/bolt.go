package gateway

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"runtime/debug"
	"time"

	"go.etcd.io/bbolt"
	berrors "go.etcd.io/bbolt/errors"
)

// errBolt says that a file is no whole database.
var errBolt = errors.New("the file is damaged")

// openBolt opens a database whose commits are durable. A file that another
// process holds is ErrHomeInUse, one that was cut short or altered errBolt.
func openBolt(path string, readOnly bool) (*bbolt.DB, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > 0 {
		if err := checkBolt(path, info.Size()); err != nil {
			return nil, err
		}
	} else if err != nil && (readOnly || !errors.Is(err, fs.ErrNotExist)) {
		return nil, err
	}
	return tryBolt(path, readOnly)
}

func tryBolt(path string, readOnly bool) (*bbolt.DB, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: time.Second, ReadOnly: readOnly, FreelistType: bbolt.FreelistMapType})
	switch {
	case errors.Is(err, berrors.ErrTimeout):
		return nil, ErrHomeInUse
	case errors.Is(err, berrors.ErrInvalid), errors.Is(err, berrors.ErrChecksum), errors.Is(err, berrors.ErrVersionMismatch):
		return nil, fmt.Errorf("%w: %w", errBolt, err)
	}
	return db, err
}

// checkBolt finds a file shorter than its head says: to read its missing pages
// would kill the process.
func checkBolt(path string, size int64) error {
	db, err := tryBolt(path, true)
	if err != nil {
		return err
	}
	defer db.Close()
	return db.View(func(tx *bbolt.Tx) error {
		if tx.Size() > size {
			return fmt.Errorf("%w: %d bytes, its head speaks of %d", errBolt, size, tx.Size())
		}
		return nil
	})
}

// guarded turns what an altered page does to the database's code, a panic or a
// fault of the memory map, into errBolt.
func guarded(f func() error) (err error) {
	defer debug.SetPanicOnFault(debug.SetPanicOnFault(true))
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("%w: %v", errBolt, p)
		}
	}()
	return f()
}
