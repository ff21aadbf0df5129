package contract

import (
	"fmt"
	"strings"
	"testing"

	"causeway/sidechain"
	"causeway/sidechain/jsvalue"
)

var hash1 = strings.Repeat("ab", 32)

func TestMintCreditsOnce(t *testing.T) {
	n := newNetwork(t)
	id := "btc:" + hash1 + ":7"
	r := n.must("att-one", "mint", "id", id, "symbol", "SWAP.BTC", "quantity", "1.50000000", "to", "alice")
	if e := r.event("mint"); e == nil || text(e, "id") != id || text(e, "quantity") != "1.50000000" || text(e, "to") != "alice" {
		t.Errorf("events %v", r.events)
	}
	n.wantBalance("alice", "SWAP.BTC", "1.5")
	row := n.table("pegs_deposits").Get(jsvalue.NewObject("id", id))
	if row == nil || text(row, "tx") != r.id || number(row, "block") != 1 || text(row, "symbol") != "SWAP.BTC" {
		t.Errorf("row %s", jsvalue.Stringify(row))
	}
	n.refused("deposit already credited", "att-one", "mint", "id", id, "symbol", "SWAP.BTC", "quantity", "1.50000000", "to", "alice")
	n.refused("deposit already credited", "att-one", "mint", "id", id, "symbol", "SWAP.BTC", "quantity", "2.00000000", "to", "bob")
	if got := n.supply("SWAP.BTC").ToFixed(); got != "1.5" {
		t.Errorf("supply %s", got)
	}
}

// TestSameTxidOnTwoChains: after a fork one transaction can be in both chains, and
// is two deposits (scenario 4).
func TestSameTxidOnTwoChains(t *testing.T) {
	n := newNetwork(t)
	n.must("att-one", "mint", "id", "btc:"+hash1+":0", "symbol", "SWAP.BTC", "quantity", "1.00000000", "to", "alice")
	n.must("att-one", "mint", "id", "doge:"+hash1+":0", "symbol", "SWAP.DOGE", "quantity", "2.00000000", "to", "alice")
	n.refused("deposit already credited", "att-one", "mint", "id", "doge:"+hash1+":0", "symbol", "SWAP.DOGE", "quantity", "2.00000000", "to", "alice")
	n.wantBalance("alice", "SWAP.BTC", "1")
	n.wantBalance("alice", "SWAP.DOGE", "2")
}

