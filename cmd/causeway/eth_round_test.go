package main

import (
	"encoding/json"
	"fmt"
	"math/big"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"causeway/chains/ethereum/erc20test"
	"causeway/gateway"
	"causeway/sidechain"
)

// initAnvil makes the home by the command init and puts the tokens into its genesis,
// as an operator does before the first start.
func (s *anvilSite) initAnvil() {
	s.t.Helper()
	args := []string{"init", "--home", s.home, "--network", "regtest", "--json"}
	for _, name := range []string{"alice", "bob", "carol"} {
		args = append(args, "--account", name+"="+s.key.Public().String())
	}
	s.command(exitOK, args...)
	path := filepath.Join(s.home, genesisFile)
	text, err := os.ReadFile(path)
	must(s.t, err)
	g, err := sidechain.LoadGenesis(text)
	must(s.t, err)
	for _, token := range s.tokens {
		g.Assets = append(g.Assets, tokenAsset(token))
		section := "CAUSEWAY_CHAINS_ETH_TOKENS_" + strings.TrimPrefix(token.Symbol, "SWAP.") + "_"
		s.env = append(s.env, section+"ADDRESS="+token.Address, section+"SYMBOL="+token.Symbol, section+"DECIMALS="+big.NewInt(int64(token.Decimals)).String())
	}
	text, err = g.Encode()
	must(s.t, err)
	must(s.t, os.WriteFile(path, text, 0o644))
}

// depositIDs are the ids of the rows of contract pegs: a deposit is credited once for
// each.
func (s *anvilSite) depositIDs() (ids []string) {
	s.t.Helper()
	var rows []struct{ ID string }
	must(s.t, s.call(s.t.Context(), "/contracts", "find", map[string]any{"contract": "pegs", "table": "deposits", "query": map[string]any{}}, &rows))
	for _, row := range rows {
		ids = append(ids, row.ID)
	}
	return ids
}

// TestRoundOnAnvil: every way in, every kind of payee, and what the commands say.
func TestRoundOnAnvil(t *testing.T) {
	t.Parallel()
	s := prepareAnvil(t, usd)
	s.initAnvil()
	s.start()
	token := s.tokens[0]
	alice, bob, carol := s.ethAddress("alice"), s.ethAddress("bob"), s.ethAddress("carol")

	// In one block: two payments to one account, one by a contract to two, tokens
	// twice, of nothing, and of a contract that nobody named.
	refusing := s.payee(erc20test.Reverts)
	unlisted := s.create(erc20test.CreateToken("Test", "SWAP.USDC", 6, units(t, "1000", 6)))
	s.pay(alice, "2")
	s.pay(alice, "0.5")
	s.send(s.payer, units(t, "0.6", 18), erc20test.Pay(alice, bob))
	s.send(s.payer, units(t, "7", 18), erc20test.PayReverted(alice))
	failed := s.send(s.payer, units(t, "8", 18), erc20test.Pay(alice, refusing))
	s.payToken(token, bob, "100")
	last := s.payToken(token, bob, "0.5")
	s.payToken(token, bob, "0")
	s.send(unlisted, new(big.Int), erc20test.Transfer(bob, units(t, "9", 6)))
	s.node.Send(map[string]any{"from": s.purse, "data": hexData(erc20test.CreateBomb(carol)), "value": "0x" + units(t, "0.25", 18).Text(16), "gas": "0x100000"})
	s.node.Mine(1)
	var receipt struct{ Status string }
	if s.node.Call(&receipt, "eth_getTransactionReceipt", failed); receipt.Status != "0x0" {
		t.Fatalf("the transaction that must fail: status %s", receipt.Status)
	}
	s.await("the deposits that are not final", func() bool {
		return slices.ContainsFunc(s.deposits("alice"), func(d gateway.Deposit) bool { return d.State == "confirming" })
	})
	s.wantBalance("alice", "SWAP.ETH", "0")
	s.holdsPeg("alice", "SWAP.ETH", "2.80000000")
	s.holdsPeg("bob", "SWAP.ETH", "0.30000000")
	s.holdsPeg("carol", "SWAP.ETH", "0.25000000")
	s.holdsPeg("bob", "SWAP.USDC", "100.000000")
	s.books()
	if ids := s.depositIDs(); len(ids) != 4 {
		t.Errorf("credited %d deposits, want one a coin's account and one token: %v", len(ids), ids)
	}
	for _, d := range s.deposits("bob") {
		if d.TxID == last && (d.State != "below_minimum" || d.Amount != "0.500000" || d.Symbol != "SWAP.USDC") {
			t.Errorf("the small deposit of a token: %s", show(d))
		}
	}

	s.transfer("alice", "bob", "SWAP.ETH", "1")
	s.payouts()
	s.shapes()
	s.commands()
}

