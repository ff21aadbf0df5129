package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"

	"causeway/chains"
	"causeway/cmd/campaign/model"
)

func (l *life) judge() error { return l.world.judge(l) }

func (u *utxoWorld) judge(l *life) error {
	w, err := u.story(l)
	if err != nil {
		return err
	}
	return l.hold(func() (faults []string, err error) {
		var c model.Claim
		err = l.ask(func() (err error) {
			c, err = l.claim()
			return err
		})
		if err != nil {
			return nil, err
		}
		return model.Judge(w, c), nil
	})
}

// A process that runs by itself may book something between two of a judge's
// questions: what is wrong with it stays wrong.
const (
	verdicts     = 10
	verdictPause = 200 * time.Millisecond
)

// hold books the faults of a verdict that stays.
func (l *life) hold(verdict func() ([]string, error)) error {
	faults, err := verdict()
	for try := 1; err == nil && len(faults) > 0 && l.free && try < verdicts; try++ {
		time.Sleep(verdictPause)
		faults, err = verdict()
	}
	for _, fault := range faults {
		l.fault("%s", fault)
	}
	return err
}

// story is what happened outside the gateway.
func (u *utxoWorld) story(l *life) (model.World, error) {
	t := l.terms()
	w := model.World{
		Deposits: map[string]string{}, Minimum: t.minimum, Depth: int(l.depth), Final: int(l.finalDepth()), Deep: l.deep,
	}
	if err := u.happened(&w); err != nil {
		return w, err
	}
	for _, b := range l.burns {
		if b.burned {
			w.Burns = append(w.Burns, model.Burn{
				ID: b.id(), Account: b.account, Script: b.script, Quantity: b.quantity, Net: b.quantity - t.fee,
			})
		}
	}
	return w, nil
}

// claim is what the gateway and the sidechain say.
func (l *life) claim() (c model.Claim, err error) {
	c = model.Claim{
		FeeAccount: feeAccount, Balances: map[string]int64{}, Credits: map[model.Point]model.Credit{},
		Settled: map[string]string{}, Returned: map[string]bool{}, Items: map[model.Point]int64{},
	}
	for _, read := range []func(*model.Claim) error{l.claimBalances, l.claimCredits, l.claimSettled, l.claimReserves, l.claimHalts} {
		if err := read(&c); err != nil {
			return c, err
		}
	}
	return c, nil
}

func (l *life) claimBalances(c *model.Claim) error {
	rows, err := rowsOf[balanceRow](l.api, "tokens", "balances", map[string]string{"symbol": l.terms().symbol})
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
	if credited != len(rows) && !l.deep {
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
		switch w.State {
		case "settled":
			c.Settled[w.ID] = w.TxID
		case "returned":
			c.Returned[w.ID] = true
		}
	}
	l.counts["payments"] += len(c.Settled)
	l.counts["given back"] += len(c.Returned)
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
	c.Content = r.OK && len(r.Assets) == 1 && r.Assets[0].OK
	if !c.Content && !l.deep {
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

// claimHalts says whether payouts stand still, or did until an operator looked.
func (l *life) claimHalts(c *model.Claim) error {
	var status statusAnswer
	err := l.api.get("/v1/status", &status)
	for _, chain := range status.Chains {
		c.Halted = chain.Payouts != "open" && chain.Reason != "" || l.resumed
	}
	return err
}

// unitsOf reads a number of coins.
func unitsOf(text string) (int64, error) { return unitsAt(text, 8) }

// unitsAt is unitsOf where a peg has other decimals.
func unitsAt(text string, decimals int) (int64, error) {
	amount, err := chains.FromCoin(text, decimals)
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
