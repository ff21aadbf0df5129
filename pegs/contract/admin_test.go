package contract

import (
	"strings"
	"testing"

	"causeway/sidechain"
	"causeway/sidechain/jsvalue"
)

func (n *network) asset(symbol string) *jsvalue.Object {
	return n.table("pegs_assets").Find1("symbol", symbol)
}

func TestGenesisRows(t *testing.T) {
	n := newNetwork(t)
	row := n.asset("SWAP.BTC")
	want := `{"_id":1,"symbol":"SWAP.BTC","chain":"btc","token":null,"precision":8,"min_deposit":"0.00010000","min_withdrawal":"0.00100000",` +
		`"withdrawal_fee":"0.00020000","fee_max":"0.01000000","supply_cap":"100.00000000","mint_cap":"20.00000000","large_mint":"5.00000000","mint_delay":10,` +
		`"deposits_paused":false,"withdrawals_paused":false,"mints_paused":false,"owed":"0.00000000","minted":"0.00000000"}`
	if got := jsvalue.Stringify(row); got != want {
		t.Errorf("asset %s", got)
	}
	if got := jsvalue.Stringify(firstRow(n.table("pegs_params"))); got !=
		`{"_id":1,"network":"regtest","threshold":1,"fee_account":"pegfees","gate":"peg","admin":"causeway","admin_delay":5}` {
		t.Errorf("params %s", got)
	}
	if got := jsvalue.Stringify(firstRow(n.table("pegs_keys"))); got != `{"_id":1,"chain":"btc","epoch":0,"key":"`+goodKey+`","birthday":0}` {
		t.Errorf("key %s", got)
	}
	if got := jsvalue.Stringify(n.table("pegs_attestors").Find1("account", "att-one")); got != `{"_id":1,"account":"att-one","since":0,"until":null}` {
		t.Errorf("attestor %s", got)
	}
	if token := n.table("tokens_tokens").Find1("symbol", "SWAP.USDC"); text(token, "issuer") != null || number(token, "precision") != 6 {
		t.Errorf("token %s", jsvalue.Stringify(token))
	}
}

func TestAdminChangesWait(t *testing.T) {
	n := newNetwork(t)
	r := n.must("causeway", "setAsset", "symbol", "SWAP.BTC", "withdrawal_fee", "0.001", "mint_delay", 7) // block 1, due 6
	if e := r.event("setAsset"); e == nil || number(e, "due") != 6 {
		t.Error(r.events)
	}
	n.wait(3)
	n.tick()
	if got := text(n.asset("SWAP.BTC"), "withdrawal_fee"); got != "0.00020000" {
		t.Errorf("fee changed at once to %s", got)
	}
	n.tick()
	row := n.asset("SWAP.BTC")
	if text(row, "withdrawal_fee") != "0.00100000" || number(row, "mint_delay") != 7 || text(row, "supply_cap") != "100.00000000" {
		t.Error(jsvalue.Stringify(row))
	}
	// A newer change takes the place of an older one and waits anew.
	n.must("causeway", "setAsset", "symbol", "SWAP.BTC", "withdrawal_fee", "0.5")
	n.wait(2)
	n.must("causeway", "setAsset", "symbol", "SWAP.BTC", "withdrawal_fee", "0.001")
	n.wait(3)
	n.tick()
	n.tick()
	if got := text(n.asset("SWAP.BTC"), "withdrawal_fee"); got != "0.00100000" {
		t.Errorf("fee %s", got)
	}
	if n.table("pegs_votes").Len() != 0 {
		t.Error("changes are left")
	}
}

