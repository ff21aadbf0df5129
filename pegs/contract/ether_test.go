package contract

import (
	"strings"
	"testing"

	"causeway/sidechain"
	"causeway/sidechain/jsvalue"
)

const (
	dai         = "0x07865c6E87B9F70255377e024ace6630C1Eaa37F"
	etherWallet = "0x5aaeb6053f3e94c9b9a09f33669435e7ef1beaed"
)

// withDAI adds a second token, of eight decimals, to the genesis.
func withDAI(g *sidechain.Genesis) {
	token, more := dai, g.Assets[len(g.Assets)-2]
	more.Symbol, more.Token = "SWAP.DAI", &token
	g.Assets = append(g.Assets, more)
}

// What names a deposit on Ethereum: an address with what it had received before,
// for a token a log. The id is taken once, whatever the asset.
func TestEtherDepositIDs(t *testing.T) {
	n := newNetwork(t, withDAI)
	address, log := "eth:0x"+hash1[24:], "eth:0x"+hash1
	for _, c := range []struct{ want, id, symbol, quantity string }{
		{"", address + ":0", "SWAP.ETH", "0.10000000"},
		{"deposit already credited", address + ":0", "SWAP.ETH", "0.20000000"},
		{"", address + ":1", "SWAP.ETH", "0.10000000"},
		{"", address + ":1" + strings.Repeat("0", 77), "SWAP.ETH", "0.10000000"},
		{"invalid id", address + ":1" + strings.Repeat("0", 78), "SWAP.ETH", "0.10000000"},
		{"invalid id", address + ":01", "SWAP.ETH", "0.10000000"},
		{"invalid id", address + ":-1", "SWAP.ETH", "0.10000000"},
		{"invalid id", "eth:0x" + strings.ToUpper(hash1[24:]) + ":2", "SWAP.ETH", "0.10000000"},
		{"invalid id", "eth:" + hash1[24:] + ":2", "SWAP.ETH", "0.10000000"},
		{"the id is not of a deposit of this asset", log + ":0", "SWAP.ETH", "0.10000000"},
		{"the id is not of a deposit of this asset", "btc:" + hash1 + ":0", "SWAP.ETH", "0.10000000"},
		{"the id is not of a deposit of this asset", address + ":7", "SWAP.DAI", "0.10000000"},
		{"", log + ":0", "SWAP.DAI", "0.10000000"},
		{"deposit already credited", log + ":0", "SWAP.USDC", "0.100000"},
		{"", log + ":999999", "SWAP.USDC", "0.100000"},
		{"invalid id", log + ":1000000", "SWAP.USDC", "0.100000"},
		{"quantity must have exactly the token's decimals", log + ":1", "SWAP.USDC", "0.10000000"},
	} {
		kv := []any{"id", c.id, "symbol", c.symbol, "quantity", c.quantity, "to", "alice"}
		if c.want == "" {
			n.must("att-one", "mint", kv...)
		} else {
			n.refused(c.want, "att-one", "mint", kv...)
		}
	}
	for _, symbol := range []string{"SWAP.ETH", "SWAP.USDC", "SWAP.DAI"} {
		n.supply(symbol)
	}
}

// A row's token stands in small letters, however genesis or the admin write it; the
// same token in other letters is the same token.
func TestTokensInSmallLetters(t *testing.T) {
	n := newNetwork(t, withDAI)
	for symbol, want := range map[string]string{"SWAP.USDC": strings.ToLower(erc20), "SWAP.DAI": strings.ToLower(dai)} {
		if got := text(n.asset(symbol), "token"); got != want {
			t.Errorf("%s: %s", symbol, got)
		}
	}
	n.must("causeway", "setAsset", "symbol", "SWAP.USDC", "token", erc20, "withdrawal_fee", "0.0003")
	n.refused("chain, token and precision of an asset never change", "causeway", "setAsset", "symbol", "SWAP.USDC", "token", dai)
	n.refused("chain, token and precision of an asset never change", "causeway", "setAsset", "symbol", "SWAP.USDC", "token", nil)
	n.wait(5)
	n.tick()
	if row := n.asset("SWAP.USDC"); text(row, "withdrawal_fee") != "0.00030000" || text(row, "token") != strings.ToLower(erc20) {
		t.Error(jsvalue.Stringify(row))
	}
	for _, to := range []string{erc20, strings.ToLower(erc20)} {
		n.refused("invalid address: the token's own contract", "alice", "withdraw", "symbol", "SWAP.USDC", "quantity", "1", "address", to)
	}
}

