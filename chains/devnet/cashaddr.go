package devnet

import (
	"errors"
	"strings"

	"github.com/btcsuite/btcd/address/v2/bech32"
	"github.com/btcsuite/btcd/txscript/v2"
)

// CashAddresses are CashAddr addresses: written with the prefix, read with or
// without it, the token-aware types too.
type CashAddresses struct{ Prefix string }

var _ AddressCodec = CashAddresses{}

const (
	cashAlphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	cashSumSize  = 8
	// cashSize is type and hash of 20 bytes in groups of five bits, and checksum.
	cashSize = 34 + cashSumSize
)

var errCashAddress = errors.New("not an address of this network")

// Encode implements AddressCodec.
func (a CashAddresses) Encode(script []byte) string {
	var payload []byte
	switch {
	case txscript.IsPayToPubKeyHash(script):
		payload = append([]byte{0}, script[3:23]...)
	case txscript.IsPayToScriptHash(script):
		payload = append([]byte{8}, script[2:22]...)
	default:
		return ""
	}
	digits, err := bech32.ConvertBits(payload, 8, 5, true)
	if err != nil {
		return ""
	}
	sum := a.polymod(append(digits, make([]byte, cashSumSize)...))
	for i := range cashSumSize {
		digits = append(digits, byte(sum>>(5*(cashSumSize-1-i)))&31)
	}
	var text strings.Builder
	text.WriteString(a.Prefix + ":")
	for _, d := range digits {
		text.WriteByte(cashAlphabet[d])
	}
	return text.String()
}

// Decode implements AddressCodec.
func (a CashAddresses) Decode(text string) ([]byte, error) {
	lower := strings.ToLower(text)
	body := strings.TrimPrefix(lower, a.Prefix+":")
	if text != lower && text != strings.ToUpper(text) || len(body) != cashSize {
		return nil, errCashAddress
	}
	digits := make([]byte, 0, cashSize)
	for _, r := range []byte(body) {
		d := strings.IndexByte(cashAlphabet, r)
		if d < 0 {
			return nil, errCashAddress
		}
		digits = append(digits, byte(d))
	}
	if a.polymod(digits) != 0 {
		return nil, errors.New("wrong checksum")
	}
	payload, err := bech32.ConvertBits(digits[:cashSize-cashSumSize], 5, 8, false)
	if err != nil || len(payload) != 21 {
		return nil, errCashAddress
	}
	switch payload[0] {
	case 0, 2 << 3:
		return pubKeyHashScript(payload[1:]), nil
	case 1 << 3, 3 << 3:
		return scriptHashScript(payload[1:]), nil
	}
	return nil, errors.New("unsupported type of address")
}

// polymod is the remainder of prefix and digits; 0 when the checksum holds.
func (a CashAddresses) polymod(digits []byte) uint64 {
	values := make([]byte, 0, len(a.Prefix)+1+len(digits))
	for _, r := range []byte(a.Prefix) {
		values = append(values, r&31)
	}
	values = append(append(values, 0), digits...)
	c := uint64(1)
	for _, d := range values {
		top := c >> 35
		c = c&(1<<35-1)<<5 ^ uint64(d)
		for bit, g := range []uint64{0x98f2bc8e61, 0x79b76d99e2, 0xf33e5fb3c4, 0xae2eabe2a8, 0x1e4f43e470} {
			if top>>bit&1 == 1 {
				c ^= g
			}
		}
	}
	return c ^ 1
}
