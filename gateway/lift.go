package gateway

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/pegs"
)

// bumpAfter is for how many blocks a transaction may wait before it is made
// dearer. No new payout rests on one that waits so long.
const bumpAfter = 3

// stuck is a batch in no block on which nothing else rests.
type stuck struct {
	batch string
	pack  pegs.Package
	waits uint64
}

// lift makes dearer what was not mined for long, or pays far less than is asked
// for by now.
func (p *payer) lift(ctx context.Context) error {
	var list []stuck
	if err := p.ledger.View(func(s *pegs.State) {
		for _, b := range s.ToLift(p.id) {
			if pack, ok := s.Package(b); ok && s.Waits(b) > 0 {
				list = append(list, stuck{b.ID, pack, s.Waits(b)})
			}
		}
	}); err != nil || len(list) == 0 || !p.follower.caughtUp() {
		return err
	}
	asked := p.feeRate(ctx)
	var errs []error
	for _, b := range list {
		if rate, due := b.dearer(asked); due {
			if err := p.liftOne(ctx, b, min(rate, p.maxRate())); err != nil {
				errs = append(errs, fmt.Errorf("lift batch %s: %w", b.batch, err))
			}
		}
	}
	return errors.Join(errs...)
}

// dearer is the rate that a batch should pay, and whether it is time: a quarter
// more, or what is asked for, after some blocks; at the next block when half as
// much again is asked for.
func (b stuck) dearer(asked chains.FeeRate) (rate chains.FeeRate, due bool) {
	pays := rateOf(b.pack.Fee, b.pack.VSize) // with its ancestors
	switch {
	case b.waits >= bumpAfter:
		return max(asked, pays+pays/4), true
	case asked >= pays+pays/2:
		return asked, true
	}
	return 0, false
}

func (p *payer) liftOne(ctx context.Context, b stuck, rate chains.FeeRate) error {
	if err := p.recall(ctx, b.batch); err != nil {
		return err
	}
	replaced := b.batch
	if !p.Coin.Facts().Replaceable {
		replaced = "" // a child's fee comes on top
	}
	budget, err := p.feeBudget(replaced)
	if err != nil {
		return err
	}
	p.hook("C21")
	lifted := false
	err = p.ledger.Do(ctx, func(s *pegs.State) (entries []Entry, err error) {
		batch, ok := s.Batch(b.batch)
		if !ok || !slices.Contains(s.ToLift(p.id), batch) {
			return nil, nil
		}
		if p.Coin.Facts().Replaceable {
			entries, err = p.bump(s, batch, b, rate, budget)
		} else {
			entries, err = p.child(s, batch, b, rate, budget)
		}
		lifted = len(entries) > 0
		var why *hotwallet.PlanError
		if errors.As(err, &why) && why.Kind != hotwallet.ErrBadPlan {
			p.unlifted(batch, why)
			return nil, nil
		}
		return entries, err
	})
	if lifted {
		p.hook("C21")
	}
	return err
}

// unlifted says that a batch stays as it is: no payee is shaved for its fee.
func (p *payer) unlifted(b *pegs.Batch, why *hotwallet.PlanError) {
	note := "the payout waits for a block, and its fee is at its limit: " + why.Error()
	for _, id := range b.Withdrawals {
		if p.notes.get(id) != note {
			p.log.Warn("a payout is stuck at its budget", "batch", b.ID, "withdrawal", id, "reason", why.Error())
		}
		p.notes.set(id, note)
	}
}

