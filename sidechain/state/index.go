package state

import (
	"slices"

	"causeway/sidechain/jsvalue"
)

// Index orders a table by one or more fields (dotted paths allowed), then by
// _id. Its name is the field's for a single field.
type Index struct {
	Name   string   `json:"name"`
	Fields []string `json:"fields"`
}

// index is an Index with its content. A hash index keeps, for each full set of
// field values, the entry with the smallest _id.
type index struct {
	Index
	paths  [][]string
	tree   btree
	first  map[string]*entry // nil unless the index is a lookup
	arrays int               // rows with an array in an indexed field
}

func newIndex(def Index, lookup bool) *index {
	ix := &index{Index: Index{Name: def.Name, Fields: slices.Clone(def.Fields)}}
	for _, f := range def.Fields {
		ix.paths = append(ix.paths, fieldPath(f))
	}
	if lookup {
		ix.first = make(map[string]*entry)
	}
	return ix
}

// appendPrefix appends the order key of the row's indexed fields.
func (ix *index) appendPrefix(dst []byte, row Row) (key []byte, arrays int) {
	for _, path := range ix.paths {
		v, isArray := fieldValue(row, path)
		if isArray {
			arrays = 1
		}
		dst = AppendKey(dst, v)
	}
	return dst, arrays
}

func (ix *index) add(e *entry, row Row) {
	var a [128]byte
	prefix, arrays := ix.appendPrefix(a[:0], row)
	key := string(append(prefix, e.key...))
	ix.arrays += arrays
	ix.tree.set(key, e)
	if ix.first == nil {
		return
	}
	p := key[:len(prefix)]
	if held, ok := ix.first[p]; !ok || e.key < held.key {
		ix.first[p] = e
	}
}

func (ix *index) drop(e *entry, row Row) {
	var a [128]byte
	prefix, arrays := ix.appendPrefix(a[:0], row)
	n := len(prefix)
	key := string(append(prefix, e.key...))
	ix.arrays -= arrays
	ix.tree.remove(key)
	if ix.first == nil || ix.first[key[:n]] != e {
		return
	}
	leaf, i := ix.tree.seek(key[:n])
	if leaf != nil && len(leaf.keys[i]) >= n && leaf.keys[i][:n] == key[:n] {
		ix.first[leaf.keys[i][:n]] = leaf.items[i]
		return
	}
	delete(ix.first, key[:n])
}

// same says whether both rows have the same values in the indexed fields.
func (ix *index) same(a, b Row) bool {
	for _, path := range ix.paths {
		x, _ := fieldValue(a, path)
		y, _ := fieldValue(b, path)
		if !sameValue(x, y) {
			return false
		}
	}
	return true
}

// sameValue compares without building keys where it can; false only means that
// the keys must be compared.
func sameValue(x, y jsvalue.Value) bool {
	if s, ok := x.(string); ok {
		t, ok := y.(string)
		return ok && s == t
	}
	return jsvalue.Equal(x, y)
}

// appendValues appends the order key of the leading fields of an index.
func appendValues(dst []byte, vals []jsvalue.Value) []byte {
	for _, v := range vals {
		dst = AppendKey(dst, v)
	}
	return dst
}
