package tokens_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/sidechain/contract"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/jsvalue"
)

// pool is a contract that pays out of its balance what it is told to.
type pool struct{}

func (pool) Name() string           { return "pool" }
func (pool) CodeHash() string       { return strings.Repeat("a", 64) }
func (pool) Setup(contract.Context) {}

func (pool) Actions() map[string]contract.Action {
	return map[string]contract.Action{
		"stake": func(ctx contract.Context, p *jsvalue.Object) { ctx.Call("tokens", "stakeFromContract", p) },
		"pay": func(ctx contract.Context, p *jsvalue.Object) {
			to, _ := p.String("to")
			symbol, _ := p.String("symbol")
			q, _ := p.String("quantity")
			ctx.TransferTokens(to, symbol, q, "user")
		},
		"unstake": func(ctx contract.Context, p *jsvalue.Object) { ctx.Call("tokens", "unstake", p) },
	}
}

func TestStakeFromContract(t *testing.T) {
	c := stakeChain(t, freeGenesis(), pool{})
	c.Call("alice", "tokens", "transferToContract", `{"to":"pool","symbol":"COOL","quantity":"10"}`)
	stake := func(to, q string) contracttest.Op {
		return contracttest.Op{Sender: "carol", Contract: "pool", Action: "stake", Posting: true,
			Payload: fmt.Sprintf(`{"to":%q,"symbol":"COOL","quantity":%q}`, to, q)}
	}
	for _, tt := range []struct{ to, q, logs string }{
		{"bob", "4.5", events(stakeEvent("stakeFromContract", "bob", "4.500"))},
		{"bob", "5.501", fails("overdrawn balance")},
		{"bob", "-1", fails("must stake positive quantity")},
		{"b", "1", fails("invalid to")},
		{"bob", "x", fails("invalid params")},
	} {
		if r := c.Block(stake(tt.to, tt.q))[0]; r.Logs != tt.logs {
			t.Errorf("%s to %s: %s, want %s", tt.q, tt.to, r.Logs, tt.logs)
		}
	}
	if got := c.ContractBalance("pool", "COOL") + " " + holding(t, c, "bob"); got != "5.500 0 4.500 0 0 0 0" {
		t.Errorf("pool and bob: %s", got)
	}
}

// TestStakeToNobodyBurns: on new chains such tokens leave circulation.
func TestStakeToNobodyBurns(t *testing.T) {
	c := stakeChain(t, freeGenesis(), pool{})
	c.Call("alice", "tokens", "transferToContract", `{"to":"pool","symbol":"COOL","quantity":"10"}`)
	c.Call("alice", "pool", "stake", `{"to":"null","symbol":"COOL","quantity":"4"}`)
	r := c.Call("alice", "tokens", "stake", `{"to":"null","symbol":"COOL","quantity":"3"}`)
	if r.Logs != events(stakeEvent("stake", "null", "3.000")) {
		t.Errorf("logs %s", r.Logs)
	}
	got := holding(t, c, "null") + ", " + c.Token("COOL", "circulatingSupply") + ", " + c.Token("COOL", "totalStaked")
	if got != "7.000 0 0 0 0 0, 993.000, 0" {
		t.Errorf("null, circulating, staked: %s", got)
	}
	p := peerStakes(t)
	p.Call("satoshi", "tokens", "stake", `{"to":"null","symbol":"TKN","quantity":"3"`+active)
	got = p.Row("tokens_balances", "account", "null", "symbol", "TKN") + p.Token("TKN", "circulatingSupply")
	if !strings.Contains(got, `"stake":"3.000"`) || !strings.HasSuffix(got, "100.000") {
		t.Errorf("at the peer: %s", got)
	}
}

// peerStakes is the peer's chain without the contracts that follow stakes; TKN
// is unstaked in three slices over three days.
func peerStakes(t *testing.T) *contracttest.Chain {
	c := peerChain(t, tokens.Current())
	r := c.Call("satoshi", "tokens", "enableStaking", `{"symbol":"TKN","unstakingCooldown":3,"numberTransactions":3`+active)
	if r.Logs != "{}" {
		t.Fatal(r.Logs)
	}
	for _, tick := range []string{"checkPendingUnstakes", "checkPendingUndelegations"} {
		c.Call("hive-engine", "contract", "registerTick", `{"contractName":"tokens","tickAction":"`+tick+`"}`)
	}
	return c
}

