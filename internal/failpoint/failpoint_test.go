package failpoint

import (
	"errors"
	"testing"
)

// TestOutsideTestBuilds: nothing can be set, and nothing happens.
func TestOutsideTestBuilds(t *testing.T) {
	err := Set(func(string) error { return errors.New("no") }, []string{Quorum})
	if (err == nil) != Enabled {
		t.Fatalf("enabled %v: %v", Enabled, err)
	}
	if Off(Quorum) != Enabled || (Fail(C23) != nil) != Enabled {
		t.Errorf("enabled %v: off %v, fail %v", Enabled, Off(Quorum), Fail(C23))
	}
	Hit(C3)
	if Set(nil, []string{"no such defence"}) == nil {
		t.Error("an unknown defence can be switched off")
	}
	if Enabled {
		if err := Set(nil, nil); err != nil || Off(Quorum) || Fail(C23) != nil {
			t.Error("what was set stays")
		}
	}
}
