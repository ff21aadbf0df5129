package hotwallet

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"path/filepath"
	"slices"
	"testing"

	"causeway/chains"
	"causeway/chains/address"
	"causeway/chains/utxo"

	"github.com/btcsuite/btcd/wire/v2"
	"github.com/google/go-cmp/cmp"
)

// TestSignAllForms pays every standard output form from deposit keys of two
// accounts and epochs and from change, and verifies with the script engine.
func TestSignAllForms(t *testing.T) {
	b := newBench(t)
	p, r := b.payout("batch-1", 50_000, 60_000, 70_000, 80_000, 90_000)
	if len(p.Inputs) != 3 || len(p.Outputs) != 6 {
		t.Fatalf("plan of %d inputs, %d outputs", len(p.Inputs), len(p.Outputs))
	}
	s := b.sign(r)
	verifySigned(t, p, s)
	if s.Variant != 1 || s.Counter != 1 {
		t.Errorf("variant %d, counter %d", s.Variant, s.Counter)
	}
	// The same for ever: again, after a restart, and by a signer that knows
	// nothing.
	if diff := cmp.Diff(s, b.sign(r)); diff != "" {
		t.Error(diff)
	}
	b.open(nil)
	if diff := cmp.Diff(s, b.sign(r)); diff != "" {
		t.Error(diff)
	}
	b.open(func(c *SignerConfig) { c.Journal = filepath.Join(b.dir, "other.db") })
	if diff := cmp.Diff(s, b.sign(r)); diff != "" {
		t.Error(diff)
	}
}

// TestSignP2PKH signs for a coin whose own scripts are P2PKH without segwit.
func TestSignP2PKH(t *testing.T) {
	coin, err := utxo.New(utxo.Params{
		ID: chains.DOGE, Network: chains.Regtest, Genesis: fakeTxID(1), MaxTarget: [32]byte{0x7f}, MaxMoney: 1 << 60,
		MaxBlockBytes: 1_000_000, DustRate: 3000, Facts: chains.Facts{Decimals: 8, Maturity: 60},
		Script: func(text string) ([]byte, error) {
			a, err := address.Decode("doge", "regtest", text)
			return a.Script, err
		},
		Address: func(script []byte) (string, error) { return address.Encode("doge", "regtest", script) },
	})
	if err != nil {
		t.Fatal(err)
	}
	b := newBenchOf(t, coin)
	p, r := b.payout("batch-1", 50_000, 60_000)
	verifySigned(t, p, b.sign(r))
}

