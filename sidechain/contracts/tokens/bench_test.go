package tokens_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"causeway/sidechain/contract"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/tokens"
)

// crowded is a chain where eight accounts have as many pending unstakes as they
// may, each of 18,250 slices.
func crowded(t testing.TB, days int) *contracttest.Chain {
	g := freeGenesis()
	c := contracttest.Open(t, g, tokens.New())
	for _, call := range [][2]string{
		{"create", `{"name":"Cool","symbol":"COOL","precision":8,"maxSupply":"1000000"}`},
		{"enableStaking", fmt.Sprintf(`{"symbol":"COOL","unstakingCooldown":%d,"numberTransactions":18250}`, days)},
		{"enableDelegation", `{"symbol":"COOL","undelegationCooldown":1}`},
		{"issue", `{"symbol":"COOL","to":"alice","quantity":"100000"}`},
	} {
		c.Call("alice", "tokens", call[0], call[1])
	}
	for i := range 8 {
		sender := fmt.Sprintf("staker%d", i)
		c.Call("alice", "tokens", "stake", fmt.Sprintf(`{"symbol":"COOL","to":%q,"quantity":"10000"}`, sender))
		unstake := contracttest.Op{Sender: sender, Contract: "tokens", Action: "unstake", Payload: `{"symbol":"COOL","quantity":"20"}`}
		for range contract.MaxPendingUnstakes / 50 {
			c.Block(slices.Repeat([]contracttest.Op{unstake}, 50)...)
		}
	}
	return c
}

// BenchmarkTick is a block whose tick works off as many unstakes as a block
// may.
func BenchmarkTick(b *testing.B) {
	c := crowded(b, 1) // a slice every five seconds
	b.ReportAllocs()
	for b.Loop() {
		c.Wait(10*time.Second, 1)
		c.Call("carol", "tokens", "updateUrl", `{"symbol":"NONE","url":"x"}`)
	}
}

// BenchmarkFreeStake is a block of 50 calls that each look at as many pending
// unstakes as an account may have.
func BenchmarkFreeStake(b *testing.B) {
	c := crowded(b, 18250)
	delegate := contracttest.Op{Sender: "staker1", Contract: "tokens", Action: "delegate", Payload: `{"to":"bob","symbol":"COOL","quantity":"0.00000001"}`}
	for b.Loop() {
		c.Block(slices.Repeat([]contracttest.Op{delegate}, 50)...)
	}
}
