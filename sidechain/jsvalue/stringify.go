package jsvalue

import (
	"fmt"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// Stringify is JSON.stringify(v). For undefined itself, which has no JSON
// text, it returns "".
func Stringify(v Value) string {
	if v == (Undefined{}) {
		return ""
	}
	return string(AppendJSON(make([]byte, 0, 128), v))
}

// AppendJSON appends the JSON text of v: undefined members are left out,
// undefined array elements and numbers that are not finite are null. It panics
// when v is none of the types of a Value and cannot be made one.
func AppendJSON(dst []byte, v Value) []byte {
	switch x := v.(type) {
	case nil, Undefined:
		return append(dst, "null"...)
	case bool:
		return strconv.AppendBool(dst, x)
	case float64:
		if x != x || math.IsInf(x, 0) {
			return append(dst, "null"...)
		}
		return appendNumber(dst, x)
	case string:
		return AppendQuoted(dst, x)
	case []Value:
		dst = append(dst, '[')
		for i, e := range x {
			if i > 0 {
				dst = append(dst, ',')
			}
			dst = AppendJSON(dst, e)
		}
		return append(dst, ']')
	case *Object:
		return appendObject(dst, x)
	}
	n := normal(v)
	if !isValue(n) {
		panic(fmt.Sprintf("jsvalue: %T is not a value", v))
	}
	return AppendJSON(dst, n)
}

func isValue(v any) bool {
	switch v.(type) {
	case nil, Undefined, bool, float64, string, []Value, *Object:
		return true
	}
	return false
}

func appendObject(dst []byte, o *Object) []byte {
	dst = append(dst, '{')
	first := true
	for i := range o.Len() {
		m := &o.members[i]
		if _, undefined := m.value.(Undefined); undefined {
			continue
		}
		if !first {
			dst = append(dst, ',')
		}
		first = false
		dst = AppendQuoted(dst, m.key)
		dst = append(dst, ':')
		dst = AppendJSON(dst, m.value)
	}
	return append(dst, '}')
}

// plainByte marks the ASCII characters that stand for themselves in a literal.
var plainByte = func() (plain [256]bool) {
	for c := byte(' '); c < utf8.RuneSelf; c++ {
		plain[c] = c != '"' && c != '\\'
	}
	return plain
}()

const hexDigits = "0123456789abcdef"

// AppendQuoted appends s as a JSON string literal. Only the quote, the
// backslash, control characters and lone surrogates are escaped.
func AppendQuoted(dst []byte, s string) []byte {
	at := len(dst)
	room := slices.Grow(dst, 2*len(s)+2)
	room = room[:at+2*len(s)+2]
	room[at] = '"'
	at++
	for i := 0; i < len(s); i++ {
		c := s[i]
		if !plainByte[c] {
			if c != '"' && c != '\\' {
				return appendRare(room[:at], s[i:])
			}
			room[at] = '\\'
			at++
		}
		room[at] = c
		at++
	}
	room[at] = '"'
	return room[:at+1]
}

// appendRare goes on with AppendQuoted where the first character is met that
// is not ASCII, or a control character.
func appendRare(dst []byte, s string) []byte {
	start := 0
	for i := 0; i < len(s); {
		c := s[i]
		if plainByte[c] {
			i++
			continue
		}
		if c >= utf8.RuneSelf {
			n, ok := wellFormed(s[i:])
			if ok {
				i += n
				continue
			}
			dst = append(dst, s[start:i]...)
			dst = appendIllFormed(dst, s[i:])
			i += n
			start = i
			continue
		}
		dst = append(dst, s[start:i]...)
		dst = appendEscape(dst, c)
		i++
		start = i
	}
	dst = append(dst, s[start:]...)
	return append(dst, '"')
}

// wellFormed returns the length of the sequence at the start of s and whether
// it is valid UTF-8.
func wellFormed(s string) (int, bool) {
	r, n := utf8.DecodeRuneInString(s)
	if r == utf8.RuneError && n == 1 {
		if isSurrogate(s) {
			return 3, false
		}
		return 1, false
	}
	return n, true
}

// appendIllFormed writes a lone surrogate as its escape and any other byte
// that is not UTF-8 as the replacement character.
func appendIllFormed(dst []byte, s string) []byte {
	if !isSurrogate(s) {
		return append(dst, "\uFFFD"...)
	}
	u := surrogateAt(s)
	return append(dst, '\\', 'u', hexDigits[u>>12], hexDigits[u>>8&15], hexDigits[u>>4&15], hexDigits[u&15])
}

func appendEscape(dst []byte, c byte) []byte {
	switch c {
	case '"', '\\':
		return append(dst, '\\', c)
	case '\b':
		return append(dst, '\\', 'b')
	case '\f':
		return append(dst, '\\', 'f')
	case '\n':
		return append(dst, '\\', 'n')
	case '\r':
		return append(dst, '\\', 'r')
	case '\t':
		return append(dst, '\\', 't')
	}
	return append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
}
