package main

import (
	"strings"

	"causeway/cmd/campaign/machine"
)

// modelRun searches the abstract machine; every seed is the same search.
func modelRun(o options, seed uint64) outcome {
	result := outcome{seed: seed}
	p, _ := machine.Without(o.off...)
	r := machine.Search(p, 0)
	result.counts = map[string]int{"states": r.States, "steps": r.Steps}
	if r.Fault != "" {
		result.violations = []string{r.Fault + ", after:\n    " + strings.Join(r.Trace, "\n    ")}
	}
	return result
}
