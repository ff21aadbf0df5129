package gateway

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"

	"causeway/chains"
	"causeway/chains/ethereum"
	"causeway/pegs"
)

// stuckAfter is for how many blocks a transaction whose turn it is may wait before
// it is made dearer.
const stuckAfter = 5

// stuckSince is since which block of the nodes a batch is the next of its account
// and not mined, and which variant it is.
type stuckSince struct {
	height uint64
	txid   string
}

// waitingBatch is a signed batch in no block.
type waitingBatch struct {
	id, kind    string
	withdrawals []string
	newest      *ethereum.Signed
}

// lift makes dearer what was not mined for some blocks although it is the next of
// its account. The others wait for it alone.
func (p *accountPayer) lift(ctx context.Context) error {
	var list []waitingBatch
	var err error
	if view := p.ledger.View(func(s *pegs.State) {
		for _, b := range s.ToLift(p.id) {
			tx, bad := ethereum.Decode(b.Newest().Raw)
			if bad != nil {
				err = bad
				return
			}
			list = append(list, waitingBatch{b.ID, b.Kind, b.Withdrawals, tx})
		}
	}); view != nil || err != nil {
		return errors.Join(view, err)
	}
	if len(list) == 0 || !p.follower.caughtUp() {
		clear(p.stuck)
		return nil
	}
	next, head, err := p.nextNonces(ctx, list)
	if err != nil {
		return err
	}
	stuck := map[string]stuckSince{}
	var errs []error
	for _, b := range list {
		if b.newest.Nonce != next[b.newest.From] {
			continue
		}
		since, ok := p.stuck[b.id]
		if txid := b.newest.Hash.String(); !ok || since.txid != txid {
			since = stuckSince{head, txid}
		}
		stuck[b.id] = since
		if head >= since.height+stuckAfter {
			if err := p.liftOne(ctx, b); err != nil {
				errs = append(errs, fmt.Errorf("lift batch %s: %w", b.id, err))
			}
		}
	}
	p.stuck = stuck
	return errors.Join(errs...)
}

// nextNonces are the nonces that accounts use next, in the nodes' newest block.
func (p *accountPayer) nextNonces(ctx context.Context, list []waitingBatch) (next map[ethereum.Address]uint64, height uint64, err error) {
	head, err := p.Accounts.Nodes.Head(ctx, ethereum.Latest)
	if err != nil {
		return nil, 0, err
	}
	block, err := ethereum.ParseHash(head.Hash)
	if err != nil {
		return nil, 0, err
	}
	next = map[ethereum.Address]uint64{}
	var accounts []ethereum.Address
	for _, b := range list {
		if !slices.Contains(accounts, b.newest.From) {
			accounts = append(accounts, b.newest.From)
		}
	}
	nonces, err := p.Accounts.Nodes.Nonces(ctx, block, accounts)
	if err != nil {
		return nil, 0, err
	}
	for i, a := range accounts {
		next[a] = nonces[i]
	}
	return next, head.Height, nil
}

// liftOne is the intent of a further variant of a batch: the same nonce, the same
// payment, a higher price.
func (p *accountPayer) liftOne(ctx context.Context, b waitingBatch) error {
	if err := p.recall(ctx, b.id); err != nil {
		return err
	}
	t, err := p.terms(ctx, b.id)
	if err != nil {
		return err
	}
	plan := accountPlan{Transaction: b.newest.Transaction, From: b.newest.From}
	if plan.Price, err = p.Accounts.Fees.Replace(b.newest.Price, t.market); err != nil {
		p.unlifted(b, err.Error())
		return nil
	}
	if watch, ours := p.follower.owner(plan.To); ours && b.kind == pegs.BatchTopup {
		plan.Payee = &watch
	}
	text, fee, err := plan.seal()
	if err != nil {
		return err
	}
	before, err := feeOf(b.newest.Gas, b.newest.Price)
	if err != nil {
		return err
	}
	coins, _, _, _, err := p.holds(keyOf(plan.From), "")
	if err != nil {
		return err
	}
	if t.budget.Less(fee) || coins.Less(restOf(fee, before)) {
		p.unlifted(b, fmt.Sprintf("a fee of %s is more than there is for it", p.coin(fee, "")))
		return nil
	}
	p.hook("C21")
	lifted := false
	err = p.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		batch, ok := s.Batch(b.id)
		if !ok || !slices.Contains(s.ToLift(p.id), batch) || batch.Newest().TxID != b.newest.Hash.String() {
			return nil, nil
		}
		lifted = true
		return []Entry{{Event: &pegs.Bumped{Batch: b.id, Fee: fee, Plan: text}}}, nil
	})
	if lifted && err == nil {
		p.hook("C21")
		p.log.Info("batch bumped", "batch", b.id, "fee", fee.String(), "before", before.String())
		for _, id := range b.withdrawals {
			p.notes.set(id, "")
		}
	}
	return err
}

