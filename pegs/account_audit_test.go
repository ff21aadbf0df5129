package pegs

import (
	"slices"
	"strings"
	"testing"

	"causeway/chains"
)

// etherBooks is the audit of a chain with a deposit of the coin and of a token, a
// payout that failed and one that is under way, with what a truthful sidechain and
// scanner say.
func etherBooks(t *testing.T) (*ether, map[string]AssetView, ScannerView) {
	e := newEther(t)
	e.final(nil, logTo("0x1", 0, usdc, payeeAddress, aliceAddress, chains.NewAmount(9_000_000)))
	e.reading(reads(aliceAddress, gwei(50_000_000), 0), holds(aliceAddress, usdc, 9_000_000), reads(hotAddress, gwei(30_000_000), 0), holds(hotAddress, usdc, 0))
	e.mint()
	e.owe("w1", "SWAP.ETH", "0.01")
	failed := e.send(e.plan(BatchPayout, hotAddress, "w1"))
	e.final([]Result{e.result(failed, func(r *Result) { r.Failed = true })})
	e.reading(reads(hotAddress, gwei(29_980_000), 1))
	e.owe("w2", "SWAP.ETH", "0.01")
	e.send(e.plan(BatchPayout, hotAddress, "w2"))
	l, _ := e.AuditView(chains.ETH)
	batches := map[string]BatchRow{}
	for _, b := range e.Batches() {
		batches[b.ID] = BatchRow{Kind: b.Kind, Spends: b.Inputs}
	}
	rows := map[string]AssetView{
		"SWAP.ETH": {
			Asset: ethAssets[0], Supply: "0.03100000", Circulating: "0.031", FeeAccount: "0.001", Owed: "0", Batches: batches, Costs: map[string]string{},
			Credited:    map[string]string{"eth:" + aliceAddress + ":0": "0.05000000"},
			Withdrawals: map[string]WithdrawalRow{"w1": {Net: "0.01", Batch: failed.ID}, "w2": {Net: "0.01", Batch: e.Batches()[1].ID}},
		},
		"SWAP.USDC": {
			Asset: ethAssets[1], Supply: "9.000000", Circulating: "9", FeeAccount: "0", Owed: "0", Batches: batches,
			Credited: map[string]string{"eth:0x1:0": "9.000000"}, Withdrawals: map[string]WithdrawalRow{},
		},
	}
	return e, rows, l.Scan()
}

func TestAuditOfAccounts(t *testing.T) {
	e, rows, c := etherBooks(t)
	l, _ := e.AuditView(chains.ETH)
	coin, problems := AuditAsset(l, rows["SWAP.ETH"], c)
	want := AssetAudit{
		Symbol: "SWAP.ETH", Chain: chains.ETH, Height: 1, Block: "e1", Supply: "0.031000000000000000", PendingWithdrawals: "0.020000000000000000",
		Uncredited: "0.000000000000000000", Reserves: "0.069959000000000000", InFlight: "0.010021000000000000",
		NetworkFees: "0.000020000000000000", Surplus: "0.028980000000000000", Tolerance: "0.000000000000000000", OK: true,
	}
	if coin != want {
		t.Errorf("the coin: %+v\n%v", coin, problems)
	}
	token, problems := AuditAsset(l, rows["SWAP.USDC"], c)
	want = AssetAudit{
		Symbol: "SWAP.USDC", Chain: chains.ETH, Height: 1, Block: "e1", Supply: "9.000000", PendingWithdrawals: "0.000000", Uncredited: "0.000000",
		Reserves: "9.000000", InFlight: "0.000000", NetworkFees: "0.000000", Surplus: "0.000000", Tolerance: "0.000000", OK: true,
	}
	if token != want {
		t.Errorf("the token: %+v\n%v", token, problems)
	}
	e.reading(reads(hotAddress, gwei(5_000_000), 1)) // less than what is under way
	if l, _ := e.AuditView(chains.ETH); l.Flying[""] != gwei(5_000_000) || !l.Flying[usdc].IsZero() {
		t.Errorf("in flight %v", l.Flying)
	}
	for _, item := range l.Items {
		if item.Kind == chains.WatchChange || item.Outpoint.TxID != "" {
			t.Errorf("item %+v", item)
		}
	}
}

