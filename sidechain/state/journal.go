package state

// Mark is a place in a section's undo journal, counted from the first entry
// ever.
type Mark uint64

type undoKind uint8

const (
	undoRow undoKind = iota
	undoSequence
	undoCreate
	undoDefine
)

// undo is what takes one step back.
type undo struct {
	kind  undoKind
	table *Table
	entry *entry
	row   Row
	seq   uint64
	def   *TableDef
}

// Savepoint marks the state. Marks are good until Forget.
func (s *Section) Savepoint() Mark {
	s.disown()
	return s.forgotten + Mark(len(s.journal))
}

// Rollback takes back every write since the mark: rows, indexes, sequences,
// tables. The mark stays good.
func (s *Section) Rollback(m Mark) {
	s.disown()
	keep := int(m - s.forgotten)
	if m < s.forgotten || keep > len(s.journal) {
		panic("state: rollback to a mark that was forgotten")
	}
	for i := len(s.journal) - 1; i >= keep; i-- {
		u := &s.journal[i]
		switch u.kind {
		case undoRow:
			u.table.set(u.entry, u.row)
		case undoSequence:
			u.table.seq = u.seq
		case undoCreate:
			delete(s.tables, u.table.def.Name)
		case undoDefine:
			u.table.undefine(*u.def)
		}
	}
	clear(s.journal[keep:])
	s.journal = s.journal[:keep]
}

// Forget drops the undo journal, at the end of a block.
func (s *Section) Forget() {
	s.disown()
	s.forgotten += Mark(len(s.journal))
	clear(s.journal)
	s.journal = s.journal[:0]
}

// undefine removes the indexes that def does not have.
func (t *Table) undefine(def TableDef) {
	visible, lookups := t.indexes[:len(def.Indexes)], t.indexes[len(t.def.Indexes):]
	t.indexes = append(append([]*index(nil), visible...), lookups[:len(def.Lookups)]...)
	t.def.Indexes, t.def.Lookups = def.Indexes, def.Lookups
}
