package pegs

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"

	"causeway/chains"
	"causeway/internal/failpoint"
)

// enter books what a block holds. It may be told twice of the same block: live
// and by a search of the past.
func (s *State) enter(c *Chain, m Match, ref *chains.BlockRef, at time.Time) {
	if c.Accounts() {
		s.enterAccounts(c, m, ref, at)
		return
	}
	index := c.blocks[ref.Hash]
	if index == nil {
		index = &blockIndex{} // older than the tail: never disconnected
	}
	spenders := map[string][]chains.Outpoint{}
	for _, spend := range m.Spends {
		spenders[spend.By] = append(spenders[spend.By], spend.Outpoint)
	}
	created, spent := len(index.created), len(index.spent)
	for _, p := range m.Payments {
		s.arrive(c, p, ref, index, spenders[p.Outpoint.TxID] != nil)
	}
	c.unspent.add(slices.DeleteFunc(slices.Clone(index.created[created:]), func(out *Output) bool { return out.Spent != nil })...)
	s.depositsArrive(c, m.Payments, ref, index, at)
	for _, txid := range sortedKeys(spenders) {
		s.spend(c, txid, spenders[txid], ref, index, at)
	}
	c.unspent.remove(index.spent[spent:]...)
}

// arrive books an output of ours that a block makes.
func (s *State) arrive(c *Chain, p Payment, ref *chains.BlockRef, index *blockIndex, own bool) {
	out := c.outputs[p.Outpoint]
	if out == nil {
		s.sharePayment(c, &p)
		out = &Output{Payment: p}
		c.outputs[p.Outpoint] = out
		c.note(out)
	}
	if out.In != nil && *out.In == *ref {
		return
	}
	out.In, out.Own, out.Coinbase, out.MinDepth, out.Tokens = ref, own, p.Coinbase, p.MinDepth, p.Tokens
	index.created = append(index.created, out)
	s.reckon(c, out)
}

// spend books a transaction of a block that spends outputs of ours.
func (s *State) spend(c *Chain, txid string, inputs []chains.Outpoint, ref *chains.BlockRef, index *blockIndex, at time.Time) {
	tx := c.txs[txid]
	if tx == nil {
		tx = &Spending{TxID: txid, Inputs: sortedOutpoints(inputs)}
		c.txs[txid] = tx
	}
	if tx.In == nil || *tx.In != *ref {
		tx.In = ref
		index.txs = append(index.txs, tx)
	}
	for _, in := range tx.Inputs {
		out := c.outputs[in]
		if out == nil || out.Spent == tx {
			continue
		}
		out.Spent = tx
		index.spent = append(index.spent, out)
		s.reckon(c, out)
	}
	s.recognise(c, tx, at)
}

// recognise ties a transaction of the chain to the batch whose inputs it
// spends. It is the batch's own when it spends exactly those.
func (s *State) recognise(c *Chain, tx *Spending, at time.Time) {
	for _, b := range s.batchesOf(c, tx) {
		same := slices.Equal(b.Inputs, tx.Inputs) && s.paysAs(c, b, tx.Result)
		if failpoint.Off(failpoint.PayoutByInputs) {
			same = slices.ContainsFunc(b.Variants, func(v Signed) bool { return v.TxID == tx.TxID })
		}
		if same {
			tx.Batch = b.ID
			c.makers[tx.TxID] = b.ID // also where we never saw it signed
			b.decide(tx)
		} else if b.Decided() == nil {
			b.Conflict = tx.TxID
		}
		s.touchBatch(b, at, tx.TxID)
	}
	if tx.Batch == "" {
		c.foreign[tx.TxID] = tx
	} else {
		delete(c.foreign, tx.TxID)
	}
	s.attribute(c, tx)
}

// batchesOf lists the batches that inputs of a transaction are kept for.
func (s *State) batchesOf(c *Chain, tx *Spending) (list []*Batch) {
	touched := map[string]bool{}
	for _, in := range tx.Inputs {
		for _, id := range []string{c.kept[in], c.cancels[in]} {
			if id != "" {
				touched[id] = true
			}
		}
	}
	for _, id := range sortedKeys(touched) {
		list = append(list, s.batches[id])
	}
	return list
}

// leave takes back what a disconnected block held.
func (s *State) leave(c *Chain, index *blockIndex, block chains.BlockRef, at time.Time) {
	for _, out := range index.spent {
		out.Spent = nil
	}
	for _, out := range index.created {
		out.In, out.Left = nil, out.In
	}
	c.unspent.add(slices.DeleteFunc(slices.Clone(index.spent), func(out *Output) bool { return out.In == nil })...)
	c.unspent.remove(index.created...)
	for _, out := range slices.Concat(index.spent, index.created) {
		s.reckon(c, out)
	}
	for _, out := range index.created {
		if d := out.deposit; d != nil {
			d.In = nil
			s.touchDeposit(d, at, "block "+block.Hash+" left the chain")
		}
	}
	c.risk = subAmount(c.risk, index.deposits)
	for _, tx := range index.txs {
		tx.In = nil
		delete(c.foreign, tx.TxID)
		for _, b := range s.batchesOf(c, tx) {
			if b.Mined == tx {
				b.Mined, b.Since = nil, c.highest
			}
			if b.Conflict == tx.TxID {
				b.Conflict = c.conflictOf(b)
			}
			s.touchBatch(b, at, "block "+block.Hash+" left the chain")
		}
	}
}

// conflictOf finds a transaction of the chain, other than the batch's own, that
// spends an input of a batch.
func (c *Chain) conflictOf(b *Batch) string {
	for _, in := range b.Inputs {
		if out := c.outputs[in]; out != nil && out.Spent != nil && out.Spent.In != nil && out.Spent.Batch != b.ID {
			return out.Spent.TxID
		}
	}
	return ""
}

// deepened writes down what became deep enough, or no longer is, with the
// newest block.
func (s *State) deepened(c *Chain, at time.Time) {
	for _, b := range s.openBatchesOf(c.ID) {
		s.touchBatch(b, at, "")
	}
}

// Unspent lists all outputs of ours that are unspent in the newest block, in a
// fixed order.
func (c *Chain) Unspent() []*Output {
	return slices.Clone(c.unspent)
}

// Output finds an output of ours.
func (c *Chain) Output(o chains.Outpoint) (*Output, bool) {
	out, ok := c.outputs[o]
	return out, ok
}

// Foreign lists transactions of the chain that spend outputs of ours and belong
// to no batch: somebody else has our keys.
func (c *Chain) Foreign() []string { return sortedKeys(c.foreign) }

func compareOutpoints(a, b chains.Outpoint) int {
	return cmp.Or(strings.Compare(a.TxID, b.TxID), cmp.Compare(a.Index, b.Index))
}

func sortedOutpoints(list []chains.Outpoint) []chains.Outpoint {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, compareOutpoints)
	return slices.Compact(sorted)
}

func sortedKeys[K cmp.Ordered, V any](m map[K]V) []K { return slices.Sorted(maps.Keys(m)) }
