package utxo

import (
	"bytes"
	"encoding/binary"
	"fmt"

	"golang.org/x/crypto/scrypt"
)

// HeaderBytes is the size of a block header.
const HeaderBytes = 80

// BelowPowerOf2 is 2^n - 1 as a big-endian number, n at most 256: a MaxTarget.
func BelowPowerOf2(n uint) (v [32]byte) {
	for i := range n {
		v[31-i/8] |= 1 << (i % 8)
	}
	return v
}

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

// checkWork verifies that the work done for a block meets the target that its
// header names, and that the target is not easier than the network allows. body
// is where the transactions begin: behind the header, or behind the auxiliary
// proof of work that follows it.
func (c *Coin) checkWork(raw []byte, id hash) (body int, err error) {
	header := raw[:HeaderBytes]
	bits := binary.LittleEndian.Uint32(header[72:])
	t, ok := target(bits)
	if !ok || bytes.Compare(t[:], c.params.MaxTarget[:]) > 0 {
		return 0, fmt.Errorf("bits %08x: target out of range", bits)
	}
	worked, body := header, HeaderBytes
	if c.params.AuxPoW != nil {
		if worked, body, err = c.params.AuxPoW.worked(raw, id); err != nil {
			return 0, err
		}
	}
	if c.params.PoW != nil {
		id = c.params.PoW(worked)
	}
	var number hash
	for i := range id {
		number[i] = id[31-i]
	}
	if bytes.Compare(number[:], t[:]) > 0 {
		return 0, fmt.Errorf("bits %08x: not enough proof of work", bits)
	}
	return body, nil
}

// Scrypt is the proof of work of Litecoin and Dogecoin: scrypt(N=1024, r=1, p=1)
// of the header, salted with itself.
func Scrypt(header []byte) (work [32]byte) {
	key, err := scrypt.Key(header, header, 1024, 1, 1, len(work))
	if err != nil {
		panic(err) // only the constants could be wrong
	}
	copy(work[:], key)
	return work
}