func TestSignRefuses(t *testing.T) {
	type mutation func(b *bench, p *Plan, r *SignRequest)
	redo := func(f func(p *Plan)) mutation {
		return func(b *bench, p *Plan, r *SignRequest) {
			f(p)
			draft, err := p.draft(b.coin)
			if err != nil {
				b.t.Fatal(err)
			}
			r.Unsigned = draft.Unsigned()
		}
	}
	raw := func(f func(tx *wire.MsgTx)) mutation {
		return func(b *bench, _ *Plan, r *SignRequest) {
			tx := new(wire.MsgTx)
			if err := tx.DeserializeNoWitness(bytes.NewReader(r.Unsigned)); err != nil {
				b.t.Fatal(err)
			}
			f(tx)
			var out bytes.Buffer
			if err := tx.SerializeNoWitness(&out); err != nil {
				b.t.Fatal(err)
			}
			r.Unsigned = out.Bytes()
		}
	}
	b := newBench(t)
	request := func(f func(r *SignRequest)) mutation {
		return func(_ *bench, _ *Plan, r *SignRequest) { f(r) }
	}
	for i, test := range []struct {
		name   string
		rule   ErrorKind
		mutate mutation
	}{
		{"garbage", ErrMalformed, request(func(r *SignRequest) { r.Unsigned = []byte("nonsense") })},
		{"nothing", ErrMalformed, request(func(r *SignRequest) { r.Unsigned = nil })},
		{"chain", ErrMalformed, request(func(r *SignRequest) { r.Assign.Chain = chains.LTC })},
		{"version", ErrMalformed, raw(func(tx *wire.MsgTx) { tx.Version = 1 })},
		{"lock time", ErrMalformed, raw(func(tx *wire.MsgTx) { tx.LockTime = 1_700_000_000 })},
		{"sequence", ErrMalformed, raw(func(tx *wire.MsgTx) { tx.TxIn[0].Sequence = 0xffffffff })},
		{"script in an input", ErrMalformed, raw(func(tx *wire.MsgTx) { tx.TxIn[0].SignatureScript = []byte{0x51} })},
		{"order", ErrMalformed, raw(func(tx *wire.MsgTx) { slices.Reverse(tx.TxOut) })},
		{"trailing byte", ErrMalformed, request(func(r *SignRequest) { r.Unsigned = append(bytes.Clone(r.Unsigned), 0) })},
		{"no batch", ErrNotAssigned, request(func(r *SignRequest) { r.Assign.Batch = "" })},
		{"closed", ErrNotAssigned, request(func(r *SignRequest) { r.Assign.State = "closed" })},
		{"kind", ErrNotAssigned, request(func(r *SignRequest) { r.Assign.Kind = KindSweep })},
		{"payout as consolidation", ErrNotAssigned, request(func(r *SignRequest) { r.Assign.Kind = KindConsolidate })},
		{"withdrawal missing", ErrNotAssigned, request(func(r *SignRequest) { r.Withdrawals = r.Withdrawals[1:] })},
		{"withdrawal too many", ErrNotAssigned, request(func(r *SignRequest) { r.Assign.IDs = r.Assign.IDs[1:] })},
		{"withdrawal twice", ErrNotAssigned, request(func(r *SignRequest) {
			r.Withdrawals, r.Assign.IDs = append(r.Withdrawals, r.Withdrawals[0]), append(r.Assign.IDs, r.Assign.IDs[0])
		})},
		{"not assigned", ErrNotAssigned, request(func(r *SignRequest) { r.Withdrawals[0].State = "requested" })},
		{"settled", ErrNotAssigned, request(func(r *SignRequest) { r.Withdrawals[0].State = "settled" })},
		{"other batch", ErrNotAssigned, request(func(r *SignRequest) { r.Withdrawals[0].Batch = "batch-2" })},
		{"other chain", ErrNotAssigned, request(func(r *SignRequest) { r.Withdrawals[0].Chain = chains.LTC })},
		{"address", ErrWrongOutputs, request(func(r *SignRequest) { r.Withdrawals[0].Address = "bcrt1qqqqq" })},
		{"to another address", ErrWrongOutputs, request(func(r *SignRequest) { r.Withdrawals[0].Address = r.Withdrawals[1].Address })},
		{"net", ErrWrongOutputs, request(func(r *SignRequest) { r.Withdrawals[0].Net = "0.00050001" })},
		{"net of nine decimals", ErrWrongOutputs, request(func(r *SignRequest) { r.Withdrawals[0].Net = "0.000500001" })},
		{"net negative", ErrWrongOutputs, request(func(r *SignRequest) { r.Withdrawals[0].Net = "-0.0005" })},
		{"net zero", ErrWrongOutputs, request(func(r *SignRequest) { r.Withdrawals[0].Net = "0" })},
		{"payee shaved", ErrWrongOutputs, redo(func(p *Plan) { takeFrom(p, false, 1) })},
		{"payee dropped", ErrWrongOutputs, redo(func(p *Plan) { p.Outputs = p.Outputs[:len(p.Outputs)-1] })},
		{"payee twice", ErrWrongOutputs, redo(func(p *Plan) {
			takeFrom(p, true, 1_000)
			extra := p.Outputs[len(p.Outputs)-1]
			extra.Amount = chains.NewAmount(1_000)
			p.Outputs = append(p.Outputs, extra)
		})},
		{"change to a stranger", ErrWrongOutputs, redo(func(p *Plan) { setChange(p, payeeScripts()["p2tr"]) })},
		{"two changes", ErrWrongOutputs, redo(func(p *Plan) {
			takeFrom(p, true, 1_000)
			p.Outputs = append(p.Outputs, PlannedOutput{Change: true, Payee: Payee{Script: p.ChangeScript, Amount: chains.NewAmount(600)}})
		})},
		{"change epoch", ErrWrongOutputs, request(func(r *SignRequest) { r.ChangeEpoch = 1 })},
		{"fewer inputs", ErrWrongInputs, raw(func(tx *wire.MsgTx) { tx.TxIn = tx.TxIn[1:] })},
		{"more inputs", ErrWrongInputs, raw(func(tx *wire.MsgTx) { tx.TxIn = append(tx.TxIn, tx.TxIn[0]) })},
		{"other spends", ErrWrongInputs, request(func(r *SignRequest) { r.Assign.Spends[0] = SpendText(chains.Outpoint{TxID: fakeTxID(9)}) })},
		{"more spends", ErrWrongInputs, request(func(r *SignRequest) {
			r.Assign.Spends = append(r.Assign.Spends, SpendText(chains.Outpoint{TxID: fakeTxID(9)}))
		})},
		{"no spends", ErrWrongInputs, request(func(r *SignRequest) { r.Assign.Spends = nil })},
		{"no previous", ErrMalformed, request(func(r *SignRequest) { r.Inputs = r.Inputs[1:] })},
		{"previous of another", ErrMalformed, request(func(r *SignRequest) { r.Inputs[0].Previous = r.Inputs[1].Previous })},
		{"previous altered", ErrMalformed, request(func(r *SignRequest) {
			r.Inputs[0].Previous = bytes.Replace(r.Inputs[0].Previous, []byte{0x39, 0x30}, []byte{0x38, 0x30}, 1)
		})},
		{"previous cut", ErrMalformed, request(func(r *SignRequest) { r.Inputs[0].Previous = r.Inputs[0].Previous[:40] })},
		{"wrong account", ErrNotOurs, request(func(r *SignRequest) { r.Inputs[0].Watch = deposit("carol", 0) })},
		{"wrong epoch", ErrNotOurs, request(func(r *SignRequest) { r.Inputs[0].Watch.Epoch = 7 })},
		{"cold", ErrNotOurs, request(func(r *SignRequest) { r.Inputs[0].Watch.Kind = chains.WatchCold })},
		{"rollback", ErrRollback, request(func(r *SignRequest) { r.Counter = 1 })},
	} {
		t.Run(test.name, func(t *testing.T) {
			b.t = t
			p, r := b.payout(fmt.Sprintf("batch-%d", i), 50_000, 60_000, 70_000)
			test.mutate(b, p, &r)
			b.refuses(test.name, r, test.rule)
		})
	}
}

