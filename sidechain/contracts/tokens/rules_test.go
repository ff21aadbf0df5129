package tokens_test

import (
	"fmt"
	"strings"
	"testing"

	"causeway/sidechain/contract"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/jsvalue"
)

func moved(name, from, to, symbol, q string) string {
	return jsvalue.Stringify(jsvalue.NewObject("contract", "tokens", "event", name,
		"data", jsvalue.NewObject("from", from, "to", to, "symbol", symbol, "quantity", q)))
}

func emitted(list ...string) string { return `{"events":[` + strings.Join(list, ",") + `]}` }

// TestCreateOrder walks through the checks of create in their order: each
// payload breaks the rule named and all later ones that it can.
func TestCreateOrder(t *testing.T) {
	const (
		symbolText = `invalid symbol: uppercase letters only and one "." allowed, max length of 10`
		nameText   = "invalid name: letters, numbers, whitespaces only, max length of 50"
	)
	long := strings.Repeat("u", 256)
	bad := `"name":"&","url":"` + long + `","precision":9,"maxSupply":"-1"` // breaks all that come later
	tests := []struct{ sender, payload, logs string }{
		{"poor", `{}`, fails("you must have enough tokens to cover the creation fees")},
		{"rich", `{}`, fails(keyText)},
		{"rich", `{` + bad + active, fails("invalid params")},
		{"rich", `{"symbol":"","name":"x","precision":3,"maxSupply":"1"` + active, fails("invalid params")},
		{"rich", `{"symbol":"NEW","name":"x","url":"","precision":3,"maxSupply":"1"` + active, fails("invalid params")},
		{"rich", `{"symbol":"NEW","name":"x","url":null,"precision":3,"maxSupply":"1"` + active, fails("invalid params")},
		{"rich", `{"symbol":"NEW","name":"x","precision":"3","maxSupply":"1"` + active, fails("invalid params")},
		{"rich", `{"symbol":"NEW","name":"x","precision":null,"maxSupply":"1"` + active, fails("invalid params")},
		{"rich", `{"symbol":"NEW","name":"x","precision":3,"maxSupply":1` + active, fails("invalid params")},
		{"rich", `{"symbol":"NEW","name":"x","precision":3,"maxSupply":"1,5"` + active, fails("invalid params")},
		{"rich", `{"symbol":"eng",` + bad + active, fails(symbolText)},
		{"rich", `{"symbol":"TKN1",` + bad + active, fails(symbolText)},
		{"rich", `{"symbol":"ÀB",` + bad + active, fails(symbolText)},
		{"rich", `{"symbol":".",` + bad + active, fails(symbolText)},
		{"rich", `{"symbol":"A..B",` + bad + active, fails(symbolText)},
		{"rich", `{"symbol":"A B",` + bad + active, fails(symbolText)},
		{"rich", `{"symbol":"ABCDE.FGHIJ",` + bad + active, fails(symbolText)},
		{"rich", `{"symbol":"ENG",` + bad + active, fails("cannot use this symbol")},
		{"steem-peg", `{"symbol":"ENG",` + bad + active, fails("you must have enough tokens to cover the creation fees")},
		{"rich", `{"symbol":"SWAP.ETH",` + bad + active, fails("invalid symbol: not allowed to use SWAP")},
		{"rich", `{"symbol":"AETHBSC.A",` + bad + active, fails("invalid symbol: not allowed to use ETH")},
		{"rich", `{"symbol":"A.BSC",` + bad + active, fails("invalid symbol: not allowed to use BSC")},
		{"rich", `{"symbol":"A.B",` + bad + active, fails(`invalid symbol: usage of "." is restricted`)},
		{"swap-eth", `{"symbol":"SWAP.ETH",` + bad + active, fails(nameText)},
		{"rich", `{"symbol":"NEW",` + bad + active, fails(nameText)},
		{"rich", `{"symbol":"NEW","name":"   ","precision":3,"maxSupply":"1"` + active, fails(nameText)},
		{"rich", `{"symbol":"NEW","name":"a\tb","precision":3,"maxSupply":"1"` + active, fails(nameText)},
		{"rich", `{"symbol":"NEW","name":"` + strings.Repeat("n ", 25) + `n","precision":3,"maxSupply":"1"` + active, fails(nameText)},
		{"rich", `{"symbol":"NEW","name":"x","url":"` + long + `","precision":9,"maxSupply":"-1"` + active, fails("invalid url: max length of 255")},
		{"rich", `{"symbol":"NEW","name":"x","url":"` + strings.Repeat("😀", 128) + `","precision":9,"maxSupply":"-1"` + active, fails("invalid url: max length of 255")},
		{"rich", `{"symbol":"NEW","name":"x","precision":9,"maxSupply":"-1"` + active, fails("invalid precision")},
		{"rich", `{"symbol":"NEW","name":"x","precision":-1,"maxSupply":"-1"` + active, fails("invalid precision")},
		{"rich", `{"symbol":"NEW","name":"x","precision":0.5,"maxSupply":"-1"` + active, fails("invalid precision")},
		{"rich", `{"symbol":"NEW","name":"x","precision":3,"maxSupply":"0"` + active, fails("maxSupply must be positive")},
		{"rich", `{"symbol":"NEW","name":"x","precision":3,"maxSupply":"-Infinity"` + active, fails("maxSupply must be positive")},
		{"rich", `{"symbol":"NEW","name":"x","precision":3,"maxSupply":"1e-501"` + active, fails("maxSupply must be positive")},
		{"rich", `{"symbol":"NEW","name":"x","precision":3,"maxSupply":"9007199254740991.1"` + active, fails("maxSupply must be lower than 9007199254740991")},
		{"rich", `{"symbol":"NEW","name":"x","precision":3,"maxSupply":"Infinity"` + active, fails("maxSupply must be lower than 9007199254740991")},
		{"rich", `{"symbol":"BEE","name":"x","precision":3,"maxSupply":"1"` + active, fails("symbol already exists")},
		// Those that pass.
		{"rich", `{"symbol":"ABCDEFGHIJ","name":"` + strings.Repeat("n", 50) + `","url":"` + strings.Repeat("😀", 127) + `","precision":0,"maxSupply":" 0x10 "` + active,
			emitted(moved("transfer", "rich", "null", "BEE", "1.0"))},
		{"rich", `{"symbol":"NEW","name":"x y","precision":8,"maxSupply":"9007199254740991"` + active, emitted(moved("transfer", "rich", "null", "BEE", "1.0"))},
		{"swap-eth", `{"symbol":"A.SWAPETH","name":"x","precision":2,"maxSupply":"1.005"` + active, `{}`},
		{"rich", `{"symbol":"SMTT","name":"x","precision":8,"maxSupply":"1"` + active, fails("cannot use this symbol")},
		{"null", `{"symbol":"MADE","name":"x","precision":3,"maxSupply":"1","callingContractInfo":{"name":"comments","action":"a","version":1}}`, `{}`},
		{"rich", `{"symbol":"OWNED","name":"x","precision":3,"maxSupply":"1","callingContractInfo":{"name":"burndollar","action":"a","version":1}}`, `{}`},
		{"rich", `{"symbol":"D.OWNED","name":"x","precision":3,"maxSupply":"1","callingContractInfo":{"name":"burndollar","action":"a","version":1}}`, `{}`},
		{"rich", `{"symbol":"D.NOT","name":"x","precision":3,"maxSupply":"1","callingContractInfo":{"name":"mining","action":"a","version":1}}`, fails(`invalid symbol: usage of "." is restricted`)},
	}
	c := feeChain(t)
	for _, tt := range tests {
		if r := c.Call(tt.sender, "tokens", "create", tt.payload); r.Logs != tt.logs {
			t.Errorf("%s creates %.120s: %s, want %s", tt.sender, tt.payload, r.Logs, tt.logs)
		}
	}
	for symbol, want := range map[string]string{
		"ABCDEFGHIJ": "16 rich", "NEW": "9007199254740991.00000000 rich", "A.SWAPETH": "1.01 swap-eth", "MADE": "1.000 null", "OWNED": "1.000 null",
	} {
		if got := c.Token(symbol, "maxSupply") + " " + c.Token(symbol, "issuer"); got != want {
			t.Errorf("%s: %s, want %s", symbol, got, want)
		}
	}
	want := `{"_id":3,"issuer":"rich","symbol":"NEW","name":"x y","metadata":"{\"url\":\"\"}","precision":8,"maxSupply":"9007199254740991.00000000",` +
		`"supply":"0","circulatingSupply":"0","stakingEnabled":false,"unstakingCooldown":1,"delegationEnabled":false,"undelegationCooldown":0}`
	if got := c.Row("tokens_tokens", "symbol", "NEW"); got != want {
		t.Errorf("row %s, want %s", got, want)
	}
	if got := c.Balance("rich", "BEE") + " " + c.Balance("null", "BEE") + " " + c.Token("BEE", "supply") + " " + c.Token("BEE", "circulatingSupply"); got != "8.00000000 2.00000000 10.99000000 8.99000000" {
		t.Errorf("after two fees: %s", got)
	}
}

