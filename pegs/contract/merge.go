package contract

import (
	"strings"

	"causeway/chains/address"
	seam "causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// maxSupply is the largest that the tokens contract allows.
const maxSupply = "9007199254740991"

// Members of an asset by how they are checked.
const (
	fixedMember   = iota // may never change
	amountMember         // a quantity of the token
	coinMember           // an amount of the chain's own coin
	integerMember        // base blocks
)

var assetMembers = []struct {
	name string
	kind int
}{
	{"symbol", fixedMember},
	{"chain", fixedMember},
	{"token", fixedMember},
	{"precision", fixedMember},
	{"min_deposit", amountMember},
	{"min_withdrawal", amountMember},
	{"withdrawal_fee", coinMember},
	{"fee_max", coinMember},
	{"supply_cap", amountMember},
	{"mint_cap", amountMember},
	{"large_mint", amountMember},
	{"mint_delay", integerMember},
}

// mergedAsset is the row of an asset after a change, or of a new one (old nil):
// given members replace those of the row. It has no _id.
func mergedAsset(ctx seam.Context, network string, old *asset, given *jsvalue.Object) (state.Row, string) {
	next := jsvalue.NewObject()
	for _, m := range assetMembers {
		v := given.Get(m.name)
		if old != nil {
			had := old.row.Get(m.name)
			if !given.Has(m.name) {
				v = had
			}
			if m.kind == fixedMember && !jsvalue.Equal(v, had) && !sameToken(m.name, v, had) {
				return nil, "chain, token and precision of an asset never change"
			}
		}
		if m.kind == fixedMember && old != nil {
			v = old.row.Get(m.name)
		}
		next.Set(m.name, v)
	}
	if problem := identityProblem(ctx, network, next, old == nil); problem != "" {
		return nil, problem
	}
	if problem := normaliseLimits(next); problem != "" {
		return nil, problem
	}
	for _, name := range []string{"deposits_paused", "withdrawals_paused", "mints_paused"} {
		next.Set(name, old != nil && old.row.Get(name) == true)
	}
	zero := jsvalue.BigInt(0).ToFixedN(int(number(next, "precision")))
	for _, name := range []string{"owed", "minted"} {
		next.Set(name, zero)
		if old != nil {
			next.Set(name, old.row.Get(name))
		}
	}
	return next, ""
}

// sameToken says whether two spellings name one token: rows have small letters.
func sameToken(member string, v, had jsvalue.Value) bool {
	given, isText := v.(string)
	return member == "token" && isText && had == strings.ToLower(given)
}

// identityProblem checks what an asset is, and writes its token in small letters.
func identityProblem(ctx seam.Context, network string, row *jsvalue.Object, fresh bool) string {
	symbol, chain := text(row, "symbol"), text(row, "chain")
	token, hasToken := row.String("token")
	_, isPrecision := whole(row.Get("precision"), 8)
	switch {
	case len(symbol) > maxSymbol || !symbolForm.MatchString(symbol):
		return "invalid symbol"
	case !isChain(chain):
		return "invalid chain"
	case !hasToken && row.Get("token") != nil || hasToken && chain != eth:
		return "invalid token"
	case !isPrecision:
		return "invalid precision"
	case !fresh:
		return ""
	}
	if hasToken {
		if _, err := address.Decode(chain, network, token); err != nil {
			return "invalid token"
		}
		row.Set("token", strings.ToLower(token))
	}
	for other := range ctx.Table("assets").FindAll("chain", chain) {
		if strings.EqualFold(text(other, "token"), token) {
			return "the coin has an asset already"
		}
	}
	if ctx.Table("assets").Find1("symbol", symbol) != nil {
		return "symbol already exists"
	}
	return ""
}

// normaliseLimits checks the limits and writes them in their fixed form. The
// fee of a token is in the chain's own coin.
func normaliseLimits(row *jsvalue.Object) string {
	precision := int(number(row, "precision"))
	hasToken := row.Get("token") != nil
	for _, m := range assetMembers {
		switch {
		case m.kind == fixedMember:
			continue
		case m.kind == integerMember:
			if _, ok := whole(row.Get(m.name), 1<<40); !ok {
				return "invalid " + m.name
			}
			continue
		}
		decimals := precision
		if m.kind == coinMember && hasToken {
			decimals = 8
		}
		n, ok := amountOf(row.Get(m.name), decimals)
		if !ok {
			return "invalid " + m.name
		}
		row.Set(m.name, n.ToFixedN(decimals))
	}
	return ""
}

// tokenName is the name of a peg's token: letters and spaces, as the tokens
// contract wants it.
func tokenName(symbol string) string {
	return strings.ReplaceAll(symbol, ".", " ") + " Pegged"
}
