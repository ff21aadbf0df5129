package utxo

import (
	"bytes"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"
	"testing"

	"causeway/chains"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/btcsuite/btcd/wire/v2"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func testKey(n byte) *btcec.PrivateKey {
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{n}, 32))
	return key
}

func p2wpkh(key *btcec.PrivateKey) []byte {
	return append([]byte{0, 20}, address.Hash160(key.PubKey().SerializeCompressed())...)
}

func p2pkh(key *btcec.PrivateKey) []byte {
	script := append([]byte{opDup, opHash160, 20}, address.Hash160(key.PubKey().SerializeCompressed())...)
	return append(script, opEqualVerify, opCheckSig)
}

func testOutpoint(n byte) chains.Outpoint {
	return chains.Outpoint{TxID: hex.EncodeToString(bytes.Repeat([]byte{n}, 32)), Index: uint32(n)}
}

// keyring finds keys 1 to 9 by either of their scripts.
func keyring(script []byte) (*btcec.PrivateKey, error) {
	for n := byte(1); n < 10; n++ {
		if k := testKey(n); bytes.Equal(script, p2wpkh(k)) || bytes.Equal(script, p2pkh(k)) {
			return k, nil
		}
	}
	return nil, errors.New("not ours")
}

// standardScripts are payout targets of every standard type.
var standardScripts = map[Kind][]byte{
	P2PKH:  append(append([]byte{opDup, opHash160, 20}, make([]byte, 20)...), opEqualVerify, opCheckSig),
	P2SH:   append(append([]byte{opHash160, 20}, make([]byte, 20)...), opEqual),
	P2WPKH: append([]byte{0, 20}, make([]byte, 20)...),
	P2WSH:  append([]byte{0, 32}, make([]byte, 32)...),
	P2TR:   append([]byte{op1, 32}, make([]byte, 32)...),
}

func TestKindAndDust(t *testing.T) {
	coin := testCoin()
	dust := map[Kind]uint64{P2PKH: 546, P2SH: 540, P2WPKH: 294, P2WSH: 330, P2TR: 330}
	for kind, script := range standardScripts {
		if got := KindOf(script); got != kind {
			t.Errorf("%x is %s, want %s", script, got, kind)
		}
		if got := coin.Dust(script); got != chains.NewAmount(dust[kind]) {
			t.Errorf("dust of %s is %s, want %d", kind, got, dust[kind])
		}
		for i := range script[:len(script)-1] { // one byte off is another form
			other := bytes.Clone(script[:i])
			if KindOf(other) == kind {
				t.Errorf("%x passes for %s", other, kind)
			}
		}
	}
	for _, tt := range []struct {
		script []byte
		kind   Kind
		dust   uint64
	}{
		{nil, Other, 3 * (9 + 148)},
		{[]byte{opReturn}, NullData, 0},
		{[]byte{opReturn, 2, 1, 2}, NullData, 0},
		{[]byte{0x60, 2, 1, 2}, Witness, 3 * (13 + 67)},
		{[]byte{0x51, 2, 0x4e, 0x73}, Witness, 240}, // pay to anchor
		{[]byte{0, 3, 1, 2, 3}, Witness, 3 * (14 + 67)},
		{[]byte{0x52, 2, 1}, Other, 3 * (12 + 148)},
		{append([]byte{33}, make([]byte, 34)...), Other, 3 * (44 + 148)}, // P2PK
		{make([]byte, maxScript+1), Other, 0},
	} {
		if kind, dust := KindOf(tt.script), coin.Dust(tt.script); kind != tt.kind || dust != chains.NewAmount(tt.dust) {
			t.Errorf("%x: %s with dust %s, want %s with %d", tt.script[:min(8, len(tt.script))], kind, dust, tt.kind, tt.dust)
		}
	}
}

