package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"

	"causeway/chains"
	"causeway/chains/utxo"
	"causeway/gateway"
	"causeway/hotwallet"
	"causeway/internal/nodetest"
	"causeway/sidechain/graphene"
)

// The phrase that the tests' gateways are made from, and the password of their
// accounts.
const (
	testMnemonic = "legal winner thank year wave sausage worth useful legal winner thank yellow"
	testPassword = "hunter2"
)

// creditDepth is how deep a deposit is credited in these tests, and inputDepth
// how deep it may be spent.
const (
	creditDepth = 2
	inputDepth  = creditDepth + 6
)

// site is init's home of a gateway beside a real btcd, and the process on it.
type site struct {
	*process

	t     *testing.T
	node  *nodetest.Node
	home  string
	env   []string
	keys  map[string]graphene.PrivateKey // active, by account
	purse *purse
}

// newSite starts a btcd, makes a home whose keys open at once and runs it.
func newSite(t *testing.T, accounts ...string) *site {
	t.Helper()
	s := prepareSite(t)
	o := initOptions{
		home: s.home, network: "regtest", admin: "causeway", attestor: "gateway", workFactor: 1,
		mnemonic: hotwallet.NewSecret(testMnemonic), passphrase: hotwallet.NewSecret(testPassphrase),
		timestamp: time.Now().UTC(), cfg: defaultConfig("regtest"),
	}
	var err error
	o.extra, err = parseAccounts(s.accountFlags(accounts), o.network)
	must(t, err)
	_, err = o.make()
	must(t, err)
	s.start()
	return s
}

// newInitSite is newSite with a home made by the command init.
func newInitSite(t *testing.T, accounts ...string) *site {
	t.Helper()
	s := prepareSite(t)
	seed := filepath.Join(t.TempDir(), "seed.txt")
	must(t, os.WriteFile(seed, []byte(testMnemonic+"\n"), 0o600))
	args := []string{"init", "--home", s.home, "--network", "regtest", "--mnemonic-file", seed, "--json"}
	for _, flag := range s.accountFlags(accounts) {
		args = append(args, "--account", flag)
	}
	code, stdout, stderr := exitOf(t, nil, args...)
	if code != exitOK {
		t.Fatalf("init: exit %d: %s", code, stderr)
	}
	var made initResult
	must(t, json.Unmarshal([]byte(stdout), &made))
	s.start()
	if s.running.BaseChainID != made.BaseChainID || s.running.ChainID != "causeway-regtest" {
		t.Errorf("init made %+v, running.json says %+v", made, s.running)
	}
	return s
}

// prepareSite starts a btcd, and says by the environment all that run needs.
func prepareSite(t *testing.T) *site {
	t.Helper()
	s := &site{t: t, node: nodetest.Btcd(t), home: filepath.Join(t.TempDir(), "home"), keys: map[string]graphene.PrivateKey{}}
	s.node.Generate(130) // more than mature, and mineTo's heights have two bytes
	s.purse = newPurse(t, s.node)
	s.env = []string{
		"CAUSEWAY_HTTP_LISTEN=127.0.0.1:0", "CAUSEWAY_HTTP_ADMIN=127.0.0.1:0",
		"CAUSEWAY_BASE_BLOCK_INTERVAL=1s", "CAUSEWAY_ACCOUNTS_OPEN=true",
		"CAUSEWAY_CHAINS_BTC_NODES=" + s.node.URL, "CAUSEWAY_CHAINS_BTC_POLL=100ms",
		fmt.Sprintf("CAUSEWAY_CHAINS_BTC_CONFIRMATIONS=%d", creditDepth),
	}
	return s
}

// accountFlags are the values of --account.
func (s *site) accountFlags(names []string) (flags []string) {
	for _, name := range names {
		flags = append(flags, name+"="+s.newKey(name).Public().String())
	}
	return flags
}

// newKey is the key of an account, for every role.
func (s *site) newKey(account string) graphene.PrivateKey {
	s.t.Helper()
	key, err := graphene.LoginKey(account, "active", testPassword)
	must(s.t, err)
	s.keys[account] = key
	return key
}