// feeChain has BEE and a fee of "1.0": "rich" holds 10 BEE, "poor" 0.99.
func feeChain(t *testing.T) *contracttest.Chain {
	t.Helper()
	c := contracttest.Peer(t, 90_000_000, tokens.Bootstrap(), tokens.Current())
	for _, call := range [][2]string{
		{"create", `{"symbol":"BEE","name":"Utility","precision":8,"maxSupply":"1000"` + active},
		{"issue", `{"symbol":"BEE","to":"rich","quantity":"10"` + active},
		{"issue", `{"symbol":"BEE","to":"poor","quantity":"0.99"` + active},
		{"updateParams", `{"tokenCreationFee":"1.0"}`},
	} {
		if r := c.Call("hive-engine", "tokens", call[0], call[1]); strings.Contains(r.Logs, "errors") {
			t.Fatal(r.Logs)
		}
	}
	return c
}

// TestCreateWrites: the token is there before its fee is burned, and the fee
// creates the row of "null" once.
func TestCreateWrites(t *testing.T) {
	c := feeChain(t)
	for i, want := range []string{
		"i:tokens_tokens u:tokens_balances i:tokens_balances u:tokens_tokens",
		"i:tokens_tokens u:tokens_balances u:tokens_balances u:tokens_tokens",
	} {
		r := c.Call("rich", "tokens", "create", fmt.Sprintf(`{"symbol":"NEW%s","name":"x","precision":3,"maxSupply":"1"`, strings.Repeat("A", i))+active)
		if got := strings.Join(r.Writes, " "); got != want {
			t.Errorf("token %d: writes %s, want %s", i, got, want)
		}
	}
	// The fee is booked as the parameters write it.
	want := `"account":"null","symbol":"BEE","balance":"2.00000000","stake":"0","pendingUnstake":"0","delegationsIn":"0","delegationsOut":"0","pendingUndelegations":"0"}`
	if got := c.Row("tokens_balances", "account", "null"); !strings.HasSuffix(got, want) {
		t.Errorf("row %s, want …%s", got, want)
	}
}

