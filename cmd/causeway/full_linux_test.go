package main

import (
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// What a test process does to itself before it is causeway: fillDisk names a
// store whose disk is full from SIGUSR1 on, fileLimit the largest size of files
// in bytes.
const (
	fillDisk  = "CAUSEWAY_TEST_FULL"
	fileLimit = "CAUSEWAY_TEST_FILE_LIMIT"
)

func init() {
	if os.Getenv(asProgram) != "1" {
		return
	}
	if text := os.Getenv(fileLimit); text != "" {
		fileLimitIsAnError()
		n, err := strconv.ParseUint(text, 10, 64)
		if err == nil {
			err = syscall.Setrlimit(syscall.RLIMIT_FSIZE, &syscall.Rlimit{Cur: n, Max: n})
		}
		if err != nil {
			panic(err)
		}
	}
	if name := os.Getenv(fillDisk); name != "" {
		signals := make(chan os.Signal, 1)
		signal.Notify(signals, syscall.SIGUSR1)
		go func() {
			<-signals
			if err := fill(name); err != nil {
				panic(err)
			}
		}()
	}
}

// fill puts /dev/full in the place of the open file of that name: reads go on
// from its memory map, every write fails.
func fill(name string) error {
	full, err := syscall.Open("/dev/full", syscall.O_RDWR|syscall.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, entry := range entries {
		path, err := os.Readlink("/proc/self/fd/" + entry.Name())
		if err != nil || filepath.Base(path) != name {
			continue
		}
		fd, err := strconv.Atoi(entry.Name())
		if err != nil {
			return err
		}
		return syscall.Dup3(full, fd, syscall.O_CLOEXEC)
	}
	return fmt.Errorf("%s is not open", name)
}

// TestFullDisk: the disk of one store is full from some moment on, while coins
// come in and go out. The process says so and ends; nothing is lost, and
// nothing is done twice by the next one.
func TestFullDisk(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.start()
	y.treasury("2", "2", "2", "2")
	y.kill()
	env := y.env
	moments := []string{"planned"}
	if longTests() {
		moments = append(moments, "quiet", "queued", "signed", "broadcast", "minting")
	}
	for _, store := range []string{baseFile, stateFile, gatewayFile, signerFile} {
		for _, moment := range moments {
			y.env = append(env[:len(env):len(env)], fillDisk+"="+store)
			y.start()
			y.toMoment(moment)
			must(t, y.holder(store).Signal(syscall.SIGUSR1))
			y.hold("")
			y.busyUntilEnd(store + ", " + moment)
			y.wantFailure(store+", "+moment, "no space left on device", "file size too small")
			y.env = env
			y.start()
			y.settled("alice", "bob")
			y.kill()
			if t.Failed() {
				t.Fatalf("%s, %s", store, moment)
			}
		}
	}
}

// holder is the process that has a store open.
func (y *yard) holder(store string) *os.Process {
	y.t.Helper()
	if store != signerFile {
		return y.cmd.Process
	}
	h, err := y.hello()
	must(y.t, err)
	p, err := os.FindProcess(h.PID)
	must(y.t, err)
	return p
}

// toMoment brings a deposit or a withdrawal into a state.
func (y *yard) toMoment(moment string) {
	y.t.Helper()
	switch moment {
	case "quiet":
	case "minting":
		y.pay(y.depositAddress("alice"), "0.01")
		y.mine(creditDepth)
	default:
		y.hold(moment)
		id := y.burn("0.03")
		y.catch(moment, func() string { return y.withdrawal(id).State }, "settled")
	}
}

// busyUntilEnd does what makes the process write to every store, until it ends.
func (y *yard) busyUntilEnd(what string) {
	y.t.Helper()
	deadline := time.Now().Add(stepWait)
	for i := 0; !y.ended(); i++ {
		if time.Now().After(deadline) {
			y.t.Fatalf("%s: the process goes on running:\n%s", what, y.stderr)
		}
		if i%10 == 0 {
			y.mine(1)
			to := y.newAddress()
			go func() { _, _ = y.withdraw(y.t.Context(), "bob", "0.01", to) }()
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// wantFailure fails unless the process ended with one of these words about
// what it could not write.
func (y *yard) wantFailure(what string, words ...string) {
	y.t.Helper()
	text := y.stderr.String()
	said := text[max(0, strings.LastIndex(text, "causeway: ")):]
	named := slices.ContainsFunc(words, func(word string) bool { return strings.Contains(said, word) })
	if code := y.cmd.ProcessState.ExitCode(); code != exitError || !named {
		y.t.Errorf("%s: exit %d, want %d and one of %q:\n%s", what, code, exitError, words, said)
	}
}

// TestFileLimit: no file may grow beyond a size (ulimit -f), from the start on
// or soon after it.
func TestFileLimit(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.start()
	y.treasury("2", "2")
	y.kill()
	env := y.env
	limits := []int{0, 40 << 10, 64 << 10}
	if longTests() {
		limits = append(limits, 4<<10, 16<<10, 24<<10, 32<<10, 56<<10, 100<<10, 128<<10, 256<<10)
	}
	for _, limit := range limits {
		y.env = append(env[:len(env):len(env)], fmt.Sprintf("%s=%d", fileLimit, limit))
		y.launch()
		if !y.ended() {
			y.busyUntilEnd(fmt.Sprintf("limit %d", limit))
		}
		y.wantFailure(fmt.Sprintf("limit %d", limit), "file too large")
		y.env = env
		y.start()
		y.burn("0.01")
		y.settled("alice", "bob")
		y.kill()
	}
}