func TestMintRefusals(t *testing.T) {
	n := newNetwork(t)
	good := "btc:" + hash1 + ":0"
	for _, c := range []struct{ want, id, symbol, quantity, to string }{
		{"invalid id", "", "SWAP.BTC", "1.00000000", "alice"},
		{"invalid id", "xmr:" + hash1 + ":0", "SWAP.BTC", "1.00000000", "alice"},
		{"invalid id", "btc:" + strings.ToUpper(hash1) + ":0", "SWAP.BTC", "1.00000000", "alice"},
		{"invalid id", "btc:" + hash1 + ":01", "SWAP.BTC", "1.00000000", "alice"},
		{"invalid id", "btc:" + hash1 + ":1000000", "SWAP.BTC", "1.00000000", "alice"},
		{"invalid id", good + "\n", "SWAP.BTC", "1.00000000", "alice"},
		{"invalid id", "eth:0x" + hash1[24:] + ":" + strings.Repeat("9", 79), "SWAP.ETH", "1.00000000", "alice"},
		{"the id is not of a deposit of this asset", "doge:" + hash1 + ":0", "SWAP.BTC", "1.00000000", "alice"},
		{"the id is not of a deposit of this asset", "eth:0x" + hash1 + ":0", "SWAP.ETH", "1.00000000", "alice"},
		{"the id is not of a deposit of this asset", "eth:0x" + hash1[24:] + ":0", "SWAP.USDC", "1.000000", "alice"},
		{"symbol is not a pegged token", good, "BEE", "1.00000000", "alice"},
		{"symbol is not a pegged token", good, "SWAP.XMR", "1.00000000", "alice"},
		{"quantity must have exactly the token's decimals", good, "SWAP.BTC", "1", "alice"},
		{"quantity must have exactly the token's decimals", good, "SWAP.BTC", "1.000000000", "alice"},
		{"quantity must have exactly the token's decimals", good, "SWAP.BTC", "0x1.00000000", "alice"},
		{"quantity must have exactly the token's decimals", good, "SWAP.BTC", "-1.00000000", "alice"},
		{"quantity must have exactly the token's decimals", good, "SWAP.BTC", "1e1000000000", "alice"},
		{"quantity must have exactly the token's decimals", good, "SWAP.BTC", "NaN", "alice"},
		{"quantity must be positive", good, "SWAP.BTC", "0.00000000", "alice"},
		{"invalid to", good, "SWAP.BTC", "1.00000000", "null"},
		{"invalid to", good, "SWAP.BTC", "1.00000000", "pegfees"},
		{"invalid to", good, "SWAP.BTC", "1.00000000", "peg"},
		{"invalid to", good, "SWAP.BTC", "1.00000000", "tokens"},
		{"invalid to", good, "SWAP.BTC", "1.00000000", "pegs"},
		{"invalid to", good, "SWAP.BTC", "1.00000000", "Alice"},
		{"invalid to", good, "SWAP.BTC", "1.00000000", " alice"},
		{"account does not exist", good, "SWAP.BTC", "1.00000000", "nobody"},
		{"supply cap reached", good, "SWAP.BTC", "100.00000001", "alice"},
	} {
		if c.want == "supply cap reached" {
			n.must("causeway", "setAsset", "symbol", "SWAP.BTC", "large_mint", "1000")
			n.wait(5)
			n.tick()
		}
		n.refused(c.want, "att-one", "mint", "id", c.id, "symbol", c.symbol, "quantity", c.quantity, "to", c.to)
	}
	n.refused("invalid params", "att-one", "mint", "id", good, "symbol", "SWAP.BTC", "quantity", 1, "to", "alice")
	for _, who := range []string{"alice", "causeway", "att-two"} {
		n.refused("must be an attestor", who, "mint", "id", good, "symbol", "SWAP.BTC", "quantity", "1.00000000", "to", "alice")
	}
	r := n.block(op{sender: "att-one", contract: Name, action: "mint", posting: true, payload: jsvalue.NewObject(
		"id", good, "symbol", "SWAP.BTC", "quantity", "1.00000000", "to", "alice", "isSignedWithActiveKey", true)})[0]
	if len(r.errors) != 1 || r.errors[0] != "you must use a custom_json signed with your active key" {
		t.Errorf("a posting key minted: %v", r.errors)
	}
	if !n.supply("SWAP.BTC").IsZero() {
		t.Error("something was minted")
	}
}

func TestMintNeedsAgreement(t *testing.T) {
	n := newNetwork(t, twoOfThree)
	id := "btc:" + hash1 + ":0"
	vote := func(who, quantity, to string) receipt {
		return n.call(who, "mint", "id", id, "symbol", "SWAP.BTC", "quantity", quantity, "to", to)
	}
	votes := func() int { return n.table("pegs_votes").Len() }
	vote("att-one", "1.00000000", "alice")
	vote("att-one", "1.00000000", "alice") // the same vote again does not add up
	if !n.supply("SWAP.BTC").IsZero() || votes() != 1 {
		t.Fatalf("one attestor minted, or has %d votes", votes())
	}
	vote("att-two", "1.00000000", "bob") // other values
	if !n.supply("SWAP.BTC").IsZero() || votes() != 2 {
		t.Fatal("different values agreed")
	}
	vote("att-two", "2.00000000", "alice") // replaces
	vote("att-one", "3.00000000", "alice") // replaces
	if !n.supply("SWAP.BTC").IsZero() || votes() != 2 {
		t.Fatal("replaced votes counted")
	}
	if r := vote("att-three", "3.00000000", "alice"); r.event("mint") == nil {
		t.Fatalf("agreement did not mint: %v", r.errors)
	}
	n.wantBalance("alice", "SWAP.BTC", "3")
	if votes() != 0 {
		t.Errorf("%d votes are left", votes())
	}
	n.refused("deposit already credited", "att-two", "mint", "id", id, "symbol", "SWAP.BTC", "quantity", "3.00000000", "to", "alice")
}

