package pegs

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"causeway/chains"
)

// Accounts of the tests.
var (
	hotAddress     = "0x" + strings.Repeat("a1", 20)
	sweeperAddress = "0x" + strings.Repeat("b2", 20)
	aliceAddress   = "0x" + strings.Repeat("c3", 20)
	bobAddress     = "0x" + strings.Repeat("d4", 20)
	payeeAddress   = "0x" + strings.Repeat("e5", 20)
	usdc           = "0x" + strings.Repeat("f6", 20)
	dai            = "0x" + strings.Repeat("07", 20)
)

var ethAssets = []Asset{
	{Symbol: "SWAP.ETH", Chain: chains.ETH, Precision: 8, Decimals: 18, MinDeposit: "0.00100000", MinWithdrawal: "0.001", WithdrawalFee: "0.001", FeeMax: "0.01"},
	{Symbol: "SWAP.USDC", Chain: chains.ETH, Token: usdc, Precision: 6, Decimals: 6, MinDeposit: "1.000000", MinWithdrawal: "1", WithdrawalFee: "0.002", FeeMax: "0.01"},
	{Symbol: "SWAP.DAI", Chain: chains.ETH, Token: dai, Precision: 8, Decimals: 18, MinDeposit: "1.00000000", MinWithdrawal: "1", WithdrawalFee: "0.002", FeeMax: "0.01"},
}

// gwei is a number of them, in wei.
func gwei(n uint64) chains.Amount { return chains.NewAmount(n * 1_000_000_000) }

// ether is a book with a chain of accounts.
type ether struct {
	*book
	height uint64
	hash   string
	n      int
}

func newEther(t *testing.T) *ether { return openEther(openBook(t)) }

func openEther(b *book) *ether {
	e := &ether{book: b, hash: "genesis"}
	e.do(&Configured{Chain: chains.ETH, Network: chains.Regtest, Policy: AccountPolicy()})
	e.do(&EpochAdded{Chain: chains.ETH, Key: "02aa", Scripts: []OwnScript{
		{Kind: chains.WatchChange, Address: hotAddress, Script: hotAddress[2:]},
		{Kind: chains.WatchSweeper, Address: sweeperAddress, Script: sweeperAddress[2:]},
	}})
	e.do(&AssetsSeen{Assets: append([]Asset{testAsset}, ethAssets...)})
	e.do(&Watching{Chain: chains.ETH, Accounts: []string{"alice", "bob"}})
	return e
}

func (e *ether) chain() *Chain {
	c, _ := e.Chain(chains.ETH)
	return c
}

// final connects a block with what it holds.
func (e *ether) final(results []Result, logs ...TokenLog) {
	e.t.Helper()
	header := chains.Header{BlockRef: chains.BlockRef{Height: e.height, Hash: fmt.Sprintf("e%d", e.height)}, Parent: e.hash}
	e.do(&Connected{Chain: chains.ETH, Match: Match{Header: header, Results: results, Tokens: logs}})
	e.height, e.hash = e.height+1, header.Hash
}

func reads(address string, amount chains.Amount, nonce uint64) AccountBalance {
	r := AccountBalance{Address: address, Kind: chains.WatchDeposit, Amount: amount, Nonce: nonce}
	switch address {
	case hotAddress:
		r.Kind = chains.WatchChange
	case sweeperAddress:
		r.Kind = chains.WatchSweeper
	case aliceAddress:
		r.Account = "alice"
	case bobAddress:
		r.Account = "bob"
	}
	return r
}

func holds(address, token string, amount uint64) AccountBalance {
	r := reads(address, chains.NewAmount(amount), 0)
	r.Token = token
	return r
}

// reading reads accounts in the newest block.
func (e *ether) reading(list ...AccountBalance) {
	e.t.Helper()
	tip, _ := e.chain().Tip()
	e.do(&Balances{Chain: chains.ETH, Block: tip, Accounts: list})
}

// owe makes a withdrawal that can be paid.
func (e *ether) owe(id, symbol, net string) *Withdrawal {
	e.t.Helper()
	e.do(&Requested{Withdrawal: id, Row: e.LastRow() + 1, Symbol: symbol, Chain: chains.ETH, Account: "alice", Address: payeeAddress, Quantity: net, Fee: "0", Net: net})
	w, _ := e.Withdrawal(id)
	e.do(&Queued{Withdrawal: id, Script: payeeAddress[2:], Amount: w.Amount})
	return w
}

