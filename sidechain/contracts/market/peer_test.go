package market_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"causeway/sidechain/contract"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/market"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/jsvalue"
)

const keyText = "you must use a custom_json signed with your active key"

func fails(message string) string { return `{"errors":[` + jsvalue.Stringify(message) + `]}` }

// peerChain is a chain with the peer's history, below the height of fees, on
// which the holders have 1,000 TKN (of 3 decimals) and 1,000 SWAP.HIVE.
func peerChain(t testing.TB, k contract.Contract, holders ...string) *contracttest.Chain {
	t.Helper()
	return peerChainOf(t, []contract.Contract{k}, holders...)
}

// peerChainOf is peerChain with several versions of the contract, of which the
// last one is in force.
func peerChainOf(t testing.TB, list []contract.Contract, holders ...string) *contracttest.Chain {
	t.Helper()
	c := contracttest.Peer(t, 90_000_000, append([]contract.Contract{tokens.Bootstrap(), tokens.Current()}, list...)...)
	call := func(sender, action, format string, args ...any) {
		t.Helper()
		r := c.Call(sender, "tokens", action, `{"isSignedWithActiveKey":true,`+fmt.Sprintf(format, args...)+`}`)
		if strings.Contains(r.Logs, "errors") {
			t.Fatal(r.Logs)
		}
	}
	call("honey-swap", "create", `"name":"x","symbol":"SWAP.HIVE","precision":8,"maxSupply":"9007199254740991"`)
	call("hive-engine", "create", `"name":"x","symbol":"TKN","precision":3,"maxSupply":"9007199254740991"`)
	for _, who := range holders {
		call("honey-swap", "issue", `"symbol":"SWAP.HIVE","to":%q,"quantity":"1000"`, who)
		call("hive-engine", "issue", `"symbol":"TKN","to":%q,"quantity":"1000"`, who)
	}
	return c
}

// TestChecks: the order of the checks, and what "null" may do.
func TestChecks(t *testing.T) {
	const invalid = "invalid params"
	const active = `"isSignedWithActiveKey":true`
	long := strings.Repeat("x", 60)
	moved := func(event, from, to, symbol, q string) string {
		return fmt.Sprintf(`{"contract":"tokens","event":%q,"data":{"from":%q,"to":%q,"symbol":%q,"quantity":%q}}`, event, from, to, symbol, q)
	}
	events := func(list ...string) string { return `{"events":[` + strings.Join(list, ",") + `]}` }
	tests := []struct{ name, sender, action, payload, logs string }{
		{"no key", "satoshi", "buy", ``, fails(keyText)},
		{"a key that is only truthy", "satoshi", "sell", `"isSignedWithActiveKey":1`, fails(keyText)},
		{"no key to cancel", "satoshi", "cancel", ``, fails(keyText)},
		{"no key on the market", "satoshi", "marketBuy", `"isSignedWithActiveKey":"true"`, fails(keyText)},
		{"nothing", "satoshi", "buy", active, fails(invalid)},
		{"nothing on the market is silent", "satoshi", "marketBuy", active, `{}`},
		{"the quote token", "satoshi", "buy", active + `,"symbol":"SWAP.HIVE","quantity":"1","price":"1"`, fails(invalid)},
		{"the quote token on the market", "satoshi", "marketSell", active + `,"symbol":"SWAP.HIVE","quantity":"1"`, `{}`},
		{"no such token", "satoshi", "buy", active + `,"symbol":"NKT","quantity":"1","price":"1"`, fails(invalid)},
		{"no such token on the market", "satoshi", "marketSell", active + `,"symbol":"NKT","quantity":"1"`, fails(invalid)},
		{"a quote is not asked for", "satoshi", "buy", active + `,"symbol":"TKN","quantity":"1","price":"0.1","quote":"NONE"`,
			events(moved("transferToContract", "satoshi", "market", "SWAP.HIVE", "0.10000000"))},
		{"a txId of one's own does not count", "satoshi", "buy", active + `,"symbol":"TKN","quantity":"1","price":"0.1","txId":5,"account":"vitalik"`,
			events(moved("transferToContract", "satoshi", "market", "SWAP.HIVE", "0.10000000"))},
		{"no balance", "nobody", "sell", active + `,"symbol":"TKN","quantity":"1","price":"1"`, fails("balance does not exist")},
		{"too little", "satoshi", "sell", active + `,"symbol":"TKN","quantity":"1000.001","price":"1"`, fails("overdrawn balance")},
		{"dropped", "temp", "sell", `"symbol":"TKN","quantity":"1","price":"1"`, `{}`},
		{"dropped on the market", "thenights", "marketBuy", `"symbol":"TKN","quantity":"1"`, `{}`},
		{"dropped on the market for null", "null", "marketSell", `"account":"shaggroed","symbol":"TKN","quantity":"1"`, `{}`},
		{"dropped for null", "null", "buy", `"account":"thedays","symbol":"TKN","quantity":"1","price":"1"`, `{}`},
		{"null for another", "null", "sell", `"account":"vitalik","txId":"BOT-1","symbol":"TKN","quantity":"2","price":"5"`,
			events(moved("transferToContract", "vitalik", "market", "TKN", "2.000"))},
		{"null with a txId that is no text", "null", "sell", `"account":"vitalik","txId":1,"symbol":"TKN","quantity":"2","price":"5"`, fails(invalid)},
		{"null with an empty txId", "null", "sell", `"account":"vitalik","txId":"","symbol":"TKN","quantity":"2","price":"5"`, fails(invalid)},
		{"null for itself", "null", "sell", `"symbol":"TKN","quantity":"2","price":"5"`, fails("balance does not exist")},
		{"null cancels for another", "null", "cancel", `"account":"satoshi","type":"sell","id":"BOT-1"`, `{}`},
		{"null cancels", "null", "cancel", `"account":"vitalik","type":"sell","id":"BOT-1"`,
			events(moved("transferFromContract", "market", "vitalik", "TKN", "2.000"))},
		{"a long id", "null", "sell", `"account":"vitalik","txId":"` + long + `","symbol":"TKN","quantity":"1","price":"5"`,
			events(moved("transferToContract", "vitalik", "market", "TKN", "1.000"))},
		{"cannot be named", "vitalik", "cancel", active + `,"type":"sell","id":"` + long + `"`, fails("order does not exist or invalid params")},
		{"but by number", "vitalik", "cancel", active + `,"type":"sell","id":2`,
			events(moved("transferFromContract", "market", "vitalik", "TKN", "1.000"))},
		{"null on the market", "null", "marketBuy", `"account":"satoshi","symbol":"TKN","quantity":"3"`, events(
			moved("transferToContract", "satoshi", "market", "SWAP.HIVE", "3.00000000"),
			moved("transferFromContract", "market", "satoshi", "SWAP.HIVE", "3.00000000"))},
	}
	c := peerChain(t, market.Current(), "satoshi", "vitalik", "temp")
	for _, tt := range tests {
		if r := c.Call(tt.sender, "market", tt.action, "{"+tt.payload+"}"); r.Logs != tt.logs {
			t.Errorf("%s: logs %s, want %s", tt.name, r.Logs, tt.logs)
		}
	}
}