func TestVotesOfRemovedAttestorsDoNotCount(t *testing.T) {
	n := newNetwork(t, twoOfThree)
	mint := func(who string) {
		n.must(who, "mint", "id", "btc:"+hash1+":0", "symbol", "SWAP.BTC", "quantity", "1.00000000", "to", "alice")
	}
	set := func(names ...string) {
		n.must("causeway", "setAttestors", "attestors", names, "threshold", 2)
		n.wait(5)
		n.tick()
	}
	mint("att-one")
	set("att-two", "att-three")
	n.refused("must be an attestor", "att-one", "mint", "id", "btc:"+hash1+":0", "symbol", "SWAP.BTC", "quantity", "1.00000000", "to", "alice")
	mint("att-two")
	if !n.supply("SWAP.BTC").IsZero() {
		t.Fatal("a removed attestor's vote counted")
	}
	set("att-one", "att-two") // back again: the old vote is gone for good
	if got := n.table("pegs_votes").Len(); got != 1 {
		t.Errorf("%d open votes, want that of att-two", got)
	}
	mint("att-one")
	n.wantBalance("alice", "SWAP.BTC", "1")
	row := n.table("pegs_attestors").Find1("account", "att-three")
	if row == nil || row.Get("until") == nil {
		t.Error("the row of a removed attestor is not kept")
	}
}

func TestMintCaps(t *testing.T) {
	n := newNetwork(t)
	for range 4 { // 19.96 of 20 a day
		n.deposit("SWAP.BTC", "alice", "4.99000000")
	}
	n.refused("mint cap reached", "att-one", "mint", "id", "btc:"+hash1+":0", "symbol", "SWAP.BTC", "quantity", "0.04000001", "to", "alice")
	n.must("att-one", "mint", "id", "btc:"+hash1+":0", "symbol", "SWAP.BTC", "quantity", "0.04000000", "to", "alice")
	n.deposit("SWAP.DOGE", "alice", "1.00000000") // each asset has its own cap
	// Burning does not make room in the window.
	n.must("alice", "withdraw", "symbol", "SWAP.BTC", "quantity", "10", "address", btcAddress)
	n.refused("mint cap reached", "att-one", "mint", "id", "btc:"+hash1+":1", "symbol", "SWAP.BTC", "quantity", "0.00000001", "to", "alice")
}

func TestMintWindowRolls(t *testing.T) {
	n := newNetwork(t)
	first := n.number + 1
	n.deposit("SWAP.BTC", "alice", "4.00000000") // block 1
	n.wait(99)
	for range 4 {
		n.deposit("SWAP.BTC", "alice", "4.00000000") // blocks 101 to 104
	}
	n.wait(int(first + mintWindow - 2 - n.number))
	// The next block is the last one in which the first mint still counts.
	n.refused("mint cap reached", "att-one", "mint", "id", "btc:"+hash1+":0", "symbol", "SWAP.BTC", "quantity", "0.00000001", "to", "alice")
	n.must("att-one", "mint", "id", "btc:"+hash1+":0", "symbol", "SWAP.BTC", "quantity", "4.00000000", "to", "alice")
	n.refused("mint cap reached", "att-one", "mint", "id", "btc:"+hash1+":1", "symbol", "SWAP.BTC", "quantity", "0.00000001", "to", "alice")
	if got := n.table("pegs_mints").Len(); got != 5 {
		t.Errorf("%d rows in the window, want 5", got)
	}
}

func TestSupplyCap(t *testing.T) {
	n := newNetwork(t, func(g *sidechain.Genesis) {
		g.Assets[0].SupplyCap, g.Assets[0].LargeMint = "3.00000000", "1000.00000000"
	})
	n.deposit("SWAP.BTC", "alice", "2.00000000")
	n.refused("supply cap reached", "att-one", "mint", "id", "btc:"+hash1+":0", "symbol", "SWAP.BTC", "quantity", "1.00000001", "to", "alice")
	n.must("alice", "withdraw", "symbol", "SWAP.BTC", "quantity", "1.5", "address", btcAddress)
	n.must("att-one", "mint", "id", "btc:"+hash1+":0", "symbol", "SWAP.BTC", "quantity", "1.00000001", "to", "alice")
}

