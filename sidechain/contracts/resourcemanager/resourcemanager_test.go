package resourcemanager_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"causeway/sidechain/contract"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/resourcemanager"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/jsvalue"
)

// market stands for the contract whose calls cost a fee.
type market struct{}

func (market) Name() string           { return "market" }
func (market) CodeHash() string       { return strings.Repeat("a", 64) }
func (market) Setup(contract.Context) {}
func (market) Actions() map[string]contract.Action {
	return map[string]contract.Action{"buy": func(ctx contract.Context, _ *jsvalue.Object) {
		ctx.Emit("bought", jsvalue.NewObject())
		ctx.Assert(ctx.Sender() != "bob", "bob is broke")
	}}
}

func open(t *testing.T) *contracttest.Chain {
	return contracttest.New(t, tokens.New(), resourcemanager.New(), market{})
}

func fails(message string) string { return `{"errors":["` + message + `"]}` }

func buys(sender string, n int) []contracttest.Op {
	ops := make([]contracttest.Op, n)
	for i := range ops {
		ops[i] = contracttest.Op{Sender: sender, Contract: "market", Action: "buy", Payload: `{}`}
	}
	return ops
}

const bought = `{"contract":"market","event":"bought","data":{}}`

func burned(sender string) string {
	return fmt.Sprintf(`{"contract":"tokens","event":"transfer","data":{"from":%q,"to":"null","symbol":"BEE","quantity":"0.001"}},`+
		`{"contract":"resourcemanager","event":"burnFee","data":{"from":%q,"to":"null","symbol":"BEE","fee":"0.001"}},`, sender, sender)
}

func TestMarketFee(t *testing.T) {
	c := open(t)
	got := c.Block(buys("alice", 2)...)
	if want := `{"events":[` + bought + `]}`; got[0].Logs != want {
		t.Errorf("the first is free: %s", got[0].Logs)
	}
	if want := `{"events":[` + burned("alice") + bought + `]}`; got[1].Logs != want {
		t.Errorf("the second: %s, want %s", got[1].Logs, want)
	}
	if got[0].CodeHash != got[1].CodeHash {
		t.Errorf("the fee is in the code hash")
	}
	if got := c.Balance("alice", "BEE"); got != "999.99900000" {
		t.Errorf("alice has %s", got)
	}
	// After the merge events come before errors.
	got = c.Block(buys("bob", 2)...)
	if want := `{"events":[` + burned("bob") + bought + `],"errors":["bob is broke"]}`; got[1].Logs != want {
		t.Errorf("events and errors: %s, want %s", got[1].Logs, want)
	}
	got = c.Block(buys("nobody", 2)...)
	if want := `{"errors":["balance does not exist","not enough tokens for multiTransaction fee"]}`; got[1].Logs != want || got[1].CodeHash != "" {
		t.Errorf("without tokens: %s %q", got[1].Logs, got[1].CodeHash)
	}
}

func TestLimitPerBlock(t *testing.T) {
	c := open(t)
	var ops []contracttest.Op
	for range 22 {
		ops = append(ops, contracttest.Op{Sender: "alice", Contract: "tokens", Action: "updateUrl", Payload: `{"symbol":"X","url":"u"}`})
	}
	for i, r := range c.Block(ops...) {
		want := "{}"
		if i >= 20 {
			want = fails("max transaction limit per block reached.")
		}
		if r.Logs != want {
			t.Errorf("transaction %d: %s, want %s", i+1, r.Logs, want)
		}
	}
}

