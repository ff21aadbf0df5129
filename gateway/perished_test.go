package gateway

import (
	"bytes"
	"context"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/chains/chaintest"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// robbed has a payout under way whose only input is a deposit that a deep
// reorganisation has double-spent away. It gives the deposit's transaction.
func robbed(t *testing.T, change ...func(*Config)) (d *simDriver, w Withdrawal, deposit *chaintest.Tx) {
	t.Helper()
	d = simBooted(t, change...)
	d.fund(2_000_000)
	w = d.broadcastOf("0.01", d.payee())
	deposit = d.tx(d.deposits("alice")["credited"][0].TxID)
	if _, err := d.sim.Reorg(chaintest.Rewrite{
		Depth: 6, Replace: true, Drop: func(tx *chaintest.Tx) bool { return tx == deposit || tx.ID.String() == w.TxID },
	}); err != nil {
		t.Fatal(err)
	}
	d.until("followed", d.followed)
	return d, w, deposit
}

// lookedAt is what people do about the deposit: they pay in what is missing, and
// say so.
func (d *simDriver) lookedAt(txid string) {
	d.t.Helper()
	g := d.node.gateway
	if err := g.Acknowledge(d.t.Context(), chains.BTC, txid, "olga", "paid in"); err != nil {
		d.t.Fatal(err)
	}
	if err := g.Resume(d.t.Context(), chains.BTC, "paid in", "olga"); err != nil {
		d.t.Fatal(err)
	}
}

// Scenario 34: a payout conflicts after a reorganisation because its deposit is
// gone. People decide about the deposit; the payout is found to be dead by itself,
// is released, and its tokens are given back.
func TestPayoutOfADepositThatPerished(t *testing.T) {
	d, w, deposit := robbed(t)
	if reason := d.node.gateway.ChainStatus()[0].Reason; !strings.Contains(reason, deposit.ID.String()) {
		t.Errorf("it is not halted for the deposit: %q", reason)
	}
	before := d.balance("alice")
	d.stuck(4)
	if got := d.withdrawal(w.ID); got.State == "returned" || got.State == "parked" {
		t.Errorf("before people have looked: %s", got.State)
	}
	d.lookedAt(deposit.ID.String())
	d.until("given back", func() bool { return d.withdrawal(w.ID).State == "returned" })
	got := d.withdrawal(w.ID)
	if !strings.Contains(got.Reason, deposit.ID.String()+":") || !strings.Contains(got.Reason, " will not be made: ") {
		t.Errorf("because %q", got.Reason)
	}
	if after := d.balance("alice"); minus(t, after, "0.00995000") != before || d.paid(w.Address) != "0.00000000" {
		t.Errorf("alice has %s of %s", after, before)
	}
	d.stuck(2)
	if reason := d.node.gateway.ChainStatus()[0].Reason; strings.Contains(reason, "alarm") {
		t.Errorf("halted: %s", reason)
	}
}

// No node has the block any more that held the deposit: a person shows its bytes.
func TestPerishedByOrder(t *testing.T) {
	d, w, deposit := robbed(t, func(cfg *Config) { cfg.Chains[0].Source = forgetful{cfg.Chains[0].Source} })
	d.stuck(4)
	d.lookedAt(deposit.ID.String())
	d.stuck(2)
	if got := d.withdrawal(w.ID); got.State == "returned" {
		t.Fatal("found by itself")
	}
	by, hash := d.spender(deposit)
	g, ctx := d.node.gateway, t.Context()
	raw, other := bytesOf(t, deposit), bytesOf(t, d.tx(by))
	for name, test := range map[string]struct {
		raws             [][]byte
		by, hash, reason string
		code             string
	}{
		"no reason":         {[][]byte{raw}, by, hash, "", CodeBadRequest},
		"no transaction":    {[][]byte{{1}}, by, hash, "x", CodeBadRequest},
		"nothing of it":     {[][]byte{raw, other}, by, hash, "x", CodeBadRequest},
		"by itself":         {[][]byte{raw}, deposit.ID.String(), hash, "x", CodeBadRequest},
		"in no block":       {[][]byte{raw}, by, strings.Repeat("0", 64), "x", CodeConflict},
		"in another block":  {[][]byte{raw}, by, d.sim.Best().Hash.String(), "x", CodeConflict},
		"nobody waits":      {[][]byte{bytesOf(t, d.tx(w.TxID))}, by, hash, "x", CodeConflict},
		"takes nothing":     {[][]byte{raw}, w.TxID, hash, "x", CodeConflict},
		"of another's need": {[][]byte{other}, by, hash, "x", CodeBadRequest},
	} {
		if err := g.Perished(ctx, chains.BTC, test.raws, test.by, test.hash, "olga", test.reason); !isCode(err, test.code) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if err := g.Perished(ctx, chains.LTC, [][]byte{raw}, by, hash, "olga", "x"); !isCode(err, CodeUnknownChain) {
		t.Errorf("another chain: %v", err)
	}
	if err := g.Perished(ctx, chains.BTC, [][]byte{raw}, by, hash, "olga", "the block explorer has it"); err != nil {
		t.Fatal(err)
	}
	d.until("given back", func() bool { return d.withdrawal(w.ID).State == "returned" })
}

// forgetful is nodes that have no block that has left the chain.
type forgetful struct{ chains.Source }

func (n forgetful) RawBlock(ctx context.Context, hash string) ([]byte, error) {
	tip, err := n.Tip(ctx)
	if err != nil {
		return nil, err
	}
	for height := range tip.Height + 1 {
		if best, err := n.HashAt(ctx, height); err == nil && best == hash {
			return n.Source.RawBlock(ctx, hash)
		}
	}
	return nil, chains.ErrNotFound
}

// What the missing transaction needs may have left the chain in the same block,
// behind it or before: what is spent of that is its end too, and the bytes between
// are shown.
func TestObituaryOfAnAncestor(t *testing.T) {
	coin, err := bitcoin.New(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	spending := func(outs ...wire.OutPoint) *wire.MsgTx {
		tx := wire.NewMsgTx(2)
		for i := range outs {
			tx.AddTxIn(wire.NewTxIn(&outs[i], []byte{0x51}, nil))
		}
		tx.AddTxOut(wire.NewTxOut(1000, []byte{0x51}))
		return tx
	}
	first := spending(wire.OutPoint{Hash: chainhash.Hash{7}, Index: 3})
	second := spending(wire.OutPoint{Hash: first.TxHash()}, wire.OutPoint{Hash: chainhash.Hash{8}})
	third := spending(wire.OutPoint{Hash: second.TxHash()})
	coinbase := spending(wire.OutPoint{Index: 0xffffffff})
	coinbase.TxIn[0].SignatureScript = []byte{2, 3, 4}
	for name, order := range map[string][]*wire.MsgTx{
		"parents first": {coinbase, first, second, third}, "children first": {coinbase, third, second, first},
	} {
		raw, hash := blockOf(t, order)
		block, err := coin.DecodeBlock(raw, hash)
		if err != nil {
			t.Fatal(err)
		}
		o := &obituary{id: chains.BTC, coin: coin}
		relics, wanted := map[string]*relic{}, map[string]*relic{third.TxID(): nil}
		if err := o.gather(block, raw, relics, wanted); err != nil || len(relics) != 3 {
			t.Fatalf("%s: %d, %v", name, len(relics), err)
		}
		needs := map[chains.Outpoint]*relic{}
		for _, r := range relics {
			for _, spend := range r.spends {
				needs[spend.Outpoint] = r
			}
		}
		s := &search{relics: relics}
		ref := chains.BlockRef{Height: 9, Hash: "x"}
		taken := chains.Outpoint{TxID: chainhash.Hash{7}.String(), Index: 3}
		again := &chains.Block{Spends: []chains.Spend{{Outpoint: taken, By: first.TxID()}}}
		if event := s.ended(chains.BTC, third.TxID(), ref, again, needs); event != nil {
			t.Errorf("%s: it is mined again: %+v", name, event)
		}
		other := &chains.Block{Spends: []chains.Spend{
			{Outpoint: chains.Outpoint{TxID: chainhash.Hash{8}.String()}, By: "b"}, {Outpoint: taken, By: "a"},
		}}
		event := s.ended(chains.BTC, third.TxID(), ref, other, needs)
		if event == nil || event.Needs != taken || event.By != "a" || event.TxID != third.TxID() || len(event.Raw) != 3 {
			t.Fatalf("%s: %+v", name, event)
		}
		for i, tx := range []*wire.MsgTx{third, second, first} {
			if txid, _, _, err := coin.DecodeTransaction(event.Raw[i]); err != nil || txid != tx.TxID() {
				t.Errorf("%s: transaction %d is %s, %v", name, i, txid, err)
			}
		}
	}
}

// blockOf is a block of the regtest chain with these transactions.
func blockOf(t *testing.T, txs []*wire.MsgTx) (raw []byte, hash string) {
	t.Helper()
	var list []*btcutil.Tx
	block := wire.MsgBlock{Header: wire.BlockHeader{Version: 4, Bits: 0x207fffff}}
	for _, tx := range txs {
		list = append(list, btcutil.NewTx(tx))
		if err := block.AddTransaction(tx); err != nil {
			t.Fatal(err)
		}
	}
	block.Header.MerkleRoot = blockchain.CalcMerkleRoot(list, false)
	for block.Header.BlockHash()[31] > 0x7f {
		block.Header.Nonce++
	}
	var out bytes.Buffer
	if err := block.Serialize(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes(), block.BlockHash().String()
}

// spender finds the transaction of the best chain that spends an input of another.
func (d *simDriver) spender(of *chaintest.Tx) (txid, block string) {
	d.t.Helper()
	for _, b := range d.sim.Chain() {
		for _, tx := range b.Txs() {
			for _, in := range tx.Msg.TxIn {
				if tx.ID != of.ID && in.PreviousOutPoint == of.Msg.TxIn[0].PreviousOutPoint {
					return tx.ID.String(), b.Hash.String()
				}
			}
		}
	}
	d.t.Fatal("nobody")
	return "", ""
}

func bytesOf(t *testing.T, tx *chaintest.Tx) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := tx.Msg.Serialize(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
