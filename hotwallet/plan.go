package hotwallet

import (
	"cmp"
	"fmt"
	"slices"

	"causeway/chains"
	"causeway/chains/utxo"
)

// Coin is an unspent output of ours that a plan may spend.
type Coin struct {
	chains.Outpoint
	Amount chains.Amount `json:"amount"`
	Script []byte        `json:"script"`
	Watch  chains.Watch  `json:"watch"` // whose key spends it
	// Depth counts confirmations; 0 is in no block yet.
	Depth uint64 `json:"depth"`
	// Own says that every input of the creating transaction was ours: change.
	Own      bool `json:"own,omitempty"`
	Coinbase bool `json:"coinbase,omitempty"`
	// Ancestors and AncestorSize (virtual bytes) describe the unconfirmed
	// transactions below an own coin of depth 0, its creator included.
	Ancestors    int    `json:"ancestors,omitempty"`
	AncestorSize uint64 `json:"ancestor_size,omitempty"`
}

// Payee is one payment that must be made in full. ID is the withdrawal's id.
type Payee struct {
	ID     string        `json:"id"`
	Script []byte        `json:"script"`
	Amount chains.Amount `json:"amount"`
}

// Caps bound what a transaction may cost and weigh. MaxVSize 0 is
// MaxStandardVSize; the others have no default: without them nothing is paid.
type Caps struct {
	MaxFee   chains.Amount  `json:"max_fee"`  // of one transaction, whatever its size
	MaxRate  chains.FeeRate `json:"max_rate"` // relative to its size
	MaxVSize uint64         `json:"max_vsize,omitempty"`
}

// Eligible says which coins may be spent.
type Eligible struct {
	// ForeignDepth is the depth that a coin from outside needs: credit depth
	// plus 6. At least 1 always.
	ForeignDepth uint64
	// OwnUnconfirmed allows own change of depth 0 (not on DOGE).
	OwnUnconfirmed bool
}

// PlanInput is everything a plan is made of. Equal inputs give equal plans,
// and so do inputs that differ only in the order of Coins and Payees.
type PlanInput struct {
	Chain        *utxo.Coin // chain and network, scripts, sizes, dust
	Batch        string     // id of the assign row
	Coins        []Coin
	Payees       []Payee
	FeeRate      chains.FeeRate
	Caps         Caps
	Eligible     Eligible
	LockTime     uint32 // height of the tip
	ChangeScript []byte // Wallet.ChangeScript of the current epoch
	// MaxInputs bounds the inputs chosen, because an assign row must name them
	// all; 0: as many as the size allows.
	MaxInputs int
}

// PlannedOutput is one output of a plan. ID is the payee's, empty for change.
type PlannedOutput struct {
	Payee
	Change bool `json:"change,omitempty"`
}

// Plan is an unsigned transaction and everything needed to sign, check, bump
// and account for it. It is a value: storing it as JSON and reading it back
// gives the same plan.
type Plan struct {
	Chain        chains.ID       `json:"chain"`
	Network      chains.Network  `json:"network"`
	Batch        string          `json:"batch"`
	Unsigned     []byte          `json:"unsigned"` // wire form without signatures
	Inputs       []Coin          `json:"inputs"`   // in the transaction's order
	Outputs      []PlannedOutput `json:"outputs"`  // in the transaction's order
	ChangeScript []byte          `json:"change_script"`
	LockTime     uint32          `json:"lock_time"`
	FeeRate      chains.FeeRate  `json:"fee_rate"` // that was asked for
	Fee          chains.Amount   `json:"fee"`
	// VSize is the size with the longest signatures, in virtual bytes; the
	// signed transaction is never larger.
	VSize uint64 `json:"vsize"`
}

// Change is the change output, if there is one.
func (p *Plan) Change() (index int, amount chains.Amount, ok bool) {
	for i, o := range p.Outputs {
		if o.Change {
			return i, o.Amount, true
		}
	}
	return -1, chains.Amount{}, false
}

// Payees are the outputs that are not change, in the transaction's order.
func (p *Plan) Payees() []Payee {
	var out []Payee
	for _, o := range p.Outputs {
		if !o.Change {
			out = append(out, o.Payee)
		}
	}
	return out
}

// Spends is what the assign row records: "txid:vout" of every input, sorted.
func (p *Plan) Spends() []string {
	out := make([]string, len(p.Inputs))
	for i, c := range p.Inputs {
		out[i] = SpendText(c.Outpoint)
	}
	slices.Sort(out)
	return out
}

// SpendText is the form of an outpoint in the spends of an assign row.
func SpendText(o chains.Outpoint) string { return fmt.Sprintf("%s:%d", o.TxID, o.Index) }

