package contract

import (
	"fmt"
	"strings"
	"testing"

	"causeway/sidechain"
	"causeway/sidechain/jsvalue"
)

// payer has two withdrawals of alice's waiting and returns their ids.
func payer(t *testing.T, options ...func(*sidechain.Genesis)) (n *network, first, second string) {
	t.Helper()
	n = newNetwork(t, options...)
	n.deposit("SWAP.BTC", "alice", "1.00000000")
	first = n.must("alice", "withdraw", "symbol", "SWAP.BTC", "quantity", "0.1", "address", btcAddress).id
	second = n.must("alice", "withdraw", "symbol", "SWAP.BTC", "quantity", "0.2", "address", btcAddress).id
	return n, first, second
}

func outpoint(i int) string { return fmt.Sprintf("%s:%d", txHash(i), i) }

func TestAssignAndSettle(t *testing.T) {
	n, first, second := payer(t)
	spends := []string{outpoint(1), outpoint(2)}
	r := n.must("att-one", "assign", "batch", "b1", "kind", "payout", "ids", []string{first, second}, "spends", spends)
	if e := r.event("assign"); e == nil || text(e, "batch") != "b1" {
		t.Errorf("events %v", r.events)
	}
	n.refused("a payout pays withdrawals, and nothing else does", "att-one", "assign", "batch", "b5", "kind", "payout", "chain", "btc", "ids", nil, "spends", []string{outpoint(8)})
	n.must("att-one", "assign", "batch", "b6", "kind", "consolidate", "chain", "btc", "ids", nil, "spends", []string{outpoint(8)})
	row := n.table("pegs_assigns").Get(jsvalue.NewObject("batch", "b1"))
	if text(row, "chain") != "btc" || text(row, "state") != open || number(row, "row") != 1 {
		t.Error(jsvalue.Stringify(row))
	}
	if n.withdrawalState(first) != assigned || n.withdrawalState(second) != assigned {
		t.Error("withdrawals are not assigned")
	}
	n.refused("withdrawal is not in state requested", "att-one", "assign", "batch", "b2", "kind", "payout", "ids", []string{first}, "spends", []string{outpoint(3)})
	n.refused("withdrawal is not in state requested or released", "att-one", "giveBack", "id", first, "reason", "no")

	n.refused("batch does not exist", "att-one", "settle", "batch", "b9", "txid", hash1, "cost", "0.0001")
	n.refused("invalid txid", "att-one", "settle", "batch", "b1", "txid", "0x"+hash1, "cost", "0.0001")
	n.refused("invalid cost", "att-one", "settle", "batch", "b1", "txid", hash1, "cost", "-1")
	n.must("att-one", "settle", "batch", "b1", "txid", hash1, "cost", "0.0001")
	if n.withdrawalState(first) != settled || n.withdrawalState(second) != settled {
		t.Error("withdrawals are not settled")
	}
	n.wantBalance("pegfees", "SWAP.BTC", "0.0003") // two fees less the cost
	if row = n.table("pegs_assigns").Get(jsvalue.NewObject("batch", "b1")); number(row, "closed") != float64(n.number) || text(row, "state") != closed {
		t.Error(jsvalue.Stringify(row))
	}
	row = n.table("pegs_withdrawals").Get(jsvalue.NewObject("id", first))
	if text(row, "txid") != hash1 || text(row, "batch") != "b1" {
		t.Error(jsvalue.Stringify(row))
	}
	n.refused("batch is not open", "att-one", "settle", "batch", "b1", "txid", hash1, "cost", "0.0001")
	n.refused("transaction already charged", "att-one", "cost", "chain", "btc", "txid", hash1, "amount", "0.0001")
	n.refused("withdrawal is not in state assigned", "att-one", "release", "id", first, "proof", "x")
	n.refused("an input belongs to another batch", "att-one", "assign", "batch", "b3", "kind", "consolidate", "chain", "btc", "ids", []string{}, "spends", []string{outpoint(9), outpoint(1)})
	n.refused("an input belongs to another batch", "att-one", "assign", "batch", "b3", "kind", "cancel", "chain", "btc", "ids", []string{}, "spends", []string{outpoint(1)})
	n.supply("SWAP.BTC")
}

