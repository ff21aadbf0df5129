package state

import (
	"math"

	"causeway/sidechain/jsvalue"
)

// Deferred writes: a contract that writes one row several times, or inserts a
// row that it removes again, tells of each write by Reserve and Count, and
// stores the outcome once, by Keep. Who reads the table in between sees the
// row as it was.

// Reserve takes the next _id of the table's sequence for a row that Keep
// stores later, or that is never stored. It counts as an insert.
func (t *Table) Reserve() (id float64) {
	if len(t.def.PrimaryKey) > 0 {
		panic("state: " + t.def.Name + " has no sequence")
	}
	id = float64(t.seq)
	t.section.journal = append(t.section.journal, undo{kind: undoSequence, table: t, seq: t.seq})
	t.seq++
	t.changedDef()
	t.section.wrote(t.def.Name, OpInsert)
	return id
}

// Count tells of a write whose outcome Keep stores, or that changes nothing.
func (t *Table) Count(op byte) { t.section.wrote(t.def.Name, op) }

// Keep stores a row under its number, which comes first, in place of what is
// there, and counts nothing. The row is the table's from then on; it is
// returned as stored.
func (t *Table) Keep(row Row) Row {
	id, ok := row.Number(idField)
	if !ok {
		panic("state: a row without a number for " + t.def.Name)
	}
	if !isStored(row) {
		row = storedRow(id, row)
	}
	t.write(t.byID.get(id), id, row, 0)
	return row
}

// isStored says for sure that a row is as storedRow makes it, but for its _id,
// with nothing that the caller could change later but decimals, which nobody
// does.
func isStored(row Row) bool {
	for i := range row.Len() {
		name, v := row.At(i)
		if i == 0 && name != idField || i > 0 && !plainValue(v) || !plainText(name) {
			return false
		}
	}
	return row.Len() > 0
}

func plainValue(v jsvalue.Value) bool {
	switch x := v.(type) {
	case string:
		return plainText(x)
	case float64:
		return x == x && !math.IsInf(x, 0) && (x != 0 || !math.Signbit(x))
	case bool, nil:
		return true
	case *jsvalue.Object:
		text, ok := decimalText(x)
		return ok && plainText(text)
	}
	return false
}

// plainText says whether a text is ASCII, which JSON never changes.
func plainText(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			return false
		}
	}
	return true
}
