package nft

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
)

// bootstrapHash is the code hash of the version in the peer's genesis block.
const bootstrapHash = "a9fcb0e0d0c8e3f97888f8f95b743deb5f20574152118b23be0a8dea3077108b"

type nft struct{ actions map[string]contract.Action }

// Bootstrap is the version in the peer's genesis block.
func Bootstrap() contract.Contract {
	return nft{map[string]contract.Action{"checkPendingUndelegations": checkPending}}
}

// Name implements contract.Contract.
func (nft) Name() string { return "nft" }

// CodeHash implements contract.Contract.
func (nft) CodeHash() string { return bootstrapHash }

// Setup implements contract.Contract. The tables come with the state that the
// genesis block left.
func (nft) Setup(contract.Context) {}

// Actions implements contract.Contract.
func (n nft) Actions() map[string]contract.Action { return n.actions }

// Partial implements contract.Partial.
func (nft) Partial() {}

// checkPending is the tick of delegations.
func checkPending(ctx contract.Context, _ *jsvalue.Object) {
	ctx.Assert(ctx.Sender() == "null", "not authorized")
}
