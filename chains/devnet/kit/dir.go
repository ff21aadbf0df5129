package kit

import (
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// Dir is a directory that belongs to this process alone.
type Dir struct {
	Path string
	temp bool
	lock *flock.Flock
}

// OpenDir makes the directory and locks it; an empty path is a temporary one,
// whose name begins with prefix and which Close removes. A directory that another
// process holds is an error.
func OpenDir(path, prefix string) (*Dir, error) {
	d := &Dir{Path: path}
	if path == "" {
		var err error
		if d.Path, err = os.MkdirTemp("", prefix); err != nil {
			return nil, err
		}
		d.temp = true
	}
	if err := os.MkdirAll(d.Path, 0o700); err != nil {
		return nil, err
	}
	lock := flock.New(filepath.Join(d.Path, "lock"))
	switch ok, err := lock.TryLock(); {
	case err != nil:
		return nil, err
	case !ok:
		return nil, fmt.Errorf("%s is in use by another process", d.Path)
	}
	d.lock = lock
	return d, nil
}

// Close unlocks the directory, and removes a temporary one.
func (d *Dir) Close() error {
	var err error
	if d.temp {
		err = os.RemoveAll(d.Path)
	}
	return errors.Join(err, d.lock.Unlock())
}

// ListenLoopback listens on host:port, or on a free port of 127.0.0.1 when addr is
// empty. It refuses to listen where other machines could reach it.
func ListenLoopback(addr string) (net.Listener, error) {
	if addr == "" {
		addr = "127.0.0.1:0"
	}
	host, _, err := net.SplitHostPort(addr)
	if err != nil {
		return nil, err
	}
	if ip := net.ParseIP(host); host != "localhost" && (ip == nil || !ip.IsLoopback()) {
		return nil, fmt.Errorf("listen address %s is not a loopback address", addr)
	}
	return net.Listen("tcp", addr)
}
