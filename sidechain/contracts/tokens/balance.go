package tokens

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

const (
	userTable     = "balances"
	contractTable = "contractsBalances"
	burned        = "null" // the account that tokens are burned to
)

// token is a row of tokens with the parts that arithmetic needs.
type token struct {
	row       state.Row
	symbol    string
	precision int
}

// findToken returns nil when there is no such symbol.
func findToken(ctx contract.Context, symbol string) *token {
	row := ctx.Table("tokens").FindText(bySymbol, symbol)
	if row == nil {
		return nil
	}
	precision, _ := row.Number("precision")
	return &token{row: row, symbol: symbol, precision: int(precision)}
}

// text is a string member of the token's row.
func (t *token) text(key string) string {
	s, _ := t.row.String(key)
	return s
}

// change returns the row with one member replaced, for Update.
func (t *token) change(ctx contract.Context, key string, v any) {
	if t.row.Has(key) {
		t.row = ctx.Table("tokens").Change(t.row, key, v)
		return
	}
	row := t.row.Clone()
	row.Set(key, v)
	t.row = ctx.Table("tokens").Update(row)
}

// fixed is q with exactly the token's decimals.
func (t *token) fixed(q string) string { return jsvalue.Big(q).ToFixedN(t.precision) }

// plus and minus are a sum of two amounts with the token's decimals.
func (t *token) plus(a, b string) string {
	return jsvalue.Big(a).Plus(jsvalue.Big(b)).ToFixedN(t.precision)
}

func (t *token) minus(a, b string) string {
	return jsvalue.Big(a).Minus(jsvalue.Big(b)).ToFixedN(t.precision)
}

// fits says whether q has no more decimals than the token. Infinity has none
// that could be counted and passes, as at the peer; no balance covers it.
func (t *token) fits(q string) bool { return t.fitsAmount(jsvalue.Big(q)) }

func (t *token) fitsAmount(q jsvalue.BigNumber) bool {
	n, ok := q.DP()
	return !ok || n <= t.precision
}

// isQuantity is the peer's check of a quantity: a non-empty string that
// BigNumber reads.
func isQuantity(v jsvalue.Value) (string, bool) {
	s, ok := v.(string)
	return s, ok && s != "" && !jsvalue.Big(s).IsNaN()
}

func findBalance(t *state.Table, account, symbol string) state.Row {
	return t.FindText(byAccount, account, symbol)
}

// subBalance takes q from a balance, or asserts why it cannot.
func subBalance(ctx contract.Context, account string, t *token, q, table string) bool {
	place := ctx.Table(table).PlaceText(byAccount, account, t.symbol)
	if !ctx.Assert(place.Row() != nil, "balance does not exist") {
		return false
	}
	text, _ := place.Row().String("balance")
	old, amount := jsvalue.Big(text), jsvalue.Big(q)
	if !ctx.Assert(old.Gte(amount), "overdrawn balance") {
		return false
	}
	next := old.Minus(amount).Round(t.precision, jsvalue.RoundHalfUp)
	if !ctx.Assert(next.Lt(old), "cannot subtract") {
		return false
	}
	place.Overwrite("balance", next.ToFixedN(t.precision))
	return true
}

// addBalance adds q to a balance. A new row keeps q as it is written.
func addBalance(ctx contract.Context, account string, t *token, q, table string) bool {
	rows := ctx.Table(table)
	place := rows.PlaceText(byAccount, account, t.symbol)
	if place.Row() == nil {
		rows.Insert(newBalance(account, t.symbol, q))
		return true
	}
	text, _ := place.Row().String("balance")
	old := jsvalue.Big(text)
	next := old.Plus(jsvalue.Big(q)).Round(t.precision, jsvalue.RoundHalfUp)
	if !ctx.Assert(next.Gt(old), "cannot add") {
		return false
	}
	place.Overwrite("balance", next.ToFixedN(t.precision))
	return true
}

// newBalance is the row of an account that has not had the token.
func newBalance(account, symbol, balance string) *jsvalue.Object {
	return jsvalue.NewObject(
		"account", account,
		"symbol", symbol,
		"balance", balance,
		"stake", "0",
		"pendingUnstake", "0",
		"delegationsIn", "0",
		"delegationsOut", "0",
		"pendingUndelegations", "0",
	)
}

// move takes q from one balance and gives it to another; when the second half
// fails the first is taken back.
func move(ctx contract.Context, t *token, q, from, fromTable, to, toTable string) bool {
	if !subBalance(ctx, from, t, q, fromTable) {
		return false
	}
	if addBalance(ctx, to, t, q, toTable) {
		return true
	}
	addBalance(ctx, from, t, q, fromTable)
	return false
}

// burn takes q out of circulation when it went to "null". It still counts
// against the largest supply.
func burn(ctx contract.Context, t *token, q, to string) {
	if to == burned {
		t.change(ctx, "circulatingSupply", t.minus(t.text("circulatingSupply"), q))
	}
}
