package hivepegged_test

import (
	"fmt"
	"strings"
	"testing"

	"causeway/sidechain"
	"causeway/sidechain/contract"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/hivepegged"
	"causeway/sidechain/contracts/resourcemanager"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
)

const custody = "vault"

// open opens a new chain with a custody account.
func open(t *testing.T, change func(*sidechain.Genesis)) *contracttest.Chain {
	t.Helper()
	g := contracttest.Genesis("gate")
	name := custody
	g.BasePeg = &name
	g.Accounts = append(g.Accounts, sidechain.GenesisAccount{Name: custody})
	if change != nil {
		change(g)
	}
	return contracttest.Open(t, g, tokens.New(), resourcemanager.New(), hivepegged.New(custody))
}

// carried is a transfer of the base layer that carries a call.
func carried(from, to string, amount graphene.Asset, action, payload string) graphene.Operation {
	return &graphene.Transfer{From: from, To: to, Amount: amount, Memo: fmt.Sprintf(
		`{"id":"ssc-causeway-test","json":{"contractName":"hivepegged","contractAction":%q,"contractPayload":%s}}`, action, payload)}
}

func hive(thousandths int64) graphene.Asset {
	return graphene.Asset{Amount: thousandths, Precision: 3, Symbol: "HIVE"}
}

// buy sends thousandths of a coin to the custody account.
func buy(c *contracttest.Chain, from string, thousandths int64) contracttest.Receipt {
	return c.Operations(carried(from, custody, hive(thousandths), "buy", `{}`))[0]
}

func withdraw(c *contracttest.Chain, from, payload string) contracttest.Receipt {
	return c.Call(from, "hivepegged", "withdraw", payload)
}

func fails(message string) string { return `{"errors":["` + message + `"]}` }

func moved(from, to, quantity string) string {
	return fmt.Sprintf(`{"events":[{"contract":"tokens","event":"transfer","data":{"from":%q,"to":%q,"symbol":"SWAP.HIVE","quantity":%q}}]}`, from, to, quantity)
}

// owed is the request of a transaction, less its _id.
func owed(c *contracttest.Chain, id string) string {
	row := c.Row("hivepegged_withdrawals", "id", id)
	_, row, _ = strings.Cut(row, ",")
	return row
}

func request(id, to, memo, quantity string) string {
	return fmt.Sprintf(`"id":%q,"type":"HIVE","recipient":%q,"memo":%q,"quantity":%q}`, id, to, memo, quantity)
}

func count(c *contracttest.Chain) int { return c.DB().Tables().Table("hivepegged_withdrawals").Len() }

// TestBuy: 0.75 %, half up to three decimals, at least 0.001 (peer-spec 5 and
// P1).
func TestBuy(t *testing.T) {
	for _, tt := range []struct {
		thousandths int64
		credit, fee string
	}{
		{1, "", "0.001"},
		{2, "0.001", "0.001"},
		{3, "0.002", "0.001"},
		{66, "0.065", "0.001"}, // 0.000495 is rounded to nothing
		{199, "0.198", "0.001"},
		{200, "0.198", "0.002"}, // 0.0015
		{333, "0.331", "0.002"}, // 0.0024975
		{334, "0.331", "0.003"}, // 0.002505
		{10_000, "9.925", "0.075"},
		{123_456_789, "122530.863", "925.926"}, // 925.9259175
	} {
		c := open(t, nil)
		r := buy(c, "alice", tt.thousandths)
		want := "{}"
		if tt.credit != "" {
			want = moved(custody, "alice", tt.credit)
		}
		if r.Logs != want || c.Balance("alice", "SWAP.HIVE") != tt.credit {
			t.Errorf("%d: %s, balance %q, want %s", tt.thousandths, r.Logs, c.Balance("alice", "SWAP.HIVE"), want)
		}
		if got, want := owed(c, r.ID+"-fee"), request(r.ID+"-fee", "causeway", "fee tx "+r.ID, tt.fee); got != want || count(c) != 1 {
			t.Errorf("%d: owed %s and %d rows, want %s", tt.thousandths, got, count(c), want)
		}
	}
}

