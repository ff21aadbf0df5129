package gateway

import (
	"math/big"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/chains/ethereum"
	"causeway/chains/ethereum/erc20test"
)

// TestEthRound is the main job on Ethereum: ether in, tokens, ether out, and books
// that balance at every step.
func TestEthRound(t *testing.T) {
	d := ethBooted(t)
	d.balanced()
	to := d.address("alice")
	txid := d.send(outsider, to, ether("2.5"), nil)
	d.mineEth(1)
	d.until("the deposit in a block", func() bool { return len(d.deposits("alice")["confirming"]) == 1 })
	early := d.deposits("alice")["confirming"][0]
	if early.Confirmations >= early.ConfirmationsNeeded || early.Amount != "2.500000000000000000" || early.Quantity != "2.50000000" {
		t.Errorf("above finality: %+v", early)
	}
	d.balanced()
	d.finalEth()
	d.credited("alice", "SWAP.ETH", "2.50000000")
	got := d.deposits("alice")["credited"]
	if len(got) != 1 || got[0].ID != early.ID || got[0].TxID != txid || got[0].Confirmations < got[0].ConfirmationsNeeded {
		t.Errorf("credited %+v, seen %+v", got, early)
	}
	d.balanced()

	payee := d.rich[receiver]
	before := d.holds(payee)
	id := d.withdraw("alice", "SWAP.ETH", "1", payee)
	w := d.state(id, "settled")
	after, err := d.holds(payee).Sub(before)
	if err != nil || after != ether("0.99995") {
		t.Errorf("the payee received %s (%v): %+v", after.Coin(18), err, w)
	}
	audit := d.balanced()
	if a := audit.Assets[0]; a.PendingWithdrawals != "0.000000000000000000" || a.Surplus[0] == '-' {
		t.Errorf("books after the round: %+v", a)
	}
	d.node.close()
}

// TestTokenRound: a token in, swept with gas that the sweeper sends, and out.
func TestTokenRound(t *testing.T) {
	d := ethBooted(t)
	d.payIn("alice", "1")
	to := d.address("bob")
	txid := d.send(0, d.usdc, chains.Amount{}, erc20test.Transfer(to, big.NewInt(250_000_000)))
	d.mineEth(1)
	d.until("the token in a block", func() bool { return len(d.deposits("bob")["confirming"]) == 1 })
	early := d.deposits("bob")["confirming"][0]
	d.finalEth()
	d.credited("bob", "SWAP.USDC", "250.000000")
	if got := d.deposits("bob")["credited"]; len(got) != 1 || got[0].ID != early.ID || got[0].TxID != txid || got[0].Amount != "250.000000" {
		t.Errorf("credited %+v, seen %+v", got, early)
	}
	d.balanced()
	// The fee of a token's withdrawal is in the chain's own peg.
	d.act("alice", "tokens", "transfer", `{"to":"bob","symbol":"SWAP.ETH","quantity":"0.5"}`)
	payee := d.rich[receiver]
	id := d.withdraw("bob", "SWAP.USDC", "100", payee)
	w := d.state(id, "settled")
	if d.units(payee) != "100.000000" || w.Amount != "100.000000" {
		t.Errorf("the payee holds %s: %+v", d.units(payee), w)
	}
	d.balanced()
	reserves, err := d.node.gateway.Reserves(t.Context())
	if err != nil || len(reserves.Items) == 0 {
		t.Fatalf("%+v, %v", reserves, err)
	}
	for _, item := range reserves.Items {
		if item.TxID != nil || item.Index != nil {
			t.Errorf("an account's balance has an outpoint: %+v", item)
		}
		if item.Token != "" && item.Kind == "hot" && item.Amount != "150.000000" {
			t.Errorf("the hot account's token: %+v", item)
		}
	}
	d.node.close()
}

// TestForcedEther: coins that a contract sends, even by its end, leave no trace in
// transactions and are found by the turn of all accounts.
func TestForcedEther(t *testing.T) {
	d := ethBooted(t)
	to := d.address("carol")
	d.create(erc20test.CreateBomb(to), ether("0.3"))
	d.finalEth()
	d.credited("carol", "SWAP.ETH", "0.30000000")
	payer := d.create(erc20test.CreatePayer(), chains.Amount{})
	d.send(outsider, payer, ether("0.4"), erc20test.Pay(to, d.address("bob")))
	d.send(outsider, payer, ether("0.4"), erc20test.PayReverted(to))
	d.finalEth()
	d.credited("carol", "SWAP.ETH", "0.50000000")
	d.credited("bob", "SWAP.ETH", "0.20000000")
	d.balanced()
	d.node.close()
}

// TestPayees: one that refuses coins or takes too much gas is told so, and gets his
// tokens back; one that takes a little more is paid.
func TestPayees(t *testing.T) {
	d := ethBooted(t)
	d.payIn("alice", "5")
	d.state(d.withdraw("alice", "SWAP.ETH", "0.1", d.rich[receiver]), "settled")
	payee := d.create(erc20test.CreatePayee(), chains.Amount{})
	for _, c := range []struct {
		mode  erc20test.Mode
		state string
	}{{erc20test.Accepts, "settled"}, {erc20test.Emits, "settled"}, {erc20test.Reverts, "returned"}, {erc20test.EatsGas, "returned"}} {
		d.send(outsider, payee, chains.Amount{}, erc20test.SetMode(c.mode))
		d.finalEth()
		w := d.state(d.withdraw("alice", "SWAP.ETH", "0.2", payee), c.state)
		if c.state == "returned" && (w.Reason == "" || len(w.Variants) != 0) {
			t.Errorf("mode %d: %+v", c.mode, w)
		}
	}
	if got := d.holds(payee); got != ether("0.3999") {
		t.Errorf("the payee holds %s", got.Coin(18))
	}
	own := d.parse(d.ownAddress(chains.WatchChange))
	for _, to := range []ethereum.Address{own, d.usdc, d.parse(d.ownAddress(chains.WatchSweeper))} {
		if w := d.state(d.withdraw("alice", "SWAP.ETH", "0.01", to), "returned"); w.Reason == "" {
			t.Errorf("to %s: %+v", to, w)
		}
	}
	d.balanced()
	d.node.close()
}

// TestPayeeThatTurns: a payee that passes the trial and fails in the block costs one
// attempt: its withdrawal is dead, released and given back, the gas charged.
func TestPayeeThatTurns(t *testing.T) {
	d := ethBooted(t)
	d.payIn("alice", "5")
	d.state(d.withdraw("alice", "SWAP.ETH", "0.1", d.rich[receiver]), "settled")
	payee := d.create(erc20test.CreatePayee(), chains.Amount{})
	d.finalEth()
	before := d.peg("alice", "SWAP.ETH")
	id := d.withdraw("alice", "SWAP.ETH", "0.2", payee)
	d.until("the plan", func() bool { return d.withdrawal(id).State == "planned" })
	d.send(outsider, payee, chains.Amount{}, erc20test.SetMode(erc20test.Reverts))
	d.mineEth(1)
	w := d.state(id, "returned")
	if len(w.Variants) != 1 || !strings.Contains(w.Reason, "status 0") {
		t.Errorf("%+v", w)
	}
	if got := minus(t, before, d.peg("alice", "SWAP.ETH")); got != "0.00005000" { // the fee stays
		t.Errorf("alice lost %s", got)
	}
	d.until("the charge", func() bool { return d.fees() == "0.00000000" })
	d.state(d.withdraw("alice", "SWAP.ETH", "0.2", d.rich[receiver]), "settled")
	d.balanced()
	d.node.close()
}
