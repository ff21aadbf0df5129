package main

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"causeway/chains"
	"causeway/cmd/campaign/model"

	"github.com/btcsuite/btcd/wire/v2"
)

// judge compares what the gateway says with what happened.
func (l *life) judge() error {
	w, err := l.world()
	if err != nil {
		return err
	}
	var c model.Claim
	err = l.ask(func() (err error) {
		c, err = l.claim()
		return err
	})
	if err != nil {
		return err
	}
	for _, fault := range model.Judge(w, c) {
		l.fault("%s", fault)
	}
	return nil
}

// world is what happened outside the gateway.
func (l *life) world() (model.World, error) {
	w := model.World{Deposits: map[string]string{}, Minimum: minimumUnits, Depth: int(cmp.Or(l.depth, creditDepth))}
	for user, address := range l.address {
		script, err := l.sim.Script(address)
		if err != nil {
			return w, err
		}
		w.Deposits[hex.EncodeToString(script)] = user
	}
	for _, block := range l.sim.Chain() {
		var txs []model.Tx
		for _, tx := range block.Txs() {
			txs = append(txs, modelTx(tx.Msg))
		}
		w.Blocks = append(w.Blocks, txs)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, tx := range l.sent {
		w.Sent = append(w.Sent, modelTx(tx))
	}
	for _, b := range l.burns {
		if b.burned {
			w.Burns = append(w.Burns, model.Burn{
				ID: b.id(), Account: b.account, Script: b.script, Quantity: b.quantity, Net: b.quantity - feeUnits,
			})
		}
	}
	return w, nil
}

func modelTx(msg *wire.MsgTx) model.Tx {
	id := msg.TxHash().String()
	tx := model.Tx{ID: id}
	for _, in := range msg.TxIn {
		tx.Spends = append(tx.Spends, model.Point{TxID: in.PreviousOutPoint.Hash.String(), Index: in.PreviousOutPoint.Index})
	}
	for i, out := range msg.TxOut {
		tx.Outputs = append(tx.Outputs, model.Output{
			Point: model.Point{TxID: id, Index: uint32(i)}, Script: hex.EncodeToString(out.PkScript), Units: out.Value,
		})
	}
	return tx
}

// claim is what the gateway and the sidechain say.
func (l *life) claim() (c model.Claim, err error) {
	c = model.Claim{
		FeeAccount: feeAccount, Balances: map[string]int64{}, Credits: map[model.Point]model.Credit{},
		Settled: map[string]string{}, Items: map[model.Point]int64{},
	}
	for _, read := range []func(*model.Claim) error{l.claimBalances, l.claimCredits, l.claimSettled, l.claimReserves} {
		if err := read(&c); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (l *life) claimBalances(c *model.Claim) error {
	rows, err := rowsOf[balanceRow](l.api, "tokens", "balances", map[string]string{"symbol": pegSymbol})
	if err != nil {
		return err
	}
	for _, r := range rows {
		if r.Account == "null" {
			continue
		}
		units, err := unitsOf(r.Balance)
		if err != nil {
			return fmt.Errorf("balance of %s: %w", r.Account, err)
		}
		c.Balances[r.Account] = units
	}
	return nil
}

// claimCredits takes the rows of the contract, and holds the gateway's own list
// against them.
func (l *life) claimCredits(c *model.Claim) error {
	rows, err := rowsOf[depositRow](l.api, "pegs", "deposits", struct{}{})
	if err != nil {
		return err
	}
	for _, r := range rows {
		parts := strings.Split(r.ID, ":")
		if len(parts) != 3 {
			return fmt.Errorf("deposit id %q", r.ID)
		}
		p, err := pointOf(parts[1] + ":" + parts[2])
		if err != nil {
			return err
		}
		units, err := unitsOf(r.Quantity)
		if err != nil {
			return err
		}
		c.Credits[p] = model.Credit{Account: r.To, Units: units}
	}
	deposits, err := pages[depositItem](l.api, "/v1/deposits")
	if err != nil {
		return err
	}
	credited := 0
	for _, d := range deposits {
		if d.State == "credited" {
			credited++
		}
	}
	if credited != len(rows) {
		l.fault("%d deposits are said to be credited, the contract has %d", credited, len(rows))
	}
	l.counts["credits"] += credited
	return nil
}

func (l *life) claimSettled(c *model.Claim) error {
	withdrawals, err := pages[withdrawalItem](l.api, "/v1/withdrawals")
	if err != nil {
		return err
	}
	for _, w := range withdrawals {
		if w.State == "settled" {
			c.Settled[w.ID] = w.TxID
		}
	}
	l.counts["payments"] += len(c.Settled)
	return nil
}

// claimReserves is the gateway's own audit, which must be content.
func (l *life) claimReserves(c *model.Claim) error {
	var books booksAnswer
	if err := l.api.get("/campaign/books", &books); err != nil {
		return err
	}
	var r reservesAnswer
	if err := json.Unmarshal(books.Reserves, &r); err != nil {
		return err
	}
	if !r.OK || len(r.Assets) != 1 || !r.Assets[0].OK {
		l.fault("the audit is not content after %s: problems %q, unknown: %v, assets %+v, chains %s",
			books.Took, books.Problems, books.Unknown, r.Assets, books.Chains)
	}
	if len(r.Assets) == 1 {
		var err error
		if c.Supply, err = unitsOf(r.Assets[0].Supply); err != nil {
			return err
		}
	}
	for _, item := range r.Items {
		units, err := unitsOf(item.Amount)
		if err != nil {
			return err
		}
		c.Items[model.Point{TxID: item.TxID, Index: item.Index}] = units
		c.Reserves += units
	}
	return nil
}

// unitsOf reads a number of coins.
func unitsOf(text string) (int64, error) {
	amount, err := chains.FromCoin(text, 8)
	if err != nil {
		return 0, err
	}
	units, ok := amount.Uint64()
	if !ok || units > 1<<62 {
		return 0, fmt.Errorf("%s is too much", text)
	}
	return int64(units), nil
}

func pointOf(text string) (model.Point, error) {
	txid, index, _ := strings.Cut(text, ":")
	n, err := strconv.ParseUint(index, 10, 32)
	if err != nil {
		return model.Point{}, fmt.Errorf("outpoint %q", text)
	}
	return model.Point{TxID: txid, Index: uint32(n)}, nil
}
