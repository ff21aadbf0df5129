package gateway

import (
	"encoding/json"
	"fmt"
	"maps"
	"strings"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/pegs"
)

// closing is the operation that closes a batch: what pays withdrawals is settled,
// of the rest only the cost is charged. What has failed is closed by its release; its
// cost is charged by itself.
func closing(b *pegs.Batch) task {
	if b.Failed != nil {
		return task{"cost " + b.ID, b.Withdrawals, action("cost",
			"chain", string(b.Chain), "txid", b.Settling.TxID, "amount", b.Settling.Cost),
			batchOver(b.ID, func(b *pegs.Batch) bool { return b.Charged != nil })}
	}
	over := batchOver(b.ID, func(b *pegs.Batch) bool { return b.Settled != nil })
	if b.Kind == pegs.BatchPayout {
		return task{"settle " + b.ID, b.Withdrawals, action("settle", "batch", b.ID, "txid", b.Settling.TxID, "cost", b.Settling.Cost), over}
	}
	return task{"cost " + b.ID, nil, action("cost",
		"chain", string(b.Chain), "txid", b.Settling.TxID, "amount", b.Settling.Cost, "batch", b.ID), over}
}

func assigns(b *pegs.Batch) task {
	return task{"assign " + b.ID, b.Withdrawals, action("assign",
		"batch", b.ID, "chain", string(b.Chain), "kind", b.Kind, "ids", b.Withdrawals, "spends", spendTexts(b.Inputs)),
		batchOver(b.ID, func(b *pegs.Batch) bool { return b.Assigned != nil })}
}

func mints(d *pegs.Deposit) task {
	id := d.ID
	return task{"mint " + id, []string{id}, action("mint",
		"id", id, "symbol", d.Intent.Symbol, "quantity", d.Intent.Quantity, "to", d.Intent.To),
		func(s *pegs.State) bool {
			d, ok := s.Deposit(id)
			return !ok || d.State() != pegs.DepositMinting
		}}
}

func givesBack(s *pegs.State, w *pegs.Withdrawal) task {
	id := w.ID
	return task{"giveBack " + id, []string{id}, action("giveBack", "id", id, "reason", clipReason(s.GiveBackReason(w))),
		func(s *pegs.State) bool {
			w, ok := s.Withdrawal(id)
			return !ok || w.Returned != nil
		}}
}

// batchOver says that a batch is gone or that something is true of it.
func batchOver(id string, done func(*pegs.Batch) bool) func(*pegs.State) bool {
	return func(s *pegs.State) bool {
		b, ok := s.Batch(id)
		return !ok || done(b)
	}
}

// releases are the operations that release a batch: one for each withdrawal, or
// one for a batch that pays none.
func releases(b *pegs.Batch) (list []task) {
	proof := clipReason(b.Releasing.Proof)
	over := batchOver(b.ID, func(b *pegs.Batch) bool { return b.Released != nil })
	if b.Kind != pegs.BatchPayout {
		return []task{{"release " + b.ID, nil, action("release", "id", b.ID, "proof", proof), over}}
	}
	for _, id := range b.Withdrawals {
		list = append(list, task{"release " + id, []string{id}, action("release", "id", id, "proof", proof), over})
	}
	return list
}

// maxContractText bounds reasons and proofs on the sidechain.
const maxContractText = 1000

func clipReason(text string) string {
	if len(text) > maxContractText {
		return text[:maxContractText]
	}
	return text
}

// due lists the operations whose rows the ledger waits for and whose time has come.
func (o *operator) due() (list []task, err error) {
	passed := map[string]bool{}
	for {
		if list, err = o.candidates(passed); err != nil {
			return nil, err
		}
		before := len(passed)
		if list, err = o.undelayed(list, passed); err != nil || len(passed) == before {
			return list, err
		}
	}
}

// candidates lists them but for those that were passed over. Of mints and of what
// is given back there may be very many: as many as are not on their way already.
func (o *operator) candidates(passed map[string]bool) (list []task, err error) {
	now := o.now()
	err = o.ledger.View(func(s *pegs.State) {
		maps.DeleteFunc(o.attempts, func(_ string, a *attempt) bool { return a.over(s) })
		ready := func(key string) bool {
			a := o.attempts[key]
			return !passed[key] && (a == nil || !now.Before(a.next))
		}
		all := func(tasks ...task) {
			for _, t := range tasks {
				if ready(t.key) {
					list = append(list, t)
				}
			}
		}
		for _, id := range s.ChainIDs() {
			for _, b := range s.ToAssign(id) {
				all(assigns(b))
			}
			for _, b := range s.ToSubmitSettles(id) {
				all(closing(b))
			}
			for _, b := range s.ToSubmitReleases(id) {
				all(releases(b)...)
			}
			room := maxOnTheWay
			for d := range s.ToSubmitMints(id) {
				if key := "mint " + d.ID; ready(key) {
					list = append(list, mints(d))
				} else if a := o.attempts[key]; a == nil || !now.Before(a.until) {
					continue
				}
				if room--; room == 0 {
					break
				}
			}
			room = giveUpsPerTurn
			for w := range s.ToGiveBack(id) {
				if ready("giveBack " + w.ID) {
					list = append(list, givesBack(s, w))
					if room--; room == 0 {
						break
					}
				}
			}
		}
	})
	return list, err
}

// undelayed leaves out, and adds to those that are passed over, what the contract
// would only refuse: mints that it has and delays, releases that it has made.
func (o *operator) undelayed(tasks []task, passed map[string]bool) (rest []task, err error) {
	err = o.sidechain.View(func(v SideState) error {
		for _, t := range tasks {
			switch {
			case t.action.Name == "release" && len(t.items) > 0:
				if w, ok := v.Withdrawal(t.items[0]); ok && w.State != rowAssigned {
					passed[t.key] = true
					continue
				}
			case t.action.Name == "mint" && o.delayed(v, t):
				passed[t.key] = true
				continue
			}
			rest = append(rest, t)
		}
		return nil
	})
	return rest, err
}

// delayed says whether the contract has a mint and delays it. Then it is looked at
// again after a while.
func (o *operator) delayed(v SideState, t task) bool {
	id := t.items[0]
	mint, ok := v.Delayed(id)
	o.notes.hold(id, ok && mint.Held)
	switch {
	case !ok:
		return false
	case mint.Held:
		o.notes.set(id, "the mint is on hold until the admin decides")
	default:
		o.notes.set(id, fmt.Sprintf("a large deposit waits: it can be minted from base block %d on", mint.Due))
	}
	o.attempt(t).next = o.now().Add(o.retry)
	return true
}

// attempt is what was done about an operation, which may be nothing.
func (o *operator) attempt(t task) *attempt {
	a := o.attempts[t.key]
	if a == nil {
		a = &attempt{over: t.over}
		o.attempts[t.key] = a
	}
	return a
}

// action makes an Action from alternating names and values, in that order.
func action(name string, pairs ...any) Action {
	var b strings.Builder
	b.WriteByte('{')
	for i := 0; i < len(pairs); i += 2 {
		if i > 0 {
			b.WriteByte(',')
		}
		key, _ := json.Marshal(pairs[i])
		value, _ := json.Marshal(pairs[i+1]) // texts and lists of texts
		b.Write(key)
		b.WriteByte(':')
		b.Write(value)
	}
	b.WriteByte('}')
	return Action{Name: name, Payload: json.RawMessage(b.String())}
}

func spendTexts(list []chains.Outpoint) []string {
	texts := make([]string, len(list))
	for i, o := range list {
		texts[i] = hotwallet.SpendText(o)
	}
	return texts
}
