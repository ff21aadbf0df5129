package contract

import (
	"strings"
	"testing"

	"causeway/sidechain/jsvalue"
)

func TestWithdraw(t *testing.T) {
	n := newNetwork(t)
	n.deposit("SWAP.BTC", "alice", "1.00000000")
	r := n.must("alice", "withdraw", "symbol", "SWAP.BTC", "quantity", "0.05", "address", btcAddress, "maxFee", "0.0002", "ref", "order-1")
	e := r.event("withdraw")
	want := `{"id":"` + r.id + `","symbol":"SWAP.BTC","account":"alice","address":"` + btcAddress + `","quantity":"0.05000000","fee":"0.00020000","net":"0.04980000"}`
	if e == nil || jsvalue.Stringify(e) != want {
		t.Errorf("event %s, want %s", jsvalue.Stringify(e), want)
	}
	row := n.table("pegs_withdrawals").Get(jsvalue.NewObject("id", r.id))
	for key, want := range map[string]jsvalue.Value{
		"state": "requested", "chain": "btc", "net": "0.04980000", "fee": "0.00020000", "fee_symbol": "SWAP.BTC", "ref": "order-1", "row": 1.0, "batch": nil,
	} {
		if got := row.Get(key); got != want {
			t.Errorf("%s = %v, want %v", key, got, want)
		}
	}
	n.wantBalance("alice", "SWAP.BTC", "0.95")
	n.wantBalance("pegfees", "SWAP.BTC", "0.0002")
	if got := n.supply("SWAP.BTC").ToFixed(); got != "0.9502" {
		t.Errorf("supply %s", got)
	}
	n.refused("ref was used already", "alice", "withdraw", "symbol", "SWAP.BTC", "quantity", "0.05", "address", btcAddress, "ref", "order-1")
	n.deposit("SWAP.BTC", "bob", "1.00000000")
	n.must("bob", "withdraw", "symbol", "SWAP.BTC", "quantity", "0.05", "address", btcAddress, "ref", "order-1")
	n.must("alice", "withdraw", "symbol", "SWAP.BTC", "quantity", "0.05", "address", btcAddress)
	n.must("alice", "withdraw", "symbol", "SWAP.BTC", "quantity", "0.05", "address", btcAddress)
}

func TestWithdrawRefusals(t *testing.T) {
	n := newNetwork(t)
	n.deposit("SWAP.BTC", "alice", "1.00000000")
	for _, c := range []struct {
		want             string
		symbol, quantity string
		address          string
		key              string
		value            any
	}{
		{"symbol is not a pegged token", "BEE", "1", btcAddress, "ref", "x"},
		{"invalid quantity", "SWAP.BTC", "0.000000001", btcAddress, "ref", "x"},
		{"invalid quantity", "SWAP.BTC", "-1", btcAddress, "ref", "x"},
		{"invalid quantity", "SWAP.BTC", "0x10", btcAddress, "ref", "x"},
		{"invalid quantity", "SWAP.BTC", "1e0", btcAddress, "ref", "x"},
		{"invalid quantity", "SWAP.BTC", "+1", btcAddress, "ref", "x"},
		{"invalid quantity", "SWAP.BTC", " 1", btcAddress, "ref", "x"},
		{"invalid quantity", "SWAP.BTC", "1.", btcAddress, "ref", "x"},
		{"invalid quantity", "SWAP.BTC", "Infinity", btcAddress, "ref", "x"},
		{"invalid quantity", "SWAP.BTC", "1e1000000000", btcAddress, "ref", "x"},
		{"invalid quantity", "SWAP.BTC", strings.Repeat("1", 200), btcAddress, "ref", "x"},
		{"quantity is below the minimum withdrawal", "SWAP.BTC", "0.00099999", btcAddress, "ref", "x"},
		{"overdrawn balance", "SWAP.BTC", "1.00020001", btcAddress, "ref", "x"},
		{"overdrawn balance", "SWAP.BTC", "1.00000001", btcAddress, "ref", "x"}, // net fits, the fee does not
		{"invalid address", "SWAP.BTC", "0.5", "", "ref", "x"},
		{"invalid address", "SWAP.BTC", "0.5", "bob", "ref", "x"},
		{"invalid address: wrong checksum", "SWAP.BTC", "0.5", btcAddress[:len(btcAddress)-1] + "q", "ref", "x"},
		{"invalid address: of another chain or network", "SWAP.BTC", "0.5", "bc1q6xj6exspt7kzaaang9nnvd239g23raqlcdxfyp", "ref", "x"},
		{"invalid address: mixed upper and lower case", "SWAP.BTC", "0.5", "B" + btcAddress[1:], "ref", "x"},
		{"invalid address: type is not supported", "SWAP.DOGE", "0.5", btcAddress, "ref", "x"},
		{"invalid address: the zero account", "SWAP.ETH", "0.5", "0x" + strings.Repeat("0", 40), "ref", "x"},
		{"invalid address: the token's own contract", "SWAP.USDC", "0.5", erc20, "ref", "x"},
		{"the fee is higher than maxFee", "SWAP.BTC", "0.5", btcAddress, "maxFee", "0.00019999"},
		{"invalid maxFee", "SWAP.BTC", "0.5", btcAddress, "maxFee", 1},
		{"invalid maxFee", "SWAP.BTC", "0.5", btcAddress, "maxFee", "x"},
		{"invalid ref", "SWAP.BTC", "0.5", btcAddress, "ref", ""},
		{"invalid ref", "SWAP.BTC", "0.5", btcAddress, "ref", 5},
		{"invalid ref", "SWAP.BTC", "0.5", btcAddress, "ref", "two words"},
		{"invalid ref", "SWAP.BTC", "0.5", btcAddress, "ref", strings.Repeat("x", 65)},
	} {
		n.refused(c.want, "alice", "withdraw", "symbol", c.symbol, "quantity", c.quantity, "address", c.address, c.key, c.value)
	}
	n.refused("invalid params", "alice", "withdraw", "symbol", "SWAP.BTC", "quantity", 1, "address", btcAddress)
	n.refused("balance does not exist", "bob", "withdraw", "symbol", "SWAP.BTC", "quantity", "1", "address", btcAddress)
	n.must("causeway", "pause", "symbol", "SWAP.BTC", "withdrawals", true)
	n.refused("withdrawals are paused", "alice", "withdraw", "symbol", "SWAP.BTC", "quantity", "0.5", "address", btcAddress)
	n.wantBalance("alice", "SWAP.BTC", "1")
}

