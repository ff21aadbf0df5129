package state

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"sync"
	"testing"

	"causeway/sidechain/jsvalue"

	"github.com/google/go-cmp/cmp"
	bolt "go.etcd.io/bbolt"
)

func mustOpen(t *testing.T, path string) *DB {
	t.Helper()
	db, err := Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return db
}

func checkpoint(t *testing.T, db *DB) {
	t.Helper()
	if err := db.Checkpoint(); err != nil {
		t.Fatal(err)
	}
}

// fill writes rows 1..n to a table of both sections and closes a block.
func fill(db *DB, block uint64, n int) [32]byte {
	db.Lock()
	defer db.Unlock()
	for _, s := range []*Section{db.Tables(), db.Base()} {
		t := s.CreateTable(balancesDef)
		for i := range n {
			t.Insert(balanceRow(i))
		}
		s.Forget()
	}
	db.AppendBlock(block, []byte(fmt.Sprintf(`{"n":%d}`, block)), []string{fmt.Sprintf("%040d-0", block), fmt.Sprintf("%040d-1", block)})
	db.SetMeta("head", []byte(strconv.FormatUint(block, 10)))
	return db.Root()
}

// TestCrash copies the file between checkpoints, as a crash leaves it: the copy
// holds the last checkpoint, whole, and nothing of what came after.
func TestCrash(t *testing.T) {
	dir := t.TempDir()
	db := mustOpen(t, filepath.Join(dir, "s.db"))
	defer db.Close()
	saved := db.Root()
	head := ""
	for block := uint64(1); block <= 30; block++ {
		root := fill(db, block, int(block))
		if block%3 == 0 {
			checkpoint(t, db)
			saved, head = root, fmt.Sprint(block)
		}
		data, err := os.ReadFile(filepath.Join(dir, "s.db"))
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(dir, "crashed.db")
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		crashed := mustOpen(t, path)
		if got := crashed.Root(); got != saved {
			t.Fatalf("block %d: root %x, want %x", block, got, saved)
		}
		if got := string(crashed.Meta("head")); got != head {
			t.Fatalf("block %d: head %q, want %q", block, got, head)
		}
		_, here := crashed.Block(block)
		if _, _, tx := crashed.Tx(fmt.Sprintf("%040d-1", block)); here != (block%3 == 0) || tx != here {
			t.Fatalf("block %d: stored %v, its transaction %v", block, here, tx)
		}
		if err := crashed.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestHistory(t *testing.T) {
	for _, path := range []string{"", filepath.Join(t.TempDir(), "s.db")} {
		db := mustOpen(t, path)
		doc := []byte(`{"a":1}`)
		id := "0123456789abcdef0123456789abcdef01234567"
		check := func(when string) {
			t.Helper()
			got, ok := db.Block(7)
			if !ok || !bytes.Equal(got, doc) {
				t.Fatalf("%s %s: block %s, %v", path, when, got, ok)
			}
			if _, ok := db.Block(8); ok {
				t.Fatalf("%s: block 8", when)
			}
			block, index, ok := db.Tx(id + "-1")
			if block != 7 || index != 1 || !ok {
				t.Fatalf("%s: tx at %d, %d, %v", when, block, index, ok)
			}
			for _, none := range []string{"", id, id + "-10"} {
				if _, _, ok := db.Tx(none); ok {
					t.Fatalf("%s: found %q", when, none)
				}
			}
			want := []TxRef{{id + "-0", 7, 0}, {id + "-1", 7, 1}, {id + "-2", 9, 0}}
			if diff := cmp.Diff(want, db.TxPrefix(id+"-")); diff != "" {
				t.Fatalf("%s: %s", when, diff)
			}
			if got := db.TxPrefix("0123"); got != nil {
				t.Fatalf("%s: a short prefix finds %v", when, got)
			}
		}
		db.AppendBlock(7, doc, []string{id + "-0", id + "-1"})
		db.SetMeta("a", []byte("x"))
		db.SetMeta("b", []byte{})
		checkpoint(t, db)
		db.AppendBlock(9, []byte("{}"), []string{id + "-2", "f" + id})
		db.SetMeta("a", nil)
		check("half flushed")
		checkpoint(t, db)
		checkpoint(t, db)
		check("flushed")
		if db.Meta("a") != nil || db.Meta("b") == nil {
			t.Fatal("records")
		}
		if path != "" {
			if err := db.Close(); err != nil {
				t.Fatal(err)
			}
			db = mustOpen(t, path)
			check("reopened")
			if db.Meta("a") != nil || db.Meta("b") == nil {
				t.Fatal("records after reopening")
			}
		}
		if err := db.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestTxPrefixBound(t *testing.T) {
	db := mustOpen(t, "")
	ids := make([]string, MaxTxPrefixed+50)
	for i := range ids {
		ids[i] = fmt.Sprintf("%040d-%d", 1, i)
	}
	db.AppendBlock(1, nil, ids)
	if got := len(db.TxPrefix(fmt.Sprintf("%040d", 1))); got != MaxTxPrefixed {
		t.Fatalf("%d matches", got)
	}
}

// TestRuns has blocks of many sizes: every transaction is found, by its id and
// by prefixes of it, however the runs were merged.
func TestRuns(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	db := mustOpen(t, path)
	suffixes := []string{"", "-0", "-1-2", "-65534", "-65535", "-01", "x", "-1-2-3", "-", "--1", "-+1"}
	idOf := func(block, i int) string {
		return fmt.Sprintf("%08x%032x%s", uint32(i*1000+block)*2654435761, block, suffixes[(block+i)%len(suffixes)])
	}
	regular := 0
	sizes := []int{3, 1, 1, 700, 2, 50, 50, 400, 1, 0, 9}
	for block, n := range sizes {
		ids := make([]string, n)
		for i := range ids {
			ids[i] = idOf(block, i)
			if _, ok := txKey(ids[i]); ok {
				regular++
			}
		}
		db.AppendBlock(uint64(block), nil, ids)
		checkpoint(t, db)
	}
	db.Close()
	db = mustOpen(t, path)
	defer db.Close()
	for block, n := range sizes {
		for i := range n {
			id := idOf(block, i)
			if got, index, ok := db.Tx(id); int(got) != block || index != i || !ok {
				t.Fatalf("%s: %d, %d, %v", id, got, index, ok)
			}
			for _, prefix := range []string{id, id[:len(id)-1], id[:40], id[:13], id[:8]} {
				if refs := db.TxPrefix(prefix); !slices.Contains(refs, TxRef{id, uint64(block), i}) {
					t.Fatalf("%s is not among %v", id, refs)
				}
			}
			if got := db.TxPrefix(id + "0"); len(got) != 0 {
				t.Fatalf("%s0 finds %v", id, got)
			}
		}
	}
	err := db.bolt.View(func(tx *bolt.Tx) error {
		runs, sum := 0, 0
		eachRun(tx, func(run txRun) bool { runs, sum = runs+1, sum+run.len(); return true })
		if runs > 4 || sum != regular || sum < 400 {
			return fmt.Errorf("%d runs of %d transactions", runs, sum)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
}

// TestSameTransactionTwice: an id that comes again means the newer one.
func TestSameTransactionTwice(t *testing.T) {
	db := mustOpen(t, filepath.Join(t.TempDir(), "s.db"))
	defer db.Close()
	for _, id := range []string{fmt.Sprintf("%040d", 1), "odd"} {
		for block := range uint64(3) {
			db.AppendBlock(block, nil, []string{"x", id})
			checkpoint(t, db)
			if got, index, ok := db.Tx(id); got != block || index != 1 || !ok {
				t.Fatalf("%s: %d, %d, %v", id, got, index, ok)
			}
		}
	}
}

func TestReopenKeepsEverything(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	db := mustOpen(t, path)
	s := db.Tables()
	tab := s.CreateTable(TableDef{Name: "c_things", Indexes: []Index{{"a", []string{"a"}}}})
	deep := jsvalue.Value("end")
	for range 3000 {
		deep = []jsvalue.Value{deep}
	}
	tab.Insert(jsvalue.NewObject(
		"z", 1, "a", -0.5, "10", "x", "s", "é\x00\"", "big", 1e300, "price", dec("1.50"), "n", nil, "deep", deep,
		"o", jsvalue.NewObject("b", true, "a", []jsvalue.Value{false, "x", jsvalue.NewObject()}), "empty", "",
		"\xed\xa0\xbd", 1, "<&>", 2,
	))
	tab.Update(jsvalue.NewObject("_id", 1, "y\xed\xa0\xbd\xed\xb8\x80", 1))
	row := tab.Get(1)
	for i := range maxNames + 50 { // more names than a dictionary holds
		tab.Insert(jsvalue.NewObject(fmt.Sprintf("name%d", i), i))
	}
	tab.SetSequence(5000)
	s.CreateTable(TableDef{Name: "c_empty", PrimaryKey: []string{"k"}})
	s.CreateTable(TableDef{Name: "c_things", Indexes: []Index{{"byZA", []string{"z", "a"}}}, Lookups: []Index{{"s", []string{"s"}}}})
	want := tab.Def()
	checkpoint(t, db)
	root := db.Root()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = mustOpen(t, path)
	defer db.Close()
	tab = db.Tables().Table("c_things")
	if got, want := jsvalue.Stringify(tab.Get(1)), jsvalue.Stringify(row); got != want {
		t.Fatalf("row is %s, was %s", got, want)
	}
	if diff := cmp.Diff(want, tab.Def()); diff != "" {
		t.Fatal(diff)
	}
	if diff := cmp.Diff([]string{"c_empty", "c_things"}, db.Tables().TableNames()); diff != "" {
		t.Fatal(diff)
	}
	if tab.Sequence() != 5000 || db.Root() != root || tab.Find1("s", "é\x00\"") == nil {
		t.Fatal("sequence, root or index differ")
	}
}

func TestReadOnly(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	if _, err := OpenReadOnly(path); err == nil {
		t.Fatal("opened a file that is not there")
	}
	db := mustOpen(t, path)
	root := fill(db, 1, 10)
	checkpoint(t, db)
	if _, err := OpenReadOnly(path); !errors.Is(err, ErrInUse) {
		t.Fatalf("opened twice: %v", err)
	}
	if _, err := Open(path); !errors.Is(err, ErrInUse) {
		t.Fatalf("opened twice: %v", err)
	}
	var copied bytes.Buffer
	if _, err := db.WriteTo(&copied); err != nil {
		t.Fatal(err)
	}
	fill(db, 2, 10)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	other := filepath.Join(t.TempDir(), "copy.db")
	if err := os.WriteFile(other, copied.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	ro, err := OpenReadOnly(other)
	if err != nil {
		t.Fatal(err)
	}
	if ro.Root() != root || string(ro.Meta("head")) != "1" {
		t.Fatal("the copy is not of the checkpoint")
	}
	ro.Tables().Table("tokens_balances").Insert(balanceRow(99))
	if err := ro.Checkpoint(); !errors.Is(err, ErrReadOnly) {
		t.Fatalf("checkpoint: %v", err)
	}
	if err := ro.Close(); err != nil {
		t.Fatal(err)
	}
	if ro, err = OpenReadOnly(other); err != nil || ro.Root() != root {
		t.Fatalf("after writing in memory: %v", err)
	}
	ro.Close()
}

// TestConcurrent has readers and checkpoints beside a writer (for -race).
func TestConcurrent(t *testing.T) {
	db := mustOpen(t, filepath.Join(t.TempDir(), "s.db"))
	defer db.Close()
	fill(db, 1, 100)
	stop := make(chan struct{})
	var wg sync.WaitGroup
	run := func(f func()) {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for {
				select {
				case <-stop:
					return
				default:
					f()
				}
			}
		}()
	}
	run(func() {
		db.RLock()
		defer db.RUnlock()
		tab := db.Tables().Table("tokens_balances")
		for row := range tab.FindAll("account_symbol", "user0000001") {
			if p, err := db.Tables().Prove("tokens_balances", row.Get("_id")); err != nil || len(p.Siblings) == 0 {
				t.Error(err)
			}
		}
		tab.Select(nil, []Order{{"account", true}}, 0, 10)
	})
	run(func() {
		if err := db.Checkpoint(); err != nil {
			t.Error(err)
		}
	})
	run(func() { db.Block(3); db.Tx("x"); db.Meta("head") })
	for block := uint64(2); block < 100; block++ {
		fill(db, block, 5)
		db.Lock()
		tab := db.Tables().Table("tokens_balances")
		for row := range slices.Values(slices.Collect(tab.All())[:3]) {
			tab.Remove(row)
		}
		db.Tables().Forget()
		db.Root()
		db.Unlock()
	}
	close(stop)
	wg.Wait()
}

// TestCheckpointFails keeps what a failed checkpoint captured for the next.
func TestCheckpointFails(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	db := mustOpen(t, path)
	fill(db, 1, 10)
	db.AppendBlock(2, []byte("{}"), []string{string(make([]byte, bolt.MaxKeySize+1))})
	if err := db.Checkpoint(); err == nil {
		t.Fatal("a key that is too long was stored")
	}
	if doc, ok := db.Block(2); !ok || string(doc) != "{}" {
		t.Fatal("the block is gone")
	}
	db.unsaved[0].odd = nil
	root := fill(db, 3, 10)
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	db = mustOpen(t, path)
	defer db.Close()
	if db.Root() != root {
		t.Fatal("changes were lost")
	}
	if _, ok := db.Block(2); !ok {
		t.Fatal("the block is gone")
	}
}

// TestNothingIsLeft: rows that come and go leave neither nodes nor entries.
func TestNothingIsLeft(t *testing.T) {
	for _, path := range []string{"", filepath.Join(t.TempDir(), "s.db")} {
		db := mustOpen(t, path)
		defer db.Close()
		s := db.Tables()
		tab := s.CreateTable(balancesDef)
		keyed := s.CreateTable(TableDef{Name: "keyed", PrimaryKey: []string{"account"}})
		for range 50 {
			var rows []Row
			for i := range 100 {
				rows = append(rows, tab.Insert(balanceRow(i)), keyed.Insert(balanceRow(i)))
			}
			db.Root()
			for i, row := range rows {
				if i%2 == 0 {
					tab.Remove(row)
				} else {
					keyed.Remove(row)
				}
			}
			s.Forget()
			checkpoint(t, db)
		}
		db.Root()
		free := len(s.merkle.leaves) - 1 - len(s.merkle.freeLeaves) + len(s.merkle.kids) - 1 - len(s.merkle.freeInner)
		if free != 0 || len(s.merkle.leaves) > 401 {
			t.Errorf("%q: %d of %d leaves and %d nodes are in use", path, free, len(s.merkle.leaves), len(s.merkle.kids))
		}
		if n := len(tab.byID.pages) + len(keyed.byID.other); n != 0 {
			t.Errorf("%q: %d entries or pages", path, n)
		}
		if n := len(tab.indexes[1].first) + tab.indexes[0].tree.size + tab.ids.size; n != 0 {
			t.Errorf("%q: %d keys", path, n)
		}
	}
}
