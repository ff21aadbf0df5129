package comments_test

import (
	"fmt"
	"strings"
	"testing"

	"causeway/sidechain/jsvalue"
)

func texts(list ...string) []jsvalue.Value {
	out := make([]jsvalue.Value, len(list))
	for i, s := range list {
		out[i] = s
	}
	return out
}

func fails(message string) string {
	return jsvalue.Stringify(jsvalue.NewObject("errors", texts(message)))
}

// TestConfig: every check of a pool's config, at creation and at an update.
func TestConfig(t *testing.T) {
	const curve, curation = "postRewardCurveParameter", "curationRewardCurveParameter"
	curveText := `postRewardCurveParameter should be between "1" and "2" with precision at most 2`
	curationText := `curationRewardCurveParameter can only be between "0.5" and "1" with precision at most 2`
	tags, excluded := "tags should be a non-empty array of strings of length at most 5", "excludeTags should be a non-empty array of strings of length at most 5"
	reduction := "rewardReductionIntervalSeconds should be an integer greater or equal to rewardIntervalSeconds"
	percentage := `rewardReductionPercentage should be between "0" and "100" with precision at most 1`
	tax := func(members ...any) *jsvalue.Object { return jsvalue.NewObject(members...) }
	tests := []struct {
		key     string
		value   any
		message string
	}{
		{"postRewardCurve", "linear", "postRewardCurve should be one of: [power]"},
		{curve, 1, curveText}, {curve, "0.99", curveText}, {curve, "2.01", curveText}, {curve, "1.001", curveText},
		{curve, "Infinity", curveText}, {curve, "x", curveText}, {curve, "1e-8", curveText},
		{"curationRewardCurve", nil, "curationRewardCurve should be one of: [power]"},
		{curation, "0.49", curationText}, {curation, "1.01", curationText}, {curation, "0.555", curationText},
		{"curationRewardPercentage", 101, "curationRewardPercentage should be an integer between 0 and 100"},
		{"curationRewardPercentage", "50", "curationRewardPercentage should be an integer between 0 and 100"},
		{"cashoutWindowDays", 0, "cashoutWindowDays should be an integer between 1 and 30"},
		{"cashoutWindowDays", 1.5, "cashoutWindowDays should be an integer between 1 and 30"},
		{"rewardPerInterval", 1, "rewardPerInterval invalid"}, {"rewardPerInterval", "0", "rewardPerInterval invalid"},
		{"rewardPerInterval", "Infinity", "rewardPerInterval invalid"}, {"rewardPerInterval", "-1", "rewardPerInterval invalid"},
		{"rewardPerInterval", "0.0001", "token precision mismatch for rewardPerInterval"},
		{"rewardIntervalSeconds", 4, "rewardIntervalSeconds should be an integer between 3 and 86400, and divisible by 3"},
		{"rewardIntervalSeconds", 86403, "rewardIntervalSeconds should be an integer between 3 and 86400, and divisible by 3"},
		{"voteRegenerationDays", 31, "voteRegenerationDays should be an integer between 1 and 30"},
		{"downvoteRegenerationDays", true, "downvoteRegenerationDays should be an integer between 1 and 30"},
		{"stakedRewardPercentage", -1, "stakedRewardPercentage should be an integer between 0 and 100"},
		{"votePowerConsumption", 0, "votePowerConsumption should be an integer between 1 and 10000"},
		{"downvotePowerConsumption", 10001, "downvotePowerConsumption should be an integer between 1 and 10000"},
		{"tags", "cool", tags}, {"tags", texts(), tags}, {"tags", texts("a", "b", "c", "d", "e", "f"), tags},
		{"tags", []jsvalue.Value{"a", 1.0}, tags},
		{"disableDownvote", 0, "disableDownvote should be boolean"},
		{"ignoreDeclinePayout", "x", "ignoreDeclinePayout should be boolean"},
		{"appTaxConfig", "x", "appTaxConfig invalid"}, {"appTaxConfig", []jsvalue.Value{}, "appTaxConfig app invalid"},
		{"appTaxConfig", tax("app", "a", "percent", 0, "beneficiary", "bob"), "appTaxConfig percent should be an integer between 1 and 100"},
		{"appTaxConfig", tax("app", "a", "percent", 1, "beneficiary", "x"), "appTaxConfig beneficiary invalid"},
		{"appTaxConfig", tax("app", "a", "percent", 1, "beneficiary", 7), "appTaxConfig beneficiary invalid"},
		{"excludeTags", texts(), excluded}, {"excludeTags", true, excluded},
		{"rewardReductionIntervalSeconds", 86397, reduction}, {"rewardReductionIntervalSeconds", "x", reduction},
		{"rewardReductionPercentage", 5, percentage}, {"rewardReductionPercentage", "100.1", percentage},
		{"rewardReductionPercentage", "0.55", percentage},
	}
	c := open(t, daily)
	do(t, c, "causeway", "comments", "updateParams", `{"setupFee":"0","updateFee":"0"}`)
	for _, tt := range tests {
		bad := config(t, tt.key, tt.value)
		same(t, fmt.Sprint("create ", tt.key, tt.value), c.Call("alice", "comments", "createRewardPool", poolCall(bad)).Logs, fails(tt.message))
		same(t, fmt.Sprint("update ", tt.key, tt.value), c.Call("alice", "comments", "updateRewardPool", `{"rewardPoolId":1,"config":`+bad+`}`).Logs, fails(tt.message))
	}
	for _, members := range [][]any{
		{curve, " 2 "}, {curve, "0x1"}, {curation, ".5"}, {"rewardPerInterval", "1e-3"}, {"appTaxConfig", false},
		{"excludeTags", ""}, {"rewardReductionIntervalSeconds", 86400, "rewardReductionPercentage", "99.9"},
	} {
		good := config(t, members...)
		if r := c.Call("alice", "comments", "updateRewardPool", `{"rewardPoolId":1,"config":`+good+`}`); strings.Contains(r.Logs, `"errors"`) {
			t.Errorf("%s: %s", good, r.Logs)
		}
	}
}

