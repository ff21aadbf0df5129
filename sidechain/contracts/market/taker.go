package market

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
)

// checkTake is what a market order must hold to; nil when it does not. precise
// gives the decimals that the quantity may have. Quantities that are no number
// or not positive are refused in silence, as at the peer.
func (e *edition) checkTake(ctx contract.Context, payload *jsvalue.Object, precise func(pair) int) (*run, amount) {
	if e.dropped(placer(ctx, payload)) || !signed(ctx) {
		return nil, amount{}
	}
	q, ok := e.quoteOf(ctx, payload)
	if !ok {
		return nil, amount{}
	}
	symbol, isSymbol := contract.Text(payload, "symbol")
	quantity, isNumber := numeric(payload, "quantity")
	if !isSymbol || !isNumber || symbol == q.symbol || !quantity.some() {
		return nil, amount{}
	}
	var p pair
	base := token(ctx, symbol)
	if base != nil {
		p = newPair(symbol, base, q)
	}
	if !ctx.Assert(base != nil && fits(quantity.BigNumber, precise(p)), "invalid params") {
		return nil, amount{}
	}
	r := e.newRun(ctx, placer(ctx, payload), p)
	if id, ok := ctx.TransactionID(); ok {
		r.txID = id
	}
	return r, quantity
}

// marketBuy spends a quantity of the quote token on the cheapest offers.
func (e *edition) marketBuy(ctx contract.Context, payload *jsvalue.Object) {
	r, budget := e.checkTake(ctx, payload, func(p pair) int { return p.quotePrecision })
	if r == nil || !r.escrow(coin{r.quote, budget.text}) {
		return
	}
	o := &order{side: buys, account: r.account, txID: r.txID, locked: budget}
	r.clearExpired(sells)
	for s := range r.offers(sells, nil) {
		if !r.spend(o, s) || !o.locked.some() {
			break
		}
	}
	if o.locked.some() {
		r.pay(o.account, coin{r.quote, o.locked.text})
	}
	r.done()
}

// spend buys from one sell order what is left of the budget, or all that it
// has. It says whether the budget bought anything at this price: if not, it
// buys nothing at the higher ones either.
func (r *run) spend(o, s *order) bool {
	quantity := fixed(o.locked.Div(s.price.BigNumber), r.basePrecision, jsvalue.RoundDown)
	if quantity.IsZero() {
		return false
	}
	if quantity.Lte(s.quantity.BigNumber) {
		r.pay(o.account, coin{r.base, quantity.text})
		r.pay(s.account, coin{r.quote, o.locked.text})
		r.reduceAsk(s, quantity, false)
		r.recordBuy(o, s, quantity.text, o.locked.text)
		o.locked = amount{}
		return true
	}
	cost := r.cost(s.price, s.quantity, r.pays, o.locked)
	if !r.fillable(cost, s.quantity) {
		return true
	}
	r.pay(o.account, coin{r.base, s.quantity.text})
	r.pay(s.account, coin{r.quote, cost.text})
	r.books[sells].Remove(s.row)
	r.recordBuy(o, s, s.quantity.text, cost.text)
	o.locked = o.locked.less(cost, r.quotePrecision)
	return true
}

// marketSell sells a quantity at the best prices that are bid.
func (e *edition) marketSell(ctx contract.Context, payload *jsvalue.Object) {
	r, quantity := e.checkTake(ctx, payload, func(p pair) int { return p.basePrecision })
	if r != nil && r.escrow(coin{r.base, quantity.text}) {
		r.matchSell(&order{side: sells, account: r.account, txID: r.txID, quantity: quantity})
	}
}

// maxID is how many characters an order's txId has at most.
const maxID = 50

// cancel takes an order of the sender's out of its book, by its txId or its
// number. Somebody else's stays, in silence.
func (e *edition) cancel(ctx contract.Context, payload *jsvalue.Object) {
	kind, id := payload.Get("type"), payload.Get("id")
	if !signed(ctx) ||
		!ctx.Assert((kind == buys.kind() || kind == sells.kind()) && jsvalue.Truthy(id), "invalid params") {
		return
	}
	s := buys
	if kind == sells.kind() {
		s = sells
	}
	row := find(ctx, s, id)
	if !ctx.Assert(row != nil, "order does not exist or invalid params") {
		return
	}
	if row.Get("account") != placer(ctx, payload) {
		return
	}
	account, _ := row.String("account")
	m := marketOf(row, e.usualQuote(ctx))
	r := e.newRun(ctx, account, pair{market: m})
	r.pay(account, held(s, row, &m))
	r.books[s].Remove(row)
	if s == buys {
		r.refreshBid(&m)
	} else {
		r.refreshAsk(&m)
	}
	r.settle()
}

// find looks an order up.
func find(ctx contract.Context, s side, id jsvalue.Value) *jsvalue.Object {
	switch x := id.(type) {
	case string:
		if jsvalue.Length(x) < maxID {
			return ctx.Table(s.table()).Find1(byTxID, x)
		}
	case float64:
		if jsvalue.IsInteger(x) && x > 0 {
			return ctx.Table(s.table()).Get(x)
		}
	}
	return nil
}
