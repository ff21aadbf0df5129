package jsvalue

import (
	"math/big"
	"math/bits"

	"github.com/shopspring/decimal"
)

// The configuration of the peer's bignumber.js.
const (
	decimalPlaces = 20   // of quotients and roots
	maxExponent   = 500  // RANGE: beyond it Infinity, below its negative zero
	maxDigits     = 1000 // of text that a number is made of
)

// BigNumber is a decimal number with the semantics of bignumber.js 8.1 as the
// peer configures it: DECIMAL_PLACES 20, ROUND_HALF_UP, RANGE 500 (peer-spec
// 0.2). It is an immutable value; the zero value is 0. Do not compare with ==.
//
// Amounts of up to 19 digits, which is nearly all of them, are kept in a
// machine word; anything longer is a decimal.Decimal.
type BigNumber struct {
	kind kind
	neg  bool            // the sign; zero has one too
	exp  int32           // of a small number: coef * 10**exp
	coef uint64          // of a small number
	d    decimal.Decimal // the magnitude of a wide number
}

type kind uint8

const (
	small kind = iota
	wide
	infinite
	nan
)

// Big is new BigNumber(v): text in the forms that bignumber.js reads, or a
// number by its shortest text; what is neither counts as its String(v), which
// nearly always gives NaN.
func Big(v Value) BigNumber {
	switch x := v.(type) {
	case string:
		return parseBig(x)
	case BigNumber:
		return x
	case int:
		return BigInt(int64(x))
	}
	return parseBig(ToString(v))
}

// BigInt is n as a BigNumber.
func BigInt(n int64) BigNumber {
	if n < 0 {
		return BigNumber{neg: true, coef: uint64(-n)}
	}
	return BigNumber{coef: uint64(n)}
}

func notANumber() BigNumber { return BigNumber{kind: nan} }

func infinity(neg bool) BigNumber { return BigNumber{kind: infinite, neg: neg} }

// rangedSmall makes a number of a word and an exponent, with RANGE applied.
func rangedSmall(neg bool, coef uint64, exp int32) BigNumber {
	x := BigNumber{neg: neg, coef: coef, exp: exp}
	if coef == 0 {
		x.exp = 0
		return x
	}
	if exp > -maxExponent && exp < maxExponent-20 {
		return x // the usual case needs no count of digits
	}
	switch e := int(exp) + wordDigits(coef) - 1; {
	case e > maxExponent:
		return infinity(neg)
	case e < -maxExponent:
		return BigNumber{neg: neg}
	}
	return x
}

// rangedWide makes a number of a magnitude, with RANGE applied; what fits in a
// word becomes small.
func rangedWide(neg bool, c *big.Int, exp int32) BigNumber {
	if c.IsUint64() {
		return rangedSmall(neg, c.Uint64(), exp)
	}
	d := decimal.NewFromBigInt(c, exp)
	switch e := d.NumDigits() + int(exp) - 1; {
	case e > maxExponent:
		return infinity(neg)
	case e < -maxExponent:
		return BigNumber{neg: neg}
	}
	return BigNumber{kind: wide, neg: neg, d: d}
}

// fromDecimal makes a number of a signed decimal that is not zero.
func fromDecimal(d decimal.Decimal) BigNumber {
	neg := d.IsNegative()
	c := d.Coefficient()
	return rangedWide(neg, c.Abs(c), d.Exponent())
}

// magnitude is the coefficient (a fresh one) and exponent of a finite number.
func (x BigNumber) magnitude() (c *big.Int, exp int32) {
	if x.kind == small {
		return new(big.Int).SetUint64(x.coef), x.exp
	}
	return x.d.Coefficient(), x.d.Exponent()
}

// signed is the finite number as a decimal.
func (x BigNumber) signed() decimal.Decimal {
	d := x.d
	if x.kind == small {
		c, exp := x.magnitude()
		d = decimal.NewFromBigInt(c, exp)
	}
	if x.neg {
		return d.Neg()
	}
	return d
}

// IsNaN says whether the number is NaN.
func (x BigNumber) IsNaN() bool { return x.kind == nan }

// IsFinite is false for NaN and the infinities.
func (x BigNumber) IsFinite() bool { return x.kind <= wide }

// IsInteger says whether the number is finite and whole.
func (x BigNumber) IsInteger() bool {
	n, ok := x.DP()
	return ok && n == 0
}

// IsZero is true for 0 and -0.
func (x BigNumber) IsZero() bool { return x.kind == small && x.coef == 0 }

// IsPositive is true when the sign is plus, also for 0 and Infinity, as in
// bignumber.js: for "more than zero" use Gt.
func (x BigNumber) IsPositive() bool { return x.kind != nan && !x.neg }

// Neg is the number with the other sign.
func (x BigNumber) Neg() BigNumber {
	if x.kind != nan {
		x.neg = !x.neg
	}
	return x
}

// Abs is the number without its sign.
func (x BigNumber) Abs() BigNumber {
	x.neg = false
	return x
}

// DP is the number of decimals without trailing zeros; ok is false for NaN
// and the infinities, where JavaScript has null (and null <= 3 is true there).
func (x BigNumber) DP() (n int, ok bool) {
	switch x.kind {
	case small:
		c, exp := x.coef, x.exp
		for exp < 0 && c != 0 && c%10 == 0 {
			c /= 10
			exp++
		}
		if c == 0 {
			return 0, true
		}
		return max(0, -int(exp)), true
	case wide:
		var buf [64]byte
		_, exp := x.digits(buf[:0])
		return max(0, -exp), true
	}
	return 0, false
}

// powersOfTen are those that fit in a word.
var powersOfTen = [20]uint64{
	1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10,
	1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
}

// wordDigits is the number of decimal digits of n.
func wordDigits(n uint64) int {
	d := 1
	for d < len(powersOfTen) && n >= powersOfTen[d] {
		d++
	}
	return d
}

// scaledWord is n * 10**by when that fits in a word.
func scaledWord(n uint64, by int32) (uint64, bool) {
	if n == 0 || by == 0 {
		return n, true
	}
	if by < 0 || int(by) >= len(powersOfTen) {
		return 0, false
	}
	hi, lo := bits.Mul64(n, powersOfTen[by])
	return lo, hi == 0
}

// tenTo is 10**n.
func tenTo(n int64) *big.Int {
	return new(big.Int).Exp(big.NewInt(10), big.NewInt(n), nil)
}
