package tokens

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// enableDelegation lets the stake of a token be delegated: how many days an
// undelegation takes.
func (e *edition) enableDelegation(ctx contract.Context, payload *jsvalue.Object) {
	symbol, isSymbol := contract.Text(payload, "symbol")
	cooldown, isCooldown := periods(payload, "undelegationCooldown")
	fee, ok := e.mayEnable(ctx, "enableDelegationFee")
	if !ok || !ctx.Assert(isSymbol, "invalid symbol") ||
		!ctx.Assert(isCooldown, "undelegationCooldown must be an integer between 1 and 18250") {
		return
	}
	t := findToken(ctx, symbol)
	if !ctx.Assert(t != nil, "symbol does not exist") ||
		!ctx.Assert(t.text("issuer") == ctx.Sender(), "must be the issuer") ||
		!ctx.Assert(t.enabled("stakingEnabled"), "staking not enabled") ||
		!ctx.Assert(!t.enabled("delegationEnabled"), "delegation already enabled") {
		return
	}
	row := t.row.Clone()
	row.Set("delegationEnabled", true)
	row.Set("undelegationCooldown", cooldown)
	t.row = ctx.Table("tokens").Update(row)
	e.burnFee(ctx, fee)
}

// delegate lends stake of the sender's to another account.
func (e *edition) delegate(ctx contract.Context, payload *jsvalue.Object) {
	o, valid := readOrder(payload)
	if !activeKey(ctx) || !ctx.Assert(valid, "invalid params") {
		return
	}
	to := contract.Trim(o.to)
	if !ctx.Assert(contract.IsValidAccountName(ctx, to) && !e.isGate(ctx, to), "invalid to") {
		return
	}
	t, ok := delegable(ctx, o)
	from := ctx.Sender()
	if !ok || !ctx.Assert(to != from, "cannot delegate to yourself") ||
		!ctx.Assert(jsvalue.Big(o.quantity).Gt(jsvalue.BigInt(0)), "must delegate positive quantity") {
		return
	}
	row := findBalance(ctx.Table(userTable), from, t.symbol)
	if !ctx.Assert(row != nil, "balanceFrom does not exist") {
		return
	}
	q := t.fixed(o.quantity)
	if free, _ := freeStake(ctx, t, row); !ctx.Assert(free.Gte(jsvalue.Big(q)), "overdrawn stake") {
		return
	}
	other := orNewBalance(ctx, to, t)
	if !shift(ctx, t, row, negative(q), "delegationsOut", q) {
		return
	}
	setMember(ctx, other, "delegationsIn", t.plus(amount(other, "delegationsIn"), q))
	addDelegation(ctx, t, from, to, q)
	ctx.Emit("delegate", jsvalue.NewObject("to", to, "symbol", t.symbol, "quantity", q))
	tellWitnesses(ctx, t, from)
	tellWitnesses(ctx, t, to)
	tellMining(ctx, t, to, q, true)
	tellMining(ctx, t, from, negative(q), false)
	tellFunds(ctx, t, from)
	tellFunds(ctx, t, to)
}

// delegable is what delegate and undelegate check of the token first.
func delegable(ctx contract.Context, o order) (*token, bool) {
	t := findToken(ctx, o.symbol)
	return t, ctx.Assert(t != nil, "symbol does not exist") &&
		ctx.Assert(t.fits(o.quantity), "symbol precision mismatch") &&
		ctx.Assert(t.enabled("delegationEnabled"), "delegation not enabled")
}

// setMember replaces one member of a user's row.
func setMember(ctx contract.Context, row state.Row, key, value string) {
	next := row.Clone()
	next.Set(key, value)
	ctx.Table(userTable).Update(next)
}

// addDelegation raises the delegation between two accounts or makes it.
func addDelegation(ctx contract.Context, t *token, from, to, q string) {
	rows := ctx.Table("delegations")
	old := rows.Find1(byParties, from, to, t.symbol)
	if old == nil {
		rows.Insert(jsvalue.NewObject("from", from, "to", to, "symbol", t.symbol, "quantity", q,
			"created", ctx.Millis(), "updated", ctx.Millis()))
		return
	}
	row := old.Clone()
	row.Set("quantity", t.plus(amount(old, "quantity"), q))
	row.Set("updated", float64(ctx.Millis()))
	rows.Update(row)
}

