package model

import (
	"maps"
	"slices"
	"strings"
	"testing"
)

// sample is a world in which 500 came in for alice, who burned 300, of which 290
// are paid with a fee of 4, and what the gateway should say of it.
func sample() (World, Claim) {
	in := Tx{ID: "in", Outputs: []Output{{Point: Point{"in", 0}, Script: "deposit", Units: 500}}}
	out := Tx{ID: "out", Spends: []Point{{"in", 0}}, Outputs: []Output{{Point: Point{"out", 0}, Script: "payee", Units: 290}, {Point: Point{"out", 1}, Script: "change", Units: 206}}}
	w := World{
		Blocks: [][]Tx{{in}, {}, {out}}, Sent: []Tx{out}, Deposits: map[string]string{"deposit": "alice"},
		Burns: []Burn{{ID: "burn", Account: "alice", Script: "payee", Quantity: 300, Net: 290}}, Minimum: 100, Depth: 2,
	}
	c := Claim{
		FeeAccount: "fees", Balances: map[string]int64{"alice": 200, "fees": 6}, Supply: 206,
		Credits: map[Point]Credit{{"in", 0}: {"alice", 500}}, Settled: map[string]string{"burn": "out"},
		Reserves: 206, Items: map[Point]int64{{"out", 1}: 206},
	}
	return w, c
}

func TestJudge(t *testing.T) {
	w, c := sample()
	if faults := Judge(w, c); len(faults) > 0 {
		t.Fatal(faults)
	}
	for name, test := range map[string]struct {
		change func(*World, *Claim)
		want   string
	}{
		"not credited":     {func(_ *World, c *Claim) { c.Credits = nil }, "is not credited"},
		"credited early":   {func(w *World, _ *Claim) { w.Depth = 9 }, "at depth 3 is credited"},
		"credited dust":    {func(w *World, _ *Claim) { w.Minimum = 501 }, "is credited"},
		"out of nothing":   {func(_ *World, c *Claim) { c.Credits[Point{"x", 0}] = Credit{"alice", 1} }, "not in the chain"},
		"to another":       {func(_ *World, c *Claim) { c.Credits[Point{"in", 0}] = Credit{"bob", 500} }, "as 500 to bob"},
		"other amount":     {func(_ *World, c *Claim) { c.Credits[Point{"in", 0}] = Credit{"alice", 501} }, "as 501 to alice"},
		"balance":          {func(_ *World, c *Claim) { c.Balances["alice"]++ }, "alice holds 201"},
		"balance of bob":   {func(_ *World, c *Claim) { c.Balances["bob"] = 1 }, "out of nothing"},
		"never paid":       {func(w *World, _ *Claim) { w.Blocks[2] = nil }, "in 0 outputs"},
		"paid too little":  {func(w *World, _ *Claim) { w.Blocks[2][0].Outputs[0].Units-- }, "was paid in 1 outputs"},
		"settled by other": {func(_ *World, c *Claim) { c.Settled["burn"] = "in" }, "settled is \"in\""},
		"never burned":     {func(_ *World, c *Claim) { c.Settled["other"] = "in" }, "never burned"},
		"supply":           {func(_ *World, c *Claim) { c.Supply++ }, "supply is said"},
		"reserves":         {func(_ *World, c *Claim) { c.Reserves++ }, "said to be 207"},
		"items":            {func(_ *World, c *Claim) { c.Items = map[Point]int64{{"out", 0}: 206} }, "said to be"},
		"fees":             {func(_ *World, c *Claim) { c.Balances["fees"]++ }, "fee account holds 7"},
		"paid twice": {func(w *World, _ *Claim) {
			again := Tx{ID: "again", Spends: []Point{{"else", 0}}, Outputs: []Output{{Point: Point{"again", 0}, Script: "payee", Units: 290}}}
			w.Sent = append(w.Sent, again)
		}, "can both be mined"},
		"given back and paid": {func(_ *World, c *Claim) {
			c.Returned, c.Balances["alice"] = map[string]bool{"burn": true}, 490
		}, "was given back, and is paid by"},
		"peg-out credited early": {func(w *World, _ *Claim) { w.Blocks[0][0].Outputs[0].Depth = 4 }, "at depth 3 is credited"},
		"credited under tokens":  {func(w *World, _ *Claim) { w.Blocks[0][0].Outputs[0].Held = true }, "is credited"},
		"two changes": {func(w *World, _ *Claim) {
			w.Blocks[2][0].Outputs = append(w.Blocks[2][0].Outputs, Output{Point: Point{"out", 2}, Script: "thief", Units: 0})
		}, "2 scripts"},
	} {
		w, c := sample()
		w.Blocks = slices.Clone(w.Blocks)
		w.Final = 3
		c.Balances = maps.Clone(c.Balances)
		test.change(&w, &c)
		if faults := strings.Join(Judge(w, c), "\n"); !strings.Contains(faults, test.want) {
			t.Errorf("%s: %q", name, faults)
		}
	}
}

