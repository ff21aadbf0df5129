package utxo

import "causeway/chains"

// Kind is a standard form of output script.
type Kind string

// The forms of output scripts that are told apart.
const (
	P2PKH    Kind = "p2pkh"
	P2SH     Kind = "p2sh"
	P2WPKH   Kind = "p2wpkh"
	P2WSH    Kind = "p2wsh"
	P2TR     Kind = "p2tr"
	Witness  Kind = "witness"  // a witness program of another version or size
	NullData Kind = "nulldata" // OP_RETURN: can never be spent
	Other    Kind = "other"
)

const (
	opReturn      = 0x6a
	opDup         = 0x76
	opEqual       = 0x87
	opEqualVerify = 0x88
	opHash160     = 0xa9
	opCheckSig    = 0xac
	op1           = 0x51
	op16          = 0x60
)

// KindOf tells the form of an output script, byte for byte.
func KindOf(script []byte) Kind {
	n := len(script)
	switch {
	case n == 25 && script[0] == opDup && script[1] == opHash160 && script[2] == 20 && script[23] == opEqualVerify && script[24] == opCheckSig:
		return P2PKH
	case n == 23 && script[0] == opHash160 && script[1] == 20 && script[22] == opEqual:
		return P2SH
	case n > 0 && script[0] == opReturn:
		return NullData
	case n < 4 || n > 42 || int(script[1]) != n-2 || script[0] != 0 && (script[0] < op1 || script[0] > op16):
		return Other
	case script[0] == 0 && n == 22:
		return P2WPKH
	case script[0] == 0 && n == 34:
		return P2WSH
	case script[0] == op1 && n == 34:
		return P2TR
	}
	return Witness
}

func (k Kind) witness() bool { return k == P2WPKH || k == P2WSH || k == P2TR || k == Witness }

// maxScript is the size beyond which an output script can never be spent.
const maxScript = 10_000

// Dust implements chains.Chain by Bitcoin Core's GetDustThreshold: the fee, at
// the coin's DustRate, of an output with that script and of the input that
// spends it: 546 satoshi for P2PKH and 294 for P2WPKH at 3000 sat/kvB; or by the
// coin's one DustLimit. What can never be spent is never dust.
func (c *Coin) Dust(script []byte) chains.Amount {
	kind := KindOf(script)
	if kind == NullData || len(script) > maxScript {
		return chains.Amount{}
	}
	if c.params.DustLimit > 0 {
		return chains.NewAmount(c.params.DustLimit)
	}
	size := uint64(8 + varintSize(len(script)) + len(script))
	if kind.witness() && c.params.Segwit {
		size += 32 + 4 + 1 + 107/4 + 4
	} else {
		size += 32 + 4 + 1 + 107 + 4
	}
	dust, _ := c.params.DustRate.Fee(size) // at most 10 kB: cannot overflow
	return dust
}

func varintSize(n int) int {
	switch {
	case n < 0xfd:
		return 1
	case n <= 0xffff:
		return 3
	case n <= 0xffffffff:
		return 5
	}
	return 9
}
