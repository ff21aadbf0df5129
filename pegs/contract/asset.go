package contract

import (
	seam "causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// asset is a row of assets with the parts that everything needs.
type asset struct {
	row                  state.Row
	symbol, chain, token string // token is "" for the chain's own coin
	precision            int
}

func readAsset(row state.Row) *asset {
	if row == nil {
		return nil
	}
	return &asset{
		row: row, symbol: text(row, "symbol"), chain: text(row, "chain"), token: text(row, "token"),
		precision: int(number(row, "precision")),
	}
}

// amount is a quantity of the row.
func (a *asset) amount(key string) jsvalue.BigNumber { return jsvalue.Big(text(a.row, key)) }

// fixed writes a quantity with exactly the asset's decimals.
func (a *asset) fixed(n jsvalue.BigNumber) string { return n.ToFixedN(a.precision) }

func (a *asset) paused(what string) bool { return a.row.Get(what+"_paused") == true }

func findAsset(ctx seam.Context, symbol string) *asset {
	return readAsset(ctx.Table("assets").Find1("symbol", symbol))
}

// nativeAsset is the peg of a chain's own coin, which costs are burned from.
func nativeAsset(ctx seam.Context, chain string) *asset {
	for row := range ctx.Table("assets").FindAll("chain", chain) {
		if row.Get("token") == nil {
			return readAsset(row)
		}
	}
	return nil
}

// assetOf finds the asset of a symbol, or asserts that there is none.
func (c *call) assetOf(symbol string) (*asset, bool) {
	a := findAsset(c, symbol)
	return a, c.Assert(a != nil, "symbol is not a pegged token")
}

// balance is what an account holds of a token.
func (c *call) balance(account, symbol string) jsvalue.BigNumber {
	row := c.TableOf("tokens", "balances").Find1("account+symbol", account, symbol)
	if row == nil {
		return jsvalue.BigInt(0)
	}
	return jsvalue.Big(text(row, "balance"))
}

// supply is what circulates of a token.
func (c *call) supply(symbol string) jsvalue.BigNumber {
	row := c.TableOf("tokens", "tokens").Find1("symbol", symbol)
	if row == nil {
		return jsvalue.BigInt(0)
	}
	return jsvalue.Big(text(row, "circulatingSupply"))
}

// transfer moves tokens by the tokens contract's own transfer.
func (c *call) transfer(from, to, symbol, quantity string) bool {
	return c.CallAs(from, "tokens", "transfer", jsvalue.NewObject(
		"to", to, "symbol", symbol, "quantity", quantity, "isSignedWithActiveKey", true)).OK()
}

// issue makes tokens: the only call in the chain that makes pegged tokens.
func (c *call) issue(to, symbol, quantity string) bool {
	return c.CallAs(null, "tokens", "issue", jsvalue.NewObject(
		"to", to, "symbol", symbol, "quantity", quantity, "isSignedWithActiveKey", true)).OK()
}

// receiverProblem says why tokens must not be minted to or collected by an
// account.
func (c *call) receiverProblem(to string) string {
	switch {
	case !seam.IsValidAccountName(c, to):
		return "invalid to"
	case to == null, to == text(c.params, "fee_account"), to == text(c.params, "gate"), c.ContractExists(to):
		return "invalid to"
	case !c.AccountExists(to):
		return "account does not exist"
	}
	return ""
}
