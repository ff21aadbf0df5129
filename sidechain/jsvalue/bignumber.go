package jsvalue

import (
	"math/big"

	"github.com/shopspring/decimal"
)

// The configuration of the peer's bignumber.js.
const (
	decimalPlaces = 20  // of quotients and roots
	maxExponent   = 500 // RANGE: beyond it Infinity, below its negative zero
)

// BigNumber is a decimal number with the semantics of bignumber.js 8.1 as the
// peer configures it: DECIMAL_PLACES 20, ROUND_HALF_UP, RANGE 500 (peer-spec
// 0.2). It is an immutable value; the zero value is 0.
type BigNumber struct {
	kind kind
	neg  bool            // the sign; zero has one too
	d    decimal.Decimal // the magnitude of a finite number
}

type kind uint8

const (
	finite kind = iota
	infinite
	nan
)

var (
	bigTen = big.NewInt(10)
	bigOne = big.NewInt(1)
)

// Big is new BigNumber(v): text in the forms that bignumber.js reads, or a
// number by its shortest text; NaN for everything else.
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
	d := decimal.NewFromInt(n)
	return BigNumber{neg: n < 0, d: d.Abs()}
}

func notANumber() BigNumber { return BigNumber{kind: nan} }

func infinity(neg bool) BigNumber { return BigNumber{kind: infinite, neg: neg} }

// ranged makes a number of a magnitude, with RANGE applied.
func ranged(neg bool, d decimal.Decimal) BigNumber {
	if d.IsZero() {
		return BigNumber{neg: neg}
	}
	switch e := exponentOf(d); {
	case e > maxExponent:
		return infinity(neg)
	case e < -maxExponent:
		return BigNumber{neg: neg}
	}
	return BigNumber{neg: neg, d: d}
}

// exponentOf is the power of ten of the leading digit.
func exponentOf(d decimal.Decimal) int { return d.NumDigits() + int(d.Exponent()) - 1 }

// signed is the finite number with its sign.
func (x BigNumber) signed() decimal.Decimal {
	if x.neg {
		return x.d.Neg()
	}
	return x.d
}

// IsNaN, IsFinite, IsInteger, IsZero and IsPositive test the kind of number.
// IsPositive is true for +0, as in bignumber.js: use Gt for "more than zero".
func (x BigNumber) IsNaN() bool { return x.kind == nan }

// IsFinite is false for NaN and the infinities.
func (x BigNumber) IsFinite() bool { return x.kind == finite }

// IsInteger says whether the number is finite and whole.
func (x BigNumber) IsInteger() bool { return x.kind == finite && x.d.IsInteger() }

// IsZero is true for 0 and -0.
func (x BigNumber) IsZero() bool { return x.kind == finite && x.d.IsZero() }

// IsPositive is true when the sign is plus, also for 0 and Infinity.
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

// Plus is x + y, exact.
func (x BigNumber) Plus(y BigNumber) BigNumber {
	switch {
	case x.kind == nan || y.kind == nan:
		return notANumber()
	case x.kind == infinite && y.kind == infinite && x.neg != y.neg:
		return notANumber()
	case x.kind == infinite:
		return x
	case y.kind == infinite:
		return y
	}
	sum := x.signed().Add(y.signed())
	if sum.IsZero() {
		return BigNumber{neg: x.neg && y.neg}
	}
	return ranged(sum.IsNegative(), sum.Abs())
}

// Minus is x - y, exact.
func (x BigNumber) Minus(y BigNumber) BigNumber { return x.Plus(y.Neg()) }

// Times is x * y, exact.
func (x BigNumber) Times(y BigNumber) BigNumber {
	if x.kind == nan || y.kind == nan {
		return notANumber()
	}
	neg := x.neg != y.neg
	if x.kind == infinite || y.kind == infinite {
		if x.IsZero() || y.IsZero() {
			return notANumber()
		}
		return infinity(neg)
	}
	return ranged(neg, x.d.Mul(y.d))
}

