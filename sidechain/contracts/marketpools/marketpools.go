package marketpools

import (
	"fmt"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// currentHash is the code hash of the peer's newest text.
const currentHash = "fd6d750418df6b23de96fa0ba8cb006828dcbc272d566c6847204b552a41004c"

type pools struct{}

// Current is the peer's newest contract.
func Current() contract.Contract { return pools{} }

// Name implements contract.Contract.
func (pools) Name() string { return "marketpools" }

// CodeHash implements contract.Contract.
func (pools) CodeHash() string { return currentHash }

// Actions implements contract.Contract.
func (pools) Actions() map[string]contract.Action { return nil }

// Partial implements contract.Partial.
func (pools) Partial() {}

var tables = []state.TableDef{
	{Name: "pools", Indexes: []state.Index{index("tokenPair")}},
	{Name: "liquidityPositions", Indexes: []state.Index{index("account"), index("tokenPair")}},
}

func index(field string) state.Index { return state.Index{Name: field, Fields: []string{field}} }

// tradeFeeMul is what the second update sets: a trade keeps 99.75 %.
const tradeFeeMul = "0.9975"

// Setup implements contract.Contract. The first update looks after the age of
// liquidity, which nobody has here, the second one sets the fee of trades;
// later ones change nothing.
func (pools) Setup(ctx contract.Context) {
	if ctx.Table("pools") == nil {
		for _, def := range tables {
			ctx.CreateTable(def)
		}
		ctx.CreateTable(state.TableDef{Name: "params"}).Insert(jsvalue.NewObject("poolCreationFee", "1000"))
		return
	}
	for row := range ctx.Table("params").All() {
		migrate(ctx, row)
		return
	}
}

func migrate(ctx contract.Context, row state.Row) {
	next := row.Clone()
	switch done := row.Get("updateIndex"); {
	case !jsvalue.Truthy(done):
		if ctx.Table("liquidityPositions").Len() > 0 {
			panic(fmt.Errorf("%w: an update of marketpools with rows in liquidityPositions", contract.ErrNotBuilt))
		}
		next.Set("updateIndex", 1)
	case done == 1.0:
		next.Set("updateIndex", 2)
		next.Set("tradeFeeMul", tradeFeeMul)
	default:
		return
	}
	ctx.Table("params").Update(next)
}