func TestAssignRefusals(t *testing.T) {
	n, first, second := payer(t)
	n.deposit("SWAP.DOGE", "alice", "1.00000000")
	doge := n.must("alice", "withdraw", "symbol", "SWAP.DOGE", "quantity", "0.1", "address", dogeAddress).id
	many := make([]string, 501)
	for i := range many {
		many[i] = outpoint(100 + i)
	}
	for _, c := range []struct {
		want, batch, kind, chain string
		ids, spends              []string
	}{
		{"invalid batch", "", "payout", "", []string{first}, []string{outpoint(1)}},
		{"invalid batch", "B 1", "payout", "", []string{first}, []string{outpoint(1)}},
		{"invalid kind", "b1", "gift", "", []string{first}, []string{outpoint(1)}},
		{"a payout pays withdrawals, and nothing else does", "b1", "payout", "btc", nil, []string{outpoint(1)}},
		{"a payout pays withdrawals, and nothing else does", "b1", "sweep", "btc", []string{first}, []string{outpoint(1)}},
		{"invalid ids", "b1", "payout", "", []string{first, first}, []string{outpoint(1)}},
		{"withdrawal does not exist", "b1", "payout", "", []string{"nothing"}, []string{outpoint(1)}},
		{"withdrawal is of another chain", "b1", "payout", "", []string{first, doge}, []string{outpoint(1)}},
		{"withdrawal is of another chain", "b1", "payout", "ltc", []string{first}, []string{outpoint(1)}},
		{"invalid chain", "b1", "consolidate", "", nil, []string{outpoint(1)}},
		{"invalid spends", "b1", "payout", "", []string{first}, nil},
		{"invalid spends", "b1", "payout", "", []string{first}, []string{outpoint(1), outpoint(1)}},
		{"invalid spends", "b1", "payout", "", []string{first}, []string{strings.ToUpper(hash1) + ":0"}},
		{"invalid spends", "b1", "payout", "", []string{first}, []string{hash1 + ":4294967296"}},
		{"invalid spends", "b1", "payout", "", []string{first}, []string{"0x" + hash1[24:] + ":0"}},
		{"invalid spends", "b1", "payout", "", []string{first}, many},
		{"batch exists already", second, "payout", "", []string{first}, []string{outpoint(1)}},
	} {
		ids := make([]jsvalue.Value, len(c.ids))
		for i, id := range c.ids {
			ids[i] = id
		}
		kv := []any{"batch", c.batch, "kind", c.kind, "ids", ids, "spends", c.spends}
		if c.spends == nil {
			kv[7] = []jsvalue.Value{}
		}
		if c.chain != "" {
			kv = append(kv, "chain", c.chain)
		}
		n.refused(c.want, "att-one", "assign", kv...)
	}
	n.refused("invalid params", "att-one", "assign", "batch", "b1", "kind", "payout", "ids", first, "spends", []string{outpoint(1)})
	n.refused("must be an attestor", "alice", "assign", "batch", "b1", "kind", "payout", "ids", []string{first}, "spends", []string{outpoint(1)})
	n.must("att-one", "assign", "batch", "b1", "kind", "payout", "ids", []string{first}, "spends", []string{outpoint(1)})
	n.refused("batch exists already", "att-one", "assign", "batch", "b1", "kind", "payout", "ids", []string{second}, "spends", []string{outpoint(2)})
}