// A token's fee is in the coin's peg, whatever the token is worth: its net is the
// quantity, maxFee is held against the fee, and without the coin nothing is burned.
func TestTokenWithdrawalFee(t *testing.T) {
	n := newNetwork(t, withDAI)
	n.must("att-one", "mint", "id", "eth:0x"+hash1+":3", "symbol", "SWAP.DAI", "quantity", "0.90000000", "to", "alice")
	n.deposit("SWAP.ETH", "alice", "0.00030000")
	n.refused("the fee is higher than maxFee", "alice", "withdraw", "symbol", "SWAP.DAI", "quantity", "0.5", "address", etherWallet, "maxFee", "0.0001")
	id := n.must("alice", "withdraw", "symbol", "SWAP.DAI", "quantity", "0.5", "address", etherWallet, "maxFee", "0.0002").id
	row := n.table("pegs_withdrawals").Get(jsvalue.NewObject("id", id))
	if text(row, "net") != "0.50000000" || text(row, "quantity") != "0.50000000" || text(row, "fee") != "0.00020000" || text(row, "address") != etherWallet {
		t.Error(jsvalue.Stringify(row))
	}
	n.refused("overdrawn balance", "alice", "withdraw", "symbol", "SWAP.DAI", "quantity", "0.3", "address", etherWallet)
	n.wantBalance("alice", "SWAP.DAI", "0.4")
	n.wantBalance("alice", "SWAP.ETH", "0.0001")
	n.wantBalance("pegfees", "SWAP.ETH", "0.0002")
	n.supply("SWAP.DAI")
	n.supply("SWAP.ETH")
}

// One transaction of an account has one nonce and pays one withdrawal; a nonce is
// never free again, and a cancel shares that of its batch.
func TestEtherAssigns(t *testing.T) {
	n := newNetwork(t)
	n.deposit("SWAP.ETH", "alice", "1.00000000")
	first := n.must("alice", "withdraw", "symbol", "SWAP.ETH", "quantity", "0.1", "address", ethAddress).id
	second := n.must("alice", "withdraw", "symbol", "SWAP.ETH", "quantity", "0.1", "address", ethAddress).id
	hot, none := "0x"+hash1[24:], []jsvalue.Value{}
	pay := func(batch string, ids []string, spends ...string) []any {
		return []any{"batch", batch, "kind", "payout", "ids", ids, "spends", spends}
	}
	own := func(batch, kind string, spends ...string) []any {
		return []any{"batch", batch, "kind", kind, "chain", "eth", "ids", none, "spends", spends}
	}
	n.refused("invalid spends", "att-one", "assign", pay("b1", []string{first}, hot+":0", hot+":1")...)
	n.refused("invalid spends", "att-one", "assign", pay("b1", []string{first}, hot+":4294967296")...)
	n.refused("invalid spends", "att-one", "assign", pay("b1", []string{first}, hot+":00")...)
	n.refused("a transaction of an account pays one withdrawal", "att-one", "assign", pay("b1", []string{first, second}, hot+":0")...)
	n.must("att-one", "assign", pay("b1", []string{first}, hot+":0")...)
	n.must("att-one", "assign", own("s1", "sweep", hot+":4294967295")...)
	n.must("att-one", "assign", own("c1", "cancel", hot+":0")...)
	n.refused("an input belongs to another batch", "att-one", "assign", own("c2", "cancel", hot+":0")...)
	// The cancel is mined: the payout is released and given back.
	n.must("att-one", "cost", "chain", "eth", "txid", "0x"+hash1, "amount", "0.000021", "batch", "c1")
	n.must("att-one", "release", "id", first, "proof", "0x…:0 is spent by another")
	n.must("att-one", "giveBack", "id", first, "reason", "cancelled")
	n.refused("an input belongs to another batch", "att-one", "assign", pay("b2", []string{second}, hot+":0")...)
	// A sweep that failed is released, and its gas is charged without a batch.
	n.must("att-one", "release", "id", "s1", "proof", "status 0")
	n.must("att-one", "cost", "chain", "eth", "txid", "0x"+txHash(9), "amount", "0.00003")
	n.refused("an input belongs to another batch", "att-one", "assign", pay("b2", []string{second}, hot+":4294967295")...)
	n.supply("SWAP.ETH")
}
