package hotwallet

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"causeway/hotwallet/wallettest"

	"github.com/btcsuite/btcd/wire/v2"
	"pgregory.net/rapid"
)

// attacker is a gateway in the wrong hands: it bends requests and mixes what it
// has seen, at random.
type attacker struct {
	*realm
	rt       *rapid.T
	accepted int
	refused  int
	released int
}

func (a *attacker) draw(what string, n int) int { return rapid.IntRange(0, n-1).Draw(a.rt, what) }

func pick[T any](a *attacker, what string, list []T) T { return list[a.draw(what, len(list))] }

func (a *attacker) batches() (list []string) {
	for id := range a.assign {
		list = append(list, id)
	}
	slices.Sort(list)
	return list
}

// assigns has the attestor's key sign an assign of anything, which the contract
// takes or not.
func (a *attacker) assigns() {
	var ids []string
	var coins []int
	for _, id := range []string{"w0", "w1", "w2", "w3"} {
		if a.draw("pay "+id, 2) == 1 {
			ids = append(ids, id)
		}
	}
	for i := range a.coins {
		if a.draw("coin", 2) == 1 {
			coins = append(coins, i)
		}
	}
	a.tryAssign(fmt.Sprintf("batch-%d", 3+len(a.assign)), ids, coins...)
}

// asks makes an honest request of some moment, bends it, and asks.
func (a *attacker) asks() {
	m := &a.past[a.draw("moment", len(a.past))]
	r := a.request(pick(a, "batch", a.batches()), m)
	if r == nil {
		return
	}
	for range a.draw("bends", 4) {
		a.bend(r)
	}
	if a.try(r) == nil {
		a.accepted++
	} else {
		a.refused++
	}
}

// bend changes one thing of a request.
func (a *attacker) bend(r *SignRequest) {
	moment := &a.past[a.draw("other moment", len(a.past))]
	other := a.request(pick(a, "other batch", a.batches()), moment)
	ids := []string{"w0", "w1", "w2", "w3"}
	w := &r.Withdrawals[a.draw("withdrawal", len(r.Withdrawals))]
	switch a.draw("bend", 22) {
	case 0:
		w.Address = a.burns[pick(a, "address of", ids)].Address
	case 1:
		w.Net = pick(a, "net", []string{"0.0005", "0.0006", "1", "0"})
	case 2:
		r.Proof.Header = moment.header
	case 3:
		if other != nil {
			r.Assign, r.Proof.Assign = other.Assign, other.Proof.Assign
		}
	case 4:
		if other != nil {
			r.Withdrawals, r.Proof.Withdrawals = other.Withdrawals, other.Proof.Withdrawals
		}
	case 5:
		if other != nil {
			r.Proof = other.Proof
		}
	case 6:
		if other != nil {
			r.Unsigned, r.Inputs = other.Unsigned, other.Inputs
		}
	case 7:
		r.Proof.Header = flipBit(a, r.Proof.Header)
	case 8:
		r.Proof.Assign.Row = flipBit(a, r.Proof.Assign.Row)
	case 9:
		p := &r.Proof.Withdrawals[a.draw("proof", len(r.Proof.Withdrawals))]
		p.Row = flipBit(a, p.Row)
	case 10:
		r.Unsigned = flipBit(a, r.Unsigned)
	case 11:
		in := &r.Inputs[a.draw("input", len(r.Inputs))]
		in.Previous = flipBit(a, in.Previous)
	case 12:
		r.Unsigned = a.lay(r.Assign.Batch, []string{pick(a, "payee", ids)}, r.Assign.Spends).Unsigned
	case 13:
		r.Assign.Spends = []string{SpendText(pick(a, "coin", a.coins).Outpoint)}
		r.Unsigned = a.lay(r.Assign.Batch, r.Assign.IDs, r.Assign.Spends).Unsigned
	case 14:
		redraw(a.t, r, func(tx *wire.MsgTx) { a.bendTx(tx) })
	case 15:
		side := a.forge(r)
		if a.draw("sign it", 2) == 1 {
			r.Proof.Header = wallettest.Header(a.now, side.Root(), testRole(a.t, RoleSequencer, "mallory").private, a.config().BaseChainID)
		}
	case 16:
		r.ChangeEpoch = uint32(a.draw("epoch", 3))
	case 17:
		w.ID = pick(a, "id", ids)
	case 18:
		r.Assign.State, w.State = AssignOpen, WithdrawalAssigned
	case 19: // a dearer variant
		r.Unsigned = a.variant(r)
	default:
		a.heist(r)
	}
}