func TestBuyIsOnlyATransferToTheOwner(t *testing.T) {
	c := open(t, nil)
	for what, op := range map[string]graphene.Operation{
		"to another account": carried("alice", "bob", hive(1000), "buy", `{"recipient":"vault"}`),
		"a custom_json that says so": &graphene.CustomJSON{ID: "ssc-causeway-test", RequiredAuths: []string{"alice"},
			JSON: `{"contractName":"hivepegged","contractAction":"buy","contractPayload":{"recipient":"vault","amountHIVEHBD":"5.000 HIVE"}}`},
	} {
		if r := c.Operations(op)[0]; r.Logs != "{}" || c.Balance("alice", "SWAP.HIVE") != "" || count(c) != 0 {
			t.Errorf("%s: %s", what, r.Logs)
		}
	}
	hbd := graphene.Asset{Amount: 1000, Precision: 3, Symbol: "HBD"}
	if r := c.Operations(carried("alice", custody, hbd, "buy", `{}`))[0]; r.Logs != fails("only HIVE can be used") || count(c) != 0 {
		t.Errorf("another coin: %s", r.Logs)
	}
}

func TestWithdraw(t *testing.T) {
	c := open(t, nil)
	buy(c, "alice", 10_000) // 9.925
	for _, tt := range []struct{ quantity, pays, fee string }{
		{"0.002", "0.001", "0.001"},
		{"0.066", "0.065", "0.001"},
		{"0.2", "0.198", "0.002"},
		{"0.30", "0.298", "0.002"}, // 0.00225
		{" 1 ", "0.992", "0.008"},  // 0.0075
		{"2e0", "1.985", "0.015"},
		{"0x1", "0.992", "0.008"},
	} {
		r := withdraw(c, "alice", fmt.Sprintf(`{"quantity":%q}`, tt.quantity))
		if want := moved("alice", custody, tt.quantity); r.Logs != want {
			t.Errorf("%q: %s, want %s", tt.quantity, r.Logs, want)
		}
		if got, want := owed(c, r.ID), request(r.ID, "alice", "withdrawal tx "+r.ID, tt.pays); got != want {
			t.Errorf("%q: owed %s, want %s", tt.quantity, got, want)
		}
		if got, want := owed(c, r.ID+"-fee"), request(r.ID+"-fee", "causeway", "fee tx "+r.ID, tt.fee); got != want {
			t.Errorf("%q: fee %s, want %s", tt.quantity, got, want)
		}
	}
	if got := c.Balance("alice", "SWAP.HIVE"); got != "5.35700000" { // 9.925 - 4.568
		t.Errorf("alice is left with %s", got)
	}
}

func TestWithdrawIsRefused(t *testing.T) {
	c := open(t, nil)
	buy(c, "alice", 1000)
	before := count(c)
	for _, tt := range []struct{ sender, payload, logs string }{
		{"alice", `{}`, fails("invalid params")},
		{"alice", `{"quantity":""}`, fails("invalid params")},
		{"alice", `{"quantity":1}`, fails("invalid params")},
		{"alice", `{"quantity":"x"}`, fails("invalid params")},
		{"alice", `{"quantity":"0.0021"}`, fails("invalid params")},
		{"alice", `{"quantity":"0.001"}`, fails("minimum withdrawal is 0.002")},
		{"alice", `{"quantity":"-5"}`, fails("minimum withdrawal is 0.002")},
		{"alice", `{"quantity":"1e-400"}`, fails("invalid params")},
		{"alice", `{"quantity":"Infinity"}`, `{}`},
		{"alice", `{"quantity":"1e501"}`, `{}`},
		{"alice", `{"quantity":"0.993"}`, fails("overdrawn balance")},
		{"bob", `{"quantity":"1"}`, fails("balance does not exist")},
		{custody, `{"quantity":"1"}`, fails("cannot transfer to self")},
	} {
		if r := withdraw(c, tt.sender, tt.payload); r.Logs != tt.logs || count(c) != before {
			t.Errorf("%s %s: %s, want %s; %d rows", tt.sender, tt.payload, r.Logs, tt.logs, count(c))
		}
	}
	posting := contracttest.Op{Sender: "alice", Contract: "hivepegged", Action: "withdraw", Payload: `{"quantity":"0.5"}`, Posting: true}
	if r := c.Block(posting)[0]; r.Logs != fails("invalid params") {
		t.Errorf("posting key: %s", r.Logs)
	}
	if got := c.Balance("alice", "SWAP.HIVE"); got != "0.992" {
		t.Errorf("alice has %s", got)
	}
}

