package main

import (
	"fmt"
	"slices"
	"testing"

	"causeway/chains/ethereum"
	"causeway/chains/ethereum/erc20test"
	"causeway/gateway"
)

// TestCrowdOnAnvil: deposits of both kinds while the hot account has nothing yet, and
// then many withdrawals at once, in the long form more than one account may have
// nonces that wait. All is swept, topped up and paid, each once.
func TestCrowdOnAnvil(t *testing.T) {
	t.Parallel()
	s := newAnvilSite(t, usd)
	names := []string{"alice", "bob", "carol"}
	for _, name := range names {
		to := s.ethAddress(name)
		s.pay(to, "2")
		s.payToken(s.tokens[0], to, "300")
	}
	for _, name := range names {
		s.holdsPeg(name, "SWAP.ETH", "2.00000000")
		s.holdsPeg(name, "SWAP.USDC", "300.000000")
	}
	type want struct {
		to     ethereum.Address
		token  *TokenConfig
		amount string
	}
	paid := map[string]want{}
	var ids []string
	crowd := 8
	if longTests() {
		crowd = 24
	}
	for i := range crowd {
		name, to := names[i%3], s.newPayee()
		symbol, quantity, amount := "SWAP.ETH", "0.15", "0.148000000000000000"
		if i%2 == 1 {
			symbol, quantity, amount = "SWAP.USDC", "70", "70.000000"
		}
		id := s.submit(name, s.key, "pegs", "withdraw", fmt.Sprintf(`{"symbol":%q,"quantity":%q,"address":%q}`, symbol, quantity, to))
		ids = append(ids, id)
		paid[id] = want{to, s.tokenOf(symbol), amount}
	}
	for _, id := range ids {
		if said := s.errorsOf(id); len(said) > 0 {
			t.Fatalf("withdrawal %s: %q", id, said)
		}
	}
	s.mineUntil("all payouts", func() bool {
		list := s.allWithdrawals()
		return len(list) == len(ids) && !slices.ContainsFunc(list, func(w gateway.Withdrawal) bool { return w.State != "settled" })
	})
	for id, w := range paid {
		if got := s.holds(w.to, w.token); got != w.amount {
			t.Errorf("withdrawal %s: the payee holds %s, want %s", id, got, w.amount)
		}
	}
	s.books()
}

// TestGiftsOnAnvil: what is sent to the gateway's own accounts is nobody's deposit and
// breaks no book, nor do coins that come by force while the process is away.
func TestGiftsOnAnvil(t *testing.T) {
	t.Parallel()
	s := newAnvilSite(t, usd)
	alice := s.ethAddress("alice")
	s.pay(alice, "2")
	s.payToken(s.tokens[0], alice, "50")
	s.holdsPeg("alice", "SWAP.ETH", "2.00000000")
	s.holdsPeg("alice", "SWAP.USDC", "50.000000")
	s.state(s.burn("alice", "SWAP.ETH", "0.1", s.newPayee()), "settled")
	s.state(s.burn("alice", "SWAP.USDC", "10", s.newPayee()), "settled")
	for _, item := range s.books().Items {
		if item.Kind == "hot" && item.Token == "" {
			s.pay(account(t, item.Address), "1")
			s.payToken(s.tokens[0], account(t, item.Address), "5")
		}
	}
	r := s.books()
	for _, asset := range r.Assets {
		if asset.Uncredited != "0.000000000000000000" && asset.Uncredited != "0.000000" || asset.Surplus[0] != '1' && asset.Surplus[0] != '2' && asset.Surplus[:2] != "5." {
			t.Errorf("books with gifts: %s", show(asset))
		}
	}
	if n := len(s.depositIDs()); n != 2 {
		t.Errorf("%d deposits were credited, want 2", n)
	}
	// While nobody looks: by a contract, without a trace in the block's transactions.
	s.kill()
	s.send(s.payer, units(t, "0.5", 18), erc20test.Pay(alice))
	s.payToken(s.tokens[0], alice, "20")
	s.node.Mine(4)
	s.start()
	s.holdsPeg("alice", "SWAP.ETH", "2.39700000") // 2 and 0.5 less 0.1 and a token's fee
	s.holdsPeg("alice", "SWAP.USDC", "60.000000")
	s.books()
	if code := s.stop(); code != exitOK {
		t.Errorf("exit %d after SIGTERM", code)
	}
	s.command(exitOK, "audit", "--home", s.home, "--full")
}

// TestUndoneFinality: a block that was final and is in the chain no more halts
// everything, with words; nothing is credited twice when the payment comes again.
func TestUndoneFinality(t *testing.T) {
	t.Parallel()
	s := newAnvilSite(t)
	s.node.Mine(10)
	alice := s.ethAddress("alice")
	s.pay(alice, "2")
	s.holdsPeg("alice", "SWAP.ETH", "2.00000000")
	s.final()
	before := s.ethStatus().Height
	s.node.Call(nil, "anvil_reorg", 9, []any{})
	s.node.Mine(3)
	s.await("the halt", func() bool {
		c := s.ethStatus()
		return c.Deposits == "halted" && c.Minting == "halted" && c.Payouts == "halted" && c.Reason != ""
	})
	if c := s.ethStatus(); c.Height > before {
		t.Errorf("it read on, past block %d: %s", before, show(c))
	}
	s.pay(alice, "2")
	s.node.Mine(5)
	s.restart()
	s.await("the halt after a restart", func() bool { return s.ethStatus().Minting == "halted" })
	s.wantBalance("alice", "SWAP.ETH", "2.00000000")
	if code, stdout, _ := exitOf(t, s.environ(), "audit", "--home", s.home); code == exitOK {
		t.Errorf("the books balance without a credited deposit: %s", stdout)
	}
}
