package contract

import (
	seam "causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

func index(fields ...string) state.Index {
	name := fields[0]
	for _, f := range fields[1:] {
		name += "+" + f
	}
	return state.Index{Name: name, Fields: fields}
}

// tables are the contract's tables, with short names.
//
//	assets      symbol, chain, token (null: the chain's own coin), precision, min_deposit, min_withdrawal,
//	            withdrawal_fee, fee_max, supply_cap, mint_cap, large_mint, mint_delay,
//	            deposits_paused, withdrawals_paused, mints_paused, owed (costs that fees must still pay),
//	            minted (the sum of mints)
//	deposits    id, symbol, quantity, to, block (base block), tx: the row is there when the deposit is credited
//	withdrawals id (the transaction that burned), row (1, 2, 3 …), symbol, chain, account, address, quantity,
//	            fee, fee_symbol, net, ref, state, block, batch, txid, reason
//	assigns     batch, row (1, 2, 3 …), chain, kind, ids, spends, state (open, closed, released), block,
//	            closed (base block that closed or released it), txid, cost, reason
//	costs       chain, txid, amount (as reported), charged (of the peg), batch, block
//	attestors   account, since, until (null: active)
//	keys        chain, epoch, key, birthday
//	params      network, threshold, fee_account, gate, admin, admin_delay
//	votes       kind "vote": subject, attestor, value, block; kind "mint": subject (the deposit), symbol, quantity,
//	            to, block, due, held; kind "change": subject, action, value, block, due
//	mints       symbol, block, quantity: what was minted in a base block of the rolling window
//	spends      chain, outpoint, batch, cancel (batch that takes it back, or null)
func tables() []state.TableDef {
	return []state.TableDef{
		{Name: "assets", Indexes: []state.Index{index("symbol"), index("chain")}, Lookups: []state.Index{index("symbol"), index("chain")}},
		{Name: "deposits", PrimaryKey: []string{"id"}, Indexes: []state.Index{index("symbol"), index("to"), index("block")}},
		{
			Name: "withdrawals", PrimaryKey: []string{"id"},
			Indexes: []state.Index{index("row"), index("account"), index("chain"), index("state"), index("block")},
			Lookups: []state.Index{index("row"), index("account", "ref")},
		},
		{
			Name: "assigns", PrimaryKey: []string{"batch"},
			Indexes: []state.Index{index("row"), index("chain"), index("state"), index("block")},
			Lookups: []state.Index{index("row"), index("chain", "state")},
		},
		{Name: "costs", PrimaryKey: []string{"chain", "txid"}, Indexes: []state.Index{index("block")}},
		{Name: "attestors", Indexes: []state.Index{index("account")}, Lookups: []state.Index{index("account")}},
		{Name: "keys", Indexes: []state.Index{index("chain")}, Lookups: []state.Index{index("chain", "epoch")}},
		{Name: "params"},
		{
			Name:    "votes",
			Indexes: []state.Index{index("kind"), index("subject"), index("due")},
			Lookups: []state.Index{index("kind", "subject", "attestor"), index("kind", "due"), index("attestor")},
		},
		{Name: "mints", Lookups: []state.Index{index("symbol", "block")}},
		{Name: "spends", PrimaryKey: []string{"chain", "outpoint"}},
	}
}

// Setup implements contract.Contract: it creates the tables and, at genesis,
// the rows that the genesis document names.
func (p *pegs) Setup(ctx seam.Context) {
	for _, def := range tables() {
		ctx.CreateTable(def)
	}
	genesis := ctx.Genesis()
	if genesis == nil || ctx.Table("params").Len() > 0 {
		return
	}
	pegs, ok := genesis.Object("pegs")
	if !ctx.Assert(ok, "genesis has no pegs") {
		return
	}
	ctx.Table("params").Insert(jsvalue.NewObject(
		"network", genesis.Get("network"),
		"threshold", pegs.Get("threshold"),
		"fee_account", pegs.Get("fee_account"),
		"gate", pegs.Get("gate"),
		"admin", genesis.Get("admin"),
		"admin_delay", pegs.Get("admin_delay"),
	))
	names, _ := texts(pegs, "attestors")
	for _, name := range names {
		ctx.Table("attestors").Insert(jsvalue.NewObject("account", name, "since", 0, "until", nil))
	}
	setupKeys(ctx, genesis)
	setupAssets(ctx, genesis)
}

func setupKeys(ctx seam.Context, genesis *jsvalue.Object) {
	keys, _ := genesis.Array("keys")
	for _, v := range keys {
		key, _ := v.(*jsvalue.Object)
		problem := keyProblem(ctx.Table("keys"), key)
		if !ctx.Assert(problem == "", "genesis keys: "+problem) {
			continue
		}
		ctx.Table("keys").Insert(jsvalue.NewObject(
			"chain", key.Get("chain"), "epoch", key.Get("epoch"), "key", key.Get("key"), "birthday", key.Get("birthday")))
	}
}

// setupAssets makes a row of each asset. Their tokens are made by the chain's
// own genesis.
func setupAssets(ctx seam.Context, genesis *jsvalue.Object) {
	assets, _ := genesis.Array("assets")
	for _, v := range assets {
		given, _ := v.(*jsvalue.Object)
		row, problem := mergedAsset(ctx, text(genesis, "network"), nil, given)
		if ctx.Assert(problem == "", "genesis assets: "+problem) {
			ctx.Table("assets").Insert(row)
		}
	}
}
