package gateway

import (
	"errors"
	"fmt"
	"iter"
	"slices"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/pegs"
	"causeway/sidechain/graphene"
)

const (
	// assignFrame is what an assign operation holds beside ids and spends, in
	// bytes, with room to spare.
	assignFrame = 512
	// spendSize is the longest "txid:vout" in JSON, with its comma.
	spendSize = 64 + 1 + 10 + 3
	// coinsOfPlan is how many of the largest coins, of the smallest and of those
	// that are just enough a choice is made of: more than a transaction may spend,
	// and together more than the planner asks for before it takes small ones along.
	coinsOfPlan = 600
	// oldestParts and turnParts bound the parts of a queue that are tried at one
	// time: the oldest, and those whose turn it is.
	oldestParts = 3
	turnParts   = 2
)

// maxInputs is how many inputs a batch may have: an assign operation names them
// all beside the withdrawals, and one operation of the base layer is all there is.
func maxInputs(queue []*pegs.Withdrawal) int {
	room := graphene.MaxCustomJSON - assignFrame
	for _, w := range queue {
		room -= len(w.ID) + 3
	}
	return max(room/spendSize, 1)
}

// planBatch plans one batch for what waits, oldest first. What cannot be paid
// now does not keep the rest from being paid: the smallest of the rest are tried,
// and of the others some in turn.
func (p *payer) planBatch(s *pegs.State, rate chains.FeeRate, budget chains.Amount) ([]Entry, error) {
	waiting := s.ToPlan(p.id)
	if len(waiting) == 0 {
		return nil, nil
	}
	in, err := p.planInput(s, rate, budget)
	if err != nil {
		return nil, err
	}
	near, err := totalOf(waiting[:min(len(waiting), maxPayees)])
	if err != nil {
		return nil, err
	}
	if in.Coins, err = freshCoins(s.Coins(p.id, near, coinsOfPlan)); err != nil {
		return nil, err
	}
	for some := range p.parts(waiting) {
		entries, err := p.planSome(s, in, some)
		if err != nil || len(entries) > 0 {
			return entries, err
		}
	}
	return nil, nil
}

// parts goes through those parts of a queue for which a plan is tried at one time.
func (p *payer) parts(waiting []*pegs.Withdrawal) iter.Seq[[]*pegs.Withdrawal] {
	return func(yield func([]*pegs.Withdrawal) bool) {
		for range oldestParts {
			n := min(len(waiting), maxPayees)
			if n == 0 || !yield(waiting[:n]) {
				return
			}
			waiting = waiting[n:]
		}
		if len(waiting) == 0 || !yield(smallest(waiting, maxPayees)) {
			return
		}
		for range turnParts {
			if p.turn >= len(waiting) {
				p.turn = 0
			}
			n := min(len(waiting)-p.turn, maxPayees)
			some := waiting[p.turn : p.turn+n]
			if p.turn += n; !yield(some) {
				return
			}
		}
	}
}

// smallest lists the n smallest of a queue, in its order.
func smallest(queue []*pegs.Withdrawal, n int) []*pegs.Withdrawal {
	places := make([]int, len(queue))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int { return queue[a].Amount.Cmp(queue[b].Amount) })
	places = places[:min(n, len(places))]
	slices.Sort(places)
	list := make([]*pegs.Withdrawal, len(places))
	for i, at := range places {
		list[i] = queue[at]
	}
	return list
}

// freshCoins are the coins that a new payout may rest on: what is stuck would hold
// it back, what loses take it along.
func freshCoins(coins []pegs.Coin) (list []hotwallet.Coin, err error) {
	for _, coin := range coins {
		if coin.Waits >= bumpAfter || coin.Contested {
			continue
		}
		c, err := coinOf(coin)
		if err != nil {
			return nil, err
		}
		list = append(list, c)
	}
	return list, nil
}

func totalOf(queue []*pegs.Withdrawal) (total chains.Amount, err error) {
	for _, w := range queue {
		if total, err = total.Add(w.Amount); err != nil {
			return total, err
		}
	}
	return total, nil
}

