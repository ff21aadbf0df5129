package bitcoin_test

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/chains/utxo"
	"causeway/internal/nodetest"

	"github.com/btcsuite/btcd/address/v2"
	"github.com/btcsuite/btcd/btcec/v2"
	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden blocks anew from a real btcd")

// nodeBlock is getblock at verbosity 2, as far as it is compared. btcd has the
// transactions in rawtx, Core in tx.
type nodeBlock struct {
	Hash   string   `json:"hash"`
	Height uint64   `json:"height"`
	Parent string   `json:"previousblockhash"`
	Time   int64    `json:"time"`
	RawTx  []nodeTx `json:"rawtx"`
}

type nodeTx struct {
	TxID string `json:"txid"`
	Vin  []struct {
		Coinbase string `json:"coinbase"`
		TxID     string `json:"txid"`
		Vout     uint32 `json:"vout"`
	} `json:"vin"`
	Vout []struct {
		Value  json.Number `json:"value"`
		N      uint32      `json:"n"`
		Script struct {
			Hex string `json:"hex"`
		} `json:"scriptPubKey"`
	} `json:"vout"`
}

// block is what the node's JSON says, in our form.
func (nb *nodeBlock) block(t *testing.T) *chains.Block {
	t.Helper()
	b := &chains.Block{
		Header:       chains.Header{BlockRef: chains.BlockRef{Hash: nb.Hash}, Parent: nb.Parent, Time: nb.Time},
		Transactions: []string{}, Outputs: []chains.Output{}, Spends: []chains.Spend{},
	}
	for i, tx := range nb.RawTx {
		b.Transactions = append(b.Transactions, tx.TxID)
		for _, out := range tx.Vout {
			amount, err := chains.FromCoin(out.Value.String(), 8)
			if err != nil {
				t.Fatal(err)
			}
			script, err := hex.DecodeString(out.Script.Hex)
			if err != nil {
				t.Fatal(err)
			}
			b.Outputs = append(b.Outputs, chains.Output{
				Outpoint: chains.Outpoint{TxID: tx.TxID, Index: out.N}, Script: script, Amount: amount, Coinbase: i == 0,
			})
		}
		for _, in := range tx.Vin {
			if in.Coinbase == "" {
				b.Spends = append(b.Spends, chains.Spend{Outpoint: chains.Outpoint{TxID: in.TxID, Index: in.Vout}, By: tx.TxID})
			}
		}
	}
	return b
}

// golden is a committed block of a real btcd's regtest chain.
type golden struct {
	Raw  string    `json:"raw"`
	Node nodeBlock `json:"node"`
}

