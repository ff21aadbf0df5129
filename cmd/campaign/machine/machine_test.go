package machine

import (
	"strings"
	"testing"
)

// TestDefences: each defence left out is found.
func TestDefences(t *testing.T) {
	for name, want := range map[string]string{
		"assign-before-sign": "NoSignWithoutAssign", "same-inputs": "NoSignWithoutAssign",
		"rebroadcast": "stuck", "resubmit": "stuck", "settle-when-final": "SettledIsPaid",
		"release-when-dead": "GivenBackOnlyIfDead", "refuse-older-base": "NoSignWithoutAssign",
	} {
		t.Run(name, func(t *testing.T) {
			p, ok := Without(name)
			if !ok {
				t.Fatal("no such defence")
			}
			r := Search(p, 0)
			if !strings.Contains(r.Fault, want) {
				t.Errorf("found %q, want %s; %d states\n%s", r.Fault, want, r.States, strings.Join(r.Trace, "\n"))
			}
			t.Logf("%d states: %s after %d steps", r.States, r.Fault, len(r.Trace))
		})
	}
}

// TestSecondLines: a defence behind another one is found when both are left out,
// and what is found then is worse.
func TestSecondLines(t *testing.T) {
	for names, want := range map[string]string{
		"assign-before-sign journal-promises": "AtMostOncePaid",
		"same-inputs assign-before-sign":      "AtMostOncePaid",
		"refuse-older-base journal-promises":  "AtMostOncePaid",
	} {
		p, ok := Without(strings.Fields(names)...)
		if !ok {
			t.Fatal("no such defence")
		}
		p.only = want
		if r := Search(p, 0); !strings.Contains(r.Fault, want) {
			t.Errorf("without %s: found %q, want %s", names, r.Fault, want)
		}
	}
}

func TestWhole(t *testing.T) {
	r := Search(Whole(), 0)
	t.Logf("%d states, %d steps", r.States, r.Steps)
	if r.Fault != "" {
		t.Errorf("%s\n%s", r.Fault, strings.Join(r.Trace, "\n"))
	}
}
