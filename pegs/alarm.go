package pegs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"slices"

	"causeway/chains"
)

// alarm is what no honest course of events explains.
type alarm struct {
	txid string // the transaction that it is about
	fact string // names what happened, whatever words it is told in
	text string
}

// addAlarm adds an alarm: its kind, the transaction that it is about, and a text
// whose arguments tell it from others of its kind.
type addAlarm func(kind, txid, format string, args ...any)

// factOf names a fact: 16 hex digits of the hash of its kind and its details.
func factOf(kind string, args []any) string {
	text := []byte(kind)
	for _, arg := range args {
		text = fmt.Appendf(text, " %q", fmt.Sprint(arg))
	}
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:8])
}

// Alarms lists, but for what a person has acknowledged: credits that differ from
// the deposit, credited deposits that left the chain, spends by transactions of
// nobody we know, batches whose inputs were spent otherwise than by us, signed
// batches whose inputs left the chain, and accounts of ours that hold less than is
// booked, or have sent what nobody knows.
func (s *State) Alarms(chain chains.ID) []string {
	var list []string
	for _, a := range s.alarms(chain) {
		if !s.chains[chain].acknowledged(a) {
			list = append(list, a.text)
		}
	}
	slices.Sort(list)
	return list
}

func (s *State) alarms(chain chains.ID) (list []alarm) {
	add := func(kind, txid, format string, args ...any) {
		list = append(list, alarm{txid, factOf(kind, args), fmt.Sprintf(format, args...)})
	}
	for _, d := range ordered(s.alarming) {
		if d.Chain != chain {
			continue
		}
		if !d.creditedRight() {
			add("credit", d.about(), "deposit %s was credited as %s %s to %s", d.ID, d.Credit.Quantity, d.Credit.Symbol, d.Credit.To)
		}
		if d.In == nil {
			add("shortfall", d.about(), "deposit %s was credited and left the chain", d.ID)
		}
	}
	for _, b := range s.openBatchesOf(chain) {
		s.batchAlarms(b, add)
	}
	s.chains[chain].accountAlarms(add)
	for _, txid := range s.chains[chain].Foreign() {
		add("foreign", txid, "outputs of ours were spent by transaction %s, which is none of ours", txid)
	}
	return list
}

func (s *State) batchAlarms(b *Batch, add addAlarm) {
	c := s.chains[b.Chain]
	switch tx := c.txs[b.Conflict]; {
	case tx == nil:
	case tx.Batch == "":
		add("input", b.Conflict, "an input of batch %s was spent by transaction %s", b.ID, b.Conflict)
	case b.Settled != nil && b.Kind == BatchPayout:
		add("settled", b.Conflict, "batch %s was settled, and transaction %s has taken its inputs", b.ID, b.Conflict)
	}
	if b.Failed != nil && b.Settled != nil && b.Kind == BatchPayout {
		add("failed", b.Failed.TxID, "batch %s was settled, and transaction %s of it has failed", b.ID, b.Failed.TxID)
	}
	if b.Released != nil && b.Mined != nil {
		add("released", b.Mined.TxID, "batch %s was released and is in the chain as transaction %s", b.ID, b.Mined.TxID)
	}
	if len(b.Variants) == 0 || b.Mined != nil || b.Conflict != "" || b.Released != nil {
		return
	}
	for _, in := range b.Inputs {
		if out := c.outputs[in]; out != nil && out.In == nil && c.makers[in.TxID] == "" {
			if _, dead := s.Dead(b); dead {
				return // it is released by that
			}
			add("missing", in.TxID, "%s left the chain, and signed batch %s spends it", DepositID(c.ID, in), b.ID)
		}
	}
}

// acknowledge books that a person has looked at facts: those of the event and, if it
// names none, whatever there is about the transaction, as events of the past said.
func (s *State) acknowledge(e *Acknowledged) error {
	c, err := s.chain(e.Chain)
	if err != nil {
		return err
	}
	facts := s.Facts(e.Chain, e.TxID)
	switch {
	case e.Author == "" || e.Reason == "":
		return refuse("to acknowledge needs a reason and an author")
	case len(facts) == 0:
		return refuse("there is no alarm about transaction %s", e.TxID)
	case slices.ContainsFunc(e.Facts, func(f string) bool { return !slices.Contains(facts, f) }):
		return refuse("there is no such alarm about transaction %s", e.TxID)
	}
	seen := *e
	if len(e.Facts) > 0 {
		seen.Facts = slices.Concat(c.seen[e.TxID].Facts, e.Facts)
	}
	c.seen[e.TxID] = seen
	return nil
}

// acknowledged says whether a person has looked at an alarm.
func (c *Chain) acknowledged(a alarm) bool {
	seen, ok := c.seen[a.txid]
	return ok && (len(seen.Facts) == 0 || slices.Contains(seen.Facts, a.fact))
}

// Facts names the alarms about a transaction that nobody has acknowledged, for the
// event that does.
func (s *State) Facts(chain chains.ID, txid string) (facts []string) {
	c := s.chains[chain]
	if c == nil {
		return nil
	}
	for _, a := range s.alarms(chain) {
		if a.txid == txid && !c.acknowledged(a) {
			facts = append(facts, a.fact)
		}
	}
	return facts
}

// PaysOut says whether anything new may be planned, assigned, signed or sent on a
// chain. Alarms count from the record that gives cause to them, before the halt
// that they lead to is written.
func (s *State) PaysOut(id chains.ID) bool {
	c := s.chains[id]
	return c != nil && !c.Stands(ScopePayouts) && len(s.Alarms(id)) == 0
}
