package comments_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"causeway/sidechain"
	"causeway/sidechain/contracts/comments"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
)

// daily is a pool that mints 100 a day; posts run for a day.
const daily = `{"postRewardCurve":"power","postRewardCurveParameter":"1","curationRewardCurve":"power",
"curationRewardCurveParameter":"0.5","curationRewardPercentage":50,"cashoutWindowDays":1,"rewardPerInterval":"100",
"rewardIntervalSeconds":86400,"voteRegenerationDays":5,"downvoteRegenerationDays":5,"stakedRewardPercentage":50,
"votePowerConsumption":200,"downvotePowerConsumption":2000,"tags":["cool"],"disableDownvote":false,
"ignoreDeclinePayout":false}`

// config is the daily pool with members changed or, where the value is
// Undefined, left out.
func config(t testing.TB, members ...any) string {
	t.Helper()
	v, err := jsvalue.Parse(daily)
	if err != nil {
		t.Fatal(err)
	}
	o := v.(*jsvalue.Object)
	for key, value := range jsvalue.NewObject(members...).All() {
		o.Set(key, value)
	}
	return jsvalue.Stringify(o)
}

func poolCall(config string) string {
	return `{"symbol":"COOL","config":` + config + `}`
}

// bare is a chain where alice issued COOL (3 decimals, at most max) and staked
// 10 of it each for alice, bob and carol.
func bare(t testing.TB, max string, switches ...string) *contracttest.Chain {
	t.Helper()
	g := contracttest.Genesis(append(switches, "gate")...)
	g.Params = sidechain.GenesisParams{TokenCreationFee: "0", EnableStakingFee: "0", EnableDelegationFee: "0"}
	c := contracttest.Open(t, g, tokens.New(), comments.New())
	do(t, c, "alice", "tokens", "create", fmt.Sprintf(`{"name":"Cool","symbol":"COOL","precision":3,"maxSupply":%q}`, max))
	do(t, c, "alice", "tokens", "enableStaking", `{"symbol":"COOL","unstakingCooldown":1,"numberTransactions":1}`)
	do(t, c, "alice", "tokens", "enableDelegation", `{"symbol":"COOL","undelegationCooldown":1}`)
	do(t, c, "alice", "tokens", "issue", `{"symbol":"COOL","to":"alice","quantity":"100"}`)
	for _, name := range []string{"alice", "bob", "carol"} {
		do(t, c, "alice", "tokens", "stake", fmt.Sprintf(`{"symbol":"COOL","to":%q,"quantity":"10"}`, name))
	}
	return c
}

// open is bare with a pool.
func open(t testing.TB, config string, switches ...string) *contracttest.Chain {
	t.Helper()
	c := bare(t, "1000000", switches...)
	do(t, c, "alice", "comments", "createRewardPool", poolCall(config))
	return c
}

// do runs a call that must succeed.
func do(t testing.TB, c *contracttest.Chain, sender, name, action, payload string) {
	t.Helper()
	if r := c.Call(sender, name, action, payload); strings.Contains(r.Logs, `"errors"`) {
		t.Fatalf("%s %s.%s %s: %s", sender, name, action, payload, r.Logs)
	}
}

func post(author, permlink string, tags ...string) *graphene.Comment {
	list := make([]jsvalue.Value, len(tags))
	for i, tag := range tags {
		list[i] = tag
	}
	return &graphene.Comment{
		Author: author, Permlink: permlink, ParentPermlink: "blog", Body: "text",
		JSONMetadata: jsvalue.Stringify(jsvalue.NewObject("tags", list, "app", "Peak/1.0")),
	}
}

func vote(voter, author, permlink string, weight int16) *graphene.Vote {
	return &graphene.Vote{Voter: voter, Author: author, Permlink: permlink, Weight: weight}
}

// run applies one operation in a block of its own and returns its logs.
func run(c *contracttest.Chain, op graphene.Operation) string { return c.Operations(op)[0].Logs }

// visit is a vote for nothing, which lets the maintenance run.
func visit(c *contracttest.Chain) string { return run(c, vote("carol", "nobody", "none", 1)) }

func pool(c *contracttest.Chain, t testing.TB) *jsvalue.Object {
	t.Helper()
	v, err := jsvalue.Parse(c.Row("comments_rewardPools", "symbol", "COOL"))
	if err != nil {
		t.Fatal(err)
	}
	return v.(*jsvalue.Object)
}

