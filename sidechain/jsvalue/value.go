package jsvalue

import (
	"strings"
	"unicode/utf16"
	"unicode/utf8"
)

// Value is a JavaScript value: Undefined, nil (null), bool, float64, string
// (WTF-8: a lone surrogate is its three-byte form), []Value or *Object.
type Value = any

// Undefined is JavaScript's undefined, e.g. the value of an absent member.
type Undefined struct{}

// smallNumbers are numbers as values that everybody shares.
var smallNumbers = func() (list [256]Value) {
	for i := range list {
		list[i] = float64(i)
	}
	return list
}()

// normal turns Go's integers into the float64 that a Value holds, a BigNumber
// into the text that JSON.stringify gives it, and lists of texts into arrays.
func normal(v any) Value {
	switch n := v.(type) {
	case string:
		return v
	case int:
		if n >= 0 && n < len(smallNumbers) {
			return smallNumbers[n]
		}
		return float64(n)
	case int32:
		return float64(n)
	case int64:
		return float64(n)
	case uint32:
		return float64(n)
	case uint64:
		return float64(n)
	case BigNumber:
		return n.JSON()
	case []string:
		out := make([]Value, len(n))
		for i, s := range n {
			out[i] = s
		}
		return out
	}
	return v
}

// Truthy is JavaScript's Boolean(v).
func Truthy(v Value) bool {
	switch x := v.(type) {
	case nil, Undefined:
		return false
	case bool:
		return x
	case float64:
		return x != 0 && x == x
	case string:
		return x != ""
	}
	return true
}

// TypeOf is JavaScript's typeof v.
func TypeOf(v Value) string {
	switch v.(type) {
	case Undefined:
		return "undefined"
	case bool:
		return "boolean"
	case float64:
		return "number"
	case string:
		return "string"
	}
	return "object"
}

// IsInteger is Number.isInteger(v).
func IsInteger(v Value) bool {
	f, ok := v.(float64)
	return ok && isIntegral(f)
}

// ToString is String(v): what a template or a concatenation makes of v.
func ToString(v Value) string {
	switch x := v.(type) {
	case nil:
		return "null"
	case Undefined:
		return "undefined"
	case bool:
		if x {
			return "true"
		}
		return "false"
	case float64:
		return NumberText(x)
	case string:
		return x
	case []Value:
		return joinValues(x)
	}
	return "[object Object]"
}

// joinValues is Array.prototype.toString: members joined by commas, null and
// undefined as nothing.
func joinValues(list []Value) string {
	var b strings.Builder
	for i, v := range list {
		if i > 0 {
			b.WriteByte(',')
		}
		if v == nil || v == (Undefined{}) {
			continue
		}
		b.WriteString(ToString(v))
	}
	return b.String()
}

// Length is the length of a string in UTF-16 units, which is what JavaScript's
// .length counts.
func Length(s string) int {
	n := 0
	for i := 0; i < len(s); {
		if s[i] < utf8.RuneSelf {
			i++
			n++
			continue
		}
		size := sequenceLen(s[i:])
		if size == 4 {
			n++ // a surrogate pair
		}
		n++
		i += size
	}
	return n
}

// sequenceLen is the number of bytes of the WTF-8 sequence at the start of s;
// 1 where there is none.
func sequenceLen(s string) int {
	if isSurrogate(s) {
		return 3
	}
	_, n := utf8.DecodeRuneInString(s)
	return n
}

// isSurrogate says whether s starts with the three-byte form of a surrogate.
func isSurrogate(s string) bool {
	return len(s) >= 3 && s[0] == 0xED && s[1] >= 0xA0 && s[1] <= 0xBF && s[2]&0xC0 == 0x80
}

// surrogateAt decodes the three-byte surrogate at the start of s.
func surrogateAt(s string) uint16 {
	return 0xD000 | uint16(s[1]&0x3F)<<6 | uint16(s[2]&0x3F)
}

// Equal says whether two values have the same JSON text: same types, same
// members in the same order. NaN equals nothing; 0 equals -0.
func Equal(a, b Value) bool {
	switch x := a.(type) {
	case []Value:
		y, ok := b.([]Value)
		if !ok || len(x) != len(y) {
			return false
		}
		for i := range x {
			if !Equal(x[i], y[i]) {
				return false
			}
		}
		return true
	case *Object:
		y, ok := b.(*Object)
		if !ok || x.Len() != y.Len() {
			return false
		}
		for i := range x.members {
			if x.members[i].key != y.members[i].key || !Equal(x.members[i].value, y.members[i].value) {
				return false
			}
		}
		return true
	}
	switch b.(type) {
	case []Value, *Object:
		return false
	}
	return a == b
}

// cloneValue copies arrays and objects deeply; the rest is immutable.
func cloneValue(v Value) Value {
	switch x := v.(type) {
	case []Value:
		out := make([]Value, len(x))
		for i := range x {
			out[i] = cloneValue(x[i])
		}
		return out
	case *Object:
		return x.Clone()
	}
	return v
}

// UTF16 is the string as JavaScript's code units.
func UTF16(s string) []uint16 {
	units := make([]uint16, 0, len(s))
	for i := 0; i < len(s); {
		if isSurrogate(s[i:]) {
			units = append(units, surrogateAt(s[i:]))
			i += 3
			continue
		}
		r, n := utf8.DecodeRuneInString(s[i:])
		units = utf16.AppendRune(units, r)
		i += n
	}
	return units
}
