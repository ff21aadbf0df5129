package hotwallet

import (
	"bytes"
	"testing"

	"causeway/chains"
	"causeway/chains/bitcoincash"
	"causeway/chains/dogecoin"
	"causeway/chains/litecoin"
	"causeway/chains/utxo"

	"github.com/btcsuite/btcd/wire/v2"
)

// otherCoins are the coins of the family beside Bitcoin, on regtest, with what
// their amounts are times those of the tests.
func otherCoins(t *testing.T) map[*utxo.Coin]uint64 {
	t.Helper()
	all := map[*utxo.Coin]uint64{}
	for _, c := range []struct {
		newCoin func(chains.Network) (*utxo.Coin, error)
		worth   uint64
	}{{litecoin.New, 10}, {bitcoincash.New, 1}, {dogecoin.New, 1000}} {
		coin, err := c.newCoin(chains.Regtest)
		if err != nil {
			t.Fatal(err)
		}
		all[coin] = c.worth
	}
	return all
}

// TestSignCoins signs payouts of every coin from deposits and change, with sizes
// that are never exceeded, and the same bytes after a restart.
func TestSignCoins(t *testing.T) {
	for coin, worth := range otherCoins(t) {
		t.Run(string(coin.ID()), func(t *testing.T) {
			b := newBenchOf(t, coin)
			p, r := b.payout("batch-1", 50_000*worth, 60_000*worth)
			s := b.sign(r)
			txid, _, vsize, err := coin.TransactionIDs(s.Raw)
			if err != nil || txid != s.TxID || vsize > p.VSize || p.VSize > vsize+uint64(2*len(p.Inputs)) {
				t.Errorf("%s of %d vbytes, planned %d: %v", txid, vsize, p.VSize, err)
			}
			if coin.ID() == chains.LTC {
				verifySigned(t, p, s)
			}
			for _, in := range p.Inputs {
				if want := map[chains.ID]utxo.Kind{chains.LTC: utxo.P2WPKH, chains.BCH: utxo.P2PKH, chains.DOGE: utxo.P2PKH}[coin.ID()]; utxo.KindOf(in.Script) != want {
					t.Errorf("input of kind %s", utxo.KindOf(in.Script))
				}
			}
			b.open(nil)
			if again := b.sign(r); !bytes.Equal(again.Raw, s.Raw) {
				t.Error("another transaction after a restart")
			}
		})
	}
}

// TestDustOfCoins: a payee below the coin's own limit is named, not paid.
func TestDustOfCoins(t *testing.T) {
	for coin := range otherCoins(t) {
		b := newBenchOf(t, coin)
		script := payeeScripts()["p2pkh"]
		limit, _ := coin.Dust(script).Uint64()
		c := b.fund(chains.Watch{Kind: chains.WatchChange}, 100*limit)
		change, err := b.wallet.ChangeScript(coin.ID(), 0)
		if err != nil {
			t.Fatal(err)
		}
		for amount, fails := range map[uint64]bool{limit - 1: true, limit: false} {
			_, err := NewPlan(PlanInput{
				Chain: coin, Batch: "b", Coins: []Coin{c}, Payees: []Payee{{ID: "w", Script: script, Amount: chains.NewAmount(amount)}},
				FeeRate: 1000, Caps: testCaps(), LockTime: 1, ChangeScript: change,
			})
			if (err != nil) != fails {
				t.Errorf("%s: %d of %d: %v", coin.ID(), amount, limit, err)
			}
		}
	}
}

// TestTokensAreNeverSigned: an input whose output carries tokens is refused, even
// when rows and plan ask for it.
func TestTokensAreNeverSigned(t *testing.T) {
	coin, err := bitcoincash.New(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	b := newBenchOf(t, coin)
	watch := deposit("alice", 0)
	c := b.fund(watch, 100_000)
	// The same payment, with tokens in front of its script.
	var tx wire.MsgTx
	if err := tx.Deserialize(bytes.NewReader(b.raw[c.TxID])); err != nil {
		t.Fatal(err)
	}
	prefix := append(append([]byte{0xef}, make([]byte, 32)...), 0x10, 1)
	tx.TxOut[1].PkScript = append(prefix, tx.TxOut[1].PkScript...)
	var raw bytes.Buffer
	if err := tx.Serialize(&raw); err != nil {
		t.Fatal(err)
	}
	c.TxID = tx.TxID()
	b.raw[c.TxID] = raw.Bytes()
	rows, payees := b.withdrawals("w", 50_000)
	p := b.plan("batch-1", payees, c)
	b.refuses("an input with tokens", b.request(p, rows), ErrWrongInputs)
}
