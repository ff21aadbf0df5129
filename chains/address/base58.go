package address

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"strings"
)

const base58Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// base58Length is the size of a base58check address: version, hash, checksum.
const base58Length = 1 + 20 + 4

func (p *params) decodeBase58(text string) ([]byte, error) {
	version, hash, err := parseBase58Check(text)
	if err != nil {
		return nil, err
	}
	switch {
	case version == p.pubKeyHash:
		return payToPubKeyHash(hash), nil
	case version == p.scriptHash, p.oldScript != 0 && version == p.oldScript:
		return payToScriptHash(hash), nil
	}
	return nil, fmt.Errorf("%w: version 0x%02x", ErrNetwork, version)
}

// parseBase58Check reads a text of exactly version, 20 bytes and checksum.
func parseBase58Check(text string) (version byte, hash []byte, err error) {
	if len(text) < 25 || len(text) > 35 {
		return 0, nil, fmt.Errorf("%w: %d characters", ErrForm, len(text))
	}
	var raw [base58Length]byte
	for i := 0; i < len(text); i++ {
		digit := strings.IndexByte(base58Alphabet, text[i])
		if digit < 0 {
			return 0, nil, fmt.Errorf("%w: character %q", ErrForm, text[i])
		}
		for j := len(raw) - 1; j >= 0; j-- {
			digit += int(raw[j]) * 58
			raw[j] = byte(digit)
			digit >>= 8
		}
		if digit != 0 {
			return 0, nil, fmt.Errorf("%w: longer than an address", ErrForm)
		}
	}
	// Leading ones stand for leading zero bytes, one for one.
	if base58Text(raw[:]) != text {
		return 0, nil, fmt.Errorf("%w: wrong length", ErrForm)
	}
	body := raw[:base58Length-4]
	if sum := checksum(body); !bytes.Equal(sum[:4], raw[base58Length-4:]) {
		return 0, nil, ErrChecksum
	}
	return body[0], bytes.Clone(body[1:]), nil
}

func base58Check(version byte, hash []byte) string {
	body := append([]byte{version}, hash...)
	sum := checksum(body)
	return base58Text(append(body, sum[:4]...))
}

func checksum(body []byte) [32]byte {
	first := sha256.Sum256(body)
	return sha256.Sum256(first[:])
}

// base58Text writes bytes in base 58, a one for each leading zero byte.
func base58Text(raw []byte) string {
	zeros := 0
	for zeros < len(raw) && raw[zeros] == 0 {
		zeros++
	}
	digits := make([]byte, 0, 2*len(raw)) // least significant first
	for _, b := range raw[zeros:] {
		carry := int(b)
		for i := range digits {
			carry += int(digits[i]) << 8
			digits[i] = byte(carry % 58)
			carry /= 58
		}
		for ; carry > 0; carry /= 58 {
			digits = append(digits, byte(carry%58))
		}
	}
	out := bytes.Repeat([]byte{base58Alphabet[0]}, zeros)
	for i := len(digits) - 1; i >= 0; i-- {
		out = append(out, base58Alphabet[digits[i]])
	}
	return string(out)
}
