package state

import (
	"fmt"
	"slices"

	"causeway/sidechain/jsvalue"
)

// TableDef defines a table. With a PrimaryKey the _id of a row is the object of
// these fields, without one it is the next number of the table's sequence.
type TableDef struct {
	Name       string   `json:"name"` // full: "tokens_balances"
	PrimaryKey []string `json:"primaryKey,omitempty"`
	Indexes    []Index  `json:"indexes,omitempty"` // those that a find of the API may sort by
	Lookups    []Index  `json:"lookups,omitempty"` // hidden, for typed finds
}

// Operations that a Section's OnWrite hook is told of.
const (
	OpInsert byte = 'i'
	OpUpdate byte = 'u'
	OpRemove byte = 'r'
)

// Table is one table of a section. Its methods that write need the write lock,
// the others the read lock.
type Table struct {
	section *Section
	def     TableDef
	seq     uint64 // next id
	seqDisk bool   // sequence or definition changed since the last checkpoint
	count   int
	byID    idMap
	ids     btree    // rows in _id order
	indexes []*index // Indexes, then Lookups
	names   *dictionary
	toDisk  []*entry // changed since the last checkpoint
}

func newTable(s *Section, def TableDef) *Table {
	t := &Table{section: s, seq: 1, byID: newIDMap(), names: newDictionary(nil)}
	t.def = TableDef{Name: def.Name, PrimaryKey: slices.Clone(def.PrimaryKey)}
	t.define(def)
	return t
}

// define adds the indexes of def that are missing and says whether any was.
func (t *Table) define(def TableDef) bool {
	n := len(t.indexes)
	for _, d := range def.Indexes {
		t.addIndex(d, &t.def.Indexes, false)
	}
	for _, d := range def.Lookups {
		t.addIndex(d, &t.def.Lookups, true)
	}
	return len(t.indexes) > n
}

func (t *Table) addIndex(d Index, list *[]Index, lookup bool) {
	if len(d.Fields) == 0 {
		panic(fmt.Sprintf("state: index %q of %s has no field", d.Name, t.def.Name))
	}
	if slices.ContainsFunc(*list, func(x Index) bool { return x.Name == d.Name }) {
		return
	}
	ix := newIndex(d, lookup)
	at := len(t.indexes)
	if !lookup {
		at = len(t.def.Indexes)
	}
	t.indexes = slices.Insert(t.indexes, at, ix)
	*list = append(*list, ix.Index)
	t.ids.ascend("", func(_ string, e *entry) bool {
		ix.add(e, e.row)
		return true
	})
}

// Def returns the table's definition as it stands.
func (t *Table) Def() TableDef {
	d := t.def
	d.PrimaryKey = slices.Clone(d.PrimaryKey)
	d.Indexes = slices.Clone(d.Indexes)
	d.Lookups = slices.Clone(d.Lookups)
	return d
}

// Len is the number of rows.
func (t *Table) Len() int { return t.count }

// Sequence is the id that the next inserted row gets.
func (t *Table) Sequence() uint64 { return t.seq }

// SetSequence sets the id of the next inserted row.
func (t *Table) SetSequence(next uint64) {
	t.section.journal = append(t.section.journal, undo{kind: undoSequence, table: t, seq: t.seq})
	t.seq = next
	t.changedDef()
}

func (t *Table) changedDef() { t.seqDisk = true }

// Get returns the row with that _id (a number or an object), or nil.
func (t *Table) Get(id jsvalue.Value) Row {
	if e := t.byID.get(id); e != nil {
		return e.row
	}
	return nil
}

// GetKey is Get in a table whose primary key is texts, one for each field in
// their order. It makes no object and no key on the heap.
func (t *Table) GetKey(texts ...string) Row {
	var a [128]byte
	key := append(a[:0], tagObject)
	for i, field := range t.def.PrimaryKey {
		key = appendTextMember(key, field, texts[i])
	}
	if e := t.byID.other[string(append(key, keyEnd))]; e != nil {
		return e.row
	}
	return nil
}

// Insert stores a new row and returns it as stored, _id first: the next of the
// sequence or the object of the primary-key fields. Members of row follow in
// their order. A primary key that is taken already is an error of the contract
// and panics, as the peer's insert throws.
func (t *Table) Insert(row Row) Row {
	var id jsvalue.Value
	if len(t.def.PrimaryKey) > 0 {
		id = t.primaryID(row)
	} else {
		id = float64(t.seq)
		t.section.journal = append(t.section.journal, undo{kind: undoSequence, table: t, seq: t.seq})
		t.seq++
		t.changedDef()
	}
	e := t.byID.get(id)
	if e != nil && e.row != nil {
		panic(fmt.Sprintf("state: duplicate key %s in %s", jsvalue.Stringify(id), t.def.Name))
	}
	stored := storedRow(id, row)
	t.write(e, id, stored, OpInsert)
	return stored
}

// PrimaryID returns the _id that a row with these members has in a table with
// a primary key: the object of the key fields in declared order.
func (t *Table) PrimaryID(row Row) jsvalue.Value {
	if len(t.def.PrimaryKey) == 0 {
		return jsvalue.Undefined{}
	}
	return t.primaryID(row)
}