func TestLargeMintWaits(t *testing.T) {
	n := newNetwork(t)
	id := "btc:" + hash1 + ":0"
	r := n.must("att-one", "mint", "id", id, "symbol", "SWAP.BTC", "quantity", "5.00000000", "to", "alice")
	if r.event("mint") != nil || r.event("mintDelayed") == nil {
		t.Fatal("a large mint did not wait")
	}
	n.refused("the mint of this deposit waits for its delay", "att-one", "mint", "id", id, "symbol", "SWAP.BTC", "quantity", "5.00000000", "to", "alice")
	n.refused("must be an attestor or the admin", "alice", "hold", "id", id)
	n.wait(6)
	n.tick() // block 10: due at 11
	if !n.supply("SWAP.BTC").IsZero() {
		t.Fatal("minted before its delay")
	}
	n.tick()
	n.wantBalance("alice", "SWAP.BTC", "5")
	n.refused("deposit already credited", "att-one", "mint", "id", id, "symbol", "SWAP.BTC", "quantity", "5.00000000", "to", "alice")
	row := n.table("pegs_deposits").Get(jsvalue.NewObject("id", id))
	if !strings.HasPrefix(text(row, "tx"), "11-") {
		t.Errorf("the deposit names %s", text(row, "tx"))
	}
	if n.table("pegs_votes").Len() != 0 {
		t.Error("the delayed mint is still there")
	}
}

func TestHold(t *testing.T) {
	n := newNetwork(t)
	id := "btc:" + hash1 + ":0"
	n.must("att-one", "mint", "id", id, "symbol", "SWAP.BTC", "quantity", "5.00000000", "to", "alice")
	n.refused("no delayed mint of this deposit", "att-one", "hold", "id", "btc:"+hash1+":1")
	n.must("att-one", "hold", "id", id, "reason", "looks wrong")
	n.refused("the mint is on hold already", "causeway", "hold", "id", id)
	n.refused("the mint of this deposit is on hold", "att-one", "mint", "id", id, "symbol", "SWAP.BTC", "quantity", "5.00000000", "to", "alice")
	n.refused("must be the admin", "att-one", "hold", "id", id, "lift", true)
	n.wait(30)
	n.tick()
	if !n.supply("SWAP.BTC").IsZero() {
		t.Fatal("a held mint was credited")
	}
	n.must("causeway", "hold", "id", id, "lift", true, "reason", "checked")
	n.refused("the mint is not on hold", "causeway", "hold", "id", id, "lift", true)
	n.tick()
	if !n.supply("SWAP.BTC").IsZero() {
		t.Fatal("a lifted hold has no delay")
	}
	n.wait(10)
	n.tick()
	n.wantBalance("alice", "SWAP.BTC", "5")
}

// TestMintsOfOneBlock: several mints of one base block count once each.
func TestMintsOfOneBlock(t *testing.T) {
	n := newNetwork(t)
	var ops []op
	for i := range 5 {
		ops = append(ops, op{sender: "att-one", contract: Name, action: "mint", payload: jsvalue.NewObject(
			"id", fmt.Sprintf("btc:%s:%d", hash1, i), "symbol", "SWAP.BTC", "quantity", "4.50000000", "to", "alice")})
	}
	for i, r := range n.block(ops...) {
		if capped := len(r.errors) > 0; capped != (i == 4) {
			t.Errorf("mint %d: %v", i, r.errors)
		}
	}
	n.wantBalance("alice", "SWAP.BTC", "18")
	if n.table("pegs_mints").Len() != 1 || text(n.asset("SWAP.BTC"), "minted") != "18.00000000" {
		t.Errorf("window %s in %d rows", text(n.asset("SWAP.BTC"), "minted"), n.table("pegs_mints").Len())
	}
}

// TestDelayedMintWaitsForRoom: what stands against a delayed mint when its
// time comes only postpones it, and no block carries a message meanwhile.
func TestDelayedMintWaitsForRoom(t *testing.T) {
	n := newNetwork(t)
	n.must("att-one", "mint", "id", "btc:"+hash1+":0", "symbol", "SWAP.BTC", "quantity", "5.00000000", "to", "alice")
	n.must("causeway", "pause", "mints", true)
	n.wait(15)
	n.tick()
	doc, _ := n.engine.Block(n.engine.Head().Block)
	if virtual, _ := doc.Array("virtualTransactions"); len(virtual) != 0 {
		t.Errorf("a waiting mint left %s", jsvalue.Stringify(virtual))
	}
	if !n.supply("SWAP.BTC").IsZero() {
		t.Fatal("minted while paused")
	}
	n.refused("resuming needs a reason", "causeway", "pause", "symbol", "SWAP.BTC", "mints", false)
	n.must("causeway", "pause", "symbol", "SWAP.BTC", "mints", false, "reason", "drill is over")
	n.wantBalance("alice", "SWAP.BTC", "5")
}
