package pegs

import (
	"math/big"

	"causeway/chains"
)

// Policy is what the ledger holds against reorganisations of a chain.
//
// The depth asked of every deposit grows with what all of them brought within the
// window, however it is split and whether it is credited yet: nobody rewrites
// history for less than it costs. Between Normal and Extreme it is in proportion,
// and Large at Much. An alert asks for Large at least.
type Policy struct {
	Floor    uint64        `json:"floor"`             // depth of a credit is never less, outside regtest
	Normal   uint64        `json:"normal"`            // while little value is at risk
	Large    uint64        `json:"large"`             // when Much is, or the chain is under suspicion
	Extreme  uint64        `json:"extreme,omitempty"` // the most that is ever asked for; 0: Large
	Maturity uint64        `json:"maturity"`          // depth of a coinbase output that is credited or spent
	Keep     int           `json:"keep"`              // newest blocks that can be disconnected, and over which risk is summed
	Much     chains.Amount `json:"much,omitempty"`    // value at risk at which Large holds, in base units; 0: value does not matter
}

// much is the value that, entering within a chain's window, makes a rewritten
// history worth its price.
var much = map[chains.ID]uint64{
	chains.BTC:  5,
	chains.LTC:  500,
	chains.BCH:  200,
	chains.DOGE: 500_000,
}

// PolicyOf is the policy of a chain by its facts.
func PolicyOf(chain chains.ID, f chains.Facts) Policy {
	p := Policy{
		Floor: f.Depths.Floor, Normal: f.Depths.Normal, Large: f.Depths.Large, Extreme: f.Depths.Extreme,
		Maturity: f.Maturity, Keep: f.Window,
	}
	if coins := much[chain]; coins > 0 {
		if units, err := scale(chains.NewAmount(coins), f.Decimals); err == nil {
			p.Much = units
		}
	}
	return p
}

// Need is the depth asked of a payment: the configured one where it is set, else
// by exposure, the value that entered within the window. An alert raises both.
// The floor holds except on regtest, where blocks cost nothing.
func (p Policy) Need(network chains.Network, configured uint64, exposure chains.Amount, alert bool) uint64 {
	need := configured
	if need == 0 {
		need = max(p.Normal, p.byValue(exposure))
	}
	if alert {
		need = max(need, p.Large)
	}
	if network != chains.Regtest {
		need = max(need, p.Floor)
	}
	return max(need, 1)
}

// byValue is exposure / Much times Large, rounded up, and at most Extreme.
func (p Policy) byValue(exposure chains.Amount) uint64 {
	if p.Much.IsZero() {
		return 0
	}
	most := max(p.Extreme, p.Large)
	depth, rest := new(big.Int).Mul(exposure.Big(), new(big.Int).SetUint64(p.Large)), new(big.Int)
	if depth.QuoRem(depth, p.Much.Big(), rest); rest.Sign() > 0 {
		depth.Add(depth, big.NewInt(1))
	}
	if !depth.IsUint64() || depth.Uint64() > most {
		return most
	}
	return depth.Uint64()
}

// Payout limits.
const (
	// DefaultInputExtra is how much deeper than a credited deposit an output
	// from outside must be before a payout may spend it.
	DefaultInputExtra = 6
	// MaxUnconfirmedChain is the longest chain of our own unconfirmed
	// transactions that a payout may extend (Core's limit is 25).
	MaxUnconfirmedChain = 20
	// MaxCreditsPerAddress is how many outputs of one transaction to one
	// address are credited by themselves: the largest. Others are held.
	MaxCreditsPerAddress = 10
)
