package hotwallet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"testing"

	"causeway/chains"
	"causeway/chains/utxo"

	"github.com/btcsuite/btcd/wire/v2"
	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// drawInput makes any plan input that is well-formed.
func drawInput(t *rapid.T, coin *utxo.Coin, change []byte) PlanInput {
	in := PlanInput{
		Chain: coin, Batch: "batch", ChangeScript: change,
		FeeRate:  chains.FeeRate(rapid.Uint64Range(1, rapid.SampledFrom([]uint64{10_000, 3_000_000}).Draw(t, "top rate")).Draw(t, "rate")),
		LockTime: rapid.Uint32Range(0, 900_000).Draw(t, "height"),
		Caps: Caps{
			MaxFee: chains.NewAmount(rapid.Uint64Range(10_000, 50_000_000).Draw(t, "max fee")), MaxRate: 2_000_000,
			MaxVSize: rapid.SampledFrom([]uint64{0, 1_000, 5_000}).Draw(t, "max size"),
		},
		Eligible: Eligible{
			ForeignDepth:   rapid.Uint64Range(0, 8).Draw(t, "depth"),
			OwnUnconfirmed: rapid.Bool().Draw(t, "unconfirmed"),
		},
	}
	top := rapid.SampledFrom([]uint64{10_000, 10_000_000, 100_000_000_000}).Draw(t, "top")
	for i := range rapid.IntRange(0, 60).Draw(t, "coins") {
		c := ownCoin(change, i, rapid.Uint64Range(0, top).Draw(t, "coin"))
		c.Depth = rapid.SampledFrom([]uint64{0, 1, 7, 8, 100}).Draw(t, "coin depth")
		c.Own = rapid.Bool().Draw(t, "own")
		c.Ancestors = rapid.IntRange(0, 25).Draw(t, "ancestors")
		in.Coins = append(in.Coins, c)
	}
	scripts := payeeScripts()
	kinds := []string{"p2pkh", "p2sh", "p2wpkh", "p2wsh", "p2tr", "future"}
	for i := range rapid.IntRange(1, 12).Draw(t, "payees") {
		in.Payees = append(in.Payees, Payee{
			ID: fmt.Sprintf("w%02d", i), Script: scripts[rapid.SampledFrom(kinds).Draw(t, "kind")],
			Amount: chains.NewAmount(rapid.Uint64Range(500, top/3).Draw(t, "amount")),
		})
	}
	return in
}

// checkPlan holds a plan against everything it promises.
func checkPlan(t *rapid.T, in PlanInput, p *Plan) {
	byOutpoint := map[chains.Outpoint]Coin{}
	for _, c := range in.Coins {
		byOutpoint[c.Outpoint] = c
	}
	var total, paid uint64
	var ancestors int
	for _, c := range p.Inputs {
		known, ok := byOutpoint[c.Outpoint]
		if !ok || !cmp.Equal(known, c) || !in.Eligible.allows(&c) {
			t.Fatalf("input %v is not an eligible coin of the pool", c)
		}
		delete(byOutpoint, c.Outpoint)
		v, _ := c.Amount.Uint64()
		total += v
		if c.Depth == 0 {
			ancestors += c.Ancestors
		}
	}
	if ancestors > maxAncestors {
		t.Fatalf("%d unconfirmed ancestors", ancestors)
	}
	changes := 0
	payees := map[string]Payee{}
	for _, payee := range in.Payees {
		payees[payee.ID] = payee
	}
	for _, o := range p.Outputs {
		v, _ := o.Amount.Uint64()
		paid += v
		if o.Change {
			changes++
			if !bytes.Equal(o.Script, in.ChangeScript) || o.Amount.Less(in.Chain.Dust(o.Script)) || o.ID != "" {
				t.Fatalf("change %v", o)
			}
			continue
		}
		if !cmp.Equal(o.Payee, payees[o.ID]) {
			t.Fatalf("payee %v became %v", payees[o.ID], o)
		}
		delete(payees, o.ID)
	}
	fee, _ := p.Fee.Uint64()
	if total != paid+fee || changes > 1 || len(payees) > 0 || len(p.Inputs) == 0 {
		t.Fatalf("inputs %d, outputs %d, fee %d, %d changes, %d payees left", total, paid, fee, changes, len(payees))
	}
	bare := feeFor(p.VSize, in.FeeRate)
	dust, _ := in.Chain.Dust(in.ChangeScript).Uint64()
	if fee < bare || changes == 1 && fee != bare || fee >= bare+dust+feeFor(32, in.FeeRate) {
		t.Fatalf("fee %d for %d vbytes at %d, %d changes", fee, p.VSize, in.FeeRate, changes)
	}
	if in.Caps.MaxFee.Less(p.Fee) || p.VSize > MaxStandardVSize || in.Caps.MaxVSize != 0 && p.VSize > in.Caps.MaxVSize {
		t.Fatalf("fee %d, %d vbytes are above the caps", fee, p.VSize)
	}
	checkBytes(t, in, p)
}

