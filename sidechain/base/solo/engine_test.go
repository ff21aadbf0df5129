package solo

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"causeway/sidechain"
	"causeway/sidechain/base"
	"causeway/sidechain/contract"
	"causeway/sidechain/contracts/resourcemanager"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// node is a sequencer over the real engine, in a folder.
type node struct {
	t       testing.TB
	dir     string
	genesis *sidechain.Genesis
	store   *Store
	db      *state.DB
	engine  *sidechain.Engine
	*Sequencer
	clock time.Time
}

func newNode(t testing.TB, dir string, clock time.Time) *node {
	t.Helper()
	n := &node{t: t, dir: dir, genesis: testGenesis(t), clock: clock}
	for i := range n.genesis.Accounts {
		n.genesis.Accounts[i].Tokens = map[string]string{"BEE": "10000"}
	}
	n.genesis.Params.TokenCreationFee = "100"
	document, err := n.genesis.Encode()
	if err != nil {
		t.Fatal(err)
	}
	chain := sidechain.BaseChainID(document)
	contracts := []contract.Contract{tokens.New(), resourcemanager.New()}
	var names []string
	for _, c := range contracts {
		names = append(names, c.Name())
	}
	machine, err := NewMachine(MachineConfig{Genesis: n.genesis, ChainID: chain, ContractNames: names})
	if err != nil {
		t.Fatal(err)
	}
	if n.store, err = OpenStore(filepath.Join(dir, "base.db"), chain, StoreOptions{NoSync: true}); err != nil {
		t.Fatal(err)
	}
	if n.db, err = state.Open(filepath.Join(dir, "sidechain.db")); err != nil {
		t.Fatal(err)
	}
	n.engine, err = sidechain.OpenEngine(sidechain.EngineConfig{
		Genesis: n.genesis, GenesisBytes: document, DB: n.db, Contracts: contracts, Machine: machine,
		CheckpointBlocks: 4, CheckpointEvery: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	n.Sequencer, err = New(context.Background(), Config{
		Machine: machine, Store: n.store, State: n.db, Executor: n.engine,
		Signer: KeySigner{testKey(t, "sequencer", "signing"), chain},
		Clock:  func() time.Time { return n.clock },
	})
	if err != nil {
		t.Fatal(err)
	}
	return n
}

func (n *node) close() {
	n.engine.Close()
	n.db.Close()
	n.store.Close()
}

// send puts the operations of one transaction into a block of their own.
func (n *node) send(signer, role string, ops ...graphene.Operation) {
	n.t.Helper()
	p := n.Properties()
	id, err := graphene.ParseBlockID(p.HeadBlockID)
	if err != nil {
		n.t.Fatal(err)
	}
	tx := graphene.Transaction{
		RefBlockNum: uint16(p.HeadBlockNumber), RefBlockPrefix: id.RefPrefix(),
		Expiration: graphene.FormatTime(mustTime(n.t, p.Time) + 60), Operations: ops,
	}
	signed, err := tx.Sign(n.Machine().ChainID(), testKey(n.t, signer, role))
	if err != nil {
		n.t.Fatal(err)
	}
	if err := n.Broadcast(context.Background(), signed); err != nil {
		n.t.Fatal(err)
	}
	n.clock = n.clock.Add(3 * time.Second)
	if ok, err := n.Produce(context.Background()); err != nil || !ok {
		n.t.Fatal(ok, err)
	}
}

func tokensCall(account, action, payload string) *graphene.CustomJSON {
	return &graphene.CustomJSON{
		RequiredAuths: []string{account}, ID: "ssc-test",
		JSON: fmt.Sprintf(`{"contractName":"tokens","contractAction":%q,"contractPayload":%s}`, action, payload),
	}
}

// copyTo takes the files as a crash at this instant would leave them.
func (n *node) copyTo(dir string) {
	n.t.Helper()
	for name, write := range map[string]func(*os.File) error{
		"base.db":      func(f *os.File) error { _, err := n.store.WriteTo(f); return err },
		"sidechain.db": func(f *os.File) error { _, err := n.db.WriteTo(f); return err },
	} {
		f, err := os.Create(filepath.Join(dir, name))
		if err != nil {
			n.t.Fatal(err)
		}
		if err := write(f); err != nil {
			n.t.Fatal(err)
		}
		if err := f.Close(); err != nil {
			n.t.Fatal(err)
		}
	}
}

// Wherever a crash leaves the two stores, the restarted node has the state
// that the blocks commit to, and goes on.
func TestCrashAnywhereWithTheEngine(t *testing.T) {
	start, _ := time.Parse(base.TimeLayout, genesisStart)
	n := newNode(t, t.TempDir(), start.Add(time.Minute))
	defer n.close()
	fee, _ := graphene.ParseAsset("3.000 HIVE")
	steps := []func(n *node){
		func(n *node) {
			n.send("alice", "active", tokensCall("alice", "create", `{"name":"Cool","symbol":"COOL","precision":3,"maxSupply":"1000"}`))
		},
		func(n *node) {
			n.send("alice", "active", tokensCall("alice", "issue", `{"symbol":"COOL","to":"alice","quantity":"10"}`),
				tokensCall("alice", "transfer", `{"symbol":"COOL","to":"bob","quantity":"1.5"}`))
		},
		func(n *node) { n.send("bob", "active", transfer("bob", "carol", "1.000 HIVE")) }, // no sidechain block
		func(n *node) { n.send("bob", "posting", post("bob", "hello", "text")) },
		func(n *node) {
			n.send("carol", "posting", &graphene.Vote{Voter: "carol", Author: "bob", Permlink: "hello", Weight: 1})
		},
		func(n *node) {
			op := create(t, "dave")
			op.Fee = fee
			n.send("causeway", "active", op)
		},
		func(n *node) { n.send("dave", "posting", post("dave", "hello", "text")) },
	}
	for i, step := range steps {
		step(n)
		dir := t.TempDir()
		n.copyTo(dir)
		again := newNode(t, dir, n.clock)
		if got, want := again.engine.Executed(), n.engine.Executed(); got != want {
			t.Fatalf("after step %d: %+v, want %+v", i, got, want)
		}
		again.send("alice", "active", customJSON("alice"))
		again.close()
	}
	if got := n.Properties(); got.HeadBlockNumber != uint64(len(steps)) {
		t.Errorf("head %+v", got)
	}
	if n.engine.Head().Block == 0 {
		t.Error("no sidechain block")
	}
}

// Nothing that a user writes reaches sender null, but the three calls that the
// node builds itself from operations of the account that signed them.
func TestSenderNullThroughSolo(t *testing.T) {
	start, _ := time.Parse(base.TimeLayout, genesisStart)
	n := newNode(t, t.TempDir(), start.Add(time.Minute))
	defer n.close()
	evil := `{"contractName":"tokens","contractAction":"issue","contractPayload":{"symbol":"BEE","to":"alice","quantity":"1","sender":"null","author":"null"},"sender":"null"}`
	forged := `{"contractName":"comments","contractAction":"comment","contractPayload":{"author":"bob","isSignedWithActiveKey":true,"callingContractInfo":{"name":"tokens"}}}`
	vote := `{"contractName":"comments","contractAction":"vote","contractPayload":{"voter":"bob","author":"bob","weight":10000}}`
	list := "[" + evil + "," + forged + "," + vote + "]"
	note := func(memo string) *graphene.Transfer {
		op := transfer("alice", "bob", "0.001 HIVE")
		op.Memo = memo
		return op
	}
	written := func(permlink, body, metadata string) *graphene.Comment {
		op := post("alice", permlink, body)
		op.JSONMetadata = metadata
		return op
	}
	custom := func(json string) *graphene.CustomJSON {
		return &graphene.CustomJSON{RequiredAuths: []string{"alice"}, ID: "ssc-test", JSON: json}
	}
	for i, op := range []graphene.Operation{
		custom(evil), custom(forged), custom(vote), custom(list),
		&graphene.CustomJSON{RequiredPostingAuths: []string{"alice"}, ID: "ssc-test", JSON: list},
		note(`{"id":"ssc-test","json":` + evil + `}`), note(`{"id":"ssc-test","json":[` + forged + `]}`),
		written("a", "text", `{"ssc":{"id":"ssc-test","transactions":`+list+`}}`),
		written("b", `{"id":"ssc-test","json":`+list+`}`, ""),
		written("c", "text", `{"author":"null","sender":"null"}`),
		&graphene.Vote{Voter: "alice", Author: "alice", Permlink: "c", Weight: 1},
	} {
		role := "active"
		if op.Name() == "comment" || op.Name() == "vote" {
			role = "posting"
		}
		n.send("alice", role, op)
		block, ok := n.engine.Block(n.engine.Head().Block)
		if !ok {
			t.Fatal("no block")
		}
		txs, _ := block.Array("transactions")
		if len(txs) == 0 {
			t.Fatalf("operation %d: no transaction", i)
		}
		for _, v := range txs {
			checkSender(t, i, v.(*jsvalue.Object))
		}
	}
}

// checkSender knows what alice may have made with any of the operations above.
func checkSender(t *testing.T, i int, tx *jsvalue.Object) {
	t.Helper()
	sender, _ := tx.String("sender")
	call := text(tx, "contract") + "." + text(tx, "action")
	payload, err := jsvalue.Parse(text(tx, "payload"))
	if err != nil {
		t.Fatal(err)
	}
	object, _ := payload.(*jsvalue.Object)
	switch {
	case sender == "alice":
	case sender == "null" && call == "comments.comment" && text(object, "author") == "alice":
	case sender == "null" && call == "comments.vote" && text(object, "voter") == "alice":
	default:
		t.Errorf("operation %d: %s by %q with %s", i, call, sender, jsvalue.Stringify(payload))
	}
	if object.Has("callingContractInfo") {
		t.Errorf("operation %d: callingContractInfo came through", i)
	}
}
