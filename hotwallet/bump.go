package hotwallet

import (
	"slices"

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
	// Unconfirmed is what the plan's ancestors of ours weigh and pay that are in
	// no block: the fee makes up for what they lack at FeeRate.
	Unconfirmed Load
	Caps        Caps
}

// Load is what transactions weigh, in virtual bytes, and pay together.
type Load struct {
	VSize uint64
	Fee   chains.Amount
}

// lacks is what a load pays too little at a rate.
func (l Load) lacks(rate chains.FeeRate) (uint64, error) {
	paid, err := units(l.Fee)
	if err != nil {
		return 0, err
	}
	if want := feeFor(l.VSize, rate); l.VSize > 0 && want > paid {
		return want - paid, nil
	}
	return 0, nil
}

// Bump is a variant of a plan with a higher fee: the same inputs, payees,
// amounts and lock time; only change shrinks or goes, so of all
// variants at most one can ever confirm. The fee is at least that of the rate
// and that of BIP125 rules 3 and 4, and no rate above Caps.MaxRate is paid for
// ancestors. When change cannot pay it, ErrNoChange: no payee is ever shaved.
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
	lacks, err := in.Unconfirmed.lacks(in.FeeRate)
	if err != nil {
		return nil, err
	}
	return p.bump(prev, increment, lacks)
}

func (p *planner) bump(prev *Plan, increment chains.FeeRate, lacks uint64) (*Plan, error) {
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
		lifts := min(feeFor(vsize, p.in.FeeRate)+lacks, feeFor(vsize, p.in.Caps.MaxRate))
		return max(lifts, old+feeFor(vsize, increment))
	}
	if fee := need(true); budget >= fee+p.dust {
		if err := p.rateAllows(n, true, fee); err != nil {
			return nil, err
		}
		return p.layOut(prev.Inputs, budget-fee, fee)
	}
	if err := p.rateAllows(n, false, need(false)); err != nil {
		return nil, err
	}
	if fee := need(false); budget < fee {
		return nil, &PlanError{
			Kind: ErrNoChange, VSize: p.size.vsize(n, false),
			Need: chains.NewAmount(fee), Have: chains.NewAmount(budget),
		}
	}
	return p.layOut(prev.Inputs, 0, budget)
}

// rateAllows refuses a fee above the highest rate.
func (p *planner) rateAllows(inputs uint64, change bool, fee uint64) error {
	vsize := p.size.vsize(inputs, change)
	if most := feeFor(vsize, p.in.Caps.MaxRate); fee > most {
		return &PlanError{Kind: ErrFeeCap, Need: chains.NewAmount(fee), Have: chains.NewAmount(most), VSize: vsize}
	}
	return nil
}

// LiftInput asks for a child that pays for its unconfirmed ancestors too (CPFP).
type LiftInput struct {
	Chain        *utxo.Coin
	Batch        string
	Coin         Coin // own change in no block yet
	Unconfirmed  Load // the ancestors, the coin's maker included
	FeeRate      chains.FeeRate
	Caps         Caps
	LockTime     uint32
	ChangeScript []byte
}

// Lift plans a transaction that spends one own output to our own change script
// and pays so much that it and its ancestors together come to the rate: for coins
// whose nodes take no replacement, and for change that is promised already. It
// pays no rate above Caps.MaxRate itself. When the coin cannot pay that and still
// leave change, ErrNoChange.
func Lift(in LiftInput) (*Plan, error) {
	p, err := newPlanner(PlanInput{
		Chain: in.Chain, Batch: in.Batch, FeeRate: in.FeeRate, Caps: in.Caps, LockTime: in.LockTime, ChangeScript: in.ChangeScript,
	})
	if err != nil {
		return nil, err
	}
	lacks, err := in.Unconfirmed.lacks(in.FeeRate)
	if err != nil {
		return nil, err
	}
	have, err := units(in.Coin.Amount)
	if err != nil {
		return nil, err
	}
	vsize := p.size.vsize(1, true)
	fee := min(p.size.fee(1, true)+lacks, feeFor(vsize, in.Caps.MaxRate))
	if have < fee+p.dust {
		return nil, &PlanError{Kind: ErrNoChange, VSize: vsize, Need: chains.NewAmount(fee + p.dust), Have: in.Coin.Amount}
	}
	return p.layOut([]Coin{in.Coin}, have-fee, fee)
}

// CancelInput asks for a transaction that takes the inputs of a batch.
type CancelInput struct {
	Chain    *utxo.Coin
	Batch    string
	Previous *Plan // the newest variant signed; only its inputs when nothing is
	Extra    Coin  // one coin that is not the batch's
	// Evicted is what those pay that nodes drop with the batch, because they spend
	// what it makes: the cancel has to pay more than all of them.
	Evicted      chains.Amount
	MaxInputs    int // 0: no bound beside the size
	FeeRate      chains.FeeRate
	Increment    chains.FeeRate // 0: DefaultIncrement
	Caps         Caps
	LockTime     uint32
	ChangeScript []byte
}

// Cancel plans a transaction that spends the inputs of a batch, the largest of them
// when they are more than one transaction may have, and one coin more, to our own
// change script: either it confirms or a variant of the batch
// does. The coin tells the two apart by what they spend. The fee replaces that of
// the variant and of all that rests on it (BIP125 rules 3 and 4).
func Cancel(in CancelInput) (*Plan, error) {
	p, err := newPlanner(PlanInput{
		Chain: in.Chain, Batch: in.Batch, FeeRate: in.FeeRate, Caps: in.Caps, LockTime: in.LockTime, ChangeScript: in.ChangeScript,
	})
	if err != nil {
		return nil, err
	}
	old, err := units(in.Previous.Fee)
	if err != nil {
		return nil, err
	}
	evicted, err := units(in.Evicted)
	if err != nil {
		return nil, err
	}
	if old, err = addUnits(old, evicted); err != nil {
		return nil, err
	}
	increment := in.Increment
	if increment == 0 {
		increment = DefaultIncrement
	}
	inputs := append(p.cancellable(in.Previous.Inputs, in.MaxInputs), in.Extra)
	var have uint64
	for _, c := range inputs {
		v, err := units(c.Amount)
		if err != nil {
			return nil, err
		}
		if have, err = addUnits(have, v); err != nil {
			return nil, err
		}
	}
	n := uint64(len(inputs))
	vsize := p.size.vsize(n, true)
	fee := max(p.size.fee(n, true), old+feeFor(vsize, increment))
	if have < fee+p.dust {
		return nil, &PlanError{Kind: ErrNoChange, VSize: vsize, Need: chains.NewAmount(fee + p.dust), Have: chains.NewAmount(have)}
	}
	if err := p.rateAllows(n, true, fee); err != nil {
		return nil, err
	}
	return p.layOut(inputs, have-fee, fee)
}

// cancellable are the inputs of a batch that a cancel takes: all of them, or the
// largest that fit into a transaction with one input more.
func (p *planner) cancellable(inputs []Coin, most int) []Coin {
	list := slices.Clone(inputs)
	slices.SortStableFunc(list, func(a, b Coin) int { return b.Amount.Cmp(a.Amount) })
	for n := len(list); n > 1 && (most > 0 && n+1 > most || p.size.vsize(uint64(n+1), true) > p.maxVSize); n-- {
		list = list[:n-1]
	}
	return list
}
