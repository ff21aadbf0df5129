package resourcemanager

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// Code hashes of the two texts of the peer's contract; their rules are one.
const (
	plainHash    = "9aca78f7ebacc32dc38c8b112fe0457c5f25f0d7ff99ab97c16317afa96c66cd"
	minifiedHash = "7cb32c0fab0c3edc523579917f45fa280fe11dd4f48c66b2204c12c3e5b36bfa"
	// newChainHash is SHA-256("causeway/resourcemanager/1").
	newChainHash = "45b661b5c6634f4ae9a5f0e5d4af6f51bf95d903e969a7e3381a6ee9addb676a"
)

const (
	hour             = 60 * 60 * 1000 // ms
	day              = 24 * hour
	subscriptionDays = 30
	// maxPerBlock bounds the transactions of one sender in one block outside
	// the markets.
	maxPerBlock = 20
)

type manager struct {
	hash string
	// endless: an account that was allowed without an end stays allowed. At the
	// peer its allowance is over with the first transaction that needs it.
	endless bool
	// freePools: the contract marketpools has neither fee nor limit.
	freePools bool
	// claims: the fee's event comes even when nothing could be burned.
	claims bool

	actions map[string]contract.Action
}

// New is the contract of new chains. Its fees are in the utility token.
func New() contract.Contract { return (&manager{hash: newChainHash, endless: true}).build() }

// Plain and Minified are the peer's contract under the hashes of its two
// texts.
func Plain() contract.Contract { return peer(plainHash) }

// Minified is described at Plain.
func Minified() contract.Contract { return peer(minifiedHash) }

func peer(hash string) contract.Contract {
	return (&manager{hash: hash, freePools: true, claims: true}).build()
}

func (m *manager) build() *manager {
	m.actions = map[string]contract.Action{
		"updateParams":    updateParams,
		"updateAccount":   updateAccount,
		"updateModerator": updateModerator,
		"burnFee":         m.burnFee,
		"subscribe":       m.subscribe,
	}
	return m
}

// Name implements contract.Contract.
func (m *manager) Name() string { return "resourcemanager" }

// CodeHash implements contract.Contract.
func (m *manager) CodeHash() string { return m.hash }

// Actions implements contract.Contract.
func (m *manager) Actions() map[string]contract.Action { return m.actions }

var byAccount = []string{"account"}

// Setup implements contract.Contract.
func (m *manager) Setup(ctx contract.Context) {
	if ctx.Table("params") == nil {
		symbol := "BEED"
		if ctx.Genesis() != nil {
			symbol = ctx.UtilityToken()
		}
		ctx.CreateTable(state.TableDef{Name: "params"}).Insert(jsvalue.NewObject(
			"numberOfFreeTx", 1,
			"denyMaxTx", 1,
			"multiTransactionFee", "0.001",
			"burnSymbol", symbol,
			"allowlistBurnFee", "10",
		))
	}
	for _, name := range []string{"accountControls", "moderators"} {
		if ctx.Table(name) == nil {
			ctx.CreateTable(state.TableDef{Name: name, PrimaryKey: byAccount})
		}
	}
	allowAttestors(ctx)
}

// allowAttestors frees the attestors of a new chain from the limit per block:
// they act for everybody who pays in or out.
func allowAttestors(ctx contract.Context) {
	if ctx.Genesis() == nil {
		return
	}
	pegs, _ := ctx.Genesis().Object("pegs")
	attestors, _ := pegs.Array("attestors")
	for _, name := range attestors {
		if find(ctx, "accountControls", name) == nil {
			ctx.Table("accountControls").Insert(jsvalue.NewObject("account", name, "isDenied", false, "isAllowed", true))
		}
	}
}

func params(ctx contract.Context) *jsvalue.Object {
	for row := range ctx.Table("params").All() {
		return row
	}
	return nil
}

// find is the row of an account in a table with the account as its key.
func find(ctx contract.Context, table string, account jsvalue.Value) *jsvalue.Object {
	if name, ok := account.(string); ok {
		return ctx.Table(table).GetKey(name)
	}
	return ctx.Table(table).Get(jsvalue.NewObject("account", account))
}

