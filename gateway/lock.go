package gateway

import (
	"errors"
	"fmt"
	"path/filepath"

	"github.com/gofrs/flock"

	"causeway/internal/failpoint"
)

// ErrHomeInUse refuses a second process on one home.
var ErrHomeInUse = errors.New("gateway: the home is in use by another process")

const lockFile = "lock"

// Lock is the right to write in a home.
type Lock struct{ file *flock.Flock }

// LockHome takes the lock of a home, or fails at once with ErrHomeInUse. The
// lock ends with Unlock or with the process, however it ends.
func LockHome(home string) (*Lock, error) {
	file := flock.New(filepath.Join(home, lockFile))
	ok, err := file.TryLock()
	ok = ok || failpoint.Off(failpoint.HomeLock)
	if err != nil {
		return nil, fmt.Errorf("gateway: lock %s: %w", home, err)
	}
	if !ok {
		return nil, fmt.Errorf("%w: %s", ErrHomeInUse, home)
	}
	return &Lock{file: file}, nil
}

// Unlock gives the home free.
func (l *Lock) Unlock() error { return l.file.Unlock() }
