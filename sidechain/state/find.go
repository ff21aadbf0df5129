package state

import (
	"fmt"
	"iter"

	"causeway/sidechain/jsvalue"
)

// lookup returns an index by name, a hidden one before a visible one.
func (t *Table) lookup(name string) *index {
	var found *index
	for _, ix := range t.indexes {
		if ix.Name == name && (found == nil || ix.first != nil) {
			found = ix
		}
	}
	if found == nil {
		panic(fmt.Sprintf("state: table %s has no index %q", t.def.Name, name))
	}
	return found
}

// All iterates over the rows in _id order. The table may be written meanwhile:
// the iteration goes on behind the last row that it gave.
func (t *Table) All() iter.Seq[Row] {
	return func(yield func(Row) bool) {
		t.ids.ascend("", func(_ string, e *entry) bool { return yield(e.row) })
	}
}

// Find1 returns the row with these values in the leading fields of the index
// (hidden or visible), the one with the smallest index fields and then _id when
// there are several; nil when there is none. An unknown index panics.
func (t *Table) Find1(lookup string, vals ...jsvalue.Value) Row {
	ix := t.lookup(lookup)
	var a [128]byte
	return ix.find1(appendValues(a[:0], vals), len(vals)).stored()
}

// FindText is Find1 for texts, which it need not box: nothing is allocated.
func (t *Table) FindText(lookup string, texts ...string) Row {
	return t.PlaceText(lookup, texts...).Row()
}

// Place is where a row is stored: found once, read and changed there. It is
// good until its row is removed. The zero Place has no row.
type Place struct {
	table *Table
	entry *entry
}

// PlaceText is FindText for a row that is to be changed.
func (t *Table) PlaceText(lookup string, texts ...string) Place {
	ix := t.lookup(lookup)
	var a [128]byte
	prefix := a[:0]
	for _, s := range texts {
		prefix = appendStringKey(append(prefix, tagString), s)
	}
	return Place{t, ix.find1(prefix, len(texts))}
}

// Row is the row that is stored there now, nil when there is none.
func (p Place) Row() Row { return p.entry.stored() }

// Change is Table.Change of the row that is stored there.
func (p Place) Change(fieldsAndValues ...any) Row {
	return p.table.change(p.entry, p.Row(), fieldsAndValues)
}

// Overwrite is Table.Overwrite of the row that is stored there.
func (p Place) Overwrite(fieldsAndValues ...any) {
	p.table.overwrite(p.entry, p.Row(), fieldsAndValues)
}

// find1 is the first entry below the key of n leading fields, or nil.
func (ix *index) find1(prefix []byte, n int) *entry {
	if ix.first != nil && n == len(ix.paths) {
		return ix.first[string(prefix)]
	}
	leaf, i := ix.tree.seek(string(prefix))
	if leaf == nil || !hasPrefix(leaf.keys[i], prefix) {
		return nil
	}
	return leaf.items[i]
}

// FindAll iterates over the rows with these values in the leading fields of the
// index, ordered by the index fields, then _id. The table may be written
// meanwhile.
func (t *Table) FindAll(lookup string, vals ...jsvalue.Value) iter.Seq[Row] {
	return t.Ascend(lookup, vals, vals)
}

// Ascend iterates over the rows whose leading index fields lie between from and
// to, both included and possibly shorter than the index; nil is no bound.
// Ordered by the index fields, then _id. The table may be written meanwhile:
// the iteration goes on behind the last row that it gave.
func (t *Table) Ascend(index string, from, to []jsvalue.Value) iter.Seq[Row] {
	ix := t.lookup(index)
	s := span{string(appendValues(nil, from)), string(appendValues(nil, to))}
	return func(yield func(Row) bool) {
		ix.tree.between(s, func(e *entry) bool { return yield(e.row) })
	}
}

// Descend is Ascend with the index fields in descending order (from is the
// upper bound, to the lower); rows with equal fields still come by ascending
// _id, as price-time priority wants it.
func (t *Table) Descend(index string, from, to []jsvalue.Value) iter.Seq[Row] {
	p := path{table: t, ix: t.lookup(index)}
	p.spans = []span{{string(appendValues(nil, to)), string(appendValues(nil, from))}}
	return func(yield func(Row) bool) { p.walk(true, yield) }
}

// groups visits the distinct field prefixes below before (all when empty) in
// descending order.
func (b *btree) groups(before string, visit func(prefix string) bool) {
	for {
		leaf, i := b.last(before)
		if leaf == nil {
			return
		}
		key := leaf.keys[i]
		before = key[:len(key)-len(leaf.items[i].key)]
		if !visit(before) || before == "" {
			return
		}
	}
}

// beyond says whether key lies behind every key that starts with end; the
// empty end is no bound.
func beyond(key, end string) bool {
	if len(key) > len(end) {
		key = key[:len(end)]
	}
	return key > end
}

// after is the smallest string above every string that starts with prefix, or
// "" when there is none.
func after(prefix string) string {
	for i := len(prefix) - 1; i >= 0; i-- {
		if prefix[i] != 0xff {
			return prefix[:i] + string([]byte{prefix[i] + 1})
		}
	}
	return ""
}

func hasPrefix(key string, prefix []byte) bool {
	return len(key) >= len(prefix) && key[:len(prefix)] == string(prefix)
}
