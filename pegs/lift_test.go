package pegs

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"causeway/chains"

	"github.com/google/go-cmp/cmp"
)

// sent plans, assigns, signs and sends a payout of one withdrawal.
func (b *book) sent(id string, net uint64, txid string, change uint64, inputs ...chains.Outpoint) *Planned {
	b.t.Helper()
	b.queue(id, net)
	plan := planFor([]string{id}, inputs...)
	b.do(plan)
	b.do(assignedAs(plan))
	b.do(signedAs(plan, txid, change))
	b.do(&Broadcast{Batch: plan.Batch, TxID: txid, Verdict: chains.Accepted})
	return plan
}

func bumpOf(p *Planned, fee uint64) *Bumped {
	return &Bumped{Batch: p.Batch, Fee: chains.NewAmount(fee), Plan: json.RawMessage(`{"dearer":true}`)}
}

func variantOf(p *Planned, txid string, fee, change uint64) *Signed {
	v := signedAs(p, txid, change)
	v.Fee = chains.NewAmount(fee)
	return v
}

// ownPlan is a plan of a kind that pays only ourselves.
func ownPlan(kind string, inputs ...chains.Outpoint) *Planned {
	return &Planned{
		Batch: BatchID(chains.BTC, kind, nil, inputs), Chain: chains.BTC, BatchKind: kind, Inputs: inputs,
		Fee: chains.NewAmount(500), Plan: json.RawMessage(`{}`),
	}
}

func (b *book) batch(p *Planned) *Batch {
	b.t.Helper()
	batch, ok := b.Batch(p.Batch)
	if !ok {
		b.t.Fatalf("no batch %s", p.Batch)
	}
	return batch
}

// replays fails unless the log folds to the same state again, also through its
// stored form.
func (b *book) replays(t *testing.T) {
	t.Helper()
	again := &book{t: t, State: NewState(), hash: "root"}
	var link Link
	for _, r := range b.log {
		stored, next, err := r.Encode(link)
		if err != nil {
			t.Fatal(err)
		}
		decoded, _, err := DecodeRecord(stored, r.Seq, link)
		if err != nil {
			t.Fatal(err)
		}
		if err := again.Apply(decoded); err != nil {
			t.Fatal(err)
		}
		link = next
	}
	if diff := cmp.Diff(b.digest(), again.digest()); diff != "" {
		t.Errorf("a replay differs: %s", diff)
	}
}

// Whichever variant of a batch is mined, it is the payout: known by what it
// spends, with its own fee, and the change of the others never is.
func TestAnyVariantConfirms(t *testing.T) {
	for mined, want := range map[string]struct {
		fee    uint64
		change uint64
	}{"v1": {300, 59_700}, "v2": {600, 59_400}, "v3": {900, 59_100}} {
		t.Run(mined, func(t *testing.T) {
			b := newBook(t)
			b.credit("t1", "alice", 100_000)
			b.blocks(1)
			plan := b.sent("w1", 40_000, "v1", 59_700, at("t1", 0))
			b.blocks(3)
			for i, txid := range []string{"v2", "v3"} {
				fee, change := uint64(300*(i+2)), uint64(59_700-300*(i+1))
				b.do(bumpOf(plan, fee))
				if got := b.outboxes(); !slices.Equal(got, []string{"broadcast", "sign"}) {
					t.Errorf("before %s: %v", txid, got)
				}
				b.do(variantOf(plan, txid, fee, change))
				b.do(&Broadcast{Batch: plan.Batch, TxID: txid, Verdict: chains.Accepted})
			}
			batch := b.batch(plan)
			var sendable []string
			for _, v := range b.Sendable(batch) {
				sendable = append(sendable, v.TxID)
			}
			if !slices.Equal(sendable, []string{"v3", "v2", "v1"}) || b.UnsettledFees(chains.BTC, "") != chains.NewAmount(900) {
				t.Errorf("sends %v, fees %s", sendable, b.UnsettledFees(chains.BTC, ""))
			}
			b.block([]Payment{changes(mined, 1, want.change)}, spends(mined, at("t1", 0))...)
			b.blocks(1)
			fee, err := b.MinedFee(batch)
			if err != nil || fee != chains.NewAmount(want.fee) || len(b.Alarms(chains.BTC)) > 0 {
				t.Errorf("fee %s, %v, alarms %v", fee, err, b.Alarms(chains.BTC))
			}
			if coins := b.Spendable(chains.BTC); len(coins) != 1 || coins[0].Outpoint != at(mined, 1) {
				t.Errorf("coins %v", coins)
			}
			if got := b.UnsettledFees(chains.BTC, ""); got != chains.NewAmount(want.fee) {
				t.Errorf("fees %s", got)
			}
			b.do(&Settling{Batch: plan.Batch, TxID: mined, Cost: fee.Coin(8)})
			b.do(&Settled{Batch: plan.Batch, TxID: mined, Cost: fee.Coin(8)})
			w, _ := b.Withdrawal("w1")
			if b.WithdrawalState(w) != WithdrawalSettled {
				t.Errorf("it is %s", b.WithdrawalState(w))
			}
			b.replays(t)
		})
	}
}

