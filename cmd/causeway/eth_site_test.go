package main

import (
	"encoding/json"
	"fmt"
	"math/big"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causeway/chains"
	"causeway/chains/ethereum"
	"causeway/chains/ethereum/erc20test"
	"causeway/gateway"
	"causeway/hotwallet"
	"causeway/internal/nodetest"
	"causeway/sidechain/graphene"
)

// anvilSite is a home of a gateway beside an anvil with tokens, and the process on
// it.
type anvilSite struct {
	*process // the newest

	t      *testing.T
	node   *nodetest.EVM
	purse  ethereum.Address // of anvil's, pays for everything
	home   string
	env    []string
	urls   []string            // of the nodes that the gateway asks
	key    graphene.PrivateKey // active, of every account
	tokens []TokenConfig
	payer  ethereum.Address
	fresh  byte // of newPayee
}

// usd is the token that tests use if they do not say otherwise.
var usd = TokenConfig{Symbol: "SWAP.USDC", Decimals: 6}

// prepareAnvil starts an anvil, makes the contracts of tokens on it and says by the
// environment all that run needs.
func prepareAnvil(t *testing.T, tokens ...TokenConfig) *anvilSite {
	t.Helper()
	s := &anvilSite{t: t, node: nodetest.Anvil(t), home: filepath.Join(t.TempDir(), "home")}
	var accounts []ethereum.Address
	s.node.Call(&accounts, "eth_accounts")
	s.purse = accounts[0]
	var err error
	if s.key, err = graphene.LoginKey("alice", "active", testPassword); err != nil {
		t.Fatal(err)
	}
	for _, token := range tokens {
		supply := new(big.Int).Mul(big.NewInt(1_000_000), new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(token.Decimals)), nil))
		token.Address = s.create(erc20test.CreateToken("Test", token.Symbol, uint8(token.Decimals), supply)).String()
		s.tokens = append(s.tokens, token)
	}
	s.payer = s.create(erc20test.CreatePayer())
	s.urls = []string{s.node.URL}
	s.env = []string{
		"CAUSEWAY_HTTP_LISTEN=127.0.0.1:0", "CAUSEWAY_HTTP_ADMIN=127.0.0.1:0", "CAUSEWAY_BASE_BLOCK_INTERVAL=1s",
		"CAUSEWAY_CHAINS_BTC_ENABLED=false", "CAUSEWAY_CHAINS_ETH_ENABLED=true", "CAUSEWAY_CHAINS_ETH_POLL=100ms",
		fmt.Sprintf("CAUSEWAY_CHAINS_ETH_CHAIN_ID=%d", nodetest.AnvilChainID),
	}
	return s
}

// newAnvilSite runs a home, whose keys open at once, with accounts alice, bob and
// carol, beside an anvil.
func newAnvilSite(t *testing.T, tokens ...TokenConfig) *anvilSite {
	t.Helper()
	s := prepareAnvil(t, tokens...)
	s.make()
	s.start()
	return s
}

// make makes the home as init does.
func (s *anvilSite) make() {
	s.t.Helper()
	o := initOptions{
		home: s.home, network: "regtest", admin: "causeway", attestor: "gateway", workFactor: 1,
		passphrase: hotwallet.NewSecret(testPassphrase), timestamp: time.Now().UTC(), cfg: defaultConfig("regtest"),
	}
	o.cfg.Chains.ETH.Tokens = map[string]TokenConfig{}
	for _, token := range s.tokens {
		o.cfg.Chains.ETH.Tokens[strings.TrimPrefix(token.Symbol, "SWAP.")] = token
	}
	var err error
	public := s.key.Public().String()
	o.extra, err = parseAccounts([]string{"alice=" + public, "bob=" + public, "carol=" + public}, o.network)
	must(s.t, err)
	_, err = o.make()
	must(s.t, err)
}

// environ is the environment of the process.
func (s *anvilSite) environ() []string {
	return append(s.env[:len(s.env):len(s.env)], "CAUSEWAY_CHAINS_ETH_NODES="+strings.Join(s.urls, ","))
}

// start runs the home.
func (s *anvilSite) start() {
	s.t.Helper()
	s.process = serve(s.t, s.home, s.environ(), "run", "--home", s.home)
}

// restart kills the process and starts it again.
func (s *anvilSite) restart() {
	s.t.Helper()
	s.kill()
	s.start()
}

// command runs causeway to its end beside or after the process.
func (s *anvilSite) command(want int, args ...string) (stdout, stderr string) {
	s.t.Helper()
	code, stdout, stderr := exitOf(s.t, s.environ(), args...)
	if code != want {
		s.t.Fatalf("causeway %s: exit %d, want %d:\n%s\n%s", strings.Join(args, " "), code, want, stdout, stderr)
	}
	return stdout, stderr
}