// heist makes everything fit together but the root or the signature under it: a
// burn is paid to another address, or from other coins.
func (a *attacker) heist(r *SignRequest) {
	victim := a.draw("victim", len(r.Withdrawals))
	w, loot := &r.Withdrawals[victim], a.burns[pick(a, "to", []string{"w0", "w1", "w2", "w3"})]
	w.Address = loot.Address
	rewrite(&r.Proof.Withdrawals[victim%len(r.Proof.Withdrawals)], "address", loot.Address)
	if a.draw("coins too", 2) == 1 {
		coin := pick(a, "from", a.coins)
		r.Assign.Spends = []string{SpendText(coin.Outpoint)}
		rewrite(&r.Proof.Assign, "spends", r.Assign.Spends)
		r.Inputs = []SignInput{{Outpoint: coin.Outpoint, Watch: coin.Watch, Previous: a.raw[coin.TxID]}}
	}
	var payees []Payee
	for i := range r.Withdrawals {
		b := a.burns[r.Withdrawals[i].ID]
		p := b.payee
		if i == victim {
			p.Script = loot.payee.Script
		}
		payees = append(payees, p)
	}
	p, err := a.layFor(r.Assign.Batch, payees, r.Assign.Spends)
	if err != nil { // a withdrawal twice, by an earlier bend
		return
	}
	r.Unsigned = p.Unsigned
	if a.draw("his own sidechain", 2) == 1 {
		side := a.forge(r)
		r.Proof.Header = wallettest.Header(a.now, side.Root(), testRole(a.t, RoleSequencer, "mallory").private, a.config().BaseChainID)
	}
}

// variant is the same transaction with less change.
func (a *attacker) variant(r *SignRequest) []byte {
	q := *r
	redraw(a.t, &q, func(tx *wire.MsgTx) {
		for _, out := range tx.TxOut {
			if out.Value > 1_000_000 {
				out.Value -= int64(1000 * (1 + a.draw("fee", 20)))
				break
			}
		}
	})
	return q.Unsigned
}

func (a *attacker) bendTx(tx *wire.MsgTx) {
	out := tx.TxOut[a.draw("output", len(tx.TxOut))]
	switch a.draw("bend of the transaction", 4) {
	case 0:
		out.PkScript = a.burns[pick(a, "script of", []string{"w0", "w1", "w2", "w3"})].payee.Script
	case 1:
		out.Value += int64(a.draw("value", 2001)) - 1000
	case 2:
		tx.TxOut = append(tx.TxOut, out)
	case 3:
		tx.TxIn = tx.TxIn[:1]
	}
}

func flipBit(a *attacker, raw []byte) []byte {
	out := bytes.Clone(raw)
	if len(out) > 0 {
		out[a.draw("byte", len(out))] ^= 1 << a.draw("bit", 8)
	}
	return out
}

// givesUp has the attestor's key sign a release or a return.
func (a *attacker) givesUp() {
	id := pick(a, "give up", append([]string{"w0", "w1", "w2", "w3", "batch-1"}, a.batches()...))
	proof := "it is dead"
	if txids := a.minedIDs(); len(txids) > 0 {
		proof = deathOf("", pick(a, "taken by", txids))
	}
	action := pick(a, "action", []string{actionRelease, actionGiveBack, actionGiveBack})
	if a.act(action, id, proof) == nil {
		a.released++
	}
}

func (a *attacker) minedIDs() (list []string) {
	for txid := range a.mined {
		list = append(list, txid)
	}
	slices.Sort(list)
	return list
}

// mines lets the chain take something that was signed, or lets somebody who has
// the keys elsewhere take a coin.
func (a *attacker) mines() {
	if len(a.loot) > 0 && a.draw("whose", 3) > 0 {
		a.mine(pick(a, "loot", a.loot).tx)
		return
	}
	spend := SpendText(pick(a, "coin", a.coins).Outpoint)
	for _, taken := range a.mined {
		if slices.Contains(taken, spend) {
			return
		}
	}
	a.mined[strings.Repeat(fmt.Sprintf("%02x", len(a.mined)+16), 32)] = []string{spend}
}

// TestRandomAttacker: whatever an attacker asks for, in whatever order, what the
// signer lets out pays every burn at most once, to its address, in its amount, and
// not at all once its tokens went back.
func TestRandomAttacker(t *testing.T) {
	var accepted, refused, released, steps int
	rapid.Check(t, func(rt *rapid.T) {
		a := &attacker{realm: newRealm(t), rt: rt}
		defer func() { _ = a.signer.Close() }()
		a.backup("backup.db")
		for range rapid.IntRange(5, 25).Draw(rt, "steps") {
			steps++
			switch a.draw("step", 12) {
			case 0:
				a.assigns()
			case 1:
				a.givesUp()
			case 2:
				a.mines()
			case 3:
				a.now += uint64(a.draw("blocks", 60))
				a.tick()
			case 4:
				a.reopen()
			case 5:
				a.restore("backup.db")
			case 6:
				a.shows()
			default:
				a.asks()
			}
			a.judge()
		}
		accepted, refused, released = accepted+a.accepted, refused+a.refused, released+a.released
	})
	t.Logf("%d steps: %d requests granted, %d refused, %d operations of giving up signed", steps, accepted, refused, released)
	if accepted == 0 || refused == 0 || released == 0 {
		t.Error("the attacker never got anything, or everything")
	}
}

// shows has the signer observe some rows, bent or not.
func (a *attacker) shows() {
	r := a.request(pick(a, "batch", a.batches()), a.newest())
	if r == nil {
		return
	}
	if a.draw("bent", 2) == 1 {
		a.bend(r)
	}
	text, err := json.Marshal(r) // as it passes a socket
	if err != nil {
		a.t.Fatal(err)
	}
	var q SignRequest
	if err := json.Unmarshal(text, &q); err != nil {
		a.t.Fatal(err)
	}
	_ = a.signer.Observe(a.t.Context(), q)
}
