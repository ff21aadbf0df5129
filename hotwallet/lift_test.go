package hotwallet

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"causeway/chains"
)

// hundred is a batch of that many P2WPKH payees, and coins for it.
func hundred(t testing.TB, payees int) PlanInput {
	in := planInput(t, 30_000)
	in.Payees, in.Coins = nil, nil
	for i := range payees {
		in.Payees = append(in.Payees, Payee{ID: fmt.Sprint(i), Script: payeeScripts()["p2wpkh"], Amount: chains.NewAmount(uint64(10_000 + i))})
	}
	for i := range 1000 {
		in.Coins = append(in.Coins, ownCoin(in.ChangeScript, i, uint64(2_000_000+i)))
	}
	return in
}

// A batch costs no more than 34 virtual bytes a payee, change and input included.
func TestSizeOfABatch(t *testing.T) {
	plan, err := NewPlan(hundred(t, 100))
	if err != nil {
		t.Fatal(err)
	}
	if plan.VSize > 3400 || len(plan.Inputs) != 1 {
		t.Errorf("%d vbytes, %d inputs", plan.VSize, len(plan.Inputs))
	}
}

// A bump makes up for what unconfirmed ancestors lack; a lift pays for both, and
// neither pays more than the highest rate.
func TestLift(t *testing.T) {
	in := planInput(t, 10_000, 2_000_000)
	plan, err := NewPlan(in)
	if err != nil {
		t.Fatal(err)
	}
	below := Load{VSize: 200, Fee: chains.NewAmount(200)}
	caps := Caps{MaxFee: chains.NewAmount(100_000), MaxRate: 50_000}
	bumped, err := Bump(BumpInput{Chain: in.Chain, Previous: plan, FeeRate: 10_000, Caps: caps, Unconfirmed: below})
	if err != nil {
		t.Fatal(err)
	}
	if want := chains.NewAmount(10*(bumped.VSize+200) - 200); bumped.Fee != want {
		t.Errorf("a bump pays %s, want %s", bumped.Fee, want)
	}
	coin := ownCoin(in.ChangeScript, 7, 50_000)
	lift := LiftInput{Chain: in.Chain, Batch: "child", Coin: coin, Unconfirmed: below, FeeRate: 10_000, Caps: caps, LockTime: 9, ChangeScript: in.ChangeScript}
	child, err := Lift(lift)
	if err != nil {
		t.Fatal(err)
	}
	if want := chains.NewAmount(10*(child.VSize+200) - 200); child.Fee != want || len(child.Inputs) != 1 || len(child.Outputs) != 1 {
		t.Errorf("a child pays %s, want %s", child.Fee, want)
	}
	lift.FeeRate = 50_000
	if child, err = Lift(lift); err != nil || child.Fee != chains.NewAmount(50*child.VSize) {
		t.Errorf("at the highest rate it pays %s: %v", child.Fee, err)
	}
	lift.Coin.Amount = chains.NewAmount(5_700)
	if _, err = Lift(lift); !errors.Is(err, ErrNoChange) {
		t.Errorf("a coin that is too small: %v", err)
	}
}

// A cancel spends every input of a batch and one coin more, to ourselves, and
// replaces the variant that it cancels.
func TestCancel(t *testing.T) {
	in := planInput(t, 10_000, 2_000_000)
	plan, err := NewPlan(in)
	if err != nil {
		t.Fatal(err)
	}
	input := CancelInput{
		Chain: in.Chain, Batch: "cancel", Previous: plan, Extra: ownCoin(in.ChangeScript, 77, 3_000), FeeRate: 1000,
		Caps: Caps{MaxFee: chains.NewAmount(100_000), MaxRate: 50_000}, LockTime: 9, ChangeScript: in.ChangeScript,
	}
	cancel, err := Cancel(input)
	if err != nil {
		t.Fatal(err)
	}
	old, _ := plan.Fee.Uint64()
	if cancel.Fee.Less(chains.NewAmount(old+cancel.VSize)) || len(cancel.Inputs) != len(plan.Inputs)+1 || len(cancel.Payees()) != 0 {
		t.Errorf("fee %s after %s, %d inputs, payees %v", cancel.Fee, plan.Fee, len(cancel.Inputs), cancel.Payees())
	}
	input.Caps.MaxRate = 1000
	if _, err := Cancel(input); !errors.Is(err, ErrFeeCap) {
		t.Errorf("above the highest rate: %v", err)
	}
}

