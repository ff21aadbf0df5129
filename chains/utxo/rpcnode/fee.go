package rpcnode

import (
	"context"
	"encoding/json"
	"errors"
	"math/big"

	"causeway/chains"
)

// EstimateFee implements chains.Source. It has no bounds of its own: a node may
// say anything, and who pays must clamp.
func (n *Node) EstimateFee(ctx context.Context, blocks int) (rate chains.FeeRate, ok bool, err error) {
	var smart struct {
		FeeRate json.Number `json:"feerate"`
	}
	err = n.call(ctx, smallAnswer, &smart, "estimatesmartfee", blocks)
	if err == nil {
		rate, ok = feeRate(smart.FeeRate.String(), n.coin.Facts().Decimals)
		return rate, ok, nil
	}
	if !unimplemented(err) {
		return 0, false, err
	}
	var plain json.Number
	err = n.call(ctx, smallAnswer, &plain, "estimatefee", blocks)
	var refused *RPCError
	switch {
	case err == nil:
		rate, ok = feeRate(plain.String(), n.coin.Facts().Decimals)
		return rate, ok, nil
	case errors.As(err, &refused) && (refused.Code == codeInvalidRequest || unimplemented(err)):
		// btcd answers so, beside a result of -1, while it has no estimate.
		return 0, false, nil
	}
	return 0, false, err
}

// feeDigits is how many decimal places of a rate are read: nodes that compute
// with floats print up to 17 significant digits.
const feeDigits = 26

// feeRate converts coins per 1000 (virtual) bytes to FeeRate, which for a coin
// of base units is base units per 1000 bytes, rounded up. What is not a
// positive number is no estimate.
func feeRate(text string, decimals int) (chains.FeeRate, bool) {
	fine, err := chains.FromCoin(text, feeDigits)
	if err != nil {
		return 0, false
	}
	unit := new(big.Int).Exp(big.NewInt(10), big.NewInt(int64(feeDigits-decimals)), nil)
	rate := new(big.Int).Add(fine.Big(), new(big.Int).Sub(unit, big.NewInt(1)))
	rate.Quo(rate, unit)
	if rate.Sign() == 0 || !rate.IsUint64() {
		return 0, false
	}
	return chains.FeeRate(rate.Uint64()), true
}
