package main

import (
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/gateway"
)

// blockOf is the block that holds a deposit, as the gateway shows it.
func (s *site) blockOf(id string) string {
	s.t.Helper()
	d := s.deposit(id)
	if d.Block == nil {
		s.t.Fatalf("deposit in no block: %s", show(d))
	}
	return *d.Block
}

// replace takes a block and those after it off the node's chain, and puts as
// many others in their place, which hold no payment.
func (s *site) replace(hash string) {
	s.t.Helper()
	height := s.node.Height()
	s.node.Call(nil, "invalidateblock", hash)
	if s.node.Height() >= height {
		s.t.Fatalf("block %s is still in the chain", hash)
	}
	to, err := s.node.Coin.Address(s.purse.script)
	must(s.t, err)
	for s.node.Height() < height {
		s.mineTo(to)
	}
}

// mints counts the rows of contract pegs: a deposit is credited once for each.
func (s *site) mints() int {
	s.t.Helper()
	var rows []struct{ ID string }
	must(s.t, s.call(s.t.Context(), "/contracts", "find", map[string]any{"contract": "pegs", "table": "deposits", "query": map[string]any{}}, &rows))
	return len(rows)
}

func TestReorgsOnBtcd(t *testing.T) {
	t.Parallel()
	s := newSite(t, "alice", "bob")
	alice := s.depositAddress("alice")

	// Before the credit: the payment falls back into the mempool and comes again.
	id := "btc:" + s.node.Pay(alice, coins(t, "0.5"))
	s.node.Generate(1)
	s.await("the payment in a block", func() bool {
		list := s.deposits("alice")
		if len(list) == 1 && list[0].State == "confirming" {
			id = list[0].ID
			return true
		}
		return false
	})
	s.replace(s.blockOf(id))
	s.await("the reorganisation", func() bool { return slices.Contains([]string{"gone", "seen"}, s.deposit(id).State) })
	s.mineUntil("the credit on the other branch", func() bool { return s.deposit(id).State == "credited" })
	s.wantBalance("alice", "SWAP.BTC", "0.50000000")

	// Before the credit, and replaced for good: it is gone, and never credited.
	in := s.purse.fund("0.7")
	gone := spend(t, s.node, s.purse.key, in, alice, "0.0001")
	s.node.Generate(1)
	s.await("the second payment", func() bool { return s.deposit("btc:"+gone+":0").State == "confirming" })
	s.replace(s.blockOf("btc:" + gone + ":0"))
	other, err := s.node.Coin.Address(s.purse.script)
	must(t, err)
	spend(t, s.node, s.purse.key, in, other, "0.001")
	s.node.Generate(3)
	s.caughtUp()
	s.await("the replaced payment to be gone", func() bool { return s.deposit("btc:"+gone+":0").State == "gone" })

	// After the credit: a shortfall, all stands still, until it is there again.
	// Nothing is minted twice.
	credited := s.credited("alice", "0.25")
	s.replace(s.blockOf(credited))
	s.await("the shortfall", func() bool { return s.deposit(credited).State == "shortfall" })
	s.await("the halt", func() bool {
		c := s.status()
		return c.Payouts == "halted" && c.Minting == "halted" && strings.Contains(c.Reason, credited)
	})
	if r := s.awaitAudit(false); r.OK || r.Assets[0].OK {
		t.Errorf("the books balance without a credited deposit: %s", show(r))
	}
	s.node.Generate(3)
	s.await("the deposit to be back", func() bool { return s.deposit(credited).State == "credited" })
	s.await("the chain to go on", func() bool { return s.status().Payouts == "open" })
	s.wantBalance("alice", "SWAP.BTC", "0.75000000")
	if n := s.mints(); n != 2 {
		t.Errorf("%d mints of 2 deposits", n)
	}

	// A payout that leaves the chain comes again; the payee is paid once.
	s.payoutReorg()
	s.checkReserves()

	// Everything leaves the chain together: deposits, the payout made of them and
	// its settlement. It stands still, and goes on when they are back.
	s.replace(s.blockOf(id))
	s.await("the shortfall of all", func() bool { return s.deposit(id).State == "shortfall" && s.deposit(credited).State == "shortfall" })
	s.await("the halt", func() bool { return s.status().Payouts == "halted" })
	s.mineUntil("everything to be back", func() bool {
		return s.deposit(id).State == "credited" && s.deposit(credited).State == "credited" && s.status().Payouts == "open"
	})
	s.node.Generate(inputDepth)
	s.caughtUp()
	s.wantReceived(payees()["P2WPKH"], "0.19980000")
	s.wantBalance("alice", "SWAP.BTC", "0.55000000")
	if n := s.mints(); n != 2 {
		t.Errorf("%d mints of 2 deposits", n)
	}
	s.checkReserves()
}

