package jsvalue

import (
	"cmp"
	"math/big"
	"math/bits"
)

// aligned brings two small numbers to the lower exponent; ok is false when
// that does not fit in words.
func aligned(x, y BigNumber) (a, b uint64, exp int32, ok bool) {
	if x.kind != small || y.kind != small {
		return 0, 0, 0, false
	}
	exp = min(x.exp, y.exp)
	a, okA := scaledWord(x.coef, x.exp-exp)
	b, okB := scaledWord(y.coef, y.exp-exp)
	return a, b, exp, okA && okB
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
	if a, b, exp, ok := aligned(x, y); ok {
		if x.neg != y.neg {
			return difference(x.neg, a, b, exp)
		}
		if sum, carry := bits.Add64(a, b, 0); carry == 0 {
			return rangedSmall(x.neg, sum, exp)
		}
	}
	sum := x.signed().Add(y.signed())
	if sum.IsZero() {
		return BigNumber{neg: x.neg && y.neg}
	}
	return fromDecimal(sum)
}

// difference is a - b, where a has the sign neg; zero is positive.
func difference(neg bool, a, b uint64, exp int32) BigNumber {
	switch {
	case a == b:
		return BigNumber{}
	case a > b:
		return rangedSmall(neg, a-b, exp)
	}
	return rangedSmall(!neg, b-a, exp)
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
	if x.kind == small && y.kind == small {
		if hi, lo := bits.Mul64(x.coef, y.coef); hi == 0 {
			return rangedSmall(neg, lo, x.exp+y.exp)
		}
	}
	if x.IsZero() || y.IsZero() {
		return BigNumber{neg: neg}
	}
	return fromDecimal(x.Abs().signed().Mul(y.Abs().signed())).withSign(neg)
}

func (x BigNumber) withSign(neg bool) BigNumber {
	x.neg = neg
	return x
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
	if q, ok := divSmall(x, y); ok {
		return q
	}
	return divWide(x, y)
}

// divWide is the quotient of two finite numbers other than zero.
func divWide(x, y BigNumber) BigNumber {
	neg := x.neg != y.neg
	num, numExp := x.magnitude()
	den, denExp := y.magnitude()
	if shift := int64(numExp) - int64(denExp) + decimalPlaces; shift >= 0 {
		num.Mul(num, tenTo(shift))
	} else {
		den.Mul(den, tenTo(-shift))
	}
	return rangedWide(neg, quotient(num, den), -decimalPlaces)
}

// quotient is num/den rounded half up. Both are used up.
func quotient(num, den *big.Int) *big.Int {
	q, r := num.QuoRem(num, den, new(big.Int))
	if r.Lsh(r, 1).Cmp(den) >= 0 {
		q.Add(q, big.NewInt(1))
	}
	return q
}

// Sqrt is the square root, rounded half up to 20 decimals; NaN below zero.
func (x BigNumber) Sqrt() BigNumber {
	switch {
	case x.kind == nan, x.neg && !x.IsZero():
		return notANumber()
	case x.kind == infinite, x.IsZero():
		return x
	}
	// With c*10**shift = x*10**40, its whole root r is the result in units of
	// 10**-20; the next half is reached when 4c*10**shift >= (2r+1)**2.
	c, exp := x.magnitude()
	shift := int64(exp) + 2*decimalPlaces
	n, unit := new(big.Int), big.NewInt(1)
	if shift >= 0 {
		n.Set(c.Mul(c, tenTo(shift)))
	} else {
		unit = tenTo(-shift)
		n.Quo(c, unit)
	}
	r := n.Sqrt(n)
	half := new(big.Int).Lsh(r, 1)
	half.Add(half, big.NewInt(1))
	half.Mul(half, half).Mul(half, unit)
	if c.Lsh(c, 2).Cmp(half) >= 0 {
		r.Add(r, big.NewInt(1))
	}
	return rangedWide(false, r, -decimalPlaces)
}

// Pow is x**n: exact for n >= 0, rounded half up to 20 decimals below.
func (x BigNumber) Pow(n int) BigNumber {
	switch {
	case n == 0:
		return BigInt(1)
	case x.kind == nan:
		return x
	case x.kind == infinite || x.IsZero():
		neg := x.neg && n&1 != 0
		if (x.kind == infinite) == (n > 0) {
			return infinity(neg)
		}
		return BigNumber{neg: neg}
	}
	y := BigInt(1)
	for i := uint(max(n, -n)); y.IsFinite(); {
		if i&1 == 1 {
			y = y.Times(x)
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

// compare is -1, 0 or 1; ok is false when either is NaN.
func (x BigNumber) compare(y BigNumber) (c int, ok bool) {
	switch {
	case x.kind == nan || y.kind == nan:
		return 0, false
	case x.kind == infinite && y.kind == infinite && x.neg == y.neg:
		return 0, true
	case x.kind == infinite && x.neg, y.kind == infinite && !y.neg:
		return -1, true
	case x.kind == infinite, y.kind == infinite:
		return 1, true
	}
	a, b, _, fits := aligned(x, y)
	switch {
	case !fits:
		return x.signed().Cmp(y.signed()), true
	case a == 0 && b == 0:
		return 0, true
	case x.neg && y.neg:
		return cmp.Compare(b, a), true
	case x.neg:
		return -1, true
	case y.neg:
		return 1, true
	}
	return cmp.Compare(a, b), true
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
