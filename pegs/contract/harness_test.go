package contract

import (
	"encoding/hex"
	"fmt"
	"slices"
	"strings"
	"testing"

	"causeway/sidechain"
	"causeway/sidechain/base"
	seam "causeway/sidechain/contract"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// network is a chain in memory: the real engine with the contracts tokens and
// pegs, fed with base blocks whose signatures count as checked.
type network struct {
	t      *testing.T
	engine *sidechain.Engine
	number uint64
	id     string
	nonce  int
}

// directory is a base layer that only knows its accounts.
type directory map[string]bool

func (d directory) Genesis(*state.Section) error                     { return nil }
func (d directory) Apply(*state.Section, *base.Block) error          { return nil }
func (d directory) AccountExists(_ *state.Section, name string) bool { return d[name] }
func genesisAccount(name string, bee string) sidechain.GenesisAccount {
	return sidechain.GenesisAccount{Name: name, Base: "0.000 HIVE", Tokens: map[string]string{"BEE": bee}}
}

const (
	erc20       = "0x5c88E7A226E11ad1204Cb8D30cD5D6ff6CBa69bc"
	btcAddress  = "bcrt1q6xj6exspt7kzaaang9nnvd239g23raqlszyhgm"
	ethAddress  = "0x52908400098527886E0F7030069857D2E4169EE7"
	dogeAddress = "mzdTzPn6fRjJxBHQT58viSe1T6eHPrEe33"
	goodKey     = "02707a62fdacc26ea9b63b1c197906f56ee0180d0bcf1966e1a2da34f5f3a09a9b"
)

func defaultGenesis() *sidechain.Genesis {
	token := erc20
	asset := func(symbol, chain string, token *string, precision int) sidechain.GenesisAsset {
		fixed := func(s string) string { return jsvalue.Big(s).ToFixedN(precision) }
		fee := "0.00020000"
		return sidechain.GenesisAsset{
			Symbol: symbol, Chain: chain, Token: token, Precision: precision, MinDeposit: fixed("0.0001"),
			MinWithdrawal: fixed("0.001"), WithdrawalFee: fee, FeeMax: "0.01000000",
			SupplyCap: fixed("100"), MintCap: fixed("20"), LargeMint: fixed("5"), MintDelay: 10,
		}
	}
	return &sidechain.Genesis{
		Format: sidechain.GenesisFormat, ChainID: "test", Timestamp: "2026-01-01T00:00:00", Network: "regtest",
		Profile:   sidechain.Profile{UtilityToken: "BEE", NativePeg: "SWAP.HIVE", BaseCoin: "HIVE", AddressPrefix: "STM"},
		Sequencer: "STM8ax7PVfL5rFHrzr1ffwMpAbV871TQLzFknu7YWm67Bu7JPVgtw", Admin: "causeway",
		Reserved: []string{"null"},
		Accounts: []sidechain.GenesisAccount{
			genesisAccount("causeway", "10000"), genesisAccount("att-one", "0.1"), genesisAccount("att-two", "0.1"),
			genesisAccount("att-three", "0.1"), genesisAccount("alice", "10000"), genesisAccount("bob", "10000"),
			genesisAccount("sequencer", "10000"),
		},
		Pegs: sidechain.GenesisPegs{Attestors: []string{"att-one"}, Threshold: 1, FeeAccount: "pegfees", Gate: "peg", AdminDelay: 5},
		Keys: []sidechain.GenesisKey{{Chain: "btc", Epoch: 0, Key: goodKey, Birthday: 0}},
		Assets: []sidechain.GenesisAsset{
			asset("SWAP.BTC", "btc", nil, 8), asset("SWAP.DOGE", "doge", nil, 8),
			asset("SWAP.ETH", "eth", nil, 8), asset("SWAP.USDC", "eth", &token, 6),
		},
		Params:   sidechain.GenesisParams{AccountFee: "3.000 HIVE", MaxBlockTransactions: 100, TokenCreationFee: "100", EnableStakingFee: "1000", EnableDelegationFee: "1000"},
		Switches: map[string]bool{"gate": true},
	}
}

// newNetwork starts a chain; options change the default genesis, in which
// att-one is the only attestor.
func newNetwork(t *testing.T, options ...func(*sidechain.Genesis)) *network {
	t.Helper()
	g := defaultGenesis()
	for _, option := range options {
		option(g)
	}
	text, err := g.Encode()
	if err != nil {
		t.Fatal(err)
	}
	if g, err = sidechain.LoadGenesis(text); err != nil {
		t.Fatal(err)
	}
	db, err := state.Open("")
	if err != nil {
		t.Fatal(err)
	}
	accounts := directory{}
	for _, a := range g.Accounts {
		accounts[a.Name] = true
	}
	e, err := sidechain.OpenEngine(sidechain.EngineConfig{
		Genesis: g, GenesisBytes: text, DB: db, Contracts: []seam.Contract{tokens.New(), New()}, Machine: accounts, CheckpointEvery: -1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return &network{t: t, engine: e, id: strings.Repeat("0", 40)}
}

// twoOfThree makes three attestors with threshold two.
func twoOfThree(g *sidechain.Genesis) {
	g.Pegs.Attestors, g.Pegs.Threshold = []string{"att-one", "att-two", "att-three"}, 2
}

// op is one call of a contract.
type op struct {
	sender, contract, action string
	payload                  *jsvalue.Object
	posting                  bool
}

// receipt is what a call did.
type receipt struct {
	id     string
	errors []string
	events []*jsvalue.Object
}

func (r receipt) event(name string) *jsvalue.Object {
	for _, e := range r.events {
		if e.Get("event") == name {
			data, _ := e.Object("data")
			return data
		}
	}
	return nil
}

// block executes the next base block with a transaction for each call.
func (n *network) block(ops ...op) []receipt {
	n.t.Helper()
	n.number++
	b := &base.Block{Number: n.number, ID: fmt.Sprintf("%08x%032x", n.number, 1), Previous: n.id, Timestamp: "2026-01-01T00:00:03"}
	for _, o := range ops {
		n.nonce++
		call := jsvalue.NewObject("contractName", o.contract, "contractAction", o.action, "contractPayload", o.payload)
		custom := &graphene.CustomJSON{ID: "ssc-test", JSON: jsvalue.Stringify(call), RequiredAuths: []string{o.sender}}
		if o.posting {
			custom.RequiredAuths, custom.RequiredPostingAuths = nil, []string{o.sender}
		}
		tx := base.Transaction{ID: fmt.Sprintf("%040x", n.nonce)}
		tx.Operations = []graphene.Operation{custom}
		b.Transactions = append(b.Transactions, tx)
	}
	if err := n.engine.Apply(b); err != nil {
		n.t.Fatal(err)
	}
	n.id = b.ID
	receipts := make([]receipt, len(b.Transactions))
	for i, tx := range b.Transactions {
		doc, ok := n.engine.Transaction(tx.ID).(*jsvalue.Object)
		if !ok {
			n.t.Fatalf("transaction %s left no receipt", tx.ID)
		}
		receipts[i] = readReceipt(n.t, tx.ID, doc)
	}
	return receipts
}

func readReceipt(t *testing.T, id string, doc *jsvalue.Object) receipt {
	t.Helper()
	logs, _ := doc.String("logs")
	v, err := jsvalue.Parse(logs)
	if err != nil {
		t.Fatal(err)
	}
	r := receipt{id: id}
	r.errors, _ = texts(v.(*jsvalue.Object), "errors")
	events, _ := v.(*jsvalue.Object).Array("events")
	for _, e := range events {
		r.events = append(r.events, e.(*jsvalue.Object))
	}
	return r
}

// wait executes base blocks without transactions.
func (n *network) wait(blocks int) {
	n.t.Helper()
	for range blocks {
		n.block()
	}
}

// tick executes a block with an unrelated transaction, so that ticks run.
func (n *network) tick() {
	n.t.Helper()
	n.block(op{sender: "bob", contract: "tokens", action: "updateUrl", payload: jsvalue.NewObject()})
}

// call runs one action of pegs in a block of its own.
func (n *network) call(sender, action string, kv ...any) receipt {
	n.t.Helper()
	return n.block(op{sender: sender, contract: Name, action: action, payload: jsvalue.NewObject(kv...)})[0]
}

// must is call that has to succeed.
func (n *network) must(sender, action string, kv ...any) receipt {
	n.t.Helper()
	r := n.call(sender, action, kv...)
	if len(r.errors) > 0 {
		n.t.Fatalf("%s.%s: %v", sender, action, r.errors)
	}
	return r
}

// refused is call that has to fail with one text and leave no row.
func (n *network) refused(want, sender, action string, kv ...any) {
	n.t.Helper()
	before := n.pegRoot()
	r := n.call(sender, action, kv...)
	if len(r.errors) == 0 || !slices.Contains(r.errors, want) {
		n.t.Errorf("%s.%s(%v): %v, want %q", sender, action, kv, r.errors, want)
	}
	if len(r.events) > 0 {
		n.t.Errorf("%s.%s failed and emitted %s", sender, action, jsvalue.Stringify(r.events[0]))
	}
	if after := n.pegRoot(); after != before {
		n.t.Errorf("%s.%s failed and left rows", sender, action)
	}
}

// pegRoot is the text of all rows of the contracts, without their bookkeeping.
func (n *network) pegRoot() string {
	var b strings.Builder
	tables := n.engine.DB().Tables()
	for _, name := range tables.TableNames() {
		if !strings.HasPrefix(name, "pegs_") && !strings.HasPrefix(name, "tokens_") {
			continue
		}
		b.WriteString(name)
		for row := range tables.Table(name).All() {
			b.WriteString(jsvalue.Stringify(row))
		}
	}
	return b.String()
}

func (n *network) table(name string) *state.Table { return n.engine.DB().Tables().Table(name) }

func (n *network) balance(account, symbol string) string {
	row := n.table("tokens_balances").Find1("account+symbol", account, symbol)
	if row == nil {
		return "0"
	}
	return text(row, "balance")
}

func (n *network) wantBalance(account, symbol, want string) {
	n.t.Helper()
	if got := n.balance(account, symbol); !jsvalue.Big(got).Eq(jsvalue.Big(want)) {
		n.t.Errorf("%s has %s %s, want %s", account, got, symbol, want)
	}
}

func (n *network) withdrawalState(id string) string {
	row := n.table("pegs_withdrawals").Get(jsvalue.NewObject("id", id))
	if row == nil {
		return ""
	}
	return text(row, "state")
}

// supply sums what everybody but null holds and checks it against the token's
// own figure.
func (n *network) supply(symbol string) jsvalue.BigNumber {
	n.t.Helper()
	sum := jsvalue.BigInt(0)
	for _, table := range []string{"tokens_balances", "tokens_contractsBalances"} {
		for row := range n.table(table).All() {
			if row.Get("symbol") == symbol && row.Get("account") != null {
				for _, member := range []string{"balance", "stake", "pendingUnstake", "delegationsOut", "pendingUndelegations"} {
					sum = sum.Plus(jsvalue.Big(text(row, member)))
				}
			}
		}
	}
	token := n.table("tokens_tokens").Find1("symbol", symbol)
	if circulating := jsvalue.Big(text(token, "circulatingSupply")); !circulating.Eq(sum) {
		n.t.Fatalf("%s: accounts hold %s, the token says %s", symbol, sum.ToFixed(), circulating.ToFixed())
	}
	return sum
}

// deposit mints for a test and returns the deposit's id.
func (n *network) deposit(symbol, to, quantity string) string {
	n.t.Helper()
	n.nonce++
	hash := fmt.Sprintf("%064x", n.nonce)
	id := map[string]string{
		"SWAP.BTC": "btc:" + hash + ":0", "SWAP.DOGE": "doge:" + hash + ":0", "SWAP.ETH": "eth:0x" + hash[24:] + ":0", "SWAP.USDC": "eth:0x" + hash + ":0",
	}[symbol]
	n.must("att-one", "mint", "id", id, "symbol", symbol, "quantity", quantity, "to", to)
	return id
}

func txHash(i int) string {
	return hex.EncodeToString([]byte(fmt.Sprintf("%032d", i)))
}
