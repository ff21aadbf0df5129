package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"causeway/chains"
	"causeway/chains/ethereum"
	"causeway/pegs"
)

// What lies on deposit addresses is brought to the hot account when it is worth it,
// or when somebody waits for it. Coins pay their own way; to a token the sweeper,
// which has nonces of its own so that a stuck sweep holds no payout back, first
// sends the gas. The sweeper is refilled from the hot account.
const (
	// sweepShare is which part of what it brings a sweep of coins may cost at most,
	// sweepAlone which when nobody waits for it: one of so many.
	sweepShare = 20
	sweepAlone = 200
	// sweepsPerStep bounds the sweeps planned at once, heapsPerStep how many are tried.
	sweepsPerStep = 8
	heapsPerStep  = 64
	// topupSpare and refillSpare are how many times what is needed now the sweeper
	// sends, and is sent: prices rise, and more addresses will need it.
	topupSpare  = 2
	refillSpare = 10
)

// heap is what one deposit address has of one asset, all of it free.
type heap struct {
	address ethereum.Address
	token   string
	amount  chains.Amount
	coins   chains.Amount
	nonce   uint64
}

// survey is what is where.
type survey struct {
	heaps  map[string][]heap // by token, largest first
	need   need              // by token
	topped map[string]bool   // accounts that a top-up is on its way to
}

// gather plans sweeps.
func (p *accountPayer) gather(ctx context.Context) error {
	if !p.follower.caughtUp() {
		return nil
	}
	var all survey
	var err error
	open := false
	if view := p.ledger.View(func(s *pegs.State) {
		if open = s.PaysOut(p.id); open {
			all, err = p.survey(s)
		}
	}); view != nil || err != nil || !open || len(all.heaps) == 0 {
		return errors.Join(view, err)
	}
	t, err := p.terms(ctx, "")
	if err != nil {
		return err
	}
	planned, asked := 0, 0
	var errs []error
	for token, heaps := range all.heaps {
		if p.follower.soundToken(token) != "" {
			continue
		}
		short := all.need[token]
		for _, h := range heaps {
			if planned >= sweepsPerStep || asked >= heapsPerStep || !p.worth(h, t, short) {
				break
			}
			asked++
			done, err := p.sweepOne(ctx, h, &t, all.topped)
			if ctx.Err() != nil {
				return ctx.Err()
			}
			if err != nil { // the others are swept all the same
				errs = append(errs, p.stays(h, err))
				continue
			}
			if done {
				planned++
			}
			short = restOf(short, h.amount)
		}
	}
	return errors.Join(errs...)
}

// stays says once that a heap cannot be swept because its token does not let it go.
// Any other error is for the next step.
func (p *accountPayer) stays(h heap, err error) error {
	if !errors.Is(err, ethereum.ErrReverts) && !errors.Is(err, ethereum.ErrGasCap) {
		return err
	}
	if key := h.address.String() + " " + h.token; !p.frozen[key] {
		p.frozen[key] = true
		p.log.Warn("a token cannot be swept from an address", "address", h.address.String(), "token", h.token, "error", err)
	}
	return nil
}

