package hotwallet

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/hotwallet/wallettest"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"

	"github.com/btcsuite/btcd/wire/v2"
)

// realm is the honest world around a signer: a sidechain that only its sequencer
// changes, by the rules of the contract pegs, and a chain whose nodes tell the
// truth. Everything between them, the whole gateway, is the attacker's.
type realm struct {
	*bench
	side   *wallettest.Sidechain
	now    uint64 // base block
	burns  map[string]*burn
	assign map[string]*Assign
	past   []moment
	mined  map[string][]string // txid -> outpoints that it spends
	loot   []loot
}

// burn is a withdrawal, and what its row says now.
type burn struct {
	Withdrawal
	payee Payee
}

// moment is a state that the sequencer signed, with proofs of all rows.
type moment struct {
	block  uint64
	header []byte
	rows   map[string]RowProof
	assign map[string]Assign
	burns  map[string]Withdrawal
}

// loot is a transaction that the signer let out.
type loot struct {
	batch string
	tx    *wire.MsgTx
}

// newRealm has four burns, the first three of them assigned, in two batches.
func newRealm(t testing.TB) *realm {
	w := &realm{bench: newBench(t), burns: map[string]*burn{}, assign: map[string]*Assign{}, mined: map[string][]string{}}
	w.side = newSidechain(t)
	w.reopen()
	rows, payees := w.withdrawals("w", 50_000, 60_000, 70_000, 80_000)
	for i, row := range rows {
		row.State = "requested"
		w.burns[row.ID] = &burn{row, payees[i]}
	}
	for _, account := range []string{"alice", "bob", "carol", "dave"} {
		w.fund(deposit(account, 0), 100_000_000)
	}
	w.tick()
	w.mustAssign("batch-1", []string{"w0", "w1"}, 0, 1)
	w.mustAssign("batch-2", []string{"w2"}, 2)
	w.tick()
	return w
}

// reopen starts the signer again, with the eyes of the realm.
func (w *realm) reopen() { w.open(func(c *SignerConfig) { c.Final = w.final }) }

func (w *realm) mustAssign(batch string, ids []string, coins ...int) {
	w.t.Helper()
	if !w.tryAssign(batch, ids, coins...) {
		w.t.Fatalf("%s is not assigned", batch)
	}
}

// tryAssign is the contract's assign of a payout.
func (w *realm) tryAssign(batch string, ids []string, coins ...int) bool {
	a := Assign{Batch: batch, Chain: w.coin.ID(), Kind: KindPayout, IDs: ids, State: AssignOpen}
	for _, i := range coins {
		spend := SpendText(w.coins[i].Outpoint)
		for _, other := range w.assign {
			if other.State != "released" && slices.Contains(other.Spends, spend) {
				return false
			}
		}
		a.Spends = append(a.Spends, spend)
	}
	for _, id := range ids {
		if w.burns[id].State != "requested" {
			return false
		}
	}
	if w.assign[batch] != nil || len(ids) == 0 || len(coins) == 0 {
		return false
	}
	for _, id := range ids {
		w.burns[id].State, w.burns[id].Batch = WithdrawalAssigned, batch
	}
	slices.Sort(a.Spends)
	w.assign[batch] = &a
	return true
}

// tick makes a base block: the state is committed to.
func (w *realm) tick() {
	w.t.Helper()
	w.now++
	m := moment{block: w.now, rows: map[string]RowProof{}, assign: map[string]Assign{}, burns: map[string]Withdrawal{}}
	for id, a := range w.assign {
		m.assign[id] = *a
		w.side.Insert(wallettest.Assigns, wallettest.Assign(id, string(a.Chain), string(a.Kind), a.IDs, a.Spends, a.State))
	}
	for id, b := range w.burns {
		m.burns[id] = b.Withdrawal
		w.side.Insert(wallettest.Withdrawals, wallettest.Withdrawal(id, b.Symbol, string(b.Chain), b.Address, b.Net, b.State, b.Batch))
	}
	for id := range w.assign {
		m.rows[id] = rowProof(w.t, w.side, wallettest.Assigns, id)
	}
	for id := range w.burns {
		m.rows[id] = rowProof(w.t, w.side, wallettest.Withdrawals, id)
	}
	m.header = w.header(w.now, w.side.Root())
	w.past = append(w.past, m)
}

