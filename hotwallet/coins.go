package hotwallet

import (
	"fmt"

	"causeway/chains"
	"causeway/chains/utxo"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"golang.org/x/crypto/sha3"
)

// formAccount is the form of ETH: what pays a key is no script but the 20 bytes of
// an address.
const formAccount utxo.Kind = "account"

// coinSpec is what differs between chains in keys and scripts. The path of P
// is m/purpose'/coin'/epoch'.
type coinSpec struct {
	purpose uint32
	coin    uint32    // SLIP-44, the same on every network
	form    utxo.Kind // of the scripts that our own keys control
}

// specOf is the one table of the chains this wallet has keys for.
func specOf(chain chains.ID) (coinSpec, error) {
	switch chain {
	case chains.BTC:
		return coinSpec{purpose: 84, coin: 0, form: utxo.P2WPKH}, nil
	case chains.LTC:
		return coinSpec{purpose: 84, coin: 2, form: utxo.P2WPKH}, nil
	case chains.BCH:
		return coinSpec{purpose: 44, coin: 145, form: utxo.P2PKH}, nil
	case chains.DOGE:
		return coinSpec{purpose: 44, coin: 3, form: utxo.P2PKH}, nil
	case chains.ETH:
		return coinSpec{purpose: 44, coin: 60, form: formAccount}, nil
	}
	return coinSpec{}, fmt.Errorf("%w: %q", ErrUnknownChain, chain)
}

// script is the output script that pays a public key.
func (s coinSpec) script(key [33]byte) ([]byte, error) {
	switch s.form {
	case utxo.P2WPKH:
		return append([]byte{txscript.OP_0, 20}, address.Hash160(key[:])...), nil
	case utxo.P2PKH:
		script := append([]byte{txscript.OP_DUP, txscript.OP_HASH160, 20}, address.Hash160(key[:])...)
		return append(script, txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG), nil
	}
	point, err := btcec.ParsePubKey(key[:])
	if err != nil {
		return nil, fmt.Errorf("address of a public key: %w", err)
	}
	hash := sha3.NewLegacyKeccak256()
	hash.Write(point.SerializeUncompressed()[1:])
	return hash.Sum(nil)[12:], nil
}
