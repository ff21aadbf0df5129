package model

import (
	"maps"
	"math/big"
	"slices"
	"strings"
	"testing"
)

// etherSample is a world in which 5,003 came in for alice at a peg of one unit to
// ten, who burned 300 units, of which 2,900 are paid; the sweep cost 7, the payout 9.
func etherSample() (AccountWorld, AccountClaim) {
	n := big.NewInt
	in := Transfer{ID: "in", From: "else", To: "deposit", Value: n(5003), Fee: n(1)}
	sweep := Transfer{ID: "sweep", From: "deposit", To: "hot", Value: n(4900), Fee: n(7)}
	out := Transfer{ID: "out", From: "hot", To: "payee", Value: n(2900), Fee: n(9)}
	w := AccountWorld{
		Chain: []Transfer{in, sweep, out}, Sent: []Transfer{sweep, out}, Deposits: map[string]string{"deposit": "alice"},
		Balances: map[Holder]*big.Int{{"deposit", ""}: n(96), {"hot", ""}: n(1991)},
		Burns:    []AccountBurn{{ID: "burn", Account: "alice", Symbol: "ETH", Payee: "payee", Quantity: 300, Back: 290, Net: n(2900)}},
		Assets:   []Asset{{Symbol: "ETH", Unit: n(10), Minimum: 100}},
	}
	c := AccountClaim{
		FeeAccount: "fees", Balances: map[string]map[string]int64{"ETH": {"alice": 200, "fees": 8}}, Supply: map[string]int64{"ETH": 208},
		Deposits: []AccountDeposit{{ID: "eth:deposit:0", Address: "deposit", Account: "alice", State: "credited", Amount: n(5003)}},
		Rows:     map[string]Credit{"eth:deposit:0": {"alice", 500}}, Settled: map[string]string{"burn": "out"}, Returned: map[string]bool{},
		Items: map[Holder]*big.Int{{"deposit", ""}: n(96), {"hot", ""}: n(1991)},
	}
	return w, c
}

