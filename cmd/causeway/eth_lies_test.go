package main

import (
	"fmt"
	"math/big"
	"strings"
	"testing"

	"causeway/chains/ethereum"
	"causeway/gateway"
)

// supply is what circulates of a peg.
func (s *anvilSite) supply(symbol string) string {
	s.t.Helper()
	row := struct {
		CirculatingSupply string `json:"circulatingSupply"`
	}{}
	_, err := s.findOne(s.t.Context(), "tokens", "tokens", map[string]any{"symbol": symbol}, &row)
	must(s.t, err)
	return row.CirculatingSupply
}

// TestOneOfThreeNodesLies: two that agree are believed, whatever the third says; all
// goes on.
func TestOneOfThreeNodesLies(t *testing.T) {
	t.Parallel()
	s := prepareAnvil(t, usd)
	a, b, c := newBentNode(t, s.node), newBentNode(t, s.node), newBentNode(t, s.node)
	s.urls = []string{c.url, a.url, b.url} // the liar is asked first
	s.env = append(s.env, "CAUSEWAY_CHAINS_ETH_QUORUM=2")
	s.make()
	s.start()
	alice := s.ethAddress("alice")
	s.pay(alice, "1")
	s.payToken(s.tokens[0], alice, "10")
	s.holdsPeg("alice", "SWAP.ETH", "1.00000000")
	s.holdsPeg("alice", "SWAP.USDC", "10.000000")
	ether, token := 1, 10
	for name, lie := range s.wrongs(alice) {
		if name == "lagging" {
			lie = lagging(t, s.node, 3)
		}
		c.lie(lie)
		s.pay(alice, "1")
		s.payToken(s.tokens[0], alice, "10")
		ether, token = ether+1, token+10
		s.holdsPeg("alice", "SWAP.ETH", big.NewInt(int64(ether)).String()+".00000000")
		s.holdsPeg("alice", "SWAP.USDC", big.NewInt(int64(token)).String()+".000000")
		if c.lies() == 0 && name != "wrong chain" { // that is asked for again after an error only
			t.Errorf("%s: the node never lied", name)
		}
		if got := s.supply("SWAP.ETH"); got != big.NewInt(int64(ether)).String()+".00000000" {
			t.Errorf("%s: supply %s", name, got)
		}
	}
	c.lie(s.wrongs(alice)["balances"])
	payee := s.newPayee()
	s.state(s.burn("alice", "SWAP.ETH", "0.5", payee), "settled")
	if got := s.holds(payee, nil); got != "0.498000000000000000" {
		t.Errorf("the payee holds %s", got)
	}
	c.lie(nil)
	s.books()
}

// TestOnlyNodeLies: what a block holds is proven by its hash, so that a node that
// lies about that is never believed; the truth is credited when it tells it.
func TestOnlyNodeLies(t *testing.T) {
	t.Parallel()
	s := prepareAnvil(t, usd)
	node := newBentNode(t, s.node)
	s.urls = []string{node.url}
	s.node.Mine(6)
	s.make()
	s.start()
	alice := s.ethAddress("alice")
	ether, token := 0, 0
	for _, name := range []string{"missing receipts", "extra logs", "lagging", "errors", "empty"} {
		lie := s.wrongs(alice)[name]
		node.lie(lie)
		s.pay(alice, "1")
		s.payToken(s.tokens[0], alice, "10")
		s.node.Mine(4)
		s.await(name+" to be told", func() bool { return node.lies() > 3 })
		s.wantBalance("alice", "SWAP.ETH", balanceText(ether, 8))
		s.wantBalance("alice", "SWAP.USDC", balanceText(token, 6))
		node.lie(nil)
		ether, token = ether+1, token+10
		s.holdsPeg("alice", "SWAP.ETH", balanceText(ether, 8))
		s.holdsPeg("alice", "SWAP.USDC", balanceText(token, 6))
		s.await("the halt to end", func() bool { c := s.ethStatus(); return c.Minting == "open" && c.Payouts == "open" })
	}
	s.books()
}

