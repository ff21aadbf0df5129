package devnet

import (
	"bytes"
	"errors"
	"fmt"
	"strings"

	"github.com/btcsuite/btcd/address/v2/base58"
	"github.com/btcsuite/btcd/address/v2/bech32"
	"github.com/btcsuite/btcd/txscript/v2"
)

// AddressCodec translates between output scripts and a coin's address text.
// It is written on btcd's codecs and shares nothing with chains/address, so
// that each checks the other when the gateway runs on an embedded chain.
type AddressCodec interface {
	// Encode is the address of a script, "" when it has none.
	Encode(script []byte) string
	// Decode is the script of an address of this very network.
	Decode(text string) ([]byte, error)
}

// ClassicAddresses are base58check addresses and, where HRP is not empty,
// segregated witness addresses of version 0 and 1 (BIP 173, BIP 350). Of the
// version bytes the first is written and all are read.
type ClassicAddresses struct {
	PubKeyHash []byte
	ScriptHash []byte
	HRP        string
}

var _ AddressCodec = ClassicAddresses{}

// Encode implements AddressCodec.
func (a ClassicAddresses) Encode(script []byte) string {
	switch {
	case txscript.IsPayToPubKeyHash(script):
		return base58.CheckEncode(script[3:23], a.PubKeyHash[0])
	case txscript.IsPayToScriptHash(script):
		return base58.CheckEncode(script[2:22], a.ScriptHash[0])
	case a.HRP == "":
		return ""
	case txscript.IsPayToWitnessPubKeyHash(script), txscript.IsPayToWitnessScriptHash(script):
		return a.witness(script, bech32.Encode)
	case txscript.IsPayToTaproot(script):
		return a.witness(script, bech32.EncodeM)
	}
	return ""
}

func (a ClassicAddresses) witness(script []byte, encode func(string, []byte) (string, error)) string {
	program, err := bech32.ConvertBits(script[2:], 8, 5, true)
	if err != nil {
		return ""
	}
	version := byte(0)
	if script[0] != txscript.OP_0 {
		version = script[0] - txscript.OP_1 + 1
	}
	text, err := encode(a.HRP, append([]byte{version}, program...))
	if err != nil {
		return ""
	}
	return text
}

// Decode implements AddressCodec.
func (a ClassicAddresses) Decode(text string) ([]byte, error) {
	if a.HRP != "" && strings.HasPrefix(strings.ToLower(text), a.HRP+"1") {
		return a.decodeWitness(text)
	}
	if len(text) > 64 {
		return nil, errors.New("address is too long")
	}
	hash, version, err := base58.CheckDecode(text)
	if err != nil {
		return nil, fmt.Errorf("not a base58 or bech32 address of this network: %w", err)
	}
	if len(hash) != 20 {
		return nil, errors.New("wrong length of address")
	}
	switch {
	case bytes.IndexByte(a.PubKeyHash, version) >= 0:
		return pubKeyHashScript(hash), nil
	case bytes.IndexByte(a.ScriptHash, version) >= 0:
		return scriptHashScript(hash), nil
	}
	return nil, fmt.Errorf("address version %#x belongs to another network", version)
}

func (a ClassicAddresses) decodeWitness(text string) ([]byte, error) {
	hrp, data, form, err := bech32.DecodeGeneric(text)
	if err != nil {
		return nil, fmt.Errorf("bad bech32 address: %w", err)
	}
	if hrp != a.HRP || len(data) == 0 {
		return nil, errors.New("bad bech32 prefix")
	}
	program, err := bech32.ConvertBits(data[1:], 5, 8, false)
	if err != nil {
		return nil, fmt.Errorf("bad bech32 address: %w", err)
	}
	switch version := data[0]; {
	case version == 0 && form == bech32.Version0 && (len(program) == 20 || len(program) == 32):
		return append([]byte{txscript.OP_0, byte(len(program))}, program...), nil
	case version == 1 && form == bech32.VersionM && len(program) == 32:
		return append([]byte{txscript.OP_1, 32}, program...), nil
	}
	return nil, errors.New("unsupported witness version, length or checksum form")
}

func pubKeyHashScript(hash []byte) []byte {
	script := append([]byte{txscript.OP_DUP, txscript.OP_HASH160, 20}, hash...)
	return append(script, txscript.OP_EQUALVERIFY, txscript.OP_CHECKSIG)
}

func scriptHashScript(hash []byte) []byte {
	script := append([]byte{txscript.OP_HASH160, 20}, hash...)
	return append(script, txscript.OP_EQUAL)
}
