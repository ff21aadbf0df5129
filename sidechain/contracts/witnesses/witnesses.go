package witnesses

import (
	"fmt"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// currentHash is the code hash of the peer's newest text.
const currentHash = "4d750dce7529b9b817e62e848a3cebbad72e124c7dcde15038efc87e1c7fa421"

type witnesses struct{ actions map[string]contract.Action }

// Current is the peer's newest contract.
func Current() contract.Contract {
	return witnesses{map[string]contract.Action{
		"updateWitnessesApprovals": updateWitnessesApprovals,
		"scheduleWitnesses":        scheduleWitnesses,
	}}
}

// Name implements contract.Contract.
func (witnesses) Name() string { return "witnesses" }

// CodeHash implements contract.Contract.
func (witnesses) CodeHash() string { return currentHash }

// Actions implements contract.Contract.
func (w witnesses) Actions() map[string]contract.Action { return w.actions }

// Partial implements contract.Partial.
func (witnesses) Partial() {}

var tables = []state.TableDef{
	{Name: "witnesses", Indexes: []state.Index{index("approvalWeight")}},
	{Name: "approvals", Indexes: []state.Index{index("from"), index("to")}},
	{Name: "accounts", Indexes: []state.Index{index("account")}},
	{Name: "schedules"},
}

func index(field string) state.Index { return state.Index{Name: field, Fields: []string{field}} }

// Setup implements contract.Contract. The parameters are those of peer-spec
// 1.12; an update finds all of them there.
func (witnesses) Setup(ctx contract.Context) {
	if ctx.Table("witnesses") != nil {
		return
	}
	for _, def := range tables {
		ctx.CreateTable(def)
	}
	ctx.CreateTable(state.TableDef{Name: "params"}).Insert(jsvalue.NewObject(
		"totalApprovalWeight", "0",
		"totalEnabledApprovalWeight", "0",
		"numberOfApprovedWitnesses", 0,
		"lastVerifiedBlockNumber", 0,
		"round", 0,
		"lastBlockRound", 0,
		"currentWitness", nil,
		"blockNumberWitnessChange", 0,
		"lastWitnesses", []jsvalue.Value{},
		"numberOfApprovalsPerAccount", 30,
		"numberOfTopWitnesses", 20,
		"numberOfWitnessSlots", 21,
		"witnessSignaturesRequired", 14,
		"maxRoundsMissedInARow", 3,
		"maxRoundPropositionWaitingPeriod", 40,
		"witnessApproveExpireBlocks", 5184000,
	))
}

// updateWitnessesApprovals is the hook of tokens; from anywhere else it does
// nothing, silently.
func updateWitnessesApprovals(ctx contract.Context, _ *jsvalue.Object) {
	if caller := ctx.Caller(); caller != nil && caller.Name == "tokens" {
		needsNoWitnesses(ctx)
	}
}

// scheduleWitnesses is the tick.
func scheduleWitnesses(ctx contract.Context, _ *jsvalue.Object) {
	if ctx.Assert(ctx.Sender() == "null", "not authorized") {
		needsNoWitnesses(ctx)
	}
}

func needsNoWitnesses(ctx contract.Context) {
	for _, def := range tables {
		if ctx.Table(def.Name).Len() > 0 {
			panic(fmt.Errorf("%w: %s.%s with rows in %s", contract.ErrNotBuilt, ctx.Name(), ctx.ActionName(), def.Name))
		}
	}
}
