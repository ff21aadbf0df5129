package sidechain_test

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"

	"causeway/sidechain"
	"causeway/sidechain/contract"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// probe is a contract that does what its tests ask for.
type probe struct {
	name    string
	actions map[string]contract.Action
}

func (p probe) Name() string                        { return p.name }
func (p probe) CodeHash() string                    { return fmt.Sprintf("%064x", p.name) }
func (p probe) Actions() map[string]contract.Action { return p.actions }
func (p probe) Setup(ctx contract.Context) {
	ctx.CreateTable(state.TableDef{Name: "rows"})
	ctx.CreateTable(state.TableDef{Name: "bad_name"})
}

func insert(ctx contract.Context, v any) {
	ctx.Table("rows").Insert(jsvalue.NewObject("v", v))
}

func probeActions() map[string]contract.Action {
	return map[string]contract.Action{
		"panic": func(ctx contract.Context, _ *jsvalue.Object) { insert(ctx, 1); panic("broken") },
		"throw": func(ctx contract.Context, _ *jsvalue.Object) {
			insert(ctx, 2)
			ctx.Emit("e", nil)
			panic(contract.Exception("TypeError: x"))
		},
		"caught": func(ctx contract.Context, _ *jsvalue.Object) {
			ctx.Emit("before", nil)
			ctx.Call("probe", "throw", jsvalue.NewObject())
			ctx.Emit("after", nil)
		},
		"save": func(ctx contract.Context, _ *jsvalue.Object) {
			insert(ctx, 3)
			ctx.Emit("kept", nil)
			m := ctx.Savepoint()
			insert(ctx, 4)
			ctx.Call("tokens", "transfer", jsvalue.NewObject("symbol", "BEE", "to", "bob", "quantity", "1", "isSignedWithActiveKey", true))
			ctx.Assert(false, "why")
			ctx.Rollback(m)
			insert(ctx, 5)
		},
		"deep": func(ctx contract.Context, p *jsvalue.Object) {
			n, _ := p.Number("n")
			ctx.Emit("depth", jsvalue.NewObject("n", n))
			ctx.Call("probe", "deep", jsvalue.NewObject("n", n+1))
		},
		"who": func(ctx contract.Context, p *jsvalue.Object) {
			_, ok := ctx.TransactionID()
			data := jsvalue.NewObject("sender", ctx.Sender(), "owner", ctx.Owner(), "root", ctx.RootTransactionID(), "direct", ok,
				"signed", ctx.SignedWithActiveKey(), "payload", p)
			if c := ctx.Caller(); c != nil {
				data.Set("caller", jsvalue.NewObject("name", c.Name, "action", c.Action, "version", c.Version))
			}
			ctx.Emit("who", data)
		},
		"nested":  func(ctx contract.Context, _ *jsvalue.Object) { ctx.Call("probe", "who", jsvalue.NewObject("a", 1)) },
		"asOwner": func(ctx contract.Context, _ *jsvalue.Object) { ctx.CallAsOwner("probe", "who", nil) },
		"asNull":  func(ctx contract.Context, _ *jsvalue.Object) { ctx.CallAs("null", "probe", "who", nil) },
		"setup":   func(ctx contract.Context, _ *jsvalue.Object) { ctx.Call("probe", "createSSC", nil) },
		"addTable": func(ctx contract.Context, _ *jsvalue.Object) {
			kept := ctx.AddTable(state.TableDef{Name: "kept", Indexes: []state.Index{{Name: "v", Fields: []string{"v"}}}})
			kept.Insert(jsvalue.NewObject("v", 1))
			m := ctx.Savepoint()
			ctx.AddTable(state.TableDef{Name: "undone"}).Insert(jsvalue.NewObject("v", 2))
			ctx.Rollback(m)
			ctx.Emit("tables", jsvalue.NewObject("kept", ctx.AddTable(state.TableDef{Name: "kept"}) == kept,
				"undone", ctx.Table("undone") != nil, "named", ctx.AddTable(state.TableDef{Name: "a_b"}) != nil))
		},
		"tables": func(ctx contract.Context, _ *jsvalue.Object) {
			made := ctx.CreateTable(state.TableDef{Name: "late"})
			ctx.Emit("tables", jsvalue.NewObject("own", ctx.Table("rows") != nil, "underscore", ctx.Table("bad_name") != nil,
				"late", made != nil, "foreign", ctx.TableOf("tokens", "balances") != nil, "joined", ctx.TableOf("tok", "ens_balances") != nil))
		},
	}
}

func open2(t *testing.T) *contracttest.Chain {
	return contracttest.New(t, tokens.New(), probe{"probe", probeActions()})
}

