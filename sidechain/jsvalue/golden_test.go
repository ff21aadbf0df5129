package jsvalue

import (
	"encoding/json"
	"errors"
	"math"
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// golden reads a file of values computed by Node.js 20 with bignumber.js
// 8.1.1 and seedrandom 3.0.5.
func golden[T any](t *testing.T, name string) []T {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var rows []T
	if err := json.Unmarshal(raw, &rows); err != nil {
		t.Fatal(err)
	}
	if len(rows) == 0 {
		t.Fatalf("%s has no rows", name)
	}
	return rows
}

func TestGoldenJSON(t *testing.T) {
	// The file is read with our own parser: encoding/json would replace lone
	// surrogates inside the texts.
	raw, err := os.ReadFile(filepath.Join("testdata", "json.json"))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := Parse(string(raw))
	if err != nil {
		t.Fatal(err)
	}
	rows := doc.([]Value)
	if len(rows) != 1521 {
		t.Fatalf("%d rows", len(rows))
	}
	for i, row := range rows {
		text, _ := row.(*Object).String("text")
		v, err := Parse(text)
		if row.(*Object).Has("error") {
			var syntax *SyntaxError
			if !errors.As(err, &syntax) {
				t.Errorf("row %d: Parse(%q) = %v, %v; want a SyntaxError", i, text, v, err)
			}
			continue
		}
		want, _ := row.(*Object).String("out")
		if got := Stringify(v); err != nil || got != want {
			t.Errorf("row %d: %q gives %q, %v; want %q", i, text, got, err, want)
		}
	}
}

func TestGoldenNumberText(t *testing.T) {
	for _, r := range golden[struct{ Bits, Text string }](t, "number-text.json") {
		f := fromBits(t, r.Bits)
		if got := NumberText(f); got != r.Text {
			t.Errorf("NumberText(%s) = %s, want %s", r.Bits, got, r.Text)
		}
	}
}

func fromBits(t *testing.T, hex string) float64 {
	t.Helper()
	bits, err := strconv.ParseUint(hex, 16, 64)
	if err != nil {
		t.Fatal(err)
	}
	return math.Float64frombits(bits)
}

func TestGoldenPow(t *testing.T) {
	type row struct{ X, Y, Bits, Text, Fixed10down string }
	for _, r := range golden[row](t, "pow.json") {
		f := Pow(ParseFloat(r.X), ParseFloat(r.Y))
		if math.Float64bits(f) != math.Float64bits(fromBits(t, r.Bits)) || NumberText(f) != r.Text {
			t.Errorf("Pow(%s, %s) = %s (%x), want %s (%s)", r.X, r.Y, NumberText(f), math.Float64bits(f), r.Text, r.Bits)
		}
		if got := Big(f).ToFixedMode(10, RoundDown); got != r.Fixed10down {
			t.Errorf("Pow(%s, %s) cut to 10 decimals = %s, want %s", r.X, r.Y, got, r.Fixed10down)
		}
	}
}

func TestGoldenSeedRandom(t *testing.T) {
	type row struct {
		Seed   string
		Values []string
	}
	for _, r := range golden[row](t, "seedrandom.json") {
		random := SeedRandom(r.Seed)
		for i, want := range r.Values {
			if got := NumberText(random.Float64()); got != want {
				t.Errorf("seed %q, value %d = %s, want %s", r.Seed, i, got, want)
			}
		}
	}
}

type bigRow struct {
	A, B, AText, AFixed           string
	DP                            *int
	IsNaN, IsFinite, IsInteger    bool
	Plus, Minus, Times, Div, Sqrt string
	Lt, Lte, Gt, Gte, Eq          bool
	N                             int
	Mode                          RoundingMode
	ToFixedN, ToFixedNMode, JSON  string
}

func TestGoldenBigNumber(t *testing.T) {
	for i, r := range golden[bigRow](t, "bignumber.json") {
		a, b := Big(r.A), Big(r.B)
		texts := []struct{ what, got, want string }{
			{"toString", a.String(), r.AText}, {"toFixed", a.ToFixed(), r.AFixed},
			{"plus", a.Plus(b).ToFixed(), r.Plus}, {"minus", a.Minus(b).ToFixed(), r.Minus},
			{"times", a.Times(b).ToFixed(), r.Times}, {"div", a.Div(b).ToFixed(), r.Div},
			{"sqrt", a.Sqrt().ToFixed(), r.Sqrt}, {"toFixed(n)", a.ToFixedN(r.N), r.ToFixedN},
			{"toFixed(n,m)", a.ToFixedMode(r.N, r.Mode), r.ToFixedNMode}, {"json", `"` + a.JSON() + `"`, r.JSON},
		}
		for _, c := range texts {
			if c.got != c.want {
				t.Errorf("row %d (%q, %q) %s = %.60s, want %.60s", i, r.A, r.B, c.what, c.got, c.want)
			}
		}
		tests := []struct {
			what      string
			got, want bool
		}{
			{"isNaN", a.IsNaN(), r.IsNaN}, {"isFinite", a.IsFinite(), r.IsFinite}, {"isInteger", a.IsInteger(), r.IsInteger},
			{"lt", a.Lt(b), r.Lt}, {"lte", a.Lte(b), r.Lte}, {"gt", a.Gt(b), r.Gt}, {"gte", a.Gte(b), r.Gte}, {"eq", a.Eq(b), r.Eq},
		}
		for _, c := range tests {
			if c.got != c.want {
				t.Errorf("row %d (%q, %q) %s = %v", i, r.A, r.B, c.what, c.got)
			}
		}
		if n, ok := a.DP(); ok != (r.DP != nil) || ok && n != *r.DP {
			t.Errorf("row %d (%q) dp = %d, %v", i, r.A, n, ok)
		}
	}
}
