package utxo

import (
	"bytes"
	"encoding/hex"
	"strings"
	"testing"

	"causeway/chains"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// cashCoin is testCoin with fork ids.
func cashCoin() *Coin {
	coin := testCoin()
	coin.params.ID, coin.params.Segwit, coin.params.ForkID, coin.params.CashTokens = chains.BCH, false, true, true
	return coin
}

// cashSpend signs a transaction with two inputs of a key.
func cashSpend(t *testing.T, coin *Coin) (*Draft, *Signed, *btcec.PrivateKey) {
	t.Helper()
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{3}, 32))
	script := append(append([]byte{opDup, opHash160, 20}, address.Hash160(key.PubKey().SerializeCompressed())...), opEqualVerify, opCheckSig)
	var inputs []Input
	for i := range 2 {
		inputs = append(inputs, Input{
			Outpoint: chains.Outpoint{TxID: strings.Repeat("0123456789abcdef", 4), Index: uint32(i)},
			Amount:   chains.NewAmount(uint64(100_000 * (i + 1))), Script: script, Sequence: Replaceable,
		})
	}
	draft, err := coin.Draft(inputs, []Payee{{Script: script, Amount: chains.NewAmount(250_000)}, {Script: script, Amount: chains.NewAmount(40_000)}}, 700)
	if err != nil {
		t.Fatal(err)
	}
	signed, err := draft.Sign(func([]byte) (*btcec.PrivateKey, error) { return key, nil })
	if err != nil {
		t.Fatal(err)
	}
	return draft, signed, key
}

// TestForkID: what is signed holds here and on no chain without fork ids, and what
// such chains sign does not hold here.
func TestForkID(t *testing.T) {
	coin := cashCoin()
	draft, signed, _ := cashSpend(t, coin)
	_, again, _ := cashSpend(t, coin)
	if !bytes.Equal(signed.Raw, again.Raw) {
		t.Error("signed twice, it differs")
	}
	if err := coin.verifyForkID(signed.Raw, draft.inputs); err != nil {
		t.Error(err)
	}
	if signed.VSize > draft.VSize() || draft.VSize() > signed.VSize+4 {
		t.Errorf("size %d, at most %d was reckoned", signed.VSize, draft.VSize())
	}
	// On Bitcoin (and eCash's and all other engines without 0x41 of this value).
	var tx wire.MsgTx
	if err := tx.Deserialize(bytes.NewReader(signed.Raw)); err != nil {
		t.Fatal(err)
	}
	outs := txscript.NewMultiPrevOutFetcher(nil)
	for i, in := range draft.inputs {
		v, _ := in.Amount.Uint64()
		outs.AddPrevOut(tx.TxIn[i].PreviousOutPoint, wire.NewTxOut(int64(v), in.Script))
	}
	if err := verifyInput(&tx, 0, txscript.NewTxSigHashes(&tx, outs), outs); err == nil {
		t.Error("the payout can be repeated on Bitcoin")
	}
	plain := testCoin()
	_, bitcoin, _ := cashSpend(t, plain)
	if err := coin.verifyForkID(bitcoin.Raw, draft.inputs); err == nil || !strings.Contains(err.Error(), "FORKID") {
		t.Errorf("a payout of Bitcoin holds here: %v", err)
	}
}

// TestForkIDRefuses: each thing that a signature covers, changed.
func TestForkIDRefuses(t *testing.T) {
	coin := cashCoin()
	draft, signed, _ := cashSpend(t, coin)
	for i := range signed.Raw {
		forged := bytes.Clone(signed.Raw)
		forged[i] ^= 1
		if err := coin.verifyForkID(forged, draft.inputs); err == nil {
			t.Fatalf("byte %d of %x can be altered", i, signed.Raw)
		}
	}
	for name, change := range map[string]func([]Input) []Input{
		"amount": func(in []Input) []Input { in[1].Amount = chains.NewAmount(1); return in },
		"script": func(in []Input) []Input { in[0].Script = bytes.Repeat([]byte{1}, 25); return in },
		"order":  func(in []Input) []Input { in[0], in[1] = in[1], in[0]; return in },
		"number": func(in []Input) []Input { return in[:1] },
		"txid":   func(in []Input) []Input { in[0].TxID = "x"; return in },
	} {
		if err := coin.verifyForkID(signed.Raw, change(draft.Inputs())); err == nil {
			t.Errorf("another %s is taken", name)
		}
	}
}

// TestForkIDDigest holds our digest against btcd's of BIP143 with hash type 0x41.
func TestForkIDDigest(t *testing.T) {
	draft, signed, _ := cashSpend(t, cashCoin())
	l, err := cashCoin().layoutOne(signed.Raw)
	if err != nil {
		t.Fatal(err)
	}
	parts := l.forkIDParts(signed.Raw)
	outs := txscript.NewMultiPrevOutFetcher(nil)
	for i, in := range draft.inputs {
		v, _ := in.Amount.Uint64()
		outs.AddPrevOut(draft.tx.TxIn[i].PreviousOutPoint, wire.NewTxOut(int64(v), in.Script))
	}
	hashes := txscript.NewTxSigHashes(draft.tx, outs)
	for i := range draft.inputs {
		v, _ := draft.inputs[i].Amount.Uint64()
		want, err := txscript.CalcWitnessSigHash(draft.inputs[i].Script, hashes, 0x41, draft.tx, i, int64(v))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parts.digest(&draft.inputs[i], i); err != nil || !bytes.Equal(got[:], want) {
			t.Errorf("input %d: %x, %v; want %s", i, got, err, hex.EncodeToString(want))
		}
	}
}
