package state

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"causeway/sidechain/jsvalue"

	bolt "go.etcd.io/bbolt"
)

// churn writes, removes and brings back rows at random and returns the root.
func churn(db *DB, r *rand.Rand, rows, writes int) [32]byte {
	db.Lock()
	defer db.Unlock()
	s := db.Tables()
	numbered := s.CreateTable(balancesDef)
	keyed := s.CreateTable(TableDef{Name: "c_keyed", PrimaryKey: []string{"account"}})
	for range writes {
		i := r.IntN(rows)
		balance := fmt.Sprint(r.IntN(1_000_000))
		name := fmt.Sprintf("user%07d", i)
		switch row := keyed.GetKey(name); {
		case row == nil:
			keyed.Insert(balanceRow(i))
		case r.IntN(4) == 0:
			keyed.Remove(row)
		default:
			keyed.Change(row, "balance", balance)
		}
		switch row := numbered.FindText("account_symbol", name, "BEE"); {
		case row == nil:
			numbered.Insert(balanceRow(i))
		case r.IntN(8) == 0:
			numbered.Remove(row)
		default:
			numbered.Change(row, "balance", balance)
		}
	}
	s.Forget()
	return db.Root()
}

// The log stays within its bound, counts what is live as a restart does, and
// gives the same rows again, whatever was written how often.
func TestLogIsCleaned(t *testing.T) {
	const slack = 20_000
	path := filepath.Join(t.TempDir(), "s.db")
	db := mustOpen(t, path)
	db.log.slack = slack
	r := rand.New(rand.NewPCG(1, 2))
	cleaned := 0
	for round := range 60 {
		before := len(db.log.segments)
		root := churn(db, r, 300+20*round, 200)
		checkpoint(t, db)
		if len(db.log.segments) <= before {
			cleaned++
		}
		l := &db.log
		if l.bytes > 2*l.live+slack+segmentSize {
			t.Fatalf("round %d: %d bytes, of which %d count", round, l.bytes, l.live)
		}
		if round%10 != 9 {
			continue
		}
		old := db.log
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		db = mustOpen(t, path)
		db.log.slack = slack
		if db.Root() != root {
			t.Fatalf("round %d: another root", round)
		}
		if l := db.log; l.bytes != old.bytes || l.live != old.live || l.next != old.next || len(l.segments) != len(old.segments) {
			t.Fatalf("round %d: the log was %+v, reads as %+v", round, old, l)
		}
	}
	if cleaned < 10 {
		t.Fatalf("cleaned in %d rounds only", cleaned)
	}
	db.Close()
}

// A checkpoint of many rows is cut into segments, and cleaned piece by piece.
func TestManySegments(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	db := mustOpen(t, path)
	db.log.slack = 0
	r := rand.New(rand.NewPCG(3, 4))
	var root [32]byte
	for range 4 {
		root = churn(db, r, 20_000, 20_000)
		checkpoint(t, db)
	}
	if n := len(db.log.segments); n < 8 {
		t.Fatalf("%d segments", n)
	}
	for db.log.bytes > 2*db.log.live { // the work that is left is done bit by bit
		before := db.log.bytes
		root = churn(db, r, 20_000, 10)
		checkpoint(t, db)
		if n := before - db.log.bytes; n > 3*segmentSize {
			t.Fatalf("a small checkpoint cleaned %d bytes", n)
		}
	}
	db.Close()
	db = mustOpen(t, path)
	defer db.Close()
	if db.Root() != root {
		t.Fatal("another root")
	}
}

// Whatever fails in a checkpoint, the file holds the one before, and the next
// one brings everything.
func TestCheckpointFailsWhileCleaning(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "s.db")
	db := mustOpen(t, path)
	db.log.slack = 0
	r := rand.New(rand.NewPCG(5, 6))
	saved := churn(db, r, 200, 500)
	checkpoint(t, db)
	for round := range 12 {
		db.AppendBlock(uint64(round), []byte("{}"), []string{string(make([]byte, bolt.MaxKeySize+1))})
		root := saved
		for range 3 {
			root = churn(db, r, 200, 100)
			if err := db.Checkpoint(); err == nil {
				t.Fatal("a key that is too long was stored")
			}
		}
		var copied [32]byte
		err := db.bolt.View(func(tx *bolt.Tx) error {
			file := filepath.Join(dir, fmt.Sprint(round))
			if err := tx.CopyFile(file, 0o600); err != nil {
				return err
			}
			crashed := mustOpen(t, file)
			copied = crashed.Root()
			return crashed.Close()
		})
		if err != nil || copied != saved {
			t.Fatalf("round %d: the file is not of the last checkpoint: %v", round, err)
		}
		db.unsaved[0].odd = nil
		checkpoint(t, db)
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
		db = mustOpen(t, path)
		db.log.slack = 0
		if saved = root; db.Root() != saved {
			t.Fatalf("round %d: changes were lost", round)
		}
	}
	db.Close()
}

func FuzzSegment(f *testing.F) {
	db, _ := Open("")
	t := db.Tables().CreateTable(balancesDef)
	w := segmentWriter{log: &db.log}
	for i := range 3 {
		e := &entry{number: uint64(i), key: "k"}
		w.add(t, version{e, jsvalue.NewObject("_id", i, "a", "b")})
		w.add(t, version{e, nil})
	}
	f.Add(w.buf)
	f.Fuzz(func(t *testing.T, data []byte) {
		sum, names := 0, 0
		err := readSegment(data, func(path string) error {
			names += 1 + len(path)
			return nil
		}, func(it item) error {
			if it.size < 2 || it.size > len(data) || !it.gone && it.row == nil {
				t.Fatalf("%+v", it)
			}
			sum += it.size
			return nil
		})
		if err == nil && sum+names > len(data) {
			t.Fatalf("%d bytes of items in %d", sum+names, len(data))
		}
	})
}
