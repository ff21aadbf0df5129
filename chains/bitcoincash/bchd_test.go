package bitcoincash_test

import (
	"bytes"
	"encoding/hex"
	"flag"
	"testing"

	"causeway/chains"
	"causeway/chains/bitcoincash"
	"causeway/chains/utxo"
	"causeway/internal/nodetest"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the sample blocks anew from a real bchd")

func key(n byte) *btcec.PrivateKey {
	k, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{n}, 32))
	return k
}

func p2sh() []byte {
	return append(append([]byte{0xa9, 20}, bytes.Repeat([]byte{7}, 20)...), 0x87)
}

func mustAddress(t *testing.T, coin *utxo.Coin, script []byte) string {
	t.Helper()
	text, err := coin.Address(script)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// spend signs a transaction of inputs that key owns.
func spend(t *testing.T, node *nodetest.Node, key *btcec.PrivateKey, inputs []utxo.Input, payees ...utxo.Payee) *utxo.Signed {
	t.Helper()
	draft, err := node.Coin.Draft(inputs, payees, uint32(node.Height()))
	if err != nil {
		t.Fatal(err)
	}
	signed, err := draft.Sign(func([]byte) (*btcec.PrivateKey, error) { return key, nil })
	if err != nil {
		t.Fatal(err)
	}
	return signed
}

// coins pays a key and mines, and returns the outputs.
func coins(t *testing.T, node *nodetest.Node, key *btcec.PrivateKey, amounts ...uint64) (inputs []utxo.Input) {
	t.Helper()
	script := nodetest.P2PKH(key)
	to := mustAddress(t, node.Coin, script)
	for _, amount := range amounts {
		node.Pay(to, chains.NewAmount(amount))
	}
	node.Generate(1)
	for _, out := range node.Block(node.Height()).Outputs {
		if bytes.Equal(out.Script, script) {
			inputs = append(inputs, utxo.Input{Outpoint: out.Outpoint, Amount: out.Amount, Script: script, Sequence: utxo.Replaceable})
		}
	}
	if len(inputs) != len(amounts) {
		t.Fatalf("%d of %d payments arrived", len(inputs), len(amounts))
	}
	return inputs
}

// TestBchd compares every block of a busy chain with the node's JSON, and sends
// what we sign.
func TestBchd(t *testing.T) {
	node := nodetest.Bchd(t)
	node.Generate(110)
	source := node.Source()
	inputs := coins(t, node, key(1), 5_000_000, 6_000_000)
	for range 4 { // the node orders them by id
		node.Pay(mustAddress(t, node.Coin, p2sh()), chains.NewAmount(1_000_000))
	}
	expect := func(what string, raw []byte, want chains.Verdict) {
		t.Helper()
		if got, err := source.Broadcast(t.Context(), raw); got != want || (err != nil) != (got == chains.Unknown) {
			t.Errorf("%s: %s, %v; want %s", what, got, err, want)
		}
	}
	payee := func(fee uint64) utxo.Payee {
		return utxo.Payee{Script: nodetest.P2PKH(key(2)), Amount: chains.NewAmount(11_000_000 - fee)}
	}
	expect("no fee", spend(t, node, key(1), inputs, payee(0)).Raw, chains.Rejected)
	signed := spend(t, node, key(1), inputs, payee(2000))
	forged := bytes.Clone(signed.Raw)
	forged[len(forged)-1] ^= 1
	expect("forged", forged, chains.Rejected)
	expect("ours", signed.Raw, chains.Accepted)
	expect("again", signed.Raw, chains.Known)
	expect("a second spend, dearer", spend(t, node, key(1), inputs, payee(90_000)).Raw, chains.Conflict)
	child := spend(t, node, key(2), []utxo.Input{{
		Outpoint: chains.Outpoint{TxID: signed.TxID}, Amount: payee(2000).Amount, Script: payee(0).Script, Sequence: utxo.Replaceable,
	}}, payee(50_000))
	expect("a child", child.Raw, chains.Accepted)
	node.Generate(1)
	expect("mined", child.Raw, chains.Known)
	node.CheckBlocks(0, 0)
	if *update {
		s := node.Sample(node.Height())
		s.Save(t, "kinds")
	}
}

// TestBchdTokens makes tokens on a real node: they lie on an output of ours, whose
// coins are read and whose tokens are noticed.
func TestBchdTokens(t *testing.T) {
	node := nodetest.Bchd(t)
	node.Generate(110)
	// The category is the id of a transaction whose output 0 is spent.
	to := mustAddress(t, node.Coin, nodetest.P2PKH(key(3)))
	first := node.Send(nodetest.Payout{Address: to, Amount: chains.NewAmount(1_000_000)}, nodetest.Payout{Address: to, Amount: chains.NewAmount(1_000_000)})
	node.Generate(1)
	category, err := hex.DecodeString(first)
	if err != nil {
		t.Fatal(err)
	}
	for i, j := 0, 31; i < j; i, j = i+1, j-1 {
		category[i], category[j] = category[j], category[i]
	}
	ours := nodetest.P2PKH(key(4))
	prefix := append([]byte{0xef}, category...)
	withTokens := append(append(append([]byte{}, prefix...), 0x10, 100), ours...)                       // 100 fungible ones
	withNFT := append(append(append([]byte{}, prefix...), 0x72, 3, 'a', 'b', 'c', 0xfd, 0, 1), ours...) // minting, commitment, 256
	signed := spend(t, node, key(3),
		[]utxo.Input{{Outpoint: chains.Outpoint{TxID: first}, Amount: chains.NewAmount(1_000_000), Script: nodetest.P2PKH(key(3)), Sequence: utxo.Replaceable}},
		utxo.Payee{Script: withTokens, Amount: chains.NewAmount(10_000)},
		utxo.Payee{Script: withNFT, Amount: chains.NewAmount(20_000)},
		utxo.Payee{Script: ours, Amount: chains.NewAmount(900_000)})
	node.Call(nil, "sendrawtransaction", hex.EncodeToString(signed.Raw))
	node.Generate(1)
	s := node.Sample(node.Height())
	if *update {
		s.Save(t, "tokens")
	}
	checkTokens(t, node.Coin, &s, ours)
}

// checkTokens finds the three outputs to a script, two of them with tokens.
func checkTokens(t *testing.T, coin *utxo.Coin, s *nodetest.Sample, ours []byte) {
	t.Helper()
	raw, err := hex.DecodeString(s.Raw)
	if err != nil {
		t.Fatal(err)
	}
	block, err := coin.DecodeBlock(raw, s.Node.Hash)
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]bool{}
	for _, out := range block.Outputs {
		if bytes.Equal(out.Script, ours) {
			got[out.Amount.String()] = out.Tokens
		}
	}
	if want := map[string]bool{"10000": true, "20000": true, "900000": false}; !cmp.Equal(want, got) {
		t.Errorf("outputs of ours: %v, want %v", got, want)
	}
}

// TestSamples decodes the committed blocks of a real bchd.
func TestSamples(t *testing.T) {
	coin, err := bitcoincash.New(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	samples := nodetest.Samples(t, "*.json")
	for _, name := range []string{"kinds", "tokens"} {
		if samples[name] == nil {
			t.Fatalf("no sample %s", name)
		}
	}
	samples["kinds"].Check(t, coin, 0)
	checkTokens(t, coin, samples["tokens"], nodetest.P2PKH(key(4)))
}