// maxLockHeight is where lock times stop being heights (BIP65).
const maxLockHeight = 500_000_000

// NewPlan selects coins for the payees and lays out the transaction. It does
// no I/O and reads no clock. Errors wrap ErrInsufficient, ErrTooLarge, ErrDust,
// ErrFeeCap or ErrBadPlan, in a *PlanError that carries the numbers; then
// nothing was planned.
func NewPlan(in PlanInput) (*Plan, error) {
	if len(in.Payees) == 0 {
		return nil, badPlan("no payees")
	}
	p, err := newPlanner(in)
	if err != nil {
		return nil, err
	}
	selected, err := p.selectCoins()
	if err != nil {
		return nil, err
	}
	return p.build(selected)
}

// Consolidate merges the largest eligible confirmed coins, as many as one
// transaction may spend, into one output of our own: for when a payout would need
// more inputs than that (ErrTooLarge). in has no payees. Errors are those of
// NewPlan; with fewer than two coins to merge, ErrInsufficient.
func Consolidate(in PlanInput) (*Plan, error) {
	if len(in.Payees) > 0 {
		return nil, badPlan("a consolidation of %d payees", len(in.Payees))
	}
	p, err := newPlanner(in)
	if err != nil {
		return nil, err
	}
	selected, err := p.selectInOrder(-1, len(in.Coins))
	if err != nil {
		return nil, err
	}
	return p.build(selected)
}

// Tidy merges the smallest eligible confirmed coins that are worth more than
// spending them costs, at most `most` of them, into one output of our own: for
// when there are many and blocks are cheap. Otherwise it is Consolidate.
func Tidy(in PlanInput, most int) (*Plan, error) {
	if len(in.Payees) > 0 {
		return nil, badPlan("a consolidation of %d payees", len(in.Payees))
	}
	p, err := newPlanner(in)
	if err != nil {
		return nil, err
	}
	selected, err := p.selectInOrder(+1, most)
	if err != nil {
		return nil, err
	}
	return p.build(selected)
}

// PlanExactly lays out a transaction that spends all of in.Coins, no more and no
// less, whatever their depth and value: for a batch whose inputs are assigned
// already and whose plan was lost. Otherwise it is NewPlan, or without payees
// Consolidate.
func PlanExactly(in PlanInput) (*Plan, error) {
	p, err := newPlanner(in)
	if err != nil {
		return nil, err
	}
	var total uint64
	for _, c := range in.Coins {
		v, err := units(c.Amount)
		if err != nil {
			return nil, err
		}
		if total, err = addUnits(total, v); err != nil {
			return nil, err
		}
	}
	if len(in.Coins) == 0 || !p.enough(len(in.Coins), total) {
		return nil, p.insufficient(len(in.Coins), total)
	}
	return p.build(in.Coins)
}

// planner holds an input in the integers that planning computes with.
type planner struct {
	in       PlanInput
	size     sizer
	paid     uint64 // sum of the payees
	dust     uint64 // of the change script
	maxFee   uint64
	maxVSize uint64
}

func newPlanner(in PlanInput) (*planner, error) {
	spec, err := specOf(in.Chain.ID())
	if err != nil {
		return nil, err
	}
	switch {
	case utxo.KindOf(in.ChangeScript) != spec.form:
		return nil, badPlan("change script %x is not of the wallet's form", in.ChangeScript)
	case in.Batch == "":
		return nil, badPlan("no batch id")
	case in.FeeRate == 0:
		return nil, badPlan("fee rate is zero")
	case in.FeeRate > min(in.Caps.MaxRate, maxRate):
		return nil, rateAbove(in.FeeRate, min(in.Caps.MaxRate, maxRate))
	case in.LockTime >= maxLockHeight:
		return nil, badPlan("lock time %d is no height", in.LockTime)
	}
	p := &planner{in: in, maxVSize: in.Caps.MaxVSize}
	if p.maxVSize == 0 || p.maxVSize > MaxStandardVSize {
		p.maxVSize = MaxStandardVSize
	}
	if p.size, err = newSizer(in.ChangeScript, in.FeeRate); err != nil {
		return nil, err
	}
	if p.maxFee, err = units(in.Caps.MaxFee); err != nil {
		return nil, err
	}
	if p.dust, err = units(in.Chain.Dust(in.ChangeScript)); err != nil {
		return nil, err
	}
	return p, p.addPayees()
}

