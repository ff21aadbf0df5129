package market_test

import (
	"fmt"
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"causeway/sidechain/contracts/market"
	"causeway/sidechain/jsvalue"
)

// TestModel compares the contract with the rules of peer-spec section 3 written
// down once more, plainly: whole numbers of units, lists that are sorted anew
// for every page of 25 rows.
func TestModel(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		c := peerChain(t, market.Current(), people...)
		m := &model{}
		ids := 0
		calls := drawSmall(rt, &ids)
		for range rapid.IntRange(1, 60).Draw(rt, "calls") {
			calls = append(calls, drawCall(rt, &ids))
		}
		for _, call := range calls {
			c.Wait(time.Duration(call.wait)*time.Second, 1)
			r := c.Call("null", "market", call.action, call.payload())
			m.now = c.Time()
			if strings.Contains(r.Logs, "overdrawn") {
				continue
			}
			got, errs := paid(t, r.Logs)
			m.run(call)
			if diff := cmp.Diff(m.events, got, cmpopts.EquateEmpty()); diff != "" {
				rt.Fatalf("%s %s (-model +contract):\n%s", call.action, call.payload(), diff)
			}
			if diff := cmp.Diff(m.errors, errs, cmpopts.EquateEmpty()); diff != "" {
				rt.Fatalf("%s: errors (-model +contract):\n%s", call.action, diff)
			}
			if diff := cmp.Diff(m.books(), booksOf(c), cmpopts.EquateEmpty()); diff != "" {
				rt.Fatalf("%s: books (-model +contract):\n%s", call.action, diff)
			}
		}
	})
}

// entry is an order of the model.
type entry struct {
	id              int
	tx, account     string
	quantity, price int64
	locked          *big.Int
	expires         int64
}

// model is the state of the plain rules.
type model struct {
	now         int64
	buys, sells []*entry // by id
	lastBuy     int
	lastSell    int
	events      []string
	errors      []string
}

func (m *model) pay(to, symbol string, n *big.Int) {
	places := 8
	if symbol == "TKN" {
		places = 3
	}
	m.events = append(m.events, fmt.Sprintf("%s %s %s", to, symbol, jsvalue.Big(n.String()).Times(jsvalue.Big(fmt.Sprintf("1e-%d", places))).ToFixedN(places)))
}

func (m *model) payToken(to string, n int64) { m.pay(to, "TKN", big.NewInt(n)) }
func (m *model) payCoin(to string, n *big.Int) {
	m.pay(to, "SWAP.HIVE", n)
}

func (m *model) closed(kind string, o *entry) {
	m.events = append(m.events, "closed "+kind+" "+o.tx)
}

// value is price*quantity in units of the coin, rounded up or down.
func value(price, quantity int64, up bool) *big.Int {
	n := new(big.Int).Mul(big.NewInt(price), big.NewInt(quantity))
	if up {
		n.Add(n, big.NewInt(scale-1))
	}
	return n.Div(n, big.NewInt(scale))
}

func least(a, b *big.Int) *big.Int {
	if a.Cmp(b) > 0 {
		return b
	}
	return a
}

func some(n *big.Int) bool { return n.Sign() > 0 }

func less(a, b *big.Int) *big.Int { return new(big.Int).Sub(a, b) }

