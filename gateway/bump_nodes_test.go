package gateway

import (
	"bytes"
	"slices"
	"testing"

	"causeway/chains"
	"causeway/chains/litecoin"
	"causeway/chains/utxo"
	"causeway/chains/utxo/rpcnode"
	"causeway/internal/nodetest"
	"causeway/pegs"

	"github.com/btcsuite/btcd/btcec/v2"
)

// lifting is a gateway on a real node whose blocks another one makes, which knows
// nothing of its mempool, and a payout that waits there.
type lifting struct {
	*driver
	node, maker *nodetest.Node
	payout      string // the withdrawal's id
}

// fundedOn runs a gateway of a coin until deposits of alice are credited.
func fundedOn(t *testing.T, coin *utxo.Coin, node, maker *nodetest.Node, amounts ...uint64) *lifting {
	t.Helper()
	l := &lifting{driver: &driver{world: newWorldOf(t, coin)}, node: node, maker: maker}
	node.Generate(103)
	nodetest.Carry(node, maker)
	source, err := rpcnode.New(node.URL, coin, rpcnode.Options{Logger: l.log})
	if err != nil {
		t.Fatal(err)
	}
	if l.rpc, err = NewScanNode(node.URL); err != nil {
		t.Fatal(err)
	}
	l.outside = source
	l.boot()
	t.Cleanup(func() { l.driver.node.close() })
	l.pump()
	for _, units := range amounts {
		node.Pay(l.depositAddress("alice"), chains.NewAmount(units))
	}
	node.Generate(4)
	nodetest.Carry(node, maker)
	l.until("credited", func() bool { return len(l.deposits("alice")["credited"]) == len(amounts) })
	// Nodes learn their estimates from the few transactions there were.
	l.act("alice", "tokens", "transfer", `{"to":"pegfees","symbol":"`+symbolOf(coin.ID())+`","quantity":"0.002"}`)
	l.until("fees", func() bool { return l.balance("pegfees") != "0" })
	return l
}

// outsider is an address of somebody.
func (l *lifting) outsider() string {
	l.t.Helper()
	key, _ := btcec.PrivKeyFromBytes(bytes.Repeat([]byte{0x33}, 32))
	payee, err := l.coin().Address(nodetest.P2PKH(key))
	if err != nil {
		l.t.Fatal(err)
	}
	return payee
}

// stuckOn runs a gateway of a coin until a payout waits for so many blocks that it is
// to be made dearer.
func stuckOn(t *testing.T, coin *utxo.Coin, node, maker *nodetest.Node) *lifting {
	t.Helper()
	l := fundedOn(t, coin, node, maker, 2_000_000)
	l.payout = l.withdraw("alice", "0.01", l.outsider())
	l.until("broadcast", func() bool { return l.withdrawal(l.payout).State == "broadcast" })
	maker.Generate(bumpAfter)
	nodetest.Carry(maker, node)
	return l
}

// pool is what waits at the node.
func (l *lifting) pool() (txids []string) {
	l.t.Helper()
	l.node.Call(&txids, "getrawmempool")
	slices.Sort(txids)
	return txids
}

// bumped waits until the payout has two variants and the node the second alone.
func (l *lifting) bumped() (w Withdrawal) {
	l.t.Helper()
	l.until("bumped", func() bool {
		w = l.withdrawal(l.payout)
		return len(w.Variants) == 2 && slices.Equal(l.pool(), w.Variants[1:])
	})
	return w
}

// child waits until a second transaction rests on the payout at the node.
func (l *lifting) child() (parent, child pegs.Batch) {
	l.t.Helper()
	l.until("a child is sent", func() bool {
		var list []pegs.Batch
		_ = l.driver.node.gateway.ledger.View(func(s *pegs.State) {
			for _, b := range s.Batches() {
				list = append(list, *b)
			}
		})
		for _, b := range list {
			switch b.Kind {
			case pegs.BatchPayout:
				parent = b
			case pegs.BatchChild:
				child = b
			}
		}
		want := []string{l.withdrawal(l.payout).TxID}
		if child.ID == "" || len(child.Variants) == 0 {
			return false
		}
		want = append(want, child.Newest().TxID)
		slices.Sort(want)
		return slices.Equal(l.pool(), want)
	})
	return parent, child
}

// settles mines at a node until the payout is settled by a transaction.
func (l *lifting) settles(at *nodetest.Node, txid string) {
	l.t.Helper()
	at.Generate(2)
	if at != l.node {
		nodetest.Carry(at, l.node)
	}
	l.until("settled", func() bool { return l.withdrawal(l.payout).State == "settled" })
	if got := l.withdrawal(l.payout); got.TxID != txid {
		l.t.Errorf("mined %s, want %s", got.TxID, txid)
	}
	l.balanced()
}

// give hands the bytes of a variant to the maker of blocks.
func (l *lifting) give(txid string) {
	l.t.Helper()
	var raw []byte
	_ = l.driver.node.gateway.ledger.View(func(s *pegs.State) { raw = s.Variant(l.coin().ID(), txid) })
	l.maker.Call(nil, "sendrawtransaction", tohex(raw))
}

