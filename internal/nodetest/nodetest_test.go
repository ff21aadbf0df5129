package nodetest

import (
	"fmt"
	"testing"

	"causeway/chains"
)

// TestNodes: every node starts, mines, pays and stops.
func TestNodes(t *testing.T) {
	for name, run := range map[string]func(testing.TB) *Node{
		"btcd": Btcd, "bchd": Bchd, "dogenet": Dogenet,
		"litecoind": func(t testing.TB) *Node { return Litecoind(t, false) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			node := run(t)
			begin := node.Height()
			maturity := node.Coin.CoinbaseMaturity()
			if hashes := node.Generate(int(maturity + 1)); uint64(len(hashes)) != maturity+1 || node.Height() != begin+maturity+1 {
				t.Fatalf("%d blocks, height %d", len(hashes), node.Height())
			}
			to, err := node.Coin.Address(P2PKH(minerKey()))
			if err != nil {
				t.Fatal(err)
			}
			first := node.Pay(to, chains.NewAmount(10_000_000))
			node.Generate(1)
			second := node.Send(Payout{to, chains.NewAmount(10_000_000)}, Payout{to, chains.NewAmount(20_000_000)}) // from change
			node.Generate(1)
			for height, txid := range map[uint64]string{begin + maturity + 2: first, begin + maturity + 3: second} {
				if block := node.Block(height); len(block.Transactions) != 2 || block.Transactions[1] != txid {
					t.Errorf("block %d holds %v, want %s", height, block.Transactions, txid)
				}
			}
			if tip, err := node.Source().Tip(t.Context()); err != nil || tip.Height != node.Height() {
				t.Errorf("tip %v, %v", tip, err)
			}
			node.Stop()
			node.Stop()
			if err := node.Client.Call(t.Context(), nil, "getblockcount"); err == nil {
				t.Fatal("a stopped node answers")
			}
		})
	}
}

// TestAnvil: it starts, mines when told to, and stops.
func TestAnvil(t *testing.T) {
	node := Anvil(t)
	var id, height string
	var accounts []string
	node.Call(&id, "eth_chainId")
	node.Call(&accounts, "eth_accounts")
	if id != fmt.Sprintf("0x%x", AnvilChainID) || len(accounts) != 10 {
		t.Fatalf("chain %s with %d accounts", id, len(accounts))
	}
	txid := node.Send(map[string]any{"from": accounts[0], "to": accounts[1], "value": "0x1"})
	if node.Call(&height, "eth_blockNumber"); height != "0x0" {
		t.Errorf("height %s before anything was mined", height)
	}
	node.Mine(3)
	var block struct {
		Number       string   `json:"number"`
		Transactions []string `json:"transactions"`
	}
	node.Call(&block, "eth_getBlockByNumber", "finalized", false)
	if block.Number != "0x1" || len(block.Transactions) != 1 || block.Transactions[0] != txid {
		t.Errorf("finalized %+v, want %s", block, txid)
	}
	node.Stop()
	node.Stop()
	if err := node.Client.Call(t.Context(), &height, "eth_blockNumber"); err == nil {
		t.Error("a stopped node answers")
	}
}
