package dogecoin_test

import (
	"bytes"
	"encoding/hex"
	"testing"

	"causeway/chains"
	"causeway/chains/dogecoin"
	"causeway/chains/utxo"
	"causeway/internal/nodetest"

	"github.com/btcsuite/btcd/btcec/v2"
)

// TestFacts: the limits that nodes of this coin have, on each network.
func TestFacts(t *testing.T) {
	for network, maturity := range map[chains.Network]uint64{chains.Mainnet: 240, chains.Testnet: 240, chains.Regtest: 60} {
		coin, err := dogecoin.New(network)
		if err != nil {
			t.Fatal(err)
		}
		f := coin.Facts()
		if coin.ID() != chains.DOGE || coin.CoinbaseMaturity() != maturity || f.Depths.Floor != 20 || f.RelayFee != 100_000 || !f.Replaceable {
			t.Errorf("%s: %s, maturity %d, %+v", network, coin.ID(), coin.CoinbaseMaturity(), f)
		}
		for _, script := range [][]byte{nodetest.P2PKH(key(1)), append(append([]byte{0xa9, 20}, make([]byte, 20)...), 0x87)} {
			if dust := coin.Dust(script); dust != chains.NewAmount(1_000_000) {
				t.Errorf("dust %s", dust)
			}
		}
	}
	if _, err := dogecoin.New("simnet"); err == nil {
		t.Error("simnet is accepted")
	}
}

func TestAddresses(t *testing.T) {
	coin, err := dogecoin.New(chains.Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	text, err := coin.Address(nodetest.P2PKH(key(1)))
	if err != nil || text[0] != 'D' {
		t.Fatalf("%s, %v", text, err)
	}
	if script, err := coin.Script(text); err != nil || !bytes.Equal(script, nodetest.P2PKH(key(1))) {
		t.Fatalf("%x, %v", script, err)
	}
	for _, foreign := range []string{
		"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", "LeLTxYzww4Y7RsVwue9rAYVSoKQrY69wzT",
		"bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a", "",
	} {
		if got, err := coin.Script(foreign); err == nil {
			t.Errorf("%q gives %x", foreign, got)
		}
	}
	// No witness program is ever an address of this coin, nor can we spend one.
	witness := append([]byte{0, 20}, make([]byte, 20)...)
	if text, err := coin.Address(witness); err == nil {
		t.Errorf("a witness program is %s", text)
	}
	in := utxo.Input{Outpoint: chains.Outpoint{TxID: hex.EncodeToString(make([]byte, 32))}, Amount: chains.NewAmount(5e8), Script: witness}
	if _, err := coin.Draft([]utxo.Input{in}, []utxo.Payee{{Script: nodetest.P2PKH(key(1)), Amount: chains.NewAmount(4e8)}}, 0); err == nil {
		t.Error("a witness input is drafted")
	}
}

func key(n byte) *btcec.PrivateKey {
	k, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{n}, 32))
	return k
}

// TestDogenet compares the embedded chain's blocks with its JSON, and sends what
// we sign, replacement included.
func TestDogenet(t *testing.T) {
	node := nodetest.Dogenet(t)
	node.Generate(65)
	script := nodetest.P2PKH(key(1))
	to, err := node.Coin.Address(script)
	if err != nil {
		t.Fatal(err)
	}
	txid := node.Pay(to, chains.NewAmount(100e8))
	node.Generate(1)
	var in utxo.Input
	for _, out := range node.Block(node.Height()).Outputs {
		if out.TxID == txid && bytes.Equal(out.Script, script) {
			in = utxo.Input{Outpoint: out.Outpoint, Amount: out.Amount, Script: script, Sequence: utxo.Replaceable}
		}
	}
	source := node.Source()
	send := func(fee uint64, want chains.Verdict) {
		t.Helper()
		draft, err := node.Coin.Draft([]utxo.Input{in}, []utxo.Payee{{Script: nodetest.P2PKH(key(2)), Amount: chains.NewAmount(100e8 - fee)}}, uint32(node.Height()))
		if err != nil {
			t.Fatal(err)
		}
		if raw := draft.Unsigned(); raw[0] != 1 {
			t.Errorf("version %d", raw[0])
		}
		signed, err := draft.Sign(func([]byte) (*btcec.PrivateKey, error) { return key(1), nil })
		if err != nil {
			t.Fatal(err)
		}
		if got, err := source.Broadcast(t.Context(), signed.Raw); got != want || (err != nil) != (got == chains.Unknown) {
			t.Errorf("fee %d: %s, %v; want %s", fee, got, err, want)
		}
	}
	send(10_000, chains.Rejected) // below 0.001 per 1000 bytes
	send(200_000, chains.Accepted)
	send(400_000, chains.Accepted) // in its place
	node.Generate(1)
	node.CheckBlocks(0, 0)
}
