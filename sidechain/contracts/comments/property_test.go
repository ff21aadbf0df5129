package comments_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"causeway/sidechain"
	"causeway/sidechain/contract"
	"causeway/sidechain/contracts/comments"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
)

// step is a block of operations, or a wait.
type step struct {
	wait time.Duration
	ops  []graphene.Operation
}

// author makes random steps.
type author struct {
	*rapid.T
	posts int
}

var people = []string{"alice", "bob", "carol", "dave", "erin"}

func (a *author) who() string { return rapid.SampledFrom(people).Draw(a.T, "who") }

func (a *author) some(label string, least, most int) int {
	return rapid.IntRange(least, most).Draw(a.T, label)
}

func (a *author) permlink() string { return fmt.Sprintf("p%d", a.some("post", 0, a.posts)) }

// text is one of some texts.
func (a *author) text(label string, from ...string) jsvalue.Value {
	return rapid.SampledFrom(from).Draw(a.T, label)
}

// config is a random one.
func (a *author) config() *jsvalue.Object {
	v, _ := jsvalue.Parse(daily)
	o := v.(*jsvalue.Object)
	o.Set("postRewardCurveParameter", a.text("post curve", "1", "1", "1.03", "1.5", "2"))
	o.Set("curationRewardCurveParameter", a.text("curation curve", "0.5", "0.5", "0.7", "1"))
	o.Set("curationRewardPercentage", a.some("curation", 0, 100))
	o.Set("stakedRewardPercentage", a.some("staked", 0, 100))
	o.Set("rewardIntervalSeconds", 3600*a.some("hours", 1, 24))
	o.Set("rewardPerInterval", a.text("reward", "0.001", "10", "333.333", "100000"))
	o.Set("votePowerConsumption", a.some("consumption", 1, 10000))
	o.Set("disableDownvote", rapid.Bool().Draw(a.T, "no downvotes"))
	if rapid.Bool().Draw(a.T, "taxed") {
		o.Set("appTaxConfig", jsvalue.NewObject("app", "cool", "percent", a.some("tax", 1, 100), "beneficiary", "erin"))
	}
	if rapid.Bool().Draw(a.T, "reduced") {
		o.Set("rewardReductionIntervalSeconds", 86400)
		o.Set("rewardReductionPercentage", a.text("reduction", "0.5", "50", "100"))
	}
	return o
}

func custom(sender, action string, payload *jsvalue.Object) graphene.Operation {
	call := jsvalue.NewObject("contractName", "comments", "contractAction", action, "contractPayload", payload)
	return &graphene.CustomJSON{RequiredAuths: []string{sender}, ID: "ssc-causeway-test", JSON: jsvalue.Stringify(call)}
}

// customPosting is a call with the posting key and an empty payload.
func customPosting(sender, action string) graphene.Operation {
	op, _ := custom(sender, action, jsvalue.NewObject()).(*graphene.CustomJSON)
	op.RequiredAuths, op.RequiredPostingAuths = nil, op.RequiredAuths
	return op
}

func (a *author) options() graphene.Operation {
	o := &graphene.CommentOptions{Author: "alice", Permlink: a.permlink(),
		MaxAcceptedPayout: graphene.Asset{Amount: int64(a.some("accepted", 0, 3)), Precision: 3, Symbol: "HBD"}}
	for i := range a.some("beneficiaries", 0, 3) {
		o.Beneficiaries = append(o.Beneficiaries, graphene.Beneficiary{Account: people[i], Weight: uint16(a.some("weight", 0, 3333))})
	}
	return o
}

func (a *author) op() graphene.Operation {
	one := jsvalue.NewObject("rewardPoolId", 1)
	switch a.some("kind", 0, 30) {
	case 0, 1, 2, 3, 4, 5:
		a.posts++
		return post("alice", fmt.Sprintf("p%d", a.posts), "cool")
	case 6, 7:
		return a.options()
	case 8:
		one.Set("account", a.who())
		one.Set("mute", rapid.Bool().Draw(a.T, "mute"))
		return custom("alice", "setMute", one)
	case 9:
		one.Set("authorperm", "@alice/"+a.permlink())
		one.Set("mute", rapid.Bool().Draw(a.T, "mute"))
		return custom("alice", "setPostMute", one)
	case 10:
		one.Set("config", a.config())
		return custom("alice", "updateRewardPool", one)
	case 11:
		one.Set("active", a.some("active", 0, 3) > 0)
		return custom("alice", "setActive", one)
	case 12:
		if a.some("reset", 0, 5) == 0 {
			return custom("alice", "resetPool", one)
		}
	}
	return vote(a.who(), "alice", a.permlink(), int16(a.some("weight", -10000, 10000)))
}

