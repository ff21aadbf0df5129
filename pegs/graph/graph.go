package graph

import (
	"errors"
	"fmt"
	"io"
	"reflect"
	"slices"
	"strings"
	"time"
	"unsafe"
)

// ErrForm is wrapped when bytes are not the form of a value of the type.
var ErrForm = errors.New("graph: not the form of such a value")

// Codec writes and reads values of type T.
type Codec[T any] struct {
	root     *coder
	pointers int
	shape    string
}

// coder is how values of one type are written and read.
type coder struct {
	typ    reflect.Type
	encode func(*writer, unsafe.Pointer)
	decode func(*reader, unsafe.Pointer)
}

// compiler makes the coders of the types that a root type reaches.
type compiler struct {
	coders   map[reflect.Type]*coder
	pointers int // pointer types so far
}

// New makes the codec of a type. It fails for a type that reaches values which
// have no form.
func New[T any]() (*Codec[T], error) {
	c := &compiler{coders: map[reflect.Type]*coder{}}
	root, err := c.coder(reflect.TypeFor[T]())
	if err != nil {
		return nil, err
	}
	return &Codec[T]{root: root, pointers: c.pointers, shape: c.shape(root.typ)}, nil
}

// Must is the result of New for a type that is known to have a form.
func Must[T any](c *Codec[T], err error) *Codec[T] {
	if err != nil {
		panic(err)
	}
	return c
}

// Shape describes the type and all that it reaches, one type a line: names and
// types of the fields in their order.
func (c *Codec[T]) Shape() string { return c.shape }

// Append writes the form of a value behind b. The value may not change meanwhile.
func (c *Codec[T]) Append(b []byte, v *T) []byte {
	w := c.writer(b)
	c.root.encode(w, unsafe.Pointer(v))
	return w.out
}

// Write writes the form of a value to a sink, a piece at a time. The value may not
// change meanwhile.
func (c *Codec[T]) Write(sink io.Writer, v *T) error {
	w := c.writer(make([]byte, 0, 2*pieceSize))
	w.sink = sink
	c.root.encode(w, unsafe.Pointer(v))
	w.flush()
	return w.err
}

func (c *Codec[T]) writer(b []byte) *writer {
	w := &writer{out: b, seen: make([]map[unsafe.Pointer]uint64, c.pointers)}
	for i := range w.seen {
		w.seen[i] = map[unsafe.Pointer]uint64{}
	}
	return w
}

// Decode reads a form into v, which should be zero. When it fails, with ErrForm,
// v holds anything. data may not be changed afterwards.
func (c *Codec[T]) Decode(data []byte, v *T) (err error) {
	r := &reader{data: unsafe.String(unsafe.SliceData(data), len(data)), found: make([][]unsafe.Pointer, c.pointers)}
	defer func() {
		if p := recover(); p != nil {
			bad, ok := p.(badForm)
			if !ok {
				panic(p)
			}
			err = fmt.Errorf("%w: %s at byte %d", ErrForm, string(bad), len(data)-len(r.data))
		}
	}()
	c.root.decode(r, unsafe.Pointer(v))
	if len(r.data) > 0 {
		r.fail("more bytes follow")
	}
	return nil
}

var timeType = reflect.TypeFor[time.Time]()

// Derived says whether a field has the tag `graph:"derived"`: it follows from the
// others, is no part of the form or of the shape, and is zero when it is read.
func Derived(f reflect.StructField) bool { return f.Tag.Get("graph") == "derived" }

func (c *compiler) coder(t reflect.Type) (*coder, error) {
	if known := c.coders[t]; known != nil {
		return known, nil
	}
	made := &coder{typ: t}
	c.coders[t] = made // a type may reach itself
	var err error
	switch t.Kind() {
	case reflect.Bool, reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.String:
		made.scalar()
	case reflect.Struct:
		err = c.structure(made)
	case reflect.Slice:
		err = c.slice(made)
	case reflect.Array:
		err = c.array(made)
	case reflect.Map:
		err = c.dictionary(made)
	case reflect.Pointer:
		err = c.pointer(made)
	default:
		err = fmt.Errorf("graph: a value of type %s has no form", t)
	}
	return made, err
}

// element is the coder of what a list, a map or a pointer holds. Things of no
// size are refused: they would have no bytes, and pointers to them no identity.
func (c *compiler) element(t reflect.Type) (*coder, error) {
	if t.Size() == 0 {
		return nil, fmt.Errorf("graph: %s has no size", t)
	}
	return c.coder(t)
}

func (c *compiler) structure(made *coder) error {
	if made.typ == timeType {
		made.encode, made.decode = encodeTime, decodeTime
		return nil
	}
	type field struct {
		*coder
		offset uintptr
	}
	var fields []field
	for i := range made.typ.NumField() {
		f := made.typ.Field(i)
		if Derived(f) {
			continue
		}
		fc, err := c.coder(f.Type)
		if err != nil {
			return fmt.Errorf("%s.%s: %w", made.typ, f.Name, err)
		}
		fields = append(fields, field{fc, f.Offset})
	}
	made.encode = func(w *writer, p unsafe.Pointer) {
		for i := range fields {
			fields[i].encode(w, unsafe.Add(p, fields[i].offset))
		}
	}
	made.decode = func(r *reader, p unsafe.Pointer) {
		for i := range fields {
			fields[i].decode(r, unsafe.Add(p, fields[i].offset))
		}
	}
	return nil
}

// shape lists the types in the order of their names.
func (c *compiler) shape(root reflect.Type) string {
	var lines []string
	for t := range c.coders {
		if t.Kind() != reflect.Struct || t == timeType {
			if t.Name() != "" && t.PkgPath() != "" {
				lines = append(lines, t.String()+" "+t.Kind().String())
			}
			continue
		}
		var b strings.Builder
		b.WriteString(t.String() + " {")
		for i := range t.NumField() {
			if f := t.Field(i); !Derived(f) {
				fmt.Fprintf(&b, " %s %s;", f.Name, f.Type)
			}
		}
		lines = append(lines, b.String()+" }")
	}
	slices.Sort(lines)
	return root.String() + "\n" + strings.Join(lines, "\n") + "\n"
}
