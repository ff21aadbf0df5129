package hotwallet

import (
	"causeway/chains"
	"causeway/chains/utxo"
)

// DefaultIncrement is the relay fee that a replacement must pay for itself
// (BIP125 rule 4) where a coin says nothing else: 1 satoshi per virtual byte.
const DefaultIncrement chains.FeeRate = 1000

// BumpInput asks for a dearer variant of a plan.
type BumpInput struct {
	Chain     *utxo.Coin
	Previous  *Plan
	FeeRate   chains.FeeRate
	Increment chains.FeeRate // 0: DefaultIncrement
	Caps      Caps
}

// Bump is a variant of a plan with a higher fee: the same inputs, payees,
// amounts and lock time; only change shrinks or goes, so of all
// variants at most one can ever confirm. The fee is at least that of the rate
// and that of BIP125 rules 3 and 4. When change cannot pay it, ErrNoChange: no
// payee is ever shaved.
func Bump(in BumpInput) (*Plan, error) {
	prev := in.Previous
	if prev.Chain != in.Chain.ID() || prev.Network != in.Chain.Network() {
		return nil, badPlan("plan of %s %s bumped as one of %s %s",
			prev.Chain, prev.Network, in.Chain.ID(), in.Chain.Network())
	}
	p, err := newPlanner(PlanInput{
		Chain: in.Chain, Batch: prev.Batch, Payees: prev.Payees(), FeeRate: in.FeeRate,
		Caps: in.Caps, LockTime: prev.LockTime, ChangeScript: prev.ChangeScript,
	})
	if err != nil {
		return nil, err
	}
	increment := in.Increment
	if increment == 0 {
		increment = DefaultIncrement
	}
	return p.bump(prev, increment)
}

func (p *planner) bump(prev *Plan, increment chains.FeeRate) (*Plan, error) {
	old, err := units(prev.Fee)
	if err != nil {
		return nil, err
	}
	_, change, _ := prev.Change()
	left, err := units(change)
	if err != nil {
		return nil, err
	}
	budget := old + left // what the inputs hold beyond the payees
	n := uint64(len(prev.Inputs))
	need := func(change bool) uint64 {
		vsize := p.size.vsize(n, change)
		return max(feeFor(vsize, p.in.FeeRate), old+feeFor(vsize, increment))
	}
	if fee := need(true); budget >= fee+p.dust {
		return p.layOut(prev.Inputs, budget-fee, fee)
	}
	if fee := need(false); budget < fee {
		return nil, &PlanError{
			Kind: ErrNoChange, VSize: p.size.vsize(n, false),
			Need: chains.NewAmount(fee), Have: chains.NewAmount(budget),
		}
	}
	return p.layOut(prev.Inputs, 0, budget)
}