func same(t testing.TB, what, got, want string) {
	t.Helper()
	if got != want {
		t.Errorf("%s: %s, want %s", what, got, want)
	}
}

func event(contract, name, data string) string {
	return fmt.Sprintf(`{"contract":%q,"event":%q,"data":{%s}}`, contract, name, data)
}

func reward(name, account, quantity string) string {
	return event("comments", name, fmt.Sprintf(
		`"rewardPoolId":1,"authorperm":"@alice/first","symbol":"COOL","account":%q,"quantity":%q`, account, quantity))
}

func liquid(to, quantity string) string {
	return event("tokens", "transferFromContract", fmt.Sprintf(`"from":"comments","to":%q,"symbol":"COOL","quantity":%q`, to, quantity))
}

func staked(to, quantity string) string {
	return event("tokens", "stakeFromContract", fmt.Sprintf(`"account":%q,"symbol":"COOL","quantity":%q`, to, quantity))
}

func events(list ...string) string { return `{"events":[` + strings.Join(list, ",") + `]}` }

func newVote(rshares string) string {
	return event("comments", "newVote", fmt.Sprintf(`"rewardPoolId":1,"symbol":"COOL","rshares":%q`, rshares))
}

func minted(quantity string) string {
	return event("tokens", "issueToContract", fmt.Sprintf(`"from":"tokens","to":"comments","symbol":"COOL","quantity":%q`, quantity))
}

// TestStory: a pool, a post, two votes, a payout two intervals later.
func TestStory(t *testing.T) {
	c := open(t, daily)
	same(t, "post", run(c, post("alice", "first", "life", "cool")),
		events(event("comments", "newComment", `"rewardPoolId":1,"symbol":"COOL"`)))
	same(t, "vote", run(c, vote("bob", "alice", "first", 10000)), events(newVote("10.0000000000")))
	same(t, "another", run(c, vote("carol", "alice", "first", 5000)), events(newVote("5.0000000000")))
	c.Wait(24*time.Hour, 1)
	same(t, "first interval", visit(c), events(minted("100.000")))
	c.Wait(24*time.Hour, 1)
	// Claims: 15 fade by a third each day: 10, then 20/3 + 15. The post gets
	// 200*15/21.6666666666 of the pool, bob sqrt(10)/sqrt(15) of the half.
	same(t, "payout", visit(c), events(minted("100.000"),
		reward("curationReward", "bob", "56.526"), liquid("bob", "28.263"), staked("bob", "28.263"),
		reward("curationReward", "carol", "12.703"), liquid("carol", "6.352"), staked("carol", "6.351"),
		reward("authorReward", "alice", "69.231"), liquid("alice", "34.616"), staked("alice", "34.615")))
	same(t, "rewardPool", jsvalue.ToString(pool(c, t).Get("rewardPool")), "61.539")
	same(t, "kept", c.ContractBalance("comments", "COOL"), "61.540")
	same(t, "bob", c.Balance("bob", "COOL"), "28.263")
	for _, table := range []string{"comments_posts", "comments_votes"} {
		same(t, table, c.Row(table), "")
	}
	same(t, "seen", c.Row("comments_postMetadata"), `{"_id":{"authorperm":"@alice/first"},"authorperm":"@alice/first","rewardPoolIds":[1]}`)
	same(t, "an edit", run(c, post("alice", "first", "cool")), "{}")
}