func TestAttestorActionsNeedAgreement(t *testing.T) {
	n := newNetwork(t, twoOfThree)
	both := func(action string, kv ...any) {
		t.Helper()
		before := n.table("pegs_votes").Len()
		n.must("att-one", action, kv...)
		if n.table("pegs_votes").Len() != before+1 {
			t.Errorf("one attestor's %s acted", action)
		}
		n.must("att-two", action, kv...)
		if n.table("pegs_votes").Len() != before {
			t.Errorf("two attestors' %s did not act", action)
		}
	}
	both("mint", "id", "btc:"+hash1+":0", "symbol", "SWAP.BTC", "quantity", "1.00000000", "to", "alice")
	withdraw := func() string {
		return n.must("alice", "withdraw", "symbol", "SWAP.BTC", "quantity", "0.1", "address", btcAddress).id
	}
	first, second, third := withdraw(), withdraw(), withdraw()
	both("assign", "batch", "b1", "kind", "payout", "ids", []string{first}, "spends", []string{outpoint(1)})
	both("settle", "batch", "b1", "txid", hash1, "cost", "0.00001")
	both("cost", "chain", "btc", "txid", txHash(7), "amount", "0.00001")
	both("assign", "batch", "b2", "kind", "payout", "ids", []string{second}, "spends", []string{outpoint(2)})
	both("release", "id", second, "proof", "input spent by another transaction")
	both("giveBack", "id", second, "reason", "released")
	both("giveBack", "id", third, "reason", "address refused")
	if n.withdrawalState(first) != settled || n.withdrawalState(second) != returned || n.withdrawalState(third) != returned {
		t.Error(n.withdrawalState(first), n.withdrawalState(second), n.withdrawalState(third))
	}
	// Votes that cannot agree on values never act.
	n.must("att-one", "cost", "chain", "btc", "txid", txHash(8), "amount", "0.00001")
	n.must("att-two", "cost", "chain", "btc", "txid", txHash(8), "amount", "0.00002")
	n.must("att-two", "cost", "chain", "btc", "txid", txHash(8), "amount", "0.00003")
	if n.table("pegs_costs").Get(jsvalue.NewObject("chain", "btc", "txid", txHash(8))) != nil {
		t.Error("votes with different values agreed")
	}
	n.supply("SWAP.BTC")
}

// TestConflictingAssignVotes: a vote that agrees later loses when its subject
// has changed meanwhile.
func TestConflictingAssignVotes(t *testing.T) {
	n, first, _ := payer(t)
	n.must("causeway", "setAttestors", "attestors", []string{"att-one", "att-two", "att-three"}, "threshold", 2)
	n.wait(5)
	n.tick()
	assign := func(who, batch string, i int) []any {
		return []any{"batch", batch, "kind", "payout", "ids", []string{first}, "spends", []string{outpoint(i)}}
	}
	n.must("att-one", "assign", assign("att-one", "b1", 1)...)
	n.must("att-two", "assign", assign("att-two", "b2", 2)...)
	n.must("att-three", "assign", assign("att-three", "b1", 1)...)
	n.refused("withdrawal is not in state requested", "att-one", "assign", assign("att-one", "b2", 2)...)
	n.must("att-one", "release", "id", first, "proof", "dead")
	n.must("att-two", "settle", "batch", "b1", "txid", hash1, "cost", "0")
	n.must("att-three", "settle", "batch", "b1", "txid", hash1, "cost", "0")
	n.refused("withdrawal is not in state assigned", "att-three", "release", "id", first, "proof", "dead")
	n.refused("withdrawal is not in state requested or released", "att-three", "giveBack", "id", first, "reason", "dead")
}

func TestReleaseAndGiveBack(t *testing.T) {
	n, first, second := payer(t)
	n.must("att-one", "assign", "batch", "b1", "kind", "payout", "ids", []string{first, second}, "spends", []string{outpoint(1), outpoint(2)})
	n.must("att-one", "release", "id", first, "proof", "input 1 spent elsewhere")
	row := n.table("pegs_assigns").Get(jsvalue.NewObject("batch", "b1"))
	if n.withdrawalState(first) != released || text(row, "state") != open {
		t.Error("the batch did not stay open for its other withdrawal")
	}
	n.refused("a withdrawal of the batch is not in state assigned", "att-one", "settle", "batch", "b1", "txid", hash1, "cost", "0")
	n.refused("an input belongs to another batch", "att-one", "assign", "batch", "b2", "kind", "consolidate", "chain", "btc", "ids", []jsvalue.Value{}, "spends", []string{outpoint(2)})
	n.refused("a payout is released by its withdrawals", "att-one", "release", "id", "b1", "proof", "x")
	n.must("att-one", "release", "id", second, "proof", "input 1 spent elsewhere")
	if row = n.table("pegs_assigns").Get(jsvalue.NewObject("batch", "b1")); text(row, "state") != released {
		t.Error("the batch is not released")
	}
	n.refused("batch is not open", "att-one", "settle", "batch", "b1", "txid", hash1, "cost", "0")
	n.refused("withdrawal is not in state requested", "att-one", "assign", "batch", "b3", "kind", "payout", "ids", []string{first}, "spends", []string{outpoint(4)})
	before := n.supply("SWAP.BTC")
	r := n.must("att-one", "giveBack", "id", first, "reason", "cannot be paid")
	if e := r.event("giveBack"); text(e, "quantity") != "0.09980000" || text(e, "account") != "alice" {
		t.Error(r.events)
	}
	n.wantBalance("alice", "SWAP.BTC", "0.7998") // the fee stays
	if got := n.supply("SWAP.BTC").Minus(before).ToFixed(); got != "0.0998" {
		t.Errorf("supply rose by %s", got)
	}
	n.refused("withdrawal is not in state requested or released", "att-one", "giveBack", "id", first, "reason", "again")
	// The inputs of a dead batch can be used again.
	n.must("att-one", "assign", "batch", "b2", "kind", "consolidate", "chain", "btc", "ids", []jsvalue.Value{}, "spends", []string{outpoint(2)})
}

