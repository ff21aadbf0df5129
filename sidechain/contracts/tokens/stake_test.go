package tokens_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"causeway/sidechain"
	"causeway/sidechain/contract"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/jsvalue"
)

const day = 24 * time.Hour

// freeGenesis is a new chain's where nothing costs a fee.
func freeGenesis() *sidechain.Genesis {
	g := contracttest.Genesis("gate")
	g.Params.TokenCreationFee, g.Params.EnableStakingFee, g.Params.EnableDelegationFee = "0", "0", "0"
	return g
}

// stakeChain is a new chain with a token COOL of 3 decimals, unstaked in three
// slices over three days and undelegated in two days. alice, who issues it,
// has 1,000.
func stakeChain(t *testing.T, g *sidechain.Genesis, more ...contract.Contract) *contracttest.Chain {
	t.Helper()
	c := contracttest.Open(t, g, append([]contract.Contract{tokens.New()}, more...)...)
	for _, call := range [][2]string{
		{"create", `{"name":"Cool","symbol":"COOL","precision":3,"maxSupply":"1000000"}`},
		{"issue", `{"symbol":"COOL","to":"alice","quantity":"1000"}`},
		{"enableStaking", `{"symbol":"COOL","unstakingCooldown":3,"numberTransactions":3}`},
		{"enableDelegation", `{"symbol":"COOL","undelegationCooldown":2}`},
	} {
		if r := c.Call("alice", "tokens", call[0], call[1]); strings.Contains(r.Logs, "errors") {
			t.Fatalf("%s: %s", call[0], r.Logs)
		}
	}
	return c
}

// members are the parts of an account's row of COOL that staking moves.
var members = []string{"balance", "stake", "pendingUnstake", "delegationsIn", "delegationsOut", "pendingUndelegations"}

// holding is an account's row of COOL as one line, untouched members as "0".
func holding(t *testing.T, c *contracttest.Chain, account string) string {
	t.Helper()
	v, err := jsvalue.Parse(c.Row("tokens_balances", "account", account, "symbol", "COOL"))
	if err != nil {
		return ""
	}
	var parts []string
	for _, key := range members {
		text, _ := v.(*jsvalue.Object).String(key)
		parts = append(parts, text)
	}
	return strings.Join(parts, " ")
}

// wait lets time pass and runs the ticks, which need a block.
func wait(c *contracttest.Chain, d time.Duration) {
	c.Wait(d-3*time.Second, 0)
	c.Call("bob", "tokens", "updateUrl", `{"symbol":"NONE","url":"x"}`)
}

func stakeEvent(name, account, q string) string {
	return fmt.Sprintf(`{"contract":"tokens","event":%q,"data":{"account":%q,"symbol":"COOL","quantity":%q}}`, name, account, q)
}

func events(list ...string) string { return `{"events":[` + strings.Join(list, ",") + `]}` }

// step is a call or a wait, and what alice's and bob's rows say after it.
type step struct {
	wait              time.Duration
	sender, action    string
	payload           string
	logs, tick        string
	alice, bob, total string
}

// story runs steps; an empty expectation is not checked.
func story(t *testing.T, c *contracttest.Chain, steps []step) {
	t.Helper()
	for i, s := range steps {
		name := fmt.Sprintf("step %d %s", i, s.action)
		if s.wait > 0 {
			name = fmt.Sprintf("step %d after %v", i, s.wait)
			wait(c, s.wait)
		} else if r := c.Call(s.sender, "tokens", s.action, s.payload); s.logs != "" && r.Logs != s.logs {
			t.Errorf("%s: logs %s, want %s", name, r.Logs, s.logs)
		}
		if got := strings.Join(c.Ticks(), " "); got != s.tick {
			t.Errorf("%s: ticks %s, want %s", name, got, s.tick)
		}
		for account, want := range map[string]string{"alice": s.alice, "bob": s.bob} {
			if got := holding(t, c, account); want != "" && got != want {
				t.Errorf("%s: %s %s, want %s", name, account, got, want)
			}
		}
		if got := c.Token("COOL", "totalStaked"); s.total != "" && got != s.total {
			t.Errorf("%s: staked %s, want %s", name, got, s.total)
		}
	}
}