// TestDeath: what is given back must be dead: by another transaction that takes an
// input of it and is final, or because what it needs is dead.
func TestDeath(t *testing.T) {
	in := Tx{ID: "in", Outputs: []Output{{Point: Point{"in", 0}, Script: "deposit", Units: 500}}}
	out := Tx{ID: "out", Spends: []Point{{"in", 0}}, Outputs: []Output{{Point: Point{"out", 0}, Script: "payee", Units: 290}, {Point: Point{"out", 1}, Script: "change", Units: 206}}}
	next := Tx{ID: "next", Spends: []Point{{"out", 1}}, Outputs: []Output{{Point: Point{"next", 0}, Script: "other", Units: 90}}}
	cancel := Tx{ID: "cancel", Spends: []Point{{"in", 0}}, Outputs: []Output{{Point: Point{"cancel", 0}, Script: "change", Units: 496}}}
	claim := func() Claim {
		return Claim{
			FeeAccount: "fees", Balances: map[string]int64{"alice": 480, "fees": 16}, Supply: 496,
			Credits: map[Point]Credit{{"in", 0}: {"alice", 500}}, Returned: map[string]bool{"burn": true, "second": true},
			Reserves: 496, Items: map[Point]int64{{"cancel", 0}: 496},
		}
	}
	w := World{
		Blocks: [][]Tx{{in}, {}, {cancel}, {}}, Sent: []Tx{out, next, cancel}, Deposits: map[string]string{"deposit": "alice"},
		Burns: []Burn{
			{ID: "burn", Account: "alice", Script: "payee", Quantity: 300, Net: 290},
			{ID: "second", Account: "alice", Script: "other", Quantity: 100, Net: 90},
		}, Minimum: 100, Depth: 2, Final: 2,
	}
	if faults := Judge(w, claim()); len(faults) > 0 {
		t.Error(faults)
	}
	w.Final = 3
	if faults := strings.Join(Judge(w, claim()), "\n"); !strings.Contains(faults, "out can still be mined") || !strings.Contains(faults, "next can still be mined") {
		t.Errorf("not final: %q", faults)
	}
	w.Final, w.Blocks = 2, [][]Tx{{in}, {}, {}, {}}
	if faults := strings.Join(Judge(w, claim()), "\n"); !strings.Contains(faults, "out can still be mined") {
		t.Errorf("nothing takes its input: %q", faults)
	}
}

// TestDeep: where a credit has lost its payment, people must have been told.
func TestDeep(t *testing.T) {
	w, c := sample()
	lost := Tx{ID: "lost", Outputs: []Output{{Point: Point{"lost", 0}, Script: "deposit", Units: 700}}}
	w.Deep, w.Known = true, []Tx{lost}
	c.Credits[Point{"lost", 0}] = Credit{"alice", 700}
	c.Balances["alice"], c.Supply, c.Halted = 900, 906, true
	if faults := Judge(w, c); len(faults) > 0 {
		t.Error(faults)
	}
	for want, change := range map[string]func(*World, *Claim){
		"the audit is content: true": func(_ *World, c *Claim) { c.Content = true },
		"payouts are halted: false":  func(_ *World, c *Claim) { c.Halted = false },
		"which is not in the chain":  func(w *World, _ *Claim) { w.Known = nil },
		"reserves of 206":            func(w *World, _ *Claim) { w.Deep = false },
	} {
		w, c := w, c
		change(&w, &c)
		if faults := strings.Join(Judge(w, c), "\n"); !strings.Contains(faults, want) {
			t.Errorf("%s: %q", want, faults)
		}
	}
}
