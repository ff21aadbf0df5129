package utxo

import (
	"bytes"
	"fmt"

	"causeway/chains"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// KeyFor finds the private key of an output script of ours. The key is used
// with its compressed public key. It is not kept.
type KeyFor func(script []byte) (*btcec.PrivateKey, error)

// Signed is a transaction ready for broadcast.
type Signed struct {
	TxID  string
	Raw   []byte
	VSize uint64 // virtual bytes
	Fee   chains.Amount
}

// Sign signs every input, SIGHASH_ALL, by BIP143 for P2WPKH and by the original
// rule for P2PKH, or with a fork id where the coin asks for one. Nonces are those
// of RFC 6979 and S is low, so signing again gives the same bytes. The result was
// run through the script engine under the flags of standard relay (with a fork
// id, which that engine does not know: through verifyForkID); the draft stays
// unsigned.
func (d *Draft) Sign(key KeyFor) (*Signed, error) {
	tx := d.tx.Copy()
	outs := txscript.NewMultiPrevOutFetcher(nil)
	for i, in := range d.inputs {
		v, _ := in.Amount.Uint64() // checked by Draft
		outs.AddPrevOut(tx.TxIn[i].PreviousOutPoint, wire.NewTxOut(int64(v), in.Script))
	}
	hashes := txscript.NewTxSigHashes(tx, outs)
	for i, in := range d.inputs {
		k, err := key(in.Script)
		if err != nil {
			return nil, fmt.Errorf("sign input %s:%d: %w", in.TxID, in.Index, err)
		}
		if err := d.coin.signInput(tx, i, hashes, outs, k); err != nil {
			return nil, fmt.Errorf("sign input %s:%d: %w", in.TxID, in.Index, err)
		}
	}
	var raw bytes.Buffer
	raw.Grow(tx.SerializeSize())
	if err := tx.Serialize(&raw); err != nil {
		return nil, fmt.Errorf("serialise: %w", err)
	}
	if d.coin.params.ForkID {
		if err := d.coin.verifyForkID(raw.Bytes(), d.inputs); err != nil {
			return nil, err
		}
	} else {
		for i, in := range d.inputs {
			if err := verifyInput(tx, i, hashes, outs); err != nil {
				return nil, fmt.Errorf("verify input %s:%d: %w", in.TxID, in.Index, err)
			}
		}
	}
	txid, _, vsize, err := d.coin.TransactionIDs(raw.Bytes())
	if err != nil {
		return nil, fmt.Errorf("decode our own transaction: %w", err)
	}
	return &Signed{TxID: txid, Raw: raw.Bytes(), VSize: vsize, Fee: d.fee}, nil
}

func (c *Coin) signInput(tx *wire.MsgTx, i int, hashes *txscript.TxSigHashes, outs txscript.PrevOutputFetcher, key *btcec.PrivateKey) error {
	out := outs.FetchPrevOutput(tx.TxIn[i].PreviousOutPoint)
	pub := key.PubKey().SerializeCompressed()
	if KindOf(out.PkScript) == P2WPKH {
		digest, err := txscript.CalcWitnessSigHash(out.PkScript, hashes, txscript.SigHashAll, tx, i, out.Value)
		if err != nil {
			return err
		}
		tx.TxIn[i].Witness = wire.TxWitness{signature(key, digest, txscript.SigHashAll), pub}
		return nil
	}
	hashType := txscript.SigHashAll
	var digest []byte
	var err error
	if c.params.ForkID {
		hashType |= sigHashForkID
		digest, err = txscript.CalcWitnessSigHash(out.PkScript, hashes, hashType, tx, i, out.Value)
	} else {
		digest, err = txscript.CalcSignatureHash(out.PkScript, hashType, tx, i)
	}
	if err != nil {
		return err
	}
	sig := signature(key, digest, hashType)
	script := append([]byte{byte(len(sig))}, sig...)
	tx.TxIn[i].SignatureScript = append(append(script, byte(len(pub))), pub...)
	return nil
}

// signature is the DER form with the hash type behind it.
func signature(key *btcec.PrivateKey, digest []byte, hashType txscript.SigHashType) []byte {
	return append(ecdsa.Sign(key, digest).Serialize(), byte(hashType))
}

func verifyInput(tx *wire.MsgTx, i int, hashes *txscript.TxSigHashes, outs txscript.PrevOutputFetcher) error {
	out := outs.FetchPrevOutput(tx.TxIn[i].PreviousOutPoint)
	engine, err := txscript.NewEngine(out.PkScript, tx, i, txscript.StandardVerifyFlags, nil, hashes, out.Value, outs)
	if err != nil {
		return err
	}
	return engine.Execute()
}
