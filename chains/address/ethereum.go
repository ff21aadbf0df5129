package address

import (
	"encoding/hex"
	"fmt"
	"strings"

	"golang.org/x/crypto/sha3"
)

// decodeEthereum reads 0x and 40 hex digits. Digits of one case carry no
// checksum; of both cases they must follow EIP-55.
func decodeEthereum(text string) ([]byte, error) {
	digits, ok := strings.CutPrefix(text, "0x")
	if !ok || len(digits) != 40 {
		return nil, fmt.Errorf("%w: want 0x and 40 hex digits", ErrForm)
	}
	raw, err := hex.DecodeString(digits)
	if err != nil {
		return nil, fmt.Errorf("%w: want 0x and 40 hex digits", ErrForm)
	}
	if digits == strings.ToLower(digits) || digits == strings.ToUpper(digits) {
		return raw, nil
	}
	if canonical, _ := encodeEthereum(raw); canonical != text {
		return nil, fmt.Errorf("%w (EIP-55)", ErrChecksum)
	}
	return raw, nil
}

// encodeEthereum writes the EIP-55 form: a letter is upper case where the
// digit of keccak256 of the lower-case text at its place is 8 or more.
func encodeEthereum(raw []byte) (string, error) {
	if len(raw) != 20 {
		return "", fmt.Errorf("%w: %d bytes", ErrForm, len(raw))
	}
	text := []byte(hex.EncodeToString(raw))
	h := sha3.NewLegacyKeccak256()
	h.Write(text)
	sum := h.Sum(nil)
	for i, c := range text {
		if digit := sum[i/2] >> (4 * (1 - i%2)) & 15; c > '9' && digit >= 8 {
			text[i] = c - 'a' + 'A'
		}
	}
	return "0x" + string(text), nil
}