// balanceText is a whole number of pegs; nothing has no row.
func balanceText(n, precision int) string {
	if n == 0 {
		return "0"
	}
	return big.NewInt(int64(n)).String() + "." + strings.Repeat("0", precision)
}

// TestWrongNode: a node of another chain is never believed, and the status says why.
func TestWrongNode(t *testing.T) {
	t.Parallel()
	s := prepareAnvil(t)
	s.env = append(s.env, "CAUSEWAY_CHAINS_ETH_CHAIN_ID=1")
	s.make()
	s.start()
	s.await("the node to be refused", func() bool {
		c := s.ethStatus()
		return len(c.Nodes) == 1 && !c.Nodes[0].OK && strings.Contains(c.Nodes[0].Error, "chain id")
	})
	s.await("the halt", func() bool {
		c := s.ethStatus()
		return c.Minting == "halted" && c.Payouts == "halted" && c.Reason != ""
	})
	if code := s.stop(); code != exitOK {
		t.Errorf("exit %d after SIGTERM", code)
	}
}

// TestWrongTokens: of a token that is not what is configured nothing is credited and
// nothing is paid, which the status says; ether goes on.
func TestWrongTokens(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		spoil func(s *anvilSite)
		want  string
	}{
		"decimals": {func(s *anvilSite) { s.tokens[0].Decimals = 7 }, "has 6 decimals, configured are 7"},
		"no code":  {func(s *anvilSite) { s.tokens[0].Address = s.newPayee().String() }, "there is no contract"},
		"no token": {func(s *anvilSite) { s.tokens[0].Address = s.payer.String() }, "does not say what it is"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := prepareAnvil(t, usd)
			right := s.tokens[0]
			c.spoil(s)
			s.make()
			s.start()
			s.final()
			s.await("the alert", func() bool { return strings.Contains(strings.Join(s.ethStatus().Alerts, "\n"), c.want) })
			alice := s.ethAddress("alice")
			s.payToken(right, alice, "10")
			s.pay(alice, "1")
			s.holdsPeg("alice", "SWAP.ETH", "1.00000000")
			s.wantBalance("alice", "SWAP.USDC", "0")
			payee := s.newPayee()
			s.state(s.burn("alice", "SWAP.ETH", "0.5", payee), "settled")
			s.tokenUnknown(c.want)
			for _, d := range s.deposits("alice") {
				if d.Symbol == "SWAP.USDC" && d.State == "credited" {
					t.Errorf("credited %s", show(d))
				}
			}
			if name != "decimals" {
				return
			}
			// The right configuration is another network's: this one's peg has seven.
			var page gateway.Page[gateway.Asset]
			must(t, s.get(t.Context(), "/v1/assets", &page))
			s.kill()
			s.tokenUnknown(c.want)
			code, _, stderr := exitOf(t, append(s.environ(), "CAUSEWAY_CHAINS_ETH_TOKENS_USDC_DECIMALS=6"), "run", "--home", s.home)
			if code != exitError || !strings.Contains(stderr, "decimals") {
				t.Errorf("exit %d: %s", code, stderr)
			}
		})
	}
}

// tokenUnknown: the books of ether balance, those of the token are not known, and the
// audit says why.
func (s *anvilSite) tokenUnknown(why string) {
	s.t.Helper()
	stdout, stderr := s.command(exitError, "audit", "--home", s.home)
	if !strings.Contains(stdout, "SWAP.ETH   ok") || !strings.Contains(stdout, "SWAP.USDC  not known") || !strings.Contains(stderr, why) {
		s.t.Errorf("audit:\n%s\n%s", stdout, stderr)
	}
}

