package contract

import (
	"slices"

	"causeway/internal/failpoint"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// mintWindow is the length of the rolling window of mint_cap in base blocks:
// a day at three seconds, longer when blocks are rarer.
const mintWindow = 28_800

// mintOrder is a deposit to be credited.
type mintOrder struct {
	id, symbol, quantity, to string
}

// mint credits a deposit once the attestors agree, a large one after a delay.
func (c *call) mint() bool {
	var o mintOrder
	var given [4]bool
	o.id, given[0] = c.payload.String("id")
	o.symbol, given[1] = c.payload.String("symbol")
	o.quantity, given[2] = c.payload.String("quantity")
	o.to, given[3] = c.payload.String("to")
	if !c.Assert(!slices.Contains(given[:], false), "invalid params") {
		return false
	}
	a, ok := c.assetOf(o.symbol)
	if !ok || !c.ok(c.mintProblem(a, o)) || !c.ok(c.delayProblem(o.id)) {
		return false
	}
	if !c.agreed(o.id, "symbol", o.symbol, "quantity", o.quantity, "to", o.to) {
		return true
	}
	if jsvalue.Big(o.quantity).Gte(a.amount("large_mint")) && number(a.row, "mint_delay") > 0 {
		c.delayMint(a, o)
		return true
	}
	return c.ok(c.capProblem(a, o)) && c.credit(a, o)
}

// mintProblem is what forbids crediting a deposit whatever the caps say.
func (c *call) mintProblem(a *asset, o mintOrder) string {
	if problem := depositProblem(o.id, a); problem != "" {
		return problem
	}
	quantity, ok := amountOf(o.quantity, a.precision)
	switch {
	case c.Table("deposits").Get(jsvalue.NewObject("id", o.id)) != nil && !failpoint.Off(failpoint.DepositOnce):
		return "deposit already credited"
	case !ok || o.quantity != a.fixed(quantity):
		return "quantity must have exactly the token's decimals"
	case !positive(quantity):
		return "quantity must be positive"
	case a.paused("mints"):
		return "minting is paused"
	}
	return c.receiverProblem(o.to)
}

// capProblem says which cap a mint would break now.
func (c *call) capProblem(a *asset, o mintOrder) string {
	quantity := jsvalue.Big(o.quantity)
	switch {
	case c.supply(a.symbol).Plus(quantity).Gt(a.amount("supply_cap")):
		return "supply cap reached"
	case c.mintedInWindow(a).Plus(quantity).Gt(a.amount("mint_cap")):
		return "mint cap reached"
	}
	return ""
}

// mintedInWindow is what was minted in the rolling window: the asset's running
// sum less the rows that have left the window since the last mint.
func (c *call) mintedInWindow(a *asset) jsvalue.BigNumber {
	sum := a.amount("minted")
	for row := range c.Table("mints").FindAll("symbol+block", a.symbol) {
		if number(row, "block") > c.ref()-mintWindow {
			break
		}
		sum = sum.Minus(jsvalue.Big(text(row, "quantity")))
	}
	return sum
}

// credit mints a deposit.
func (c *call) credit(a *asset, o mintOrder) bool {
	if !c.issue(o.to, o.symbol, o.quantity) {
		return false
	}
	c.countMint(a, o)
	if failpoint.Off(failpoint.DepositOnce) {
		forgetRow(c.Table("deposits"), o.id)
	}
	c.Table("deposits").Insert(jsvalue.NewObject(
		"id", o.id, "symbol", o.symbol, "quantity", o.quantity, "to", o.to,
		"block", c.ref(), "tx", c.RootTransactionID()))
	c.Emit("mint", jsvalue.NewObject("id", o.id, "symbol", o.symbol, "quantity", o.quantity, "to", o.to))
	return true
}

// forgetRow takes away what would keep a deposit from being credited again.
func forgetRow(deposits *state.Table, id string) {
	if row := deposits.Get(jsvalue.NewObject("id", id)); row != nil {
		deposits.Remove(row)
	}
}

// countMint adds a mint to the window and drops what has left it.
func (c *call) countMint(a *asset, o mintOrder) {
	mints, quantity := c.Table("mints"), jsvalue.Big(o.quantity)
	a.row = change(c.Table("assets"), a.row, "minted", a.fixed(c.mintedInWindow(a).Plus(quantity)))
	for row := range mints.FindAll("symbol+block", o.symbol) {
		if number(row, "block") > c.ref()-mintWindow {
			break
		}
		mints.Remove(row)
	}
	if now := mints.Find1("symbol+block", o.symbol, c.ref()); now != nil {
		change(mints, now, "quantity", a.fixed(jsvalue.Big(text(now, "quantity")).Plus(quantity)))
		return
	}
	mints.Insert(jsvalue.NewObject("symbol", o.symbol, "block", c.ref(), "quantity", o.quantity))
}

// delayedMint is the delayed mint of a deposit, or nil.
func (c *call) delayedMint(id string) state.Row {
	return c.Table("votes").Find1("kind+subject+attestor", kindMint, id)
}

func (c *call) delayProblem(id string) string {
	switch row := c.delayedMint(id); {
	case row == nil:
		return ""
	case row.Get("held") == true:
		return "the mint of this deposit is on hold"
	}
	return "the mint of this deposit waits for its delay"
}

func (c *call) delayMint(a *asset, o mintOrder) {
	due := c.ref() + number(a.row, "mint_delay")
	c.Table("votes").Insert(jsvalue.NewObject(
		"kind", kindMint, "subject", o.id, "symbol", o.symbol, "quantity", o.quantity, "to", o.to,
		"block", c.ref(), "due", due, "held", false))
	c.Emit("mintDelayed", jsvalue.NewObject("id", o.id, "symbol", o.symbol, "quantity", o.quantity, "to", o.to, "due", due))
}

// hold stops a delayed mint. Stopping is cheap, so one attestor is enough;
// only the admin lifts a hold, and then the delay starts again, or drops what is
// held, and then the deposit can be minted with other values.
func (c *call) hold() bool {
	id, ok := c.payload.String("id")
	lift, drop := c.payload.Get("lift") == true, c.payload.Get("drop") == true
	reason := text(c.payload, "reason")
	if !c.Assert(ok && jsvalue.Length(reason) <= maxText && !(lift && drop), "invalid params") {
		return false
	}
	row := c.delayedMint(id)
	if !c.Assert(row != nil, "no delayed mint of this deposit") {
		return false
	}
	held := row.Get("held") == true
	if lift || drop {
		return c.Assert(c.isAdmin(), "must be the admin") && c.Assert(held, "the mint is not on hold") &&
			c.Assert(lift || reason != "", "dropping needs a reason") && c.unhold(row, drop, reason)
	}
	if !c.Assert(!held, "the mint is on hold already") {
		return false
	}
	change(c.Table("votes"), row, "held", true)
	c.Emit("hold", jsvalue.NewObject("id", id, "held", true, "by", c.Sender(), "reason", reason))
	return true
}

// unhold starts the delay of a held mint again, or drops the mint.
func (c *call) unhold(row state.Row, drop bool, reason string) bool {
	event := jsvalue.NewObject("id", text(row, "subject"), "held", false, "by", c.Sender(), "reason", reason)
	if drop {
		c.Table("votes").Remove(row)
		event.Set("dropped", true)
	} else {
		due := c.ref() + number(findAsset(c, text(row, "symbol")).row, "mint_delay")
		change(c.Table("votes"), row, "held", false, "due", due)
	}
	c.Emit("hold", event)
	return true
}
