package state

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"causeway/sidechain/jsvalue"

	bolt "go.etcd.io/bbolt"
)

// stored returns a file with some state.
func stored(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s.db")
	db := mustOpen(t, path)
	fill(db, 1, 100)
	checkpoint(t, db)
	fill(db, 2, 100)
	db.Lock()
	for _, s := range []*Section{db.Tables(), db.Base()} { // so that old segments hold old versions
		rows := s.Table("tokens_balances")
		for i := range 150 {
			rows.Update(jsvalue.NewObject("_id", 1+i, "balance", "2"))
		}
		s.Forget()
	}
	db.Root()
	db.Unlock()
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

// edit changes the file with bbolt.
func edit(t *testing.T, path string, change func(tx *bolt.Tx) error) {
	t.Helper()
	file, err := bolt.Open(path, 0o600, nil)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(file.Update(change), file.Close()); err != nil {
		t.Fatal(err)
	}
}

func TestOpenRefuses(t *testing.T) {
	last := func(tx *bolt.Tx) (rows *bolt.Bucket, k, v []byte) {
		rows = tx.Bucket(bucketRows)
		k, v = rows.Cursor().Last()
		return rows, bytes.Clone(k), bytes.Clone(v)
	}
	for _, c := range []struct {
		name   string
		want   error
		change func(tx *bolt.Tx) error
	}{
		{"newer format", ErrFormat, func(tx *bolt.Tx) error { return tx.Bucket(bucketFormat).Put(keyVersion, []byte("3")) }},
		{"older format", ErrFormat, func(tx *bolt.Tx) error { return tx.Bucket(bucketFormat).Put(keyVersion, []byte("1")) }},
		{"no version", ErrFormat, func(tx *bolt.Tx) error { return tx.Bucket(bucketFormat).Delete(keyVersion) }},
		{"another program's file", ErrFormat, func(tx *bolt.Tx) error { return tx.DeleteBucket(bucketFormat) }},
		{"segment missing", ErrDamaged, func(tx *bolt.Tx) error { rows, k, _ := last(tx); return rows.Delete(k) }},
		{"older row under a newer number", ErrDamaged, func(tx *bolt.Tx) error {
			rows, _, _ := last(tx)
			_, first := rows.Cursor().First()
			return rows.Put(segmentKey(1000), bytes.Clone(first))
		}},
		{"segment changed", ErrDamaged, func(tx *bolt.Tx) error {
			rows, k, v := last(tx)
			v[len(v)-1] ^= 1
			return rows.Put(k, v)
		}},
		{"segment cut", ErrDamaged, func(tx *bolt.Tx) error { rows, k, v := last(tx); return rows.Put(k, v[:len(v)-3]) }},
		{"segment empty", ErrDamaged, func(tx *bolt.Tx) error { rows, k, _ := last(tx); return rows.Put(k, nil) }},
		{"segment without a table", ErrDamaged, func(tx *bolt.Tx) error {
			rows, k, v := last(tx)
			return rows.Put(k, v[1+1+len("base/tokens_balances"):])
		}},
		{"segment of no table", ErrDamaged, func(tx *bolt.Tx) error {
			rows, k, v := last(tx)
			v[3] ^= 1
			return rows.Put(k, v)
		}},
		{"segment under a long number", ErrDamaged, func(tx *bolt.Tx) error { rows, _, v := last(tx); return rows.Put([]byte("number"), v) }},
		{"row under another id", ErrDamaged, func(tx *bolt.Tx) error {
			rows, k, v := last(tx)
			v[2+len("base/tokens_balances")+1] ^= 1
			return rows.Put(k, v)
		}},
		{"rows missing", ErrDamaged, func(tx *bolt.Tx) error { return tx.DeleteBucket(bucketRows) }},
		{"definition missing", ErrDamaged, func(tx *bolt.Tx) error { return tx.Bucket(bucketDefs).Delete([]byte("base/tokens_balances")) }},
		{"definition changed", ErrDamaged, func(tx *bolt.Tx) error {
			return tx.Bucket(bucketDefs).Put([]byte("base/tokens_balances"), []byte(`{"name":"tokens_balances","sequence":999}`))
		}},
		{"definition malformed", ErrDamaged, func(tx *bolt.Tx) error {
			return tx.Bucket(bucketDefs).Put([]byte("base/tokens_balances"), []byte("{"))
		}},
		{"index without fields", ErrDamaged, func(tx *bolt.Tx) error {
			return tx.Bucket(bucketDefs).Put([]byte("base/x"), []byte(`{"name":"x","indexes":[{"name":"a"}]}`))
		}},
		{"bucket missing", ErrDamaged, func(tx *bolt.Tx) error { return tx.DeleteBucket(bucketTxs) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := stored(t)
			edit(t, path, c.change)
			for _, open := range []func(string) (*DB, error){Open, OpenReadOnly} {
				if _, err := open(path); !errors.Is(err, c.want) {
					t.Fatalf("got %v, want %v", err, c.want)
				}
			}
		})
	}
}

// TestOpenDamagedBytes overwrites or cuts the file at many places: Open reports
// damage or opens the same state, where nothing that counts was hit, or the
// checkpoint before, where the head of the last one was. It never crashes.
func TestOpenDamagedBytes(t *testing.T) {
	path := stored(t)
	db := mustOpen(t, path)
	var used bytes.Buffer // without the room to grow
	if _, err := db.WriteTo(&used); err != nil {
		t.Fatal(err)
	}
	whole := used.Bytes()
	root, before := db.Root(), mustOpen(t, "").Root()
	db.Close()
	dir, files, damaged := t.TempDir(), 0, 0
	try := func(what string, data []byte) {
		t.Helper()
		for _, open := range []func(string) (*DB, error){OpenReadOnly, Open} {
			files++
			bad := filepath.Join(dir, fmt.Sprint(files)) // a file of its own: a lock may stay
			if err := os.WriteFile(bad, data, 0o600); err != nil {
				t.Fatal(err)
			}
			db, err := open(bad)
			os.Remove(bad)
			if err == nil {
				if got := db.Root(); got != root && got != before {
					t.Fatalf("%s: another state", what)
				}
				db.Close()
				continue
			}
			damaged++
			if !errors.Is(err, ErrDamaged) && !errors.Is(err, ErrFormat) {
				t.Fatalf("%s: %v", what, err)
			}
		}
	}
	for at := 0; at+64 <= len(whole); at += 4096 / 4 {
		data := append([]byte(nil), whole...)
		for i := range 64 {
			data[at+i] ^= byte(0x5a + i)
		}
		try(fmt.Sprintf("overwritten at %d", at), data)
	}
	for _, n := range []int{1, 100, 4096, len(whole) / 2, len(whole) - 4096} {
		try(fmt.Sprintf("cut to %d", n), whole[:n])
	}
	if damaged < 20 {
		t.Fatalf("only %d damages were noticed", damaged)
	}
}

func TestOpenNoDatabase(t *testing.T) {
	path := filepath.Join(t.TempDir(), "s.db")
	if err := os.WriteFile(path, make([]byte, 1<<16), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path); !errors.Is(err, ErrDamaged) {
		t.Fatal(err)
	}
	if _, err := Open(filepath.Join(path, "below")); err == nil {
		t.Fatal("opened below a file")
	}
}