func TestGiveBackOfRequested(t *testing.T) {
	n, first, _ := payer(t)
	n.refused("invalid params", "att-one", "giveBack", "id", first, "reason", "")
	n.refused("withdrawal does not exist", "att-one", "giveBack", "id", "nothing", "reason", "x")
	n.must("att-one", "giveBack", "id", first, "reason", "pays our own script")
	n.refused("withdrawal is not in state requested", "att-one", "assign", "batch", "b1", "kind", "payout", "ids", []string{first}, "spends", []string{outpoint(1)})
	// giveBack ignores the caps: the holder had these tokens.
	n.must("causeway", "setAsset", "symbol", "SWAP.BTC", "supply_cap", "0", "mint_cap", "0")
}

func TestCancel(t *testing.T) {
	n, first, second := payer(t)
	none := []jsvalue.Value{}
	n.must("att-one", "assign", "batch", "pay", "kind", "payout", "ids", []string{first}, "spends", []string{outpoint(1), outpoint(2)})
	n.refused("a cancel takes an input of an open batch", "att-one", "assign", "batch", "c0", "kind", "cancel", "chain", "btc", "ids", none, "spends", []string{outpoint(9)})
	n.must("att-one", "assign", "batch", "cancel", "kind", "cancel", "chain", "btc", "ids", none, "spends", []string{outpoint(2), outpoint(3)})
	n.refused("an input belongs to another batch", "att-one", "assign", "batch", "c2", "kind", "cancel", "chain", "btc", "ids", none, "spends", []string{outpoint(2)})
	n.refused("an input belongs to another batch", "att-one", "assign", "batch", "c2", "kind", "cancel", "chain", "btc", "ids", none, "spends", []string{outpoint(3)})
	// The cancel wins: its cost closes it, the payout is released.
	n.refused("a payout is closed by settle", "att-one", "cost", "chain", "btc", "txid", hash1, "amount", "0.0001", "batch", "pay")
	n.refused("batch does not exist", "att-one", "cost", "chain", "doge", "txid", hash1, "amount", "0.0001", "batch", "cancel")
	n.must("att-one", "cost", "chain", "btc", "txid", hash1, "amount", "0.0001", "batch", "cancel")
	n.must("att-one", "release", "id", first, "proof", "cancelled by "+hash1)
	n.must("att-one", "giveBack", "id", first, "reason", "cancelled")
	free := func(i int, want bool) {
		t.Helper()
		row := n.table("pegs_spends").Get(jsvalue.NewObject("chain", "btc", "outpoint", outpoint(i)))
		if (row == nil) != want {
			t.Errorf("outpoint %d: %s", i, jsvalue.Stringify(row))
		}
	}
	free(1, true)
	free(2, false)
	free(3, false)

	// The payout wins: the cancel is released and frees only its own input.
	n.must("att-one", "assign", "batch", "pay2", "kind", "payout", "ids", []string{second}, "spends", []string{outpoint(4)})
	n.must("att-one", "assign", "batch", "cancel2", "kind", "cancel", "chain", "btc", "ids", none, "spends", []string{outpoint(4), outpoint(5)})
	n.must("att-one", "settle", "batch", "pay2", "txid", txHash(77), "cost", "0.0001")
	n.must("att-one", "release", "id", "cancel2", "proof", "the payout was mined")
	free(4, false)
	free(5, true)
	n.refused("batch is not open", "att-one", "release", "id", "cancel2", "proof", "again")
}

