package state

import (
	"slices"
	"strings"

	"causeway/sidechain/jsvalue"
)

// Order is one sort key of a find: a field with a visible single-field index,
// the name of a visible compound index (which stands for its fields), "_id" or
// "$loki".
type Order struct {
	Index      string
	Descending bool
}

// Fact is something that holds for every row that is wanted: Field has one of
// Values or, when Values is nil, a value between Min and Max, both included,
// nil for no bound, of the type of the bounds. Select uses facts to read a part
// of an index instead of the whole table.
type Fact struct {
	Field    string
	Values   []jsvalue.Value
	Min, Max jsvalue.Value
}

// Select returns the rows that match (nil for all), sorted by order and then by
// _id ascending, from the offset-th on, at most limit (all when negative). If
// any index of order does not exist, the whole order is ignored. facts is what
// match implies. The table may be written while match runs.
func (t *Table) Select(match func(Row) bool, order []Order, offset, limit int, facts ...Fact) []Row {
	if limit == 0 {
		return []Row{}
	}
	p := page{match: match, skip: max(offset, 0), limit: limit, rows: []Row{}}
	if id, ok := t.knownID(facts); ok {
		if row := t.Get(id); row != nil {
			p.visit(row)
		}
		return p.rows
	}
	keys := t.sortKeys(order)
	path := t.accessPath(facts, keys)
	if descending, ok := path.streams(keys); ok {
		path.walk(descending, p.visit)
		return p.rows
	}
	s := sorter{match: match, keys: keys, want: -1}
	if limit > 0 {
		s.want = p.skip + limit
	}
	path.walk(false, s.visit)
	return s.rows(p.skip)
}

// page collects the rows of a result that come in order.
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

// sorter collects rows that come in another order, and never keeps many more
// than it needs.
type sorter struct {
	match func(Row) bool
	keys  []sortKey
	want  int // rows that matter; negative for all
	list  []sortedRow
	buf   []byte
}

type sortedRow struct {
	key string
	row Row
}

func (s *sorter) visit(row Row) bool {
	if s.match != nil && !s.match(row) {
		return true
	}
	s.buf = s.buf[:0]
	for _, k := range s.keys {
		from := len(s.buf)
		v, _ := fieldValue(row, k.path)
		s.buf = AppendKey(s.buf, v)
		if k.descending {
			for i := from; i < len(s.buf); i++ {
				s.buf[i] = ^s.buf[i]
			}
		}
	}
	s.buf = AppendKey(s.buf, row.Get(idField))
	s.list = append(s.list, sortedRow{string(s.buf), row})
	if s.want >= 0 && len(s.list) >= 2*s.want+64 {
		s.cut()
	}
	return true
}

// cut sorts and drops what lies behind the wanted rows.
func (s *sorter) cut() {
	slices.SortFunc(s.list, func(a, b sortedRow) int { return strings.Compare(a.key, b.key) })
	if s.want >= 0 && len(s.list) > s.want {
		clear(s.list[s.want:])
		s.list = s.list[:s.want]
	}
}

func (s *sorter) rows(skip int) []Row {
	s.cut()
	rows := []Row{}
	for _, r := range s.list[min(skip, len(s.list)):] {
		rows = append(rows, r.row)
	}
	return rows
}

// sortKey is one field of a sort.
type sortKey struct {
	field      string
	path       []string
	descending bool
}

// sortKeys expands an order to fields, without a closing _id ascending.
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

// visible finds the visible index that an order means: by its name, or the
// single-field one of a field (MongoDB's name for it is field_1).
func (t *Table) visible(name string) *index {
	for _, ix := range t.indexes[:len(t.def.Indexes)] {
		if ix.Name == name || len(ix.Fields) == 1 && (ix.Fields[0] == name || ix.Fields[0]+"_1" == name) {
			return ix
		}
	}
	return nil
}

// knownID returns the only _id that the facts allow, when they give one.
func (t *Table) knownID(facts []Fact) (jsvalue.Value, bool) {
	if v, ok := single(facts, idField); ok {
		return v, true
	}
	if len(t.def.PrimaryKey) == 0 {
		return nil, false
	}
	id := jsvalue.NewObject()
	for _, f := range t.def.PrimaryKey {
		v, ok := single(facts, f)
		if !ok {
			return nil, false
		}
		id.Set(f, v)
	}
	return id, true
}

// single returns the value that the facts give a field, when it is one that no
// other value is equal to (null also means absent).
func single(facts []Fact, field string) (jsvalue.Value, bool) {
	for _, k := range facts {
		if k.Field == field && len(k.Values) == 1 && k.Values[0] != nil {
			return k.Values[0], true
		}
	}
	return nil, false
}
