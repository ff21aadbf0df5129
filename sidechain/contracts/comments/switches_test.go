package comments_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"causeway/sidechain/contracts/comments"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
)

// both runs a story on a new chain with a rule as it is and as the peer has it.
func both(t *testing.T, name string, story func(t *testing.T, peer bool, switches ...string)) {
	t.Run("new", func(t *testing.T) { story(t, false) })
	t.Run("peer", func(t *testing.T) { story(t, true, name) })
}

// paidOut lets a post of the daily pool be paid and returns the logs.
func paidOut(c *contracttest.Chain) string {
	c.Wait(24*time.Hour, 1)
	visit(c)
	c.Wait(24*time.Hour, 1)
	return visit(c)
}

func TestTax(t *testing.T) {
	both(t, comments.SwitchTaxTwice, func(t *testing.T, peer bool, switches ...string) {
		tax := jsvalue.NewObject("app", "cool", "percent", 10, "beneficiary", "carol")
		c := open(t, config(t, "appTaxConfig", tax, "stakedRewardPercentage", 0), switches...)
		run(c, post("alice", "first", "cool"))
		run(c, vote("bob", "alice", "first", 10000))
		logs := paidOut(c)
		author := "62.308" // 69.231 less the tax
		if peer {
			author = "69.231"
		}
		for _, part := range []string{reward("appTax", "carol", "6.923"), liquid("carol", "6.923"), reward("authorReward", "alice", author)} {
			if !strings.Contains(logs, part) {
				t.Errorf("no %s in %s", part, logs)
			}
		}
		held, counted := jsvalue.Big(c.ContractBalance("comments", "COOL")), jsvalue.Big(pool(c, t).Get("rewardPool"))
		if held.Lt(counted) != peer {
			t.Errorf("the pool counts %s, the contract holds %s", counted, held)
		}
	})
}

// With beneficiaries the tax comes out of the author's part everywhere.
func TestTaxAndBeneficiaries(t *testing.T) {
	both(t, comments.SwitchTaxTwice, func(t *testing.T, _ bool, switches ...string) {
		tax := jsvalue.NewObject("app", "cool", "percent", 10, "beneficiary", "carol")
		c := open(t, config(t, "appTaxConfig", tax, "stakedRewardPercentage", 0), switches...)
		run(c, post("alice", "first", "cool"))
		run(c, &graphene.CommentOptions{
			Author: "alice", Permlink: "first", MaxAcceptedPayout: graphene.Asset{Amount: 1000000, Precision: 3, Symbol: "HBD"},
			Beneficiaries: []graphene.Beneficiary{{Account: "dave", Weight: 2500}},
		})
		run(c, vote("bob", "alice", "first", 10000))
		logs := paidOut(c)
		for _, part := range []string{reward("beneficiaryReward", "dave", "15.577"), reward("authorReward", "alice", "46.731")} {
			if !strings.Contains(logs, part) {
				t.Errorf("no %s in %s", part, logs)
			}
		}
	})
}

func TestMaximumReached(t *testing.T) {
	both(t, comments.SwitchUnbacked, func(t *testing.T, peer bool, switches ...string) {
		c := bare(t, "150", switches...) // 100 are issued
		do(t, c, "alice", "comments", "createRewardPool", poolCall(daily))
		var logs, counted [2]string
		for i := range logs {
			c.Wait(24*time.Hour, 1)
			logs[i] = visit(c)
			counted[i] = jsvalue.ToString(pool(c, t).Get("rewardPool"))
		}
		wantLogs, wantCounted := [2]string{events(minted("50.000")), "{}"}, [2]string{"50.000", "50.000"}
		if peer {
			refused := `{"errors":["quantity exceeds available supply"]}`
			wantLogs, wantCounted = [2]string{refused, refused}, [2]string{"100.000", "200.000"}
		}
		if logs != wantLogs || counted != wantCounted {
			t.Errorf("%q %q, want %q %q", logs, counted, wantLogs, wantCounted)
		}
	})
}

func TestDeclinedPayout(t *testing.T) {
	both(t, comments.SwitchOrphans, func(t *testing.T, peer bool, switches ...string) {
		c := open(t, daily, switches...)
		run(c, post("alice", "first", "cool"))
		run(c, &graphene.CommentOptions{Author: "alice", Permlink: "first", MaxAcceptedPayout: graphene.Asset{Precision: 3, Symbol: "HBD"}})
		run(c, vote("bob", "alice", "first", 10000))
		same(t, "logs", paidOut(c), events(minted("100.000"), reward("authorReward", "alice", "0")))
		same(t, "posts", c.Row("comments_posts"), "")
		if left := c.Row("comments_votes") != ""; left != peer {
			t.Errorf("votes left: %v", left)
		}
	})
}

func TestVoteAtCashout(t *testing.T) {
	both(t, comments.SwitchLateVotes, func(t *testing.T, peer bool, switches ...string) {
		c := open(t, daily, switches...)
		run(c, post("alice", "first", "cool"))
		c.Wait(24*time.Hour-6*time.Second, 1)
		want := "{}"
		if peer {
			want = newVote("10.0000000000")
		}
		if got := run(c, vote("bob", "alice", "first", 10000)); !strings.Contains(got, `"newVote"`) == peer {
			t.Errorf("%s, want %s", got, want)
		}
		same(t, "after it", run(c, vote("carol", "alice", "first", 10000)), "{}")
	})
}