// TestDraftIsDeterministic draws inputs of both kinds and payees of all, and
// signs: order does not matter, sizes are never underestimated, and our own
// decoder reads back what was meant.
func TestDraftIsDeterministic(t *testing.T) {
	coin := testCoin()
	rapid.Check(t, func(t *rapid.T) {
		var inputs []Input
		var total uint64
		for n := range byte(rapid.IntRange(1, 5).Draw(t, "inputs")) {
			script := p2wpkh(testKey(n + 1))
			if rapid.Bool().Draw(t, "legacy") {
				script = p2pkh(testKey(n + 1))
			}
			value := rapid.Uint64Range(100_000, 1e12).Draw(t, "value")
			total += value
			inputs = append(inputs, Input{testOutpoint(n), chains.NewAmount(value), script, Replaceable})
		}
		var payees []Payee
		for range rapid.IntRange(1, 6).Draw(t, "payees") {
			kind := rapid.SampledFrom([]Kind{P2PKH, P2SH, P2WPKH, P2WSH, P2TR}).Draw(t, "kind")
			value := rapid.Uint64Range(546, 10_000).Draw(t, "amount")
			total -= value
			payees = append(payees, Payee{standardScripts[kind], chains.NewAmount(value)})
		}
		draft, err := coin.Draft(inputs, payees, 700)
		if err != nil {
			t.Fatal(err)
		}
		signed, err := draft.Sign(keyring)
		if err != nil {
			t.Fatal(err)
		}
		shuffled, err := coin.Draft(rapid.Permutation(inputs).Draw(t, "order"), rapid.Permutation(payees).Draw(t, "order"), 700)
		if err != nil {
			t.Fatal(err)
		}
		again, err := shuffled.Sign(keyring)
		if err != nil || !bytes.Equal(again.Raw, signed.Raw) {
			t.Fatalf("another order gives %x, %v; first %x", again.Raw, err, signed.Raw)
		}
		if signed.Fee != chains.NewAmount(total) || signed.VSize > draft.VSize() || signed.VSize+2*uint64(len(inputs)) < draft.VSize() {
			t.Fatalf("fee %s, size %d; want %d, at most %d", signed.Fee, signed.VSize, total, draft.VSize())
		}
		txid, outputs, spends, err := coin.DecodeTransaction(signed.Raw)
		if err != nil || txid != signed.TxID || len(spends) != len(inputs) {
			t.Fatalf("decoded %s with %d spends, %v", txid, len(spends), err)
		}
		for i, p := range draft.Payees() {
			if outputs[i].Amount != p.Amount || !bytes.Equal(outputs[i].Script, p.Script) {
				t.Fatalf("output %d is %v, want %v", i, outputs[i], p)
			}
		}
		for i, in := range draft.Inputs() {
			if spends[i].Outpoint != in.Outpoint {
				t.Fatalf("input %d is %v, want %v", i, spends[i], in.Outpoint)
			}
		}
	})
}

func TestDraftRefuses(t *testing.T) {
	key := testKey(1)
	good := Input{testOutpoint(1), chains.NewAmount(100_000), p2wpkh(key), Replaceable}
	pay := Payee{standardScripts[P2WPKH], chains.NewAmount(90_000)}
	change := func(f func(*Input)) []Input {
		in := good
		f(&in)
		return []Input{in}
	}
	huge, _ := chains.ParseAmount("18446744073709651616") // 2^64 + 100,000
	tests := []struct {
		name   string
		inputs []Input
		payees []Payee
		want   string
	}{
		{"good", []Input{good}, []Payee{pay}, ""},
		{"no inputs", nil, []Payee{pay}, "no inputs"},
		{"no payees", []Input{good}, nil, "no outputs"},
		{"input twice", []Input{good, good}, []Payee{pay}, "comes twice"},
		{"script hash", change(func(in *Input) { in.Script = standardScripts[P2SH] }), []Payee{pay}, "no key spends"},
		{"txid", change(func(in *Input) { in.TxID = "ab" }), []Payee{pay}, "not a transaction"},
		{"txid in capitals", change(func(in *Input) { in.TxID = strings.Repeat("AB", 32) }), []Payee{pay}, "not a transaction"},
		{"value beyond 64 bits", change(func(in *Input) { in.Amount = huge }), []Payee{pay}, "out of range"},
		{"poor", change(func(in *Input) { in.Amount = chains.NewAmount(89_999) }), []Payee{pay}, "cannot pay"},
		{"dust", []Input{good}, []Payee{{standardScripts[P2WPKH], chains.NewAmount(293)}}, "dust"},
		{"burn", []Input{good}, []Payee{{[]byte{opReturn, 1, 1}, chains.NewAmount(1)}}, "never be spent"},
		{"no script", []Input{good}, []Payee{{nil, chains.NewAmount(9_000)}}, "script of 0 bytes"},
		{"amount beyond 64 bits", []Input{good}, []Payee{{standardScripts[P2WPKH], huge}}, "out of range"},
	}
	for _, tt := range tests {
		_, err := testCoin().Draft(tt.inputs, tt.payees, 0)
		if tt.want == "" && err != nil || tt.want != "" && !strings.Contains(fmt.Sprint(err), tt.want) {
			t.Errorf("%s: %v, want %q", tt.name, err, tt.want)
		}
	}
	legacy := testCoin()
	legacy.params.Segwit = false
	if _, err := legacy.Draft([]Input{good}, []Payee{pay}, 0); err == nil {
		t.Error("a coin without witnesses drafted a witness input")
	}
}

