package gateway

import (
	"fmt"
	"testing"

	"causeway/chains"
	"causeway/pegs"
)

// Of a long queue of which nothing can be paid the oldest are tried every time, the
// smallest too, and each of the others in its turn.
func TestQueueIsTriedInTurns(t *testing.T) {
	const many = 20 * maxPayees
	var waiting []*pegs.Withdrawal
	for i := range many {
		waiting = append(waiting, &pegs.Withdrawal{ID: fmt.Sprintf("w%d", i), Amount: chains.NewAmount(uint64(2*many - i))})
	}
	p := &payer{}
	tried := map[string]int{}
	const times = (20 - oldestParts + turnParts - 1) / turnParts
	for range times {
		for part := range p.parts(waiting) {
			if len(part) > maxPayees {
				t.Fatalf("a part of %d", len(part))
			}
			for _, w := range part {
				tried[w.ID]++
			}
		}
	}
	if len(tried) != many || tried["w0"] != times || tried[fmt.Sprintf("w%d", many-1)] < times {
		t.Errorf("in %d times %d of %d were tried, the oldest %d times, the smallest %d times",
			times, len(tried), many, tried["w0"], tried[fmt.Sprintf("w%d", many-1)])
	}
	short := 0
	for part := range p.parts(waiting[:maxPayees/2]) {
		short += len(part)
	}
	if short != maxPayees/2 {
		t.Errorf("of a short queue %d are tried", short)
	}
}
