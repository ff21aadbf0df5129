//go:build failpoints

package failpoint

import (
	"fmt"
	"slices"
	"sync/atomic"
)

// Enabled says whether this is a test build.
const Enabled = true

// settings never change: Set replaces them.
type settings struct {
	hit func(string) error
	off map[string]bool
}

var current atomic.Pointer[settings]

// Off says whether a defence is switched off.
func Off(defence string) bool {
	s := current.Load()
	return s != nil && s.off[defence]
}

// Hit is a crash point.
func Hit(point string) { _ = Fail(point) }

// Fail is a point at which an act can fail.
func Fail(point string) error {
	if s := current.Load(); s != nil && s.hit != nil {
		return s.hit(point)
	}
	return nil
}

// Set says what happens at points, and which defences are off from now on. An
// unknown defence is an error.
func Set(hit func(point string) error, off []string) error {
	s := &settings{hit: hit, off: map[string]bool{}}
	for _, name := range off {
		if !slices.Contains(Defences(), name) {
			return fmt.Errorf("failpoint: no defence is called %q", name)
		}
		s.off[name] = true
	}
	current.Store(s)
	return nil
}