func TestStakeIsQuietWithoutItsListeners(t *testing.T) {
	c := stakeChain(t, freeGenesis())
	story(t, c, []step{
		{sender: "alice", action: "stake", payload: `{"to":" bob ","symbol":"COOL","quantity":"1e1"}`,
			logs: events(stakeEvent("stake", "bob", "10.000")), alice: "990.000 0 0 0 0 0", bob: "0 10.000 0 0 0 0", total: "10.000"},
		{sender: "alice", action: "stake", payload: `{"to":"alice","symbol":"COOL","quantity":"5"}`,
			logs: events(stakeEvent("stake", "alice", "5.000")), alice: "985.000 5.000 0 0 0 0", total: "15.000"},
		{sender: "alice", action: "stake", payload: `{"to":"peg","symbol":"COOL","quantity":"5"}`, logs: fails("invalid to")},
		{sender: "alice", action: "stake", payload: `{"symbol":"COOL","quantity":"5"}`, logs: fails("invalid params")},
		{sender: "alice", action: "stake", payload: `{"to":"bob","symbol":"COOL","quantity":"Infinity"}`, logs: fails("overdrawn balance")},
		{sender: "alice", action: "stakeFromContract", payload: `{"to":"bob","symbol":"COOL","quantity":"5"}`, logs: "{}", total: "15.000"},
		{sender: "alice", action: "delegate", payload: `{"to":"peg","symbol":"COOL","quantity":"5"}`, logs: fails("invalid to")},
	})
	r := c.Block(contracttest.Op{Sender: "alice", Contract: "tokens", Action: "stake", Payload: `{"to":"bob","symbol":"COOL","quantity":"1"}`, Posting: true})[0]
	if r.Logs != fails(keyText) {
		t.Errorf("with the posting key: %s", r.Logs)
	}
}

// TestSlicesRoundDown: the last slice gets what rounding left over.
func TestSlicesRoundDown(t *testing.T) {
	c := stakeChain(t, freeGenesis())
	story(t, c, []step{
		{sender: "alice", action: "stake", payload: `{"to":"alice","symbol":"COOL","quantity":"20"}`, alice: "980.000 20.000 0 0 0 0"},
		{sender: "alice", action: "unstake", payload: `{"symbol":"COOL","quantity":"10"}`, logs: events(stakeEvent("unstakeStart", "alice", "10.000")),
			alice: "980.000 16.667 10.000 0 0 0", total: "16.667"},
		{wait: day - time.Second, alice: "980.000 16.667 10.000 0 0 0"},
		{wait: 4 * time.Second, tick: events(stakeEvent("unstake", "alice", "3.333")), alice: "983.333 13.334 6.667 0 0 0", total: "13.334"},
		{wait: day, tick: events(stakeEvent("unstake", "alice", "3.333")), alice: "986.666 10.000 3.334 0 0 0", total: "10.000"},
		{wait: day, tick: events(stakeEvent("unstake", "alice", "3.334")), alice: "990.000 10.000 0.000 0 0 0", total: "10.000"},
		{wait: day, alice: "990.000 10.000 0.000 0 0 0"},
		{sender: "alice", action: "unstake", payload: `{"symbol":"COOL","quantity":"0.002"}`, logs: fails("cannot subtract"), alice: "990.000 10.000 0.000 0 0 0"},
		{sender: "alice", action: "unstake", payload: `{"symbol":"COOL","quantity":"0.0029"}`, logs: fails("symbol precision mismatch")},
		{sender: "alice", action: "unstake", payload: `{"symbol":"COOL","quantity":"0.003"}`, alice: "990.000 9.999 0.003 0 0 0", total: "9.999"},
	})
}

