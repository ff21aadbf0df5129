package state

import (
	"bytes"
	"slices"
	"sort"

	"causeway/sidechain/jsvalue"
)

// Order is one sort key of a find: a field with a visible single-field index,
// the name of a visible compound index (which stands for its fields), "_id" or
// "$loki".
type Order struct {
	Index      string
	Descending bool
}

// Equal is a fact about every row that is wanted: Field has one of Values.
// Select uses such facts to read an index instead of the whole table.
type Equal struct {
	Field  string
	Values []jsvalue.Value
}

// Select returns the rows that match (nil for all), sorted by order and then by
// _id ascending, from the offset-th on, at most limit (all when negative). If
// any index of order does not exist, the whole order is ignored. known lists
// facts that match implies.
func (t *Table) Select(match func(Row) bool, order []Order, offset, limit int, known ...Equal) []Row {
	p := page{match: match, skip: max(offset, 0), limit: limit, rows: []Row{}}
	if limit == 0 {
		return p.rows
	}
	keys := t.sortKeys(order)
	if id, ok := t.knownID(known); ok {
		if row := t.Get(id); row != nil {
			p.visit(row)
		}
		return p.rows
	}
	path := t.accessPath(known)
	if descending, ok := path.streams(keys); ok {
		path.walk(descending, p.visit)
		return p.rows
	}
	all := page{match: match, limit: -1}
	path.walk(false, all.visit)
	sortRows(all.rows, keys)
	rows := all.rows[min(p.skip, len(all.rows)):]
	if limit > 0 && len(rows) > limit {
		rows = rows[:limit]
	}
	return append(p.rows, rows...)
}

// page collects the rows of a result.
type page struct {
	match func(Row) bool
	skip  int
	limit int
	rows  []Row
}

// visit takes a row and says whether more are wanted.
func (p *page) visit(row Row) bool {
	if p.match != nil && !p.match(row) {
		return true
	}
	if p.skip > 0 {
		p.skip--
		return true
	}
	p.rows = append(p.rows, row)
	return p.limit < 0 || len(p.rows) < p.limit
}

// sortKey is one field of a sort.
type sortKey struct {
	field      string
	path       []string
	descending bool
}

// sortKeys expands an order to fields, without the closing _id ascending.
func (t *Table) sortKeys(order []Order) []sortKey {
	var keys []sortKey
	for _, o := range order {
		if o.Index == idField || o.Index == "$loki" {
			keys = append(keys, sortKey{idField, []string{idField}, o.Descending})
			continue
		}
		ix := t.visible(o.Index)
		if ix == nil {
			return nil
		}
		for i, f := range ix.Fields {
			keys = append(keys, sortKey{f, ix.paths[i], o.Descending})
		}
	}
	if n := len(keys); n > 0 && keys[n-1].field == idField && !keys[n-1].descending {
		keys = keys[:n-1]
	}
	return keys
}

// visible finds the visible index that an order means: by name, or the
// single-field one of a field.
func (t *Table) visible(name string) *index {
	for _, ix := range t.indexes[:len(t.def.Indexes)] {
		if ix.Name == name || len(ix.Fields) == 1 && ix.Fields[0] == name {
			return ix
		}
	}
	return nil
}

// knownID returns the only _id that the facts allow, when they give one.
func (t *Table) knownID(known []Equal) (jsvalue.Value, bool) {
	if v, ok := single(known, idField); ok {
		return v, true
	}
	if len(t.def.PrimaryKey) == 0 {
		return nil, false
	}
	id := jsvalue.NewObject()
	for _, f := range t.def.PrimaryKey {
		v, ok := single(known, f)
		if !ok {
			return nil, false
		}
		if _, undefined := v.(jsvalue.Undefined); !undefined {
			id.Set(f, v)
		}
	}
	return id, true
}

// single returns the value that the facts give a field, when it is one that
// cannot also match otherwise (null matches absent fields).
func single(known []Equal, field string) (jsvalue.Value, bool) {
	for _, k := range known {
		if k.Field == field && len(k.Values) == 1 && k.Values[0] != nil {
			return k.Values[0], true
		}
	}
	return nil, false
}

// path is a way through a table: index ix (nil for _id order) restricted to
// the keys that start with one of prefixes, which cover the first n fields.
type path struct {
	table    *Table
	ix       *index
	n        int
	prefixes []string
}

// maxPrefixes bounds the work of an index walk for lists of values.
const maxPrefixes = 1024

