package conform

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/sidechain/jsvalue"
)

// TestVectors replays all vectors of the suites that are built.
func TestVectors(t *testing.T) {
	sum, err := Run([]string{"testdata/tokens", "testdata/ticks", "testdata/smarttokens", "testdata/market", "testdata/comments", "testdata/hivepegged", "testdata/resourcemanager"}, func(r Result) {
		if !r.OK {
			t.Errorf("%s: %q", r.Vector, r.Diff)
		}
		if c := r.Compared; c.Logs == 0 || c.Rows == 0 || c.Hashes == 0 {
			t.Errorf("%s compared nothing: %+v", r.Vector, c)
		}
	})
	if err != nil || sum != (Summary{Passed: 96}) {
		t.Errorf("%s, %v", sum, err)
	}
}

// edit changes a parsed document at a path like "steps.1.result.hash".
func edit(t *testing.T, v jsvalue.Value, path string, change func(jsvalue.Value) jsvalue.Value) jsvalue.Value {
	t.Helper()
	if path == "" {
		return change(v)
	}
	key, rest, _ := strings.Cut(path, ".")
	switch x := v.(type) {
	case *jsvalue.Object:
		if !x.Has(key) {
			t.Fatalf("no member %s in %v", key, x.Keys())
		}
		x.Set(key, edit(t, x.Get(key), rest, change))
		return x
	case []jsvalue.Value:
		i := int(jsvalue.ParseFloat(key))
		x[i] = edit(t, x[i], rest, change)
		return x
	}
	t.Fatalf("nothing at %s", path)
	return nil
}

// altered replays a vector with one value changed.
func altered(t *testing.T, vector, path string, change func(jsvalue.Value) jsvalue.Value) Result {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", vector))
	if err != nil {
		t.Fatal(err)
	}
	doc, err := jsvalue.Parse(string(text))
	if err != nil {
		t.Fatal(err)
	}
	return replay(t, jsvalue.Stringify(edit(t, doc, path, change)))
}

