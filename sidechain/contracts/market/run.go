package market

import (
	"cmp"
	"iter"
	"slices"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// run is one order on its way through the other side's book.
type run struct {
	*edition
	pair
	ctx     contract.Context
	account jsvalue.Value // who places the order: a text
	txID    jsvalue.Value // of the order
	own     *order        // the order, while it is a limit order that is open
	usual   string        // quote token of markets that name none
	now     float64       // Unix seconds
	boxed   jsvalue.Value // now
	traded  jsvalue.BigNumber
	meets   int // how many more resting orders it may meet
	clears  int // how many more expired orders it may clear
	prunes  int // how many more old trades it may remove

	books            [2]*state.Table // by side
	history, metrics *state.Table
	figures          *jsvalue.Object // of this market as they will be stored, once read
}

// unbounded is the limit of a chain that sets none.
const unbounded = 1 << 40

// bound is a limit of the genesis document.
func bound(ctx contract.Context, name string) int {
	if n, ok := ctx.Param(name).(float64); ok {
		return int(n)
	}
	return unbounded
}

func (e *edition) newRun(ctx contract.Context, account string, p pair) *run {
	expired, now := bound(ctx, "maxExpiredPerOrder"), seconds(ctx)
	return &run{
		edition: e, pair: p, ctx: ctx, account: account, usual: e.usualQuote(ctx), now: now, boxed: now,
		meets: bound(ctx, "maxFillsPerOrder"), clears: expired, prunes: expired,
		books:   [2]*state.Table{buys: ctx.Table(buys.table()), sells: ctx.Table(sells.table())},
		history: ctx.Table(historyTable), metrics: ctx.Table(metricsTable),
	}
}

// seconds is the time of the block in Unix seconds.
func seconds(ctx contract.Context) float64 { return float64(ctx.Millis()) / 1000 }

// order is an order with the parts that arithmetic needs. One that stands in no
// book has no row: that of a market action, and a limit order that just came.
type order struct {
	row      state.Row
	side     side
	id       float64
	account  jsvalue.Value // a text
	txID     jsvalue.Value
	until    float64 // when it expires
	quantity amount  // of the base token, still to be traded
	price    amount
	locked   amount // of the quote token; buy orders only
}

func readOrder(s side, row state.Row) *order {
	o := &order{side: s, row: row, account: textOf(row, "account"), txID: row.Get("txId")}
	quantity, _ := row.String("quantity")
	price, _ := row.String("price")
	o.quantity, o.price = read(quantity), read(price)
	if s == buys {
		locked, _ := row.String("tokensLocked")
		o.locked = read(locked)
	}
	return o
}

// offers walks the rows of a side of the market from the best price on, at one
// price the oldest first, to the price of a limit order (nil for all). Expired
// orders that were left by the bound on clearing are cleared on the way. It ends
// when the order may meet no more.
func (r *run) offers(s side, limit *order) iter.Seq[*order] {
	return func(yield func(*order) bool) {
		best := r.best(s)
		if best == nil || limit != nil && !limit.meets(best) {
			return
		}
		for row := range r.walk(s, limit) {
			if r.meets--; expiry(row) <= r.now {
				r.clear(s, row)
			} else if !yield(readOrder(s, row)) {
				return
			}
			if r.meets <= 0 {
				return
			}
		}
	}
}

func (r *run) walk(s side, limit *order) iter.Seq[state.Row] {
	market := []jsvalue.Value{r.market.boxed}
	to := market
	if limit != nil {
		to = append(to[:1:1], decimal128(limit.price.text))
	}
	if s == buys {
		return r.books[s].Descend(byPrice, market, to)
	}
	return r.books[s].Ascend(byPrice, market, to)
}

// best is the order of a side with the best price, the oldest of them, or nil.
func (r *run) best(s side) state.Row { return bestOf(r.books[s], s, r.market.boxed) }

func bestOf(book *state.Table, s side, symbol jsvalue.Value) state.Row {
	if s == sells {
		return book.Find1(byPrice, symbol)
	}
	return book.FindLast(byPrice, symbol)
}

// meets says whether the price of an order allows a trade with one of the other
// side. What is compared is what the books are sorted by.
func (o *order) meets(other state.Row) bool {
	text, _ := other.String("price")
	if price := jsvalue.Big(text); len(text) <= decimalDigits && len(o.price.text) <= decimalDigits {
		if o.side == buys {
			return price.Lte(o.price.BigNumber)
		}
		return price.Gte(o.price.BigNumber)
	}
	c := state.Compare(other.Get("priceDec"), decimal128(o.price.text))
	return c == 0 || (c < 0) == (o.side == buys)
}

func expiry(row state.Row) float64 {
	n, _ := row.Number("expiration")
	return n
}

// clearExpired takes expired orders of all markets out of a book, the oldest
// first. Where there are more than an order may clear, those that expired first
// are taken.
func (r *run) clearExpired(s side) {
	first := r.books[s].Find1(byExpiration)
	if first == nil || expiry(first) > r.now {
		return
	}
	var due []state.Row
	from, to := []jsvalue.Value{0.0}, []jsvalue.Value{r.now}
	for row := range r.books[s].Ascend(byExpiration, from, to) {
		if r.clears <= 0 {
			break
		}
		r.clears--
		due = append(due, row)
	}
	slices.SortFunc(due, byID)
	for _, row := range due {
		r.clear(s, row)
	}
}

func byID(a, b state.Row) int {
	x, _ := a.Number("_id")
	y, _ := b.Number("_id")
	return cmp.Compare(x, y)
}

// clear gives back what an expired order has locked.
func (r *run) clear(s side, row state.Row) {
	m := marketOf(row, r.usual)
	r.pay(textOf(row, "account"), held(s, row, &m))
	r.books[s].Remove(row)
	if r.own != nil && r.own.row == nil && !r.ownSide {
		r.keep() // its book is looked at
	}
	if (s == sells) == r.ownSide {
		r.refreshAsk(&m)
	} else {
		r.refreshBid(&m)
	}
	r.ctx.Emit("orderExpired", jsvalue.NewObject("type", s.kind(), "txId", row.Get("txId")))
}

// coin is a quantity of a token.
type coin struct {
	symbol   jsvalue.Value // a text
	quantity string
}

// held is what an order has locked.
func held(s side, row state.Row, m *market) coin {
	if s == buys {
		locked, _ := row.String("tokensLocked")
		return coin{m.quote, locked}
	}
	quantity, _ := row.String("quantity")
	return coin{m.base, quantity}
}

// pay gives somebody what the contract holds. What tokens says against it is in
// the log and changes nothing.
func (r *run) pay(to jsvalue.Value, c coin) { r.ctx.TransferTokens(to, c.symbol, c.quantity, "user") }

// escrow takes what an order needs from its account, or says that it could not.
func (r *run) escrow(c coin) bool {
	payload := jsvalue.MakeObject(5) // with what it inherits
	payload.Set("from", r.account)
	payload.Set("symbol", c.symbol)
	payload.Set("quantity", c.quantity)
	payload.Set("to", Name)
	res := r.ctx.Call("tokens", "transferToContract", payload)
	if !res.OK() {
		return false
	}
	for _, e := range res.Events {
		data, _ := e.Object("data")
		if e.Get("contract") == "tokens" && e.Get("event") == "transferToContract" &&
			data.Get("from") == r.account && data.Get("to") == Name && data.Get("symbol") == c.symbol &&
			jsvalue.Big(data.Get("quantity")).Eq(jsvalue.Big(c.quantity)) {
			return true
		}
	}
	return false
}

// value is what a quantity costs at a price.
func (r *run) value(price, quantity amount, mode jsvalue.RoundingMode) amount {
	return fixed(price.Times(quantity.BigNumber), r.quotePrecision, mode)
}

// cost is what a quantity costs at a price, and no more than what is locked for
// it.
func (r *run) cost(price, quantity amount, mode jsvalue.RoundingMode, locked amount) amount {
	payment := r.value(price, quantity, mode)
	switch {
	case !payment.Gt(locked.BigNumber):
		return payment
	case r.cutCap:
		return r.value(price, quantity, jsvalue.RoundDown)
	}
	return locked
}

// costOfBid is cost of all that a buy order wants.
func (r *run) costOfBid(b *order) amount {
	payment := r.value(b.price, b.quantity, r.gets)
	if !r.cutCap {
		return r.cost(b.price, b.quantity, r.gets, b.locked)
	}
	if payment.text > b.locked.text {
		return r.value(b.price, b.quantity, jsvalue.RoundDown)
	}
	return payment
}

// dust says whether so little is left of an order that it ends here.
func (r *run) dust(price, quantity amount) bool {
	return price.Times(quantity.BigNumber).Round(r.quotePrecision, r.gets).Lt(r.unit)
}

// fillable asserts that a fill moves something.
func (r *run) fillable(payment, quantity amount) bool {
	return r.ctx.Assert(payment.some() && quantity.some(), "the order cannot be filled")
}

// closed tells that a limit order is done with.
func (r *run) closed(o *order) {
	r.ctx.Emit("orderClosed", closedShape.Object(o.account, o.side.kind(), o.txID))
}

var closedShape = jsvalue.NewShape("account", "type", "txId")

// done writes what the order has traded into the figures of its market.
func (r *run) done() {
	if r.traded.Gt(jsvalue.BigNumber{}) {
		r.addVolume(r.traded)
	}
	r.refreshAsk(&r.market)
	r.refreshBid(&r.market)
	r.settle()
}
