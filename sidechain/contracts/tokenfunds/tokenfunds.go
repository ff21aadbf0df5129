package tokenfunds

import (
	"fmt"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// currentHash is the code hash of the peer's newest text.
const currentHash = "3434419de33a9a02f999422f0de280b59d29157c4d48bc393f0918965931a670"

type tokenfunds struct{ actions map[string]contract.Action }

// Current is the peer's newest contract.
func Current() contract.Contract {
	return tokenfunds{map[string]contract.Action{
		"updateProposalApprovals": updateProposalApprovals,
		"checkPendingDtfs":        checkPendingDtfs,
	}}
}

// Name implements contract.Contract.
func (tokenfunds) Name() string { return "tokenfunds" }

// CodeHash implements contract.Contract.
func (tokenfunds) CodeHash() string { return currentHash }

// Actions implements contract.Contract.
func (f tokenfunds) Actions() map[string]contract.Action { return f.actions }

// Partial implements contract.Partial.
func (tokenfunds) Partial() {}

var tables = []state.TableDef{
	{Name: "funds", Indexes: []state.Index{index("id"), index("lastTickTime")}},
	{Name: "proposals", Indexes: []state.Index{
		index("fundId"), {Name: "byApprovalWeight", Fields: []string{"fundId", "approvalWeight"}},
	}},
	{Name: "approvals", Indexes: []state.Index{index("from"), index("to")}},
	{Name: "accounts", PrimaryKey: []string{"account"}},
}

func index(field string) state.Index { return state.Index{Name: field, Fields: []string{field}} }

// Setup implements contract.Contract. The first update marks the parameters.
func (tokenfunds) Setup(ctx contract.Context) {
	if ctx.Table("funds") == nil {
		for _, def := range tables {
			ctx.CreateTable(def)
		}
		ctx.CreateTable(state.TableDef{Name: "params"}).Insert(jsvalue.NewObject(
			"dtfCreationFee", "1000",
			"dtfUpdateFee", "300",
			"dtfTickHours", "24",
			"maxDtfsPerBlock", 40,
			"maxAccountApprovals", 50,
			"processQueryLimit", 1000,
		))
		return
	}
	for row := range ctx.Table("params").All() {
		if !jsvalue.Truthy(row.Get("updateIndex")) {
			next := row.Clone()
			next.Set("updateIndex", 1.0)
			ctx.Table("params").Update(next)
		}
		return
	}
}

// updateProposalApprovals is the hook of tokens; from anywhere else it does
// nothing, silently.
func updateProposalApprovals(ctx contract.Context, _ *jsvalue.Object) {
	if caller := ctx.Caller(); caller != nil && caller.Name == "tokens" {
		needsNoFunds(ctx)
	}
}

// checkPendingDtfs is the tick.
func checkPendingDtfs(ctx contract.Context, _ *jsvalue.Object) {
	if ctx.Assert(ctx.Sender() == "null", "not authorized") {
		needsNoFunds(ctx)
	}
}

func needsNoFunds(ctx contract.Context) {
	for _, def := range tables {
		if ctx.Table(def.Name).Len() > 0 {
			panic(fmt.Errorf("%w: %s.%s with rows in %s", contract.ErrNotBuilt, ctx.Name(), ctx.ActionName(), def.Name))
		}
	}
}
