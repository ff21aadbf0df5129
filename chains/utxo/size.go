package utxo

import "fmt"

// Sizes of what spends an output of ours, at most: a DER signature with low S
// has up to 71 bytes, and one byte of hash type follows it.
const (
	maxSignature = 72
	pubKeySize   = 33
	// scriptWeight counts the four weight units of a byte outside witnesses.
	scriptWeight = 4
	inputWeight  = (32 + 4 + 4) * scriptWeight
)

// InputWeight is the greatest weight (BIP141) that an input spending script can
// have once we signed it; scripts that we cannot sign are an error. It does not
// hold the byte that an input without a witness has in a transaction with one.
func InputWeight(script []byte) (uint64, error) {
	switch kind := KindOf(script); kind {
	case P2WPKH:
		return inputWeight + 1*scriptWeight + 1 + 1 + maxSignature + 1 + pubKeySize, nil
	case P2PKH:
		return inputWeight + (1+1+maxSignature+1+pubKeySize)*scriptWeight, nil
	default:
		return 0, fmt.Errorf("utxo: no key spends a script of kind %s", kind)
	}
}

// OutputWeight is the weight of an output with that script.
func OutputWeight(script []byte) uint64 {
	return uint64(8+varintSize(len(script))+len(script)) * scriptWeight
}

// Estimate is the greatest virtual size, in bytes, of a signed transaction that
// spends outputs with the first scripts and makes outputs with the second.
func Estimate(inputs, outputs [][]byte) (vsize uint64, err error) {
	weight := uint64(4+varintSize(len(inputs))+varintSize(len(outputs))+4) * scriptWeight
	plain := uint64(0)
	for _, script := range inputs {
		w, err := InputWeight(script)
		if err != nil {
			return 0, err
		}
		weight += w
		if KindOf(script) == P2PKH {
			plain++
		}
	}
	if plain < uint64(len(inputs)) { // marker, flag, empty witnesses
		weight += 2 + plain
	}
	for _, script := range outputs {
		weight += OutputWeight(script)
	}
	return (weight + scriptWeight - 1) / scriptWeight, nil
}
