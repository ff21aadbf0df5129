package gateway

import (
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/pegs"
)

// scriptedNode prints blocks as a node would, in the spelling of Core or btcd.
type scriptedNode struct {
	blocks []string // hashes by height
	txs    map[string][]string
	rawtx  bool
	calls  int
}

func (n *scriptedNode) Call(_ context.Context, method string, params []any, result any) error {
	n.calls++
	var answer any
	switch method {
	case "getblockhash":
		height := int(params[0].(uint64))
		if height >= len(n.blocks) {
			return errors.New("block height out of range")
		}
		answer = n.blocks[height]
	case "getblock":
		hash := params[0].(string)
		for height, h := range n.blocks {
			if h == hash {
				answer = n.block(height, hash)
			}
		}
	}
	text, err := json.Marshal(answer)
	if err != nil {
		return err
	}
	return json.Unmarshal(text, result)
}

func (n *scriptedNode) block(height int, hash string) map[string]any {
	block := map[string]any{"hash": hash, "height": height}
	if height > 0 {
		block["previousblockhash"] = n.blocks[height-1]
	}
	list := json.RawMessage("[" + strings.Join(n.txs[hash], ",") + "]")
	if n.rawtx {
		block["rawtx"] = list
	} else {
		block["tx"] = list
	}
	return block
}

// tx prints a transaction: inputs "txid:n", outputs "script=value".
func printTx(txid, inputs, outputs string) string {
	var vin, vout []string
	for _, in := range strings.Fields(inputs) {
		prev, n, _ := strings.Cut(in, ":")
		vin = append(vin, fmt.Sprintf(`{"txid":%q,"vout":%s}`, prev, n))
	}
	if inputs == "" {
		vin = append(vin, `{"coinbase":"00"}`)
	}
	for i, out := range strings.Fields(outputs) {
		script, value, _ := strings.Cut(out, "=")
		vout = append(vout, fmt.Sprintf(`{"value":%s,"n":%d,"scriptPubKey":{"hex":%q}}`, value, i, script))
	}
	return fmt.Sprintf(`{"txid":%q,"vin":[%s],"vout":[%s]}`, txid, strings.Join(vin, ","), strings.Join(vout, ","))
}

