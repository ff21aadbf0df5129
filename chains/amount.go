package chains

import (
	"fmt"
	"math/big"
	"math/bits"
	"strconv"
	"strings"
)

// Amount is a count of a coin's base units (satoshi, wei): an unsigned integer
// of 128 bits. The zero value is zero. Amounts are comparable with == and can
// be map keys. Text and JSON form is the decimal integer, in JSON as a string.
type Amount struct{ hi, lo uint64 }

const (
	maxAmountDigits   = 39 // length of 2^128-1 in decimal
	maxExponentDigits = 4
)

// NewAmount is the amount of v base units.
func NewAmount(v uint64) Amount { return Amount{lo: v} }

// AmountFromBig converts a non-negative integer below 2^128.
func AmountFromBig(v *big.Int) (Amount, error) {
	if v.Sign() < 0 || v.BitLen() > 128 {
		return Amount{}, fmt.Errorf("%w: integer of %d bits, sign %d", ErrAmountRange, v.BitLen(), v.Sign())
	}
	var buf [16]byte
	v.FillBytes(buf[:])
	var a Amount
	for i := range 8 {
		a.hi = a.hi<<8 | uint64(buf[i])
		a.lo = a.lo<<8 | uint64(buf[8+i])
	}
	return a, nil
}

// ParseAmount parses the decimal integer text of an amount in base units:
// digits only, no sign, no leading zero.
func ParseAmount(text string) (Amount, error) {
	if text == "" || len(text) > 1 && text[0] == '0' {
		return Amount{}, fmt.Errorf("%w: %q", ErrAmountSyntax, clip(text))
	}
	return parseDigits(text)
}

// FromCoin converts a decimal text in coin units to base units, exactly:
// FromCoin("0.1", 8) is 10000000. The text is a non-negative JSON number, so
// "1E-8" and "100" are good and "-1", ".5", "1." and "+1" are not. A value
// with more than decimals decimal places is refused, never rounded.
func FromCoin(text string, decimals int) (Amount, error) {
	digits, exp, err := splitNumber(text)
	if err != nil {
		return Amount{}, err
	}
	digits = strings.TrimLeft(digits, "0")
	trimmed := strings.TrimRight(digits, "0")
	exp += len(digits) - len(trimmed) + decimals
	switch {
	case trimmed == "":
		return Amount{}, nil
	case exp < 0:
		return Amount{}, fmt.Errorf("%w: %q with %d decimals", ErrAmountPrecision, clip(text), decimals)
	case len(trimmed)+exp > maxAmountDigits:
		return Amount{}, fmt.Errorf("%w: %q", ErrAmountRange, clip(text))
	}
	return parseDigits(trimmed + strings.Repeat("0", exp))
}

// splitNumber takes a non-negative JSON number apart: value = digits × 10^exp.
func splitNumber(text string) (digits string, exp int, err error) {
	bad := fmt.Errorf("%w: %q", ErrAmountSyntax, clip(text))
	unsigned, negative := strings.CutPrefix(text, "-")
	mantissa, power, hasPower := unsigned, "", false
	if i := strings.IndexAny(unsigned, "eE"); i >= 0 {
		mantissa, power, hasPower = unsigned[:i], unsigned[i+1:], true
	}
	whole, frac, hasFrac := strings.Cut(mantissa, ".")
	if !allDigits(whole) || len(whole) > 1 && whole[0] == '0' || hasFrac && !allDigits(frac) {
		return "", 0, bad
	}
	if hasPower {
		magnitude, down := strings.CutPrefix(power, "-")
		if !down {
			magnitude = strings.TrimPrefix(power, "+")
		}
		if !allDigits(magnitude) {
			return "", 0, bad
		}
		magnitude = strings.TrimLeft(magnitude, "0")
		if len(magnitude) > maxExponentDigits {
			return "", 0, fmt.Errorf("%w: exponent of %q", ErrAmountRange, clip(text))
		}
		for _, c := range []byte(magnitude) {
			exp = exp*10 + int(c-'0')
		}
		if down {
			exp = -exp
		}
	}
	if negative && strings.Trim(whole+frac, "0") != "" {
		return "", 0, fmt.Errorf("%w: %q is negative", ErrAmountRange, clip(text))
	}
	return whole + frac, exp - len(frac), nil
}