// undelegate takes stake back from an account; it is the sender's again after
// the cooldown.
func (e *edition) undelegate(ctx contract.Context, payload *jsvalue.Object) {
	from, isFrom := contract.Text(payload, "from")
	symbol, isSymbol := contract.Text(payload, "symbol")
	q, isQ := isQuantity(payload.Get("quantity"))
	if !activeKey(ctx) || !ctx.Assert(isFrom && isSymbol && isQ, "invalid params") {
		return
	}
	from = contract.Trim(from)
	if n := jsvalue.Length(from); !ctx.Assert(n >= 3 && n <= 16, "invalid from") {
		return
	}
	t, ok := delegable(ctx, order{symbol: symbol, quantity: q})
	owner := ctx.Sender()
	if !ok || !ctx.Assert(from != owner, "cannot undelegate from yourself") ||
		!ctx.Assert(jsvalue.Big(q).Gt(jsvalue.BigInt(0)), "must undelegate positive quantity") {
		return
	}
	q = t.fixed(q)
	if !takeDelegation(ctx, t, owner, from, q) {
		return
	}
	id, isID := ctx.TransactionID()
	pending := jsvalue.NewObject("account", owner, "symbol", t.symbol, "quantity", q,
		"completeTimestamp", float64(ctx.Millis())+t.number("undelegationCooldown")*dayMillis, "txID", nil)
	if isID {
		pending.Set("txID", id)
	}
	ctx.Table("pendingUndelegations").Insert(pending)
	ctx.Emit("undelegateStart", jsvalue.NewObject("from", from, "symbol", t.symbol, "quantity", q))
	tellWitnesses(ctx, t, from)
	tellMining(ctx, t, from, negative(q), true)
	tellFunds(ctx, t, from)
}

// takeDelegation checks and lowers a delegation and the rows of both accounts.
func takeDelegation(ctx contract.Context, t *token, owner, from, q string) bool {
	users, delegations := ctx.Table(userTable), ctx.Table("delegations")
	mine := findBalance(users, owner, t.symbol)
	if !ctx.Assert(mine != nil, "balanceTo does not exist") || !ctx.Assert(covers(mine, "delegationsOut", q), "overdrawn delegation") {
		return false
	}
	theirs := findBalance(users, from, t.symbol)
	if !ctx.Assert(theirs != nil, "balanceFrom does not exist") {
		return false
	}
	d := delegations.Find1(byParties, owner, from, t.symbol)
	if !ctx.Assert(d != nil, "delegation does not exist") || !ctx.Assert(covers(d, "quantity", q), "overdrawn delegation") {
		return false
	}
	next := mine.Clone()
	next.Set("pendingUndelegations", t.plus(amount(mine, "pendingUndelegations"), q))
	next.Set("delegationsOut", t.minus(amount(mine, "delegationsOut"), q))
	users.Update(next)
	setMember(ctx, theirs, "delegationsIn", t.minus(amount(theirs, "delegationsIn"), q))
	left := t.minus(amount(d, "quantity"), q)
	if jsvalue.Big(left).Gt(jsvalue.BigInt(0)) {
		row := d.Clone()
		row.Set("quantity", left)
		delegations.Update(row)
	} else {
		delegations.Remove(d)
	}
	return true
}

// covers says whether a member of a row is at least q.
func covers(row state.Row, key, q string) bool {
	return jsvalue.Big(amount(row, key)).Gte(jsvalue.Big(q))
}

// checkPendingUndelegations is the tick that gives stake back.
func (e *edition) checkPendingUndelegations(ctx contract.Context, _ *jsvalue.Object) {
	if ctx.Assert(ctx.Sender() == burned, "not authorized") {
		eachDue(ctx, ctx.Table("pendingUndelegations"), byCompletion, func(p state.Row) bool { return giveBack(ctx, p) })
	}
}

// giveBack completes an undelegation. It says whether the row is gone.
func giveBack(ctx contract.Context, p state.Row) bool {
	account, symbol, q := amount(p, "account"), amount(p, "symbol"), amount(p, "quantity")
	row := findBalance(ctx.Table(userTable), account, symbol)
	if !ctx.Assert(row != nil, "balance does not exist") {
		return false
	}
	t := findToken(ctx, symbol)
	if !shift(ctx, t, row, q, "pendingUndelegations", negative(q)) {
		return false
	}
	ctx.Table("pendingUndelegations").Remove(p)
	ctx.Emit("undelegateDone", jsvalue.NewObject("account", account, "symbol", symbol, "quantity", q))
	stakeChanged(ctx, t, account, q)
	return true
}
