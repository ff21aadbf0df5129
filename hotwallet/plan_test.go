package hotwallet

import (
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"testing"

	"causeway/chains"
	"causeway/chains/bitcoin"
	"causeway/chains/utxo"

	"github.com/google/go-cmp/cmp"
)

func testCoin(t testing.TB) *utxo.Coin {
	t.Helper()
	coin, err := bitcoin.New(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	return coin
}

func changeScript(t testing.TB) []byte {
	t.Helper()
	script, err := testWallet(t, chains.Regtest).ChangeScript(chains.BTC, 0)
	if err != nil {
		t.Fatal(err)
	}
	return script
}

// payeeScripts has one of every standard form.
func payeeScripts() map[string][]byte {
	scripts := map[string][]byte{}
	for name, text := range map[string]string{
		"p2pkh":  "76a914" + "11223344556677889900112233445566778899aa" + "88ac",
		"p2sh":   "a914" + "21223344556677889900112233445566778899aa" + "87",
		"p2wpkh": "0014" + "31223344556677889900112233445566778899aa",
		"p2wsh":  "0020" + "4122334455667788990011223344556677889900112233445566778899001122",
		"p2tr":   "5120" + "79be667ef9dcbbac55a06295ce870b07029bfcdb2dce28d959f2815b16f81798",
		"future": "5214" + "51223344556677889900112233445566778899aa",
	} {
		scripts[name], _ = hex.DecodeString(text)
	}
	return scripts
}

func fakeTxID(n int) string { return fmt.Sprintf("%064x", n+1) }

// ownCoin is a confirmed deposit of that many satoshi on our change script.
func ownCoin(script []byte, n int, sat uint64) Coin {
	return Coin{
		Outpoint: chains.Outpoint{TxID: fakeTxID(n), Index: uint32(n % 3)},
		Amount:   chains.NewAmount(sat), Script: script, Depth: 10,
		Watch: chains.Watch{Kind: chains.WatchChange},
	}
}

func testCaps() Caps {
	return Caps{MaxFee: chains.NewAmount(50_000_000), MaxRate: 2_000_000}
}

// input is a plan input of the given coins and one P2WPKH payee.
func planInput(t testing.TB, pay uint64, coins ...uint64) PlanInput {
	in := PlanInput{
		Chain: testCoin(t), Batch: "batch-1", FeeRate: 1000, Caps: testCaps(), LockTime: 700,
		Eligible: Eligible{ForeignDepth: 8}, ChangeScript: changeScript(t),
		Payees: []Payee{{ID: "w1", Script: payeeScripts()["p2wpkh"], Amount: chains.NewAmount(pay)}},
	}
	for i, sat := range coins {
		in.Coins = append(in.Coins, ownCoin(in.ChangeScript, i, sat))
	}
	return in
}

func inputAmounts(p *Plan) []uint64 {
	var out []uint64
	for _, c := range p.Inputs {
		v, _ := c.Amount.Uint64()
		out = append(out, v)
	}
	slices.Sort(out)
	return out
}

func TestSelection(t *testing.T) {
	many := make([]uint64, 1002)
	for i := range many {
		many[i] = uint64(1000 + i)
	}
	many[500] = 1_000_000
	for _, test := range []struct {
		name  string
		coins []uint64
		pay   uint64
		want  []uint64
	}{
		{"smallest that is enough", []uint64{50_000, 9_000, 20_000, 30_000}, 15_000, []uint64{20_000}},
		{"largest first", []uint64{5_000, 9_000, 7_000, 6_000}, 14_000, []uint64{7_000, 9_000}},
		{"exactly enough", []uint64{15_110}, 15_000, []uint64{15_110}},
		{"dust of the pool is not spent", []uint64{68, 60, 5_000, 11_000}, 14_000, []uint64{5_000, 11_000}},
		{"a pool of 1000 is not padded", append(slices.Repeat([]uint64{5_000}, 999), 100_000), 50_000, []uint64{100_000}},
		{"a larger one is", many, 500_000, []uint64{1_000, 1_001, 1_000_000}},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := NewPlan(planInput(t, test.pay, test.coins...))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, inputAmounts(p)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestChange(t *testing.T) {
	// One P2WPKH input, one P2WPKH output: 110 vbytes; with change 141.
	for _, test := range []struct {
		name        string
		coin        uint64
		fee, change uint64
	}{
		{"none left", 10_110, 110, 0},
		{"dust goes to the fee", 10_110 + 31 + 293, 110 + 31 + 293, 0},
		{"the least change", 10_110 + 31 + 294, 141, 294},
		{"plenty", 1_000_000, 141, 989_859},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := NewPlan(planInput(t, 10_000, test.coin))
			if err != nil {
				t.Fatal(err)
			}
			_, change, ok := p.Change()
			if p.Fee != chains.NewAmount(test.fee) || change != chains.NewAmount(test.change) || ok != (test.change > 0) {
				t.Errorf("fee %s, change %s", p.Fee, change)
			}
		})
	}
}

func TestPlanErrors(t *testing.T) {
	dusty := planInput(t, 10_000, 100_000)
	dusty.Payees = append(dusty.Payees,
		Payee{ID: "w3", Script: payeeScripts()["p2wpkh"], Amount: chains.NewAmount(293)},
		Payee{ID: "w2", Script: payeeScripts()["p2pkh"], Amount: chains.NewAmount(545)},
		Payee{ID: "w4", Script: payeeScripts()["p2pkh"], Amount: chains.NewAmount(546)})
	change := func(f func(*PlanInput)) PlanInput {
		in := planInput(t, 10_000, 100_000)
		f(&in)
		return in
	}
	for _, test := range []struct {
		name string
		in   PlanInput
		want ErrorKind
	}{
		{"no coins", planInput(t, 10_000), ErrInsufficient},
		{"one satoshi short", planInput(t, 10_000, 10_109), ErrInsufficient},
		{"too many inputs", planInput(t, 2_000_000, slices.Repeat([]uint64{1_000}, 3_000)...), ErrTooLarge},
		{"dust", dusty, ErrDust},
		{"zero", planInput(t, 0, 10_000), ErrDust},
		{"rate cap", change(func(in *PlanInput) { in.FeeRate = in.Caps.MaxRate + 1 }), ErrFeeCap},
		{"no cap", change(func(in *PlanInput) { in.Caps = Caps{} }), ErrFeeCap},
		{"fee cap", change(func(in *PlanInput) { in.Caps.MaxFee = chains.NewAmount(140) }), ErrFeeCap},
		{"size cap", change(func(in *PlanInput) { in.Caps.MaxVSize = 100 }), ErrTooLarge},
		{"zero rate", change(func(in *PlanInput) { in.FeeRate = 0 }), ErrBadPlan},
		{"lock time", change(func(in *PlanInput) { in.LockTime = 500_000_000 }), ErrBadPlan},
		{"no batch", change(func(in *PlanInput) { in.Batch = "" }), ErrBadPlan},
		{"no payees", change(func(in *PlanInput) { in.Payees = nil }), ErrBadPlan},
		{"payee twice", change(func(in *PlanInput) { in.Payees = append(in.Payees, in.Payees[0]) }), ErrBadPlan},
		{"payee without id", change(func(in *PlanInput) { in.Payees[0].ID = "" }), ErrBadPlan},
		{"payee without script", change(func(in *PlanInput) { in.Payees[0].Script = nil }), ErrBadPlan},
		{"amount out of range", change(func(in *PlanInput) { in.Payees[0].Amount = chains.NewAmount(1 << 63) }), ErrBadPlan},
		{"change elsewhere", change(func(in *PlanInput) { in.ChangeScript = payeeScripts()["p2pkh"] }), ErrBadPlan},
		{"coin elsewhere", change(func(in *PlanInput) { in.Coins[0].Script = payeeScripts()["p2tr"] }), ErrBadPlan},
		{"txid", change(func(in *PlanInput) { in.Coins[0].TxID = "FF" }), ErrBadPlan},
		{"coin listed twice", func() PlanInput {
			in := planInput(t, 10_000, 6_000)
			in.Coins = append(in.Coins, in.Coins[0])
			return in
		}(), ErrBadPlan},
	} {
		t.Run(test.name, func(t *testing.T) {
			p, err := NewPlan(test.in)
			var typed *PlanError
			if p != nil || !errors.Is(err, test.want) || !errors.As(err, &typed) {
				t.Fatalf("got %v, want %v", err, test.want)
			}
			if test.want == ErrInsufficient && !typed.Have.Less(typed.Need) {
				t.Errorf("need %s, have %s", typed.Need, typed.Have)
			}
			if test.name == "dust" && !slices.Equal(typed.IDs, []string{"w2", "w3"}) {
				t.Errorf("dusty payees %v", typed.IDs)
			}
		})
	}
}

func TestEligible(t *testing.T) {
	coin := func(f func(*Coin)) Coin {
		c := ownCoin(changeScript(t), 0, 100_000)
		f(&c)
		return c
	}
	for _, test := range []struct {
		name        string
		coin        Coin
		unconfirmed bool
		want        bool
	}{
		{"foreign, deep", coin(func(c *Coin) { c.Depth = 8 }), false, true},
		{"foreign, shallow", coin(func(c *Coin) { c.Depth = 7 }), true, false},
		{"foreign, unconfirmed", coin(func(c *Coin) { c.Depth, c.Ancestors = 0, 1 }), true, false},
		{"change, confirmed", coin(func(c *Coin) { c.Depth, c.Own = 1, true }), false, true},
		{"change, unconfirmed", coin(func(c *Coin) { c.Depth, c.Own, c.Ancestors = 0, true, 20 }), true, true},
		{"change, not allowed", coin(func(c *Coin) { c.Depth, c.Own, c.Ancestors = 0, true, 1 }), false, false},
		{"change, ancestors unknown", coin(func(c *Coin) { c.Depth, c.Own = 0, true }), true, false},
		{"change, long chain", coin(func(c *Coin) { c.Depth, c.Own, c.Ancestors = 0, true, 21 }), true, false},
		{"change, heavy chain", coin(func(c *Coin) { c.Depth, c.Own, c.Ancestors, c.AncestorSize = 0, true, 2, 90_001 }), true, false},
		{"coinbase, immature", coin(func(c *Coin) { c.Coinbase, c.Depth = true, 99 }), false, false},
		{"coinbase, mature", coin(func(c *Coin) { c.Coinbase, c.Depth = true, 100 }), false, true},
	} {
		t.Run(test.name, func(t *testing.T) {
			in := planInput(t, 10_000)
			in.Coins, in.Eligible.OwnUnconfirmed = []Coin{test.coin}, test.unconfirmed
			_, err := NewPlan(in)
			if (err == nil) != test.want || err != nil && !errors.Is(err, ErrInsufficient) {
				t.Errorf("%v", err)
			}
		})
	}
	t.Run("confirmed coins come first", func(t *testing.T) {
		in := planInput(t, 10_000, 50_000, 20_000)
		in.Eligible.OwnUnconfirmed = true
		in.Coins[1].Depth, in.Coins[1].Own, in.Coins[1].Ancestors = 0, true, 1
		p, err := NewPlan(in)
		if err != nil || p.Inputs[0].Depth == 0 {
			t.Errorf("spends unconfirmed change (%v)", err)
		}
	})
}

func TestClamp(t *testing.T) {
	for _, test := range []struct {
		estimate chains.FeeRate
		ok       bool
		want     chains.FeeRate
	}{
		{5_000, true, 5_000}, {0, true, 3_000}, {9_000, false, 3_000}, {1, true, 1_000},
		{1_000_000_000, true, 100_000}, {^chains.FeeRate(0), true, 100_000},
	} {
		if got := Clamp(test.estimate, test.ok, 1_000, 100_000, 3_000); got != test.want {
			t.Errorf("%d %v: got %d, want %d", test.estimate, test.ok, got, test.want)
		}
	}
	if got := Clamp(5_000, true, 9_000, 4_000, 1); got != 4_000 {
		t.Errorf("the cap does not win: %d", got)
	}
}

func TestBumpRefuses(t *testing.T) {
	in := planInput(t, 10_000, 10_110)
	p, err := NewPlan(in)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Bump(BumpInput{Chain: in.Chain, Previous: p, FeeRate: 5_000, Caps: in.Caps}); !errors.Is(err, ErrNoChange) {
		t.Errorf("no change left: %v", err)
	}
	mainnet, err := bitcoin.New(chains.Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Bump(BumpInput{Chain: mainnet, Previous: p, FeeRate: 5_000, Caps: in.Caps}); !errors.Is(err, ErrBadPlan) {
		t.Errorf("another network: %v", err)
	}
}

func BenchmarkPlan(b *testing.B) {
	for _, n := range []int{1_000, 100_000} {
		b.Run(fmt.Sprintf("coins=%d", n), func(b *testing.B) {
			in := planInput(b, 30_000)
			for i := range n {
				in.Coins = append(in.Coins, ownCoin(in.ChangeScript, i, uint64(1_000+i*7919%90_000)))
			}
			in.Payees = nil
			for i := range 100 {
				in.Payees = append(in.Payees, Payee{
					ID: fmt.Sprint(i), Script: payeeScripts()["p2wpkh"], Amount: chains.NewAmount(uint64(10_000 + i)),
				})
			}
			b.ReportAllocs()
			for b.Loop() {
				if _, err := NewPlan(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