// replay runs a vector's text beside the genesis file.
func replay(t testing.TB, text string) Result {
	t.Helper()
	dir := t.TempDir()
	genesis, err := os.ReadFile(filepath.Join("testdata", "_genesis-7d92860e1069.json"))
	if err != nil {
		t.Fatal(err)
	}
	for name, data := range map[string][]byte{"_genesis-7d92860e1069.json": genesis, "vector.json": []byte(text)} {
		if err := os.WriteFile(filepath.Join(dir, name), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return RunFile(filepath.Join(dir, "vector.json"))
}

func set(v jsvalue.Value) func(jsvalue.Value) jsvalue.Value {
	return func(jsvalue.Value) jsvalue.Value { return v }
}

// digit changes the last character of a text.
func digit(v jsvalue.Value) jsvalue.Value {
	s, _ := v.(string)
	last := byte('0')
	if s[len(s)-1] == '0' {
		last = '1'
	}
	return s[:len(s)-1] + string(last)
}

// TestAlteredVectorsFail changes one value of each kind.
func TestAlteredVectorsFail(t *testing.T) {
	const create = "tokens/01-creates-a-token.json"
	const ticks = "ticks/01-should-trigger-ticks-at-expected-refblock.json"
	const peg = "hivepegged/02-withdraws-hive.json"
	const denied = "resourcemanager/07-add-to-denylist-and-get-blocked.json"
	const pays = "tokens/17-transfers-tokens-from-a-contract-to-a-contract.json"
	tests := []struct {
		what, vector, path string
		change             func(jsvalue.Value) jsvalue.Value
	}{
		{"a member of a changed row", create, "steps.1.tables.tokens_balances.upserts.0.balance", digit},
		{"the id of a changed row", create, "steps.1.tables.tokens_balances.upserts.0._id", set(9.0)},
		{"a changed row is missing", create, "steps.1.tables.tokens_balances", set(jsvalue.NewObject())},
		{"a table of changed rows is missing", create, "steps.1.tables", set(jsvalue.NewObject())},
		{"a row at the end", create, "final.tables.tokens_params.0.tokenCreationFee", digit},
		{"a missing row at the end", create, "final.tables.tokens_params", set([]jsvalue.Value{})},
		{"a type in a row", create, "final.tables.tokens_tokens.2.precision", set("3")},
		{"an error", create, "steps.1.result.transactions.1.logs", set(jsvalue.NewObject("errors", []string{"x"}))},
		{"an event's text", create, "steps.1.result.transactions.2.logs.events.0.data.quantity", set("200.0")},
		{"the order of an event's members", create, "steps.1.result.transactions.2.logs.events.0.data",
			set(jsvalue.NewObject("to", "harpagon", "from", "hive-engine", "symbol", "BEE", "quantity", "200"))},
		{"a transaction's id", create, "steps.1.result.transactions.2.transactionId", digit},
		{"a sender", create, "steps.1.result.transactions.2.sender", digit},
		{"an action", create, "steps.1.result.transactions.2.action", digit},
		{"a transaction's hash", create, "steps.1.result.transactions.2.hash", digit},
		{"a deployment's hash", create, "steps.1.result.transactions.0.hash", digit},
		{"a transaction's database hash", create, "steps.1.result.transactions.3.databaseHash", digit},
		{"a code hash", create, "steps.1.result.transactions.3.executedCodeHash", digit},
		{"the order of writes", create, "steps.1.result.transactions.3.writes", func(v jsvalue.Value) jsvalue.Value {
			list := v.([]jsvalue.Value)
			list[0], list[3] = list[3], list[0]
			return list
		}},
		{"a transaction is missing", create, "steps.1.result.transactions", func(v jsvalue.Value) jsvalue.Value { return v.([]jsvalue.Value)[:3] }},
		{"a block's hash", pays, "steps.2.result.hash", digit},
		{"a deploying block's hash", pays, "steps.1.result.hash", digit},
		{"a merkle root", pays, "steps.2.result.merkleRoot", digit},
		{"a deploying block's merkle root", pays, "steps.1.result.merkleRoot", digit},
		{"a block's database hash", pays, "steps.2.result.databaseHash", digit},
		{"a previous hash", pays, "steps.2.result.previousHash", digit},
		{"a previous database hash", pays, "steps.2.result.previousDatabaseHash", digit},
		{"a block's number", pays, "steps.2.result.blockNumber", set(9.0)},
		{"a block's time", pays, "steps.2.result.timestamp", digit},
		{"a stored block", pays, "steps.2.result", set(nil)},
		{"a virtual transaction's log", ticks, "steps.1.result.virtualTransactions.0.logs.events.0.event", digit},
		{"a virtual transaction's id", ticks, "steps.6.result.virtualTransactions.6.transactionId", digit},
		{"a virtual transaction's hash", ticks, "steps.6.result.virtualTransactions.6.hash", digit},
		{"a virtual transaction is missing", ticks, "steps.6.result.virtualTransactions", set([]jsvalue.Value{})},
		{"a sequence", create, "final.sequences.tokens_tokens", set(8.0)},
		{"the chain's sequence", create, "final.sequences.chain", set(8.0)},
		{"a primary key", create, "final.schema.resourcemanager_moderators.primaryKey", set(nil)},
		{"an index", create, "final.schema.tokens_balances.indexes", set(jsvalue.NewObject("symbol_1", jsvalue.NewObject("symbol", 1)))},
		{"a contract's version", create, "final.contracts.tokens.version", set(3.0)},
		{"a contract's owner", create, "final.contracts.tokens.owner", set("null")},
		{"a contract's code hash", create, "final.contracts.tokens.codeHash", digit},
		{"a table's hash", create, "final.contracts.tokens.tables.tokens_balances.hash", digit},
		{"what a withdrawal owes", peg, "steps.1.tables.hivepegged_withdrawals.upserts.4.quantity", digit},
		{"a withdrawal at the end", peg, "final.tables.hivepegged_withdrawals.2.memo", digit},
		{"a count of a denied account", denied, "final.tables.resourcemanager_accountControls.0.actionCount", set(9.0)},
		{"a tick", ticks, "final.contractTicks.1.startRefBlock", set(1.0)},
	}
	for _, tt := range tests {
		if r := altered(t, tt.vector, tt.path, tt.change); r.OK || len(r.Diff) == 0 {
			t.Errorf("%s: the altered vector passed", tt.what)
		}
	}
	if r := altered(t, create, "test", set("renamed")); !r.OK {
		t.Errorf("a vector altered where it does not matter: %q", r.Diff)
	}
}

// TestAlteredInputFails: what the engine is asked matters too.
func TestAlteredInputFails(t *testing.T) {
	const issue = "tokens/09-issues-tokens.json"
	for path, change := range map[string]func(jsvalue.Value) jsvalue.Value{
		"steps.1.block.transactions.1.sender":        set("satoshi"),
		"steps.1.block.transactions.3.payload":       set(`{"symbol":"TKN.TEST","quantity":"100","to":"vitalik","isSignedWithActiveKey":true}`),
		"steps.1.block.transactions.3.transactionId": digit,
		"steps.1.block.timestamp":                    set("2018-06-01T00:00:01"),
	} {
		if r := altered(t, issue, path, change); r.OK {
			t.Errorf("%s: passed", path)
		}
	}
	if r := altered(t, "tokens/04-updates-the-url-of-a-token.json", "steps.2.block.refHiveBlockId", digit); r.OK {
		t.Error("another base block id: passed")
	}
}

func TestMalformed(t *testing.T) {
	good, err := os.ReadFile("testdata/ticks/03-should-not-register-tick.json")
	if err != nil {
		t.Fatal(err)
	}
	for text, want := range map[string]string{
		``:                          "not JSON",
		`[]`:                        "not a JSON object",
		`{}`:                        "format is",
		`{"format":"hsc-vector/2"}`: "format is",
		`{"format":"hsc-vector/1"}`: "genesis: not a string",
		`{"format":"hsc-vector/1","genesis":"../x","contracts":{},"steps":[],"final":{}}`:                                                                          "is no file name",
		`{"format":"hsc-vector/1","genesis":"none","contracts":{},"steps":[],"final":{}}`:                                                                          "neither beside the vector",
		`{"format":"hsc-vector/1","genesis":"genesis-7d92860e1069","contracts":{},"final":{}}`:                                                                     "steps: missing",
		`{"format":"hsc-vector/1","genesis":"genesis-7d92860e1069","contracts":{},"steps":[{"type":"x"}],"final":{}}`:                                              "unknown type",
		`{"format":"hsc-vector/1","genesis":"genesis-7d92860e1069","contracts":{},"steps":[5],"final":{}}`:                                                         "not an object",
		`{"format":"hsc-vector/1","genesis":"genesis-7d92860e1069","contracts":{},"steps":[{"type":"block"}],"final":{}}`:                                          "steps[0].block: not an object",
		`{"format":"hsc-vector/1","genesis":"genesis-7d92860e1069","contracts":{},"steps":[],"final":{"tables":{"x_y":[]}}}`:                                       "table x_y is missing",
		`{"format":"hsc-vector/1","genesis":"genesis-7d92860e1069","contracts":{},"steps":[{"type":"write","tables":{"x_y":{"upserts":[{"_id":1}]}}}],"final":{}}`: "no such table",
		string(good[:len(good)/2]): "not JSON",
	} {
		r := replay(t, text)
		if r.OK || !strings.Contains(strings.Join(r.Diff, "\n"), want) {
			t.Errorf("%.120s: %q, want %q", text, r.Diff, want)
		}
	}
}

func TestNotBuiltIsSaid(t *testing.T) {
	r := altered(t, "tokens/17-transfers-tokens-from-a-contract-to-a-contract.json", "steps.1.block.transactions.0.payload",
		set(`{"name":"testcontract","params":"","code":"@code:00"}`))
	if r.OK || !strings.Contains(r.Diff[0], "not built: contract testcontract, source 00") {
		t.Errorf("%q", r.Diff)
	}
	r = altered(t, "ticks/03-should-not-register-tick.json", "steps.2.block.transactions.0.contract", set("nft"))
	if r.OK || !strings.Contains(r.Diff[0], "not built: nft.dummy") {
		t.Errorf("%q", r.Diff)
	}
	for table, want := range map[string]string{
		"mining_pools":             "not built: mining.handleStakeChange with rows in pools",
		"nft_pendingUndelegations": "not built: nft.checkPendingUndelegations with rows in pendingUndelegations",
		"tokenfunds_approvals":     "not built: tokenfunds.updateProposalApprovals with rows in approvals",
	} {
		row := jsvalue.NewObject("type", "write", "tables", jsvalue.NewObject(table,
			jsvalue.NewObject("upserts", []jsvalue.Value{jsvalue.NewObject("_id", 1)})))
		r = altered(t, "smarttokens/05-should-undelegate-tokens.json", "steps.2", set(row))
		if r.OK || !strings.Contains(r.Diff[0], want) {
			t.Errorf("%s: %q, want %q", table, r.Diff, want)
		}
	}
}

func TestRunPaths(t *testing.T) {
	ignore := func(Result) {}
	if _, err := Run([]string{t.TempDir()}, ignore); !errors.Is(err, ErrNoVectors) {
		t.Errorf("an empty folder: %v", err)
	}
	if _, err := Run([]string{"testdata/_genesis-7d92860e1069.json"}, ignore); !errors.Is(err, ErrNoVectors) {
		t.Errorf("a genesis file: %v", err)
	}
	sum, err := Run([]string{"testdata/none.json", "testdata/ticks/03-should-not-register-tick.json"}, ignore)
	if !errors.Is(err, ErrFailed) || sum.String() != "1 passed, 1 failed" {
		t.Errorf("a missing file: %s, %v", sum, err)
	}
}

// TestFailedBlock: a payload that the peer's node chokes on stops the block
// and changes nothing.
func TestFailedBlock(t *testing.T) {
	const issue = "tokens/09-issues-tokens.json"
	r := altered(t, issue, "steps.1.block.transactions.1.payload", set("{"))
	if r.OK || !strings.Contains(r.Diff[0], "block cannot be produced") {
		t.Errorf("not expected: %q", r.Diff)
	}
}

func FuzzVector(f *testing.F) {
	text, err := os.ReadFile("testdata/ticks/03-should-not-register-tick.json")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(text))
	f.Add(`{"format":"hsc-vector/1","genesis":"genesis-7d92860e1069","contracts":{"a":{"codeHash":"b"}},"steps":[{"type":"write","tables":{"tokens_params":{"deletes":[1]}},"sequences":{"tokens_params":5}}],"final":{"schema":{}}}`)
	f.Fuzz(func(t *testing.T, text string) {
		if r := replay(t, text); !r.OK && strings.Contains(r.Diff[0], "panic") {
			t.Errorf("panic: %q", r.Diff)
		}
	})
}