// TestRemove: the payout itself ends a request.
func TestRemove(t *testing.T) {
	c := open(t, nil)
	buy(c, "alice", 1000)
	id := withdraw(c, "alice", `{"quantity":"0.5"}`).ID
	remove := func(from string, id string) {
		if r := c.Operations(carried(from, "alice", hive(496), "removeWithdrawal", fmt.Sprintf(`{"id":%q}`, id)))[0]; r.Logs != "{}" {
			t.Errorf("removing %s as %s: %s", id, from, r.Logs)
		}
	}
	for _, from := range []string{"alice", "causeway"} {
		if remove(from, id); owed(c, id) == "" {
			t.Fatalf("%s removed a request", from)
		}
	}
	if remove(custody, "unknown"); count(c) != 3 {
		t.Errorf("%d rows after removing nothing", count(c))
	}
	c.Block(contracttest.Op{Sender: custody, Contract: "hivepegged", Action: "removeWithdrawal", Payload: fmt.Sprintf(`{"id":%q}`, id), Posting: true})
	if owed(c, id) == "" {
		t.Error("a posting key was enough")
	}
	c.Call(custody, "hivepegged", "removeWithdrawal", `{"id":{"$ne":null}}`)
	if remove(custody, id); owed(c, id) != "" || count(c) != 2 {
		t.Errorf("%d rows left", count(c))
	}
	if remove(custody, id); count(c) != 2 {
		t.Error("removed twice")
	}
	if remove(custody, id+"-fee"); owed(c, id+"-fee") != "" || count(c) != 1 {
		t.Errorf("the fee: %d rows left", count(c))
	}
}

// TestNamesAreTheGenesis: token, coin and owner are what the document says.
func TestNamesAreTheGenesis(t *testing.T) {
	c := open(t, func(g *sidechain.Genesis) { g.Profile.NativePeg, g.Profile.BaseCoin = "SWAP.GOLD", "GOLD" })
	gold := graphene.Asset{Amount: 1000, Precision: 3, Symbol: "GOLD"}
	r := c.Operations(carried("alice", custody, gold, "buy", `{}`))[0]
	if got := c.Balance("alice", "SWAP.GOLD"); got != "0.992" {
		t.Errorf("alice has %q: %s", got, r.Logs)
	}
	if got := owed(c, r.ID+"-fee"); !strings.Contains(got, `"type":"GOLD","recipient":"causeway"`) {
		t.Errorf("owed %s", got)
	}
	if r := buy(c, "alice", 1000); r.Logs != fails("only GOLD can be used") {
		t.Errorf("another coin: %s", r.Logs)
	}
	if got := c.Row("contracts", "name", "hivepegged"); !strings.Contains(got, `"owner":"vault"`) {
		t.Errorf("contract %s", got)
	}
}

// TestBooks: what is owed and what circulates is what was sent.
func TestBooks(t *testing.T) {
	c := open(t, nil)
	sent := jsvalue.BigInt(0)
	for i, n := range []int64{1, 2, 66, 67, 199, 200, 201, 1333, 98_765} {
		sent = sent.Plus(jsvalue.BigInt(n))
		buy(c, "alice", n)
		withdraw(c, "alice", fmt.Sprintf(`{"quantity":"0.%03d"}`, 2+i*37))
	}
	sent = sent.Times(jsvalue.Big("0.001"))
	total := jsvalue.Big(c.Balance("alice", "SWAP.HIVE"))
	for row := range c.DB().Tables().Table("hivepegged_withdrawals").All() {
		total = total.Plus(jsvalue.Big(row.Get("quantity")))
	}
	if !total.Eq(sent) {
		t.Errorf("owed and circulating %s, sent %s", total.ToFixed(), sent.ToFixed())
	}
	left := jsvalue.Big(c.Balance(custody, "SWAP.HIVE")).Plus(jsvalue.Big(c.Balance("alice", "SWAP.HIVE")))
	if left.ToFixed() != "9007199254740991" {
		t.Errorf("the supply is %s", left.ToFixed())
	}
}