// accessPath chooses the index whose leading fields the facts cover best.
// Indexes over arrays are left out: a query looks into arrays, they do not.
func (t *Table) accessPath(known []Equal) path {
	best := path{table: t, prefixes: []string{""}}
	for _, ix := range t.indexes {
		if ix.arrays > 0 {
			continue
		}
		p := path{table: t, ix: ix, prefixes: []string{""}}
		for _, f := range ix.Fields {
			i := slices.IndexFunc(known, func(k Equal) bool { return k.Field == f })
			if i < 0 || !p.extend(known[i].Values) {
				break
			}
		}
		if p.n > best.n || p.n > 0 && p.n == best.n && len(p.prefixes) < len(best.prefixes) {
			best = p
		}
	}
	return best
}

// extend restricts the next field to values.
func (p *path) extend(values []jsvalue.Value) bool {
	if len(p.prefixes)*len(values) > maxPrefixes {
		return false
	}
	next := make([]string, 0, len(p.prefixes)*len(values))
	for _, prefix := range p.prefixes {
		for _, v := range values {
			next = append(next, string(AppendKey([]byte(prefix), v)))
		}
	}
	slices.Sort(next)
	p.prefixes = slices.Compact(next)
	p.n++
	return true
}

// streams says whether the path gives rows in the wanted order, and in which
// direction it must be walked.
func (p *path) streams(keys []sortKey) (descending, ok bool) {
	if len(p.prefixes) > 1 {
		return false, false
	}
	if p.ix == nil {
		if len(keys) == 1 && keys[0].field == idField {
			return true, true
		}
		if len(keys) == 1 {
			return p.adopt(keys[0])
		}
		return false, len(keys) == 0
	}
	rest := p.ix.Fields[p.n:]
	if len(rest) == 0 && len(keys) == 1 && keys[0].field == idField {
		return true, true
	}
	if len(rest) != len(keys) {
		return false, false
	}
	for i, k := range keys {
		if k.field != rest[i] || k.descending != keys[0].descending {
			return false, false
		}
	}
	return len(keys) > 0 && keys[0].descending, true
}

// adopt turns the walk through the whole table into one along the index of the
// only sort key.
func (p *path) adopt(k sortKey) (descending, ok bool) {
	p.ix = p.table.visible(k.field)
	if p.ix == nil || len(p.ix.Fields) != 1 {
		p.ix = nil
		return false, false
	}
	return k.descending, true
}

// walk visits the rows of the path until visit returns false.
func (p *path) walk(descending bool, visit func(Row) bool) {
	more := true
	for _, prefix := range p.prefixes {
		step := func(key string, e *entry) bool {
			if beyond(key, prefix) {
				return false
			}
			more = visit(e.row)
			return more
		}
		switch {
		case p.ix == nil && descending:
			p.table.ids.descend("", func(_ string, e *entry) bool { return visit(e.row) })
		case p.ix == nil:
			p.table.ids.ascend("", step)
		case descending && p.n == len(p.ix.Fields):
			p.ix.tree.descend(after(prefix), func(key string, e *entry) bool {
				return hasPrefix(key, []byte(prefix)) && visit(e.row)
			})
		case descending:
			p.ix.descendGroups(prefix, visit)
		default:
			p.ix.tree.ascend(prefix, step)
		}
		if !more {
			return
		}
	}
}

// descendGroups visits the rows whose fields start with prefix, fields
// descending, _id ascending.
func (ix *index) descendGroups(prefix string, visit func(Row) bool) {
	ix.tree.groups(after(prefix), func(group string) bool {
		if len(group) < len(prefix) || group[:len(prefix)] != prefix {
			return false
		}
		more := true
		ix.tree.ascend(group, func(key string, e *entry) bool {
			if beyond(key, group) {
				return false
			}
			more = visit(e.row)
			return more
		})
		return more
	})
}

// sortRows sorts by the keys, then by _id.
func sortRows(rows []Row, keys []sortKey) {
	type keyed struct {
		key []byte
		row Row
	}
	list := make([]keyed, len(rows))
	for i, row := range rows {
		var key []byte
		for _, k := range keys {
			from := len(key)
			v, _ := fieldValue(row, k.path)
			key = AppendKey(key, v)
			if k.descending {
				for j := from; j < len(key); j++ {
					key[j] = ^key[j]
				}
			}
		}
		list[i] = keyed{AppendKey(key, row.Get(idField)), row}
	}
	sort.Slice(list, func(i, j int) bool { return bytes.Compare(list[i].key, list[j].key) < 0 })
	for i := range list {
		rows[i] = list[i].row
	}
}