// start runs the home.
func (s *site) start() {
	s.t.Helper()
	s.process = serve(s.t, s.home, s.env, "run", "--home", s.home)
}

// mineUntil makes a block whenever what is awaited has not come with the last.
func (s *site) mineUntil(what string, ask func() bool) {
	s.t.Helper()
	next := time.Now()
	err := poll(s.t.Context(), stepWait, func() (bool, error) {
		if ask() {
			return true, nil
		}
		if time.Now().After(next) {
			s.node.Generate(1)
			next = time.Now().Add(300 * time.Millisecond)
		}
		return false, nil
	})
	if err != nil {
		s.t.Fatalf("waiting for %s: %v", what, err)
	}
}

// await waits without making blocks.
func (s *site) await(what string, ask func() bool) {
	s.t.Helper()
	if err := poll(s.t.Context(), stepWait, func() (bool, error) { return ask(), nil }); err != nil {
		s.t.Fatalf("waiting for %s: %v", what, err)
	}
}

// caughtUp waits until the gateway stands at the node's newest block.
func (s *site) caughtUp() {
	s.t.Helper()
	s.await("the gateway to catch up", func() bool { return s.status().Height == s.node.Height() })
}

// notFound says whether an answer was 404.
func notFound(err error) bool {
	failure, ok := errors.AsType[*httpFailure](err)
	return ok && failure.status == http.StatusNotFound
}

// deposit finds the deposit of an output; state is empty when there is none.
func (s *site) deposit(id string) (d gateway.Deposit) {
	s.t.Helper()
	if err := s.get(s.t.Context(), "/v1/deposits/"+id, &d); err != nil && !notFound(err) {
		s.t.Fatal(err)
	}
	return d
}

// withdrawal finds a withdrawal.
func (s *site) withdrawal(id string) (w gateway.Withdrawal) {
	s.t.Helper()
	must(s.t, s.get(s.t.Context(), "/v1/withdrawals/"+id, &w))
	return w
}

// withdraw burns pegs and returns the withdrawal's id.
func (s *site) withdraw(from, quantity, to string) string {
	s.t.Helper()
	id, err := s.contract(s.t.Context(), from, s.keys[from], "pegs", "withdraw", map[string]any{"symbol": "SWAP.BTC", "quantity": quantity, "address": to})
	must(s.t, err)
	return id
}

// credited pays to an account and mines until it is credited.
func (s *site) credited(account, amount string) (id string) {
	s.t.Helper()
	txid := s.node.Pay(s.depositAddress(account), coins(s.t, amount))
	s.mineUntil("the deposit of "+amount+" to "+account, func() bool {
		for _, d := range s.deposits(account) {
			if d.TxID == txid && d.State == "credited" {
				id = d.ID
			}
		}
		return id != ""
	})
	return id
}

// coins reads an amount in coin units.
func coins(t *testing.T, text string) chains.Amount {
	t.Helper()
	amount, err := chains.FromCoin(text, 8)
	must(t, err)
	return amount
}

// plainTx is a transaction as btcd prints it: read without our decoder.
type plainTx struct {
	TxID string `json:"txid"`
	Vin  []struct {
		TxID string `json:"txid"`
		Vout uint32 `json:"vout"`
	} `json:"vin"`
	Vout []struct {
		Value        json.Number `json:"value"`
		N            uint32      `json:"n"`
		ScriptPubKey struct {
			Hex string `json:"hex"`
		} `json:"scriptPubKey"`
	} `json:"vout"`
}

// received lists, by script, every output of the best chain, read from btcd's
// own JSON of every block.
func (s *site) received() map[string][]string {
	s.t.Helper()
	found := map[string][]string{}
	for height := uint64(1); height <= s.node.Height(); height++ {
		var hash string
		s.node.Call(&hash, "getblockhash", height)
		var block struct {
			RawTx []plainTx `json:"rawtx"`
		}
		s.node.Call(&block, "getblock", hash, 2)
		for _, tx := range block.RawTx {
			for _, out := range tx.Vout {
				amount := coins(s.t, out.Value.String()).Coin(8)
				found[out.ScriptPubKey.Hex] = append(found[out.ScriptPubKey.Hex], amount)
			}
		}
	}
	return found
}

