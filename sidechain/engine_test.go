package sidechain_test

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"causeway/sidechain"
	"causeway/sidechain/base"
	"causeway/sidechain/contract"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/resourcemanager"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// node is an engine with its store.
type node struct {
	*sidechain.Engine
	db *state.DB
}

// contracts are what the test chains have; they are made anew for each engine.
func contracts() []contract.Contract {
	return []contract.Contract{tokens.New(), resourcemanager.New()}
}

func config(t testing.TB, path string) sidechain.EngineConfig {
	t.Helper()
	g := contracttest.Genesis()
	text, err := g.Encode()
	if err != nil {
		t.Fatal(err)
	}
	db, err := state.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	return sidechain.EngineConfig{Genesis: g, GenesisBytes: text, DB: db, Contracts: contracts(), CheckpointEvery: -1}
}

func open(t testing.TB, path string) node {
	t.Helper()
	cfg := config(t, path)
	engine, err := sidechain.OpenEngine(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return node{engine, cfg.DB}
}

func (n node) stop(t testing.TB) {
	t.Helper()
	if err := errors.Join(n.Close(), n.db.Close()); err != nil {
		t.Fatal(err)
	}
}

// chain makes base blocks that link to each other.
type chain struct {
	blocks []*base.Block
}

// op is one custom_json call with the sender's active key.
func op(sender, name, action, payload string) graphene.Operation {
	return &graphene.CustomJSON{
		RequiredAuths: []string{sender}, ID: "ssc-causeway-test",
		JSON: fmt.Sprintf(`{"contractName":%q,"contractAction":%q,"contractPayload":%s}`, name, action, payload),
	}
}

// add appends a block with one transaction for each operation.
func (c *chain) add(ops ...graphene.Operation) *base.Block {
	n := uint64(len(c.blocks) + 1)
	b := &base.Block{
		Number: n, ID: fmt.Sprintf("%08x%032x", n, n*7), Previous: strings.Repeat("0", 40),
		Timestamp: time.Date(2026, 1, 1, 0, 0, 3*int(n), 0, time.UTC).Format(base.TimeLayout),
	}
	if n > 1 {
		b.Previous = c.blocks[n-2].ID
	}
	for i, o := range ops {
		tx := base.Transaction{ID: fmt.Sprintf("%036x%04x", n, i)}
		tx.Operations = []graphene.Operation{o}
		b.Transactions = append(b.Transactions, tx)
	}
	c.blocks = append(c.blocks, b)
	return b
}

func transfer(from, to, quantity string) graphene.Operation {
	return op(from, "tokens", "transfer", fmt.Sprintf(`{"symbol":"BEE","to":%q,"quantity":%q}`, to, quantity))
}

func mustApply(t testing.TB, n node, blocks ...*base.Block) {
	t.Helper()
	for _, b := range blocks {
		if err := n.Apply(b); err != nil {
			t.Fatal(err)
		}
	}
}

// busy makes n blocks of all kinds of calls.
func busy(n int) []*base.Block {
	c := &chain{}
	c.add(op("alice", "tokens", "create", `{"name":"Cool","symbol":"COOL","precision":3,"maxSupply":"1000000"}`))
	for i := 1; i < n; i++ {
		switch i % 4 {
		case 0:
			c.add()
		case 1:
			c.add(op("alice", "tokens", "issue", fmt.Sprintf(`{"symbol":"COOL","to":"bob","quantity":"%d"}`, i)), transfer("alice", "bob", "0.5"))
		case 2:
			c.add(transfer("bob", fmt.Sprintf("user%d", i), "1.00"), transfer("bob", "bob", "1"), transfer("carol", "null", "0.001"))
		default:
			c.add(op("bob", "tokens", "transferToContract", `{"symbol":"COOL","to":"Market","quantity":"0.1"}`), op("x", "nothing", "y", `{}`))
		}
	}
	return c.blocks
}

func TestGenesis(t *testing.T) {
	n := open(t, "")
	defer n.stop(t)
	doc, ok := n.Block(0)
	if !ok {
		t.Fatal("no block 0")
	}
	wantKeys := strings.Fields(`_id blockNumber refHiveBlockNumber refHiveBlockId prevRefHiveBlockId previousHash previousDatabaseHash
		timestamp transactions virtualTransactions hash databaseHash merkleRoot round roundHash witness signingKey roundSignature
		enablePerUserTxLimit stateRoot stateHash`)
	if diff := cmp.Diff(wantKeys, doc.Keys()); diff != "" {
		t.Errorf("members (-want +got):\n%s", diff)
	}
	txs, _ := doc.Array("transactions")
	var calls []string
	for _, tx := range txs {
		o := tx.(*jsvalue.Object)
		calls = append(calls, fmt.Sprintf("%s %s.%s", o.Get("sender"), o.Get("contract"), o.Get("action")))
	}
	want := []string{
		"null null.null", "causeway contract.deploy",
		"null tokens.create", "null tokens.enableStaking", "null tokens.enableDelegation", "causeway contract.deploy",
		"null tokens.issue", "null tokens.issue", "null tokens.issue", "null tokens.issue", "null tokens.issue",
		"causeway tokens.updateParams",
	}
	if diff := cmp.Diff(want, calls); diff != "" {
		t.Errorf("transactions (-want +got):\n%s", diff)
	}
	head := n.Head()
	if head.Block != 0 || head.RefBlock != 0 || head.RefID != strings.Repeat("0", 40) || head.StateRoot != doc.Get("stateRoot") {
		t.Errorf("head %+v", head)
	}
	rows, ok, err := n.Find("tokens", "tokens", jsvalue.NewObject("symbol", "BEE"), -1, 0, nil)
	if err != nil || !ok || len(rows) != 1 || rows[0].Get("supply") != "5000.00000000" || rows[0].Get("issuer") != "null" {
		t.Errorf("utility token %v %v %v", rows, ok, err)
	}
	if _, ok, _ := n.Find("tokens", "nothing", jsvalue.NewObject(), -1, 0, nil); ok {
		t.Error("a table that does not exist was found")
	}
	if _, ok, _ := n.Find("nobody", "x", jsvalue.NewObject(), -1, 0, nil); ok {
		t.Error("a contract that does not exist was found")
	}
	if doc, ok := n.Contract("tokens"); !ok || doc.Get("_id") != "tokens" || doc.Get("owner") != "causeway" || doc.Get("version") != 1.0 {
		t.Errorf("contract %v", doc)
	}
	list, _ := n.Transaction(strings.Repeat("0", 40)).([]jsvalue.Value)
	if len(list) != len(want) || list[3].(*jsvalue.Object).Get("transactionIndex") != 3.0 {
		t.Errorf("transactions by base id: %d", len(list))
	}
}

// TestStateHashes recomputes the chain of state hashes from the documents.
func TestStateHashes(t *testing.T) {
	n := open(t, "")
	defer n.stop(t)
	mustApply(t, n, busy(30)...)
	previous := make([]byte, 32)
	for i := uint64(0); i <= n.Head().Block; i++ {
		doc, ok := n.Block(i)
		if !ok {
			t.Fatalf("no block %d", i)
		}
		text := previous
		for _, key := range []string{"hash", "stateRoot"} {
			s, _ := doc.String(key)
			part, err := hex.DecodeString(s)
			if err != nil {
				t.Fatal(err)
			}
			text = append(text, part...)
		}
		sum := sha256.Sum256(text)
		if got, _ := doc.String("stateHash"); got != hex.EncodeToString(sum[:]) {
			t.Fatalf("block %d: state hash %s, want %x", i, got, sum)
		}
		previous = sum[:]
	}
	if got := n.Executed(); got.StateHash != hex.EncodeToString(previous) || got.RefBlock != 30 {
		t.Errorf("executed %+v", got)
	}
	ref := n.Head().BlockRef
	if doc, ok := n.BlockByRef(ref); !ok || doc.Get("refHiveBlockNumber") != float64(ref) {
		t.Errorf("block by base block %d: %v", ref, ok)
	}
	if _, ok := n.BlockByRef(5); ok {
		t.Error("base block 5 was quiet, but has a sidechain block")
	}
}

func TestOnlyTheNextBlock(t *testing.T) {
	n := open(t, "")
	defer n.stop(t)
	blocks := busy(4)
	mustApply(t, n, blocks[0])
	before := n.Head()
	wrong := *blocks[1]
	wrong.Previous = strings.Repeat("f", 40)
	for _, b := range []*base.Block{blocks[0], blocks[2], &wrong} {
		if err := n.Apply(b); !errors.Is(err, sidechain.ErrSequence) {
			t.Errorf("block %d after block 1: %v", b.Number, err)
		}
	}
	if n.Head() != before {
		t.Errorf("head moved: %+v", n.Head())
	}
	mustApply(t, n, blocks[1:]...)
}

func TestQuietBlock(t *testing.T) {
	n := open(t, "")
	defer n.stop(t)
	c := &chain{}
	mustApply(t, n, c.add(), c.add(&graphene.Transfer{From: "alice", To: "bob", Memo: "hi"}))
	h := n.Head()
	if h.Block != 0 || h.RefBlock != 2 || h.RefID != c.blocks[1].ID || h.Timestamp != c.blocks[1].Timestamp {
		t.Errorf("head %+v", h)
	}
	if _, ok := n.Block(1); ok {
		t.Error("a quiet base block made a sidechain block")
	}
}

// TestKilled: a copy of the store taken at any moment is the state of a whole
// block, and applying the rest again gives the same blocks and roots.
func TestKilled(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "sidechain.db")
	blocks := busy(60)
	cfg := config(t, path)
	cfg.CheckpointBlocks = 7
	engine, err := sidechain.OpenEngine(cfg)
	if err != nil {
		t.Fatal(err)
	}
	n := node{engine, cfg.DB}
	var copies []string
	for i, b := range blocks {
		mustApply(t, n, b)
		if i%9 == 4 {
			name := filepath.Join(dir, fmt.Sprintf("copy%d.db", i))
			data, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(name, data, 0o600); err != nil {
				t.Fatal(err)
			}
			copies = append(copies, name)
		}
	}
	for _, name := range copies {
		again := open(t, name)
		executed := again.Executed().RefBlock
		if executed%7 != 0 {
			t.Errorf("%s: executed up to %d, no checkpoint was there", filepath.Base(name), executed)
		}
		mustApply(t, again, blocks[executed:]...)
		sameChain(t, n, again)
		again.stop(t)
	}
	n.stop(t)
	reopened := open(t, path)
	if reopened.Executed().RefBlock != 60 {
		t.Errorf("after a close: executed up to %d", reopened.Executed().RefBlock)
	}
	reopened.stop(t)
}

