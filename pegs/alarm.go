package pegs

import (
	"fmt"
	"slices"

	"causeway/chains"
)

// alarm is what no honest course of events explains.
type alarm struct {
	txid string // the transaction that it is about
	text string
}

// Alarms lists, but for what a person has acknowledged: credits that differ from
// the deposit, credited deposits that left the chain, spends by transactions of
// nobody we know, batches whose inputs were spent otherwise than by us, signed
// batches whose inputs left the chain, and accounts of ours that hold less than is
// booked, or have sent what nobody knows.
func (s *State) Alarms(chain chains.ID) []string {
	var list []string
	for _, a := range s.alarms(chain) {
		if _, ok := s.chains[chain].seen[a.txid]; !ok {
			list = append(list, a.text)
		}
	}
	slices.Sort(list)
	return list
}

func (s *State) alarms(chain chains.ID) (list []alarm) {
	add := func(txid, format string, args ...any) { list = append(list, alarm{txid, fmt.Sprintf(format, args...)}) }
	for _, d := range ordered(s.alarming) {
		if d.Chain != chain {
			continue
		}
		if !d.creditedRight() {
			add(d.about(), "deposit %s was credited as %s %s to %s", d.ID, d.Credit.Quantity, d.Credit.Symbol, d.Credit.To)
		}
		if d.In == nil {
			add(d.about(), "deposit %s was credited and left the chain", d.ID)
		}
	}
	for _, b := range s.openBatchesOf(chain) {
		s.batchAlarms(b, add)
	}
	s.chains[chain].accountAlarms(add)
	for _, txid := range s.chains[chain].Foreign() {
		add(txid, "outputs of ours were spent by transaction %s, which is none of ours", txid)
	}
	return list
}

func (s *State) batchAlarms(b *Batch, add func(txid, format string, args ...any)) {
	c := s.chains[b.Chain]
	switch tx := c.txs[b.Conflict]; {
	case tx == nil:
	case tx.Batch == "":
		add(b.Conflict, "an input of batch %s was spent by transaction %s", b.ID, b.Conflict)
	case b.Settled != nil && b.Kind == BatchPayout:
		add(b.Conflict, "batch %s was settled, and transaction %s has taken its inputs", b.ID, b.Conflict)
	}
	if b.Failed != nil && b.Settled != nil && b.Kind == BatchPayout {
		add(b.Failed.TxID, "batch %s was settled, and transaction %s of it has failed", b.ID, b.Failed.TxID)
	}
	if b.Released != nil && b.Mined != nil {
		add(b.Mined.TxID, "batch %s was released and is in the chain as transaction %s", b.ID, b.Mined.TxID)
	}
	if len(b.Variants) == 0 || b.Mined != nil || b.Conflict != "" || b.Released != nil {
		return
	}
	for _, in := range b.Inputs {
		if out := c.outputs[in]; out != nil && out.In == nil && c.makers[in.TxID] == "" {
			if _, dead := s.Dead(b); dead {
				return // it is released by that
			}
			add(in.TxID, "%s left the chain, and signed batch %s spends it", DepositID(c.ID, in), b.ID)
		}
	}
}

// acknowledge books that a person has looked.
func (s *State) acknowledge(e *Acknowledged) error {
	c, err := s.chain(e.Chain)
	if err != nil {
		return err
	}
	switch {
	case e.Author == "" || e.Reason == "":
		return refuse("to acknowledge needs a reason and an author")
	case !s.Alarmed(e.Chain, e.TxID):
		return refuse("there is no alarm about transaction %s", e.TxID)
	}
	c.seen[e.TxID] = *e
	return nil
}

// Alarmed says whether there is an alarm about a transaction that nobody has
// acknowledged.
func (s *State) Alarmed(chain chains.ID, txid string) bool {
	c := s.chains[chain]
	if c == nil {
		return false
	}
	if _, ok := c.seen[txid]; ok {
		return false
	}
	return slices.ContainsFunc(s.alarms(chain), func(a alarm) bool { return a.txid == txid })
}

// PaysOut says whether anything new may be planned, assigned, signed or sent on a
// chain. Alarms count from the record that gives cause to them, before the halt
// that they lead to is written.
func (s *State) PaysOut(id chains.ID) bool {
	c := s.chains[id]
	return c != nil && !c.Stands(ScopePayouts) && len(s.Alarms(id)) == 0
}