// TestSupplyRunsOut: what was burned can never be issued again.
func TestSupplyRunsOut(t *testing.T) {
	c := peerChain(t, tokens.Current()) // 100 of 1000 are satoshi's
	over := fails("quantity exceeds available supply")
	for _, tt := range []struct{ action, payload, logs string }{
		{"issue", `{"symbol":"TKN","to":"null","quantity":"400"` + active, emitted(moved("transferFromContract", "tokens", "null", "TKN", "400.000"))},
		{"issue", `{"symbol":"TKN","to":"null","quantity":"400"` + active, emitted(moved("transferFromContract", "tokens", "null", "TKN", "400.000"))},
		{"issue", `{"symbol":"TKN","to":"bob","quantity":"100.001"` + active, over},
		{"issueToContract", `{"symbol":"TKN","to":"market","quantity":"100.001"` + active, over},
		{"issueToContract", `{"symbol":"TKN","to":"market","quantity":"99.999"` + active, emitted(moved("issueToContract", "tokens", "market", "TKN", "99.999"))},
		{"transfer", `{"symbol":"TKN","to":"null","quantity":"100"` + active, emitted(moved("transfer", "satoshi", "null", "TKN", "100"))},
		{"transfer", `{"symbol":"TKN","to":"null","quantity":"1"` + active, fails("overdrawn balance")},
		{"issue", `{"symbol":"TKN","to":"satoshi","quantity":".001"` + active, emitted(moved("transferFromContract", "tokens", "satoshi", "TKN", "0.001"))},
		{"issue", `{"symbol":"TKN","to":"satoshi","quantity":"0.001"` + active, over},
	} {
		if r := c.Call("satoshi", "tokens", tt.action, tt.payload); r.Logs != tt.logs {
			t.Errorf("%s %s: %s, want %s", tt.action, tt.payload, r.Logs, tt.logs)
		}
	}
	if got := c.Token("TKN", "supply") + " " + c.Token("TKN", "circulatingSupply") + " " + c.Balance("null", "TKN"); got != "1000.000 100.000 900.000" {
		t.Errorf("supply, circulating, burned: %s", got)
	}
}

