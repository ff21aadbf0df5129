package state

import (
	"bytes"
	"math"
	"strconv"

	"causeway/sidechain/jsvalue"
)

// Type tags of an order key, in BSON's comparison order. Undefined and null are
// one class, as in a MongoDB index; a Decimal128 is a number.
const (
	tagNull   = 0x10
	tagNumber = 0x20
	tagString = 0x30
	tagObject = 0x40
	tagArray  = 0x50
	tagBool   = 0x60
)

// Classes of numbers, in order.
const (
	numNaN = iota + 1
	numNegInf
	numNegative
	numZero
	numPositive
	numPosInf
)

const (
	keyMore = 0x01 // another member or element follows
	keyEnd  = 0x00
)

// AppendKey appends the order key of v: bytes.Compare of two keys is BSON's
// comparison of the two values, and no key is a prefix of another, so keys of
// several values can be concatenated.
//
// Numbers are compared by their exact value, doubles and {"$numberDecimal":…}
// alike. Go integers are taken as numbers too.
func AppendKey(dst []byte, v jsvalue.Value) []byte {
	switch x := v.(type) {
	case string:
		return appendStringKey(append(dst, tagString), x)
	case float64:
		return appendFloatKey(append(dst, tagNumber), x)
	case bool:
		if x {
			return append(dst, tagBool, 1)
		}
		return append(dst, tagBool, 0)
	case *jsvalue.Object:
		if text, ok := decimalText(x); ok {
			if key, ok := appendDecimalKey(append(dst, tagNumber), text); ok {
				return key
			}
		} else if key, ok := appendFlat(dst, x); ok {
			return key
		}
		return append(dst, objectKey(x)...) // copied, so that dst need not be on the heap
	case []jsvalue.Value:
		return append(dst, arrayKey(x)...)
	case int:
		return appendIntKey(append(dst, tagNumber), int64(x))
	case int64:
		return appendIntKey(append(dst, tagNumber), x)
	case uint64:
		return appendDigits(append(dst, tagNumber), false, strconv.AppendUint(nil, x, 10), 0)
	default: // nil and undefined
		return append(dst, tagNull)
	}
}

// Compare orders two values as BSON does: -1, 0 or 1.
func Compare(a, b jsvalue.Value) int {
	var x, y [64]byte
	return bytes.Compare(AppendKey(x[:0], a), AppendKey(y[:0], b))
}

// SameClass says whether two order keys belong to values that MongoDB's range
// operators compare with each other (type bracketing); NaN stands alone.
func SameClass(a, b []byte) bool {
	if len(a) == 0 || len(b) == 0 || a[0] != b[0] {
		return false
	}
	return a[0] != tagNumber || (a[1] == numNaN) == (b[1] == numNaN)
}

func appendStringKey(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		dst = append(dst, s[i])
		if s[i] == 0 {
			dst = append(dst, 0xff)
		}
	}
	return append(dst, 0, 1)
}

func objectKey(o *jsvalue.Object) []byte {
	dst := append(make([]byte, 0, 64), tagObject)
	for name, v := range o.All() {
		if s, ok := v.(string); ok { // as below, without a key of its own
			dst = appendTextMember(dst, name, s)
			continue
		}
		dst = appendMember(dst, name, v)
	}
	return append(dst, keyEnd)
}

// appendFlat is objectKey for objects of texts and numbers, such as an _id; ok is
// false for others.
func appendFlat(dst []byte, o *jsvalue.Object) (key []byte, ok bool) {
	dst = append(dst, tagObject)
	for i := range o.Len() {
		name, v := o.At(i)
		switch x := v.(type) {
		case string:
			dst = appendTextMember(dst, name, x)
		case float64:
			dst = appendNumberMember(dst, name, x)
		default:
			return nil, false
		}
	}
	return append(dst, keyEnd), true
}

// appendMember appends a member of an object: type first, then name, then
// value.
func appendMember(dst []byte, name string, v jsvalue.Value) []byte {
	key := AppendKey(nil, v)
	dst = append(dst, keyMore, key[0])
	return append(appendStringKey(dst, name), key...)
}

// appendNumberMember is appendMember for a number.
func appendNumberMember(dst []byte, name string, n float64) []byte {
	dst = appendStringKey(append(dst, keyMore, tagNumber), name)
	return appendFloatKey(append(dst, tagNumber), n)
}

// appendTextMember appends a member of an object whose value is a text.
func appendTextMember(dst []byte, name, text string) []byte {
	dst = appendStringKey(append(dst, keyMore, tagString), name)
	return appendStringKey(append(dst, tagString), text)
}

