package jsvalue

import (
	"math"
	"strings"
	"testing"
)

func TestRoundTrips(t *testing.T) {
	deep := Value(NewObject())
	for range MaxDepth {
		deep = NewObject("a", deep)
	}
	for _, tt := range []struct {
		v    Value
		want bool
	}{
		{NewObject("a", "b", "1", 1.5, "c", NewObject("d", []Value{nil, true, "é"})), true},
		{0.0, true},
		{math.Copysign(0, -1), false},
		{math.Inf(1), false},
		{math.NaN(), false},
		{Undefined{}, false},
		{NewObject("a", []Value{Undefined{}}), false},
		{"\xff", false},
		{NewObject("\xed\xa0\x80", 1), false},
		{deep, false},
	} {
		if got := RoundTrips(tt.v); got != tt.want {
			t.Errorf("%.60s: %v", Stringify(tt.v), got)
		}
	}
}

// FuzzRoundTrips: what RoundTrips answers for is what the text gives.
func FuzzRoundTrips(f *testing.F) {
	for _, text := range []string{`{"a":[1,-0,1e999,"\ud800","é"],"2":0,"1":{}}`, strings.Repeat("[", 511) + strings.Repeat("]", 511), `"\ud83d\ude00"`} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		v, err := Parse(text)
		if err != nil || !RoundTrips(v) {
			return
		}
		again, err := Parse(Stringify(v))
		if err != nil || !Equal(v, again) {
			t.Errorf("%q: %v, %s is not %s", text, err, Stringify(again), Stringify(v))
		}
	})
}