func TestContext(t *testing.T) {
	c := open2(t)
	event := func(name, data string) string {
		if data != "" {
			data = `,"data":` + data
		}
		return `{"contract":"probe","event":"` + name + `"` + data + `}`
	}
	depths := make([]string, 5)
	for i := range depths {
		depths[i] = event("depth", fmt.Sprintf(`{"n":%d}`, i))
	}
	key := `{"isSignedWithActiveKey":true}`
	for _, tt := range []struct{ action, payload, logs string }{
		{"throw", `{}`, `{"errors":["TypeError: x"]}`},
		{"caught", `{}`, `{"events":[` + event("before", "") + `,` + event("after", "") + `],"errors":["TypeError: x"]}`},
		{"save", `{}`, `{"events":[` + event("kept", "") + `],"errors":["why"]}`},
		{"deep", `{"n":0}`, `{"events":[` + strings.Join(depths, ",") + `],"errors":["unknown error"]}`},
		{"createSSC", `{}`, `{"errors":["you cannot trigger this action"]}`},
		{"setup", `{}`, `{"errors":["you cannot trigger this action"]}`},
		{"toString", `{}`, `{"errors":["unknown error"]}`},
		{"__proto__", `{}`, `{"errors":["unknown error"]}`},
		{"asNull", `{}`, `{"events":[` + event("who", `{"sender":"null","owner":"causeway","root":"%s","direct":false,"signed":true,"payload":`+key+`,"caller":{"name":"probe","action":"asNull","version":1}}`) + `]}`},
		{"asOwner", `{}`, `{"events":[` + event("who", `{"sender":"causeway","owner":"causeway","root":"%s","direct":false,"signed":true,"payload":`+key+`,"caller":{"name":"probe","action":"asOwner","version":1}}`) + `]}`},
		{"nested", `{}`, `{"events":[` + event("who", `{"sender":"alice","owner":"causeway","root":"%s","direct":false,"signed":true,"payload":{"a":1,"isSignedWithActiveKey":true},"caller":{"name":"probe","action":"nested","version":1}}`) + `]}`},
		{"who", `{"callingContractInfo":{"name":"pegs"}}`, `{"events":[` + event("who", `{"sender":"alice","owner":"causeway","root":"%s","direct":true,"signed":true,"payload":`+key+`}`) + `]}`},
		{"tables", `{}`, `{"events":[` + event("tables", `{"own":true,"underscore":false,"late":false,"foreign":true,"joined":false}`) + `]}`},
	} {
		r := c.Call("alice", "probe", tt.action, tt.payload)
		if want := strings.ReplaceAll(tt.logs, "%s", r.ID); r.Logs != want {
			t.Errorf("%s:\n got %s\nwant %s", tt.action, r.Logs, want)
		}
	}
	if got := c.Row("probe_rows", "v", 4.0) + c.Balance("bob", "BEE"); got != "1000.00000000" {
		t.Errorf("rolled back: %s", got)
	}
	if c.Row("probe_rows", "v", 3.0) == "" || c.Row("probe_rows", "v", 5.0) == "" {
		t.Error("rows before the savepoint and after the rollback are gone")
	}
	if got := c.Call("alice", "nobody", "x", `{}`).Logs; got != `{"errors":["contract doesn't exist"]}` {
		t.Errorf("unknown contract: %s", got)
	}
}

// TestRolledBackHash: what a savepoint took back has not moved the database
// hash.
func TestRolledBackHash(t *testing.T) {
	c := contracttest.Peer(t, 90_000_000, probe{"probe", map[string]contract.Action{
		"plain": func(ctx contract.Context, _ *jsvalue.Object) { insert(ctx, 1) },
		"back": func(ctx contract.Context, _ *jsvalue.Object) {
			m := ctx.Savepoint()
			insert(ctx, 2)
			insert(ctx, 3)
			ctx.Rollback(m)
			insert(ctx, 1)
		},
	}})
	a, b := c.Call("alice", "probe", "plain", `{}`), c.Call("alice", "probe", "back", `{}`)
	if diff := cmp.Diff(a.Writes, b.Writes); diff != "" {
		t.Errorf("writes (-plain +rolled back):\n%s", diff)
	}
}

