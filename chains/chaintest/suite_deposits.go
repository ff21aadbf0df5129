package chaintest

import (
	"slices"
	"testing"

	"causeway/chains"
)

// depositKinds pays each kind of output, alone in its transaction.
func depositKinds(t *testing.T, r *trial) {
	kinds := r.Kinds(t.Name())
	w := r.walk(t, kinds...)
	txids := make([]string, len(kinds))
	for i, k := range kinds {
		if k.Pay == nil {
			txids[i] = r.pay(t, k.Address, r.units(i))
		} else if err := k.Pay(r.units(i)); err != nil {
			t.Fatal(err)
		}
	}
	r.mine(t, 1)
	w.follow()
	for i, k := range kinds {
		w.one(k, txids[i], r.units(i))
		if got, err := r.Chain.Script(k.Address); err != nil || string(got) != string(k.Script) {
			t.Errorf("%s decodes to %x, %v; want %x", k.Address, got, err, k.Script)
		}
	}
	r.mine(t, 2)
	w.follow()
	if w.connected != 3 || w.undone != 0 || len(w.paid) != len(kinds) {
		t.Errorf("%d blocks connected, %d disconnected, %d payments", w.connected, w.undone, len(w.paid))
	}
}

// depositMany pays all kinds in one transaction, one of them three times.
func depositMany(t *testing.T, r *trial) {
	var outputs []Output
	kinds := slices.DeleteFunc(r.Kinds(t.Name()), func(k Kind) bool { return k.Pay != nil })
	for i, k := range kinds {
		outputs = append(outputs, Output{Address: k.Address, Units: r.units(i)})
	}
	first := kinds[0]
	outputs = append(outputs, Output{Address: first.Address, Units: r.units(100)}, Output{Address: first.Address, Units: r.units(0)})
	w := r.walk(t, kinds...)
	txid, err := r.Send(outputs...)
	if err != nil {
		t.Fatal(err)
	}
	again := r.pay(t, first.Address, r.units(0)) // the same amount once more
	r.mine(t, 1)
	w.follow()
	for i, k := range kinds[1:] {
		w.one(k, txid, r.units(i+1))
	}
	var amounts []chains.Amount
	byTx := map[string]int{}
	for _, p := range w.payments(first) {
		amounts = append(amounts, p.Amount)
		byTx[p.TxID]++
	}
	total, err := chains.Sum(amounts...)
	if err != nil || total != chains.NewAmount(uint64(4*r.Units+100)) || byTx[txid] != 3 || byTx[again] != 1 {
		t.Errorf("to one address: %v in %v, %v", amounts, byTx, err)
	}
}

// reward finds what a block pays its miner, which can be spent at its depth and not
// before.
func reward(t *testing.T, r *trial) {
	w := r.walk(t)
	r.mine(t, 1)
	w.follow()
	at := w.tail[len(w.tail)-1]
	raw, out, err := r.Reward(at.Height)
	if err != nil {
		t.Fatal(err)
	}
	block := r.seen[len(r.seen)-1]
	i := slices.IndexFunc(block.Outputs, func(o chains.Output) bool { return o.Outpoint == out })
	if i < 0 || !block.Outputs[i].Coinbase {
		t.Fatalf("%v is no reward of %v", out, at)
	}
	r.mine(t, int(r.Chain.CoinbaseMaturity())-2)
	if verdict, err := w.client.Broadcast(t.Context(), raw); verdict != chains.Rejected && verdict != chains.Conflict {
		t.Errorf("one block too early: %s, %v", verdict, err)
	}
	r.mine(t, 1)
	if verdict, err := w.client.Broadcast(t.Context(), raw); verdict != chains.Accepted {
		t.Errorf("mature: %s, %v", verdict, err)
	}
	r.mine(t, 1)
	w.follow()
	if block := r.seen[len(r.seen)-1]; !slices.ContainsFunc(block.Spends, func(s chains.Spend) bool { return s.Outpoint == out }) {
		t.Errorf("block %v does not spend the reward", block.BlockRef)
	}
}

// reorgDepth is how many blocks leave in the cases of reorganisations.
const reorgDepth = 2

// reorg has a payment in the older of two blocks, which leave.
func reorg(t *testing.T, r *trial, fate Fate) {
	k := r.kind(t)
	w := r.walk(t, k)
	units := r.units(0)
	txid := r.pay(t, k.Address, units)
	r.mine(t, reorgDepth)
	w.follow()
	before := w.one(k, txid, units)
	if err := r.Reorg(txid, reorgDepth, fate); err != nil {
		t.Fatal(err)
	}
	w.follow()
	if w.undone != reorgDepth {
		t.Errorf("%d blocks were disconnected, want %d", w.undone, reorgDepth)
	}
	if fate == Again {
		after := w.one(k, txid, units)
		if after.Outpoint != before.Outpoint || after.block == before.block {
			t.Errorf("it was %v in %v and is %v in %v", before.Outpoint, before.block, after.Outpoint, after.block)
		}
	} else {
		w.none(k)
	}
	r.mine(t, 3)
	w.follow()
	switch fate {
	case Again:
		w.one(k, txid, units)
	case Replaced:
		w.none(k)
	case Gone: // what waited may be mined; then it is the same payment
		if list := w.payments(k); len(list) > 0 {
			if after := w.one(k, txid, units); after.Outpoint != before.Outpoint {
				t.Errorf("it was %v and came back as %v", before.Outpoint, after.Outpoint)
			}
			t.Log("the payment waited and was mined again")
		} else {
			t.Log("the payment stays away")
		}
	}
}