func TestDenied(t *testing.T) {
	c := open(t)
	for _, tt := range []struct{ sender, payload, logs string }{
		{"alice", `{"account":"bob","isDenied":true}`, fails("not authorized")},
		{"causeway", `{"isDenied":true}`, fails("invalid account")},
		{"causeway", `{"account":"bob","isDenied":"yes"}`, fails("invalid isDenied")},
		{"causeway", `{"account":"bob","isAllowed":1}`, fails("invalid isAllowed")},
		{"causeway", `{"account":"bob","isDenied":true}`,
			`{"events":[{"contract":"resourcemanager","event":"updateAccount","data":{"from":"causeway","updatedAccount":"bob","isDenied":true}}]}`},
	} {
		if r := c.Call(tt.sender, "resourcemanager", "updateAccount", tt.payload); r.Logs != tt.logs {
			t.Errorf("%s %s: %s, want %s", tt.sender, tt.payload, r.Logs, tt.logs)
		}
	}
	call := func() string { return c.Call("bob", "tokens", "updateUrl", `{"symbol":"X","url":"u"}`).Logs }
	limit := fails("max transaction limit per day reached.")
	if got := []string{call(), call()}; got[0] != "{}" || got[1] != limit {
		t.Errorf("on the first day: %q", got)
	}
	c.Wait(24*time.Hour, 1)
	if got := []string{call(), call()}; got[0] != "{}" || got[1] != limit {
		t.Errorf("a day later: %q", got)
	}
}

func TestModerators(t *testing.T) {
	c := open(t)
	update := func(sender, action string) string {
		return c.Call(sender, "resourcemanager", "updateModerator", `{"account":"carol","action":"`+action+`"}`).Logs
	}
	event := func(action string) string {
		return `{"events":[{"contract":"resourcemanager","event":"updateModerator","data":{"from":"causeway","account":"carol","action":"` + action + `"}}]}`
	}
	deny := func() string {
		return c.Call("carol", "resourcemanager", "updateAccount", `{"account":"bob","isDenied":false}`).Logs
	}
	steps := []struct{ got, want string }{
		{update("alice", "add"), fails("not authorized")},
		{update("causeway", "add"), event("add")},
		{update("causeway", "add"), "{}"},
		{deny(), `{"events":[{"contract":"resourcemanager","event":"updateAccount","data":{"from":"carol","updatedAccount":"bob","isDenied":false}}]}`},
		{update("causeway", "remove"), event("remove")},
		{update("causeway", "remove"), "{}"},
		{deny(), fails("not authorized")},
	}
	for i, s := range steps {
		if s.got != s.want {
			t.Errorf("step %d: %s, want %s", i, s.got, s.want)
		}
	}
}

func TestSubscription(t *testing.T) {
	c := open(t)
	subscribe := func(who string) string { return c.Call(who, "resourcemanager", "subscribe", `{}`).Logs }
	if got := subscribe("alice"); !strings.Contains(got, `"event":"subscribe","data":{"from":"alice","to":"null","symbol":"BEE","fee":"10","subscribedUntil":`) {
		t.Errorf("subscribed: %s", got)
	}
	if got := subscribe("alice"); got != fails("can only be purchased once a month.") {
		t.Errorf("again: %s", got)
	}
	if got := c.Block(buys("alice", 2)...)[1].Logs; got != `{"events":[`+bought+`]}` {
		t.Errorf("a subscriber pays no fee: %s", got)
	}
	c.Call("causeway", "resourcemanager", "updateAccount", `{"account":"bob","isDenied":true}`)
	if got := subscribe("bob"); got != fails("cannot be purchased as long as you are throttled.") {
		t.Errorf("denied: %s", got)
	}
	if got := subscribe("nobody"); got != `{"errors":["balance does not exist","not enough tokens for allowList fee"]}` {
		t.Errorf("without tokens: %s", got)
	}
	c.Wait(31*24*time.Hour, 1)
	got := c.Block(buys("alice", 2)...)[1].Logs
	if !strings.Contains(got, `"event":"allowListSubscriptionExpired","data":{"from":"alice"}`) || !strings.Contains(got, `"event":"burnFee"`) {
		t.Errorf("after a month: %s", got)
	}
	if got := subscribe("alice"); !strings.Contains(got, `"event":"subscribe"`) {
		t.Errorf("renewed: %s", got)
	}
}

