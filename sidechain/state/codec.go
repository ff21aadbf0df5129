package state

import (
	"encoding/binary"
	"errors"
	"math"
	"unicode/utf8"

	"causeway/sidechain/jsvalue"
)

// Rows in the file are compact: a tag a value, and numbers in place of the
// names of members that the table's dictionary knows. Order of members is kept.
const (
	valNull    = iota
	valFalse   // booleans
	valTrue    //
	valFloat   // 8 bytes, big-endian
	valInt     // uvarint, a natural number below 2^53
	valString  // uvarint length, bytes
	valArray   // uvarint length, values
	valObject  // uvarint length, pairs of name and value
	valDecimal // {"$numberDecimal": string}: uvarint length, bytes
)

// A name is uvarint n: n > 0 is entry n-1 of the dictionary, 0 is followed by
// the name's length and bytes.

// maxNames bounds a dictionary; only names of top-level members enter it.
const maxNames = 256

// maxDepth bounds the nesting that decoding accepts, far above what a payload
// can carry.
const maxDepth = 10_000

var errRow = errors.New("malformed row")

// dictionary numbers the names of a table's members.
type dictionary struct {
	names   []string
	boxed   []any             // the same, as jsvalue.NewObject takes them
	number  map[string]uint64 // from 1
	scratch []any
}

func newDictionary(names []string) *dictionary {
	d := &dictionary{number: make(map[string]uint64, len(names))}
	for _, name := range names {
		d.add(name)
	}
	return d
}

func (d *dictionary) add(name string) uint64 {
	if len(d.names) == maxNames || !utf8.ValidString(name) { // it is stored as Go's JSON
		return 0
	}
	d.names = append(d.names, name)
	d.boxed = append(d.boxed, name)
	d.number[name] = uint64(len(d.names))
	return d.number[name]
}

// appendRow encodes a row, and enters its names.
func (d *dictionary) appendRow(dst []byte, row Row) []byte {
	for i := range row.Len() {
		if name := keyAt(row, i); d.numberOf(name, i) == 0 {
			d.add(name)
		}
	}
	return d.appendObject(dst, row)
}

// numberOf is the number of a name, 0 for none, quickly where it is that of
// the i-th member of most rows.
func (d *dictionary) numberOf(name string, i int) uint64 {
	if i < len(d.names) && d.names[i] == name {
		return uint64(i + 1)
	}
	return d.number[name]
}

func (d *dictionary) appendObject(dst []byte, o *jsvalue.Object) []byte {
	dst = binary.AppendUvarint(append(dst, valObject), uint64(o.Len()))
	for i := range o.Len() {
		name, v := o.At(i)
		n := d.numberOf(name, i)
		dst = binary.AppendUvarint(dst, n)
		if n == 0 {
			dst = appendText(dst, name)
		}
		dst = d.appendValue(dst, v)
	}
	return dst
}

func (d *dictionary) appendValue(dst []byte, v jsvalue.Value) []byte {
	switch x := v.(type) {
	case string:
		return appendText(append(dst, valString), x)
	case float64:
		if x >= 0 && x < 1<<53 && x == math.Trunc(x) {
			return binary.AppendUvarint(append(dst, valInt), uint64(x))
		}
		return binary.BigEndian.AppendUint64(append(dst, valFloat), math.Float64bits(x))
	case bool:
		if x {
			return append(dst, valTrue)
		}
		return append(dst, valFalse)
	case []jsvalue.Value:
		dst = binary.AppendUvarint(append(dst, valArray), uint64(len(x)))
		for _, e := range x {
			dst = d.appendValue(dst, e)
		}
		return dst
	case *jsvalue.Object:
		if text, ok := decimalText(x); ok {
			return appendText(append(dst, valDecimal), text)
		}
		return d.appendObject(dst, x)
	}
	return append(dst, valNull)
}

func appendText(dst []byte, s string) []byte {
	return append(binary.AppendUvarint(dst, uint64(len(s))), s...)
}

// row decodes what appendRow wrote.
func (d *dictionary) row(data []byte) (Row, error) {
	r := rowReader{names: d.boxed, text: string(data), members: d.scratch}
	v := r.value(0)
	d.scratch = r.members[:0]
	row, ok := v.(Row)
	if r.bad || !ok || r.text != "" || !row.Has(idField) {
		return nil, errRow
	}
	return row, nil
}

// rowReader consumes text; strings of the result share its memory.
type rowReader struct {
	names   []any
	text    string
	members []any // of objects being read, innermost last
	bad     bool
}

func (r *rowReader) fail() { r.bad, r.text = true, "" }

func (r *rowReader) uvarint() uint64 {
	var n uint64
	for i := 0; i < len(r.text) && i < binary.MaxVarintLen64; i++ {
		c := r.text[i]
		n |= uint64(c&0x7f) << (7 * i)
		if c < 0x80 {
			r.text = r.text[i+1:]
			return n
		}
	}
	r.fail()
	return 0
}

func (r *rowReader) take(n uint64) string {
	if n > uint64(len(r.text)) {
		r.fail()
		return ""
	}
	s := r.text[:n]
	r.text = r.text[n:]
	return s
}

func (r *rowReader) string() string { return r.take(r.uvarint()) }

func (r *rowReader) value(depth int) jsvalue.Value {
	tag := r.take(1)
	if r.bad || depth > maxDepth {
		r.fail()
		return nil
	}
	switch tag[0] {
	case valNull:
		return nil
	case valFalse, valTrue:
		return tag[0] == valTrue
	case valFloat:
		if b := r.take(8); !r.bad {
			return math.Float64frombits(binary.BigEndian.Uint64([]byte(b)))
		}
		return nil
	case valInt:
		return float64(r.uvarint())
	case valString:
		return r.string()
	case valArray:
		return r.array(depth)
	case valObject:
		return r.object(depth)
	case valDecimal:
		return jsvalue.NewObject("$numberDecimal", r.string())
	}
	r.fail()
	return nil
}

func (r *rowReader) array(depth int) jsvalue.Value {
	n := r.uvarint()
	if n > uint64(len(r.text)) { // a value takes at least a byte
		r.fail()
		return nil
	}
	list := make([]jsvalue.Value, n)
	for i := range list {
		list[i] = r.value(depth + 1)
	}
	return list
}

func (r *rowReader) object(depth int) jsvalue.Value {
	n := r.uvarint()
	if n > uint64(len(r.text)) {
		r.fail()
		return nil
	}
	start := len(r.members)
	for range n {
		var name any
		switch i := r.uvarint(); {
		case i == 0:
			name = r.string()
		case i <= uint64(len(r.names)):
			name = r.names[i-1]
		default:
			r.fail()
		}
		v := r.value(depth + 1)
		if r.bad {
			return nil
		}
		r.members = append(r.members, name, v)
	}
	o := jsvalue.NewObject(r.members[start:]...)
	r.members = r.members[:start]
	return o
}
