package state

import (
	"sort"
)

// Section is one half of the store: the contract tables, or the base layer's
// own. Writers need the write lock.
type Section struct {
	// OnWrite is called after every Insert ('i'), Update ('u') and Remove
	// ('r'), effective or not; not by Put and Rollback.
	OnWrite func(table string, op byte)

	db      *DB
	name    string
	tables  map[string]*Table
	journal []undo
	// forgotten is how many entries of the journal were dropped by Forget.
	forgotten Mark
	toRoot    []change
	merkle    merkle
	buf       []byte   // scratch for JSON
	purge     []change // removed rows that the file no longer has either
	owned     []*entry // whose rows may be changed in place
}

// change is an entry whose leaf of the state tree is out of date.
type change struct {
	table *Table
	entry *entry
}

func newSection(db *DB, name string) *Section {
	return &Section{db: db, name: name, tables: make(map[string]*Table)}
}

// Name is "tables" or "base".
func (s *Section) Name() string { return s.name }

// CreateTable returns the table of that name, created when it is not there. An
// existing table gets the indexes that it lacks; its primary key stays.
func (s *Section) CreateTable(def TableDef) *Table {
	t := s.tables[def.Name]
	if t == nil {
		t = newTable(s, def)
		s.tables[def.Name] = t
		s.journal = append(s.journal, undo{kind: undoCreate, table: t})
		t.changedDef()
		return t
	}
	before := t.Def()
	if t.define(def) {
		s.journal = append(s.journal, undo{kind: undoDefine, table: t, def: &before})
		t.changedDef()
	}
	return t
}

// Table returns a table by its full name, or nil.
func (s *Section) Table(name string) *Table { return s.tables[name] }

// TableNames lists the tables, sorted.
func (s *Section) TableNames() []string {
	names := make([]string, 0, len(s.tables))
	for name := range s.tables {
		names = append(names, name)
	}
	sort.Strings(names)
	return names
}

func (s *Section) wrote(table string, op byte) {
	if s.OnWrite != nil {
		s.OnWrite(table, op)
	}
}
