package utxo

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"slices"

	"causeway/chains"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// Replaceable is the sequence of an input that signals replacement (BIP125)
// and lets the lock time hold.
const Replaceable uint32 = 0xfffffffd

// transactionVersion is that of our own transactions where Params says nothing.
const transactionVersion = 2

// Input is an output of ours that a transaction spends.
type Input struct {
	chains.Outpoint
	Amount   chains.Amount
	Script   []byte // of the output that is spent: P2WPKH or P2PKH
	Sequence uint32
}

// Payee is an output that a transaction makes.
type Payee struct {
	Script []byte
	Amount chains.Amount
}

// Draft is an unsigned transaction with what is needed to sign it. It is
// immutable, and the same inputs and payees in any order make the same draft.
type Draft struct {
	coin   *Coin
	tx     *wire.MsgTx
	inputs []Input
	fee    chains.Amount
	vsize  uint64
}

// Draft makes a transaction: inputs and outputs in the order of BIP69, lock
// time as given (a height below 500,000,000, or Unix seconds). The fee is what
// the inputs leave over. It is an error when an input comes twice, has a script
// that we cannot sign or a value out of range, when an output is dust or can
// never be spent, or when the payees ask for more than the inputs hold.
func (c *Coin) Draft(inputs []Input, payees []Payee, lockTime uint32) (*Draft, error) {
	d := &Draft{coin: c, tx: wire.NewMsgTx(cmp.Or(c.params.TxVersion, transactionVersion))}
	d.tx.LockTime = lockTime
	in, err := d.addInputs(inputs)
	if err != nil {
		return nil, fmt.Errorf("draft of %s: %w", c.params.ID, err)
	}
	out, err := d.addPayees(payees)
	if err != nil {
		return nil, fmt.Errorf("draft of %s: %w", c.params.ID, err)
	}
	if d.fee, err = in.Sub(out); err != nil {
		return nil, fmt.Errorf("draft of %s: inputs of %s cannot pay %s: %w", c.params.ID, in, out, err)
	}
	if d.vsize, err = Estimate(d.inputScripts(), d.outputScripts()); err != nil {
		return nil, fmt.Errorf("draft of %s: %w", c.params.ID, err)
	}
	return d, nil
}

func (d *Draft) addInputs(inputs []Input) (total chains.Amount, err error) {
	if len(inputs) == 0 {
		return total, errNoInputs
	}
	d.inputs = make([]Input, len(inputs))
	for i, in := range inputs {
		in.Script = bytes.Clone(in.Script)
		d.inputs[i] = in
	}
	// The text of a txid is its number in base 16: BIP69's order.
	slices.SortFunc(d.inputs, func(a, b Input) int {
		return cmp.Or(cmp.Compare(a.TxID, b.TxID), cmp.Compare(a.Index, b.Index))
	})
	for i, in := range d.inputs {
		if i > 0 && in.Outpoint == d.inputs[i-1].Outpoint {
			return total, fmt.Errorf("input %s:%d comes twice", in.TxID, in.Index)
		}
		if _, err := InputWeight(in.Script); err != nil {
			return total, fmt.Errorf("input %s:%d: %w", in.TxID, in.Index, err)
		}
		if KindOf(in.Script).witness() && !d.coin.params.Segwit {
			return total, fmt.Errorf("input %s:%d: %s has no witnesses", in.TxID, in.Index, d.coin.params.ID)
		}
		id, err := parseHash(in.TxID)
		if err != nil {
			return total, err
		}
		if _, err := d.coin.value(in.Amount); err != nil {
			return total, fmt.Errorf("input %s:%d: %w", in.TxID, in.Index, err)
		}
		if total, err = total.Add(in.Amount); err != nil {
			return total, err
		}
		txIn := wire.NewTxIn(wire.NewOutPoint((*chainhash.Hash)(&id), in.Index), nil, nil)
		txIn.Sequence = in.Sequence
		d.tx.AddTxIn(txIn)
	}
	return total, nil
}

func (d *Draft) addPayees(payees []Payee) (total chains.Amount, err error) {
	if len(payees) == 0 {
		return total, errNoOutputs
	}
	sorted := slices.Clone(payees)
	slices.SortStableFunc(sorted, func(a, b Payee) int {
		return cmp.Or(a.Amount.Cmp(b.Amount), bytes.Compare(a.Script, b.Script))
	})
	for _, p := range sorted {
		value, err := d.coin.value(p.Amount)
		if err != nil {
			return total, err
		}
		if len(p.Script) == 0 || len(p.Script) > maxScript {
			return total, fmt.Errorf("output script of %d bytes", len(p.Script))
		}
		if KindOf(p.Script) == NullData && value != 0 {
			return total, errors.New("value in an output that can never be spent")
		}
		if p.Amount.Less(d.coin.Dust(p.Script)) {
			return total, fmt.Errorf("output of %s is dust", p.Amount)
		}
		if total, err = total.Add(p.Amount); err != nil {
			return total, err
		}
		d.tx.AddTxOut(wire.NewTxOut(value, bytes.Clone(p.Script)))
	}
	return total, nil
}

// value is the amount as a transaction carries it.
func (c *Coin) value(a chains.Amount) (int64, error) {
	v, ok := a.Uint64()
	if !ok || v > c.params.MaxMoney {
		return 0, fmt.Errorf("%w: %s", errValue, a)
	}
	return int64(v), nil
}

// Inputs are the inputs in the transaction's order.
func (d *Draft) Inputs() []Input { return slices.Clone(d.inputs) }

// Payees are the outputs in the transaction's order.
func (d *Draft) Payees() []Payee {
	payees := make([]Payee, len(d.tx.TxOut))
	for i, out := range d.tx.TxOut {
		payees[i] = Payee{Script: bytes.Clone(out.PkScript), Amount: chains.NewAmount(uint64(out.Value))}
	}
	return payees
}

// Fee is what the inputs hold beyond the outputs.
func (d *Draft) Fee() chains.Amount { return d.fee }

// VSize is the greatest virtual size, in bytes, that the signed form can have.
func (d *Draft) VSize() uint64 { return d.vsize }

// Unsigned is the transaction's serialisation with empty input scripts and no
// witness: what a journal can hold before anything is signed.
func (d *Draft) Unsigned() []byte {
	var buf bytes.Buffer
	buf.Grow(d.tx.SerializeSizeStripped())
	_ = d.tx.SerializeNoWitness(&buf) // a Buffer never fails
	return buf.Bytes()
}

func (d *Draft) inputScripts() [][]byte {
	scripts := make([][]byte, len(d.inputs))
	for i, in := range d.inputs {
		scripts[i] = in.Script
	}
	return scripts
}

func (d *Draft) outputScripts() [][]byte {
	scripts := make([][]byte, len(d.tx.TxOut))
	for i, out := range d.tx.TxOut {
		scripts[i] = out.PkScript
	}
	return scripts
}
