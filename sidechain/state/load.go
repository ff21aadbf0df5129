package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	bolt "go.etcd.io/bbolt"
)

// load reads the file into memory and compares the rebuilt state with the
// digests of the last checkpoint.
func (db *DB) load() error {
	return guard(func() error {
		if fresh, err := db.checkFormat(); err != nil || fresh {
			return err
		}
		return db.bolt.View(db.loadTx)
	})
}

// checkFormat prepares a new file (fresh) or checks the version of an old one.
func (db *DB) checkFormat() (fresh bool, err error) {
	err = db.bolt.View(func(tx *bolt.Tx) error {
		if name, _ := tx.Cursor().First(); name == nil {
			fresh = true
			return nil
		}
		b := tx.Bucket(bucketFormat)
		if b == nil {
			return fmt.Errorf("%w: no state file", ErrFormat)
		}
		version, err := strconv.Atoi(string(b.Get(keyVersion)))
		if err != nil || version < 1 {
			return fmt.Errorf("%w: version %.20q", ErrFormat, b.Get(keyVersion))
		}
		if version != formatVersion {
			return fmt.Errorf("%w: version %d, this program knows %d", ErrFormat, version, formatVersion)
		}
		return nil
	})
	if err != nil || !fresh {
		return fresh, err
	}
	if db.readOnly {
		return true, fmt.Errorf("%w: empty file", ErrFormat)
	}
	return true, db.bolt.Update(func(tx *bolt.Tx) error {
		for _, name := range append([][]byte{bucketFormat}, buckets...) {
			if _, err := tx.CreateBucket(name); err != nil {
				return err
			}
		}
		empty := batch{digest: sha256.Sum256(nil), root: joinRoots(Hash{}, Hash{})}
		return empty.flush(tx)
	})
}

func (db *DB) loadTx(tx *bolt.Tx) error {
	for _, name := range buckets {
		if tx.Bucket(name) == nil {
			return fmt.Errorf("%w: no bucket %s", ErrDamaged, name)
		}
	}
	digest := sha256.New()
	for _, s := range []*Section{db.tables, db.base} {
		c := tx.Bucket(bucketDefs).Cursor()
		prefix := []byte(s.name + "/")
		for k, v := c.Seek(prefix); k != nil && bytes.HasPrefix(k, prefix); k, v = c.Next() {
			digest.Write(k)
			digest.Write(v)
			name := strings.TrimPrefix(string(k), string(prefix))
			if err := s.loadTable(name, v); err != nil {
				return fmt.Errorf("%w: %s: %w", ErrDamaged, k, err)
			}
		}
	}
	if err := db.loadRows(tx.Bucket(bucketRows)); err != nil {
		return err
	}
	err := tx.Bucket(bucketMeta).ForEach(func(k, v []byte) error {
		db.history.meta[string(k)] = bytes.Clone(v)
		return nil
	})
	if err != nil {
		return err
	}
	format := tx.Bucket(bucketFormat)
	if !bytes.Equal(format.Get(keyDefs), digest.Sum(nil)) {
		return fmt.Errorf("%w: table definitions and their digest differ", ErrDamaged)
	}
	if root := joinRoots(db.tables.merkle.apply(), db.base.merkle.apply()); !bytes.Equal(format.Get(keyRoot), root[:]) {
		return fmt.Errorf("%w: rows give state root %x, the checkpoint was of %x", ErrDamaged, root, format.Get(keyRoot))
	}
	return nil
}

// loadTable makes a table of its record.
func (s *Section) loadTable(name string, record []byte) error {
	var r tableRecord
	if err := json.Unmarshal(record, &r); err != nil {
		return err
	}
	if r.Name != name {
		return fmt.Errorf("it defines table %q", r.Name)
	}
	t := newTable(s, r.TableDef)
	t.seq = r.Sequence
	t.names = newDictionary(r.Names)
	s.tables[name] = t
	return nil
}
