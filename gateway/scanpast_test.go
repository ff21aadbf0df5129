package gateway

import (
	"context"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"testing"

	"causeway/chains"
	"causeway/pegs"
)

// Accounts that come one after the other cost a pass over the past together, not
// each its own; what they do from now on is seen at once; a pass that a crash
// ends goes on where it was; payments and spends of the past are found.
func TestManyNewAccountsCostOnePass(t *testing.T) {
	const height = 4*pastPerStep + 10
	book, scripts := testBook(t)
	node := &scriptedNode{txs: map[string][]string{}}
	for i := range height + 2 {
		hash := fmt.Sprint("b", i)
		node.blocks, node.txs[hash] = append(node.blocks, hash), []string{printTx(fmt.Sprint("c", i), "", "51=50")}
	}
	node.txs["b5"] = append(node.txs["b5"], printTx("old", "c1:0", scripts["bob"]+"=0.5"))
	node.txs["b900"] = append(node.txs["b900"], printTx("spend", "old:0", scripts["change"]+"=0.4"))
	store, err := openScanStore(filepath.Join(t.TempDir(), ScannerFile), "net")
	if err != nil {
		t.Fatal(err)
	}
	defer store.close()
	s := newScanner(chains.BTC, node, store)
	sync := func(height uint64, accounts ...string) pegs.ScannerView {
		t.Helper()
		v, err := s.sync(context.Background(), book, 0, accounts, chains.BlockRef{Height: height, Hash: node.blocks[height]})
		if err != nil {
			t.Fatal(err)
		}
		return v
	}
	sync(height-1, "alice")
	if more, _ := s.searching(); more {
		t.Error("what was known from the first block on is searched for")
	}
	accounts := []string{"alice", "bob"}
	v := sync(height-1, accounts...)
	if more, read := s.searching(); !more || read != pastPerStep || v.Deposits["btc:old:0"] != chains.NewAmount(50_000_000) {
		t.Errorf("searching %t, %d blocks read, %+v", more, read, v)
	}
	for i := range 50 { // while the pass is under way
		accounts = append(accounts, fmt.Sprint("late", i))
	}
	late, err := book.deposits("late7")
	if err != nil {
		t.Fatal(err)
	}
	node.txs[fmt.Sprint("b", height)] = append(node.txs[fmt.Sprint("b", height)], printTx("now", "c9:0", hex.EncodeToString(late[0].script)+"=1"))
	node.txs["b7"] = append(node.txs["b7"], printTx("early", "c3:0", hex.EncodeToString(late[0].script)+"=2"))
	v = sync(height, accounts...)
	if v.Deposits["btc:now:0"].IsZero() || !v.Deposits["btc:early:0"].IsZero() {
		t.Errorf("a new account in a new block: %+v", v.Deposits)
	}
	if err := s.flush(); err != nil {
		t.Fatal(err)
	}
	_, before := s.searching()
	s = newScanner(chains.BTC, node, store) // a crash
	sync(height+1, accounts...)
	if err := s.step(context.Background()); err != nil {
		t.Fatal(err)
	}
	more, after := s.searching()
	if more || before+after > 2*(height+2) {
		t.Errorf("searching %t; %d and %d blocks read for 51 accounts on a chain of %d", more, before, after, height+2)
	}
	v = sync(height+1, accounts...)
	if len(v.Deposits) != 3 || v.Deposits["btc:early:0"].IsZero() || v.Spending[chains.Outpoint{TxID: "old"}] != "spend" || v.Txs["spend"].Fee != chains.NewAmount(10_000_000) {
		t.Errorf("in the end: %+v", v)
	}
	node.calls = 0
	if sync(height+1, accounts...); node.calls > 2+2*rereadPerSync {
		t.Errorf("%d calls with nothing new", node.calls)
	}
}
