package address

import (
	"fmt"
	"strings"
)

const (
	bech32Alphabet = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
	bech32Final    = 1          // BIP 173, witness version 0
	bech32mFinal   = 0x2BC830A3 // BIP 350, later versions
	bech32Longest  = 90
)

// segwitPrefix returns the lower-case prefix of a text that carries one of the
// known bech32 prefixes.
func segwitPrefix(text string) (string, bool) {
	at := strings.LastIndexByte(text, '1')
	if at < 1 || at > 7 {
		return "", false
	}
	prefix := strings.ToLower(text[:at])
	return prefix, segwitKind(prefix) != ""
}

func (p *params) decodeSegwit(prefix, text string) ([]byte, error) {
	if segwitKind(prefix) == "mweb" {
		return nil, fmt.Errorf("%w: MWEB payouts cannot be watched or proven", ErrUnsupported)
	}
	if p.segwit == "" {
		return nil, fmt.Errorf("%w: no segwit on this chain", ErrUnsupported)
	}
	data, final, err := parseBech32(prefix, text)
	if err != nil {
		return nil, err
	}
	if prefix != p.segwit {
		return nil, fmt.Errorf("%w: prefix %q, want %q", ErrNetwork, prefix, p.segwit)
	}
	if len(data) == 0 || data[0] > 16 {
		return nil, fmt.Errorf("%w: no witness version", ErrForm)
	}
	version := data[0]
	if (version == 0) != (final == bech32Final) {
		return nil, fmt.Errorf("%w: witness version %d needs the other bech32 form", ErrChecksum, version)
	}
	program, ok := regroup(data[1:], 5, 8, false)
	if !ok || len(program) < 2 || len(program) > 40 {
		return nil, fmt.Errorf("%w: bad witness program", ErrForm)
	}
	switch {
	case version == 0 && (len(program) == 20 || len(program) == 32), version == 1 && len(program) == 32:
		return payToWitness(version, program), nil
	case version == 0:
		return nil, fmt.Errorf("%w: witness program of %d bytes", ErrForm, len(program))
	}
	return nil, fmt.Errorf("%w: witness version %d with %d bytes", ErrUnsupported, version, len(program))
}

// parseBech32 checks characters, case and checksum, and returns the data
// without checksum and the checksum's constant.
func parseBech32(prefix, text string) (data []byte, final uint32, err error) {
	if len(text) > bech32Longest {
		return nil, 0, fmt.Errorf("%w: %d characters", ErrForm, len(text))
	}
	lower := strings.ToLower(text)
	if text != lower && text != strings.ToUpper(text) {
		return nil, 0, ErrMixedCase
	}
	body := lower[len(prefix)+1:]
	if len(body) < 6 {
		return nil, 0, fmt.Errorf("%w: too short", ErrForm)
	}
	values := make([]byte, len(body))
	for i := range len(body) {
		at := strings.IndexByte(bech32Alphabet, body[i])
		if at < 0 {
			return nil, 0, fmt.Errorf("%w: character %q", ErrForm, body[i])
		}
		values[i] = byte(at)
	}
	final = bech32Sum(append(expandPrefix(prefix), values...))
	if final != bech32Final && final != bech32mFinal {
		return nil, 0, ErrChecksum
	}
	return values[:len(values)-6], final, nil
}

func encodeSegwit(prefix string, version byte, program []byte) string {
	final := uint32(bech32Final)
	if version > 0 {
		final = bech32mFinal
	}
	groups, _ := regroup(program, 8, 5, true)
	values := append([]byte{version}, groups...)
	sum := bech32Sum(append(append(expandPrefix(prefix), values...), 0, 0, 0, 0, 0, 0)) ^ final
	for i := range 6 {
		values = append(values, byte(sum>>(5*(5-i)))&31)
	}
	return prefix + "1" + bech32Text(values)
}

// expandPrefix is BIP 173's expansion of the human-readable part.
func expandPrefix(prefix string) []byte {
	out := make([]byte, 0, 2*len(prefix)+1)
	for i := range len(prefix) {
		out = append(out, prefix[i]>>5)
	}
	out = append(out, 0)
	for i := range len(prefix) {
		out = append(out, prefix[i]&31)
	}
	return out
}

// bech32Sum is BIP 173's polynomial remainder.
func bech32Sum(values []byte) uint32 {
	generators := [5]uint32{0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3}
	sum := uint32(1)
	for _, v := range values {
		top := sum >> 25
		sum = (sum&0x1FFFFFF)<<5 ^ uint32(v)
		for i, g := range generators {
			if top>>i&1 == 1 {
				sum ^= g
			}
		}
	}
	return sum
}

func bech32Text(values []byte) string {
	out := make([]byte, len(values))
	for i, v := range values {
		out[i] = bech32Alphabet[v]
	}
	return string(out)
}

// regroup changes the width of groups of bits. Without padding, what is left
// over must be less than a group and all zero.
func regroup(in []byte, from, to uint, pad bool) ([]byte, bool) {
	var out []byte
	acc, n := uint32(0), uint(0)
	for _, v := range in {
		acc = acc<<from | uint32(v)
		n += from
		for n >= to {
			n -= to
			out = append(out, byte(acc>>n)&(1<<to-1))
		}
		acc &= 1<<n - 1
	}
	if pad {
		if n > 0 {
			out = append(out, byte(acc<<(to-n))&(1<<to-1))
		}
		return out, true
	}
	return out, n < from && acc == 0
}