// hexData is data as JSON-RPC has it.
func hexData(data []byte) string { return fmt.Sprintf("0x%x", data) }

// payouts pays out to every kind of payee.
func (s *anvilSite) payouts() {
	s.t.Helper()
	token := s.tokens[0]
	plain, accepts, emits := s.newPayee(), s.payee(erc20test.Accepts), s.payee(erc20test.Emits)
	reverts, eats := s.payee(erc20test.Reverts), s.payee(erc20test.EatsGas)
	type want struct{ id, state, amount string }
	var ids []want
	for _, p := range []struct {
		to    [20]byte
		state string
	}{{plain, "settled"}, {accepts, "settled"}, {emits, "settled"}, {reverts, "returned"}, {eats, "returned"}} {
		ids = append(ids, want{s.burn("alice", "SWAP.ETH", "0.1", p.to), p.state, "0.098000000000000000"})
	}
	tokenPayee := s.newPayee()
	tokens := s.burn("bob", "SWAP.USDC", "40", tokenPayee)
	for _, w := range ids {
		got := s.state(w.id, w.state)
		if w.state == "returned" && (got.Reason == "" || len(got.Variants) != 0) || w.state == "settled" && (got.Fee != "0.00200000" || len(got.Variants) == 0) {
			s.t.Errorf("%s", show(got))
		}
		if got := s.holds(account(s.t, got.Address), nil); w.state == "settled" && got != w.amount || w.state == "returned" && strings.Trim(got, "0.") != "" {
			s.t.Errorf("payee of %s withdrawal holds %s", w.state, got)
		}
	}
	if got := s.state(tokens, "settled"); got.Fee != "0.00300000" || s.holds(tokenPayee, &token) != "40.000000" {
		s.t.Errorf("the payee of tokens holds %s: %s", s.holds(tokenPayee, &token), show(got))
	}
	// What is given back is the net: 2 x 0.098.
	s.holdsPeg("alice", "SWAP.ETH", "1.49600000")
	s.holdsPeg("bob", "SWAP.USDC", "60.000000")
	s.books()
}

