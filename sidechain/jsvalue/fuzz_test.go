package jsvalue

import (
	"strings"
	"testing"
)

func FuzzParse(f *testing.F) {
	for _, s := range []string{
		`{"b":1.0,"10":"x","2":1e21}`, `["\ud83d",{"a":[null,true]}]`, `"\u0000\ude00"`, "\"\xed\xa0\xbd\xed\xb8\x80\"", "\"\xff\"", `-0.5e-7`, strings.Repeat("[", 600),
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := Parse(text)
		if err != nil {
			syntax, ok := err.(*SyntaxError)
			if !ok {
				t.Fatalf("error is a %T", err)
			}
			if _, err := Parse(Stringify(syntax.Message())); err != nil {
				t.Fatalf("message %q: %v", syntax.Message(), err)
			}
			return
		}
		once := Stringify(v)
		again, err := Parse(once)
		if err != nil {
			t.Fatalf("own text %q: %v", once, err)
		}
		if twice := Stringify(again); twice != once {
			t.Fatalf("%q becomes %q", once, twice)
		}
		if o, ok := v.(*Object); ok && Stringify(o.Clone()) != once {
			t.Fatal("the clone has another text")
		}
	})
}

func FuzzBig(f *testing.F) {
	for _, s := range []string{"1.5", " +0xff ", "1e500", "-.5e-20", "0b0b1.", "Infinity", "9007199254740991.00000000", "1e-501", "123456789012345678901234567890.5"} {
		f.Add(s, "3", 8)
	}
	f.Fuzz(func(t *testing.T, a, b string, n int) {
		x, y := Big(a), Big(b)
		n = int(uint(n) % 30)
		for mode := RoundUp; mode <= RoundHalfFloor; mode++ {
			if text := x.ToFixedMode(n, mode); x.IsFinite() && !Big(text).Eq(x.Round(n, mode)) {
				t.Fatalf("%s rounded to %d decimals by %d is %s", x, n, mode, text)
			}
		}
		for _, z := range []BigNumber{x, x.Plus(y), x.Minus(y), x.Times(y), x.Div(y), x.Sqrt()} {
			if !z.IsNaN() && (!Big(z.String()).Eq(z) || !Big(z.ToFixed()).Eq(z)) {
				t.Fatalf("%s does not read back", z)
			}
		}
		if x.IsFinite() && y.IsFinite() && x.Plus(y).IsFinite() && !x.Plus(y).Minus(y).Eq(x) && !x.Plus(y).IsZero() {
			// only RANGE may lose anything, where the parts are near its ends
			if len(x.ToFixed()) < 400 && len(y.ToFixed()) < 400 {
				t.Fatalf("%s + %s - %s is not %s", x, y, y, x)
			}
		}
		if x.Lt(y) && !y.Gt(x) || x.Eq(y) != (x.Lte(y) && x.Gte(y)) {
			t.Fatalf("%s and %s do not compare", x, y)
		}
	})
}