// payoutReorg takes a mined payout off the chain, before and after its
// settlement.
func (s *site) payoutReorg() {
	script := payees()["P2WPKH"]
	payee, err := s.node.Coin.Address(script)
	must(s.t, err)
	id := s.withdraw("alice", "0.2", payee)
	for _, state := range []string{"broadcast", "settled"} {
		var w gateway.Withdrawal
		s.mineUntil("the payout to be "+state, func() bool {
			w = s.withdrawal(id)
			return w.State == state && w.Confirmations > 0
		})
		var tx struct {
			BlockHash string `json:"blockhash"`
		}
		s.node.Call(&tx, "getrawtransaction", w.TxID, 1)
		s.replace(tx.BlockHash)
		s.await("the payout to be in no block", func() bool { return s.withdrawal(id).Confirmations == 0 })
		s.node.Generate(3)
		s.caughtUp()
	}
	s.mineUntil("the payout to be settled again", func() bool {
		w := s.withdrawal(id)
		return w.State == "settled" && w.Confirmations > 2
	})
	s.wantReceived(script, "0.19980000")
	s.wantBalance("alice", "SWAP.BTC", "0.55000000")
}

// TestShortfallOnBtcd: a deposit that was credited is spent otherwise for good.
// The books do not balance any more, and nothing is paid.
func TestShortfallOnBtcd(t *testing.T) {
	t.Parallel()
	s := newSite(t, "alice", "bob")
	s.credited("bob", "1")
	in := s.purse.fund("0.7")
	lost := "btc:" + spend(t, s.node, s.purse.key, in, s.depositAddress("alice"), "0.0001") + ":0"
	s.mineUntil("the credit", func() bool { return s.deposit(lost).State == "credited" })
	s.node.Generate(inputDepth - creditDepth) // bob's coins may be spent
	s.caughtUp()
	s.replace(s.blockOf(lost))
	other, err := s.node.Coin.Address(s.purse.script)
	must(t, err)
	spend(t, s.node, s.purse.key, in, other, "0.001")
	s.node.Generate(20)
	s.wantStandstill("shortfall", lost)
	s.wantBalance("alice", "SWAP.BTC", "0.69990000")
	if d := s.deposit(lost); d.State != "shortfall" {
		t.Errorf("the lost deposit: %s", show(d))
	}
}

// wantStandstill waits until the books are broken and the chain has halted, and
// proves that a withdrawal is not paid then. The halt survives a restart.
func (s *site) wantStandstill(why, reason string) {
	s.t.Helper()
	s.caughtUp()
	s.await("the halt by "+why, func() bool {
		c := s.status()
		return c.Payouts == "halted" && strings.Contains(c.Reason, reason)
	})
	r := s.awaitAudit(false)
	if r.Assets[0].OK {
		s.t.Errorf("%s: the asset's books are ok: %s", why, show(r))
	}
	checkSums(s.t, r.Assets[0])
	if code, stdout := s.audit(); code != exitInvariant {
		s.t.Errorf("%s: audit exits %d: %s", why, code, stdout)
	}
	script := payees()["P2TR"]
	payee, err := s.node.Coin.Address(script)
	must(s.t, err)
	id := s.withdraw("bob", "0.1", payee)
	for _, restart := range []bool{false, true} {
		if restart {
			s.kill()
			s.start()
		}
		s.node.Generate(3)
		s.caughtUp()
		time.Sleep(3 * time.Second) // some base blocks, in which it could be assigned
		w := s.withdrawal(id)
		if !slices.Contains([]string{"requested", "queued"}, w.State) || w.Reason == "" || w.Batch != "" {
			s.t.Errorf("%s: a withdrawal during the halt: %s", why, show(w))
		}
	}
	s.wantReceived(script)
	if code := s.stop(); code != exitOK {
		s.t.Errorf("%s: exit %d", why, code)
	}
	if code, stdout := s.audit(); code != exitInvariant {
		s.t.Errorf("%s: audit of the stopped home exits %d: %s", why, code, stdout)
	}
	s.start()
}
