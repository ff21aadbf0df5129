package remote

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"runtime"
)

// maxAddress is the longest path that every system takes as the address of a
// unix socket.
const maxAddress = 100

// Listen serves a unix socket at path that only its owner can connect to. A
// socket that is there is replaced: whoever holds the signer's journal is alone.
func Listen(path string) (net.Listener, error) {
	// In a directory of its own, so that it is never there with other permissions.
	dir, err := os.MkdirTemp(filepath.Dir(path), ".signer-")
	if err != nil {
		return nil, fmt.Errorf("signer socket: %w", err)
	}
	defer os.RemoveAll(dir)
	made := filepath.Join(dir, "s")
	var l *net.UnixListener
	err = withAddress(made, func(address string) (err error) {
		l, err = net.ListenUnix("unix", &net.UnixAddr{Name: address, Net: "unix"})
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("signer socket: %w", err)
	}
	l.SetUnlinkOnClose(false)
	if err := errors.Join(os.Chmod(made, 0o600), os.Rename(made, path)); err != nil {
		return nil, errors.Join(fmt.Errorf("signer socket: %w", err), l.Close())
	}
	return &listener{UnixListener: l, path: path}, nil
}

// listener takes its file away when it is closed.
type listener struct {
	*net.UnixListener
	path string
}

// Close implements net.Listener.
func (l *listener) Close() error {
	err := l.UnixListener.Close()
	if errors.Is(err, net.ErrClosed) {
		return err
	}
	if removed := os.Remove(l.path); !errors.Is(removed, fs.ErrNotExist) {
		err = errors.Join(err, removed)
	}
	return err
}

// dial connects to a socket.
func dial(ctx context.Context, path string) (conn net.Conn, err error) {
	err = withAddress(path, func(address string) (err error) {
		conn, err = new(net.Dialer).DialContext(ctx, "unix", address)
		return err
	})
	return conn, err
}

// withAddress gives f an address for a path. One that is too long is reached
// through its directory, where the system has a way to do that.
func withAddress(path string, f func(address string) error) error {
	if len(path) <= maxAddress || runtime.GOOS != "linux" {
		return f(path)
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer dir.Close()
	return f(fmt.Sprintf("/proc/self/fd/%d/%s", dir.Fd(), filepath.Base(path)))
}

// Private says whether nobody but the owner can connect to the socket at a path.
func Private(path string) error {
	info, err := os.Lstat(path)
	switch {
	case err != nil:
		return err
	case info.Mode()&fs.ModeSocket == 0:
		return fmt.Errorf("%s is no socket", path)
	case info.Mode().Perm()&0o077 != 0:
		return fmt.Errorf("%s is open to others: its mode is %s", path, info.Mode().Perm())
	}
	return nil
}
