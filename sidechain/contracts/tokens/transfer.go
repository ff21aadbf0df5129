package tokens

import (
	"slices"
	"strings"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
)

// order is a request to move tokens, its types checked.
type order struct {
	to, symbol, quantity string
}

func readOrder(payload *jsvalue.Object) (o order, ok bool) {
	var to, symbol, quantity bool
	o.to, to = contract.Text(payload, "to")
	o.symbol, symbol = contract.Text(payload, "symbol")
	o.quantity, quantity = isQuantity(payload.Get("quantity"))
	return o, to && symbol && quantity
}

// checkToken is what every transfer checks of symbol and quantity.
func checkToken(ctx contract.Context, o order) (*token, bool) {
	t := findToken(ctx, o.symbol)
	return t, ctx.Assert(t != nil, "symbol does not exist") && checkAmount(ctx, t, o.quantity)
}

func checkAmount(ctx contract.Context, t *token, q string) bool {
	amount := jsvalue.Big(q)
	return ctx.Assert(t.fitsAmount(amount), "symbol precision mismatch") &&
		ctx.Assert(amount.Gt(jsvalue.BigInt(0)), "must transfer positive quantity")
}

// transfer moves tokens between accounts, or burns them. The quantity is
// booked as it is written: a receiver's new row keeps the text, and so does
// the event.
func (e *edition) transfer(ctx contract.Context, payload *jsvalue.Object) {
	signed := payload.Get("isSignedWithActiveKey") == true
	o, valid := readOrder(payload)
	if !ctx.Assert(signed, "you must use a custom_json signed with your active key") ||
		!ctx.Assert(valid, "invalid params") {
		return
	}
	to := contract.Trim(o.to)
	if !ctx.Assert(to != ctx.Sender(), "cannot transfer to self") ||
		!ctx.Assert(contract.IsValidAccountName(ctx, to), "invalid to") {
		return
	}
	if e.isGate(ctx, to) {
		e.throughGate(ctx, payload, o)
		return
	}
	if !e.mayReceive(ctx, to) {
		return
	}
	t := findToken(ctx, o.symbol)
	if !ctx.Assert(t != nil, "symbol does not exist") ||
		!ctx.Assert(e.blacklist || o.symbol != peggedCoin || !slices.Contains(refusedForCoin, to), "cannot transfer to this account") ||
		!checkAmount(ctx, t, o.quantity) {
		return
	}
	if !move(ctx, t, o.quantity, ctx.Sender(), userTable, to, userTable) {
		return
	}
	burn(ctx, t, o.quantity, to)
	ctx.Emit("transfer", movement(ctx.Sender(), boxed(payload, "to", to), payload.Get("symbol"), payload.Get("quantity")))
}

// boxed is a text as the value that the payload already has of it, if it is the
// same.
func boxed(payload *jsvalue.Object, key, text string) jsvalue.Value {
	if v := payload.Get(key); v == text {
		return v
	}
	return text
}

// The fixed list of the version without a blacklist.
const peggedCoin = "SWAP.HIVE"

var refusedForCoin = []string{"binance-hot", "deepcrypto8", "bittrex"}

// mayReceive checks the blacklist of the parameters.
func (e *edition) mayReceive(ctx contract.Context, to string) bool {
	if !e.blacklist || isUndefined(member(e.params(ctx).Get("blacklist"), to)) {
		return true
	}
	return ctx.Assert(false, "not allowed to send to "+to)
}

// transferToContract moves tokens from an account to a contract.
func (e *edition) transferToContract(ctx contract.Context, payload *jsvalue.Object) {
	from := ctx.Sender()
	byNull := e.nullTransfers && from == burned
	if named := payload.Get("from"); byNull && !isUndefined(named) {
		from, _ = named.(string)
	}
	o, valid := readOrder(payload)
	if !byNull && !activeKey(ctx) || !ctx.Assert(valid, "invalid params") {
		return
	}
	to := contract.ToLower(contract.Trim(o.to))
	if !ctx.Assert(to != from, "cannot transfer to self") ||
		!ctx.Assert(validContract(to) && !e.isGate(ctx, to), "invalid to") {
		return
	}
	t, ok := checkToken(ctx, o)
	if !ok {
		return
	}
	q := e.booked(t, o.quantity)
	if move(ctx, t, q, from, userTable, to, contractTable) {
		burn(ctx, t, q, to)
		ctx.Emit("transferToContract", movement(boxed(payload, "from", from), boxed(payload, "to", to),
			payload.Get("symbol"), boxed(payload, "quantity", q)))
	}
}

// transferFromContract moves tokens out of a contract's balance. Only the
// engine calls it, as "null", for the contract that holds them.
func (e *edition) transferFromContract(ctx contract.Context, payload *jsvalue.Object) {
	if !ctx.Assert(ctx.Sender() == burned, "not authorized") {
		return
	}
	o, valid := readOrder(payload)
	from, isFrom := contract.Text(payload, "from")
	kind, _ := contract.Text(payload, "type")
	if e.contractKey && !activeKey(ctx) ||
		!ctx.Assert(valid && isFrom && (kind == "user" || kind == "contract"), "invalid params") {
		return
	}
	to := contract.Trim(o.to)
	toUser := kind == "user"
	if !ctx.Assert(toUser || to != from, "cannot transfer to self") ||
		!ctx.Assert(e.validReceiver(ctx, to, toUser), "invalid to") {
		return
	}
	t, ok := checkToken(ctx, o)
	if !ok {
		return
	}
	table := contractTable
	if toUser {
		table = userTable
	}
	q := e.booked(t, o.quantity)
	if move(ctx, t, q, from, contractTable, to, table) {
		burn(ctx, t, q, to)
		ctx.Emit("transferFromContract", movement(payload.Get("from"), boxed(payload, "to", to),
			payload.Get("symbol"), boxed(payload, "quantity", q)))
	}
}

func (e *edition) validReceiver(ctx contract.Context, to string, user bool) bool {
	if e.isGate(ctx, to) {
		return false
	}
	if user {
		return contract.IsValidAccountName(ctx, to)
	}
	return validContract(to)
}

// isGate says whether name is the network's gate, an account without keys
// whose only use is to turn a transfer into a withdrawal.
func (e *edition) isGate(ctx contract.Context, name string) bool {
	if !e.pegged || !ctx.Switch(switchGate) {
		return false
	}
	gate, ok := ctx.Param("gate").(string)
	return ok && gate != "" && gate == name
}

// throughGate hands a transfer to pegs.withdraw. The memo is "<COIN>
// <address>", where COIN is the symbol without its prefix "SWAP.". Nothing is
// written here and no event is of this contract.
func (e *edition) throughGate(ctx contract.Context, payload *jsvalue.Object, o order) {
	memo, _ := payload.String("memo")
	coin, address, cut := strings.Cut(memo, " ")
	valid := ctx.Caller() == nil && cut && address != "" &&
		isPegged(ctx, o.symbol) && coin == strings.TrimPrefix(o.symbol, "SWAP.")
	if !ctx.Assert(valid, "invalid memo for the gate") {
		return
	}
	ctx.Call("pegs", "withdraw", jsvalue.NewObject(
		"symbol", o.symbol, "quantity", o.quantity, "address", address, "isSignedWithActiveKey", true))
}
