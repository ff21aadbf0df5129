package contracttest

import (
	"encoding/base64"
	"fmt"
	"testing"
	"time"

	"causeway/sidechain"
	"causeway/sidechain/base"
	"causeway/sidechain/contract"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// Start is the time of block 0; every block is three seconds later.
const Start = "2026-01-01T00:00:00"

// Genesis is a document for tests: alice, bob and carol with 1,000 BEE each,
// the admin "causeway" and the attestor "gateway", and the switches given.
func Genesis(switches ...string) *sidechain.Genesis {
	g := &sidechain.Genesis{
		Format: sidechain.GenesisFormat, ChainID: "causeway-test", Timestamp: Start,
		Profile:  sidechain.Profile{UtilityToken: "BEE", NativePeg: "SWAP.HIVE", BaseCoin: "HIVE", AddressPrefix: "STM"},
		Network:  "regtest",
		Admin:    "causeway",
		Reserved: []string{"null"},
		Pegs:     sidechain.GenesisPegs{Attestors: []string{"gateway"}, Threshold: 1, FeeAccount: "pegfees", Gate: "peg", AdminDelay: 10},
		Params:   sidechain.GenesisParams{TokenCreationFee: "100", EnableStakingFee: "1000", EnableDelegationFee: "1000"},
		Switches: map[string]bool{},
	}
	for _, name := range switches {
		g.Switches[name] = true
	}
	for _, name := range []string{"alice", "bob", "carol", "causeway", "gateway"} {
		g.Accounts = append(g.Accounts, sidechain.GenesisAccount{Name: name, Tokens: map[string]string{"BEE": "1000"}})
	}
	return g
}

// Chain is a running chain.
type Chain struct {
	t      testing.TB
	engine *sidechain.Engine // nil at block level
	rt     *sidechain.Runtime
	db     *state.DB
	ref    uint64
	last   string
	clock  time.Time
	ticks  []string // at block level: logs of the newest block's ticks
	ids    int
}

// New opens a new chain of Genesis("gate") in memory.
func New(t testing.TB, contracts ...contract.Contract) *Chain {
	return Open(t, Genesis("gate"), contracts...)
}

// Open opens a new chain in memory.
func Open(t testing.TB, g *sidechain.Genesis, contracts ...contract.Contract) *Chain {
	t.Helper()
	text, err := g.Encode()
	if err != nil {
		t.Fatal(err)
	}
	db, err := state.Open("")
	if err != nil {
		t.Fatal(err)
	}
	engine, err := sidechain.OpenEngine(sidechain.EngineConfig{
		Genesis: g, GenesisBytes: text, DB: db, Contracts: contracts, CheckpointEvery: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return &Chain{t: t, engine: engine, db: db, last: engine.Head().RefID, clock: clock(t)}
}

func clock(t testing.TB) time.Time {
	start, err := time.Parse(base.TimeLayout, Start)
	if err != nil {
		t.Fatal(err)
	}
	return start
}

// Peer opens an empty chain with the peer's history whose first base block is
// ref. The contracts are deployed in one block by the account "hive-engine";
// the versions' order is theirs.
func Peer(t testing.TB, ref uint64, contracts ...contract.Contract) *Chain {
	t.Helper()
	db, err := state.Open("")
	if err != nil {
		t.Fatal(err)
	}
	cfg := sidechain.Config{
		Rules: sidechain.Rules{History: true}, Owner: "hive-engine", PegAccount: "honey-swap",
		UtilityToken: "BEE", Recorded: true,
	}
	for _, c := range contracts {
		cfg.Versions = append(cfg.Versions, sidechain.Version{Contract: c, Trusted: true})
	}
	rt, err := sidechain.NewRuntime(db, cfg, nil)
	if err != nil {
		t.Fatal(err)
	}
	rt.Trace(true)
	c := &Chain{t: t, rt: rt, db: db, ref: ref - 1, clock: clock(t)}
	for _, k := range contracts {
		c.Deploy(k)
	}
	return c
}

// Deploy deploys or updates a contract as "hive-engine" in a block of its own.
func (c *Chain) Deploy(k contract.Contract) Receipt {
	c.t.Helper()
	code := base64.StdEncoding.EncodeToString([]byte(k.CodeHash()))
	return c.Call("hive-engine", "contract", "deploy", fmt.Sprintf(`{"name":%q,"params":"","code":%q}`, k.Name(), code))
}

// Engine is the engine of a new chain.
func (c *Chain) Engine() *sidechain.Engine { return c.engine }

// DB is the store, for tests that need rows that no action makes.
func (c *Chain) DB() *state.DB { return c.db }

// Wait lets time and base blocks pass before the next block.
func (c *Chain) Wait(d time.Duration, blocks uint64) {
	c.clock = c.clock.Add(d)
	if c.engine == nil {
		c.ref += blocks
		return
	}
	for range blocks {
		c.apply(nil)
	}
}

// Op is one call of a block.
type Op struct {
	Sender, Contract, Action, Payload string
	Posting                           bool // signed with the posting key
}

// Call runs one call, with the active key, in a block of its own.
func (c *Chain) Call(sender, name, action, payload string) Receipt {
	c.t.Helper()
	return c.Block(Op{Sender: sender, Contract: name, Action: action, Payload: payload})[0]
}

// Block runs calls in one block. At block level the payloads count as they
// stand, and "isSignedWithActiveKey" is the test's to write.
func (c *Chain) Block(ops ...Op) []Receipt {
	c.t.Helper()
	if c.engine == nil {
		return c.produce(ops)
	}
	list := make([]graphene.Operation, len(ops))
	for i, op := range ops {
		custom := &graphene.CustomJSON{
			ID:   "ssc-causeway-test",
			JSON: fmt.Sprintf(`{"contractName":%q,"contractAction":%q,"contractPayload":%s}`, op.Contract, op.Action, op.Payload),
		}
		if op.Posting {
			custom.RequiredPostingAuths = []string{op.Sender}
		} else {
			custom.RequiredAuths = []string{op.Sender}
		}
		list[i] = custom
	}
	return c.Operations(list...)
}

// Operations runs operations of the base layer, each in a transaction of its
// own, in one block of a new chain. Each must be one call of a contract.
func (c *Chain) Operations(ops ...graphene.Operation) []Receipt {
	c.t.Helper()
	txs := make([]base.Transaction, len(ops))
	for i, op := range ops {
		c.ids++
		txs[i].ID = fmt.Sprintf("%040x", c.ids)
		txs[i].Operations = []graphene.Operation{op}
	}
	c.apply(txs)
	doc, _ := c.engine.Block(c.engine.Head().Block)
	list, _ := doc.Array("transactions")
	if len(list) != len(txs) {
		c.t.Fatalf("%d of %d transactions are in the block", len(list), len(txs))
	}
	out := make([]Receipt, len(txs))
	for i := range list {
		out[i] = readReceipt(c.t, list[i].(*jsvalue.Object))
		if out[i].ID != txs[i].ID {
			c.t.Fatalf("transaction %s stands in the place of %s", out[i].ID, txs[i].ID)
		}
	}
	return out
}

// apply makes a base block.
func (c *Chain) apply(txs []base.Transaction) {
	c.t.Helper()
	c.ref++
	c.clock = c.clock.Add(3 * time.Second)
	b := &base.Block{
		Number: c.ref, ID: fmt.Sprintf("%08x%032x", c.ref, c.ref), Previous: c.last,
		Timestamp: c.clock.Format(base.TimeLayout), Transactions: txs,
	}
	c.last = b.ID
	if err := c.engine.Apply(b); err != nil {
		c.t.Fatal(err)
	}
}

// produce makes a block at block level.
func (c *Chain) produce(ops []Op) []Receipt {
	c.t.Helper()
	c.ref++
	c.clock = c.clock.Add(3 * time.Second)
	in := sidechain.Input{Ref: c.ref, RefID: "ABCD1", PrevRefID: "ABCD2", Timestamp: c.clock.Format(base.TimeLayout)}
	for _, op := range ops {
		c.ids++
		in.Transactions = append(in.Transactions, &sidechain.Transaction{
			Ref: c.ref, HasRef: true, ID: fmt.Sprintf("TXID%08d", c.ids),
			Sender: sidechain.T(op.Sender), Contract: sidechain.T(op.Contract),
			Action: sidechain.T(op.Action), Payload: sidechain.T(op.Payload),
		})
	}
	b, trace, err := c.rt.Produce(in)
	if err != nil {
		c.t.Fatal(err)
	}
	c.db.Tables().Forget()
	c.ticks = nil
	for _, tx := range b.VirtualTransactions {
		c.ticks = append(c.ticks, tx.Logs)
	}
	var out []Receipt
	for i, tx := range b.Transactions {
		out = append(out, Receipt{tx.ID, tx.Logs, tx.ExecutedCodeHash, trace.Writes[i]})
	}
	return out
}

// Ticks are the logs of the newest block's virtual transactions.
func (c *Chain) Ticks() []string {
	c.t.Helper()
	if c.engine == nil {
		return c.ticks
	}
	doc, _ := c.engine.Block(c.engine.Head().Block)
	list, _ := doc.Array("virtualTransactions")
	var logs []string
	for _, tx := range list {
		text, _ := tx.(*jsvalue.Object).String("logs")
		logs = append(logs, text)
	}
	return logs
}

// Receipt is what a call left in its block.
type Receipt struct {
	ID, Logs, CodeHash string
	Writes             []string // at block level only
}

func readReceipt(t testing.TB, doc *jsvalue.Object) Receipt {
	var r Receipt
	for key, into := range map[string]*string{"transactionId": &r.ID, "logs": &r.Logs, "executedCodeHash": &r.CodeHash} {
		text, ok := doc.String(key)
		if !ok {
			t.Fatalf("transaction without %s", key)
		}
		*into = text
	}
	return r
}

// Time is the time of the newest block, in Unix seconds.
func (c *Chain) Time() int64 { return c.clock.Unix() }

// Rows are the rows of a contract's table by _id.
func (c *Chain) Rows(full string) (list []state.Row) {
	for row := range c.db.Tables().Table(full).All() {
		list = append(list, row)
	}
	return list
}

// Row is the first row of a contract's table that has these members, as JSON
// text; "" when there is none.
func (c *Chain) Row(full string, members ...any) string {
	t := c.db.Tables().Table(full)
	if t == nil {
		c.t.Fatalf("no table %s", full)
	}
	want := jsvalue.NewObject(members...)
	for row := range t.All() {
		match := true
		for key, v := range want.All() {
			match = match && jsvalue.Equal(row.Get(key), v)
		}
		if match {
			return jsvalue.Stringify(row)
		}
	}
	return ""
}

// Balance is what an account holds of a token, "" without a row.
func (c *Chain) Balance(account, symbol string) string {
	return c.member("tokens_balances", account, symbol)
}

// ContractBalance is what a contract holds of a token, "" without a row.
func (c *Chain) ContractBalance(name, symbol string) string {
	return c.member("tokens_contractsBalances", name, symbol)
}

func (c *Chain) member(table, account, symbol string) string {
	row := c.db.Tables().Table(table).Find1("account+symbol", account, symbol)
	if row == nil {
		return ""
	}
	text, _ := row.String("balance")
	return text
}

// Token is a member of a token's row, as text.
func (c *Chain) Token(symbol, key string) string {
	row := c.db.Tables().Table("tokens_tokens").Find1("symbol", symbol)
	if row == nil {
		return ""
	}
	return jsvalue.ToString(row.Get(key))
}
