package gateway

import (
	"context"
	"fmt"
	"path/filepath"
	"testing"

	"causeway/chains"
)

// What all nodes told wrongly, once, of one of the newest blocks is found when it is
// read again, and put right; honest blocks are read and nothing changes.
func TestLieOfAQuorumHeals(t *testing.T) {
	book, scripts := testBook(t)
	const height = 9
	honest := func() *scriptedNode {
		n := &scriptedNode{txs: map[string][]string{}}
		for i := range height + 1 {
			n.blocks = append(n.blocks, fmt.Sprint("b", i))
			n.txs[fmt.Sprint("b", i)] = []string{printTx(fmt.Sprint("c", i), "", "51=50")}
		}
		n.txs["b3"] = []string{printTx("d", "c0:0", scripts["alice"]+"=0.1 "+scripts["bob"]+"=0.2")}
		n.txs["b5"] = []string{printTx("p", "d:0", scripts["change"]+"=0.0999")}
		return n
	}
	for name, lie := range map[string]func(*scriptedNode){
		"none":            func(*scriptedNode) {},
		"hides a payment": func(n *scriptedNode) { n.txs["b3"] = []string{printTx("d", "c0:0", scripts["alice"]+"=0.1 51=0.2")} },
		"pays more": func(n *scriptedNode) {
			n.txs["b3"] = []string{printTx("d", "c0:0", scripts["alice"]+"=0.1 "+scripts["bob"]+"=0.3")}
		},
		"invents one":      func(n *scriptedNode) { n.txs["b4"] = append(n.txs["b4"], printTx("i", "c1:0", scripts["bob"]+"=1")) },
		"hides a spend":    func(n *scriptedNode) { n.txs["b5"] = []string{printTx("p", "x:0", "51=1")} },
		"invents a spend":  func(n *scriptedNode) { n.txs["b7"] = append(n.txs["b7"], printTx("s", "d:1", "51=0.1")) },
		"another spender":  func(n *scriptedNode) { n.txs["b5"] = []string{printTx("o", "d:0", scripts["change"]+"=0.0999")} },
		"in another block": func(n *scriptedNode) { n.txs["b5"], n.txs["b6"] = n.txs["b6"], n.txs["b5"] },
		"another fee":      func(n *scriptedNode) { n.txs["b5"] = []string{printTx("p", "d:0", scripts["change"]+"=0.0998")} },
	} {
		node, truth := honest(), honest()
		lie(node)
		store, err := openScanStore(filepath.Join(t.TempDir(), ScannerFile), "net")
		if err != nil {
			t.Fatal(err)
		}
		s := newScanner(chains.BTC, node, store)
		target := chains.BlockRef{Height: height, Hash: node.blocks[height]}
		look := func(s *scanner) string {
			t.Helper()
			v, err := s.sync(context.Background(), book, 0, []string{"alice", "bob"}, target)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			return fmt.Sprint(len(v.Items), v.Deposits, v.Spending, v.Txs, s.state.at(3), s.state.at(5))
		}
		lied := look(s)
		other := newScanner(chains.BTC, truth, store)
		other.anew = true
		want := look(other)
		if (lied == want) != (name == "none") {
			t.Errorf("%s: %s", name, lied)
		}
		s.node, truth.calls = truth, 0
		for range (height + 1 + rereadPerSync) / rereadPerSync {
			lied = look(s)
		}
		if lied != want {
			t.Errorf("%s: it stays: %s, want %s", name, lied, want)
		}
		if most := 60; truth.calls > most {
			t.Errorf("%s: %d questions", name, truth.calls)
		}
		store.close()
	}
}

// The window goes with the newest block and never below the first.
func TestRereadWindow(t *testing.T) {
	book, _ := testBook(t)
	node := &scriptedNode{txs: map[string][]string{}}
	for i := range 3 * rereadWindow {
		node.blocks = append(node.blocks, fmt.Sprint("b", i))
		node.txs[fmt.Sprint("b", i)] = []string{printTx(fmt.Sprint("c", i), "", "51=50")}
	}
	store, err := openScanStore("", "net")
	if err != nil {
		t.Fatal(err)
	}
	s := newScanner(chains.BTC, node, store)
	lowest := uint64(len(node.blocks))
	for tip := 5; tip < len(node.blocks); tip += 3 {
		target := chains.BlockRef{Height: uint64(tip), Hash: node.blocks[tip]}
		if _, err := s.sync(context.Background(), book, 2, nil, target); err != nil {
			t.Fatal(err)
		}
		if s.again < 2 && s.again != 0 || s.again != 0 && s.again+rereadWindow+3 < uint64(tip) {
			t.Fatalf("at block %d: below block %d", tip, s.again)
		}
		if tip > 2*rereadWindow {
			lowest = min(lowest, s.again)
		}
	}
	if lowest > 3*rereadWindow-rereadWindow/2 {
		t.Errorf("only down to block %d", lowest)
	}
}
