package tokens

import (
	"slices"
	"strings"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
)

const (
	maxPrecision = 8
	maxSymbol    = 10
	maxName      = 50
	maxURL       = 255
	maxMetadata  = 1000
	// maxSupply is the largest integer that a double holds exactly.
	maxSupply = "9007199254740991"
)

// activeKey asserts that the call carries the sender's active authority.
func activeKey(ctx contract.Context) bool {
	return ctx.Assert(ctx.SignedWithActiveKey(), "you must use a custom_json signed with your active key")
}

// calledBy says whether the calling contract is one of names.
func calledBy(ctx contract.Context, names []string) bool {
	c := ctx.Caller()
	return c != nil && slices.Contains(names, c.Name)
}

// params is the contract's one row of parameters.
func (e *edition) params(ctx contract.Context) *jsvalue.Object { return firstRow(ctx.Table("params")) }

// create makes a token. From an issuing contract it is free, needs no key, and
// the token belongs to "null".
func (e *edition) create(ctx contract.Context, payload *jsvalue.Object) {
	params := e.params(ctx)
	fee := jsvalue.ToString(params.Get("tokenCreationFee"))
	listing := member(params.Get("heAccounts"), ctx.Sender())
	byContract := e.listed && calledBy(ctx, e.issuers)

	if !ctx.Assert(byContract || e.coversFee(ctx, fee, listing), "you must have enough tokens to cover the creation fees") ||
		!byContract && !activeKey(ctx) {
		return
	}
	def, ok := readDefinition(payload)
	if !ctx.Assert(ok, "invalid params") || !e.validDefinition(ctx, def, e.listed && listing == 1.0) {
		return
	}
	if !ctx.Assert(findToken(ctx, def.symbol) == nil, "symbol already exists") {
		return
	}
	issuer := ctx.Sender()
	if byContract {
		issuer = burned
	}
	ctx.Table("tokens").Insert(def.row(issuer))

	if jsvalue.Big(fee).Gt(jsvalue.BigInt(0)) && !(e.listed && !isUndefined(listing)) && !byContract {
		e.transfer(ctx, jsvalue.NewObject(
			"to", burned, "symbol", ctx.UtilityToken(), "quantity", fee, "isSignedWithActiveKey", true))
	}
}

// coversFee says whether the sender may create: for nothing, because he is
// listed, or because he holds the fee.
func (e *edition) coversFee(ctx contract.Context, fee string, listing jsvalue.Value) bool {
	if jsvalue.Big(fee).Lte(jsvalue.BigInt(0)) || e.listed && listing == 1.0 {
		return true
	}
	row := findBalance(ctx.Table(userTable), ctx.Sender(), ctx.UtilityToken())
	return row != nil && jsvalue.Big(row.Get("balance")).Gte(jsvalue.Big(fee))
}

// definition is what a create asks for.
type definition struct {
	name, symbol, url, maxSupply string
	precision                    float64
}

// readDefinition checks types only. An empty url is refused, an absent one is
// not.
func readDefinition(payload *jsvalue.Object) (d definition, ok bool) {
	var name, symbol, url, precision, supply bool
	d.name, name = contract.Text(payload, "name")
	d.symbol, symbol = contract.Text(payload, "symbol")
	d.url, url = contract.Text(payload, "url")
	d.precision, precision = payload.Number("precision")
	d.maxSupply, supply = isQuantity(payload.Get("maxSupply"))
	return d, name && symbol && (url || isUndefined(payload.Get("url"))) && precision && supply
}

// validDefinition checks a definition, in the order of the peer.
func (e *edition) validDefinition(ctx contract.Context, d definition, listed bool) bool {
	supply := jsvalue.Big(d.maxSupply)
	bare := strings.ReplaceAll(d.name, " ", "")
	return ctx.Assert(validSymbol(d.symbol),
		`invalid symbol: uppercase letters only and one "." allowed, max length of 10`) &&
		e.allowedSymbol(ctx, d.symbol, listed) &&
		ctx.Assert(contract.IsAlphanumeric(bare) && len(d.name) <= maxName,
			"invalid name: letters, numbers, whitespaces only, max length of 50") &&
		ctx.Assert(jsvalue.Length(d.url) <= maxURL, "invalid url: max length of 255") &&
		ctx.Assert(validPrecision(d.precision, 0), "invalid precision") &&
		ctx.Assert(supply.Gt(jsvalue.BigInt(0)), "maxSupply must be positive") &&
		ctx.Assert(supply.Lte(jsvalue.Big(maxSupply)), "maxSupply must be lower than "+maxSupply)
}

func validPrecision(p float64, least float64) bool {
	return jsvalue.IsInteger(p) && p >= least && p <= maxPrecision
}

// validSymbol: 1 to 10 of A-Z and at most one dot, which neither begins nor
// ends it.
func validSymbol(s string) bool {
	letters := strings.ReplaceAll(s, ".", "")
	if len(s) > maxSymbol || !contract.IsAlpha(letters) || strings.ToUpper(s) != s {
		return false
	}
	dot := strings.IndexByte(s, '.')
	return dot < 0 || dot > 0 && dot < len(s)-1 && dot == strings.LastIndexByte(s, '.')
}

// allowedSymbol checks who may use the symbol.
func (e *edition) allowedSymbol(ctx contract.Context, symbol string, listed bool) bool {
	owner, taken := e.reserved[symbol]
	if !ctx.Assert(!taken || owner == ctx.Sender(), "cannot use this symbol") {
		return false
	}
	pegs := e.pegged && calledBy(ctx, pegsOnly)
	for _, part := range e.restricted {
		if !ctx.Assert(listed || pegs || !strings.Contains(symbol, part), "invalid symbol: not allowed to use "+part) {
			return false
		}
	}
	return !e.restrictedDot || ctx.Assert(
		listed || pegs || !strings.Contains(symbol, ".") || calledBy(ctx, burnDollarOnly),
		`invalid symbol: usage of "." is restricted`)
}

var (
	pegsOnly       = []string{"pegs"}
	burnDollarOnly = []string{"burndollar"}
)

// row is the new token's row.
func (d definition) row(issuer string) *jsvalue.Object {
	return jsvalue.NewObject(
		"issuer", issuer,
		"symbol", d.symbol,
		"name", d.name,
		"metadata", jsvalue.Stringify(jsvalue.NewObject("url", d.url)),
		"precision", d.precision,
		"maxSupply", jsvalue.Big(d.maxSupply).ToFixedN(int(d.precision)),
		"supply", "0",
		"circulatingSupply", "0",
		"stakingEnabled", false,
		"unstakingCooldown", 1,
		"delegationEnabled", false,
		"undelegationCooldown", 0,
	)
}
