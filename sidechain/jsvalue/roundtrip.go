package jsvalue

import (
	"math"
	"unicode/utf8"
)

// RoundTrips says whether Parse(Stringify(v)) is sure to give v again, so that
// the text need not be read: nothing undefined, no number that JSON writes
// otherwise (infinities, NaN, -0), only strings of valid UTF-8, not too deep.
func RoundTrips(v Value) bool { return roundTrips(v, 0) }

func roundTrips(v Value, depth int) bool {
	switch x := v.(type) {
	case string:
		return isText(x)
	case nil, bool:
		return true
	case float64:
		return x == x && !math.IsInf(x, 0) && (x != 0 || !math.Signbit(x))
	case []Value:
		if depth >= MaxDepth {
			return false
		}
		for _, e := range x {
			if !roundTrips(e, depth+1) {
				return false
			}
		}
		return true
	case *Object:
		if depth >= MaxDepth || x == nil {
			return false
		}
		for i := range x.members {
			m := &x.members[i]
			if !isText(m.key) || !roundTrips(m.value, depth+1) {
				return false
			}
		}
		return true
	}
	return false
}

// isText says whether s is valid UTF-8.
func isText(s string) bool {
	for i := 0; i < len(s); i++ {
		if s[i] >= utf8.RuneSelf {
			return utf8.ValidString(s)
		}
	}
	return true
}
