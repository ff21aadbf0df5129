package tokens

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
)

// stakingActions are those on stakes and delegations.
func (e *edition) stakingActions() map[string]contract.Action {
	return map[string]contract.Action{
		"enableStaking":     e.enableStaking,
		"stake":             e.stake,
		"stakeFromContract": e.stakeFromContract,
		"unstake":           e.unstake,
		"cancelUnstake":     e.cancelUnstake,
		"enableDelegation":  e.enableDelegation,
		"delegate":          e.delegate,
		"undelegate":        e.undelegate,
	}
}

// notBuilt refuses an action of an old edition that this software does not
// have.
func notBuilt(ctx contract.Context, _ *jsvalue.Object) {
	ctx.Assert(false, "action "+ctx.ActionName()+" of this version of tokens is not built")
}
