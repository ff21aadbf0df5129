package tokens

import (
	"strings"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

const dayMillis = 24 * 60 * 60 * 1000

// unstake starts to turn stake into balance, in slices. The slice that is due
// next leaves the stake at once; the rest stays in it, votes and mines, but
// can be neither delegated nor unstaked again.
func (e *edition) unstake(ctx contract.Context, payload *jsvalue.Object) {
	symbol, isSymbol := contract.Text(payload, "symbol")
	q, isQ := isQuantity(payload.Get("quantity"))
	if !activeKey(ctx) || !ctx.Assert(isSymbol && isQ, "invalid params") {
		return
	}
	t := findToken(ctx, symbol)
	if !ctx.Assert(t != nil, "symbol does not exist") ||
		!ctx.Assert(t.enabled("stakingEnabled"), "staking not enabled") ||
		!ctx.Assert(t.fits(q), "symbol precision mismatch") ||
		!ctx.Assert(jsvalue.Big(q).Gt(jsvalue.BigInt(0)), "must unstake positive quantity") {
		return
	}
	q = t.fixed(q)
	if !startUnstake(ctx, t, q) {
		return
	}
	slices := t.number("numberTransactions")
	period := jsvalue.Big(t.number("unstakingCooldown") * dayMillis).Div(jsvalue.Big(slices)).IntegerValue(jsvalue.RoundDown)
	row := jsvalue.NewObject(
		"account", ctx.Sender(),
		"symbol", t.symbol,
		"quantity", q,
		"quantityLeft", q,
		"nextTransactionTimestamp", jsvalue.BigInt(ctx.Millis()).Plus(period).Number(),
		"numberTransactionsLeft", slices,
		"millisecPerPeriod", period.ToFixed(),
		"txID", nil,
	)
	if id, ok := ctx.TransactionID(); ok {
		row.Set("txID", id)
	}
	ctx.Table("pendingUnstakes").Insert(row)
	ctx.Emit("unstakeStart", jsvalue.NewObject("account", ctx.Sender(), "symbol", t.symbol, "quantity", q))
}

// startUnstake takes the first slice of q out of the sender's stake.
func startUnstake(ctx contract.Context, t *token, q string) bool {
	account := ctx.Sender()
	row := findBalance(ctx.Table(userTable), account, t.symbol)
	if !ctx.Assert(row != nil, "balance does not exist") {
		return false
	}
	free, pending := freeStake(ctx, t, row)
	if !ctx.Assert(free.Gte(jsvalue.Big(q)), "overdrawn stake") ||
		!ctx.Assert(pending < contract.MaxPendingUnstakes || !ctx.Switch(contract.RulePendingLimit),
			"too many pending unstakes") {
		return false
	}
	next := q
	if t.number("numberTransactions") > 1 {
		next = t.slice(q, t.precision)
	}
	if !shift(ctx, t, row, negative(next), "pendingUnstake", q) {
		return false
	}
	t.change(ctx, "totalStaked", t.minus(t.text("totalStaked"), next))
	stakeChanged(ctx, t, account, negative(next))
	return true
}

// freeStake is the stake of an account that is not being unstaked, as far as
// the first page of its pending unstakes tells, and how many there are of the
// token, up to that page's end.
func freeStake(ctx contract.Context, t *token, row state.Row) (free jsvalue.BigNumber, pending int) {
	account, _ := row.String("account")
	free = jsvalue.Big(amount(row, "stake"))
	counted := 0
	for p := range ctx.Table("pendingUnstakes").FindAll(byAccount, account, t.symbol) {
		pending++
		if left, _ := p.Number("numberTransactionsLeft"); left <= 1 {
			continue
		}
		if counted++; counted > pageSize {
			break
		}
		due := t.slice(amount(p, "quantity"), t.places(ctx, p))
		free = free.Minus(jsvalue.Big(amount(p, "quantityLeft"))).Plus(jsvalue.Big(due))
	}
	return free, pending
}

// slice is what one transaction of an unstake of q releases, unless it is the
// last one, which releases what is left.
func (t *token) slice(q string, places int) string {
	return jsvalue.Big(q).Div(jsvalue.Big(t.number("numberTransactions"))).ToFixedMode(places, jsvalue.RoundDown)
}

// places is the number of decimals of a pending unstake's slices: the token's,
// or those that its quantity was written with when it started.
func (t *token) places(ctx contract.Context, pending state.Row) int {
	if !ctx.Switch(contract.RuleFixedSlices) {
		return t.precision
	}
	_, decimals, _ := strings.Cut(amount(pending, "quantity"), ".")
	return len(decimals)
}

// shift adds by, signed, to the stake of an account and q, signed, to another
// member of its row. Both must change.
func shift(ctx contract.Context, t *token, row state.Row, by, member, q string) bool {
	stake, other := amount(row, "stake"), amount(row, member)
	next := row.Clone()
	next.Set("stake", t.plus(stake, by))
	next.Set(member, t.plus(other, q))
	if !ctx.Assert(moved(next, "stake", stake, by) && moved(next, member, other, q), "cannot subtract") {
		return false
	}
	ctx.Table(userTable).Update(next)
	return true
}

// moved says whether a member went the way that the sign of by asks for.
func moved(row state.Row, key, old, by string) bool {
	now, before := jsvalue.Big(amount(row, key)), jsvalue.Big(old)
	if jsvalue.Big(by).IsPositive() {
		return now.Gt(before)
	}
	return now.Lt(before)
}

// cancelUnstake gives a pending unstake back to the stake.
func (e *edition) cancelUnstake(ctx contract.Context, payload *jsvalue.Object) {
	id, isID := contract.Text(payload, "txID")
	if !activeKey(ctx) || !ctx.Assert(isID, "invalid params") {
		return
	}
	pendings := ctx.Table("pendingUnstakes")
	p := pendings.Find1(byTransaction, ctx.Sender(), id)
	if !ctx.Assert(p != nil, "unstake does not exist") || !takeBack(ctx, p) {
		return
	}
	pendings.Remove(p)
	ctx.Emit("unstakeCancel", jsvalue.NewObject(
		"account", p.Get("account"), "symbol", p.Get("symbol"), "quantity", p.Get("quantityLeft")))
}

// takeBack returns the slice that had left the stake already.
func takeBack(ctx contract.Context, p state.Row) bool {
	account, symbol, left := amount(p, "account"), amount(p, "symbol"), amount(p, "quantityLeft")
	row := findBalance(ctx.Table(userTable), account, symbol)
	if !ctx.Assert(row != nil, "balance does not exist") ||
		!ctx.Assert(jsvalue.Big(amount(row, "pendingUnstake")).Gte(jsvalue.Big(left)), "overdrawn pendingUnstake") {
		return false
	}
	t := findToken(ctx, symbol)
	release := left
	if n, _ := p.Number("numberTransactionsLeft"); n > 1 {
		release = t.slice(amount(p, "quantity"), t.places(ctx, p))
	}
	if !shift(ctx, t, row, release, "pendingUnstake", negative(left)) {
		return false
	}
	t.change(ctx, "totalStaked", t.plus(t.text("totalStaked"), release))
	stakeChanged(ctx, t, account, release)
	return true
}

// checkPendingUnstakes is the tick that pays out the slices that are due.
func (e *edition) checkPendingUnstakes(ctx contract.Context, _ *jsvalue.Object) {
	if ctx.Assert(ctx.Sender() == burned, "not authorized") {
		eachDue(ctx, ctx.Table("pendingUnstakes"), bySliceTime, func(p state.Row) bool { return paySlice(ctx, p) })
	}
}

// paySlice pays what is due of a pending unstake and takes the next slice out
// of the stake. It says whether the row moved on.
func paySlice(ctx contract.Context, p state.Row) bool {
	account, symbol := amount(p, "account"), amount(p, "symbol")
	row := findBalance(ctx.Table(userTable), account, symbol)
	if !ctx.Assert(row != nil, "balance does not exist") {
		return false
	}
	t := findToken(ctx, symbol)
	release, taken := advance(ctx, t, p)
	if !jsvalue.Big(release).Gt(jsvalue.BigInt(0)) {
		return true
	}
	balance, pending := amount(row, "balance"), amount(row, "pendingUnstake")
	changed := row.Clone()
	changed.Set("balance", t.plus(balance, release))
	changed.Set("pendingUnstake", t.minus(pending, release))
	if !ctx.Assert(moved(changed, "pendingUnstake", pending, "-1") && moved(changed, "balance", balance, "1"), "cannot subtract") {
		return true
	}
	total := t.row.Clone()
	if jsvalue.Big(taken).Gt(jsvalue.BigInt(0)) {
		changed.Set("stake", t.minus(amount(row, "stake"), taken))
		total.Set("totalStaked", t.minus(t.text("totalStaked"), taken))
		tellMining(ctx, t, account, negative(taken), false)
	}
	ctx.Table(userTable).Update(changed)
	t.row = ctx.Table("tokens").Update(total)
	tellWitnesses(ctx, t, account)
	tellFunds(ctx, t, account)
	ctx.Emit("unstake", jsvalue.NewObject("account", account, "symbol", symbol, "quantity", release))
	return true
}

// advance moves a pending unstake on, or removes it after its last
// transaction. It returns what is released and what has to leave the stake now:
// the slices that were released beyond the first, which had left it already,
// and the one that is due next.
func advance(ctx contract.Context, t *token, p state.Row) (release, taken string) {
	pendings := ctx.Table("pendingUnstakes")
	n, _ := p.Number("numberTransactionsLeft")
	left := amount(p, "quantityLeft")
	places := t.places(ctx, p)
	due := left
	if n > 1 {
		due = t.slice(amount(p, "quantity"), places)
	}
	time, period := jsvalue.Big(p.Get("nextTransactionTimestamp")), jsvalue.Big(p.Get("millisecPerPeriod"))
	k := periodsDue(ctx, time, period)
	if k >= n {
		pendings.Remove(p)
		return left, t.minus(left, due)
	}
	count := jsvalue.Big(k)
	release = jsvalue.Big(due).Times(count).ToFixedN(places)
	left, n = t.minus(left, release), n-k
	next := due
	if n == 1 {
		next = left
	}
	row := p.Clone()
	row.Set("quantityLeft", left)
	row.Set("numberTransactionsLeft", n)
	row.Set("nextTransactionTimestamp", time.Plus(period.Times(count)).Number())
	pendings.Update(row)
	return release, t.minus(t.plus(release, next), due)
}

// periodsDue is how many slices of a pending unstake are paid at once: one at
// the peer, which comes back for the others; all that are due where the rows of
// a tick are bounded, so that a row comes once and short periods do not keep
// others waiting.
func periodsDue(ctx contract.Context, time, period jsvalue.BigNumber) float64 {
	if _, bounded := tickRows(ctx); !bounded {
		return 1
	}
	late := jsvalue.BigInt(ctx.Millis()).Minus(time)
	return late.Div(period).IntegerValue(jsvalue.RoundDown).Number() + 1
}
