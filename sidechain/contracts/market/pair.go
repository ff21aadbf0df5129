package market

import (
	"strconv"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// The quote token of the peer's markets.
const (
	peggedSymbol    = "SWAP.HIVE"
	peggedPrecision = 8
)

// market is one order book: what its rows carry as symbol, the token that is
// traded and the token that it is paid in, as the values that rows share. Named
// markets carry base and quote in their rows; the others are those that the
// peer knows.
type market struct {
	symbol             string
	boxed, base, quote jsvalue.Value // boxed is symbol; all are texts
	named              bool
}

// mark adds the tokens of a named market to a new row.
func (m *market) mark(row *jsvalue.Object) *jsvalue.Object {
	if m.named {
		row.Set("base", m.base)
		row.Set("quote", m.quote)
	}
	return row
}

// marketOf is the market that a stored row belongs to; usual is the quote token
// of markets that name none.
func marketOf(row state.Row, usual string) market {
	m := market{quote: usual, boxed: textOf(row, "symbol")}
	m.symbol, _ = row.String("symbol")
	m.base = m.boxed
	if _, ok := row.String("base"); ok {
		m.base, m.quote, m.named = row.Get("base"), textOf(row, "quote"), true
	}
	return m
}

// textOf is a member as a value that is a text: empty when it is none.
func textOf(row state.Row, key string) jsvalue.Value {
	v := row.Get(key)
	if _, ok := v.(string); !ok {
		return ""
	}
	return v
}

// quote is the token that a market is paid in.
type quote struct {
	symbol    string
	precision int
	named     bool              // by the order
	unit      jsvalue.BigNumber // the least amount of it
}

// newQuote fills in what follows from the decimals.
func newQuote(symbol string, precision int, named bool) quote {
	return quote{symbol, precision, named, unitOf(precision)}
}

// unitOf is the least amount with so many decimals.
func unitOf(places int) jsvalue.BigNumber {
	if places == peggedPrecision {
		return jsvalue.Big("1e-8")
	}
	return jsvalue.Big("1e-" + strconv.Itoa(places))
}

// usualQuote is the quote token of markets that name none.
func (e *edition) usualQuote(ctx contract.Context) string {
	if !e.quotes {
		return peggedSymbol
	}
	native, _ := ctx.Param("native_peg").(string)
	return native
}

// quoteOf finds the quote token of an order, or asserts that there is none.
func (e *edition) quoteOf(ctx contract.Context, payload *jsvalue.Object) (quote, bool) {
	usual := e.usualQuote(ctx)
	asked := payload.Get("quote")
	if !e.quotes {
		return newQuote(usual, peggedPrecision, false), true
	}
	exists := token(ctx, usual) != nil
	if asked == (jsvalue.Undefined{}) || asked == usual && exists {
		return newQuote(usual, peggedPrecision, false),
			ctx.Assert(exists, "this chain has no native peg: name a quote")
	}
	symbol, _ := asked.(string)
	row := token(ctx, symbol)
	if !ctx.Assert(row != nil && isPeg(ctx, symbol), "invalid quote") {
		return quote{}, false
	}
	return newQuote(symbol, precision(row), true), true
}

// isPeg says whether the contract pegs has an asset of that symbol.
func isPeg(ctx contract.Context, symbol string) bool {
	assets := ctx.TableOf("pegs", "assets")
	return assets != nil && assets.Find1("symbol", symbol) != nil
}

// token is the row of a token, nil when there is none.
func token(ctx contract.Context, symbol string) state.Row {
	return ctx.TableOf("tokens", "tokens").Find1("symbol", symbol)
}

// precision is the number of decimals of a token.
func precision(row state.Row) int {
	n, _ := row.Number("precision")
	return int(n)
}

// pair is a market with the decimals of its tokens.
type pair struct {
	market
	basePrecision, quotePrecision int
	unit                          jsvalue.BigNumber // the least amount of the quote token
}

// newPair is the market of a base token, given by its row, and a quote token.
func newPair(symbol string, base state.Row, q quote) pair {
	p := pair{
		market:        market{symbol: symbol, base: base.Get("symbol"), quote: q.symbol, named: q.named},
		basePrecision: precision(base), quotePrecision: q.precision, unit: q.unit,
	}
	p.boxed = p.base
	if q.named {
		p.symbol += ":" + q.symbol
		p.boxed = p.symbol
	}
	return p
}
