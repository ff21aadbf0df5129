package graphene

import (
	"encoding/hex"
	"fmt"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	"github.com/decred/dcrd/dcrec/secp256k1/v4/ecdsa"
)

// Signature is recoverable: 31 + recovery id, then r and s, big-endian. 31 to
// 34 say that the key is compressed.
type Signature [65]byte

// ParseSignature reads 130 hex digits.
func ParseSignature(text string) (Signature, error) {
	var s Signature
	if len(text) != 2*len(s) {
		return s, fmt.Errorf("%w: %d hex digits instead of %d", ErrSignature, len(text), 2*len(s))
	}
	if _, err := hex.Decode(s[:], []byte(text)); err != nil {
		return s, fmt.Errorf("%w: not hexadecimal", ErrSignature)
	}
	return s, nil
}

// String is the signature in 130 lower-case hex digits.
func (s Signature) String() string { return hex.EncodeToString(s[:]) }

// Canonical is the rule of BIP 62, which Hive applies since its hard fork 20:
// s is in the lower half of the group order, so that nobody but the key's
// holder can respell a signature. fc's older rule is stricter and would refuse
// what today's clients make (hive-tx among them).
func (s Signature) Canonical() bool {
	var scalar secp256k1.ModNScalar
	overflow := scalar.SetByteSlice(s[33:65])
	return !overflow && !scalar.IsOverHalfOrder()
}

// fcCanonical is the older rule: neither r nor s has its top bit set, nor a
// needless leading zero byte.
func (s Signature) fcCanonical() bool {
	half := func(b []byte) bool {
		return b[0]&0x80 == 0 && (b[0] != 0 || b[1]&0x80 != 0)
	}
	return half(s[1:33]) && half(s[33:65])
}

// Sign makes a signature that is canonical by both rules, so that every
// verifier takes it. Nonces follow RFC 6979; those that give another form
// (about half) are passed over, and the result is a function of key and digest
// alone.
func (k PrivateKey) Sign(digest [32]byte) Signature {
	secret := k.scalar.Serialize()
	defer clear(secret)
	for i := uint32(0); ; i++ {
		nonce := secp256k1.NonceRFC6979(secret, digest[:], nil, nil, i)
		s, ok := signWith(&k.scalar.Key, nonce, digest)
		nonce.Zero()
		if ok && s.Canonical() && s.fcCanonical() {
			return s
		}
	}
}

// signWith is ECDSA with a given nonce: r = (kG).x, s = (digest + r*key)/k,
// s in the lower half. False when r or s is 0.
func signWith(key, nonce *secp256k1.ModNScalar, digest [32]byte) (sig Signature, ok bool) {
	var point secp256k1.JacobianPoint
	secp256k1.ScalarBaseMultNonConst(nonce, &point)
	point.ToAffine()

	var r secp256k1.ModNScalar
	x := point.X.Bytes()
	recovery := byte(r.SetBytes(x)) << 1 // x was not below the order
	if point.Y.IsOdd() {
		recovery |= 1
	}

	var z, s secp256k1.ModNScalar
	z.SetBytes(&digest)
	s.Mul2(key, &r).Add(&z)
	s.Mul(new(secp256k1.ModNScalar).InverseValNonConst(nonce))
	if r.IsZero() || s.IsZero() {
		return sig, false
	}
	if s.IsOverHalfOrder() {
		s.Negate()
		recovery ^= 1
	}

	sig[0] = 31 + recovery
	r.PutBytesUnchecked(sig[1:33])
	s.PutBytesUnchecked(sig[33:65])
	return sig, true
}

// Recover gives the key that made the signature. A signature that is not
// canonical is refused with ErrNotCanonical.
func Recover(digest [32]byte, sig Signature) (PublicKey, error) {
	if sig[0] < 31 || sig[0] > 34 {
		return PublicKey{}, fmt.Errorf("%w: recovery byte %d", ErrSignature, sig[0])
	}
	if !sig.Canonical() {
		return PublicKey{}, ErrNotCanonical
	}
	key, _, err := ecdsa.RecoverCompact(sig[:], digest[:])
	if err != nil {
		return PublicKey{}, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return PublicKey(key.SerializeCompressed()), nil
}
