package state

import (
	"math"
	"slices"
	"strings"

	"causeway/sidechain/jsvalue"
)

// Row is one stored document; its first member is "_id". A stored Row is
// immutable.
type Row = *jsvalue.Object

const idField = "_id"

// storedRow builds the row {_id, …members of row but its _id}.
func storedRow(id jsvalue.Value, row Row) Row {
	out := jsvalue.MakeObject(row.Len() + 1)
	out.Set(idField, id)
	for name, v := range row.All() {
		if name == idField {
			continue
		}
		if v, ok := storedValue(v); ok {
			out.Set(storedString(name), v)
		}
	}
	return out
}

// mergedRow is MongoDB's $set and $unset: known fields keep their position,
// new ones are appended in lexicographic order. Where nothing changes it is
// old itself.
func mergedRow(old, patch Row, unsets []string) Row {
	out := old // copied before the first change: what is stored never changes
	var added []string
	for i := range patch.Len() {
		name, v := patch.At(i)
		if name == idField {
			continue
		}
		at := i
		if at >= old.Len() || keyAt(old, at) != name { // usually patch is a clone of old
			at = old.Find(storedString(name))
		}
		if at < 0 {
			added = append(added, name)
			continue
		}
		out = changed(old, out, at, v)
	}
	if len(added) > 0 {
		out = extended(out, patch, added)
	}
	for _, name := range unsets {
		if name == idField || !out.Has(name) {
			continue
		}
		if out == old {
			out = old.Shallow(0)
		}
		out.Delete(name)
	}
	return out
}

func keyAt(row Row, i int) string {
	key, _ := row.At(i)
	return key
}

// changed sets a member of out, which becomes a copy when it still is old.
// What old has already, and undefined, changes nothing.
func changed(old, out Row, at int, v jsvalue.Value) Row {
	if _, had := old.At(at); jsvalue.Equal(had, v) {
		return out
	}
	v, ok := storedValue(v)
	if !ok {
		return out
	}
	if out == old {
		out = old.Shallow(0)
	}
	out.SetAt(at, v)
	return out
}

// extended is a copy of row with the members of patch that it does not have.
func extended(row, patch Row, names []string) Row {
	slices.SortStableFunc(names, func(a, b string) int { return strings.Compare(storedString(a), storedString(b)) })
	out := row.Shallow(len(names))
	for _, name := range names {
		if v, ok := storedValue(patch.Get(name)); ok {
			out.Set(storedString(name), v)
		}
	}
	return out
}

// storedValue is v after a round trip through JSON text, copied so that the
// caller keeps nothing of it; ok is false for undefined.
func storedValue(v jsvalue.Value) (stored jsvalue.Value, ok bool) {
	switch x := v.(type) {
	case string:
		if text := storedString(x); text != x {
			return text, true
		}
		return v, true // as it is boxed already
	case float64:
		if x != x || math.IsInf(x, 0) {
			return nil, true
		}
		if x == 0 {
			return float64(0), true
		}
		return v, true
	case jsvalue.Undefined:
		return nil, false
	case []jsvalue.Value:
		list := make([]jsvalue.Value, len(x))
		for i := range x {
			list[i], _ = storedValue(x[i])
		}
		return list, true
	case *jsvalue.Object:
		o := jsvalue.NewObject()
		for name, member := range x.All() {
			if member, ok := storedValue(member); ok {
				o.Set(storedString(name), member)
			}
		}
		return o, true
	}
	return v, true
}

// storedString is s unless it holds bytes that JSON text writes otherwise.
func storedString(s string) string {
	for i := 0; i < len(s); i++ {
		if s[i] >= 0x80 {
			v, err := jsvalue.Parse(jsvalue.Stringify(s))
			if text, ok := v.(string); ok && err == nil {
				return text
			}
			return s
		}
	}
	return s
}

// fieldPath is a dotted path split into its parts.
func fieldPath(field string) []string { return strings.Split(field, ".") }

// fieldValue walks a path through objects. isArray tells that an array was met
// on the way or at the end, whose elements a query would look into.
func fieldValue(row Row, path []string) (v jsvalue.Value, isArray bool) {
	v = row.Get(path[0])
	for _, name := range path[1:] {
		switch x := v.(type) {
		case *jsvalue.Object:
			v = x.Get(name)
		case []jsvalue.Value:
			return v, true
		default:
			return jsvalue.Undefined{}, false
		}
	}
	_, isArray = v.([]jsvalue.Value)
	return v, isArray
}
