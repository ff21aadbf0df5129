package state

import (
	"slices"

	"causeway/sidechain/jsvalue"
)

// path is a way through a table: the index ix (nil for _id order) restricted
// to spans of its keys. The first equal fields are fixed in every span; ranged
// tells that the next one is bounded.
type path struct {
	table  *Table
	ix     *index
	equal  int
	ranged bool
	spans  []span
}

// span is the keys that start with from, lie behind it, and before or under
// to; empty strings are no bounds.
type span struct{ from, to string }

// maxSpans bounds the work of an index walk for lists of values.
const maxSpans = 1024

// accessPath chooses the index whose leading fields the facts bind best; among
// equals one that gives the wanted order. Indexes over arrays are left out: a
// query looks into arrays, they do not.
func (t *Table) accessPath(facts []Fact, keys []sortKey) path {
	best := path{table: t, spans: []span{{}}}
	if best.bind(facts, idField) {
		best.equal = 0 // no field of an index; rows still come in _id order
		best.ranged = true
	}
	score := func(p *path) int {
		n := 4 * p.equal
		if p.ranged {
			n += 2
		}
		if _, ok := p.streams(keys); ok {
			n++
		}
		return n
	}
	top := score(&best)
	for _, ix := range t.indexes {
		if ix.arrays > 0 {
			continue
		}
		p := path{table: t, ix: ix, spans: []span{{}}}
		for _, f := range ix.Fields {
			if !p.bind(facts, f) || p.ranged {
				break
			}
		}
		if n := score(&p); n > top {
			best, top = p, n
		}
	}
	return best
}

// bind restricts the next field by the facts, and says whether they do.
func (p *path) bind(facts []Fact, field string) bool {
	i := slices.IndexFunc(facts, func(k Fact) bool { return k.Field == field && k.Values != nil })
	if i >= 0 && len(p.spans)*len(facts[i].Values) <= maxSpans {
		p.bindValues(facts[i].Values)
		return true
	}
	i = slices.IndexFunc(facts, func(k Fact) bool { return k.Field == field && k.Values == nil })
	if i < 0 || facts[i].Min == nil && facts[i].Max == nil {
		return false
	}
	p.bindRange(facts[i])
	return true
}

func (p *path) bindValues(values []jsvalue.Value) {
	prefixes := make([]string, 0, len(p.spans)*len(values))
	for _, s := range p.spans {
		for _, v := range values {
			prefixes = append(prefixes, string(AppendKey([]byte(s.from), v)))
		}
	}
	slices.Sort(prefixes)
	p.spans = p.spans[:0:0]
	for _, prefix := range slices.Compact(prefixes) {
		p.spans = append(p.spans, span{prefix, prefix})
	}
	p.equal++
}

// bindRange bounds the next field; a bound that is not given is the end of the
// other one's type.
func (p *path) bindRange(k Fact) {
	var low, high []byte
	if k.Min != nil {
		low = AppendKey(nil, k.Min)
	}
	if k.Max != nil {
		high = AppendKey(nil, k.Max)
	}
	if low == nil {
		low = high[:1]
	}
	if high == nil {
		high = low[:1]
	}
	spans := make([]span, len(p.spans))
	for i, s := range p.spans {
		spans[i] = span{s.from + string(low), s.from + string(high)}
	}
	p.spans = spans
	p.ranged = true
}

// streams says whether the path gives rows in the wanted order, and in which
// direction it must be walked.
func (p *path) streams(keys []sortKey) (descending, ok bool) {
	if len(p.spans) > 1 && (p.ix != nil || len(keys) > 0) {
		return false, false
	}
	var rest []string
	if p.ix != nil {
		rest = p.ix.Fields[p.equal:]
	}
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

// walk visits the rows of the path until visit returns false. Descending, rows
// with the same fields still come by ascending _id, unless all fields are
// fixed: then _id descends.
func (p *path) walk(descending bool, visit func(Row) bool) {
	tree := &p.table.ids
	plain := true // the tree's keys end in nothing but what is to be reversed
	if p.ix != nil {
		tree = &p.ix.tree
		plain = p.equal == len(p.ix.Fields)
	}
	for _, s := range p.spans {
		more := true
		seen := func(e *entry) bool {
			more = visit(e.row)
			return more
		}
		switch {
		case !descending:
			tree.between(s, seen)
		case plain:
			tree.descend(after(s.to), func(key string, e *entry) bool { return key >= s.from && seen(e) })
		default:
			tree.groups(after(s.to), func(group string) bool {
				if group < s.from {
					return false
				}
				tree.between(span{group, group}, seen)
				return more
			})
		}
		if !more {
			return
		}
	}
}

// between visits the entries of a span in ascending order.
func (b *btree) between(s span, visit func(e *entry) bool) {
	b.ascend(s.from, func(key string, e *entry) bool {
		return !beyond(key, s.to) && visit(e)
	})
}
