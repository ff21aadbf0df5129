package main

import (
	"context"
	"errors"
	"fmt"

	"causeway/sidechain/graphene"
)

const (
	votePosts = 1000 // that are voted for, in one reward pool
	// votePool pays a post after 30 days, longer than any measurement, with the
	// linear curve for posts and the square root for curators. A whole vote
	// costs a thousandth of the power, so that nobody runs out of it.
	votePool = `{"symbol":"COOL","config":{"postRewardCurve":"power","postRewardCurveParameter":"1",` +
		`"curationRewardCurve":"power","curationRewardCurveParameter":"0.5","curationRewardPercentage":50,` +
		`"cashoutWindowDays":30,"rewardPerInterval":"1.5","rewardIntervalSeconds":86400,"voteRegenerationDays":5,` +
		`"downvoteRegenerationDays":5,"stakedRewardPercentage":50,"votePowerConsumption":10,` +
		`"downvotePowerConsumption":2000,"tags":["cool"],"disableDownvote":false,"ignoreDeclinePayout":false}}`
)

// openVotes is votes of stakers, each for every post in turn; after so many
// rounds as there are posts a vote replaces an earlier one.
func openVotes(_ context.Context, o benchOptions) (*workload, error) {
	if !hasContract("comments") {
		return nil, usageErr("bench: this binary has no contract comments")
	}
	c, err := openBenchChain(o)
	if err != nil {
		return nil, err
	}
	if err := c.fillForum(); err != nil {
		return nil, errors.Join(err, c.close())
	}
	n := 0
	return c.work(func() graphene.Operation {
		voter, post := n%o.Accounts, (7*n+n/o.Accounts)%votePosts
		n++
		return &graphene.Vote{Voter: benchAccount(voter), Author: benchBank, Permlink: benchPost(post), Weight: graphene.FullWeight}
	})
}

func benchPost(i int) string { return fmt.Sprintf("a-post-with-number-%d", i) }

// fillForum makes a token with a reward pool, gives every account stake of it
// and writes the posts.
func (c *benchChain) fillForum() error {
	for _, op := range []graphene.Operation{
		call(benchAdmin, "tokens", "create", `{"name":"Cool","symbol":"COOL","precision":8,"maxSupply":"10000000000"}`),
		call(benchAdmin, "tokens", "enableStaking", `{"symbol":"COOL","unstakingCooldown":1,"numberTransactions":1}`),
		call(benchAdmin, "tokens", "issue", `{"symbol":"COOL","to":"`+benchAttestor+`","quantity":"1000000000"}`),
		call(benchAdmin, "comments", "createRewardPool", votePool),
	} {
		if err := c.add(op); err != nil {
			return err
		}
	}
	for i := range c.o.Accounts {
		payload := fmt.Sprintf(`{"symbol":"COOL","to":%q,"quantity":"%d.5"}`, benchAccount(i), 10+i%90)
		if err := c.add(call(benchAttestor, "tokens", "stake", payload)); err != nil {
			return err
		}
	}
	for i := range votePosts {
		err := c.add(&graphene.Comment{
			Author: benchBank, Permlink: benchPost(i), ParentPermlink: "blog", Title: "A post", Body: "text",
			JSONMetadata: `{"tags":["cool"],"app":"bench/1.0"}`,
		})
		if err != nil {
			return err
		}
	}
	return c.flush()
}