func (m *model) run(k call) {
	m.events, m.errors = nil, nil
	switch k.action {
	case "cancel":
		m.cancel(k)
		return
	case "marketBuy":
		m.expire(&m.sells, "sell")
		m.spend(k)
		return
	case "marketSell":
		m.expire(&m.buys, "buy")
		o := &entry{tx: k.id, account: k.account, quantity: k.quantity}
		m.sellInto(o, 0, false)
		if o.quantity > 0 {
			m.payToken(o.account, o.quantity)
		}
		return
	}
	life := k.life
	if life == 0 {
		life = 30 * 24 * 60 * 60
	}
	o := &entry{tx: k.id, account: k.account, quantity: k.quantity, price: k.price, expires: m.now + life}
	if new(big.Int).Mul(big.NewInt(k.price), big.NewInt(k.quantity)).Cmp(big.NewInt(scale)) < 0 {
		m.errors = []string{"order cannot be placed as it cannot be filled"}
		return
	}
	if k.action == "buy" {
		o.locked = value(k.price, k.quantity, true)
		m.lastBuy++
		o.id = m.lastBuy
		m.buys = append(m.buys, o)
		m.expire(&m.sells, "sell")
		m.buyFrom(o)
		return
	}
	m.lastSell++
	o.id = m.lastSell
	m.sells = append(m.sells, o)
	m.expire(&m.buys, "buy")
	m.sellInto(o, o.price, true)
}

func (m *model) cancel(k call) {
	i := slices.IndexFunc(m.buys, func(o *entry) bool { return o.tx == k.id })
	if i < 0 {
		m.errors = []string{"order does not exist or invalid params"}
		return
	}
	if m.buys[i].account == k.account {
		m.pay(k.account, "SWAP.HIVE", m.buys[i].locked)
		m.buys = slices.Delete(m.buys, i, i+1)
		if m.pays0() {
			m.errors = []string{"must transfer positive quantity"}
		}
	}
}

// pays0 takes back the last event when it pays nothing: tokens refuses it.
func (m *model) pays0() bool {
	last := m.events[len(m.events)-1]
	zero := strings.HasSuffix(last, " SWAP.HIVE 0.00000000")
	if zero {
		m.events = m.events[:len(m.events)-1]
	}
	return zero
}

func (m *model) expire(book *[]*entry, kind string) {
	for _, o := range slices.Clone(*book) {
		if o.expires > m.now {
			continue
		}
		if kind == "buy" {
			m.payCoin(o.account, o.locked)
			if m.pays0() {
				m.errors = append(m.errors, "must transfer positive quantity")
			}
		} else {
			m.payToken(o.account, o.quantity)
		}
		remove(book, o)
		m.events = append(m.events, "expired "+kind+" "+o.tx)
	}
}

func remove(book *[]*entry, o *entry) {
	*book = slices.DeleteFunc(*book, func(x *entry) bool { return x == o })
}

// page is what a find of 25 rows from an offset on gives.
func page(book []*entry, match func(*entry) bool, descending bool, offset int) []*entry {
	var list []*entry
	for _, o := range book {
		if match(o) {
			list = append(list, o)
		}
	}
	slices.SortStableFunc(list, func(a, b *entry) int {
		if descending {
			return int(b.price - a.price)
		}
		return int(a.price - b.price)
	})
	list = list[min(offset, len(list)):]
	return list[:min(25, len(list))]
}

// walk visits pages of a book until visit says that nothing is left to trade;
// visit also says whether it deleted the row.
func walk(find func(offset int) []*entry, visit func(*entry) (deleted, done bool)) {
	for offset := 0; ; {
		rows := find(offset)
		if len(rows) == 0 {
			return
		}
		gone := 0
		for _, o := range rows {
			deleted, done := visit(o)
			if deleted {
				gone++
			}
			if done {
				return
			}
		}
		offset += 25 - gone
	}
}

func (m *model) buyFrom(o *entry) {
	walk(func(offset int) []*entry {
		return page(m.sells, func(s *entry) bool { return s.price <= o.price }, false, offset)
	}, func(s *entry) (bool, bool) {
		quantity := min(o.quantity, s.quantity)
		cost := least(value(s.price, quantity, true), o.locked)
		if !some(cost) {
			m.errors = append(m.errors, "the order cannot be filled")
			return false, false
		}
		whole := o.quantity <= s.quantity
		m.payToken(o.account, quantity)
		m.payCoin(s.account, cost)
		if whole {
			deleted := m.reduce(s, quantity, true)
			if change := less(o.locked, cost); some(change) {
				m.payCoin(o.account, change)
			}
			remove(&m.buys, o)
			m.closed("buy", o)
			return deleted, true
		}
		remove(&m.sells, s)
		m.closed("sell", s)
		o.locked = less(o.locked, cost)
		o.quantity -= quantity
		if some(value(o.price, o.quantity, false)) {
			return true, false
		}
		if some(o.locked) {
			m.payCoin(o.account, o.locked)
		}
		remove(&m.buys, o)
		m.closed("buy", o)
		return true, true
	})
}

