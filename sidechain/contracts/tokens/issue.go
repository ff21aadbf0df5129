package tokens

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
)

// issue makes new units of a token and gives them to an account. They pass
// through the issuer's balance.
func (e *edition) issue(ctx contract.Context, payload *jsvalue.Object) {
	byContract := e.issuingContract(ctx) || calledBy(ctx, e.freeIssuers)
	t, to, q, ok := e.checkIssue(ctx, payload, byContract)
	if !ok || !ctx.Assert(contract.IsValidAccountName(ctx, to) && !e.isGate(ctx, to), "invalid to") {
		return
	}
	q = e.booked(t, q)
	issuer := t.text("issuer")
	issued := addBalance(ctx, issuer, t, q, userTable)
	if issued && to != issuer && subBalance(ctx, issuer, t, q, userTable) {
		if issued = addBalance(ctx, to, t, q, userTable); !issued {
			addBalance(ctx, issuer, t, q, userTable)
		}
	}
	if issued {
		raiseSupply(ctx, t, q, to)
		ctx.Emit("transferFromContract", movement("tokens", to, t.symbol, q))
	}
}

// issueToContract makes new units of a token and gives them to a contract.
func (e *edition) issueToContract(ctx contract.Context, payload *jsvalue.Object) {
	t, to, q, ok := e.checkIssue(ctx, payload, e.normalised && e.issuingContract(ctx))
	if !ok || !ctx.Assert(validContract(to) && !e.isGate(ctx, to), "invalid to") {
		return
	}
	q = e.booked(t, q)
	if addBalance(ctx, to, t, q, contractTable) {
		raiseSupply(ctx, t, q, to)
		ctx.Emit("issueToContract", movement("tokens", to, t.symbol, q))
	}
}

// issuingContract says whether the call comes as "null" from a contract that
// may issue any token. The peer reads the caller's name before it knows that
// there is a caller.
func (e *edition) issuingContract(ctx contract.Context) bool {
	if ctx.Sender() != burned || len(e.issuers) == 0 {
		return false
	}
	if ctx.Caller() == nil && !e.pegged {
		panic(contract.Exception("TypeError: Cannot read properties of undefined (reading 'name')"))
	}
	return calledBy(ctx, e.issuers)
}

// checkIssue is what both ways of issuing check, up to the receiver.
func (e *edition) checkIssue(ctx contract.Context, payload *jsvalue.Object, byContract bool) (t *token, to, q string, ok bool) {
	to, isTo := contract.Text(payload, "to")
	symbol, isSymbol := contract.Text(payload, "symbol")
	q, isQ := isQuantity(payload.Get("quantity"))
	if byContract {
		// Types are not checked: a number does for a quantity.
		q = jsvalue.ToString(payload.Get("quantity"))
	} else if !activeKey(ctx) || !ctx.Assert(isTo && isSymbol && isQ, "invalid params") {
		return nil, "", "", false
	}
	t = findToken(ctx, symbol)
	amount := jsvalue.Big(q)
	ok = ctx.Assert(t != nil, "symbol does not exist") &&
		ctx.Assert(e.mayIssue(ctx, t, byContract), "not allowed to issue tokens") &&
		ctx.Assert(t.fits(q), "symbol precision mismatch") &&
		ctx.Assert(amount.Gt(jsvalue.BigInt(0)), "must issue positive quantity") &&
		ctx.Assert(jsvalue.Big(t.text("maxSupply")).Minus(jsvalue.Big(t.text("supply"))).Gte(amount),
			"quantity exceeds available supply")
	return t, contract.Trim(to), q, ok
}

// mayIssue: the issuer, or an issuing contract; a pegged token only the
// contract pegs.
func (e *edition) mayIssue(ctx contract.Context, t *token, byContract bool) bool {
	if e.pegged && isPegged(ctx, t.symbol) {
		return byContract && ctx.Sender() == burned && calledBy(ctx, pegsOnly)
	}
	return byContract || t.text("issuer") == ctx.Sender()
}

// booked is the quantity as it is written into rows and events.
func (e *edition) booked(t *token, q string) string {
	if e.normalised {
		return t.fixed(q)
	}
	return q
}

// raiseSupply counts new units, as circulating unless they were issued to
// nobody.
func raiseSupply(ctx contract.Context, t *token, q, to string) {
	row := t.row.Clone()
	row.Set("supply", t.plus(t.text("supply"), q))
	if to != burned {
		row.Set("circulatingSupply", t.plus(t.text("circulatingSupply"), q))
	}
	t.row = ctx.Table("tokens").Update(row)
}

// validContract is the rule for names of receiving contracts: 3 to 50
// characters of any kind.
func validContract(name string) bool {
	n := jsvalue.Length(name)
	return n >= 3 && n <= 50
}

var movementShape = jsvalue.NewShape("from", "to", "symbol", "quantity")

// movement is the data of every event that moves tokens: all texts.
func movement(from, to, symbol, q jsvalue.Value) *jsvalue.Object {
	return movementShape.Object(from, to, symbol, q)
}

// isPegged says whether the symbol is an asset of the contract pegs.
func isPegged(ctx contract.Context, symbol string) bool {
	assets := ctx.TableOf("pegs", "assets")
	return assets != nil && assets.Find1("symbol", symbol) != nil
}