// checkBytes reads the unsigned bytes with another decoder.
func checkBytes(t *rapid.T, in PlanInput, p *Plan) {
	var tx wire.MsgTx
	if err := tx.DeserializeNoWitness(bytes.NewReader(p.Unsigned)); err != nil {
		t.Fatal(err)
	}
	if tx.Version != 2 || tx.LockTime != in.LockTime || len(tx.TxIn) != len(p.Inputs) || len(tx.TxOut) != len(p.Outputs) {
		t.Fatalf("transaction %v", tx)
	}
	for i, txIn := range tx.TxIn {
		if o := txIn.PreviousOutPoint; txIn.Sequence != 0xfffffffd || o.Hash.String() != p.Inputs[i].TxID || o.Index != p.Inputs[i].Index {
			t.Fatalf("input %d is %v", i, txIn)
		}
		if i > 0 && p.Inputs[i-1].TxID > p.Inputs[i].TxID {
			t.Fatal("inputs not in the order of BIP69")
		}
	}
	for i, out := range tx.TxOut {
		if chains.NewAmount(uint64(out.Value)) != p.Outputs[i].Amount || !bytes.Equal(out.PkScript, p.Outputs[i].Script) {
			t.Fatalf("output %d is %v", i, out)
		}
		if i > 0 && tx.TxOut[i-1].Value > out.Value {
			t.Fatal("outputs not in the order of BIP69")
		}
	}
}

// TestPlanProperties: every plan keeps its promises, the order of coins and
// payees changes nothing, a plan survives JSON, and "not enough" is true.
func TestPlanProperties(t *testing.T) {
	coin, change := testCoin(t), changeScript(t)
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t, coin, change)
		p, err := NewPlan(in)
		if (p == nil) == (err == nil) {
			t.Fatalf("plan %v, error %v", p, err)
		}
		other := in
		other.Coins = rapid.Permutation(in.Coins).Draw(t, "coins shuffled")
		other.Payees = rapid.Permutation(in.Payees).Draw(t, "payees shuffled")
		q, err2 := NewPlan(other)
		if diff := cmp.Diff(p, q); diff != "" || fmt.Sprint(err) != fmt.Sprint(err2) {
			t.Fatalf("depends on the order: %s %v %v", diff, err, err2)
		}
		if errors.Is(err, ErrInsufficient) && affordable(t, in) {
			t.Fatalf("%v, but the confirmed coins are enough", err)
		}
		if err != nil {
			if errors.Is(err, ErrBadPlan) {
				t.Fatal(err)
			}
			return
		}
		checkPlan(t, in, p)
		var stored Plan
		raw, err := json.Marshal(p)
		if err != nil {
			t.Fatal(err)
		}
		if err := json.Unmarshal(raw, &stored); err != nil || !cmp.Equal(*p, stored) {
			t.Fatalf("JSON changed the plan: %v %s", err, cmp.Diff(*p, stored))
		}
	})
}

