package state

import (
	"strings"

	"causeway/sidechain/jsvalue"
)

// FindLast is Find1 from the other end: of the rows with these values in the
// leading fields of the index, the one with the greatest index fields, and of
// several the one with the smallest _id; nil when there is none.
func (t *Table) FindLast(index string, vals ...jsvalue.Value) Row {
	ix := t.lookup(index)
	var a [128]byte
	prefix := appendValues(a[:0], vals)
	leaf, i := ix.tree.last(after(string(prefix)))
	if leaf == nil || !hasPrefix(leaf.keys[i], prefix) {
		return nil
	}
	key, e := leaf.keys[i], leaf.items[i]
	group := key[:len(key)-len(e.key)]
	if i > 0 && !strings.HasPrefix(leaf.keys[i-1], group) {
		return e.row // alone
	}
	leaf, i = ix.tree.seek(group)
	return leaf.items[i].row
}

// FindSome is what FindAll gives, but no more than most rows.
func (t *Table) FindSome(most int, index string, vals ...jsvalue.Value) (rows []Row) {
	ix := t.lookup(index)
	var a [128]byte
	prefix := appendValues(a[:0], vals)
	leaf, i := ix.tree.seek(string(prefix))
	for leaf != nil && len(rows) < most && hasPrefix(leaf.keys[i], prefix) {
		rows = append(rows, leaf.items[i].row)
		leaf, i = leaf.at(i + 1)
	}
	return rows
}

// CountUpTo counts the rows with these values in the leading fields of the
// index, but no more than most.
func (t *Table) CountUpTo(most int, index string, vals ...jsvalue.Value) (n int) {
	ix := t.lookup(index)
	var a [128]byte
	prefix := appendValues(a[:0], vals)
	leaf, i := ix.tree.seek(string(prefix))
	for ; leaf != nil && n < most && hasPrefix(leaf.keys[i], prefix); n++ {
		leaf, i = leaf.at(i + 1)
	}
	return n
}