// TestLostAnswersOnAnvil: a node that does not answer a method, or whose answer is
// lost, has said nothing: everything waits and is done once.
func TestLostAnswersOnAnvil(t *testing.T) {
	t.Parallel()
	s := prepareAnvil(t, usd)
	c := newCable(t, s.node.URL)
	s.urls = []string{c.url}
	s.make()
	s.start()
	alice := s.ethAddress("alice")
	s.pay(alice, "5")
	s.payToken(s.tokens[0], alice, "500")
	s.holdsPeg("alice", "SWAP.ETH", "5.00000000")
	s.holdsPeg("alice", "SWAP.USDC", "500.000000")
	paid := map[string]ethereum.Address{} // by withdrawal
	for _, cut := range []struct{ method, how string }{
		{"eth_sendRawTransaction", cutBehind}, {"eth_sendRawTransaction", cutBefore}, {"eth_feeHistory", cutBefore},
		{"eth_getTransactionCount", cutBefore}, {"eth_getBlockReceipts", cutBehind}, {"eth_call", cutBefore},
	} {
		c.set(cut.method, cut.how)
		ether, token := s.newPayee(), s.newPayee()
		paid[s.submit("alice", s.key, "pegs", "withdraw", fmt.Sprintf(`{"symbol":"SWAP.ETH","quantity":"0.1","address":%q}`, ether))] = ether
		last := s.burn("alice", "SWAP.USDC", "10", token)
		paid[last] = token
		s.pay(alice, "0.1")
		s.payToken(s.tokens[0], alice, "10")
		s.node.Mine(1)
		s.await(cut.method+" to be asked for", func() bool { return cut.how == cutBefore || c.count(cut.method) > 0 })
		s.node.Mine(2)
		c.set(cut.method, "")
	}
	for id, payee := range paid {
		w := s.state(id, "settled")
		if got := s.holds(payee, s.tokenOf(w.Symbol)); got != w.Amount {
			t.Errorf("the payee holds %s: %s", got, show(w))
		}
	}
	s.holdsPeg("alice", "SWAP.ETH", "4.98200000") // the fees of tokens, 0.003 each
	s.holdsPeg("alice", "SWAP.USDC", "500.000000")
	s.books()
}

// TestAbsurdFees: prices that a node makes up are bounded by the configuration and by
// what the fees pay; a payout waits rather than burn more.
func TestAbsurdFees(t *testing.T) {
	t.Parallel()
	s := prepareAnvil(t)
	node := newBentNode(t, s.node)
	s.urls = []string{node.url}
	s.env = append(s.env, "CAUSEWAY_CHAINS_ETH_FEE_MAX=50")
	s.make()
	s.start()
	s.pay(s.ethAddress("alice"), "3")
	s.holdsPeg("alice", "SWAP.ETH", "3.00000000")
	s.state(s.burn("alice", "SWAP.ETH", "0.1", s.newPayee()), "settled")
	paid := map[string]ethereum.Address{} // by withdrawal
	for _, fee := range []string{"0x0", "0xffffffffffffffffffffffff", "-0x1", "0x1" + strings.Repeat("0", 64)} {
		node.lie(func(method string, _ []any, result any) (any, error) {
			if history, ok := result.(map[string]any); ok && method == "eth_feeHistory" {
				list, _ := history["baseFeePerGas"].([]any)
				for i := range list {
					list[i] = fee
				}
			}
			return result, nil
		})
		payee := s.newPayee()
		paid[s.burn("alice", "SWAP.ETH", "0.1", payee)] = payee
		s.await("the price to be asked for", func() bool { return node.lies() > 0 })
		s.node.Mine(1)
		node.lie(nil)
	}
	for id, payee := range paid {
		s.state(id, "settled")
		if got := s.holds(payee, nil); got != "0.098000000000000000" {
			t.Errorf("the payee holds %s", got)
		}
	}
	for _, asset := range s.books().Assets {
		if strings.HasPrefix(asset.Surplus, "-") {
			t.Errorf("the gas was more than the fees: %s", show(asset))
		}
	}
}
