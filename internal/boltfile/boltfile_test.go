package boltfile

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"testing"

	"go.etcd.io/bbolt"
)

// filled is a closed file of some pages.
func filled(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "x.db")
	db, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 20 {
		err := db.Update(func(tx *bbolt.Tx) error {
			b, err := tx.CreateBucketIfNotExists([]byte("b"))
			if err != nil {
				return err
			}
			for k := range 50 {
				err = errors.Join(err, b.Put(fmt.Appendf(nil, "%d/%d", i, k), make([]byte, 100)))
			}
			return err
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func readAll(db *bbolt.DB) error {
	return Guard(func() error {
		return db.View(func(tx *bbolt.Tx) error {
			return tx.ForEach(func(_ []byte, b *bbolt.Bucket) error {
				return b.ForEach(func(_, _ []byte) error { return nil })
			})
		})
	})
}

// TestDamage cuts and alters a file in many ways: it is refused or read, and
// nothing panics.
func TestDamage(t *testing.T) {
	whole, err := os.ReadFile(filled(t))
	if err != nil {
		t.Fatal(err)
	}
	random := rand.New(rand.NewPCG(1, 2))
	damaged := 0
	dir, n := t.TempDir(), 0
	try := func(name string, data []byte, o Options) {
		t.Helper()
		n++ // a file that Open gave up on stays locked until the process ends
		path := filepath.Join(dir, fmt.Sprint(n))
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := Open(path, o)
		if err == nil {
			err = readAll(db)
			if closeErr := db.Close(); closeErr != nil {
				t.Errorf("%s: close: %v", name, closeErr)
			}
		}
		if err != nil && !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
		if err != nil {
			damaged++
		}
	}
	for _, o := range []Options{{}, {ReadOnly: true}} {
		for size := 1; size < len(whole); size += 3000 {
			try(fmt.Sprintf("%d bytes", size), whole[:size], o)
		}
		for i := range 40 {
			data := append([]byte(nil), whole...)
			for range 1 + i/10 {
				data[random.IntN(len(data))] = byte(random.IntN(256))
			}
			try("altered", data, o)
			page := 2 + random.IntN(len(data)/4096-2)
			for k := page * 4096; k < (page+1)*4096; k++ {
				data[k] = byte(random.IntN(256))
			}
			try("garbage", data, o)
			clear(data[page*4096 : (page+1)*4096])
			try("zeros", data, o)
		}
	}
	if damaged < 80 {
		t.Errorf("only %d were refused", damaged)
	}
}

func TestOpen(t *testing.T) {
	path := filled(t)
	db, err := Open(path, Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := Open(path, Options{}); !errors.Is(err, ErrInUse) {
		t.Errorf("a second time: %v", err)
	}
	if _, err := Open(filepath.Join(t.TempDir(), "none"), Options{ReadOnly: true}); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("none to read: %v", err)
	}
	if _, err := Open(t.TempDir(), Options{}); err == nil {
		t.Error("a directory was opened")
	}
}
