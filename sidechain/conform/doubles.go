package conform

import (
	"causeway/sidechain"
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
)

// double is a native stand-in for a contract written inside a vector.
type double struct {
	codeHash string
	actions  map[string]contract.Action
}

// Name implements contract.Contract. A double runs under whatever name it was
// deployed.
func (d double) Name() string                        { return "double" }
func (d double) CodeHash() string                    { return d.codeHash }
func (d double) Setup(contract.Context)              {}
func (d double) Actions() map[string]contract.Action { return d.actions }

func doubles() []sidechain.Version {
	return []sidechain.Version{
		{
			Source:   "949a4fe3acf75a489423dc798aebd7aeabc74edb7206f37b5de5ee599062e92b",
			Contract: double{"a8d8d2b705ff20ae3c7c7b07849c2e3fb9fa28106845059e555b60f8adb622f8", nil},
		},
		{
			Source: "84aeb64c16a174c67ad7181925b6fb4de3074708d769c107293206c62b0ad6a8",
			Contract: double{"ac5027f0f01796c988b2a2f5755ecbba181b95eaa279572496d8c7ea73f2a5a4",
				map[string]contract.Action{"sendRewards": sendRewards("contract")}},
		},
		{
			Source: "45782342a9e7bf15f2718fcfb83ce743017463eac252a22ecd62ca1461694c4b",
			Contract: double{"b6926560210a8eeb92e47a87c9e7e579f85e3512a9adc1fca692717e31945f3c",
				payments("contract", contractPayments)},
		},
		{
			Source:   "023fcfdf8c2dd69427f6ee9a7f104029ebd9003724dd03da61484f8dcfaf8898",
			Contract: double{"f84e89b5439892b757e4e72bc8a418842d43fb583bb323d40e3fabbb0fbdab19", dummyTicks()},
		},
	}
}

// partial doubles are known by the first digits of their source and by what
// they do; the vector that deploys one names the rest.
var byPrefix = map[string]map[string]contract.Action{
	"3e48531a86da": {"sendRewards": sendRewards("user")},
	"c07b9c37ea8c": payments("user", userPayments),
}

// sendRewards pays what the payload says out of the contract's balance.
func sendRewards(toType string) contract.Action {
	return func(ctx contract.Context, payload *jsvalue.Object) {
		to, _ := payload.String("to")
		quantity, _ := payload.String("quantity")
		ctx.TransferTokens(to, testToken, quantity, toType)
	}
}

const testToken = "TKN.TEST"

// payment is an action that tries one fixed transfer.
type payment struct{ action, to, symbol, quantity, toType string }

func payments(toType string, list []payment) map[string]contract.Action {
	actions := map[string]contract.Action{}
	for _, p := range list {
		if p.toType == "" {
			p.toType = toType
		}
		actions[p.action] = func(ctx contract.Context, _ *jsvalue.Object) {
			ctx.TransferTokens(p.to, p.symbol, p.quantity, p.toType)
		}
	}
	return actions
}

var userPayments = []payment{
	{action: "notSigned", to: "to", symbol: testToken, quantity: "2.02"},
	{action: "toNotExist", to: "df", symbol: testToken, quantity: "2.02"},
	{action: "symbolNotExist", to: "satoshi", symbol: "TNK", quantity: "2.02"},
	{action: "wrongPrecision", to: "satoshi", symbol: testToken, quantity: "2.02"},
	{action: "negativeQty", to: "satoshi", symbol: testToken, quantity: "-2"},
	{action: "balanceNotExist", to: "satoshi", symbol: testToken, quantity: "2"},
	{action: "overdrawnBalance", to: "satoshi", symbol: testToken, quantity: "2"},
}

var contractPayments = []payment{
	{action: "notSigned", to: "to", symbol: testToken, quantity: "2.02"},
	{action: "notToSelf", to: "testcontract", symbol: testToken, quantity: "2.02"},
	{action: "toNotExist", to: "sd", symbol: testToken, quantity: "2.02"},
	{action: "symbolNotExist", to: "testcontract2", symbol: "TNK", quantity: "2.02"},
	{action: "wrongPrecision", to: "testcontract2", symbol: testToken, quantity: "2.02"},
	{action: "negativeQty", to: "testcontract2", symbol: testToken, quantity: "-2"},
	{action: "balanceNotExist", to: "testcontract2", symbol: testToken, quantity: "2"},
	{action: "overdrawnBalance", to: "testcontract2", symbol: testToken, quantity: "2"},
	{action: "invalidParams", to: "testcontract2", symbol: testToken, quantity: "2", toType: "invalid"},
}

// dummyTicks says of every default tick that it ran.
func dummyTicks() map[string]contract.Action {
	actions := map[string]contract.Action{}
	for _, name := range []string{
		"checkPendingUnstakes", "checkPendingUndelegations", "tick", "checkPendingLotteries",
		"checkPendingAirdrops", "updateAuctions", "scheduleWitnesses", "checkPendingDtfs",
	} {
		actions[name] = func(ctx contract.Context, _ *jsvalue.Object) {
			ctx.Emit(name, jsvalue.NewObject())
		}
	}
	return actions
}