// TestOverdueSlices: what several missed periods left comes in one payment.
func TestOverdueSlices(t *testing.T) {
	c := stakeChain(t, freeGenesis())
	story(t, c, []step{
		{sender: "alice", action: "stake", payload: `{"to":"alice","symbol":"COOL","quantity":"20"}`},
		{sender: "alice", action: "unstake", payload: `{"symbol":"COOL","quantity":"10"}`},
		{sender: "alice", action: "unstake", payload: `{"symbol":"COOL","quantity":"1"}`, alice: "980.000 16.334 11.000 0 0 0"},
		{wait: 2*day + time.Hour, tick: events(stakeEvent("unstake", "alice", "6.666"), stakeEvent("unstake", "alice", "0.666")),
			alice: "987.332 9.000 3.668 0 0 0", total: "9.000"},
		{sender: "alice", action: "unstake", payload: `{"symbol":"COOL","quantity":"9"}`, alice: "987.332 6.000 12.668 0 0 0"},
		{wait: 10 * day, tick: events(stakeEvent("unstake", "alice", "3.334"), stakeEvent("unstake", "alice", "0.334"), stakeEvent("unstake", "alice", "9.000")),
			alice: "1000.000 0.000 0.000 0 0 0", total: "0.000"},
	})
}

// TestOverdueSlicesAtThePeer: it comes back for each, pass by pass.
func TestOverdueSlicesAtThePeer(t *testing.T) {
	c := peerStakes(t)
	for _, call := range [][2]string{
		{"stake", `{"to":"satoshi","symbol":"TKN","quantity":"20"` + active},
		{"unstake", `{"symbol":"TKN","quantity":"10"` + active},
		{"unstake", `{"symbol":"TKN","quantity":"1"` + active},
		{"updatePrecision", `{"symbol":"TKN","precision":4` + active},
	} {
		c.Call("satoshi", "tokens", call[0], call[1])
	}
	c.Wait(2*day+time.Hour, 1)
	c.Call("satoshi", "tokens", "updateUrl", `{"symbol":"NONE","url":"x"}`)
	got := strings.Join(c.Ticks(), " ")
	for _, q := range []string{"3.3333", "0.3333", "3.3333", "0.3333"} {
		_, rest, ok := strings.Cut(got, `"account":"satoshi","symbol":"TKN","quantity":"`+q+`"`)
		if !ok {
			t.Fatalf("no %s in %s", q, got)
		}
		got = rest
	}
	if want := `"balance":"87.3332","stake":"9.0006","pendingUnstake":"3.6668"`; !strings.Contains(c.Row("tokens_balances", "account", "satoshi", "symbol", "TKN"), want) {
		t.Errorf("row %s, want %s", c.Row("tokens_balances", "account", "satoshi", "symbol", "TKN"), want)
	}
}

// TestSeveralUnstakesDoNotOverdraw: stake that waits for its slice is spoken
// for, whoever asks.
func TestSeveralUnstakesDoNotOverdraw(t *testing.T) {
	c := stakeChain(t, freeGenesis())
	over := fails("overdrawn stake")
	story(t, c, []step{
		{sender: "alice", action: "stake", payload: `{"to":"alice","symbol":"COOL","quantity":"9"}`},
		{sender: "alice", action: "unstake", payload: `{"symbol":"COOL","quantity":"9.001"}`, logs: over},
		{sender: "alice", action: "unstake", payload: `{"symbol":"COOL","quantity":"6"}`, alice: "991.000 7.000 6.000 0 0 0"},
		{sender: "alice", action: "unstake", payload: `{"symbol":"COOL","quantity":"3.001"}`, logs: over},
		{sender: "alice", action: "delegate", payload: `{"to":"bob","symbol":"COOL","quantity":"3.001"}`, logs: over},
		{sender: "alice", action: "delegate", payload: `{"to":"bob","symbol":"COOL","quantity":"2"}`,
			logs: `{"events":[{"contract":"tokens","event":"delegate","data":{"to":"bob","symbol":"COOL","quantity":"2.000"}}]}`,
			bob:  "0 0 0 2.000 0 0", alice: "991.000 5.000 6.000 0 2.000 0"},
		{sender: "alice", action: "unstake", payload: `{"symbol":"COOL","quantity":"1.001"}`, logs: over},
		{sender: "alice", action: "unstake", payload: `{"symbol":"COOL","quantity":"1"}`, alice: "991.000 4.667 7.000 0 2.000 0", total: "6.667"},
		{sender: "alice", action: "unstake", payload: `{"symbol":"COOL","quantity":"0.003"}`, logs: over},
		{wait: 30 * day, tick: events(stakeEvent("unstake", "alice", "6.000"), stakeEvent("unstake", "alice", "1.000")),
			alice: "998.000 0.000 0.000 0 2.000 0", total: "2.000"},
		{sender: "bob", action: "unstake", payload: `{"symbol":"COOL","quantity":"1"}`, logs: over},
		{sender: "carol", action: "unstake", payload: `{"symbol":"COOL","quantity":"1"}`, logs: fails("balance does not exist")},
	})
}

