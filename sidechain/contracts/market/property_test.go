package market_test

import (
	"fmt"
	"testing"
	"time"

	"pgregory.net/rapid"

	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/jsvalue"
)

// turn is a block of random calls, after a wait.
type turn struct {
	wait time.Duration
	ops  []contracttest.Op
}

func play(c *contracttest.Chain, turns []turn, check func()) {
	for _, t := range turns {
		if t.wait > 0 {
			c.Wait(t.wait, 0)
		}
		c.Block(t.ops...)
		check()
	}
}

// TestBooksAreCovered: after every block of random calls on a chain with small
// bounds the contract holds what its orders have locked, buy orders can pay,
// supply is kept, nothing is negative, and the volumes are the sums of the
// trades; the same blocks give the same chain again.
func TestBooksAreCovered(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := genesis(rapid.Bool().Draw(rt, "native"))
		g.Params.MaxFillsPerOrder = rapid.IntRange(0, 6).Draw(rt, "fills")
		g.Params.MaxExpiredPerOrder = rapid.IntRange(0, 3).Draw(rt, "expired")
		turns := drawTurns(rt)
		first, second := open(t, g), open(t, g)
		play(first, turns, func() {
			if p := append(problems(first), volumes(first)...); len(p) > 0 {
				rt.Fatal(p)
			}
		})
		play(second, turns, func() {})
		a, b := first.Engine().Head(), second.Engine().Head()
		if a != b {
			rt.Fatalf("heads differ: %+v, %+v", a, b)
		}
	})
}

// volumes compares the volume of every market with its trades.
func volumes(c *contracttest.Chain) (list []string) {
	sum := map[string]jsvalue.BigNumber{}
	for _, row := range c.Rows("market_tradesHistory") {
		symbol := text(row, "symbol")
		sum[symbol] = sum[symbol].Plus(jsvalue.Big(text(row, "volume")))
	}
	for _, row := range c.Rows("market_metrics") {
		if symbol, volume := text(row, "symbol"), text(row, "volume"); !jsvalue.Big(volume).Eq(sum[symbol]) {
			list = append(list, fmt.Sprintf("%s: volume %s, trades of %s", symbol, volume, sum[symbol]))
		}
	}
	return list
}

// smallOrders are sell orders that are worth one and a half units each, and a
// buy order for most of them.
func smallOrders(t *rapid.T) turn {
	var small turn
	n := rapid.IntRange(0, 30).Draw(t, "small orders")
	place := func(sender, action, quantity string) {
		small.ops = append(small.ops, contracttest.Op{Sender: sender, Contract: "market", Action: action,
			Payload: fmt.Sprintf(`{"symbol":"FINE","quote":"SWAP.BTC","quantity":%q,"price":"0.1"}`, quantity)})
	}
	for i := range n {
		place(people[i%3], "sell", "0.00000015")
	}
	place("bob", "buy", units(rapid.Int64Range(1, 600).Draw(t, "for"), 8))
	return small
}

func drawTurns(t *rapid.T) (turns []turn) {
	if rapid.IntRange(0, 3).Draw(t, "small") == 0 {
		turns = append(turns, smallOrders(t))
	}
	for range rapid.IntRange(1, 25).Draw(t, "turns") {
		var next turn
		switch rapid.IntRange(0, 9).Draw(t, "wait") {
		case 0:
			next.wait = time.Duration(rapid.IntRange(1, 30).Draw(t, "hours")) * time.Hour
		case 1:
			next.wait = 24 * time.Hour
		case 2, 3, 4:
			next.wait = time.Duration(rapid.IntRange(1, 60).Draw(t, "seconds")) * time.Second
		}
		for range rapid.IntRange(1, 6).Draw(t, "calls") {
			next.ops = append(next.ops, drawOp(t))
		}
		turns = append(turns, next)
	}
	return turns
}

// drawOp is a call of the market, now and then an odd one.
func drawOp(t *rapid.T) contracttest.Op {
	one := func(label string, from ...string) string { return rapid.SampledFrom(from).Draw(t, label) }
	action := one("action", "buy", "buy", "buy", "sell", "sell", "sell", "marketBuy", "marketSell", "cancel")
	payload := jsvalue.NewObject(
		"symbol", one("symbol", "COOL", "COOL", "FINE", "FINE", "WHOLE", "SWAP.BTC", "NONE"),
		"quantity", drawNumber(t, "quantity"),
		"price", drawNumber(t, "price"),
	)
	if quote := one("quote", "", "SWAP.BTC", "SWAP.BTC", "SWAP.USDC", "SWAP.CENT", nativePeg, "BEE"); quote != "" {
		payload.Set("quote", quote)
	}
	if rapid.IntRange(0, 2).Draw(t, "mortal") == 0 {
		payload.Set("expiration", rapid.IntRange(0, 90).Draw(t, "expiration"))
	}
	if action == "cancel" {
		payload.Set("type", one("type", "buy", "sell"))
		payload.Set("id", rapid.IntRange(1, 40).Draw(t, "id"))
	}
	return contracttest.Op{Sender: one("sender", people...), Contract: "market", Action: action, Payload: jsvalue.Stringify(payload)}
}

// drawNumber is mostly one that orders meet at, often with odd last digits.
func drawNumber(t *rapid.T, label string) string {
	n := rapid.Int64Range(1, 9).Draw(t, label)
	switch rapid.IntRange(0, 9).Draw(t, "kind of "+label) {
	case 0:
		return rapid.SampledFrom([]string{"0", "-1", "1e-9", "Infinity", "0x10", " 2 ", "", "x", "1e40", "9007199254740991", ".1"}).Draw(t, "odd")
	case 1, 2:
		return fmt.Sprintf("%d", n)
	case 3:
		return fmt.Sprintf("0.0000000%d", n)
	case 4:
		return fmt.Sprintf("0.0000%d1", n)
	case 5:
		return fmt.Sprintf("0.00%d", n)
	}
	return fmt.Sprintf("%d.%02d", n/4, rapid.IntRange(1, 99).Draw(t, "hundredths"))
}