// TestUntrusted: a contract that is not part of the chain acts for nobody.
func TestUntrusted(t *testing.T) {
	db, err := state.Open("")
	if err != nil {
		t.Fatal(err)
	}
	p := probe{"probe", probeActions()}
	rt, err := sidechain.NewRuntime(db, sidechain.Config{
		Versions: []sidechain.Version{{Contract: p}}, Owner: "owner", Recorded: true,
	}, nil)
	if err != nil {
		t.Fatal(err)
	}
	code := base64.StdEncoding.EncodeToString([]byte(p.CodeHash()))
	b, _, err := rt.Produce(sidechain.Input{Ref: 1, Timestamp: contracttest.Start, Transactions: []*sidechain.Transaction{
		{HasRef: true, Ref: 1, ID: "a", Sender: sidechain.T("owner"), Contract: sidechain.T("contract"), Action: sidechain.T("deploy"), Payload: sidechain.T(`{"name":"probe","code":"` + code + `"}`)},
		{HasRef: true, Ref: 1, ID: "b", Sender: sidechain.T("alice"), Contract: sidechain.T("probe"), Action: sidechain.T("asNull"), Payload: sidechain.T(`{}`)},
	}})
	if err != nil {
		t.Fatal(err)
	}
	if got := b.Transactions[1].Logs; got != `{"errors":["contract may not act for others"]}` {
		t.Errorf("as null: %s", got)
	}
}

func (m *machine) AccountExists(_ *state.Section, name string) bool { return name == "alice" }

