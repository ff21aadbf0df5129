package gateway

import (
	"testing"
)

// TestRound is the main job: coins in, tokens, coins out, and books that balance
// at every step.
func TestRound(t *testing.T) {
	w := newWorld(t)
	w.start()
	address := w.depositAddress("alice")
	txid := w.pay(address, "0.5")
	w.wait("deposit seen", func() bool { return len(w.deposits("alice")["seen"]) == 1 })
	w.mine(1)
	w.wait("deposit confirming", func() bool { return len(w.deposits("alice")["confirming"]) == 1 })
	w.balanced()
	w.mine(1)
	w.wait("deposit credited", func() bool { return len(w.deposits("alice")["credited"]) == 1 })
	if d := w.deposits("alice")["credited"][0]; d.TxID != txid || d.Quantity != "0.50000000" || d.SidechainTx == "" {
		t.Errorf("deposit is %+v", d)
	}
	if got := w.balance("alice"); got != "0.50000000" {
		t.Errorf("alice holds %s", got)
	}
	w.balanced()

	w.act("alice", "tokens", "transfer", `{"to":"bob","symbol":"SWAP.BTC","quantity":"0.2"}`)
	w.wait("transfer", func() bool { return w.balance("bob") == "0.20000000" || w.balance("bob") == "0.2" })
	var payee string
	w.call(&payee, "getnewaddress")
	id := w.act("bob", "pegs", "withdraw", `{"symbol":"SWAP.BTC","quantity":"0.1","address":"`+payee+`"}`)
	w.mine(2)
	w.wait("withdrawal broadcast", func() bool { return w.withdrawal(id).State == "broadcast" })
	w.balanced()
	w.mine(1)
	w.wait("withdrawal mined", func() bool { return w.withdrawal(id).Confirmations == 1 })
	w.balanced()
	w.mine(1)
	w.wait("withdrawal settled", func() bool { return w.withdrawal(id).State == "settled" })
	v := w.withdrawal(id)
	if v.Amount != "0.09995000" || v.TxID == "" || v.SettleTx == "" || len(v.Variants) != 1 {
		t.Errorf("withdrawal is %+v", v)
	}
	audit := w.balanced()
	if a := audit.Assets[0]; a.Surplus != "0.00000000" || a.NetworkFees != "0.00000000" || a.PendingWithdrawals != "0.00000000" {
		t.Errorf("books after the round: %+v", a)
	}
}
