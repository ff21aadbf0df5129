package graphene

import (
	"encoding/binary"
	"errors"
	"fmt"
	"unicode/utf8"
)

// ErrMalformed is wrapped by every error about bytes that are not a valid
// binary form.
var ErrMalformed = errors.New("graphene: malformed binary form")

// Encoder appends Graphene's binary form to a buffer. The zero value is ready.
type Encoder struct{ buf []byte }

// Bytes returns what was written so far. The encoder keeps the slice.
func (e *Encoder) Bytes() []byte { return e.buf }

// U8 to I64 write little-endian integers.
func (e *Encoder) U8(v uint8)   { e.buf = append(e.buf, v) }
func (e *Encoder) U16(v uint16) { e.buf = binary.LittleEndian.AppendUint16(e.buf, v) }
func (e *Encoder) U32(v uint32) { e.buf = binary.LittleEndian.AppendUint32(e.buf, v) }
func (e *Encoder) U64(v uint64) { e.buf = binary.LittleEndian.AppendUint64(e.buf, v) }
func (e *Encoder) I16(v int16)  { e.U16(uint16(v)) }
func (e *Encoder) I64(v int64)  { e.U64(uint64(v)) }

// Bool writes one byte, 0 or 1.
func (e *Encoder) Bool(v bool) {
	if v {
		e.U8(1)
		return
	}
	e.U8(0)
}

// Varint writes an unsigned LEB128 number: lengths, counts and variant tags.
func (e *Encoder) Varint(v uint32) { e.buf = binary.AppendUvarint(e.buf, uint64(v)) }

// Raw writes bytes without a length.
func (e *Encoder) Raw(b []byte) { e.buf = append(e.buf, b...) }

// Text writes a length and the bytes of s.
func (e *Encoder) Text(s string) {
	e.Varint(uint32(len(s)))
	e.buf = append(e.buf, s...)
}

// Texts writes a count and that many texts.
func (e *Encoder) Texts(list []string) {
	e.Varint(uint32(len(list)))
	for _, s := range list {
		e.Text(s)
	}
}

// Decoder reads Graphene's binary form. The first error sticks: later reads
// give zero values, and Err or Close reports it.
type Decoder struct {
	buf []byte
	err error
}

// NewDecoder reads from b, which it keeps.
func NewDecoder(b []byte) *Decoder { return &Decoder{buf: b} }

// Err is the first error met.
func (d *Decoder) Err() error { return d.err }

// Len is the number of bytes left.
func (d *Decoder) Len() int { return len(d.buf) }

// Close reports the first error, or bytes left over.
func (d *Decoder) Close() error {
	if d.err == nil && len(d.buf) > 0 {
		d.Fail("%d bytes left over", len(d.buf))
	}
	return d.err
}

// Fail records an error unless there is one already.
func (d *Decoder) Fail(format string, args ...any) {
	if d.err == nil {
		d.err = fmt.Errorf("%w: %s", ErrMalformed, fmt.Sprintf(format, args...))
		d.buf = nil
	}
}

// Raw takes n bytes; they alias the input.
func (d *Decoder) Raw(n int) []byte {
	if n < 0 || n > len(d.buf) {
		d.Fail("%d bytes wanted, %d left", n, len(d.buf))
		return nil
	}
	b := d.buf[:n:n]
	d.buf = d.buf[n:]
	return b
}

// U8 to I64 read little-endian integers.
func (d *Decoder) U8() uint8 {
	if b := d.Raw(1); b != nil {
		return b[0]
	}
	return 0
}

func (d *Decoder) U16() uint16 {
	if b := d.Raw(2); b != nil {
		return binary.LittleEndian.Uint16(b)
	}
	return 0
}

func (d *Decoder) U32() uint32 {
	if b := d.Raw(4); b != nil {
		return binary.LittleEndian.Uint32(b)
	}
	return 0
}

func (d *Decoder) U64() uint64 {
	if b := d.Raw(8); b != nil {
		return binary.LittleEndian.Uint64(b)
	}
	return 0
}

func (d *Decoder) I16() int16 { return int16(d.U16()) }
func (d *Decoder) I64() int64 { return int64(d.U64()) }

// Bool reads one byte that must be 0 or 1.
func (d *Decoder) Bool() bool {
	switch d.U8() {
	case 0:
		return false
	case 1:
		return true
	}
	d.Fail("boolean is neither 0 nor 1")
	return false
}

// Varint reads an unsigned LEB128 number of at most 32 bits in its shortest
// form.
func (d *Decoder) Varint() uint32 {
	var v uint64
	for shift := 0; shift < 35; shift += 7 {
		b := d.U8()
		if d.err != nil {
			return 0
		}
		v |= uint64(b&0x7f) << shift
		if b&0x80 != 0 {
			continue
		}
		if b == 0 && shift > 0 {
			d.Fail("number not in its shortest form")
			return 0
		}
		if v > 1<<32-1 {
			break
		}
		return uint32(v)
	}
	d.Fail("number exceeds 32 bits")
	return 0
}

// Count reads the number of elements that follow, each of at least size
// bytes, and refuses a count that the rest of the input cannot hold.
func (d *Decoder) Count(size int) int {
	n := d.Varint()
	if uint64(n)*uint64(size) > uint64(len(d.buf)) {
		d.Fail("%d elements cannot fit in %d bytes", n, len(d.buf))
		return 0
	}
	return int(n)
}

// Text reads a length and that many bytes of UTF-8.
func (d *Decoder) Text() string {
	s := string(d.Raw(d.Count(1)))
	if !utf8.ValidString(s) {
		d.Fail("text is not UTF-8")
		return ""
	}
	return s
}

// Texts reads a count and that many texts. An empty list is nil.
func (d *Decoder) Texts() []string {
	var list []string
	for n := d.Count(1); n > 0 && d.err == nil; n-- {
		list = append(list, d.Text())
	}
	return list
}
