package comments

import (
	"fmt"
	"math"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// params is the contract's one row of parameters.
func params(ctx contract.Context) state.Row {
	for row := range ctx.Table(paramsTable).All() {
		return row
	}
	return nil
}

// findPool is the pool with that id, or nil.
func findPool(ctx contract.Context, id jsvalue.Value) state.Row {
	if _, ok := id.(float64); !ok {
		return nil
	}
	return ctx.Table(poolTable).Get(id)
}

// findToken is the token's row in the contract tokens, or nil.
func findToken(ctx contract.Context, symbol jsvalue.Value) state.Row {
	t := ctx.TableOf("tokens", "tokens")
	if _, ok := symbol.(string); !ok || t == nil {
		return nil
	}
	return t.Find1("symbol", symbol)
}

// findBalance is an account's row of a token, or nil.
func findBalance(ctx contract.Context, account, symbol jsvalue.Value) state.Row {
	t := ctx.TableOf("tokens", "balances")
	if t == nil {
		return nil
	}
	return t.Find1("account+symbol", account, symbol)
}

// findPower is an account's voting power in a pool, or nil.
func findPower(ctx contract.Context, pool, account jsvalue.Value) state.Row {
	return ctx.Table(powerTable).GetBy(pool, account)
}

// update changes members of a row, of which no version is used any more.
func update(t *state.Table, row state.Row, members ...any) {
	for i := 0; i < len(members); i += 2 {
		if name, _ := members[i].(string); !row.Has(name) {
			change := jsvalue.NewObject("_id", row.Get("_id"))
			for k := 0; k < len(members); k += 2 {
				name, _ := members[k].(string)
				change.Set(name, members[k+1])
			}
			t.Update(change)
			return
		}
	}
	t.Overwrite(row, members...)
}

// isMuted says whether an account earns nothing in a pool.
func isMuted(ctx contract.Context, pool, account jsvalue.Value) bool {
	row := findPower(ctx, pool, account)
	return row != nil && jsvalue.Truthy(row.Get("mute"))
}

// authorpermOf is "@author/permlink".
func authorpermOf(author, permlink jsvalue.Value) string {
	return "@" + jsvalue.ToString(author) + "/" + jsvalue.ToString(permlink)
}

// number reads a number, NaN when there is none.
func number(o *jsvalue.Object, key string) float64 {
	n, ok := o.Number(key)
	if !ok {
		return math.NaN()
	}
	return n
}

// object reads an object; another value has no members.
func object(o *jsvalue.Object, key string) *jsvalue.Object {
	if inner, ok := o.Object(key); ok {
		return inner
	}
	return jsvalue.NewObject()
}

// big reads an amount.
func big(o *jsvalue.Object, key string) jsvalue.BigNumber { return jsvalue.Big(o.Get(key)) }

// cut is toFixed(places, ROUND_DOWN).
func cut(x jsvalue.BigNumber, places int) string { return x.ToFixedMode(places, jsvalue.RoundDown) }

// share is x * part / whole, cut.
func share(x, part, whole jsvalue.BigNumber, places int) string {
	return cut(x.Times(part).Div(whole), places)
}

// precisionOf is the number of decimals of a token.
func precisionOf(token state.Row) int { return int(number(token, "precision")) }

// take collects at most n rows.
func take(rows func(func(state.Row) bool), n int) []state.Row {
	var out []state.Row
	for row := range rows {
		if len(out) == n {
			break
		}
		out = append(out, row)
	}
	return out
}

// limit reads a limit on the rows of a find; with one beyond 1,000 the peer's
// find returns null, and ok is false.
func limit(params state.Row, key string) (n int, ok bool) {
	f := number(params, key)
	return int(f), f <= pageSize
}

// readsNull raises what JavaScript raises at a member of null.
func readsNull(member string) {
	panic(contract.Exception(fmt.Sprintf("TypeError: Cannot read properties of null (reading '%s')", member)))
}