// send has anvil's account send wei and data to somebody, in the next block.
func (s *anvilSite) send(to ethereum.Address, wei *big.Int, data []byte) (txid string) {
	s.t.Helper()
	return s.node.Send(map[string]any{"from": s.purse, "to": to, "value": fmt.Sprintf("0x%x", wei), "data": fmt.Sprintf("0x%x", data), "gas": "0x100000"})
}

// pay pays ether to somebody.
func (s *anvilSite) pay(to ethereum.Address, amount string) (txid string) {
	s.t.Helper()
	return s.send(to, units(s.t, amount, 18), nil)
}

// payToken pays a token to somebody.
func (s *anvilSite) payToken(token TokenConfig, to ethereum.Address, amount string) (txid string) {
	s.t.Helper()
	return s.send(account(s.t, token.Address), new(big.Int), erc20test.Transfer(to, units(s.t, amount, token.Decimals)))
}

// create makes a contract in a block.
func (s *anvilSite) create(data []byte) ethereum.Address {
	s.t.Helper()
	txid := s.node.Send(map[string]any{"from": s.purse, "data": fmt.Sprintf("0x%x", data), "gas": "0x300000"})
	s.node.Mine(1)
	var receipt struct {
		Contract *ethereum.Address `json:"contractAddress"`
	}
	s.node.Call(&receipt, "eth_getTransactionReceipt", txid)
	if receipt.Contract == nil {
		s.t.Fatalf("no contract was made by %s", txid)
	}
	return *receipt.Contract
}

// newPayee is an account that nobody ever used.
func (s *anvilSite) newPayee() (a ethereum.Address) {
	s.fresh++
	a[0], a[19] = 0xfe, s.fresh
	return a
}

// payee is a contract that takes ether in its way.
func (s *anvilSite) payee(mode erc20test.Mode) ethereum.Address {
	s.t.Helper()
	a := s.create(erc20test.CreatePayee())
	s.send(a, new(big.Int), erc20test.SetMode(mode))
	s.node.Mine(1)
	return a
}

// units is an amount in the smallest units.
func units(t *testing.T, amount string, decimals int) *big.Int {
	t.Helper()
	a, err := chains.FromCoin(amount, decimals)
	must(t, err)
	return a.Big()
}

// account reads the address of an account.
func account(t *testing.T, text string) ethereum.Address {
	t.Helper()
	a, err := ethereum.ParseAddress(text)
	must(t, err)
	return a
}

// holds is what anvil itself says that an account has, in coins: of ether, or of a
// token.
func (s *anvilSite) holds(a ethereum.Address, token *TokenConfig) string {
	s.t.Helper()
	var text string
	decimals := 18
	if token == nil {
		s.node.Call(&text, "eth_getBalance", a, "latest")
	} else {
		decimals = token.Decimals
		s.node.Call(&text, "eth_call", map[string]any{"to": token.Address, "data": fmt.Sprintf("0x%x", erc20test.BalanceOf(a))}, "latest")
	}
	n, ok := new(big.Int).SetString(strings.TrimPrefix(text, "0x"), 16)
	if !ok {
		s.t.Fatalf("a balance of %q", text)
	}
	amount, err := chains.AmountFromBig(n)
	must(s.t, err)
	return amount.Coin(decimals)
}

// tokenOf is the token of a peg; nil is ether.
func (s *anvilSite) tokenOf(symbol string) *TokenConfig {
	for i := range s.tokens {
		if s.tokens[i].Symbol == symbol {
			return &s.tokens[i]
		}
	}
	return nil
}

// ethAddress is where an account pays in.
func (p *process) ethAddress(of string) ethereum.Address {
	p.t.Helper()
	var a gateway.DepositAddress
	must(p.t, p.post(p.t.Context(), "/v1/deposit-addresses", map[string]string{"chain": "eth", "account": of}, &a))
	return account(p.t, a.Address)
}

// ethStatus is the state of the chain.
func (p *process) ethStatus() gateway.ChainStatus {
	p.t.Helper()
	var s struct {
		Chains []gateway.ChainStatus `json:"chains"`
	}
	must(p.t, p.get(p.t.Context(), "/v1/status", &s))
	if len(s.Chains) != 1 || s.Chains[0].Chain != "eth" {
		p.t.Fatalf("status: %s", show(s))
	}
	return s.Chains[0]
}

// withdrawals lists those of everybody.
func (p *process) allWithdrawals() []gateway.Withdrawal {
	p.t.Helper()
	var page gateway.Page[gateway.Withdrawal]
	must(p.t, p.get(p.t.Context(), "/v1/withdrawals?limit=500", &page))
	return page.Items
}

