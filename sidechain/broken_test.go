package sidechain_test

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causeway/sidechain"
	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// TestBrokenBlock: a block that cannot be executed leaves nothing behind, in the
// contracts' rows or in the base layer's, for readers or in the file; and
// nothing comes after it until a restart.
func TestBrokenBlock(t *testing.T) {
	bad := errors.New("bad block")
	for _, row := range []struct {
		name  string
		ops   []graphene.Operation
		fails func() error
		text  string
	}{
		{"contract", []graphene.Operation{transfer("alice", "bob", "1"), op("alice", "probe", "panic", `{}`)}, nil, "probe.panic panicked: broken"},
		{"rule of the layer", []graphene.Operation{transfer("alice", "bob", "1")}, func() error { return bad }, "bad block"},
		{"defect of the layer", nil, func() error { panic("oh") }, "it panicked"},
	} {
		for _, after := range []string{"close", "timer", "checkpoint"} {
			t.Run(row.name+", "+after, func(t *testing.T) {
				path := filepath.Join(t.TempDir(), "sidechain.db")
				n, m := openBreakable(t, path, after == "timer")
				c := &chain{}
				mustApply(t, n, c.add(transfer("alice", "bob", "1")))
				if err := n.Checkpoint(); err != nil {
					t.Fatal(err)
				}
				mustApply(t, n, c.add(transfer("alice", "bob", "2")))
				before := n.Head()

				broken := c.add(row.ops...)
				m.fail = row.fails
				if err := applyAnyhow(n, broken); err == nil || !strings.Contains(err.Error(), row.text) && row.text != "it panicked" {
					t.Fatalf("broken block: %v", err)
				}
				m.fail = nil
				sameState(t, n, before)
				c.blocks = c.blocks[:2]
				good := c.add(transfer("alice", "bob", "3"))
				if err := n.Apply(good); !errors.Is(err, sidechain.ErrStopped) || !strings.Contains(err.Error(), row.text) {
					t.Errorf("the next block: %v", err)
				}
				switch after {
				case "checkpoint":
					if err := n.Checkpoint(); !errors.Is(err, state.ErrFrozen) {
						t.Errorf("checkpoint: %v", err)
					}
				case "timer":
					time.Sleep(20 * time.Millisecond)
				}
				sameState(t, n, before)
				n.stop(t)

				again, _ := openBreakable(t, path, false)
				if got := again.Executed().RefBlock; got != 1 && after != "timer" || got > 2 {
					t.Errorf("the file holds the state of block %d", got)
				}
				mustApply(t, again, append(c.blocks[:2:2], good)[again.Executed().RefBlock:]...)
				if got := again.db.Tables().Table("tokens_balances").Find1("account+symbol", "alice", "BEE").Get("balance"); got != "994.00000000" {
					t.Errorf("alice has %v", got)
				}
				again.stop(t)
			})
		}
	}
}

func openBreakable(t *testing.T, path string, timer bool) (node, *machine) {
	t.Helper()
	cfg := config(t, path)
	cfg.Contracts = append(cfg.Contracts, probe{"probe", probeActions()})
	m := &machine{}
	cfg.Machine = m
	if timer {
		cfg.CheckpointEvery = time.Millisecond
	}
	engine, err := sidechain.OpenEngine(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return node{engine, cfg.DB}, m
}

// applyAnyhow applies a block; a panic becomes an error.
func applyAnyhow(n node, b *base.Block) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v", p)
		}
	}()
	return n.Apply(b)
}

// sameState holds what readers see against a head.
func sameState(t *testing.T, n node, want sidechain.Head) {
	t.Helper()
	n.db.Lock()
	defer n.db.Unlock()
	root := n.db.Root()
	if n.Head() != want || fmt.Sprintf("%x", root) != want.StateRoot || n.db.Base().Table("seen").Len() != int(want.RefBlock) {
		t.Errorf("state root %x, %d rows of the layer, head %+v, want %+v", root, n.db.Base().Table("seen").Len(), n.Head(), want)
	}
	if _, ok := n.db.Block(want.Block + 1); ok {
		t.Error("a block after the head is there")
	}
}

// TestBrokenGenesis: block 0 that fails leaves an empty file.
func TestBrokenGenesis(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sidechain.db")
	cfg := config(t, path)
	cfg.Genesis.Accounts[0].Tokens = map[string]string{"BEE": "1.123456789"}
	if _, err := sidechain.OpenEngine(cfg); !errors.Is(err, sidechain.ErrGenesis) {
		t.Fatal(err)
	}
	if err := cfg.DB.Close(); err != nil {
		t.Fatal(err)
	}
	db, err := state.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if names := db.Tables().TableNames(); len(names) > 0 {
		t.Errorf("tables %v", names)
	}
}

// machine is a base layer with a row for each block.
type machine struct{ fail func() error }

func (m *machine) Genesis(s *state.Section) error {
	s.CreateTable(state.TableDef{Name: "seen"})
	return nil
}

func (m *machine) Apply(s *state.Section, b *base.Block) error {
	s.Table("seen").Insert(jsvalue.NewObject("block", b.Number))
	if m.fail != nil {
		return m.fail()
	}
	return nil
}
