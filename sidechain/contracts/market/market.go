package market

import (
	"slices"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// Code hashes of the peer's contract texts (its executedCodeHash).
const (
	currentHash  = "0308ad24251f75e073ae176b264adec8225c15522fdb18699cf4c6039fa00e03"
	july2024Hash = "cabc23455f4a25d1a5a9c15b8054476c5c4ef7fca58c918da26681ca19ff6da4"
	// newChainHash is SHA-256("causeway/market/1").
	newChainHash = "dd14370e7dba23da0e5bd46bd471f5f8fc934a7275ddbf41b681d1eadd2a0567"
)

// Name is the contract's name, and the holder of everything that open orders
// have locked.
const Name = "market"

// edition is one version of the contract: a value that implements
// contract.Contract.
type edition struct {
	hash string
	// blacklist are accounts whose orders are dropped in silence; the open ones
	// of cleared are removed when the contract is updated.
	blacklist, cleared []string
	// openOrders is how many orders an account may have in both books
	// together; 0 for any number.
	openOrders int
	// pays rounds what a buyer locks and pays, gets what a seller receives.
	pays, gets jsvalue.RoundingMode
	// exact: an order is worth at least one unit of the quote token before its
	// value is rounded, not after.
	exact bool
	// cutCap: a payment that exceeds what is locked for it is rounded down; at
	// the others it is what is locked. Whether it exceeds is decided by comparing
	// texts where a sell order has all that a buy order wants.
	cutCap bool
	// giveNothing: dust of the order that came is given back even when it is
	// nothing, which tokens refuses.
	giveNothing bool
	// badOrders: buy orders that have nothing locked are removed when the
	// contract is updated.
	badOrders bool
	// quotes: an order may name its quote token.
	quotes bool
	// ownSide: after an order expired the best price of its own side is looked
	// up again, not that of the other side.
	ownSide bool
	// covered: a buy order wants no more than what it has locked pays for. At
	// the peer rounding up can eat what is locked: the order then pays less
	// than its price, or nothing, and stays in the book.
	covered bool
	// summed: the volume is always the sum of the trades in the history. At the
	// peer it starts again after a day without trades, which comes to the same
	// there, because no old trade is left in the history then.
	summed bool

	actions map[string]contract.Action
}

// New returns the contract as new chains start with it.
func New() contract.Contract {
	e := current()
	e.hash = newChainHash
	e.blacklist, e.badOrders = nil, false
	e.quotes, e.ownSide, e.covered, e.summed = true, true, true, true
	return e.build()
}

// Current is the peer's newest contract.
func Current() contract.Contract { return current().build() }

// July2024 is the peer's version before 2024-07-27. It rounds to the nearest,
// so that small orders could be had for less than their value.
func July2024() contract.Contract {
	return (&edition{
		hash:      july2024Hash,
		blacklist: blocked[:5], cleared: []string{"waitingforlove"}, badOrders: true,
		pays: jsvalue.RoundHalfUp, gets: jsvalue.RoundHalfUp,
		cutCap: true, giveNothing: true,
	}).build()
}

// blocked are the accounts that the peer does not let trade, in the order in
// which they were added.
var blocked = []string{"sunsetjesus", "waitingforlove", "thenights", "thedays", "temp", "shaggroed", "shaggythesecond"}

func current() *edition {
	return &edition{
		hash:       currentHash,
		blacklist:  blocked,
		badOrders:  true,
		openOrders: 200,
		pays:       jsvalue.RoundUp, gets: jsvalue.RoundDown,
		exact: true,
	}
}

func (e *edition) build() *edition {
	e.actions = map[string]contract.Action{
		"buy":        e.buy,
		"sell":       e.sell,
		"marketBuy":  e.marketBuy,
		"marketSell": e.marketSell,
		"cancel":     e.cancel,
	}
	return e
}

// Name implements contract.Contract.
func (e *edition) Name() string { return Name }

// CodeHash implements contract.Contract.
func (e *edition) CodeHash() string { return e.hash }

// Actions implements contract.Contract.
func (e *edition) Actions() map[string]contract.Action { return e.actions }

// Names of the tables and of the indexes that the contract walks.
const (
	historyTable = "tradesHistory"
	metricsTable = "metrics"

	bySymbol     = "symbol"           // metrics
	byPrice      = "symbol+priceDec"  // the books
	byTime       = "symbol+timestamp" // tradesHistory
	byAccount    = "account"          // the books
	byExpiration = "expiration"       // the books
	byTxID       = "txId"             // the books
)

// side is one of the two books.
type side int

const (
	buys side = iota
	sells
)

// table is the name of the book.
func (s side) table() string {
	if s == buys {
		return "buyBook"
	}
	return "sellBook"
}

// kind is how orders, trades and events name the side.
func (s side) kind() string {
	if s == buys {
		return "buy"
	}
	return "sell"
}

var (
	bookIndexes = indexes("symbol", "account", "priceDec", "expiration", "txId")
	bookLookup  = []state.Index{{Name: byPrice, Fields: []string{"symbol", "priceDec"}}}
)

// tables in the order in which the peer creates them.
var tables = []state.TableDef{
	{Name: buys.table(), Indexes: bookIndexes, Lookups: bookLookup},
	{Name: sells.table(), Indexes: bookIndexes, Lookups: bookLookup},
	{Name: historyTable, Indexes: indexes("symbol"), Lookups: []state.Index{{Name: byTime, Fields: []string{"symbol", "timestamp"}}}},
	{Name: metricsTable, Indexes: indexes("symbol"), Lookups: indexes(bySymbol)},
}

func indexes(fields ...string) []state.Index {
	out := make([]state.Index, len(fields))
	for i, f := range fields {
		out[i] = state.Index{Name: f, Fields: []string{f}}
	}
	return out
}

// Setup implements contract.Contract.
func (e *edition) Setup(ctx contract.Context) {
	if ctx.Table(buys.table()) != nil {
		e.tidy(ctx)
		return
	}
	for _, def := range tables {
		ctx.CreateTable(def)
	}
}

// Tables implements contract.Tabler.
func (e *edition) Tables() []state.TableDef { return tables }

// dropped says whether an account's orders are dropped.
func (e *edition) dropped(account string) bool { return slices.Contains(e.blacklist, account) }
