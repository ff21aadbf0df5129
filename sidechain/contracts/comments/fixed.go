package comments

import (
	"math"
	"math/bits"
	"strconv"

	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// fixed is a number of rshares, claims or curation weight in units of its last
// decimal, 1e-10. It gives the digits that jsvalue.BigNumber gives, faster; for
// what it cannot hold, or hold exactly, the functions below fall back on that.
type fixed int64

const (
	unit     = 1e10
	maxFixed = 1 << 61 // two can be added, and a third
)

// readFixed reads plain decimal text with at most ten decimals.
func readFixed(v jsvalue.Value) (fixed, bool) {
	text, _ := v.(string)
	negative := text != "" && text[0] == '-'
	if negative {
		text = text[1:]
	}
	var n uint64
	point := -1
	for i := range len(text) {
		switch c := text[i]; {
		case c == '.' && point < 0 && i > 0:
			point = i
		case c < '0' || c > '9' || n > maxFixed/10:
			return 0, false
		default:
			n = n*10 + uint64(c-'0')
		}
	}
	places := 0
	if point >= 0 {
		places = len(text) - point - 1
	}
	if text == "" || places > shareDecimals || point >= 0 && places == 0 {
		return 0, false
	}
	for ; places < shareDecimals; places++ {
		if n > maxFixed/10 {
			return 0, false
		}
		n *= 10
	}
	if negative {
		return -fixed(n), n > 0 && n <= maxFixed
	}
	return fixed(n), n <= maxFixed
}

// String is toFixed(10).
func (f fixed) String() string {
	var buf [32]byte
	b := buf[:0]
	n := uint64(f)
	if f < 0 {
		b, n = append(b, '-'), -n
	}
	b = strconv.AppendUint(b, n/unit, 10)
	b = append(b, '.')
	at := len(b)
	b = strconv.AppendUint(b, unit+n%unit, 10) // a leading 1, where the point belongs
	copy(b[at:], b[at+1:])
	return string(b[:len(b)-1])
}

// sum is a + b, and difference a - b, cut to ten decimals.
func sum(a, b jsvalue.Value) string {
	x, ok := readFixed(a)
	y, exact := readFixed(b)
	if ok && exact {
		return (x + y).String()
	}
	return cut(jsvalue.Big(a).Plus(jsvalue.Big(b)), shareDecimals)
}

func difference(a, b jsvalue.Value) string {
	x, ok := readFixed(a)
	y, exact := readFixed(b)
	if ok && exact {
		return (x - y).String()
	}
	return cut(jsvalue.Big(a).Minus(jsvalue.Big(b)), shareDecimals)
}

// isPositive says whether a text is a number above zero.
func isPositive(text string) bool {
	if f, ok := readFixed(text); ok {
		return f > 0
	}
	return jsvalue.Big(text).Gt(jsvalue.BigInt(0))
}

// weighted is stake * weight * power / 10,000 / 10,000, cut to ten decimals.
func weighted(stake jsvalue.Value, weight, power float64) string {
	s, ok := readFixed(stake)
	if ok && s >= 0 && power >= 0 && power <= fullPower && power == math.Trunc(power) {
		high, low := bits.Mul64(uint64(s), uint64(math.Abs(weight)*power))
		n, _ := bits.Div64(high, low, fullPower*fullPower) // high is less: both factors are bounded
		switch {
		case weight > 0:
			return fixed(n).String()
		case n > 0:
			return (-fixed(n)).String()
		}
	}
	whole := jsvalue.BigInt(fullPower)
	return cut(jsvalue.Big(stake).Times(jsvalue.Big(weight)).Times(jsvalue.Big(power)).Div(whole).Div(whole), shareDecimals)
}

// curationGain is the weight of a vote: C(rshares + before) - C(before).
func curationGain(pool state.Row, rshares string, before jsvalue.Value) string {
	config := object(pool, "config")
	more, ok := readFixed(rshares)
	old, exact := readFixed(before)
	if ok && exact && more >= 0 && old >= 0 && config.Get("curationRewardCurve") == "power" {
		switch config.Get("curationRewardCurveParameter") {
		case "1":
			return more.String()
		case "0.5":
			from, ok := squareRoot(old)
			to, exact := squareRoot(old + more)
			if ok && exact {
				return (to - from).String()
			}
		}
	}
	x := jsvalue.Big(before)
	return cut(curationWeight(pool, jsvalue.Big(rshares).Plus(x)).Minus(curationWeight(pool, x)), shareDecimals)
}

// squareRoot is the root of a number that is not negative, cut. It is not exact
// where BigNumber's root, rounded at its twentieth decimal, is the next one.
func squareRoot(x fixed) (fixed, bool) {
	high, low := bits.Mul64(uint64(x), unit)
	root := uint64(math.Sqrt(float64(high)*(1<<64) + float64(low)))
	for root > 0 && exceeds(root, high, low) {
		root--
	}
	for !exceeds(root+1, high, low) {
		root++
	}
	nextHigh, nextLow := bits.Mul64(root+1, root+1)
	gap, borrow := bits.Sub64(nextLow, low, 0)
	far, _ := bits.Sub64(nextHigh, high, borrow)
	return fixed(root), far > 0 || gap > root/unit+2
}

// exceeds says whether the square of a root is more than a number.
func exceeds(root, high, low uint64) bool {
	h, l := bits.Mul64(root, root)
	return h > high || h == high && l > low
}

// claimsAfter is what posts claim of a pool after the rshares of one went from
// a sum to the next.
func claimsAfter(pool state.Row, from, next jsvalue.Value) string {
	config := object(pool, "config")
	if config.Get("postRewardCurve") == "power" && config.Get("postRewardCurveParameter") == "1" {
		claims, ok := readFixed(pool.Get("pendingClaims"))
		old, exact := readFixed(from)
		now, plain := readFixed(next)
		if ok && exact && plain {
			return (claims + (max(now, 0) - max(old, 0))).String()
		}
	}
	claims := big(pool, "pendingClaims").Plus(postClaims(pool, jsvalue.Big(next))).Minus(postClaims(pool, jsvalue.Big(from)))
	return cut(claims, shareDecimals)
}
