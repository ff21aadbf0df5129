package comments

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// maintain works on the pools whose interval is over, once a block, a few
// pools in turn (peer-spec 4.8).
func (e *edition) maintain(ctx contract.Context) {
	settings := params(ctx)
	block := float64(ctx.BlockNumber())
	if number(settings, "lastMaintenanceBlock") >= block {
		return
	}
	last := settings.Get("lastProcessedPoolId")
	for _, pool := range duePools(ctx, settings) {
		last = pool.Get("_id")
		e.advance(ctx, settings, pool)
	}
	ctx.Table(paramsTable).Update(jsvalue.NewObject(
		"_id", settings.Get("_id"), "lastMaintenanceBlock", block, "lastProcessedPoolId", last))
}

// duePools are the next pools in turn, by _id after the last one, then from the
// beginning.
func duePools(ctx contract.Context, settings state.Row) []state.Row {
	most, ok := limit(settings, "maintenanceTokensPerBlock")
	if !ok {
		readsNull("forEach")
	}
	last := number(settings, "lastProcessedPoolId")
	now := float64(ctx.Millis())
	var before, after []state.Row
	for pool := range ctx.Table(poolTable).All() {
		id := number(pool, "_id")
		if pool.Get("active") != true || (id <= last && len(before) == most) ||
			number(pool, "lastClaimDecayTimestamp") > now-intervalOf(pool) {
			continue
		}
		if id <= last {
			before = append(before, pool)
		} else if after = append(after, pool); len(after) == most {
			return after
		}
	}
	return append(after, before[:min(len(before), most-len(after))]...)
}

// intervalOf is a pool's interval in ms.
func intervalOf(pool state.Row) float64 {
	return number(object(pool, "config"), "rewardIntervalSeconds") * 1000
}

// advance opens the next interval of a pool, unless posts of the last one are
// still to be paid, and pays.
func (e *edition) advance(ctx contract.Context, settings, stored state.Row) {
	r := &round{
		Context: ctx, edition: e, settings: settings,
		pool: stored.Clone(), token: findToken(ctx, stored.Get("symbol")), deducted: jsvalue.BigInt(0),
		bounded: !e.asPeer(ctx, SwitchUnbacked),
	}
	r.precision = precisionOf(r.token)
	interval := intervalOf(r.pool)
	nextReward := number(r.pool, "lastRewardTimestamp") + interval
	end := number(r.pool, "lastClaimDecayTimestamp") + interval
	if end >= nextReward {
		r.mint(r.reward(end))
		r.claim(nextReward)
	}
	r.payPosts(end)
	ctx.Table(poolTable).Update(r.pool)
}

// round is the work on one pool in one block. pool is a copy, stored at the
// end.
type round struct {
	contract.Context
	edition   *edition
	settings  state.Row
	pool      *jsvalue.Object
	token     state.Row
	precision int
	deducted  jsvalue.BigNumber // what posts took from the pool so far
	bounded   bool              // posts pay no more than there is
	room      jsvalue.BigNumber // what the post at hand has left
}

// left is what the pool has left for further posts.
func (r *round) left() jsvalue.BigNumber { return big(r.pool, "rewardPool").Minus(r.deducted) }

func (r *round) id() jsvalue.Value       { return r.pool.Get("_id") }
func (r *round) config() *jsvalue.Object { return object(r.pool, "config") }

// reward is what the interval that ends at end mints, less from time to time.
func (r *round) reward(end float64) jsvalue.BigNumber {
	config := r.config()
	reward := big(config, "rewardPerInterval")
	seconds, percentage := config.Get("rewardReductionIntervalSeconds"), config.Get("rewardReductionPercentage")
	if !jsvalue.Truthy(seconds) || !jsvalue.Truthy(percentage) {
		return reward
	}
	next := number(r.pool, "lastRewardReductionTimestamp") + number(config, "rewardReductionIntervalSeconds")*1000
	if end < next {
		return reward
	}
	less := share(reward, jsvalue.Big(percentage), jsvalue.BigInt(hundred), r.precision)
	text := cut(reward.Minus(jsvalue.Big(less)), r.precision)
	r.pool.Set("lastRewardReductionTimestamp", next)
	config.Set("rewardPerInterval", text)
	return jsvalue.Big(text)
}

// mint issues the reward to this contract and books it to the pool. At the
// peer it is booked whether it could be issued or not.
func (r *round) mint(reward jsvalue.BigNumber) {
	if left := big(r.token, "maxSupply").Minus(big(r.token, "supply")); r.bounded && reward.Gt(left) {
		reward = left
	}
	if !reward.Gt(jsvalue.BigInt(0)) {
		return
	}
	result := r.Call("tokens", "issueToContract", jsvalue.NewObject(
		"symbol", r.pool.Get("symbol"), "quantity", reward.String(), "to", "comments", "isSignedWithActiveKey", true))
	if result.OK() || !r.bounded {
		r.pool.Set("rewardPool", cut(big(r.pool, "rewardPool").Plus(reward), r.precision))
	}
}

// claim lets old claims fade, adds those of the posts that the interval pays
// and notes what it divides by what.
func (r *round) claim(nextReward float64) {
	last := number(r.pool, "lastRewardTimestamp")
	claims := big(r.pool, "pendingClaims")
	faded := claims.Times(jsvalue.Big(nextReward - last)).Div(jsvalue.Big(decayDays(r.pool) * day))
	claims = jsvalue.Big(cut(claims.Minus(faded), shareDecimals))
	for post := range r.posts(last, nextReward) {
		claims = claims.Plus(postClaims(r.pool, big(post, "voteRshareSum")))
	}
	r.pool.Set("pendingClaims", cut(claims, shareDecimals))
	r.pool.Set("lastRewardTimestamp", nextReward)
	r.pool.Set("intervalPendingClaims", r.pool.Get("pendingClaims"))
	r.pool.Set("intervalRewardPool", r.pool.Get("rewardPool"))
}

// posts are the pool's posts with a cashout time between two times, both
// included.
func (r *round) posts(from, to float64) func(func(state.Row) bool) {
	id := r.id()
	return r.Table(postTable).Ascend(byCashout, []jsvalue.Value{id, from}, []jsvalue.Value{id, to})
}

// payPosts pays the posts whose cashout time is not after end, as many as a
// block may. When none is left the interval is closed.
func (r *round) payPosts(end float64) {
	most, ok := limit(r.settings, "maxPostsProcessedPerRound")
	if !ok {
		most = 0 // the peer's find gave null, which counts as all paid
	}
	posts := take(r.posts(number(r.pool, "lastClaimDecayTimestamp"), end), most)
	maxVotes := number(r.settings, "maxVotesProcessedPerRound")
	done := len(posts) < most || !ok
	votes := 0.0
	for _, post := range posts {
		paid := r.payPost(post)
		votes += float64(paid.votes)
		r.deducted = r.deducted.Plus(paid.taken)
		if !paid.done || votes >= maxVotes {
			done = false
			break
		}
	}
	if len(posts) > 0 {
		r.pool.Set("rewardPool", cut(r.left(), r.precision))
	}
	if done {
		r.pool.Set("lastClaimDecayTimestamp", end)
	}
}