// TestIssuersOnly: who may do what to a pool.
func TestIssuersOnly(t *testing.T) {
	c := bare(t, "1000000")
	do(t, c, "bob", "tokens", "create", `{"name":"Warm","symbol":"WARM","precision":3,"maxSupply":"1"}`)
	create := func(sender, payload string) string {
		return c.Call(sender, "comments", "createRewardPool", payload).Logs
	}
	const notIssuer, none = "must be issuer of token", "reward pool not found"
	same(t, "no token", create("alice", `{"symbol":"NONE","config":`+daily+`}`), fails("token not found"))
	same(t, "an operator", create("alice", `{"symbol":{"$ne":1},"config":`+daily+`}`), fails("token not found"))
	same(t, "no config", create("alice", `{"symbol":"COOL"}`), fails("config invalid"))
	same(t, "a list", create("alice", `{"symbol":"COOL","config":[]}`), fails("postRewardCurve should be one of: [power]"))
	same(t, "another", create("bob", poolCall(daily)), fails(notIssuer))
	same(t, "without tokens", create("dave", poolCall(daily)), fails("you must have enough tokens to cover the creation fee"))
	same(t, "the admin", create("causeway", poolCall(daily)), fails(notIssuer))
	same(t, "without stakes", create("bob", `{"symbol":"WARM","config":`+daily+`}`), fails("token must have staking enabled"))
	same(t, "the issuer", create("alice", poolCall(daily)), events(
		event("tokens", "transfer", `"from":"alice","to":"null","symbol":"BEE","quantity":"1000"`), event("comments", "createRewardPool", `"_id":1`)))
	do(t, c, "causeway", "tokens", "transfer", `{"to":"alice","symbol":"BEE","quantity":"1000"}`)
	same(t, "a second pool", create("alice", poolCall(daily)), fails("cannot create multiple reward pools per token"))

	run(c, post("alice", "first", "cool"))
	for _, tt := range []struct{ sender, action, payload, message string }{
		{"bob", "updateRewardPool", `{"rewardPoolId":1,"config":` + daily + `}`, notIssuer},
		{"dave", "updateRewardPool", `{}`, "you must have enough tokens to cover the update fee"},
		{"alice", "updateRewardPool", `{"rewardPoolId":1}`, "config invalid"},
		{"alice", "updateRewardPool", `{"rewardPoolId":"1","config":{}}`, none},
		{"alice", "setActive", `{"active":true}`, none},
		{"bob", "setActive", `{"rewardPoolId":1,"active":true}`, notIssuer},
		{"alice", "resetPool", `{"rewardPoolId":2}`, none},
		{"bob", "resetPool", `{"rewardPoolId":1}`, notIssuer},
		{"bob", "setMute", `{"rewardPoolId":1}`, notIssuer},
		{"alice", "setMute", `{"rewardPoolId":1,"account":"x","mute":true}`, "invalid account"},
		{"alice", "setMute", `{"rewardPoolId":1,"account":"bob","mute":1}`, "mute must be a boolean"},
		{"alice", "setPostMute", `{"rewardPoolId":1}`, "authorperm must be a string"},
		{"alice", "setPostMute", `{"rewardPoolId":1,"authorperm":"@alice/none","mute":true}`, "post not found"},
		{"alice", "setPostMute", `{"rewardPoolId":1,"authorperm":"@alice/first"}`, "mute must be a boolean"},
	} {
		same(t, tt.action+" "+tt.payload, c.Call(tt.sender, "comments", tt.action, tt.payload).Logs, fails(tt.message))
	}
	for _, action := range []string{"createRewardPool", "updateRewardPool", "setActive", "resetPool"} {
		op := customPosting("alice", action)
		same(t, action, run(c, op), fails("operation must be signed with your active key"))
	}
}
