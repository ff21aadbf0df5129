package tokens

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
)

// governanceToken is the token whose stake elects witnesses.
const governanceToken = "WORKERBEE"

// stakeChanged tells the contracts that follow stakes: quantity, signed, was
// added to the stake of an account.
func stakeChanged(ctx contract.Context, t *token, account, quantity string) {
	tellWitnesses(ctx, t, account)
	tellMining(ctx, t, account, quantity, false)
	tellFunds(ctx, t, account)
}

// tellWitnesses: the votes of the account for witnesses weigh differently.
func tellWitnesses(ctx contract.Context, t *token, account string) {
	if t.symbol == governanceToken {
		tell(ctx, "witnesses", "updateWitnessesApprovals", jsvalue.NewObject("account", account))
	}
}

// tellMining: the account mines with more or less stake, its own or delegated
// to it.
func tellMining(ctx contract.Context, t *token, account, quantity string, delegated bool) {
	change := jsvalue.NewObject("account", account, "symbol", t.symbol, "quantity", quantity)
	if delegated {
		change.Set("delegated", true)
	}
	tell(ctx, "mining", "handleStakeChange", change)
}

// tellFunds: the account's votes for proposals weigh differently.
func tellFunds(ctx contract.Context, t *token, account string) {
	tell(ctx, "tokenfunds", "updateProposalApprovals", jsvalue.NewObject("account", account, "token", t.row))
}

// tell calls a contract that follows stakes. Where it is missing the peer's
// transaction gets the error "contract doesn't exist"; on our own chains it is
// left out.
func tell(ctx contract.Context, name, action string, params *jsvalue.Object) {
	if !ctx.ContractExists(name) && ctx.Switch(contract.RuleOptionalHooks) {
		return
	}
	ctx.Call(name, action, params)
}

// negative is a quantity with its sign changed.
func negative(q string) string { return jsvalue.Big(q).Neg().ToFixed() }