// Each part that disagrees is found, in the asset that it concerns.
func TestAuditOfAccountsFindsWhatIsWrong(t *testing.T) {
	aliceUSDC := ReceivedKey(strings.ToUpper(aliceAddress), usdc)
	for _, c := range []struct {
		what, symbol string
		change       func(*LedgerView, map[string]AssetView, *ScannerView)
		say          string
	}{
		{"coins came unnoticed", "SWAP.ETH", func(_ *LedgerView, _ map[string]AssetView, c *ScannerView) {
			c.Received[ReceivedKey(aliceAddress, "")] = gwei(50_000_001)
		}, "received by the scanner's word 50000001"},
		{"a deposit of nothing", "SWAP.USDC", func(_ *LedgerView, _ map[string]AssetView, c *ScannerView) {
			c.Received[aliceUSDC] = chains.NewAmount(8_999_999)
		}, "received by the scanner's word 8999999"},
		{"an account holds less", "SWAP.ETH", func(_ *LedgerView, _ map[string]AssetView, c *ScannerView) {
			c.Items = slices.Clone(c.Items)
			c.Items[0].Amount = gwei(1)
		}, "what accounts hold"},
		{"a reading is due", "SWAP.ETH", func(l *LedgerView, _ map[string]AssetView, _ *ScannerView) {
			l.ToReread = []Unread{{hotAddress, ""}}
		}, "1 accounts are still to be read in block 1"},
		{"what failed was taken for paid", "SWAP.ETH", func(_ *LedgerView, _ map[string]AssetView, c *ScannerView) {
			for txid, tx := range c.Txs {
				tx.Failed = false
				c.Txs[txid] = tx
			}
		}, "pending withdrawals"},
		{"a payout that was a cancel", "SWAP.ETH", func(_ *LedgerView, rows map[string]AssetView, c *ScannerView) {
			for txid, tx := range c.Txs {
				tx.Failed, tx.Self = false, true
				c.Txs[txid] = tx
			}
			row := rows["SWAP.ETH"].Withdrawals["w1"]
			row.Returned = true
			rows["SWAP.ETH"].Withdrawals["w1"] = row
		}, "pending withdrawals"},
		{"too much was charged", "SWAP.ETH", func(l *LedgerView, rows map[string]AssetView, c *ScannerView) {
			for txid := range c.Txs {
				rows["SWAP.ETH"].Costs[txid] = "0.05"
			}
		}, "coins are missing"},
		{"tokens from nowhere", "SWAP.USDC", func(_ *LedgerView, rows map[string]AssetView, _ *ScannerView) {
			row := rows["SWAP.USDC"]
			row.Supply, row.Circulating = "9.000001", "9.000001"
			rows["SWAP.USDC"] = row
		}, "coins are missing"},
	} {
		e, rows, scan := etherBooks(t)
		l, _ := e.AuditView(chains.ETH)
		c.change(&l, rows, &scan)
		for symbol, row := range rows {
			audit, problems := AuditAsset(l, row, scan)
			said := strings.Contains(strings.Join(problems, "\n"), c.say)
			if symbol == c.symbol && (audit.OK || !said) || symbol != c.symbol && said {
				t.Errorf("%s, %s: %v", c.what, symbol, problems)
			}
		}
	}
}

// What the scanner says otherwise is to be read again.
func TestReread(t *testing.T) {
	e, _, scan := etherBooks(t)
	l, _ := e.AuditView(chains.ETH)
	if list := l.Reread(scan); len(list) != 0 {
		t.Errorf("reread %v", list)
	}
	scan.Items = append(slices.Clone(scan.Items), Item{Chain: chains.ETH, Address: bobAddress, Kind: chains.WatchDeposit, Amount: gwei(1)})
	scan.Items[0].Amount = gwei(7)
	if list := l.Reread(scan); !slices.Equal(list, []Unread{{accountKey(scan.Items[0].Address), ""}, {bobAddress, ""}}) {
		t.Errorf("reread %v", list)
	}
}
