package state

// Mark is a place in a section's undo journal.
type Mark int

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
func (s *Section) Savepoint() Mark { return Mark(len(s.journal)) }

// Rollback takes back every write since the mark: rows, indexes, sequences,
// tables. The mark stays good.
func (s *Section) Rollback(m Mark) {
	if m < 0 || int(m) > len(s.journal) {
		panic("state: rollback to a mark that was forgotten")
	}
	for i := len(s.journal) - 1; i >= int(m); i-- {
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
	clear(s.journal[m:])
	s.journal = s.journal[:m]
}

// Forget drops the undo journal, at the end of a block.
func (s *Section) Forget() {
	clear(s.journal)
	s.journal = s.journal[:0]
}

// undefine removes the indexes that def does not have.
func (t *Table) undefine(def TableDef) {
	visible, lookups := t.indexes[:len(def.Indexes)], t.indexes[len(t.def.Indexes):]
	t.indexes = append(append([]*index(nil), visible...), lookups[:len(def.Lookups)]...)
	t.def.Indexes, t.def.Lookups = def.Indexes, def.Lookups
}
