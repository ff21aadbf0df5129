package ethereum

import (
	"fmt"
	"math/big"
	"strings"

	"github.com/holiman/uint256"

	"causeway/chains"
)

// Wei is a count of base units, of the chain's own coin or of a token: an unsigned
// integer of 256 bits, as contracts count. The zero value is zero. Values are
// comparable with == and can be map keys. Text and JSON form is the decimal
// integer, in JSON as a string, like that of chains.Amount, which holds every
// amount that money is made of (Amount): of coins there are fewer than 2^87 wei.
type Wei struct{ n uint256.Int }

const maxWeiDigits = 78 // length of 2^256-1 in decimal

// NewWei is v base units.
func NewWei(v uint64) Wei { return Wei{*uint256.NewInt(v)} }

// WeiOf converts an amount.
func WeiOf(a chains.Amount) Wei {
	w, _ := WeiFromBig(a.Big())
	return w
}

// WeiFromBig converts a non-negative integer below 2^256; errors are
// chains.ErrAmountRange.
func WeiFromBig(v *big.Int) (Wei, error) {
	if v == nil || v.Sign() < 0 || v.BitLen() > 256 {
		return Wei{}, fmt.Errorf("%w: not an unsigned integer of 256 bits", chains.ErrAmountRange)
	}
	n, _ := uint256.FromBig(v)
	return Wei{*n}, nil
}

// ParseWei reads the decimal integer text: digits only, no sign, no leading zero.
// Errors are chains.ErrAmountSyntax and chains.ErrAmountRange.
func ParseWei(text string) (Wei, error) {
	if text == "" || len(text) > 1 && text[0] == '0' || strings.Trim(text, "0123456789") != "" {
		return Wei{}, fmt.Errorf("%w: %q", chains.ErrAmountSyntax, clip(text))
	}
	if len(text) > maxWeiDigits {
		return Wei{}, fmt.Errorf("%w: %q", chains.ErrAmountRange, clip(text))
	}
	v, _ := new(big.Int).SetString(text, 10)
	return WeiFromBig(v)
}

// ParseGwei reads a decimal number of gwei, 10^9 wei, with at most nine decimals:
// what fees are configured in.
func ParseGwei(text string) (Wei, error) {
	a, err := chains.FromCoin(text, 9)
	if err != nil {
		return Wei{}, err
	}
	return WeiOf(a), nil
}

// Amount is the value as an amount, or chains.ErrAmountRange from 2^128: no coin
// or token worth its name has so many units, but a log can claim them.
func (w Wei) Amount() (chains.Amount, error) { return chains.AmountFromBig(w.Big()) }

// Add is w + o, or chains.ErrAmountRange.
func (w Wei) Add(o Wei) (Wei, error) {
	var sum Wei
	if _, over := sum.n.AddOverflow(&w.n, &o.n); over {
		return Wei{}, fmt.Errorf("%w: %s + %s", chains.ErrAmountRange, w, o)
	}
	return sum, nil
}

// Sub is w - o, or chains.ErrAmountRange when o is greater.
func (w Wei) Sub(o Wei) (Wei, error) {
	var rest Wei
	if _, under := rest.n.SubOverflow(&w.n, &o.n); under {
		return Wei{}, fmt.Errorf("%w: %s - %s", chains.ErrAmountRange, w, o)
	}
	return rest, nil
}

// Times is w × n, or chains.ErrAmountRange.
func (w Wei) Times(n uint64) (Wei, error) {
	var product Wei
	if _, over := product.n.MulOverflow(&w.n, uint256.NewInt(n)); over {
		return Wei{}, fmt.Errorf("%w: %s × %d", chains.ErrAmountRange, w, n)
	}
	return product, nil
}

// eighth is w / 8 rounded up.
func (w Wei) eighth() Wei {
	var quotient, rest Wei
	quotient.n.DivMod(&w.n, uint256.NewInt(8), &rest.n)
	if !rest.IsZero() {
		quotient.n.AddUint64(&quotient.n, 1)
	}
	return quotient
}

// Cmp is -1, 0 or +1 as w is less than, equal to or greater than o.
func (w Wei) Cmp(o Wei) int { return w.n.Cmp(&o.n) }

// Less reports w < o.
func (w Wei) Less(o Wei) bool { return w.n.Lt(&o.n) }

// Equal reports w == o; go-cmp uses it.
func (w Wei) Equal(o Wei) bool { return w == o }

// IsZero reports whether w is 0.
func (w Wei) IsZero() bool { return w.n.IsZero() }

// Big is the value as a new big integer.
func (w Wei) Big() *big.Int { return w.n.ToBig() }

// Bytes is the value as 32 bytes, big-endian: a word of the EVM.
func (w Wei) Bytes() [32]byte { return w.n.Bytes32() }

// weiOfWord reads a word of the EVM.
func weiOfWord(word []byte) Wei {
	var w Wei
	w.n.SetBytes(word)
	return w
}

// String is the decimal integer.
func (w Wei) String() string { return w.n.Dec() }

// MarshalText is String; JSON therefore carries it as a string.
func (w Wei) MarshalText() ([]byte, error) { return []byte(w.String()), nil }

// UnmarshalText is ParseWei.
func (w *Wei) UnmarshalText(text []byte) error {
	v, err := ParseWei(string(text))
	if err == nil {
		*w = v
	}
	return err
}