func TestWithdrawTokenPaysFeeInCoin(t *testing.T) {
	n := newNetwork(t)
	n.deposit("SWAP.USDC", "alice", "2.000000")
	n.refused("balance does not exist", "alice", "withdraw", "symbol", "SWAP.USDC", "quantity", "1", "address", ethAddress)
	n.deposit("SWAP.ETH", "alice", "0.10000000")
	r := n.must("alice", "withdraw", "symbol", "SWAP.USDC", "quantity", "1", "address", ethAddress)
	row := n.table("pegs_withdrawals").Get(jsvalue.NewObject("id", r.id))
	if text(row, "net") != "1.000000" || text(row, "fee") != "0.00020000" || text(row, "fee_symbol") != "SWAP.ETH" {
		t.Error(jsvalue.Stringify(row))
	}
	n.wantBalance("alice", "SWAP.USDC", "1")
	n.wantBalance("alice", "SWAP.ETH", "0.0998")
	n.wantBalance("pegfees", "SWAP.ETH", "0.0002")
}

func TestGate(t *testing.T) {
	n := newNetwork(t)
	n.deposit("SWAP.BTC", "alice", "1.00000000")
	transfer := func(symbol, quantity, to, memo string) receipt {
		return n.block(op{sender: "alice", contract: "tokens", action: "transfer", payload: jsvalue.NewObject(
			"symbol", symbol, "quantity", quantity, "to", to, "memo", memo)})[0]
	}
	r := transfer("SWAP.BTC", "0.5", "peg", "BTC "+btcAddress)
	if len(r.errors) > 0 || r.event("withdraw") == nil {
		t.Fatalf("%v", r.errors)
	}
	if n.withdrawalState(r.id) != requested {
		t.Error("the withdrawal is not named by its transaction")
	}
	n.wantBalance("peg", "SWAP.BTC", "0")
	n.wantBalance("alice", "SWAP.BTC", "0.5")
	for _, c := range []struct{ want, symbol, memo string }{
		{"invalid memo for the gate", "SWAP.BTC", ""},
		{"invalid memo for the gate", "SWAP.BTC", "LTC " + btcAddress},
		{"invalid memo for the gate", "BEE", "BTC " + btcAddress},
		{"invalid address", "SWAP.BTC", "BTC nonsense"},
	} {
		before := n.pegRoot()
		if r := transfer(c.symbol, "0.1", "peg", c.memo); len(r.errors) != 1 || r.errors[0] != c.want || n.pegRoot() != before {
			t.Errorf("%q: %v", c.memo, r.errors)
		}
	}
}

// TestChainOnlyActions: users cannot reach the action of the chain.
func TestChainOnlyActions(t *testing.T) {
	n := newNetwork(t)
	for _, who := range []string{"alice", "causeway", "att-one", "pegfees", "peg"} {
		n.refused("not authorized", who, TickAction)
	}
}
