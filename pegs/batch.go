package pegs

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"causeway/chains"
)

// The kinds of batches. Only a payout pays withdrawals, the others pay scripts of
// ours: a child spends the change of a batch that is stuck and pays for both, a
// consolidation makes few coins of many, a cancel takes the inputs of a batch that
// is not to be mined.
const (
	BatchPayout      = "payout"
	BatchChild       = "child"
	BatchConsolidate = "consolidate"
	BatchCancel      = "cancel"
)

// Batch is one transaction of ours, in all its fee variants.
type Batch struct {
	ID          string
	Chain       chains.ID
	Kind        string
	Withdrawals []string
	Inputs      []chains.Outpoint // sorted; every variant spends exactly these
	Fee         chains.Amount     // of the newest plan
	Plan        json.RawMessage   // the newest; nil for an adopted batch that has none yet
	Pending     bool              // Plan is of a variant that is not signed yet
	Token       string            // on a chain of accounts: what leaves the account,
	Value       chains.Amount     // fee apart, as far as it is known
	BaseBlock   uint64            // at which it was planned, where that counts
	Assigned    *Assigned
	Variants    []Signed
	Since       uint64     // height of the newest block when it was last signed, or put back by a reorganisation
	Broadcast   *Broadcast // the newest
	Taken       []string   // the variants that a node took
	Mined       *Spending  // the transaction of the chain that is this batch
	Failed      *Spending  // the one that is, and moved nothing: on a chain of accounts
	Charged     *Charged   // what that one cost, once the sidechain has charged it
	Conflict    string     // another transaction that spends an input
	Settling    *Settling
	Settled     *Settled
	Releasing   *Releasing
	Released    *Released // it can never be mined
	Took        []string  // batches that are dead and that inputs of it were kept for before

	index int
}

// Newest is the newest variant, nil before the first.
func (b *Batch) Newest() *Signed {
	if len(b.Variants) == 0 {
		return nil
	}
	return &b.Variants[len(b.Variants)-1]
}

// undecided says that nothing is known of the end of a batch.
func (b *Batch) undecided() bool {
	return b.Decided() == nil && b.Conflict == "" && b.Settled == nil && b.Releasing == nil && b.Released == nil
}

func (b *Batch) place() int { return b.index }

// BatchID is the identity of a batch: what it pays and from what. The same
// plan has the same id, so that submitting it twice is harmless.
func BatchID(chain chains.ID, kind string, withdrawals []string, inputs []chains.Outpoint) string {
	ids := slices.Sorted(slices.Values(withdrawals))
	var text strings.Builder
	fmt.Fprintf(&text, "causeway/batch/1\n%s\n%s\n", chain, kind)
	for _, id := range ids {
		fmt.Fprintf(&text, "%s\n", id)
	}
	for _, in := range sortedOutpoints(inputs) {
		fmt.Fprintf(&text, "%s:%d\n", in.TxID, in.Index)
	}
	sum := sha256.Sum256([]byte(text.String()))
	return hex.EncodeToString(sum[:20])
}

// state is the withdrawal state that the batch gives to what it pays.
func (b *Batch) state(s *State) WithdrawalState {
	switch {
	case b.Released != nil:
		return WithdrawalParked
	case b.Settled != nil:
		return WithdrawalSettled
	case b.Mined != nil && s.chains[b.Chain].Depth(b.Mined.In) >= s.chains[b.Chain].CreditDepth():
		return WithdrawalConfirmed
	case b.Mined != nil || b.Broadcast != nil:
		return WithdrawalBroadcast
	case len(b.Variants) > 0:
		return WithdrawalSigned
	}
	return WithdrawalPlanned
}

// Unassigned says whether a batch is only planned, or given up, so that the
// sidechain may yet say something else of its withdrawals than the batch does.
func (b *Batch) Unassigned() bool {
	return b.Assigned == nil || b.Releasing != nil || b.Released != nil
}

