package jsvalue

import (
	"testing"

	"pgregory.net/rapid"
)

// TestDivSmall compares the quotient of words with that of big integers.
func TestDivSmall(t *testing.T) {
	digits := func(t *rapid.T, name string) uint64 {
		return rapid.OneOf(rapid.Uint64Range(1, 1000), rapid.Uint64Range(1, 1e9), rapid.Uint64Min(1), rapid.Uint64Min(1<<63)).Draw(t, name)
	}
	found := 0
	rapid.Check(t, func(t *rapid.T) {
		x := rangedSmall(rapid.Bool().Draw(t, "minus"), digits(t, "x"), rapid.Int32Range(-40, 40).Draw(t, "exp"))
		y := rangedSmall(rapid.Bool().Draw(t, "minus"), digits(t, "y"), rapid.Int32Range(-40, 40).Draw(t, "exp"))
		q, ok := divSmall(x, y)
		if !ok {
			return
		}
		found++
		if want := divWide(x, y); q != want {
			t.Fatalf("%s / %s is %s, want %s", x.ToFixed(), y.ToFixed(), q.ToFixed(), want.ToFixed())
		}
	})
	if found == 0 {
		t.Error("words never sufficed")
	}
	for _, pair := range [][2]string{{"1", "3"}, {"0.001", "0.345"}, {"2", "4"}, {"99999999999", "0.00000001"}, {"1", "18446744073709551615"}} {
		if q, ok := divSmall(Big(pair[0]), Big(pair[1])); ok && q != divWide(Big(pair[0]), Big(pair[1])) {
			t.Errorf("%s / %s is %s", pair[0], pair[1], q.ToFixed())
		}
	}
}
