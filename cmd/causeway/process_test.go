package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"causeway/gateway"
	"causeway/sidechain/graphene"
)

// How long a process may take to be ready, to end, and any one thing to happen
// on a machine that does ten others.
const (
	readyWait = 60 * time.Second
	stopWait  = 30 * time.Second
	stepWait  = 90 * time.Second
)

// testPassphrase guards the keys of homes that tests make.
const testPassphrase = "correct-horse"

// tail keeps the newest output of a process, and whether it ever panicked.
type tail struct {
	mu       sync.Mutex
	buf      bytes.Buffer
	panicked bool
}

func (b *tail) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.buf.Len() > 1<<20 {
		b.buf.Next(1 << 19)
	}
	b.panicked = b.panicked || bytes.Contains(p, []byte("panic")) || bytes.Contains(p, []byte("goroutine "))
	return b.buf.Write(p)
}

func (b *tail) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

func (b *tail) ok() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	return !b.panicked
}

// program is causeway as a command of its own, with an environment of ours.
func program(t *testing.T, env []string, args ...string) *exec.Cmd {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self, args...)
	cmd.Env = append([]string{
		asProgram + "=1", "CAUSEWAY_PASSPHRASE=" + testPassphrase,
		"PATH=" + os.Getenv("PATH"), "HOME=" + os.Getenv("HOME"), "TMPDIR=" + t.TempDir(), "GOCOVERDIR=" + os.Getenv("GOCOVERDIR"),
	}, env...)
	return cmd
}

// exitOf runs causeway to its end.
func exitOf(t *testing.T, env []string, args ...string) (code int, stdout, stderr string) {
	t.Helper()
	var out, errs tail
	cmd := program(t, env, args...)
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); cmd.ProcessState == nil {
		t.Fatal(err)
	}
	if !errs.ok() {
		t.Errorf("causeway %s panicked:\n%s", strings.Join(args, " "), errs.String())
	}
	return cmd.ProcessState.ExitCode(), out.String(), errs.String()
}

// process is causeway serving a home.
type process struct {
	running
	*client

	t      *testing.T
	cmd    *exec.Cmd
	stdout *tail
	stderr *tail
	done   chan struct{}
}

// serve starts a command that serves a home and waits until it is ready. The
// process is stopped with the test, which fails when it panicked.
func serve(t *testing.T, home string, env []string, args ...string) *process {
	t.Helper()
	p := begin(t, env, args...)
	deadline := time.Now().Add(readyWait)
	for !p.ready(home) {
		if p.ended() {
			t.Fatalf("causeway %s ended with %d:\n%s", strings.Join(args, " "), p.cmd.ProcessState.ExitCode(), p.stderr)
		}
		if time.Now().After(deadline) {
			t.Fatalf("causeway %s is not ready:\n%s", strings.Join(args, " "), p.stderr)
		}
		time.Sleep(20 * time.Millisecond)
	}
	return p
}

// begin starts a command that serves a home.
func begin(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	p := &process{t: t, cmd: program(t, env, args...), stdout: &tail{}, stderr: &tail{}, done: make(chan struct{})}
	p.cmd.Stdout, p.cmd.Stderr = p.stdout, p.stderr
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = p.cmd.Wait()
		close(p.done)
	}()
	t.Cleanup(p.cleanup)
	return p
}

// ready says whether the process has written running.json, and reads it.
func (p *process) ready(home string) bool {
	p.t.Helper()
	r, _, err := readRunning(home)
	if err != nil || r.PID != p.cmd.Process.Pid {
		return false
	}
	p.running = r
	p.client, err = newClient(r.URL, r.ChainID, r.BaseChainID)
	must(p.t, err)
	return true
}

// serveDev keeps a dev network running.
func serveDev(t *testing.T, home string) *process {
	t.Helper()
	return serve(t, home, nil, "dev", "--home", home)
}

func (p *process) cleanup() {
	if !p.ended() {
		p.stop()
	}
	if !p.stderr.ok() {
		p.t.Errorf("the process panicked:\n%s", p.stderr)
	} else if p.t.Failed() {
		text := p.stderr.String()
		p.t.Logf("newest log of process %d:\n%s", p.cmd.Process.Pid, text[max(0, len(text)-6000):])
	}
}