// What a bump may not be.
func TestBumpTransitions(t *testing.T) {
	for name, spoil := range map[string]func(*book, *Planned) Event{
		"unknown": func(_ *book, _ *Planned) Event { return &Bumped{Batch: "x", Fee: chains.NewAmount(900)} },
		"cheaper": func(_ *book, p *Planned) Event { return bumpOf(p, 300) },
		"twice": func(b *book, p *Planned) Event {
			b.do(bumpOf(p, 600))
			return bumpOf(p, 900)
		},
		"mined": func(b *book, p *Planned) Event {
			b.block(nil, spends("v1", at("t1", 0))...)
			return bumpOf(p, 600)
		},
		"settled and reorganised": func(b *book, p *Planned) Event {
			b.block(nil, spends("v1", at("t1", 0))...)
			b.blocks(1)
			b.do(&Settling{Batch: p.Batch, TxID: "v1", Cost: "0.00000300"})
			b.back()
			b.back()
			return bumpOf(p, 600)
		},
		"with a child": func(b *book, p *Planned) Event {
			b.do(ownPlan(BatchChild, at("v1", 1)))
			return bumpOf(p, 600)
		},
		"stolen": func(b *book, p *Planned) Event {
			b.block(nil, spends("thief", at("t1", 0), at("x", 0))...)
			return bumpOf(p, 600)
		},
	} {
		t.Run(name, func(t *testing.T) {
			b := newBook(t)
			b.credit("t1", "alice", 100_000)
			b.blocks(1)
			plan := b.sent("w1", 40_000, "v1", 59_700, at("t1", 0))
			event := spoil(b, plan)
			before := b.digest()
			if err := b.try(event); !errors.Is(err, ErrTransition) || b.digest() != before {
				t.Errorf("%v", err)
			}
		})
	}
}

// A reorganisation puts a payout back: it is sent again as it is, and only after
// as many blocks as any other is it made dearer.
func TestReorganisedPayoutIsNotBumpedAtOnce(t *testing.T) {
	b := newBook(t)
	b.credit("t1", "alice", 100_000)
	b.blocks(1)
	plan := b.sent("w1", 40_000, "v1", 59_700, at("t1", 0))
	b.blocks(1)
	b.block([]Payment{changes("v1", 1, 59_700)}, spends("v1", at("t1", 0))...)
	b.blocks(20)
	for range 21 {
		b.back()
	}
	b.blocks(22)
	if waits := b.Waits(b.batch(plan)); waits != 1 || len(b.ToLift(chains.BTC)) != 1 || len(b.ToSign(chains.BTC)) != 0 {
		t.Errorf("waits %d blocks, %v", waits, b.outboxes())
	}
}