// survey reads from the ledger what lies where, what waits for it, and what is on
// its way.
func (p *accountPayer) survey(s *pegs.State) (all survey, err error) {
	c, _ := s.Chain(p.id)
	all = survey{heaps: map[string][]heap{}, need: need{}, topped: map[string]bool{}}
	for _, held := range c.AccountsHeld() {
		free, _ := s.Free(p.id, held.Address, held.Token)
		nonce, ready := s.NextNonce(p.id, held.Address)
		if held.Kind != chains.WatchDeposit || held.Amount.IsZero() || free != held.Amount || !ready || nonce != held.Nonce && held.Token == "" {
			continue
		}
		h := heap{token: held.Token, amount: free, nonce: nonce}
		var read bool
		if h.coins, read = s.Free(p.id, held.Address, ""); !read {
			continue // gas may have come just now
		}
		if h.address, err = ethereum.ParseAddress(held.Address); err != nil {
			return all, err
		}
		all.heaps[h.token] = append(all.heaps[h.token], h)
	}
	for _, heaps := range all.heaps {
		slices.SortStableFunc(heaps, func(a, b heap) int { return b.amount.Cmp(a.amount) })
	}
	hot, err := c.OwnAddress(chains.WatchChange)
	if err != nil {
		return all, err
	}
	waiting := map[string]chains.Amount{}
	for _, w := range s.ToPlan(p.id) {
		waiting[w.Token] = sumOf(waiting[w.Token], w.Amount)
		waiting[""] = sumOf(waiting[""], p.gasMoney(w.Token))
	}
	for token, sum := range waiting {
		has, _ := s.Free(p.id, hot, token)
		for _, b := range s.OpenBatches(p.id) {
			if b.Kind == pegs.BatchSweep && b.Token == token && b.Decided() == nil {
				has = sumOf(has, b.Value)
			}
		}
		all.need[token] = restOf(sum, has)
	}
	for _, b := range s.OpenBatches(p.id) {
		var plan accountPlan
		if b.Kind == pegs.BatchTopup && b.Decided() == nil && json.Unmarshal(b.Plan, &plan) == nil {
			all.topped[keyOf(plan.To)] = true
		}
	}
	return all, nil
}

// gasMoney is what a payout may burn at most: what the hot account must hold beside
// what it pays.
func (p *accountPayer) gasMoney(token string) chains.Amount {
	gas := uint64(ethereum.PlainGas)
	if token != "" {
		gas = ethereum.TokenGasCap
	}
	fee, err := feeOf(gas, ethereum.Price{Max: p.Accounts.Fees.Max})
	if limit := p.Caps.MaxFee; err != nil || !limit.IsZero() && limit.Less(fee) {
		return limit
	}
	return fee
}

// worth says whether a heap is to be swept: for somebody who waits, or by itself.
// What a token is worth nobody here knows: it is swept for the queue, or from the
// configured amount on.
func (p *accountPayer) worth(h heap, t terms, short chains.Amount) bool {
	if h.token != "" {
		for _, token := range p.Accounts.Tokens {
			if token.key() == h.token {
				return !short.IsZero() || !token.SweepAbove.IsZero() && !h.amount.Less(token.SweepAbove)
			}
		}
		return false
	}
	share := int64(sweepAlone)
	if !short.IsZero() {
		share = sweepShare
	} else if h.amount.Less(p.Accounts.SweepAbove) {
		return false
	}
	fee, err := feeOf(ethereum.PlainGas, t.price)
	return err == nil && new(big.Int).Mul(fee.Big(), big.NewInt(share)).Cmp(h.amount.Big()) <= 0
}

// sweepOne plans the sweep of a heap, or the top-up that it needs first.
func (p *accountPayer) sweepOne(ctx context.Context, h heap, t *terms, topped map[string]bool) (done bool, err error) {
	hot, _, err := p.own(chains.WatchChange)
	if err != nil {
		return false, err
	}
	tx := ethereum.Transaction{ChainID: p.Accounts.ChainID, To: hot, Nonce: h.nonce, Gas: ethereum.PlainGas, Price: t.price}
	if h.token == "" {
		if tx.Value, err = p.allBut(h, t.price); err != nil {
			return false, nil
		}
	} else if tx, err = p.tokenSweep(ctx, h, hot, *t); err != nil {
		return false, err
	}
	fee, err := feeOf(tx.Gas, tx.Price)
	if err != nil || t.budget.Less(fee) {
		return false, err
	}
	if h.token != "" && h.coins.Less(fee) {
		if topped[keyOf(h.address)] {
			return false, nil
		}
		return p.topUp(ctx, h.address, fee, h.coins, t, topped)
	}
	if done, err = p.intend(ctx, pegs.BatchSweep, nil, accountPlan{Transaction: tx, From: h.address}); done {
		t.budget = restOf(t.budget, fee)
	}
	return done, err
}