// TestQuantities: spellings that BigNumber reads, and what the actions make of
// them. transfer keeps the text, all others write it anew.
func TestQuantities(t *testing.T) {
	c := peerChain(t, tokens.Current())
	mismatch, positive := fails("symbol precision mismatch"), fails("must transfer positive quantity")
	for i, tt := range []struct{ q, fixed, fails string }{
		{q: " 1.5 ", fixed: "1.500"}, {q: "0xf", fixed: "15.000"}, {q: "0b11", fixed: "3.000"}, {q: "0o17", fixed: "15.000"},
		{q: "1e-3", fixed: "0.001"}, {q: "+1", fixed: "1.000"}, {q: "1.", fixed: "1.000"}, {q: ".5", fixed: "0.500"}, {q: "1.0000", fixed: "1.000"},
		{q: "0001", fixed: "1.000"}, {q: "1E0", fixed: "1.000"}, {q: "\u00a01\ufeff", fixed: "1.000"},
		{q: "-0", fails: positive}, {q: "0", fails: positive}, {q: "-1", fails: positive}, {q: "0x0", fails: positive}, {q: "-Infinity", fails: positive},
		{q: "1e-1000000000", fails: positive}, {q: "1e-4", fails: mismatch}, {q: "1e-500", fails: mismatch}, {q: "0.0001", fails: mismatch}, {q: "0x0.01", fails: mismatch},
		{q: "Infinity", fails: fails("overdrawn balance")}, {q: "1e1000000000", fails: fails("overdrawn balance")}, {q: "1e500", fails: fails("overdrawn balance")},
		{q: "infinity", fails: fails("invalid params")}, {q: "NaN", fails: fails("invalid params")}, {q: "1_0", fails: fails("invalid params")},
		{q: "", fails: fails("invalid params")}, {q: " ", fails: fails("invalid params")}, {q: "1 0", fails: fails("invalid params")}, {q: "--1", fails: fails("invalid params")},
	} {
		to := fmt.Sprintf("new%d", i)
		payload := fmt.Sprintf(`{"symbol":"TKN","to":%q,"quantity":%q`, to, tt.q) + active
		transfer, contract := tt.fails, tt.fails
		if tt.fails == "" {
			transfer = emitted(moved("transfer", "satoshi", to, "TKN", tt.q))
			contract = emitted(moved("transferToContract", "satoshi", to, "TKN", tt.fixed))
		}
		if r := c.Call("satoshi", "tokens", "transfer", payload); r.Logs != transfer {
			t.Errorf("transfer of %q: %s, want %s", tt.q, r.Logs, transfer)
		}
		if r := c.Call("satoshi", "tokens", "transferToContract", payload); r.Logs != contract {
			t.Errorf("transferToContract of %q: %s, want %s", tt.q, r.Logs, contract)
		}
		if tt.fails == "" && (c.Balance(to, "TKN") != tt.q || c.ContractBalance(to, "TKN") != tt.fixed) {
			t.Errorf("%q is booked as %q and %q", tt.q, c.Balance(to, "TKN"), c.ContractBalance(to, "TKN"))
		}
	}
}

