package main

import (
	"math/big"

	"causeway/chains/ethereum/erc20test"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
)

// tell calls the token as its owner.
func (w *etherWorld) tell(calls ...[]byte) error {
	contract := common.HexToAddress(dollar)
	for _, data := range calls {
		if err := w.send(deal{from: tokenHolder, to: &contract, data: data, gas: callGas}); err != nil {
			return err
		}
	}
	return nil
}

// someDollars is a transfer to a user: mostly enough to be credited.
func (w *etherWorld) someDollars() []byte {
	return erc20test.Transfer(w.deposits(), big.NewInt(dollarLeast/2+w.rng.Int64N(100*dollarLeast)))
}

func (w *etherWorld) payTokens(*life) error { return w.tell(w.someDollars()) }

// spendTokens has a user withdraw tokens.
func (w *etherWorld) spendTokens(l *life) error {
	return l.withdrawOf(l.user(), dollarSymbol, dollarUnit, dollarLeast)
}

// manners switches between the two that honest tokens have: to answer true, or not to
// answer.
func (w *etherWorld) manners(*life) error {
	return w.tell(erc20test.SetMode([]erc20test.Mode{erc20test.Standard, erc20test.ReturnsNothing}[w.rng.IntN(2)]))
}

// payOddly pays a user with a token that lies: about what moved, or that anything did.
// It is honest again in the same block, and final at once, so that no transaction of
// the gateway's falls between; where one waits already, nothing is done.
func (w *etherWorld) payOddly(*life) error {
	var waiting struct {
		Pending hexutil.Uint64 `json:"pending"`
	}
	if err := w.ask(&waiting, "txpool_status"); err != nil || waiting.Pending > 0 || w.free {
		return err
	}
	before, after := erc20test.SetFee(uint16(1+w.rng.IntN(5000)), w.rng.IntN(2) == 0), erc20test.SetFee(0, false)
	if n := w.rng.IntN(6); n < 4 {
		modes := []erc20test.Mode{erc20test.ReturnsFalse, erc20test.OnlyEvent, erc20test.NoEvent, erc20test.ReturnsNothing}
		before, after = erc20test.SetMode(modes[n]), erc20test.SetMode(erc20test.Standard)
	}
	if err := w.tell(before, w.someDollars(), after); err != nil {
		return err
	}
	return w.mine(2*etherSlots + 1)
}
