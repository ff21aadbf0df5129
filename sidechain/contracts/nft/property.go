package nft

import (
	"slices"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

const (
	maxPropertyName = 25
	freeProperties  = 3
)

var propertyTypes = []string{"number", "string", "boolean"}

// addProperty gives the units of a kind a property. The first three are free.
func addProperty(ctx contract.Context, payload *jsvalue.Object) {
	symbol, isSymbol := contract.Text(payload, "symbol")
	name, isName := contract.Text(payload, "name")
	kind, isKind := contract.Text(payload, "type")
	readOnly, isBool := payload.Bool("isReadOnly")
	if !signed(ctx) ||
		!ctx.Assert(isSymbol && isName && isKind && (isBool || isUndefined(payload.Get("isReadOnly"))) &&
			optionalList(payload, "authorizedEditingAccounts") && optionalList(payload, "authorizedEditingContracts"), "invalid params") ||
		!validProperty(ctx, name) ||
		!ctx.Assert(slices.Contains(propertyTypes, kind), "invalid type: must be number, string, or boolean") {
		return
	}
	row := find(ctx, symbol)
	if row == nil {
		return
	}
	properties, _ := row.Object("properties")
	if !ctx.Assert(!properties.Has(name), "cannot add the same property twice") ||
		!ctx.Assert(row.Get("issuer") == ctx.Sender(), "must be the issuer") ||
		!payProperty(ctx, properties.Len()) {
		return
	}
	accounts, contracts := payload.Get("authorizedEditingAccounts"), payload.Get("authorizedEditingContracts")
	editors := []jsvalue.Value{}
	if isUndefined(accounts) {
		editors = append(editors, ctx.Sender())
	}
	setProperty(ctx, row, name, jsvalue.NewObject(
		"type", kind,
		"isReadOnly", readOnly,
		"authorizedEditingAccounts", editors,
		"authorizedEditingContracts", []jsvalue.Value{},
	))
	if !isUndefined(accounts) || !isUndefined(contracts) {
		setPropertyPermissions(ctx, jsvalue.NewObject("symbol", symbol, "name", name, "accounts", accounts, "contracts", contracts))
	}
}

func validProperty(ctx contract.Context, name string) bool {
	return ctx.Assert(contract.IsAlphanumeric(name) && len(name) <= maxPropertyName,
		"invalid name: letters & numbers only, max length of 25")
}

// payProperty burns the fee for one more property than there are.
func payProperty(ctx contract.Context, have int) bool {
	if have < freeProperties {
		return true
	}
	fee, _ := params(ctx).String("dataPropertyCreationFee")
	return ctx.Assert(covers(ctx, fee), "you must have enough tokens to cover the creation fees") && burn(ctx, fee)
}

// setProperty writes one property of a kind.
func setProperty(ctx contract.Context, row state.Row, name string, property *jsvalue.Object) {
	next := row.Clone()
	properties, _ := next.Object("properties")
	properties.Set(name, property)
	ctx.Table("nfts").Update(next)
}

// setPropertyPermissions replaces the lists of who may set a property.
func setPropertyPermissions(ctx contract.Context, payload *jsvalue.Object) {
	symbol, isSymbol := contract.Text(payload, "symbol")
	name, isName := contract.Text(payload, "name")
	kinds := []names{accountNames, contractNames}
	if !signed(ctx) ||
		!ctx.Assert(isSymbol && isName && optionalList(payload, "accounts") && optionalList(payload, "contracts"), "invalid params") ||
		!validProperty(ctx, name) || !validEditors(ctx, payload, kinds) {
		return
	}
	row := find(ctx, symbol)
	if row == nil {
		return
	}
	properties, _ := row.Object("properties")
	property, ok := properties.Object(name)
	if !ctx.Assert(ok, "property must exist") || !ctx.Assert(row.Get("issuer") == ctx.Sender(), "must be the issuer") {
		return
	}
	property = property.Clone()
	changed := false
	for _, n := range kinds {
		if list, given := payload.Array(n.member); given {
			list = n.cleaned(list)
			if !n.distinct(ctx, list) {
				return
			}
			property.Set(editingColumn[n.member], list)
			changed = true
		}
	}
	if changed {
		setProperty(ctx, row, name, property)
	}
}

var editingColumn = map[string]string{
	"accounts": "authorizedEditingAccounts", "contracts": "authorizedEditingContracts",
}

// validEditors checks the lists that are given: first how long they are, then
// what they hold.
func validEditors(ctx contract.Context, payload *jsvalue.Object, kinds []names) bool {
	for _, n := range kinds {
		list, _ := payload.Array(n.member)
		if !ctx.Assert(len(list) <= maxListed, "cannot have more than 10 authorized "+n.member) {
			return false
		}
	}
	for _, n := range kinds {
		list, _ := payload.Array(n.member)
		if !ctx.Assert(n.valid(list), "invalid "+n.one+" list") {
			return false
		}
	}
	return true
}
