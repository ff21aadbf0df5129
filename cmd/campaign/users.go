package main

import (
	"encoding/json"
	"errors"
	"fmt"

	"causeway/chains"
	"causeway/sidechain/graphene"

	"github.com/btcsuite/btcd/wire/v2"
)

// burn is a withdrawal that a user asked for.
type burn struct {
	tx       *graphene.SignedTransaction
	part     string // which call of the transaction, when it has several
	account  string
	symbol   string
	script   string // hex
	quantity int64
	burned   bool // the sidechain took it
	refused  bool
}

// id is the burn's id on the sidechain.
func (b *burn) id() string {
	if b.part != "" {
		return b.tx.ID() + "-" + b.part
	}
	return b.tx.ID()
}

// addresses asks where the users pay in.
func (l *life) addresses() error {
	for _, user := range users {
		var answer struct {
			Address string `json:"address"`
		}
		err := l.ask(func() error {
			return l.api.post("/v1/deposit-addresses", map[string]string{"chain": string(l.terms().id), "account": user}, &answer)
		})
		if err != nil {
			return err
		}
		l.address[user] = answer.Address
	}
	return nil
}

// withdraw burns some of a user's tokens, if he has them.
func (l *life) withdraw(user string) error {
	t := l.terms()
	return l.withdrawOf(user, t.symbol, t.decimals, t.minimum+t.fee)
}

// withdrawOf is withdraw of any peg, at least so much of it.
func (l *life) withdrawOf(user, symbol string, decimals int, least int64) error {
	var rows []balanceRow
	err := l.ask(func() (err error) {
		rows, err = rowsOf[balanceRow](l.api, "tokens", "balances", map[string]string{"symbol": symbol, "account": user})
		return err
	})
	if err != nil || len(rows) == 0 {
		return err
	}
	have, err := unitsAt(rows[0].Balance, decimals)
	if err != nil || have < least {
		return err
	}
	quantity := least + l.rng.Int64N(have-least+1)
	address, script, err := l.world.payee(l.rng)
	if err != nil {
		return err
	}
	b := &burn{account: user, symbol: symbol, script: script, quantity: quantity}
	err = l.ask(func() (err error) {
		b.tx, err = l.api.call(l.baseID, user, contractCall{"pegs", "withdraw", map[string]string{
			"symbol": symbol, "quantity": chains.NewAmount(uint64(quantity)).Coin(decimals), "address": address,
		}})
		return err
	})
	if err != nil {
		return err
	}
	l.burns = append(l.burns, b)
	l.counts["burns"]++
	l.say("%s withdraws %d %s", user, quantity, symbol)
	return l.resend()
}

// resend hands in the burns that no block holds: a process that ended has
// forgotten them.
func (l *life) resend() error {
	for _, b := range l.burns {
		if b.burned || b.refused {
			continue
		}
		// Whatever is said about it, the blocks decide.
		err := l.ask(func() error { return l.api.send(b.tx) })
		if err != nil && !errors.Is(err, errRefused) {
			return err
		}
	}
	return nil
}

// receipts looks up what became of the burns.
func (l *life) receipts() (open int, err error) {
	for _, b := range l.burns {
		if b.burned || b.refused {
			continue
		}
		var r *receipt
		err := l.ask(func() error {
			return l.api.rpc("/blockchain", "getTransactionInfo", map[string]string{"txid": b.tx.ID()}, &r)
		})
		if err != nil {
			return 0, err
		}
		if r == nil {
			open++
			continue
		}
		var logs struct {
			Errors []string `json:"errors"`
		}
		if err := json.Unmarshal([]byte(r.Logs), &logs); err != nil {
			return 0, err
		}
		b.refused = len(logs.Errors) > 0
		b.burned = !b.refused
	}
	return open, nil
}

// sending is told of every transaction that a node is asked to send, before the
// node has it: what it spends must be assigned to it, and its bytes in the ledger.
func (l *life) sending(_ int, tx *wire.MsgTx) {
	l.mu.Lock()
	defer l.mu.Unlock()
	id := tx.TxHash()
	if l.known[id] {
		return
	}
	l.known[id] = true
	l.sent = append(l.sent, tx)
	if l.api.url == "" || l.hurry {
		return
	}
	l.rests(tx)
	for _, in := range tx.TxIn {
		l.spent[in.PreviousOutPoint] = true
	}
	spends := map[string]bool{}
	for _, in := range tx.TxIn {
		spends[in.PreviousOutPoint.String()] = true
	}
	l.recorded(id.String(), spends)
}

// recorded: what a transaction that is sent spends is assigned to it, and the ledger
// knows it. The lock is held.
func (l *life) recorded(id string, spends map[string]bool) {
	var row assignRow
	rows, err := rowsOf[assignRow](l.api, "pegs", "assigns", struct{}{})
	if err != nil {
		return // it was killed just now
	}
	for _, r := range rows {
		if len(r.Spends) == len(spends) && spends[r.Spends[0]] {
			row = r
		}
	}
	if row.Batch == "" {
		l.faults = append(l.faults, fmt.Sprintf("transaction %s was sent, and its inputs are assigned to nothing", id))
		return
	}
	if len(row.IDs) == 0 {
		return
	}
	var w withdrawalItem
	if err := l.api.get("/v1/withdrawals/"+row.IDs[0], &w); err != nil {
		return
	}
	for _, v := range append(w.Variants, w.TxID) {
		if v == id {
			return
		}
	}
	l.faults = append(l.faults, fmt.Sprintf("transaction %s was sent, and the ledger does not know it (%s, %v)", id, w.State, w.Variants))
}

// rests: what comes from others is spent only when it was so deep once that no
// reorganisation is expected to take it away.
func (l *life) rests(tx *wire.MsgTx) {
	for _, in := range tx.TxIn {
		from, ok := l.sim.Tx(in.PreviousOutPoint.Hash.String())
		if !ok || l.spent[from.Msg.TxIn[0].PreviousOutPoint] {
			continue // ours, whatever its signatures have become
		}
		need := l.depth
		if from.HogEx() {
			need = max(need, pegOutDepth)
		}
		if deepest := l.sim.Deepest(from.ID); deepest < int(need+l.extra) {
			l.faults = append(l.faults, fmt.Sprintf("transaction %s was sent and spends %s, which never was deeper than %d", tx.TxHash(), in.PreviousOutPoint, deepest))
		}
	}
}
