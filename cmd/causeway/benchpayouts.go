package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"causeway/chains"
	"causeway/chains/utxo"
	"causeway/hotwallet"
	"causeway/hotwallet/wallettest"
	"causeway/sidechain/graphene"
)

const (
	payoutPayees = 100 // withdrawals in a transaction at most, as the gateway pays
	payoutCoins  = 400 // outputs that a plan chooses from
	payoutDepth  = 20  // confirmations of the coins
	payoutTip    = 1000

	// Of a coin whose nodes relay 1 satoshi a byte; others in proportion.
	depositUnits = 1_000_000
	payoutUnits  = 100_000
	usualRelay   = chains.FeeRate(1000)
)

// payouts is the gateway's payout path without its ledger and the sidechain,
// which have figures of their own: choose coins and lay out the transaction,
// store the plan and read it back, hand it to the signer with the rows of the
// sidechain; the signer checks all of it, derives the keys, signs, runs the
// script engine and makes the result durable in its journal.
type payouts struct {
	side      *wallettest.Sidechain // of the rows that are paid
	sequencer graphene.PrivateKey   // of side
	o         benchOptions
	synthetic synthetic
	coin      *utxo.Coin
	relay     chains.FeeRate
	wallet    *hotwallet.Wallet
	signer    *hotwallet.LocalSigner
	change    []byte
	caps      hotwallet.Caps
	coins     []hotwallet.Coin // unspent
	before    map[string][]byte
	scripts   map[string][]byte // of the depositors
	funded    uint64
	batches   int
	counter   uint64
}

// openPayouts is payouts in batches. An operation is a payout; --accounts is
// how many depositors the coins come from.
func openPayouts(ctx context.Context, o benchOptions) (*workload, error) {
	p := &payouts{o: o, before: make(map[string][]byte), scripts: make(map[string][]byte)}
	if err := p.open(); err != nil {
		return nil, err
	}
	n := min(o.PerBlock, payoutPayees)
	return &workload{
		next: func() (int, func() error, error) {
			rows, payees, err := p.batch(n)
			return n, func() error { return p.pay(ctx, rows, payees) }, err
		},
		close: p.signer.Close,
	}, nil
}

func (p *payouts) open() (err error) {
	if p.synthetic, err = newSynthetic(p.o.Chain); err != nil {
		return err
	}
	p.coin, p.relay = p.synthetic.coin, p.synthetic.coin.Facts().RelayFee
	p.caps = hotwallet.Caps{MaxFee: chains.NewAmount(p.units(1_000_000)), MaxRate: 50 * p.relay}
	phrase, err := hotwallet.NewMnemonic()
	if err != nil {
		return err
	}
	if p.wallet, err = hotwallet.NewWallet(phrase, chains.Regtest); err != nil {
		return err
	}
	if p.change, err = p.wallet.ChangeScript(p.coin.ID(), 0); err != nil {
		return err
	}
	if p.side, err = wallettest.New(); err != nil {
		return err
	}
	if p.sequencer, err = graphene.LoginKey("sequencer", "active", devPassword); err != nil {
		return err
	}
	p.signer, err = hotwallet.OpenSigner(hotwallet.SignerConfig{
		Journal: home{p.o.dir}.path(signerFile), Wallet: p.wallet, Coins: []*utxo.Coin{p.coin}, ContractID: "ssc-" + benchChainID,
		Sequencer: p.sequencer.Public(),
		Caps:      map[chains.ID]hotwallet.SignerCaps{p.coin.ID(): {Caps: p.caps, MaxTotal: chains.NewAmount(p.units(payoutPayees * payoutUnits))}},
	})
	return err
}

// units scales an amount to the coin.
func (p *payouts) units(n uint64) uint64 { return n * uint64(p.relay/usualRelay) }

// batch makes the rows of the next withdrawals, and coins in place of those
// that were spent.
func (p *payouts) batch(n int) (rows []hotwallet.Withdrawal, payees []hotwallet.Payee, err error) {
	for len(p.coins) < payoutCoins {
		if err := p.fund(); err != nil {
			return nil, nil, err
		}
	}
	p.batches++
	for i := range n {
		script := p.synthetic.script(uint64(p.batches*payoutPayees + i))
		address, err := p.coin.Address(script)
		if err != nil {
			return nil, nil, err
		}
		amount := chains.NewAmount(p.units(payoutUnits) - uint64(i))
		id := fmt.Sprintf("w%d-%d", p.batches, i)
		payees = append(payees, hotwallet.Payee{ID: id, Script: script, Amount: amount})
		rows = append(rows, hotwallet.Withdrawal{
			ID: id, Symbol: "SWAP." + upper(string(p.coin.ID())), Chain: p.coin.ID(), Address: address, Net: amount.Coin(p.coin.Facts().Decimals), State: hotwallet.WithdrawalAssigned,
		})
	}
	return rows, payees, nil
}