// parseDigits converts at least one decimal digit; nothing else is allowed.
func parseDigits(text string) (Amount, error) {
	if !allDigits(text) {
		return Amount{}, fmt.Errorf("%w: %q", ErrAmountSyntax, clip(text))
	}
	if len(text) > maxAmountDigits {
		return Amount{}, fmt.Errorf("%w: %q", ErrAmountRange, clip(text))
	}
	var a Amount
	for _, c := range []byte(text) {
		var carry uint64
		over, hi := bits.Mul64(a.hi, 10)
		mid, lo := bits.Mul64(a.lo, 10)
		a.lo, carry = bits.Add64(lo, uint64(c-'0'), 0)
		a.hi, carry = bits.Add64(hi, mid, carry)
		if over|carry != 0 {
			return Amount{}, fmt.Errorf("%w: %q", ErrAmountRange, clip(text))
		}
	}
	return a, nil
}

// Add is a + b, or ErrAmountRange.
func (a Amount) Add(b Amount) (Amount, error) {
	lo, carry := bits.Add64(a.lo, b.lo, 0)
	hi, carry := bits.Add64(a.hi, b.hi, carry)
	if carry != 0 {
		return Amount{}, fmt.Errorf("%w: %s + %s", ErrAmountRange, a, b)
	}
	return Amount{hi: hi, lo: lo}, nil
}

// Sub is a - b, or ErrAmountRange when b is greater.
func (a Amount) Sub(b Amount) (Amount, error) {
	lo, borrow := bits.Sub64(a.lo, b.lo, 0)
	hi, borrow := bits.Sub64(a.hi, b.hi, borrow)
	if borrow != 0 {
		return Amount{}, fmt.Errorf("%w: %s - %s", ErrAmountRange, a, b)
	}
	return Amount{hi: hi, lo: lo}, nil
}

// Sum adds amounts, or fails with ErrAmountRange.
func Sum(amounts ...Amount) (Amount, error) {
	var total Amount
	for _, a := range amounts {
		var err error
		if total, err = total.Add(a); err != nil {
			return Amount{}, err
		}
	}
	return total, nil
}

// Cmp is -1, 0 or +1 as a is less than, equal to or greater than b.
func (a Amount) Cmp(b Amount) int {
	switch {
	case a == b:
		return 0
	case a.hi < b.hi || a.hi == b.hi && a.lo < b.lo:
		return -1
	}
	return 1
}

// Less reports a < b.
func (a Amount) Less(b Amount) bool { return a.Cmp(b) < 0 }

// Equal reports a == b; go-cmp uses it.
func (a Amount) Equal(b Amount) bool { return a == b }

// IsZero reports whether a is 0.
func (a Amount) IsZero() bool { return a == Amount{} }

// Uint64 is the value when it fits.
func (a Amount) Uint64() (v uint64, ok bool) { return a.lo, a.hi == 0 }

// Big is the value as a new big integer.
func (a Amount) Big() *big.Int {
	v := new(big.Int).SetUint64(a.hi)
	v.Lsh(v, 64)
	return v.Or(v, new(big.Int).SetUint64(a.lo))
}

// String is the decimal integer in base units.
func (a Amount) String() string {
	if a.hi == 0 {
		return strconv.FormatUint(a.lo, 10)
	}
	return a.Big().String()
}

// Coin is the decimal text in coin units with exactly decimals places:
// NewAmount(1).Coin(8) is "0.00000001".
func (a Amount) Coin(decimals int) string {
	digits := a.String()
	if decimals <= 0 {
		return digits
	}
	if n := decimals + 1 - len(digits); n > 0 {
		digits = strings.Repeat("0", n) + digits
	}
	point := len(digits) - decimals
	return digits[:point] + "." + digits[point:]
}

// MarshalText is String; JSON therefore carries amounts as strings.
func (a Amount) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is ParseAmount.
func (a *Amount) UnmarshalText(text []byte) error {
	v, err := ParseAmount(string(text))
	if err == nil {
		*a = v
	}
	return err
}

// Fee is the fee of a transaction of vsize virtual bytes at the rate, in
// satoshi, rounded up. It fails with ErrAmountRange when it exceeds 64 bits.
func (r FeeRate) Fee(vsize uint64) (Amount, error) {
	hi, lo := bits.Mul64(uint64(r), vsize)
	lo, carry := bits.Add64(lo, 999, 0)
	if hi += carry; hi >= 1000 {
		return Amount{}, fmt.Errorf("%w: fee of %d vbytes at rate %d", ErrAmountRange, vsize, r)
	}
	fee, _ := bits.Div64(hi, lo, 1000)
	return NewAmount(fee), nil
}

func allDigits(s string) bool {
	for _, c := range []byte(s) {
		if c < '0' || c > '9' {
			return false
		}
	}
	return s != ""
}

// clip keeps strangers' text short in errors.
func clip(s string) string {
	if len(s) > 48 {
		return s[:48] + "…"
	}
	return s
}
