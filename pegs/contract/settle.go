package contract

import (
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// settle closes a batch: its transaction is final, its withdrawals are paid,
// its miner fee is charged.
func (c *call) settle() bool {
	id, isID := c.payload.String("batch")
	txid, isTx := c.payload.String("txid")
	amount, isCost := c.payload.String("cost")
	if !c.Assert(isID && isTx && isCost, "invalid params") {
		return false
	}
	row := c.assigned(id)
	if !c.Assert(row != nil, "batch does not exist") {
		return false
	}
	chain := text(row, "chain")
	if !c.ok(c.settleProblem(row, txid)) || !c.ok(c.costProblem(chain, txid, amount)) {
		return false
	}
	if !c.agreed(id, "txid", txid, "cost", amount) {
		return true
	}
	c.closeBatch(row, txid, amount)
	ids, _ := row.Array("ids")
	if known := c.charged(chain, txid); known != nil {
		change(c.Table("costs"), known, "batch", id)
	} else if !c.charge(chain, txid, amount, id) {
		return false
	}
	c.Emit("settle", jsvalue.NewObject("batch", id, "txid", txid, "cost", amount, "ids", ids))
	return true
}

// settleProblem says why a batch cannot be closed by a transaction.
func (c *call) settleProblem(row state.Row, txid string) string {
	if text(row, "state") != open {
		return "batch is not open"
	}
	if other := c.charged(text(row, "chain"), txid); other != nil && other.Get("batch") != nil {
		return "the transaction settled another batch"
	}
	ids, _ := texts(row, "ids")
	for _, id := range ids {
		if text(c.withdrawal(id), "state") != assigned {
			return "a withdrawal of the batch is not in state assigned"
		}
	}
	return ""
}

func (c *call) closeBatch(row state.Row, txid, amount string) {
	change(c.Table("assigns"), row, "state", closed, "closed", c.ref(), "txid", txid, "cost", amount)
	ids, _ := texts(row, "ids")
	for _, id := range ids {
		change(c.Table("withdrawals"), c.withdrawal(id), "state", settled, "txid", txid)
	}
}

// cost charges a transaction of ours that settles nothing; with batch it also
// closes one that pays no withdrawal.
func (c *call) cost() bool {
	chain, isChainText := c.payload.String("chain")
	txid, isTx := c.payload.String("txid")
	amount, isAmount := c.payload.String("amount")
	id, hasBatch := c.payload.String("batch")
	if !c.Assert(isChainText && isTx && isAmount && (hasBatch || !c.payload.Has("batch")), "invalid params") ||
		!c.Assert(isChain(chain), "invalid chain") || !c.ok(c.costProblem(chain, txid, amount)) ||
		!c.Assert(c.charged(chain, txid) == nil, "transaction already charged") {
		return false
	}
	var row state.Row
	var owner jsvalue.Value
	if hasBatch {
		row, owner = c.assigned(id), id
		if !c.Assert(row != nil && text(row, "chain") == chain, "batch does not exist") ||
			!c.Assert(text(row, "kind") != kindPayout, "a payout is closed by settle") || !c.ok(c.settleProblem(row, txid)) {
			return false
		}
	}
	if !c.agreed(chain+" "+txid, "amount", amount, "batch", owner) {
		return true
	}
	if row != nil {
		c.closeBatch(row, txid, amount)
	}
	if !c.charge(chain, txid, amount, owner) {
		return false
	}
	c.Emit("cost", jsvalue.NewObject("chain", chain, "txid", txid, "amount", amount))
	return true
}

func (c *call) costProblem(chain, txid, amount string) string {
	_, ok := amountOf(amount, maxDecimal)
	switch {
	case !isTxID(chain, txid):
		return "invalid txid"
	case !ok:
		return "invalid cost"
	case nativeAsset(c, chain) == nil:
		return "the chain has no asset to pay costs in"
	}
	return ""
}

// charged is the row of a transaction's cost, or nil.
func (c *call) charged(chain, txid string) state.Row {
	return c.Table("costs").Get(jsvalue.NewObject("chain", chain, "txid", txid))
}

// charge books the cost of a transaction: rounded up to the peg's decimals,
// burned from the fee account as far as it goes, the rest owed.
func (c *call) charge(chain, txid, amount string, batch jsvalue.Value) bool {
	a := nativeAsset(c, chain)
	cost := jsvalue.Big(amount).Round(a.precision, jsvalue.RoundUp)
	c.Table("costs").Insert(jsvalue.NewObject(
		"chain", chain, "txid", txid, "amount", amount, "charged", a.fixed(cost), "batch", batch, "block", c.ref()))
	owed := a.fixed(a.amount("owed").Plus(cost))
	a.row = change(c.Table("assets"), a.row, "owed", owed)
	return c.payOwed(a)
}

// payOwed burns what is owed from the fee account, as far as it goes.
func (c *call) payOwed(a *asset) bool {
	fees := text(c.params, "fee_account")
	owed, held := a.amount("owed"), c.balance(fees, a.symbol)
	pay := owed
	if held.Lt(pay) {
		pay = held
	}
	if !positive(pay) {
		return true
	}
	a.row = change(c.Table("assets"), a.row, "owed", a.fixed(owed.Minus(pay)))
	return c.transfer(fees, null, a.symbol, a.fixed(pay))
}
