package comments_test

import (
	"testing"
	"time"

	"causeway/sidechain/contracts/comments"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/jsvalue"
)

// FuzzPayload: no payload panics, whoever sends it, also twice and with what it
// left behind. The sender "null" is possible at block level only.
func FuzzPayload(f *testing.F) {
	for _, seed := range []string{
		`{}`, `[]`, `{"rewardPoolId":1,"active":{}}`, `{"rewardPoolId":{"$gt":0}}`, `{"symbol":{"$ne":1},"config":[]}`,
		`{"symbol":"COOL","config":` + daily + `,"isSignedWithActiveKey":true}`,
		`{"rewardPoolId":1,"config":` + daily + `,"isSignedWithActiveKey":true}`,
		`{"author":"alice","permlink":"first","voter":"bob","weight":10000}`, `{"author":"alice","permlink":"first","weight":-1}`,
		`{"author":"alice","permlink":"first","voter":{"a":1},"weight":1}`,
		`{"author":{},"permlink":[1],"parentAuthor":1,"parentPermlink":{},"jsonMetadata":{"tags":["cool"]}}`,
		`{"author":"a","permlink":"b","parentPermlink":7,"jsonMetadata":{"tags":["cool"],"app":["x"]}}`,
		`{"author":"alice","permlink":"first","maxAcceptedPayout":"0.000 HBD","beneficiaries":[{"account":5,"weight":"x"},1]}`,
		`{"author":"alice","permlink":"first","maxAcceptedPayout":"1","beneficiaries":"abc"}`, `{"maxAcceptedPayout":1}`,
		`{"rewardPoolId":1,"account":"bob","mute":true,"authorperm":"@alice/first"}`, `{"__proto__":{"a":1},"rewardPoolId":1e400}`,
		`{"setupFee":"0x10","updateFee":"1e-400","maintenanceTokensPerBlock":1e300,"voteQueryLimit":5000}`,
	} {
		f.Add(seed)
	}
	actions := []string{"comment", "vote", "commentOptions", "createRewardPool", "updateRewardPool", "setActive", "setMute",
		"setPostMute", "resetPool", "updateParams", "vote", "comment"}
	f.Fuzz(func(t *testing.T, payload string) {
		if _, err := jsvalue.Parse(payload); err != nil {
			return // refused before any contract; with a fee, the whole block
		}
		c := contracttest.Peer(t, 80_000_000, tokens.Current(), comments.Current())
		call := func(sender, name, action, payload string) {
			c.Call(sender, name, action, payload)
		}
		call("hive-engine", "tokens", "create", `{"name":"Cool","symbol":"COOL","precision":3,"maxSupply":"1000","isSignedWithActiveKey":true}`)
		call("hive-engine", "tokens", "enableStaking", `{"symbol":"COOL","unstakingCooldown":1,"numberTransactions":1,"isSignedWithActiveKey":true}`)
		call("hive-engine", "comments", "createRewardPool", `{"symbol":"COOL","config":`+daily+`,"isSignedWithActiveKey":true}`)
		call("null", "comments", "comment", `{"author":"alice","permlink":"first","jsonMetadata":{"tags":["cool"]}}`)
		for range 2 {
			for _, action := range actions {
				for _, sender := range []string{"null", "hive-engine"} {
					call(sender, "comments", action, payload)
				}
			}
			c.Wait(30*time.Hour, 1)
		}
		call("null", "comments", "vote", `{"voter":"bob","author":"alice","permlink":"first","weight":1}`)
	})
}
