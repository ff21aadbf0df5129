package mining

import (
	"fmt"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// currentHash is the code hash of the peer's newest text.
const currentHash = "263e96e832263f7a854612a297535f82ae7cfd3b3f78122a2bacfcc9dd3f8e01"

type mining struct{ actions map[string]contract.Action }

// Current is the peer's newest contract.
func Current() contract.Contract {
	return mining{map[string]contract.Action{
		"handleStakeChange":     handleStakeChange,
		"checkPendingLotteries": checkPendingLotteries,
	}}
}

// Name implements contract.Contract.
func (mining) Name() string { return "mining" }

// CodeHash implements contract.Contract.
func (mining) CodeHash() string { return currentHash }

// Actions implements contract.Contract.
func (m mining) Actions() map[string]contract.Action { return m.actions }

// Partial implements contract.Partial.
func (mining) Partial() {}

var (
	tables = []state.TableDef{
		{Name: "miningPower", Indexes: []state.Index{index("id"), index("power")}},
		{Name: "pools", Indexes: []state.Index{index("id")}},
		{Name: "tokenPools", Indexes: []state.Index{index("symbol")}},
		{Name: "nftTokenPools", Indexes: []state.Index{index("symbol")}},
	}
	byPoolAndAccount = state.Index{Name: "byPoolIdAndAccount", Fields: []string{"id", "account"}}
)

func index(field string) state.Index { return state.Index{Name: field, Fields: []string{field}} }

// Setup implements contract.Contract. The first update adds an index.
func (mining) Setup(ctx contract.Context) {
	if ctx.Table("pools") == nil {
		for _, def := range tables {
			ctx.CreateTable(def)
		}
		ctx.CreateTable(state.TableDef{Name: "params"}).Insert(jsvalue.NewObject(
			"poolCreationFee", "1000",
			"poolUpdateFee", "300",
			"maxLotteriesPerBlock", 20,
			"maxBalancesProcessedPerBlock", 10000,
			"processQueryLimit", 1000,
		))
		return
	}
	for row := range ctx.Table("params").All() {
		if jsvalue.Truthy(row.Get("updateIndex")) {
			return
		}
		ctx.AddIndexes("miningPower", byPoolAndAccount)
		next := row.Clone()
		next.Set("updateIndex", 1.0)
		ctx.Table("params").Update(next)
		return
	}
}

// handleStakeChange is the hook of tokens.
func handleStakeChange(ctx contract.Context, _ *jsvalue.Object) {
	caller := ctx.Caller()
	if ctx.Assert(caller != nil && caller.Name == "tokens", "must be called from tokens contract") {
		needsNoPools(ctx)
	}
}

// checkPendingLotteries is the tick.
func checkPendingLotteries(ctx contract.Context, _ *jsvalue.Object) {
	if ctx.Assert(ctx.Sender() == "null", "not authorized") {
		needsNoPools(ctx)
	}
}

func needsNoPools(ctx contract.Context) {
	for _, def := range tables {
		if ctx.Table(def.Name).Len() > 0 {
			panic(fmt.Errorf("%w: %s.%s with rows in %s", contract.ErrNotBuilt, ctx.Name(), ctx.ActionName(), def.Name))
		}
	}
}
