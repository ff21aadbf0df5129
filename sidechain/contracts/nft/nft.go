package nft

import (
	"fmt"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// Code hashes of the peer's texts.
const (
	bootstrapHash = "a9fcb0e0d0c8e3f97888f8f95b743deb5f20574152118b23be0a8dea3077108b"
	currentHash   = "a2c2c08bd0331e2dafce355e09ce89426f8596290c0da804cf7a87a2d2523b19"
)

type nft struct {
	hash    string
	actions map[string]contract.Action
}

// Bootstrap is the version in the peer's genesis block. Of it only the tick is
// built.
func Bootstrap() contract.Contract {
	return nft{bootstrapHash, map[string]contract.Action{"checkPendingUndelegations": checkPending}}
}

// Current is the peer's newest contract.
func Current() contract.Contract {
	return nft{currentHash, map[string]contract.Action{
		"updateParams":                  updateParams,
		"create":                        create,
		"addProperty":                   addProperty,
		"setPropertyPermissions":        setPropertyPermissions,
		"addAuthorizedIssuingAccounts":  issuingAccounts.add,
		"addAuthorizedIssuingContracts": issuingContracts.add,
		"checkPendingUndelegations":     checkPending,
	}}
}

// Name implements contract.Contract.
func (nft) Name() string { return "nft" }

// CodeHash implements contract.Contract.
func (n nft) CodeHash() string { return n.hash }

// Actions implements contract.Contract.
func (n nft) Actions() map[string]contract.Action { return n.actions }

// Partial implements contract.Partial.
func (nft) Partial() {}

const bySymbol = "symbol" // lookup of nfts

var tables = []state.TableDef{
	{Name: "nfts", Indexes: indexes("symbol"), Lookups: indexes(bySymbol)},
	{Name: "params"},
	{Name: "pendingUndelegations", Indexes: indexes("symbol", "completeTimestamp")},
}

func indexes(fields ...string) []state.Index {
	out := make([]state.Index, len(fields))
	for i, f := range fields {
		out[i] = state.Index{Name: f, Fields: []string{f}}
	}
	return out
}

// Tables implements contract.Tabler.
func (nft) Tables() []state.TableDef { return tables }

// Setup implements contract.Contract.
func (nft) Setup(ctx contract.Context) {
	if ctx.Table("nfts") != nil {
		return
	}
	for _, def := range tables {
		ctx.CreateTable(def)
	}
	ctx.Table("params").Insert(jsvalue.NewObject(
		"nftCreationFee", "100",
		"nftIssuanceFee", jsvalue.NewObject(ctx.UtilityToken(), "0.001", "PAL", "0.001"),
		"dataPropertyCreationFee", "100",
		"enableDelegationFee", "1000",
	))
}

// checkPending is the tick of delegations that end.
func checkPending(ctx contract.Context, _ *jsvalue.Object) {
	if !ctx.Assert(ctx.Sender() == "null", "not authorized") {
		return
	}
	if ctx.Table("pendingUndelegations").Len() > 0 {
		panic(fmt.Errorf("%w: nft.checkPendingUndelegations with rows in pendingUndelegations", contract.ErrNotBuilt))
	}
}

// updateParams is the owner's; members that are no fees are ignored.
func updateParams(ctx contract.Context, payload *jsvalue.Object) {
	if ctx.Sender() != ctx.Owner() {
		return
	}
	row := params(ctx).Clone()
	for _, key := range []string{"nftCreationFee", "nftIssuanceFee", "dataPropertyCreationFee", "enableDelegationFee"} {
		v := payload.Get(key)
		if key == "nftIssuanceFee" && isObject(v) || key != "nftIssuanceFee" && isFee(v) {
			row.Set(key, v)
		}
	}
	ctx.Table("params").Update(row)
}

func isFee(v jsvalue.Value) bool {
	text, ok := v.(string)
	return ok && text != "" && jsvalue.Big(text).Gte(jsvalue.BigInt(0))
}

// isObject is `x && typeof x === 'object'`.
func isObject(v jsvalue.Value) bool { return jsvalue.Truthy(v) && jsvalue.TypeOf(v) == "object" }

func params(ctx contract.Context) *jsvalue.Object {
	for row := range ctx.Table("params").All() {
		return row
	}
	return nil
}

// find is the row of a kind of tokens, or nil.
func find(ctx contract.Context, symbol string) state.Row {
	return ctx.Table("nfts").Find1(bySymbol, symbol)
}

// signed is how every action but updateParams begins.
func signed(ctx contract.Context) bool {
	return ctx.Assert(ctx.SignedWithActiveKey(), "you must use a custom_json signed with your active key")
}

// covers says whether the sender has the tokens for a fee.
func covers(ctx contract.Context, fee string) bool {
	amount := jsvalue.Big(fee)
	if amount.Lte(jsvalue.BigInt(0)) {
		return true
	}
	row := ctx.TableOf("tokens", "balances").Find1("account+symbol", ctx.Sender(), ctx.UtilityToken())
	return row != nil && jsvalue.Big(row.Get("balance")).Gte(amount)
}

// burn takes a fee from the sender and says whether it is gone.
func burn(ctx contract.Context, fee string) bool {
	if !jsvalue.Big(fee).Gt(jsvalue.BigInt(0)) {
		return true
	}
	res := ctx.Call("tokens", "transfer", jsvalue.NewObject(
		"to", "null", "symbol", ctx.UtilityToken(), "quantity", fee, "isSignedWithActiveKey", true))
	if !res.OK() {
		return false
	}
	for _, e := range res.Events {
		data, _ := e.Object("data")
		if e.Get("contract") == "tokens" && e.Get("event") == "transfer" &&
			data.Get("from") == ctx.Sender() && data.Get("to") == "null" &&
			data.Get("quantity") == fee && data.Get("symbol") == ctx.UtilityToken() {
			return true
		}
	}
	return false
}

func isUndefined(v jsvalue.Value) bool {
	_, ok := v.(jsvalue.Undefined)
	return ok
}

// optionalText: absent, or a text that is not empty.
func optionalText(payload *jsvalue.Object, key string) bool {
	_, ok := contract.Text(payload, key)
	return ok || isUndefined(payload.Get(key))
}

// optionalList: absent, or an array.
func optionalList(payload *jsvalue.Object, key string) bool {
	_, ok := payload.Array(key)
	return ok || isUndefined(payload.Get(key))
}