// TestSignVerifies: a wrong key or amount never gives a transaction.
func TestSignVerifies(t *testing.T) {
	coin := testCoin()
	for _, script := range [][]byte{p2wpkh(testKey(1)), p2pkh(testKey(1))} {
		draft, err := coin.Draft([]Input{{testOutpoint(1), chains.NewAmount(100_000), script, Replaceable}},
			[]Payee{{standardScripts[P2TR], chains.NewAmount(90_000)}}, 0)
		if err != nil {
			t.Fatal(err)
		}
		wrong := func([]byte) (*btcec.PrivateKey, error) { return testKey(2), nil }
		if signed, err := draft.Sign(wrong); err == nil {
			t.Errorf("signed with the wrong key: %x", signed.Raw)
		}
		none := func([]byte) (*btcec.PrivateKey, error) { return nil, errors.New("locked") }
		if _, err := draft.Sign(none); err == nil || !strings.Contains(err.Error(), "locked") {
			t.Errorf("without a key: %v", err)
		}
	}
}

// TestBIP143 signs the P2WPKH example of BIP143 with its keys; the second
// input's signature is the one printed there.
func TestBIP143(t *testing.T) {
	unhex := func(s string) []byte {
		b, err := hex.DecodeString(s)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	var tx wire.MsgTx
	raw := unhex("0100000002fff7f7881a8099afa6940d42d1e7f6362bec38171ea3edf433541db4e4ad969f0000000000eeffffffef51e1b804cc89d182d279655c3aa89e815b1b309fe287d9b2b55d57b90ec68a0100000000ffffffff02202cb206000000001976a9148280b37df378db99f66f85c95a783a76ac7a6d5988ac9093510d000000001976a9143bde42dbee7e4dbe6a21b2d50ce2f0167faa815988ac11000000")
	if err := tx.Deserialize(bytes.NewReader(raw)); err != nil {
		t.Fatal(err)
	}
	k2, _ := btcec.PrivKeyFromBytes(unhex("619c335025c7f4012e556c2a58b2506e30b8511b53ade95ea316fd8c3286feb9"))
	first := Input{chains.Outpoint{TxID: tx.TxIn[0].PreviousOutPoint.Hash.String()}, chains.NewAmount(625_000_000), p2pkh(testKey(1)), 0xffffffee}
	second := Input{chains.Outpoint{TxID: tx.TxIn[1].PreviousOutPoint.Hash.String(), Index: 1}, chains.NewAmount(600_000_000), p2wpkh(k2), 0xffffffff}
	if got := hex.EncodeToString(second.Script); got != "00141d0f172a0ecb48aee1be1f2687d2963ae33f71a1" {
		t.Fatalf("script of the second key is %s", got)
	}
	draft := &Draft{coin: testCoin(), tx: &tx, inputs: []Input{first, second}}
	draft.tx.Version = 1
	signed, err := draft.Sign(func(script []byte) (*btcec.PrivateKey, error) {
		if bytes.Equal(script, second.Script) {
			return k2, nil
		}
		return testKey(1), nil
	})
	if err != nil {
		t.Fatal(err)
	}
	var out wire.MsgTx
	if err := out.Deserialize(bytes.NewReader(signed.Raw)); err != nil {
		t.Fatal(err)
	}
	want := "304402203609e17b84f6a7d30c80bfa610b5b4542f32a8a0d5447a12fb1366d7f01cc44a0220573a954c4518331561406f90300e8f3358f51928d43c212a8caed02de67eebee01"
	if diff := cmp.Diff(want, hex.EncodeToString(out.TxIn[1].Witness[0])); diff != "" {
		t.Fatalf("-BIP143 +ours\n%s", diff)
	}
}

func TestEstimateKnownSizes(t *testing.T) {
	wpkh, pkh := standardScripts[P2WPKH], standardScripts[P2PKH]
	for _, tt := range []struct {
		in, out [][]byte
		want    uint64
	}{
		{[][]byte{wpkh}, [][]byte{wpkh, wpkh}, 141},
		{[][]byte{wpkh}, [][]byte{wpkh}, 110},
		{[][]byte{pkh}, [][]byte{pkh, pkh}, 226},
		{[][]byte{pkh, wpkh}, [][]byte{wpkh}, 258},
	} {
		if got, err := Estimate(tt.in, tt.out); err != nil || got != tt.want {
			t.Errorf("%d inputs, %d outputs: %d, %v; want %d", len(tt.in), len(tt.out), got, err, tt.want)
		}
	}
}
