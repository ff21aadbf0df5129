package utxo

import "encoding/binary"

// Least sizes of serialised parts.
const (
	minInput       = 32 + 4 + 1 + 4
	minOutput      = 8 + 1
	minTransaction = 4 + 1 + minInput + 1 + minOutput + 4
)

// layout is where the parts of one transaction lie in the data.
type layout struct {
	start   int // version
	body    int // count of inputs
	outputs int // count of outputs
	witness int // end of the outputs
	lock    int // lock time
	end     int
	ins     int
	outs    int
	segwit  bool // has marker, flag and witness
	// extended: has flag 8 and the data of an extension block behind the witness.
	extended bool
	hidden   bool // nothing of it lies outside the extension block
	hogEx    bool // pays what leaves the extension block
}

// transaction measures the transaction at the cursor and checks its form and
// its values. It takes no memory.
func (c *cursor) transaction(p *Params) (l layout, err error) {
	l.start = c.pos
	if err := c.skip(4); err != nil {
		return l, err
	}
	if p.Segwit && c.left() >= 2 && c.data[c.pos] == 0 {
		flags := c.data[c.pos+1]
		l.segwit, l.extended = flags&1 != 0, flags&8 != 0
		if flags == 0 || flags&^9 != 0 || l.extended && p.PegOutDepth == 0 {
			return l, errFlag
		}
		c.pos += 2
	}
	l.body = c.pos
	if l.extended && c.hides() {
		l.hidden = true
		return l, nil
	}
	if l.ins, err = c.inputs(); err != nil {
		return l, err
	}
	l.outputs = c.pos
	if l.outs, err = c.outputs(p.MaxMoney); err != nil {
		return l, err
	}
	l.witness = c.pos
	if l.segwit {
		if err := c.witnesses(l.ins); err != nil {
			return l, err
		}
	}
	if l.extended {
		if l.hogEx, err = c.extensionData(&l); err != nil {
			return l, err
		}
	}
	l.lock = c.pos
	err = c.skip(4)
	l.end = c.pos
	return l, err
}

func (c *cursor) inputs() (int, error) {
	n, err := c.count(minInput)
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, errNoInputs
	}
	for range n {
		if err := c.skip(36); err != nil {
			return 0, err
		}
		if _, err := c.varbytes(); err != nil {
			return 0, err
		}
		if err := c.skip(4); err != nil {
			return 0, err
		}
	}
	return n, nil
}

func (c *cursor) outputs(maxMoney uint64) (int, error) {
	n, err := c.count(minOutput)
	if err != nil {
		return 0, err
	}
	if n == 0 {
		return 0, errNoOutputs
	}
	var sum uint64
	for range n {
		value, err := c.uint64()
		if err != nil {
			return 0, err
		}
		if value > maxMoney { // a negative value is a great one here
			return 0, errValue
		}
		if sum += value; sum > maxMoney { // both at most 2^63-1: no overflow
			return 0, errSum
		}
		if _, err := c.varbytes(); err != nil {
			return 0, err
		}
	}
	return n, nil
}

// witnesses skips a witness for each input; all of them empty is malformed.
func (c *cursor) witnesses(inputs int) error {
	empty := true
	for range inputs {
		items, err := c.count(1)
		if err != nil {
			return err
		}
		empty = empty && items == 0
		for range items {
			if _, err := c.varbytes(); err != nil {
				return err
			}
		}
	}
	if empty {
		return errNoWitness
	}
	return nil
}

// stripped is the serialisation without witness, whose hash is the txid. It is
// either a part of data or built in scratch, which is returned for reuse.
func (l *layout) stripped(data, scratch []byte) (raw, reuse []byte) {
	if !l.segwit && !l.extended {
		return data[l.start:l.end], scratch
	}
	scratch = append(scratch[:0], data[l.start:l.start+4]...)
	scratch = append(scratch, data[l.body:l.witness]...)
	scratch = append(scratch, data[l.lock:l.end]...)
	return scratch, scratch
}

// witnessID is the hash with the witness (BIP141): the txid when there is none.
func (l *layout) witnessID(data []byte) hash {
	if l.segwit {
		return sha256d(data[l.start:l.end])
	}
	raw, _ := l.stripped(data, nil)
	return sha256d(raw)
}

// vsize is the virtual size (BIP141) in bytes.
func (l *layout) vsize() uint64 {
	total := uint64(l.end - l.start)
	if !l.segwit && !l.extended {
		return total
	}
	return (3*uint64(4+l.witness-l.body+4) + total + 3) / 4
}

// coinbase reports the form of a coinbase: one input, which spends nothing.
func (l *layout) coinbase(data []byte) bool { return l.ins == 1 && l.nullInputs(data) == 1 }

// nullInputs counts the inputs whose outpoint is the one that spends nothing.
func (l *layout) nullInputs(data []byte) (n int) {
	l.eachInput(data, func(outpoint, _ []byte) {
		if [32]byte(outpoint) == [32]byte{} && binary.LittleEndian.Uint32(outpoint[32:]) == 1<<32-1 {
			n++
		}
	})
	return n
}

// eachInput calls visit with the outpoint (36 bytes) and the signature script
// of every input of a measured transaction.
func (l *layout) eachInput(data []byte, visit func(outpoint, script []byte)) {
	c := cursor{data: data[:l.outputs], pos: l.body}
	n, _ := c.varint()
	for range n {
		outpoint, _ := c.take(36)
		script, _ := c.varbytes()
		_ = c.skip(4)
		visit(outpoint, script)
	}
}

// eachOutput calls visit with every output of a measured transaction.
func (l *layout) eachOutput(data []byte, visit func(index uint32, value uint64, script []byte)) {
	c := cursor{data: data[:l.witness], pos: l.outputs}
	n, _ := c.varint()
	for i := range uint32(n) {
		value, _ := c.uint64()
		script, _ := c.varbytes()
		visit(i, value, script)
	}
}
