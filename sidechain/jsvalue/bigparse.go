package jsvalue

import (
	"math/big"
	"strings"
)

// parseBig reads text as bignumber.js does: plain decimals first; otherwise
// after trimming white space and one leading plus: Infinity, NaN and the radix
// prefixes 0x, 0b and 0o. What is within RANGE and has more than maxDigits
// digits is no number here: the one bound that the library does not have.
func parseBig(s string) BigNumber {
	if n, ok := parsePlain(s); ok {
		return n
	}
	t := trimSpaceRight(s)
	if rest := trimSpaceLeft(t); strings.HasPrefix(rest, "+") && len(rest) > 1 && (isWord(rest[1]) || rest[1] == '.') {
		t = rest[1:]
	} else {
		t = rest
	}
	if n, ok := parseNamed(t); ok {
		return n
	}
	if sign, radix, digits, ok := cutRadix(t); ok {
		return parseRadix(sign+digits, radix)
	}
	if t != s {
		if n, ok := parsePlain(t); ok {
			return n
		}
	}
	return notANumber()
}

// parsePlain reads -?(digits[.digits]|.digits)[e[+-]digits]. Nothing outside
// of RANGE is expanded.
func parsePlain(s string) (BigNumber, bool) {
	neg := strings.HasPrefix(s, "-")
	if neg {
		s = s[1:]
	}
	whole := digits(s)
	mantissa, rest := s[:whole], s[whole:]
	fraction := ""
	if strings.HasPrefix(rest, ".") {
		n := digits(rest[1:])
		fraction, rest = rest[1:1+n], rest[1+n:]
	}
	if mantissa == "" && fraction == "" {
		return BigNumber{}, false
	}
	exp := 0
	if rest != "" {
		var ok bool
		if exp, ok = parseExponent(rest); !ok {
			return BigNumber{}, false
		}
	}
	return fromDigits(neg, mantissa, fraction, exp), true
}

// parseExponent reads e[+-]digits; values beyond any use are cut to ±2^30.
func parseExponent(s string) (int, bool) {
	if s[0] != 'e' && s[0] != 'E' {
		return 0, false
	}
	s = s[1:]
	neg := false
	if s != "" && (s[0] == '+' || s[0] == '-') {
		neg = s[0] == '-'
		s = s[1:]
	}
	if s == "" || digits(s) != len(s) {
		return 0, false
	}
	n := 0
	for i := 0; i < len(s); i++ {
		n = min(n*10+int(s[i]-'0'), 1<<30)
	}
	if neg {
		n = -n
	}
	return n, true
}

// fromDigits is the number whole.fraction * 10**exp, with RANGE applied before
// anything is built.
func fromDigits(neg bool, whole, fraction string, exp int) BigNumber {
	whole = strings.TrimLeft(whole, "0")
	fraction = strings.TrimRight(fraction, "0")
	if whole == "" {
		trimmed := strings.TrimLeft(fraction, "0")
		if trimmed == "" {
			return BigNumber{neg: neg}
		}
		exp -= len(fraction) // the value is trimmed * 10**exp
		fraction = trimmed
	} else {
		exp -= len(fraction)
	}
	length := len(whole) + len(fraction)
	switch e := exp + length - 1; {
	case e > maxExponent:
		return infinity(neg)
	case e < -maxExponent:
		return BigNumber{neg: neg}
	}
	if length > maxDigits {
		return notANumber()
	}
	if length < len(powersOfTen) {
		var n uint64
		for i := 0; i < len(whole); i++ {
			n = n*10 + uint64(whole[i]-'0')
		}
		for i := 0; i < len(fraction); i++ {
			n = n*10 + uint64(fraction[i]-'0')
		}
		return BigNumber{neg: neg, coef: n, exp: int32(exp)}
	}
	c, _ := new(big.Int).SetString(whole+fraction, 10)
	return rangedWide(neg, c, int32(exp))
}

// isWord is the regular expression's \w.
func isWord(c byte) bool {
	return c-'0' <= 9 || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c == '_'
}

// parseNamed reads the names of the values that are not finite.
func parseNamed(s string) (BigNumber, bool) {
	switch s {
	case "Infinity":
		return infinity(false), true
	case "-Infinity":
		return infinity(true), true
	case "NaN", "-NaN":
		return notANumber(), true
	}
	return BigNumber{}, false
}

// cutRadix recognises -?0[xbo] followed by a word character and then word
// characters or dots.
func cutRadix(s string) (sign string, radix int, digits string, ok bool) {
	if strings.HasPrefix(s, "-") {
		sign, s = "-", s[1:]
	}
	if len(s) < 3 || s[0] != '0' || !isWord(s[2]) {
		return "", 0, "", false
	}
	switch s[1] | 0x20 {
	case 'x':
		radix = 16
	case 'b':
		radix = 2
	case 'o':
		radix = 8
	default:
		return "", 0, "", false
	}
	digits = s[2:]
	for i := 0; i < len(digits); i++ {
		if !isWord(digits[i]) && digits[i] != '.' {
			return "", 0, "", false
		}
	}
	return sign, radix, digits, true
}

// parseRadix reads digits of a radix, with an optional sign and fraction, as
// bignumber.js does with an explicit base: hexadecimal letters all of one
// case; a fraction is rounded half up to 20 decimals; a repeated prefix of the
// same radix is skipped.
func parseRadix(s string, radix int) BigNumber {
	for {
		if n, ok := radixNumber(s, radix); ok {
			return n
		}
		if n, ok := parseNamed(s); ok {
			return n
		}
		next := s
		if sign, again, rest, ok := cutRadix(s); ok && again == radix {
			next = sign + rest
		}
		// bignumber.js drops a dot at the end here: 0x0x1. is 0x1
		if n := len(next) - 1; n > 0 && strings.IndexByte(next, '.') == n {
			next = next[:n]
		}
		if next == s {
			return notANumber()
		}
		s = next
	}
}

func radixNumber(s string, radix int) (BigNumber, bool) {
	neg := strings.HasPrefix(s, "-")
	if neg {
		s = s[1:]
	}
	if s == strings.ToUpper(s) {
		s = strings.ToLower(s)
	}
	whole, fraction, _ := strings.Cut(s, ".")
	if whole == "" || !radixDigits(whole, radix) || !radixDigits(fraction, radix) {
		return BigNumber{}, false
	}
	whole = strings.TrimLeft(whole, "0")
	if len(whole) > 1700 { // more than 2**1700, which is beyond 1e500
		return infinity(neg), true
	}
	if len(whole)+len(fraction) > maxDigits {
		return notANumber(), true
	}
	n, _ := new(big.Int).SetString("0"+whole+fraction, radix)
	if fraction == "" {
		return rangedWide(neg, n, 0), true
	}
	scale := new(big.Int).Exp(big.NewInt(int64(radix)), big.NewInt(int64(len(fraction))), nil)
	n.Mul(n, tenTo(decimalPlaces))
	return rangedWide(neg, quotient(n, scale), -decimalPlaces), true
}

func radixDigits(s string, radix int) bool {
	for i := 0; i < len(s); i++ {
		if int(hexValue(s[i])) >= radix || s[i] >= 'A' && s[i] <= 'F' {
			return false
		}
	}
	return true
}