// TestIntake: which pools a post belongs to.
func TestIntake(t *testing.T) {
	c := open(t, config(t, "tags", []jsvalue.Value{"cool", "hive-1"}, "excludeTags", []jsvalue.Value{"ad"}))
	taken := events(event("comments", "newComment", `"rewardPoolId":1,"symbol":"COOL"`))
	community := post("alice", "p4")
	community.ParentPermlink = "hive-1"
	reply := post("bob", "r1", "ad")
	reply.ParentAuthor, reply.ParentPermlink = "alice", "p1"
	lost := post("bob", "r2", "cool")
	lost.ParentAuthor, lost.ParentPermlink = "alice", "p2"
	orphan := post("bob", "r3", "cool")
	orphan.ParentAuthor, orphan.ParentPermlink = "alice", "none"
	untagged := post("alice", "p5")
	untagged.ParentPermlink, untagged.JSONMetadata = "hive-1", ""
	mixed := post("alice", "p6")
	mixed.JSONMetadata = `{"tags":["cool",1]}`
	tests := []struct {
		what string
		op   graphene.Operation
		logs string
	}{
		{"a tag", post("alice", "p1", "cool"), taken},
		{"another tag", post("alice", "p2", "Cool"), "{}"},
		{"an excluded tag", post("alice", "p3", "cool", "ad"), "{}"},
		{"the community", community, taken},
		{"a reply, whatever its tags", reply, taken},
		{"a reply to a post without pools", lost, "{}"},
		{"a reply to nothing known", orphan, "{}"},
		{"no tags at all", untagged, "{}"},
		{"tags that are no texts", mixed, "{}"},
		{"an edit", post("alice", "p1", "cool"), "{}"},
		{"an edit that adds a tag", post("alice", "p2", "cool"), "{}"},
		{"options of nothing known", &graphene.CommentOptions{Author: "x", Permlink: "y"}, "{}"},
	}
	for _, tt := range tests {
		same(t, tt.what, run(c, tt.op), tt.logs)
	}
	row := c.Row("comments_posts", "authorperm", "@bob/r1")
	if !strings.Contains(row, `"author":"bob"`) || !strings.Contains(row, `"app":"peak"`) {
		t.Errorf("row %s", row)
	}
	do(t, c, "alice", "comments", "setActive", `{"rewardPoolId":1,"active":false}`)
	same(t, "an inactive pool", run(c, post("alice", "p7", "cool")), "{}")
	same(t, "a vote there", run(c, vote("bob", "alice", "p1", 10000)), "{}")
}

// TestPower: what votes cost, and how power comes back.
func TestPower(t *testing.T) {
	c := open(t, daily)
	for _, permlink := range []string{"first", "second"} {
		run(c, post("alice", permlink, "cool"))
	}
	power := func(want string) {
		t.Helper()
		row := c.Row("comments_votingPower", "account", "bob")
		_, after, _ := strings.Cut(row, `"votingPower":`)
		same(t, "power", after, want)
	}
	run(c, vote("bob", "alice", "first", 10000))
	power(`9800,"downvotingPower":10000}`)
	same(t, "the second", run(c, vote("bob", "alice", "second", 8000)), events(newVote("7.8400000000")))
	power(`9643,"downvotingPower":10000}`)
	c.Wait(12*time.Hour, 1) // a tenth of the power
	down := strings.Replace(newVote("-5.0000000000"), "newVote", "updateVote", 1)
	same(t, "down", run(c, vote("bob", "alice", "second", -5000)), events(down))
	power(`10000,"downvotingPower":9000}`)
	row := c.Row("comments_posts", "authorperm", "@alice/second")
	if !strings.Contains(row, `"votePositiveRshareSum":"7.8400000000","voteRshareSum":"-5.0000000000"`) {
		t.Errorf("post %s", row)
	}
	vote0 := c.Row("comments_votes", "authorperm", "@alice/second")
	if !strings.Contains(vote0, `"curationWeight":"0"`) {
		t.Errorf("vote %s", vote0)
	}
	run(c, vote("bob", "alice", "second", 0))
	if row = c.Row("comments_posts", "authorperm", "@alice/second"); !strings.Contains(row, `"voteRshareSum":"0.0000000000"`) {
		t.Errorf("taken back: %s", row)
	}
	do(t, c, "alice", "tokens", "delegate", `{"to":"carol","symbol":"COOL","quantity":"5"}`)
	same(t, "with delegated stake", run(c, vote("carol", "alice", "first", 10000)), events(newVote("15.0000000000")))
	same(t, "without stake", run(c, vote("dave", "alice", "first", 10000)), events(newVote("0.0000000000")))
	do(t, c, "alice", "comments", "setMute", `{"rewardPoolId":1,"account":"erin","mute":true}`)
	muted := event("comments", "newVote", `"rewardPoolId":1,"symbol":"COOL","rshares":"0","mute":true`)
	same(t, "muted", run(c, vote("erin", "alice", "first", 10000)), events(muted))
}

// TestOnlyTheNode: the three calls come from operations only.
func TestOnlyTheNode(t *testing.T) {
	c := open(t, daily)
	same(t, "comment", c.Call("alice", "comments", "comment", `{"author":"bob","permlink":"x"}`).Logs, `{"errors":["action must use comment operation"]}`)
	same(t, "options", c.Call("alice", "comments", "commentOptions", `{"author":"bob"}`).Logs, `{"errors":["action must use commentOptions operation"]}`)
	same(t, "vote", c.Call("alice", "comments", "vote", `{"voter":"bob"}`).Logs, `{"errors":["can only vote with voting op"]}`)
}
