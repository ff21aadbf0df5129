package gateway

import (
	"errors"
	"fmt"

	"causeway/internal/boltfile"

	"go.etcd.io/bbolt"
)

// openBolt opens a database whose commits are durable. A file that another
// process holds is ErrHomeInUse.
func openBolt(path string, readOnly bool) (*bbolt.DB, error) {
	db, err := boltfile.Open(path, boltfile.Options{ReadOnly: readOnly})
	if errors.Is(err, boltfile.ErrInUse) {
		return nil, fmt.Errorf("%w: %w", ErrHomeInUse, err)
	}
	return db, err
}
