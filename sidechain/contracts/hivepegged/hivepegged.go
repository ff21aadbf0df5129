package hivepegged

import (
	"strings"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

const (
	// currentHash is the code hash of the peer's newest text.
	currentHash = "ff93fd0ed74c24bff2152c517289c9de043129a74dadff190a843f49213bc575"
	// newChainHash is SHA-256("causeway/hivepegged/1").
	newChainHash = "28caaa1283e03bebe365749f2201a37c8c279151fb09b2fa29cb2769b75b782d"
)

// decimals are those of the base layer's coin.
const decimals = 3

var (
	feeRate    = jsvalue.Big("0.0075")
	minFee     = jsvalue.Big("0.001")
	minimum    = jsvalue.Big("0.002")
	byID       = state.Index{Name: "id", Fields: []string{"id"}}
	tableNames = []state.TableDef{{Name: "withdrawals", Lookups: []state.Index{byID}}}
)

// names are what differs between networks.
type names struct {
	token, coin string
	fees        string // account that is owed the fees
}

type pegged struct {
	hash    string
	owner   string // at genesis
	names   func(contract.Context) names
	actions map[string]contract.Action
}

// New is the contract of a new chain whose custody account is owner.
func New(owner string) contract.Contract {
	return build(newChainHash, owner, func(ctx contract.Context) names {
		return names{token: param(ctx, "native_peg"), coin: param(ctx, "base_coin"), fees: param(ctx, "admin")}
	})
}

// Current is the peer's newest contract.
func Current() contract.Contract {
	return build(currentHash, "", func(contract.Context) names { return names{"SWAP.HIVE", "HIVE", "hive-engine"} })
}

func build(hash, owner string, of func(contract.Context) names) *pegged {
	p := &pegged{hash: hash, owner: owner, names: of}
	p.actions = map[string]contract.Action{
		"buy":              p.buy,
		"withdraw":         p.withdraw,
		"removeWithdrawal": removeWithdrawal,
	}
	return p
}

func param(ctx contract.Context, name string) string {
	text, _ := ctx.Param(name).(string)
	return text
}

// Name implements contract.Contract.
func (p *pegged) Name() string { return "hivepegged" }

// CodeHash implements contract.Contract.
func (p *pegged) CodeHash() string { return p.hash }

// GenesisOwner implements contract.Owned.
func (p *pegged) GenesisOwner() string { return p.owner }

// Actions implements contract.Contract.
func (p *pegged) Actions() map[string]contract.Action { return p.actions }

// Tables implements contract.Tabler.
func (p *pegged) Tables() []state.TableDef { return tableNames }

// Setup implements contract.Contract.
func (p *pegged) Setup(ctx contract.Context) {
	for _, def := range tableNames {
		if ctx.Table(def.Name) == nil {
			ctx.CreateTable(def)
		}
	}
}

// buy pays tokens for coins that were sent to the owner. The fee is owed even
// where nothing is left beside it. What does not come from such a transfer is
// ignored.
func (p *pegged) buy(ctx contract.Context, payload *jsvalue.Object) {
	sent := payload.Get("amountHIVEHBD")
	if payload.Get("recipient") != ctx.Owner() || ctx.Owner() == "" || !jsvalue.Truthy(sent) || !signed(payload) {
		return
	}
	text, ok := sent.(string)
	if !ok {
		panic(contract.Exception("TypeError: amountHIVEHBD.split is not a function"))
	}
	n := p.names(ctx)
	words := strings.Split(text, " ")
	if !ctx.Assert(len(words) > 1 && words[1] == n.coin, "only "+n.coin+" can be used") {
		return
	}
	fee, rest := split(jsvalue.Big(words[0]))
	if positive(rest) {
		ctx.CallAsOwner("tokens", "transfer", jsvalue.NewObject("symbol", n.token, "quantity", rest, "to", ctx.Sender()))
	}
	if positive(fee) {
		owe(ctx, n, "-fee", n.fees, "fee tx ", fee)
	}
}

// withdraw takes tokens back and records what is owed for them. The quantity
// goes into the transfer as it is written.
func (p *pegged) withdraw(ctx contract.Context, payload *jsvalue.Object) {
	text, isText := contract.Text(payload, "quantity")
	quantity := jsvalue.Big(text)
	if !ctx.Assert(isText && !quantity.IsNaN() && signed(payload) && fits(quantity), "invalid params") ||
		!ctx.Assert(quantity.Gte(minimum), "minimum withdrawal is 0.002") {
		return
	}
	n := p.names(ctx)
	fee, rest := split(quantity)
	if !positive(rest) || !returned(ctx, n, text) {
		return
	}
	owe(ctx, n, "", ctx.Sender(), "withdrawal tx ", rest)
	if positive(fee) {
		owe(ctx, n, "-fee", n.fees, "fee tx ", fee)
	}
}

// returned moves tokens from the sender to the owner.
func returned(ctx contract.Context, n names, quantity string) bool {
	res := ctx.Call("tokens", "transfer", jsvalue.NewObject("symbol", n.token, "quantity", quantity, "to", ctx.Owner()))
	if !res.OK() {
		return false
	}
	for _, e := range res.Events {
		data, _ := e.Object("data")
		if e.Get("contract") == "tokens" && e.Get("event") == "transfer" &&
			data.Get("from") == ctx.Sender() && data.Get("to") == ctx.Owner() && data.Get("symbol") == n.token &&
			jsvalue.Big(data.Get("quantity")).Eq(jsvalue.Big(quantity)) {
			return true
		}
	}
	return false
}

// removeWithdrawal ends a request that has been paid. The owner's alone;
// everything else is ignored.
func removeWithdrawal(ctx contract.Context, payload *jsvalue.Object) {
	id, ok := contract.Text(payload, "id")
	if ctx.Sender() != ctx.Owner() || !ok || !signed(payload) {
		return
	}
	if row := ctx.Table("withdrawals").Find1(byID.Name, id); row != nil {
		ctx.Table("withdrawals").Remove(row)
	}
}

// owe records coins that are to be paid. A nested call has no transaction id:
// its requests have none either, as at the peer.
func owe(ctx contract.Context, n names, suffix, to, memo, quantity string) {
	var id jsvalue.Value
	tx, ok := ctx.TransactionID()
	if !ok {
		tx = "null"
	}
	if ok || suffix != "" {
		id = tx + suffix
	}
	ctx.Table("withdrawals").Insert(jsvalue.NewObject(
		"id", id, "type", n.coin, "recipient", to, "memo", memo+tx, "quantity", quantity))
}

// split is the fee of an amount and what is left of it, as the texts of
// amounts of the coin.
func split(amount jsvalue.BigNumber) (fee, rest string) {
	fee = amount.Times(feeRate).ToFixedN(decimals)
	if jsvalue.Big(fee).Lt(minFee) {
		fee = minFee.ToFixed()
	}
	return fee, amount.Minus(jsvalue.Big(fee)).ToFixedN(decimals)
}

func positive(text string) bool { return jsvalue.Big(text).Gt(jsvalue.BigInt(0)) }

// fits says whether n has no more decimals than the coin. Infinity has none
// that could be counted; what is left of it beside the fee is no number.
func fits(n jsvalue.BigNumber) bool {
	dp, ok := n.DP()
	return !ok || dp <= decimals
}

// signed: any truthy value does here. The nested transfer wants true.
func signed(payload *jsvalue.Object) bool {
	return jsvalue.Truthy(payload.Get("isSignedWithActiveKey"))
}
