package jsvalue

import (
	"cmp"
	"math"
	"math/big"
	"strconv"
)

// RoundingMode is a rounding mode by bignumber.js's number.
type RoundingMode int

// The rounding modes.
const (
	RoundUp        RoundingMode = iota // away from zero
	RoundDown                          // towards zero
	RoundCeil                          // towards Infinity
	RoundFloor                         // towards -Infinity
	RoundHalfUp                        // to nearest, ties away from zero
	RoundHalfDown                      // ties towards zero
	RoundHalfEven                      // ties to the even neighbour
	RoundHalfCeil                      // ties towards Infinity
	RoundHalfFloor                     // ties towards -Infinity
)

// Round rounds to so many decimals (bignumber.js's dp(n, mode)).
func (x BigNumber) Round(places int, mode RoundingMode) BigNumber {
	switch x.kind {
	case small:
		return x.roundSmall(places, mode)
	case wide:
		return x.roundWide(places, mode)
	}
	return x
}

// IntegerValue rounds to a whole number.
func (x BigNumber) IntegerValue(mode RoundingMode) BigNumber { return x.Round(0, mode) }

func (x BigNumber) roundSmall(places int, mode RoundingMode) BigNumber {
	drop := -int(x.exp) - places
	if drop <= 0 || x.coef == 0 {
		return x
	}
	q, half, exact := uint64(0), -1, false // beyond 19 digits less than a half is left
	if drop < len(powersOfTen) {
		unit := powersOfTen[drop]
		r := x.coef % unit
		q, exact = x.coef/unit, r == 0
		half = cmp.Compare(r, unit-r)
	}
	if !exact && roundsAway(mode, x.neg, half, q&1 == 1) {
		q++
	}
	return rangedSmall(x.neg, q, int32(-places))
}

func (x BigNumber) roundWide(places int, mode RoundingMode) BigNumber {
	drop := -int(x.d.Exponent()) - places
	if drop <= 0 {
		return x
	}
	c, unit := x.d.Coefficient(), tenTo(int64(drop))
	q, r := c.QuoRem(c, unit, new(big.Int))
	if r.Sign() != 0 {
		half := r.Lsh(r, 1).Cmp(unit)
		if roundsAway(mode, x.neg, half, q.Bit(0) == 1) {
			q.Add(q, big.NewInt(1))
		}
	}
	return rangedWide(x.neg, q, int32(-places))
}

// roundsAway decides for a remainder that is not zero: half is its comparison
// with one half, odd says whether the digit before it is.
func roundsAway(mode RoundingMode, neg bool, half int, odd bool) bool {
	switch mode {
	case RoundUp:
		return true
	case RoundDown:
		return false
	case RoundCeil:
		return !neg
	case RoundFloor:
		return neg
	}
	if half != 0 {
		return half > 0
	}
	switch mode {
	case RoundHalfDown:
		return false
	case RoundHalfEven:
		return odd
	case RoundHalfCeil:
		return !neg
	case RoundHalfFloor:
		return neg
	}
	return true
}

// digits appends the coefficient without trailing zeros to buf and returns it
// with its power of ten; nothing for zero.
func (x BigNumber) digits(buf []byte) (text []byte, exp int) {
	if x.IsZero() {
		return buf, 0
	}
	if x.kind == small {
		text, exp = strconv.AppendUint(buf, x.coef, 10), int(x.exp)
	} else {
		text, exp = x.d.Coefficient().Append(buf, 10), int(x.d.Exponent())
	}
	n := len(text)
	for text[n-1] == '0' {
		n--
	}
	return text[:n], exp + len(text) - n
}

// special is the text of what is not finite.
func (x BigNumber) special() string {
	switch {
	case x.kind == nan:
		return "NaN"
	case x.neg:
		return "-Infinity"
	}
	return "Infinity"
}

// ToFixed is plain notation with as many decimals as needed.
func (x BigNumber) ToFixed() string { return x.fixed(x.neg && !x.IsZero(), 0) }

// ToFixedN is plain notation with exactly n decimals, rounded half up.
func (x BigNumber) ToFixedN(n int) string { return x.ToFixedMode(n, RoundHalfUp) }

// ToFixedMode is plain notation with exactly n decimals. A negative number
// that is rounded to zero keeps its sign ("-0.00"); zero itself has none.
func (x BigNumber) ToFixedMode(n int, mode RoundingMode) string {
	return x.Round(n, mode).fixed(x.neg && !x.IsZero(), n)
}

// fixed is plain notation with at least so many decimals, with or without a
// minus in front.
func (x BigNumber) fixed(minus bool, places int) string {
	if !x.IsFinite() {
		return x.special()
	}
	var digitBuf [40]byte
	var textBuf [64]byte
	digits, exp := x.digits(digitBuf[:0])
	buf := textBuf[:0]
	if minus {
		buf = append(buf, '-')
	}
	return string(appendFixed(buf, digits, exp, places))
}

// appendFixed writes digits * 10**exp in plain notation with at least so many
// decimals. No digits stand for zero.
func appendFixed(buf, digits []byte, exp, places int) []byte {
	whole := max(0, len(digits)+exp) // digits before the point
	if len(digits) == 0 {
		whole, exp = 0, 0
	}
	switch {
	case whole == 0:
		buf = append(buf, '0')
	case exp >= 0:
		buf = append(buf, digits...)
		buf = appendZeros(buf, exp)
	default:
		buf = append(buf, digits[:whole]...)
	}
	decimals := max(0, -exp)
	if decimals == 0 && places == 0 {
		return buf
	}
	buf = append(buf, '.')
	if decimals > 0 {
		rest := digits[whole:]
		buf = appendZeros(buf, decimals-len(rest))
		buf = append(buf, rest...)
	}
	return appendZeros(buf, places-decimals)
}

func appendZeros(buf []byte, n int) []byte {
	for ; n > 0; n-- {
		buf = append(buf, '0')
	}
	return buf
}

// String is bignumber.js's toString: exponent notation from 1e+21 on and from
// 1e-7 down; -0 is "0".
func (x BigNumber) String() string {
	if !x.IsFinite() {
		return x.special()
	}
	var digitBuf [40]byte
	digits, exp := x.digits(digitBuf[:0])
	e := exp + len(digits) - 1
	if len(digits) == 0 || e > -7 && e < 21 {
		return x.ToFixed()
	}
	var buf []byte
	if x.neg {
		buf = append(buf, '-')
	}
	buf = append(buf, digits[0])
	if len(digits) > 1 {
		buf = append(buf, '.')
		buf = append(buf, digits[1:]...)
	}
	buf = append(buf, 'e')
	if e >= 0 {
		buf = append(buf, '+')
	}
	return string(strconv.AppendInt(buf, int64(e), 10))
}

// JSON is the text that JSON.stringify puts in quotes for a BigNumber: String,
// but "-0" for negative zero.
func (x BigNumber) JSON() string {
	if x.neg && x.IsZero() {
		return "-0"
	}
	return x.String()
}

// Number is the nearest double (JavaScript's toNumber).
func (x BigNumber) Number() float64 {
	switch {
	case x.kind == nan:
		return math.NaN()
	case x.IsZero() && x.neg:
		return math.Copysign(0, -1)
	}
	f, _ := strconv.ParseFloat(x.String(), 64) // out of range gives ±Inf or 0, as in JavaScript
	return f
}