// touchBatch writes the histories of the withdrawals of a batch.
func (s *State) touchBatch(b *Batch, at time.Time, detail string) {
	for _, id := range b.Withdrawals {
		s.touchWithdrawal(s.withdrawals[id], at, detail)
	}
	if b.ended() {
		s.openBatches.remove(b)
	} else {
		s.openBatches.add(b)
	}
}

func (s *State) openBatchesOf(chain chains.ID) []*Batch {
	return matching(s.openBatches, func(b *Batch) bool { return b.Chain == chain })
}

func (s *State) addBatch(b *Batch) {
	c := s.chains[b.Chain]
	b.Inputs = sortedOutpoints(b.Inputs)
	b.index = len(s.batchList)
	s.batches[b.ID] = b
	s.batchList = append(s.batchList, b)
	s.openBatches.add(b)
	for _, in := range b.Inputs {
		s.keep(c, b, in)
	}
	s.reckonInputs(b)
	for _, id := range b.Withdrawals {
		s.withdrawals[id].Batch = b.ID
	}
}

// keep keeps an input for a batch. What a cancel and the batch that it cancels
// share is kept for both, whichever of them is known first.
func (s *State) keep(c *Chain, b *Batch, in chains.Outpoint) {
	holder := s.batches[c.kept[in]]
	switch {
	case holder == nil:
		c.kept[in] = b.ID
	case holder.Released != nil && !c.Accounts(): // a nonce is never free again
		c.kept[in] = b.ID
		if !slices.Contains(b.Took, holder.ID) {
			b.Took = append(b.Took, holder.ID)
		}
	case b.Kind == BatchCancel:
		c.cancels[in] = b.ID
	default: // the holder is a cancel
		c.cancels[in] = holder.ID
		c.kept[in] = b.ID
	}
}

func (s *State) planned(e *Planned, at time.Time) error {
	c, err := s.chain(e.Chain)
	if err != nil {
		return err
	}
	switch {
	case s.batches[e.Batch] != nil:
		return refuse("batch %s twice", e.Batch)
	case e.Batch != BatchID(e.Chain, e.BatchKind, e.Withdrawals, e.Inputs):
		return refuse("batch %s is not named by what it pays", e.Batch)
	case len(e.Inputs) == 0 || len(sortedOutpoints(e.Inputs)) != len(e.Inputs):
		return refuse("batch %s has no inputs, or one twice", e.Batch)
	case (e.BatchKind == BatchPayout) != (len(e.Withdrawals) > 0):
		return refuse("batch %s of kind %s pays %d withdrawals", e.Batch, e.BatchKind, len(e.Withdrawals))
	}
	for i, id := range e.Withdrawals {
		w := s.withdrawals[id]
		if w == nil || w.Chain != e.Chain || s.WithdrawalState(w) != WithdrawalQueued || !c.within(w) || slices.Contains(e.Withdrawals[:i], id) {
			return refuse("withdrawal %s cannot be planned", id)
		}
	}
	if err := s.accountPlan(c, e); err != nil {
		return err
	}
	fresh := e.Inputs
	if e.BatchKind == BatchCancel {
		var err error
		if fresh, err = s.cancels(c, e); err != nil {
			return err
		}
	}
	if err := s.allSpendable(e, fresh); err != nil {
		return err
	}
	b := &Batch{
		ID: e.Batch, Chain: e.Chain, Kind: e.BatchKind, Withdrawals: e.Withdrawals, Inputs: e.Inputs, Fee: e.Fee, Plan: e.Plan,
		Pending: true, BaseBlock: e.BaseBlock,
	}
	b.Token, b.Value = s.taken(b.Kind, b.Withdrawals, e.Token, e.Value)
	s.addBatch(b)
	s.touchBatch(b, at, "batch "+b.ID)
	return nil
}

func (s *State) allSpendable(e *Planned, inputs []chains.Outpoint) error {
	for _, in := range inputs {
		if !s.maySpend(s.chains[e.Chain], in) {
			return refuse("%s of %s may not be spent", DepositID(e.Chain, in), e.Batch)
		}
	}
	return nil
}