// replaces: a real node takes the dearer variant in place of the first, by its own
// rules, and whichever is mined the payout is settled and the books balance.
func replaces(t *testing.T, coin func(*nodetest.Node) *utxo.Coin, start func() *nodetest.Node) {
	for _, first := range []bool{false, true} {
		node := start()
		l := stuckOn(t, coin(node), node, start())
		w := l.bumped()
		if first {
			l.give(w.Variants[0])
			l.settles(l.maker, w.Variants[0])
		} else {
			l.settles(l.node, w.Variants[1])
		}
	}
}

// lifts: a real node that keeps the first transaction takes a child, which pays what
// is asked for both. Both may be mined, or the payout alone, and the child later.
func lifts(t *testing.T, start func() *nodetest.Node) {
	for _, alone := range []bool{false, true} {
		node := start()
		l := stuckOn(t, node.Coin, node, start())
		parent, child := l.child()
		var fee uint64
		for _, b := range []pegs.Batch{parent, child} {
			v, _ := b.Newest().Fee.Uint64()
			fee += v
		}
		before := rateOf(parent.Newest().Fee, parent.Newest().VSize)
		after := rateOf(chains.NewAmount(fee), parent.Newest().VSize+child.Newest().VSize)
		if len(parent.Variants) != 1 || after < before+before/5 {
			t.Errorf("%d variants; the payout pays %d, with its child %d", len(parent.Variants), before, after)
		}
		txid := parent.Newest().TxID
		if alone {
			l.give(txid)
			l.settles(l.maker, txid)
			l.node.Generate(2)
		} else {
			l.settles(l.node, txid)
		}
		l.until("the child is closed", func() bool {
			settled := false
			_ = l.driver.node.gateway.ledger.View(func(s *pegs.State) {
				b, ok := s.Batch(child.ID)
				settled = ok && b.Settled != nil
			})
			return settled
		})
		l.balanced()
	}
}

// own is the node's coin as it is.
func own(n *nodetest.Node) *utxo.Coin { return n.Coin }

func TestReplacementOnBtcd(t *testing.T) {
	replaces(t, own, func() *nodetest.Node { return nodetest.Btcd(t) })
}

// A litecoind that takes replacements, and a gateway that was told so.
func TestReplacementOnLitecoind(t *testing.T) {
	replaceable := func(*nodetest.Node) *utxo.Coin {
		coin, err := litecoin.New(chains.Regtest)
		if err != nil {
			t.Fatal(err)
		}
		facts := coin.Facts()
		facts.Replaceable = true
		again, err := utxo.New(utxo.Params{
			ID: chains.LTC, Network: chains.Regtest, Genesis: coin.Genesis(), MaxTarget: utxo.BelowPowerOf2(255), MaxMoney: litecoin.MaxMoney,
			MaxBlockBytes: coin.MaxBlockBytes(), Segwit: true, PoW: utxo.Scrypt, PegOutDepth: litecoin.PegOutDepth, DustRate: 30_000, Facts: facts,
		}.WithAddresses())
		if err != nil {
			t.Fatal(err)
		}
		return again
	}
	replaces(t, replaceable, func() *nodetest.Node { return nodetest.Litecoind(t, false, "-mempoolreplacement=1") })
}

// A litecoind as it is shipped.
func TestChildOnLitecoind(t *testing.T) {
	lifts(t, func() *nodetest.Node { return nodetest.Litecoind(t, false) })
}

// The coin's facts ask for a child where a node would take a replacement too.
func TestChildOnReplacingLitecoind(t *testing.T) {
	lifts(t, func() *nodetest.Node { return nodetest.Litecoind(t, false, "-mempoolreplacement=1") })
}

func TestChildOnBchd(t *testing.T) {
	lifts(t, func() *nodetest.Node { return nodetest.Bchd(t) })
}

// A real node takes a cancel at once in place of a payout and of what rests on it:
// its fee makes up for all of them.
func TestCancelOnBtcd(t *testing.T) {
	node, maker := nodetest.Btcd(t), nodetest.Btcd(t)
	l := fundedOn(t, node.Coin, node, maker, 2_000_000, 100_000)
	sent := func(quantity string) Withdrawal {
		id := l.withdraw("alice", quantity, l.outsider())
		l.until("broadcast", func() bool { return l.withdrawal(id).State == "broadcast" })
		return l.withdrawal(id)
	}
	first, second := sent("0.003"), sent("0.004")
	if pool := l.pool(); len(pool) != 2 {
		t.Fatalf("%d transactions wait", len(pool))
	}
	if err := l.driver.node.gateway.Cancel(t.Context(), first.Batch, "olga", "wrong address"); err != nil {
		t.Fatal(err)
	}
	l.until("the cancel has their place", func() bool { p := l.pool(); return len(p) == 1 && p[0] != first.TxID && p[0] != second.TxID })
	for _, w := range []Withdrawal{first, second} {
		l.until("given back", func() bool { node.Generate(1); return l.withdrawal(w.ID).State == "returned" })
	}
	l.balanced()
}
