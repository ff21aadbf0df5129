package gateway

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/chains/devnet"
	"causeway/chains/utxo"
	"causeway/chains/utxo/rpcnode"
	"causeway/hotwallet"
	"causeway/pegs/contract"
	"causeway/sidechain"
	"causeway/sidechain/base/solo"
	sidecontract "causeway/sidechain/contract"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/graphene"
	"causeway/sidechain/state"
)

const testMnemonic = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"

// world is a whole network in one process: an embedded Bitcoin, a sequencer, an
// engine and a gateway, all of them the real ones.
type world struct {
	t          *testing.T
	dir        string
	log        *slog.Logger
	genesis    *sidechain.Genesis
	text       []byte
	chainID    [32]byte
	btc        *devnet.Chain
	rpc        *ScanNode
	node       *node
	clock      *testClock
	miner      string
	money      *utxo.Coin
	outside    chains.Source // instead of btc's, for the signer
	tune       func(*Config) // of the gateway
	caps       hotwallet.SignerCaps
	tuneSigner func(*hotwallet.SignerConfig)
}

// node is the part that is stopped and started again.
type node struct {
	store     *solo.Store
	db        *state.DB
	engine    *sidechain.Engine
	signer    *hotwallet.LocalSigner
	sequencer *solo.Sequencer
	gateway   *Gateway
	stop      func()
	done      chan error
}

// testClock goes two seconds further whenever a block is tried.
type testClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *testClock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *testClock) tick() {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(2 * time.Second)
}

func testKey(account string) graphene.PrivateKey {
	key, err := graphene.LoginKey(account, "active", "causeway")
	if err != nil {
		panic(err)
	}
	return key
}

func testGenesis(t *testing.T, chain chains.ID) *sidechain.Genesis {
	wallet, err := hotwallet.NewWallet(hotwallet.NewSecret(testMnemonic), chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	p, err := wallet.MasterKey(chain, 0)
	if err != nil {
		t.Fatal(err)
	}
	g := &sidechain.Genesis{
		Format: sidechain.GenesisFormat, ChainID: "causeway-test", Timestamp: "2026-01-01T00:00:00",
		Profile: sidechain.Profile{UtilityToken: "BEE", NativePeg: "SWAP.HIVE", BaseCoin: "HIVE", AddressPrefix: "STM"},
		Network: "regtest", Sequencer: testKey("sequencer").Public().String(), Admin: "causeway",
		Reserved: []string{"null", "temp", "miners"}, Accounts: []sidechain.GenesisAccount{},
		Pegs:   sidechain.GenesisPegs{Attestors: []string{"gateway"}, Threshold: 1, FeeAccount: "pegfees", Gate: "peg", AdminDelay: 100},
		Keys:   []sidechain.GenesisKey{{Chain: string(chain), Key: hex.EncodeToString(p[:])}},
		Params: sidechain.GenesisParams{AccountFee: "3.000 HIVE", MaxBlockTransactions: 50, TokenCreationFee: "100"},
		Assets: []sidechain.GenesisAsset{{
			Symbol: symbolOf(chain), Chain: string(chain), Precision: 8, MinDeposit: "0.00010000", MinWithdrawal: "0.00010000",
			WithdrawalFee: "0.00005000", FeeMax: "0.01000000", SupplyCap: "21000000.00000000", MintCap: "21000000.00000000",
			LargeMint: "21000000.00000000",
		}},
		Switches: map[string]bool{},
	}
	for _, name := range []string{"causeway", "gateway", "alice", "bob", "carol"} {
		key := testKey(name).Public().String()
		g.Accounts = append(g.Accounts, sidechain.GenesisAccount{
			Name: name, Owner: key, Active: key, Posting: key, Memo: key, Base: "1000.000 HIVE", Tokens: map[string]string{"BEE": "10000"},
		})
	}
	return g
}

func symbolOf(chain chains.ID) string { return "SWAP." + strings.ToUpper(string(chain)) }

// newWorld starts a chain with 110 blocks, and nothing else.
func newWorld(t *testing.T) *world {
	t.Helper()
	coin, err := bitcoin.New(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	w := newWorldOf(t, coin)
	if w.btc, err = devnet.New(devnet.Config{Params: devnet.Bitcoin()}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.btc.Close() })
	if w.rpc, err = NewScanNode(w.btc.URL()); err != nil {
		t.Fatal(err)
	}
	w.call(&w.miner, "getnewaddress")
	return w
}

// newWorldOf is a network beside the chain of a coin that runs elsewhere.
func newWorldOf(t *testing.T, coin *utxo.Coin) *world {
	t.Helper()
	w := &world{t: t, dir: t.TempDir(), log: slog.New(slog.DiscardHandler), genesis: testGenesis(t, coin.ID()), money: coin}
	w.caps = hotwallet.SignerCaps{
		Caps: hotwallet.Caps{MaxFee: chains.NewAmount(1_000_000), MaxRate: 1_000_000}, MaxTotal: chains.NewAmount(100_00000000),
	}
	if os.Getenv("CAUSEWAY_TEST_LOG") != "" {
		w.log = slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelDebug}))
	}
	var err error
	if w.text, err = w.genesis.Encode(); err != nil {
		t.Fatal(err)
	}
	w.chainID = sidechain.BaseChainID(w.text)
	w.clock = &testClock{now: time.Date(2026, 1, 1, 0, 10, 0, 0, time.UTC)}
	return w
}

