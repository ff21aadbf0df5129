package gateway

import (
	"cmp"
	"errors"
	"fmt"
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
// now does not keep the rest from being paid.
func (p *payer) planBatch(s *pegs.State, rate chains.FeeRate, budget chains.Amount) ([]Entry, error) {
	in, err := p.planInput(s, rate, budget)
	if err != nil {
		return nil, err
	}
	for _, coin := range s.Spendable(p.id) {
		if coin.Waits >= bumpAfter || coin.Contested {
			continue // what is stuck would hold the new one back, what loses take it along
		}
		c, err := coinOf(coin)
		if err != nil {
			return nil, err
		}
		in.Coins = append(in.Coins, c)
	}
	for waiting := s.ToPlan(p.id); len(waiting) > 0; {
		n := min(len(waiting), maxPayees)
		entries, err := p.planSome(s, in, waiting[:n])
		if err != nil || len(entries) > 0 {
			return entries, err
		}
		waiting = waiting[n:]
	}
	return nil, nil
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
	for rest := queue[1:]; len(rest) > 0; rest = smallerHalf(rest) {
		list = append(list, rest)
	}
	return list
}

// smallerHalf is the half of a queue with the smaller amounts, in its order.
func smallerHalf(queue []*pegs.Withdrawal) []*pegs.Withdrawal {
	places := make([]int, len(queue))
	for i := range places {
		places[i] = i
	}
	slices.SortStableFunc(places, func(a, b int) int { return queue[a].Amount.Cmp(queue[b].Amount) })
	places = places[:len(places)/2]
	slices.SortFunc(places, cmp.Compare)
	half := make([]*pegs.Withdrawal, len(places))
	for i, at := range places {
		half[i] = queue[at]
	}
	return half
}

func (p *payer) tryPlan(in hotwallet.PlanInput, queue []*pegs.Withdrawal) (*hotwallet.Plan, error) {
	var err error
	if in.Payees, err = payeesOf(queue); err != nil {
		return nil, err
	}
	var total chains.Amount
	for _, w := range queue {
		if total, err = total.Add(w.Amount); err != nil {
			return nil, err
		}
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
	var total chains.Amount
	for _, c := range in.Coins {
		sum, err := total.Add(c.Amount)
		if err != nil {
			return nil, err
		}
		total = sum
	}
	if total.Less(w.Amount) {
		return nil, nil
	}
	in.MaxInputs = maxInputs(nil)
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