// request is what an honest gateway asks for a batch, with the proof of a moment;
// nil when there was no such batch.
func (w *realm) request(batch string, m *moment) *SignRequest {
	w.t.Helper()
	a, ok := m.assign[batch]
	if !ok {
		return nil
	}
	a.IDs, a.Spends = slices.Clone(a.IDs), slices.Clone(a.Spends)
	r := &SignRequest{Assign: a, Proof: StateProof{Header: bytes.Clone(m.header), Assign: cloneProof(m.rows[batch])}}
	for _, id := range a.IDs {
		r.Withdrawals = append(r.Withdrawals, m.burns[id])
		r.Proof.Withdrawals = append(r.Proof.Withdrawals, cloneProof(m.rows[id]))
	}
	p := w.lay(batch, a.IDs, a.Spends)
	r.Unsigned = p.Unsigned
	for _, c := range p.Inputs {
		r.Inputs = append(r.Inputs, SignInput{Outpoint: c.Outpoint, Watch: c.Watch, Previous: w.raw[c.TxID]})
	}
	return r
}

func cloneProof(p RowProof) RowProof {
	p.Row, p.Path.Siblings = bytes.Clone(p.Row), slices.Clone(p.Path.Siblings)
	return p
}

// lay plans exactly these burns from exactly these coins.
func (w *realm) lay(batch string, ids, spends []string) *Plan {
	w.t.Helper()
	var payees []Payee
	for _, id := range ids {
		payees = append(payees, w.burns[id].payee)
	}
	p, err := w.layFor(batch, payees, spends)
	if err != nil {
		w.t.Fatal(err)
	}
	return p
}

func (w *realm) layFor(batch string, payees []Payee, spends []string) (*Plan, error) {
	w.t.Helper()
	change, err := w.wallet.ChangeScript(w.coin.ID(), 0)
	if err != nil {
		w.t.Fatal(err)
	}
	in := PlanInput{Chain: w.coin, Batch: batch, Payees: payees, FeeRate: 2_000, Caps: testCaps(), LockTime: 120, ChangeScript: change}
	for _, c := range w.coins {
		if slices.Contains(spends, SpendText(c.Outpoint)) {
			in.Coins = append(in.Coins, c)
		}
	}
	return PlanExactly(in)
}

func (w *realm) newest() *moment { return &w.past[len(w.past)-1] }

// try asks the signer, and keeps what it lets out.
func (w *realm) try(r *SignRequest) error {
	w.t.Helper()
	s, err := w.signer.Sign(context.Background(), *r)
	if err != nil {
		if s.Raw != nil {
			w.t.Errorf("a signature beside the error %v", err)
		}
		return err
	}
	tx := new(wire.MsgTx)
	if err := tx.Deserialize(bytes.NewReader(s.Raw)); err != nil {
		w.t.Fatal(err)
	}
	w.loot = append(w.loot, loot{r.Assign.Batch, tx})
	return nil
}

// act has the signer sign an attestor's operation and hands it to the contract.
func (w *realm) act(action, id, proof string) error {
	w.t.Helper()
	tx := operations(fmt.Sprintf(`{"contractName":"pegs","contractAction":%q,"contractPayload":{"id":%q,"proof":%q,"reason":%q}}`, action, id, proof, proof))
	tx.Expiration = graphene.FormatTime(wallettest.Genesis + 3*uint32(w.now) + 30)
	if _, err := w.signer.SignOperations(context.Background(), "gateway", tx); err != nil {
		return err
	}
	b := w.burns[id]
	switch {
	case b == nil:
	case action == actionRelease && b.State == WithdrawalAssigned:
		b.State = "released"
		a := w.assign[b.Batch]
		if !slices.ContainsFunc(a.IDs, func(id string) bool { return w.burns[id].State == WithdrawalAssigned }) {
			a.State = "released"
		}
	case action == actionGiveBack && (b.State == "requested" || b.State == "released"):
		b.State = "returned"
	}
	return nil
}

