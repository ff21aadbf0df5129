package state

// Overwrite is Change for callers that hold no version of the row any more. A
// row that was made since the newest savepoint, which only this block's code
// can have seen, is changed in place: it is neither copied nor journaled once
// more. With an indexed field it is always copied.
func (t *Table) Overwrite(row Row, fieldsAndValues ...any) {
	t.overwrite(t.byID.get(row.Get(idField)), row, fieldsAndValues)
}

func (t *Table) overwrite(e *entry, row Row, fieldsAndValues []any) {
	if e == nil || !e.own || e.row != row || t.indexed(fieldsAndValues) {
		t.change(e, row, fieldsAndValues)
		if !e.own && e.row != row { // a copy of our own
			e.own = true
			t.section.owned = append(t.section.owned, e)
		}
		return
	}
	for i := 0; i < len(fieldsAndValues); i += 2 {
		field, _ := fieldsAndValues[i].(string)
		at := row.Find(field)
		v, ok := storedValue(fieldsAndValues[i+1])
		if at < 0 || !ok || field == idField {
			panic("state: change of " + field + " in " + t.def.Name)
		}
		row.SetAt(at, v)
	}
	t.changedRow(e)
	t.section.wrote(t.def.Name, OpUpdate)
}

// indexed says whether an index of the table looks into one of the fields.
func (t *Table) indexed(fieldsAndValues []any) bool {
	for _, ix := range t.indexes {
		for _, path := range ix.paths {
			for i := 0; i < len(fieldsAndValues); i += 2 {
				if fieldsAndValues[i] == path[0] {
					return true
				}
			}
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