// TestEditionsBook: the genesis version and the interim one write quantities
// as they come, and owners change without an event.
func TestEditionsBook(t *testing.T) {
	for _, tt := range []struct {
		name           string
		k              contract.Contract
		issued, booked string
		owner          string
	}{
		{"bootstrap", tokens.Bootstrap(), "1e1", "0x1", `{}`},
		{"interim", tokens.Interim(), "1e1", "0x1", `{}`},
		{"current", tokens.Current(), "10.000", "1.000", `{"events":[{"contract":"tokens","event":"transferOwnership","data":{"from":"satoshi","to":"bob","symbol":"TKN"}}]}`},
	} {
		c := peerChain(t, tt.k)
		for _, call := range []struct{ sender, action, payload, logs string }{
			{"satoshi", "issue", `{"symbol":"TKN","to":"bob","quantity":"1e1"` + active, emitted(moved("transferFromContract", "tokens", "bob", "TKN", tt.issued))},
			{"bob", "transferToContract", `{"symbol":"TKN","to":" MarKet","quantity":"0x1"` + active, emitted(moved("transferToContract", "bob", "market", "TKN", tt.booked))},
			{"null", "transferFromContract", `{"from":"market","symbol":"TKN","to":"carol","quantity":"0x1","type":"user"` + active, emitted(moved("transferFromContract", "market", "carol", "TKN", tt.booked))},
			{"satoshi", "transferOwnership", `{"symbol":"TKN","to":"bob"` + active, tt.owner},
			{"satoshi", "issue", `{"symbol":"TKN","to":"bob","quantity":"1"` + active, fails("not allowed to issue tokens")},
		} {
			if r := c.Call(call.sender, "tokens", call.action, call.payload); r.Logs != call.logs {
				t.Errorf("%s: %s: %s, want %s", tt.name, call.action, r.Logs, call.logs)
			}
		}
		if got := c.Balance("carol", "TKN") + " " + c.ContractBalance("market", "TKN") + " " + c.Balance("bob", "TKN") + " " + c.Token("TKN", "issuer"); got != tt.booked+" 0.000 9.000 bob" {
			t.Errorf("%s: %s", tt.name, got)
		}
	}
}

// TestPrecisionRaised: balances keep their text until they are touched.
func TestPrecisionRaised(t *testing.T) {
	c := peerChain(t, tokens.Current())
	r := c.Call("satoshi", "tokens", "updatePrecision", `{"symbol":"TKN","precision":8`+active)
	if r.Logs != "{}" || strings.Join(r.Writes, " ") != "u:tokens_tokens" || c.Balance("satoshi", "TKN") != "100.000" || c.Token("TKN", "maxSupply") != "1000.000" {
		t.Errorf("raised: %s %v %s", r.Logs, r.Writes, c.Balance("satoshi", "TKN"))
	}
	c.Call("satoshi", "tokens", "transfer", `{"symbol":"TKN","to":"bob","quantity":"0.00000001"`+active)
	if got := c.Balance("satoshi", "TKN") + " " + c.Balance("bob", "TKN"); got != "99.99999999 0.00000001" {
		t.Errorf("after a transfer: %s", got)
	}
}

// TestDoubleDash: names with two dashes in a row came with a height.
func TestDoubleDash(t *testing.T) {
	for ref, want := range map[uint64]string{
		// The last of five blocks of its chain.
		74391377: fails("invalid to"), 74391378: emitted(moved("transfer", "satoshi", "john--wesley", "TKN", "1")),
	} {
		c := contracttest.Peer(t, ref, tokens.Bootstrap(), tokens.Current())
		c.Call("satoshi", "tokens", "create", `{"name":"token","symbol":"TKN","precision":3,"maxSupply":"1000"`+active)
		c.Call("satoshi", "tokens", "issue", `{"symbol":"TKN","to":"satoshi","quantity":"100"`+active)
		if r := c.Call("satoshi", "tokens", "transfer", `{"symbol":"TKN","to":"john--wesley","quantity":"1"`+active); r.Logs != want {
			t.Errorf("block %d: %s, want %s", ref+4, r.Logs, want)
		}
	}
}

