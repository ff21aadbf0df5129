package market

import (
	"slices"

	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// day is how long trades, the volume and the price before count, in seconds.
const day = 24 * 60 * 60

// metric is the figures of a market, made when there are none.
func (r *run) metric(m market) state.Row {
	if r.figures != nil && m.symbol == r.symbol {
		return r.figures
	}
	if row := r.metrics.Find1(bySymbol, m.symbol); row != nil {
		return row
	}
	return r.metrics.Insert(m.mark(jsvalue.NewObject(
		"symbol", m.symbol,
		"volume", "0",
		"volumeExpiration", 0,
		"lastPrice", "0",
		"lowestAsk", "0",
		"highestBid", "0",
		"lastDayPrice", "0",
		"lastDayPriceExpiration", 0,
		"priceChangeHive", "0",
		"priceChangePercent", "0",
	)))
}

// setMetric changes members of a market's figures.
func (r *run) setMetric(m market, change *jsvalue.Object) {
	if row := r.metrics.Update(change); m.symbol == r.symbol {
		r.figures = row
	}
}

// addVolume adds to what was traded within a day.
func (r *run) addVolume(n jsvalue.BigNumber) {
	row := r.metric(r.market)
	volume, _ := row.String("volume")
	if until, _ := row.Number("volumeExpiration"); until < r.now && !r.summed {
		volume = "0"
	}
	r.setMetric(r.market, jsvalue.NewObject("_id", row.Get("_id"),
		"volume", r.volume(jsvalue.Big(volume).Plus(n)), "volumeExpiration", r.now+day))
}

// takeVolume takes an old trade out of the volume.
func (r *run) takeVolume(n jsvalue.BigNumber) {
	row := r.metric(r.market)
	volume, _ := row.String("volume")
	r.setMetric(r.market, jsvalue.NewObject("_id", row.Get("_id"), "volume", r.volume(jsvalue.Big(volume).Minus(n))))
}

func (r *run) volume(n jsvalue.BigNumber) string {
	if n.Lt(jsvalue.BigNumber{}) {
		return "0.000" // at every precision, as at the peer
	}
	return n.ToFixedN(r.quotePrecision)
}

// setPrice notes the price of a trade and how it differs from that of a day
// before.
func (r *run) setPrice(price amount) {
	row := r.metric(r.market)
	if until, _ := row.Number("lastDayPriceExpiration"); until < r.now {
		r.setMetric(r.market, jsvalue.NewObject("_id", row.Get("_id"), "lastPrice", price.text,
			"lastDayPrice", price.text, "lastDayPriceExpiration", r.now+day,
			"priceChangeHive", "0", "priceChangePercent", "0%"))
		return
	}
	text, _ := row.String("lastDayPrice")
	before := jsvalue.Big(text)
	change := price.Minus(before).Round(r.quotePrecision, jsvalue.RoundHalfUp)
	percent := change.Div(before).Times(jsvalue.BigInt(100))
	r.setMetric(r.market, jsvalue.NewObject("_id", row.Get("_id"), "lastPrice", price.text,
		"priceChangeHive", change.ToFixedN(r.quotePrecision), "priceChangePercent", percent.ToFixedN(2)+"%"))
}

// refreshAsk looks up the lowest price of a market's sell orders.
func (r *run) refreshAsk(m market) {
	best := priceOf(r.books[sells].Find1(byPrice, m.symbol))
	r.setMetric(m, jsvalue.NewObject("_id", r.metric(m).Get("_id"), "lowestAsk", best))
}

// refreshBid looks up the highest price of a market's buy orders.
func (r *run) refreshBid(m market) {
	best := priceOf(nil)
	at := []jsvalue.Value{m.symbol}
	for row := range r.books[buys].Descend(byPrice, at, at) {
		best = priceOf(row)
		break
	}
	r.setMetric(m, jsvalue.NewObject("_id", r.metric(m).Get("_id"), "highestBid", best))
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
	buyer, seller    string
	quantity, volume string
	price            amount
	buyTx, sellTx    jsvalue.Value
}

// record writes a trade into the history, from which those older than a day are
// taken, and into the prices.
func (r *run) record(t trade) {
	r.prune()
	r.history.Insert(r.mark(jsvalue.NewObject(
		"type", t.kind,
		"buyer", t.buyer,
		"seller", t.seller,
		"symbol", r.symbol,
		"quantity", t.quantity,
		"price", t.price.text,
		"timestamp", r.now,
		"volume", t.volume,
		"buyTxId", t.buyTx,
		"sellTxId", t.sellTx,
	)))
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
