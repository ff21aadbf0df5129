package utxo

import (
	"encoding/binary"
	"errors"
)

// What can be wrong with serialised data, beyond its meaning.
var (
	errShort     = errors.New("data ends early")
	errVarint    = errors.New("count is not in its shortest form")
	errCount     = errors.New("count exceeds the data")
	errNoInputs  = errors.New("no inputs")
	errNoOutputs = errors.New("no outputs")
	errFlag      = errors.New("unknown witness flag")
	errNoWitness = errors.New("witness flag without a witness")
	errValue     = errors.New("value out of range")
	errSum       = errors.New("sum of values out of range")
	errTrailing  = errors.New("trailing bytes")
)

// cursor reads serialised data front to back. It never reads past the end, and
// hands out parts of data, not copies.
type cursor struct {
	data []byte
	pos  int
	// alone says that data is one transaction: what it has for an extension
	// block then reaches up to the lock time.
	alone bool
}

func (c *cursor) left() int { return len(c.data) - c.pos }

func (c *cursor) skip(n int) error {
	if n > c.left() {
		return errShort
	}
	c.pos += n
	return nil
}

func (c *cursor) take(n int) ([]byte, error) {
	if n > c.left() {
		return nil, errShort
	}
	c.pos += n
	return c.data[c.pos-n : c.pos : c.pos], nil
}

func (c *cursor) uint64() (uint64, error) {
	b, err := c.take(8)
	if err != nil {
		return 0, err
	}
	return binary.LittleEndian.Uint64(b), nil
}

// varint reads a CompactSize in its shortest form.
func (c *cursor) varint() (uint64, error) {
	if c.left() < 1 {
		return 0, errShort
	}
	first := c.data[c.pos]
	c.pos++
	if first < 0xfd {
		return uint64(first), nil
	}
	size := 2 << (first - 0xfd)
	b, err := c.take(size)
	if err != nil {
		return 0, err
	}
	var v, least uint64
	switch size {
	case 2:
		v, least = uint64(binary.LittleEndian.Uint16(b)), 0xfd
	case 4:
		v, least = uint64(binary.LittleEndian.Uint32(b)), 1<<16
	default:
		v, least = binary.LittleEndian.Uint64(b), 1<<32
	}
	if v < least {
		return 0, errVarint
	}
	return v, nil
}

// count reads how many items follow, each of at least size bytes. A count that
// the remaining data cannot hold is an error, so it can be used to take memory.
func (c *cursor) count(size int) (int, error) {
	n, err := c.varint()
	if err != nil {
		return 0, err
	}
	if n > uint64(c.left()/size) {
		return 0, errCount
	}
	return int(n), nil
}

// varbytes reads a byte string with its length in front.
func (c *cursor) varbytes() ([]byte, error) {
	n, err := c.count(1)
	if err != nil {
		return nil, err
	}
	return c.take(n)
}
