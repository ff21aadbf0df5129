package chaintest_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"causeway/chains"
	"causeway/chains/chaintest"
	"causeway/chains/litecoin"
	"causeway/chains/utxo/rpcnode"
	"causeway/internal/nodetest"
)

// TestBtcd: Bitcoin on a real btcd.
func TestBtcd(t *testing.T) {
	t.Parallel()
	chaintest.Run(t, onNode(t, nodetest.Btcd(t), nodetest.Btcd(t)))
}

// TestLitecoind: Litecoin on a real litecoind without extension blocks. A restart
// takes its mempool.
func TestLitecoind(t *testing.T) {
	t.Parallel()
	node := nodetest.Litecoind(t, false, "-persistmempool=0")
	s := onNode(t, node, nodetest.Litecoind(t, false))
	s.Evict = func(string) error { node.Restart(func() {}); return nil }
	delete(s.Lacks, "mempool, evicted")
	chaintest.Run(t, s)
}

// TestLitecoindMWEB: with extension blocks, out of which one kind of payment comes.
func TestLitecoindMWEB(t *testing.T) {
	t.Parallel()
	node := nodetest.Litecoind(t, true)
	_, inner, _ := node.ActivateMWEB()
	s := onNode(t, node, nodetest.Litecoind(t, true))
	kinds := s.Kinds
	s.Kinds = func(salt string) []chaintest.Kind {
		k := kinds("peg-out " + salt)[2]
		return append(kinds(salt), chaintest.Kind{
			Name: "peg-out", Address: k.Address, Script: k.Script, MinDepth: litecoin.PegOutDepth, In: true,
			Pay: func(units int64) error { return pegOut(t, inner, k.Address, units) },
		})
	}
	pegOutMatures(t, node, inner) // before a restart, which forgets wallets
	chaintest.Run(t, s)
}

// pegOut pays out of the extension block.
func pegOut(t *testing.T, inner *rpcnode.Client, address string, units int64) error {
	t.Helper()
	return inner.Call(t.Context(), nil, "sendtoaddress", address, json.Number(chains.NewAmount(uint64(units)).Coin(8)))
}

// pegOutMaturity is the depth at which Litecoin lets outputs of a HogEx be spent.
const pegOutMaturity = 6

// pegOutMatures: what came out of the extension block cannot be spent before its
// depth, which is far less than the one that it is credited at.
func pegOutMatures(t *testing.T, node *nodetest.Node, inner *rpcnode.Client) {
	script := node.Miner()
	to, err := node.Coin.Address(script)
	if err != nil {
		t.Fatal(err)
	}
	if err := pegOut(t, inner, to, 1_000_000); err != nil {
		t.Fatal(err)
	}
	node.Generate(1)
	var raw []byte
	for _, out := range node.Block(node.Height()).Outputs {
		if bytes.Equal(out.Script, script) && out.MinDepth > 0 {
			raw = node.Spend(out)
		}
	}
	if raw == nil {
		t.Fatal("nothing came out")
	}
	source := node.Source()
	for depth := 1; depth < pegOutMaturity; depth++ {
		if verdict, err := source.Broadcast(t.Context(), raw); verdict != chains.Rejected {
			t.Errorf("at depth %d: %s, %v", depth, verdict, err)
		}
		node.Generate(1)
	}
	if verdict, err := source.Broadcast(t.Context(), raw); verdict != chains.Accepted {
		t.Errorf("at depth %d: %s, %v", pegOutMaturity, verdict, err)
	}
	node.Generate(1)
	if n := len(node.Block(node.Height()).Spends); n < 2 {
		t.Errorf("the newest block spends %d outputs", n)
	}
}

// TestBchd: Bitcoin Cash on a real bchd, with an output that holds tokens.
func TestBchd(t *testing.T) {
	t.Parallel()
	node := nodetest.Bchd(t)
	s := onNode(t, node, nodetest.Bchd(t))
	kinds := s.Kinds
	s.Kinds = func(salt string) []chaintest.Kind {
		k := kinds("tokens " + salt)[0]
		return append(kinds(salt), chaintest.Kind{
			Name: "tokens", Address: k.Address, Script: k.Script, Tokens: true, In: true,
			Pay: func(units int64) error { node.SendTokens(k.Script, chains.NewAmount(uint64(units))); return nil },
		})
	}
	chaintest.Run(t, s)
}

// TestDogenet: Dogecoin on the embedded chain in a process of its own.
func TestDogenet(t *testing.T) {
	t.Parallel()
	chaintest.Run(t, onNode(t, nodetest.Dogenet(t), nodetest.Dogenet(t)))
}
