package gateway

import (
	"testing"
)

// TestWithdrawalIsKnownWithItsBlock: whoever sees his burn on the sidechain may
// ask for the withdrawal at once, before the ledger has read the row.
func TestWithdrawalIsKnownWithItsBlock(t *testing.T) {
	w := newWorld(t)
	w.start()
	w.pay(w.depositAddress("alice"), "0.5")
	w.mine(2)
	w.wait("credit", func() bool { return len(w.deposits("alice")["credited"]) == 1 })
	var payee string
	w.call(&payee, "getnewaddress")
	id := w.act("alice", "pegs", "withdraw", `{"symbol":"SWAP.BTC","quantity":"0.1","address":"`+payee+`"}`)
	w.wait("the burn", func() bool { return w.withdrawal(id).ID != "" })

	first, err := w.node.gateway.burned(id)
	if err != nil {
		t.Fatal(err)
	}
	booked := w.withdrawal(id)
	if first.State != "requested" || first.ID != id || first.Account != "alice" || first.Address != payee {
		t.Errorf("a fresh withdrawal is %+v", first)
	}
	if first.Amount != booked.Amount || first.Quantity != booked.Quantity || first.Fee != booked.Fee || first.ConfirmationsNeeded != booked.ConfirmationsNeeded {
		t.Errorf("a fresh withdrawal is %+v, booked it is %+v", first, booked)
	}
	if _, err := w.node.gateway.Withdrawal("0123"); !isCode(err, CodeNotFound) {
		t.Errorf("an unknown id: %v", err)
	}
}
