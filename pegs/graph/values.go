package graph

import (
	"cmp"
	"encoding/binary"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// writer collects a form.
type writer struct {
	out  []byte
	seen []map[unsafe.Pointer]uint64 // by pointer type: the number of a target
	sink io.Writer                   // nil: all stays in out
	err  error                       // of the sink, the first
}

// pieceSize is about what goes to a sink at once.
const pieceSize = 64 << 10

// flush gives the sink what is there.
func (w *writer) flush() {
	if w.err == nil {
		_, w.err = w.sink.Write(w.out)
	}
	w.out = w.out[:0]
}

func (w *writer) uint(v uint64) { w.out = binary.AppendUvarint(w.out, v) }
func (w *writer) int(v int64)   { w.out = binary.AppendVarint(w.out, v) }

func (w *writer) text(s string) {
	w.uint(uint64(len(s)))
	w.out = append(w.out, s...)
}

// reader takes a form apart. It panics with badForm.
type reader struct {
	data  string
	found [][]unsafe.Pointer // by pointer type: the targets so far
}

type badForm string

func (r *reader) fail(format string, args ...any) { panic(badForm(fmt.Sprintf(format, args...))) }

func (r *reader) uint() uint64 {
	var v uint64
	for i := range min(len(r.data), binary.MaxVarintLen64) {
		b := r.data[i]
		v |= uint64(b&0x7f) << (7 * i)
		if b < 0x80 {
			if i > 0 && b == 0 || i == binary.MaxVarintLen64-1 && b > 1 {
				break // not the shortest form, or too large
			}
			r.data = r.data[i+1:]
			return v
		}
	}
	r.fail("bad number")
	return 0
}

func (r *reader) int() int64 {
	u := r.uint()
	return int64(u>>1) ^ -int64(u&1)
}

// length reads a length of things that take at least one byte each; it was
// written with one added, 0 being nil.
func (r *reader) length() (n int, isNil bool) {
	v := r.uint()
	if v == 0 {
		return 0, true
	}
	if v-1 > uint64(len(r.data)) {
		r.fail("%d elements in %d bytes", v-1, len(r.data))
	}
	return int(v - 1), false
}

func (r *reader) text() string {
	n := r.uint()
	if n > uint64(len(r.data)) {
		r.fail("text of %d bytes in %d", n, len(r.data))
	}
	s := r.data[:n]
	r.data = r.data[n:]
	return s
}

func (c *coder) scalar() {
	typ, bits := c.typ, uint(c.typ.Size()*8)
	switch c.typ.Kind() {
	case reflect.String:
		c.encode = func(w *writer, p unsafe.Pointer) { w.text(*(*string)(p)) }
		c.decode = func(r *reader, p unsafe.Pointer) { *(*string)(p) = r.text() }
	case reflect.Bool:
		c.encode = func(w *writer, p unsafe.Pointer) { w.out = append(w.out, *(*byte)(p)) }
		c.decode = func(r *reader, p unsafe.Pointer) {
			v := r.uint()
			if v > 1 {
				r.fail("bool %d", v)
			}
			*(*bool)(p) = v == 1
		}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		c.encode = func(w *writer, p unsafe.Pointer) { w.int(reflect.NewAt(typ, p).Elem().Int()) }
		c.decode = func(r *reader, p unsafe.Pointer) {
			v, at := r.int(), reflect.NewAt(typ, p).Elem()
			if at.OverflowInt(v) {
				r.fail("%d in %d bits", v, bits)
			}
			at.SetInt(v)
		}
	default:
		c.encode = func(w *writer, p unsafe.Pointer) { w.uint(reflect.NewAt(typ, p).Elem().Uint()) }
		c.decode = func(r *reader, p unsafe.Pointer) {
			v, at := r.uint(), reflect.NewAt(typ, p).Elem()
			if at.OverflowUint(v) {
				r.fail("%d in %d bits", v, bits)
			}
			at.SetUint(v)
		}
	}
}

func encodeTime(w *writer, p unsafe.Pointer) {
	t := (*time.Time)(p)
	w.int(t.Unix())
	w.uint(uint64(t.Nanosecond()))
}

func decodeTime(r *reader, p unsafe.Pointer) {
	seconds, nanos := r.int(), r.uint()
	if nanos > 999_999_999 {
		r.fail("%d nanoseconds", nanos)
	}
	*(*time.Time)(p) = time.Unix(seconds, int64(nanos)).UTC()
}

func (c *compiler) slice(made *coder) error {
	elem, err := c.element(made.typ.Elem())
	if err != nil {
		return err
	}
	typ, size := made.typ, made.typ.Elem().Size()
	if typ.Elem().Kind() == reflect.Uint8 {
		made.encode, made.decode = encodeBytes, decodeBytes
		return nil
	}
	made.encode = func(w *writer, p unsafe.Pointer) {
		list := *(*[]struct{})(p) // the header of any slice
		if list == nil {
			w.uint(0)
			return
		}
		w.uint(uint64(len(list)) + 1)
		first := unsafe.Pointer(unsafe.SliceData(list))
		for i := range len(list) {
			elem.encode(w, unsafe.Add(first, uintptr(i)*size))
		}
	}
	made.decode = func(r *reader, p unsafe.Pointer) {
		n, isNil := r.length()
		if isNil {
			return
		}
		list := reflect.MakeSlice(typ, n, n)
		first := list.UnsafePointer()
		for i := range n {
			elem.decode(r, unsafe.Add(first, uintptr(i)*size))
		}
		reflect.NewAt(typ, p).Elem().Set(list)
	}
	return nil
}

func encodeBytes(w *writer, p unsafe.Pointer) {
	list := *(*[]byte)(p)
	if list == nil {
		w.uint(0)
		return
	}
	w.uint(uint64(len(list)) + 1)
	w.out = append(w.out, list...)
}

func decodeBytes(r *reader, p unsafe.Pointer) {
	if n, isNil := r.length(); !isNil {
		*(*[]byte)(p) = []byte(r.data[:n])
		r.data = r.data[n:]
	}
}

func (c *compiler) array(made *coder) error {
	elem, err := c.element(made.typ.Elem())
	if err != nil {
		return err
	}
	n, size := made.typ.Len(), made.typ.Elem().Size()
	made.encode = func(w *writer, p unsafe.Pointer) {
		for i := range n {
			elem.encode(w, unsafe.Add(p, uintptr(i)*size))
		}
	}
	made.decode = func(r *reader, p unsafe.Pointer) {
		for i := range n {
			elem.decode(r, unsafe.Add(p, uintptr(i)*size))
		}
	}
	return nil
}

func (c *compiler) pointer(made *coder) error {
	elem, err := c.element(made.typ.Elem())
	if err != nil {
		return err
	}
	number, target := c.pointers, made.typ.Elem()
	c.pointers++
	made.encode = func(w *writer, p unsafe.Pointer) {
		to := *(*unsafe.Pointer)(p)
		if to == nil {
			w.uint(0)
			return
		}
		seen := w.seen[number]
		if id, ok := seen[to]; ok {
			w.uint(id)
			return
		}
		if w.sink != nil && len(w.out) >= pieceSize {
			w.flush()
		}
		id := uint64(len(seen)) + 1
		seen[to] = id
		w.uint(id)
		elem.encode(w, to)
	}
	made.decode = func(r *reader, p unsafe.Pointer) {
		id, known := r.uint(), uint64(len(r.found[number]))
		switch {
		case id == 0:
		case id <= known:
			*(*unsafe.Pointer)(p) = r.found[number][id-1]
		case id == known+1:
			to := reflect.New(target).UnsafePointer()
			r.found[number] = append(r.found[number], to)
			*(*unsafe.Pointer)(p) = to
			elem.decode(r, to)
		default:
			r.fail("%s %d after %d", target, id, known)
		}
	}
	return nil
}

func (c *compiler) dictionary(made *coder) error {
	typ := made.typ
	key, err := c.element(typ.Key())
	if err != nil {
		return err
	}
	order, err := orderOf(typ.Key())
	if err != nil {
		return err
	}
	elem, err := c.element(typ.Elem())
	if err != nil {
		return err
	}
	keys, values := reflect.SliceOf(typ.Key()), reflect.SliceOf(typ.Elem())
	keySize, valueSize := typ.Key().Size(), typ.Elem().Size()
	made.encode = func(w *writer, p unsafe.Pointer) {
		m := reflect.NewAt(typ, p).Elem()
		if m.IsNil() {
			w.uint(0)
			return
		}
		n := m.Len()
		w.uint(uint64(n) + 1)
		k, v, places := reflect.MakeSlice(keys, n, n), reflect.MakeSlice(values, n, n), make([]int, n)
		entries := m.MapRange()
		for i := 0; entries.Next(); i++ {
			k.Index(i).SetIterKey(entries)
			v.Index(i).SetIterValue(entries)
			places[i] = i
		}
		firstKey, firstValue := k.UnsafePointer(), v.UnsafePointer()
		slices.SortFunc(places, func(a, b int) int {
			return order(unsafe.Add(firstKey, uintptr(a)*keySize), unsafe.Add(firstKey, uintptr(b)*keySize))
		})
		for _, i := range places {
			key.encode(w, unsafe.Add(firstKey, uintptr(i)*keySize))
			elem.encode(w, unsafe.Add(firstValue, uintptr(i)*valueSize))
		}
	}
	made.decode = func(r *reader, p unsafe.Pointer) {
		n, isNil := r.length()
		if isNil {
			return
		}
		m := reflect.MakeMapWithSize(typ, n)
		reflect.NewAt(typ, p).Elem().Set(m)
		last, k, v := reflect.New(typ.Key()), reflect.New(typ.Key()), reflect.New(typ.Elem())
		for i := range n {
			v.Elem().SetZero()
			key.decode(r, k.UnsafePointer())
			if i > 0 && order(last.UnsafePointer(), k.UnsafePointer()) >= 0 {
				r.fail("keys of a map are not in order")
			}
			elem.decode(r, v.UnsafePointer())
			m.SetMapIndex(k.Elem(), v.Elem())
			last.Elem().Set(k.Elem())
		}
	}
	return nil
}

// orderOf compares keys of a type.
func orderOf(t reflect.Type) (func(a, b unsafe.Pointer) int, error) {
	switch t.Kind() {
	case reflect.String:
		return func(a, b unsafe.Pointer) int { return strings.Compare(*(*string)(a), *(*string)(b)) }, nil
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return func(a, b unsafe.Pointer) int {
			return cmp.Compare(reflect.NewAt(t, a).Elem().Int(), reflect.NewAt(t, b).Elem().Int())
		}, nil
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		return func(a, b unsafe.Pointer) int {
			return cmp.Compare(reflect.NewAt(t, a).Elem().Uint(), reflect.NewAt(t, b).Elem().Uint())
		}, nil
	case reflect.Struct:
		return orderOfStruct(t)
	}
	return nil, fmt.Errorf("graph: %s as the key of a map has no order", t)
}

func orderOfStruct(t reflect.Type) (func(a, b unsafe.Pointer) int, error) {
	var fields []func(a, b unsafe.Pointer) int
	for i := range t.NumField() {
		f := t.Field(i)
		order, err := orderOf(f.Type)
		if err != nil {
			return nil, err
		}
		fields = append(fields, func(a, b unsafe.Pointer) int { return order(unsafe.Add(a, f.Offset), unsafe.Add(b, f.Offset)) })
	}
	return func(a, b unsafe.Pointer) int {
		for _, order := range fields {
			if d := order(a, b); d != 0 {
				return d
			}
		}
		return 0
	}, nil
}