// affordable computes from scratch whether all confirmed coins worth spending
// together pay for payees and fee.
func affordable(t *rapid.T, in PlanInput) bool {
	var scripts, outputs [][]byte
	var have, need chains.Amount
	var err error
	for _, c := range in.Coins {
		weight, err := utxo.InputWeight(c.Script)
		if err != nil {
			t.Fatal(err)
		}
		fee, err := in.FeeRate.Fee((weight + 3) / 4)
		if worth := err == nil && fee.Less(c.Amount); worth && c.Depth > 0 && (c.Own || c.Depth >= in.Eligible.ForeignDepth) {
			scripts = append(scripts, c.Script)
			if have, err = have.Add(c.Amount); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, p := range in.Payees {
		outputs = append(outputs, p.Script)
		if need, err = need.Add(p.Amount); err != nil {
			t.Fatal(err)
		}
	}
	vsize, err := utxo.Estimate(scripts, outputs)
	if err != nil {
		t.Fatal(err)
	}
	fee, err := in.FeeRate.Fee(vsize)
	if err != nil {
		t.Fatal(err)
	}
	if need, err = need.Add(fee); err != nil {
		t.Fatal(err)
	}
	return len(scripts) > 0 && !have.Less(need)
}

// TestBumpProperties: a bump keeps inputs, payees and lock time, obeys BIP125
// rules 3 and 4, and takes the difference from change alone.
func TestBumpProperties(t *testing.T) {
	coin, change := testCoin(t), changeScript(t)
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t, coin, change)
		p, err := NewPlan(in)
		if err != nil {
			t.Skip("no plan")
		}
		rate := chains.FeeRate(rapid.Uint64Range(1, 2_000_000).Draw(t, "bump rate"))
		q, err := Bump(BumpInput{Chain: coin, Previous: p, FeeRate: rate, Caps: in.Caps})
		if err != nil {
			if q != nil || !errors.Is(err, ErrNoChange) && !errors.Is(err, ErrFeeCap) {
				t.Fatal(err)
			}
			return
		}
		fee, _ := q.Fee.Uint64()
		old, _ := p.Fee.Uint64()
		if fee < old+feeFor(q.VSize, DefaultIncrement) || fee < feeFor(q.VSize, rate) {
			t.Fatalf("fee went from %d to %d for %d vbytes at %d", old, fee, q.VSize, rate)
		}
		if !cmp.Equal(p.Inputs, q.Inputs) || !cmp.Equal(p.Payees(), q.Payees()) || p.LockTime != q.LockTime || !cmp.Equal(p.Spends(), q.Spends()) {
			t.Fatal("a variant differs in more than fee and change")
		}
		_, before, _ := p.Change()
		_, after, _ := q.Change()
		spent, err := before.Sub(after)
		if err != nil || spent != chains.NewAmount(fee-old) {
			t.Fatalf("change went from %s to %s, fee from %d to %d", before, after, old, fee)
		}
	})
}

// TestPlanExactlyProperties: the same inputs planned again give a plan of the
// same spends and payees, and at the same rate the very same bytes.
func TestPlanExactlyProperties(t *testing.T) {
	coin, change := testCoin(t), changeScript(t)
	rapid.Check(t, func(t *rapid.T) {
		in := drawInput(t, coin, change)
		p, err := NewPlan(in)
		if err != nil {
			t.Skip("no plan")
		}
		again := in
		again.Coins = rapid.Permutation(p.Inputs).Draw(t, "inputs")
		q, err := PlanExactly(again)
		if err != nil || !cmp.Equal(p, q) {
			t.Fatalf("%v %s", err, cmp.Diff(p, q))
		}
		again.FeeRate = chains.FeeRate(rapid.Uint64Range(1, 2_000_000).Draw(t, "rate"))
		q, err = PlanExactly(again)
		if err != nil {
			if q != nil || !errors.Is(err, ErrInsufficient) && !errors.Is(err, ErrFeeCap) {
				t.Fatal(err)
			}
			return
		}
		if !cmp.Equal(p.Spends(), q.Spends()) || !cmp.Equal(p.Payees(), q.Payees()) {
			t.Fatal("inputs or payees changed")
		}
	})
}
