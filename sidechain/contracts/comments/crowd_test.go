package comments_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
)

func voter(i int) string { return fmt.Sprintf("voter%d", i) }

// crowd gives so many accounts a stake of 0.01 COOL.
func crowd(c *contracttest.Chain, n int) {
	var ops []contracttest.Op
	for i := range n {
		ops = append(ops, contracttest.Op{Sender: "alice", Contract: "tokens", Action: "stake",
			Payload: fmt.Sprintf(`{"symbol":"COOL","to":%q,"quantity":"0.01"}`, voter(i))})
	}
	c.Block(ops...)
}

// TestThousandsOfVotes: a post with 2,530 votes is paid a hundred votes a
// block, each voter once, from the numbers of one interval; a second post
// waits for it.
func TestThousandsOfVotes(t *testing.T) {
	const voters = 2530
	c := open(t, config(t, "stakedRewardPercentage", 0, "rewardPerInterval", "100000"))
	crowd(c, voters)
	run(c, post("alice", "first", "cool"))
	run(c, post("alice", "second", "cool"))
	var votes []graphene.Operation
	for i := range voters {
		votes = append(votes, vote(voter(i), "alice", "first", 10000))
	}
	c.Operations(votes...)
	run(c, vote("bob", "alice", "second", 10000))
	c.Wait(24*time.Hour, 1)
	visit(c)
	c.Wait(24*time.Hour, 1)

	paid, blocks := map[string]int{}, 0
	sum := jsvalue.BigInt(0)
	for c.Row("comments_posts", "authorperm", "@alice/first") != "" {
		blocks++
		in := 0
		for _, e := range eventsOf(t, visit(c)) {
			data, _ := e.Object("data")
			if e.Get("event") == "curationReward" {
				in++
				paid[jsvalue.ToString(data.Get("account"))]++
				sum = sum.Plus(jsvalue.Big(data.Get("quantity")))
			}
			if blocks > 1 && e.Get("event") == "issueToContract" {
				t.Errorf("block %d opened another interval", blocks)
			}
		}
		if in > 101 || blocks > 50 {
			t.Fatalf("block %d paid %d votes", blocks, in)
		}
	}
	if blocks != 26 || len(paid) < voters {
		t.Errorf("%d voters were paid in %d blocks", len(paid), blocks)
	}
	for name, n := range paid {
		if n != 1 {
			t.Errorf("%s was paid %d times", name, n)
		}
	}
	// voters have 25.3 of 35.3 shares; 200,000 in the pool.
	if sum.Lt(jsvalue.BigInt(10_000)) || sum.Gt(jsvalue.BigInt(100_000)) {
		t.Errorf("%s were paid", sum)
	}
	held, counted := jsvalue.Big(c.ContractBalance("comments", "COOL")), jsvalue.Big(pool(c, t).Get("rewardPool"))
	if held.Lt(counted) {
		t.Errorf("the pool counts %s, the contract holds %s", counted, held)
	}
	visit(c)
	same(t, "votes left", c.Row("comments_votes"), "")
	same(t, "posts left", c.Row("comments_posts"), "")
}

func eventsOf(t testing.TB, logs string) []*jsvalue.Object {
	t.Helper()
	v, err := jsvalue.Parse(logs)
	if err != nil {
		t.Fatal(err)
	}
	list, _ := v.(*jsvalue.Object).Array("events")
	out := make([]*jsvalue.Object, len(list))
	for i := range list {
		out[i] = list[i].(*jsvalue.Object)
	}
	return out
}

// TestPoolsTakeTurns: two pools a block, round robin, one interval each.
func TestPoolsTakeTurns(t *testing.T) {
	c := open(t, config(t, "rewardIntervalSeconds", 3600))
	for i := range 4 {
		symbol := fmt.Sprintf("COOL%s", string(rune('A'+i)))
		sender := []string{"bob", "carol", "gateway", "causeway"}[i]
		do(t, c, sender, "tokens", "create", fmt.Sprintf(`{"name":"x","symbol":%q,"precision":3,"maxSupply":"1000000"}`, symbol))
		do(t, c, sender, "tokens", "enableStaking", fmt.Sprintf(`{"symbol":%q,"unstakingCooldown":1,"numberTransactions":1}`, symbol))
		do(t, c, sender, "comments", "createRewardPool", fmt.Sprintf(`{"symbol":%q,"config":%s}`, symbol, config(t, "rewardIntervalSeconds", 3600)))
	}
	c.Wait(2*time.Hour, 1)
	var turns []string
	for range 6 {
		var symbols []string
		for _, e := range eventsOf(t, visit(c)) {
			data, _ := e.Object("data")
			symbols = append(symbols, jsvalue.ToString(data.Get("symbol")))
		}
		turns = append(turns, strings.Join(symbols, " "))
	}
	same(t, "turns", strings.Join(turns, ", "), "COOL COOLA, COOLB COOLC, COOLD COOL, COOLA COOLB, COOLC COOLD, ")
}
