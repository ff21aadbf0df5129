package address

import "bytes"

// Script opcodes.
const (
	opDup         = 0x76
	opEqual       = 0x87
	opEqualVerify = 0x88
	opHash160     = 0xA9
	opCheckSig    = 0xAC
	op1           = 0x51
)

func payToPubKeyHash(hash []byte) []byte {
	script := append([]byte{opDup, opHash160, 20}, hash...)
	return append(script, opEqualVerify, opCheckSig)
}

func payToScriptHash(hash []byte) []byte {
	return append(append([]byte{opHash160, 20}, hash...), opEqual)
}

// payToWitness is the script of a witness program of version 0 or 1.
func payToWitness(version byte, program []byte) []byte {
	if version > 0 {
		version += op1 - 1
	}
	return append([]byte{version, byte(len(program))}, program...)
}

// classify finds the type of a script and its hash or program; "" when it is
// none of ours.
func classify(s []byte) (Type, []byte) {
	switch {
	case len(s) == 25 && bytes.HasPrefix(s, []byte{opDup, opHash160, 20}) && bytes.HasSuffix(s, []byte{opEqualVerify, opCheckSig}):
		return P2PKH, s[3:23]
	case len(s) == 23 && bytes.HasPrefix(s, []byte{opHash160, 20}) && s[22] == opEqual:
		return P2SH, s[2:22]
	case len(s) == 22 && bytes.HasPrefix(s, []byte{0, 20}):
		return P2WPKH, s[2:]
	case len(s) == 34 && bytes.HasPrefix(s, []byte{0, 32}):
		return P2WSH, s[2:]
	case len(s) == 34 && bytes.HasPrefix(s, []byte{op1, 32}):
		return P2TR, s[2:]
	}
	return "", nil
}