func TestCancelUnstake(t *testing.T) {
	c := stakeChain(t, freeGenesis())
	id := func(n int) string { return fmt.Sprintf(`{"txID":"%040x"}`, n) }
	story(t, c, []step{
		{sender: "alice", action: "stake", payload: `{"to":"alice","symbol":"COOL","quantity":"10"}`},          // 5
		{sender: "alice", action: "unstake", payload: `{"symbol":"COOL","quantity":"10"}`},                     // 6
		{sender: "bob", action: "cancelUnstake", payload: id(6), logs: fails("unstake does not exist")},        // 7
		{sender: "alice", action: "cancelUnstake", payload: `{"txID":6}`, logs: fails("invalid params")},       // 8
		{sender: "alice", action: "cancelUnstake", payload: `{"txID":""}`, logs: fails("invalid params")},      // 9
		{wait: day, tick: events(stakeEvent("unstake", "alice", "3.333")), alice: "993.333 3.334 6.667 0 0 0"}, // 10
		{sender: "alice", action: "cancelUnstake", payload: id(6), alice: "993.333 6.667 0.000 0 0 0", total: "6.667", // 11
			logs: events(stakeEvent("unstakeCancel", "alice", "6.667"))},
		{sender: "alice", action: "cancelUnstake", payload: id(6), logs: fails("unstake does not exist")}, // 12
		{sender: "alice", action: "unstake", payload: `{"symbol":"COOL","quantity":"6.667"}`},             // 13
		{wait: 2 * day, alice: "997.777 0.000 2.223 0 0 0", tick: events(stakeEvent("unstake", "alice", "4.444"))},
		// The last slice left the stake before it was due.
		{sender: "alice", action: "cancelUnstake", payload: id(13), alice: "997.777 2.223 0.000 0 0 0", total: "2.223",
			logs: events(stakeEvent("unstakeCancel", "alice", "2.223"))},
		{wait: 5 * day},
	})
}

func TestUndelegate(t *testing.T) {
	c := stakeChain(t, freeGenesis())
	give := func(q string) string { return `{"to":"bob","symbol":"COOL","quantity":"` + q + `"}` }
	take := func(q string) string { return `{"from":" bob ","symbol":"COOL","quantity":"` + q + `"}` }
	started := func(q string) string {
		return `{"events":[{"contract":"tokens","event":"undelegateStart","data":{"from":"bob","symbol":"COOL","quantity":"` + q + `"}}]}`
	}
	row := func() string { return c.Row("tokens_delegations", "from", "alice") }
	story(t, c, []step{
		{sender: "alice", action: "stake", payload: `{"to":"alice","symbol":"COOL","quantity":"10"}`},
		{sender: "alice", action: "delegate", payload: give("3"), bob: "0 0 0 3.000 0 0"},
		{sender: "alice", action: "delegate", payload: give("4"), bob: "0 0 0 7.000 0 0", alice: "990.000 3.000 0 0 7.000 0", total: "10.000"},
		{sender: "bob", action: "delegate", payload: `{"to":"carol","symbol":"COOL","quantity":"1"}`, logs: fails("overdrawn stake")},
		{sender: "alice", action: "undelegate", payload: take("7.001"), logs: fails("overdrawn delegation")},
		{sender: "alice", action: "undelegate", payload: take("2"), logs: started("2.000"), bob: "0 0 0 5.000 0 0", alice: "990.000 3.000 0 0 5.000 2.000"},
	})
	if got := row(); !strings.Contains(got, `"quantity":"5.000"`) {
		t.Errorf("delegation %s", got)
	}
	story(t, c, []step{
		{wait: day},
		{sender: "alice", action: "undelegate", payload: take("5"), logs: started("5.000"), bob: "0 0 0 0.000 0 0", alice: "990.000 3.000 0 0 0.000 7.000"},
		{sender: "alice", action: "undelegate", payload: take("1"), logs: fails("overdrawn delegation")},
		{wait: day, tick: events(stakeEvent("undelegateDone", "alice", "2.000")), alice: "990.000 5.000 0 0 0.000 5.000"},
		{wait: day, tick: events(stakeEvent("undelegateDone", "alice", "5.000")), alice: "990.000 10.000 0 0 0.000 0.000", total: "10.000"},
	})
	if got := row(); got != "" {
		t.Errorf("a delegation of nothing: %s", got)
	}
}