// mine puts a transaction into the chain, if nothing has taken its inputs.
func (w *realm) mine(tx *wire.MsgTx) bool {
	spends := spendsOf(tx)
	for _, taken := range w.mined {
		for _, spend := range spends {
			if slices.Contains(taken, spend) {
				return false
			}
		}
	}
	w.mined[tx.TxID()] = spends
	return true
}

func spendsOf(tx *wire.MsgTx) (list []string) {
	for _, in := range tx.TxIn {
		list = append(list, fmt.Sprintf("%s:%d", in.PreviousOutPoint.Hash, in.PreviousOutPoint.Index))
	}
	slices.Sort(list)
	return list
}

// final is what honest nodes say: everything that is mined is final.
func (w *realm) final(_ context.Context, _ chains.ID, block chains.BlockRef, txid string) (FinalTx, error) {
	spends, ok := w.mined[txid]
	if !ok || block.Height != 7 || block.Hash != strings.Repeat("b", 64) {
		return FinalTx{}, errors.New("not final")
	}
	return FinalTx{Spends: slices.Clone(spends)}, nil
}

// judge looks at everything that ever left the signer: every transaction spends
// what its batch was assigned, pays what its burns asked for and nobody else, and
// none can pay a burn that was given back.
func (w *realm) judge() {
	w.t.Helper()
	change, err := w.wallet.ChangeScript(w.coin.ID(), 0)
	if err != nil {
		w.t.Fatal(err)
	}
	for _, l := range w.loot {
		a := w.assign[l.batch]
		if a == nil || !slices.Equal(spendsOf(l.tx), a.Spends) {
			w.t.Fatalf("%s: inputs %v, assigned was %+v", l.batch, spendsOf(l.tx), a)
		}
		want := map[string]int{}
		for _, id := range a.IDs {
			p := w.burns[id].payee
			want[paymentText(p.Script, p.Amount)]++
		}
		var paid int64
		for _, out := range l.tx.TxOut {
			paid += out.Value
			text := paymentText(out.PkScript, chains.NewAmount(uint64(out.Value)))
			switch {
			case want[text] > 0:
				want[text]--
			case !bytes.Equal(out.PkScript, change):
				w.t.Fatalf("%s pays %d to %x", l.batch, out.Value, out.PkScript)
			}
		}
		if fee := int64(len(a.Spends))*100_000_000 - paid; fee <= 0 || fee > 50_000_000 {
			w.t.Fatalf("%s pays a fee of %d", l.batch, fee)
		}
		for text, missing := range want {
			if missing != 0 {
				w.t.Fatalf("%s does not pay %s", l.batch, text)
			}
		}
		for _, id := range a.IDs {
			if w.burns[id].State == "returned" && !w.dead(l.tx) {
				w.t.Fatalf("%s was given back, and %s may still pay it", id, l.tx.TxID())
			}
		}
	}
}

// dead says whether another transaction took an input.
func (w *realm) dead(tx *wire.MsgTx) bool {
	for txid, taken := range w.mined {
		if txid != tx.TxID() && slices.ContainsFunc(spendsOf(tx), func(s string) bool { return slices.Contains(taken, s) }) {
			return true
		}
	}
	return false
}

// backup copies signer.db, restore puts the copy in its place.
func (w *realm) backup(name string) {
	w.t.Helper()
	_ = w.signer.Close()
	copyFile(w.t, filepath.Join(w.dir, "signer.db"), filepath.Join(w.dir, name))
	w.signer = nil
	w.reopen()
}

func (w *realm) restore(name string) {
	w.t.Helper()
	_ = w.signer.Close()
	copyFile(w.t, filepath.Join(w.dir, name), filepath.Join(w.dir, "signer.db"))
	w.signer = nil
	w.reopen()
}

// rewrite changes a member of a row's text.
func rewrite(p *RowProof, name string, value any) {
	v, _ := jsvalue.Parse(string(p.Row))
	row, ok := v.(*jsvalue.Object)
	if !ok {
		return // it was bent before
	}
	row.Set(name, value)
	p.Row = jsvalue.AppendJSON(nil, row)
}
