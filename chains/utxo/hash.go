package utxo

import (
	"crypto/sha256"
	"fmt"
	"strings"
)

type hash = [32]byte

// sha256d is Bitcoin's double SHA-256.
func sha256d(b []byte) hash {
	first := sha256.Sum256(b)
	return sha256.Sum256(first[:])
}

const hexDigits = "0123456789abcdef"

// hashText is the form in which tools print a hash: its bytes backwards, as
// lower-case hex.
func hashText(h []byte) string {
	text := reversedHex(h)
	return string(text[:])
}

func reversedHex(h []byte) (text [64]byte) {
	for i, j := 31, 0; i >= 0; i, j = i-1, j+2 {
		text[j], text[j+1] = hexDigits[h[i]>>4], hexDigits[h[i]&15]
	}
	return text
}

// hashTexts collects many hash texts in one string, so that a block costs one
// allocation for all of them and not one each.
type hashTexts struct{ text strings.Builder }

func (t *hashTexts) grow(n int) { t.text.Grow(64 * n) }

// add appends a hash and returns its text. The text stays valid: nothing is
// moved as long as no more than grow allowed are added.
func (t *hashTexts) add(h []byte) string {
	text := reversedHex(h)
	t.text.Write(text[:])
	all := t.text.String()
	return all[len(all)-64:]
}

// parseHash is the inverse of hashText. It is strict: 64 lower-case digits.
func parseHash(text string) (h hash, err error) {
	if !isHash(text) {
		return h, fmt.Errorf("%q is not a transaction or block hash", clip(text))
	}
	for i := range h {
		h[31-i] = nibble(text[2*i])<<4 | nibble(text[2*i+1])
	}
	return h, nil
}

func isHash(text string) bool {
	for _, c := range []byte(text) {
		if (c < '0' || c > '9') && (c < 'a' || c > 'f') {
			return false
		}
	}
	return len(text) == 64
}

func nibble(c byte) byte {
	if c <= '9' {
		return c - '0'
	}
	return c - 'a' + 10
}

func clip(s string) string {
	if len(s) > 72 {
		return s[:72] + "…"
	}
	return s
}

// merkleRoot computes the root over the hashes, which it overwrites. mutated
// reports two equal hashes side by side, with which the same root can be had
// from another list (CVE-2012-2459): such a block must not be accepted.
func merkleRoot(hashes []hash) (root hash, mutated bool) {
	if len(hashes) == 0 {
		return hash{}, false
	}
	var pair [64]byte
	for len(hashes) > 1 {
		half := (len(hashes) + 1) / 2
		for i := range half {
			left, right := hashes[2*i], hashes[2*i]
			if 2*i+1 < len(hashes) {
				right = hashes[2*i+1]
				mutated = mutated || left == right
			}
			copy(pair[:32], left[:])
			copy(pair[32:], right[:])
			hashes[i] = sha256d(pair[:])
		}
		hashes = hashes[:half]
	}
	return hashes[0], mutated
}
