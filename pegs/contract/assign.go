package contract

import (
	"slices"

	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// States of a batch, beside released.
const (
	open   = "open"
	closed = "closed"
)

const (
	kindPayout = "payout"
	kindCancel = "cancel"
)

func isKind(kind string) bool {
	return slices.Contains([]string{kindPayout, "child", "consolidate", "sweep", "topup", kindCancel}, kind)
}

// batch is a request to tie withdrawals to inputs.
type batch struct {
	id, chain, kind string
	ids, spends     []string
}

// assign ties withdrawals to the inputs that every variant of their payout
// spends, before anything is signed.
func (c *call) assign() bool {
	b, ok := c.readBatch()
	if !ok || !c.ok(c.batchProblem(b)) || !c.ok(c.spendProblem(b)) {
		return false
	}
	if !c.agreed(b.id, "chain", b.chain, "kind", b.kind, "ids", b.ids, "spends", b.spends) {
		return true
	}
	for _, id := range b.ids {
		change(c.Table("withdrawals"), c.withdrawal(id), "state", assigned, "batch", b.id)
	}
	for _, spend := range b.spends {
		c.take(b, spend)
	}
	rows := c.Table("assigns")
	rows.Insert(jsvalue.NewObject(
		"batch", b.id, "row", rows.Len()+1, "chain", b.chain, "kind", b.kind, "ids", b.ids, "spends", b.spends,
		"state", open, "block", c.ref(), "closed", nil, "txid", nil, "cost", nil, "reason", nil))
	c.Emit("assign", jsvalue.NewObject("batch", b.id, "kind", b.kind, "ids", b.ids, "spends", b.spends))
	return true
}

func (c *call) readBatch() (b batch, ok bool) {
	var given [4]bool
	b.id, given[0] = c.payload.String("batch")
	b.kind, given[1] = c.payload.String("kind")
	b.ids, given[2] = optionalTexts(c.payload, "ids")
	b.spends, given[3] = texts(c.payload, "spends")
	b.chain = text(c.payload, "chain")
	if !c.Assert(!slices.Contains(given[:], false), "invalid params") {
		return b, false
	}
	return b, c.Assert(batchForm.MatchString(b.id), "invalid batch") && c.Assert(isKind(b.kind), "invalid kind") &&
		c.Assert(len(b.ids) <= maxList && distinct(b.ids), "invalid ids") &&
		c.Assert((b.kind == kindPayout) == (len(b.ids) > 0), "a payout pays withdrawals, and nothing else does") &&
		c.assignChain(&b)
}

// assignChain finds the batch's chain: that of its withdrawals, or the one
// that is given.
func (c *call) assignChain(b *batch) bool {
	for _, id := range b.ids {
		row := c.withdrawal(id)
		if !c.Assert(row != nil, "withdrawal does not exist") {
			return false
		}
		if b.chain == "" {
			b.chain = text(row, "chain")
		}
		if !c.Assert(text(row, "chain") == b.chain, "withdrawal is of another chain") {
			return false
		}
	}
	return c.Assert(isChain(b.chain), "invalid chain")
}

func (c *call) batchProblem(b batch) string {
	if c.assigned(b.id) != nil || c.withdrawal(b.id) != nil {
		return "batch exists already"
	}
	if b.chain == eth && len(b.ids) > 1 {
		return "a transaction of an account pays one withdrawal"
	}
	for _, id := range b.ids {
		if text(c.withdrawal(id), "state") != requested {
			return "withdrawal is not in state requested"
		}
	}
	return ""
}

// spendProblem checks the inputs: none may belong to another batch, but a
// cancel takes those of an open one, at least one of them.
func (c *call) spendProblem(b batch) string {
	if len(b.spends) == 0 || len(b.spends) > maxList || !distinct(b.spends) || b.chain == eth && len(b.spends) > 1 {
		return "invalid spends"
	}
	taken := 0
	for _, spend := range b.spends {
		if !isSpend(b.chain, spend) {
			return "invalid spends"
		}
		row := c.spend(b.chain, spend)
		switch {
		case row == nil:
			continue
		case b.kind != kindCancel || row.Get("cancel") != nil || !c.cancellable(text(row, "batch")):
			return "an input belongs to another batch"
		}
		taken++
	}
	if b.kind == kindCancel && taken == 0 {
		return "a cancel takes an input of an open batch"
	}
	return ""
}

func (c *call) cancellable(batch string) bool {
	row := c.assigned(batch)
	return row != nil && text(row, "state") == open && text(row, "kind") != kindCancel
}

// take makes an input the batch's; a cancel's shared input keeps both.
func (c *call) take(b batch, spend string) {
	spends := c.Table("spends")
	if row := c.spend(b.chain, spend); row != nil {
		change(spends, row, "cancel", b.id)
		return
	}
	spends.Insert(jsvalue.NewObject("chain", b.chain, "outpoint", spend, "batch", b.id, "cancel", nil))
}

// free gives back the inputs of a batch that can never be mined, except
// nonces, which are used in any case.
func (c *call) free(row state.Row) {
	id, chain := text(row, "batch"), text(row, "chain")
	if chain == eth {
		return
	}
	spends := c.Table("spends")
	list, _ := texts(row, "spends")
	for _, spend := range list {
		switch taken := c.spend(chain, spend); {
		case taken == nil:
		case taken.Get("cancel") == id:
			change(spends, taken, "cancel", nil)
		case text(taken, "batch") == id && taken.Get("cancel") != nil:
			change(spends, taken, "batch", taken.Get("cancel"), "cancel", nil)
		case text(taken, "batch") == id:
			spends.Remove(taken)
		}
	}
}

func (c *call) withdrawal(id string) state.Row {
	return c.Table("withdrawals").Get(jsvalue.NewObject("id", id))
}

func (c *call) assigned(batch string) state.Row {
	return c.Table("assigns").Get(jsvalue.NewObject("batch", batch))
}

func (c *call) spend(chain, outpoint string) state.Row {
	return c.Table("spends").Get(jsvalue.NewObject("chain", chain, "outpoint", outpoint))
}
