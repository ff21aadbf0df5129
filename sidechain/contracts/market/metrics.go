package market

import (
	"slices"

	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// day is how long trades, the volume and the price before count, in seconds.
const day = 24 * 60 * 60

var metricShape = jsvalue.NewShape("_id", "symbol", "volume", "volumeExpiration", "lastPrice", "lowestAsk", "highestBid",
	"lastDayPrice", "lastDayPriceExpiration", "priceChangeHive", "priceChangePercent")

// metric is the figures of a market, made when there are none: a copy, which
// settle stores.
func (r *run) metric(m *market) *jsvalue.Object {
	if r.figures != nil && m.symbol == r.symbol {
		return r.figures
	}
	var figures *jsvalue.Object
	if row := r.metrics.Find1(bySymbol, m.boxed); row != nil {
		figures = row.Shallow(0)
	} else {
		figures = m.mark(metricShape.Object(r.metrics.Reserve(), m.boxed, "0", 0.0, "0", "0", "0", "0", 0.0, "0", "0"))
	}
	if m.symbol == r.symbol {
		r.figures = figures
	}
	return figures
}

// setMetric counts a write of a market's figures, of which members were
// changed: new ones in lexicographic order, as a database appends them.
func (r *run) setMetric(figures *jsvalue.Object) {
	r.metrics.Count(state.OpUpdate)
	if figures != r.figures {
		r.metrics.Keep(figures)
	}
}

// settle stores the figures of the market as the order leaves them.
func (r *run) settle() {
	if r.figures != nil {
		r.metrics.Keep(r.figures)
		r.figures = nil
	}
}

// addVolume adds to what was traded within a day.
func (r *run) addVolume(n jsvalue.BigNumber) {
	figures := r.metric(&r.market)
	volume, _ := figures.String("volume")
	if until, _ := figures.Number("volumeExpiration"); until < r.now && !r.summed {
		volume = "0"
	}
	figures.Set("volume", r.volume(jsvalue.Big(volume).Plus(n)))
	figures.Set("volumeExpiration", r.now+day)
	r.setMetric(figures)
}

// takeVolume takes an old trade out of the volume.
func (r *run) takeVolume(n jsvalue.BigNumber) {
	figures := r.metric(&r.market)
	volume, _ := figures.String("volume")
	figures.Set("volume", r.volume(jsvalue.Big(volume).Minus(n)))
	r.setMetric(figures)
}

func (r *run) volume(n jsvalue.BigNumber) string {
	if n.Lt(jsvalue.BigNumber{}) {
		return "0.000" // at every precision, as at the peer
	}
	return n.ToFixedN(r.quotePrecision)
}

// hundred is written so that its product with 19 digits is not a wide number.
var hundred = jsvalue.Big("1e2")

// setPrice notes the price of a trade and how it differs from that of a day
// before.
func (r *run) setPrice(price amount) {
	figures := r.metric(&r.market)
	if until, _ := figures.Number("lastDayPriceExpiration"); until < r.now {
		figures.Set("lastDayPrice", price.text)
		figures.Set("lastDayPriceExpiration", r.now+day)
		figures.Set("lastPrice", price.text)
		figures.Set("priceChangeHive", "0")
		figures.Set("priceChangePercent", "0%")
		r.setMetric(figures)
		return
	}
	text, _ := figures.String("lastDayPrice")
	before := jsvalue.Big(text)
	change := price.Minus(before).Round(r.quotePrecision, jsvalue.RoundHalfUp)
	percent := change.Div(before).Times(hundred)
	figures.Set("lastPrice", price.text)
	figures.Set("priceChangeHive", change.ToFixedN(r.quotePrecision))
	figures.Set("priceChangePercent", percent.ToFixedN(2)+"%")
	r.setMetric(figures)
}

// refreshAsk looks up the lowest price of a market's sell orders.
func (r *run) refreshAsk(m *market) { r.refresh(m, sells) }

// refreshBid looks up the highest price of a market's buy orders.
func (r *run) refreshBid(m *market) { r.refresh(m, buys) }

func (r *run) refresh(m *market, s side) {
	key := "lowestAsk"
	if s == buys {
		key = "highestBid"
	}
	figures := r.metric(m)
	if best := priceOf(bestOf(r.books[s], s, m.boxed)); best != (jsvalue.Undefined{}) {
		figures.Set(key, best)
	}
	r.setMetric(figures)
}

// priceOf is the price of an order, "0" when there is none.
func priceOf(row state.Row) jsvalue.Value {
	if row == nil {
		return "0"
	}
	return row.Get("price")
}

// trade is one fill.
type trade struct {
	kind             string // of the order that came
	buyer, seller    jsvalue.Value
	quantity, volume string
	price            amount
	buyTx, sellTx    jsvalue.Value
}

var tradeShape = jsvalue.NewShape("_id", "type", "buyer", "seller", "symbol", "quantity", "price", "timestamp", "volume",
	"buyTxId", "sellTxId")

// record writes a trade into the history, from which those older than a day are
// taken, and into the prices.
func (r *run) record(t trade) {
	r.prune()
	r.history.Keep(r.mark(tradeShape.Object(r.history.Reserve(), t.kind, t.buyer, t.seller, r.market.boxed,
		t.quantity, t.price.text, r.boxed, t.volume, t.buyTx, t.sellTx)))
	r.setPrice(t.price)
	r.traded = r.traded.Plus(jsvalue.Big(t.volume))
}

// prune removes trades of the market that are older than a day. Where the
// chain bounds it, two a trade always go, so that the history cannot grow.
func (r *run) prune() {
	r.prunes += 2
	if oldest := r.history.Find1(byTime, r.symbol); oldest == nil || at(oldest) >= r.now-day {
		return
	}
	var old []state.Row
	from, to := []jsvalue.Value{r.symbol, 0.0}, []jsvalue.Value{r.symbol, r.now - day}
	for row := range r.history.Ascend(byTime, from, to) {
		if at(row) >= r.now-day || r.prunes <= 0 {
			break
		}
		r.prunes--
		old = append(old, row)
	}
	slices.SortFunc(old, byID)
	for _, row := range old {
		volume, _ := row.String("volume")
		r.takeVolume(jsvalue.Big(volume))
		r.history.Remove(row)
	}
}

// at is when a trade was made.
func at(row state.Row) float64 {
	n, _ := row.Number("timestamp")
	return n
}
