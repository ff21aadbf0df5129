package market_test

import (
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"

	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/jsvalue"
)

// call is a call of the market by "null" for one of the people.
type call struct {
	action, account, id string
	quantity, price     int64 // units
	life                int64 // seconds
	wait                int   // seconds before it
}

const (
	scale = 1000 // units of TKN
	coin  = 100_000_000
)

func (k call) payload() string {
	o := jsvalue.NewObject("account", k.account, "txId", k.id, "symbol", "TKN", "price", units(k.price, 8), "type", "buy", "id", k.id)
	if k.life > 0 {
		o.Set("expiration", k.life)
	}
	o.Set("quantity", units(k.quantity, 3))
	switch k.action {
	case "marketBuy":
		o.Set("quantity", units(k.quantity, 8))
	case "cancel sell":
		o.Set("type", "sell")
	}
	return jsvalue.Stringify(o)
}

// units writes n * 10**-places.
func units(n int64, places int) string {
	return jsvalue.BigInt(n).Times(jsvalue.Big(fmt.Sprintf("1e-%d", places))).ToFixedN(places)
}

// drawSmall makes many sell orders that are worth one and a half units, and a
// buy order for most of them: what it pays is rounded up so often that nothing
// is left.
func drawSmall(t *rapid.T, ids *int) (calls []call) {
	n := rapid.IntRange(0, 40).Draw(t, "small orders")
	for i := range n {
		*ids++
		calls = append(calls, call{action: "sell", account: people[i%3], id: fmt.Sprintf("ID%d", *ids), quantity: 15, price: 100})
	}
	if n > 0 {
		*ids++
		calls = append(calls, call{
			action: "buy", account: "alice", id: fmt.Sprintf("ID%d", *ids), price: 100,
			quantity: rapid.Int64Range(1, 60).Draw(t, "for") * 15,
		})
	}
	return calls
}

func drawCall(t *rapid.T, ids *int) call {
	*ids++
	k := call{
		wait:    max(0, rapid.IntRange(-300, 60).Draw(t, "wait")),
		action:  rapid.SampledFrom([]string{"buy", "buy", "buy", "sell", "sell", "sell", "marketBuy", "marketSell", "cancel"}).Draw(t, "action"),
		account: rapid.SampledFrom(people).Draw(t, "account"),
		id:      fmt.Sprintf("ID%d", *ids),
		price:   rapid.Int64Range(1, 12).Draw(t, "price") * rapid.SampledFrom([]int64{1, 100, coin / 7, coin}).Draw(t, "unit"),
	}
	k.quantity = rapid.Int64Range(1, 30).Draw(t, "quantity") * rapid.SampledFrom([]int64{1, 17, 333, scale}).Draw(t, "size")
	if rapid.IntRange(0, 4).Draw(t, "mortal") == 0 {
		k.life = rapid.Int64Range(1, 90).Draw(t, "life")
	}
	switch k.action {
	case "marketBuy":
		k.quantity = rapid.Int64Range(1, 40).Draw(t, "budget") * rapid.SampledFrom([]int64{1, 999, coin / 100, coin}).Draw(t, "unit")
	case "cancel":
		k.id = fmt.Sprintf("ID%d", rapid.IntRange(1, *ids).Draw(t, "id"))
	}
	return k
}

func booksOf(c *contracttest.Chain) (list []string) {
	for _, row := range c.Rows("market_buyBook") {
		list = append(list, strings.Join([]string{"buy", text(row, "_id"), text(row, "txId"), text(row, "account"), text(row, "quantity"), text(row, "price"), text(row, "tokensLocked")}, " "))
	}
	for _, row := range c.Rows("market_sellBook") {
		list = append(list, strings.Join([]string{"sell", text(row, "_id"), text(row, "txId"), text(row, "account"), text(row, "quantity"), text(row, "price")}, " "))
	}
	return list
}

// paid lists what a call paid out of the contract and said of orders.
func paid(t testing.TB, logs string) (events, errs []string) {
	v, err := jsvalue.Parse(logs)
	if err != nil {
		t.Fatal(err)
	}
	list, _ := v.(*jsvalue.Object).Array("events")
	for _, e := range list {
		event := e.(*jsvalue.Object)
		data, _ := event.Object("data")
		switch text(event, "event") {
		case "transferFromContract":
			events = append(events, text(data, "to")+" "+text(data, "symbol")+" "+text(data, "quantity"))
		case "orderClosed":
			events = append(events, "closed "+text(data, "type")+" "+text(data, "txId"))
		case "orderExpired":
			events = append(events, "expired "+text(data, "type")+" "+text(data, "txId"))
		}
	}
	list, _ = v.(*jsvalue.Object).Array("errors")
	for _, e := range list {
		errs = append(errs, e.(string))
	}
	return events, errs
}
