package market

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// maxLife is how long an order stays in the book at most, and when it says
// nothing, in seconds.
const maxLife = 30 * day

const keyText = "you must use a custom_json signed with your active key"

// signed asserts that the sender may move tokens.
func signed(ctx contract.Context) bool {
	return ctx.Assert(ctx.SignedWithActiveKey() || ctx.Sender() == "null", keyText)
}

// placer is the account whose order it is: the sender, or for "null" the one
// that it names.
func placer(ctx contract.Context, payload *jsvalue.Object) string {
	if v := payload.Get("account"); ctx.Sender() == "null" && v != (jsvalue.Undefined{}) {
		account, _ := v.(string)
		return account
	}
	return ctx.Sender()
}

// txIDOf is the id that an order gets: the transaction's, or for "null" the one
// that it names. There is none in a nested call.
func txIDOf(ctx contract.Context, payload *jsvalue.Object) jsvalue.Value {
	if v := payload.Get("txId"); ctx.Sender() == "null" && v != (jsvalue.Undefined{}) {
		return v
	}
	if id, ok := ctx.TransactionID(); ok {
		return id
	}
	return nil
}

// numeric is a member that is text of a number.
func numeric(payload *jsvalue.Object, key string) (amount, bool) {
	text, ok := contract.Text(payload, key)
	if !ok {
		return amount{}, false
	}
	a := read(text)
	return a, !a.IsNaN()
}

// limit is a request for a limit order, its types checked.
type limit struct {
	account         string
	txID            string
	symbol          string
	quantity, price amount
	life            float64 // seconds
}

func readLimit(ctx contract.Context, payload *jsvalue.Object) (l limit, ok bool) {
	l.account = placer(ctx, payload)
	var price, symbol, quantity, id bool
	l.price, price = numeric(payload, "price")
	l.quantity, quantity = numeric(payload, "quantity")
	l.symbol, symbol = contract.Text(payload, "symbol")
	l.txID, id = txIDOf(ctx, payload).(string)
	l.life = maxLife
	alive := true
	if v := payload.Get("expiration"); v != (jsvalue.Undefined{}) {
		life, isNumber := v.(float64)
		alive = isNumber && jsvalue.IsInteger(v) && life > 0
		l.life = min(life, maxLife)
	}
	return l, price && quantity && symbol && id && l.txID != "" && alive
}

// checkLimit is what a limit order must hold to; nil when it does not.
func (e *edition) checkLimit(ctx contract.Context, payload *jsvalue.Object) (*run, limit) {
	if !signed(ctx) {
		return nil, limit{}
	}
	q, ok := e.quoteOf(ctx, payload)
	if !ok {
		return nil, limit{}
	}
	l, valid := readLimit(ctx, payload)
	if !ctx.Assert(valid && l.symbol != q.symbol, "invalid params") ||
		!ctx.Assert(!e.tooMany(ctx, l.account), "too many open orders") {
		return nil, limit{}
	}
	base := token(ctx, l.symbol)
	if !ctx.Assert(base != nil && l.price.some() && fits(l.price.BigNumber, q.precision) &&
		fits(l.quantity.BigNumber, precision(base)), "invalid params") {
		return nil, limit{}
	}
	worth := l.price.Times(l.quantity.BigNumber)
	if !e.exact {
		worth = worth.Round(q.precision, e.pays)
	}
	if !ctx.Assert(worth.Gte(q.unit), "order cannot be placed as it cannot be filled") {
		return nil, limit{}
	}
	r := e.newRun(ctx, l.account, newPair(l.symbol, base, q))
	r.txID = l.txID
	return r, l
}

// tooMany says whether an account may have no further order.
func (e *edition) tooMany(ctx contract.Context, account string) bool {
	if e.openOrders == 0 {
		return false
	}
	n := ctx.Table(sells.table()).CountUpTo(e.openOrders, byAccount, account)
	return n+ctx.Table(buys.table()).CountUpTo(e.openOrders-n, byAccount, account) >= e.openOrders
}

// buy places a limit order that buys.
func (e *edition) buy(ctx contract.Context, payload *jsvalue.Object) {
	if e.dropped(placer(ctx, payload)) {
		return
	}
	r, l := e.checkLimit(ctx, payload)
	if r == nil {
		return
	}
	lock := r.value(l.price, l.quantity, r.pays)
	if r.escrow(coin{r.quote, lock.text}) {
		r.matchBuy(r.rest(buys, l, lock))
	}
}

// sell places a limit order that sells.
func (e *edition) sell(ctx contract.Context, payload *jsvalue.Object) {
	if e.dropped(placer(ctx, payload)) {
		return
	}
	r, l := e.checkLimit(ctx, payload)
	if r == nil {
		return
	}
	if r.escrow(coin{r.base, l.quantity.text}) {
		r.matchSell(r.rest(sells, l, amount{}))
	}
}

// rest counts an order into its book, where it is stored when it stays; lock is
// what a buy order has locked.
func (r *run) rest(s side, l limit, lock amount) *order {
	o := &order{
		side: s, account: r.account, txID: l.txID, until: r.now + l.life, locked: lock,
		quantity: fixed(l.quantity.BigNumber, r.basePrecision, jsvalue.RoundHalfUp),
		price:    fixed(l.price.BigNumber, r.quotePrecision, jsvalue.RoundHalfUp),
	}
	o.id = r.books[s].Reserve()
	r.own = o
	return o
}

// The members of orders as they are stored.
var (
	buyShape = jsvalue.NewShape("_id", "txId", "timestamp", "account", "symbol", "quantity", "price", "priceDec",
		"tokensLocked", "expiration")
	sellShape = jsvalue.NewShape("_id", "txId", "timestamp", "account", "symbol", "quantity", "price", "priceDec", "expiration")
)

// keep stores the order that came as it stands now.
func (r *run) keep() {
	o := r.own
	price := decimal128(o.price.text)
	var row *jsvalue.Object
	if o.side == buys {
		row = buyShape.Object(o.id, o.txID, r.boxed, o.account, r.market.boxed, o.quantity.text, o.price.text, price, o.locked.text, o.until)
	} else {
		row = sellShape.Object(o.id, o.txID, r.boxed, o.account, r.market.boxed, o.quantity.text, o.price.text, price, o.until)
	}
	o.row = r.books[o.side].Keep(r.mark(row))
}

// stay writes what is left of the order that came, which stays in its book.
func (r *run) stay() {
	r.books[r.own.side].Count(state.OpUpdate)
	r.keep()
}

// update writes what is left of an order in its book.
func (r *run) update(o *order) {
	row := o.row.Shallow(0)
	row.Set("quantity", o.quantity.text)
	if o.side == buys {
		row.Set("tokensLocked", o.locked.text)
	}
	r.books[o.side].Count(state.OpUpdate)
	r.books[o.side].Keep(row)
}

// leave takes the order that came out of its book, in which it may never have
// stood.
func (r *run) leave() {
	book, o := r.books[r.own.side], r.own
	r.own = nil
	if o.row != nil {
		book.Remove(o.row)
		return
	}
	book.Count(state.OpRemove)
}