// TestEnable: the order of the checks, and a token keeps its terms.
func TestEnable(t *testing.T) {
	g := freeGenesis()
	g.Params.EnableStakingFee, g.Params.EnableDelegationFee = "600", "400"
	c := contracttest.Open(t, g, tokens.New())
	burnt := func(q string) string {
		return `{"events":[{"contract":"tokens","event":"transfer","data":{"from":"alice","to":"null","symbol":"BEE","quantity":"` + q + `"}}]}`
	}
	for _, symbol := range []string{"COOL", "WARM"} {
		c.Call("alice", "tokens", "create", `{"name":"x","symbol":"`+symbol+`","precision":0,"maxSupply":"10"}`)
	}
	cooldown := fails("unstakingCooldown must be an integer between 1 and 18250")
	for _, tt := range []struct{ sender, action, payload, logs string }{
		{"nobody", "enableStaking", `{}`, fails("you must have enough tokens to cover  fees")},
		{"alice", "enableStaking", `{}`, fails("invalid symbol")},
		{"alice", "enableStaking", `{"symbol":"COOL","unstakingCooldown":"3"}`, cooldown},
		{"alice", "enableStaking", `{"symbol":"COOL","unstakingCooldown":1.5,"numberTransactions":1}`, cooldown},
		{"alice", "enableStaking", `{"symbol":"COOL","unstakingCooldown":18251,"numberTransactions":1}`, cooldown},
		{"alice", "enableStaking", `{"symbol":"COOL","unstakingCooldown":1,"numberTransactions":0}`, fails("numberTransactions must be an integer between 1 and 18250")},
		{"alice", "enableStaking", `{"symbol":"NONE","unstakingCooldown":1,"numberTransactions":1}`, fails("symbol does not exist")},
		{"bob", "enableStaking", `{"symbol":"COOL","unstakingCooldown":1,"numberTransactions":1}`, fails("must be the issuer")},
		{"causeway", "enableStaking", `{"symbol":"BEE","unstakingCooldown":1,"numberTransactions":1}`, fails("must be the issuer")},
		{"alice", "enableDelegation", `{"symbol":"COOL","undelegationCooldown":0}`, fails("undelegationCooldown must be an integer between 1 and 18250")},
		{"alice", "enableDelegation", `{"symbol":"COOL","undelegationCooldown":1}`, fails("staking not enabled")},
		{"alice", "enableStaking", `{"symbol":"COOL","unstakingCooldown":18250,"numberTransactions":18250}`, burnt("600")},
		{"alice", "enableDelegation", `{"symbol":"COOL","undelegationCooldown":18250}`, burnt("400")},
		{"alice", "enableStaking", `{"symbol":"WARM","unstakingCooldown":1,"numberTransactions":1}`, fails("you must have enough tokens to cover  fees")},
	} {
		if got := c.Call(tt.sender, "tokens", tt.action, tt.payload).Logs; got != tt.logs {
			t.Errorf("%s by %s %s: %s, want %s", tt.action, tt.sender, tt.payload, got, tt.logs)
		}
	}
	want := "true 18250 18250 true 18250 0"
	got := make([]any, 0, 6)
	for _, key := range []string{"stakingEnabled", "unstakingCooldown", "numberTransactions", "delegationEnabled", "undelegationCooldown", "totalStaked"} {
		got = append(got, c.Token("COOL", key))
	}
	if text := strings.TrimSpace(fmt.Sprintln(got...)); text != want {
		t.Errorf("token: %s, want %s", text, want)
	}
	if text := c.Token("BEE", "stakingEnabled") + c.Token("BEE", "unstakingCooldown") + c.Token("BEE", "delegationEnabled"); text != "true40true" {
		t.Errorf("the utility token: %s", text)
	}
}