// takeFrom moves satoshis from an output of the plan to the fee.
func takeFrom(p *Plan, change bool, sat uint64) {
	for i := range p.Outputs {
		if p.Outputs[i].Change == change {
			v, _ := p.Outputs[i].Amount.Uint64()
			p.Outputs[i].Amount = chains.NewAmount(v - sat)
			return
		}
	}
}

func setChange(p *Plan, script []byte) {
	for i := range p.Outputs {
		if p.Outputs[i].Change {
			p.Outputs[i].Script = script
		}
	}
}

// TestSignForeignInput: a coin that is not of our keys is not signed, even if
// the rows and the previous transaction say it is fine.
func TestSignForeignInput(t *testing.T) {
	b := newBench(t)
	p, r := b.payout("batch-1", 50_000)
	c := p.Inputs[0]
	foreign := chains.Outpoint{TxID: c.TxID, Index: 0} // pays somebody
	tx := new(wire.MsgTx)
	if err := tx.DeserializeNoWitness(bytes.NewReader(r.Unsigned)); err != nil {
		t.Fatal(err)
	}
	tx.TxIn[0].PreviousOutPoint.Index = 0
	var out bytes.Buffer
	if err := tx.SerializeNoWitness(&out); err != nil {
		t.Fatal(err)
	}
	r.Unsigned, r.Inputs[0].Outpoint = out.Bytes(), foreign
	i := slices.Index(r.Assign.Spends, SpendText(c.Outpoint))
	r.Assign.Spends[i] = SpendText(foreign)
	b.refuses("foreign", r, ErrNotOurs)
}

func TestSignCaps(t *testing.T) {
	b := newBench(t)
	p, r := b.payout("batch-1", 50_000, 60_000)
	fee, _ := p.Fee.Uint64()
	for name, caps := range map[string]SignerCaps{
		"none":  {},
		"fee":   {Caps: Caps{MaxFee: chains.NewAmount(fee - 1), MaxRate: 2_000}, MaxTotal: chains.NewAmount(110_000)},
		"rate":  {Caps: Caps{MaxFee: chains.NewAmount(fee), MaxRate: 1_990}, MaxTotal: chains.NewAmount(110_000)},
		"size":  {Caps: Caps{MaxFee: chains.NewAmount(fee), MaxRate: 2_000, MaxVSize: p.VSize - 1}, MaxTotal: chains.NewAmount(110_000)},
		"total": {Caps: Caps{MaxFee: chains.NewAmount(fee), MaxRate: 2_000}, MaxTotal: chains.NewAmount(109_999)},
	} {
		b.open(func(c *SignerConfig) { c.Caps = map[chains.ID]SignerCaps{chains.BTC: caps} })
		b.refuses(name, r, ErrOverCap)
	}
	b.open(func(c *SignerConfig) { c.Caps = nil })
	b.refuses("no caps at all", r, ErrOverCap)
	b.open(func(c *SignerConfig) {
		c.Caps = map[chains.ID]SignerCaps{chains.BTC: {
			Caps: Caps{MaxFee: chains.NewAmount(fee), MaxRate: 2_000, MaxVSize: p.VSize}, MaxTotal: chains.NewAmount(110_000),
		}}
	})
	b.sign(r)
}

