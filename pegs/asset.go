package pegs

import (
	"errors"
	"fmt"
	"math/big"

	"causeway/chains"
)

// Asset is a pegged token and the coin behind it, as the sidechain's peg table
// has it. Quantities are decimal text in units of the token.
type Asset struct {
	Symbol            string    `json:"symbol"`
	Chain             chains.ID `json:"chain"`
	Token             string    `json:"token,omitempty"` // ERC-20 contract; empty for the chain's own coin
	Precision         int       `json:"precision"`       // of the token
	Decimals          int       `json:"decimals"`        // of the coin
	MinDeposit        string    `json:"min_deposit"`
	MinWithdrawal     string    `json:"min_withdrawal"`
	WithdrawalFee     string    `json:"withdrawal_fee"`
	FeeMax            string    `json:"fee_max"`
	DepositsPaused    bool      `json:"deposits_paused,omitempty"`
	WithdrawalsPaused bool      `json:"withdrawals_paused,omitempty"`
	MintsPaused       bool      `json:"mints_paused,omitempty"`
}

// ErrAsset is wrapped by errors about an asset's own numbers.
var ErrAsset = errors.New("pegs: asset")

// CoinDecimals is the number of decimals of a chain's own coin.
func CoinDecimals(chain chains.ID) int {
	if chain == chains.ETH {
		return 18
	}
	return 8
}

// Quantity converts an amount of the coin to the token, rounding down. The
// remainder, in base units of the coin, stays with us.
func (a Asset) Quantity(amount chains.Amount) (quantity string, remainder chains.Amount, err error) {
	units, err := scale(amount, a.Precision-a.Decimals)
	if err != nil {
		return "", chains.Amount{}, fmt.Errorf("%w %s: %w", ErrAsset, a.Symbol, err)
	}
	back, err := scale(units, a.Decimals-a.Precision)
	if err != nil {
		return "", chains.Amount{}, fmt.Errorf("%w %s: %w", ErrAsset, a.Symbol, err)
	}
	remainder, err = amount.Sub(back)
	if err != nil {
		return "", chains.Amount{}, fmt.Errorf("%w %s: %w", ErrAsset, a.Symbol, err)
	}
	return units.Coin(a.Precision), remainder, nil
}

// Amount converts a quantity of the token to base units of the coin, exactly
// where the coin has at least the token's precision, else rounding down.
func (a Asset) Amount(quantity string) (chains.Amount, error) {
	units, err := chains.FromCoin(quantity, a.Precision)
	if err != nil {
		return chains.Amount{}, fmt.Errorf("%w %s: %w", ErrAsset, a.Symbol, err)
	}
	amount, err := scale(units, a.Decimals-a.Precision)
	if err != nil {
		return chains.Amount{}, fmt.Errorf("%w %s: %w", ErrAsset, a.Symbol, err)
	}
	return amount, nil
}

// BelowMinimum says whether a deposit of amount is too small to be credited.
// What rounds down to nothing always is.
func (a Asset) BelowMinimum(amount chains.Amount) (bool, error) {
	least, err := a.Amount(a.MinDeposit)
	if err != nil {
		return false, err
	}
	units, err := scale(amount, a.Precision-a.Decimals)
	if err != nil {
		return false, err
	}
	return amount.Less(least) || units.IsZero(), nil
}

// scale multiplies by 10^exp, rounding down when exp is negative.
func scale(a chains.Amount, exp int) (chains.Amount, error) {
	if exp == 0 {
		return a, nil
	}
	magnitude := int64(exp)
	if exp < 0 {
		magnitude = -magnitude
	}
	power := new(big.Int).Exp(big.NewInt(10), big.NewInt(magnitude), nil)
	v := a.Big()
	if exp > 0 {
		v.Mul(v, power)
	} else {
		v.Quo(v, power)
	}
	return chains.AmountFromBig(v)
}
