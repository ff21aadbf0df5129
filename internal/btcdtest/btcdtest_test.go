package btcdtest

import (
	"testing"

	"causeway/chains"
)

func TestGeneratePayStop(t *testing.T) {
	node := Start(t)
	if hashes := node.Generate(101); len(hashes) != 101 || node.Height() != 101 {
		t.Fatalf("%d blocks, height %d", len(hashes), node.Height())
	}
	to, err := node.Coin.Address(append([]byte{0, 20}, make([]byte, 20)...))
	if err != nil {
		t.Fatal(err)
	}
	first := node.Pay(to, chains.NewAmount(1_000_000))
	node.Generate(1)
	second := node.Send(Payout{to, chains.NewAmount(1_000_000)}, Payout{to, chains.NewAmount(2_000_000)}) // from change
	node.Generate(1)
	for height, txid := range map[uint64]string{102: first, 103: second} {
		if block := node.Block(height); len(block.Transactions) != 2 || block.Transactions[1] != txid {
			t.Errorf("block %d holds %v, want %s", height, block.Transactions, txid)
		}
	}
	if err := node.Client.Call(t.Context(), nil, "getblockcount"); err != nil {
		t.Fatal(err)
	}
	node.Stop()
	node.Stop()
	if err := node.Client.Call(t.Context(), nil, "getblockcount"); err == nil {
		t.Fatal("a stopped node answers")
	}
}
