package gateway

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/pegs"

	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// oneNode has a mempool and a newest block that a test sets.
type oneNode struct {
	chains.Source
	txs map[string][]byte
	tip chains.BlockRef
}

func (n *oneNode) Mempool(context.Context) (list []string, err error) {
	for txid := range n.txs {
		list = append(list, txid)
	}
	return list, nil
}

func (n *oneNode) RawTransaction(_ context.Context, txid string) ([]byte, error) {
	return n.txs[txid], nil
}

func (n *oneNode) Tip(context.Context) (chains.BlockRef, error) { return n.tip, nil }

// gap is a mempool over a ledger of three blocks.
type gap struct {
	*mempool
	t      *testing.T
	node   *oneNode
	script []byte
}

func blockAt(height uint64, branch string) chains.Header {
	name := func(h uint64, b string) string { return fmt.Sprintf("%062x%s", h, b) }
	parent := name(height-1, "00")
	return chains.Header{BlockRef: chains.BlockRef{Height: height, Hash: name(height, branch)}, Parent: parent}
}

func newGap(t *testing.T) *gap {
	coin, err := bitcoin.New(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	ledger, err := openLedger(filepath.Join(t.TempDir(), LogFile), "net", time.Now, func(string) {})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { ledger.close() })
	node := &oneNode{txs: map[string][]byte{}}
	g := &gap{t: t, node: node, script: append([]byte{0, 20}, make([]byte, 20)...)}
	set := chains.NewWatchSet()
	if err := set.Add(g.script, chains.Watch{Kind: chains.WatchDeposit, Account: "alice"}); err != nil {
		t.Fatal(err)
	}
	g.append(ledger, &pegs.Configured{Chain: chains.BTC, Network: chains.Regtest, Start: 1, Policy: pegs.PolicyOf(chains.BTC, coin.Facts())})
	g.mempool = newMempool(&follower{ChainConfig: ChainConfig{Source: node, Coin: coin}, id: chains.BTC, ledger: ledger, set: set, synced: true})
	for height := uint64(1); height <= 3; height++ {
		g.connect(blockAt(height, "00"))
	}
	node.tip = blockAt(3, "00").BlockRef
	return g
}

func (g *gap) append(l *Ledger, event pegs.Event) {
	g.t.Helper()
	if err := l.Append(g.t.Context(), event); err != nil {
		g.t.Fatal(err)
	}
}

func (g *gap) connect(h chains.Header) {
	g.t.Helper()
	g.append(g.follower.ledger, &pegs.Connected{Chain: chains.BTC, Match: pegs.Match{Header: h}})
}

// pay puts a payment to alice into the mempool.
func (g *gap) pay() (txid string) {
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{7}, uint32(len(g.node.txs))), nil, nil))
	tx.AddTxOut(wire.NewTxOut(50_000, g.script))
	var raw bytes.Buffer
	_ = tx.Serialize(&raw)
	txid = tx.TxHash().String()
	g.node.txs[txid] = raw.Bytes()
	return txid
}

// seen looks at the mempool and says whether the payment is shown.
func (g *gap) seen(txid string) bool {
	g.t.Helper()
	if err := g.step(g.t.Context()); err != nil {
		g.t.Fatal(err)
	}
	_, ok := g.find(chains.Outpoint{TxID: txid})
	return ok
}

// A payment that left the mempool for a block is shown until the ledger has that
// block: in between it would be nowhere, and whoever asks would be told that it
// does not exist.
func TestPaymentIsShownUntilItsBlockIsRead(t *testing.T) {
	g := newGap(t)
	txid := g.pay()
	if !g.seen(txid) {
		t.Fatal("a payment in the mempool is not shown")
	}
	delete(g.node.txs, txid)
	g.node.tip = blockAt(5, "00").BlockRef
	for height := uint64(3); height < 5; height++ {
		if !g.seen(txid) {
			t.Errorf("not shown while the ledger is at %d of 5", height)
		}
		g.connect(blockAt(height+1, "00"))
	}
	if g.seen(txid) {
		t.Error("still shown when the ledger has all blocks")
	}
}

// One that comes back is as new; one that nobody mines is forgotten with the
// newest block.
func TestReplacedPaymentIsForgotten(t *testing.T) {
	g := newGap(t)
	txid := g.pay()
	g.seen(txid)
	raw := g.node.txs[txid]
	delete(g.node.txs, txid)
	g.node.tip = blockAt(4, "00").BlockRef
	g.seen(txid)
	g.node.txs[txid] = raw
	g.connect(blockAt(4, "00"))
	if !g.seen(txid) {
		t.Error("not shown although it is back")
	}
	delete(g.node.txs, txid)
	if g.seen(txid) {
		t.Error("shown although it was replaced and the ledger has every block")
	}
	if len(g.txs) != 0 {
		t.Errorf("%d transactions remembered for ever", len(g.txs))
	}
}

// A block of another branch at the ledger's height is one that it has not read.
func TestPaymentInABlockOfAnotherBranch(t *testing.T) {
	g := newGap(t)
	txid := g.pay()
	g.seen(txid)
	delete(g.node.txs, txid)
	g.node.tip = blockAt(3, "01").BlockRef
	if !g.seen(txid) {
		t.Error("not shown while the ledger stands on the other branch")
	}
	g.append(g.follower.ledger, &pegs.Disconnected{Chain: chains.BTC, Block: blockAt(3, "00").BlockRef})
	if !g.seen(txid) {
		t.Error("not shown between the branches")
	}
	g.connect(blockAt(3, "01"))
	if g.seen(txid) {
		t.Error("still shown")
	}
}

// What spends outputs of ours forbids to pay until its block is read, too.
func TestForeignSpendIsRememberedUntilItsBlockIsRead(t *testing.T) {
	g := newGap(t)
	script := hex.EncodeToString(g.script)
	ours := pegs.Payment{
		Outpoint: chains.Outpoint{TxID: chainhash.Hash{7}.String()}, Amount: chains.NewAmount(60_000), Script: script,
		Kind: chains.WatchDeposit, Account: "alice",
	}
	h := blockAt(4, "00")
	g.append(g.follower.ledger, &pegs.Connected{Chain: chains.BTC, Match: pegs.Match{Header: h, Payments: []pegs.Payment{ours}}})
	txid := g.pay() // spends it
	unknown := func() (reason string) {
		g.seen(txid)
		_ = g.follower.ledger.View(func(s *pegs.State) { c, _ := s.Chain(chains.BTC); reason = g.unknown(s, c) })
		return reason
	}
	if unknown() == "" {
		t.Fatal("a transaction of somebody else spends our outputs in the mempool, and payouts go on")
	}
	delete(g.node.txs, txid)
	g.node.tip = blockAt(5, "00").BlockRef
	if unknown() == "" {
		t.Error("it is in a block that the ledger has not read, and payouts go on")
	}
	g.append(g.follower.ledger, &pegs.Connected{Chain: chains.BTC, Match: pegs.Match{
		Header: blockAt(5, "00"), Spends: []chains.Spend{{Outpoint: ours.Outpoint, By: txid}},
	}})
	if reason := unknown(); reason != "" {
		t.Errorf("the ledger has the block: %s", reason) // and Alarms stops payouts
	}
}
