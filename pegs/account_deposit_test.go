package pegs

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"causeway/chains"

	"github.com/google/go-cmp/cmp"
)

// told lists the deposits of an account, each as id, amount and state.
func (e *ether) told(account string) (list []string) {
	for _, d := range e.Deposits(account) {
		id := strings.NewReplacer(aliceAddress, "alice", bobAddress, "bob").Replace(d.ID)
		list = append(list, fmt.Sprintf("%s %s %s", id, d.Amount, d.State()))
	}
	return list
}

func (e *ether) wantTold(account string, want ...string) {
	e.t.Helper()
	if diff := cmp.Diff(want, e.told(account)); diff != "" {
		e.t.Fatalf("deposits of %s: %s", account, diff)
	}
}

func (e *ether) wantAlarms(want ...string) {
	e.t.Helper()
	if diff := cmp.Diff(want, e.Alarms(chains.ETH)); diff != "" {
		e.t.Fatalf("alarms: %s", diff)
	}
}

// mint has the sidechain credit what is to be minted.
func (e *ether) mint() {
	e.t.Helper()
	for _, d := range slices.Clone(e.ToMint(chains.ETH)) {
		e.do(&Minting{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: d.Account})
		e.do(&Credited{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: d.Account, Tx: "m"})
	}
}

// The coin is credited by what an address has received in all, however it came:
// scenario 17. What we send there ourselves is no deposit, but a payout is; what we
// take away changes nothing.
func TestReceiptsOfTheCoin(t *testing.T) {
	e := newEther(t)
	e.final(nil)
	e.reading(reads(aliceAddress, addAmount(gwei(2_000_000), chains.NewAmount(7)), 0), reads(hotAddress, gwei(9_000_000), 0), reads(sweeperAddress, gwei(500_000), 0))
	e.mint()
	if left := e.Rounding("SWAP.ETH"); left != chains.NewAmount(7) {
		t.Errorf("remainders %s", left)
	}
	e.reading(reads(aliceAddress, addAmount(gwei(2_000_000), chains.NewAmount(7)), 0)) // again, the same block
	e.wantTold("alice", "eth:alice:0 2000000000000007 credited")

	// A sweep takes it, a top-up brings gas, and meanwhile a contract pays 3,000,000.
	sweep := e.plan(BatchSweep, aliceAddress)
	sweep.Value = gwei(1_900_000)
	swept := e.send(sweep)
	topup := e.plan(BatchTopup, sweeperAddress)
	topup.Value = gwei(50_000)
	topped := e.send(topup)
	e.final([]Result{
		e.result(swept, func(r *Result) { r.To, r.Kind = hotAddress, chains.WatchChange }),
		e.result(topped, func(r *Result) { r.To, r.Kind = aliceAddress, chains.WatchDeposit }),
	})
	left := addAmount(gwei(2_000_000-1_900_000-20_000+50_000+3_000_000), chains.NewAmount(7))
	e.reading(reads(aliceAddress, left, 1), reads(hotAddress, gwei(10_900_000), 0), reads(sweeperAddress, gwei(430_000), 1))
	e.wantTold("alice", "eth:alice:0 2000000000000007 credited", "eth:alice:2000000000000007 3000000000000000 confirming")
	if swept.Mined == nil || topped.Mined == nil {
		t.Fatalf("sweep %+v, top-up %+v", swept, topped)
	}

	// A payout to bob's address is a deposit of bob's, with the transaction named.
	e.do(&Requested{Withdrawal: "w1", Row: 1, Symbol: "SWAP.ETH", Chain: chains.ETH, Account: "alice", Address: bobAddress, Quantity: "0.002", Fee: "0", Net: "0.002"})
	e.do(&Queued{Withdrawal: "w1", Script: bobAddress[2:], Amount: gwei(2_000_000)})
	paid := e.send(e.plan(BatchPayout, hotAddress, "w1"))
	e.final([]Result{e.result(paid, func(r *Result) { r.Kind = chains.WatchDeposit })})
	row := reads(bobAddress, gwei(2_000_000), 0)
	row.Cause = paid.Newest().TxID
	e.reading(row, reads(hotAddress, gwei(8_880_000), 1))
	e.wantTold("bob", "eth:bob:0 2000000000000000 confirming")
	if d := e.Deposits("bob")[0]; d.Outpoint.TxID != row.Cause {
		t.Errorf("explained by %q", d.Outpoint.TxID)
	}
	// Dust is booked as it is, and never added up by itself.
	e.reading(reads(bobAddress, gwei(2_000_001), 0))
	e.wantTold("bob", "eth:bob:0 2000000000000000 confirming", "eth:bob:2000000000000000 1000000000 below_minimum")
	e.wantAlarms()
	e.replays(t)
}

