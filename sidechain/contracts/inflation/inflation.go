package inflation

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
)

// bootstrapHash is the code hash of the version in the peer's genesis block.
const bootstrapHash = "d569228ce2477d9d7bdce9bb33012daba5d33288916775e990a8c62b2a92cd61"

// perPeriod is what each receiver gets: 100,000 a year of 1,200-block hours.
const perPeriod = "11.41552511"

var receivers = []string{"hive-engine", "hive-miner"}

type inflation struct{ actions map[string]contract.Action }

// Bootstrap is the version in the peer's genesis block.
func Bootstrap() contract.Contract {
	return inflation{map[string]contract.Action{"issueNewTokens": issueNewTokens}}
}

// Name implements contract.Contract.
func (inflation) Name() string { return "inflation" }

// CodeHash implements contract.Contract.
func (inflation) CodeHash() string { return bootstrapHash }

// Setup implements contract.Contract.
func (inflation) Setup(contract.Context) {}

// Actions implements contract.Contract.
func (i inflation) Actions() map[string]contract.Action { return i.actions }

// issueNewTokens does nothing, silently, unless the chain itself calls it.
func issueNewTokens(ctx contract.Context, _ *jsvalue.Object) {
	if ctx.Sender() != "null" {
		return
	}
	for _, to := range receivers {
		ctx.Call("tokens", "issue", jsvalue.NewObject(
			"symbol", ctx.UtilityToken(), "quantity", perPeriod, "to", to))
	}
}
