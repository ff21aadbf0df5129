package address

import (
	"fmt"
	"strings"
)

// CashAddr type bits. The token-aware forms say that the owner's wallet knows
// CashTokens; for coins they mean the same script.
const (
	cashPubKeyHash      = 0
	cashScriptHash      = 1
	cashTokenPubKeyHash = 2
	cashTokenScriptHash = 3
)

// decodeCash reads CashAddr, with or without its prefix. The legacy base58
// form is refused: it cannot be told from a Bitcoin address.
func (p *params) decodeCash(text string) ([]byte, error) {
	lower := strings.ToLower(text)
	if prefix, known := segwitPrefix(text); known {
		return nil, fmt.Errorf("%w: no segwit on this chain (prefix %s)", ErrUnsupported, prefix)
	}
	if _, _, err := parseBase58Check(text); err == nil {
		return nil, fmt.Errorf("%w: legacy form, use the CashAddr form", ErrUnsupported)
	}
	if len(text) > bech32Longest {
		return nil, fmt.Errorf("%w: %d characters", ErrForm, len(text))
	}
	if text != lower && text != strings.ToUpper(text) {
		return nil, ErrMixedCase
	}
	prefix, body, found := strings.Cut(lower, ":")
	if !found {
		prefix, body = p.cash, lower
	}
	if len(body) < 8 {
		return nil, fmt.Errorf("%w: too short", ErrForm)
	}
	values := make([]byte, len(body))
	for i := range len(body) {
		at := strings.IndexByte(bech32Alphabet, body[i])
		if at < 0 {
			return nil, fmt.Errorf("%w: character %q", ErrForm, body[i])
		}
		values[i] = byte(at)
	}
	if cashSum(append(expandCashPrefix(prefix), values...)) != 0 {
		return nil, ErrChecksum
	}
	if prefix != p.cash {
		return nil, fmt.Errorf("%w: prefix %q, want %q", ErrNetwork, prefix, p.cash)
	}
	return cashScript(values[:len(values)-8])
}

func cashScript(values []byte) ([]byte, error) {
	raw, ok := regroup(values, 5, 8, false)
	if !ok || len(raw) == 0 || raw[0]&0x80 != 0 {
		return nil, fmt.Errorf("%w: bad payload", ErrForm)
	}
	sizes := [8]int{20, 24, 28, 32, 40, 48, 56, 64}
	hash := raw[1:]
	if size := sizes[raw[0]&7]; len(hash) != size {
		return nil, fmt.Errorf("%w: hash of %d bytes, %d announced", ErrForm, len(hash), size)
	}
	kind := raw[0] >> 3
	if len(hash) != 20 || kind > cashTokenScriptHash {
		return nil, fmt.Errorf("%w: type %d with %d bytes", ErrUnsupported, kind, len(hash))
	}
	if kind == cashPubKeyHash || kind == cashTokenPubKeyHash {
		return payToPubKeyHash(hash), nil
	}
	return payToScriptHash(hash), nil
}

func (p *params) encodeCash(kind Type, hash []byte) (string, error) {
	version := byte(cashPubKeyHash << 3)
	switch kind {
	case P2PKH:
	case P2SH:
		version = cashScriptHash << 3
	default:
		return "", ErrUnsupported
	}
	values, _ := regroup(append([]byte{version}, hash...), 8, 5, true)
	sum := cashSum(append(append(expandCashPrefix(p.cash), values...), 0, 0, 0, 0, 0, 0, 0, 0))
	for i := range 8 {
		values = append(values, byte(sum>>(5*(7-i)))&31)
	}
	return p.cash + ":" + bech32Text(values), nil
}

// expandCashPrefix is the lower five bits of each character and a zero.
func expandCashPrefix(prefix string) []byte {
	out := make([]byte, 0, len(prefix)+1)
	for i := range len(prefix) {
		out = append(out, prefix[i]&31)
	}
	return append(out, 0)
}

// cashSum is CashAddr's 40-bit polynomial remainder; 0 over a whole valid
// address.
func cashSum(values []byte) uint64 {
	generators := [5]uint64{0x98F2BC8E61, 0x79B76D99E2, 0xF33E5FB3C4, 0xAE2EABE2A8, 0x1E4F43E470}
	sum := uint64(1)
	for _, v := range values {
		top := sum >> 35
		sum = (sum&0x07FFFFFFFF)<<5 ^ uint64(v)
		for i, g := range generators {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	return sum ^ 1
}