// shapes holds the answers of /v1 against the design.
func (s *anvilSite) shapes() {
	s.t.Helper()
	items := func(path string) (list []json.RawMessage) {
		var page struct{ Items []json.RawMessage }
		must(s.t, s.get(s.t.Context(), path, &page))
		if len(page.Items) == 0 {
			s.t.Fatalf("%s is empty", path)
		}
		return page.Items
	}
	for _, d := range items("/v1/deposits") {
		members(s.t, "deposit", d, "id", "chain", "symbol", "account", "address", "txid", "index", "block", "height", "amount", "quantity", "remainder",
			"state", "reason", "confirmations", "confirmations_needed", "sidechain_tx", "detail", "history")
	}
	for _, w := range items("/v1/withdrawals") {
		members(s.t, "withdrawal", w, "id", "chain", "symbol", "account", "address", "quantity", "fee", "amount", "state", "reason", "txid", "variants",
			"batch", "confirmations", "confirmations_needed", "sidechain_tx", "settle_tx", "detail", "history")
	}
	assets := map[string]gateway.Asset{}
	for _, a := range items("/v1/assets") {
		members(s.t, "asset", a, "symbol", "chain", "token", "precision", "min_deposit", "min_withdrawal", "withdrawal_fee", "deposits", "withdrawals",
			"confirmations", "derivation_key")
		var asset gateway.Asset
		must(s.t, json.Unmarshal(a, &asset))
		assets[asset.Symbol] = asset
	}
	ether, token := assets["SWAP.ETH"], assets["SWAP.USDC"]
	if len(assets) != 2 || ether.Token != nil || ether.Precision != 8 || ether.Deposits != "open" || ether.Withdrawals != "open" ||
		token.Token == nil || !strings.EqualFold(*token.Token, s.tokens[0].Address) || token.Precision != 6 || token.Chain != "eth" {
		s.t.Errorf("assets %s", show(assets))
	}
	var reserves struct{ Items []json.RawMessage }
	must(s.t, s.get(s.t.Context(), "/v1/reserves", &reserves))
	kinds := map[string]bool{}
	for _, item := range reserves.Items {
		var i gateway.ReserveItem
		must(s.t, json.Unmarshal(item, &i))
		if kinds[i.Kind] = true; !strings.Contains(string(item), `"txid":null`) || !strings.Contains(string(item), `"index":null`) {
			s.t.Errorf("item %s", item)
		}
	}
	for kind := range kinds {
		if !slices.Contains([]string{"deposit", "hot", "change", "cold"}, kind) {
			s.t.Errorf("an item of kind %s", kind)
		}
	}
	for _, d := range s.deposits("") {
		var one gateway.Deposit
		if must(s.t, s.get(s.t.Context(), "/v1/deposits/"+d.ID, &one)); one.State != d.State || one.Amount != d.Amount {
			s.t.Errorf("deposit %s alone is %s", show(d), show(one))
		}
	}
	if c := s.ethStatus(); len(c.Nodes) != 1 || !c.Nodes[0].OK || c.Deposits != "open" || c.Minting != "open" || c.Payouts != "open" || c.Reason != "" || len(c.Alerts) != 0 {
		s.t.Errorf("status %s", show(c))
	}
}

// commands runs what an operator runs, on the running home and on the stopped one.
func (s *anvilSite) commands() {
	s.t.Helper()
	file := filepath.Join(s.t.TempDir(), "home.backup")
	s.command(exitOK, "audit", "--home", s.home, "--json")
	if stdout, _ := s.command(exitOK, "status", "--home", s.home, "--json"); !strings.Contains(stdout, `"eth"`) {
		s.t.Errorf("status: %s", stdout)
	}
	s.command(exitOK, "backup", file, "--home", s.home)
	if code := s.stop(); code != exitOK {
		s.t.Errorf("exit %d after SIGTERM", code)
	}
	s.command(exitOK, "audit", "--home", s.home, "--json", "--full")
	s.command(exitOK, "status", "--home", s.home)
	s.command(exitOK, "verify", "--home", s.home)

	old := s.home
	s.home = filepath.Join(s.t.TempDir(), "restored")
	s.command(exitOK, "restore", file, "--home", s.home)
	s.start()
	s.awaitAudit(true)
	s.wantBalance("bob", "SWAP.USDC", "60.000000")
	s.stop()

	// The ledger is lost; the chains and the sidechain tell it anew.
	s.home = old
	stdout, _ := s.command(exitOK, "restore", "--from-chains", "--home", s.home, "--json")
	var made restored
	must(s.t, json.Unmarshal([]byte(stdout), &made))
	if made.Audit == nil || !made.Audit.OK {
		s.t.Errorf("restored: %s", stdout)
	}
	s.start()
	s.pay(s.ethAddress("carol"), "0.75")
	s.holdsPeg("carol", "SWAP.ETH", "1.00000000")
	payee, token := s.newPayee(), s.newPayee()
	ether, tokens := s.burn("carol", "SWAP.ETH", "0.9", payee), s.burn("bob", "SWAP.USDC", "60", token)
	s.state(ether, "settled")
	s.state(tokens, "settled")
	if got, units := s.holds(payee, nil), s.holds(token, &s.tokens[0]); got != "0.898000000000000000" || units != "60.000000" {
		s.t.Errorf("paid %s and %s", got, units)
	}
	s.books()
}
