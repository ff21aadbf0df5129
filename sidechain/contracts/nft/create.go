package nft

import (
	"strings"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// create makes a kind of tokens, and the table for its units.
func create(ctx contract.Context, payload *jsvalue.Object) {
	fee, _ := params(ctx).String("nftCreationFee")
	if !ctx.Assert(covers(ctx, fee), "you must have enough tokens to cover the creation fees") || !signed(ctx) ||
		!ctx.Assert(wellFormed(payload), "invalid params") || !describes(ctx, payload) {
		return
	}
	symbol, _ := payload.String("symbol")
	if !ctx.Assert(find(ctx, symbol) == nil, "symbol already exists") || !burn(ctx, fee) {
		return
	}
	ctx.AddTable(state.TableDef{Name: symbol + "instances", Indexes: indexes("account", "ownedBy")})
	ctx.Table("nfts").Insert(newKind(ctx, payload))
	for _, l := range []issuers{issuingAccounts, issuingContracts} {
		if list := payload.Get(l.column); !isUndefined(list) {
			l.add(ctx, jsvalue.NewObject(l.member, list, "symbol", symbol))
		}
	}
}

// wellFormed checks the types of a new kind's description.
func wellFormed(payload *jsvalue.Object) bool {
	for _, key := range []string{"name", "symbol"} {
		if _, ok := contract.Text(payload, key); !ok {
			return false
		}
	}
	for _, key := range []string{"url", "orgName", "productName", "maxSupply"} {
		if !optionalText(payload, key) {
			return false
		}
	}
	return optionalList(payload, issuingAccounts.column) && optionalList(payload, issuingContracts.column) &&
		(isUndefined(payload.Get("maxSupply")) || !jsvalue.Big(payload.Get("maxSupply")).IsNaN())
}

// reserved symbols belong to accounts of the older chain.
var reserved = map[string]string{
	"CELL": "beggars", "QUST": "simplegame", "TESTERA": "aggroed", "SQRL": "stuffbyspencer", "CRAFT": "immanuel94",
	"CGULL": "cgull", "NFT": "cadawg", "RARE": "beggars", "LIC": "lictoken", "MEMBER": "membertoken",
	"COFFEE": "c0ff33a", "ROCK": "beggars", "MONSTERS": "simplegame", "SETS": "lootkit.games", "PHOTOFT": "wwwiebe",
	"BEER": "detlev", "SPIR": "spinvest", "IFG": "lion200", "GUILDS": "simplegame", "FCARD": "lion200",
	"PXL": "pixelnft", "COW": "stuffbyspencer", "LOOOT": "stuffbyspencer", "SPORTSMOM": "sportstester", "SWT": "satren",
}

const (
	maxSymbol = 10
	maxTitle  = 50
	maxURL    = 255
	// maxSupplyText is JavaScript's largest safe integer.
	maxSupplyText = "9007199254740991"
)

// describes checks the content of a new kind's description.
func describes(ctx contract.Context, payload *jsvalue.Object) bool {
	symbol, _ := payload.String("symbol")
	owner, kept := reserved[symbol]
	url, _ := payload.String("url")
	supply, limited := payload.String("maxSupply")
	return ctx.Assert(contract.IsAlpha(symbol) && strings.ToUpper(symbol) == symbol && len(symbol) <= maxSymbol,
		"invalid symbol: uppercase letters only, max length of 10") &&
		ctx.Assert(!kept || owner == ctx.Sender(), "cannot use this symbol") &&
		title(ctx, payload, "name", "name") &&
		title(ctx, payload, "orgName", "org name") &&
		title(ctx, payload, "productName", "product name") &&
		ctx.Assert(jsvalue.Length(url) <= maxURL, "invalid url: max length of 255") &&
		ctx.Assert(!limited || jsvalue.Big(supply).Gt(jsvalue.BigInt(0)), "maxSupply must be positive") &&
		ctx.Assert(!limited || jsvalue.Big(supply).Lte(jsvalue.Big(maxSupplyText)), "maxSupply must be lower than "+maxSupplyText)
}

// title checks a name that may be absent.
func title(ctx contract.Context, payload *jsvalue.Object, key, what string) bool {
	text, ok := payload.String(key)
	return ctx.Assert(!ok || contract.IsAlphanumeric(strings.ReplaceAll(text, " ", "")) && len(text) <= maxTitle,
		"invalid "+what+": letters, numbers, whitespaces only, max length of 50")
}

func newKind(ctx contract.Context, payload *jsvalue.Object) state.Row {
	text := func(key string) string {
		s, _ := payload.String(key)
		return s
	}
	supply := 0.0
	if limit, ok := payload.String("maxSupply"); ok {
		supply = jsvalue.Big(limit).IntegerValue(jsvalue.RoundDown).Number()
	}
	accounts := []jsvalue.Value{}
	if isUndefined(payload.Get(issuingAccounts.column)) {
		accounts = append(accounts, ctx.Sender())
	}
	return jsvalue.NewObject(
		"issuer", ctx.Sender(),
		"symbol", text("symbol"),
		"name", text("name"),
		"orgName", text("orgName"),
		"productName", text("productName"),
		"metadata", jsvalue.Stringify(jsvalue.NewObject("url", text("url"))),
		"maxSupply", supply,
		"supply", 0,
		"circulatingSupply", 0,
		"delegationEnabled", false,
		"undelegationCooldown", 0,
		issuingAccounts.column, accounts,
		issuingContracts.column, []jsvalue.Value{},
		"properties", jsvalue.NewObject(),
		"groupBy", []jsvalue.Value{},
	)
}