// bump is the intent of a further variant of a batch.
func (p *payer) bump(s *pegs.State, batch *pegs.Batch, b stuck, rate chains.FeeRate, budget chains.Amount) ([]Entry, error) {
	previous, err := p.planOf(s, batch)
	if err != nil {
		return nil, err
	}
	in, err := p.planInput(s, rate, budget)
	if err != nil {
		return nil, err
	}
	input := hotwallet.BumpInput{
		Chain: p.Coin, Previous: previous, FeeRate: rate, Increment: p.Coin.Facts().RelayStep, Caps: in.Caps,
		Unconfirmed: b.below(batch),
	}
	plan, err := hotwallet.Bump(input)
	if affordable := rateOf(in.Caps.MaxFee, previous.VSize); errors.Is(err, hotwallet.ErrFeeCap) && affordable > 0 && affordable < rate {
		input.FeeRate = affordable
		plan, err = hotwallet.Bump(input)
	}
	if err != nil {
		return nil, err
	}
	text, err := json.Marshal(plan)
	if err != nil {
		return nil, err
	}
	for _, id := range batch.Withdrawals {
		p.notes.set(id, "")
	}
	p.log.Info("batch bumped", "batch", batch.ID, "fee", plan.Fee.String(), "before", previous.Fee.String(), "waited", b.waits)
	return []Entry{{Event: &pegs.Bumped{Batch: batch.ID, Fee: plan.Fee, Plan: text}}}, nil
}

// below is the package without the batch itself.
func (b stuck) below(batch *pegs.Batch) hotwallet.Load {
	newest := batch.Newest()
	fee, err := b.pack.Fee.Sub(newest.Fee)
	if err != nil || b.pack.VSize < newest.VSize {
		return hotwallet.Load{}
	}
	return hotwallet.Load{VSize: b.pack.VSize - newest.VSize, Fee: fee}
}

// rateOf is the highest rate at which a size costs no more than a fee.
func rateOf(fee chains.Amount, vsize uint64) chains.FeeRate {
	units, ok := fee.Uint64()
	if !ok || vsize == 0 {
		return 0
	}
	return chains.FeeRate(units/vsize*1000 + units%vsize*1000/vsize)
}

// child is the intent of a batch that spends the change of another one and pays
// for both.
func (p *payer) child(s *pegs.State, batch *pegs.Batch, b stuck, rate chains.FeeRate, budget chains.Amount) ([]Entry, error) {
	for _, coin := range s.Spendable(p.id) {
		if coin.Depth > 0 || coin.Outpoint.TxID != batch.Newest().TxID {
			continue
		}
		c, err := coinOf(coin)
		if err != nil {
			return nil, err
		}
		in, err := p.planInput(s, rate, budget)
		if err != nil {
			return nil, err
		}
		plan, err := hotwallet.Lift(hotwallet.LiftInput{
			Chain: p.Coin, Batch: planLabel, Coin: c, Unconfirmed: hotwallet.Load{VSize: b.pack.VSize, Fee: b.pack.Fee},
			FeeRate: rate, Caps: in.Caps, LockTime: in.LockTime, ChangeScript: in.ChangeScript,
		})
		if err != nil {
			return nil, err
		}
		return p.planned(pegs.BatchChild, nil, plan)
	}
	return nil, &hotwallet.PlanError{Kind: hotwallet.ErrNoChange, Detail: "it has no change that a child could spend"}
}

// planOf is the plan of the newest variant of a batch. One that came from the
// signer's memory has none: what a bump needs of it is known all the same.
func (p *payer) planOf(s *pegs.State, b *pegs.Batch) (*hotwallet.Plan, error) {
	newest := b.Newest()
	if b.Plan != nil && b.Fee == newest.Fee {
		plan := new(hotwallet.Plan)
		err := json.Unmarshal(b.Plan, plan)
		return plan, err
	}
	in, err := p.exactly(s, b)
	if err != nil {
		return nil, err
	}
	plan := &hotwallet.Plan{
		Chain: p.id, Network: p.Coin.Network(), Batch: b.ID, Inputs: in.Coins, ChangeScript: in.ChangeScript,
		Fee: newest.Fee, VSize: newest.VSize, LockTime: binary.LittleEndian.Uint32(newest.Raw[len(newest.Raw)-4:]),
	}
	for _, payee := range in.Payees {
		plan.Outputs = append(plan.Outputs, hotwallet.PlannedOutput{Payee: payee})
	}
	for _, change := range newest.Change {
		plan.Outputs = append(plan.Outputs, hotwallet.PlannedOutput{
			Change: true, Payee: hotwallet.Payee{Script: in.ChangeScript, Amount: change.Amount},
		})
	}
	return plan, nil
}