func TestEthereumBatches(t *testing.T) {
	n := newNetwork(t)
	n.deposit("SWAP.ETH", "alice", "1.00000000")
	n.deposit("SWAP.USDC", "alice", "2.000000")
	id := n.must("alice", "withdraw", "symbol", "SWAP.USDC", "quantity", "1", "address", ethAddress).id
	nonce := "0x" + hash1[24:] + ":17"
	n.refused("invalid spends", "att-one", "assign", "batch", "b1", "kind", "payout", "ids", []string{id}, "spends", []string{outpoint(1)})
	n.refused("invalid spends", "att-one", "assign", "batch", "b1", "kind", "payout", "ids", []string{id}, "spends", []string{"0x" + strings.ToUpper(hash1[24:]) + ":1"})
	n.must("att-one", "assign", "batch", "b1", "kind", "payout", "ids", []string{id}, "spends", []string{nonce})
	// A transaction that failed used its nonce, and its gas is charged.
	n.must("att-one", "release", "id", id, "proof", "status 0")
	n.refused("an input belongs to another batch", "att-one", "assign", "batch", "b2", "kind", "sweep", "chain", "eth", "ids", []jsvalue.Value{}, "spends", []string{nonce})
	n.must("att-one", "cost", "chain", "eth", "txid", "0x"+hash1, "amount", "0.000012345678901234")
	n.must("att-one", "giveBack", "id", id, "reason", "status 0")
	n.wantBalance("alice", "SWAP.USDC", "2")
	n.wantBalance("pegfees", "SWAP.ETH", "0.00018765") // 0.0002 less the gas, rounded up
	row := n.table("pegs_costs").Get(jsvalue.NewObject("chain", "eth", "txid", "0x"+hash1))
	if text(row, "amount") != "0.000012345678901234" || text(row, "charged") != "0.00001235" {
		t.Error(jsvalue.Stringify(row))
	}
	n.supply("SWAP.ETH")
	n.supply("SWAP.USDC")
}

func TestOwedCosts(t *testing.T) {
	n, first, second := payer(t) // fees: 0.0004
	owed := func() string { return text(n.table("pegs_assets").Find1("symbol", "SWAP.BTC"), "owed") }
	n.must("att-one", "assign", "batch", "b1", "kind", "payout", "ids", []string{first, second}, "spends", []string{outpoint(1)})
	n.must("att-one", "settle", "batch", "b1", "txid", hash1, "cost", "0.0007")
	if owed() != "0.00030000" {
		t.Errorf("owed %s", owed())
	}
	n.wantBalance("pegfees", "SWAP.BTC", "0")
	n.must("alice", "withdraw", "symbol", "SWAP.BTC", "quantity", "0.1", "address", btcAddress)
	if owed() != "0.00010000" {
		t.Errorf("owed %s", owed())
	}
	n.wantBalance("pegfees", "SWAP.BTC", "0")
	n.must("att-one", "cost", "chain", "btc", "txid", txHash(5), "amount", "0.00005")
	if owed() != "0.00015000" {
		t.Errorf("owed %s", owed())
	}
	n.must("alice", "withdraw", "symbol", "SWAP.BTC", "quantity", "0.1", "address", btcAddress)
	if owed() != "0.00000000" {
		t.Errorf("owed %s", owed())
	}
	n.wantBalance("pegfees", "SWAP.BTC", "0.00005")
	n.supply("SWAP.BTC")
}

// TestChargedOnce: a transaction that was charged by cost settles without
// being charged again, and never settles two batches.
func TestChargedOnce(t *testing.T) {
	n, first, second := payer(t)
	n.must("att-one", "assign", "batch", "b1", "kind", "payout", "ids", []string{first}, "spends", []string{outpoint(1)})
	n.must("att-one", "assign", "batch", "b2", "kind", "payout", "ids", []string{second}, "spends", []string{outpoint(2)})
	n.must("att-one", "cost", "chain", "btc", "txid", hash1, "amount", "0.0001")
	n.must("att-one", "settle", "batch", "b1", "txid", hash1, "cost", "0.0001")
	n.wantBalance("pegfees", "SWAP.BTC", "0.0003")
	n.refused("the transaction settled another batch", "att-one", "settle", "batch", "b2", "txid", hash1, "cost", "0.0001")
	n.must("att-one", "settle", "batch", "b2", "txid", txHash(2), "cost", "0")
	n.refused("transaction already charged", "att-one", "cost", "chain", "btc", "txid", txHash(2), "amount", "0.0001")
}
