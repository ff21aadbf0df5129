package chaintest

import (
	"bytes"
	"net/http/httptest"
	"testing"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/chains/bitcoincash"
	"causeway/chains/devnet"
	"causeway/chains/dogecoin"
	"causeway/chains/litecoin"
	"causeway/chains/utxo"
	"causeway/chains/utxo/rpcnode"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
)

// TestCoins: the simulator is a chain of every coin of the family. Its payer pays
// us, the project's decoder reads its blocks, and what we sign is taken; a second
// spend is taken only where nodes of the coin replace.
func TestCoins(t *testing.T) {
	for _, c := range []struct {
		params  devnet.Params
		newCoin func(chains.Network) (*utxo.Coin, error)
	}{{devnet.Bitcoin(), bitcoin.New}, {devnet.Litecoin(), litecoin.New}, {devnet.BitcoinCash(), bitcoincash.New}, {devnet.Dogecoin(), dogecoin.New}} {
		t.Run(c.params.Name, func(t *testing.T) {
			coin, err := c.newCoin(chains.Regtest)
			if err != nil {
				t.Fatal(err)
			}
			sim, err := New(Config{Params: c.params, Nodes: 1, Seed: 7})
			if err != nil {
				t.Fatal(err)
			}
			server := httptest.NewServer(sim.Handler())
			defer server.Close()
			node, err := rpcnode.New(server.URL+"/0", coin, rpcnode.Options{})
			if err != nil {
				t.Fatal(err)
			}
			defer node.Close()
			key, _ := btcec.PrivKeyFromBytes([]byte{1: 7, 31: 9})
			script := append(append([]byte{0x76, 0xa9, 20}, address.Hash160(key.PubKey().SerializeCompressed())...), 0x88, 0xac)
			to, err := coin.Address(script)
			if err != nil {
				t.Fatal(err)
			}
			txid, err := sim.Pay(to, 5e8)
			if err != nil {
				t.Fatal(err)
			}
			sim.Mine(1)
			tip, err := node.Tip(t.Context())
			if err != nil {
				t.Fatal(err)
			}
			raw, err := node.RawBlock(t.Context(), tip.Hash)
			if err != nil {
				t.Fatal(err)
			}
			block, err := coin.DecodeBlock(raw, tip.Hash)
			if err != nil {
				t.Fatal(err)
			}
			var in utxo.Input
			for _, out := range block.Outputs {
				if out.TxID == txid && bytes.Equal(out.Script, script) {
					in = utxo.Input{Outpoint: out.Outpoint, Amount: out.Amount, Script: script, Sequence: utxo.Replaceable}
				}
			}
			relay := coin.Facts().RelayFee
			send := func(rate chains.FeeRate) chains.Verdict {
				t.Helper()
				fee, err := rate.Fee(250)
				if err != nil {
					t.Fatal(err)
				}
				rest, _ := in.Amount.Sub(fee)
				draft, err := coin.Draft([]utxo.Input{in}, []utxo.Payee{{Script: script, Amount: rest}}, 0)
				if err != nil {
					t.Fatal(err)
				}
				signed, err := draft.Sign(func([]byte) (*btcec.PrivateKey, error) { return key, nil })
				if err != nil {
					t.Fatal(err)
				}
				verdict, err := node.Broadcast(t.Context(), signed.Raw)
				if err != nil {
					t.Fatal(err)
				}
				return verdict
			}
			if got := send(relay / 2); got != chains.Rejected {
				t.Errorf("below the relay fee: %s", got)
			}
			if got := send(2 * relay); got != chains.Accepted {
				t.Errorf("ours: %s", got)
			}
			want := chains.Conflict
			if coin.Facts().Replaceable {
				want = chains.Accepted
			}
			if got := send(6 * relay); got != want {
				t.Errorf("a dearer one: %s, want %s", got, want)
			}
		})
	}
}
