package nodetest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/gofrs/flock"
)

// binary is a program that a node runs.
type binary struct {
	name    string // in PATH
	version string // that it must say of itself; empty: any
	env     string // variable that names the file
	// build writes the program to a path; nil: it must be installed.
	build func(path string) *exec.Cmd
}

// Versions that are built, and looked for in PATH.
const (
	btcdVersion = "v0.26.2"
	bchdVersion = "v0.21.1"
)

var (
	btcd = binary{name: "btcd", version: btcdVersion, env: "CAUSEWAY_BTCD", build: func(path string) *exec.Cmd {
		cmd := exec.Command("go", "install", "github.com/btcsuite/btcd@"+btcdVersion)
		cmd.Dir = filepath.Dir(path) // outside any module
		cmd.Env = append(os.Environ(), "GOBIN="+filepath.Dir(path), "GOFLAGS=")
		return cmd
	}}
	// bchd cannot be installed by its version: a module of its own requires it.
	bchd = binary{name: "bchd", version: bchdVersion, env: "CAUSEWAY_BCHD", build: func(path string) *exec.Cmd {
		cmd := exec.Command("go", "build", "-o", path, "github.com/gcash/bchd")
		cmd.Dir = filepath.Join(root(), "tools", "bchd")
		cmd.Env = append(os.Environ(), "GOFLAGS=")
		return cmd
	}}
	litecoind = binary{name: "litecoind", env: "CAUSEWAY_LITECOIND"}
)

// root is the project's folder.
func root() string {
	_, file, _, _ := runtime.Caller(0)
	return filepath.Join(filepath.Dir(file), "..", "..")
}

// required says that a missing node is a failure.
func required() bool { return os.Getenv("CAUSEWAY_REQUIRE_NODES") == "1" }

// path finds the program, or skips or fails the test.
func (b binary) path(t testing.TB) string {
	t.Helper()
	path, err := b.find()
	if err == nil && path == "" && required() {
		if b.build == nil {
			t.Fatalf("no %s: install it, or set %s", b.name, b.env)
		}
		path, err = b.make()
	}
	switch {
	case err != nil:
		t.Fatalf("%s: %v", b.name, err)
	case path == "" && b.build == nil:
		t.Skipf("no %s: install it, put it into PATH, or set %s", b.name, b.env)
	case path == "":
		t.Skipf("no %s %s: set %s, put it into PATH, or set CAUSEWAY_REQUIRE_NODES=1 to have it built", b.name, b.version, b.env)
	}
	return path
}

// find looks where the program may be already; "" when there is none.
func (b binary) find() (string, error) {
	if path := os.Getenv(b.env); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("%s: %w", b.env, err)
		}
		return path, nil
	}
	if path, err := exec.LookPath(b.name); err == nil {
		out, err := exec.Command(path, "--version").Output()
		if err == nil && strings.Contains(string(out), strings.TrimPrefix(b.version, "v")) {
			return path, nil
		}
	}
	if path, err := b.cached(); err == nil {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", nil
}

// cached is where a built program is kept.
func (b binary) cached() (string, error) {
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "causeway", b.name+"-"+b.version, b.name), err
}

// make builds the program into the cache, once for all test processes.
func (b binary) make() (string, error) {
	path, err := b.cached()
	if err != nil {
		return "", err
	}
	dir := filepath.Dir(path)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	lock := flock.New(dir + ".lock")
	if err := lock.Lock(); err != nil {
		return "", err
	}
	defer lock.Unlock()
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if out, err := b.build(path).CombinedOutput(); err != nil {
		return "", fmt.Errorf("building %s: %w\n%s", b.version, err, out)
	}
	return path, nil
}