func (t *Table) primaryID(row Row) *jsvalue.Object {
	id := jsvalue.NewObject()
	for _, f := range t.def.PrimaryKey {
		v, ok := storedValue(row.Get(f))
		if ok {
			id.Set(f, v)
		}
	}
	return id
}

// Update merges row into the stored row of the same _id: known fields keep
// their position, new ones follow in lexicographic order, undefined ones are
// ignored, unsets are deleted. Without a stored row it inserts. It returns the
// row as stored. row needs an _id.
func (t *Table) Update(row Row, unsets ...string) Row {
	id := row.Get(idField)
	e := t.byID.get(id)
	old := Row(nil)
	if e != nil {
		old = e.row
	}
	if old == nil {
		stored, ok := storedValue(id)
		if !ok {
			panic("state: update of a row without _id in " + t.def.Name)
		}
		old = jsvalue.NewObject(idField, stored)
		id = stored
	}
	merged := mergedRow(old, row, unsets)
	t.write(e, id, merged, OpUpdate)
	return merged
}

// Change is Update of a stored row that has all the fields already: fields and
// their new values alternate, as in Change(row, "balance", "1.5", "stake", "0").
// The members keep their places, so nothing is merged; it is the cheapest way
// to write a row. The row must be the one that is stored now, no field "_id".
// Where every value is the old one, the row stays the same one, and the write
// counts as one, as with Update.
func (t *Table) Change(row Row, fieldsAndValues ...any) Row {
	return t.change(t.byID.get(row.Get(idField)), row, fieldsAndValues)
}

func (t *Table) change(e *entry, row Row, fieldsAndValues []any) Row {
	if e == nil || e.row != row || row == nil || len(fieldsAndValues)%2 != 0 {
		panic("state: change of a row that is not stored in " + t.def.Name)
	}
	next := row
	for i := 0; i < len(fieldsAndValues); i += 2 {
		field, _ := fieldsAndValues[i].(string)
		at := row.Find(field)
		if _, undefined := fieldsAndValues[i+1].(jsvalue.Undefined); undefined || at < 0 || field == idField {
			panic("state: change of " + field + " in " + t.def.Name)
		}
		next = changed(row, next, at, fieldsAndValues[i+1])
	}
	t.write(e, nil, next, OpUpdate)
	return next
}

// Put stores row exactly as given under its _id, replacing what is there, and
// does not call OnWrite: for loading states, recorded or imported.
func (t *Table) Put(row Row) Row {
	id, ok := storedValue(row.Get(idField))
	if !ok {
		panic("state: put of a row without _id in " + t.def.Name)
	}
	e := t.byID.get(id)
	if e != nil && e.row != nil {
		id = e.row.Get(idField)
	}
	stored := storedRow(id, row)
	t.write(e, id, stored, 0)
	return stored
}

// Remove deletes the row with row's _id and says whether it was there.
func (t *Table) Remove(row Row) bool {
	e := t.byID.get(row.Get(idField))
	if e == nil || e.row == nil {
		t.section.wrote(t.def.Name, OpRemove)
		return false
	}
	t.write(e, nil, nil, OpRemove)
	return true
}

// write journals and stores a change (nil removes) and tells the hook.
func (t *Table) write(e *entry, id jsvalue.Value, row Row, op byte) {
	if e == nil {
		e = newEntry(id) // set enters it
	}
	if row != nil && row == e.row { // written, but the same
		if op != 0 {
			t.section.wrote(t.def.Name, op)
		}
		return
	}
	t.section.journal = append(t.section.journal, undo{kind: undoRow, table: t, entry: e, row: e.row})
	e.own = false
	t.set(e, row)
	if op != 0 {
		t.section.wrote(t.def.Name, op)
	}
}

// set changes the row of an entry, the indexes and the lists of changes.
func (t *Table) set(e *entry, row Row) {
	old := e.row
	e.row = row
	switch {
	case old == nil && row != nil:
		if e.leaf != 0 { // the new _id may be written otherwise: 1 and 1.0 are one id
			t.section.merkle.drop(e.leaf)
			e.leaf = 0
		}
		t.byID.put(e)
		t.count++
		t.ids.set(e.key, e)
	case old != nil && row == nil:
		t.count--
		t.ids.remove(e.key)
	}
	for _, ix := range t.indexes {
		if old != nil && row != nil && ix.same(old, row) {
			continue
		}
		if old != nil {
			ix.drop(e, old)
		}
		if row != nil {
			ix.add(e, row)
		}
	}
	t.changedRow(e)
}

// changedRow lists an entry for the state tree and the file.
func (t *Table) changedRow(e *entry) {
	if !e.inRoot {
		e.inRoot = true
		t.section.toRoot = append(t.section.toRoot, change{table: t, entry: e})
	}
	if !e.inDisk && t.section.db.durable {
		e.inDisk = true
		t.toDisk = append(t.toDisk, e)
	}
}