// Tidying takes the smallest coins that are worth it.
func TestTidy(t *testing.T) {
	in := hundred(t, 0)
	in.Coins = append(in.Coins, ownCoin(in.ChangeScript, 5000, 10)) // worth less than its input
	plan, err := Tidy(in, 40)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range plan.Inputs {
		if v, _ := c.Amount.Uint64(); v < 2_000_000 || v >= 2_000_040 {
			t.Errorf("merges %d", v)
		}
	}
	if len(plan.Inputs) != 40 || len(plan.Outputs) != 1 {
		t.Errorf("%d inputs, %d outputs", len(plan.Inputs), len(plan.Outputs))
	}
}

// A cancel pays more than all that nodes drop for it, and takes the largest inputs
// when they are too many for one transaction more.
func TestCancelOfMuch(t *testing.T) {
	in := planInput(t, 10_000, 2_000_000)
	plan, err := NewPlan(in)
	if err != nil {
		t.Fatal(err)
	}
	input := CancelInput{
		Chain: in.Chain, Batch: "cancel", Previous: plan, Extra: ownCoin(in.ChangeScript, 77, 3_000), FeeRate: 1000,
		Evicted: chains.NewAmount(4_000), Caps: Caps{MaxFee: chains.NewAmount(100_000), MaxRate: 50_000}, LockTime: 9, ChangeScript: in.ChangeScript,
	}
	cancel, err := Cancel(input)
	if err != nil {
		t.Fatal(err)
	}
	old, _ := plan.Fee.Uint64()
	if want := chains.NewAmount(old + 4_000 + cancel.VSize); cancel.Fee != want {
		t.Errorf("fee %s, want %s", cancel.Fee, want)
	}
	input.Caps.MaxFee = chains.NewAmount(old + 4_000)
	if _, err := Cancel(input); !errors.Is(err, ErrFeeCap) {
		t.Errorf("beyond the budget: %v", err)
	}
	// Nothing is signed: only its inputs are known.
	input.Caps.MaxFee, input.Evicted = chains.NewAmount(100_000), chains.Amount{}
	input.Previous = new(Plan)
	for i := range 20 {
		input.Previous.Inputs = append(input.Previous.Inputs, ownCoin(in.ChangeScript, 100+i, uint64(1_000_000+i)))
	}
	for _, test := range []struct {
		most  int
		vsize uint64
		want  int
	}{{0, 0, 21}, {21, 0, 21}, {20, 0, 20}, {5, 0, 5}, {1, 0, 2}, {0, 1_000, 14}} {
		input.MaxInputs, input.Caps.MaxVSize = test.most, test.vsize
		cancel, err := Cancel(input)
		if err != nil {
			t.Fatalf("%+v: %v", test, err)
		}
		smallest := slices.MinFunc(cancel.Inputs[:], func(a, b Coin) int { return a.Amount.Cmp(b.Amount) })
		if len(cancel.Inputs) != test.want || smallest.Amount != chains.NewAmount(3_000) {
			t.Errorf("%+v: %d inputs", test, len(cancel.Inputs))
		}
		for _, c := range cancel.Inputs {
			if least := chains.NewAmount(uint64(1_000_000 + 21 - test.want)); c.Amount != smallest.Amount && c.Amount.Less(least) {
				t.Errorf("%+v: it takes %s and leaves larger ones", test, c.Amount)
			}
		}
	}
}
