package market

import (
	"strconv"
	"strings"

	"causeway/sidechain/jsvalue"
)

// amount is a number with the text that rows and events show of it.
type amount struct {
	jsvalue.BigNumber
	text string
}

// read is the amount of a text as it stands.
func read(text string) amount { return amount{jsvalue.Big(text), text} }

// fixed is a number rounded to so many decimals, all of them written.
func fixed(n jsvalue.BigNumber, places int, mode jsvalue.RoundingMode) amount {
	n = n.Round(places, mode)
	return amount{n, n.ToFixedN(places)}
}

// less is a - b with so many decimals.
func (a amount) less(b amount, places int) amount {
	return fixed(a.Minus(b.BigNumber), places, jsvalue.RoundHalfUp)
}

// some says whether there is anything of it.
func (a amount) some() bool { return a.Gt(jsvalue.BigNumber{}) }

// fits says whether n has at most so many decimals. Infinity has none that
// could be counted and passes, as at the peer; no balance covers it.
func fits(n jsvalue.BigNumber, places int) bool {
	dp, ok := n.DP()
	return !ok || dp <= places
}

// decimalDigits is how many digits a Decimal128 keeps.
const decimalDigits = 34

// decimal128 is the value {"$numberDecimal": …} of a plain number that is not
// negative, or of Infinity, with the text that MongoDB's Decimal128 has for it:
// exponent notation below 1e-6, and beyond 34 digits rounded half to even.
func decimal128(plain string) *jsvalue.Object {
	return jsvalue.NewObject("$numberDecimal", decimalText(plain))
}

func decimalText(plain string) string {
	whole, fraction, _ := strings.Cut(plain, ".")
	if whole == "" || whole[0] < '0' || whole[0] > '9' {
		return plain // Infinity
	}
	if len(plain) <= decimalDigits && strings.Trim(plain[:min(len(plain), 8)], "0.") != "" {
		return plain // nothing to cut, and not below 1e-6
	}
	digits := strings.TrimLeft(whole+fraction, "0")
	if digits == "" {
		digits = "0"
	}
	exp := -len(fraction)
	if len(digits) > decimalDigits {
		exp += len(digits) - decimalDigits
		digits = halfEven(digits[:decimalDigits], digits[decimalDigits:])
		if len(digits) > decimalDigits {
			digits = digits[:decimalDigits]
			exp++
		}
	}
	scientific := exp + len(digits) - 1
	switch {
	case exp > 0 || scientific < -6:
		return exponential(digits, scientific)
	case exp == 0:
		return digits
	case len(digits) <= -exp:
		return "0." + strings.Repeat("0", -exp-len(digits)) + digits
	}
	return digits[:len(digits)+exp] + "." + digits[len(digits)+exp:]
}

// halfEven rounds digits by those that are cut off; it may get one longer.
func halfEven(digits, cut string) string {
	half := "5" + strings.Repeat("0", len(cut)-1)
	odd := digits[len(digits)-1]&1 == 1
	if cut < half || cut == half && !odd {
		return digits
	}
	text := []byte(digits)
	for i := len(text) - 1; i >= 0; i-- {
		if text[i] != '9' {
			text[i]++
			return string(text)
		}
		text[i] = '0'
	}
	return "1" + string(text)
}

func exponential(digits string, exp int) string {
	sign := ""
	if exp > 0 {
		sign = "+"
	}
	if len(digits) > 1 {
		digits = digits[:1] + "." + digits[1:]
	}
	return digits + "E" + sign + strconv.Itoa(exp)
}