func TestSetAssetRefusals(t *testing.T) {
	n := newNetwork(t)
	fresh := func(kv ...any) []any {
		return append([]any{"symbol", "SWAP.LTC", "chain", "ltc", "token", nil, "precision", 8, "min_deposit", "0.1", "min_withdrawal", "0.1",
			"withdrawal_fee", "0.01", "fee_max", "0.1", "supply_cap", "1000", "mint_cap", "100", "large_mint", "50", "mint_delay", 100}, kv...)
	}
	for _, c := range []struct {
		want string
		kv   []any
	}{
		{"invalid symbol", []any{}},
		{"invalid symbol", fresh("symbol", "swap.ltc")},
		{"invalid symbol", fresh("symbol", "SWAP.LITECOIN")},
		{"invalid chain", fresh("chain", "xmr")},
		{"invalid token", fresh("token", erc20)},
		{"invalid token", fresh("chain", "eth", "token", "0x12")},
		{"invalid precision", fresh("precision", 9)},
		{"invalid precision", fresh("precision", "8")},
		{"invalid supply_cap", fresh("supply_cap", "-1")},
		{"invalid supply_cap", fresh("supply_cap", "0.000000001")},
		{"invalid mint_cap", fresh("mint_cap", 100)},
		{"invalid mint_delay", fresh("mint_delay", 1.5)},
		{"symbol already exists", fresh("symbol", "BEE")},
		{"the coin has an asset already", fresh("chain", "btc")},
		{"the coin has an asset already", fresh("chain", "eth", "token", strings.ToLower(erc20))},
		{"chain, token and precision of an asset never change", []any{"symbol", "SWAP.BTC", "precision", 7}},
		{"chain, token and precision of an asset never change", []any{"symbol", "SWAP.BTC", "chain", "ltc"}},
		{"chain, token and precision of an asset never change", []any{"symbol", "SWAP.BTC", "token", erc20}},
		{"invalid withdrawal_fee", []any{"symbol", "SWAP.BTC", "withdrawal_fee", "x"}},
	} {
		n.refused(c.want, "causeway", "setAsset", c.kv...)
	}
	for _, who := range []string{"alice", "att-one", "pegfees"} {
		n.refused("must be the admin", who, "setAsset", "symbol", "SWAP.BTC", "withdrawal_fee", "1")
	}
	n.must("causeway", "setAsset", fresh()...)
	n.wait(5)
	n.tick()
	if n.asset("SWAP.LTC") == nil {
		t.Fatal("the asset is not there")
	}
	token := n.table("tokens_tokens").Find1("symbol", "SWAP.LTC")
	if token == nil || text(token, "issuer") != null {
		t.Fatalf("token %s", jsvalue.Stringify(token))
	}
	n.must("att-one", "mint", "id", "ltc:"+hash1+":0", "symbol", "SWAP.LTC", "quantity", "1.00000000", "to", "alice")
	n.wantBalance("alice", "SWAP.LTC", "1")
}

// TestImpossibleChangeIsDropped: a change is checked again when its time
// comes; what happened meanwhile can make it impossible.
func TestImpossibleChangeIsDropped(t *testing.T) {
	n := newNetwork(t)
	n.must("causeway", "setAsset", "symbol", "GOLD", "chain", "ltc", "token", nil, "precision", 8, "min_deposit", "0.1", "min_withdrawal", "0.1",
		"withdrawal_fee", "0.01", "fee_max", "0.1", "supply_cap", "1000", "mint_cap", "100", "large_mint", "50", "mint_delay", 100)
	made := n.block(op{sender: "alice", contract: "tokens", action: "create", payload: jsvalue.NewObject("name", "Gold", "symbol", "GOLD", "precision", 8, "maxSupply", "1000")})[0]
	if len(made.errors) > 0 {
		t.Fatal(made.errors)
	}
	n.wait(5)
	n.tick()
	if n.asset("GOLD") != nil || n.table("pegs_votes").Len() != 0 {
		t.Fatal("somebody's token became a peg, or the change stayed")
	}
	issued := n.block(op{sender: "alice", contract: "tokens", action: "issue", payload: jsvalue.NewObject("symbol", "GOLD", "to", "alice", "quantity", "1")})[0]
	if len(issued.errors) > 0 {
		t.Errorf("the owner cannot issue any more: %v", issued.errors)
	}
}

func TestSetAttestorsRefusals(t *testing.T) {
	n := newNetwork(t)
	for _, c := range []struct {
		want      string
		names     any
		threshold any
	}{
		{"invalid attestors", []jsvalue.Value{}, 1},
		{"invalid attestors", "att-one", 1},
		{"invalid attestors", []string{"att-one", "att-one"}, 1},
		{"invalid attestors", []string{"nobody"}, 1},
		{"invalid attestors", []string{"pegfees"}, 1},
		{"invalid attestors", []string{"null"}, 1},
		{"invalid threshold", []string{"att-one"}, 0},
		{"invalid threshold", []string{"att-one"}, 2},
		{"invalid threshold", []string{"att-one"}, "1"},
	} {
		n.refused(c.want, "causeway", "setAttestors", "attestors", c.names, "threshold", c.threshold)
	}
	n.refused("must be the admin", "att-one", "setAttestors", "attestors", []string{"att-two"}, "threshold", 1)
}