// TestRootCoversBaseLayer: a block without sidechain transactions still moves
// the state root when it moves the layer's rows.
func TestRootCoversBaseLayer(t *testing.T) {
	cfg := config(t, "")
	cfg.Machine = &machine{}
	engine, err := sidechain.OpenEngine(cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer engine.Close()
	before := engine.Executed()
	if err := engine.Apply((&chain{}).add()); err != nil {
		t.Fatal(err)
	}
	if after := engine.Executed(); after.StateRoot == before.StateRoot || after.StateHash != before.StateHash || after.RefBlock != 1 {
		t.Errorf("before %+v, after %+v", before, after)
	}
}

// TestNullIsRefused: should the base layer ever let "null" sign, the engine
// does not.
func TestNullIsRefused(t *testing.T) {
	n := open(t, "")
	defer n.stop(t)
	c := &chain{}
	vote := &graphene.Vote{Voter: "alice", Author: "bob", Permlink: "p", Weight: 1}
	mustApply(t, n, c.add(
		op("null", "tokens", "issue", `{"symbol":"BEE","to":"bob","quantity":"1"}`),
		op("null", "comments", "vote", `{"voter":"bob"}`),
		op("null", "contract", "deploy", `{"name":"tokens","code":"x"}`),
		vote,
	))
	for i, want := range []string{
		`{"errors":["sender null is not allowed"]}`, `{"errors":["sender null is not allowed"]}`,
		`{"errors":["sender null is not allowed"]}`, `{"errors":["contract doesn't exist"]}`,
	} {
		tx, _ := n.Transaction(c.blocks[0].Transactions[i].ID).(*jsvalue.Object)
		if got := tx.Get("logs"); got != want {
			t.Errorf("transaction %d: %v, want %s", i, got, want)
		}
	}
}

func TestHostilePayloads(t *testing.T) {
	c := open2(t)
	for payload, logs := range map[string]string{
		`{"symbol":"BEE","to":"bob","quantity":"1e1000000000"}`:                         `{"errors":["overdrawn balance"]}`,
		`{"symbol":"BEE","to":"bob","quantity":"1e-1000000000"}`:                        `{"errors":["must transfer positive quantity"]}`,
		`{"symbol":"BEE","to":"bob","quantity":"-Infinity"}`:                            `{"errors":["must transfer positive quantity"]}`,
		`{"symbol":"BEE","to":"bob","quantity":1e400}`:                                  `{"errors":["invalid params"]}`,
		`{"__proto__":{"symbol":"BEE"},"to":"bob","quantity":"1"}`:                      `{"errors":["invalid params"]}`,
		`{"symbol":"__proto__","to":"bob","quantity":"1"}`:                              `{"errors":["symbol does not exist"]}`,
		`{"symbol":"constructor","to":"bob","quantity":"1"}`:                            `{"errors":["symbol does not exist"]}`,
		`{"symbol":{"$gt":""},"to":"bob","quantity":"1"}`:                               `{"errors":["invalid params"]}`,
		`{"symbol":"BEE","to":"__proto__","quantity":"1"}`:                              `{"errors":["invalid to"]}`,
		`{"symbol":"BEE","to":"\ud800bob","quantity":"1"}`:                              `{"errors":["invalid to"]}`,
		`{"symbol":"BEE","to":"bob","quantity":"` + strings.Repeat("9", 5000) + `"}`:    `{"errors":["overdrawn balance"]}`,
		`{"symbol":"BEE","to":"bob","quantity":"0.` + strings.Repeat("0", 5000) + `1"}`: `{"errors":["must transfer positive quantity"]}`,
		`["symbol","BEE"]`: `{"errors":["you must use a custom_json signed with your active key"]}`,
		`{"symbol":"BEE","to":"bob","quantity":"1","memo":` + strings.Repeat(`[`, 400) + strings.Repeat(`]`, 400) + `,"quantity":"x"}`: `{"errors":["invalid params"]}`,
	} {
		if r := c.Call("alice", "tokens", "transfer", payload); r.Logs != logs {
			t.Errorf("%.80s: %s, want %s", payload, r.Logs, logs)
		}
	}
	if got := c.Balance("alice", "BEE"); got != "1000.00000000" {
		t.Errorf("alice has %s", got)
	}
}

// TestRecordedPayloads: payloads that no streamer lets through. What has no
// members reads as an empty object; V8 says what is wrong with the others.
func TestRecordedPayloads(t *testing.T) {
	c := contracttest.Peer(t, 90_000_000, tokens.Bootstrap())
	noParams := `{"errors":["invalid params"]}`
	for payload, logs := range map[string]string{
		"": noParams, "{}": noParams, "[]": noParams, "5": noParams, "0": noParams, `""`: noParams, `"x"`: noParams, "true": noParams,
		"null":  `{"errors":["TypeError: Cannot destructure 'payload' as it is null."]}`,
		"{":     `{"errors":["SyntaxError: Expected property name or '}' in JSON at position 1"]}`,
		`{"a":`: `{"errors":["SyntaxError: Unexpected end of JSON input"]}`,
		"hello": `{"errors":["SyntaxError: Unexpected token 'h', \"hello\" is not valid JSON"]}`,
	} {
		r := c.Call("alice", "tokens", "updateUrl", payload)
		if r.Logs != logs || (r.CodeHash == "") != strings.Contains(logs, "Error:") {
			t.Errorf("payload %q: %s %q, want %s", payload, r.Logs, r.CodeHash, logs)
		}
		// The payload is read before the contract is looked for.
		if logs == noParams || payload == "null" {
			logs = `{"errors":["contract doesn't exist"]}`
		}
		if r := c.Call("alice", "nobody", "x", payload); r.Logs != logs {
			t.Errorf("payload %q for no contract: %s, want %s", payload, r.Logs, logs)
		}
	}
}

func TestDeploy(t *testing.T) {
	c := open2(t)
	known := base64.StdEncoding.EncodeToString([]byte(probe{"probe", nil}.CodeHash()))
	payload := func(name, code string) string { return fmt.Sprintf(`{"name":%q,"params":"","code":%q}`, name, code) }
	for _, tt := range []struct{ sender, action, payload, logs string }{
		{"alice", "deploy", payload("mine", known), `{"errors":["the contract deployment is currently unavailable"]}`},
		{"causeway", "deploy", `{"name":"mine"}`, `{"errors":["parameters name and code are mandatory and they must be strings"]}`},
		{"causeway", "deploy", payload("null", known), `{"errors":["invalid contract name"]}`},
		{"causeway", "deploy", payload("a_b", known), `{"errors":["invalid contract name"]}`},
		{"causeway", "deploy", payload("mine", "bm90aGluZw=="), `{"errors":["the code of contract mine is not known to this chain"]}`},
		{"causeway", "update", payload("mine", "%%%"), `{"errors":["the code of contract mine is not known to this chain"]}`},
		{"causeway", "deploy", payload("comments", known), `{"errors":["the code of contract comments is not known to this chain"]}`},
		{"causeway", "update", payload("probe", known), `{}`},
		{"alice", "registerTick", `{"contractName":"probe","tickAction":"who"}`, `{"errors":["registerTick unauthorized"]}`},
		{"causeway", "registerTick", `{"contractName":"none","tickAction":"who"}`, `{"errors":["contract does not exist"]}`},
		{"causeway", "registerTick", `{"contractName":"tokens","tickAction":"checkPendingUnstakes"}`, `{"errors":["contract tick already registered"]}`},
		{"causeway", "registerTick", `{"contractName":"probe","tickAction":"who"}`,
			`{"events":[{"contract":"contract","event":"registerTick","data":{"contract":"probe","action":"who","startRefBlock":13}}]}`},
		{"causeway", "other", `{}`, `{"errors":["contract doesn't exist"]}`},
	} {
		if r := c.Call(tt.sender, "contract", tt.action, tt.payload); r.Logs != tt.logs {
			t.Errorf("%s %s %s: %s, want %s", tt.sender, tt.action, tt.payload, r.Logs, tt.logs)
		}
	}
	if doc, _ := c.Engine().Contract("probe"); doc.Get("version") != 2.0 {
		t.Errorf("version %v", doc.Get("version"))
	}
	head := c.Engine().Head()
	doc, _ := c.Engine().Block(head.Block)
	txs, _ := doc.Array("virtualTransactions")
	if len(txs) != 1 || !strings.HasPrefix(fmt.Sprint(txs[0].(*jsvalue.Object).Get("transactionId")), fmt.Sprintf("%d-", head.RefBlock)) {
		t.Errorf("virtual transactions %s", jsvalue.Stringify(txs))
	}
	if got := len(c.Engine().Ticks()); got != 3 {
		t.Errorf("%d ticks", got)
	}
}

// TestDeterminism: two engines that are fed the same random blocks agree byte
// for byte, and the sum of balances is what circulates.
func TestDeterminism(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		a, b := open(t, ""), open(t, "")
		defer a.stop(t)
		defer b.stop(t)
		names := rapid.SampledFrom([]string{"alice", "bob", "carol", "causeway", "dave", "null"})
		amounts := rapid.SampledFrom([]string{"1", "0.5", "0x10", " 3 ", "1e-8", "1e2", "0.123456789", "Infinity", "-1", "x", "1000"})
		actions := rapid.SampledFrom([]string{"transfer", "transfer", "transfer", "transferToContract", "issue", "create", "transferFromContract", "checkPendingUnstakes"})
		c := &chain{}
		for range rapid.IntRange(1, 8).Draw(rt, "blocks") {
			var ops []graphene.Operation
			for range rapid.IntRange(0, 6).Draw(rt, "operations") {
				ops = append(ops, op(names.Draw(rt, "sender"), "tokens", actions.Draw(rt, "action"), fmt.Sprintf(
					`{"symbol":"BEE","to":%q,"quantity":%q,"name":"x","precision":3,"maxSupply":%q,"from":"alice","type":"user"}`,
					names.Draw(rt, "to"), amounts.Draw(rt, "quantity"), amounts.Draw(rt, "supply"))))
			}
			c.add(ops...)
		}
		mustApply(t, a, c.blocks...)
		mustApply(t, b, c.blocks...)
		sameChain(t, a, b)
		for _, problem := range supplyProblems(a.DB()) {
			rt.Fatal(problem)
		}
	})
}

