package gateway

import (
	"context"
	"errors"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/pegs"
)

// When small coins are merged although nobody waits for them: when there are
// many, blocks are cheap, no withdrawal waits, and it was not done within about a
// day (gateway.md 2.3). Then a part of them is made one, down to half as many.
const (
	tidyAbove = 200
	tidyTo    = 100
	// tidyEvery counts base blocks: a day at three seconds.
	tidyEvery = 28_800
	// tidyRates is of how many blocks the fee rate must be known.
	tidyRates = 12
)

// tidy merges small coins when the time is good for it. The cost is burned from
// the fee account like that of a payout.
func (p *payer) tidy(ctx context.Context) error {
	due := false
	if err := p.ledger.View(func(s *pegs.State) { due = p.untidy(s) }); err != nil || !due || !p.follower.caughtUp() {
		return err
	}
	var now uint64
	if err := p.sidechain.View(func(v SideState) error { now = v.Head().Base.Number; return nil }); err != nil {
		return err
	}
	rate := p.feeRate(ctx)
	if !p.rates.low(rate, tidyRates) {
		return nil
	}
	budget, err := p.feeBudget("")
	if err != nil {
		return err
	}
	p.hook("C22")
	err = p.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		if !p.untidy(s) || !p.tidiedBefore(s, now) {
			return nil, nil
		}
		in, err := p.planInput(s, rate, budget)
		if err != nil {
			return nil, err
		}
		for _, coin := range s.Coins(p.id, chains.Amount{}, coinsOfPlan) {
			c, err := coinOf(coin)
			if err != nil {
				return nil, err
			}
			in.Coins = append(in.Coins, c)
		}
		in.MaxInputs = maxInputs(nil)
		plan, err := hotwallet.Tidy(in, len(in.Coins)-tidyTo+1)
		var why *hotwallet.PlanError
		if errors.As(err, &why) && why.Kind != hotwallet.ErrBadPlan {
			return nil, nil
		}
		if err != nil {
			return nil, err
		}
		event, err := p.intent(pegs.BatchConsolidate, nil, plan)
		if err != nil {
			return nil, err
		}
		event.BaseBlock = now
		return []Entry{{Event: event}}, nil
	})
	p.hook("C22")
	return err
}

// untidy says whether there are many coins, nobody waits, and no merger is under
// way.
func (p *payer) untidy(s *pegs.State) bool {
	if !s.PaysOut(p.id) || len(s.ToPlan(p.id)) > 0 || len(s.ToCheck(p.id)) > 0 {
		return false
	}
	for _, b := range s.OpenBatches(p.id) {
		if b.Kind == pegs.BatchConsolidate && b.Mined == nil {
			return false
		}
	}
	return s.MoreCoins(p.id, tidyAbove)
}

// tidiedBefore says whether the last merger that counts is long ago.
func (p *payer) tidiedBefore(s *pegs.State, now uint64) bool {
	for _, b := range s.Batches() {
		if b.Chain == p.id && b.Kind == pegs.BatchConsolidate && b.BaseBlock != 0 && now < b.BaseBlock+tidyEvery {
			return false
		}
	}
	return true
}