// burn asks for a withdrawal and returns its id.
func (s *anvilSite) burn(from, symbol, quantity string, to ethereum.Address) string {
	s.t.Helper()
	id, err := s.contract(s.t.Context(), from, s.key, "pegs", "withdraw", map[string]any{"symbol": symbol, "quantity": quantity, "address": to.String()})
	must(s.t, err)
	return id
}

// transfer moves pegs.
func (s *anvilSite) transfer(from, to, symbol, quantity string) {
	s.t.Helper()
	_, err := s.contract(s.t.Context(), from, s.key, "tokens", "transfer", map[string]any{"symbol": symbol, "quantity": quantity, "to": to})
	must(s.t, err)
}

// withdrawal finds one; its state is empty when there is none yet.
func (s *anvilSite) withdrawal(id string) (w gateway.Withdrawal) {
	s.t.Helper()
	if err := s.get(s.t.Context(), "/v1/withdrawals/"+id, &w); err != nil && !notFound(err) {
		s.t.Fatal(err)
	}
	return w
}

// await waits without making blocks.
func (s *anvilSite) await(what string, ask func() bool) {
	s.t.Helper()
	if err := poll(s.t.Context(), stepWait, func() (bool, error) { return ask(), nil }); err != nil {
		s.t.Fatalf("waiting for %s: %v\n%s", what, err, s.describe())
	}
}

// mineUntil makes a block whenever what is awaited has not come with the last.
func (s *anvilSite) mineUntil(what string, ask func() bool) {
	s.t.Helper()
	next := time.Now()
	s.await(what, func() bool {
		if ask() {
			return true
		}
		if time.Now().After(next) {
			s.node.Mine(1)
			next = time.Now().Add(200 * time.Millisecond)
		}
		return false
	})
}

// describe shows what the process knows, for a failure.
func (s *anvilSite) describe() string {
	return show(s.allWithdrawals()) + "\n" + show(s.deposits("")) + "\n" + show(s.ethStatus())
}

// state makes blocks until a withdrawal is in a state.
func (s *anvilSite) state(id, state string) (w gateway.Withdrawal) {
	s.t.Helper()
	s.mineUntil("withdrawal "+id+" to be "+state, func() bool {
		w = s.withdrawal(id)
		return w.State == state
	})
	return w
}

// holdsPeg makes blocks until an account has so much of a peg.
func (s *anvilSite) holdsPeg(of, symbol, quantity string) {
	s.t.Helper()
	var got string
	defer func() {
		if s.t.Failed() {
			s.t.Logf("%s holds %s %s, want %s", of, got, symbol, quantity)
		}
	}()
	s.mineUntil(of+" to hold "+quantity+" "+symbol, func() bool {
		var err error
		got, err = s.balance(s.t.Context(), of, symbol)
		must(s.t, err)
		return got == quantity
	})
}

// final makes what is in blocks final, and waits for the gateway to have seen it.
func (s *anvilSite) final() {
	s.t.Helper()
	s.node.Mine(3)
	var height string
	s.node.Call(&height, "eth_blockNumber")
	want, ok := new(big.Int).SetString(strings.TrimPrefix(height, "0x"), 16)
	if !ok {
		s.t.Fatalf("height %q", height)
	}
	s.await("the gateway to read on", func() bool { return s.ethStatus().Height+2 >= want.Uint64() })
}

// books waits until the audit is well at the newest final block, and holds every
// item against anvil's balances.
func (s *anvilSite) books() gateway.Reserves {
	s.t.Helper()
	s.final()
	r := s.awaitAudit(true)
	for _, asset := range r.Assets {
		checkEquality(s.t, asset)
	}
	for _, item := range r.Items {
		if item.TxID != nil || item.Index != nil || item.Chain != "eth" {
			s.t.Errorf("an account's balance has an outpoint: %s", show(item))
		}
		var token *TokenConfig
		for i := range s.tokens {
			if strings.EqualFold(s.tokens[i].Address, item.Token) {
				token = &s.tokens[i]
			}
		}
		if got := s.holds(account(s.t, item.Address), token); got != item.Amount {
			s.t.Errorf("item %s: anvil says %s", show(item), got)
		}
	}
	return r
}

// members fails unless a JSON object has exactly these members.
func members(t *testing.T, what string, text json.RawMessage, want ...string) {
	t.Helper()
	var got map[string]json.RawMessage
	must(t, json.Unmarshal(text, &got))
	for _, name := range want {
		if _, ok := got[name]; !ok {
			t.Errorf("%s: no member %q in %s", what, name, text)
		}
		delete(got, name)
	}
	for name := range got {
		t.Errorf("%s: member %q in %s", what, name, text)
	}
}
