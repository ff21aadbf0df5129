package chaintest

import (
	"bytes"
	"errors"
	"slices"
	"testing"

	"causeway/chains"
)

// waits says whether the mempool shows a transaction, which then decodes to the
// payment.
func (w *walk) waits(txid string, k Kind, units int64) bool {
	w.t.Helper()
	txids, err := w.client.Mempool(w.t.Context())
	if err != nil {
		w.t.Fatal(err)
	}
	if !slices.Contains(txids, txid) {
		return false
	}
	raw, err := w.client.RawTransaction(w.t.Context(), txid)
	if err != nil {
		w.t.Fatal(err)
	}
	got, outputs, _, err := w.trial.Chain.DecodeTransaction(raw)
	if err != nil || got != txid {
		w.t.Fatalf("%s decodes as %s, %v", txid, got, err)
	}
	if !slices.ContainsFunc(outputs, func(o chains.Output) bool {
		return bytes.Equal(o.Script, k.Script) && o.Amount == chains.NewAmount(uint64(units)) && o.TxID == txid
	}) {
		w.t.Fatalf("%s does not pay %d to %s", txid, units, k)
	}
	return true
}

// mempoolSight sees a payment wait, and be mined.
func mempoolSight(t *testing.T, r *trial) {
	k := r.kind(t)
	w := r.walk(t, k)
	txid := r.pay(t, k.Address, r.units(0))
	w.persist("the payment in the mempool", func() (bool, error) { return w.waits(txid, k, r.units(0)), nil })
	w.follow()
	w.none(k) // a mempool is a hint and no payment
	r.mine(t, 1)
	w.follow()
	w.one(k, txid, r.units(0))
	if w.waits(txid, k, r.units(0)) {
		t.Error("it still waits")
	}
	if _, err := w.client.RawTransaction(t.Context(), unknownTxID); !errors.Is(err, chains.ErrNotFound) && !errors.Is(err, chains.ErrNoQuorum) {
		t.Errorf("a transaction that never was: %v", err)
	}
}

// unknownTxID is no transaction's.
const unknownTxID = "00000000000000000000000000000000000000000000000000000000000000aa"

// mempoolConflict offers a dearer transaction of the same coins. Nodes take it or
// keep the first, as the coin's facts say; what is mined decides.
func mempoolConflict(t *testing.T, r *trial) {
	k := r.kind(t)
	w := r.walk(t, k)
	txid := r.pay(t, k.Address, r.units(0))
	raw, err := r.Conflict(txid)
	if err != nil {
		t.Fatal(err)
	}
	verdict, err := w.client.Broadcast(t.Context(), raw)
	want := chains.Conflict
	if r.Chain.Facts().Replaceable {
		want = chains.Accepted
	}
	if verdict != want {
		t.Fatalf("the node says %s, %v; want %s", verdict, err, want)
	}
	if got := w.waits(txid, k, r.units(0)); got == r.Chain.Facts().Replaceable {
		t.Errorf("the payment waits: %v", got)
	}
	r.mine(t, 1)
	w.follow()
	if r.Chain.Facts().Replaceable {
		w.none(k)
	} else {
		w.one(k, txid, r.units(0))
	}
}

// mempoolOutmined loses a waiting payment to a block that takes its coins.
func mempoolOutmined(t *testing.T, r *trial) {
	k := r.kind(t)
	w := r.walk(t, k)
	txid := r.pay(t, k.Address, r.units(0))
	w.persist("the payment in the mempool", func() (bool, error) { return w.waits(txid, k, r.units(0)), nil })
	if err := r.Reorg(txid, 0, Replaced); err != nil {
		t.Fatal(err)
	}
	w.follow()
	if w.waits(txid, k, r.units(0)) {
		t.Error("it still waits")
	}
	r.mine(t, 2)
	w.follow()
	w.none(k)
	if w.undone != 0 {
		t.Errorf("%d blocks were disconnected", w.undone)
	}
}

// mempoolEvicted loses a waiting payment without any cause.
func mempoolEvicted(t *testing.T, r *trial) {
	k := r.kind(t)
	w := r.walk(t, k)
	txid := r.pay(t, k.Address, r.units(0))
	w.persist("the payment in the mempool", func() (bool, error) { return w.waits(txid, k, r.units(0)), nil })
	if err := r.Evict(txid); err != nil {
		t.Fatal(err)
	}
	w.persist("the payment to leave the mempool", func() (bool, error) { return !w.waits(txid, k, r.units(0)), nil })
	r.mine(t, 2)
	w.follow()
	w.none(k)
}

// restartClient reads the cursor again after every few steps, with a client that
// has asked for nothing yet.
func restartClient(t *testing.T, r *trial) {
	k := r.kind(t)
	w := r.walk(t, k)
	var txids []string
	for i := range 6 {
		txids = append(txids, r.pay(t, k.Address, r.units(i)))
		r.mine(t, 1)
	}
	for range 6 {
		w = w.restarted()
		moved := false
		w.persist("one block", func() (ok bool, err error) { moved, err = w.step(); return moved, err })
	}
	w = w.restarted()
	w.follow()
	if w.connected != 6 || w.undone != 0 || len(w.paid) != len(txids) {
		t.Errorf("%d blocks, %d undone, %d payments", w.connected, w.undone, len(w.paid))
	}
}

// restartNode has a node end and come back. While it is away nothing is inferred.
func restartNode(t *testing.T, r *trial) {
	k := r.kind(t)
	w := r.walk(t, k)
	first := r.pay(t, k.Address, r.units(0))
	raw := r.anyPayment(t)
	r.mine(t, 2)
	w.follow()
	err := r.Restart(func() {
		if e, err := w.client.Next(t.Context(), w.tail); e != nil || err == nil || !unknown(err) {
			t.Errorf("from a node that is away: %v, %v", e, err)
		}
		if verdict, err := w.client.Broadcast(t.Context(), raw); verdict != chains.Unknown || err == nil {
			t.Errorf("a broadcast to it: %s, %v", verdict, err)
		}
	})
	if err != nil {
		t.Fatal(err)
	}
	old := w
	w = w.restarted()
	old.follow() // the client that was there before
	w.follow()
	w.one(k, first, r.units(0))
	second := r.pay(t, k.Address, r.units(1))
	r.mine(t, 1)
	w.follow()
	if w.undone != 0 || len(w.payments(k)) != 2 {
		t.Errorf("%d blocks undone, payments %+v; want %s and %s", w.undone, w.payments(k), first, second)
	}
}