// A top-up is known from the sidechain's row; before that row is read what it
// brought is nobody's deposit, and the alarm ends with it. A payout, too, is a
// deposit when its row is there.
func TestReceiptsBeforeTheirRows(t *testing.T) {
	e := newEther(t)
	topup := Result{TxID: "0xt", From: sweeperAddress, To: aliceAddress, Value: gwei(900_000), Fee: gwei(20_000), Kind: chains.WatchDeposit}
	payout := Result{TxID: "0xp", From: hotAddress, To: bobAddress, Value: gwei(3_000_000), Fee: gwei(20_000), Kind: chains.WatchDeposit}
	token := Result{TxID: "0xq", From: hotAddress, Nonce: 1, To: usdc, Token: usdc, Payee: bobAddress, Units: chains.NewAmount(7_000_000), Fee: gwei(20_000), Kind: chains.WatchDeposit}
	e.final([]Result{topup, payout, token}, logTo("0xq", 2, usdc, hotAddress, bobAddress, token.Units))
	read := func() {
		e.reading(holds(bobAddress, usdc, 7_000_000), holds(hotAddress, usdc, 0), reads(aliceAddress, gwei(900_000), 0), reads(bobAddress, gwei(3_000_000), 0), reads(sweeperAddress, gwei(1), 1), reads(hotAddress, gwei(1), 2))
	}
	read()
	e.wantTold("alice")
	e.wantTold("bob")
	if alarms := e.Alarms(chains.ETH); len(alarms) != 3 {
		t.Errorf("alarms %v", alarms)
	}
	e.do(&Requested{Withdrawal: "w1", Row: 1, Symbol: "SWAP.ETH", Chain: chains.ETH, Account: "x", Address: bobAddress, Quantity: "0.003", Fee: "0", Net: "0.003"})
	e.do(&Assigned{Batch: "t", Chain: chains.ETH, BatchKind: BatchTopup, Inputs: []chains.Outpoint{spendAt(sweeperAddress, 0)}})
	e.do(&Assigned{Batch: "p", Chain: chains.ETH, BatchKind: BatchPayout, Withdrawals: []string{"w1"}, Inputs: []chains.Outpoint{spendAt(hotAddress, 0)}})
	e.do(&Requested{Withdrawal: "w2", Row: 2, Symbol: "SWAP.USDC", Chain: chains.ETH, Account: "x", Address: bobAddress, Quantity: "7", Fee: "0", Net: "7"})
	e.do(&Assigned{Batch: "q", Chain: chains.ETH, BatchKind: BatchPayout, Withdrawals: []string{"w2"}, Inputs: []chains.Outpoint{spendAt(hotAddress, 1)}})
	if list := e.chain().ToRead(); !slices.Equal(list, []Unread{{bobAddress, ""}, {bobAddress, usdc}}) {
		t.Errorf("to read: %v", list)
	}
	read()
	e.wantTold("alice")
	e.wantTold("bob", "eth:0xq:2 7000000 confirming", "eth:bob:0 3000000000000000 confirming")
	e.wantAlarms()
	e.replays(t)
}

