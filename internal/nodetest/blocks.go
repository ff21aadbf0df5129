package nodetest

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/chains/utxo"
	"causeway/chains/utxo/rpcnode"

	"github.com/google/go-cmp/cmp"
)

// Sample is a block of a real node: its bytes, and what the node said of it.
type Sample struct {
	Raw  string    `json:"raw"`
	Node NodeBlock `json:"node"`
}

// NodeBlock is getblock at verbosity 2, as far as it is compared. btcd and bchd
// have the transactions in rawtx, Core in tx.
type NodeBlock struct {
	Hash   string          `json:"hash"`
	Height uint64          `json:"height"`
	Parent string          `json:"previousblockhash"`
	Time   int64           `json:"time"`
	RawTx  []NodeTx        `json:"rawtx"`
	Tx     json.RawMessage `json:"tx,omitempty"`
}

// NodeTx is a transaction as nodes print it.
type NodeTx struct {
	TxID string `json:"txid"`
	Vin  []struct {
		Coinbase string `json:"coinbase,omitempty"`
		TxID     string `json:"txid,omitempty"`
		Vout     uint32 `json:"vout"`
	} `json:"vin"`
	Vout []NodeOutput `json:"vout"`
}

// NodeOutput is an output as nodes print it.
type NodeOutput struct {
	Value  json.Number `json:"value"`
	N      uint32      `json:"n"`
	Script struct {
		Hex  string `json:"hex"`
		Type string `json:"type,omitempty"`
	} `json:"scriptPubKey"`
	Tokens json.RawMessage `json:"tokenData,omitempty"`
}

// hogAddr is litecoind's name of the output that begins a HogEx.
const hogAddr = "witness_mweb_hogaddr"

// block is what the node's JSON says, in our form. pegOut is the depth that
// payments out of an extension block ask for.
func (nb *NodeBlock) block(t testing.TB, pegOut uint64) *chains.Block {
	t.Helper()
	if len(nb.Parent) == 0 { // of block 0
		nb.Parent = strings.Repeat("0", 64)
	}
	b := &chains.Block{
		Header:       chains.Header{BlockRef: chains.BlockRef{Hash: nb.Hash}, Parent: nb.Parent, Time: nb.Time},
		Transactions: []string{}, Outputs: []chains.Output{}, Spends: []chains.Spend{},
	}
	for i, tx := range nb.RawTx {
		b.Transactions = append(b.Transactions, tx.TxID)
		hogEx := len(tx.Vout) > 0 && tx.Vout[0].Script.Type == hogAddr
		for _, out := range tx.Vout {
			b.Outputs = append(b.Outputs, out.output(t, tx.TxID))
			last := &b.Outputs[len(b.Outputs)-1]
			if last.Coinbase = i == 0; hogEx {
				last.MinDepth = pegOut
			}
		}
		for _, in := range tx.Vin {
			if in.Coinbase == "" {
				b.Spends = append(b.Spends, chains.Spend{Outpoint: chains.Outpoint{TxID: in.TxID, Index: in.Vout}, By: tx.TxID})
			}
		}
	}
	return b
}

func (o *NodeOutput) output(t testing.TB, txid string) chains.Output {
	t.Helper()
	amount, err := chains.FromCoin(o.Value.String(), 8)
	if err != nil {
		t.Fatal(err)
	}
	script, err := hex.DecodeString(o.Script.Hex)
	if err != nil {
		t.Fatal(err)
	}
	tokens := len(o.Tokens) > 0 && string(o.Tokens) != "null"
	return chains.Output{Outpoint: chains.Outpoint{TxID: txid, Index: o.N}, Script: script, Amount: amount, Tokens: tokens}
}

// Sample takes the block at a height.
func (n *Node) Sample(height uint64) Sample {
	n.t.Helper()
	var hash string
	var s Sample
	n.Call(&hash, "getblockhash", height)
	n.big(&s.Raw, "getblock", hash, 0)
	s.Node = shown(n.t, n.Client, hash)
	return s
}

// maxShown bounds a block as JSON.
const maxShown = 64 << 20

// shown is what a node says of a block.
func shown(t testing.TB, client *rpcnode.Client, hash string) (nb NodeBlock) {
	t.Helper()
	if err := client.CallLimit(t.Context(), maxShown, &nb, "getblock", hash, 2); err != nil {
		t.Fatal(err)
	}
	if len(nb.RawTx) == 0 {
		if err := json.Unmarshal(nb.Tx, &nb.RawTx); err != nil {
			t.Fatal(err)
		}
	}
	nb.Tx = nil
	return nb
}

// Show is what a node's JSON says of a block, in our form; pegOut is the depth that
// payments out of an extension block ask for.
func Show(t testing.TB, client *rpcnode.Client, hash string, pegOut uint64) *chains.Block {
	t.Helper()
	nb := shown(t, client, hash)
	b := nb.block(t, pegOut)
	b.Height = nb.Height
	return b
}

// big is Call for large answers.
func (n *Node) big(result any, method string, params ...any) {
	n.t.Helper()
	if err := n.Client.CallLimit(n.t.Context(), maxShown, result, method, params...); err != nil {
		n.t.Fatal(err)
	}
}

// Check decodes the sample's bytes and compares with what the node said.
func (s *Sample) Check(t testing.TB, coin *utxo.Coin, pegOut uint64) *chains.Block {
	t.Helper()
	raw, err := hex.DecodeString(s.Raw)
	if err != nil {
		t.Fatal(err)
	}
	got, err := coin.DecodeBlock(raw, s.Node.Hash)
	if err != nil {
		t.Fatalf("block %d: %v", s.Node.Height, err)
	}
	if diff := cmp.Diff(s.Node.block(t, pegOut), got); diff != "" {
		t.Fatalf("block %d: -node +ours\n%s", s.Node.Height, diff)
	}
	return got
}

// Save writes the sample into testdata under a name.
func (s *Sample) Save(t testing.TB, name string) {
	t.Helper()
	data, err := json.MarshalIndent(s, "", " ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.MkdirAll("testdata", 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join("testdata", name+".json"), append(data, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}

// Samples reads the samples in testdata whose names match a pattern, by name.
func Samples(t testing.TB, pattern string) map[string]*Sample {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil {
		t.Fatal(err)
	}
	samples := map[string]*Sample{}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var s Sample
		if err := json.Unmarshal(data, &s); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		samples[strings.TrimSuffix(filepath.Base(file), ".json")] = &s
	}
	return samples
}

// CheckBlocks compares every block from a height on with the node's JSON.
func (n *Node) CheckBlocks(from, pegOut uint64) {
	n.t.Helper()
	for height := from; height <= n.Height(); height++ {
		s := n.Sample(height)
		s.Check(n.t, n.Coin, pegOut)
	}
}
