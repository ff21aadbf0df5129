package hotwallet

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/chains/utxo"

	"github.com/btcsuite/btcd/btcec/v2/ecdsa"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// bench is a signer with a wallet, and the funding transactions it needs.
type bench struct {
	t      testing.TB
	dir    string
	coin   *utxo.Coin
	wallet *Wallet
	signer *LocalSigner
	raw    map[string][]byte // funding transactions by txid
	coins  []Coin
	block  uint64 // newest base block of the sidechain that proofs come from
}

func newBench(t testing.TB) *bench { return newBenchOf(t, testCoin(t)) }

func newBenchOf(t testing.TB, coin *utxo.Coin) *bench {
	b := &bench{t: t, dir: t.TempDir(), coin: coin, wallet: testWallet(t, coin.Network()), raw: map[string][]byte{}}
	b.open(nil)
	t.Cleanup(func() { _ = b.signer.Close() })
	return b
}

func (b *bench) config() SignerConfig {
	return SignerConfig{
		Journal: filepath.Join(b.dir, "signer.db"), Wallet: b.wallet, Coins: []*utxo.Coin{b.coin},
		Roles:       []RoleKey{testRole(b.t, RoleSequencer, "sequencer"), testRole(b.t, RoleAttestor, "gateway")},
		Caps:        map[chains.ID]SignerCaps{b.coin.ID(): {Caps: testCaps(), MaxTotal: chains.NewAmount(1_000_000_000)}},
		BaseChainID: [32]byte{1, 2, 3}, ContractID: "ssc-causeway-regtest",
		Sequencer: testRole(b.t, RoleSequencer, "sequencer").Public,
	}
}

// open opens the signer, closing the one that was open.
func (b *bench) open(change func(*SignerConfig)) {
	b.t.Helper()
	if b.signer != nil {
		_ = b.signer.Close()
	}
	cfg := b.config()
	if change != nil {
		change(&cfg)
	}
	var err error
	if b.signer, err = OpenSigner(cfg); err != nil {
		b.t.Fatal(err)
	}
}

// fund makes a confirmed transaction that pays that much to a script of ours,
// and another output to somebody.
func (b *bench) fund(watch chains.Watch, sat uint64) Coin {
	b.t.Helper()
	_, script, err := b.wallet.keyFor(b.coin.ID(), watch)
	if err != nil {
		b.t.Fatal(err)
	}
	tx := wire.NewMsgTx(2)
	var parent chainhash.Hash
	binary.BigEndian.PutUint32(parent[:], uint32(len(b.coins)+1))
	tx.AddTxIn(wire.NewTxIn(&wire.OutPoint{Hash: parent}, []byte{0x51}, nil))
	tx.AddTxOut(wire.NewTxOut(12_345, payeeScripts()["p2pkh"]))
	tx.AddTxOut(wire.NewTxOut(int64(sat), script))
	var raw bytes.Buffer
	if err := tx.Serialize(&raw); err != nil {
		b.t.Fatal(err)
	}
	b.raw[tx.TxID()] = raw.Bytes()
	c := Coin{
		Outpoint: chains.Outpoint{TxID: tx.TxID(), Index: 1}, Amount: chains.NewAmount(sat),
		Script: script, Depth: 20, Watch: watch, Own: watch.Kind == chains.WatchChange,
	}
	b.coins = append(b.coins, c)
	return c
}

func deposit(account string, epoch uint32) chains.Watch {
	return chains.Watch{Kind: chains.WatchDeposit, Account: account, Epoch: epoch}
}

// payees of all standard forms, with those amounts.
func (b *bench) withdrawals(prefix string, amounts ...uint64) (rows []Withdrawal, payees []Payee) {
	b.t.Helper()
	scripts := payeeScripts()
	names := []string{"p2wpkh", "p2pkh", "p2sh", "p2wsh", "p2tr"}
	if b.coin.ID() != chains.BTC {
		names = names[1:3]
	}
	for i, sat := range amounts {
		script := scripts[names[i%len(names)]]
		text, err := b.coin.Address(script)
		if err != nil {
			b.t.Fatal(err)
		}
		id := fmt.Sprintf("%s%d", prefix, i)
		rows = append(rows, Withdrawal{
			ID: id, Symbol: "SWAP." + strings.ToUpper(string(b.coin.ID())), Chain: b.coin.ID(), Address: text, Net: chains.NewAmount(sat).Coin(8), State: WithdrawalAssigned,
		})
		payees = append(payees, Payee{ID: id, Script: script, Amount: chains.NewAmount(sat)})
	}
	return rows, payees
}

func (b *bench) plan(batch string, payees []Payee, coins ...Coin) *Plan {
	b.t.Helper()
	change, err := b.wallet.ChangeScript(b.coin.ID(), 0)
	if err != nil {
		b.t.Fatal(err)
	}
	p, err := NewPlan(PlanInput{
		Chain: b.coin, Batch: batch, Coins: coins, Payees: payees, FeeRate: 2_000, Caps: testCaps(),
		Eligible: Eligible{ForeignDepth: 8}, LockTime: 120, ChangeScript: change,
	})
	if err != nil {
		b.t.Fatal(err)
	}
	return p
}

