package conform

import (
	"strings"
	"testing"

	"causeway/sidechain/jsvalue"
)

// without replays a vector that lacks one member.
func without(t *testing.T, vector, path, key string) Result {
	t.Helper()
	return altered(t, vector, path, func(v jsvalue.Value) jsvalue.Value {
		object, ok := v.(*jsvalue.Object)
		if !ok || !object.Has(key) {
			t.Fatalf("no %s in %s", key, path)
		}
		object.Delete(key)
		return object
	})
}

// TestMissingMembersFail: what a vector does not say is not taken as agreed.
func TestMissingMembersFail(t *testing.T) {
	const ticks = "ticks/01-should-trigger-ticks-at-expected-refblock.json"
	for _, tt := range [][2]string{
		{"", "contracts"}, {"", "steps"}, {"", "final"}, {"", "genesis"},
		{"steps.2", "result"}, {"steps.2", "tables"}, {"steps.2", "block"}, {"steps.2.block", "transactions"},
		{"steps.2.result", "virtualTransactions"}, {"steps.2.result", "transactions"}, {"steps.2.result", "hash"},
		{"steps.2.result.transactions.0", "writes"}, {"steps.2.result.transactions.0", "logs"},
		{"steps.2.result.virtualTransactions.0", "writes"}, {"steps.2.result.virtualTransactions.0", "databaseHash"},
		{"final", "tables"}, {"final", "sequences"}, {"final", "schema"}, {"final", "contracts"}, {"final", "contractTicks"},
		{"final.tables", "tokens_params"}, {"final.sequences", "tokens_params"}, {"final.sequences", "chain"},
		{"final.schema", "tokens_params"}, {"final.schema.tokens_params", "primaryKey"},
		{"final.contracts", "nft"}, {"final.contracts.nft", "tables"}, {"final.contracts.nft", "codeHash"},
	} {
		if r := without(t, ticks, tt[0], tt[1]); r.OK || len(r.Diff) == 0 {
			t.Errorf("%s without %s: passed", tt[0], tt[1])
		}
	}
}

// TestContractsMember: code hashes of built contracts are compared; null
// stands for code that never ran.
func TestContractsMember(t *testing.T) {
	const create = "tokens/01-creates-a-token.json"
	const source = "contracts.8229934ff2ddc24555e54a04355834c6f082b396c294de11f745ebfd09cfb427.codeHash"
	if r := altered(t, create, source, digit); r.OK || !strings.Contains(r.Diff[0], "codeHash of 8229") {
		t.Errorf("another code hash: %q", r.Diff)
	}
	if r := altered(t, create, source, set(nil)); !r.OK {
		t.Errorf("no code hash: %q", r.Diff)
	}
	if r := altered(t, create, "final.schema.tokens_balances.indexes.account_1.account", set(-1.0)); r.OK {
		t.Error("a descending index: passed")
	}
}

// TestExpectedFailure: a block that the peer could not produce changes nothing,
// and a vector that says otherwise fails.
func TestExpectedFailure(t *testing.T) {
	const url = "tokens/05-does-not-update-the-url-of-a-token.json"
	// The last block fails; the state at the end is that of the block before.
	vector := func(edits ...func(*jsvalue.Object)) Result {
		return altered(t, url, "", func(v jsvalue.Value) jsvalue.Value {
			doc := v.(*jsvalue.Object)
			steps, _ := doc.Array("steps")
			step := steps[2].(*jsvalue.Object)
			block, _ := step.Object("block")
			txs, _ := block.Array("transactions")
			txs[0].(*jsvalue.Object).Set("payload", "{")
			step.Set("failed", true)
			step.Set("result", nil)
			final, _ := doc.Object("final")
			sequences, _ := final.Object("sequences")
			sequences.Set("chain", 3)
			for _, edit := range edits {
				edit(step)
			}
			return doc
		})
	}
	if r := vector(); !r.OK {
		t.Errorf("a block that fails: %q", r.Diff)
	}
	for what, edit := range map[string]func(*jsvalue.Object){
		"changed rows": func(step *jsvalue.Object) {
			step.Set("tables", jsvalue.NewObject("tokens_tokens", jsvalue.NewObject("upserts", []jsvalue.Value{jsvalue.NewObject("_id", 1)}, "deletes", []jsvalue.Value{})))
		},
		"a block":   func(step *jsvalue.Object) { step.Set("result", jsvalue.NewObject("blockNumber", 3)) },
		"no reason": func(step *jsvalue.Object) { step.Delete("failed") },
	} {
		if r := vector(edit); r.OK {
			t.Errorf("a failed block with %s: passed", what)
		}
	}
}
