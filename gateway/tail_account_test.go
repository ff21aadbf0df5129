package gateway

import (
	"log/slog"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/pegs"

	"github.com/google/go-cmp/cmp"
)

// failedState is the state with a payout of a chain of accounts that failed.
func failedState(t *testing.T) (s *pegs.State, hot string) {
	t.Helper()
	s, hot = pegs.NewState(), "0x"+strings.Repeat("a1", 20)
	payee := "0x" + strings.Repeat("e5", 20)
	header := func(height uint64, hash, parent string, results ...pegs.Result) pegs.Match {
		return pegs.Match{Header: chains.Header{BlockRef: chains.BlockRef{Height: height, Hash: hash}, Parent: parent}, Results: results}
	}
	sent := pegs.Result{TxID: "0xp", From: hot, To: payee, Value: chains.NewAmount(1e15), Fee: chains.NewAmount(21_000e9), Failed: true}
	for _, e := range []pegs.Event{
		&pegs.Configured{Chain: chains.ETH, Network: chains.Regtest, Policy: pegs.AccountPolicy()},
		&pegs.AssetsSeen{Assets: []pegs.Asset{{Symbol: "SWAP.ETH", Chain: chains.ETH, Precision: 8, Decimals: 18, MinDeposit: "0.001"}}},
		&pegs.Requested{Withdrawal: "w1", Row: 1, Symbol: "SWAP.ETH", Chain: chains.ETH, Account: "alice", Address: payee, Quantity: "0.001", Fee: "0", Net: "0.001"},
		&pegs.Assigned{Batch: "b1", Chain: chains.ETH, BatchKind: pegs.BatchPayout, Withdrawals: []string{"w1"}, Inputs: []chains.Outpoint{{TxID: hot}}},
		&pegs.Connected{Chain: chains.ETH, Match: header(0, "e0", "", sent)},
	} {
		if err := s.Apply(pegs.Record{Seq: s.Seq + 1, Event: e}); err != nil {
			t.Fatal(err)
		}
	}
	return s, hot
}

// The gas of what failed is charged by an operation of its own, without the batch,
// which its release closes; the row of that is booked once.
func TestGasOfAFailedPayoutIsCharged(t *testing.T) {
	s, _ := failedState(t)
	o := &operator{log: slog.New(slog.DiscardHandler)}
	entries, _ := o.intents(s)
	var kinds []string
	for _, e := range entries {
		kinds = append(kinds, e.Event.Kind())
		if err := s.Apply(pegs.Record{Seq: s.Seq + 1, Event: e.Event}); err != nil {
			t.Fatal(err)
		}
	}
	if diff := cmp.Diff([]string{"settling", "releasing"}, kinds); diff != "" {
		t.Fatal(diff)
	}
	b, _ := s.Batch("b1")
	todo := closing(b)
	if want := `{"chain":"eth","txid":"0xp","amount":"0.000021000000000000"}`; todo.action.Name != "cost" || string(todo.action.Payload) != want || todo.over(s) {
		t.Errorf("%s %s", todo.action.Name, todo.action.Payload)
	}
	row := facts{charges: []charge{{batch: "b1", chain: chains.ETH, txid: "0xp", cost: "0.000021"}}}
	booked := entriesOf(s, row)
	if len(booked) != 1 || booked[0].Event.Kind() != "charged" {
		t.Fatalf("booked %v", booked)
	}
	if err := s.Apply(pegs.Record{Seq: s.Seq + 1, Event: booked[0].Event}); err != nil {
		t.Fatal(err)
	}
	if len(entriesOf(s, row)) != 0 || !todo.over(s) {
		t.Error("charged twice")
	}
}

// Rows of deposits that the ledger does not know are booked all the same on a chain
// of accounts, once: readings may divide what came in otherwise. Elsewhere they are
// not.
func TestRowsOfUnknownDeposits(t *testing.T) {
	s, hot := failedState(t)
	row := DepositRow{ID: "eth:" + hot + ":0", Symbol: "SWAP.ETH", Quantity: "1.00000000", To: "alice", Tx: "m"}
	other := DepositRow{ID: "btc:" + strings.Repeat("0", 64) + ":0", Symbol: "SWAP.BTC", Quantity: "1.00000000", To: "alice"}
	f := facts{deposits: []DepositRow{row, row, other}}
	entries := entriesOf(s, f)
	if len(entries) != 1 || entries[0].Event.Kind() != "credited" {
		t.Fatalf("booked %d", len(entries))
	}
	if err := s.Apply(pegs.Record{Seq: s.Seq + 1, Event: entries[0].Event}); err != nil {
		t.Fatal(err)
	}
	if again := entriesOf(s, f); len(again) != 0 {
		t.Errorf("booked again: %d", len(again))
	}
}
