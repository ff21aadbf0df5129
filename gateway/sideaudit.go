package gateway

import (
	"fmt"

	"causeway/chains"
	"causeway/pegs"
	"causeway/sidechain/state"
)

// heldFields are the members of a row of balances that count as supply.
var heldFields = []string{"balance", "stake", "pendingUnstake", "delegationsOut", "pendingUndelegations"}

// AuditView implements SideState: the supply is added up from the rows of all
// users and contracts, and held against the token's own count by the audit.
func (e *engineState) AuditView(asset pegs.Asset) (v pegs.AssetView, err error) {
	v = pegs.AssetView{
		Asset: asset, Circulating: "0",
		Credited: map[string]string{}, Withdrawals: map[string]pegs.WithdrawalRow{}, Batches: map[string]pegs.BatchRow{},
		Costs: map[string]string{},
	}
	v.FeeAccount, v.Owed = e.FeeAccount(asset.Symbol)
	tables := e.engine.DB().Tables()
	if row := tables.Table("tokens_tokens").Find1("symbol", asset.Symbol); row != nil {
		v.Circulating = textOf(row, "circulatingSupply")
	}
	var supply chains.Amount
	for _, name := range []string{"tokens_balances", "tokens_contractsBalances"} {
		if supply, err = addHeld(supply, tables.Table(name), asset); err != nil {
			return v, err
		}
	}
	v.Supply = supply.Coin(asset.Precision)
	for row := range e.table("deposits").All() {
		if textOf(row, "symbol") == asset.Symbol {
			v.Credited[textOf(row, "id")] = textOf(row, "quantity")
		}
	}
	for row := range e.table("withdrawals").All() {
		if textOf(row, "symbol") == asset.Symbol {
			v.Withdrawals[textOf(row, "id")] = pegs.WithdrawalRow{
				Net: textOf(row, "net"), Returned: textOf(row, "state") == rowReturned, Batch: textOf(row, "batch"),
			}
		}
	}
	for row := range e.table("costs").All() {
		if textOf(row, "chain") == string(asset.Chain) && row.Get("batch") == nil {
			v.Costs[textOf(row, "txid")] = textOf(row, "amount")
		}
	}
	batches, err := e.Batches(asset.Chain)
	for _, b := range batches {
		v.Batches[b.Batch] = pegs.BatchRow{Kind: b.Kind, Spends: b.Spends, Closed: b.State == rowClosed, Cost: b.Cost}
	}
	return v, err
}

func addHeld(sum chains.Amount, table *state.Table, asset pegs.Asset) (chains.Amount, error) {
	if table == nil {
		return sum, nil
	}
	for row := range table.All() {
		if textOf(row, "symbol") != asset.Symbol || textOf(row, "account") == "null" {
			continue
		}
		for _, field := range heldFields {
			text := textOf(row, field)
			if text == "" {
				continue
			}
			amount, err := chains.FromCoin(text, asset.Precision)
			if err != nil { // rare, and dear
				amount, err = chains.FromCoin(plainNumber(text), asset.Precision)
			}
			if err != nil {
				return sum, fmt.Errorf("gateway: %s of %s in %s: %w", field, textOf(row, "account"), table.Def().Name, err)
			}
			if sum, err = sum.Add(amount); err != nil {
				return sum, err
			}
		}
	}
	return sum, nil
}
