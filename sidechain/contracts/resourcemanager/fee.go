package resourcemanager

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
)

// burnFee decides whether the sender's n-th transaction of this block may run.
// The payload is the engine's: {userActionCount, contract, action, payload}.
func (m *manager) burnFee(ctx contract.Context, payload *jsvalue.Object) {
	if ctx.Sender() == "null" {
		return
	}
	p := params(ctx)
	control := find(ctx, "accountControls", ctx.Sender())
	if control != nil && jsvalue.Truthy(control.Get("isDenied")) && !countDenied(ctx, control, p) {
		return
	}
	count, _ := payload.Number("userActionCount")
	free, _ := p.Number("numberOfFreeTx")
	if count <= free || m.allowed(ctx, control) {
		return
	}
	if name, _ := payload.String("contract"); name != "market" {
		ctx.Assert(count <= maxPerBlock || m.freePools && name == "marketpools", "max transaction limit per block reached.")
		return
	}
	fee, _ := p.String("multiTransactionFee")
	if pay(ctx, p, fee, "not enough tokens for multiTransaction fee") || m.claims {
		ctx.Emit("burnFee", payment(ctx, p, fee))
	}
}

// countDenied counts a denied account's transactions of a day and says whether
// one more is left.
func countDenied(ctx contract.Context, control, p *jsvalue.Object) bool {
	row := control.Clone()
	last, _ := row.Number("lastAction")
	count, _ := row.Number("actionCount")
	most, _ := p.Number("denyMaxTx")
	anotherDay := float64(ctx.Millis())-last >= day
	count++
	if anotherDay {
		count = 1
	}
	row.Set("actionCount", count)
	row.Set("lastAction", ctx.Millis())
	if !ctx.Assert(anotherDay || count <= most, "max transaction limit per day reached.") {
		return false
	}
	ctx.Table("accountControls").Update(row)
	return true
}

// allowed says whether an account needs to pay no fees. An allowance that has
// run out is ended here.
func (m *manager) allowed(ctx contract.Context, control *jsvalue.Object) bool {
	if control == nil || !jsvalue.Truthy(control.Get("isAllowed")) {
		return false
	}
	if m.stillAllowed(ctx, control) {
		return true
	}
	row := find(ctx, "accountControls", ctx.Sender()).Clone()
	row.Set("isAllowed", false)
	ctx.Table("accountControls").Update(row)
	ctx.Emit("allowListSubscriptionExpired", jsvalue.NewObject("from", ctx.Sender()))
	return false
}

// stillAllowed says whether an account's allowance has not run out.
func (m *manager) stillAllowed(ctx contract.Context, control *jsvalue.Object) bool {
	if !jsvalue.Truthy(control.Get("isAllowed")) {
		return false
	}
	until, limited := control.Number("allowedUntil")
	if !limited || until == 0 {
		return m.endless
	}
	return float64(ctx.Millis()) < until
}

// subscribe pays for a month without fees.
func (m *manager) subscribe(ctx contract.Context, _ *jsvalue.Object) {
	if ctx.Sender() == "null" {
		return
	}
	p := params(ctx)
	old := find(ctx, "accountControls", ctx.Sender())
	if !ctx.Assert(old == nil || !jsvalue.Truthy(old.Get("isDenied")), "cannot be purchased as long as you are throttled.") {
		return
	}
	if !ctx.Assert(old == nil || !m.stillAllowed(ctx, old), "can only be purchased once a month.") {
		return
	}
	fee, _ := p.String("allowlistBurnFee")
	if !pay(ctx, p, fee, "not enough tokens for allowList fee") {
		return
	}
	row := jsvalue.NewObject("account", ctx.Sender(), "isDenied", false)
	if old != nil {
		row = old.Clone()
	}
	end := ctx.Millis() + subscriptionDays*day
	row.Set("isAllowed", true)
	row.Set("allowedUntil", end)
	store(ctx, old, row)
	data := payment(ctx, p, fee)
	data.Set("subscribedUntil", end)
	ctx.Emit("subscribe", data)
}

// pay burns a fee of the sender's and asserts msg when that failed.
func pay(ctx contract.Context, p *jsvalue.Object, fee, msg string) bool {
	symbol := p.Get("burnSymbol")
	res := ctx.Call("tokens", "transfer", jsvalue.NewObject(
		"to", "null", "symbol", symbol, "quantity", fee, "isSignedWithActiveKey", true))
	return ctx.Assert(res.OK() && paid(ctx, res, symbol, fee), msg)
}

// paid looks for the event of the transfer.
func paid(ctx contract.Context, res contract.Result, symbol jsvalue.Value, fee string) bool {
	for _, e := range res.Events {
		data, _ := e.Object("data")
		if e.Get("contract") == "tokens" && e.Get("event") == "transfer" &&
			data.Get("from") == ctx.Sender() && data.Get("to") == "null" && data.Get("symbol") == symbol &&
			jsvalue.Big(data.Get("quantity")).Eq(jsvalue.Big(fee)) {
			return true
		}
	}
	return false
}

func payment(ctx contract.Context, p *jsvalue.Object, fee string) *jsvalue.Object {
	return jsvalue.NewObject("from", ctx.Sender(), "to", "null", "symbol", p.Get("burnSymbol"), "fee", fee)
}
