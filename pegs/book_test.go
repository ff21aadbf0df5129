package pegs

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"causeway/chains"
)

// book is a state with the events that made it.
type book struct {
	t interface {
		Helper()
		Fatal(...any)
		Fatalf(string, ...any)
	}
	*State
	log    []Record
	height uint64
	hash   string
}

var btcPolicy = Policy{Floor: 2, Normal: 3, Large: 6, Maturity: 100, Keep: 144, Much: chains.NewAmount(5 * coin)}

const coin = 100_000_000

func newBook(t *testing.T) *book { return openBook(t) }

func openBook(t interface {
	Helper()
	Fatal(...any)
	Fatalf(string, ...any)
}) *book {
	b := &book{t: t, State: NewState(), hash: "root"}
	b.do(&Configured{Chain: chains.BTC, Network: chains.Regtest, Start: 0, Confirmations: 2, InputExtra: 1, Policy: btcPolicy})
	b.do(&EpochAdded{Chain: chains.BTC, Key: "02aa", Scripts: []OwnScript{{Kind: chains.WatchChange, Address: "change", Script: "00"}}})
	b.do(&AssetsSeen{Assets: []Asset{testAsset}})
	b.do(&Watching{Chain: chains.BTC, Accounts: []string{"alice", "bob"}})
	return b
}

var testAsset = Asset{
	Symbol: "SWAP.BTC", Chain: chains.BTC, Precision: 8, Decimals: 8, MinDeposit: "0.00010000", MinWithdrawal: "0.00010000",
	WithdrawalFee: "0.00005000", FeeMax: "0.01000000",
}

func (b *book) try(e Event) error {
	r := Record{Seq: b.Seq + 1, At: time.Unix(int64(b.Seq), 0).UTC(), Event: e}
	err := b.Apply(r)
	if err == nil {
		b.log = append(b.log, r)
	}
	return err
}

func (b *book) do(e Event) {
	b.t.Helper()
	if err := b.try(e); err != nil {
		b.t.Fatal(err)
	}
}

// block connects a block with what it holds.
func (b *book) block(payments []Payment, spends ...chains.Spend) string {
	b.t.Helper()
	return b.named(fmt.Sprintf("%s.%d", b.hash, b.height), payments, spends...)
}

func (b *book) named(hash string, payments []Payment, spends ...chains.Spend) string {
	b.t.Helper()
	header := chains.Header{BlockRef: chains.BlockRef{Height: b.height, Hash: hash}, Parent: b.hash}
	b.do(&Connected{Chain: chains.BTC, Match: Match{Header: header, Payments: payments, Spends: spends}})
	b.height, b.hash = b.height+1, hash
	return hash
}

func (b *book) blocks(n int) {
	b.t.Helper()
	for range n {
		b.block(nil)
	}
}

// back disconnects the newest block.
func (b *book) back() {
	b.t.Helper()
	c, _ := b.Chain(chains.BTC)
	tail := c.Tail()
	last := tail[len(tail)-1]
	b.do(&Disconnected{Chain: chains.BTC, Block: last.BlockRef})
	b.height, b.hash = last.Height, last.Parent
}

func pays(txid string, index uint32, account string, amount uint64) Payment {
	return Payment{
		Outpoint: chains.Outpoint{TxID: txid, Index: index}, Amount: chains.NewAmount(amount), Script: "51",
		Kind: chains.WatchDeposit, Account: account, Address: "addr-" + account,
	}
}

func changes(txid string, index uint32, amount uint64) Payment {
	return Payment{
		Outpoint: chains.Outpoint{TxID: txid, Index: index}, Amount: chains.NewAmount(amount), Script: "00",
		Kind: chains.WatchChange, Address: "change",
	}
}

func spends(by string, list ...chains.Outpoint) (spends []chains.Spend) {
	for _, o := range list {
		spends = append(spends, chains.Spend{Outpoint: o, By: by})
	}
	return spends
}

func at(txid string, index uint32) chains.Outpoint { return chains.Outpoint{TxID: txid, Index: index} }

func (b *book) deposit(txid string, index uint32) *Deposit {
	b.t.Helper()
	d, ok := b.Deposit(DepositID(chains.BTC, at(txid, index)))
	if !ok {
		b.t.Fatalf("no deposit %s:%d", txid, index)
	}
	return d
}

// credit brings an amount in and credits it.
func (b *book) credit(txid, account string, amount uint64) *Deposit {
	b.t.Helper()
	b.block([]Payment{pays(txid, 0, account, amount)})
	b.blocks(1)
	d := b.deposit(txid, 0)
	b.do(&Minting{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: account})
	b.do(&Credited{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: account, Tx: "mint-" + txid})
	return d
}

// queue makes a withdrawal that can be paid.
func (b *book) queue(id string, net uint64) *Withdrawal {
	b.t.Helper()
	text := chains.NewAmount(net).Coin(8)
	b.do(&Requested{Withdrawal: id, Row: b.LastRow() + 1, Symbol: "SWAP.BTC", Chain: chains.BTC, Account: "alice", Address: "payee", Quantity: text, Fee: "0", Net: text})
	b.do(&Queued{Withdrawal: id, Script: "0014", Amount: chains.NewAmount(net)})
	w, _ := b.Withdrawal(id)
	return w
}

func planFor(ids []string, inputs ...chains.Outpoint) *Planned {
	return &Planned{
		Batch: BatchID(chains.BTC, BatchPayout, ids, inputs), Chain: chains.BTC, BatchKind: BatchPayout, Withdrawals: ids,
		Inputs: inputs, Fee: chains.NewAmount(300), Plan: json.RawMessage(`{}`),
	}
}

func assignedAs(p *Planned) *Assigned {
	return &Assigned{Batch: p.Batch, Chain: p.Chain, BatchKind: p.BatchKind, Withdrawals: p.Withdrawals, Inputs: p.Inputs}
}

func signedAs(p *Planned, txid string, change uint64) *Signed {
	return &Signed{
		Batch: p.Batch, TxID: txid, Raw: []byte{1}, Fee: p.Fee, VSize: 141, Counter: 1,
		Change: []Payment{changes(txid, 1, change)},
	}
}

// digest is the whole state in one text: what reads of it can show.
func (b *book) digest() string {
	var out strings.Builder
	for _, c := range b.Chains() {
		fmt.Fprintln(&out, c.ID, c.next, c.tail, c.HaltReason(), c.WatchedAccounts(), c.Incomplete())
		for _, o := range slices.SortedFunc(maps.Values(c.outputs), func(a, b *Output) int { return compareOutpoints(a.Outpoint, b.Outpoint) }) {
			spent := ""
			if o.Spent != nil {
				spent = o.Spent.TxID
			}
			fmt.Fprintln(&out, o.Outpoint, o.Amount, o.In, o.Own, spent, c.kept[o.Outpoint], c.unspent.has(o.Outpoint))
		}
	}
	for _, d := range b.Deposits("") {
		fmt.Fprintln(&out, d.ID, d.State(), d.In, d.Class, len(d.History))
	}
	for _, w := range b.Withdrawals("") {
		fmt.Fprintln(&out, w.ID, b.WithdrawalState(w), w.Batch, len(w.History))
	}
	return out.String()
}
