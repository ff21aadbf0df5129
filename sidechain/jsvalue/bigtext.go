package jsvalue

import (
	"math"
	"math/big"
	"strconv"
	"strings"

	"github.com/shopspring/decimal"
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

// round rounds to so many decimals.
func (x BigNumber) round(places int, mode RoundingMode) BigNumber {
	drop := -int(x.d.Exponent()) - places
	if x.kind != finite || drop <= 0 {
		return x
	}
	c := x.d.Coefficient()
	unit := tenTo(int64(drop))
	q, r := c.QuoRem(c, unit, new(big.Int))
	if r.Sign() != 0 {
		half := r.Lsh(r, 1).Cmp(unit)
		if roundsAway(mode, x.neg, half, q.Bit(0) == 1) {
			q.Add(q, bigOne)
		}
	}
	return ranged(x.neg, decimal.NewFromBigInt(q, int32(-places)))
}

// roundsAway decides for a remainder: half is its comparison with one half,
// odd says whether the digit before it is.
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

// IntegerValue rounds to a whole number.
func (x BigNumber) IntegerValue(mode RoundingMode) BigNumber { return x.round(0, mode) }

// Round rounds to so many decimals (bignumber.js's dp(n, mode)).
func (x BigNumber) Round(places int, mode RoundingMode) BigNumber { return x.round(places, mode) }

// DP is the number of decimals without trailing zeros; ok is false for NaN
// and the infinities, where JavaScript has null (and null <= 3 is true there).
func (x BigNumber) DP() (n int, ok bool) {
	if x.kind != finite {
		return 0, false
	}
	digits, exp := x.digits()
	if digits == "" {
		return 0, true
	}
	return max(0, -exp), true
}

// digits is the coefficient without trailing zeros and its power of ten; ""
// for zero.
func (x BigNumber) digits() (text string, exp int) {
	if x.d.IsZero() {
		return "", 0
	}
	all := x.d.Coefficient().String()
	text = strings.TrimRight(all, "0")
	return text, int(x.d.Exponent()) + len(all) - len(text)
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
func (x BigNumber) ToFixed() string {
	if x.kind != finite {
		return x.special()
	}
	digits, exp := x.digits()
	return fixed(x.neg, digits, exp, 0)
}

// ToFixedN is plain notation with exactly n decimals, rounded half up.
func (x BigNumber) ToFixedN(n int) string { return x.ToFixedMode(n, RoundHalfUp) }

// ToFixedMode is plain notation with exactly n decimals.
func (x BigNumber) ToFixedMode(n int, mode RoundingMode) string {
	if x.kind != finite {
		return x.special()
	}
	digits, exp := x.round(n, mode).digits()
	return fixed(x.neg, digits, exp, n)
}

// fixed writes digits * 10**exp in plain notation with at least so many
// decimals. Zero has no sign.
func fixed(neg bool, digits string, exp, places int) string {
	buf := make([]byte, 0, len(digits)+max(exp, -exp, 0)+places+4)
	if neg && digits != "" {
		buf = append(buf, '-')
	}
	point := len(digits) + exp // digits before the point
	if digits == "" {
		point = 0
	}
	switch {
	case point <= 0:
		buf = append(buf, '0')
	case point >= len(digits):
		buf = append(buf, digits...)
		buf = appendZeros(buf, point-len(digits))
	default:
		buf = append(buf, digits[:point]...)
	}
	decimals := 0
	if digits != "" {
		decimals = max(0, -exp)
	}
	if decimals == 0 && places == 0 {
		return string(buf)
	}
	buf = append(buf, '.')
	if decimals > 0 {
		if point < 0 {
			buf = appendZeros(buf, -point)
		}
		buf = append(buf, digits[max(0, point):]...)
	}
	return string(appendZeros(buf, places-decimals))
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
	if x.kind != finite {
		return x.special()
	}
	digits, exp := x.digits()
	e := exp + len(digits) - 1
	if digits == "" || e > -7 && e < 21 {
		return fixed(x.neg, digits, exp, 0)
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
	case x.neg && x.IsZero():
		return math.Copysign(0, -1)
	}
	f, err := strconv.ParseFloat(x.String(), 64)
	if err != nil && !math.IsInf(f, 0) {
		return 0
	}
	return f
}
