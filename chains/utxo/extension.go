package utxo

import "errors"

// Extension blocks (Litecoin's MWEB, LIP-0003) hold coins that no script owns.
// What concerns us lies outside them: the block's last transaction, called HogEx,
// takes in what goes into the extension block and pays what leaves it (peg-outs)
// to ordinary scripts, and it is among the transactions of the merkle root. The
// extension block itself, behind it, is skipped: its first output commits to it
// by a BLAKE3 hash that is not checked here.

// hogAddr begins the script of the HogEx's first output: witness version 8 and
// 32 bytes.
const (
	opHogAddr     = 0x58
	hogAddrScript = 34
	// minExtension is a presence byte, height, three roots, two offsets, two
	// sizes and three counts.
	minExtension = 1 + 1 + 5*32 + 2 + 3
)

var (
	errExtension = errors.New("extension data in a transaction of a block")
	errHogEx     = errors.New("malformed end of a block with extension")
)

// hides says whether a transaction with flag 8 has neither inputs nor outputs
// outside the extension block, which happens only in a mempool.
func (c *cursor) hides() bool {
	return c.alone && c.left() >= 2+4 && c.data[c.pos] == 0 && c.data[c.pos+1] == 0
}

// extensionData reads what flag 8 announces: nothing (a HogEx), or, only in a
// transaction by itself, one's part of the next extension block.
func (c *cursor) extensionData(l *layout) (hogEx bool, err error) {
	data := 1
	if c.alone {
		data = c.left() - 4 // up to the lock time
	}
	if data < 1 || data > c.left() {
		return false, errShort
	}
	present := c.data[c.pos]
	c.pos += data
	switch {
	case present == 0 && data == 1 && !l.segwit && l.paysHogAddr(c.data):
		return true, nil
	case present == 1 && c.alone:
		return false, nil
	}
	return false, errExtension
}

// paysHogAddr says whether the first output is the one that holds all coins of
// the extension block.
func (l *layout) paysHogAddr(data []byte) (ok bool) {
	l.eachOutput(data, func(index uint32, _ uint64, script []byte) {
		if index == 0 {
			ok = len(script) == hogAddrScript && script[0] == opHogAddr && script[1] == 32
		}
	})
	return ok
}

// extension skips the extension block behind the last transaction. Nodes may
// leave out both it and the HogEx's flag: then the HogEx is known by its first
// output alone.
func (c *cursor) extension(last *layout) error {
	if !last.extended {
		last.hogEx = last.paysHogAddr(c.data)
		return nil
	}
	if !last.hogEx || c.left() < minExtension || c.data[c.pos] != 1 {
		return errHogEx
	}
	c.pos = len(c.data)
	return nil
}