func TestJudgeAccounts(t *testing.T) {
	w, c := etherSample()
	if faults := JudgeAccounts(w, c); len(faults) > 0 {
		t.Fatal(faults)
	}
	n := big.NewInt
	for name, test := range map[string]struct {
		change func(*AccountWorld, *AccountClaim)
		want   string
	}{
		"not credited":     {func(_ *AccountWorld, c *AccountClaim) { c.Rows, c.Deposits[0].State = nil, "confirming" }, "is not credited"},
		"row missing":      {func(_ *AccountWorld, c *AccountClaim) { c.Rows = nil }, "credited by the contract: false"},
		"not seen":         {func(_ *AccountWorld, c *AccountClaim) { c.Deposits[0].Amount = n(5002) }, "deposits come to 5002"},
		"seen too much":    {func(_ *AccountWorld, c *AccountClaim) { c.Deposits[0].Amount = n(5004) }, "deposits come to 5004"},
		"credited twice":   {func(_ *AccountWorld, c *AccountClaim) { c.Rows["other"] = Credit{"alice", 1} }, "which is no deposit"},
		"to another":       {func(_ *AccountWorld, c *AccountClaim) { c.Rows["eth:deposit:0"] = Credit{"bob", 500} }, "as 500 to bob"},
		"other amount":     {func(_ *AccountWorld, c *AccountClaim) { c.Rows["eth:deposit:0"] = Credit{"alice", 501} }, "as 501 to alice"},
		"balance":          {func(_ *AccountWorld, c *AccountClaim) { c.Balances["ETH"]["alice"]++ }, "alice holds 201"},
		"balance of bob":   {func(_ *AccountWorld, c *AccountClaim) { c.Balances["ETH"]["bob"] = 1 }, "out of nothing"},
		"supply":           {func(_ *AccountWorld, c *AccountClaim) { c.Supply["ETH"]++ }, "supply is said"},
		"never paid":       {func(w *AccountWorld, _ *AccountClaim) { w.Chain[2].Failed = true }, "by 0 transactions"},
		"paid too little":  {func(w *AccountWorld, _ *AccountClaim) { w.Chain[2].Value = n(2899) }, "was paid 2899"},
		"settled by other": {func(_ *AccountWorld, c *AccountClaim) { c.Settled["burn"] = "in" }, "settled is \"in\""},
		"never burned":     {func(_ *AccountWorld, c *AccountClaim) { c.Settled["other"] = "in" }, "never burned"},
		"reserves":         {func(_ *AccountWorld, c *AccountClaim) { c.Items[Holder{"hot", ""}] = n(1990) }, "said to be 1990"},
		"stolen":           {func(w *AccountWorld, _ *AccountClaim) { w.Balances[Holder{"hot", ""}] = n(1890) }, "reserves of 1986"},
		"others' reserves": {func(_ *AccountWorld, c *AccountClaim) { c.Items[Holder{"else", ""}] = n(1) }, "never was"},
		"fees":             {func(_ *AccountWorld, c *AccountClaim) { c.Balances["ETH"]["fees"]++ }, "and 10 was charged"},
		"two nonces": {func(w *AccountWorld, _ *AccountClaim) {
			again := w.Sent[1]
			again.ID, again.Nonce = "again", 1
			w.Sent = append(w.Sent, again)
		}, "can all be mined"},
		"waiting": {func(w *AccountWorld, _ *AccountClaim) {
			w.Sent = append(w.Sent, Transfer{ID: "late", From: "hot", To: "deposit", Nonce: 1, Value: n(1)})
		}, "can still be mined"},
		"gap":        {func(w *AccountWorld, _ *AccountClaim) { w.Chain[2].Nonce = 1 }, "used nonce 1 after 0"},
		"never sent": {func(w *AccountWorld, _ *AccountClaim) { w.Sent = w.Sent[1:] }, "never sent"},
		"given back and paid": {func(_ *AccountWorld, c *AccountClaim) {
			c.Returned["burn"], c.Balances["ETH"]["alice"] = true, 490
		}, "was given back, and is paid by"},
		"given back alive": {func(w *AccountWorld, c *AccountClaim) {
			c.Returned["burn"], w.Chain = true, w.Chain[:2]
		}, "can still be mined"},
	} {
		t.Run(name, func(t *testing.T) {
			w, c := etherSample()
			w.Chain, w.Sent, c.Deposits = slices.Clone(w.Chain), slices.Clone(w.Sent), slices.Clone(c.Deposits)
			c.Rows, c.Items, c.Settled = maps.Clone(c.Rows), maps.Clone(c.Items), maps.Clone(c.Settled)
			test.change(&w, &c)
			if faults := JudgeAccounts(w, c); !strings.Contains(strings.Join(faults, "\n"), test.want) {
				t.Errorf("%q, not %q", faults, test.want)
			}
		})
	}
}

// TestJudgeTokens: what came without an event may be credited or not, never more.
func TestJudgeTokens(t *testing.T) {
	n := big.NewInt
	for _, c := range []struct {
		logged bool
		amount int64
		ok     bool
	}{{true, 70, true}, {true, 69, false}, {true, 71, false}, {false, 0, true}, {false, 70, true}, {false, 71, false}} {
		w := AccountWorld{
			Chain:    []Transfer{{ID: "in", From: "else", To: "coin", Value: n(0), Fee: n(1), Token: "coin", Payee: "deposit", Units: n(70), Logged: c.logged}},
			Deposits: map[string]string{"deposit": "alice"}, Balances: map[Holder]*big.Int{{"deposit", "coin"}: n(70)},
			Assets: []Asset{{Symbol: "ETH", Unit: n(10)}, {Symbol: "USD", Token: "coin", Unit: n(1), Minimum: 1}},
		}
		claim := AccountClaim{
			Balances: map[string]map[string]int64{"USD": {"alice": c.amount}}, Supply: map[string]int64{"USD": c.amount},
			Items: map[Holder]*big.Int{{"deposit", "coin"}: n(70)}, Rows: map[string]Credit{},
		}
		if c.amount > 0 {
			claim.Deposits = []AccountDeposit{{ID: "id", Address: "deposit", Token: "coin", Account: "alice", State: "credited", Amount: n(c.amount)}}
			claim.Rows["id"] = Credit{"alice", c.amount}
		}
		if faults := JudgeAccounts(w, claim); (len(faults) == 0) != c.ok {
			t.Errorf("%+v: %q", c, faults)
		}
		if faults := Overcredited(w, claim); (len(faults) == 0) != (c.amount <= 70) {
			t.Errorf("%+v, under way: %q", c, faults)
		}
	}
}