// supplyProblems compares every token's circulating supply with the sum of all
// balances but those of "null".
func supplyProblems(db *state.DB) []string {
	sums := map[string]jsvalue.BigNumber{}
	for _, name := range []string{"tokens_balances", "tokens_contractsBalances"} {
		for row := range db.Tables().Table(name).All() {
			symbol, _ := row.String("symbol")
			if _, ok := sums[symbol]; !ok {
				sums[symbol] = jsvalue.BigInt(0)
			}
			if row.Get("account") != "null" {
				sums[symbol] = sums[symbol].Plus(jsvalue.Big(row.Get("balance")))
			}
		}
	}
	var out []string
	for row := range db.Tables().Table("tokens_tokens").All() {
		symbol, _ := row.String("symbol")
		sum, ok := sums[symbol]
		if !ok {
			sum = jsvalue.BigInt(0)
		}
		if !sum.Eq(jsvalue.Big(row.Get("circulatingSupply"))) {
			out = append(out, fmt.Sprintf("%s: balances %s, circulating %v", symbol, sum, row.Get("circulatingSupply")))
		}
	}
	return out
}

// TestAddTable: a table that an action makes is one of its contract's from
// then on; a savepoint takes it back.
func TestAddTable(t *testing.T) {
	c := open2(t)
	for _, payload := range []string{`{}`, `{"again":true}`} {
		want := `{"events":[{"contract":"probe","event":"tables","data":{"kept":true,"undone":false,"named":false}}]}`
		if r := c.Call("alice", "probe", "addTable", payload); r.Logs != want {
			t.Errorf("%s, want %s", r.Logs, want)
		}
	}
	doc := c.Row("contracts", "name", "probe")
	if !strings.Contains(doc, `"probe_kept":{"size":0,"hash":"`) || strings.Contains(doc, "undone") || strings.Contains(doc, `"probe_kept":{"size":0,"hash":"",`) {
		t.Errorf("the contract's document: %s", doc)
	}
	if table := c.DB().Tables().Table("probe_undone"); table != nil {
		t.Error("the table that was taken back is there")
	}
	if got := c.Row("probe_kept", "_id", 2.0); got != `{"_id":2,"v":1}` {
		t.Errorf("row %s", got)
	}
}
