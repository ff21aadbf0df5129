package comments

import (
	"fmt"
	"math"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
)

// configMembers are the members of a pool's config, in their order.
var configMembers = []string{
	"postRewardCurve", "postRewardCurveParameter",
	"curationRewardCurve", "curationRewardCurveParameter", "curationRewardPercentage",
	"cashoutWindowDays", "rewardPerInterval", "rewardIntervalSeconds",
	"voteRegenerationDays", "downvoteRegenerationDays", "stakedRewardPercentage",
	"votePowerConsumption", "downvotePowerConsumption",
	"tags", "disableDownvote", "ignoreDeclinePayout",
	"appTaxConfig", "excludeTags", "rewardReductionIntervalSeconds", "rewardReductionPercentage",
}

// isObject is `v && typeof v === 'object'`.
func isObject(v jsvalue.Value) bool {
	switch v.(type) {
	case *jsvalue.Object, []jsvalue.Value:
		return true
	}
	return false
}

// checkConfig checks a pool's config, in the order of the peer.
func checkConfig(ctx contract.Context, config *jsvalue.Object, precision int, maxTags float64) bool {
	return checkCurves(ctx, config) &&
		checkRewards(ctx, config, precision) &&
		checkVoting(ctx, config) &&
		checkContent(ctx, config, maxTags) &&
		checkAppTax(ctx, config.Get("appTaxConfig")) &&
		checkExcluded(ctx, config.Get("excludeTags"), maxTags) &&
		checkReduction(ctx, config)
}

func checkCurves(ctx contract.Context, config *jsvalue.Object) bool {
	return ctx.Assert(config.Get("postRewardCurve") == "power", "postRewardCurve should be one of: [power]") &&
		ctx.Assert(decimalBetween(config.Get("postRewardCurveParameter"), "1", "2", 2),
			`postRewardCurveParameter should be between "1" and "2" with precision at most 2`) &&
		ctx.Assert(config.Get("curationRewardCurve") == "power", "curationRewardCurve should be one of: [power]") &&
		ctx.Assert(decimalBetween(config.Get("curationRewardCurveParameter"), "0.5", "1", 2),
			`curationRewardCurveParameter can only be between "0.5" and "1" with precision at most 2`) &&
		checkInteger(ctx, config, "curationRewardPercentage", 0, hundred)
}

func checkRewards(ctx contract.Context, config *jsvalue.Object, precision int) bool {
	if !checkInteger(ctx, config, "cashoutWindowDays", 1, 30) {
		return false
	}
	reward := config.Get("rewardPerInterval")
	_, isText := reward.(string)
	amount := jsvalue.Big(reward)
	if !ctx.Assert(isText && amount.IsFinite() && amount.Gt(jsvalue.BigInt(0)), "rewardPerInterval invalid") {
		return false
	}
	places, _ := amount.DP()
	seconds := config.Get("rewardIntervalSeconds")
	n, _ := seconds.(float64)
	return ctx.Assert(places <= precision, "token precision mismatch for rewardPerInterval") &&
		ctx.Assert(inRange(seconds, 3, 86400) && math.Mod(n, 3) == 0,
			"rewardIntervalSeconds should be an integer between 3 and 86400, and divisible by 3")
}

func checkVoting(ctx contract.Context, config *jsvalue.Object) bool {
	return checkInteger(ctx, config, "voteRegenerationDays", 1, 30) &&
		checkInteger(ctx, config, "downvoteRegenerationDays", 1, 30) &&
		checkInteger(ctx, config, "stakedRewardPercentage", 0, hundred) &&
		checkInteger(ctx, config, "votePowerConsumption", 1, fullPower) &&
		checkInteger(ctx, config, "downvotePowerConsumption", 1, fullPower)
}

func checkContent(ctx contract.Context, config *jsvalue.Object, maxTags float64) bool {
	if !ctx.Assert(isTags(config.Get("tags"), maxTags), tagsText("tags", maxTags)) {
		return false
	}
	for _, key := range []string{"disableDownvote", "ignoreDeclinePayout"} {
		if _, ok := config.Bool(key); !ctx.Assert(ok, key+" should be boolean") {
			return false
		}
	}
	return true
}

// checkAppTax: a falsy config is none, and is stored as it is.
func checkAppTax(ctx contract.Context, v jsvalue.Value) bool {
	if !jsvalue.Truthy(v) {
		return true
	}
	if !ctx.Assert(isObject(v), "appTaxConfig invalid") {
		return false
	}
	tax, ok := v.(*jsvalue.Object)
	if !ok {
		tax = jsvalue.NewObject()
	}
	_, isApp := contract.Text(tax, "app")
	beneficiary, isName := contract.Text(tax, "beneficiary")
	return ctx.Assert(isApp, "appTaxConfig app invalid") &&
		ctx.Assert(inRange(tax.Get("percent"), 1, hundred), "appTaxConfig percent should be an integer between 1 and 100") &&
		ctx.Assert(isName && contract.IsValidAccountName(ctx, beneficiary), "appTaxConfig beneficiary invalid")
}

func checkExcluded(ctx contract.Context, v jsvalue.Value, maxTags float64) bool {
	return ctx.Assert(!jsvalue.Truthy(v) || isTags(v, maxTags), tagsText("excludeTags", maxTags))
}

func checkReduction(ctx contract.Context, config *jsvalue.Object) bool {
	seconds, percentage := config.Get("rewardReductionIntervalSeconds"), config.Get("rewardReductionPercentage")
	interval, _ := config.Number("rewardIntervalSeconds")
	return ctx.Assert(!jsvalue.Truthy(seconds) || inRange(seconds, interval, math.Inf(1)),
		"rewardReductionIntervalSeconds should be an integer greater or equal to rewardIntervalSeconds") &&
		ctx.Assert(!jsvalue.Truthy(percentage) || decimalBetween(percentage, "0", "100", 1),
			`rewardReductionPercentage should be between "0" and "100" with precision at most 1`)
}

func checkInteger(ctx contract.Context, config *jsvalue.Object, key string, least, most float64) bool {
	return ctx.Assert(inRange(config.Get(key), least, most),
		fmt.Sprintf("%s should be an integer between %v and %v", key, least, most))
}

// decimalBetween: a text of a number between two bounds, both included.
func decimalBetween(v jsvalue.Value, least, most string, places int) bool {
	_, isText := v.(string)
	x := jsvalue.Big(v)
	n, _ := x.DP()
	return isText && x.IsFinite() && x.Gte(jsvalue.Big(least)) && x.Lte(jsvalue.Big(most)) && n <= places
}

// isTags: an array of 1 to most texts.
func isTags(v jsvalue.Value, most float64) bool {
	list, ok := v.([]jsvalue.Value)
	return ok && len(list) > 0 && float64(len(list)) <= most && isTexts(list)
}

func isTexts(list []jsvalue.Value) bool {
	for _, v := range list {
		if _, ok := v.(string); !ok {
			return false
		}
	}
	return true
}

func tagsText(name string, most float64) string {
	return name + " should be a non-empty array of strings of length at most " + jsvalue.NumberText(most)
}
