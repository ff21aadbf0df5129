package main

import (
	"encoding/hex"
	"fmt"
	"math/rand/v2"
	"net/http"

	"causeway/chains/chaintest"
	"causeway/cmd/campaign/model"

	"github.com/btcsuite/btcd/wire/v2"
)

// utxoWorld is the world of a coin: a simulated chain, and what its life's
// schedule does to it.
type utxoWorld struct {
	*life
	coin    coin
	handler http.Handler
}

func (c coin) simulate(l *life, nodes, coins int) (world, error) {
	base, err := l.networks.sim(c, coins)
	if err != nil {
		return nil, err
	}
	l.sim = base.Fork(nodes, l.seed)
	l.sim.OnBroadcast(l.sending)
	return &utxoWorld{coin: c, life: l, handler: l.sim.Handler()}, nil
}

// ServeHTTP implements http.Handler: the nodes' JSON-RPC.
func (w *utxoWorld) ServeHTTP(rw http.ResponseWriter, r *http.Request) { w.handler.ServeHTTP(rw, r) }

func (w *utxoWorld) height() int { return w.sim.Best().Height }

func (w *utxoWorld) tip() string {
	best := w.sim.Best()
	return fmt.Sprintf("block %d %.8s", best.Height, best.Hash)
}

func (w *utxoWorld) mine(blocks int) error { return w.sim.Mine(blocks) }

func (w *utxoWorld) pay(list ...payment) error {
	var outputs []chaintest.Output
	for _, p := range list {
		outputs = append(outputs, chaintest.Output{Address: p.address, Units: p.units})
	}
	_, err := w.sim.Send(outputs...)
	return err
}

// payee is an address in one of the forms that the coin has.
func (w *utxoWorld) payee(rng *rand.Rand) (address, script string, err error) {
	hash := make([]byte, 32)
	for i := range hash {
		hash[i] = byte(rng.UintN(256))
	}
	forms := [][]byte{
		append(append([]byte{0x76, 0xa9, 20}, hash[:20]...), 0x88, 0xac),
		append(append([]byte{0xa9, 20}, hash[:20]...), 0x87),
	}
	if w.coin.params.SegWit {
		forms = append(forms, append([]byte{0, 20}, hash[:20]...), append([]byte{0, 32}, hash...), append([]byte{0x51, 32}, hash...))
	}
	form := forms[rng.IntN(len(forms))]
	if address = w.coin.params.Addresses.Encode(form); address == "" {
		return "", "", fmt.Errorf("script %x has no address", form)
	}
	return address, hex.EncodeToString(form), nil
}

func (w *utxoWorld) rest() (string, error) { return "", nil }

func (w *utxoWorld) calm() {
	for i := range w.sim.Nodes() {
		w.sim.Node(i).Heal()
		w.sim.Node(i).Delay(0)
		w.sim.Node(i).Cut(false)
		w.sim.Node(i).Release()
	}
	w.sim.SetFeeRate(0)
}

// happened fills in blocks, transactions and deposit scripts.
func (w *utxoWorld) happened(m *model.World) error {
	for user, address := range w.address {
		script, err := w.sim.Script(address)
		if err != nil {
			return err
		}
		m.Deposits[hex.EncodeToString(script)] = user
	}
	for _, block := range w.sim.Chain() {
		var txs []model.Tx
		for _, tx := range block.Txs() {
			txs = append(txs, w.modelTx(tx))
		}
		m.Blocks = append(m.Blocks, txs)
	}
	for _, tx := range w.sim.Transactions() {
		m.Known = append(m.Known, w.modelTx(tx))
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, tx := range w.sent {
		m.Sent = append(m.Sent, w.modelMsg(tx))
	}
	return nil
}

// modelTx is a transaction in the judge's words. What leaves Litecoin's extension
// block counts at a depth of its own.
func (w *utxoWorld) modelTx(tx *chaintest.Tx) model.Tx {
	m := w.modelMsg(tx.Msg)
	if tx.HogEx() {
		m.Outputs[0].Script += " balance of the extension block"
		for i := range m.Outputs[1:] {
			m.Outputs[i+1].Depth = pegOutDepth
		}
	}
	return m
}

// pegOutDepth is how deep payments out of the extension block must be.
const pegOutDepth = 36

func (w *utxoWorld) modelMsg(msg *wire.MsgTx) model.Tx {
	id := msg.TxHash().String()
	tx := model.Tx{ID: id}
	for _, in := range msg.TxIn {
		tx.Spends = append(tx.Spends, model.Point{TxID: in.PreviousOutPoint.Hash.String(), Index: in.PreviousOutPoint.Index})
	}
	for i, out := range msg.TxOut {
		script, tokens := w.sim.Locking(out.PkScript)
		tx.Outputs = append(tx.Outputs, model.Output{
			Point: model.Point{TxID: id, Index: uint32(i)}, Script: hex.EncodeToString(script), Units: out.Value, Held: tokens,
		})
	}
	return tx
}
