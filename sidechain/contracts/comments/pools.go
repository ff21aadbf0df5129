package comments

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// activeKey asserts that the call carries the sender's active authority.
func activeKey(ctx contract.Context) bool {
	return ctx.Assert(ctx.SignedWithActiveKey(), "operation must be signed with your active key")
}

// coversFee says whether the sender may act: for nothing, because he owns the
// contract, or because he holds the fee.
func coversFee(ctx contract.Context, fee jsvalue.Value) bool {
	if jsvalue.Big(fee).Lte(jsvalue.BigInt(0)) || ctx.Sender() == ctx.Owner() {
		return true
	}
	row := findBalance(ctx, ctx.Sender(), ctx.UtilityToken())
	return row != nil && big(row, "balance").Gte(jsvalue.Big(fee))
}

// burnFee burns a fee of the sender's; the owner pays none.
func burnFee(ctx contract.Context, fee jsvalue.Value) {
	if ctx.Sender() != ctx.Owner() && jsvalue.Big(fee).Gt(jsvalue.BigInt(0)) {
		ctx.Call("tokens", "transfer", jsvalue.NewObject(
			"to", nobody, "symbol", ctx.UtilityToken(), "quantity", fee, "isSignedWithActiveKey", true))
	}
}

// readConfig is the config of a payload; an array has no members.
func readConfig(ctx contract.Context, payload *jsvalue.Object) (*jsvalue.Object, bool) {
	return object(payload, "config"), ctx.Assert(isObject(payload.Get("config")), "config invalid")
}

// mayConfigure: the token's issuer, and for the utility token the contract's
// owner.
func mayConfigure(ctx contract.Context, token state.Row) bool {
	own := ctx.Sender() == ctx.Owner() && token.Get("symbol") == ctx.UtilityToken()
	return ctx.Assert(own || token.Get("issuer") == ctx.Sender(), "must be issuer of token")
}

// createRewardPool opens the one pool of a token.
func (e *edition) createRewardPool(ctx contract.Context, payload *jsvalue.Object) {
	if !activeKey(ctx) {
		return
	}
	settings := params(ctx)
	fee := settings.Get("setupFee")
	symbol := payload.Get("symbol")
	if !ctx.Assert(coversFee(ctx, fee), "you must have enough tokens to cover the creation fee") {
		return
	}
	token := findToken(ctx, symbol)
	if !ctx.Assert(token != nil, "token not found") {
		return
	}
	config, ok := readConfig(ctx, payload)
	if !ok || !checkConfig(ctx, config, precisionOf(token), number(settings, "maxTagsPerPool")) ||
		!mayConfigure(ctx, token) ||
		!ctx.Assert(jsvalue.Truthy(token.Get("stakingEnabled")), "token must have staking enabled") ||
		!ctx.Assert(ctx.Table(poolTable).Find1(bySymbol, symbol) == nil, "cannot create multiple reward pools per token") {
		return
	}
	kept := jsvalue.NewObject()
	for _, key := range configMembers {
		kept.Set(key, config.Get(key))
	}
	now := float64(ctx.Millis())
	pool := ctx.Table(poolTable).Insert(jsvalue.NewObject(
		"symbol", symbol,
		"rewardPool", "0",
		"lastRewardTimestamp", now,
		"lastClaimDecayTimestamp", now,
		"createdTimestamp", now,
		"lastRewardReductionTimestamp", now,
		"config", kept,
		"pendingClaims", "0",
		"active", true,
	))
	burnFee(ctx, fee)
	ctx.Emit("createRewardPool", jsvalue.NewObject("_id", pool.Get("_id")))
}

