package conform

import "testing"

func TestVectors(t *testing.T) {
	sum, err := Run([]string{"testdata"}, func(r Result) {
		if !r.OK {
			t.Errorf("%s: %q", r.Vector, r.Diff)
		}
	})
	if err != nil {
		t.Error(err)
	}
	t.Log(sum)
}