func testBook(t *testing.T) (*addressBook, map[string]string) {
	t.Helper()
	wallet, err := hotwallet.NewWallet(hotwallet.NewSecret(testMnemonic), chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	p, err := wallet.MasterKey(chains.BTC, 0)
	if err != nil {
		t.Fatal(err)
	}
	book := &addressBook{chain: chains.BTC, network: chains.Regtest}
	change, err := wallet.ChangeScript(chains.BTC, 0)
	if err != nil {
		t.Fatal(err)
	}
	if err := book.add(pegs.EpochAdded{Key: hex.EncodeToString(p[:]), Scripts: []pegs.OwnScript{
		{Kind: chains.WatchChange, Address: "change", Script: hex.EncodeToString(change)},
	}}); err != nil {
		t.Fatal(err)
	}
	scripts := map[string]string{"change": hex.EncodeToString(change)}
	for _, name := range []string{"alice", "bob"} {
		list, err := book.deposits(name)
		if err != nil {
			t.Fatal(err)
		}
		scripts[name] = hex.EncodeToString(list[0].script)
	}
	return book, scripts
}

func TestScanner(t *testing.T) {
	book, scripts := testBook(t)
	for _, rawtx := range []bool{false, true} {
		node := &scriptedNode{rawtx: rawtx, blocks: []string{"b0", "b1", "b2"}, txs: map[string][]string{
			"b0": {printTx("c0", "", "51=50")},
			"b1": {printTx("d1", "c0:0", strings.ToUpper(scripts["alice"])+"=0.1 "+scripts["bob"]+"=1e-8 51=1")},
			"o2": {printTx("c2", "", "51=50")}, "o3": {printTx("c3", "", "51=50")},
			"b2": {printTx("p1", "d1:0", "51=0.04 "+scripts["change"]+"=0.0599"), printTx("x", "q:0", "51=1")},
		}}
		store, err := openScanStore(filepath.Join(t.TempDir(), ScannerFile), "net")
		if err != nil {
			t.Fatal(err)
		}
		s := newScanner(chains.BTC, node, store)
		at := func(height uint64, accounts ...string) pegs.ScannerView {
			t.Helper()
			v, err := s.sync(context.Background(), book, 0, accounts, chains.BlockRef{Height: height, Hash: node.blocks[height]})
			if err != nil {
				t.Fatal(err)
			}
			return v
		}
		if v := at(1, "alice"); len(v.Items) != 1 || len(v.Deposits) != 1 || v.Items[0].Amount != chains.NewAmount(10_000_000) {
			t.Errorf("at block 1: %+v", v)
		}
		// An account that came later is found in the past.
		v := at(2, "alice", "bob")
		if len(v.Items) != 2 || v.Deposits["btc:d1:1"] != chains.NewAmount(1) || len(v.Deposits) != 2 || len(v.Txs) != 1 {
			t.Errorf("at block 2: %+v", v)
		}
		if tx := v.Txs["p1"]; tx.Fee != chains.NewAmount(10_000) || tx.Foreign || v.Spending[chains.Outpoint{TxID: "d1"}] != "p1" {
			t.Errorf("the payout is %+v", tx)
		}
		// Back to the block before, and on along another branch.
		if v := at(1, "alice", "bob"); len(v.Items) != 2 || len(v.Txs) != 0 {
			t.Errorf("back at block 1: %+v", v)
		}
		node.blocks = []string{"b0", "b1", "o2", "o3"}
		if v := at(3, "alice", "bob"); len(v.Items) != 2 || len(v.Txs) != 0 || v.Block.Hash != "o3" {
			t.Errorf("on the other branch: %+v", v)
		}
		if _, err := s.sync(context.Background(), book, 0, []string{"alice"}, chains.BlockRef{Height: 3, Hash: "else"}); !errors.Is(err, errScanned) {
			t.Errorf("a block that is not there: %v", err)
		}
		// What was stored is taken up again.
		if err := s.flush(); err != nil {
			t.Fatal(err)
		}
		node.calls = 0
		s = newScanner(chains.BTC, node, store)
		if v := at(3, "alice", "bob"); len(v.Items) != 2 || node.calls > 2+2*rereadPerSync {
			t.Errorf("after a restart: %d calls, %+v", node.calls, v)
		}
		store.close()
	}
}

func TestScannerStoreIsRebuilt(t *testing.T) {
	path := filepath.Join(t.TempDir(), ScannerFile)
	store, err := openScanStore(path, "net")
	if err != nil {
		t.Fatal(err)
	}
	store.close()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, bad := range map[string][]byte{"cut": text[:len(text)/2], "nonsense": []byte(strings.Repeat("x", 9000))} {
		if err := os.WriteFile(path, bad, 0o600); err != nil {
			t.Fatal(err)
		}
		store, err := openScanStore(path, "net")
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		store.close()
	}
}

// A node of the scanner that is gone is replaced by the next, and asked again
// when that one is gone.
func TestScanNodes(t *testing.T) {
	a, b := &flakyNode{NodeRPC: &scriptedNode{blocks: []string{"a0"}}}, &flakyNode{NodeRPC: &scriptedNode{blocks: []string{"b0"}}}
	nodes := &ScanNodes{nodes: []NodeRPC{a, b}, quorum: 1}
	ask := func(want string) {
		t.Helper()
		var got string
		if err := nodes.Call(context.Background(), "getblockhash", []any{uint64(0)}, &got); (err == nil) != (want != "") || got != want {
			t.Errorf("%q, %v; want %q", got, err, want)
		}
	}
	ask("a0")
	a.gone = true
	ask("b0")
	a.gone = false
	ask("b0")
	b.gone = true
	ask("a0")
	a.gone = true
	ask("")
	if _, err := NewScanNodes(nil, 1); err == nil {
		t.Error("a scanner without a node")
	}
	if _, err := NewScanNodes([]string{"http://h:1", "nonsense"}, 1); err == nil {
		t.Error("an address that is none")
	}
}

// One node that invents, hides or misdates payments in its JSON changes nothing
// where two must agree, whichever it is; nodes that spell the same differently do
// agree.
func TestScannerAgrees(t *testing.T) {
	book, scripts := testBook(t)
	blocks := []string{"b0", "b1", "b2"}
	honest := func(rawtx bool, value string) *scriptedNode {
		return &scriptedNode{rawtx: rawtx, blocks: blocks, txs: map[string][]string{
			"b0": {printTx("c0", "", "51=50")},
			"b1": {printTx("d1", "c0:0", scripts["alice"]+"="+value)},
			"b2": {printTx("c2", "", "51=50")},
		}}
	}
	lies := map[string]func(*scriptedNode){
		"invents a payment": func(n *scriptedNode) { n.txs["b2"] = []string{printTx("c2", "", "51=50 "+scripts["bob"]+"=5")} },
		"hides a payment":   func(n *scriptedNode) { n.txs["b1"] = []string{printTx("d1", "c0:0", "51=0.1")} },
		"pays more":         func(n *scriptedNode) { n.txs["b1"] = []string{printTx("d1", "c0:0", scripts["alice"]+"=0.2")} },
		"another block":     func(n *scriptedNode) { n.blocks = []string{"b0", "o1", "o2"} },
		"older":             func(n *scriptedNode) { n.blocks = blocks[:1] },
	}
	for name, lie := range lies {
		for liar := range 3 {
			nodes := &ScanNodes{quorum: 2}
			for i := range 3 {
				node := honest(i == 1, []string{"0.1", "1e-1", "0.10000000"}[i])
				if i == liar {
					lie(node)
				}
				nodes.nodes = append(nodes.nodes, node)
			}
			store, err := openScanStore(filepath.Join(t.TempDir(), "scanner.db"), "net")
			if err != nil {
				t.Fatal(err)
			}
			s := newScanner(chains.BTC, nodes, store)
			view, err := s.sync(context.Background(), book, 0, []string{"alice", "bob"}, chains.BlockRef{Height: 2, Hash: "b2"})
			if err != nil || len(view.Deposits) != 1 || len(view.Items) != 1 || view.Items[0].Amount != chains.NewAmount(10_000_000) {
				t.Errorf("node %d %s: %+v, %v", liar, name, view, err)
			}
			nodes.quorum = 3
			s.forget()
			if _, err := s.sync(context.Background(), book, 0, []string{"alice", "bob"}, chains.BlockRef{Height: 2, Hash: "b2"}); err == nil {
				t.Errorf("node %d %s: three agree", liar, name)
			}
			store.close()
		}
	}
}
