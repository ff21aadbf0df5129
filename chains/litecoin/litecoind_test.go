package litecoin_test

import (
	"bytes"
	"encoding/hex"
	"errors"
	"flag"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/chains/litecoin"
	"causeway/chains/utxo"
	"causeway/chains/utxo/rpcnode"
	"causeway/internal/nodetest"

	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the sample blocks anew from a real litecoind")

func key(n byte) *btcec.PrivateKey {
	k, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{n}, 32))
	return k
}

// scripts are one of each standard type.
func scripts() [][]byte {
	h := bytes.Repeat([]byte{7}, 32)
	return [][]byte{
		nodetest.P2PKH(key(1)), nodetest.P2WPKH(key(1)),
		append(append([]byte{0xa9, 20}, h[:20]...), 0x87),
		append([]byte{0, 32}, h...),
		append([]byte{0x51, 32}, key(1).PubKey().SerializeCompressed()[1:]...),
	}
}

func mustAddress(t *testing.T, coin *utxo.Coin, script []byte) string {
	t.Helper()
	text, err := coin.Address(script)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// TestLitecoind: payments of every kind, in both address forms of P2SH, mined by
// a real node without extension blocks.
func TestLitecoind(t *testing.T) {
	node := nodetest.Litecoind(t, false)
	node.Generate(110)
	for i := range 3 {
		var payouts []nodetest.Payout
		for j, script := range scripts() {
			to := mustAddress(t, node.Coin, script)
			var valid struct {
				Valid bool `json:"isvalid"`
			}
			if node.Call(&valid, "validateaddress", to); !valid.Valid {
				t.Errorf("litecoind does not know %s", to)
			}
			payouts = append(payouts, nodetest.Payout{Address: to, Amount: chains.NewAmount(uint64(1e6 + i*1000 + j))})
		}
		node.Send(payouts...)
		node.Generate(1)
	}
	node.CheckBlocks(0, litecoin.PegOutDepth)
	if *update {
		s := node.Sample(111)
		s.Save(t, "kinds")
	}
}

// TestLitecoindBroadcast signs both of our kinds and reads litecoind's refusals.
// As it is shipped it takes no replacement; a child is taken.
func TestLitecoindBroadcast(t *testing.T) {
	node := nodetest.Litecoind(t, false)
	node.Generate(110)
	source := node.Source()
	var inputs []utxo.Input
	for _, script := range [][]byte{nodetest.P2WPKH(key(3)), nodetest.P2PKH(key(3))} {
		txid := node.Pay(mustAddress(t, node.Coin, script), chains.NewAmount(5_000_000))
		inputs = append(inputs, outputTo(t, source, node.Coin, txid, script))
	}
	node.Generate(1)
	change := nodetest.P2WPKH(key(4))
	sign := func(fee uint64, who *btcec.PrivateKey, inputs ...utxo.Input) *utxo.Signed {
		t.Helper()
		var sum chains.Amount
		for _, in := range inputs {
			sum, _ = sum.Add(in.Amount)
		}
		rest, err := sum.Sub(chains.NewAmount(fee))
		if err != nil {
			t.Fatal(err)
		}
		draft, err := node.Coin.Draft(inputs, []utxo.Payee{{Script: change, Amount: rest}}, uint32(node.Height()))
		if err != nil {
			t.Fatal(err)
		}
		signed, err := draft.Sign(func([]byte) (*btcec.PrivateKey, error) { return who, nil })
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	expect := func(what string, raw []byte, want chains.Verdict) {
		t.Helper()
		if got, err := source.Broadcast(t.Context(), raw); got != want || (err != nil) != (got == chains.Unknown) {
			t.Errorf("%s: %s, %v; want %s", what, got, err, want)
		}
	}
	both := sign(2000, key(3), inputs...)
	expect("no fee", sign(0, key(3), inputs...).Raw, chains.Rejected)
	expect("inputs of both kinds", both.Raw, chains.Accepted)
	expect("again", both.Raw, chains.Accepted) // it sends it on once more
	expect("a replacement", sign(90_000, key(3), inputs...).Raw, chains.Conflict)
	child := sign(50_000, key(4), outputTo(t, source, node.Coin, both.TxID, change))
	expect("a child", child.Raw, chains.Accepted)
	node.Generate(1)
	expect("mined", both.Raw, chains.Conflict) // its outputs are spent: nothing of it is left to know it by
	expect("child, mined", child.Raw, chains.Known)
	node.CheckBlocks(node.Height(), litecoin.PegOutDepth)
}

func outputTo(t *testing.T, source chains.Source, coin *utxo.Coin, txid string, script []byte) utxo.Input {
	t.Helper()
	raw, err := source.RawTransaction(t.Context(), txid)
	if err != nil {
		t.Fatal(err)
	}
	_, outputs, _, err := coin.DecodeTransaction(raw)
	if err != nil {
		t.Fatal(err)
	}
	for _, out := range outputs {
		if bytes.Equal(out.Script, script) {
			return utxo.Input{Outpoint: out.Outpoint, Amount: out.Amount, Script: script, Sequence: utxo.Replaceable}
		}
	}
	t.Fatalf("%s does not pay %x", txid, script)
	return utxo.Input{}
}

// TestLitecoindMWEB: with extension blocks active every block is read, what leaves
// them is found and asks for its own depth, and what stays within them disturbs
// nobody.
func TestLitecoindMWEB(t *testing.T) {
	node := nodetest.Litecoind(t, true)
	outer, inner, miner := node.ActivateMWEB()
	source := node.Source()
	generate := func(n int) { node.Call(nil, "generatetoaddress", n, miner) }
	send := func(wallet *rpcnode.Client, to string, amount float64) {
		t.Helper()
		if err := wallet.Call(t.Context(), nil, "sendtoaddress", to, amount); err != nil {
			t.Fatal(err)
		}
	}
	within := func() (to string) {
		t.Helper()
		if err := inner.Call(t.Context(), &to, "getnewaddress", "", "mweb"); err != nil {
			t.Fatal(err)
		}
		return to
	}
	generate(6)
	plain := node.Wallet("plain") // has no coins in the extension block
	var outside string
	if err := plain.Call(t.Context(), &outside, "getnewaddress", "", "bech32"); err != nil {
		t.Fatal(err)
	}
	send(outer, outside, 5)
	generate(1)

	// Out of the extension block.
	script := nodetest.P2WPKH(key(9))
	to := mustAddress(t, node.Coin, script)
	send(inner, to, 3.25)
	generate(1)
	pegOut := node.Sample(node.Height())
	block := pegOut.Check(t, node.Coin, litecoin.PegOutDepth)
	var found []chains.Output
	for _, out := range block.Outputs {
		if bytes.Equal(out.Script, script) {
			found = append(found, out)
		}
	}
	if len(found) != 1 || found[0].Amount != chains.NewAmount(325_000_000) || found[0].MinDepth != litecoin.PegOutDepth ||
		found[0].TxID != block.Transactions[len(block.Transactions)-1] {
		t.Errorf("what left the extension block: %+v of %v", found, block.Transactions)
	}

	// Into it, and within it: what the mempool shows can be read or is hidden.
	send(plain, within(), 2)
	send(inner, within(), 1)
	txids, err := source.Mempool(t.Context())
	if err != nil || len(txids) != 2 {
		t.Fatalf("mempool %v, %v", txids, err)
	}
	hidden := 0
	for _, txid := range txids {
		raw, err := source.RawTransaction(t.Context(), txid)
		if err != nil {
			t.Fatalf("%s: %v", txid, err)
		}
		switch got, _, _, err := node.Coin.DecodeTransaction(raw); {
		case errors.Is(err, chains.ErrHidden):
			hidden++
		case err != nil || got != txid:
			t.Errorf("%s decodes as %s, %v", txid, got, err)
		}
	}
	if hidden != 1 {
		t.Errorf("%d of %d waiting transactions are within the extension block", hidden, len(txids))
	}
	generate(1)
	pegIn := node.Sample(node.Height())
	node.CheckBlocks(430, litecoin.PegOutDepth)
	if *update {
		pegOut.Save(t, "mweb-pegout")
		pegIn.Save(t, "mweb-pegin")
	}
}

// TestSamples decodes the committed blocks of a real litecoind.
func TestSamples(t *testing.T) {
	coin, err := litecoin.New(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	samples := nodetest.Samples(t, "*.json")
	for _, name := range []string{"kinds", "mweb-pegout", "mweb-pegin"} {
		s := samples[name]
		if s == nil {
			t.Fatalf("no sample %s", name)
		}
		block := s.Check(t, coin, litecoin.PegOutDepth)
		special := 0
		for _, out := range block.Outputs {
			if out.MinDepth > 0 {
				special++
			}
		}
		if (special > 0) != strings.HasPrefix(name, "mweb") {
			t.Errorf("%s: %d outputs of a HogEx", name, special)
		}
		// Every byte matters, but for those within the extension block.
		raw, _ := hex.DecodeString(s.Raw)
		for i := 0; i < len(raw); i += 5 {
			forged := bytes.Clone(raw)
			forged[i] ^= 0x80
			if got, err := coin.DecodeBlock(forged, s.Node.Hash); err == nil && (special == 0 || !cmp.Equal(block, got)) {
				t.Fatalf("%s: byte %d is forged", name, i)
			}
		}
	}
}
