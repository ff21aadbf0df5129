package contract

import (
	"errors"

	"causeway/chains/address"
	"causeway/sidechain/jsvalue"
)

// States of a withdrawal.
const (
	requested = "requested"
	assigned  = "assigned"
	settled   = "settled"
	released  = "released"
	returned  = "returned"
)

// withdrawOrder is a checked request to withdraw.
type withdrawOrder struct {
	asset, feeAsset    *asset
	quantity, fee, net jsvalue.BigNumber
	address            string
	ref                jsvalue.Value
}

// withdraw burns a user's tokens and records whom to pay on the outside chain.
// The withdrawal's identity is the transaction that burned.
func (c *call) withdraw() bool {
	o, ok := c.readWithdraw()
	if !ok || !c.checkWithdraw(o) {
		return false
	}
	id := c.RootTransactionID()
	rows := c.Table("withdrawals")
	if !c.Assert(rows.Get(jsvalue.NewObject("id", id)) == nil, "one withdrawal a transaction") {
		return false
	}
	net, fee := o.asset.fixed(o.net), o.feeAsset.fixed(o.fee)
	if !c.transfer(c.Sender(), null, o.asset.symbol, net) {
		return false
	}
	if positive(o.fee) && !c.transfer(c.Sender(), text(c.params, "fee_account"), o.feeAsset.symbol, fee) {
		return false
	}
	quantity := o.asset.fixed(o.quantity)
	rows.Insert(jsvalue.NewObject(
		"id", id, "row", rows.Len()+1, "symbol", o.asset.symbol, "chain", o.asset.chain,
		"account", c.Sender(), "address", o.address, "quantity", quantity,
		"fee", fee, "fee_symbol", o.feeAsset.symbol, "net", net, "ref", o.ref, "state", requested,
		"block", c.ref(), "batch", nil, "txid", nil, "reason", nil))
	c.Emit("withdraw", jsvalue.NewObject(
		"id", id, "symbol", o.asset.symbol, "account", c.Sender(), "address", o.address,
		"quantity", quantity, "fee", fee, "net", net))
	return c.payOwed(o.feeAsset)
}

// readWithdraw reads the payload. An ERC-20's fee is charged in the chain's
// own peg, beside the quantity.
func (c *call) readWithdraw() (o withdrawOrder, ok bool) {
	symbol, isSymbol := c.payload.String("symbol")
	quantity, isQuantity := c.payload.String("quantity")
	to, isAddress := c.payload.String("address")
	if !c.Assert(isSymbol && isQuantity && isAddress, "invalid params") {
		return o, false
	}
	o.address = to
	if o.asset, ok = c.assetOf(symbol); !ok {
		return o, false
	}
	o.feeAsset = o.asset
	if o.asset.token != "" {
		o.feeAsset = nativeAsset(c, o.asset.chain)
	}
	o.quantity, ok = amountOf(quantity, o.asset.precision)
	if !c.Assert(ok, "invalid quantity") || !c.Assert(o.feeAsset != nil, "the chain has no asset to pay the fee in") {
		return o, false
	}
	o.fee, o.net = o.asset.amount("withdrawal_fee"), o.quantity
	if o.asset.token == "" {
		o.net = o.quantity.Minus(o.fee)
	}
	return o, c.readOptions(&o)
}

// readOptions reads maxFee and ref.
func (c *call) readOptions(o *withdrawOrder) bool {
	if c.payload.Has("maxFee") && c.payload.Get("maxFee") != nil {
		most, ok := amountOf(c.payload.Get("maxFee"), maxDecimal)
		if !c.Assert(ok, "invalid maxFee") || !c.Assert(o.fee.Lte(most), "the fee is higher than maxFee") {
			return false
		}
	}
	if !c.payload.Has("ref") || c.payload.Get("ref") == nil {
		return true
	}
	ref, ok := c.payload.String("ref")
	if !c.Assert(ok && refForm.MatchString(ref), "invalid ref") {
		return false
	}
	o.ref = ref
	return c.Assert(c.Table("withdrawals").Find1("account+ref", c.Sender(), ref) == nil, "ref was used already")
}

func (c *call) checkWithdraw(o withdrawOrder) bool {
	return c.Assert(!o.asset.paused("withdrawals"), "withdrawals are paused") &&
		c.Assert(o.quantity.Gte(o.asset.amount("min_withdrawal")), "quantity is below the minimum withdrawal") &&
		c.Assert(positive(o.net), "quantity does not cover the fee") &&
		c.ok(addressProblem(o.asset, text(c.params, "network"), o.address))
}

// addressProblem says why a withdrawal cannot be paid to an address.
func addressProblem(a *asset, network, to string) string {
	decoded, err := address.Decode(a.chain, network, to)
	switch {
	case errors.Is(err, address.ErrChecksum):
		return "invalid address: wrong checksum"
	case errors.Is(err, address.ErrNetwork):
		return "invalid address: of another chain or network"
	case errors.Is(err, address.ErrMixedCase):
		return "invalid address: mixed upper and lower case"
	case errors.Is(err, address.ErrUnsupported):
		return "invalid address: type is not supported"
	case err != nil:
		return "invalid address"
	case a.chain != eth:
		return ""
	}
	if string(decoded.Script) == string(make([]byte, 20)) {
		return "invalid address: the zero account"
	}
	if token, err := address.Decode(a.chain, network, a.token); err == nil && string(token.Script) == string(decoded.Script) {
		return "invalid address: the token's own contract"
	}
	return ""
}
