package sidechain

import "strings"

// arena makes strings that live as long as their block does, many in one
// allocation. A string that lives longer keeps its neighbours.
type arena struct{ b strings.Builder }

// arenaSize is how much is allocated at once.
const arenaSize = 32 << 10

// text is a string of these bytes.
func (a *arena) text(b []byte) string {
	if a.b.Cap()-a.b.Len() < len(b) {
		if len(b) > arenaSize/4 {
			return string(b)
		}
		a.b = strings.Builder{}
		a.b.Grow(arenaSize)
	}
	start := a.b.Len()
	a.b.Write(b)
	return a.b.String()[start:]
}