// A child keeps its parent as it is, and what it rests on counts for its fee.
func TestChild(t *testing.T) {
	b := newBook(t)
	b.credit("t1", "alice", 100_000)
	b.blocks(1)
	parent := b.sent("w1", 40_000, "v1", 59_700, at("t1", 0))
	b.blocks(3)
	if coins := b.Spendable(chains.BTC); len(coins) != 1 || coins[0].Waits != 3 {
		t.Errorf("coins %+v", coins)
	}
	child := ownPlan(BatchChild, at("v1", 1))
	b.do(child)
	if lift := b.ToLift(chains.BTC); len(lift) != 0 {
		t.Errorf("can still be lifted: %v", lift)
	}
	b.do(assignedAs(child))
	b.do(&Signed{Batch: child.Batch, TxID: "c1", Raw: []byte{1}, Fee: chains.NewAmount(500), VSize: 110, Counter: 2, Change: []Payment{changes("c1", 0, 59_200)}})
	b.do(&Broadcast{Batch: child.Batch, TxID: "c1", Verdict: chains.Accepted})
	lift := b.ToLift(chains.BTC)
	if len(lift) != 1 || lift[0].ID != child.Batch {
		t.Fatalf("to lift: %v", lift)
	}
	pack, ok := b.Package(lift[0])
	if want := (Package{Count: 2, VSize: 251, Fee: chains.NewAmount(800), Since: b.height - 4}); !ok || pack != want {
		t.Errorf("package %+v, want %+v", pack, want)
	}
	b.block([]Payment{changes("v1", 1, 59_700), changes("c1", 0, 59_200)}, append(spends("v1", at("t1", 0)), spends("c1", at("v1", 1))...)...)
	b.blocks(1)
	if got := len(b.ToSettle(chains.BTC)); got != 2 || len(b.Alarms(chains.BTC)) > 0 {
		t.Errorf("%d to settle, alarms %v", got, b.Alarms(chains.BTC))
	}
	view, _ := b.AuditView(chains.BTC)
	if view.Fees[child.Batch] != chains.NewAmount(500) || view.Fees[parent.Batch] != chains.NewAmount(300) || len(view.Items) != 1 {
		t.Errorf("audit: %+v", view.Fees)
	}
	b.replays(t)
}

// The child of a variant that lost is dead, once the one that won is final, and
// no earlier; a reorganisation brings it to life again.
func TestChildOfALostVariant(t *testing.T) {
	b := newBook(t)
	b.credit("t1", "alice", 100_000)
	b.blocks(1)
	plan := b.sent("w1", 40_000, "v1", 59_700, at("t1", 0))
	child := ownPlan(BatchChild, at("v1", 1))
	b.do(child)
	b.do(assignedAs(child))
	b.block(nil, spends("other", at("t1", 0))...) // the same inputs, another txid: a variant that nobody told us of
	if len(b.Alarms(chains.BTC)) > 0 || b.batch(plan).Mined == nil {
		t.Fatalf("not recognised: %v", b.Alarms(chains.BTC))
	}
	dead := func() bool { _, dead := b.Dead(b.batch(child)); return dead }
	b.blocks(1)
	if dead() {
		t.Error("dead although the winner is not final")
	}
	b.blocks(1)
	proof, ok := b.Dead(b.batch(child))
	if !ok || !strings.HasPrefix(proof, "v1:1 will not be made: other was mined instead in block ") || len(b.ToRelease(chains.BTC)) != 1 {
		t.Errorf("%v %q", ok, proof)
	}
	b.back()
	if dead() {
		t.Error("dead after the reorganisation")
	}
	b.blocks(1)
	proof, _ = b.Dead(b.batch(child))
	b.do(&Releasing{Batch: child.Batch, Proof: proof})
	if len(b.ToSubmitReleases(chains.BTC)) != 1 || len(b.ToRelease(chains.BTC)) != 0 {
		t.Error("the release is not to be submitted")
	}
	b.do(&Released{Batch: child.Batch, Reason: proof})
	if len(b.ToSubmitReleases(chains.BTC)) != 0 {
		t.Error("submitted for ever")
	}
	b.replays(t)
}

// What only the signer remembered counts in full against the fee account.
func TestUnsettledFeesOfUnknownPlans(t *testing.T) {
	b := newBook(t)
	b.credit("t1", "alice", 100_000)
	b.queue("w1", 40_000)
	p := planFor([]string{"w1"}, at("t1", 0))
	b.do(assignedAs(p)) // adopted: there is no plan
	b.do(variantOf(p, "v1", 300, 59_700))
	b.do(variantOf(p, "v2", 900, 59_100))
	if got := b.UnsettledFees(chains.BTC, ""); got != chains.NewAmount(900) {
		t.Errorf("unsettled fees %s", got)
	}
	if got := b.UnsettledFees(chains.BTC, p.Batch); !got.IsZero() {
		t.Errorf("but for that of the batch: %s", got)
	}
}
