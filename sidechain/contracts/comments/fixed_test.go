package comments

import (
	"fmt"
	"testing"

	"pgregory.net/rapid"

	"causeway/sidechain/jsvalue"
)

// amounts of any size, with few decimals or many, mostly what fixed can hold.
func amount(t *rapid.T, label string) string {
	text := rapid.OneOf(
		rapid.StringMatching(`[0-9]{1,3}(\.[0-9]{1,10})?`),
		rapid.StringMatching(`[1-9][0-9]{0,17}(\.[0-9]{10})?`),
		rapid.StringMatching(`-?[0-9]{1,9}\.[0-9]{10}`),
		rapid.SampledFrom([]string{
			"0", "0.0000000000", "-0.0000000000", "0.0000000001", "NaN", "Infinity", "", "1.", ".5", "1e3", " 1", "1.00000000001",
			"230584300.9213693952", "230584300.9213693951", "-230584300.9213693952", "922337203.6854775807",
		}),
		// one less than a square: the root is nearly the next one
		rapid.Custom(func(t *rapid.T) string {
			k := rapid.Int64Range(1, 1<<47).Draw(t, "root")
			square := jsvalue.BigInt(k).Times(jsvalue.BigInt(k)).Div(jsvalue.Big("1e20"))
			return square.ToFixedMode(shareDecimals, jsvalue.RoundDown)
		}),
	).Draw(t, label)
	return text
}

// TestFixedIsBigNumber: the short cut gives what the long way gives.
func TestFixedIsBigNumber(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := amount(t, "a"), amount(t, "b")
		x, y := jsvalue.Big(a), jsvalue.Big(b)
		check := func(what, got, want string) {
			if got != want {
				t.Fatalf("%s of %q and %q: %s, want %s", what, a, b, got, want)
			}
		}
		check("sum", sum(a, b), cut(x.Plus(y), shareDecimals))
		check("difference", difference(a, b), cut(x.Minus(y), shareDecimals))
		weight := rapid.IntRange(-fullPower, fullPower).Draw(t, "weight")
		power := rapid.IntRange(0, fullPower).Draw(t, "power")
		whole := jsvalue.BigInt(fullPower)
		long := x.Times(jsvalue.BigInt(int64(weight))).Times(jsvalue.BigInt(int64(power))).Div(whole).Div(whole)
		check(fmt.Sprintf("share %d %d", weight, power), weighted(a, float64(weight), float64(power)), cut(long, shareDecimals))
		pool := jsvalue.NewObject("pendingClaims", b, "config", jsvalue.NewObject(
			"postRewardCurve", "power", "postRewardCurveParameter", "1", "curationRewardCurve", "power",
			"curationRewardCurveParameter", rapid.SampledFrom([]string{"0.5", "1", "0.7", "0.50"}).Draw(t, "curve")))
		gain := curationWeight(pool, x.Plus(y)).Minus(curationWeight(pool, y))
		check("gain", curationGain(pool, a, b), cut(gain, shareDecimals))
		c := amount(t, "c")
		claims := y.Plus(postClaims(pool, x)).Minus(postClaims(pool, jsvalue.Big(c)))
		check("claims with "+c, claimsAfter(pool, c, a), cut(claims, shareDecimals))
	})
}
