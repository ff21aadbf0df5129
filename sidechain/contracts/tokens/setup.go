package tokens

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// The hidden lookups of the typed finds.
const (
	bySymbol  = "symbol"         // tokens
	byAccount = "account+symbol" // balances, contractsBalances, pendingUnstakes

	byTransaction = "account+txID"             // pendingUnstakes
	bySliceTime   = "nextTransactionTimestamp" // pendingUnstakes
	byParties     = "from+to+symbol"           // delegations
	byCompletion  = "completeTimestamp"        // pendingUndelegations, a visible one
)

var (
	balanceLookup = []state.Index{{Name: byAccount, Fields: []string{"account", "symbol"}}}
	unstakeLookup = []state.Index{
		{Name: byAccount, Fields: []string{"account", "symbol"}},
		{Name: byTransaction, Fields: []string{"account", "txID"}},
		{Name: bySliceTime, Fields: []string{"nextTransactionTimestamp"}},
	}
	delegationLookup = []state.Index{{Name: byParties, Fields: []string{"from", "to", "symbol"}}}
)

// tables in the order in which the peer creates them.
var tables = []state.TableDef{
	{Name: "tokens", Indexes: indexes("symbol"), Lookups: indexes(bySymbol)},
	{Name: "balances", Indexes: indexes("account"), Lookups: balanceLookup},
	{Name: "contractsBalances", Indexes: indexes("account"), Lookups: balanceLookup},
	{Name: "params"},
	{Name: "pendingUnstakes", Indexes: indexes("account", "unstakeCompleteTimestamp"), Lookups: unstakeLookup},
	{Name: "delegations", Indexes: indexes("from", "to"), Lookups: delegationLookup},
	{Name: "pendingUndelegations", Indexes: indexes("account", "completeTimestamp")},
}

func indexes(fields ...string) []state.Index {
	out := make([]state.Index, len(fields))
	for i, f := range fields {
		out[i] = state.Index{Name: f, Fields: []string{f}}
	}
	return out
}

// Setup implements contract.Contract. At the genesis of a new chain the two
// lists of the parameters exist from the start: the genesis block's last
// transaction sets their content.
func (e *edition) Setup(ctx contract.Context) {
	if ctx.Table("tokens") != nil {
		if e.migrate != nil {
			e.migrate(ctx, ctx.Table("params"))
		}
		return
	}
	for _, def := range tables {
		ctx.CreateTable(def)
	}
	params := jsvalue.NewObject(
		"tokenCreationFee", "0", "enableDelegationFee", "0", "enableStakingFee", "0")
	if ctx.Genesis() != nil {
		params.Set("blacklist", jsvalue.NewObject())
		params.Set("heAccounts", genesisAccounts(ctx))
	}
	ctx.Table("params").Insert(params)
}

// genesisAccounts are the creators of block 0: the chain itself, the admin
// and the account that backs the native peg.
func genesisAccounts(ctx contract.Context) *jsvalue.Object {
	accounts := jsvalue.NewObject("null", 1)
	for _, key := range []string{"admin", "base_peg"} {
		if name, ok := ctx.Genesis().String(key); ok {
			accounts.Set(name, 1)
		}
	}
	return accounts
}

// unusedParams were left behind by an older version.
var unusedParams = []string{"fixMultiTxUnstakeBalance", "cancelBadUnstakes"}

// markUnused is the interim version's migration.
func markUnused(_ contract.Context, params *state.Table) {
	row := firstRow(params).Clone()
	for _, key := range unusedParams {
		row.Set(key, true)
	}
	params.Update(row)
}

// addLists is the newest version's migration: it creates the two lists and
// removes what is unused, once.
func addLists(_ contract.Context, params *state.Table) {
	old := firstRow(params)
	if jsvalue.Truthy(old.Get("blacklist")) {
		return
	}
	row := old.Clone()
	row.Set("blacklist", ones(exchanges))
	row.Set("heAccounts", ones(listedAccounts))
	var unsets []string
	for _, key := range unusedParams {
		if jsvalue.Truthy(row.Get(key)) {
			row.Delete(key)
			unsets = append(unsets, key)
		}
	}
	params.Update(row, unsets...)
}

// exchanges cannot credit sidechain tokens: a transfer there would be lost.
var exchanges = []string{
	"gateiodeposit", "deepcrypto8", "bittrex", "poloniex", "huobi-pro",
	"binance-hot", "bitvavo", "blocktrades", "probitsteem", "probithive", "ionomy",
	"mxchive", "coinbasebase", "orinoco", "user.dunamu",
}

var listedAccounts = []string{"hive-engine", "swap-eth", "btc-swap", "graphene-swap", "honey-swap"}

func ones(names []string) *jsvalue.Object {
	o := jsvalue.NewObject()
	for _, name := range names {
		o.Set(name, 1)
	}
	return o
}

// firstRow is findOne(table, {}): the oldest row, or nil.
func firstRow(t *state.Table) state.Row {
	for row := range t.All() {
		return row
	}
	return nil
}

// member is value[key] for an own property; Undefined when value has none.
// The peer also finds what objects inherit, so that an account named
// "constructor" was on every list; that is not copied.
func member(value jsvalue.Value, key string) jsvalue.Value {
	if o, ok := value.(*jsvalue.Object); ok {
		return o.Get(key)
	}
	return jsvalue.Undefined{}
}

func isUndefined(v jsvalue.Value) bool {
	_, ok := v.(jsvalue.Undefined)
	return ok
}