// TestFromNull: where "null" may stand for a user or a contract.
func TestFromNull(t *testing.T) {
	c := peerChain(t, tokens.Current())
	for _, tt := range []struct{ sender, action, payload, logs string }{
		{"null", "transferToContract", `{"from":"satoshi","symbol":"TKN","to":"market","quantity":"5"}`, emitted(moved("transferToContract", "satoshi", "market", "TKN", "5.000"))},
		{"null", "transferToContract", `{"symbol":"TKN","to":"market","quantity":"5"}`, fails("balance does not exist")},
		{"null", "transferToContract", `{"from":"satoshi","symbol":"TKN","to":"SATOSHI","quantity":"5"}`, fails("cannot transfer to self")},
		{"bob", "transferToContract", `{"from":"satoshi","symbol":"TKN","to":"market","quantity":"5"` + active, fails("balance does not exist")},
		{"null", "transferFromContract", `{"from":"market","symbol":"TKN","to":"market","quantity":"1","type":"user"}`, emitted(moved("transferFromContract", "market", "market", "TKN", "1.000"))},
		{"null", "transferFromContract", `{"from":"market","symbol":"TKN","to":"null","quantity":"1","type":"user"}`, emitted(moved("transferFromContract", "market", "null", "TKN", "1.000"))},
		{"null", "transferFromContract", `{"from":"market","symbol":"TKN","to":"null","quantity":"1","type":"contract"}`, emitted(moved("transferFromContract", "market", "null", "TKN", "1.000"))},
		{"null", "transferFromContract", `{"from":"market","symbol":"TKN","to":"A Contract!","quantity":"1","type":"contract"}`, emitted(moved("transferFromContract", "market", "A Contract!", "TKN", "1.000"))},
		{"null", "transferFromContract", `{"from":"market","symbol":"TKN","to":"` + strings.Repeat("c", 51) + `","quantity":"1","type":"contract"}`, fails("invalid to")},
		{"null", "transferFromContract", `{"from":"market","symbol":"TKN","to":"bob","quantity":"1.01","type":"user"}`, fails("overdrawn balance")},
		{"null", "transferFromContract", `{"symbol":"TKN","to":"bob","quantity":"1","type":"user"}`, fails("invalid params")},
		{"bob", "checkPendingUnstakes", `{}`, fails("not authorized")},
		{"bob", "checkPendingUndelegations", `{}`, fails("not authorized")},
		// An issuing contract's types are not checked.
		{"null", "issue", `{"symbol":"TKN","to":"bob","quantity":2.5,"callingContractInfo":{"name":"mining","action":"a","version":1}}`, emitted(moved("transferFromContract", "tokens", "bob", "TKN", "2.500"))},
		{"null", "issueToContract", `{"symbol":"TKN","to":"pool","quantity":1e-3,"callingContractInfo":{"name":"mining","action":"a","version":1}}`, emitted(moved("issueToContract", "tokens", "pool", "TKN", "0.001"))},
		{"null", "issue", `{"symbol":"TKN","to":"bob","callingContractInfo":{"name":"mining","action":"a","version":1}}`, fails("must issue positive quantity")},
		{"null", "issueToContract", `{"symbol":"TKN","to":"pool","quantity":"1"` + active, fails("TypeError: Cannot read properties of undefined (reading 'name')")},
	} {
		if r := c.Call(tt.sender, "tokens", tt.action, tt.payload); r.Logs != tt.logs {
			t.Errorf("%s %s %s: %s, want %s", tt.sender, tt.action, tt.payload, r.Logs, tt.logs)
		}
	}
	// 5 went in; 1 to a user, 2 burned in two ways, 1 to another contract.
	if got := c.ContractBalance("market", "TKN") + " " + c.Token("TKN", "circulatingSupply"); got != "1.000 100.501" {
		t.Errorf("left %s", got)
	}
}