// addPayees adds the payees up and refuses any that cannot be paid.
func (p *planner) addPayees() error {
	seen := make(map[string]bool, len(p.in.Payees))
	var dust []string
	for _, payee := range p.in.Payees {
		v, err := units(payee.Amount)
		if err != nil {
			return err
		}
		if payee.ID == "" || seen[payee.ID] {
			return badPlan("payee id %q is empty or twice in the batch", payee.ID)
		}
		seen[payee.ID] = true
		if v == 0 || payee.Amount.Less(p.in.Chain.Dust(payee.Script)) {
			dust = append(dust, payee.ID)
		}
		if p.paid, err = addUnits(p.paid, v); err != nil {
			return err
		}
		p.size.addOutput(payee.Script)
	}
	if len(dust) > 0 {
		slices.Sort(dust)
		return &PlanError{Kind: ErrDust, IDs: dust}
	}
	return nil
}

// build lays the transaction out. The change takes what is left; below dust it
// goes to the fee, which grows by less than dust and the price of an output.
func (p *planner) build(selected []Coin) (*Plan, error) {
	var total uint64
	for _, c := range selected {
		v, err := units(c.Amount)
		if err != nil {
			return nil, err
		}
		if total, err = addUnits(total, v); err != nil {
			return nil, err
		}
	}
	n := uint64(len(selected))
	change := uint64(0)
	if withChange := p.size.fee(n, true); total >= p.paid+withChange+p.dust {
		change = total - p.paid - withChange
	}
	if change == 0 && len(p.in.Payees) == 0 {
		return nil, p.insufficient(len(selected), total)
	}
	return p.layOut(selected, change, total-p.paid-change)
}

// layOut makes the plan for chosen inputs, change and fee, and checks the caps.
func (p *planner) layOut(inputs []Coin, change, fee uint64) (*Plan, error) {
	plan := &Plan{
		Chain: p.in.Chain.ID(), Network: p.in.Chain.Network(), Batch: p.in.Batch,
		Inputs: slices.Clone(inputs), Outputs: p.outputs(change), ChangeScript: p.in.ChangeScript,
		LockTime: p.in.LockTime, FeeRate: p.in.FeeRate, Fee: chains.NewAmount(fee),
	}
	draft, err := plan.draft(p.in.Chain)
	if err != nil {
		return nil, badPlan("%v", err)
	}
	plan.Unsigned, plan.VSize = draft.Unsigned(), draft.VSize()
	if plan.Fee != draft.Fee() || plan.VSize != p.size.vsize(uint64(len(inputs)), change > 0) {
		return nil, badPlan("fee or size of the draft (%s, %d) is not the plan's (%s)", draft.Fee(), draft.VSize(), plan.Fee)
	}
	if plan.VSize > p.maxVSize {
		return nil, &PlanError{Kind: ErrTooLarge, VSize: plan.VSize}
	}
	if fee > p.maxFee {
		return nil, &PlanError{Kind: ErrFeeCap, Need: plan.Fee, Have: p.in.Caps.MaxFee, VSize: plan.VSize}
	}
	return plan, nil
}

// outputs are the payees and, unless it is zero, the change.
func (p *planner) outputs(change uint64) []PlannedOutput {
	outputs := make([]PlannedOutput, 0, len(p.in.Payees)+1)
	for _, payee := range p.in.Payees {
		outputs = append(outputs, PlannedOutput{Payee: payee})
	}
	if change > 0 {
		outputs = append(outputs, PlannedOutput{Change: true, Payee: Payee{
			Script: p.in.ChangeScript, Amount: chains.NewAmount(change),
		}})
	}
	return outputs
}

// draft orders the plan as the transaction will be (BIP69; equal payments by
// payee id) and drafts it.
func (p *Plan) draft(coin *utxo.Coin) (*utxo.Draft, error) {
	slices.SortFunc(p.Inputs, func(a, b Coin) int {
		return cmp.Or(cmp.Compare(a.TxID, b.TxID), cmp.Compare(a.Index, b.Index))
	})
	slices.SortFunc(p.Outputs, func(a, b PlannedOutput) int {
		return cmp.Or(a.Amount.Cmp(b.Amount), slices.Compare(a.Script, b.Script), cmp.Compare(a.ID, b.ID))
	})
	inputs := make([]utxo.Input, len(p.Inputs))
	for i, c := range p.Inputs {
		inputs[i] = utxo.Input{Outpoint: c.Outpoint, Amount: c.Amount, Script: c.Script, Sequence: utxo.Replaceable}
	}
	payees := make([]utxo.Payee, len(p.Outputs))
	for i, o := range p.Outputs {
		payees[i] = utxo.Payee{Script: o.Script, Amount: o.Amount}
	}
	return coin.Draft(inputs, payees, p.LockTime)
}
