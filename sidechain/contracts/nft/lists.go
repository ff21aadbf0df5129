package nft

import (
	"slices"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
)

// maxListed is the most names that a list of issuers or editors may have.
const maxListed = 10

// names is a kind of names that lists hold.
type names struct {
	member  string // of payloads: "accounts"
	one     string // in messages: "account"
	longest int
	lower   bool // names are written in lower case
}

var (
	accountNames  = names{"accounts", "account", 16, true}
	contractNames = names{"contracts", "contract", 50, false}
)

// valid says whether a list holds nothing but names of a possible length.
func (n names) valid(list []jsvalue.Value) bool {
	return !slices.ContainsFunc(list, func(v jsvalue.Value) bool {
		name, ok := v.(string)
		length := jsvalue.Length(name)
		return !ok || length < 3 || length > n.longest
	})
}

// clean is a name as it is stored.
func (n names) clean(v jsvalue.Value) string {
	name, _ := v.(string)
	name = contract.Trim(name)
	if n.lower {
		name = contract.ToLower(name)
	}
	return name
}

func (n names) cleaned(list []jsvalue.Value) []jsvalue.Value {
	out := make([]jsvalue.Value, len(list))
	for i, v := range list {
		out[i] = n.clean(v)
	}
	return out
}

// distinct asserts that no name stands twice in a cleaned list.
func (n names) distinct(ctx contract.Context, list []jsvalue.Value) bool {
	seen := make(map[jsvalue.Value]bool, len(list))
	for _, v := range list {
		seen[v] = true
	}
	return ctx.Assert(len(seen) == len(list), "cannot add the same "+n.one+" twice")
}

// issuers is a list of who may issue units.
type issuers struct {
	names
	column string // of nfts, and the member of create
}

var (
	issuingAccounts  = issuers{accountNames, "authorizedIssuingAccounts"}
	issuingContracts = issuers{contractNames, "authorizedIssuingContracts"}
)

// add appends the names that are not on the list. The chain itself calls it
// for the lists of a new kind.
func (l issuers) add(ctx contract.Context, payload *jsvalue.Object) {
	if !signed(ctx) {
		return
	}
	symbol, isSymbol := contract.Text(payload, "symbol")
	list, isList := payload.Array(l.member)
	tooMany := "cannot have more than 10 authorized issuing " + l.member
	if !ctx.Assert(isSymbol && isList, "invalid params") ||
		!ctx.Assert(len(list) <= maxListed, tooMany) ||
		!ctx.Assert(l.valid(list), "invalid "+l.one+" list") {
		return
	}
	row := find(ctx, symbol)
	if row == nil {
		return
	}
	old, _ := row.Array(l.column)
	added := slices.DeleteFunc(l.cleaned(list), func(v jsvalue.Value) bool { return slices.Contains(old, v) })
	if ctx.Assert(row.Get("issuer") == ctx.Sender(), "must be the issuer") && l.distinct(ctx, added) &&
		ctx.Assert(len(old)+len(added) <= maxListed, tooMany) {
		next := row.Clone()
		next.Set(l.column, slices.Concat(old, added))
		ctx.Table("nfts").Update(next)
	}
}
