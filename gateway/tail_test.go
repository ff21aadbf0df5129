package gateway

import (
	"fmt"
	"slices"
	"testing"

	"causeway/chains"
	"causeway/pegs"
)

// Of many open withdrawals a step asks for a bounded number, and of each of them
// again and again; all of those from which something is expected, every time.
func TestTailAsksInTurns(t *testing.T) {
	const many = 3*turnsPerStep + 10
	s, _ := plannedState(t) // w1 and w2 are planned
	for i := range many - 2 {
		id := fmt.Sprintf("q%d", i)
		for _, e := range []pegs.Event{
			&pegs.Requested{Withdrawal: id, Row: uint64(i + 3), Symbol: "SWAP.BTC", Chain: chains.BTC, Net: "0.001", Account: "alice"},
			&pegs.Queued{Withdrawal: id, Script: "00", Amount: chains.NewAmount(100_000)},
		} {
			if err := s.Apply(pegs.Record{Seq: s.Seq + 1, Event: e}); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := s.Apply(pegs.Record{Seq: s.Seq + 1, Event: &pegs.Parked{Withdrawal: "q5", Reason: "x", GiveBack: true}}); err != nil {
		t.Fatal(err)
	}
	rows := &tail{}
	ids, next := rows.withdrawals(s, false)
	if len(ids) != many {
		t.Fatalf("after the start %d of %d are asked for", len(ids), many)
	}
	if ids, _ := rows.withdrawals(s, true); len(ids) > turnsPerStep+3 {
		t.Fatalf("while new ones are read %d are asked for", len(ids))
	}
	rows.asked, rows.turn.withdrawals = s.LastRow(), next
	asked := map[string]int{}
	const turns = 4
	for range turns {
		ids, next := rows.withdrawals(s, false)
		rows.turn.withdrawals = next
		if len(ids) > turnsPerStep+3 {
			t.Fatalf("%d are asked for in one step", len(ids))
		}
		for _, id := range ids {
			asked[id]++
		}
		for _, id := range []string{"w1", "w2", "q5"} {
			if !slices.Contains(ids, id) {
				t.Errorf("%s is not asked for", id)
			}
		}
	}
	if len(asked) != many {
		t.Errorf("in %d steps %d of %d were asked for", turns, len(asked), many)
	}
}
