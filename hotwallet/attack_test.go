package hotwallet

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/hotwallet/wallettest"
	"causeway/sidechain/graphene"
	"causeway/sidechain/state"

	"github.com/btcsuite/btcd/wire/v2"
)

// redraw changes the transaction of a request.
func redraw(t testing.TB, r *SignRequest, f func(tx *wire.MsgTx)) {
	t.Helper()
	tx := new(wire.MsgTx)
	if err := tx.DeserializeNoWitness(bytes.NewReader(r.Unsigned)); err != nil {
		t.Fatal(err)
	}
	f(tx)
	var out bytes.Buffer
	if err := tx.SerializeNoWitness(&out); err != nil {
		t.Fatal(err)
	}
	r.Unsigned = out.Bytes()
}

// forge puts rows into a state of the attacker's own and proves them there.
func (w *realm) forge(r *SignRequest) *wallettest.Sidechain {
	side := newSidechain(w.t)
	putRows(side, r)
	header := r.Proof.Header
	r.Proof = proofOf(w.t, side, r)
	r.Proof.Header = header
	return side
}

// TestAttacks: a gateway that is wholly in an attacker's hands, but not the
// sequencer, makes the signer sign nothing but what the burns ask for. Each row
// bends the honest request for batch-1, which pays w0 and w1.
func TestAttacks(t *testing.T) {
	mallory := testRole(t, RoleSequencer, "mallory")
	for _, c := range []struct {
		name string
		rule ErrorKind
		bend func(w *realm, r *SignRequest)
	}{
		{"no proof", ErrUnproven, func(w *realm, r *SignRequest) { r.Proof = StateProof{} }},
		{"another address, row forged", ErrUnproven, func(w *realm, r *SignRequest) {
			r.Withdrawals[0].Address = w.burns["w3"].Address
			rewrite(&r.Proof.Withdrawals[0], "address", w.burns["w3"].Address)
		}},
		{"another amount, row forged", ErrUnproven, func(w *realm, r *SignRequest) {
			r.Withdrawals[0].Net = "1"
			rewrite(&r.Proof.Withdrawals[0], "net", "1")
		}},
		{"another amount, row true", ErrUnproven, func(w *realm, r *SignRequest) { r.Withdrawals[0].Net = "1" }},
		{"member twice", ErrUnproven, func(w *realm, r *SignRequest) {
			r.Withdrawals[0].Net = "1"
			r.Proof.Withdrawals[0].Row = bytes.Replace(r.Proof.Withdrawals[0].Row, []byte(`"net"`), []byte(`"net":"1","net"`), 1)
		}},
		{"member more", ErrUnproven, func(w *realm, r *SignRequest) { rewrite(&r.Proof.Assign, "more", "x") }},
		{"other spends, row forged", ErrUnproven, func(w *realm, r *SignRequest) {
			r.Assign.Spends[0] = SpendText(w.coins[3].Outpoint)
			rewrite(&r.Proof.Assign, "spends", r.Assign.Spends)
		}},
		{"other spends, row true", ErrUnproven, func(w *realm, r *SignRequest) { r.Assign.Spends[0] = SpendText(w.coins[3].Outpoint) }},
		{"forged path", ErrUnproven, func(w *realm, r *SignRequest) { r.Proof.Assign.Path.Siblings[0][7] ^= 1 }},
		{"forged root beside", ErrUnproven, func(w *realm, r *SignRequest) { r.Proof.Assign.Path.Beside[0] ^= 1 }},
		{"truncated path", ErrUnproven, func(w *realm, r *SignRequest) {
			r.Proof.Withdrawals[0].Path.Siblings = r.Proof.Withdrawals[0].Path.Siblings[1:]
		}},
		{"path too long", ErrUnproven, func(w *realm, r *SignRequest) { r.Proof.Assign.Path.Siblings = make([]state.Hash, 257) }},
		{"proof of absence", ErrUnproven, func(w *realm, r *SignRequest) {
			r.Assign.Batch = "batch-9"
			r.Proof.Assign = rowProof(w.t, w.side, wallettest.Assigns, "batch-9")
		}},
		{"absence, with a row", ErrUnproven, func(w *realm, r *SignRequest) { r.Proof.Assign.Path.Other = &state.Leaf{} }},
		{"row of another contract", ErrUnproven, func(w *realm, r *SignRequest) {
			r.Assign.Spends = []string{SpendText(w.coins[3].Outpoint)}
			w.side.Insert(wallettest.EveAssigns, wallettest.Assign("batch-1", "btc", "payout", r.Assign.IDs, r.Assign.Spends, "open"))
			w.tick()
			r.Proof.Header = w.newest().header
			r.Proof.Assign = rowProof(w.t, w.side, wallettest.EveAssigns, "batch-1")
		}},
		{"withdrawal of another contract", ErrUnproven, func(w *realm, r *SignRequest) {
			w.side.Insert(wallettest.EveWithdrawals, wallettest.Withdrawal("w0", "SWAP.BTC", "btc", w.burns["w3"].Address, "1", "assigned", "batch-1"))
			w.tick()
			*r = *w.request("batch-1", w.newest())
			r.Withdrawals[0].Address, r.Withdrawals[0].Net = w.burns["w3"].Address, "1"
			r.Proof.Withdrawals[0] = rowProof(w.t, w.side, wallettest.EveWithdrawals, "w0")
		}},
		{"the other section", ErrUnproven, func(w *realm, r *SignRequest) { r.Proof.Assign.Path.Section = "base" }},
		{"a state of his own", ErrUnproven, func(w *realm, r *SignRequest) { w.forge(r) }},
		{"header of his own key", ErrUnproven, func(w *realm, r *SignRequest) {
			side := w.forge(r)
			r.Proof.Header = wallettest.Header(w.now, side.Root(), mallory.private, w.config().BaseChainID)
		}},
		{"header of another network", ErrUnproven, func(w *realm, r *SignRequest) {
			side := w.forge(r)
			r.Proof.Header = wallettest.Header(w.now, side.Root(), testRole(w.t, RoleSequencer, "sequencer").private, [32]byte{9})
		}},
		{"header with his root", ErrUnproven, func(w *realm, r *SignRequest) {
			root := w.forge(r).Root()
			copy(r.Proof.Header[len(r.Proof.Header)-65-32:], root[:])
		}},
		{"signature changed", ErrUnproven, func(w *realm, r *SignRequest) { r.Proof.Header[len(r.Proof.Header)-1] ^= 1 }},
		{"header with more", ErrUnproven, func(w *realm, r *SignRequest) { r.Proof.Header = append(r.Proof.Header, 0) }},
		{"header cut", ErrUnproven, func(w *realm, r *SignRequest) { r.Proof.Header = r.Proof.Header[:90] }},
		{"header that commits to nothing", ErrUnproven, func(w *realm, r *SignRequest) {
			r.Proof.Header = wallettest.Sign(&graphene.Header{Previous: graphene.BlockID{3: 9}, Timestamp: "2030-01-01T00:00:00", Witness: "sequencer"},
				testRole(w.t, RoleSequencer, "sequencer").private, w.config().BaseChainID)
		}},
		{"header of another state", ErrUnproven, func(w *realm, r *SignRequest) { r.Proof.Header = w.past[0].header }},
		{"wrong batch", ErrNotAssigned, func(w *realm, r *SignRequest) {
			other := w.request("batch-2", w.newest())
			r.Assign, r.Proof.Assign = other.Assign, other.Proof.Assign
		}},
		{"withdrawal of another batch", ErrNotAssigned, func(w *realm, r *SignRequest) {
			other := w.request("batch-2", w.newest())
			r.Withdrawals[0], r.Proof.Withdrawals[0] = other.Withdrawals[0], other.Proof.Withdrawals[0]
		}},
		{"withdrawal that is not assigned", ErrNotAssigned, func(w *realm, r *SignRequest) {
			r.Withdrawals[0], r.Proof.Withdrawals[0] = w.burns["w3"].Withdrawal, w.newest().rows["w3"]
		}},
		{"one withdrawal less", ErrNotAssigned, func(w *realm, r *SignRequest) {
			r.Withdrawals, r.Proof.Withdrawals = r.Withdrawals[1:], r.Proof.Withdrawals[1:]
		}},
		{"one withdrawal twice", ErrNotAssigned, func(w *realm, r *SignRequest) {
			r.Withdrawals[1], r.Proof.Withdrawals[1] = r.Withdrawals[0], r.Proof.Withdrawals[0]
		}},
		{"proofs swapped", ErrUnproven, func(w *realm, r *SignRequest) { slices.Reverse(r.Proof.Withdrawals) }},
		{"one proof less", ErrUnproven, func(w *realm, r *SignRequest) { r.Proof.Withdrawals = r.Proof.Withdrawals[1:] }},
		{"another chain", ErrUnproven, func(w *realm, r *SignRequest) { r.Assign.Chain = chains.LTC }},
		{"another kind", ErrUnproven, func(w *realm, r *SignRequest) { r.Assign.Kind = KindConsolidate }},
		{"other inputs", ErrWrongInputs, func(w *realm, r *SignRequest) {
			r.Unsigned = w.lay("batch-1", []string{"w0", "w1"}, []string{SpendText(w.coins[3].Outpoint)}).Unsigned
		}},
		{"one input more", ErrWrongInputs, func(w *realm, r *SignRequest) {
			r.Unsigned = w.lay("batch-1", []string{"w0", "w1"}, append(r.Assign.Spends, SpendText(w.coins[3].Outpoint))).Unsigned
		}},
		{"payee to a stranger", ErrWrongOutputs, func(w *realm, r *SignRequest) {
			r.Unsigned = w.lay("batch-1", []string{"w0", "w3"}, r.Assign.Spends).Unsigned
		}},
		{"a payee more", ErrWrongOutputs, func(w *realm, r *SignRequest) {
			r.Unsigned = w.lay("batch-1", []string{"w0", "w1", "w3"}, r.Assign.Spends).Unsigned
		}},
		{"a payee less", ErrWrongOutputs, func(w *realm, r *SignRequest) {
			r.Unsigned = w.lay("batch-1", []string{"w0"}, r.Assign.Spends).Unsigned
		}},
		{"change to a stranger", ErrWrongOutputs, func(w *realm, r *SignRequest) {
			redraw(w.t, r, func(tx *wire.MsgTx) {
				i := slices.IndexFunc(tx.TxOut, func(o *wire.TxOut) bool { return o.Value > 1_000_000 })
				tx.TxOut[i].PkScript = w.burns["w3"].payee.Script
			})
		}},
		{"inflated fee", ErrOverCap, func(w *realm, r *SignRequest) {
			redraw(w.t, r, func(tx *wire.MsgTx) {
				i := slices.IndexFunc(tx.TxOut, func(o *wire.TxOut) bool { return o.Value > 1_000_000 })
				tx.TxOut[i].Value -= 60_000_000
			})
		}},
		{"previous transaction with a false amount", ErrMalformed, func(w *realm, r *SignRequest) {
			r.Inputs[0].Previous = bytes.Replace(r.Inputs[0].Previous, []byte{0x00, 0xe1, 0xf5, 0x05}, []byte{0x00, 0xe1, 0xf5, 0x00}, 1)
		}},
		{"previous transaction of another input", ErrMalformed, func(w *realm, r *SignRequest) { r.Inputs[0].Previous = r.Inputs[1].Previous }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := newRealm(t)
			r := w.request("batch-1", w.newest())
			before := *w.request("batch-1", w.newest())
			c.bend(w, r)
			if err := w.try(r); !errors.Is(err, c.rule) || !errors.Is(err, ErrRefused) {
				t.Errorf("got %v, want %v", err, c.rule)
			}
			w.judge()
			if err := w.try(&before); err != nil {
				t.Errorf("the honest request after it: %v", err)
			}
			w.judge()
		})
	}
}

