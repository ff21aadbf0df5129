package state

import (
	"bytes"
	"fmt"
	"math"
	"math/big"
	"strings"
	"testing"

	"causeway/sidechain/jsvalue"

	"pgregory.net/rapid"
)

func dec(text string) *jsvalue.Object { return jsvalue.NewObject("$numberDecimal", text) }

// TestKeyOrder lists values in BSON order; neighbours in one row are equal.
func TestKeyOrder(t *testing.T) {
	rows := [][]jsvalue.Value{
		{nil, jsvalue.Undefined{}},
		{dec("NaN"), math.NaN()},
		{dec("-Infinity"), math.Inf(-1)},
		{-math.MaxFloat64},
		{dec("-1e40")},
		{-9007199254740993.0, dec("-9007199254740992")},
		{-1000.0, dec("-1e3"), dec("-1000.000")},
		{-10.5, dec("-10.5")},
		{-10.0},
		{-1.0},
		{dec("-0.00000001")},
		{-math.SmallestNonzeroFloat64},
		{0.0, math.Copysign(0, -1), dec("0"), dec("-0.000"), dec("0E+5")},
		{math.SmallestNonzeroFloat64},
		{dec("0.00000001"), dec("1E-8")},
		{dec("0.1")},
		{0.1}, // a little more than a tenth
		{dec("0.11")},
		{0.5, dec("0.50")},
		{1.0, dec("1.0000"), dec("+1"), 1},
		{2.0},
		{9.0},
		{10.0, dec("1e1")},
		{11.0},
		{99.0},
		{100.0},
		{101.0},
		{1e15},
		{9007199254740992.0, dec("9007199254740992")},
		{dec("9007199254740993")},
		{1e21, dec("1000000000000000000000")},
		{math.MaxFloat64},
		{dec("1e6000")},
		{dec("Infinity"), math.Inf(1)},
		{""},
		{"\x00"},
		{"\x00a"},
		{"A"},
		{"a"},
		{"a\x00"},
		{"a\x00b"},
		{"a\x01"},
		{"aa"},
		{"b"},
		{"é"},
		{"\U0001f600"},
		{jsvalue.NewObject()},
		{jsvalue.NewObject("z", nil)},
		{jsvalue.NewObject("a", 1)},
		{jsvalue.NewObject("a", 1, "b", 1)},
		{jsvalue.NewObject("a", 2)},
		{jsvalue.NewObject("b", 1)},
		{jsvalue.NewObject("$numberDecimal", "x")},
		{jsvalue.NewObject("a", "")},
		{[]jsvalue.Value{}},
		{[]jsvalue.Value{1.0}},
		{[]jsvalue.Value{1.0, 2.0}},
		{[]jsvalue.Value{2.0}},
		{[]jsvalue.Value{"a"}},
		{false},
		{true},
	}
	for i, equal := range rows {
		for _, v := range equal {
			for j, others := range rows {
				for _, w := range others {
					want := 0
					if i < j {
						want = -1
					} else if i > j {
						want = 1
					}
					if got := Compare(v, w); got != want {
						t.Errorf("Compare(%s, %s) = %d, want %d", jsvalue.Stringify(v), jsvalue.Stringify(w), got, want)
					}
				}
			}
		}
	}
}

func TestNotDecimal(t *testing.T) {
	for _, text := range []string{"", "-", ".", "1..2", "1e", "e5", "1e99999", "1e6201", "0x10", " 1", "1,5", "inf", strings.Repeat("9", 7000)} {
		if IsDecimal(dec(text)) {
			t.Errorf("%.20q is taken for a decimal", text)
		}
	}
	for _, v := range []jsvalue.Value{nil, "1", 1.0, jsvalue.NewObject("$numberDecimal", 1), jsvalue.NewObject("$numberDecimal", "1", "x", 1)} {
		if IsDecimal(v) {
			t.Errorf("%s is taken for a decimal", jsvalue.Stringify(v))
		}
	}
	for _, text := range []string{"1", "-.5", "1.", "+0.10", "12E-3", "NaN", "Infinity", "-Infinity"} {
		if !IsDecimal(dec(text)) {
			t.Errorf("%q is not taken for a decimal", text)
		}
	}
}

func TestSameClass(t *testing.T) {
	for _, c := range []struct {
		a, b jsvalue.Value
		want bool
	}{
		{1.0, dec("5"), true},
		{1.0, "1", false},
		{nil, jsvalue.Undefined{}, true},
		{nil, 0.0, false},
		{dec("NaN"), 0.0, false},
		{dec("NaN"), dec("NaN"), true},
		{true, false, true},
		{jsvalue.NewObject(), []jsvalue.Value{}, false},
	} {
		if got := SameClass(AppendKey(nil, c.a), AppendKey(nil, c.b)); got != c.want {
			t.Errorf("SameClass(%s, %s) = %v", jsvalue.Stringify(c.a), jsvalue.Stringify(c.b), got)
		}
	}
	if SameClass(nil, nil) {
		t.Error("empty keys have a class")
	}
}

