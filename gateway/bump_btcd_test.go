package gateway

import (
	"slices"
	"testing"

	"causeway/chains"
	"causeway/chains/utxo/rpcnode"
	"causeway/internal/nodetest"
	"causeway/pegs"
)

// bumpedOnBtcd runs a gateway on a btcd whose blocks another one makes, which
// knows nothing of its mempool, until a payout has two variants and the node has
// the second. It gives the node, the maker of blocks and the withdrawal.
func bumpedOnBtcd(t *testing.T) (d *driver, node, maker *nodetest.Node, w Withdrawal) {
	node, maker = nodetest.Btcd(t), nodetest.Btcd(t)
	node.Generate(103)
	nodetest.Carry(node, maker)
	d = newDriver(t)
	source, err := rpcnode.New(node.URL, d.coin(), rpcnode.Options{Logger: d.log})
	if err != nil {
		t.Fatal(err)
	}
	scan, err := NewScanNode(node.URL)
	if err != nil {
		t.Fatal(err)
	}
	d.outside = source
	d.tune = func(cfg *Config) { cfg.Chains[0].Source, cfg.Chains[0].Scanner = source, scan }
	d.boot()
	t.Cleanup(func() { d.node.close() })
	d.pump()
	node.Pay(d.depositAddress("alice"), chains.NewAmount(2_000_000))
	node.Generate(4)
	nodetest.Carry(node, maker)
	d.until("credited", func() bool { return len(d.deposits("alice")["credited"]) == 1 })
	// btcd learns its estimate from the few transactions there were.
	d.act("alice", "tokens", "transfer", `{"to":"pegfees","symbol":"SWAP.BTC","quantity":"0.002"}`)
	d.until("fees", func() bool { return d.balance("pegfees") != "0" })
	var payee string
	d.call(&payee, "getnewaddress")
	id := d.withdraw("alice", "0.01", payee)
	d.until("broadcast", func() bool { return d.withdrawal(id).State == "broadcast" })
	maker.Generate(bumpAfter)
	nodetest.Carry(maker, node)
	d.until("bumped", func() bool {
		var pool []string
		node.Call(&pool, "getrawmempool")
		w = d.withdrawal(id)
		return len(w.Variants) == 2 && slices.Equal(pool, w.Variants[1:])
	})
	return d, node, maker, w
}

// A real node takes the dearer variant in place of the first, by its own rules,
// and whichever is mined the payout is settled and the books balance.
func TestReplacementOnBtcd(t *testing.T) {
	for _, first := range []bool{false, true} {
		d, node, maker, w := bumpedOnBtcd(t)
		want := w.Variants[1]
		if first {
			want = w.Variants[0]
			var raw []byte
			_ = d.node.gateway.ledger.View(func(s *pegs.State) { raw = s.Variant(chains.BTC, want) })
			maker.Call(nil, "sendrawtransaction", tohex(raw))
		} else {
			maker = node
		}
		maker.Generate(2)
		if maker != node {
			nodetest.Carry(maker, node)
		}
		d.until("settled", func() bool { return d.withdrawal(w.ID).State == "settled" })
		if got := d.withdrawal(w.ID); got.TxID != want {
			t.Errorf("mined %s, want %s", got.TxID, want)
		}
		d.balanced()
	}
}