// TestPeerMissesListeners: at the peer a missing contract is an error of every
// transaction that moves stake.
func TestPeerMissesListeners(t *testing.T) {
	c := peerStakes(t)
	for _, tt := range []struct{ action, payload string }{
		{"stake", `{"to":"satoshi","symbol":"TKN","quantity":"3"` + active},
		{"unstake", `{"symbol":"TKN","quantity":"3"` + active},
	} {
		if r := c.Call("satoshi", "tokens", tt.action, tt.payload); !strings.HasPrefix(r.Logs, `{"errors":["contract doesn't exist","contract doesn't exist"],"events"`) {
			t.Errorf("%s: %s", tt.action, r.Logs)
		}
	}
	row := c.Row("tokens_pendingUnstakes", "account", "satoshi")
	if !strings.Contains(row, `"quantity":"3.000","quantityLeft":"3.000"`) || !strings.Contains(row, `"numberTransactionsLeft":3,"millisecPerPeriod":"86400000","txID":"TXID`) {
		t.Errorf("pending %s", row)
	}
}

// TestSlicesKeepTheirDecimals: more decimals for the token do not pay out what
// was never taken from the stake.
func TestSlicesKeepTheirDecimals(t *testing.T) {
	c := stakeChain(t, freeGenesis())
	story(t, c, []step{
		{sender: "alice", action: "stake", payload: `{"to":"alice","symbol":"COOL","quantity":"20"}`},
		{sender: "alice", action: "unstake", payload: `{"symbol":"COOL","quantity":"10"}`},
		{sender: "alice", action: "unstake", payload: `{"symbol":"COOL","quantity":"1"}`, alice: "980.000 16.334 11.000 0 0 0"},
		{sender: "alice", action: "updatePrecision", payload: `{"symbol":"COOL","precision":5}`, logs: "{}"},
		{sender: "alice", action: "unstake", payload: `{"symbol":"COOL","quantity":"9.00001"}`, logs: fails("overdrawn stake")},
		{wait: day, tick: events(stakeEvent("unstake", "alice", "3.333"), stakeEvent("unstake", "alice", "0.333")), alice: "983.66600 12.66800 7.33400 0 0 0"},
		{sender: "alice", action: "cancelUnstake", payload: fmt.Sprintf(`{"txID":"%040x"}`, 7), alice: "983.66600 13.00100 6.66700 0 0 0", total: "13.00100"},
		{wait: 2 * day, tick: events(stakeEvent("unstake", "alice", "6.66700")), alice: "990.33300 9.66700 0.00000 0 0 0", total: "9.66700"},
	})
}

// TestPendingUnstakesAreLimited: no more than are looked at for what is free.
func TestPendingUnstakesAreLimited(t *testing.T) {
	c := stakeChain(t, freeGenesis())
	c.Call("alice", "tokens", "stake", `{"to":"alice","symbol":"COOL","quantity":"225"}`)
	unstake := contracttest.Op{Sender: "alice", Contract: "tokens", Action: "unstake", Payload: `{"symbol":"COOL","quantity":"0.5"}`}
	for range contract.MaxPendingUnstakes / 50 {
		for _, r := range c.Block(slices.Repeat([]contracttest.Op{unstake}, 50)...) {
			if want := events(stakeEvent("unstakeStart", "alice", "0.500")); r.Logs != want {
				t.Fatal(r.Logs)
			}
		}
	}
	if r := c.Block(unstake)[0]; r.Logs != fails("too many pending unstakes") {
		t.Errorf("one more: %s", r.Logs)
	}
	if r := c.Call("alice", "tokens", "delegate", `{"to":"bob","symbol":"COOL","quantity":"100.001"}`); r.Logs != fails("overdrawn stake") {
		t.Errorf("delegate: %s", r.Logs)
	}
	if r := c.Call("alice", "tokens", "delegate", `{"to":"bob","symbol":"COOL","quantity":"99.5"}`); strings.Contains(r.Logs, "errors") {
		t.Errorf("delegate: %s", r.Logs)
	}
	wait(c, 4*day)
	if r := c.Block(unstake)[0]; strings.Contains(r.Logs, "errors") {
		t.Errorf("when there is room again: %s", r.Logs)
	}
}