// TestOpenOrders: 200 in both books together, those of others aside.
func TestOpenOrders(t *testing.T) {
	c := peerChain(t, market.Current(), "satoshi", "vitalik")
	place := func(sender, action, price string) contracttest.Op {
		return contracttest.Op{Sender: sender, Contract: "market", Action: action,
			Payload: `{"isSignedWithActiveKey":true,"symbol":"TKN","quantity":"1","price":"` + price + `"}`}
	}
	for i := range 200 {
		op := place("satoshi", "sell", "5")
		if i%2 == 0 {
			op = place("satoshi", "buy", "2")
		}
		if r := c.Block(op)[0]; strings.Contains(r.Logs, "errors") {
			t.Fatal(i, r.Logs)
		}
	}
	if r := c.Block(place("satoshi", "buy", "1"))[0]; r.Logs != fails("too many open orders") {
		t.Error(r.Logs)
	}
	if r := c.Block(place("satoshi", "buy", "-1"))[0]; r.Logs != fails("too many open orders") {
		t.Error("it comes before the price is looked at:", r.Logs)
	}
	if r := c.Block(place("vitalik", "buy", "1"))[0]; strings.Contains(r.Logs, "errors") {
		t.Error(r.Logs)
	}
	c.Call("satoshi", "market", "cancel", `{"isSignedWithActiveKey":true,"type":"buy","id":1}`)
	if r := c.Block(place("satoshi", "sell", "6"))[0]; strings.Contains(r.Logs, "errors") {
		t.Error(r.Logs)
	}
}

// TestOldVersion: before July 2024 values were rounded to the nearest, and an
// order that was worth half a unit could be placed.
func TestOldVersion(t *testing.T) {
	c := peerChain(t, market.July2024(), "satoshi", "vitalik")
	place := func(sender, action, quantity, price string) string {
		return c.Call(sender, "market", action, fmt.Sprintf(`{"isSignedWithActiveKey":true,"symbol":"TKN","quantity":%q,"price":%q}`, quantity, price)).Logs
	}
	if logs := place("satoshi", "buy", "0.004", "0.000001"); logs != fails("order cannot be placed as it cannot be filled") {
		t.Error(logs)
	}
	if logs := place("satoshi", "buy", "0.014", "0.000001"); !strings.Contains(logs, `"quantity":"0.00000001"`) {
		t.Error(logs)
	}
}

