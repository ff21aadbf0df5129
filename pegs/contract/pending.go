package contract

import (
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// maxApplied bounds what one tick does.
const maxApplied = 100

// checkPending applies admin changes and delayed mints that are due, each with
// a savepoint of its own. What cannot be done yet (a cap, a pause, a hold)
// stays and is tried again at the next block; it says nothing, or every block
// would carry the message.
func (c *call) checkPending() bool {
	c.applyDue(kindChange, c.applyChange)
	c.params = firstRow(c.Table("params"))
	c.applyDue(kindMint, c.applyMint)
	return true
}

// applyDue applies the rows of a kind whose block has come, oldest first.
func (c *call) applyDue(kind string, apply func(state.Row) bool) {
	bounds := []jsvalue.Value{kind, c.ref()}
	applied := 0
	for row := range c.Table("votes").Ascend("kind+due", []jsvalue.Value{kind}, bounds) {
		if apply(row) {
			applied++
		}
		if applied == maxApplied {
			return
		}
	}
}

// applyMint credits a delayed mint unless something stands against it now.
func (c *call) applyMint(row state.Row) bool {
	o := mintOrder{id: text(row, "subject"), symbol: text(row, "symbol"), quantity: text(row, "quantity"), to: text(row, "to")}
	a := findAsset(c, o.symbol)
	if a == nil || row.Get("held") == true || c.mintProblem(a, o) != "" || c.capProblem(a, o) != "" {
		return false
	}
	mark := c.Savepoint()
	c.Table("votes").Remove(row)
	if !c.credit(a, o) {
		c.Rollback(mark)
		return false
	}
	return true
}
