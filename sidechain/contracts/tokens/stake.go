package tokens

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// maxPeriods bounds cooldowns, in days, and the transactions of an unstake.
const maxPeriods = 18250

// enableStaking lets a token be staked, once and for ever: how many days an
// unstake takes, and in how many slices it is paid out.
func (e *edition) enableStaking(ctx contract.Context, payload *jsvalue.Object) {
	symbol, isSymbol := contract.Text(payload, "symbol")
	cooldown, isCooldown := periods(payload, "unstakingCooldown")
	slices, isSlices := periods(payload, "numberTransactions")
	fee, ok := e.mayEnable(ctx, "enableStakingFee")
	if !ok || !ctx.Assert(isSymbol, "invalid symbol") ||
		!ctx.Assert(isCooldown, "unstakingCooldown must be an integer between 1 and 18250") ||
		!ctx.Assert(isSlices, "numberTransactions must be an integer between 1 and 18250") {
		return
	}
	t := findToken(ctx, symbol)
	if !ctx.Assert(t != nil, "symbol does not exist") ||
		!ctx.Assert(t.text("issuer") == ctx.Sender(), "must be the issuer") ||
		!ctx.Assert(!t.enabled("stakingEnabled"), "staking already enabled") {
		return
	}
	row := t.row.Clone()
	row.Set("stakingEnabled", true)
	row.Set("totalStaked", "0")
	row.Set("unstakingCooldown", cooldown)
	row.Set("numberTransactions", slices)
	t.row = ctx.Table("tokens").Update(row)
	e.burnFee(ctx, fee)
}

// mayEnable checks the fee and the key, which both come before anything else.
func (e *edition) mayEnable(ctx contract.Context, param string) (fee string, ok bool) {
	fee = jsvalue.ToString(e.params(ctx).Get(param))
	return fee, ctx.Assert(e.coversFee(ctx, fee, jsvalue.Undefined{}), "you must have enough tokens to cover  fees") &&
		activeKey(ctx)
}

// burnFee burns a fee of the sender's as an ordinary transfer.
func (e *edition) burnFee(ctx contract.Context, fee string) {
	if jsvalue.Big(fee).Gt(jsvalue.BigInt(0)) {
		e.transfer(ctx, jsvalue.NewObject(
			"to", burned, "symbol", ctx.UtilityToken(), "quantity", fee, "isSignedWithActiveKey", true))
	}
}

// periods reads an integer between 1 and maxPeriods.
func periods(payload *jsvalue.Object, key string) (float64, bool) {
	n, _ := payload.Number(key)
	return n, jsvalue.IsInteger(n) && n > 0 && n <= maxPeriods
}

// enabled reads a flag of the token's row.
func (t *token) enabled(key string) bool { return t.row.Get(key) == true }

// number reads a number of the token's row, 0 when it has none.
func (t *token) number(key string) float64 {
	n, _ := t.row.Number(key)
	return n
}

// stake moves tokens from the sender's balance to an account's stake.
func (e *edition) stake(ctx contract.Context, payload *jsvalue.Object) {
	if activeKey(ctx) {
		e.stakeFrom(ctx, payload, "stake", ctx.Sender(), userTable)
	}
}

// stakeFromContract does so from the calling contract's balance. Called
// directly it does nothing, silently.
func (e *edition) stakeFromContract(ctx contract.Context, payload *jsvalue.Object) {
	if c := ctx.Caller(); c != nil {
		e.stakeFrom(ctx, payload, "stakeFromContract", c.Name, contractTable)
	}
}

func (e *edition) stakeFrom(ctx contract.Context, payload *jsvalue.Object, event, from, table string) {
	o, valid := readOrder(payload)
	if !ctx.Assert(valid, "invalid params") {
		return
	}
	to := contract.Trim(o.to)
	if !ctx.Assert(contract.IsValidAccountName(ctx, to) && !e.isGate(ctx, to), "invalid to") {
		return
	}
	t := findToken(ctx, o.symbol)
	if !ctx.Assert(t != nil, "symbol does not exist") ||
		!ctx.Assert(t.fits(o.quantity), "symbol precision mismatch") ||
		!ctx.Assert(t.enabled("stakingEnabled"), "staking not enabled") ||
		!ctx.Assert(jsvalue.Big(o.quantity).Gt(jsvalue.BigInt(0)), "must stake positive quantity") {
		return
	}
	q := t.fixed(o.quantity)
	data := jsvalue.NewObject("account", to, "symbol", t.symbol, "quantity", q)
	if to == burned && ctx.Switch(contract.RuleStakeBurns) {
		if move(ctx, t, q, from, table, burned, userTable) {
			burn(ctx, t, q, burned)
			ctx.Emit(event, data)
		}
		return
	}
	if !subBalance(ctx, from, t, q, table) {
		return
	}
	if !addStake(ctx, to, t, q) {
		addBalance(ctx, from, t, q, table)
		return
	}
	ctx.Emit(event, data)
	stakeChanged(ctx, t, to, q)
}

// addStake adds q to the stake of an account and to what is staked of the
// token.
func addStake(ctx contract.Context, account string, t *token, q string) bool {
	row := orNewBalance(ctx, account, t)
	old := amount(row, "stake")
	next := t.plus(old, q)
	if !ctx.Assert(jsvalue.Big(next).Gt(jsvalue.Big(old)), "cannot add") {
		return false
	}
	row = row.Clone()
	row.Set("stake", next)
	ctx.Table(userTable).Update(row)
	t.change(ctx, "totalStaked", t.plus(amount(t.row, "totalStaked"), q))
	return true
}

// orNewBalance finds an account's row of a token or makes an empty one.
func orNewBalance(ctx contract.Context, account string, t *token) state.Row {
	rows := ctx.Table(userTable)
	if row := findBalance(rows, account, t.symbol); row != nil {
		return row
	}
	return rows.Insert(newBalance(account, t.symbol, "0"))
}

// amount is a member of a row that old rows may lack.
func amount(row state.Row, key string) string {
	if s, ok := row.String(key); ok {
		return s
	}
	return "0"
}
