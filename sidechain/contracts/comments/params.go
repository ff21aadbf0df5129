package comments

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
)

// updateParams is the owner's; from others it does nothing, silently. Falsy
// members are ignored; the first invalid one stops everything.
func (e *edition) updateParams(ctx contract.Context, payload *jsvalue.Object) {
	if ctx.Sender() != ctx.Owner() {
		return
	}
	row := params(ctx).Clone()
	isLimit := atLeastOne
	if !e.asPeer(ctx, SwitchWideLimits) {
		isLimit = func(v jsvalue.Value) bool { return inRange(v, 1, pageSize) }
	}
	for _, rule := range []struct {
		name  string
		valid func(jsvalue.Value) bool
	}{
		{"setupFee", isFee},
		{"updateFee", isFee},
		{"maintenanceTokensPerBlock", isLimit},
		{"maxPostsProcessedPerRound", isLimit},
		{"maxVotesProcessedPerRound", isLimit},
		{"voteQueryLimit", isLimit},
	} {
		v := payload.Get(rule.name)
		if !jsvalue.Truthy(v) {
			continue
		}
		if !ctx.Assert(rule.valid(v), "invalid "+rule.name) {
			return
		}
		row.Set(rule.name, v)
	}
	ctx.Table(paramsTable).Update(row)
}

func isFee(v jsvalue.Value) bool {
	_, isText := v.(string)
	return isText && jsvalue.Big(v).Gte(jsvalue.BigInt(0))
}

func atLeastOne(v jsvalue.Value) bool {
	n, _ := v.(float64)
	return jsvalue.IsInteger(v) && n >= 1
}

// inRange: an integer between two bounds, both included.
func inRange(v jsvalue.Value, least, most float64) bool {
	n, _ := v.(float64)
	return jsvalue.IsInteger(v) && n >= least && n <= most
}