// unlifted says that a batch stays as it is.
func (p *accountPayer) unlifted(b waitingBatch, why string) {
	note := "the payout waits for a block, and its fee is at its limit: " + why
	for _, id := range b.withdrawals {
		if p.notes.get(id) != note {
			p.log.Warn("a payout is stuck at its budget", "batch", b.id, "withdrawal", id, "reason", why)
		}
		p.notes.set(id, note)
	}
}

// replan takes up the batches that the sidechain assigned and that we know only from
// its rows: with the bytes that the signer remembers, or else with a new plan for the
// same nonce. A nonce that was assigned must be used, or none above it can be.
func (p *accountPayer) replan(ctx context.Context) error {
	var waiting []pegs.Batch
	if err := p.ledger.View(func(s *pegs.State) {
		for _, b := range s.ToReplan(p.id) {
			waiting = append(waiting, *b)
		}
	}); err != nil || len(waiting) == 0 || !p.follower.caughtUp() {
		return err
	}
	t, err := p.terms(ctx, "")
	if err != nil {
		return err
	}
	var errs []error
	for i := range waiting {
		if err := p.replanOne(ctx, &waiting[i], t); err != nil {
			errs = append(errs, fmt.Errorf("plan batch %s again: %w", waiting[i].ID, err))
		}
	}
	return errors.Join(errs...)
}

func (p *accountPayer) replanOne(ctx context.Context, b *pegs.Batch, t terms) error {
	if err := p.recall(ctx, b.ID); err != nil {
		return err
	}
	plan, err := p.planAgain(ctx, b, t)
	if err != nil {
		for _, id := range b.Withdrawals {
			p.notes.set(id, "waits: "+err.Error())
		}
		return err
	}
	text, fee, err := plan.seal()
	if err != nil {
		return err
	}
	token, value := plan.moves()
	return p.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		now, ok := s.Batch(b.ID)
		if !ok || now.Plan != nil || now.Decided() != nil || now.Conflict != "" || len(now.Variants) > 0 {
			return nil, nil
		}
		return []Entry{{Event: &pegs.Replanned{Batch: b.ID, Fee: fee, Plan: text, Token: token, Value: value}}}, nil
	})
}

// planAgain is what an adopted batch is to sign. Of a payout its row says it; what a
// sweep or a top-up was to bring nobody knows any more, and it brings nothing.
func (p *accountPayer) planAgain(ctx context.Context, b *pegs.Batch, t terms) (plan accountPlan, err error) {
	if plan.From, err = ethereum.ParseAddress(b.Inputs[0].TxID); err != nil {
		return plan, err
	}
	switch b.Kind {
	case pegs.BatchPayout:
		plan.Transaction, err = p.paidAgain(ctx, b, plan.From)
	case pegs.BatchSweep:
		plan.Gas = ethereum.PlainGas
		plan.To, _, err = p.own(chains.WatchChange)
	case pegs.BatchTopup:
		plan.Gas = ethereum.PlainGas
		plan.To, _, err = p.own(chains.WatchSweeper)
		watch, _ := p.follower.owner(plan.To)
		plan.Payee = &watch
		if plan.To == plan.From { // else it reads like a cancel
			plan.Value = ethereum.NewWei(1)
		}
	default:
		err = fmt.Errorf("gateway: a batch of kind %s", b.Kind)
	}
	plan.ChainID, plan.Nonce, plan.Price = p.Accounts.ChainID, uint64(b.Inputs[0].Index), t.price
	return plan, err
}

// paidAgain is the payment of an adopted payout. One whose payee does not take it is
// signed all the same, with the most gas: it fails, and is given back.
func (p *accountPayer) paidAgain(ctx context.Context, b *pegs.Batch, from ethereum.Address) (tx ethereum.Transaction, err error) {
	if len(b.Withdrawals) != 1 {
		return tx, fmt.Errorf("gateway: payout %s of %d withdrawals", b.ID, len(b.Withdrawals))
	}
	var w pegs.Withdrawal
	reason := ""
	if err := p.ledger.View(func(s *pegs.State) {
		known, _ := s.Withdrawal(b.Withdrawals[0])
		w = *known
		if w.Script == "" {
			var script []byte
			script, reason = p.payable(s, known)
			w.Script = hex.EncodeToString(script)
		}
	}); err != nil {
		return tx, err
	}
	if reason != "" {
		return tx, errors.New(reason)
	}
	if tx, err = p.payment(&w); err != nil {
		return tx, err
	}
	tx.Gas, err = p.Accounts.Nodes.Gas(ctx, from, tx)
	if errors.Is(err, ethereum.ErrReverts) || errors.Is(err, ethereum.ErrGasCap) {
		tx.Gas, err = max(ethereum.PayeeGasCap, ethereum.TokenGasCap), nil
	}
	return tx, err
}
