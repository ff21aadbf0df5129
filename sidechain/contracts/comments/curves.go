package comments

import (
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// postClaims is what rshares of a post claim of the pool (peer-spec 4.5, W).
func postClaims(pool state.Row, rshares jsvalue.BigNumber) jsvalue.BigNumber {
	return onCurve(object(pool, "config"), "postRewardCurve", rshares)
}

// curationWeight is the weight of all positive rshares of a post (C).
func curationWeight(pool state.Row, rshares jsvalue.BigNumber) jsvalue.BigNumber {
	return onCurve(object(pool, "config"), "curationRewardCurve", rshares)
}

// onCurve applies a curve of a pool; the exponent is the member beside it.
func onCurve(config *jsvalue.Object, curve string, x jsvalue.BigNumber) jsvalue.BigNumber {
	if x.Lte(jsvalue.BigInt(0)) {
		return jsvalue.BigInt(0)
	}
	if config.Get(curve) != "power" {
		return x
	}
	exponent, _ := config.String(curve + "Parameter")
	return power(x, exponent).Round(shareDecimals, jsvalue.RoundDown)
}

// power is x to the exponent of a curve. A post's exponent is between 1 and 2,
// a curation's between 0.5 and 1. The exact ones are 1 and 2, 0.5 and 1.
func power(x jsvalue.BigNumber, exponent string) jsvalue.BigNumber {
	switch e := jsvalue.Big(exponent); {
	case e.Eq(jsvalue.BigInt(1)):
		return x
	case e.Eq(jsvalue.BigInt(2)):
		return x.Pow(2)
	case e.Eq(jsvalue.Big(0.5)):
		return x.Sqrt()
	}
	return jsvalue.Big(jsvalue.Pow(jsvalue.ParseFloat(x.ToFixed()), jsvalue.ParseFloat(exponent)))
}
