package pegs

import (
	"strings"
	"testing"

	"causeway/chains"
)

// books is the audit of paidBook with what a truthful sidechain says.
func books(t *testing.T) (LedgerView, AssetView, ScannerView) {
	b := paidBook(t)
	b.block([]Payment{pays("dust", 0, "bob", 9_000), pays("waiting", 0, "bob", 30_000)})
	b.queue("w3", 20_000)
	l, _ := b.AuditView(chains.BTC)
	return l, AssetView{
		Asset: testAsset, Supply: "0.00039700", Circulating: "0.000397", FeeAccount: "0.00001", Owed: "0",
		Credited: map[string]string{"btc:t1:0": "0.00100000"},
		Withdrawals: map[string]WithdrawalRow{
			"w1": {Net: "0.0004", Batch: b.Batches()[0].ID}, "w2": {Net: "0.0001", Returned: true}, "w3": {Net: "0.0002"},
		},
		Batches: map[string]BatchRow{b.Batches()[0].ID: {Spends: []chains.Outpoint{at("t1", 0)}, Closed: true, Cost: "0.00000300"}},
	}, l.Scan()
}

func TestAuditBalances(t *testing.T) {
	l, a, c := books(t)
	audit, problems := AuditAsset(l, a, c)
	if !audit.OK || audit.Missing || len(problems) != 0 {
		t.Errorf("problems: %v", problems)
	}
	want := AssetAudit{
		Symbol: "SWAP.BTC", Chain: chains.BTC, Height: l.Block.Height, Block: l.Block.Hash, Supply: "0.00039700",
		PendingWithdrawals: "0.00020000", Uncredited: "0.00039000", Reserves: "0.00098700", InFlight: "0.00000000",
		NetworkFees: "0.00000000", Surplus: "0.00000000", Tolerance: "0.00000000", OK: true,
	}
	if audit != want {
		t.Errorf("audit\n%+v, want\n%+v", audit, want)
	}
}

// Each part that disagrees with the others, or lacks coins, is found.
func TestAuditFindsWhatIsWrong(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(*LedgerView, *AssetView, *ScannerView)
		say    string
	}{
		{"tokens from nowhere", func(_ *LedgerView, a *AssetView, _ *ScannerView) {
			a.Supply, a.Circulating = "0.00039701", "0.00039701"
		}, "coins are missing"},
		{"supply miscounted", func(_ *LedgerView, a *AssetView, _ *ScannerView) { a.Circulating = "0.0004" }, "the token row says"},
		{"credit of nothing", func(_ *LedgerView, a *AssetView, _ *ScannerView) { a.Credited["btc:x:0"] = "0.1" }, "is not in the chain"},
		{"credit of another amount", func(_ *LedgerView, a *AssetView, _ *ScannerView) { a.Credited["btc:t1:0"] = "0.00110000" }, "was credited as"},
		{"credit forgotten", func(_ *LedgerView, a *AssetView, _ *ScannerView) { delete(a.Credited, "btc:t1:0") }, "the ledger takes deposit"},
		{"withdrawal unknown", func(_ *LedgerView, a *AssetView, _ *ScannerView) {
			a.Withdrawals["w4"] = WithdrawalRow{Net: "0.00000001"}
		}, "pending withdrawals"},
		{"fee account empty", func(_ *LedgerView, a *AssetView, _ *ScannerView) { a.Owed = "0.00001001" }, "the fee account holds"},
		{"scanner elsewhere", func(_ *LedgerView, _ *AssetView, c *ScannerView) { c.Block.Hash = "other" }, "the scanner stands at"},
		{"output gone", func(_ *LedgerView, _ *AssetView, c *ScannerView) { c.Items = c.Items[1:] }, "unspent outputs"},
		{"deposit missed", func(_ *LedgerView, _ *AssetView, c *ScannerView) {
			c.Deposits = map[string]chains.Amount{"btc:t1:0": chains.NewAmount(100_000)}
		}, "deposits in the chain"},
		{"fee of another size", func(l *LedgerView, _ *AssetView, c *ScannerView) {
			c.Txs = map[string]ScannedTx{"p1": {Inputs: []chains.Outpoint{at("t1", 0)}, Fee: chains.NewAmount(400)}}
		}, "fee of batch"},
		{"alarm", func(l *LedgerView, _ *AssetView, _ *ScannerView) { l.Unknown = []string{"thieves"} }, "thieves"},
		{"nonsense", func(_ *LedgerView, a *AssetView, _ *ScannerView) { a.Supply = "1e1000000000" }, "supply"},
	} {
		l, a, s := books(t)
		c.change(&l, &a, &s)
		audit, problems := AuditAsset(l, a, s)
		if audit.OK || !strings.Contains(strings.Join(problems, "\n"), c.say) {
			t.Errorf("%s: ok %v, problems %v", c.what, audit.OK, problems)
		}
	}
}

// Before a settlement the miner fee shows as a negative surplus that network
// fees make good, and the inputs of what is under way as in flight.
func TestAuditOnTheWay(t *testing.T) {
	b := newBook(t)
	b.credit("t1", "alice", 100_000)
	b.blocks(1)
	b.queue("w1", 40_000)
	plan := planFor([]string{"w1"}, at("t1", 0))
	b.do(plan)
	b.do(assignedAs(plan))
	b.do(signedAs(plan, "p1", 59_700))
	side := AssetView{
		Asset: testAsset, Supply: "0.00060000", Circulating: "0.0006", FeeAccount: "0.00005", Owed: "0",
		Credited:    map[string]string{"btc:t1:0": "0.00100000"},
		Withdrawals: map[string]WithdrawalRow{"w1": {Net: "0.0004", Batch: plan.Batch}},
		Batches:     map[string]BatchRow{plan.Batch: {Spends: plan.Inputs}},
	}
	l, _ := b.AuditView(chains.BTC)
	if a, problems := AuditAsset(l, side, l.Scan()); !a.OK || a.InFlight != "0.00100000" || a.Reserves != "0.00000000" || a.PendingWithdrawals != "0.00040000" {
		t.Errorf("signed: %+v, %v", a, problems)
	}
	b.block([]Payment{changes("p1", 1, 59_700)}, spends("p1", at("t1", 0))...)
	l, _ = b.AuditView(chains.BTC)
	if a, problems := AuditAsset(l, side, l.Scan()); !a.OK || a.Surplus != "-0.00000300" || a.NetworkFees != "0.00000300" || a.PendingWithdrawals != "0.00000000" {
		t.Errorf("in the chain: %+v, %v", a, problems)
	}
	side.FeeAccount = "0.00000299"
	if a, _ := AuditAsset(l, side, l.Scan()); a.OK || a.Missing {
		t.Errorf("a fee account that cannot pay: %+v", a)
	}
}