// allBut is what a sweep of coins brings: all but the gas at twice the price, which
// leaves room to make it dearer, for all variants pay the same.
func (p *accountPayer) allBut(h heap, price ethereum.Price) (ethereum.Wei, error) {
	most, err := price.Max.Times(2 * ethereum.PlainGas)
	if err != nil {
		return most, err
	}
	return ethereum.WeiOf(h.amount).Sub(most)
}

// tokenSweep is the transaction that brings a token home.
func (p *accountPayer) tokenSweep(ctx context.Context, h heap, hot ethereum.Address, t terms) (tx ethereum.Transaction, err error) {
	contract, err := ethereum.ParseAddress(h.token)
	if err != nil {
		return tx, err
	}
	tx = ethereum.Transaction{
		ChainID: p.Accounts.ChainID, To: contract, Nonce: h.nonce, Price: t.price, Data: ethereum.TransferCall(hot, ethereum.WeiOf(h.amount)),
	}
	tx.Gas, err = p.Accounts.Nodes.Gas(ctx, h.address, tx)
	return tx, err
}

// topUp has the sweeper send gas to an account, or the hot account to the sweeper
// when that has too little itself.
func (p *accountPayer) topUp(ctx context.Context, to ethereum.Address, fee, have chains.Amount, t *terms, topped map[string]bool) (done bool, err error) {
	sweeper, text, err := p.own(chains.WatchSweeper)
	if err != nil {
		return false, err
	}
	value := restOf(times(fee, topupSpare), have)
	done, short, err := p.send(ctx, sweeper, text, to, value, t)
	if done {
		topped[keyOf(to)] = true
	}
	if err != nil || done || short.IsZero() || topped[keyOf(sweeper)] {
		return done, err
	}
	hot, text, err := p.own(chains.WatchChange)
	if err != nil {
		return false, err
	}
	for _, refill := range []chains.Amount{times(short, refillSpare), short} {
		if done, short, err = p.send(ctx, hot, text, sweeper, refill, t); err != nil || done || short.IsZero() {
			break
		}
	}
	topped[keyOf(sweeper)] = true // or wait for coins of the hot account
	if !done && err == nil {
		p.log.Warn("the sweeper has no coins to pay for sweeps, and the hot account has none to refill it", "needs", p.coin(short, ""))
	}
	return done, err
}

// times is an amount so many times.
func times(a chains.Amount, n int64) chains.Amount {
	product, err := chains.AmountFromBig(new(big.Int).Mul(a.Big(), big.NewInt(n)))
	if err != nil {
		return a
	}
	return product
}

// send plans a top-up. short is what the sender lacks for it: not zero says that it
// has too little.
func (p *accountPayer) send(ctx context.Context, from ethereum.Address, text string, to ethereum.Address, value chains.Amount, t *terms) (done bool, short chains.Amount, err error) {
	watch, ok := p.follower.owner(to)
	if !ok {
		return false, short, fmt.Errorf("gateway: a top-up of %s, which is none of ours", to)
	}
	fee, err := feeOf(ethereum.PlainGas, t.price)
	if err != nil || t.budget.Less(fee) {
		return false, short, err
	}
	coins, _, nonce, ready, err := p.holds(text, "")
	if total := sumOf(value, fee); err == nil && coins.Less(total) {
		return false, sumOf(restOf(total, coins), fee), nil
	}
	if err != nil || !ready {
		return false, short, err
	}
	tx := ethereum.Transaction{
		ChainID: p.Accounts.ChainID, Nonce: nonce, To: to, Value: ethereum.WeiOf(value), Gas: ethereum.PlainGas, Price: t.price,
	}
	if done, err = p.intend(ctx, pegs.BatchTopup, nil, accountPlan{Transaction: tx, From: from, Payee: &watch}); done {
		t.budget = restOf(t.budget, fee)
	}
	return done, short, err
}
