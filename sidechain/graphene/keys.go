package graphene

import (
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"log/slog"
	"strings"

	"github.com/decred/dcrd/dcrec/secp256k1/v4"
	//lint:ignore SA1019 the checksum of a public key is RIPEMD-160 for ever
	"golang.org/x/crypto/ripemd160"
)

// DefaultPrefix stands before every public key in text.
const DefaultPrefix = "STM"

// Errors of keys and signatures.
var (
	ErrKey          = errors.New("graphene: invalid key")
	ErrNotCanonical = errors.New("signature is not canonical")
	ErrSignature    = errors.New("invalid signature")
)

// PublicKey is a compressed secp256k1 point. The zero value is Hive's "null
// key", which nobody can sign for.
type PublicKey [33]byte

// ParsePublicKey reads PREFIX || base58(key || first 4 bytes of
// RIPEMD-160(key)). It does not ask whether the point is on the curve: see
// [PublicKey.Valid].
func ParsePublicKey(prefix, text string) (PublicKey, error) {
	var k PublicKey
	body, ok := strings.CutPrefix(text, prefix)
	if !ok {
		return k, fmt.Errorf("%w: %q does not begin with %s", ErrKey, clip(text), prefix)
	}
	b, err := base58Decode(body)
	if err != nil || len(b) != len(k)+4 {
		return k, fmt.Errorf("%w: %q is not a public key", ErrKey, clip(text))
	}
	if sum := keyChecksum(b[:len(k)]); !bytes.Equal(sum, b[len(k):]) {
		return k, fmt.Errorf("%w: checksum of %q does not match", ErrKey, text)
	}
	copy(k[:], b)
	return k, nil
}

// String is the key with the prefix STM.
func (k PublicKey) String() string { return k.Text(DefaultPrefix) }

// Text is the key with a prefix of one's own.
func (k PublicKey) Text(prefix string) string {
	return prefix + base58Encode(append(k[:], keyChecksum(k[:])...))
}

// Valid says whether the key is a point of the curve, so that a signature of
// it can exist.
func (k PublicKey) Valid() bool {
	_, err := secp256k1.ParsePubKey(k[:])
	return err == nil
}

// MarshalText writes the key with the prefix STM.
func (k PublicKey) MarshalText() ([]byte, error) { return []byte(k.String()), nil }

// UnmarshalText reads a key with the prefix STM.
func (k *PublicKey) UnmarshalText(text []byte) (err error) {
	*k, err = ParsePublicKey(DefaultPrefix, string(text))
	return err
}

func keyChecksum(key []byte) []byte {
	sum := RIPEMD160(key)
	return sum[:4]
}

// RIPEMD160 is the hash of the format's keys and merkle roots.
func RIPEMD160(b []byte) (sum [20]byte) {
	h := ripemd160.New()
	h.Write(b)
	h.Sum(sum[:0])
	return sum
}

// PrivateKey signs. It never shows itself in logs or formatted text.
type PrivateKey struct{ scalar *secp256k1.PrivateKey }

// wifVersion is the first byte of a key in wallet import format, uncompressed
// form, as all Graphene chains write it.
const wifVersion = 0x80

// ParseWIF reads base58(0x80 || 32 bytes || first 4 bytes of
// SHA-256(SHA-256(…))).
func ParseWIF(text string) (PrivateKey, error) {
	b, err := base58Decode(text)
	if err != nil || len(b) != 37 || b[0] != wifVersion {
		return PrivateKey{}, fmt.Errorf("%w: not a private key in wallet import format", ErrKey)
	}
	if sum := wifChecksum(b[:33]); !bytes.Equal(sum, b[33:]) {
		return PrivateKey{}, fmt.Errorf("%w: checksum of the private key does not match", ErrKey)
	}
	return NewPrivateKey([32]byte(b[1:33]))
}

// NewPrivateKey takes a scalar between 1 and the group order.
func NewPrivateKey(secret [32]byte) (PrivateKey, error) {
	var s secp256k1.ModNScalar
	if overflow := s.SetBytes(&secret); overflow != 0 || s.IsZero() {
		return PrivateKey{}, fmt.Errorf("%w: private key out of range", ErrKey)
	}
	return PrivateKey{secp256k1.NewPrivateKey(&s)}, nil
}

// LoginKey is the key that Hive derives from a password:
// SHA-256(account || role || password), role owner, active, posting or memo.
func LoginKey(account, role, password string) (PrivateKey, error) {
	return NewPrivateKey(sha256.Sum256([]byte(account + role + password)))
}

// WIF is the key in wallet import format. It is the secret itself.
func (k PrivateKey) WIF() string {
	b := append([]byte{wifVersion}, k.scalar.Serialize()...)
	return base58Encode(append(b, wifChecksum(b)...))
}

func wifChecksum(b []byte) []byte {
	first := sha256.Sum256(b)
	second := sha256.Sum256(first[:])
	return second[:4]
}

// IsZero says that no key is set.
func (k PrivateKey) IsZero() bool { return k.scalar == nil }

// Public is the key's public half.
func (k PrivateKey) Public() PublicKey {
	return PublicKey(k.scalar.PubKey().SerializeCompressed())
}

// String, GoString and LogValue hide the key.
func (PrivateKey) String() string       { return "[redacted]" }
func (PrivateKey) GoString() string     { return "[redacted]" }
func (PrivateKey) LogValue() slog.Value { return slog.StringValue("[redacted]") }

func clip(s string) string {
	if len(s) > 80 {
		return s[:80] + "…"
	}
	return s
}