// unkeep gives an input back to the dead batch that it was kept for before, if any:
// the signer still holds the promise of that one.
func (s *State) unkeep(c *Chain, b *Batch, in chains.Outpoint) {
	delete(c.kept, in)
	for _, id := range b.Took {
		if slices.Contains(s.batches[id].Inputs, in) {
			c.kept[in] = id
		}
	}
}

// dropped takes back a plan that the sidechain will never accept.
func (s *State) dropped(e *Dropped, at time.Time) error {
	b := s.batches[e.Batch]
	if b == nil || b.Assigned != nil || len(b.Variants) > 0 {
		return refuse("batch %s cannot be dropped", e.Batch)
	}
	c := s.chains[b.Chain]
	for _, in := range b.Inputs {
		if c.kept[in] == b.ID {
			s.unkeep(c, b, in)
		}
		if c.cancels[in] == b.ID {
			delete(c.cancels, in)
		}
	}
	for _, id := range b.Withdrawals {
		w := s.withdrawals[id]
		w.Batch = ""
		s.touchWithdrawal(w, at, e.Reason)
	}
	delete(s.batches, b.ID)
	s.reckonInputs(b)
	s.openBatches.remove(b)
	s.batchList = slices.DeleteFunc(s.batchList, func(other *Batch) bool { return other == b })
	for i, other := range s.batchList {
		other.index = i
	}
	return nil
}

// assigned ties a batch to its inputs for ever. A row that we did not plan (the
// ledger was lost, or another attestor planned it) is adopted.
func (s *State) assigned(e *Assigned, at time.Time) error {
	b := s.batches[e.Batch]
	if b == nil {
		return s.adopt(e, at)
	}
	switch {
	case b.Assigned != nil:
		return refuse("batch %s is assigned already", e.Batch)
	case !b.Is(e.Chain, e.BatchKind, e.Withdrawals, e.Inputs):
		return refuse("batch %s was assigned otherwise than planned", e.Batch)
	}
	b.Assigned = e
	s.touchBatch(b, at, "")
	return nil
}

// Is says whether a batch is what its parts say.
func (b *Batch) Is(chain chains.ID, kind string, withdrawals []string, inputs []chains.Outpoint) bool {
	return chain == b.Chain && kind == b.Kind && sameSet(withdrawals, b.Withdrawals) && slices.Equal(sortedOutpoints(inputs), b.Inputs)
}

func (s *State) adopt(e *Assigned, at time.Time) error {
	c, err := s.chain(e.Chain)
	if err != nil {
		return err
	}
	for _, id := range e.Withdrawals {
		if w := s.withdrawals[id]; w == nil || w.Batch != "" || w.Returned != nil {
			return refuse("withdrawal %s of adopted batch %s", id, e.Batch)
		}
	}
	for _, in := range e.Inputs {
		other := s.batches[c.kept[in]]
		if other == nil || other.Released != nil && !c.Accounts() {
			continue
		}
		if (other.Kind == BatchCancel) == (e.BatchKind == BatchCancel) || c.cancels[in] != "" {
			return refuse("%s is kept for %s and assigned to %s", DepositID(c.ID, in), other.ID, e.Batch)
		}
	}
	for _, id := range e.Withdrawals {
		s.withdrawals[id].Parked = nil
	}
	b := &Batch{ID: e.Batch, Chain: e.Chain, Kind: e.BatchKind, Withdrawals: e.Withdrawals, Inputs: e.Inputs, Assigned: e}
	b.Token, b.Value = s.taken(b.Kind, b.Withdrawals, "", chains.Amount{})
	s.addBatch(b)
	s.touchBatch(b, at, "assigned as batch "+b.ID)
	for _, in := range b.Inputs {
		if tx := c.spender(in); tx != nil {
			s.recognise(c, tx, at)
		}
	}
	return nil
}

