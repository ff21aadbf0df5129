package comments

import (
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// payment is what was done with a post in this block. taken is what it takes
// from the pool; done means that all of it is paid and the post removed.
type payment struct {
	taken jsvalue.BigNumber
	votes int
	done  bool
}

// paidMember is the member of a post that says what its curators were given in
// earlier blocks. The peer does not keep it.
const paidMember = "paid"

// payPost pays the curators of a post, as many as a block may, and after the
// last one the beneficiaries and the author (peer-spec 4.6).
//
// At the peer a post takes its total from the pool when it is done, whatever
// was paid meanwhile: with another config or a mute between two blocks that is
// something else. Here no one is paid more than the total has left, and what
// curators get is taken at once.
func (r *round) payPost(post state.Row) payment {
	if jsvalue.Truthy(post.Get("declinePayout")) || jsvalue.Truthy(post.Get("mute")) {
		return r.payNothing(post)
	}
	total := r.total(post)
	curators := jsvalue.Big(share(total, big(r.config(), "curationRewardPercentage"), jsvalue.BigInt(hundred), r.precision))
	authors := jsvalue.Big(cut(total.Minus(curators), r.precision))
	weights := curationWeight(r.pool, big(post, "votePositiveRshareSum"))
	taken := total
	if r.bounded {
		paid := alreadyPaid(post)
		if taken = total.Minus(paid); taken.Lt(jsvalue.BigInt(0)) {
			taken = jsvalue.BigInt(0)
		}
	}
	r.room = taken
	votes, done := r.eachVote(post, func(vote state.Row) {
		if weight := big(vote, "curationWeight"); weight.Gt(jsvalue.BigInt(0)) {
			quantity := r.within(jsvalue.Big(share(curators, weight, weights, r.precision)))
			r.pay("curationReward", post, vote.Get("voter"), quantity)
		}
	})
	if !done {
		return r.interrupt(post, taken, votes)
	}
	authors = jsvalue.Big(r.within(authors))
	rest := authors.Minus(r.payOthers(post, authors))
	r.pay("authorReward", post, post.Get("author"), cut(rest, r.precision))
	r.Table(postTable).Remove(post)
	return payment{taken, votes, true}
}

// within is a quantity, at most what there is room for.
func (r *round) within(quantity jsvalue.BigNumber) string {
	if r.bounded {
		if quantity.Gt(r.room) {
			quantity = r.room
		}
		r.room = r.room.Minus(quantity)
	}
	return cut(quantity, r.precision)
}

// interrupt leaves the rest of a post to the next block.
func (r *round) interrupt(post state.Row, taken jsvalue.BigNumber, votes int) payment {
	if !r.bounded {
		return payment{jsvalue.BigInt(0), votes, false}
	}
	given := taken.Minus(r.room)
	r.Table(postTable).Update(jsvalue.NewObject(
		"_id", post.Get("_id"), paidMember, cut(alreadyPaid(post).Plus(given), r.precision)))
	return payment{given, votes, false}
}

func alreadyPaid(post state.Row) jsvalue.BigNumber {
	if !post.Has(paidMember) {
		return jsvalue.BigInt(0)
	}
	return big(post, paidMember)
}

// payNothing ends a post that declined its payout or was muted.
func (r *round) payNothing(post state.Row) payment {
	votes, done := 0, true
	if !r.edition.asPeer(r, SwitchOrphans) {
		votes, done = r.eachVote(post, func(state.Row) {})
	}
	if done {
		r.Emit("authorReward", r.event(post, post.Get("author"), "0"))
		r.Table(postTable).Remove(post)
	}
	return payment{jsvalue.BigInt(0), votes, done}
}

// total is what a post gets of the interval's reward pool.
func (r *round) total(post state.Row) jsvalue.BigNumber {
	claims := big(r.pool, "intervalPendingClaims")
	if !claims.Gt(jsvalue.BigInt(0)) {
		return jsvalue.BigInt(0)
	}
	own := postClaims(r.pool, big(post, "voteRshareSum"))
	total := jsvalue.Big(share(big(r.pool, "intervalRewardPool"), own, claims, r.precision))
	if left := r.left().Plus(alreadyPaid(post)); r.bounded && total.Gt(left) {
		return left
	}
	return total
}

// eachVote hands the votes for a post to pay, oldest first, as many as a query
// gives, and removes them. all means that there are no more.
func (r *round) eachVote(post state.Row, pay func(vote state.Row)) (n int, all bool) {
	most, ok := limit(r.settings, "voteQueryLimit")
	if !ok {
		readsNull("length")
	}
	table := r.Table(voteTable)
	votes := table.FindSome(most, byTime, r.id(), post.Get("authorperm"))
	for _, vote := range votes {
		pay(vote)
		table.Remove(vote)
	}
	return len(votes), len(votes) < most
}

// payOthers pays the app tax and the beneficiaries out of the authors' part
// and returns how much that was. At the peer a tax without beneficiaries does
// not count.
func (r *round) payOthers(post state.Row, authors jsvalue.BigNumber) jsvalue.BigNumber {
	tax := r.payTax(post, authors)
	list, _ := post.Array("beneficiaries")
	if len(list) == 0 && r.edition.asPeer(r, SwitchTaxTwice) {
		return jsvalue.BigInt(0)
	}
	paid := tax
	for _, v := range list {
		b, ok := v.(*jsvalue.Object)
		if !ok {
			b = jsvalue.NewObject()
		}
		quantity := share(authors.Minus(tax), big(b, "weight"), jsvalue.BigInt(10000), r.precision)
		r.pay("beneficiaryReward", post, b.Get("account"), quantity)
		paid = paid.Plus(jsvalue.Big(quantity))
	}
	return paid
}

// payTax pays the tax on posts of other applications, all of it liquid.
func (r *round) payTax(post state.Row, authors jsvalue.BigNumber) jsvalue.BigNumber {
	config, ok := r.config().Object("appTaxConfig")
	if !ok || jsvalue.Equal(config.Get("app"), post.Get("app")) {
		return jsvalue.BigInt(0)
	}
	quantity := share(authors, big(config, "percent"), jsvalue.BigInt(hundred), r.precision)
	beneficiary := config.Get("beneficiary")
	r.Emit("appTax", r.event(post, beneficiary, quantity))
	r.transfer(post, beneficiary, quantity, jsvalue.BigInt(0))
	return jsvalue.Big(quantity)
}

// pay pays a reward, a part of it as stake; to muted accounts it pays nothing.
func (r *round) pay(event string, post state.Row, account jsvalue.Value, quantity string) {
	muted := isMuted(r, r.id(), account)
	data := r.event(post, account, quantity)
	if muted {
		data.Set("mute", true)
	}
	r.Emit(event, data)
	if !muted {
		r.transfer(post, account, quantity, big(r.config(), "stakedRewardPercentage"))
	}
}

func (r *round) event(post state.Row, account jsvalue.Value, quantity string) *jsvalue.Object {
	return jsvalue.NewObject(
		"rewardPoolId", r.id(),
		"authorperm", post.Get("authorperm"),
		"symbol", post.Get("symbol"),
		"account", account,
		"quantity", quantity,
	)
}

// transfer moves a quantity from this contract to an account. What fails is
// an error in the logs and stops nothing.
func (r *round) transfer(post state.Row, account jsvalue.Value, quantity string, stakedPercentage jsvalue.BigNumber) {
	all, zero := jsvalue.Big(quantity), jsvalue.BigInt(0)
	places, _ := all.DP()
	staked := share(all, stakedPercentage, jsvalue.BigInt(hundred), places)
	liquid := cut(all.Minus(jsvalue.Big(staked)), places)
	to, _ := account.(string)
	symbol, _ := post.String("symbol")
	if jsvalue.Big(liquid).Gt(zero) {
		r.TransferTokens(to, symbol, liquid, "user")
	}
	if jsvalue.Big(staked).Gt(zero) {
		r.Call("tokens", "stakeFromContract", jsvalue.NewObject("to", to, "symbol", symbol, "quantity", staked))
	}
}
