package market_test

import (
	"fmt"
	"strings"
	"testing"

	"causeway/pegs/contract"
	"causeway/sidechain"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/market"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// people trade; each has the same of every token.
var people = []string{"alice", "bob", "carol"}

// pegged are the pegs of the test chain and their decimals.
var pegged = []struct {
	symbol, chain string
	precision     int
}{{"SWAP.BTC", "btc", 8}, {"SWAP.USDC", "eth", 6}, {"SWAP.CENT", "eth", 2}}

// community are the tokens that alice makes, and their decimals.
var community = []struct {
	symbol    string
	precision int
}{{"COOL", 3}, {"FINE", 8}, {"WHOLE", 0}}

// nativePeg is the coin that markets are paid in that name no quote.
const nativePeg = "SWAP.HIVE"

// genesis is that of a chain where nothing costs a fee. With a native peg the
// account "honey" has all of it.
func genesis(native bool) *sidechain.Genesis {
	g := contracttest.Genesis("gate")
	g.Params.TokenCreationFee = "0"
	if native {
		honey := "honey"
		g.BasePeg = &honey
		g.Accounts = append(g.Accounts, sidechain.GenesisAccount{Name: honey})
	}
	for i, p := range pegged {
		fixed := func(s string) string { return jsvalue.Big(s).ToFixedN(p.precision) }
		asset := sidechain.GenesisAsset{
			Symbol: p.symbol, Chain: p.chain, Precision: p.precision,
			MinDeposit: fixed("1"), MinWithdrawal: fixed("1"), WithdrawalFee: "0.00020000", FeeMax: "0.01000000",
			SupplyCap: fixed("1000000000"), MintCap: fixed("1000000000"), LargeMint: fixed("1000000000"), MintDelay: 1,
		}
		if p.chain == "eth" {
			erc20 := fmt.Sprintf("0x%040d", i)
			asset.Token = &erc20
		}
		g.Assets = append(g.Assets, asset)
	}
	return g
}

// open starts a chain on which everybody has 10,000 of every token.
func open(t testing.TB, g *sidechain.Genesis) *contracttest.Chain {
	t.Helper()
	c := contracttest.Open(t, g, tokens.New(), market.New(), contract.New())
	call := func(sender, name, action, format string, args ...any) {
		t.Helper()
		if r := c.Call(sender, name, action, fmt.Sprintf(format, args...)); strings.Contains(r.Logs, "errors") {
			t.Fatalf("%s.%s: %s", name, action, r.Logs)
		}
	}
	for _, k := range community {
		call("alice", "tokens", "create", `{"name":"x","symbol":%q,"precision":%d,"maxSupply":"9007199254740991"}`, k.symbol, k.precision)
	}
	for i, who := range people {
		for _, k := range community {
			call("alice", "tokens", "issue", `{"symbol":%q,"to":%q,"quantity":"10000"}`, k.symbol, who)
		}
		for n, p := range pegged {
			id := fmt.Sprintf("btc:%064x:%d", n, i)
			if p.chain == "eth" {
				id = fmt.Sprintf("eth:0x%064x:%d", n, i)
			}
			call("gateway", "pegs", "mint", `{"id":%q,"symbol":%q,"quantity":%q,"to":%q}`, id, p.symbol, jsvalue.BigInt(10_000).ToFixedN(p.precision), who)
		}
		if g.BasePeg != nil {
			call(*g.BasePeg, "tokens", "transfer", `{"symbol":%q,"to":%q,"quantity":"10000"}`, nativePeg, who)
		}
	}
	return c
}

func text(row *jsvalue.Object, key string) string { return jsvalue.ToString(row.Get(key)) }

// problems are what is wrong with the books: that the contract holds anything
// else than its open orders have locked, that an amount is negative or not
// written with the decimals of its token, that a buy order is worth more than
// it has locked, or that supply was made or lost.
func problems(c *contracttest.Chain) (list []string) {
	wrong := func(format string, args ...any) { list = append(list, fmt.Sprintf(format, args...)) }
	decimals := map[string]int{}
	for _, row := range c.Rows("tokens_tokens") {
		n, _ := row.Number("precision")
		decimals[text(row, "symbol")] = int(n)
	}
	locked := map[string]jsvalue.BigNumber{}
	lock := func(row *jsvalue.Object, symbol, quantity string) {
		n := jsvalue.Big(quantity)
		if n.Lt(jsvalue.BigInt(0)) || n.ToFixedN(decimals[symbol]) != quantity {
			wrong("%s of %s in %s", quantity, symbol, jsvalue.Stringify(row))
		}
		locked[symbol] = locked[symbol].Plus(n)
	}
	for _, row := range c.Rows("market_sellBook") {
		base, _ := marketOf(row)
		lock(row, base, text(row, "quantity"))
	}
	for _, row := range c.Rows("market_buyBook") {
		_, quote := marketOf(row)
		lock(row, quote, text(row, "tokensLocked"))
		worth := jsvalue.Big(text(row, "price")).Times(jsvalue.Big(text(row, "quantity")))
		if worth.Gt(jsvalue.Big(text(row, "tokensLocked"))) {
			wrong("an order that cannot pay: %s", jsvalue.Stringify(row))
		}
	}
	for symbol := range decimals {
		if held := jsvalue.Big(zero(c.ContractBalance(market.Name, symbol))); !held.Eq(locked[symbol]) {
			wrong("the market holds %s %s, its orders have locked %s", held, symbol, locked[symbol])
		}
	}
	return append(list, supply(c)...)
}

// supply compares every token's balances with its circulating supply.
func supply(c *contracttest.Chain) (list []string) {
	sum := map[string]jsvalue.BigNumber{}
	for _, table := range []string{"tokens_balances", "tokens_contractsBalances"} {
		for _, row := range c.Rows(table) {
			n := jsvalue.Big(text(row, "balance"))
			if n.Lt(jsvalue.BigInt(0)) || !n.IsFinite() {
				list = append(list, "negative: "+jsvalue.Stringify(row))
			}
			if text(row, "account") != "null" {
				sum[text(row, "symbol")] = sum[text(row, "symbol")].Plus(n)
			}
		}
	}
	for _, row := range c.Rows("tokens_tokens") {
		if symbol := text(row, "symbol"); !jsvalue.Big(text(row, "circulatingSupply")).Eq(sum[symbol]) {
			list = append(list, fmt.Sprintf("%s: %s circulate, %s are held", symbol, text(row, "circulatingSupply"), sum[symbol]))
		}
	}
	return list
}

// marketOf is the pair of tokens of a row.
func marketOf(row state.Row) (base, quote string) {
	if !row.Has("base") {
		return text(row, "symbol"), nativePeg
	}
	return text(row, "base"), text(row, "quote")
}

func zero(s string) string {
	if s == "" {
		return "0"
	}
	return s
}
