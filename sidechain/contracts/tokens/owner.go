package tokens

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
)

// updateParams changes the fees and the two lists. For anyone but the owner it
// does nothing, silently.
func (e *edition) updateParams(ctx contract.Context, payload *jsvalue.Object) {
	if ctx.Sender() != ctx.Owner() {
		return
	}
	row := e.params(ctx).Clone()
	for _, key := range []string{"tokenCreationFee", "enableDelegationFee", "enableStakingFee"} {
		v := payload.Get(key)
		q, ok := isQuantity(v)
		if e.looseParams && !isUndefined(v) || ok && jsvalue.Big(q).Gte(jsvalue.BigInt(0)) {
			row.Set(key, v)
		}
	}
	for _, key := range []string{"blacklist", "heAccounts"} {
		if v := payload.Get(key); !e.looseParams && jsvalue.TypeOf(v) == "object" && v != nil {
			row.Set(key, v)
		}
	}
	ctx.Table("params").Update(row)
}

// updateURL replaces the url in a token's metadata.
func (e *edition) updateURL(ctx contract.Context, payload *jsvalue.Object) {
	symbol, isSymbol := contract.Text(payload, "symbol")
	url, isURL := contract.Text(payload, "url")
	if !ctx.Assert(isSymbol && isURL, "invalid params") ||
		!ctx.Assert(jsvalue.Length(url) <= maxURL, "invalid url: max length of 255") {
		return
	}
	t := findToken(ctx, symbol)
	if t == nil || !ctx.Assert(t.text("issuer") == ctx.Sender(), "must be the issuer") {
		return
	}
	parsed, err := jsvalue.Parse(t.text("metadata"))
	if err != nil {
		return
	}
	if !ctx.Assert(jsvalue.Truthy(member(parsed, "url")), "an error occured when trying to update the url") {
		return
	}
	metadata := parsed.(*jsvalue.Object)
	metadata.Set("url", url)
	t.change(ctx, "metadata", jsvalue.Stringify(metadata))
}

// updateMetadata replaces a token's metadata. Besides the issuer an issuing
// contract may, in the name of this contract's owner.
func (e *edition) updateMetadata(ctx contract.Context, payload *jsvalue.Object) {
	byContract := e.normalised && ctx.Sender() == ctx.Owner() && calledBy(ctx, e.issuers)
	symbol, isSymbol := contract.Text(payload, "symbol")
	metadata := payload.Get("metadata")
	isObject := jsvalue.TypeOf(metadata) == "object" && metadata != nil
	if !ctx.Assert(isSymbol && isObject, "invalid params") {
		return
	}
	t := findToken(ctx, symbol)
	if t == nil || !ctx.Assert(byContract || t.text("issuer") == ctx.Sender(), "must be the issuer") {
		return
	}
	text := jsvalue.Stringify(metadata)
	if ctx.Assert(jsvalue.Length(text) <= maxMetadata, "invalid metadata: max length of 1000") {
		t.change(ctx, "metadata", text)
	}
}

// updatePrecision raises the number of decimals. Balances are rewritten only
// when they are next touched. A missing symbol fails without a message.
func (e *edition) updatePrecision(ctx contract.Context, payload *jsvalue.Object) {
	symbol, isSymbol := contract.Text(payload, "symbol")
	precision, isNumber := payload.Number("precision")
	if !activeKey(ctx) || !ctx.Assert(isSymbol, "") ||
		!ctx.Assert(isNumber && validPrecision(precision, 1), "invalid precision") {
		return
	}
	t := findToken(ctx, symbol)
	if t == nil || !ctx.Assert(t.text("issuer") == ctx.Sender(), "must be the issuer") ||
		!ctx.Assert(int(precision) > t.precision, "precision can only be increased") {
		return
	}
	t.change(ctx, "precision", precision)
}

// transferOwnership makes another account the issuer.
func (e *edition) transferOwnership(ctx contract.Context, payload *jsvalue.Object) {
	symbol, isSymbol := contract.Text(payload, "symbol")
	to, isTo := contract.Text(payload, "to")
	if !activeKey(ctx) || !ctx.Assert(isSymbol && isTo, "invalid params") {
		return
	}
	t := findToken(ctx, symbol)
	if t == nil || !ctx.Assert(t.text("issuer") == ctx.Sender(), "must be the issuer") {
		return
	}
	to = contract.Trim(to)
	if !ctx.Assert(contract.IsValidAccountName(ctx, to) && !e.isGate(ctx, to), "invalid to") {
		return
	}
	t.change(ctx, "issuer", to)
	if !e.ownerEvent {
		return
	}
	ctx.Emit("transferOwnership", jsvalue.NewObject("from", ctx.Sender(), "to", to, "symbol", symbol))
}
