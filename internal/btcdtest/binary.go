package btcdtest

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/gofrs/flock"
)

// Version is the btcd that is built, and that is looked for in PATH.
const Version = "v0.26.2"

// required says that a missing node is a failure.
func required() bool { return os.Getenv("CAUSEWAY_REQUIRE_NODES") == "1" }

// Binary is the path of a btcd, or skips or fails the test.
func Binary(t testing.TB) string {
	t.Helper()
	path, err := find()
	if err == nil && path == "" && required() {
		path, err = build()
	}
	switch {
	case err != nil:
		t.Fatalf("btcd: %v", err)
	case path == "":
		t.Skipf("no btcd %s: set CAUSEWAY_BTCD, put it into PATH, or set CAUSEWAY_REQUIRE_NODES=1 to have it built", Version)
	}
	return path
}

// find looks where a btcd may be already; "" when there is none.
func find() (string, error) {
	if path := os.Getenv("CAUSEWAY_BTCD"); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("CAUSEWAY_BTCD: %w", err)
		}
		return path, nil
	}
	if path, err := exec.LookPath("btcd"); err == nil {
		out, err := exec.Command(path, "--version").Output()
		if err == nil && strings.Contains(string(out), strings.TrimPrefix(Version, "v")) {
			return path, nil
		}
	}
	if path, err := cached(); err == nil {
		if _, err := os.Stat(path); err == nil {
			return path, nil
		}
	}
	return "", nil
}

// cached is where a built btcd is kept.
func cached() (string, error) {
	dir, err := os.UserCacheDir()
	return filepath.Join(dir, "causeway", "btcd-"+Version, "btcd"), err
}

// build installs btcd into the cache, once for all test processes.
func build() (string, error) {
	path, err := cached()
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
	cmd := exec.Command("go", "install", "github.com/btcsuite/btcd@"+Version)
	cmd.Dir = dir // outside any module
	cmd.Env = append(os.Environ(), "GOBIN="+dir, "GOFLAGS=")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go install btcd %s: %w\n%s", Version, err, out)
	}
	return path, nil
}
