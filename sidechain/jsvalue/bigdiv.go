package jsvalue

import "math/bits"

// divSmall is the quotient of two small numbers, neither of them zero, by
// arithmetic in words; ok is false where these do not suffice.
func divSmall(x, y BigNumber) (q BigNumber, ok bool) {
	shift := int64(x.exp) - int64(y.exp) + decimalPlaces
	if x.kind != small || y.kind != small || shift < 0 || shift >= 2*int64(len(powersOfTen)-1) {
		return BigNumber{}, false
	}
	first := min(shift, int64(len(powersOfTen)-1))
	hi, lo := bits.Mul64(x.coef, powersOfTen[first])
	if rest := powersOfTen[shift-first]; rest > 1 {
		over, high := bits.Mul64(hi, rest)
		carry, low := bits.Mul64(lo, rest)
		sum, overflow := bits.Add64(high, carry, 0)
		if over != 0 || overflow != 0 {
			return BigNumber{}, false
		}
		hi, lo = sum, low
	}
	if hi >= y.coef {
		return BigNumber{}, false
	}
	quo, rem := bits.Div64(hi, lo, y.coef)
	if rem >= y.coef-rem {
		if quo++; quo == 0 {
			return BigNumber{}, false
		}
	}
	return rangedSmall(x.neg != y.neg, quo, -decimalPlaces), true
}
