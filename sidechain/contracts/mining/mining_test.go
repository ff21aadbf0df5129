package mining_test

import (
	"strings"
	"testing"

	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/mining"
	"causeway/sidechain/contracts/tokenfunds"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/contracts/witnesses"
)

// TestListeners: the three contracts that follow stakes are quiet, together
// and for the governance token too.
func TestListeners(t *testing.T) {
	c := contracttest.Peer(t, 90_000_000, tokens.Bootstrap(), tokens.Current(), mining.Current(), tokenfunds.Current(), witnesses.Current())
	const active = `,"isSignedWithActiveKey":true}`
	for _, call := range [][2]string{
		{"create", `{"name":"W","symbol":"WORKERBEE","precision":5,"maxSupply":"1000"` + active},
		{"issue", `{"symbol":"WORKERBEE","to":"satoshi","quantity":"100"` + active},
		{"enableStaking", `{"symbol":"WORKERBEE","unstakingCooldown":3,"numberTransactions":3` + active},
		{"enableDelegation", `{"symbol":"WORKERBEE","undelegationCooldown":3` + active},
		{"stake", `{"symbol":"WORKERBEE","to":"satoshi","quantity":"10"` + active},
		{"unstake", `{"symbol":"WORKERBEE","quantity":"3"` + active},
		{"delegate", `{"symbol":"WORKERBEE","to":"bob","quantity":"3"` + active},
		{"undelegate", `{"symbol":"WORKERBEE","from":"bob","quantity":"3"` + active},
	} {
		if r := c.Call("satoshi", "tokens", call[0], call[1]); strings.Contains(r.Logs, "errors") {
			t.Errorf("%s: %s", call[0], r.Logs)
		}
	}
	for _, call := range [][3]string{
		{"mining", "handleStakeChange", `{"errors":["must be called from tokens contract"]}`},
		{"mining", "checkPendingLotteries", `{"errors":["not authorized"]}`},
		{"tokenfunds", "updateProposalApprovals", `{}`},
		{"tokenfunds", "checkPendingDtfs", `{"errors":["not authorized"]}`},
		{"witnesses", "updateWitnessesApprovals", `{}`},
		{"witnesses", "scheduleWitnesses", `{"errors":["not authorized"]}`},
	} {
		if r := c.Call("satoshi", call[0], call[1], `{"account":"bob"}`); r.Logs != call[2] {
			t.Errorf("%s.%s by a stranger: %s, want %s", call[0], call[1], r.Logs, call[2])
		}
	}
}

// TestUpdate: the first update of mining and tokenfunds marks their
// parameters, a later one finds nothing to do.
func TestUpdate(t *testing.T) {
	c := contracttest.Peer(t, 90_000_000, mining.Current(), tokenfunds.Current(), witnesses.Current())
	for _, round := range []string{"u:mining_params u:tokenfunds_params", ""} {
		var writes []string
		writes = append(writes, c.Deploy(mining.Current()).Writes...)
		writes = append(writes, c.Deploy(tokenfunds.Current()).Writes...)
		writes = append(writes, c.Deploy(witnesses.Current()).Writes...)
		if got := strings.Join(writes, " "); got != round {
			t.Errorf("update writes %q, want %q", got, round)
		}
	}
	for _, table := range []string{"mining_params", "tokenfunds_params"} {
		if got := c.Row(table, "_id", 1.0); !strings.HasSuffix(got, `"updateIndex":1}`) {
			t.Errorf("%s: %s", table, got)
		}
	}
}