// TestSignWithoutChange: dust that went to the fee does not offend the cap on
// the rate, more than that does.
func TestSignWithoutChange(t *testing.T) {
	b := newBench(t)
	rows, payees := b.withdrawals("w", 50_000)
	tight := func(c *SignerConfig) {
		c.Caps = map[chains.ID]SignerCaps{chains.BTC: {
			Caps: Caps{MaxFee: chains.NewAmount(100_000), MaxRate: 2_000}, MaxTotal: chains.NewAmount(50_000),
		}}
	}
	b.open(tight)
	p := b.plan("batch-1", payees, b.fund(deposit("alice", 0), 50_000+220+62+293))
	if _, _, ok := p.Change(); ok {
		t.Fatal("plan has change")
	}
	verifySigned(t, p, b.sign(b.request(p, rows)))

	rows, payees = b.withdrawals("x", 50_000)
	p = b.plan("batch-2", payees, b.fund(deposit("alice", 0), 60_000))
	p.Outputs = slices.DeleteFunc(p.Outputs, func(o PlannedOutput) bool { return o.Change })
	draft, err := p.draft(b.coin)
	if err != nil {
		t.Fatal(err)
	}
	p.Unsigned = draft.Unsigned()
	b.refuses("change given to the miner", b.request(p, rows), ErrOverCap)
}

// TestSignToOurselves: a withdrawal to our own change script is not paid; one
// to a deposit address is an ordinary payout.
func TestSignToOurselves(t *testing.T) {
	b := newBench(t)
	change, err := b.wallet.ChangeAddress(chains.BTC, 0)
	if err != nil {
		t.Fatal(err)
	}
	branch, err := b.wallet.Branch(chains.BTC, 0)
	if err != nil {
		t.Fatal(err)
	}
	alice, err := branch.Address("alice")
	if err != nil {
		t.Fatal(err)
	}
	for text, ok := range map[string]bool{change: false, alice: true} {
		rows, payees := b.withdrawals("w"+text, 50_000)
		rows[0].Address = text
		if payees[0].Script, err = b.coin.Script(text); err != nil {
			t.Fatal(err)
		}
		p := b.plan("batch-"+text, payees, b.fund(deposit("bob", 0), 100_000))
		if ok {
			verifySigned(t, p, b.sign(b.request(p, rows)))
		} else {
			b.refuses(text, b.request(p, rows), ErrWrongOutputs)
		}
	}
}

// TestSignConsolidation: kinds without payees pay our own script and nothing
// else.
func TestSignConsolidation(t *testing.T) {
	b := newBench(t)
	p, _ := b.payout("batch-1", 50_000)
	_, change, _ := p.Change()
	total, err := chains.Sum(change, chains.NewAmount(50_000))
	if err != nil {
		t.Fatal(err)
	}
	own := PlannedOutput{Change: true, Payee: Payee{Script: p.ChangeScript, Amount: total}}
	for name, test := range map[string]struct {
		outputs []PlannedOutput
		rule    ErrorKind
	}{
		"stranger": {[]PlannedOutput{{Payee: Payee{Script: payeeScripts()["p2tr"], Amount: total}}}, ErrWrongOutputs},
		"ours":     {[]PlannedOutput{own}, ""},
	} {
		p.Outputs = test.outputs
		draft, err := p.draft(b.coin)
		if err != nil {
			t.Fatal(err)
		}
		p.Unsigned = draft.Unsigned()
		r := b.request(p, nil)
		r.Assign.Kind = KindConsolidate
		if test.rule != "" {
			b.refuses(name, r, test.rule)
			continue
		}
		if s := b.sign(r); hex.EncodeToString(s.Raw) == "" {
			t.Error("nothing signed")
		}
	}
}