func (w *world) call(result any, method string, params ...any) {
	w.t.Helper()
	if params == nil {
		params = []any{}
	}
	if result == nil {
		result = new(any)
	}
	if err := w.rpc.Call(context.Background(), method, params, result); err != nil {
		w.t.Fatal(err)
	}
}

func (w *world) mine(n int) {
	w.t.Helper()
	w.call(nil, "generatetoaddress", n, w.miner)
}

// pay sends coins to an address and gives the txid.
func (w *world) pay(address, amount string) (txid string) {
	w.t.Helper()
	w.call(&txid, "sendtoaddress", address, json.Number(amount))
	return txid
}

func (w *world) coin() *utxo.Coin { return w.money }

// open opens the stores, as a process does at its start.
func (w *world) open() (*node, error) {
	n := &node{}
	var err error
	fail := func(err error) (*node, error) { n.close(); return nil, err }
	if n.store, err = solo.OpenStore(filepath.Join(w.dir, "base.db"), w.chainID, solo.StoreOptions{NoSync: true}); err != nil {
		return fail(err)
	}
	if n.db, err = state.Open(filepath.Join(w.dir, "sidechain.db")); err != nil {
		return fail(err)
	}
	contracts := []sidecontract.Contract{tokens.New(), contract.New()}
	machine, err := solo.NewMachine(solo.MachineConfig{Genesis: w.genesis, ChainID: w.chainID, ContractNames: []string{"tokens", "pegs"}})
	if err != nil {
		return fail(err)
	}
	n.engine, err = sidechain.OpenEngine(sidechain.EngineConfig{
		Genesis: w.genesis, GenesisBytes: w.text, DB: n.db, Contracts: contracts, Machine: machine, Logger: w.log,
	})
	if err != nil {
		return fail(err)
	}
	n.sequencer, err = solo.New(context.Background(), solo.Config{
		Machine: machine, Store: n.store, State: n.db, Executor: n.engine, Logger: w.log, AccountsOpen: true,
		Signer: solo.KeySigner{Key: testKey("sequencer"), ChainID: w.chainID}, Clock: w.clock.time, NoGapRule: true,
	})
	if err != nil {
		return fail(err)
	}
	if err := w.openSigner(n); err != nil {
		return fail(err)
	}
	if n.gateway, err = Open(w.config(n)); err != nil {
		return fail(err)
	}
	return n, nil
}