func TestParams(t *testing.T) {
	c := open(t)
	for _, tt := range []struct{ sender, payload, logs string }{
		{"alice", `{}`, fails("not authorized")},
		{"causeway", `{"numberOfFreeTx":1.5}`, fails("invalid numberOfFreeTx")},
		{"causeway", `{"numberOfFreeTx":"2"}`, fails("invalid numberOfFreeTx")},
		{"causeway", `{"multiTransactionFee":1}`, fails("invalid multiTransactionFee")},
		{"causeway", `{"multiTransactionFee":"-1"}`, fails("invalid multiTransactionFee")},
		{"causeway", `{"multiTransactionFee":"1e1000000000"}`, fails("invalid multiTransactionFee")},
		{"causeway", `{"denyMaxTx":-1}`, fails("invalid denyMaxTx")},
		{"causeway", `{"burnSymbol":5}`, fails("invalid burnSymbol")},
		{"causeway", `{"burnSymbol":"NONE"}`, fails("burnSymbol not available")},
		{"causeway", `{"allowlistBurnFee":"x"}`, fails("invalid allowlistBurnFee")},
		{"causeway", `{"numberOfFreeTx":3,"multiTransactionFee":"0.5","denyMaxTx":7,"burnSymbol":"BEE","allowlistBurnFee":"2"}`, "{}"},
	} {
		if r := c.Call(tt.sender, "resourcemanager", "updateParams", tt.payload); r.Logs != tt.logs {
			t.Errorf("%s %s: %s, want %s", tt.sender, tt.payload, r.Logs, tt.logs)
		}
	}
	want := `{"_id":1,"numberOfFreeTx":3,"denyMaxTx":7,"multiTransactionFee":"0.5","burnSymbol":"BEE","allowlistBurnFee":"2"}`
	if got := c.Row("resourcemanager_params", "_id", 1.0); got != want {
		t.Errorf("params %s, want %s", got, want)
	}
}

// An attestor acts for everybody who pays in or out: the limit per block does
// not hold for him, and holds for everybody else.
func TestAttestorsHaveNoLimit(t *testing.T) {
	c := open(t)
	ops := make([]contracttest.Op, 0, 60)
	for _, sender := range []string{"gateway", "alice"} {
		for range 30 {
			ops = append(ops, contracttest.Op{Sender: sender, Contract: "tokens", Action: "transfer", Payload: `{"symbol":"BEE","to":"bob","quantity":"1"}`})
		}
	}
	got := c.Block(ops...)
	for i, receipt := range got {
		refused := strings.Contains(receipt.Logs, "max transaction limit per block reached.")
		if want := i >= 50; refused != want {
			t.Errorf("call %d of %s: %s", i%30+1, ops[i].Sender, receipt.Logs)
		}
	}
}

// TestAllowed: an account that was allowed without an end pays nothing until
// it is no longer allowed; who is denied and allowed is limited all the same.
func TestAllowed(t *testing.T) {
	c := open(t)
	update := func(payload string) { c.Call("causeway", "resourcemanager", "updateAccount", payload) }
	free, charged := `{"events":[`+bought+`]}`, `{"events":[`+burned("alice")+bought+`]}`
	update(`{"account":"alice","isAllowed":true}`)
	if got := c.Block(buys("alice", 3)...)[2].Logs; got != free {
		t.Errorf("allowed: %s", got)
	}
	update(`{"account":"alice","isAllowed":false}`)
	if got := c.Block(buys("alice", 2)...)[1].Logs; got != charged {
		t.Errorf("no longer allowed: %s", got)
	}
	update(`{"account":"alice","isAllowed":true,"isDenied":true}`)
	if got := c.Block(buys("alice", 2)...); got[0].Logs != free || got[1].Logs != fails("max transaction limit per day reached.") {
		t.Errorf("denied: %s %s", got[0].Logs, got[1].Logs)
	}
	update(`{"account":"alice","isDenied":false}`)
	if got := c.Block(buys("alice", 2)...)[1].Logs; got != free {
		t.Errorf("no longer denied: %s", got)
	}
	want := `{"_id":{"account":"alice"},"account":"alice","isAllowed":true,"lastAction":`
	if got := c.Row("resourcemanager_accountControls", "account", "alice"); !strings.HasPrefix(got, want) || !strings.Contains(got, `"isDenied":false`) {
		t.Errorf("row %s", got)
	}
}