func (s *State) replanned(e *Replanned, at time.Time) error {
	b := s.batches[e.Batch]
	if b == nil || b.Assigned == nil || b.Plan != nil || b.Decided() != nil || b.Released != nil {
		return refuse("batch %s cannot be planned again", e.Batch)
	}
	b.Plan, b.Fee, b.Pending = e.Plan, e.Fee, true
	b.Token, b.Value = s.taken(b.Kind, b.Withdrawals, e.Token, e.Value)
	s.touchBatch(b, at, "")
	return nil
}

func (s *State) settling(e *Settling, at time.Time) error {
	b := s.batches[e.Batch]
	if b == nil || !s.Owes(b) || b.Decided().TxID != e.TxID {
		return refuse("batch %s cannot be settled by %s", e.Batch, e.TxID)
	}
	b.Settling = e
	s.touchBatch(b, at, "")
	return nil
}

func (s *State) settled(e *Settled, at time.Time) error {
	b := s.batches[e.Batch]
	if b == nil || b.Settled != nil || b.Assigned == nil {
		return refuse("batch %s cannot be settled", e.Batch)
	}
	b.Settled = e
	s.touchBatch(b, at, e.TxID)
	return nil
}

// releasing books the intent to release a batch, which must be dead.
func (s *State) releasing(e *Releasing, at time.Time) error {
	b := s.batches[e.Batch]
	if b == nil || b.Assigned == nil || b.Settled != nil || b.Released != nil || b.Releasing != nil && b.Releasing.Proof == e.Proof {
		return refuse("batch %s cannot be released", e.Batch)
	}
	if proof, dead := s.Dead(b); !dead || proof != e.Proof {
		return refuse("batch %s is not dead by %q", e.Batch, e.Proof)
	}
	b.Releasing = e
	s.touchBatch(b, at, e.Proof)
	return nil
}

// released books the proof that a batch is dead. What was settled is not.
func (s *State) released(e *Released, at time.Time) error {
	b := s.batches[e.Batch]
	if b == nil || b.Assigned == nil || b.Settled != nil || b.Released != nil {
		return refuse("batch %s cannot be released", e.Batch)
	}
	b.Released = e
	s.reckonInputs(b)
	s.touchBatch(b, at, e.Reason)
	return nil
}

// MinedFee is the miner fee, or the gas, of the transaction of the chain that a batch
// became, if only to fail.
func (s *State) MinedFee(b *Batch) (chains.Amount, error) {
	switch tx := b.Decided(); {
	case tx == nil:
		return chains.Amount{}, fmt.Errorf("pegs: batch %s is not in the chain", b.ID)
	case tx.Result != nil:
		return tx.Result.Fee, nil
	}
	for _, v := range b.Variants {
		if v.TxID == b.Mined.TxID {
			return v.Fee, nil
		}
	}
	// Not one of the variants we know: adopted, or its txid was changed on the
	// way. What it pays is known all the same.
	c := s.chains[b.Chain]
	var in, out chains.Amount
	for _, o := range b.Inputs {
		prev := c.outputs[o]
		if prev == nil {
			return chains.Amount{}, fmt.Errorf("pegs: input %s of batch %s is not known", DepositID(c.ID, o), b.ID)
		}
		in = addAmount(in, prev.Amount)
	}
	for _, id := range b.Withdrawals {
		out = addAmount(out, s.withdrawals[id].Amount)
	}
	for _, o := range c.made[b.Mined.TxID] {
		out = addAmount(out, o.Amount)
	}
	return in.Sub(out)
}

func sameSet(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}

// UnsettledFees is what the miner fees of a chain's batches come to that the
// sidechain has not charged yet, but for that of one batch.
func (s *State) UnsettledFees(chain chains.ID, but string) chains.Amount {
	var sum chains.Amount
	for _, b := range s.openBatchesOf(chain) {
		if b.Settled != nil || b.Charged != nil || b.ID == but {
			continue
		}
		fee := b.Fee
		if newest := b.Newest(); newest != nil && fee.Less(newest.Fee) {
			fee = newest.Fee // of a plan that is not known
		}
		if mined, err := s.MinedFee(b); err == nil {
			fee = mined
		}
		sum = addAmount(sum, fee)
	}
	return sum
}
