package utxo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/txscript/v2"
)

// sigHashForkID marks signatures of Bitcoin Cash (replay-protected sighash,
// 2017): they sign BIP143's digest with the whole hash type, fork value 0, in it.
const sigHashForkID txscript.SigHashType = 0x40

// forkIDAll is the one hash type that we make and take.
const forkIDAll = byte(txscript.SigHashAll | sigHashForkID)

// verifyForkID checks the signed bytes of a transaction that spends P2PKH
// outputs, in the order of inputs. It takes nothing from who signed: it reads the
// bytes anew and computes the digests itself. Accepted is what every node
// accepts: two plain pushes, a strict DER signature with low S and hash type
// 0x41, and the compressed key that the script names.
func (c *Coin) verifyForkID(raw []byte, inputs []Input) error {
	l, err := c.layoutOne(raw)
	if err != nil {
		return fmt.Errorf("verify: %w", err)
	}
	if l.ins != len(inputs) {
		return fmt.Errorf("verify: %d inputs, want %d", l.ins, len(inputs))
	}
	parts := l.forkIDParts(raw)
	at := 0
	l.eachInput(raw, func(outpoint, script []byte) {
		in := &inputs[at]
		at++
		if err != nil {
			return
		}
		if id, e := parseHash(in.TxID); e != nil || id != hash(outpoint) || in.Index != binary.LittleEndian.Uint32(outpoint[32:]) {
			err = errors.New("spends another output")
		} else {
			err = parts.verify(in, at-1, script)
		}
		if err != nil {
			err = fmt.Errorf("verify input %s:%d: %w", in.TxID, in.Index, err)
		}
	})
	return err
}

// forkIDParts are the parts of BIP143's preimage that all inputs share.
type forkIDParts struct {
	version, lock              []byte
	outpoints, sequences, outs hash
	sequence                   [][]byte // of each input
}

func (l *layout) forkIDParts(raw []byte) forkIDParts {
	p := forkIDParts{version: raw[l.start : l.start+4], lock: raw[l.lock:l.end]}
	var outpoints, sequences []byte
	cur := cursor{data: raw[:l.outputs], pos: l.body}
	n, _ := cur.varint()
	for range n {
		outpoint, _ := cur.take(36)
		_, _ = cur.varbytes()
		sequence, _ := cur.take(4)
		outpoints = append(outpoints, outpoint...)
		sequences = append(sequences, sequence...)
		p.sequence = append(p.sequence, sequence)
	}
	outs := cursor{data: raw[:l.witness], pos: l.outputs}
	_, _ = outs.varint()
	p.outpoints, p.sequences, p.outs = sha256d(outpoints), sha256d(sequences), sha256d(raw[outs.pos:l.witness])
	return p
}

// digest is what input number at signs.
func (p *forkIDParts) digest(in *Input, at int) (hash, error) {
	id, err := parseHash(in.TxID)
	if err != nil {
		return hash{}, err
	}
	amount, ok := in.Amount.Uint64()
	if !ok {
		return hash{}, errValue
	}
	var b bytes.Buffer
	b.Write(p.version)
	b.Write(p.outpoints[:])
	b.Write(p.sequences[:])
	b.Write(id[:])
	b.Write(binary.LittleEndian.AppendUint32(nil, in.Index))
	b.WriteByte(byte(len(in.Script))) // of P2PKH: 25
	b.Write(in.Script)
	b.Write(binary.LittleEndian.AppendUint64(nil, amount))
	b.Write(p.sequence[at])
	b.Write(p.outs[:])
	b.Write(p.lock)
	b.Write([]byte{forkIDAll, 0, 0, 0})
	return sha256d(b.Bytes()), nil
}

func (p *forkIDParts) verify(in *Input, at int, script []byte) error {
	if KindOf(in.Script) != P2PKH {
		return errors.New("not P2PKH")
	}
	cur := cursor{data: script}
	sig, errSig := cur.push()
	pub, errPub := cur.push()
	if errSig != nil || errPub != nil || cur.left() != 0 {
		return errors.New("not a signature and a key")
	}
	if len(sig) == 0 || sig[len(sig)-1] != forkIDAll {
		return errors.New("hash type is not ALL|FORKID")
	}
	if len(pub) != pubKeySize || !bytes.Equal(address.Hash160(pub), in.Script[3:23]) {
		return errors.New("another key")
	}
	key, err := btcec.ParsePubKey(pub)
	if err != nil {
		return err
	}
	parsed, err := ecdsa.ParseDERSignature(sig[:len(sig)-1])
	if err != nil {
		return err
	}
	if s := parsed.S(); s.IsOverHalfOrder() {
		return errors.New("high S")
	}
	digest, err := p.digest(in, at)
	if err != nil {
		return err
	}
	if !parsed.Verify(digest[:], key) {
		return errors.New("wrong signature")
	}
	return nil
}

// push reads a data push of up to 75 bytes.
func (c *cursor) push() ([]byte, error) {
	size, err := c.take(1)
	if err != nil {
		return nil, err
	}
	if size[0] == 0 || size[0] > 75 {
		return nil, errors.New("not a plain push")
	}
	return c.take(int(size[0]))
}
