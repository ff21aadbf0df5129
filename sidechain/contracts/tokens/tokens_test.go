package tokens_test

import (
	"fmt"
	"strings"
	"testing"

	"causeway/sidechain/contract"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

const (
	active  = `,"isSignedWithActiveKey":true}`
	latest  = 100_000_001
	keyText = "you must use a custom_json signed with your active key"
)

func fails(message string) string {
	return `{"errors":[` + jsvalue.Stringify(message) + `]}`
}

// peerChain is a chain with a token TKN of 3 decimals that satoshi issues.
func peerChain(t *testing.T, k contract.Contract) *contracttest.Chain {
	t.Helper()
	// Below the height of fees: no fee contract is needed.
	c := contracttest.Peer(t, 90_000_000, tokens.Bootstrap(), k)
	for _, call := range [][3]string{
		{"satoshi", "create", `{"name":"token","url":"https://token.com","symbol":"TKN","precision":3,"maxSupply":"1000"` + active},
		{"satoshi", "issue", `{"symbol":"TKN","to":"satoshi","quantity":"100"` + active},
	} {
		if r := c.Call(call[0], "tokens", call[1], call[2]); strings.Contains(r.Logs, "errors") {
			t.Fatal(r.Logs)
		}
	}
	return c
}

func TestOwnerActions(t *testing.T) {
	long := strings.Repeat("x", 256)
	tests := []struct{ sender, action, payload, logs string }{
		{"satoshi", "updateUrl", `{"symbol":"TKN"}`, fails("invalid params")},
		{"satoshi", "updateUrl", `{"symbol":"TKN","url":"` + long + `"}`, fails("invalid url: max length of 255")},
		{"satoshi", "updateUrl", `{"symbol":"NKT","url":"u"}`, `{}`},
		{"vitalik", "updateUrl", `{"symbol":"TKN","url":"u"}`, fails("must be the issuer")},
		{"satoshi", "updateUrl", `{"symbol":"TKN","url":"u"}`, `{}`},
		{"satoshi", "updateMetadata", `{"symbol":"TKN","metadata":"{}"}`, fails("invalid params")},
		{"satoshi", "updateMetadata", `{"symbol":"TKN","metadata":{"a":"` + strings.Repeat("x", 1000) + `"}}`, fails("invalid metadata: max length of 1000")},
		{"vitalik", "updateMetadata", `{"symbol":"TKN","metadata":{}}`, fails("must be the issuer")},
		{"satoshi", "updateMetadata", `{"symbol":"TKN","metadata":{"b":1,"10":"x","é":"<&>"}}`, `{}`},
		{"satoshi", "updateUrl", `{"symbol":"TKN","url":"u"}`, fails("an error occured when trying to update the url")},
		{"satoshi", "updatePrecision", `{"symbol":"TKN","precision":4}`, fails(keyText)},
		{"satoshi", "updatePrecision", `{"symbol":"","precision":4` + active, `{}`},
		{"satoshi", "updatePrecision", `{"symbol":"TKN","precision":0` + active, fails("invalid precision")},
		{"satoshi", "updatePrecision", `{"symbol":"TKN","precision":9` + active, fails("invalid precision")},
		{"satoshi", "updatePrecision", `{"symbol":"TKN","precision":"4"` + active, fails("invalid precision")},
		{"satoshi", "updatePrecision", `{"symbol":"TKN","precision":4.5` + active, fails("invalid precision")},
		{"satoshi", "updatePrecision", `{"symbol":"NKT","precision":4` + active, `{}`},
		{"vitalik", "updatePrecision", `{"symbol":"TKN","precision":4` + active, fails("must be the issuer")},
		{"satoshi", "updatePrecision", `{"symbol":"TKN","precision":3` + active, fails("precision can only be increased")},
		{"satoshi", "updatePrecision", `{"symbol":"TKN","precision":5.0` + active, `{}`},
		{"satoshi", "transferOwnership", `{"symbol":"TKN","to":"vitalik"}`, fails(keyText)},
		{"satoshi", "transferOwnership", `{"symbol":"TKN","to":5` + active, fails("invalid params")},
		{"satoshi", "transferOwnership", `{"symbol":"NKT","to":"vitalik"` + active, `{}`},
		{"vitalik", "transferOwnership", `{"symbol":"TKN","to":"vitalik"` + active, fails("must be the issuer")},
		{"satoshi", "transferOwnership", `{"symbol":"TKN","to":"no"` + active, fails("invalid to")},
		{"satoshi", "transferOwnership", `{"symbol":"TKN","to":" vitalik\n"` + active,
			`{"events":[{"contract":"tokens","event":"transferOwnership","data":{"from":"satoshi","to":"vitalik","symbol":"TKN"}}]}`},
		{"satoshi", "updatePrecision", `{"symbol":"TKN","precision":6` + active, fails("must be the issuer")},
	}
	c := peerChain(t, tokens.Current())
	for _, tt := range tests {
		if r := c.Call(tt.sender, "tokens", tt.action, tt.payload); r.Logs != tt.logs {
			t.Errorf("%s %s: logs %s, want %s", tt.action, tt.payload, r.Logs, tt.logs)
		}
	}
	want := `{"10":"x","b":1,"é":"<&>"}`
	if got := c.Token("TKN", "metadata"); got != want {
		t.Errorf("metadata %s, want %s", got, want)
	}
	if got := c.Token("TKN", "precision") + c.Token("TKN", "issuer") + c.Balance("satoshi", "TKN"); got != "5vitalik100.000" {
		t.Errorf("precision, issuer, balance: %s", got)
	}
}

func TestIssue(t *testing.T) {
	issued := func(event, to, q string) string {
		return fmt.Sprintf(`{"events":[{"contract":"tokens","event":%q,"data":{"from":"tokens","to":%q,"symbol":"TKN","quantity":%q}}]}`, event, to, q)
	}
	tests := []struct{ name, action, payload, logs, writes string }{
		{"normalised", "issue", `{"symbol":"TKN","to":"bob","quantity":" 0x10 "` + active, issued("transferFromContract", "bob", "16.000"),
			"u:tokens_balances u:tokens_balances i:tokens_balances u:tokens_tokens"},
		{"to the issuer", "issue", `{"symbol":"TKN","to":"satoshi","quantity":"1e-3"` + active, issued("transferFromContract", "satoshi", "0.001"),
			"u:tokens_balances u:tokens_tokens"},
		{"burned at once", "issue", `{"symbol":"TKN","to":"null","quantity":"1"` + active, issued("transferFromContract", "null", "1.000"),
			"u:tokens_balances u:tokens_balances i:tokens_balances u:tokens_tokens"},
		{"infinite", "issue", `{"symbol":"TKN","to":"bob","quantity":"Infinity"` + active, fails("quantity exceeds available supply"), ""},
		{"giant", "issue", `{"symbol":"TKN","to":"bob","quantity":"1e1000000000"` + active, fails("quantity exceeds available supply"), ""},
		{"tiny", "issue", `{"symbol":"TKN","to":"bob","quantity":"1e-1000000000"` + active, fails("must issue positive quantity"), ""},
		{"a number", "issue", `{"symbol":"TKN","to":"bob","quantity":1` + active, fails("invalid params"), ""},
		{"no number", "issue", `{"symbol":"TKN","to":"bob","quantity":"1,5"` + active, fails("invalid params"), ""},
		{"to a contract", "issueToContract", `{"symbol":"TKN","to":"market","quantity":"2"` + active, issued("issueToContract", "market", "2.000"),
			"i:tokens_contractsBalances u:tokens_tokens"},
		{"to a short name", "issueToContract", `{"symbol":"TKN","to":"ab","quantity":"2"` + active, fails("invalid to"), ""},
	}
	c := peerChain(t, tokens.Current())
	for _, tt := range tests {
		r := c.Call("satoshi", "tokens", tt.action, tt.payload)
		if r.Logs != tt.logs || strings.Join(r.Writes, " ") != tt.writes {
			t.Errorf("%s: %s %v, want %s %s", tt.name, r.Logs, r.Writes, tt.logs, tt.writes)
		}
	}
	if got := c.Token("TKN", "supply") + " " + c.Token("TKN", "circulatingSupply"); got != "119.001 118.001" {
		t.Errorf("supply and circulating supply %s", got)
	}
}

func TestTransferKeepsText(t *testing.T) {
	c := peerChain(t, tokens.Current())
	for _, tt := range []struct{ to, q, logs, balance string }{
		{"new-account", "1.50", "", "1.50"},
		{"new-account", "0xa", "", "11.500"},
		{"hex-account", "0xa", "", "0xa"},
		{"constructor", "1", "", "1"},
		{"satoshi", "1", fails("cannot transfer to self"), "77.500"},
		{" satoshi ", "1", fails("cannot transfer to self"), "77.500"},
		{"bob", "Infinity", fails("overdrawn balance"), ""},
		{"bob", "0", fails("must transfer positive quantity"), ""},
		{"bob", "1.2345", fails("symbol precision mismatch"), ""},
		{"huobi-pro", "1", fails("not allowed to send to huobi-pro"), ""},
	} {
		r := c.Call("satoshi", "tokens", "transfer", fmt.Sprintf(`{"symbol":"TKN","to":%q,"quantity":%q,"memo":{}`, tt.to, tt.q)+active)
		want := tt.logs
		if want == "" {
			want = fmt.Sprintf(`{"events":[{"contract":"tokens","event":"transfer","data":{"from":"satoshi","to":%q,"symbol":"TKN","quantity":%q}}]}`, tt.to, tt.q)
		}
		if r.Logs != want {
			t.Errorf("transfer of %s to %s: %s, want %s", tt.q, tt.to, r.Logs, want)
		}
		if got := c.Balance(strings.TrimSpace(tt.to), "TKN"); got != tt.balance {
			t.Errorf("balance of %s is %q, want %q", tt.to, got, tt.balance)
		}
	}
}

// TestBurn: burned tokens leave circulation, not supply.
func TestBurn(t *testing.T) {
	c := peerChain(t, tokens.Current())
	c.Call("satoshi", "tokens", "transfer", `{"symbol":"TKN","to":"null","quantity":"30"`+active)
	c.Call("satoshi", "tokens", "transferToContract", `{"symbol":"TKN","to":" NULL ","quantity":"5"`+active)
	if got := c.Token("TKN", "supply") + " " + c.Token("TKN", "circulatingSupply"); got != "100.000 65.000" {
		t.Errorf("supply and circulating supply %s", got)
	}
	if got := c.Balance("null", "TKN") + " " + c.ContractBalance("null", "TKN"); got != "30 5.000" {
		t.Errorf("burned %s", got)
	}
}

func TestTransferFromContract(t *testing.T) {
	payload := func(from, to, kind, key string) string {
		return fmt.Sprintf(`{"from":%q,"to":%q,"symbol":"TKN","quantity":"1","type":%q%s}`, from, to, kind, key)
	}
	key := `,"isSignedWithActiveKey":true`
	for _, edition := range []struct {
		k       contract.Contract
		unkeyed string // what a call without the active key gets
	}{
		{tokens.Current(), `{"events":[{"contract":"tokens","event":"transferFromContract","data":{"from":"market","to":"bob","symbol":"TKN","quantity":"1.000"}}]}`},
		{tokens.Bootstrap(), fails(keyText)},
	} {
		c := peerChain(t, edition.k)
		c.Call("satoshi", "tokens", "transferToContract", `{"symbol":"TKN","to":"market","quantity":"9"`+active)
		for _, tt := range []struct{ sender, payload, logs string }{
			{"satoshi", payload("market", "bob", "user", key), fails("not authorized")},
			{"null", payload("market", "bob", "user", ""), edition.unkeyed},
			{"null", payload("market", "bob", "other", key), fails("invalid params")},
			{"null", payload("market", "market", "contract", key), fails("cannot transfer to self")},
			{"null", payload("market", "b", "user", key), fails("invalid to")},
			{"null", payload("pool", "bob", "user", key), fails("balance does not exist")},
		} {
			if r := c.Call(tt.sender, "tokens", "transferFromContract", tt.payload); r.Logs != tt.logs {
				t.Errorf("%s %s: %s, want %s", edition.k.CodeHash()[:8], tt.payload, r.Logs, tt.logs)
			}
		}
	}
}

// TestIssuingContracts: "null" issues for the listed contracts, and crashes
// the peer's contract without one.
func TestIssuingContracts(t *testing.T) {
	call := func(caller string) string {
		return `{"symbol":"TKN","to":"bob","quantity":"1","callingContractInfo":{"name":"` + caller + `","action":"x","version":1}}`
	}
	ok := `{"events":[{"contract":"tokens","event":"transferFromContract","data":{"from":"tokens","to":"bob","symbol":"TKN","quantity":"1.000"}}]}`
	c := peerChain(t, tokens.Current())
	for _, tt := range []struct{ sender, payload, logs string }{
		{"null", call("comments"), ok},
		{"null", call("beedollar"), ok},
		{"alice", call("burndollar"), ok},
		{"alice", call("comments"), fails(keyText)},
		{"null", call("pegs"), fails(keyText)},
		{"null", `{"symbol":"TKN","to":"bob","quantity":"1"` + active, fails("TypeError: Cannot read properties of undefined (reading 'name')")},
	} {
		if r := c.Call(tt.sender, "tokens", "issue", tt.payload); r.Logs != tt.logs {
			t.Errorf("%s %s: %s, want %s", tt.sender, tt.payload, r.Logs, tt.logs)
		}
	}
}

func TestParams(t *testing.T) {
	c := contracttest.Peer(t, 90_000_000, tokens.Bootstrap(), tokens.Interim(), tokens.Current())
	row := func() string { return c.Row("tokens_params", "_id", 1.0) }
	if got := row(); !strings.HasPrefix(got, `{"_id":1,"tokenCreationFee":"0","enableDelegationFee":"0","enableStakingFee":"0","blacklist":{"gateiodeposit":1`) ||
		strings.Contains(got, "cancelBadUnstakes") {
		t.Errorf("after migration: %s", got)
	}
	before := row()
	for _, payload := range []string{`{"tokenCreationFee":"-1"}`, `{"tokenCreationFee":""}`, `{"tokenCreationFee":5}`, `{"blacklist":"x","heAccounts":null}`} {
		r := c.Call("hive-engine", "tokens", "updateParams", payload)
		if row() != before || len(r.Writes) != 1 {
			t.Errorf("%s: writes %v, %s", payload, r.Writes, row())
		}
	}
	if r := c.Call("satoshi", "tokens", "updateParams", `{"tokenCreationFee":"5"}`); r.Logs != "{}" || len(r.Writes) != 0 {
		t.Errorf("by a stranger: %s %v", r.Logs, r.Writes)
	}
	if c.Call("hive-engine", "tokens", "updateParams", `{"heAccounts":[1,2]}`); !strings.Contains(row(), `"heAccounts":[1,2]`) {
		t.Errorf("heAccounts: %s", row())
	}
}

// fakePegs stands for the contract pegs: one asset, a withdraw that tells what
// it was asked, and a way to reach every action of tokens.
type fakePegs struct{}

func (fakePegs) Name() string     { return "pegs" }
func (fakePegs) CodeHash() string { return strings.Repeat("f", 64) }
func (fakePegs) Setup(ctx contract.Context) {
	symbol := []state.Index{{Name: "symbol", Fields: []string{"symbol"}}}
	ctx.CreateTable(state.TableDef{Name: "assets", Lookups: symbol}).Insert(jsvalue.NewObject("symbol", "SWAP.BTC"))
}

func (fakePegs) Actions() map[string]contract.Action {
	return map[string]contract.Action{
		"withdraw": func(ctx contract.Context, payload *jsvalue.Object) {
			ctx.Emit("withdraw", jsvalue.NewObject("by", ctx.Sender(), "payload", payload))
		},
		"mint": func(ctx contract.Context, payload *jsvalue.Object) {
			ctx.CallAs("null", "tokens", "issue", payload)
		},
		"pay": func(ctx contract.Context, payload *jsvalue.Object) {
			ctx.Call("tokens", "transfer", payload)
		},
	}
}

func pegChain(t *testing.T, switches ...string) *contracttest.Chain {
	g := contracttest.Genesis(switches...)
	g.Assets = append(g.Assets, peg)
	c := contracttest.Open(t, g, tokens.New(), fakePegs{})
	c.Call("alice", "pegs", "mint", `{"symbol":"SWAP.BTC","to":"alice","quantity":"5"}`)
	if got := c.Balance("alice", "SWAP.BTC"); got != "5.00000000" {
		t.Fatalf("minted %q", got)
	}
	return c
}

func TestGate(t *testing.T) {
	c := pegChain(t, "gate")
	send := func(memo string) string {
		return `{"symbol":"SWAP.BTC","to":"peg","quantity":"0.5","memo":` + memo + `}`
	}
	wrong := fails("invalid memo for the gate")
	for _, tt := range []struct{ name, action, payload, logs string }{
		{"a withdrawal", "transfer", send(`"BTC bcrt1qq"`),
			`{"events":[{"contract":"pegs","event":"withdraw","data":{"by":"alice","payload":{"symbol":"SWAP.BTC","quantity":"0.5","address":"bcrt1qq","isSignedWithActiveKey":true}}}]}`},
		{"another coin", "transfer", send(`"LTC bcrt1qq"`), wrong},
		{"no address", "transfer", send(`"BTC "`), wrong},
		{"no memo", "transfer", `{"symbol":"SWAP.BTC","to":"peg","quantity":"0.5"}`, wrong},
		{"not text", "transfer", send(`{"a":1}`), wrong},
		{"another token", "transfer", `{"symbol":"BEE","to":"peg","quantity":"0.5","memo":"BEE bcrt1qq"}`, wrong},
		{"to a contract", "transferToContract", `{"symbol":"SWAP.BTC","to":"peg","quantity":"0.5"}`, fails("invalid to")},
		{"ownership", "transferOwnership", `{"symbol":"COOL","to":"peg"}`, fails("invalid to")},
		{"issue", "issue", `{"symbol":"COOL","to":"peg","quantity":"1"}`, fails("invalid to")},
		{"issueToContract", "issueToContract", `{"symbol":"COOL","to":"peg","quantity":"1"}`, fails("invalid to")},
	} {
		if tt.name == "ownership" {
			if r := c.Call("alice", "tokens", "create", `{"name":"Cool","symbol":"COOL","precision":3,"maxSupply":"100"}`); strings.Contains(r.Logs, "errors") {
				t.Fatal(r.Logs)
			}
		}
		if r := c.Call("alice", "tokens", tt.action, tt.payload); r.Logs != tt.logs {
			t.Errorf("%s: %s, want %s", tt.name, r.Logs, tt.logs)
		}
	}
	if r := c.Call("alice", "pegs", "pay", send(`"BTC bcrt1qq"`)); r.Logs != wrong {
		t.Errorf("from a contract: %s", r.Logs)
	}
	if got := c.Balance("alice", "SWAP.BTC") + c.Balance("peg", "SWAP.BTC") + c.Balance("peg", "BEE"); got != "5.00000000" {
		t.Errorf("balances changed: %s", got)
	}
	off := pegChain(t)
	if r := off.Call("alice", "tokens", "transfer", send(`"x"`)); !strings.Contains(r.Logs, `"event":"transfer"`) {
		t.Errorf("switched off: %s", r.Logs)
	}
}

// TestPegsCannotBeIssued: no account may raise the supply of a peg, whatever
// key it signs with.
func TestPegsCannotBeIssued(t *testing.T) {
	c := pegChain(t, "gate")
	payloads := []string{
		`{"symbol":"SWAP.BTC","to":"bob","quantity":"1"}`,
		`{"symbol":"SWAP.BTC","to":"market","quantity":"1","from":"null","type":"user"}`,
		`{"symbol":"SWAP.BTC","to":"bob","quantity":"1","callingContractInfo":{"name":"pegs"}}`,
		`{"symbol":"SWAP.BTC","name":"Mine","precision":8,"maxSupply":"1000"}`,
		`{"symbol":"SWAP.BTC","precision":8,"metadata":{},"url":"x","to":"bob"}`,
	}
	for action := range tokens.New().Actions() {
		for _, sender := range []string{"causeway", "gateway", "bob"} {
			for _, payload := range payloads {
				c.Call(sender, "tokens", action, payload)
				if got := c.Token("SWAP.BTC", "supply") + c.Token("SWAP.BTC", "issuer"); got != "5.00000000null" {
					t.Fatalf("%s by %s with %s: supply and issuer %s", action, sender, payload, got)
				}
			}
		}
	}
}

func TestCreateOnNewChain(t *testing.T) {
	c := contracttest.New(t, tokens.New())
	create := func(sender, symbol string) string {
		return c.Call(sender, "tokens", "create", `{"name":"x","symbol":"`+symbol+`","precision":3,"maxSupply":"100"}`).Logs
	}
	fee := func(sender string) string {
		return `{"events":[{"contract":"tokens","event":"transfer","data":{"from":"` + sender + `","to":"null","symbol":"BEE","quantity":"100"}}]}`
	}
	for _, tt := range []struct{ sender, symbol, logs string }{
		{"alice", "ENG", fee("alice")}, // nothing is reserved
		{"alice", "ENG", fails("symbol already exists")},
		{"alice", "SWAPX", fails("invalid symbol: not allowed to use SWAP")},
		{"alice", "A.B", fails(`invalid symbol: usage of "." is restricted`)},
		{"causeway", "SWAP.X", "{}"}, // the admin is listed
		{"nobody", "NEW", fails("you must have enough tokens to cover the creation fees")},
	} {
		if got := create(tt.sender, tt.symbol); got != tt.logs {
			t.Errorf("%s creates %s: %s, want %s", tt.sender, tt.symbol, got, tt.logs)
		}
	}
	if got := c.Balance("alice", "BEE"); got != "900.00000000" {
		t.Errorf("alice has %s", got)
	}
	if got := c.Row("tokens_params", "_id", 1.0); got != `{"_id":1,"tokenCreationFee":"100","enableDelegationFee":"1000","enableStakingFee":"1000","blacklist":{},"heAccounts":{"causeway":1}}` {
		t.Errorf("params %s", got)
	}
}
