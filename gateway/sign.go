package gateway

import (
	"cmp"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/internal/failpoint"
	"causeway/pegs"
)

// replan takes up the batches that the sidechain assigned and that we know only
// from its rows: with the bytes that the signer remembers, or else with a new
// plan of the same inputs and the same payees.
func (p *payer) replan(ctx context.Context) error {
	var waiting []string
	if err := p.ledger.View(func(s *pegs.State) {
		for _, b := range s.ToReplan(p.id) {
			waiting = append(waiting, b.ID)
		}
	}); err != nil || len(waiting) == 0 {
		return err
	}
	rate := p.feeRate(ctx)
	var errs []error
	for _, id := range waiting {
		if err := p.replanOne(ctx, id, rate); err != nil {
			errs = append(errs, fmt.Errorf("plan batch %s again: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

func (p *payer) replanOne(ctx context.Context, id string, rate chains.FeeRate) error {
	if err := p.recall(ctx, id); err != nil {
		return err
	}
	return p.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		b, ok := s.Batch(id)
		if !ok || b.Plan != nil || decided(b) || len(b.Variants) > 0 {
			return nil, nil
		}
		plan, err := p.planAgain(s, b, rate)
		if err != nil {
			for _, w := range b.Withdrawals {
				p.notes.set(w, "waits: "+err.Error())
			}
			return nil, err
		}
		text, err := json.Marshal(plan)
		if err != nil {
			return nil, err
		}
		return []Entry{{Event: &pegs.Replanned{Batch: id, Fee: plan.Fee, Plan: text}}}, nil
	})
}

// planAgain lays out a transaction of exactly the batch's inputs. Depth is no
// question any more: they were assigned.
func (p *payer) planAgain(s *pegs.State, b *pegs.Batch, rate chains.FeeRate) (*hotwallet.Plan, error) {
	asset, ok := s.NativeAsset(p.id)
	if !ok {
		return nil, fmt.Errorf("gateway: batch %s: the chain has no asset", b.ID)
	}
	limit, err := asset.Amount(asset.FeeMax)
	if err != nil {
		return nil, err
	}
	in, err := p.exactly(s, b)
	if err != nil {
		return nil, err
	}
	with, err := p.planInput(s, rate, limit)
	if err != nil {
		return nil, err
	}
	in.FeeRate, in.Caps, in.LockTime = with.FeeRate, with.Caps, with.LockTime
	return hotwallet.PlanExactly(in)
}

// exactly is the part of a plan's input that a batch alone decides: its coins, its
// payees and where its change goes.
func (p *payer) exactly(s *pegs.State, b *pegs.Batch) (in hotwallet.PlanInput, err error) {
	c, _ := s.Chain(p.id)
	in.Chain, in.Batch = p.Coin, b.ID
	if in.ChangeScript, err = c.ChangeScript(); err != nil {
		return in, err
	}
	var queue []*pegs.Withdrawal
	for _, id := range b.Withdrawals {
		w, _ := s.Withdrawal(id)
		if w.Script == "" {
			script, reason := p.payable(s, w)
			if reason != "" {
				return in, errors.New(reason)
			}
			copied := *w
			copied.Script = hex.EncodeToString(script)
			w = &copied
		}
		queue = append(queue, w)
	}
	if in.Payees, err = payeesOf(queue); err != nil {
		return in, err
	}
	for _, o := range b.Inputs {
		out, ok := c.Output(o)
		if !ok || out.Spent != nil {
			return in, fmt.Errorf("gateway: input %s is not there", hotwallet.SpendText(o))
		}
		coin, err := coinOf(pegs.Coin{Output: out, Depth: c.Depth(out.In)})
		if err != nil {
			return in, err
		}
		in.Coins = append(in.Coins, coin)
	}
	return in, nil
}

// sign asks for the signatures of assigned batches and makes the bytes durable.
func (p *office) sign(ctx context.Context) error {
	var ready []string
	if err := p.ledger.View(func(s *pegs.State) {
		for _, b := range s.ToSign(p.id) {
			if p.recalled.tried(b.ID) {
				ready = append(ready, b.ID)
			}
		}
	}); err != nil {
		return err
	}
	var errs []error
	for _, id := range ready {
		if err := p.signOne(ctx, id); err != nil {
			errs = append(errs, fmt.Errorf("sign batch %s: %w", id, err))
		}
	}
	return errors.Join(errs...)
}

func (p *office) signOne(ctx context.Context, batch string) error {
	request, err := p.papers.request(batch)
	if err != nil {
		return err
	}
	waits, err := p.prover.show(ctx, &request)
	if err != nil || waits != "" {
		p.wait(request.Withdrawals, cmp.Or(waits, "waits: the rows cannot be proven"))
		return err
	}
	if err := p.papers.complete(ctx, &request); err != nil {
		return err
	}
	p.hook("C12")
	signed, err := p.signature(ctx, request)
	p.hook("C13")
	if errors.Is(err, errHalted) {
		return nil
	}
	if errors.Is(err, hotwallet.ErrRollback) {
		return err
	}
	if errors.Is(err, hotwallet.ErrStale) {
		p.prover.forget(batch)
	}
	if errors.Is(err, hotwallet.ErrRefused) {
		p.log.Error("the signer refuses", "batch", batch, "error", err)
		p.limits.forget()
		return errors.Join(err, setHalt(ctx, p.ledger, p.id, causeSigner, "batch "+batch+": "+err.Error(), pegs.ScopePayouts))
	}
	if err != nil { // unknown: the same request gives the same bytes later
		p.wait(request.Withdrawals, "waits for the signer: "+err.Error())
		return err
	}
	p.prover.forget(batch)
	event, err := p.papers.signedEvent(batch, signed)
	if err != nil {
		return err
	}
	p.hook("C14")
	if failpoint.Off(failpoint.DurableBeforeBroadcast) {
		_, _ = p.chain.broadcast(ctx, signed.Raw)
	}
	err = p.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		// Bytes that exist are booked whatever the chain says by now.
		b, ok := s.Batch(batch)
		if !ok || !b.Learns() || slices.ContainsFunc(b.Variants, func(v pegs.Signed) bool { return v.TxID == event.TxID }) {
			return nil, nil
		}
		return []Entry{{Event: event}}, nil
	})
	p.hook("C15")
	if err == nil {
		p.log.Info("payout signed", "batch", batch, "txid", signed.TxID, "fee", signed.Fee.String())
	}
	return err
}

// signature asks for the signature of a batch, unless it is forbidden by now: no
// halt becomes durable while the signer is asked.
func (p *office) signature(ctx context.Context, r hotwallet.SignRequest) (hotwallet.Signed, error) {
	defer p.ledger.act(p.id)()
	may := false
	if err := p.ledger.View(func(s *pegs.State) {
		b, ok := s.Batch(r.Assign.Batch)
		may = ok && s.PaysOut(p.id) && s.Signable(b)
	}); err != nil {
		return hotwallet.Signed{}, err
	}
	if !may {
		return hotwallet.Signed{}, errHalted
	}
	return p.signer.Sign(ctx, r)
}

// wait notes why withdrawals of a batch are not signed yet.
func (p *office) wait(list []hotwallet.Withdrawal, why string) {
	for _, w := range list {
		p.notes.set(w.ID, why)
	}
}

// decided says whether the chain has spent an input of a batch by now, with or
// without us.
func decided(b *pegs.Batch) bool { return b.Decided() != nil || b.Conflict != "" }

// request puts together what the signer wants to see, but for the previous
// transactions.
func (p *payer) request(batch string) (r hotwallet.SignRequest, err error) {
	var plan hotwallet.Plan
	var text json.RawMessage
	var withdrawals []string
	var epochs []pegs.EpochAdded
	if err := p.ledger.View(func(s *pegs.State) {
		if b, ok := s.Batch(batch); ok {
			text, withdrawals = b.Plan, b.Withdrawals
		}
		c, _ := s.Chain(p.id)
		epochs, r.Counter = slices.Clone(c.Epochs), s.SignerCounter()
		r.Deaths = deathsOf(s, batch)
	}); err != nil {
		return r, err
	}
	if err := json.Unmarshal(text, &plan); err != nil {
		return r, err
	}
	r.Unsigned = plan.Unsigned
	for _, e := range epochs {
		for _, script := range e.Scripts {
			if script.Script == hex.EncodeToString(plan.ChangeScript) {
				r.ChangeEpoch = e.Epoch
			}
		}
	}
	for _, in := range plan.Inputs {
		r.Inputs = append(r.Inputs, hotwallet.SignInput{Outpoint: in.Outpoint, Watch: in.Watch})
	}
	err = p.sidechain.View(func(v SideState) error {
		row, ok, err := v.Batch(batch)
		if err != nil {
			return err
		}
		if !ok && failpoint.Off(failpoint.AssignBeforeSign) {
			row, ok = BatchRow{Batch: batch, Chain: p.id, Kind: pegs.BatchPayout, IDs: withdrawals, Spends: outpointsOf(plan), State: hotwallet.AssignOpen}, true
		}
		if !ok {
			return fmt.Errorf("%w: batch %s is not assigned", ErrOlderBase, batch)
		}
		r.Assign = row.assign()
		for _, id := range withdrawals {
			w, ok := v.Withdrawal(id)
			if !ok {
				return fmt.Errorf("%w: withdrawal %s is not there", ErrOlderBase, id)
			}
			if failpoint.Off(failpoint.AssignBeforeSign) {
				w.State, w.Batch = hotwallet.WithdrawalAssigned, batch
			}
			r.Withdrawals = append(r.Withdrawals, w.request())
		}
		return nil
	})
	return r, err
}

// deathsOf lists the dead batches that inputs of a batch were promised to.
func deathsOf(s *pegs.State, batch string) (list []hotwallet.Death) {
	b, ok := s.Batch(batch)
	if !ok {
		return nil
	}
	for _, d := range s.Deaths(b) {
		list = append(list, hotwallet.Death(d))
	}
	return list
}

// assign is the row as the signer reads it.
func (row *BatchRow) assign() hotwallet.Assign {
	return hotwallet.Assign{
		Batch: row.Batch, Chain: row.Chain, Kind: hotwallet.Kind(row.Kind), IDs: row.IDs,
		Spends: spendTexts(row.Spends), State: row.State,
	}
}

// request is the row as the signer reads it.
func (w *WithdrawalRow) request() hotwallet.Withdrawal {
	return hotwallet.Withdrawal{ID: w.ID, Symbol: w.Symbol, Chain: w.Chain, Address: w.Address, Net: w.Net, State: w.State, Batch: w.Batch}
}

func outpointsOf(plan hotwallet.Plan) []chains.Outpoint {
	list := make([]chains.Outpoint, len(plan.Inputs))
	for i, in := range plan.Inputs {
		list[i] = in.Outpoint
	}
	return list
}

// signedEvent reads from the bytes themselves what they do.
func (p *payer) signedEvent(batch string, signed hotwallet.Signed) (*pegs.Signed, error) {
	txid, outputs, _, err := p.Coin.DecodeTransaction(signed.Raw)
	if err != nil {
		return nil, err
	}
	if txid != signed.TxID {
		return nil, fmt.Errorf("gateway: the signer names %s as %s", txid, signed.TxID)
	}
	_, _, vsize, err := p.Coin.TransactionIDs(signed.Raw)
	if err != nil {
		return nil, err
	}
	event := &pegs.Signed{Batch: batch, TxID: txid, Raw: signed.Raw, Fee: signed.Fee, VSize: vsize, Counter: signed.Counter}
	for _, out := range outputs {
		// A payee never has a script of this kind: such withdrawals are parked.
		if watch, ok := p.follower.set.Lookup(out.Script); ok && watch.Kind != chains.WatchDeposit {
			event.Change = append(event.Change, paymentOf(chains.Payment{Output: out, Watch: watch}))
		}
	}
	return event, nil
}
