package jsvalue

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestBigReads(t *testing.T) {
	long := strings.Repeat("9", 1<<20)
	for text, want := range map[string]string{
		"+2.5": "2.5", " 1.5 ": "1.5", "\ufeff7\u2028": "7", "1.": "1", ".5": "0.5", ".": "NaN", "++1": "NaN", "+ 1": "NaN", "-": "NaN",
		"1e5": "100000", "1e": "NaN", "1e+": "NaN", "1E-7": "1e-7", "1e21": "1e+21", "-0": "0", "- 1": "NaN", "": "NaN", "1,5": "NaN",
		"0xff": "255", "0XFF": "255", "0xfF": "NaN", "-0x1f": "-31", "0b101": "5", "0o17": "15", "0o8": "NaN", "0x": "NaN", "0x1.8": "1.5",
		"0x1.8.8": "NaN", "0x0x1": "1", "0b0b1.": "1", "0x0b1": "177", "0o0b1": "NaN", "0x_1": "NaN", "0xInfinity": "Infinity", "0xInfinity.": "Infinity",
		"-0xNaN": "NaN", "Infinity": "Infinity", "-Infinity": "-Infinity", "+Infinity": "Infinity", "infinity": "NaN", "1e501": "Infinity",
		"-1e501": "-Infinity", "1e-501": "0", "1e500": "1e+500", "1e1000000000": "Infinity", "1e-99999999999999999999999": "0", "0e99999999999": "0",
		"1" + strings.Repeat("0", 501): "Infinity", "0x" + long: "Infinity", long: "Infinity", "0." + strings.Repeat("0", 600) + "1": "0",
	} {
		start := time.Now()
		if got := Big(text).String(); got != want {
			t.Errorf("Big(%.40q) = %.40s, want %s", text, got, want)
		}
		if took := time.Since(start); took > 2*time.Second {
			t.Errorf("Big(%.40q) took %v", text, took)
		}
	}
}

func TestBigBoundsDigits(t *testing.T) {
	zeros, sevens := strings.Repeat("0", 1000), strings.Repeat("7", 998)
	for text, want := range map[string]string{
		"0" + zeros + "1." + zeros: "1", // no digit of it counts
		"1." + sevens + "1":        "1." + sevens + "1",
		"1." + sevens + "12":       "NaN",
		"12." + sevens + "1e-3":    "NaN",
		"0x1." + zeros[1:]:         "1",
		"0x1." + zeros + "f":       "NaN",
		sevens + sevens:            "Infinity", // beyond RANGE, whatever its digits are
		"." + sevens + sevens:      "NaN",
	} {
		if got := Big(text).ToFixed(); got != want {
			t.Errorf("%d characters: got %.40s, want %s", len(text), got, want)
		}
	}
}

func TestBigOfOtherValues(t *testing.T) {
	for _, c := range []struct {
		v    Value
		want string
	}{
		{1e21, "1e+21"}, {0.1, "0.1"}, {5, "5"}, {nil, "NaN"}, {Undefined{}, "NaN"}, {true, "NaN"}, {NewObject(), "NaN"},
		{[]Value{}, "NaN"}, {[]Value{"5"}, "5"}, {BigInt(-3), "-3"},
	} {
		if got := Big(c.v).String(); got != c.want {
			t.Errorf("Big(%v) = %s, want %s", c.v, got, c.want)
		}
	}
}

func TestBigAmounts(t *testing.T) {
	most := Big("9007199254740991.00000000")
	unit := Big("0.00000001")
	if got := most.Minus(unit).Plus(unit).ToFixedN(8); got != "9007199254740991.00000000" {
		t.Error(got)
	}
	if got := most.Times(Big("1.00000001")).ToFixedMode(8, RoundDown); got != "9007199344812983.54740991" {
		t.Error(got)
	}
	if got := BigInt(-1 << 63).ToFixed(); got != "-9223372036854775808" {
		t.Error(got)
	}
	if got := Big("-0.001").ToFixedN(2); got != "-0.00" {
		t.Errorf("a negative number rounded to zero is %s", got)
	}
	if got := Big("1.005").ToFixedN(2) + Big("-2.5").ToFixedN(0) + Big("10").Div(Big("3")).String(); got != "1.01-33.33333333333333333333" {
		t.Error(got)
	}
}

func TestBigPow(t *testing.T) {
	for _, c := range []struct {
		x    string
		n    int
		want string
	}{
		{"10", 8, "100000000"}, {"2", 200, "1.606938044258990275541962092341162602522202993782792835301376e+60"}, {"10", -3, "0.001"},
		{"3", -1, "0.33333333333333333333"}, {"NaN", 0, "1"}, {"NaN", 1, "NaN"}, {"0", -1, "Infinity"}, {"-0", -1, "-Infinity"},
		{"-Infinity", 3, "-Infinity"}, {"Infinity", -1, "0"}, {"10", 600, "Infinity"}, {"10", -600, "0"}, {"-2", 3, "-8"},
	} {
		if got := Big(c.x).Pow(c.n).String(); got != c.want {
			t.Errorf("%s ** %d = %s, want %s", c.x, c.n, got, c.want)
		}
	}
}

// asWide is the same number in the long form, so that both forms can be
// compared.
func asWide(x BigNumber) BigNumber {
	if x.kind != small {
		return x
	}
	return BigNumber{kind: wide, neg: x.neg, d: x.Abs().signed()}
}

// TestFormsAgree checks that the word form of numbers is only a faster way to
// the results of the decimal form.
func TestFormsAgree(t *testing.T) {
	number := rapid.Custom(func(t *rapid.T) BigNumber {
		c := rapid.OneOf(rapid.Uint64Range(1, 1<<63), rapid.Uint64Range(1, 1000)).Draw(t, "coef")
		return BigNumber{neg: rapid.Bool().Draw(t, "neg"), coef: c, exp: rapid.Int32Range(-25, 12).Draw(t, "exp")}
	})
	rapid.Check(t, func(t *rapid.T) {
		x, y := number.Draw(t, "x"), number.Draw(t, "y")
		wx, wy := asWide(x), asWide(y)
		places, mode := rapid.IntRange(0, 24).Draw(t, "places"), RoundingMode(rapid.IntRange(0, 8).Draw(t, "mode"))
		for _, c := range [][2]string{
			{x.Plus(y).JSON(), wx.Plus(wy).JSON()}, {x.Minus(y).JSON(), wx.Minus(wy).JSON()},
			{x.Times(y).JSON(), wx.Times(wy).JSON()}, {x.Div(y).JSON(), wx.Div(wy).JSON()},
			{x.ToFixedMode(places, mode), wx.ToFixedMode(places, mode)}, {x.String(), wx.String()},
			{x.Round(places, mode).JSON(), wx.Round(places, mode).JSON()},
		} {
			if c[0] != c[1] {
				t.Fatalf("word form %s, decimal form %s", c[0], c[1])
			}
		}
		a, _ := x.compare(y)
		b, _ := wx.compare(wy)
		n, _ := x.DP()
		m, _ := wx.DP()
		if a != b || n != m || x.IsInteger() != wx.IsInteger() {
			t.Fatalf("compare %d, %d; decimals %d, %d", a, b, n, m)
		}
		if back := x.Plus(y).Minus(y); !back.Eq(x) {
			t.Fatalf("x + y - y = %s", back)
		}
	})
}
