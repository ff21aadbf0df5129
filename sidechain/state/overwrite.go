package state

import (
	"slices"

	"causeway/sidechain/jsvalue"
)

// Overwrite is Change of one field for callers that hold no row of the table
// any more. A row that was made since the newest savepoint, which only this
// block's code can have seen, is changed in place: it is neither copied nor
// journaled once more. Rows of indexed fields are always copied.
func (t *Table) Overwrite(row Row, field string, v jsvalue.Value) {
	e := t.byID.get(row.Get(idField))
	if e == nil || !e.own || e.row != row || t.indexed(field) {
		t.Change(row, field, v)
		if e != nil && !e.own && e.row != row { // a copy of our own
			e.own = true
			t.section.owned = append(t.section.owned, e)
		}
		return
	}
	at := row.Find(field)
	v, ok := storedValue(v)
	if at < 0 || !ok || field == idField {
		panic("state: change of " + field + " in " + t.def.Name)
	}
	row.SetAt(at, v)
	t.changedRow(e)
	t.section.wrote(t.def.Name, OpUpdate)
}

// indexed says whether an index of the table looks into a field.
func (t *Table) indexed(field string) bool {
	for _, ix := range t.indexes {
		if slices.ContainsFunc(ix.paths, func(path []string) bool { return path[0] == field }) {
			return true
		}
	}
	return false
}

// disown ends the changes in place: what was made until now belongs to a
// savepoint, or to readers.
func (s *Section) disown() {
	for _, e := range s.owned {
		e.own = false
	}
	clear(s.owned)
	s.owned = s.owned[:0]
}