// Div is x / y, rounded half up to 20 decimals.
func (x BigNumber) Div(y BigNumber) BigNumber {
	neg := x.neg != y.neg
	switch {
	case x.kind == nan || y.kind == nan, x.kind == infinite && y.kind == infinite, x.IsZero() && y.IsZero():
		return notANumber()
	case x.kind == infinite, y.IsZero():
		return infinity(neg)
	case y.kind == infinite, x.IsZero():
		return BigNumber{neg: neg}
	}
	shift := int64(x.d.Exponent()) - int64(y.d.Exponent()) + decimalPlaces
	num, den := x.d.Coefficient(), y.d.Coefficient()
	if shift >= 0 {
		num.Mul(num, tenTo(shift))
	} else {
		den.Mul(den, tenTo(-shift))
	}
	q, r := num.QuoRem(num, den, new(big.Int))
	if r.Lsh(r, 1).Cmp(den) >= 0 {
		q.Add(q, bigOne)
	}
	return ranged(neg, decimal.NewFromBigInt(q, -decimalPlaces))
}

// Sqrt is the square root, rounded half up to 20 decimals; NaN below zero.
func (x BigNumber) Sqrt() BigNumber {
	switch {
	case x.kind == nan, x.neg && !x.IsZero():
		return notANumber()
	case x.kind == infinite, x.IsZero():
		return x
	}
	// The root r of c*10**shift is the result in units of 10**-20; half is
	// (2r+1)**2 in the same units times four, against 4c*10**shift.
	shift := int64(x.d.Exponent()) + 2*decimalPlaces
	c := x.d.Coefficient()
	n, unit := new(big.Int), bigOne
	if shift >= 0 {
		c.Mul(c, tenTo(shift))
		n.Set(c)
	} else {
		unit = tenTo(-shift)
		n.Quo(c, unit)
	}
	r := n.Sqrt(n)
	half := new(big.Int).Lsh(r, 1)
	half.Add(half, bigOne)
	half.Mul(half, half).Mul(half, unit)
	if c.Lsh(c, 2).Cmp(half) >= 0 {
		r.Add(r, bigOne)
	}
	return ranged(false, decimal.NewFromBigInt(r, -decimalPlaces))
}

// Pow is x**n: exact for n >= 0, rounded half up to 20 decimals below.
func (x BigNumber) Pow(n int) BigNumber {
	switch {
	case n == 0:
		return BigInt(1)
	case x.kind == nan:
		return x
	case x.kind == infinite || x.IsZero():
		neg := x.neg && n&1 == 1
		if (x.kind == infinite) == (n > 0) {
			return infinity(neg)
		}
		return BigNumber{neg: neg}
	}
	y := BigInt(1)
	for i := uint(max(n, -n)); ; {
		if i&1 == 1 {
			y = y.Times(x)
			if y.kind != finite {
				break
			}
		}
		if i >>= 1; i == 0 {
			break
		}
		x = x.Times(x)
	}
	if n < 0 {
		return BigInt(1).Div(y)
	}
	return y
}

// tenTo is 10**n.
func tenTo(n int64) *big.Int { return new(big.Int).Exp(bigTen, big.NewInt(n), nil) }

// compare is -1, 0 or 1; ok is false when either is NaN.
func (x BigNumber) compare(y BigNumber) (c int, ok bool) {
	switch {
	case x.kind == nan || y.kind == nan:
		return 0, false
	case x.kind == finite && y.kind == finite:
		return x.signed().Cmp(y.signed()), true
	case x.kind == infinite && y.kind == infinite && x.neg == y.neg:
		return 0, true
	case x.kind == infinite && x.neg, y.kind == infinite && !y.neg:
		return -1, true
	}
	return 1, true
}

// Lt is x < y; false when either is NaN, like all comparisons.
func (x BigNumber) Lt(y BigNumber) bool {
	c, ok := x.compare(y)
	return ok && c < 0
}

// Lte is x <= y.
func (x BigNumber) Lte(y BigNumber) bool {
	c, ok := x.compare(y)
	return ok && c <= 0
}

// Gt is x > y.
func (x BigNumber) Gt(y BigNumber) bool {
	c, ok := x.compare(y)
	return ok && c > 0
}

// Gte is x >= y.
func (x BigNumber) Gte(y BigNumber) bool {
	c, ok := x.compare(y)
	return ok && c >= 0
}

// Eq is x = y; 0 equals -0.
func (x BigNumber) Eq(y BigNumber) bool {
	c, ok := x.compare(y)
	return ok && c == 0
}