// Tokens are credited by their transfers, each at most what has come in: scenarios
// 15 and 16.
func TestReceiptsOfTokens(t *testing.T) {
	e := newEther(t)
	log := func(txid string, index uint32, amount uint64) TokenLog {
		return logTo(txid, index, usdc, payeeAddress, aliceAddress, chains.NewAmount(amount))
	}
	nothing, stranger := log("0x5", 0, 0), log("0x6", 0, 50_000_000)
	stranger.To, stranger.Kind = payeeAddress, ""
	e.final(nil, log("0x1", 3, 10_000_000), log("0x1", 4, 10_000_000), log("0x2", 0, 8_000_000), log("0x3", 0, 5_000_000), nothing, stranger)
	e.reading(reads(aliceAddress, chains.Amount{}, 0))
	e.wantTold("alice") // they wait for a reading of the token
	e.reading(holds(aliceAddress, usdc, 27_900_000))
	e.wantTold("alice",
		"eth:0x1:3 10000000 confirming", "eth:0x1:4 10000000 confirming",
		"eth:0x2:0 7900000 confirming", // it took a fee
		"eth:0x3:0 0 held",             // it moved nothing
	)
	d := e.Deposits("alice")[2]
	if d.Symbol != "SWAP.USDC" || d.Token != usdc || d.Quantity != "7.900000" || d.Said != chains.NewAmount(8_000_000) || d.Outpoint != at("0x2", 0) {
		t.Errorf("%+v", d)
	}
	if _, _, _, err := e.Claimable(e.Deposits("alice")[3]); err == nil {
		t.Error("nothing can be claimed")
	}
	e.mint()
	// A rise without a transfer is nobody's, and fills up no later one.
	e.final(nil)
	e.reading(holds(aliceAddress, usdc, 30_000_000))
	e.final(nil, log("0x7", 0, 2_000_000))
	e.reading(holds(aliceAddress, usdc, 32_000_000))
	// The past is searched too, and finds what is known and what is not.
	e.do(&Backscanned{Chain: chains.ETH, Accounts: []string{"alice"}, Matched: []Match{{Header: e.chain().tail[0], Tokens: []TokenLog{log("0x1", 3, 10_000_000), log("0x0", 9, 1_500_000)}}}})
	e.reading(holds(aliceAddress, usdc, 32_000_000))
	if got := e.told("alice")[4:]; !slices.Equal(got, []string{"eth:0x7:0 2000000 confirming", "eth:0x0:9 1500000 confirming"}) {
		t.Errorf("later: %v", got)
	}
	// One of a token that the sidechain does not have.
	other := logTo("0x8", 0, "0x"+strings.Repeat("18", 20), payeeAddress, aliceAddress, chains.NewAmount(5))
	e.final(nil, other)
	e.reading(holds(aliceAddress, other.Token, 5))
	if d := e.Deposits("alice")[6]; d.State() != DepositUnclaimed {
		t.Errorf("%+v", d)
	}
	e.wantAlarms()
	e.replays(t)
}

// Alarms about what accounts hold: less than is booked, and transactions that nobody
// knows. A further loss is another alarm; what a later reading explains is none.
func TestReadingsThatNothingExplains(t *testing.T) {
	e := newEther(t)
	e.final(nil, logTo("0x1", 0, usdc, payeeAddress, aliceAddress, chains.NewAmount(9_000_000)))
	e.reading(reads(aliceAddress, gwei(2_000_000), 0), holds(aliceAddress, usdc, 9_000_000), reads(hotAddress, gwei(5), 0))
	e.reading(reads(aliceAddress, gwei(1_999_999), 0))
	short := "account " + aliceAddress + " lacks 1000000000 wei of what it has received"
	e.wantAlarms(short)
	if e.PaysOut(chains.ETH) {
		t.Error("it pays on")
	}
	about := aliceAddress + "::1000000000"
	e.do(&Acknowledged{Chain: chains.ETH, TxID: about, Author: "olga", Reason: "it is so"})
	e.wantAlarms()
	e.reading(reads(aliceAddress, gwei(1_999_998), 0))
	e.wantAlarms("account " + aliceAddress + " lacks 2000000000 wei of what it has received")
	e.reading(reads(aliceAddress, gwei(2_000_000), 0), holds(aliceAddress, usdc, 8_999_999))
	e.wantAlarms("account " + aliceAddress + " lacks 1 units of token " + usdc + " of what it has received")
	e.reading(holds(aliceAddress, usdc, 9_000_000), reads(hotAddress, gwei(5), 1))
	e.wantAlarms("account " + hotAddress + " has sent 1 transactions, 0 are known")
	if _, ok := e.NextNonce(chains.ETH, hotAddress); ok {
		t.Error("a nonce of an account that others use")
	}
	// Alice's address sent what was found later, in the past.
	e.reading(reads(hotAddress, gwei(5), 0))
	e.do(&Watching{Chain: chains.ETH, Accounts: []string{"carol"}})
	carol := reads("0x"+strings.Repeat("99", 20), gwei(3_000_000), 1)
	carol.Account = "carol"
	e.reading(carol)
	e.wantTold("carol")
	e.wantAlarms() // her past is still to be searched
	sent := Result{TxID: "0xold", From: carol.Address, To: hotAddress, Kind: chains.WatchChange, Value: gwei(1_000_000), Fee: gwei(21)}
	e.do(&Backscanned{Chain: chains.ETH, Accounts: []string{"carol"}, Matched: []Match{{Header: e.chain().tail[0], Results: []Result{sent}}}})
	e.reading(carol, reads(hotAddress, gwei(1_000_005), 0))
	e.do(&Assigned{Batch: "s", Chain: chains.ETH, BatchKind: BatchSweep, Inputs: []chains.Outpoint{spendAt(carol.Address, 0)}})
	if d := e.Deposits("carol"); len(d) != 1 || d[0].Amount != gwei(4_000_021) {
		t.Errorf("deposits %v", e.told("carol"))
	}
	e.wantAlarms()
	e.replays(t)
}

