package sidechain_test

import (
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"causeway/sidechain"
	"causeway/sidechain/contract"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// peer is a chain with the peer's history at block level.
type peer struct {
	t   *testing.T
	rt  *sidechain.Runtime
	ids int
}

// newPeer deploys contracts, as their owner, in base block 1.
func newPeer(t *testing.T, contracts ...contract.Contract) *peer {
	t.Helper()
	db, err := state.Open("")
	if err != nil {
		t.Fatal(err)
	}
	cfg := sidechain.Config{
		Rules: sidechain.Rules{History: true}, Owner: "hive-engine", PegAccount: "honey-swap", UtilityToken: "BEE", Recorded: true,
	}
	for _, k := range contracts {
		cfg.Versions = append(cfg.Versions, sidechain.Version{Contract: k, Trusted: true})
	}
	p := &peer{t: t}
	if p.rt, err = sidechain.NewRuntime(db, cfg, nil); err != nil {
		t.Fatal(err)
	}
	p.rt.Trace(true)
	for i, k := range contracts {
		p.block(uint64(1+i), p.call("hive-engine", "contract", "deploy", deployment(k.Name(), k)))
	}
	return p
}

func deployment(name string, k contract.Contract) string {
	return fmt.Sprintf(`{"name":%q,"params":"","code":%q}`, name, base64.StdEncoding.EncodeToString([]byte(k.CodeHash())))
}

func (p *peer) call(sender, name, action, payload string) *sidechain.Transaction {
	p.ids++
	return &sidechain.Transaction{
		ID: fmt.Sprintf("TXID%04d", p.ids), Sender: sidechain.T(sender), Contract: sidechain.T(name), Action: sidechain.T(action), Payload: sidechain.T(payload),
	}
}

// produce executes a block; the transactions get its number.
func (p *peer) produce(ref uint64, txs ...*sidechain.Transaction) (*sidechain.Block, *sidechain.Trace, error) {
	for _, tx := range txs {
		tx.Ref, tx.HasRef = ref, true
	}
	return p.rt.Produce(sidechain.Input{Ref: ref, RefID: "ABCD1", PrevRefID: "ABCD2", Timestamp: contracttest.Start, Transactions: txs})
}

func (p *peer) block(ref uint64, txs ...*sidechain.Transaction) *sidechain.Block {
	p.t.Helper()
	b, _, err := p.produce(ref, txs...)
	if err != nil {
		p.t.Fatal(err)
	}
	return b
}

func hexSum(text string) string { return fmt.Sprintf("%x", sha256.Sum256([]byte(text))) }

// noisy is a contract with an event and an error in every action, and ticks of
// all kinds.
func noisy(name string) probe {
	both := func(ctx contract.Context, _ *jsvalue.Object) {
		ctx.Emit("done", nil)
		ctx.Assert(false, "not done")
	}
	return probe{name, map[string]contract.Action{
		"comment": both, "both": both, "buy": both,
		"quiet":  func(contract.Context, *jsvalue.Object) {},
		"silent": func(ctx contract.Context, _ *jsvalue.Object) { insert(ctx, 1) },
		"throw":  func(contract.Context, *jsvalue.Object) { panic(contract.Exception("RangeError: x")) },
		"nested": func(ctx contract.Context, _ *jsvalue.Object) {
			ctx.Call(name, "quiet", nil)
			ctx.Call("nobody", "quiet", nil)
			ctx.Call(name, "throw", nil)
			ctx.Call(name, "unknown", nil)
			ctx.Call(name, "quiet", nil)
		},
	}}
}

const (
	eventText  = `"events":[{"contract":"%s","event":"done"}]`
	errorText  = `"errors":["not done"]`
	quietText  = `{}`
	latestRule = 96287448
)

// TestHashInputs recomputes the hashes of odd transactions by hand: no block
// number, null members, three leaves.
func TestHashInputs(t *testing.T) {
	k := noisy("probe")
	p := newPeer(t, k)
	last := p.rt.Last()
	txs := []*sidechain.Transaction{
		p.call("alice", "probe", "silent", `{"a":"é<\u2028"}`),
		{ID: "none", Sender: sidechain.T("alice"), Contract: sidechain.T("probe"), Action: sidechain.T("silent")},
		{ID: "null"},
	}
	in := sidechain.Input{Ref: 77, RefID: "ID", PrevRefID: "PREV", Timestamp: contracttest.Start, Transactions: txs}
	txs[0].Ref, txs[0].HasRef = 77, true
	b, trace, err := p.rt.Produce(in)
	if err != nil {
		t.Fatal(err)
	}
	table := hexSum("")
	db := []string{hexSum(last.DatabaseHash + table)}
	db = append(db, hexSum(db[0]+hexSum(table)))
	db = append(db, db[1])
	refused := `{"errors":["the parameters sender, contract and action are required"]}`
	texts := []string{
		"77TXID0002aliceprobesilent" + `{"a":"é<\u2028"}` + k.CodeHash() + db[0] + "{}",
		"undefinednonealiceprobesilentnull" + k.CodeHash() + db[1] + "{}",
		"undefinednullnullnullnullnull" + db[2] + refused,
	}
	documents := []string{
		`{"refHiveBlockNumber":77,"transactionId":"TXID0002","sender":"alice","contract":"probe","action":"silent","payload":"{\"a\":\"é<\\u2028\"}","executedCodeHash":"` + k.CodeHash(),
		`{"transactionId":"none","sender":"alice","contract":"probe","action":"silent","payload":null,"executedCodeHash":"` + k.CodeHash(),
		`{"transactionId":"null","sender":null,"contract":null,"action":null,"payload":null,"executedCodeHash":"`,
	}
	logs := []string{"{}", "{}", `{\"errors\":[\"the parameters sender, contract and action are required\"]}`}
	var hashes []string
	for i, text := range texts {
		hashes = append(hashes, hexSum(text))
		if got := b.Transactions[i].Hash; got != hashes[i] {
			t.Errorf("transaction %d: hash %s, want %s", i, got, hashes[i])
		}
		documents[i] += `","hash":"` + hashes[i] + `","databaseHash":"` + db[i] + `","logs":"` + logs[i] + `"}`
	}
	tree := func(l []string) string {
		return hexSum(hexSum(l[0]+l[1]) + hexSum(l[2]+l[2]))
	}
	block := hexSum(last.Hash + last.DatabaseHash + "177IDPREV" + contracttest.Start + tree(hashes) + "[" + strings.Join(documents, ",") + "]")
	want := []string{tree(hashes), tree(db), block}
	if diff := cmp.Diff(want, []string{b.MerkleRoot, b.DatabaseHash, b.Hash}); diff != "" {
		t.Errorf("block (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([][]string{{"i:probe_rows"}, {"i:probe_rows"}, {}}, trace.Writes); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
}

// TestDeployTexts: what a deployment that throws leaves in the logs. The peer
// hides the exception from a height on.
func TestDeployTexts(t *testing.T) {
	broken := setupFails{noisy("broken")}
	p := newPeer(t, noisy("probe"), broken)
	for ref, hidden := range map[uint64]bool{83680408: false, 83680409: true} {
		for payload, text := range map[string]string{
			"{":                          "SyntaxError: Expected property name or '}' in JSON at position 1",
			"null":                       "TypeError: Cannot destructure property 'name' of 'payload' as it is null.",
			deployment("broken", broken): "TypeError: broken",
		} {
			if hidden {
				text = "A node.js error occoured during deployment"
			}
			tx := p.block(ref, p.call("hive-engine", "contract", "update", payload)).Transactions[0]
			if want := `{"errors":[` + jsvalue.Stringify(text) + `]}`; tx.Logs != want || tx.ExecutedCodeHash != "" {
				t.Errorf("%s in %d: %s %q, want %s", payload, ref, tx.Logs, tx.ExecutedCodeHash, want)
			}
		}
		for _, payload := range []string{"5", `"x"`, "[]", "{}", `{"name":"","code":"x"}`, `{"name":"mine","code":5}`} {
			if got := p.block(ref, p.call("null", "contract", "deploy", payload)).Transactions[0].Logs; got != `{"errors":["parameters name and code are mandatory and they must be strings"]}` {
				t.Errorf("%s in %d: %s", payload, ref, got)
			}
		}
	}
	if got := len(p.rt.Contracts()); got != 1 {
		t.Errorf("%d contracts, the broken one is among them", got)
	}
}

// setupFails is a contract whose deployment throws.
type setupFails struct{ probe }

func (setupFails) Setup(contract.Context) { panic(contract.Exception("TypeError: broken")) }

// TestOwners: who may deploy and update what.
func TestOwners(t *testing.T) {
	k := noisy("probe")
	p := newPeer(t, k)
	const denied = `{"errors":["you are not allowed to update this contract"]}`
	for i, tt := range []struct{ sender, name, logs, owner string }{
		{"null", "probe", denied, "hive-engine"},
		{"honey-swap", "probe", denied, "hive-engine"},
		{"hive-engine", "probe", `{}`, "hive-engine"},
		{"null", "nobodys", `{}`, "null"},
		{"honey-swap", "nobodys", denied, "null"},
		{"hive-engine", "nobodys", `{}`, "null"},
		{"null", "nobodys", `{}`, "null"},
		{"honey-swap", "pegs", `{}`, "honey-swap"},
		{"hive-engine", "pegs", denied, "honey-swap"},
		{"honey-swap", "ab", `{"errors":["invalid contract name"]}`, ""},
		{"honey-swap", strings.Repeat("a", 51), `{"errors":["invalid contract name"]}`, ""},
		{"honey-swap", strings.Repeat("a", 50), `{}`, "honey-swap"},
		{"honey-swap", "blockProduction", `{"errors":["invalid contract name"]}`, ""},
		{"honey-swap", "contract", `{"errors":["invalid contract name"]}`, ""},
		{"alice", "alice", `{"errors":["the contract deployment is currently unavailable"]}`, ""},
	} {
		if got := p.block(uint64(100+i), p.call(tt.sender, "contract", "update", deployment(tt.name, k))).Transactions[0].Logs; got != tt.logs {
			t.Errorf("%s updates %s: %s, want %s", tt.sender, tt.name, got, tt.logs)
		}
		owner := ""
		for _, c := range p.rt.Contracts() {
			if c.Name == tt.name {
				owner = c.Owner
			}
		}
		if owner != tt.owner {
			t.Errorf("%s after %s: owner %q, want %q", tt.name, tt.sender, owner, tt.owner)
		}
	}
	_, _, err := p.produce(200, p.call("alice", "probe", "silent", `{}`), p.call("hive-engine", "contract", "deploy", `{"name":"other","code":"bm90aGluZw=="}`))
	if !errors.Is(err, sidechain.ErrNotBuilt) || !strings.Contains(err.Error(), "contract other, source "+hexSum("nothing")) {
		t.Errorf("unknown code: %v", err)
	}
}

// TestRegisteredTick: a tick runs from the block after its registration on,
// at the end of the list, and is kept when its logs say something.
func TestRegisteredTick(t *testing.T) {
	p := newPeer(t, noisy("probe"))
	const ref = 100
	register := func(action string) *sidechain.Transaction {
		return p.call("honey-swap", "contract", "registerTick", `{"contractName":"probe","tickAction":"`+action+`"}`)
	}
	actions := []string{"both", "quiet", "silent", "unknown", "throw", "quiet"}
	var txs []*sidechain.Transaction
	for _, a := range actions {
		txs = append(txs, register(a))
	}
	b := p.block(ref, txs...)
	for i, tx := range b.Transactions {
		want := `{"events":[{"contract":"contract","event":"registerTick","data":{"contract":"probe","action":"` + actions[i] + `","startRefBlock":101}}]}`
		if i == len(actions)-1 {
			want = `{"errors":["contract tick already registered"]}`
		}
		if tx.Logs != want || tx.ExecutedCodeHash != "" || tx.DatabaseHash != b.PreviousDatabaseHash {
			t.Errorf("%s: %s %q", actions[i], tx.Logs, tx.ExecutedCodeHash)
		}
	}
	if len(b.VirtualTransactions) != 0 {
		t.Errorf("ticks run in the block that registers them: %d", len(b.VirtualTransactions))
	}
	b, trace, err := p.produce(ref+1, p.call("dummy", "dummy", "dummy", ""))
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, tx := range b.VirtualTransactions {
		got = append(got, fmt.Sprintf("%s %s.%s %q %s %d", tx.ID, tx.Contract.Value, tx.Action.Value, tx.Payload.Value, tx.Logs, tx.Ref))
	}
	want := []string{
		`101-0 probe.both "" {"errors":["not done"],"events":[{"contract":"probe","event":"done"}]} 101`,
		`101-4 probe.throw "" {"errors":["RangeError: x"]} 101`,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("ticks (-want +got):\n%s", diff)
	}
	if len(trace.SilentTicks) != 1 || trace.SilentTicks[0].Transaction.ID != "101-2" {
		t.Errorf("silent ticks %v", trace.SilentTicks)
	}
	// No transaction, but a tick that says something: a block. It continues
	// from the hash of kept transactions, not from what the silent one left.
	if b := p.block(ref + 2); b == nil || b.Number != 3 || len(b.Transactions) != 0 || len(b.VirtualTransactions) != 2 {
		t.Errorf("a block of ticks: %+v", b)
	}
	for payload, want := range map[string]string{
		`{}`:   `{"errors":["contract does not exist"]}`,
		`null`: `{"errors":["contract does not exist"]}`,
		`[1]`:  `{"errors":["contract does not exist"]}`,
		`{"contractName":"probe","tickAction":"x"`: `{"errors":["SyntaxError: Expected ',' or '}' after property value in JSON at position 40"]}`,
	} {
		if got := p.block(ref+3, p.call("hive-engine", "contract", "registerTick", payload)).Transactions[0].Logs; got != want {
			t.Errorf("registerTick %s: %s, want %s", payload, got, want)
		}
	}
}

// TestInflation: every 1,200th base block asks for new tokens, with its own
// payload, after the ticks.
func TestInflation(t *testing.T) {
	var payloads []string
	k := probe{"inflation", map[string]contract.Action{"issueNewTokens": func(ctx contract.Context, p *jsvalue.Object) {
		payloads = append(payloads, fmt.Sprintf("%d %s %v", ctx.RefBlockNumber(), ctx.Sender(), ctx.SignedWithActiveKey()))
		ctx.Emit("issued", nil)
	}}}
	p := newPeer(t, k)
	for _, ref := range []uint64{1199, 1200, 1201, 2400} {
		p.block(ref, p.call("a", "b", "c", ""))
	}
	if diff := cmp.Diff([]string{"1200 null true", "2400 null true"}, payloads); diff != "" {
		t.Errorf("calls (-want +got):\n%s", diff)
	}
	tx := p.block(3600, p.call("a", "b", "c", "")).VirtualTransactions[0]
	if tx.Payload.Value != `{ "isSignedWithActiveKey": true }` || tx.ID != "3600-0" {
		t.Errorf("%+v", tx)
	}
}
