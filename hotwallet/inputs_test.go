package hotwallet

import (
	"errors"
	"slices"
	"testing"

	"causeway/chains"
)

// A plan with more inputs than an assign row can name would be assigned by
// nobody: the withdrawals would wait for ever.
func TestInputsAreBounded(t *testing.T) {
	coins := slices.Repeat([]uint64{10_000}, 200)
	in := planInput(t, 1_500_000, coins...)
	if p, err := NewPlan(in); err != nil || len(p.Inputs) < 150 {
		t.Fatalf("without a bound: %v", err)
	}
	in.MaxInputs = 100
	if p, err := NewPlan(in); !errors.Is(err, ErrTooLarge) {
		t.Errorf("with a bound of 100: %+v, %v", p, err)
	}
	in = planInput(t, 900_000, coins...)
	in.MaxInputs = 100
	if p, err := NewPlan(in); err != nil || len(p.Inputs) > 100 {
		t.Errorf("within the bound: %v", err)
	}
	// Padding keeps to it too.
	in = planInput(t, 50_000, slices.Repeat([]uint64{10_000}, 1500)...)
	for i := range 50 {
		in.Payees = append(in.Payees, Payee{ID: "p" + fakeTxID(i), Script: in.Payees[0].Script, Amount: in.Payees[0].Amount})
	}
	in.Coins[7].Amount = chains.NewAmount(100_000_000)
	in.MaxInputs = 12
	if p, err := NewPlan(in); err != nil || len(p.Inputs) != 12 {
		t.Errorf("padding: %v", err)
	}
}

func TestConsolidate(t *testing.T) {
	in := planInput(t, 1, slices.Repeat([]uint64{10_000}, 30)...)
	in.Payees = nil
	in.Coins[3].Amount, in.Coins[4].Amount = chains.NewAmount(70_000), chains.NewAmount(60_000)
	in.Coins[5].Depth = 0
	in.MaxInputs = 10
	p, err := Consolidate(in)
	if err != nil {
		t.Fatal(err)
	}
	_, change, ok := p.Change()
	if amounts := inputAmounts(p); len(amounts) != 10 || amounts[9] != 70_000 || amounts[8] != 60_000 || len(p.Outputs) != 1 || !ok {
		t.Errorf("inputs %v, outputs %v", amounts, p.Outputs)
	}
	if sum, err := change.Add(p.Fee); err != nil || sum != chains.NewAmount(210_000) || p.Fee.IsZero() {
		t.Errorf("change %s, fee %s", change, p.Fee)
	}
	again := in
	again.Coins = p.Inputs
	if q, err := PlanExactly(again); err != nil || string(q.Unsigned) != string(p.Unsigned) {
		t.Errorf("planned again: %v", err)
	}
	for name, bad := range map[string]func(*PlanInput){
		"one coin":   func(in *PlanInput) { in.Coins = in.Coins[:1] },
		"dear coins": func(in *PlanInput) { in.FeeRate = 1_500_000 },
		"payees":     func(in *PlanInput) { in.Payees = planInput(t, 5_000).Payees },
	} {
		wrong := in
		bad(&wrong)
		if p, err := Consolidate(wrong); err == nil {
			t.Errorf("%s: %+v", name, p)
		}
	}
}