// Rows of the sidechain that divide what came in otherwise than our readings did:
// before the reading, and after it.
func TestRowsDivideReceipts(t *testing.T) {
	credit := func(before uint64, quantity string) *Credited {
		return &Credited{Deposit: CoinDepositID(chains.ETH, aliceAddress, gwei(before)), Symbol: "SWAP.ETH", Quantity: quantity, To: "alice", Tx: "m"}
	}
	rows := []*Credited{credit(0, "0.00200000"), credit(2_500_000, "0.00400000")}
	want := []string{
		"eth:alice:0 2000000000000000 credited", "eth:alice:2000000000000000 500000000000000 below_minimum",
		"eth:alice:2500000000000000 4000000000000000 credited", "eth:alice:6500000000000000 1500000000000000 confirming",
	}
	for name, order := range map[string]func(e *ether){
		"rows first": func(e *ether) {
			e.do(rows[1])
			e.do(rows[0])
			e.reading(reads(aliceAddress, gwei(8_000_000), 0))
		},
		"reading first": func(e *ether) {
			e.reading(reads(aliceAddress, gwei(8_000_000), 0))
			e.do(rows[0])
			e.do(rows[1])
		},
	} {
		e := newEther(t)
		e.final(nil)
		order(e)
		got := e.told("alice")
		slices.Sort(got)
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
		e.wantAlarms()
		if err := e.try(rows[0]); !errors.Is(err, ErrTransition) {
			t.Errorf("%s: a row twice: %v", name, err)
		}
		e.replays(t)
	}
	// More than has come in.
	e := newEther(t)
	e.final(nil)
	e.do(credit(0, "0.00200000"))
	e.reading(reads(aliceAddress, gwei(1_000_000), 0))
	e.wantAlarms("deposit eth:" + aliceAddress + ":0 was credited as 0.00200000 SWAP.ETH to alice")
	// What was to be minted as one is minted in parts when a row says so.
	e = newEther(t)
	e.final(nil)
	e.reading(reads(aliceAddress, gwei(8_000_000), 0))
	d := e.Deposits("alice")[0]
	e.do(&Minting{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: "alice"})
	e.do(credit(0, "0.00500000"))
	e.wantTold("alice", "eth:alice:0 5000000000000000 credited", "eth:alice:5000000000000000 3000000000000000 confirming")
	e.wantAlarms()
	e.replays(t)
	// A row in the middle: what comes before it is to be minted anew.
	e = newEther(t)
	e.final(nil)
	e.reading(reads(aliceAddress, gwei(8_000_000), 0))
	e.do(&Minting{Deposit: d.ID, Symbol: "SWAP.ETH", Quantity: "0.00800000", To: "alice"})
	e.do(rows[1])
	e.mint()
	e.wantTold("alice", "eth:alice:0 2500000000000000 credited", "eth:alice:2500000000000000 4000000000000000 credited", "eth:alice:6500000000000000 1500000000000000 credited")
	e.wantAlarms()
	e.replays(t)
	// A row of another asset divides nothing.
	e = newEther(t)
	e.final(nil)
	e.reading(reads(aliceAddress, gwei(8_000_000), 0))
	wrong := credit(0, "0.002000")
	wrong.Symbol = "SWAP.USDC"
	e.do(wrong)
	e.wantAlarms("deposit eth:" + aliceAddress + ":0 was credited as 0.002000 SWAP.USDC to alice")
	e.wantTold("alice", "eth:alice:0 8000000000000000 credited")
}

