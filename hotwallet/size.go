package hotwallet

import (
	"fmt"
	"math/bits"

	"causeway/chains"
	"causeway/chains/utxo"
)

const (
	// MaxStandardVSize is the largest transaction that is planned, in virtual
	// bytes: nodes relay up to 100,000.
	MaxStandardVSize = 99_999
	// maxUnits bounds one amount: the most that any of the coins allows in one
	// output (DOGE: 10^10 coins of 10^8 units).
	maxUnits = 1_000_000_000_000_000_000
	// maxRate keeps every fee of a transaction of the largest size below
	// maxUnits.
	maxRate chains.FeeRate = 10_000_000_000_000
)

// sizer computes sizes and fees of one transaction in the making, as
// utxo.Estimate would, but without listing every input.
type sizer struct {
	rate        chains.FeeRate
	segwit      bool
	inputWeight uint64 // of one input of ours
	outputs     uint64 // payees
	outWeight   uint64 // of the payees' outputs
	change      uint64 // weight of a change output
}

// newSizer is for inputs with scripts like change, our own.
func newSizer(change []byte, rate chains.FeeRate) (s sizer, err error) {
	s = sizer{rate: rate, segwit: utxo.KindOf(change) == utxo.P2WPKH, change: utxo.OutputWeight(change)}
	if s.inputWeight, err = utxo.InputWeight(change); err != nil {
		return s, badPlan("%v", err)
	}
	return s, nil
}

func (s *sizer) addOutput(script []byte) {
	s.outputs++
	s.outWeight += utxo.OutputWeight(script)
}

// vsize is the size with that many inputs, in virtual bytes, rounded up.
func (s *sizer) vsize(inputs uint64, change bool) uint64 {
	outputs, weight := s.outputs, s.outWeight
	if change {
		outputs++
		weight += s.change
	}
	weight += 4 * (4 + 4 + countBytes(inputs) + countBytes(outputs))
	weight += inputs * s.inputWeight
	if s.segwit {
		weight += 2 // marker and flag
	}
	return (weight + 3) / 4
}

// countBytes is the size of a count; plans never come to 65,536.
func countBytes(n uint64) uint64 {
	if n < 0xfd {
		return 1
	}
	return 3
}

// fee is the fee of vsize at the rate, rounded up.
func (s *sizer) fee(inputs uint64, change bool) uint64 {
	return feeFor(s.vsize(inputs, change), s.rate)
}

// inputPrice is what one more input costs.
func (s *sizer) inputPrice() uint64 { return feeFor((s.inputWeight+3)/4, s.rate) }

// feeFor saturates where a size or rate is beyond all bounds of a plan.
func feeFor(vsize uint64, rate chains.FeeRate) uint64 {
	fee, err := rate.Fee(vsize)
	if v, ok := fee.Uint64(); err == nil && ok {
		return min(v, maxUnits)
	}
	return maxUnits
}

// units converts an amount to the integers of planning and signing.
func units(a chains.Amount) (uint64, error) {
	v, ok := a.Uint64()
	if !ok || v > maxUnits {
		return 0, badPlan("amount %s is more than a coin has", a)
	}
	return v, nil
}

func addUnits(a, b uint64) (uint64, error) {
	sum, carry := bits.Add64(a, b, 0)
	if carry != 0 || sum > 1<<63 {
		return 0, badPlan("sum of amounts out of range")
	}
	return sum, nil
}

// Clamp is the fee rate to use: the node's estimate, or fallback when it has
// none (ok false, or zero), never below lowest and never above highest; when
// those two contradict each other highest wins.
func Clamp(estimate chains.FeeRate, ok bool, lowest, highest, fallback chains.FeeRate) chains.FeeRate {
	rate := estimate
	if !ok || rate == 0 {
		rate = fallback
	}
	return min(max(rate, lowest), highest)
}

func rateAbove(rate, limit chains.FeeRate) error {
	return &PlanError{Kind: ErrFeeCap, Detail: fmt.Sprintf("rate %d above %d (sat/kvB)", rate, limit)}
}