func (e *ether) plan(kind, from string, ids ...string) *Planned {
	nonce, _ := e.NextNonce(chains.ETH, from)
	inputs := []chains.Outpoint{spendAt(from, nonce)}
	return &Planned{
		Batch: BatchID(chains.ETH, kind, ids, inputs), Chain: chains.ETH, BatchKind: kind, Withdrawals: ids, Inputs: inputs,
		Fee: gwei(21_000), Plan: json.RawMessage(`{}`),
	}
}

// send plans, assigns, signs and broadcasts a batch.
func (e *ether) send(p *Planned) *Batch {
	e.t.Helper()
	e.n++
	e.do(p)
	e.do(assignedAs(p))
	txid := fmt.Sprintf("0x%d", e.n)
	e.do(&Signed{Batch: p.Batch, TxID: txid, Raw: []byte{2}, Fee: p.Fee, VSize: 21_000, Counter: uint64(e.n)})
	e.do(&Broadcast{Batch: p.Batch, TxID: txid, Verdict: chains.Accepted})
	b, _ := e.Batch(p.Batch)
	return b
}

// result is the transaction of a batch in a block.
func (e *ether) result(b *Batch, change ...func(*Result)) Result {
	r := Result{TxID: b.Newest().TxID, From: b.Inputs[0].TxID, Nonce: uint64(b.Inputs[0].Index), Value: b.Value, Fee: gwei(20_000)}
	for _, id := range b.Withdrawals {
		w, _ := e.Withdrawal(id)
		if r.To = w.Address; w.Token != "" {
			r.To, r.Token, r.Payee, r.Units, r.Value = w.Token, w.Token, w.Address, w.Amount, chains.Amount{}
		}
	}
	for _, f := range change {
		f(&r)
	}
	return r
}

// A deposit of the coin and a payout of it, from the first block to the settlement.
func TestEtherRound(t *testing.T) {
	e := newEther(t)
	e.final(nil)
	e.reading(reads(aliceAddress, gwei(5_000_000), 0), reads(hotAddress, gwei(40_000_000), 0))
	d, ok := e.Deposit("eth:" + aliceAddress + ":0")
	if !ok || d.Amount != gwei(5_000_000) || d.Quantity != "0.00500000" || d.Symbol != "SWAP.ETH" || d.Account != "alice" {
		t.Fatalf("deposit %+v", d)
	}
	if list := e.ToMint(chains.ETH); len(list) != 1 {
		t.Fatalf("%d to mint", len(list))
	}
	e.do(&Minting{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: "alice"})
	e.do(&Credited{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: "alice", Tx: "m"})

	w := e.owe("w1", "SWAP.ETH", "0.004")
	p := e.plan(BatchPayout, hotAddress, "w1")
	b := e.send(p)
	if free, ok := e.Free(chains.ETH, hotAddress, ""); !ok || free != subAmount(gwei(40_000_000), gwei(4_021_000)) {
		t.Errorf("free: %s", free)
	}
	e.final([]Result{e.result(b)})
	if e.WithdrawalState(w) != WithdrawalConfirmed || b.Mined == nil || len(e.ToSettle(chains.ETH)) != 1 {
		t.Fatalf("%s, %+v, alarms %v", e.WithdrawalState(w), b, e.Alarms(chains.ETH))
	}
	if fee, err := e.MinedFee(b); err != nil || fee != gwei(20_000) {
		t.Errorf("fee %s, %v", fee, err)
	}
	e.reading(reads(hotAddress, subAmount(gwei(40_000_000), gwei(4_020_000)), 1))
	e.do(&Settling{Batch: b.ID, TxID: b.Mined.TxID, Cost: "0.00002"})
	e.do(&Settled{Batch: b.ID, TxID: b.Mined.TxID, Cost: "0.00002"})
	if alarms := e.Alarms(chains.ETH); e.WithdrawalState(w) != WithdrawalSettled || len(alarms) != 0 || len(e.chain().ToRead()) != 0 {
		t.Errorf("%s, alarms %v, to read %v", e.WithdrawalState(w), alarms, e.chain().ToRead())
	}
	if err := e.try(&Disconnected{Chain: chains.ETH, Block: chains.BlockRef{Height: 1, Hash: "e1"}}); !errors.Is(err, ErrTransition) {
		t.Errorf("a final block left the chain: %v", err)
	}
}
