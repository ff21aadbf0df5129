package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"slices"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/pegs"
)

// CodeConflict refuses an order that what happened before leaves no room for.
const CodeConflict = "conflict"

// Claim has a deposit minted that is not minted by itself (held, below the
// minimum, unclaimed), to the account that its address belongs to, by order of a
// person. It goes the way of every mint under its own id, once: a second order is
// CodeConflict.
func (g *Gateway) Claim(ctx context.Context, depositID, author, reason string) error {
	if err := signedOrder(reason, author); err != nil {
		return err
	}
	return g.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		d, ok := s.Deposit(depositID)
		if !ok {
			return nil, refuse(CodeNotFound, "no deposit %q", clip(depositID))
		}
		if _, _, _, err := s.Claimable(d); err != nil {
			return nil, refuse(CodeConflict, "deposit %s: %v", d.ID, err)
		}
		return []Entry{{Event: &pegs.Claimed{Deposit: d.ID, Author: author, Reason: reason}}}, nil
	})
}

// Acknowledge records that a person has looked at what the ledger is alarmed about of
// a transaction. It gives no cause to halt any more, so that a chain that is resumed
// stays resumed; whatever else happens, to the same transaction too, is a new alarm.
func (g *Gateway) Acknowledge(ctx context.Context, chain chains.ID, txid, author, reason string) error {
	if g.served(chain) == nil {
		return refuse(CodeUnknownChain, "chain %q is not served here", clip(string(chain)))
	}
	if err := signedOrder(reason, author); err != nil {
		return err
	}
	return g.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		facts := s.Facts(chain, txid)
		if len(facts) == 0 {
			return nil, refuse(CodeNotFound, "there is no alarm about transaction %q", clip(txid))
		}
		return []Entry{{Event: &pegs.Acknowledged{Chain: chain, TxID: txid, Facts: facts, Author: author, Reason: reason}}}, nil
	})
}

// Cancel plans a transaction that takes the inputs of a batch, by order of a
// person. Either a variant of the batch is mined and its withdrawals are paid, or
// the cancel is: then the batch is dead, is released, and the tokens of its
// withdrawals are given back. What rests on the batch dies with it and is given back
// as well. A batch that is assigned and cannot be signed is ended in the same way.
func (g *Gateway) Cancel(ctx context.Context, batch, author, reason string) error {
	if err := signedOrder(reason, author); err != nil {
		return err
	}
	var chain chains.ID
	if err := g.ledger.View(func(s *pegs.State) {
		if b, ok := s.Batch(batch); ok {
			chain = b.Chain
		}
	}); err != nil {
		return err
	}
	f, ok := g.served(chain).(*follower)
	if !ok {
		return refuse(CodeNotFound, "no batch %q", clip(batch))
	}
	p := newPayer(g, f)
	if !f.caughtUp() {
		return refuse(CodeUnavailable, "the chain was not read to its end yet")
	}
	if err := p.recall(ctx, batch); err != nil {
		return err
	}
	budget, err := p.feeBudget("")
	if err != nil {
		return err
	}
	rate := p.feeRate(ctx)
	return p.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		entries, err := p.cancel(s, batch, rate, budget, author, reason)
		var why *hotwallet.PlanError
		if errors.As(err, &why) && why.Kind != hotwallet.ErrBadPlan {
			return nil, refuse(CodeConflict, "batch %s cannot be cancelled now: %v", batch, why)
		}
		return entries, err
	})
}

// cancel is the intent of a cancel. The smallest coin that is worth its input is
// what tells it from the batch.
func (p *payer) cancel(s *pegs.State, batch string, rate chains.FeeRate, budget chains.Amount, author, reason string) ([]Entry, error) {
	b, ok := s.Batch(batch)
	switch {
	case !ok || !s.Cancellable(b):
		return nil, refuse(CodeConflict, "batch %q cannot be cancelled: it is decided, or not assigned, or cancelled already", clip(batch))
	case !s.PaysOut(p.id):
		return nil, refuse(CodeHalted, "payouts of %s are halted", p.id)
	}
	c, _ := s.Chain(p.id)
	for _, o := range b.Inputs {
		if out, ok := c.Output(o); !ok || out.In == nil {
			return nil, refuse(CodeConflict, "input %s of the batch is in no block", hotwallet.SpendText(o))
		}
	}
	previous, evicted, err := p.replaced(s, b)
	if err != nil {
		return nil, err
	}
	in, err := p.planInput(s, rate, budget)
	if err != nil {
		return nil, err
	}
	input := hotwallet.CancelInput{
		Chain: p.Coin, Batch: planLabel, Previous: previous, Evicted: evicted, FeeRate: rate, Increment: p.Coin.Facts().RelayStep,
		Caps: in.Caps, LockTime: in.LockTime, ChangeScript: in.ChangeScript, MaxInputs: maxInputs(nil),
	}
	coins := slices.DeleteFunc(s.Spendable(p.id), func(coin pegs.Coin) bool { return coin.Depth == 0 })
	slices.SortStableFunc(coins, func(x, y pegs.Coin) int { return x.Amount.Cmp(y.Amount) })
	if len(coins) == 0 {
		return nil, refuse(CodeConflict, "batch %s cannot be cancelled now: there is no other confirmed coin", batch)
	}
	for _, coin := range coins {
		if input.Extra, err = coinOf(coin); err != nil {
			return nil, err
		}
		var plan *hotwallet.Plan
		if plan, err = hotwallet.Cancel(input); err == nil {
			return p.cancelled(plan, author, reason)
		}
	}
	return nil, err
}

// replaced is what a cancel takes the place of: the newest variant of a batch, or
// its inputs when nothing was signed, and what those pay that rest on it.
func (p *payer) replaced(s *pegs.State, b *pegs.Batch) (previous *hotwallet.Plan, evicted chains.Amount, err error) {
	for _, resting := range s.Resting(b) {
		if evicted, err = evicted.Add(resting.Newest().Fee); err != nil {
			return nil, evicted, err
		}
	}
	if len(b.Variants) > 0 {
		previous, err = p.planOf(s, b)
		return previous, evicted, err
	}
	in, err := p.exactly(s, b)
	return &hotwallet.Plan{Inputs: in.Coins}, evicted, err
}

func (p *payer) cancelled(plan *hotwallet.Plan, author, reason string) ([]Entry, error) {
	event, err := p.intent(pegs.BatchCancel, nil, plan)
	if err != nil {
		return nil, err
	}
	event.Author, event.Reason = author, reason
	event.Plan, err = json.Marshal(plan)
	return []Entry{{Event: event}}, err
}
