package state

import (
	"fmt"

	"causeway/sidechain/jsvalue"
)

// GetBy is Get in a table with a primary key by the values of its fields, in
// their order. What is undefined is no part of the key, as in a row.
func (t *Table) GetBy(vals ...jsvalue.Value) Row {
	var a [192]byte
	if e := t.byID.other[string(t.appendPrimary(a[:0], vals))]; e != nil {
		return e.row
	}
	return nil
}

// appendPrimary is the order key of the _id that these values make.
func (t *Table) appendPrimary(dst []byte, vals []jsvalue.Value) []byte {
	dst = append(dst, tagObject)
	for i, field := range t.def.PrimaryKey {
		switch v := vals[i].(type) {
		case jsvalue.Undefined:
		case string:
			dst = appendTextMember(dst, field, v)
		case float64:
			dst = appendNumberMember(dst, field, v)
		default:
			dst = appendMember(dst, field, v)
		}
	}
	return append(dst, keyEnd)
}

// InsertAs is Insert of a row of a table with a primary key in the form in
// which it is stored, its _id first: an object of the key fields in their order.
// Both are the table's from then on.
func (t *Table) InsertAs(row Row) {
	id, _ := row.Object(idField)
	var a [192]byte
	var vals [8]jsvalue.Value
	list := vals[:0]
	for _, field := range t.def.PrimaryKey {
		v := row.Get(field)
		if !jsvalue.Equal(id.Get(field), v) {
			panic("state: a row of " + t.def.Name + " with the _id of another")
		}
		list = append(list, v)
	}
	if len(list) == 0 || !isPlainObject(id) || !isStored(row) {
		t.Insert(row)
		return
	}
	key := t.appendPrimary(a[:0], list)
	e := t.byID.other[string(key)]
	if e != nil && e.row != nil {
		panic(fmt.Sprintf("state: duplicate key %s in %s", jsvalue.Stringify(id), t.def.Name))
	}
	if e == nil {
		e = &entry{key: string(key)}
	}
	t.write(e, nil, row, OpInsert)
}

func isPlainObject(o *jsvalue.Object) bool {
	for name, v := range o.All() {
		if _, nested := v.(*jsvalue.Object); nested || !plainText(name) || !plainValue(v) {
			return false
		}
	}
	return true
}