// sameChain compares two nodes byte for byte.
func sameChain(t *testing.T, a, b node) {
	t.Helper()
	if diff := cmp.Diff(a.Head(), b.Head()); diff != "" {
		t.Fatalf("heads (-first +second):\n%s", diff)
	}
	for i := uint64(0); i <= a.Head().Block; i++ {
		x, _ := a.DB().Block(i)
		y, _ := b.DB().Block(i)
		if string(x) != string(y) {
			t.Fatalf("block %d:\n%s\n%s", i, x, y)
		}
	}
}

func TestSubscribe(t *testing.T) {
	n := open(t, "")
	defer n.stop(t)
	signal := n.Subscribe()
	mustApply(t, n, busy(3)...)
	select {
	case <-signal:
	default:
		t.Fatal("no signal after blocks")
	}
	select {
	case <-signal:
		t.Error("signals did not coalesce")
	default:
	}
}

func TestOtherChainAndOtherContracts(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sidechain.db")
	open(t, path).stop(t)
	cfg := config(t, path)
	cfg.GenesisBytes = append(cfg.GenesisBytes, ' ')
	if _, err := sidechain.OpenEngine(cfg); !errors.Is(err, sidechain.ErrOtherChain) {
		t.Errorf("another genesis: %v", err)
	}
	cfg.DB.Close()
	cfg = config(t, path)
	cfg.Contracts = cfg.Contracts[:1]
	if _, err := sidechain.OpenEngine(cfg); !errors.Is(err, sidechain.ErrNotBuilt) {
		t.Errorf("without a contract: %v", err)
	}
	cfg.DB.Close()
}