// TestGoldenBlocks decodes blocks of a real btcd and compares with what the
// node itself said of them.
func TestGoldenBlocks(t *testing.T) {
	coin, err := bitcoin.New(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("testdata/regtest-*.json")
	if err != nil || len(files) < 3 {
		t.Fatalf("golden blocks: %v, %v", files, err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var g golden
		if err := json.Unmarshal(data, &g); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		raw, err := hex.DecodeString(g.Raw)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		got, err := coin.DecodeBlock(raw, g.Node.Hash)
		if err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		if diff := cmp.Diff(g.Node.block(t), got); diff != "" {
			t.Errorf("%s: -node +ours\n%s", file, diff)
		}
	}
}

// TestBtcdBlocks compares every block of a busy chain with the node's JSON.
func TestBtcdBlocks(t *testing.T) {
	node := nodetest.Btcd(t)
	node.Generate(110)
	var targets []string
	for _, script := range scripts() {
		text, err := node.Coin.Address(script)
		if err != nil {
			t.Fatal(err)
		}
		targets = append(targets, text)
	}
	for i := range 3 {
		var payouts []nodetest.Payout
		for j, to := range targets {
			node.Pay(to, chains.NewAmount(uint64(1e6+i*1000+j)))
			payouts = append(payouts, nodetest.Payout{Address: to, Amount: chains.NewAmount(uint64(2e6 + i))})
		}
		node.Send(payouts...)
		node.Generate(1)
	}
	source := node.Source()
	for height := range node.Height() + 1 {
		hash, err := source.HashAt(t.Context(), height)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := source.RawBlock(t.Context(), hash)
		if err != nil {
			t.Fatal(err)
		}
		got, err := node.Coin.DecodeBlock(raw, hash)
		if err != nil {
			t.Fatal(err)
		}
		var want nodeBlock
		node.Call(&want, "getblock", hash, 2)
		if height == 0 {
			want.Parent = "0000000000000000000000000000000000000000000000000000000000000000"
		}
		if diff := cmp.Diff(want.block(t), got); diff != "" {
			t.Fatalf("block %d: -node +ours\n%s", height, diff)
		}
		if *update && (height == 1 || height > 110) {
			data, err := json.MarshalIndent(golden{hex.EncodeToString(raw), want}, "", " ")
			if err != nil {
				t.Fatal(err)
			}
			name := filepath.Join("testdata", fmt.Sprintf("regtest-%d.json", height))
			if err := os.WriteFile(name, append(data, '\n'), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
}

func key(n byte) *btcec.PrivateKey {
	k, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{n}, 32))
	return k
}

func p2wpkh(k *btcec.PrivateKey) []byte {
	return append([]byte{0, 20}, address.Hash160(k.PubKey().SerializeCompressed())...)
}

func p2pkh(k *btcec.PrivateKey) []byte {
	return append(append([]byte{0x76, 0xa9, 20}, address.Hash160(k.PubKey().SerializeCompressed())...), 0x88, 0xac)
}

// scripts are one of each standard type.
func scripts() [][]byte {
	h := bytes.Repeat([]byte{7}, 32)
	return [][]byte{
		p2pkh(key(1)), p2wpkh(key(1)),
		append(append([]byte{0xa9, 20}, h[:20]...), 0x87),
		append([]byte{0, 32}, h...),
		append([]byte{0x51, 32}, key(1).PubKey().SerializeCompressed()[1:]...),
	}
}

// TestBtcdReorg follows a real node through invalidated blocks.
func TestBtcdReorg(t *testing.T) {
	node := nodetest.Btcd(t)
	node.Generate(101)
	script := p2wpkh(key(2))
	to, err := node.Coin.Address(script)
	if err != nil {
		t.Fatal(err)
	}
	follower := chains.NewFollower(node.Source(), node.Coin, chains.FollowerOptions{Start: 90})
	set := chains.NewWatchSet()
	if err := set.Add(script, chains.Watch{Kind: chains.WatchDeposit, Account: "alice", Address: to}); err != nil {
		t.Fatal(err)
	}
	var tail []chains.BlockRef
	paid := map[chains.Outpoint]string{} // block by payment
	undone := 0
	run := func() {
		t.Helper()
		for {
			e, err := follower.Next(t.Context(), tail)
			if err != nil {
				t.Fatal(err)
			}
			switch e := e.(type) {
			case nil:
				return
			case chains.Connected:
				for _, p := range set.Match(e.Block, nil).Payments {
					paid[p.Outpoint] = e.Block.Hash
				}
			case chains.Disconnected:
				undone++
				for o, hash := range paid {
					if hash == e.Hash {
						delete(paid, o)
					}
				}
			}
			tail = chains.Extend(tail, e, 144)
		}
	}
	txid := node.Pay(to, chains.NewAmount(123_456))
	block := node.Generate(1)[0]
	node.Generate(2)
	run()
	if at := tail[len(tail)-1]; at.Height != 104 || paid[chains.Outpoint{TxID: txid}]+paid[chains.Outpoint{TxID: txid, Index: 1}] != block {
		t.Fatalf("at %v, paid %v; want 104 and a payment in %s", at, paid, block)
	}

	node.Call(nil, "invalidateblock", block)
	run()
	if undone != 0 || tail[len(tail)-1].Height != 104 {
		t.Fatalf("a node that went back moved us: %d blocks undone, at %v", undone, tail[len(tail)-1])
	}
	node.Generate(3) // the payment is back in the mempool and is mined again
	run()
	if undone != 3 || len(paid) != 1 || tail[len(tail)-1].Height != 104 {
		t.Fatalf("%d blocks undone, %v paid, at %v", undone, paid, tail[len(tail)-1])
	}
	for _, hash := range paid {
		if hash == block {
			t.Fatal("the payment is still in the block that is gone")
		}
	}
	node.Stop()
	if e, err := follower.Next(t.Context(), tail); !errors.Is(err, chains.ErrUnavailable) {
		t.Fatalf("without a node: %v, %v", e, err)
	}
}

// TestBtcdBroadcast sends what we sign, of both kinds, and reads btcd's refusals.
func TestBtcdBroadcast(t *testing.T) {
	node := nodetest.Btcd(t)
	node.Generate(110)
	source := node.Source()
	var inputs []utxo.Input
	for _, script := range [][]byte{p2wpkh(key(3)), p2pkh(key(3))} {
		to, err := node.Coin.Address(script)
		if err != nil {
			t.Fatal(err)
		}
		for range 2 {
			txid := node.Pay(to, chains.NewAmount(5_000_000))
			raw, err := source.RawTransaction(t.Context(), txid)
			if err != nil {
				t.Fatal(err)
			}
			_, outputs, _, err := node.Coin.DecodeTransaction(raw)
			if err != nil {
				t.Fatal(err)
			}
			for _, out := range outputs {
				if bytes.Equal(out.Script, script) {
					inputs = append(inputs, utxo.Input{Outpoint: out.Outpoint, Amount: out.Amount, Script: script, Sequence: utxo.Replaceable})
				}
			}
		}
	}
	node.Generate(1)
	sign := func(inputs []utxo.Input, fee uint64) *utxo.Signed {
		t.Helper()
		amount := chains.NewAmount(uint64(len(inputs))*5_000_000 - fee)
		draft, err := node.Coin.Draft(inputs, []utxo.Payee{{Script: scripts()[4], Amount: amount}}, uint32(node.Height()))
		if err != nil {
			t.Fatal(err)
		}
		signed, err := draft.Sign(func([]byte) (*btcec.PrivateKey, error) { return key(3), nil })
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
	all := sign(inputs, 2000)
	expect("inputs of both kinds", all.Raw, chains.Accepted)
	expect("again", all.Raw, chains.Known)
	if txids, err := source.Mempool(t.Context()); err != nil || !cmp.Equal(txids, []string{all.TxID}) {
		t.Errorf("mempool %v, %v; want %s", txids, err, all.TxID)
	}
	expect("a bump that pays less", sign(inputs, 1500).Raw, chains.Conflict)
	bump := sign(inputs, 9000)
	expect("a bump", bump.Raw, chains.Accepted)
	expect("what it replaced", all.Raw, chains.Conflict)
	if _, err := source.RawTransaction(t.Context(), all.TxID); !errors.Is(err, chains.ErrNotFound) {
		t.Errorf("what was replaced: %v", err)
	}
	node.Generate(1)
	expect("mined", bump.Raw, chains.Known)
	expect("inputs that are spent", sign(inputs[:1], 1000).Raw, chains.Conflict)
	missing := inputs[0]
	missing.TxID = all.TxID
	expect("inputs that never were", sign([]utxo.Input{missing}, 1000).Raw, chains.Conflict)
	forged := bytes.Clone(bump.Raw)
	forged[len(forged)-1] ^= 1 // lock time: the signatures do not hold
	expect("forged", forged, chains.Conflict)

	txid := node.Pay(mustAddress(t, node, p2wpkh(key(3))), chains.NewAmount(5_000_000))
	raw, err := source.RawTransaction(t.Context(), txid)
	if err != nil {
		t.Fatal(err)
	}
	_, outputs, _, _ := node.Coin.DecodeTransaction(raw)
	var fresh []utxo.Input
	for _, out := range outputs {
		if bytes.Equal(out.Script, p2wpkh(key(3))) {
			fresh = append(fresh, utxo.Input{Outpoint: out.Outpoint, Amount: out.Amount, Script: out.Script, Sequence: utxo.Replaceable})
		}
	}
	node.Generate(1)
	lie := fresh[0]
	lie.Amount = chains.NewAmount(5_000_001) // BIP143 signs the amount
	expect("signed for another amount", sign([]utxo.Input{lie}, 1000).Raw, chains.Rejected)
	expect("no fee", sign(fresh, 0).Raw, chains.Rejected)
	if rate, ok, err := source.EstimateFee(t.Context(), 6); err != nil {
		t.Errorf("estimate %d, %v, %v", rate, ok, err)
	}
}

func mustAddress(t *testing.T, node *nodetest.Node, script []byte) string {
	t.Helper()
	text, err := node.Coin.Address(script)
	if err != nil {
		t.Fatal(err)
	}
	return text
}
