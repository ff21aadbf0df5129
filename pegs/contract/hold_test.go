package contract

import "testing"

// A delayed mint with wrong values is held; when the admin drops it, the deposit
// is not lost: the attestors can mint it with the right ones.
func TestHeldMintIsDropped(t *testing.T) {
	n := newNetwork(t)
	id := "btc:" + hash1 + ":0"
	n.must("att-one", "mint", "id", id, "symbol", "SWAP.BTC", "quantity", "5.00000000", "to", "bob")
	n.refused("the mint is not on hold", "causeway", "hold", "id", id, "drop", true, "reason", "pays the wrong account")
	n.must("att-one", "hold", "id", id, "reason", "pays the wrong account")
	n.refused("must be the admin", "att-one", "hold", "id", id, "drop", true, "reason", "x")
	n.refused("dropping needs a reason", "causeway", "hold", "id", id, "drop", true)
	n.refused("invalid params", "causeway", "hold", "id", id, "drop", true, "lift", true, "reason", "x")
	r := n.must("causeway", "hold", "id", id, "drop", true, "reason", "pays the wrong account")
	if e := r.event("hold"); e == nil || e.Get("dropped") != true {
		t.Errorf("events %v", r.events)
	}
	n.refused("no delayed mint of this deposit", "causeway", "hold", "id", id)
	n.wait(20)
	n.tick()
	n.wantBalance("bob", "SWAP.BTC", "0")
	n.must("att-one", "mint", "id", id, "symbol", "SWAP.BTC", "quantity", "5.00000000", "to", "alice")
	n.wait(11)
	n.tick()
	n.wantBalance("alice", "SWAP.BTC", "5")
	n.supply("SWAP.BTC")
}