func TestParams(t *testing.T) {
	both(t, comments.SwitchWideLimits, func(t *testing.T, peer bool, switches ...string) {
		c := open(t, daily, switches...)
		update := func(sender, payload string) string { return c.Call(sender, "comments", "updateParams", payload).Logs }
		invalid := func(name string) string { return `{"errors":["invalid ` + name + `"]}` }
		same(t, "another", update("alice", `{"setupFee":"1"}`), "{}")
		for _, name := range []string{"setupFee", "updateFee"} {
			for _, v := range []string{`1`, `"-1"`, `"x"`, `{}`} {
				same(t, name+v, update("causeway", fmt.Sprintf(`{%q:%s}`, name, v)), invalid(name))
			}
		}
		for _, name := range []string{"maintenanceTokensPerBlock", "maxPostsProcessedPerRound", "maxVotesProcessedPerRound", "voteQueryLimit"} {
			for _, v := range []string{`"1"`, `-1`, `1.5`, `[1]`} {
				same(t, name+v, update("causeway", fmt.Sprintf(`{%q:%s}`, name, v)), invalid(name))
			}
			want := invalid(name)
			if peer {
				want = "{}"
			}
			same(t, name, update("causeway", fmt.Sprintf(`{%q:1001}`, name)), want)
		}
		if row := c.Row("comments_params"); !strings.Contains(row, `"setupFee":"1000"`) {
			t.Errorf("params %s", row)
		}
		if !peer {
			same(t, "good", update("causeway", `{"setupFee":"5","updateFee":"0","maintenanceTokensPerBlock":3,"voteQueryLimit":1000,"maxTagsPerPool":9}`), "{}")
			same(t, "row", c.Row("comments_params"), `{"_id":1,"setupFee":"5","updateFee":"0","maxPoolsPerPost":20,"maxTagsPerPool":5,`+
				`"maintenanceTokensPerBlock":3,"lastMaintenanceBlock":0,"maxPostsProcessedPerRound":20,"voteQueryLimit":1000,"maxVotesProcessedPerRound":100,"lastProcessedPoolId":0}`)
		}
	})
}

// With a limit beyond 1,000 the peer's database answers null.
func TestUnboundedLimits(t *testing.T) {
	for _, tt := range []struct{ name, logs string }{
		{"maintenanceTokensPerBlock", `{"errors":["TypeError: Cannot read properties of null (reading 'forEach')"]}`},
		{"maxPostsProcessedPerRound", events(minted("100.000"))}, // nothing is due
		{"voteQueryLimit", `{"errors":["TypeError: Cannot read properties of null (reading 'length')"]}`},
	} {
		c := open(t, daily, comments.SwitchWideLimits)
		run(c, post("alice", "first", "cool"))
		run(c, vote("bob", "alice", "first", 10000))
		c.Wait(24*time.Hour, 1)
		visit(c)
		do(t, c, "causeway", "comments", "updateParams", fmt.Sprintf(`{%q:1001}`, tt.name))
		c.Wait(24*time.Hour, 1)
		same(t, tt.name, visit(c), tt.logs)
	}
}

// TestInterruptedPayout: a post that is paid over several blocks takes what its
// curators get at once; at the peer it takes everything at the end. Both end
// with the same pool.
func TestInterruptedPayout(t *testing.T) {
	both(t, comments.SwitchUnbacked, func(t *testing.T, peer bool, switches ...string) {
		c := open(t, daily, switches...)
		do(t, c, "causeway", "comments", "updateParams", `{"voteQueryLimit":1}`)
		run(c, post("alice", "first", "cool"))
		run(c, vote("bob", "alice", "first", 10000))
		run(c, vote("carol", "alice", "first", 5000))
		c.Wait(24*time.Hour, 1)
		visit(c)
		c.Wait(24*time.Hour, 1)
		want := []string{"143.474", "130.771", "61.539"} // less 56.526, 12.703 and what the author gets
		if peer {
			want = []string{"200.000", "200.000", "61.539"}
		}
		for i := range want {
			visit(c)
			same(t, fmt.Sprintf("pool after block %d", i+1), jsvalue.ToString(pool(c, t).Get("rewardPool")), want[i])
			row := c.Row("comments_posts", "authorperm", "@alice/first")
			if strings.Contains(row, `"paid":`) != (!peer && i < 2) || (row == "") != (i == 2) {
				t.Errorf("post after block %d: %s", i+1, row)
			}
		}
		same(t, "alice", c.Balance("alice", "COOL"), "104.616") // 70 and 34.616
	})
}

// A curve that is changed while a post is paid gives nobody more than the post
// has.
func TestCurveChangedDuringPayout(t *testing.T) {
	both(t, comments.SwitchUnbacked, func(t *testing.T, peer bool, switches ...string) {
		c := open(t, config(t, "curationRewardCurveParameter", "1", "stakedRewardPercentage", 0), switches...)
		do(t, c, "causeway", "comments", "updateParams", `{"voteQueryLimit":1,"updateFee":"0"}`)
		run(c, post("alice", "first", "cool"))
		run(c, vote("bob", "alice", "first", 10000))
		run(c, vote("carol", "alice", "first", 10000))
		c.Wait(24*time.Hour, 1)
		visit(c)
		c.Wait(24*time.Hour, 1)
		visit(c)
		do(t, c, "alice", "comments", "updateRewardPool", `{"rewardPoolId":1,"config":`+config(t)+`}`)
		visit(c)
		visit(c)
		held, counted := jsvalue.Big(c.ContractBalance("comments", "COOL")), jsvalue.Big(pool(c, t).Get("rewardPool"))
		if held.Lt(counted) != peer {
			t.Errorf("the pool counts %s, the contract holds %s", counted, held)
		}
	})
}