func TestSetKey(t *testing.T) {
	n := newNetwork(t)
	other := "03" + goodKey[2:]
	for _, c := range []struct {
		want, chain, key string
		epoch, birthday  any
	}{
		{"invalid chain", "xmr", other, 1, 0},
		{"the epoch must be the chain's next", "btc", other, 0, 0},
		{"the epoch must be the chain's next", "btc", other, 2, 0},
		{"the epoch must be the chain's next", "ltc", other, 1, 0},
		{"invalid key", "btc", "04" + goodKey[2:], 1, 0},
		{"invalid key", "btc", "02" + strings.Repeat("ff", 32), 1, 0},
		{"invalid key", "btc", "02" + strings.Repeat("00", 31) + "05", 1, 0}, // no point has this x
		{"invalid birthday", "btc", other, 1, -1},
		{"invalid birthday", "btc", other, 1, "0"},
	} {
		n.refused(c.want, "causeway", "setKey", "chain", c.chain, "epoch", c.epoch, "key", c.key, "birthday", c.birthday)
	}
	n.must("causeway", "setKey", "chain", "btc", "epoch", 1, "key", other, "birthday", 700)
	n.wait(5)
	n.tick()
	row := n.table("pegs_keys").Find1("chain+epoch", "btc", 1.0)
	if row == nil || text(row, "key") != other || number(row, "birthday") != 700 || n.table("pegs_keys").Len() != 2 {
		t.Error(jsvalue.Stringify(row))
	}
}

func TestPause(t *testing.T) {
	n := newNetwork(t)
	n.refused("invalid params", "causeway", "pause", "symbol", "SWAP.BTC")
	n.refused("invalid params", "causeway", "pause", "symbol", "SWAP.BTC", "mints", "yes")
	n.refused("symbol is not a pegged token", "causeway", "pause", "symbol", "BEE", "mints", true)
	n.refused("must be the admin", "att-one", "pause", "symbol", "SWAP.BTC", "mints", true)
	n.must("causeway", "pause", "symbol", "SWAP.BTC", "deposits", true, "mints", true)
	n.refused("minting is paused", "att-one", "mint", "id", "btc:"+hash1+":0", "symbol", "SWAP.BTC", "quantity", "1.00000000", "to", "alice")
	n.deposit("SWAP.DOGE", "alice", "1.00000000")
	n.must("causeway", "pause", "mints", true) // all assets
	n.refused("minting is paused", "att-one", "mint", "id", "doge:"+hash1+":0", "symbol", "SWAP.DOGE", "quantity", "1.00000000", "to", "alice")
	n.must("causeway", "pause", "mints", false, "reason", "checked by hand")
	if row := n.asset("SWAP.BTC"); row.Get("deposits_paused") != true || row.Get("mints_paused") != false {
		t.Error(jsvalue.Stringify(row))
	}
}

func TestCollectFees(t *testing.T) {
	n, first, _ := payer(t, func(g *sidechain.Genesis) { g.Assets[0].FeeMax = "0.00010000" }) // fees: 0.0004
	collect := func(symbol, quantity, to string) []any {
		return []any{"symbol", symbol, "quantity", quantity, "to", to}
	}
	n.refused("must be the admin", "att-one", "collectFees", collect("SWAP.BTC", "0.0001", "alice")...)
	n.refused("symbol is not a pegged token", "causeway", "collectFees", collect("BEE", "0.0001", "alice")...)
	n.refused("invalid quantity", "causeway", "collectFees", collect("SWAP.BTC", "0", "alice")...)
	n.refused("overdrawn balance", "causeway", "collectFees", collect("SWAP.BTC", "0.00040001", "alice")...)
	for _, to := range []string{"null", "peg", "pegfees", "tokens"} {
		n.refused("invalid to", "causeway", "collectFees", collect("SWAP.BTC", "0.0001", to)...)
	}
	n.refused("account does not exist", "causeway", "collectFees", collect("SWAP.BTC", "0.0001", "nobody")...)
	// An open batch keeps back what its transaction may cost.
	n.must("att-one", "assign", "batch", "b1", "kind", "payout", "ids", []string{first}, "spends", []string{outpoint(1)})
	n.refused("the fees must cover owed and open costs", "causeway", "collectFees", collect("SWAP.BTC", "0.00030001", "alice")...)
	n.must("causeway", "collectFees", collect("SWAP.BTC", "0.0003", "bob")...)
	n.wantBalance("bob", "SWAP.BTC", "0.0003")
	n.must("att-one", "settle", "batch", "b1", "txid", hash1, "cost", "0.0001")
	n.wantBalance("pegfees", "SWAP.BTC", "0")
	n.supply("SWAP.BTC")
}
