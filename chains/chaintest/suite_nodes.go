package chaintest

import (
	"cmp"
	"errors"
	"fmt"
	"testing"
	"time"

	"causeway/chains"

	gocmp "github.com/google/go-cmp/cmp"
)

// strangers are refused: a client of one chain does not take the node of another.
func strangers(t *testing.T, r *trial) {
	list := r.Strangers(t)
	if len(list) == 0 {
		t.Fatal("none is given")
	}
	for name, source := range list {
		if _, err := source.Tip(t.Context()); !errors.Is(err, chains.ErrWrongNetwork) {
			t.Errorf("a client of %s: %v", name, err)
		}
		if _, err := source.RawBlock(t.Context(), unknownTxID); !errors.Is(err, chains.ErrWrongNetwork) {
			t.Errorf("a client of %s, asking for a block: %v", name, err)
		}
	}
	if _, err := r.Open(t).Tip(t.Context()); err != nil {
		t.Errorf("its own: %v", err)
	}
}

// tooOld is refused.
func tooOld(t *testing.T, r *trial) {
	source := r.Old(t)
	if _, err := source.Tip(t.Context()); !errors.Is(err, chains.ErrNodeVersion) {
		t.Errorf("%v", err)
	}
	if verdict, err := source.Broadcast(t.Context(), r.anyPayment(t)); verdict != chains.Unknown || !errors.Is(err, chains.ErrNodeVersion) {
		t.Errorf("a broadcast: %s, %v", verdict, err)
	}
	version := ""
	for _, h := range source.Health() {
		version = h.Version
	}
	if version == "" {
		t.Error("its health does not tell the version")
	}
}

// anyPayment makes a payment and gives its bytes.
func (r *trial) anyPayment(t *testing.T) []byte {
	t.Helper()
	k := r.Kinds(t.Name() + ", any payment")[0]
	w := r.walk(t, k)
	txid := r.pay(t, k.Address, r.units(77))
	w.persist("the payment in the mempool", func() (bool, error) { return w.waits(txid, k, r.units(77)), nil })
	raw, err := w.client.RawTransaction(t.Context(), txid)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// troublesome is how many steps are tried while a node misbehaves.
const troublesome = 8

// troubled takes steps while a node misbehaves, and counts those that failed.
func (w *walk) troubled(f Trouble) (errs int) {
	w.t.Helper()
	f.Begin()
	defer f.End()
	for range troublesome {
		if _, err := w.step(); err != nil {
			errs++
		}
	}
	return errs
}

// troubles makes a payment and blocks, of which is to be heard while a node
// misbehaves. Nothing false is ever connected, and when it is over the payment is
// where it should be.
func troubles(t *testing.T, r *trial) {
	for i, f := range r.Faults {
		t.Run(f.Name, func(t *testing.T) {
			k := r.kind(t)
			w := r.walk(t, k)
			txid := r.pay(t, k.Address, r.units(i))
			r.mine(t, 2)
			errs := w.troubled(f)
			told := w.tail
			w.follow()
			if w.undone != 0 {
				t.Errorf("%d blocks of %v were not true", w.undone, told)
			}
			w.one(k, txid, r.units(i))
			t.Logf("%d of %d steps failed, %d blocks were followed meanwhile", errs, troublesome, len(told)-1)
		})
	}
}

// caughtUp is how many blocks a process that was away has to read.
func (r *trial) caughtUp() int { return cmp.Or(r.Blocks, 1000) }

// payments is among how many parts of them there is one each.
const payments = 10

// catchUp follows 1,000 blocks at once, with a payment in every hundredth, and says
// how long it took.
func catchUp(t *testing.T, r *trial) {
	kinds := r.Kinds(t.Name())[:1]
	w := r.walk(t, kinds...)
	for i := range payments {
		r.pay(t, kinds[0].Address, r.units(i))
		r.mine(t, r.caughtUp()/payments)
	}
	w = w.restarted()
	start := time.Now()
	w.follow()
	took := time.Since(start)
	if w.connected != r.caughtUp() || w.undone != 0 || len(w.payments(kinds[0])) != payments {
		t.Errorf("%d blocks connected, %d undone, %d payments", w.connected, w.undone, len(w.payments(kinds[0])))
	}
	t.Logf("%s: %d blocks in %s, %.0f blocks/s", r.Name, w.connected, took.Round(time.Millisecond), float64(w.connected)/took.Seconds())
}

// shownBlocks holds every block that was connected, if it is in the chain still,
// against the node's own JSON: ids, scripts, amounts as text, what is spent.
func shownBlocks(t *testing.T, r *trial) {
	client := r.Open(t)
	compared, outputs := 0, 0
	for _, b := range r.seen {
		switch hash, err := client.HashAt(t.Context(), b.Height); {
		case errors.Is(err, chains.ErrNotFound):
			continue
		case err != nil:
			t.Fatal(err)
		case hash != b.Hash:
			continue
		}
		if err := sameBlock(b, r.Show(t, b.Hash)); err != nil {
			t.Fatalf("block %v: %v", b.BlockRef, err)
		}
		compared++
		outputs += len(b.Outputs)
	}
	if compared < r.caughtUp() {
		t.Errorf("only %d blocks were compared", compared)
	}
	t.Logf("%s: %d blocks with %d outputs are as the node shows them; %d left the chain", r.Name, compared, outputs, len(r.seen)-compared)
}

// sameBlock compares what we decoded with what a node shows. A node that says no
// time is not asked for it.
func sameBlock(ours, shown *chains.Block) error {
	a, b := *ours, *shown
	a.Outputs, b.Outputs = withoutTokens(a.Outputs), withoutTokens(b.Outputs)
	if b.Time == 0 {
		a.Time = 0
	}
	if diff := gocmp.Diff(b, a); diff != "" {
		return fmt.Errorf("-node +ours\n%s", diff)
	}
	return nil
}

// withoutTokens leaves out what not every node shows.
func withoutTokens(outputs []chains.Output) []chains.Output {
	list := make([]chains.Output, len(outputs))
	for i, o := range outputs {
		list[i] = o
		list[i].Tokens = false
	}
	return list
}
