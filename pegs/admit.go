package pegs

import (
	"cmp"
	"slices"

	"causeway/chains"
)

// Waiting is a withdrawal that the limits hold back.
type Waiting struct {
	*Withdrawal
	Why string
}

// ToDelay lists the large withdrawals of a chain whose delay is to begin.
func (s *State) ToDelay(id chains.ID) []*Withdrawal {
	c := s.chains[id]
	if c == nil {
		return nil
	}
	l := c.Config.Limits
	if l.Large.IsZero() || l.Delay == 0 {
		return nil
	}
	return matching(s.withdrawalsIn(id, unadmitted), func(w *Withdrawal) bool { return w.Due == 0 && !w.Amount.Less(l.Large) })
}

// ToAdmit lists, oldest first, at most limit withdrawals of a chain that are
// within the limits at a base block, and those that are not, with the reason.
// Nobody is admitted while payouts are halted.
func (s *State) ToAdmit(id chains.ID, block uint64, limit int) (admit []*Withdrawal, wait []Waiting) {
	c := s.chains[id]
	if c == nil || !c.Config.Limits.Any() || !s.PaysOut(id) {
		return nil, nil
	}
	q := admission{usage: s.usage(c, block), outflow: c.outflow, blocked: map[string]bool{}}
	for _, w := range s.withdrawalsIn(id, unadmitted) {
		why := q.try(w)
		if why != "" {
			wait = append(wait, Waiting{w, why})
			continue
		}
		if admit = append(admit, w); len(admit) == limit {
			break
		}
	}
	return admit, wait
}

// admission goes through a queue once, oldest first.
type admission struct {
	*usage
	outflow []*Outflow
	blocked map[string]bool // accounts whose oldest withdrawal waits for their cap
	head    *Withdrawal     // the oldest that waits for the cap of all
	spare   chains.Amount   // what of the cap the head leaves when its turn comes
	bigger  chains.Amount   // the same of the part for what is not small
	waits   bool            // a small one waits for the cap of all: the later ones keep behind it
}

// try admits a withdrawal, or says why it waits.
func (q *admission) try(w *Withdrawal) string {
	if why := q.never(w); why != "" {
		return why
	}
	if q.blocked[w.Account] || !q.fitsAccount(w) {
		q.blocked[w.Account] = true
		return "the cap of the account is used up for now"
	}
	small := q.small(w)
	if !q.fits(w) {
		if q.head == nil {
			q.reserve(w)
		}
		q.waits = q.waits || small
		return "the cap of the chain's payouts is used up for now"
	}
	if q.head != nil && (small && q.waits || !q.passes(w)) {
		q.waits = q.waits || small
		return "an older withdrawal has its turn first"
	}
	if q.head != nil {
		q.spare = subAmount(q.spare, w.Amount)
		if !small {
			q.bigger = subAmount(q.bigger, w.Amount)
		}
	}
	q.add(w)
	return ""
}

// passes says whether a withdrawal can go before the head without delaying it.
func (q *admission) passes(w *Withdrawal) bool {
	if !q.small(w) {
		return !q.spare.Less(w.Amount) && !q.bigger.Less(w.Amount)
	}
	// What is small has a part of the cap that the head cannot use anyway.
	return !q.spare.Less(w.Amount) || atMost(subAmount(q.all, q.big), w.Amount, q.forSmall)
}

// reserve keeps for the head what leaves the window until it fits. What no node
// has yet is taken to leave last.
func (q *admission) reserve(w *Withdrawal) {
	q.head = w
	then := &usage{Limits: q.Limits, all: q.all, big: q.big, accounts: map[string]chains.Amount{}}
	leaving := slices.DeleteFunc(slices.Clone(q.outflow), func(o *Outflow) bool { return !q.counts(o, q.block) })
	slices.SortStableFunc(leaving, func(a, b *Outflow) int { return cmp.Compare(a.Block-1, b.Block-1) }) // 0 last
	for i, o := range leaving {
		then.all = subAmount(then.all, o.Withdrawal.Amount)
		if !q.small(o.Withdrawal) {
			then.big = subAmount(then.big, o.Withdrawal.Amount)
		}
		together := i+1 < len(leaving) && leaving[i+1].Block == o.Block
		if !together && atMost(then.all, w.Amount, q.Cap) && (q.small(w) || atMost(then.big, w.Amount, q.forBig)) {
			break
		}
	}
	q.spare = subAmount(subAmount(q.Cap, then.all), w.Amount)
	q.bigger = q.forBig
	if !q.small(w) {
		q.bigger = subAmount(q.bigger, w.Amount)
	}
	q.bigger = subAmount(q.bigger, then.big)
}