func (w *world) wallet() *hotwallet.Wallet {
	wallet, err := hotwallet.NewWallet(hotwallet.NewSecret(testMnemonic), chains.Regtest)
	if err != nil {
		w.t.Fatal(err)
	}
	return wallet
}

func (w *world) openSigner(n *node) error {
	role, err := hotwallet.NewRoleKey(hotwallet.RoleAttestor, "gateway", hotwallet.NewSecret(testKey("gateway").WIF()))
	if err != nil {
		return err
	}
	cfg := hotwallet.SignerConfig{
		Journal: filepath.Join(w.dir, "signer.db"), Wallet: w.wallet(), Roles: []hotwallet.RoleKey{role}, Coins: []*utxo.Coin{w.coin()},
		Caps:        map[chains.ID]hotwallet.SignerCaps{w.coin().ID(): w.caps},
		BaseChainID: w.chainID, ContractID: "ssc-causeway-test", Sequencer: testKey("sequencer").Public(),
		Final: hotwallet.Finality([]hotwallet.FinalChain{{Coin: w.coin(), Source: w.source(), Depth: 3}}, nil),
	}
	if w.tuneSigner != nil {
		w.tuneSigner(&cfg)
	}
	n.signer, err = hotwallet.OpenSigner(cfg)
	return err
}

func (w *world) config(n *node) Config {
	extra := uint64(1)
	cfg := Config{
		Home: w.dir, Network: chains.Regtest, NetworkID: hex.EncodeToString(w.chainID[:]),
		Chains: []ChainConfig{{
			Coin: w.coin(), Source: w.source(), Quorum: 1, Scanner: w.rpc, Confirmations: 2, InputExtra: &extra,
			Poll: 20 * time.Millisecond, FeeMin: 1000, FeeMax: 1_000_000,
		}},
		Sidechain: NewSidechain(n.engine, n.store), Signer: n.signer, Keys: w.wallet(), Log: w.log,
		Submitter:  NewAttestor(n.sequencer, n.signer, "gateway", "causeway-test"),
		RetryAfter: 300 * time.Millisecond, SealEvery: 7,
	}
	if w.tune != nil {
		w.tune(&cfg)
	}
	return cfg
}

// source is the chain's node.
func (w *world) source() chains.Source {
	w.t.Helper()
	if w.outside != nil {
		return w.outside
	}
	source, err := rpcnode.New(w.btc.URL(), w.coin(), rpcnode.Options{Logger: w.log})
	if err != nil {
		w.t.Fatal(err)
	}
	return source
}

func (n *node) close() {
	if n.gateway != nil {
		n.gateway.Close()
	}
	if n.signer != nil {
		n.signer.Close()
	}
	if n.engine != nil {
		n.engine.Close()
	}
	if n.db != nil {
		n.db.Close()
	}
	if n.store != nil {
		n.store.Close()
	}
}