// TestRows: rows have their members in the peer's order, prices below 1e-6 as
// Decimal128 writes them.
func TestRows(t *testing.T) {
	c := peerChain(t, market.Current(), "satoshi", "vitalik")
	place := func(sender, action, quantity, price string) {
		c.Call(sender, "market", action, fmt.Sprintf(`{"isSignedWithActiveKey":true,"symbol":"TKN","quantity":%q,"price":%q,"expiration":10}`, quantity, price))
	}
	place("satoshi", "buy", "1", "0.00000012")
	place("vitalik", "sell", "1.5", "7")
	want := []string{
		`{"_id":1,"txId":"TXID00000010","timestamp":1767225630,"account":"satoshi","symbol":"TKN","quantity":"1.000","price":"0.00000012","priceDec":{"$numberDecimal":"1.2E-7"},"tokensLocked":"0.00000012","expiration":1767225640}`,
		`{"_id":1,"txId":"TXID00000011","timestamp":1767225633,"account":"vitalik","symbol":"TKN","quantity":"1.500","price":"7.00000000","priceDec":{"$numberDecimal":"7.00000000"},"expiration":1767225643}`,
		`{"_id":1,"symbol":"TKN","volume":"0","volumeExpiration":0,"lastPrice":"0","lowestAsk":"7.00000000","highestBid":"0.00000012","lastDayPrice":"0","lastDayPriceExpiration":0,"priceChangeHive":"0","priceChangePercent":"0"}`,
	}
	got := []string{c.Row("market_buyBook"), c.Row("market_sellBook"), c.Row("market_metrics")}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("rows (-want +got):\n%s", diff)
	}
}

// signedOrder is the payload of an order of TKN.
func signedOrder(quantity, price string) string {
	return fmt.Sprintf(`{"isSignedWithActiveKey":true,"symbol":"TKN","quantity":%q,"price":%q}`, quantity, price)
}

// TestOldCap: before July 2024 rounding could eat what a buy order had locked.
// It then stayed, and who had more than all that it wanted was paid what was
// locked for others. An update of the contract removes such orders.
func TestOldCap(t *testing.T) {
	for _, update := range []bool{false, true} {
		c := peerChainOf(t, []contract.Contract{market.Current(), market.July2024()}, "satoshi", "vitalik")
		c.Call("vitalik", "market", "buy", signedOrder("0.016", "0.00000125"))
		for range 2 {
			c.Call("satoshi", "market", "sell", signedOrder("0.004", "0.00000125"))
		}
		if got := c.Row("market_buyBook", "tokensLocked", "0.00000000", "quantity", "0.008"); got == "" {
			t.Fatalf("the book is %s", c.Row("market_buyBook"))
		}
		if update {
			r := c.Deploy(market.Current())
			if diff := cmp.Diff([]string{"r:market_buyBook", "u:market_metrics"}, r.Writes); diff != "" || len(c.Rows("market_buyBook")) > 0 {
				t.Errorf("the update left %s; writes: %s", c.Row("market_buyBook"), diff)
			}
			if c.Row("market_metrics", "highestBid", "0") == "" {
				t.Errorf("the metrics are %s", c.Row("market_metrics"))
			}
			continue
		}
		if r := c.Call("satoshi", "market", "sell", signedOrder("0.004", "0.00000125")); !strings.Contains(r.Logs, "the order cannot be filled") {
			t.Errorf("logs %s", r.Logs)
		}
		c.Call("vitalik", "tokens", "transferToContract", `{"isSignedWithActiveKey":true,"to":"market","symbol":"SWAP.HIVE","quantity":"1"}`)
		r := c.Call("satoshi", "market", "marketSell", signedOrder("0.020", ""))
		if want := `"to":"satoshi","symbol":"SWAP.HIVE","quantity":"0.00000001"`; !strings.Contains(r.Logs, want) || len(c.Rows("market_buyBook")) > 0 {
			t.Errorf("logs %s, without %s", r.Logs, want)
		}
	}
}

// TestOldDust: before July 2024 dust was given back even when it was nothing,
// which is an error in the logs.
func TestOldDust(t *testing.T) {
	for _, test := range []struct {
		version contract.Contract
		refused bool
	}{{market.July2024(), true}, {market.Current(), false}} {
		c := peerChain(t, test.version, "satoshi", "vitalik")
		c.Call("satoshi", "market", "sell", signedOrder("0.005", "0.00000200"))
		c.Call("satoshi", "market", "sell", signedOrder("0.004", "0.00000300"))
		r := c.Call("vitalik", "market", "buy", signedOrder("0.006", "0.00000200"))
		if got := strings.Contains(r.Logs, "must transfer positive quantity"); got != test.refused {
			t.Errorf("logs %s", r.Logs)
		}
		if len(c.Rows("market_buyBook")) > 0 {
			t.Errorf("left: %s", c.Row("market_buyBook"))
		}
	}
}

// TestOldQuotient: what a market order buys is rounded down in every version.
func TestOldQuotient(t *testing.T) {
	for _, version := range []contract.Contract{market.July2024(), market.Current()} {
		c := peerChain(t, version, "satoshi", "vitalik")
		c.Call("satoshi", "market", "sell", signedOrder("10", "3"))
		r := c.Call("vitalik", "market", "marketBuy", signedOrder("2", ""))
		if want := `"to":"vitalik","symbol":"TKN","quantity":"0.666"`; !strings.Contains(r.Logs, want) {
			t.Errorf("logs %s, without %s", r.Logs, want)
		}
	}
}
