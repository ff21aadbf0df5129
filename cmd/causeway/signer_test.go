package main

import (
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"causeway/hotwallet/remote"
	"causeway/sidechain"
)

// hello asks who serves the home's socket.
func (y *yard) hello() (h remote.Hello, err error) {
	y.t.Helper()
	_, document, err := home{y.home}.genesis()
	must(y.t, err)
	c, err := remote.Connect(y.t.Context(), filepath.Join(y.home, signerSocket), sidechain.BaseChainID(document), slog.New(slog.DiscardHandler))
	if err != nil {
		return h, err
	}
	return c.Hello(), nil
}

// signerStatus is the signer's part of the status of the running home.
func (y *yard) signerStatus() signerStatus {
	y.t.Helper()
	var s statusResult
	must(y.t, exchange(y.t.Context(), &http.Client{Timeout: stepWait}, http.MethodGet, y.running.Admin+"/status", nil, &s))
	if s.Signer == nil {
		y.t.Fatal("the status says nothing of the signer")
	}
	return *s.Signer
}

// serveSigner starts causeway signer and waits for its socket.
func (y *yard) serveSigner() *process {
	y.t.Helper()
	p := begin(y.t, y.env, "signer", "--home", y.home)
	deadline := time.Now().Add(readyWait)
	for !strings.Contains(p.stdout.String(), "ready: ") {
		if p.ended() || time.Now().After(deadline) {
			y.t.Fatalf("causeway signer is not ready:\n%s", p.stderr)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return p
}

// gone waits until a process is no more.
func gone(t *testing.T, pid int) {
	t.Helper()
	deadline := time.Now().Add(stopWait)
	for !errors.Is(syscall.Kill(pid, 0), syscall.ESRCH) && !zombie(pid) {
		if time.Now().After(deadline) {
			t.Fatalf("process %d goes on", pid)
		}
		time.Sleep(10 * time.Millisecond)
	}
}

// zombie says whether a process has ended and nobody has asked how.
func zombie(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	return err == nil && strings.Contains(string(text), ") Z ")
}

// TestSignerServed: run needs no passphrase where a signer is served. While that
// one hangs or is gone, nothing is signed, no block is made, the node answers and
// says why; when it is back everything goes on, once.
func TestSignerServed(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	signer := y.serveSigner()
	plain := y.env
	y.env = append(y.env[:len(y.env):len(y.env)], "CAUSEWAY_PASSPHRASE=")
	info, err := os.Lstat(filepath.Join(y.home, signerSocket))
	must(t, err)
	if info.Mode().Perm() != 0o600 || info.Mode().Type() != fs.ModeSocket {
		t.Errorf("mode of the socket: %s", info.Mode())
	}
	y.start()
	y.treasury("2", "2")
	if s := y.signerStatus(); s.Where != "apart" || !s.OK || s.Header == 0 {
		t.Errorf("signer %+v", s)
	}

	must(t, signer.cmd.Process.Signal(syscall.SIGSTOP))
	to := y.newAddress()
	y.await("a status without a signer", func() bool { return !y.signerStatus().OK })
	asked := make(chan error, 1)
	go func() { _, err := y.withdraw(t.Context(), "bob", "0.1", to); asked <- err }()
	y.await("the request to wait", func() bool { return strings.Contains(y.stderr.String(), "no base blocks are made") })
	y.mine(2)
	must(t, signer.cmd.Process.Signal(syscall.SIGCONT))
	if err := <-asked; err != nil {
		t.Logf("the withdrawal that hung: %v", err) // unknown to its client
	}
	y.burn("0.2")
	y.settled("alice", "bob")

	signer.kill()
	y.await("a status without a signer", func() bool { return !y.signerStatus().OK })
	y.env = plain
	signer = y.serveSigner()
	y.burn("0.3")
	y.settled("alice", "bob")
	if code, _, stderr := exitOf(t, y.env, "signer", "--home", y.home); code != exitRefused {
		t.Errorf("a second signer: exit %d: %s", code, stderr)
	}
	if code := y.stop(); code != exitOK {
		t.Errorf("exit %d", code)
	}
	if h, err := y.hello(); err != nil || h.Bound {
		t.Errorf("the signer ended with run: %+v, %v", h, err)
	}
	if code := signer.stop(); code != exitOK {
		t.Errorf("signer: exit %d", code)
	}
	if code, _, stderr := exitOf(t, append(y.env, "CAUSEWAY_PASSPHRASE="), "run", "--home", y.home); code != exitUsage {
		t.Errorf("run without signer and passphrase: exit %d: %s", code, stderr)
	}
	if code, _, stderr := exitOf(t, y.env, "run", "--home", y.home, "--signer", filepath.Join(y.home, "none")); code != exitError {
		t.Errorf("run with a signer that is not there: exit %d: %s", code, stderr)
	}
}

// TestSignerChild: run starts a signer of its own, starts it again when it dies,
// and takes it along however it ends itself, also when it is stopped.
func TestSignerChild(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.start()
	y.treasury("2", "2")
	first, err := y.hello()
	must(t, err)
	if s := y.signerStatus(); !first.Bound || first.PID == y.cmd.Process.Pid || s.Where != "child" || !s.OK {
		t.Errorf("hello %+v, status %+v", first, s)
	}
	environ, err := os.ReadFile(fmt.Sprintf("/proc/%d/environ", first.PID))
	if err == nil && strings.Contains(string(environ), testPassphrase) {
		t.Error("the passphrase is in the signer's environment")
	}
	must(t, syscall.Kill(first.PID, syscall.SIGKILL))
	y.burn("0.1")
	y.settled("alice", "bob")
	second, err := y.hello()
	if err != nil || second.PID == first.PID {
		t.Errorf("the signer that was killed is not replaced: %+v, %v", second, err)
	}

	if runtime.GOOS == "linux" { // elsewhere nothing wakes it
		must(t, syscall.Kill(second.PID, syscall.SIGSTOP))
	}
	y.kill()
	gone(t, second.PID)
	y.start()
	y.burn("0.1")
	y.settled("alice", "bob")
	third, err := y.hello()
	must(t, err)
	if code := y.stop(); code != exitOK {
		t.Errorf("exit %d", code)
	}
	gone(t, third.PID)
	if (home{y.home}).has(signerSocket) {
		t.Error("the socket stays")
	}
}
