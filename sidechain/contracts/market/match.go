package market

import (
	"causeway/sidechain/jsvalue"
)

// matchBuy lets a buy order meet the sell orders at its price or below.
func (r *run) matchBuy(o *order) {
	r.clearExpired(sells)
	for s := range r.offers(sells, o) {
		if o.quantity.Lte(s.quantity.BigNumber) {
			r.fillBuy(o, s)
		} else {
			r.takeAsk(o, s)
		}
		if !o.quantity.some() {
			break
		}
	}
	if o.quantity.some() {
		r.stay()
	}
	r.done()
}

// fillBuy: a sell order has all that the buy order still wants.
func (r *run) fillBuy(o, s *order) {
	cost := r.cost(s.price, o.quantity, r.pays, o.locked)
	if !r.fillable(cost, o.quantity) {
		return
	}
	r.pay(o.account, coin{r.base, o.quantity.text})
	r.pay(s.account, coin{r.quote, cost.text})
	r.reduceAsk(s, o.quantity, true)
	if o.locked.Gt(cost.BigNumber) {
		r.pay(o.account, coin{r.quote, o.locked.less(cost, r.quotePrecision).text})
	}
	r.recordBuy(o, s, o.quantity.text, cost.text)
	o.quantity = amount{}
	r.leave()
	r.closed(o)
}

// takeAsk: a buy order wants more than a sell order has.
func (r *run) takeAsk(o, s *order) {
	cost := r.cost(s.price, s.quantity, r.pays, o.locked)
	if !r.fillable(cost, o.quantity) {
		return
	}
	r.pay(o.account, coin{r.base, s.quantity.text})
	r.pay(s.account, coin{r.quote, cost.text})
	r.books[sells].Remove(s.row)
	r.closed(s)
	o.locked = o.locked.less(cost, r.quotePrecision)
	o.quantity = o.quantity.less(s.quantity, r.basePrecision)
	if r.covered {
		r.cover(o)
	}
	if r.dust(o.price, o.quantity) {
		if r.giveNothing || o.locked.some() {
			r.pay(o.account, coin{r.quote, o.locked.text})
		}
		o.quantity = amount{}
		r.leave()
		r.closed(o)
	}
	r.recordBuy(o, s, s.quantity.text, cost.text)
}

// cover makes a buy order want no more than what it has locked pays for.
func (r *run) cover(o *order) {
	pays := func() bool { return r.value(o.price, o.quantity, r.pays).Lte(o.locked.BigNumber) }
	if pays() {
		return
	}
	o.quantity = fixed(o.locked.Div(o.price.BigNumber), r.basePrecision, jsvalue.RoundDown)
	if !pays() { // the quotient was rounded up at its 20th decimal
		o.quantity = o.quantity.less(amount{unitOf(r.basePrecision), ""}, r.basePrecision)
	}
}

// reduceAsk takes what was sold out of a sell order, and closes it when only
// dust is left. Market orders tell nobody.
func (r *run) reduceAsk(s *order, sold amount, tell bool) {
	left := s.quantity.less(sold, r.basePrecision)
	if left.some() && !r.dust(s.price, left) {
		rest := *s
		rest.quantity = left
		r.update(&rest)
		return
	}
	if left.some() {
		r.pay(s.account, coin{r.base, left.text})
	}
	if tell {
		r.closed(s)
	}
	r.books[sells].Remove(s.row)
}

func (r *run) recordBuy(o, s *order, quantity, volume string) {
	r.record(trade{
		kind: buys.kind(), buyer: o.account, seller: s.account,
		quantity: quantity, price: s.price, volume: volume, buyTx: o.txID, sellTx: s.txID,
	})
}

// matchSell lets a sell order meet the buy orders at its price or above. A
// market order, which stands in no book, meets all of them and is told to
// nobody; what is left of it is given back.
func (r *run) matchSell(o *order) {
	r.clearExpired(buys)
	limit := o
	if r.own == nil {
		limit = nil
	}
	for b := range r.offers(buys, limit) {
		if o.quantity.Lte(b.quantity.BigNumber) {
			r.fillSell(o, b)
		} else {
			r.takeBid(o, b)
		}
		if !o.quantity.some() {
			break
		}
	}
	switch {
	case !o.quantity.some():
	case r.own == nil:
		r.pay(o.account, coin{r.base, o.quantity.text})
	default:
		r.stay()
	}
	r.done()
}

// fillSell: a buy order wants all that the sell order still has.
func (r *run) fillSell(o, b *order) {
	get := r.cost(b.price, o.quantity, r.gets, b.locked)
	if !r.fillable(get, o.quantity) {
		return
	}
	r.pay(b.account, coin{r.base, o.quantity.text})
	r.pay(o.account, coin{r.quote, get.text})
	rest := *b
	rest.quantity = b.quantity.less(o.quantity, r.basePrecision)
	rest.locked = b.locked.less(get, r.quotePrecision)
	if rest.quantity.some() && !r.dust(b.price, rest.quantity) {
		r.update(&rest)
	} else {
		r.closeBid(&rest)
	}
	r.recordSell(o, b, o.quantity.text, get.text)
	r.closeSell(o)
}

// takeBid: a sell order has more than a buy order wants.
func (r *run) takeBid(o, b *order) {
	get := r.costOfBid(b)
	if !r.fillable(get, o.quantity) {
		return
	}
	r.pay(b.account, coin{r.base, b.quantity.text})
	r.pay(o.account, coin{r.quote, get.text})
	quantity := b.quantity
	rest := *b
	rest.locked = b.locked.less(get, r.quotePrecision)
	r.closeBid(&rest)
	o.quantity = o.quantity.less(quantity, r.basePrecision)
	if r.own != nil && r.dust(o.price, o.quantity) {
		if r.giveNothing || o.quantity.some() {
			r.pay(o.account, coin{r.base, o.quantity.text})
		}
		r.closeSell(o)
	}
	r.recordSell(o, b, quantity.text, get.text)
}

// closeBid gives back what a buy order still has locked and removes it.
func (r *run) closeBid(b *order) {
	if b.locked.some() {
		r.pay(b.account, coin{r.quote, b.locked.text})
	}
	if r.own != nil {
		r.closed(b)
	}
	r.books[buys].Remove(b.row)
}

// closeSell ends an incoming sell order.
func (r *run) closeSell(o *order) {
	o.quantity = amount{}
	if r.own != nil {
		r.leave()
		r.closed(o)
	}
}

func (r *run) recordSell(o, b *order, quantity, volume string) {
	r.record(trade{
		kind: sells.kind(), buyer: b.account, seller: o.account,
		quantity: quantity, price: b.price, volume: volume, buyTx: b.txID, sellTx: o.txID,
	})
}