// wantReceived fails unless a script of the chain got exactly these outputs.
func (s *site) wantReceived(script []byte, want ...string) {
	s.t.Helper()
	got := s.received()[hex.EncodeToString(script)]
	slices.Sort(got)
	slices.Sort(want)
	if !slices.Equal(got, want) {
		s.t.Errorf("script %x received %v, want %v", script, got, want)
	}
}

// checkReserves holds every item of /v1/reserves against the node's own view
// of the output, and adds the books up.
func (s *site) checkReserves() gateway.Reserves {
	s.t.Helper()
	s.caughtUp()
	r := s.awaitAudit(true)
	if len(r.Assets) != 1 || r.Assets[0].Height != s.node.Height() {
		s.t.Fatalf("books at height %d of %d: %s", r.Assets[0].Height, s.node.Height(), show(r))
	}
	checkEquality(s.t, r.Assets[0])
	var total chains.Amount
	for _, item := range r.Items {
		var out *struct {
			Value        json.Number `json:"value"`
			ScriptPubKey struct {
				Hex string `json:"hex"`
			} `json:"scriptPubKey"`
		}
		s.node.Call(&out, "gettxout", *item.TxID, *item.Index, false)
		script, err := s.node.Coin.Script(item.Address)
		must(s.t, err)
		if out == nil || coins(s.t, out.Value.String()) != coins(s.t, item.Amount) || out.ScriptPubKey.Hex != hex.EncodeToString(script) {
			s.t.Errorf("item %s: the node says %s", show(item), show(out))
		}
		total, err = total.Add(coins(s.t, item.Amount))
		must(s.t, err)
	}
	a := r.Assets[0]
	want, err := coins(s.t, a.Reserves).Add(coins(s.t, a.InFlight))
	must(s.t, err)
	if total != want {
		s.t.Errorf("the items sum to %s, reserves %s and in flight %s", total.Coin(8), a.Reserves, a.InFlight)
	}
	return r
}

// audit runs the command audit on the home.
func (s *site) audit() (code int, stdout string) {
	s.t.Helper()
	code, stdout, _ = exitOf(s.t, s.env, "audit", "--home", s.home, "--json")
	return code, stdout
}

// purse is a wallet of the test's own, for payments that are taken back.
type purse struct {
	t      *testing.T
	node   *nodetest.Node
	key    *btcec.PrivateKey
	script []byte
}

func newPurse(t *testing.T, node *nodetest.Node) *purse {
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{0x17}, 32))
	return &purse{t: t, node: node, key: key, script: append([]byte{0, 20}, address.Hash160(key.PubKey().SerializeCompressed())...)}
}

// fund gives the purse a confirmed coin.
func (p *purse) fund(amount string) utxo.Input {
	p.t.Helper()
	to, err := p.node.Coin.Address(p.script)
	must(p.t, err)
	txid := p.node.Pay(to, coins(p.t, amount))
	p.node.Generate(1)
	var tx plainTx
	p.node.Call(&tx, "getrawtransaction", txid, 1)
	for _, out := range tx.Vout {
		if out.ScriptPubKey.Hex == hex.EncodeToString(p.script) {
			return utxo.Input{Outpoint: chains.Outpoint{TxID: txid, Index: out.N}, Amount: coins(p.t, amount), Script: p.script, Sequence: utxo.Replaceable}
		}
	}
	p.t.Fatalf("the purse is not paid by %s", txid)
	return utxo.Input{}
}

// spend signs with a key and broadcasts: all of a coin but the fee to one
// address.
func spend(t *testing.T, node *nodetest.Node, key *btcec.PrivateKey, in utxo.Input, to, fee string) (txid string) {
	t.Helper()
	script, err := node.Coin.Script(to)
	must(t, err)
	amount, err := in.Amount.Sub(coins(t, fee))
	must(t, err)
	draft, err := node.Coin.Draft([]utxo.Input{in}, []utxo.Payee{{Script: script, Amount: amount}}, 0)
	must(t, err)
	signed, err := draft.Sign(func([]byte) (*btcec.PrivateKey, error) { return key, nil })
	must(t, err)
	node.Call(&txid, "sendrawtransaction", hex.EncodeToString(signed.Raw))
	return txid
}