// request is the sign request of a plan, as the gateway would make it.
func (b *bench) request(p *Plan, rows []Withdrawal) SignRequest {
	r := SignRequest{
		Assign:   Assign{Batch: p.Batch, Chain: p.Chain, Kind: KindPayout, Spends: p.Spends(), State: AssignOpen},
		Unsigned: p.Unsigned,
	}
	for _, w := range rows {
		w.Batch = p.Batch
		r.Assign.IDs = append(r.Assign.IDs, w.ID)
		r.Withdrawals = append(r.Withdrawals, w)
	}
	for _, c := range p.Inputs {
		r.Inputs = append(r.Inputs, SignInput{Outpoint: c.Outpoint, Watch: c.Watch, Previous: b.raw[c.TxID]})
	}
	return r
}

// payout is a plan and request for a new batch over fresh coins.
func (b *bench) payout(batch string, amounts ...uint64) (*Plan, SignRequest) {
	b.t.Helper()
	rows, payees := b.withdrawals(batch+"-w", amounts...)
	var total uint64
	for _, a := range amounts {
		total += a
	}
	// Three coins, none of which is enough alone.
	a := b.fund(deposit("alice", 0), total/3)
	c := b.fund(deposit("bob", 1), total/3)
	d := b.fund(chains.Watch{Kind: chains.WatchChange}, total/3+10_000)
	p := b.plan(batch, payees, a, c, d)
	return p, b.request(p, rows)
}

func (b *bench) sign(r SignRequest) Signed {
	b.t.Helper()
	b.prove(&r)
	s, err := b.signer.Sign(context.Background(), r)
	if err != nil {
		b.t.Fatal(err)
	}
	return s
}

func (b *bench) refuses(what string, r SignRequest, rule ErrorKind) {
	b.t.Helper()
	b.prove(&r)
	before, err := b.signer.Counter()
	if err != nil {
		b.t.Fatal(err)
	}
	s, err := b.signer.Sign(context.Background(), r)
	if !errors.Is(err, ErrRefused) || !errors.Is(err, rule) || s.Raw != nil {
		b.t.Errorf("%s: got %v, want %v", what, err, rule)
	}
	if after, _ := b.signer.Counter(); after != before {
		b.t.Errorf("%s: the journal changed", what)
	}
}

// verifySigned checks a signed transaction with btcd alone: every input against
// the script engine, low S, outputs and fee as planned.
func verifySigned(t testing.TB, p *Plan, s Signed) {
	t.Helper()
	tx := new(wire.MsgTx)
	if err := tx.Deserialize(bytes.NewReader(s.Raw)); err != nil {
		t.Fatal(err)
	}
	outs := txscript.NewMultiPrevOutFetcher(nil)
	var in, out int64
	for i, c := range p.Inputs {
		v, _ := c.Amount.Uint64()
		in += int64(v)
		outs.AddPrevOut(tx.TxIn[i].PreviousOutPoint, wire.NewTxOut(int64(v), c.Script))
	}
	hashes := txscript.NewTxSigHashes(tx, outs)
	for i, c := range p.Inputs {
		v, _ := c.Amount.Uint64()
		engine, err := txscript.NewEngine(c.Script, tx, i, txscript.StandardVerifyFlags, nil, hashes, int64(v), outs)
		if err != nil {
			t.Fatal(err)
		}
		if err := engine.Execute(); err != nil {
			t.Errorf("input %d: %v", i, err)
		}
		if w := tx.TxIn[i].Witness; len(w) == 2 {
			checkLowS(t, w[0])
		}
	}
	for i, o := range tx.TxOut {
		out += o.Value
		if chains.NewAmount(uint64(o.Value)) != p.Outputs[i].Amount || !bytes.Equal(o.PkScript, p.Outputs[i].Script) {
			t.Errorf("output %d differs from the plan", i)
		}
	}
	size := uint64(tx.SerializeSizeStripped()*3+tx.SerializeSize()+3) / 4
	if chains.NewAmount(uint64(in-out)) != p.Fee || s.Fee != p.Fee || size > p.VSize || size+uint64(len(tx.TxIn)) < p.VSize {
		t.Errorf("fee %d (plan %s), %d vbytes (plan %d)", in-out, p.Fee, size, p.VSize)
	}
	if tx.TxID() != s.TxID || tx.LockTime != p.LockTime {
		t.Errorf("txid %s, says %s", tx.TxID(), s.TxID)
	}
}

func checkLowS(t testing.TB, sig []byte) {
	t.Helper()
	if sig[len(sig)-1] != byte(txscript.SigHashAll) {
		t.Errorf("hash type %#x", sig[len(sig)-1])
	}
	parsed, err := ecdsa.ParseDERSignature(sig[:len(sig)-1])
	if err != nil {
		t.Fatal(err)
	}
	if s := parsed.S(); s.IsOverHalfOrder() {
		t.Error("S is high")
	}
}

func copyFile(t testing.TB, from, to string) {
	t.Helper()
	raw, err := os.ReadFile(from)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(to, raw, 0o600); err != nil {
		t.Fatal(err)
	}
}

// BenchmarkBatchOf100 plans, and bumps, a payout of 100 P2WPKH payees.
func BenchmarkBatchOf100(b *testing.B) {
	in := hundred(b, 100)
	plan, err := NewPlan(in)
	if err != nil {
		b.Fatal(err)
	}
	b.Run("plan", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := NewPlan(in); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric(float64(plan.VSize)/100, "vB/payee")
	})
	b.Run("bump", func(b *testing.B) {
		b.ReportAllocs()
		for b.Loop() {
			if _, err := Bump(BumpInput{Chain: in.Chain, Previous: plan, FeeRate: 20_000, Caps: Caps{MaxFee: chains.NewAmount(1_000_000), MaxRate: 50_000}}); err != nil {
				b.Fatal(err)
			}
		}
	})
}
