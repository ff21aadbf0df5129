package hotwallet

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strconv"

	"causeway/chains"
	"causeway/chains/address"

	"github.com/btcsuite/btcd/btcec/v2"
)

// depositDomain begins every message that a deposit tweak is computed from.
const depositDomain = "causeway/deposit/1"

// maxTweaks bounds the search for a valid tweak. One in 2^128 is invalid.
const maxTweaks = 256

var errTweak = errors.New("no valid tweak")

// macFunc is HMAC-SHA256; tests put others in its place.
type macFunc func(key, message []byte) [32]byte

func hmacSHA256(key, message []byte) (sum [32]byte) {
	mac := hmac.New(sha256.New, key)
	mac.Write(message)
	mac.Sum(sum[:0])
	return sum
}

// Branch is the published derivation key P of one chain, network and epoch. It
// yields the deposit key, script and address of every account, and needs no
// secret for it: whoever knows P can check that an address is his
// (docs/adr/0004):
//
//	t   = HMAC-SHA256(P, "causeway/deposit/1" 00 network 00 chain 00 epoch 00 account)
//	key = P + t·G
//
// A Branch is immutable and safe for concurrent use.
type Branch struct {
	chain   chains.ID
	network chains.Network
	epoch   uint32
	spec    coinSpec
	p       [33]byte
	point   btcec.JacobianPoint
	prefix  []byte // the message up to the account
	mac     macFunc
}

// NewBranch parses P, a compressed public key.
func NewBranch(p [33]byte, network chains.Network, chain chains.ID, epoch uint32) (*Branch, error) {
	spec, err := specOf(chain)
	if err != nil {
		return nil, err
	}
	if err := checkNetwork(network); err != nil {
		return nil, err
	}
	key, err := btcec.ParsePubKey(p[:])
	if err != nil {
		return nil, fmt.Errorf("derivation key %s of %s: %w", hex.EncodeToString(p[:]), chain, err)
	}
	b := &Branch{chain: chain, network: network, epoch: epoch, spec: spec, p: p, mac: hmacSHA256}
	key.AsJacobian(&b.point)
	b.prefix = fmt.Appendf(nil, "%s\x00%s\x00%s\x00%s\x00",
		depositDomain, network, chain, strconv.FormatUint(uint64(epoch), 10))
	return b, nil
}

// Key is the account's deposit public key, compressed.
func (b *Branch) Key(account string) ([33]byte, error) {
	t, err := b.tweak(account)
	if err != nil {
		return [33]byte{}, err
	}
	var shift, sum btcec.JacobianPoint
	btcec.ScalarBaseMultNonConst(t, &shift)
	btcec.AddNonConst(&b.point, &shift, &sum)
	if (sum.X.IsZero() && sum.Y.IsZero()) || sum.Z.IsZero() {
		return [33]byte{}, fmt.Errorf("deposit key of %q: point at infinity: %w", account, errTweak)
	}
	sum.ToAffine()
	return [33]byte(btcec.NewPublicKey(&sum.X, &sum.Y).SerializeCompressed()), nil
}

// Script is the output script that the account's deposits pay (ETH: the 20
// bytes of the address).
func (b *Branch) Script(account string) ([]byte, error) {
	key, err := b.Key(account)
	if err != nil {
		return nil, err
	}
	return b.spec.script(key)
}

// Address is the account's deposit address in canonical form.
func (b *Branch) Address(account string) (string, error) {
	script, err := b.Script(account)
	if err != nil {
		return "", err
	}
	return encodeAddress(b.chain, b.network, script)
}

// tweak is t: not zero and below the group's order.
func (b *Branch) tweak(account string) (*btcec.ModNScalar, error) {
	if err := checkAccount(account); err != nil {
		return nil, err
	}
	message := append(append([]byte(nil), b.prefix...), account...)
	for range maxTweaks {
		sum := b.mac(b.p[:], message)
		var t btcec.ModNScalar
		if overflow := t.SetBytes(&sum); overflow == 0 && !t.IsZero() {
			return &t, nil
		}
		message = append(message, 0)
	}
	return nil, fmt.Errorf("account %q: %w", account, errTweak)
}

// checkAccount refuses what would make the message of a tweak ambiguous. The
// form of account names is the base layer's affair.
func checkAccount(account string) error {
	if account == "" {
		return errors.New("deposit key of an account without a name")
	}
	for _, c := range []byte(account) {
		if c <= ' ' || c > '~' {
			return fmt.Errorf("deposit key of account %q: not printable ASCII", account)
		}
	}
	return nil
}

func checkNetwork(network chains.Network) error {
	switch network {
	case chains.Mainnet, chains.Testnet, chains.Regtest:
		return nil
	}
	return fmt.Errorf("unknown network %q", network)
}

// DepositKey is the deposit public key of an account, from P alone.
func DepositKey(p [33]byte, network chains.Network, chain chains.ID, epoch uint32, account string) ([33]byte, error) {
	b, err := NewBranch(p, network, chain, epoch)
	if err != nil {
		return [33]byte{}, err
	}
	return b.Key(account)
}

// DepositAddress is the deposit address of an account, from P alone.
func DepositAddress(p [33]byte, network chains.Network, chain chains.ID, epoch uint32, account string) (string, error) {
	b, err := NewBranch(p, network, chain, epoch)
	if err != nil {
		return "", err
	}
	return b.Address(account)
}

func encodeAddress(chain chains.ID, network chains.Network, script []byte) (string, error) {
	text, err := address.Encode(string(chain), string(network), script)
	if err != nil {
		return "", fmt.Errorf("address of a %s script: %w", chain, err)
	}
	return text, nil
}