// reduce takes what was sold out of a sell order and says whether it is gone.
func (m *model) reduce(s *entry, sold int64, tell bool) bool {
	s.quantity -= sold
	if s.quantity > 0 && some(value(s.price, s.quantity, false)) {
		return false
	}
	if s.quantity > 0 {
		m.payToken(s.account, s.quantity)
	}
	if tell {
		m.closed("sell", s)
	}
	remove(&m.sells, s)
	return true
}

func (m *model) sellInto(o *entry, floor int64, resting bool) {
	end := func() bool {
		if resting {
			remove(&m.sells, o)
			m.closed("sell", o)
		}
		o.quantity = 0
		return true
	}
	walk(func(offset int) []*entry {
		return page(m.buys, func(b *entry) bool { return b.price >= floor }, true, offset)
	}, func(b *entry) (bool, bool) {
		quantity := min(o.quantity, b.quantity)
		get := least(value(b.price, quantity, false), b.locked)
		if !some(get) {
			m.errors = append(m.errors, "the order cannot be filled")
			return false, false
		}
		whole := o.quantity <= b.quantity
		m.payToken(b.account, quantity)
		m.payCoin(o.account, get)
		b.quantity -= quantity
		b.locked = less(b.locked, get)
		if whole && some(value(b.price, b.quantity, false)) {
			return false, end()
		}
		if some(b.locked) {
			m.payCoin(b.account, b.locked)
		}
		if resting {
			m.closed("buy", b)
		}
		remove(&m.buys, b)
		if whole {
			return true, end()
		}
		o.quantity -= quantity
		if resting && !some(value(o.price, o.quantity, false)) {
			if o.quantity > 0 {
				m.payToken(o.account, o.quantity)
			}
			return true, end()
		}
		return true, false
	})
}

// spend is marketBuy.
func (m *model) spend(k call) {
	left := big.NewInt(k.quantity)
	walk(func(offset int) []*entry {
		return page(m.sells, func(*entry) bool { return true }, false, offset)
	}, func(s *entry) (bool, bool) {
		n := new(big.Int).Mul(left, big.NewInt(scale))
		quantity := n.Div(n, big.NewInt(s.price)).Int64()
		switch {
		case quantity == 0:
			return false, false
		case quantity <= s.quantity:
			m.payToken(k.account, quantity)
			m.payCoin(s.account, left)
			left = new(big.Int)
			return m.reduce(s, quantity, false), true
		}
		cost := least(value(s.price, s.quantity, true), left)
		m.payToken(k.account, s.quantity)
		m.payCoin(s.account, cost)
		remove(&m.sells, s)
		left = less(left, cost)
		return true, !some(left)
	})
	if some(left) {
		m.payCoin(k.account, left)
	}
}

// books shows the model's orders, buys first.
func (m *model) books() (list []string) {
	for _, o := range m.buys {
		list = append(list, fmt.Sprintf("buy %d %s %s %s %s %s", o.id, o.tx, o.account, units(o.quantity, 3), units(o.price, 8), units(o.locked.Int64(), 8)))
	}
	for _, o := range m.sells {
		list = append(list, fmt.Sprintf("sell %d %s %s %s %s", o.id, o.tx, o.account, units(o.quantity, 3), units(o.price, 8)))
	}
	return list
}
