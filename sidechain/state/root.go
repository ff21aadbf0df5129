package state

import (
	"crypto/sha256"

	"causeway/sidechain/jsvalue"
)

// Root returns the section's state root. It costs as much as the rows changed
// since the last call and needs the write lock.
func (s *Section) Root() [32]byte {
	for _, c := range s.toRoot { // read ahead, as merkle.warm does
		s.merkle.read += s.merkle.leafAt(c.entry.leaf).key[0]
	}
	for _, c := range s.toRoot {
		t, e := c.table, c.entry
		e.inRoot = false
		if e.row != nil {
			s.buf = jsvalue.AppendJSON(s.buf[:0], e.row)
			e.leaf = s.merkle.set(e.leaf, t.def.Name, e.row.Get(idField), s.buf)
			continue
		}
		if e.leaf != 0 {
			s.merkle.drop(e.leaf)
			e.leaf = 0
		}
		t.forgetRemoved(e)
	}
	clear(s.toRoot)
	s.toRoot = s.toRoot[:0]
	for _, c := range s.purge {
		c.table.forgetRemoved(c.entry)
	}
	s.purge = nil
	return s.merkle.apply()
}

// forgetRemoved drops the entry of a removed row once neither the root nor the
// file has it.
func (t *Table) forgetRemoved(e *entry) {
	if e.row == nil && !e.inRoot && !e.inDisk {
		t.byID.drop(e)
	}
}

// clean says whether the tree is up to date with the rows.
func (s *Section) clean() bool { return len(s.toRoot) == 0 }

// Root returns SHA-256(tables root || base root). It needs the write lock.
func (db *DB) Root() [32]byte {
	return joinRoots(db.tables.Root(), db.base.Root())
}

// LastRoot returns what Root returned last; ok is false when rows were written
// since. It needs the read lock only.
func (db *DB) LastRoot() (root [32]byte, ok bool) {
	return joinRoots(db.tables.merkle.rootHash, db.base.merkle.rootHash), db.tables.clean() && db.base.clean()
}

func joinRoots(tables, base Hash) Hash {
	return sha256.Sum256(append(append(make([]byte, 0, 64), tables[:]...), base[:]...))
}