// TestAttackWithThePast: states that were true once, a signer that was started
// again, and one whose journal came from a backup.
func TestAttackWithThePast(t *testing.T) {
	w := newRealm(t)
	w.backup("before")
	honest := w.request("batch-1", w.newest())
	if err := w.try(honest); err != nil {
		t.Fatal(err)
	}
	w.reopen()
	for range 2 { // the same again, after a restart and by a signer that forgot it
		if err := w.try(honest); err != nil || w.loot[len(w.loot)-1].tx.TxID() != w.loot[0].tx.TxID() {
			t.Errorf("replay: %v", err)
		}
		other := w.request("batch-1", w.newest())
		other.Unsigned = w.lay("batch-1", []string{"w0", "w1"}, []string{SpendText(w.coins[3].Outpoint)}).Unsigned
		if err := w.try(other); !errors.Is(err, ErrWrongInputs) {
			t.Errorf("other inputs: %v", err)
		}
		// A sequencer that has gone mad pays a burn from a second batch.
		mad := w.request("batch-1", w.newest())
		mad.Assign.Batch, mad.Assign.Spends = "batch-9", []string{SpendText(w.coins[3].Outpoint)}
		for i := range mad.Withdrawals {
			mad.Withdrawals[i].Batch = "batch-9"
		}
		side := w.forge(mad)
		mad.Proof.Header = w.header(w.now, side.Root())
		mad.Unsigned = w.lay("batch-9", mad.Assign.IDs, mad.Assign.Spends).Unsigned
		mad.Inputs = []SignInput{{Outpoint: w.coins[3].Outpoint, Watch: w.coins[3].Watch, Previous: w.raw[w.coins[3].TxID]}}
		if err := w.try(mad); !errors.Is(err, ErrPromised) {
			t.Errorf("a second batch for an id: %v", err)
		}
		for _, id := range []string{"w0", "w1", "batch-1"} {
			if err := w.act(actionRelease, id, deathOf("", strings.Repeat("1", 64))); !errors.Is(err, ErrNotDead) {
				t.Errorf("release %s: %v", id, err)
			}
		}
		w.judge()
		w.restore("before")
		if err := w.act(actionRelease, "w0", deathOf("", strings.Repeat("1", 64))); !errors.Is(err, ErrNotDead) {
			t.Errorf("release with a journal from a backup: %v", err)
		}
		if err := w.act(actionGiveBack, "w0", "x"); err != nil { // the contract returns nothing that is assigned
			t.Errorf("give back with a journal from a backup: %v", err)
		}
		w.now += 100
		w.tick() // the operation has expired
		honest.Proof = w.request("batch-1", w.newest()).Proof
		w.judge()
		if err := w.try(honest); err != nil {
			t.Errorf("paid after all: %v", err)
		}
	}

	// What was seen to be over stays over; what is too old is not looked at.
	open := w.request("batch-2", w.newest())
	w.assign["batch-2"].State, w.burns["w2"].State = "closed", "settled"
	w.tick()
	if err := w.try(w.request("batch-2", w.newest())); !errors.Is(err, ErrNotAssigned) {
		t.Errorf("closed: %v", err)
	}
	w.reopen()
	if err := w.try(open); !errors.Is(err, ErrNotAssigned) {
		t.Errorf("an older state of what was seen closed: %v", err)
	}
	fresh := newRealm(t)
	old := fresh.request("batch-2", fresh.newest())
	fresh.now += maxProofAge + 1
	fresh.tick()
	if err := fresh.try(fresh.request("batch-1", fresh.newest())); err != nil {
		t.Fatal(err)
	}
	if err := fresh.try(old); !errors.Is(err, ErrStale) || errors.Is(err, ErrRefused) {
		t.Errorf("too old: %v", err)
	}
	if err := fresh.try(fresh.request("batch-2", fresh.newest())); err != nil {
		t.Errorf("the same, proven anew: %v", err)
	}
	fresh.judge()
}
