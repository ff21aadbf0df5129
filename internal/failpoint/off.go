//go:build !failpoints

package failpoint

import "errors"

var errNotEnabled = errors.New("failpoint: built without the tag failpoints")

// Enabled says whether this is a test build.
const Enabled = false

// Off says whether a defence is switched off: never.
func Off(string) bool { return false }

// Hit is a crash point: nothing happens there.
func Hit(string) {}

// Fail makes an act fail: never.
func Fail(string) error { return nil }

// Set does nothing in this build.
func Set(func(point string) error, []string) error { return errNotEnabled }