// updateRewardPool replaces the config of a pool. Whether the sender may is
// checked late, as at the peer.
func (e *edition) updateRewardPool(ctx contract.Context, payload *jsvalue.Object) {
	if !activeKey(ctx) {
		return
	}
	settings := params(ctx)
	fee := settings.Get("updateFee")
	if !ctx.Assert(coversFee(ctx, fee), "you must have enough tokens to cover the update fee") {
		return
	}
	config, ok := readConfig(ctx, payload)
	if !ok {
		return
	}
	pool := findPool(ctx, payload.Get("rewardPoolId"))
	if !ctx.Assert(pool != nil, "reward pool not found") {
		return
	}
	token := findToken(ctx, pool.Get("symbol"))
	if !checkConfig(ctx, config, precisionOf(token), number(settings, "maxTagsPerPool")) || !mayConfigure(ctx, token) {
		return
	}
	pool = pool.Clone()
	old := object(pool, "config")
	const interval = "rewardReductionIntervalSeconds"
	if !jsvalue.Equal(old.Get(interval), config.Get(interval)) {
		pool.Set("lastRewardReductionTimestamp", float64(ctx.Millis()))
	}
	for _, key := range configMembers {
		old.Set(key, config.Get(key))
	}
	burnFee(ctx, fee)
	ctx.Table(poolTable).Update(pool)
}

// ownPool finds the pool that an issuer's call names.
func ownPool(ctx contract.Context, payload *jsvalue.Object) (state.Row, bool) {
	pool := findPool(ctx, payload.Get("rewardPoolId"))
	if !ctx.Assert(pool != nil, "reward pool not found") {
		return nil, false
	}
	token := findToken(ctx, pool.Get("symbol"))
	return pool, ctx.Assert(token.Get("issuer") == ctx.Sender() || ctx.Sender() == ctx.Owner(), "must be issuer of token")
}

// setActive switches a pool on or off.
func setActive(ctx contract.Context, payload *jsvalue.Object) {
	if !activeKey(ctx) {
		return
	}
	if pool, ok := ownPool(ctx, payload); ok {
		ctx.Table(poolTable).Update(jsvalue.NewObject("_id", pool.Get("_id"), "active", payload.Get("active")))
	}
}

// resetPool forgets what a pool holds and what posts claim of it. The tokens
// stay with the contract.
func resetPool(ctx contract.Context, payload *jsvalue.Object) {
	if !activeKey(ctx) {
		return
	}
	pool, ok := ownPool(ctx, payload)
	if !ok {
		return
	}
	now := float64(ctx.Millis())
	ctx.Table(poolTable).Update(jsvalue.NewObject(
		"_id", pool.Get("_id"),
		"rewardPool", "0",
		"lastRewardTimestamp", now,
		"lastClaimDecayTimestamp", now,
		"createdTimestamp", now,
		"pendingClaims", "0",
	))
}

// setMute decides whether an account earns anything in a pool. The posting key
// is enough.
func setMute(ctx contract.Context, payload *jsvalue.Object) {
	pool, ok := ownPool(ctx, payload)
	if !ok {
		return
	}
	account, _ := payload.String("account")
	mute, isBool := payload.Bool("mute")
	if !ctx.Assert(contract.IsValidAccountName(ctx, account), "invalid account") ||
		!ctx.Assert(isBool, "mute must be a boolean") {
		return
	}
	id := pool.Get("_id")
	row := findPower(ctx, id, account)
	if row == nil {
		row = fullPowerRow(id, account, float64(ctx.Millis()))
		row.Set("mute", mute)
		ctx.Table(powerTable).Insert(row)
		return
	}
	ctx.Table(powerTable).Update(jsvalue.NewObject("_id", row.Get("_id"), "mute", mute))
}

// fullPowerRow is the voting power of an account that never voted.
func fullPowerRow(pool, account jsvalue.Value, now float64) *jsvalue.Object {
	return jsvalue.NewObject(
		"rewardPoolId", pool,
		"account", account,
		"lastVoteTimestamp", now,
		"votingPower", fullPower,
		"downvotingPower", fullPower,
	)
}

// setPostMute decides whether a post is paid. The posting key is enough.
func setPostMute(ctx contract.Context, payload *jsvalue.Object) {
	pool, ok := ownPool(ctx, payload)
	if !ok {
		return
	}
	authorperm, isText := payload.String("authorperm")
	if !ctx.Assert(isText, "authorperm must be a string") {
		return
	}
	post := ctx.Table(postTable).Get(jsvalue.NewObject("authorperm", authorperm, "rewardPoolId", pool.Get("_id")))
	mute, isBool := payload.Bool("mute")
	if ctx.Assert(post != nil, "post not found") && ctx.Assert(isBool, "mute must be a boolean") {
		ctx.Table(postTable).Update(jsvalue.NewObject("_id", post.Get("_id"), "mute", mute))
	}
}