// start opens the node and runs it, a base block whenever something is pending.
func (w *world) start() {
	w.t.Helper()
	n, err := w.open()
	if err != nil {
		w.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	n.done = make(chan error, 1)
	producing := make(chan struct{})
	go func() {
		defer close(producing)
		for ctx.Err() == nil {
			w.clock.tick()
			if _, err := n.sequencer.Produce(ctx); err != nil && ctx.Err() == nil {
				w.t.Errorf("produce: %v", err)
				return
			}
			sleep(ctx, 10*time.Millisecond)
		}
	}()
	go func() { n.done <- n.gateway.Run(ctx) }()
	var once sync.Once
	n.stop = func() {
		once.Do(func() {
			cancel()
			<-producing
			if err := <-n.done; err != nil {
				w.t.Errorf("gateway: %v", err)
			}
			n.close()
		})
	}
	w.node = n
	w.t.Cleanup(n.stop)
}

// act broadcasts a call of a contract and gives its transaction id.
func (w *world) act(account, name, action, payload string) string {
	w.t.Helper()
	return w.broadcast(account, &graphene.CustomJSON{
		RequiredAuths: []string{account}, RequiredPostingAuths: []string{}, ID: "ssc-causeway-test",
		JSON: fmt.Sprintf(`{"contractName":%q,"contractAction":%q,"contractPayload":%s}`, name, action, payload),
	})
}

// wait asks until the answer is yes.
func (w *world) wait(what string, ask func() bool) {
	w.t.Helper()
	end := time.Now().Add(15 * time.Second)
	for !ask() {
		if time.Now().After(end) {
			w.t.Fatalf("waited in vain for: %s\n%s", what, w.describe())
		}
		time.Sleep(5 * time.Millisecond)
	}
}

// describe prints the items for a failed test.
func (w *world) describe() string {
	var b strings.Builder
	deposits, _ := w.node.gateway.Deposits("", "", 100)
	withdrawals, _ := w.node.gateway.Withdrawals("", "", 100)
	audit, err := w.node.gateway.Audit(context.Background())
	enc := json.NewEncoder(&b)
	enc.SetIndent("", " ")
	for _, v := range []any{deposits.Items, withdrawals.Items, audit, w.node.gateway.ChainStatus()} {
		_ = enc.Encode(v)
	}
	fmt.Fprintln(&b, audit.Problems, err)
	return b.String()
}

func (w *world) depositAddress(account string) string {
	w.t.Helper()
	a, err := w.node.gateway.DepositAddress(string(w.coin().ID()), account)
	if err != nil {
		w.t.Fatal(err)
	}
	return a.Address
}

// deposits lists an account's deposits by state.
func (w *world) deposits(account string) map[string][]Deposit {
	page, err := w.node.gateway.Deposits(account, "", 500)
	if err != nil {
		w.t.Fatal(err)
	}
	by := map[string][]Deposit{}
	for _, d := range page.Items {
		by[d.State] = append(by[d.State], d)
	}
	return by
}

func (w *world) withdrawal(id string) Withdrawal {
	v, err := w.node.gateway.Withdrawal(id)
	if err != nil {
		return Withdrawal{}
	}
	return v
}

// balance is what an account holds of the peg, by the rows.
func (w *world) balance(account string) string {
	db := w.node.db
	db.RLock()
	defer db.RUnlock()
	row := db.Tables().Table("tokens_balances").Find1("account+symbol", account, symbolOf(w.coin().ID()))
	if row == nil {
		return "0"
	}
	return textOf(row, "balance")
}

// balanced audits and fails unless the books balance.
func (w *world) balanced() Audit {
	w.t.Helper()
	audit, err := w.node.gateway.Audit(context.Background())
	if err != nil {
		w.t.Fatal(err)
	}
	if !audit.OK {
		w.t.Fatalf("the audit is not ok: %s\n%s", strings.Join(audit.Problems, "\n"), w.describe())
	}
	return audit
}

// broadcast signs operations with an account's key and hands them in.
func (w *world) broadcast(account string, ops ...graphene.Operation) string {
	w.t.Helper()
	head := w.node.sequencer.Properties()
	id, err := graphene.ParseBlockID(head.HeadBlockID)
	if err != nil {
		w.t.Fatal(err)
	}
	now, err := graphene.ParseTime(head.Time)
	if err != nil {
		w.t.Fatal(err)
	}
	tx := &graphene.Transaction{
		RefBlockNum: uint16(head.HeadBlockNumber), RefBlockPrefix: id.RefPrefix(), Expiration: graphene.FormatTime(now + 60),
		Operations: ops,
	}
	signed, err := tx.Sign(w.chainID, testKey(account))
	if err != nil {
		w.t.Fatal(err)
	}
	if err := w.node.sequencer.Broadcast(context.Background(), signed); err != nil {
		w.t.Fatal(err)
	}
	return signed.ID()
}

func tohex(b []byte) string { return hex.EncodeToString(b) }

func unhex(t *testing.T, text string) []byte {
	b, err := hex.DecodeString(text)
	if err != nil {
		t.Fatal(err)
	}
	return b
}
