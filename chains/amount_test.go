package chains

import (
	"encoding/json"
	"errors"
	"math/big"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestFromCoin(t *testing.T) {
	tests := []struct {
		text     string
		decimals int
		want     string
		err      error
	}{
		{"0", 8, "0", nil},
		{"0.1", 8, "10000000", nil},
		{"0.10000000000", 8, "10000000", nil},
		{"1E-8", 8, "1", nil},
		{"1e-8", 8, "1", nil},
		{"5E+1", 8, "5000000000", nil},
		{"1.5e1", 0, "15", nil},
		{"10e-1", 0, "1", nil},
		{"0.30000000000000004", 8, "", ErrAmountPrecision},
		{"0.000000001", 8, "", ErrAmountPrecision},
		{"1e-9", 8, "", ErrAmountPrecision},
		{"20999999.97690000", 8, "2099999997690000", nil},
		{"90071992.54740993", 8, "9007199254740993", nil},
		{"0e9999", 8, "0", nil},
		{"-0", 8, "0", nil},
		{"-1", 8, "", ErrAmountRange},
		{"-1E-8", 8, "", ErrAmountRange},
		{"340282366920938463463374607431768211455", 0, "340282366920938463463374607431768211455", nil},
		{"340282366920938463463374607431768211456", 0, "", ErrAmountRange},
		{"999999999999999999999999999999999999999", 0, "", ErrAmountRange},
		{"1e1000000000", 8, "", ErrAmountRange},
		{"1e-1000000000", 8, "", ErrAmountRange},
		{"1e40", 8, "", ErrAmountRange},
		{"1e00000000000000000001", 0, "10", nil},
		{"", 8, "", ErrAmountSyntax},
		{".5", 8, "", ErrAmountSyntax},
		{"1.", 8, "", ErrAmountSyntax},
		{"+1", 8, "", ErrAmountSyntax},
		{"--1", 8, "", ErrAmountSyntax},
		{"01", 8, "", ErrAmountSyntax},
		{"1e", 8, "", ErrAmountSyntax},
		{"1e+-1", 8, "", ErrAmountSyntax},
		{"1 ", 8, "", ErrAmountSyntax},
		{"1,5", 8, "", ErrAmountSyntax},
		{"0x10", 8, "", ErrAmountSyntax},
		{"NaN", 8, "", ErrAmountSyntax},
		{"１", 8, "", ErrAmountSyntax},
	}
	for _, tt := range tests {
		got, err := FromCoin(tt.text, tt.decimals)
		if !errors.Is(err, tt.err) || err == nil && got.String() != tt.want {
			t.Errorf("FromCoin(%q, %d) = %s, %v; want %q, %v", tt.text, tt.decimals, got, err, tt.want, tt.err)
		}
	}
}

func TestParseAmount(t *testing.T) {
	for _, bad := range []string{"", "-1", "+1", "01", "1.0", "1e3", " 1", strings.Repeat("9", 40), "340282366920938463463374607431768211456"} {
		if a, err := ParseAmount(bad); err == nil {
			t.Errorf("ParseAmount(%q) = %s, want an error", bad, a)
		}
	}
}

func TestAmountJSON(t *testing.T) {
	type row struct {
		A Amount `json:"a"`
	}
	data, err := json.Marshal(row{NewAmount(1 << 63)})
	if err != nil || string(data) != `{"a":"9223372036854775808"}` {
		t.Fatalf("marshalled %s, %v", data, err)
	}
	var back row
	if err := json.Unmarshal(data, &back); err != nil || back.A != NewAmount(1<<63) {
		t.Fatalf("unmarshalled %v, %v", back, err)
	}
	for _, bad := range []string{`{"a":12}`, `{"a":"1.5"}`, `{"a":"-1"}`, `{"a":""}`} {
		if err := json.Unmarshal([]byte(bad), &back); err == nil {
			t.Errorf("%s was accepted as %s", bad, back.A)
		}
	}
}

func amounts() *rapid.Generator[Amount] {
	return rapid.Custom(func(t *rapid.T) Amount {
		return Amount{hi: rapid.Uint64().Draw(t, "hi"), lo: rapid.Uint64().Draw(t, "lo")}
	})
}

// TestAmountIsBig compares every operation with math/big.
func TestAmountIsBig(t *testing.T) {
	limit := new(big.Int).Lsh(big.NewInt(1), 128)
	rapid.Check(t, func(t *rapid.T) {
		a, b := amounts().Draw(t, "a"), amounts().Draw(t, "b")
		sum, err := a.Add(b)
		want := new(big.Int).Add(a.Big(), b.Big())
		if (err == nil) != (want.Cmp(limit) < 0) || err == nil && sum.Big().Cmp(want) != 0 {
			t.Fatalf("%s + %s = %s, %v", a, b, sum, err)
		}
		diff, err := a.Sub(b)
		want = new(big.Int).Sub(a.Big(), b.Big())
		if (err == nil) != (want.Sign() >= 0) || err == nil && diff.Big().Cmp(want) != 0 {
			t.Fatalf("%s - %s = %s, %v", a, b, diff, err)
		}
		if a.Cmp(b) != a.Big().Cmp(b.Big()) {
			t.Fatalf("Cmp(%s, %s) = %d", a, b, a.Cmp(b))
		}
		back, err := ParseAmount(a.String())
		if err != nil || back != a || a.String() != a.Big().String() {
			t.Fatalf("%s came back as %s, %v", a, back, err)
		}
		decimals := rapid.IntRange(0, 30).Draw(t, "decimals")
		back, err = FromCoin(a.Coin(decimals), decimals)
		if err != nil || back != a {
			t.Fatalf("%s with %d decimals came back as %s, %v", a.Coin(decimals), decimals, back, err)
		}
		if back, err := AmountFromBig(a.Big()); err != nil || back != a {
			t.Fatalf("big %s came back as %s, %v", a, back, err)
		}
	})
}

func TestFee(t *testing.T) {
	for _, tt := range []struct {
		rate  FeeRate
		vsize uint64
		want  uint64
		ok    bool
	}{
		{1000, 141, 141, true}, {1001, 141, 142, true}, {1, 1, 1, true}, {0, 141, 0, true},
		{1<<64 - 1, 1000, 1<<64 - 1, true}, {1<<64 - 1, 1001, 0, false}, {1<<64 - 1, 1<<64 - 1, 0, false},
	} {
		got, err := tt.rate.Fee(tt.vsize)
		if (err == nil) != tt.ok || got != NewAmount(tt.want) {
			t.Errorf("FeeRate(%d).Fee(%d) = %s, %v", tt.rate, tt.vsize, got, err)
		}
	}
}

func FuzzFromCoin(f *testing.F) {
	for _, s := range []string{"0.1", "1E-8", "-0.0e1", "1e1000000000", "20999999.97690000"} {
		f.Add(s, uint8(8))
	}
	f.Fuzz(func(t *testing.T, text string, decimals uint8) {
		a, err := FromCoin(text, int(decimals%31))
		if err != nil {
			return
		}
		want, ok := new(big.Rat).SetString(text)
		if !ok {
			t.Fatalf("FromCoin accepted %q", text)
		}
		got, _ := new(big.Rat).SetString(a.Coin(int(decimals % 31)))
		if got.Cmp(want) != 0 {
			t.Fatalf("FromCoin(%q) = %s", text, a.Coin(int(decimals%31)))
		}
	})
}