func (p *process) ended() bool {
	select {
	case <-p.done:
		return true
	default:
		return false
	}
}

// stop asks the process to end and returns its exit code.
func (p *process) stop() int {
	p.t.Helper()
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-p.done:
	case <-time.After(stopWait):
		p.t.Errorf("the process did not end within %s of SIGTERM:\n%s", stopWait, p.stderr)
		p.kill()
	}
	return p.cmd.ProcessState.ExitCode()
}

// kill ends the process as a power cut would.
func (p *process) kill() {
	_ = p.cmd.Process.Kill()
	<-p.done
}

// key is an account's active key from running.json.
func (p *process) key(account string) graphene.PrivateKey {
	p.t.Helper()
	for _, a := range p.running.Accounts {
		if a.Name == account {
			key, err := graphene.ParseWIF(a.Active)
			if err != nil {
				p.t.Fatal(err)
			}
			return key
		}
	}
	p.t.Fatalf("no account %s in running.json", account)
	return graphene.PrivateKey{}
}

// must fails the test when a call failed.
func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// wantBalance fails unless an account holds exactly that much.
func (p *process) wantBalance(account, symbol, want string) {
	p.t.Helper()
	got, err := p.balance(p.t.Context(), account, symbol)
	must(p.t, err)
	if got != want {
		p.t.Errorf("%s holds %s %s, want %s", account, got, symbol, want)
	}
}

// awaitAudit waits until the books are as wanted and returns them with every
// output that they count.
func (p *process) awaitAudit(ok bool) gateway.Reserves {
	p.t.Helper()
	var r gateway.Reserves
	err := poll(p.t.Context(), stepWait, func() (bool, error) {
		r = gateway.Reserves{}
		err := p.get(p.t.Context(), "/v1/reserves", &r)
		return r.OK == ok, err
	})
	if err != nil {
		text, _ := json.MarshalIndent(r, "", "  ")
		p.t.Fatalf("the audit is never ok=%t: %v\n%s", ok, err, text)
	}
	return r
}

// deposits lists the deposits of an account.
func (p *process) deposits(account string) []gateway.Deposit {
	p.t.Helper()
	var page gateway.Page[gateway.Deposit]
	must(p.t, p.get(p.t.Context(), "/v1/deposits?limit=500&account="+account, &page))
	return page.Items
}

// status is the state of the chain btc.
func (p *process) status() gateway.ChainStatus {
	p.t.Helper()
	var s struct {
		Chains []gateway.ChainStatus `json:"chains"`
	}
	must(p.t, p.get(p.t.Context(), "/v1/status", &s))
	if len(s.Chains) != 1 || s.Chains[0].Chain != "btc" {
		p.t.Fatalf("status: %+v", s)
	}
	return s.Chains[0]
}

// depositAddress is where an account pays in.
func (p *process) depositAddress(account string) string {
	p.t.Helper()
	var a gateway.DepositAddress
	must(p.t, p.post(p.t.Context(), "/v1/deposit-addresses", map[string]string{"chain": "btc", "account": account}, &a))
	return a.Address
}

// embedded is the dev network's own bitcoin node.
func (p *process) embedded() *outputsNode {
	p.t.Helper()
	i := indexChain(p.running.Chains, "btc")
	if i < 0 || p.running.Chains[i].RPC == "" {
		p.t.Fatalf("no embedded btc in %+v", p.running.Chains)
	}
	return &outputsNode{rpcNode: rpcNode{address: p.running.Chains[i].RPC, http: p.client.http}}
}

// hasRunning says whether a home has a running.json.
func hasRunning(t *testing.T, home string) bool {
	t.Helper()
	_, err := os.Stat(filepath.Join(home, runningFile))
	if err != nil && !os.IsNotExist(err) {
		t.Fatal(err)
	}
	return err == nil
}

// inProcess runs the program in this process.
func inProcess(ctx context.Context, args ...string) (code int, stdout, stderr string) {
	var out, errs tail
	code = run(ctx, args, &out, &errs)
	return code, out.String(), errs.String()
}

// show prints a value in a failure.
func show(v any) string {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Sprint(v)
	}
	return string(text)
}