// caller is a contract that withdraws for whoever calls it.
type caller struct{}

func (caller) Name() string           { return "caller" }
func (caller) CodeHash() string       { return strings.Repeat("b", 64) }
func (caller) Setup(contract.Context) {}
func (caller) Actions() map[string]contract.Action {
	return map[string]contract.Action{"go": func(ctx contract.Context, p *jsvalue.Object) {
		ctx.Call("hivepegged", "withdraw", p)
	}}
}

// TestPeer: what only calls at block level can say.
func TestPeer(t *testing.T) {
	c := contracttest.Peer(t, 100_000_000, tokens.Bootstrap(), tokens.Current(), resourcemanager.Plain(), hivepegged.Current(), caller{})
	const key = `,"isSignedWithActiveKey":true}`
	for _, call := range [][2]string{
		{"create", `{"name":"HIVE Pegged","symbol":"SWAP.HIVE","precision":8,"maxSupply":"1000000"` + key},
		{"issue", `{"symbol":"SWAP.HIVE","to":"hive-engine","quantity":"1000"` + key},
	} {
		if r := c.Call("hive-engine", "tokens", call[0], call[1]); strings.Contains(r.Logs, "errors") {
			t.Fatal(r.Logs)
		}
	}
	buy := func(amount, signed string) contracttest.Receipt {
		return c.Call("satoshi", "hivepegged", "buy", `{"recipient":"hive-engine","amountHIVEHBD":`+amount+`,"isSignedWithActiveKey":`+signed+`}`)
	}
	for _, tt := range []struct{ amount, signed, logs, writes string }{
		{`5`, `true`, fails("TypeError: amountHIVEHBD.split is not a function"), ""},
		{`""`, `true`, "{}", ""},
		{`"5.000 HIVE"`, `false`, "{}", ""},
		{`"5.000"`, `true`, fails("only HIVE can be used"), ""},
		{`"5.000  HIVE"`, `true`, fails("only HIVE can be used"), ""},
		{`"x HIVE"`, `true`, "{}", ""},
		{`"-1 HIVE"`, `true`, "{}", "i:hivepegged_withdrawals"},
		{`"5.000 HIVE"`, `1`, fails("you must use a custom_json signed with your active key"), "i:hivepegged_withdrawals"},
		{`"2000 HIVE"`, `true`, fails("overdrawn balance"), "i:hivepegged_withdrawals"},
		{`"500 HIVE and more"`, `true`, `{"events":[{"contract":"tokens","event":"transfer","data":{"from":"hive-engine","to":"satoshi","symbol":"SWAP.HIVE","quantity":"496.250"}}]}`,
			"u:tokens_balances i:tokens_balances i:hivepegged_withdrawals"},
	} {
		r := buy(tt.amount, tt.signed)
		if writes := strings.Join(r.Writes, " "); r.Logs != tt.logs || writes != tt.writes {
			t.Errorf("%s %s: %s, %s; want %s, %s", tt.amount, tt.signed, r.Logs, writes, tt.logs, tt.writes)
		}
	}
	// A nested call has no transaction id.
	c.Call("satoshi", "caller", "go", `{"quantity":"1"`+key)
	if got := c.Row("hivepegged_withdrawals", "recipient", "satoshi"); !strings.Contains(got, `"id":null,"type":"HIVE","recipient":"satoshi","memo":"withdrawal tx null","quantity":"0.992"`) {
		t.Errorf("nested: %s", got)
	}
	if got := c.Row("hivepegged_withdrawals", "id", "null-fee"); !strings.Contains(got, `"memo":"fee tx null","quantity":"0.008"`) {
		t.Errorf("nested: %s", got)
	}
	before := count(c)
	if r := c.Deploy(hivepegged.Current()); len(r.Writes) > 0 || count(c) != before {
		t.Errorf("an update writes %v, %d rows of %d are left", r.Writes, count(c), before)
	}
}
