package gateway

import (
	"encoding/json"
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

// plannedState has a batch of two withdrawals that is planned and not assigned.
func plannedState(t *testing.T) (s *pegs.State, batch string) {
	t.Helper()
	s = pegs.NewState()
	asset := pegs.Asset{Symbol: "SWAP.BTC", Chain: chains.BTC, Precision: 8, Decimals: 8, MinDeposit: "0.00010000", FeeMax: "0.01"}
	pays := func(txid string) pegs.Payment {
		return pegs.Payment{Outpoint: chains.Outpoint{TxID: txid}, Amount: chains.NewAmount(1_000_000), Script: "00", Kind: chains.WatchChange, Address: "change"}
	}
	header := func(n uint64, hash, parent string) chains.Header {
		return chains.Header{BlockRef: chains.BlockRef{Height: n, Hash: hash}, Parent: parent}
	}
	inputs := []chains.Outpoint{{TxID: "aa"}, {TxID: "bb"}}
	batch = pegs.BatchID(chains.BTC, pegs.BatchPayout, []string{"w1", "w2"}, inputs)
	events := []pegs.Event{
		&pegs.Configured{Chain: chains.BTC, Network: chains.Regtest, Confirmations: 1, Policy: pegs.Policy{Keep: 10}},
		&pegs.AssetsSeen{Assets: []pegs.Asset{asset}},
		&pegs.Connected{Chain: chains.BTC, Match: pegs.Match{Header: header(0, "h0", ""), Payments: []pegs.Payment{pays("aa"), pays("bb")}}},
		&pegs.Connected{Chain: chains.BTC, Match: pegs.Match{Header: header(1, "h1", "h0")}},
	}
	for i, id := range []string{"w1", "w2"} {
		events = append(events,
			&pegs.Requested{Withdrawal: id, Row: uint64(i + 1), Symbol: "SWAP.BTC", Chain: chains.BTC, Net: "0.001", Account: "alice"},
			&pegs.Queued{Withdrawal: id, Script: "00", Amount: chains.NewAmount(100_000)})
	}
	events = append(events, &pegs.Planned{
		Batch: batch, Chain: chains.BTC, BatchKind: pegs.BatchPayout, Withdrawals: []string{"w1", "w2"}, Inputs: inputs, Plan: json.RawMessage("{}"),
	})
	for _, e := range events {
		if err := s.Apply(pegs.Record{Seq: s.Seq + 1, Event: e}); err != nil {
			t.Fatal(err)
		}
	}
	return s, batch
}

// book applies what entriesOf says, round after round, as tail.step does.
func bookAll(t *testing.T, s *pegs.State, f facts) {
	t.Helper()
	f.assets = s.Assets()
	for range 10 {
		entries := entriesOf(s, f)
		if len(entries) == 0 {
			return
		}
		for _, e := range entries {
			if err := s.Apply(pegs.Record{Seq: s.Seq + 1, Event: e.Event}); err != nil {
				t.Fatalf("%s: %v", e.Event.Kind(), err)
			}
		}
	}
	t.Fatal("there is no end to it")
}

// What the sidechain decides about two withdrawals of a plan drops the plan
// once: a second time would end the gateway.
func TestPlanIsDroppedOnce(t *testing.T) {
	returned := []WithdrawalRow{{ID: "w1", State: rowReturned}, {ID: "w2", State: rowReturned}}
	others := map[string]BatchRow{
		"x1": {Batch: "x1", Chain: chains.BTC, Kind: "payout", IDs: []string{"w1"}, Spends: []chains.Outpoint{{TxID: "aa"}}, State: "open"},
		"x2": {Batch: "x2", Chain: chains.BTC, Kind: "payout", IDs: []string{"w2"}, Spends: []chains.Outpoint{{TxID: "bb"}}, State: "open"},
	}
	for name, f := range map[string]facts{
		"both given back":         {withdrawals: returned},
		"both assigned otherwise": {batches: others},
		"one assigned, one back":  {withdrawals: returned[:1], batches: map[string]BatchRow{"x2": others["x2"]}},
		"assigned and then died":  {withdrawals: []WithdrawalRow{{ID: "w1", State: rowReturned, Batch: "x1"}}, batches: map[string]BatchRow{"x1": others["x1"]}},
		"its inputs, by two others": {batches: map[string]BatchRow{
			"y1": {Batch: "y1", Chain: chains.BTC, Kind: "consolidate", Spends: []chains.Outpoint{{TxID: "aa"}}, State: "open"},
			"y2": {Batch: "y2", Chain: chains.BTC, Kind: "consolidate", Spends: []chains.Outpoint{{TxID: "bb"}}, State: "open"},
		}},
	} {
		t.Run(name, func(t *testing.T) {
			s, batch := plannedState(t)
			bookAll(t, s, f)
			if _, ok := s.Batch(batch); ok {
				t.Error("the plan is still there")
			}
		})
	}
}

// A withdrawal whose batch died and that was given back is booked in that order,
// also when the batch names withdrawals that are not read yet.
func TestReturnedAfterItsBatch(t *testing.T) {
	s := pegs.NewState()
	asset := pegs.Asset{Symbol: "SWAP.BTC", Chain: chains.BTC, Precision: 8, Decimals: 8}
	for _, e := range []pegs.Event{
		&pegs.Configured{Chain: chains.BTC, Network: chains.Regtest, Policy: pegs.Policy{Keep: 10}},
		&pegs.AssetsSeen{Assets: []pegs.Asset{asset}},
	} {
		if err := s.Apply(pegs.Record{Seq: s.Seq + 1, Event: e}); err != nil {
			t.Fatal(err)
		}
	}
	request := func(id string, row uint64) WithdrawalRow {
		return WithdrawalRow{Row: row, ID: id, Symbol: "SWAP.BTC", Chain: chains.BTC, Net: "0.001", State: rowReturned, Batch: "x"}
	}
	dead := BatchRow{Batch: "x", Chain: chains.BTC, Kind: "payout", IDs: []string{"w1", "w2"}, Spends: []chains.Outpoint{{TxID: "aa"}}, State: "released"}
	first := facts{requests: []WithdrawalRow{request("w1", 1)}, withdrawals: []WithdrawalRow{request("w1", 1)}, batches: map[string]BatchRow{"x": dead}}
	bookAll(t, s, first)
	first.requests = []WithdrawalRow{request("w2", 2)}
	first.withdrawals = append(first.withdrawals, request("w2", 2))
	bookAll(t, s, first)
	for _, id := range []string{"w1", "w2"} {
		if w, ok := s.Withdrawal(id); !ok || w.Returned == nil || w.Batch != "x" {
			t.Errorf("%s: %+v", id, w)
		}
	}
}

// Rows whose whole life passed while nobody looked are taken in one after the
// other, in whatever order their names come: what does not follow ends the
// gateway, at every start again.
func TestLivesThatPassedUnseen(t *testing.T) {
	s, batch := plannedState(t)
	bookAll(t, s, facts{
		withdrawals: []WithdrawalRow{{ID: "w1", State: rowReturned, Batch: batch}, {ID: "w2", State: rowReturned, Batch: batch}},
		batches: map[string]BatchRow{batch: {
			Batch: batch, Chain: chains.BTC, Kind: "payout", IDs: []string{"w1", "w2"}, Spends: []chains.Outpoint{{TxID: "aa"}, {TxID: "bb"}}, State: rowReleased,
		}},
	})
	if w, _ := s.Withdrawal("w2"); s.WithdrawalState(w) != pegs.WithdrawalReturned {
		t.Errorf("assigned, released and given back: %s", s.WithdrawalState(w))
	}
	for _, names := range [][2]string{{"0dead", "1heir"}, {"1dead", "0heir"}} {
		dead, heir := names[0], names[1]
		s, _ := plannedState(t)
		f := facts{batches: map[string]BatchRow{
			dead: {Batch: dead, Chain: chains.BTC, Kind: "payout", IDs: []string{"w1"}, Spends: []chains.Outpoint{{TxID: "aa"}, {TxID: "cc"}}, State: rowReleased},
			heir: {Batch: heir, Chain: chains.BTC, Kind: "consolidate", Spends: []chains.Outpoint{{TxID: "aa"}}, State: "open"},
		}}
		bookAll(t, s, f)
		b, ok := s.Batch(heir)
		if c, _ := s.Chain(chains.BTC); !ok || b.Assigned == nil || c.KeptFor(chains.Outpoint{TxID: "aa"}) != heir {
			t.Errorf("%s inherits from %s: %+v", heir, dead, b)
		}
	}
}

// A cancel that was not assigned before its batch was over is dropped: it would be
// submitted, and refused, for ever.
func TestCancelThatCameTooLate(t *testing.T) {
	for _, state := range []string{rowClosed, rowReleased} {
		for _, assigned := range []bool{false, true} {
			s, batch := plannedState(t)
			known, _ := s.Batch(batch)
			inputs := []chains.Outpoint{{TxID: "aa"}}
			cancel := pegs.BatchID(chains.BTC, pegs.BatchCancel, nil, inputs)
			for _, e := range []pegs.Event{
				&pegs.Assigned{Batch: batch, Chain: chains.BTC, BatchKind: pegs.BatchPayout, Withdrawals: known.Withdrawals, Inputs: known.Inputs},
				&pegs.Planned{
					Batch: cancel, Chain: chains.BTC, BatchKind: pegs.BatchCancel, Inputs: inputs, Plan: json.RawMessage("{}"), Author: "olga", Reason: "why",
				},
			} {
				if err := s.Apply(pegs.Record{Seq: s.Seq + 1, Event: e}); err != nil {
					t.Fatal(err)
				}
			}
			f := facts{batches: map[string]BatchRow{batch: {
				Batch: batch, Chain: chains.BTC, Kind: "payout", IDs: known.Withdrawals, Spends: known.Inputs, State: state, TxID: "tx", Cost: "0.00000001",
			}}}
			if assigned {
				f.batches[cancel] = BatchRow{Batch: cancel, Chain: chains.BTC, Kind: "cancel", Spends: inputs, State: "open"}
			}
			bookAll(t, s, f)
			if _, there := s.Batch(cancel); there != assigned {
				t.Errorf("batch %s, cancel assigned %v: it is there: %v", state, assigned, there)
			}
		}
	}
}