// naiveCompare is BSON's comparison written down a second time, on the values.
func naiveCompare(a, b jsvalue.Value) int {
	ra, rb := naiveRank(a), naiveRank(b)
	if ra != rb {
		return sign(ra - rb)
	}
	switch x := a.(type) {
	case string:
		return strings.Compare(x, b.(string))
	case bool:
		return sign(naiveBool(x) - naiveBool(b.(bool)))
	case []jsvalue.Value:
		y := b.([]jsvalue.Value)
		for i := range min(len(x), len(y)) {
			if c := naiveCompare(x[i], y[i]); c != 0 {
				return c
			}
		}
		return sign(len(x) - len(y))
	case *jsvalue.Object:
		if ra != 1 {
			return naiveMembers(x, b.(*jsvalue.Object))
		}
	}
	if ra == 1 {
		return naiveNumber(a).Cmp(naiveNumber(b))
	}
	return 0
}

func naiveMembers(x, y *jsvalue.Object) int {
	kx, ky := x.Keys(), y.Keys()
	for i := range min(len(kx), len(ky)) {
		v, w := x.Get(kx[i]), y.Get(ky[i])
		if c := naiveRank(v) - naiveRank(w); c != 0 {
			return sign(c)
		}
		if c := strings.Compare(kx[i], ky[i]); c != 0 {
			return c
		}
		if c := naiveCompare(v, w); c != 0 {
			return c
		}
	}
	return sign(len(kx) - len(ky))
}

func naiveRank(v jsvalue.Value) int {
	switch x := v.(type) {
	case float64:
		return 1
	case string:
		return 2
	case *jsvalue.Object:
		if x.Has("$numberDecimal") {
			return 1
		}
		return 3
	case []jsvalue.Value:
		return 4
	case bool:
		return 5
	}
	return 0
}

func naiveNumber(v jsvalue.Value) *big.Rat {
	if f, ok := v.(float64); ok {
		return new(big.Rat).SetFloat64(f)
	}
	text, _ := v.(*jsvalue.Object).String("$numberDecimal")
	r, ok := new(big.Rat).SetString(text)
	if !ok {
		panic(text)
	}
	return r
}

func naiveBool(b bool) int {
	if b {
		return 1
	}
	return 0
}

func sign(n int) int { return min(1, max(-1, n)) }

// genValue draws a value as rows hold them.
func genValue(depth int) *rapid.Generator[jsvalue.Value] {
	scalars := []*rapid.Generator[jsvalue.Value]{
		rapid.Just[jsvalue.Value](nil),
		rapid.Map(rapid.Bool(), func(b bool) jsvalue.Value { return b }),
		rapid.Map(rapid.IntRange(-120, 120), func(n int) jsvalue.Value { return float64(n) }),
		rapid.Map(rapid.Float64Range(-1e18, 1e18), func(f float64) jsvalue.Value { return f }),
		rapid.Map(rapid.StringMatching(`[a-c\x00]{0,3}`), func(s string) jsvalue.Value { return s }),
		rapid.Custom(func(t *rapid.T) jsvalue.Value {
			return dec(fmt.Sprintf("%de%d", rapid.IntRange(-2000, 2000).Draw(t, "digits"), rapid.IntRange(-9, 3).Draw(t, "exp")))
		}),
	}
	if depth == 0 {
		return rapid.OneOf(scalars...)
	}
	nested := []*rapid.Generator[jsvalue.Value]{
		rapid.Map(rapid.SliceOfN(genValue(depth-1), 0, 3), func(l []jsvalue.Value) jsvalue.Value { return l }),
		rapid.Custom(func(t *rapid.T) jsvalue.Value {
			o := jsvalue.NewObject()
			for range rapid.IntRange(0, 3).Draw(t, "members") {
				o.Set(rapid.SampledFrom([]string{"a", "b", "c"}).Draw(t, "name"), genValue(depth-1).Draw(t, "value"))
			}
			return o
		}),
	}
	return rapid.OneOf(append(nested, scalars...)...)
}

func TestKeyProperties(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := genValue(2).Draw(t, "a"), genValue(2).Draw(t, "b")
		if got, want := Compare(a, b), naiveCompare(a, b); got != want {
			t.Fatalf("Compare = %d, want %d", got, want)
		}
		ka, kb := AppendKey(nil, a), AppendKey(nil, b)
		if !bytes.Equal(ka, kb) && bytes.HasPrefix(ka, kb) {
			t.Fatalf("key %x is a prefix of %x", kb, ka)
		}
	})
}
