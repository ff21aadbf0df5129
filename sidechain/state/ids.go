package state

import (
	"cmp"
	"math"
	"strconv"
	"strings"

	"causeway/sidechain/jsvalue"
)

// entry is the place of one id. Its row is nil once it is removed; the entry
// stays until neither the state tree nor the file has the row.
type entry struct {
	key    string // order key of _id
	row    Row
	number uint64 // _id + 1 when it is a whole number, else 0
	leaf   uint32 // leaf of the state tree, 0 for none
	// Of the newest version in the file (rowlog.go), both 0 for none.
	segment, size uint32
	inRoot        bool // listed in section.toRoot
	inDisk        bool // listed in table.toDisk
	own           bool // row may be changed in place (overwrite.go)
}

// stored is the row of an entry that may be nil.
func (e *entry) stored() Row {
	if e == nil {
		return nil
	}
	return e.row
}

// pageSize is how many consecutive numbers a page of an idMap holds.
const pageSize = 256

// idMap finds entries by _id: those of whole numbers in pages, which suits ids
// from a sequence, others by order key.
type idMap struct {
	pages map[uint64]*idPage
	other map[string]*entry
}

type idPage struct {
	used  int
	slots [pageSize]*entry
}

func newIDMap() idMap {
	return idMap{pages: make(map[uint64]*idPage), other: make(map[string]*entry)}
}

func (m *idMap) get(id jsvalue.Value) *entry {
	if n := wholeNumber(id); n > 0 {
		if p := m.pages[n/pageSize]; p != nil {
			return p.slots[n%pageSize]
		}
		return nil
	}
	var a [96]byte
	return m.other[string(AppendKey(a[:0], id))]
}

// find is get by number or, where that is 0, by order key.
func (m *idMap) find(number uint64, key []byte) *entry {
	if number == 0 {
		return m.other[string(key)]
	}
	if p := m.pages[number/pageSize]; p != nil {
		return p.slots[number%pageSize]
	}
	return nil
}

// compare orders entries by _id.
func (e *entry) compare(other *entry) int {
	if e.number > 0 && other.number > 0 {
		return cmp.Compare(e.number, other.number)
	}
	return strings.Compare(e.key, other.key)
}

// newEntry makes the entry of an id that has none.
func newEntry(id jsvalue.Value) *entry {
	var a [192]byte
	return &entry{key: string(AppendKey(a[:0], id)), number: wholeNumber(id)}
}

func (m *idMap) put(e *entry) {
	if e.number == 0 {
		m.other[e.key] = e
		return
	}
	p := m.pages[e.number/pageSize]
	if p == nil {
		p = &idPage{}
		m.pages[e.number/pageSize] = p
	}
	if p.slots[e.number%pageSize] == nil {
		p.used++
	}
	p.slots[e.number%pageSize] = e
}

// drop removes an entry, unless another has taken its place.
func (m *idMap) drop(e *entry) {
	if e.number == 0 {
		if m.other[e.key] == e {
			delete(m.other, e.key)
		}
		return
	}
	p := m.pages[e.number/pageSize]
	if p == nil || p.slots[e.number%pageSize] != e {
		return
	}
	p.slots[e.number%pageSize] = nil
	if p.used--; p.used == 0 {
		delete(m.pages, e.number/pageSize)
	}
}

// wholeNumber is id + 1 for a natural number below 2^53, else 0. Equal numbers
// have equal results, however they are written.
func wholeNumber(id jsvalue.Value) uint64 {
	f := -1.0
	switch x := id.(type) {
	case float64:
		f = x
	case int:
		f = float64(x)
	case int64:
		f = float64(x)
	case uint64:
		f = float64(x)
	case *jsvalue.Object:
		text, ok := decimalText(x)
		if !ok {
			return 0
		}
		g, err := strconv.ParseFloat(text, 64)
		if err != nil || Compare(g, x) != 0 {
			return 0
		}
		f = g
	}
	if f >= 0 && f < 1<<53-1 && f == math.Trunc(f) {
		return uint64(f) + 1
	}
	return 0
}
