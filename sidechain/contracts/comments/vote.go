package comments

import (
	"math"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// vote adds a vote to a post in every pool that the post is in.
func (e *edition) vote(ctx contract.Context, payload *jsvalue.Object) {
	if !ctx.Assert(ctx.Sender() == nobody, "can only vote with voting op") {
		return
	}
	e.maintain(ctx)
	weight := payload.Get("weight")
	if !ctx.Assert(inRange(weight, -fullPower, fullPower), "weight must be an integer from -10000 to 10000") {
		return
	}
	b := ballot{voter: payload.Get("voter"), weight: number(payload, "weight"), now: float64(ctx.Millis())}
	for _, post := range postsOf(ctx, authorpermOf(payload.Get("author"), payload.Get("permlink"))) {
		e.cast(ctx, b, post)
	}
}

// ballot is what a voter wants.
type ballot struct {
	voter       jsvalue.Value
	weight, now float64
}

// effect is what a vote is worth.
type effect struct {
	rshares, curation string
	muted             bool
}

// cast counts a vote for one post in its pool.
func (e *edition) cast(ctx contract.Context, b ballot, post state.Row) {
	cashout := number(post, "cashoutTime")
	if cashout < b.now || cashout == b.now && !e.asPeer(ctx, SwitchLateVotes) {
		return
	}
	pool := findPool(ctx, post.Get("rewardPoolId"))
	if pool == nil || !jsvalue.Truthy(pool.Get("active")) {
		return
	}
	worth := spend(ctx, b, pool, post)
	added := record(ctx, b, worth, pool, post)
	count(ctx, b.now, added, pool, post)
}

// spend takes the vote's power from the voter and says what the vote is worth.
func spend(ctx contract.Context, b ballot, pool, post state.Row) effect {
	config := object(pool, "config")
	row := findPower(ctx, pool.Get("_id"), b.voter)
	if row == nil {
		row = ctx.Table(powerTable).Insert(fullPowerRow(pool.Get("_id"), b.voter, b.now))
	}
	last := number(row, "lastVoteTimestamp")
	up := regenerated(number(row, "votingPower"), b.now-last, number(config, "voteRegenerationDays"))
	down := regenerated(number(row, "downvotingPower"), b.now-last, number(config, "downvoteRegenerationDays"))
	worth := effect{rshares: "0", curation: "0", muted: jsvalue.Truthy(row.Get("mute"))}
	switch {
	case b.weight > 0:
		rshares := sharesOf(ctx, b, post.Get("symbol"), up)
		up = spent(up, b.weight, number(config, "votePowerConsumption"))
		worth.rshares, worth.curation = rshares, curationGain(pool, rshares, post.Get("votePositiveRshareSum"))
	case b.weight < 0 && !jsvalue.Truthy(config.Get("disableDownvote")):
		worth.rshares = sharesOf(ctx, b, post.Get("symbol"), down)
		down = spent(down, b.weight, number(config, "downvotePowerConsumption"))
	}
	if worth.muted {
		worth.rshares, worth.curation = "0", "0"
	}
	update(ctx.Table(powerTable), row, "lastVoteTimestamp", b.now, "votingPower", up, "downvotingPower", down)
	return worth
}

// regenerated is a power after a time in ms, at full power again after so many
// days.
func regenerated(power, elapsed, days float64) float64 {
	return math.Min(math.Floor(power+elapsed*fullPower/(days*day)), fullPower)
}

// spent is a power after a vote. A whole vote with full power costs
// consumption; the cost is rounded up.
func spent(power, weight, consumption float64) float64 {
	const seconds = 60 * 60 * 24
	cost := math.Floor(power * math.Abs(weight) * seconds / fullPower)
	unit := math.Floor(fullPower * seconds / consumption)
	return math.Max(0, power-math.Floor((cost+unit-1)/unit))
}

// sharesOf is stake * weight * power: negative for a downvote.
func sharesOf(ctx contract.Context, b ballot, symbol jsvalue.Value, power float64) string {
	return weighted(stakeOf(ctx, b.voter, symbol), b.weight, power)
}

// stakeOf is the stake that an account votes with: its own and what others
// delegated to it.
func stakeOf(ctx contract.Context, account, symbol jsvalue.Value) jsvalue.Value {
	row := findBalance(ctx, account, symbol)
	if row == nil {
		return "0"
	}
	stake, in := row.Get("stake"), row.Get("delegationsIn")
	if in == "0" || !jsvalue.Truthy(in) || !jsvalue.Big(in).IsFinite() {
		return stake
	}
	return jsvalue.Big(stake).Plus(jsvalue.Big(in)).ToFixed()
}

// record stores the vote and returns the rshares that it adds to the post. A
// second vote replaces the first and forfeits its curation reward.
func record(ctx contract.Context, b ballot, worth effect, pool, post state.Row) (added string) {
	id, votes := pool.Get("_id"), ctx.Table(voteTable)
	rshares, authorperm := jsvalue.Value(worth.rshares), post.Get("authorperm")
	data := voteEvent.Object(id, pool.Get("symbol"), rshares)
	if worth.muted {
		data.Set("mute", true)
	}
	if old := votes.GetBy(id, authorperm, b.voter); old != nil {
		before := old.Get("rshares")
		update(votes, old, "weight", b.weight, "rshares", rshares, "curationWeight", "0", "timestamp", b.now)
		ctx.Emit("updateVote", data)
		return difference(worth.rshares, before)
	}
	if _, isText := b.voter.(string); !isText {
		votes.Insert(voteShape.Object(nil, id, post.Get("symbol"), authorperm, b.weight, rshares, worth.curation, b.now, b.voter))
	} else {
		votes.InsertAs(voteShape.Object(voteID.Object(id, authorperm, b.voter), id, post.Get("symbol"), authorperm,
			b.weight, rshares, worth.curation, b.now, b.voter))
	}
	ctx.Emit("newVote", data)
	return worth.rshares
}

var (
	voteEvent = jsvalue.NewShape("rewardPoolId", "symbol", "rshares")
	voteID    = jsvalue.NewShape("rewardPoolId", "authorperm", "voter")
	voteShape = jsvalue.NewShape("_id", "rewardPoolId", "symbol", "authorperm", "weight", "rshares", "curationWeight", "timestamp", "voter")
)

// count adds rshares to the post. In the first days of a pool they become
// claims at once, later when the post is paid. What is taken back is not taken
// from the positive sum.
func count(ctx contract.Context, now float64, added string, pool, post state.Row) {
	old := post.Get("voteRshareSum")
	next := sum(old, added)
	posts := ctx.Table(postTable)
	if !isPositive(added) {
		update(posts, post, "voteRshareSum", next)
		return
	}
	if now < number(pool, "createdTimestamp")+decayDays(pool)*day {
		update(ctx.Table(poolTable), pool, "pendingClaims", claimsAfter(pool, old, next))
	}
	update(posts, post, "voteRshareSum", next, "votePositiveRshareSum", sum(post.Get("votePositiveRshareSum"), added))
}

// decayDays is the time in which claims fade away.
func decayDays(pool state.Row) float64 {
	return 2*number(object(pool, "config"), "cashoutWindowDays") + 1
}