// pools stands for the contract that has neither fee nor limit at the peer.
type pools struct{ market }

func (pools) Name() string     { return "marketpools" }
func (pools) CodeHash() string { return strings.Repeat("b", 64) }

// TestPeer: what the peer's contract does otherwise than that of new chains.
func TestPeer(t *testing.T) {
	c := contracttest.Peer(t, 100_000_000, tokens.Bootstrap(), tokens.Current(), market{}, pools{}, resourcemanager.Minified())
	const key = `,"isSignedWithActiveKey":true}`
	for _, call := range [][2]string{
		{"create", `{"name":"BEED","symbol":"BEED","precision":8,"maxSupply":"1000"` + key},
		{"issue", `{"symbol":"BEED","to":"alice","quantity":"100"` + key},
	} {
		if r := c.Call("hive-engine", "tokens", call[0], call[1]); strings.Contains(r.Logs, "errors") {
			t.Fatal(r.Logs)
		}
	}
	fee := func(sender string) string {
		return `{"contract":"resourcemanager","event":"burnFee","data":{"from":"` + sender + `","to":"null","symbol":"BEED","fee":"0.001"}}`
	}
	if got := c.Block(buys("nobody", 2)...)[1].Logs; got != `{"events":[`+fee("nobody")+`],"errors":["balance does not exist","not enough tokens for multiTransaction fee"]}` {
		t.Errorf("without tokens: %s", got)
	}
	free := buys("alice", 30)
	for i := range free {
		free[i].Contract = "marketpools"
	}
	want := `{"events":[` + strings.ReplaceAll(bought, `"market"`, `"marketpools"`) + `]}`
	if got := c.Block(free...)[29].Logs; got != want {
		t.Errorf("marketpools: %s", got)
	}
	burnt := `{"contract":"tokens","event":"transfer","data":{"from":"alice","to":"null","symbol":"BEED","quantity":"0.001"}},` + fee("alice") + "," + bought
	c.Call("hive-engine", "resourcemanager", "updateAccount", `{"account":"alice","isAllowed":true}`)
	for i, want := range []string{
		`{"events":[{"contract":"resourcemanager","event":"allowListSubscriptionExpired","data":{"from":"alice"}},` + burnt + `]}`,
		`{"events":[` + burnt + `]}`,
	} {
		if got := c.Block(buys("alice", 2)...)[1].Logs; got != want {
			t.Errorf("an allowance without an end, block %d: %s, want %s", i, got, want)
		}
	}
	// Who lost the allowance may subscribe again before its month is over.
	for i, step := range []struct{ sender, action, payload, want string }{
		{"alice", "subscribe", `{}`, `"event":"subscribe"`},
		{"alice", "subscribe", `{}`, "can only be purchased once a month."},
		{"hive-engine", "updateAccount", `{"account":"alice","isAllowed":false}`, `"event":"updateAccount"`},
		{"alice", "subscribe", `{}`, `"event":"subscribe"`},
	} {
		if got := c.Call(step.sender, "resourcemanager", step.action, step.payload).Logs; !strings.Contains(got, step.want) {
			t.Errorf("step %d: %s, want %s", i, got, step.want)
		}
	}
	if got := c.Balance("alice", "BEED"); got != "79.99800000" {
		t.Errorf("alice has %s", got)
	}
}

// TestMarketpoolsIsNoExceptionOnNewChains, where a call of it costs nothing
// and the limit holds for it as for every name.
func TestMarketpoolsIsNoExceptionOnNewChains(t *testing.T) {
	c := open(t)
	ops := make([]contracttest.Op, 21)
	for i := range ops {
		ops[i] = contracttest.Op{Sender: "alice", Contract: "marketpools", Action: "buy", Payload: `{}`}
	}
	got := c.Block(ops...)
	if got[19].Logs != fails("contract doesn't exist") || got[20].Logs != fails("max transaction limit per block reached.") {
		t.Errorf("%s %s", got[19].Logs, got[20].Logs)
	}
}