// A row that credits more than a reading had seen is of one deposit: what comes in later,
// and what later readings made deposits of, is not credited again.
func TestRowsOfMoreThanWasRead(t *testing.T) {
	row := func(quantity string) *Credited {
		return &Credited{Deposit: CoinDepositID(chains.ETH, aliceAddress, chains.Amount{}), Symbol: "SWAP.ETH", Quantity: quantity, To: "alice", Tx: "m"}
	}
	wrong := "deposit eth:" + aliceAddress + ":0 was credited as 0.00500000 SWAP.ETH to alice"
	// The row first, and readings that lag.
	e := newEther(t)
	e.final(nil)
	e.do(row("0.00500000"))
	e.reading(reads(aliceAddress, gwei(3_000_000), 0))
	e.wantAlarms(wrong)
	e.final(nil)
	e.reading(reads(aliceAddress, gwei(4_000_000), 0))
	e.wantAlarms(wrong)
	e.final(nil)
	e.reading(reads(aliceAddress, addAmount(gwei(5_000_000), chains.NewAmount(7)), 0))
	e.wantAlarms()
	e.wantTold("alice", "eth:alice:0 5000000000000007 credited")
	e.final(nil)
	e.reading(reads(aliceAddress, gwei(8_000_000), 0))
	e.wantTold("alice", "eth:alice:0 5000000000000007 credited", "eth:alice:5000000000000007 2999999999999993 confirming")
	e.replays(t)

	// Readings first, finer than the row.
	for _, c := range []struct {
		second uint64
		want   []string
	}{
		{5_000_000, []string{"eth:alice:0 5000000000000000 credited", "eth:alice:3000000000000000 0 below_minimum"}},
		{9_000_000, []string{
			"eth:alice:0 5000000000000000 credited", "eth:alice:3000000000000000 0 below_minimum", "eth:alice:5000000000000000 4000000000000000 confirming",
		}},
	} {
		e = newEther(t)
		e.final(nil)
		e.reading(reads(aliceAddress, gwei(3_000_000), 0))
		e.reading(reads(aliceAddress, gwei(c.second), 0))
		d := e.Deposits("alice")[0]
		if strings.HasSuffix(d.ID, ":0") {
			d = e.Deposits("alice")[1]
		}
		e.do(&Minting{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: "alice"})
		e.do(row("0.00500000"))
		got := e.told("alice")
		slices.Sort(got)
		if diff := cmp.Diff(c.want, got); diff != "" {
			t.Errorf("%d: %s", c.second, diff)
		}
		e.wantAlarms()
		e.replays(t)
	}

	// Only a part of it was read, by two readings: the rest follows.
	e = newEther(t)
	e.final(nil)
	e.reading(reads(aliceAddress, gwei(3_000_000), 0))
	e.reading(reads(aliceAddress, gwei(4_000_000), 0))
	e.do(row("0.00500000"))
	e.wantAlarms(wrong)
	e.reading(reads(aliceAddress, gwei(6_000_000), 0))
	e.wantAlarms()
	got := e.told("alice")
	slices.Sort(got)
	want := []string{"eth:alice:0 5000000000000000 credited", "eth:alice:3000000000000000 0 below_minimum", "eth:alice:5000000000000000 1000000000000000 confirming"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
	e.replays(t)
}
