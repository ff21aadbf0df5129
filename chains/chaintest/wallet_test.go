package chaintest_test

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/chains/chaintest"
	"causeway/chains/utxo"
	"causeway/hotwallet"
	"causeway/hotwallet/wallettest"
	"causeway/sidechain/graphene"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/wire/v2"
)

const (
	testMnemonic = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"
	depositor    = "alice"
	// rateCap and totalCap are the signer's, in relay fees.
	rateCap  = 50
	totalCap = 1_000_000
)

// payouts is the project's own way to pay: hotwallet's planner, and its signer with
// the rows of a made-up sidechain and their proofs.
type payouts struct {
	coin      *utxo.Coin
	wallet    *hotwallet.Wallet
	signer    *hotwallet.LocalSigner
	side      *wallettest.Sidechain
	sequencer graphene.PrivateKey
	caps      hotwallet.Caps
	change    []byte
	made      int
	counter   uint64
}

// newWallet makes the Wallet of a coin.
func newWallet(t *testing.T, coin *utxo.Coin) *chaintest.Wallet {
	t.Helper()
	must := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	p := &payouts{coin: coin}
	relay := coin.Facts().RelayFee
	p.caps = hotwallet.Caps{MaxRate: rateCap * relay, MaxFee: chains.NewAmount(uint64(rateCap * relay))}
	var err error
	p.wallet, err = hotwallet.NewWallet(hotwallet.NewSecret(testMnemonic), chains.Regtest)
	must(err)
	p.change, err = p.wallet.ChangeScript(coin.ID(), 0)
	must(err)
	p.side, err = wallettest.New()
	must(err)
	p.sequencer, err = graphene.LoginKey("sequencer", "active", "causeway")
	must(err)
	p.signer, err = hotwallet.OpenSigner(hotwallet.SignerConfig{
		Journal: filepath.Join(t.TempDir(), "signer.db"), Wallet: p.wallet, Coins: []*utxo.Coin{coin}, ContractID: "ssc-chaintest",
		Sequencer: p.sequencer.Public(),
		Caps:      map[chains.ID]hotwallet.SignerCaps{coin.ID(): {Caps: p.caps, MaxTotal: chains.NewAmount(uint64(totalCap * relay))}},
	})
	must(err)
	t.Cleanup(func() { p.signer.Close() })
	branch, err := p.wallet.Branch(coin.ID(), 0)
	must(err)
	script, err := branch.Script(depositor)
	must(err)
	address, err := coin.Address(script)
	must(err)
	return &chaintest.Wallet{Account: depositor, Address: address, Change: p.change, MaxRate: p.caps.MaxRate, Pay: func(funds []chaintest.Fund, payees []chaintest.Output, rate chains.FeeRate, height uint64) (*chaintest.Payout, error) {
		return p.pay(t, funds, payees, rate, height)
	}}
}

// pay plans and signs one payout.
func (p *payouts) pay(t *testing.T, funds []chaintest.Fund, payees []chaintest.Output, rate chains.FeeRate, height uint64) (*chaintest.Payout, error) {
	p.made++
	in := hotwallet.PlanInput{
		Chain: p.coin, Batch: fmt.Sprintf("batch%d", p.made), FeeRate: rate, Caps: p.caps, Eligible: hotwallet.Eligible{ForeignDepth: 1},
		LockTime: uint32(height), ChangeScript: p.change,
	}
	before := map[string][]byte{}
	for _, f := range funds {
		in.Coins = append(in.Coins, hotwallet.Coin{Outpoint: f.Outpoint, Amount: f.Amount, Script: f.Script, Watch: f.Watch, Depth: f.Depth})
		before[f.TxID] = f.Raw
	}
	var rows []hotwallet.Withdrawal
	for i, o := range payees {
		script, err := p.coin.Script(o.Address)
		if err != nil {
			return nil, err
		}
		id := fmt.Sprintf("w%d-%d", p.made, i)
		amount := chains.NewAmount(uint64(o.Units))
		in.Payees = append(in.Payees, hotwallet.Payee{ID: id, Script: script, Amount: amount})
		rows = append(rows, hotwallet.Withdrawal{
			ID: id, Symbol: "SWAP." + strings.ToUpper(string(p.coin.ID())), Chain: p.coin.ID(), Address: o.Address, Net: amount.Coin(8), State: hotwallet.WithdrawalAssigned, Batch: in.Batch,
		})
	}
	plan, err := hotwallet.NewPlan(in)
	if err != nil {
		return nil, err
	}
	request := hotwallet.SignRequest{Unsigned: plan.Unsigned, Withdrawals: rows, Counter: p.counter, Assign: hotwallet.Assign{
		Batch: plan.Batch, Chain: plan.Chain, Kind: hotwallet.KindPayout, Spends: plan.Spends(), State: hotwallet.AssignOpen,
	}}
	for _, w := range rows {
		request.Assign.IDs = append(request.Assign.IDs, w.ID)
	}
	for _, c := range plan.Inputs {
		request.Inputs = append(request.Inputs, hotwallet.SignInput{Outpoint: c.Outpoint, Watch: c.Watch, Previous: before[c.TxID]})
	}
	if err := p.prove(&request); err != nil {
		return nil, err
	}
	signed, err := p.signer.Sign(t.Context(), request)
	if err != nil {
		return nil, err
	}
	p.counter = signed.Counter
	if signed.Fee != plan.Fee {
		return nil, errors.New("the signer's fee is not the plan's")
	}
	var msg wire.MsgTx // btcd measures
	if err := msg.Deserialize(bytes.NewReader(signed.Raw)); err != nil {
		return nil, err
	}
	size := mempool.GetTxVirtualSize(btcutil.NewTx(&msg))
	return &chaintest.Payout{TxID: signed.TxID, Raw: signed.Raw, Fee: signed.Fee, Size: uint64(size), Planned: plan.VSize}, nil
}

// prove writes the rows of a request into a state that a header commits to.
func (p *payouts) prove(r *hotwallet.SignRequest) (err error) {
	a := &r.Assign
	p.side.Insert(wallettest.Assigns, wallettest.Assign(a.Batch, string(a.Chain), string(a.Kind), a.IDs, a.Spends, a.State))
	for _, w := range r.Withdrawals {
		p.side.Insert(wallettest.Withdrawals, wallettest.Withdrawal(w.ID, w.Symbol, string(w.Chain), w.Address, w.Net, w.State, w.Batch))
	}
	if r.Proof.Assign.Row, r.Proof.Assign.Path, err = p.side.Prove(wallettest.Assigns, a.Batch); err != nil {
		return err
	}
	for _, w := range r.Withdrawals {
		var row hotwallet.RowProof
		if row.Row, row.Path, err = p.side.Prove(wallettest.Withdrawals, w.ID); err != nil {
			return err
		}
		r.Proof.Withdrawals = append(r.Proof.Withdrawals, row)
	}
	r.Proof.Header = wallettest.Header(uint64(p.made), p.side.Root(), p.sequencer, [32]byte{})
	return nil
}
