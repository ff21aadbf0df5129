package remote

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"testing"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/chains/utxo"
	"causeway/hotwallet"
	"causeway/hotwallet/wallettest"
	"causeway/sidechain/graphene"

	"github.com/btcsuite/btcd/wire/v2"
)

const mnemonic = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"

var baseChainID = [32]byte{7, 7, 7}

// rig is a signer behind a socket, and a client of it.
type rig struct {
	t      testing.TB
	dir    string
	coin   *utxo.Coin
	wallet *hotwallet.Wallet
	local  *hotwallet.LocalSigner
	client *Client
	stop   func() error
}

func key(t testing.TB, name string) graphene.PrivateKey {
	t.Helper()
	k, err := graphene.LoginKey(name, "active", "test")
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func role(t testing.TB, r hotwallet.Role, name string) hotwallet.RoleKey {
	t.Helper()
	k, err := hotwallet.NewRoleKey(r, name, hotwallet.NewSecret(key(t, name).WIF()))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func newRig(t testing.TB, dir string) *rig {
	t.Helper()
	r := &rig{t: t, dir: dir}
	var err error
	if r.coin, err = bitcoin.New(chains.Regtest); err != nil {
		t.Fatal(err)
	}
	if r.wallet, err = hotwallet.NewWallet(hotwallet.NewSecret(mnemonic), chains.Regtest); err != nil {
		t.Fatal(err)
	}
	r.start()
	t.Cleanup(func() { _ = r.stop() })
	if r.client, err = Connect(context.Background(), r.socket(), baseChainID, slog.New(slog.DiscardHandler)); err != nil {
		t.Fatal(err)
	}
	return r
}

func (r *rig) socket() string { return filepath.Join(r.dir, "signer.sock") }

// server opens the signer.
func (r *rig) server() *Server {
	r.t.Helper()
	local, err := hotwallet.OpenSigner(hotwallet.SignerConfig{
		Journal: filepath.Join(r.dir, "signer.db"), Wallet: r.wallet, Coins: []*utxo.Coin{r.coin},
		Roles: []hotwallet.RoleKey{role(r.t, hotwallet.RoleSequencer, "sequencer"), role(r.t, hotwallet.RoleAttestor, "gateway")},
		Caps: map[chains.ID]hotwallet.SignerCaps{chains.BTC: {
			Caps: hotwallet.Caps{MaxFee: chains.NewAmount(100_000), MaxRate: 100_000}, MaxTotal: chains.NewAmount(1_000_000_000),
		}},
		BaseChainID: baseChainID, ContractID: "ssc-test", Sequencer: key(r.t, "sequencer").Public(),
	})
	if err != nil {
		r.t.Fatal(err)
	}
	r.local = local
	return &Server{Signer: local, Wallet: r.wallet, BaseChainID: baseChainID, Attestor: "gateway", Log: slog.New(slog.DiscardHandler)}
}

// start serves the socket.
func (r *rig) start() {
	r.t.Helper()
	server := r.server()
	l, err := Listen(r.socket())
	if err != nil {
		r.t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- server.Serve(ctx, l) }()
	r.stop = func() error {
		cancel()
		err := <-done
		done <- nil
		return errors.Join(err, server.Signer.Close())
	}
}

// request is a payout of one withdrawal to a fresh deposit of 100,000 satoshis.
func (r *rig) request(batch string, block uint64) hotwallet.SignRequest {
	r.t.Helper()
	branch, err := r.wallet.Branch(chains.BTC, 0)
	must(r.t, err)
	script, err := branch.Script("alice")
	must(r.t, err)
	payee, err := branch.Script("bob")
	must(r.t, err)
	address, err := branch.Address("bob")
	must(r.t, err)
	change, err := r.wallet.ChangeScript(chains.BTC, 0)
	must(r.t, err)
	fund := wire.NewMsgTx(2)
	fund.AddTxIn(wire.NewTxIn(&wire.OutPoint{Index: uint32(block)}, []byte{0x51}, nil))
	fund.AddTxOut(wire.NewTxOut(100_000, script))
	var previous bytes.Buffer
	must(r.t, fund.Serialize(&previous))
	watch := chains.Watch{Kind: chains.WatchDeposit, Account: "alice"}
	plan, err := hotwallet.NewPlan(hotwallet.PlanInput{
		Chain: r.coin, Batch: batch, FeeRate: 2_000, Caps: hotwallet.Caps{MaxFee: chains.NewAmount(100_000), MaxRate: 100_000},
		Payees:       []hotwallet.Payee{{ID: batch + "-w", Script: payee, Amount: chains.NewAmount(50_000)}},
		Coins:        []hotwallet.Coin{{Outpoint: chains.Outpoint{TxID: fund.TxID()}, Amount: chains.NewAmount(100_000), Script: script, Depth: 9, Watch: watch}},
		ChangeScript: change, Eligible: hotwallet.Eligible{ForeignDepth: 8},
	})
	must(r.t, err)
	q := hotwallet.SignRequest{
		Assign: hotwallet.Assign{
			Batch: batch, Chain: chains.BTC, Kind: hotwallet.KindPayout, IDs: []string{batch + "-w"}, Spends: plan.Spends(), State: hotwallet.AssignOpen,
		},
		Withdrawals: []hotwallet.Withdrawal{{
			ID: batch + "-w", Symbol: "SWAP.BTC", Chain: chains.BTC, Address: address, Net: "0.0005", State: hotwallet.WithdrawalAssigned, Batch: batch,
		}},
		Unsigned: plan.Unsigned,
		Inputs:   []hotwallet.SignInput{{Outpoint: plan.Inputs[0].Outpoint, Watch: watch, Previous: previous.Bytes()}},
	}
	r.prove(&q, block)
	return q
}

func (r *rig) prove(q *hotwallet.SignRequest, block uint64) {
	r.t.Helper()
	side, err := wallettest.New()
	must(r.t, err)
	a, w := &q.Assign, &q.Withdrawals[0]
	side.Insert(wallettest.Assigns, wallettest.Assign(a.Batch, string(a.Chain), string(a.Kind), a.IDs, a.Spends, a.State))
	side.Insert(wallettest.Withdrawals, wallettest.Withdrawal(w.ID, w.Symbol, string(w.Chain), w.Address, w.Net, w.State, w.Batch))
	q.Proof.Withdrawals = make([]hotwallet.RowProof, 1)
	q.Proof.Assign.Row, q.Proof.Assign.Path, err = side.Prove(wallettest.Assigns, a.Batch)
	must(r.t, err)
	q.Proof.Withdrawals[0].Row, q.Proof.Withdrawals[0].Path, err = side.Prove(wallettest.Withdrawals, w.ID)
	must(r.t, err)
	q.Proof.Header = wallettest.Header(block, side.Root(), key(r.t, "sequencer"), baseChainID)
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func mode(t testing.TB, path string) os.FileMode {
	t.Helper()
	info, err := os.Lstat(path)
	must(t, err)
	return info.Mode()
}