func arrayKey(list []jsvalue.Value) []byte {
	dst := append(make([]byte, 0, 64), tagArray)
	for _, e := range list {
		dst = append(append(dst, keyMore), AppendKey(nil, e)...)
	}
	return append(dst, keyEnd)
}

func appendFloatKey(dst []byte, f float64) []byte {
	switch {
	case f == math.Trunc(f) && math.Abs(f) < 1<<53:
		return appendIntKey(dst, int64(f))
	case math.IsNaN(f):
		return append(dst, numNaN)
	case math.IsInf(f, 1):
		return append(dst, numPosInf)
	case math.IsInf(f, -1):
		return append(dst, numNegInf)
	}
	// The exact decimal expansion of a double has at most 767 digits.
	text := strconv.AppendFloat(nil, math.Abs(f), 'e', 766, 64)
	exp := bytes.IndexByte(text, 'e')
	n, _ := strconv.Atoi(string(text[exp+1:])) // strconv wrote it
	digits := append(text[:1:1], text[2:exp]...)
	return appendDigits(dst, f < 0, digits, n+1-len(digits))
}

func appendIntKey(dst []byte, n int64) []byte {
	var a [20]byte
	if n < 0 {
		return appendDigits(dst, true, strconv.AppendUint(a[:0], -uint64(n), 10), 0)
	}
	return appendDigits(dst, false, strconv.AppendUint(a[:0], uint64(n), 10), 0)
}

// appendDigits encodes ±digits·10^exp: class, exponent of 0.ddd·10^e, digit
// pairs with trailing zeros dropped; all inverted for negative numbers.
func appendDigits(dst []byte, negative bool, digits []byte, exp int) []byte {
	for len(digits) > 0 && digits[0] == '0' {
		digits = digits[1:]
	}
	if len(digits) == 0 {
		return append(dst, numZero)
	}
	e := uint16(exp + len(digits) + 1<<15)
	for digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
	}
	if negative {
		dst = append(dst, numNegative)
	} else {
		dst = append(dst, numPositive)
	}
	start := len(dst)
	dst = append(dst, byte(e>>8), byte(e))
	for i := 0; i < len(digits); i += 2 {
		pair := (digits[i] - '0') * 10
		if i+1 < len(digits) {
			pair += digits[i+1] - '0'
		}
		dst = append(dst, pair+1)
	}
	dst = append(dst, keyEnd)
	if negative {
		for i := start; i < len(dst); i++ {
			dst[i] = ^dst[i]
		}
	}
	return dst
}

// decimalText returns the text of a {"$numberDecimal":"…"} value.
func decimalText(o *jsvalue.Object) (string, bool) {
	if o.Len() != 1 {
		return "", false
	}
	return o.String("$numberDecimal")
}

// IsDecimal says whether v is a well-formed Decimal128 in extended JSON.
func IsDecimal(v jsvalue.Value) bool {
	o, ok := v.(*jsvalue.Object)
	if !ok {
		return false
	}
	text, ok := decimalText(o)
	if !ok {
		return false
	}
	var a [48]byte
	_, ok = appendDecimalKey(a[:0], text)
	return ok
}

// maxDecimal bounds the exponent of a decimal; Decimal128 ends at 6144.
const maxDecimal = 6200

// appendDecimalKey reads a Decimal128 text: sign, digits with at most one
// point, exponent; or NaN, Infinity, -Infinity. ok is false for other texts.
func appendDecimalKey(dst []byte, text string) (key []byte, ok bool) {
	switch text {
	case "NaN":
		return append(dst, numNaN), true
	case "Infinity":
		return append(dst, numPosInf), true
	case "-Infinity":
		return append(dst, numNegInf), true
	}
	s, negative := text, false
	if s != "" && (s[0] == '-' || s[0] == '+') {
		negative, s = s[0] == '-', s[1:]
	}
	var a [48]byte
	digits, exp, point := a[:0], 0, false
	for s != "" && s[0] != 'e' && s[0] != 'E' {
		switch {
		case s[0] == '.' && !point:
			point = true
		case s[0] >= '0' && s[0] <= '9':
			digits = append(digits, s[0])
			if point {
				exp--
			}
		default:
			return dst, false
		}
		s = s[1:]
	}
	if len(digits) == 0 || len(digits) > maxDecimal {
		return dst, false
	}
	if s != "" {
		n, err := strconv.ParseInt(s[1:], 10, 16)
		if err != nil || n < -maxDecimal || n > maxDecimal {
			return dst, false
		}
		exp += int(n)
	}
	return appendDigits(dst, negative, digits, exp), true
}