// updateParams is the owner's. Falsy members are ignored; the first invalid
// one stops everything.
func updateParams(ctx contract.Context, payload *jsvalue.Object) {
	if !ctx.Assert(ctx.Sender() == ctx.Owner(), "not authorized") {
		return
	}
	row := params(ctx).Clone()
	for _, rule := range paramRules {
		v := payload.Get(rule.name)
		if !jsvalue.Truthy(v) {
			continue
		}
		if !ctx.Assert(rule.valid(v), "invalid "+rule.name) {
			return
		}
		if rule.name == "burnSymbol" && !ctx.Assert(tokenExists(ctx, v), "burnSymbol not available") {
			return
		}
		row.Set(rule.name, v)
	}
	ctx.Table("params").Update(row)
}

var paramRules = []struct {
	name  string
	valid func(jsvalue.Value) bool
}{
	{"numberOfFreeTx", atLeast(1)},
	{"multiTransactionFee", isFee},
	{"denyMaxTx", atLeast(0)},
	{"burnSymbol", isString},
	{"allowlistBurnFee", isFee},
}

func atLeast(n float64) func(jsvalue.Value) bool {
	return func(v jsvalue.Value) bool {
		f, ok := v.(float64)
		return ok && jsvalue.IsInteger(v) && f >= n
	}
}

func isString(v jsvalue.Value) bool {
	_, ok := v.(string)
	return ok
}

func isFee(v jsvalue.Value) bool {
	fee := jsvalue.Big(v)
	return isString(v) && fee.IsFinite() && fee.Gte(jsvalue.BigInt(0))
}

func tokenExists(ctx contract.Context, symbol jsvalue.Value) bool {
	tokens := ctx.TableOf("tokens", "tokens")
	return tokens != nil && tokens.Find1("symbol", symbol) != nil
}

// updateAccount denies or allows an account; for the owner and moderators.
func updateAccount(ctx contract.Context, payload *jsvalue.Object) {
	if !ctx.Assert(ctx.Sender() == ctx.Owner() || find(ctx, "moderators", ctx.Sender()) != nil, "not authorized") {
		return
	}
	account := payload.Get("account")
	if !ctx.Assert(isSet(account) && account != "undefined", "invalid account") {
		return
	}
	old := find(ctx, "accountControls", account)
	row := jsvalue.NewObject("account", account)
	if old != nil {
		row = old.Clone()
	}
	data := jsvalue.NewObject("from", ctx.Sender(), "updatedAccount", account)
	for _, key := range []string{"isDenied", "isAllowed"} {
		v := payload.Get(key)
		data.Set(key, v)
		if !isSet(v) {
			continue
		}
		if _, ok := v.(bool); !ctx.Assert(ok, "invalid "+key) {
			return
		}
		row.Set(key, v)
	}
	row.Set("lastAction", ctx.Millis())
	store(ctx, old, row)
	ctx.Emit("updateAccount", data)
}

func isSet(v jsvalue.Value) bool {
	_, undefined := v.(jsvalue.Undefined)
	return v != nil && !undefined
}

// store inserts a control row, or updates it when there was one.
func store(ctx contract.Context, old, row *jsvalue.Object) {
	if old == nil {
		ctx.Table("accountControls").Insert(row)
		return
	}
	ctx.Table("accountControls").Update(row)
}

// updateModerator adds or removes a moderator; for the owner. What changes
// nothing is silent.
func updateModerator(ctx contract.Context, payload *jsvalue.Object) {
	if !ctx.Assert(ctx.Sender() == ctx.Owner(), "not authorized") {
		return
	}
	account, action := payload.Get("account"), payload.Get("action")
	row := find(ctx, "moderators", account)
	switch {
	case action == "add" && row == nil:
		ctx.Table("moderators").Insert(jsvalue.NewObject("account", account))
	case action == "remove" && row != nil:
		ctx.Table("moderators").Remove(row)
	default:
		return
	}
	ctx.Emit("updateModerator", jsvalue.NewObject("from", ctx.Sender(), "account", account, "action", action))
}
