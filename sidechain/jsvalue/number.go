package jsvalue

import (
	"math"
	"strconv"
	"strings"
	"unicode/utf8"
)

// isIntegral says whether f is a finite whole number.
func isIntegral(f float64) bool {
	return f == math.Trunc(f) && !math.IsInf(f, 0)
}

// NumberText is JavaScript's Number.prototype.toString: the shortest decimal
// text that reads back as f, in exponent form below 1e-6 and from 1e21 on.
func NumberText(f float64) string {
	var buf [32]byte
	return string(appendNumber(buf[:0], f))
}

// appendNumber appends NumberText(f).
func appendNumber(dst []byte, f float64) []byte {
	switch {
	case f != f:
		return append(dst, "NaN"...)
	case f == 0:
		return append(dst, '0')
	case math.IsInf(f, 1):
		return append(dst, "Infinity"...)
	case math.IsInf(f, -1):
		return append(dst, "-Infinity"...)
	}
	if f == math.Trunc(f) && math.Abs(f) < 1<<53 {
		return strconv.AppendInt(dst, int64(f), 10)
	}
	if a := math.Abs(f); a >= 1e-6 && a < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	return appendExponent(dst, f)
}

// appendExponent writes JavaScript's exponent form: Go pads the exponent to
// two digits, JavaScript does not.
func appendExponent(dst []byte, f float64) []byte {
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); dst[n-2] == '0' && (dst[n-3] == '-' || dst[n-3] == '+') {
		dst[n-2] = dst[n-1]
		dst = dst[:n-1]
	}
	return dst
}

// ParseFloat is JavaScript's parseFloat: white space is skipped, the longest
// prefix that is a decimal literal counts, NaN when there is none.
func ParseFloat(s string) float64 {
	s = trimSpaceLeft(s)
	n := decimalPrefix(s)
	if n > 0 {
		f, _ := strconv.ParseFloat(s[:n], 64) // a range error still gives ±Inf or 0
		return f
	}
	sign := 1
	rest := s
	if rest != "" && (rest[0] == '+' || rest[0] == '-') {
		if rest[0] == '-' {
			sign = -1
		}
		rest = rest[1:]
	}
	if strings.HasPrefix(rest, "Infinity") {
		return math.Inf(sign)
	}
	return math.NaN()
}

// decimalPrefix is the length of the longest prefix of s that is a signed
// decimal literal; 0 when there is none.
func decimalPrefix(s string) int {
	i := 0
	if i < len(s) && (s[i] == '+' || s[i] == '-') {
		i++
	}
	whole := digits(s[i:])
	i += whole
	fraction := 0
	if i < len(s) && s[i] == '.' {
		fraction = digits(s[i+1:])
		if whole+fraction > 0 {
			i += 1 + fraction
		}
	}
	if whole+fraction == 0 {
		return 0
	}
	if i < len(s) && (s[i] == 'e' || s[i] == 'E') {
		j := i + 1
		if j < len(s) && (s[j] == '+' || s[j] == '-') {
			j++
		}
		if n := digits(s[j:]); n > 0 {
			i = j + n
		}
	}
	return i
}

// digits counts the decimal digits at the start of s.
func digits(s string) int {
	i := 0
	for i < len(s) && s[i]-'0' <= 9 {
		i++
	}
	return i
}

// isSpace is JavaScript's white space and line terminators (ECMA-262 \s).
func isSpace(r rune) bool {
	switch {
	case r >= 0x09 && r <= 0x0D, r == ' ', r == 0xA0, r == 0x1680, r >= 0x2000 && r <= 0x200A,
		r == 0x2028, r == 0x2029, r == 0x202F, r == 0x205F, r == 0x3000, r == 0xFEFF:
		return true
	}
	return false
}

func trimSpaceLeft(s string) string {
	for s != "" {
		r, n := utf8.DecodeRuneInString(s)
		if !isSpace(r) {
			break
		}
		s = s[n:]
	}
	return s
}

func trimSpaceRight(s string) string {
	for s != "" {
		r, n := utf8.DecodeLastRuneInString(s)
		if !isSpace(r) {
			break
		}
		s = s[:len(s)-n]
	}
	return s
}
