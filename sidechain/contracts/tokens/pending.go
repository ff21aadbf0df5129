package tokens

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
)

// unbuilt are the peer's actions on stakes and delegations.
var unbuilt = []string{
	"enableStaking", "stake", "stakeFromContract", "unstake", "cancelUnstake",
	"enableDelegation", "delegate", "undelegate",
}

// notBuilt refuses an action that this version does not have.
func notBuilt(ctx contract.Context, _ *jsvalue.Object) {
	ctx.Assert(false, "action "+ctx.ActionName()+" is not built yet")
}

// checkPending is both ticks: with no stake and no delegation there is nothing
// to release.
func checkPending(ctx contract.Context, _ *jsvalue.Object) {
	ctx.Assert(ctx.Sender() == burned, "not authorized")
}
