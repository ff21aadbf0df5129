package graphene

import (
	"errors"
	"math/big"
)

const base58Alphabet = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"

// base58Encode writes b in Bitcoin's base 58: a leading zero byte becomes a
// leading '1'.
func base58Encode(b []byte) string {
	n, radix, digit := new(big.Int).SetBytes(b), big.NewInt(58), new(big.Int)
	var out []byte
	for n.Sign() > 0 {
		n.DivMod(n, radix, digit)
		out = append(out, base58Alphabet[digit.Int64()])
	}
	for i := 0; i < len(b) && b[i] == 0; i++ {
		out = append(out, '1')
	}
	for i, j := 0, len(out)-1; i < j; i, j = i+1, j-1 {
		out[i], out[j] = out[j], out[i]
	}
	return string(out)
}

// base58Decode undoes base58Encode for texts of at most 128 digits.
func base58Decode(text string) ([]byte, error) {
	if len(text) > 128 {
		return nil, errors.New("base58 text too long")
	}
	n, radix := new(big.Int), big.NewInt(58)
	zeros := 0
	for i := 0; i < len(text); i++ {
		digit := base58Digit(text[i])
		if digit < 0 {
			return nil, errors.New("not a base58 digit")
		}
		if digit == 0 && zeros == i {
			zeros++
		}
		n.Mul(n, radix).Add(n, big.NewInt(int64(digit)))
	}
	return append(make([]byte, zeros), n.Bytes()...), nil
}

func base58Digit(c byte) int {
	for i := 0; i < len(base58Alphabet); i++ {
		if base58Alphabet[i] == c {
			return i
		}
	}
	return -1
}
