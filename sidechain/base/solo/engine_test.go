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
