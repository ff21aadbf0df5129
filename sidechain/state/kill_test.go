package state

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"
)

const killEnv = "CAUSEWAY_STATE_KILL_TEST"

// TestKillChild is the process that TestKill kills.
func TestKillChild(t *testing.T) {
	path := os.Getenv(killEnv)
	if path == "" {
		return // not started by TestKill
	}
	db := mustOpen(t, path)
	head, _ := strconv.ParseUint(string(db.Meta("head")), 10, 64)
	for block := head + 1; ; block++ {
		fill(db, block, 20)
		checkpoint(t, db)
	}
}

// TestKill kills a writing process again and again: what is left is always the
// state of a whole block.
func TestKill(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	model := mustOpen(t, "")
	root, block := model.Root(), uint64(0)
	for round := range 12 {
		child := exec.Command(os.Args[0], "-test.run=^TestKillChild$")
		child.Env = append(os.Environ(), killEnv+"="+path)
		if err := child.Start(); err != nil {
			t.Fatal(err)
		}
		time.Sleep(time.Duration(20+17*round) * time.Millisecond)
		if err := child.Process.Kill(); err != nil {
			t.Fatal(err)
		}
		child.Wait() // its error is the signal
		db := mustOpen(t, path)
		head, _ := strconv.ParseUint(string(db.Meta("head")), 10, 64)
		for block < head {
			block++
			root = fill(model, block, 20)
		}
		if got := db.Root(); got != root {
			t.Fatalf("round %d: block %d has root %x, want %x", round, head, got, root)
		}
		if _, ok := db.Block(head); ok != (head > 0) {
			t.Fatalf("round %d: block %d is missing", round, head)
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
	if block == 0 {
		t.Fatal("the child never got to a checkpoint")
	}
}