// fund makes a transaction that pays a deposit.
func (p *payouts) fund() error {
	account := benchAccount(int(p.funded) % p.o.Accounts)
	script := p.scripts[account]
	if script == nil {
		branch, err := p.wallet.Branch(p.coin.ID(), 0)
		if err != nil {
			return err
		}
		if script, err = branch.Script(account); err != nil {
			return err
		}
		p.scripts[account] = script
	}
	p.funded++
	raw := append([]byte{2, 0, 0, 0, 1}, make([]byte, 24)...)
	raw = binary.BigEndian.AppendUint64(raw, p.funded) // of the spent transaction's id
	raw = append(raw, 0, 0, 0, 0, 0, 0xff, 0xff, 0xff, 0xff, 1)
	raw = binary.LittleEndian.AppendUint64(raw, p.units(depositUnits))
	raw = slices.Concat(raw, []byte{byte(len(script))}, script, make([]byte, 4))
	txid, _, _, err := p.coin.DecodeTransaction(raw)
	if err != nil {
		return err
	}
	p.before[txid] = raw
	p.coins = append(p.coins, hotwallet.Coin{
		Outpoint: chains.Outpoint{TxID: txid}, Amount: chains.NewAmount(p.units(depositUnits)), Script: script, Depth: payoutDepth,
		Watch: chains.Watch{Kind: chains.WatchDeposit, Account: account},
	})
	return nil
}

// pay plans and signs one batch.
func (p *payouts) pay(ctx context.Context, rows []hotwallet.Withdrawal, payees []hotwallet.Payee) error {
	made, err := hotwallet.NewPlan(hotwallet.PlanInput{
		Chain: p.coin, Batch: fmt.Sprintf("batch%d", p.batches), Coins: p.coins, Payees: payees, FeeRate: 2 * p.relay, Caps: p.caps,
		Eligible: hotwallet.Eligible{ForeignDepth: payoutDepth, OwnUnconfirmed: true}, LockTime: payoutTip, ChangeScript: p.change,
	})
	if err != nil {
		return err
	}
	text, err := json.Marshal(made) // as the ledger keeps it
	if err != nil {
		return err
	}
	var plan hotwallet.Plan
	if err := json.Unmarshal(text, &plan); err != nil {
		return err
	}
	request := p.request(&plan, rows)
	if err := p.prove(&request); err != nil {
		return err
	}
	signed, err := p.signer.Sign(ctx, request)
	if err != nil {
		return err
	}
	if signed.Fee.Cmp(plan.Fee) != 0 || signed.Counter <= p.counter {
		return errors.New("bench: what was signed is not what was planned")
	}
	p.counter = signed.Counter
	p.spend(&plan)
	return nil
}

// request is what the gateway asks the signer for.
func (p *payouts) request(plan *hotwallet.Plan, rows []hotwallet.Withdrawal) hotwallet.SignRequest {
	r := hotwallet.SignRequest{Unsigned: plan.Unsigned, Withdrawals: rows, Counter: p.counter, Assign: hotwallet.Assign{
		Batch: plan.Batch, Chain: plan.Chain, Kind: hotwallet.KindPayout, Spends: plan.Spends(), State: hotwallet.AssignOpen,
	}}
	for i := range rows {
		rows[i].Batch = plan.Batch
		r.Assign.IDs = append(r.Assign.IDs, rows[i].ID)
	}
	for _, c := range plan.Inputs {
		r.Inputs = append(r.Inputs, hotwallet.SignInput{Outpoint: c.Outpoint, Watch: c.Watch, Previous: p.before[c.TxID]})
	}
	return r
}

// prove writes the rows of a request into a state, and proves them.
func (p *payouts) prove(r *hotwallet.SignRequest) (err error) {
	a := &r.Assign
	p.side.Insert(wallettest.Assigns, wallettest.Assign(a.Batch, string(a.Chain), string(a.Kind), a.IDs, a.Spends, a.State))
	for _, w := range r.Withdrawals {
		p.side.Insert(wallettest.Withdrawals, wallettest.Withdrawal(w.ID, w.Symbol, string(w.Chain), w.Address, w.Net, w.State, w.Batch))
	}
	if r.Proof.Assign.Row, r.Proof.Assign.Path, err = p.side.Prove(wallettest.Assigns, a.Batch); err != nil {
		return err
	}
	r.Proof.Withdrawals = make([]hotwallet.RowProof, len(r.Withdrawals))
	for i := range r.Withdrawals {
		row := &r.Proof.Withdrawals[i]
		if row.Row, row.Path, err = p.side.Prove(wallettest.Withdrawals, r.Withdrawals[i].ID); err != nil {
			return err
		}
	}
	r.Proof.Header = wallettest.Header(uint64(p.batches), p.side.Root(), p.sequencer, [32]byte{})
	return nil
}

// spend forgets the coins of a plan.
func (p *payouts) spend(plan *hotwallet.Plan) {
	spent := make(map[chains.Outpoint]bool, len(plan.Inputs))
	for _, c := range plan.Inputs {
		spent[c.Outpoint] = true
		delete(p.before, c.TxID)
	}
	p.coins = slices.DeleteFunc(p.coins, func(c hotwallet.Coin) bool { return spent[c.Outpoint] })
}