func TestGenesisRefused(t *testing.T) {
	for name, change := range map[string]func(*sidechain.EngineConfig){
		"without tokens": func(c *sidechain.EngineConfig) { c.Contracts = c.Contracts[1:] },
		"a peg given away": func(c *sidechain.EngineConfig) {
			c.Genesis.Accounts[0].Tokens = map[string]string{"SWAP.BTC": "1"}
		},
		"an over-precise balance": func(c *sidechain.EngineConfig) {
			c.Genesis.Accounts[0].Tokens = map[string]string{"BEE": "1.123456789"}
		},
		"an asset with a bad symbol": func(c *sidechain.EngineConfig) {
			c.Genesis.Assets = append(c.Genesis.Assets, sidechain.GenesisAsset{Symbol: "swap", Precision: 8})
		},
		"a bad time": func(c *sidechain.EngineConfig) { c.Genesis.Timestamp = "today" },
	} {
		cfg := config(t, "")
		change(&cfg)
		if _, err := sidechain.OpenEngine(cfg); !errors.Is(err, sidechain.ErrGenesis) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestTimedCheckpoint: a quiet chain is saved too.
func TestTimedCheckpoint(t *testing.T) {
	path := filepath.Join(t.TempDir(), "sidechain.db")
	cfg := config(t, path)
	cfg.CheckpointEvery = 10 * time.Millisecond
	engine, err := sidechain.OpenEngine(cfg)
	if err != nil {
		t.Fatal(err)
	}
	n := node{engine, cfg.DB}
	defer n.stop(t)
	mustApply(t, n, busy(3)...)
	copied := filepath.Join(t.TempDir(), "copy.db")
	for range 500 {
		time.Sleep(10 * time.Millisecond)
		data, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(copied, data, 0o600); err != nil {
			t.Fatal(err)
		}
		db, err := state.OpenReadOnly(copied)
		if err != nil {
			continue // copied while it was being written
		}
		saved := string(db.Meta("engine/head"))
		db.Close()
		if strings.Contains(saved, `"refBlock":3`) {
			return
		}
	}
	t.Error("three blocks were not saved within five seconds")
}

// TestUnknownSwitch: a misspelt switch must not silently be off.
func TestUnknownSwitch(t *testing.T) {
	g := contracttest.Genesis("gate")
	g.Switches["gaet"] = false
	text, err := g.Encode()
	if err != nil {
		t.Fatal(err)
	}
	db, err := state.Open("")
	if err != nil {
		t.Fatal(err)
	}
	_, err = sidechain.OpenEngine(sidechain.EngineConfig{Genesis: g, GenesisBytes: text, DB: db, Contracts: []contract.Contract{tokens.New()}})
	if !errors.Is(err, sidechain.ErrGenesis) || !strings.Contains(err.Error(), `"gaet"`) {
		t.Errorf("error %v", err)
	}
}
