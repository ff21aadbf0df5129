package utxo

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// HeaderBytes is the size of a block header.
const HeaderBytes = 80

// target expands the compact form of a header's bits to an unsigned big-endian
// number; ok is false for a negative, zero or too large one.
func target(bits uint32) (t hash, ok bool) {
	mantissa, exponent := bits&0x007fffff, int(bits>>24)
	if bits&0x00800000 != 0 || exponent > 34 {
		return t, false
	}
	// The mantissa's last byte stands at 256^(exponent-3).
	for i := range 3 {
		digit := byte(mantissa >> (8 * i))
		place := exponent - 3 + i
		switch {
		case place >= 0 && place < 32:
			t[31-place] = digit
		case place >= 32 && digit != 0:
			return hash{}, false
		}
	}
	return t, t != hash{}
}

// checkWork verifies that the header's hash meets the target that the header
// itself names, and that the target is not easier than the network allows.
func (c *Coin) checkWork(header []byte, id hash) error {
	bits := binary.LittleEndian.Uint32(header[72:])
	t, ok := target(bits)
	if !ok || bytes.Compare(t[:], c.params.MaxTarget[:]) > 0 {
		return fmt.Errorf("bits %08x: target out of range", bits)
	}
	var number hash
	for i := range id {
		number[i] = id[31-i]
	}
	if bytes.Compare(number[:], t[:]) > 0 {
		return fmt.Errorf("bits %08x: not enough proof of work", bits)
	}
	return nil
}
