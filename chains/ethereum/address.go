package ethereum

import (
	"encoding/hex"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/crypto"

	"causeway/chains"
	"causeway/chains/address"
)

// Address is an account. Its text, also in JSON, is the EIP-55 form.
type Address [20]byte

// ParseAddress reads 0x and 40 hex digits, strictly: digits of both cases must
// follow EIP-55. Errors are those of chains/address.
func ParseAddress(text string) (Address, error) {
	to, err := address.Decode(string(chains.ETH), string(chains.Mainnet), text)
	if err != nil {
		return Address{}, err
	}
	return Address(to.Script), nil
}

// AddressOf is the account of a key: the last 20 bytes of the Keccak-256 hash of
// its point.
func AddressOf(key *btcec.PublicKey) Address {
	return Address(crypto.Keccak256(key.SerializeUncompressed()[1:])[12:])
}

// String is the EIP-55 form.
func (a Address) String() string { return common.Address(a).Hex() }

// MarshalText is String.
func (a Address) MarshalText() ([]byte, error) { return []byte(a.String()), nil }

// UnmarshalText is ParseAddress.
func (a *Address) UnmarshalText(text []byte) (err error) {
	*a, err = ParseAddress(string(text))
	return err
}

// Hash names a block or a transaction. Its text, also in JSON, is 0x and 64
// lower-case hex digits.
type Hash [32]byte

// ParseHash reads the text of a Hash: lower case only, so that there is one.
func ParseHash(text string) (Hash, error) {
	digits, ok := strings.CutPrefix(text, "0x")
	if !ok || len(digits) != 64 || strings.Trim(digits, "0123456789abcdef") != "" {
		return Hash{}, fmt.Errorf("ethereum: %q is no hash: want 0x and 64 lower-case hex digits", clip(text))
	}
	var h Hash
	_, err := hex.Decode(h[:], []byte(digits))
	return h, err
}

// String is 0x and 64 hex digits.
func (h Hash) String() string { return "0x" + hex.EncodeToString(h[:]) }

// MarshalText is String.
func (h Hash) MarshalText() ([]byte, error) { return []byte(h.String()), nil }

// UnmarshalText is ParseHash.
func (h *Hash) UnmarshalText(text []byte) (err error) {
	*h, err = ParseHash(string(text))
	return err
}

// clip keeps strangers' text short in errors.
func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