func (a *author) step() step {
	if a.some("wait", 0, 3) == 0 {
		return step{wait: time.Duration(a.some("minutes", 1, 2000)) * time.Minute}
	}
	var s step
	for range a.some("operations", 1, 6) {
		s.ops = append(s.ops, a.op())
	}
	return s
}

// audit checks what holds after every block.
func audit(t *rapid.T, c *contracttest.Chain) {
	db := c.Engine().DB().Tables()
	held := jsvalue.Big(c.ContractBalance("comments", "COOL"))
	if held.IsNaN() {
		held = jsvalue.BigInt(0)
	}
	for row := range db.Table("comments_rewardPools").All() {
		counted := jsvalue.Big(row.Get("rewardPool"))
		if !held.Gte(counted) || !counted.Gte(jsvalue.BigInt(0)) {
			t.Fatalf("the pool counts %s, the contract holds %s", counted, held)
		}
	}
	for row := range db.Table("comments_votingPower").All() {
		for _, key := range []string{"votingPower", "downvotingPower"} {
			if n, ok := row.Number(key); !ok || n < 0 || n > 10000 || n != float64(int(n)) {
				t.Fatalf("power %s", jsvalue.Stringify(row))
			}
		}
	}
	for row := range db.Table("comments_votes").All() {
		id := jsvalue.NewObject("authorperm", row.Get("authorperm"), "rewardPoolId", row.Get("rewardPoolId"))
		if db.Table("comments_posts").Get(id) == nil {
			t.Fatalf("a vote without a post: %s", jsvalue.Stringify(row))
		}
	}
	total := held
	for row := range db.Table("tokens_balances").All() {
		if row.Get("symbol") == "COOL" && row.Get("account") != "null" {
			total = total.Plus(jsvalue.Big(row.Get("balance"))).Plus(jsvalue.Big(row.Get("stake")))
		}
	}
	if supply := jsvalue.Big(c.Token("COOL", "circulatingSupply")); !total.Eq(supply) {
		t.Fatalf("%s are held, %s circulate", total, supply)
	}
}

// TestRewardsAreBacked: whatever happens to a pool, the contract holds what the
// pool counts, and the same blocks give the same state.
func TestRewardsAreBacked(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a := &author{T: rt}
		g := contracttest.Genesis("gate")
		g.Params = sidechain.GenesisParams{TokenCreationFee: "0", EnableStakingFee: "0", EnableDelegationFee: "0"}
		start := func() *contracttest.Chain {
			return contracttest.Open(t, g, []contract.Contract{tokens.New(), comments.New()}...)
		}
		steps := a.opening()
		for range a.some("steps", 5, 40) {
			steps = append(steps, a.step())
		}
		play := func(c *contracttest.Chain, s step) {
			if s.wait > 0 {
				c.Wait(s.wait, 1)
				return
			}
			c.Operations(s.ops...)
		}
		c := start()
		for _, s := range steps {
			play(c, s)
			audit(rt, c)
		}
		again := start()
		for _, s := range steps {
			play(again, s)
		}
		if got, want := again.Engine().Head(), c.Engine().Head(); got != want {
			rt.Fatalf("again: %+v, first: %+v", got, want)
		}
	})
}

// opening makes the token and the pool, with limits so low that posts are paid
// over several blocks.
func (a *author) opening() []step {
	call := func(sender, name, action, payload string) graphene.Operation {
		return &graphene.CustomJSON{RequiredAuths: []string{sender}, ID: "ssc-causeway-test",
			JSON: fmt.Sprintf(`{"contractName":%q,"contractAction":%q,"contractPayload":%s}`, name, action, payload)}
	}
	ops := []graphene.Operation{
		call("alice", "tokens", "create", fmt.Sprintf(`{"name":"Cool","symbol":"COOL","precision":3,"maxSupply":"%d"}`,
			rapid.SampledFrom([]int{2000, 100000, 1e9}).Draw(a.T, "max"))),
		call("alice", "tokens", "enableStaking", `{"symbol":"COOL","unstakingCooldown":1,"numberTransactions":1}`),
		call("alice", "tokens", "issue", `{"symbol":"COOL","to":"alice","quantity":"1000"}`),
		custom("causeway", "updateParams", jsvalue.NewObject("updateFee", "0.001", "voteQueryLimit", a.some("votes a query", 1, 4),
			"maxVotesProcessedPerRound", a.some("votes a round", 1, 6), "maxPostsProcessedPerRound", a.some("posts a round", 1, 4))),
		custom("alice", "createRewardPool", jsvalue.NewObject("symbol", "COOL", "config", a.config())),
		custom("causeway", "updateParams", jsvalue.NewObject("updateFee", "0")),
	}
	for _, name := range people {
		ops = append(ops, call("alice", "tokens", "stake", fmt.Sprintf(`{"symbol":"COOL","to":%q,"quantity":"%d"}`, name, a.some("stake", 1, 100))))
	}
	return []step{{ops: ops}}
}