// TestTickRowsAreBounded: a block works off so many rows, those that are due
// for longest first, and the next blocks the rest.
func TestTickRowsAreBounded(t *testing.T) {
	g := freeGenesis()
	g.Params.MaxTickRows = 3
	c := stakeChain(t, g)
	c.Call("alice", "tokens", "stake", `{"to":"alice","symbol":"COOL","quantity":"900"}`)
	for i := range 4 {
		c.Call("alice", "tokens", "unstake", fmt.Sprintf(`{"symbol":"COOL","quantity":"%d"}`, 3*(i+1)))
	}
	for range 4 {
		c.Call("alice", "tokens", "delegate", `{"to":"bob","symbol":"COOL","quantity":"1"}`)
		c.Call("alice", "tokens", "undelegate", `{"from":"bob","symbol":"COOL","quantity":"1"}`)
	}
	unstakes := func(q ...string) string {
		var list []string
		for _, q := range q {
			list = append(list, stakeEvent("unstake", "alice", q+".000"))
		}
		return events(list...)
	}
	done := func(n int) string {
		return events(strings.Split(strings.TrimSuffix(strings.Repeat(stakeEvent("undelegateDone", "alice", "1.000")+"\n", n), "\n"), "\n")...)
	}
	soon := 4 * time.Second
	story(t, c, []step{
		// Two periods are over for all four unstakes.
		{wait: 2*day + time.Hour, tick: unstakes("2", "4", "6") + " " + done(3)},
		{wait: soon, tick: unstakes("8") + " " + done(1)},
		{wait: soon},
		{wait: day, tick: unstakes("1", "2", "3")},
		{wait: soon, tick: unstakes("4"), total: "870.000"},
	})
}

// TestMaxTickRowsOfGenesis: a document need not name it.
func TestMaxTickRowsOfGenesis(t *testing.T) {
	g := freeGenesis()
	text, err := g.Encode()
	if err != nil || strings.Contains(string(text), "maxTickRows") {
		t.Errorf("a document without maxTickRows: %v\n%s", err, text)
	}
	g.Params.MaxTickRows = 7
	if text, _ = g.Encode(); !strings.Contains(string(text), `"maxTickRows": 7`) {
		t.Errorf("document: %s", text)
	}
}

// ghosts adds pending rows of an account without a balance row, which no action
// leaves behind.
func ghosts(c *contracttest.Chain, symbol string) {
	db := c.DB()
	db.Lock()
	defer db.Unlock()
	db.Tables().Table("tokens_pendingUnstakes").Insert(jsvalue.NewObject("account", "ghost", "symbol", symbol,
		"quantity", "1.000", "quantityLeft", "1.000", "nextTransactionTimestamp", 1, "numberTransactionsLeft", 1, "millisecPerPeriod", "86400000", "txID", "x"))
	db.Tables().Table("tokens_pendingUndelegations").Insert(jsvalue.NewObject("account", "ghost", "symbol", symbol,
		"quantity", "1.000", "completeTimestamp", 1, "txID", "y"))
}

// TestRowsThatCannotBePaid: such a row is an error of every tick and holds up
// nobody; the peer's tick would not end.
func TestRowsThatCannotBePaid(t *testing.T) {
	const missing = `{"errors":["balance does not exist"]}`
	c := stakeChain(t, freeGenesis())
	c.Call("alice", "tokens", "stake", `{"to":"alice","symbol":"COOL","quantity":"9"}`)
	ghosts(c, "COOL")
	story(t, c, []step{
		{sender: "alice", action: "unstake", payload: `{"symbol":"COOL","quantity":"9"}`, tick: missing + " " + missing},
		{wait: day, tick: `{"errors":["balance does not exist"],"events":[` + stakeEvent("unstake", "alice", "3.000") + `]} ` + missing,
			alice: "994.000 3.000 6.000 0 0 0"},
	})
	p := peerStakes(t)
	ghosts(p, "TKN")
	p.Call("satoshi", "tokens", "stake", `{"to":"satoshi","symbol":"TKN","quantity":"9"`+active)
	if got := strings.Join(p.Ticks(), " "); got != missing+" "+missing {
		t.Errorf("at the peer: %s", got)
	}
}

// TestOldEditionsSayWhatTheyLack: their staking is executed by no recorded
// chain.
func TestOldEditionsSayWhatTheyLack(t *testing.T) {
	c := peerChain(t, tokens.Interim())
	for _, action := range []string{"enableStaking", "stake", "stakeFromContract", "unstake", "cancelUnstake", "enableDelegation", "delegate", "undelegate"} {
		want := fails("action " + action + " of this version of tokens is not built")
		if r := c.Call("satoshi", "tokens", action, `{}`); r.Logs != want {
			t.Errorf("%s: %s", action, r.Logs)
		}
	}
}

// TestNestedUnstakeHasNoID, as at the peer; nobody can cancel it.
func TestNestedUnstakeHasNoID(t *testing.T) {
	c := stakeChain(t, freeGenesis(), pool{})
	c.Call("alice", "tokens", "stake", `{"to":"alice","symbol":"COOL","quantity":"9"}`)
	c.Call("alice", "pool", "unstake", `{"symbol":"COOL","quantity":"3"}`)
	if got := c.Row("tokens_pendingUnstakes", "account", "alice"); !strings.HasSuffix(got, `"txID":null}`) {
		t.Errorf("pending %s", got)
	}
}