// whyNot says to who waits why there is no plan, in coins as everywhere.
func (p *payer) whyNot(why *hotwallet.PlanError) string {
	if why.Kind != hotwallet.ErrInsufficient {
		return why.Error()
	}
	decimals := pegs.CoinDecimals(p.id)
	return fmt.Sprintf("%s: need %s, have %s", why.Kind, why.Need.Coin(decimals), why.Have.Coin(decimals))
}

// planSome plans a batch for some of a queue, or merges coins for its oldest.
func (p *payer) planSome(s *pegs.State, in hotwallet.PlanInput, queue []*pegs.Withdrawal) ([]Entry, error) {
	for _, some := range tries(queue) {
		plan, err := p.tryPlan(in, some)
		if err == nil {
			return p.planned(pegs.BatchPayout, some, plan)
		}
		var why *hotwallet.PlanError
		if !errors.As(err, &why) {
			return nil, err
		}
		for _, w := range some {
			p.notes.set(w.ID, "waits: "+p.whyNot(why))
		}
		switch why.Kind {
		case hotwallet.ErrDust:
			return parkDust(why.IDs), nil
		case hotwallet.ErrTooLarge:
			if len(some) > 1 {
				continue
			}
			if entries, err := p.merge(s, in, some[0]); err != nil || len(entries) > 0 {
				return entries, err
			}
		case hotwallet.ErrInsufficient, hotwallet.ErrFeeCap, hotwallet.ErrOverCap:
		default:
			return nil, err
		}
	}
	return nil, nil
}

// tries lists parts of a queue in the order in which they are tried: the whole,
// fewer and fewer of the oldest, and when not even the oldest can be paid the
// others, fewer and fewer of the smallest.
func tries(queue []*pegs.Withdrawal) (list [][]*pegs.Withdrawal) {
	for n := len(queue); n > 0; n /= 2 {
		list = append(list, queue[:n])
	}
	for rest := queue[1:]; len(rest) > 0; rest = smallest(rest, len(rest)/2) {
		list = append(list, rest)
	}
	return list
}

func (p *payer) tryPlan(in hotwallet.PlanInput, queue []*pegs.Withdrawal) (*hotwallet.Plan, error) {
	var err error
	if in.Payees, err = payeesOf(queue); err != nil {
		return nil, err
	}
	total, err := totalOf(queue)
	if err != nil {
		return nil, err
	}
	if limit := p.Caps.MaxTotal; !limit.IsZero() && limit.Less(total) {
		return nil, &hotwallet.PlanError{Kind: hotwallet.ErrOverCap, Need: total, Have: limit}
	}
	in.MaxInputs = maxInputs(queue)
	return hotwallet.NewPlan(in)
}

// merge makes few coins of many, for a withdrawal that would need more of them
// than one transaction may spend: one merger at a time, and only when there is
// enough in all.
func (p *payer) merge(s *pegs.State, in hotwallet.PlanInput, w *pegs.Withdrawal) ([]Entry, error) {
	for _, b := range s.OpenBatches(p.id) {
		if b.Kind == pegs.BatchConsolidate && b.Mined == nil {
			return nil, nil
		}
	}
	all, err := freshCoins(s.Spendable(p.id))
	if err != nil {
		return nil, err
	}
	var total chains.Amount
	for _, c := range all {
		if total, err = total.Add(c.Amount); err != nil {
			return nil, err
		}
	}
	if total.Less(w.Amount) {
		return nil, nil
	}
	in.MaxInputs, in.Coins = maxInputs(nil), all
	plan, err := hotwallet.Consolidate(in)
	var why *hotwallet.PlanError
	if errors.As(err, &why) && why.Kind != hotwallet.ErrBadPlan {
		p.notes.set(w.ID, "waits for coins to be merged: "+p.whyNot(why))
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return p.planned(pegs.BatchConsolidate, nil, plan)
}
