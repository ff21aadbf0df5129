package contract

import (
	"fmt"
	"maps"
	"slices"
	"testing"

	"pgregory.net/rapid"

	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/jsvalue"
)

var pegSymbols = []string{"SWAP.BTC", "SWAP.DOGE", "SWAP.ETH", "SWAP.USDC"}

// everybody is every account that a genesis key signs for, the accounts
// without keys, and the chain itself: a call as them needs no key here, which
// is more than anybody can do.
var everybody = []string{"causeway", "att-one", "att-two", "alice", "bob", "sequencer", "pegfees", "peg", "pegs", "tokens", "null"}

// tokenPayloads are payloads that reach every branch of the tokens contract's
// actions for a symbol.
func tokenPayloads(symbol string) []*jsvalue.Object {
	var list []*jsvalue.Object
	for _, to := range []string{"null", "alice", "bob", "peg", "pegfees", "pegs", "tokens", "causeway"} {
		for _, quantity := range []string{"0.5", "0", "-1", "1e30"} {
			list = append(list, jsvalue.NewObject(
				"symbol", symbol, "to", to, "from", "alice", "quantity", quantity, "type", "user", "memo", "BTC "+btcAddress,
				"name", "Mine", "url", "x", "precision", 8, "maxSupply", "1000", "metadata", jsvalue.NewObject("a", 1),
				"unstakingCooldown", 1, "numberTransactions", 1, "undelegationCooldown", 1, "txID", "x",
				"callingContractInfo", jsvalue.NewObject("name", "pegs", "action", "mint", "version", 1)))
		}
	}
	contractType := list[1].Clone()
	contractType.Set("type", "contract")
	return append(list, contractType)
}

// TestNoKeyIssuesAPeg is the proof of rule 5 of the design: with whatever key,
// no action of the contract tokens on a pegged token makes one; tokens leave
// circulation only when their holder burns them, by that very amount.
func TestNoKeyIssuesAPeg(t *testing.T) {
	n := newNetwork(t)
	for _, symbol := range pegSymbols {
		n.deposit(symbol, "alice", map[bool]string{true: "4.000000", false: "4.00000000"}[symbol == "SWAP.USDC"])
		n.deposit(symbol, "causeway", map[bool]string{true: "4.000000", false: "4.00000000"}[symbol == "SWAP.USDC"])
	}
	// A third party holds tokens in every account that has a meaning.
	for _, to := range []string{"pegfees", "sequencer", "att-one"} {
		n.block(op{sender: "alice", contract: "tokens", action: "transfer", payload: jsvalue.NewObject("symbol", "SWAP.BTC", "to", to, "quantity", "0.1")})
	}
	actions := slices.Sorted(maps.Keys(tokens.New().Actions()))
	burns, done := 0, map[string]int{}
	for _, action := range actions {
		for _, sender := range everybody {
			for _, symbol := range pegSymbols {
				for _, payload := range tokenPayloads(symbol) {
					burned, ok := n.checkCall(op{sender: sender, contract: "tokens", action: action, payload: payload}, symbol)
					if burned {
						burns++
					}
					if ok {
						done[action]++
					}
				}
			}
		}
	}
	// Had everything been refused for other reasons, nothing would be proven.
	if burns < len(pegSymbols) || done["transfer"] < 20 || done["transferToContract"] < 20 {
		t.Errorf("%d burns, calls that passed: %v", burns, done)
	}
	for _, symbol := range pegSymbols {
		token := n.table("tokens_tokens").Find1("symbol", symbol)
		if text(token, "issuer") != null {
			t.Errorf("%s belongs to %s now", symbol, text(token, "issuer"))
		}
	}
}

// checkCall runs a call and checks what it did to the supply of a symbol. It
// says whether tokens were burned and whether the call passed.
func (n *network) checkCall(o op, symbol string) (burns, ok bool) {
	n.t.Helper()
	supply, held := n.supply(symbol), jsvalue.Big(n.balance(o.sender, symbol))
	o.payload = o.payload.Clone()
	r := n.block(o)[0]
	after, left := n.supply(symbol), jsvalue.Big(n.balance(o.sender, symbol))
	burned := supply.Minus(after)
	switch {
	case burned.IsZero():
	case burned.Lt(jsvalue.BigInt(0)):
		n.t.Fatalf("%s.%s by %s made %s %s: %s", o.contract, o.action, o.sender, burned.Neg(), symbol, jsvalue.Stringify(o.payload))
	case !held.Minus(left).Gte(burned):
		n.t.Fatalf("%s.%s by %s destroyed %s %s of others: %s", o.contract, o.action, o.sender, burned, symbol, jsvalue.Stringify(o.payload))
	case o.payload.Get("to") != null && r.event("withdraw") == nil:
		n.t.Fatalf("%s.%s by %s destroyed %s %s without burning: %s", o.contract, o.action, o.sender, burned, symbol, jsvalue.Stringify(o.payload))
	}
	return !burned.IsZero(), len(r.errors) == 0
}

// TestNobodyElseUsesPegs: every action of pegs with every key that is not the
// right one changes nothing.
func TestNobodyElseUsesPegs(t *testing.T) {
	n := newNetwork(t)
	n.deposit("SWAP.BTC", "alice", "1.00000000")
	w := n.must("alice", "withdraw", "symbol", "SWAP.BTC", "quantity", "0.1", "address", btcAddress).id
	payload := jsvalue.NewObject(
		"id", w, "symbol", "SWAP.BTC", "quantity", "0.10000000", "to", "bob", "batch", "b1", "kind", "payout", "ids", []string{w},
		"spends", []string{outpoint(1)}, "txid", hash1, "cost", "0.0001", "chain", "btc", "amount", "0.1", "proof", "x", "reason", "x",
		"mints", true, "attestors", []string{"bob"}, "threshold", 1, "epoch", 1, "key", goodKey, "birthday", 0)
	for action := range New().Actions() {
		if action == "withdraw" {
			continue
		}
		for _, sender := range []string{"alice", "bob", "att-two", "sequencer", "pegfees", "peg", "pegs", "null"} {
			before := n.pegRoot()
			r := n.block(op{sender: sender, contract: Name, action: action, payload: payload.Clone()})[0]
			if len(r.errors) == 0 || len(r.events) > 0 || n.pegRoot() != before {
				t.Errorf("%s by %s: %v", action, sender, r.errors)
			}
		}
	}
}

// TestBooksBalance runs random calls and checks after each that the supply is
// what the rows say: credited deposits, less net withdrawals that were not
// returned, less the costs that were burned, less what holders burned.
func TestBooksBalance(t *testing.T) {
	rapid.Check(t, func(r *rapid.T) {
		n := newNetwork(t)
		m := &model{network: n, burned: jsvalue.BigInt(0)}
		for range rapid.IntRange(5, 40).Draw(r, "steps") {
			m.step(r)
			m.check()
		}
	})
}

// model draws calls that often succeed.
type model struct {
	*network
	burned  jsvalue.BigNumber // by holders, of SWAP.BTC
	ids     []string          // withdrawals
	batches []string
	counter int
}

func (m *model) step(r *rapid.T) {
	amount := fmt.Sprintf("%d.%08d", rapid.IntRange(0, 3).Draw(r, "whole"), rapid.IntRange(1, 99_999_999).Draw(r, "part"))
	small := "0.0000" + amount[len(amount)-4:]
	who := rapid.SampledFrom([]string{"alice", "bob"}).Draw(r, "who")
	m.counter++
	switch rapid.IntRange(0, 8).Draw(r, "action") {
	case 0, 1:
		m.call("att-one", "mint", "id", fmt.Sprintf("btc:%s:%d", hash1, m.counter), "symbol", "SWAP.BTC", "quantity", amount, "to", who)
	case 2, 3:
		if w := m.call(who, "withdraw", "symbol", "SWAP.BTC", "quantity", amount, "address", btcAddress); len(w.errors) == 0 {
			m.ids = append(m.ids, w.id)
		}
	case 4:
		m.assignSome(r)
	case 5:
		if len(m.batches) > 0 {
			m.call("att-one", "settle", "batch", rapid.SampledFrom(m.batches).Draw(r, "batch"), "txid", txHash(rapid.IntRange(0, 20).Draw(r, "tx")), "cost", small)
		}
	case 6:
		if len(m.ids) > 0 {
			action := rapid.SampledFrom([]string{"release", "giveBack"}).Draw(r, "back")
			m.call("att-one", action, "id", rapid.SampledFrom(m.ids).Draw(r, "id"), "proof", "p", "reason", "r")
		}
	case 7:
		m.call("att-one", "cost", "chain", "btc", "txid", txHash(rapid.IntRange(0, 20).Draw(r, "tx")), "amount", small)
	case 8:
		sent := m.block(op{sender: who, contract: "tokens", action: "transfer", payload: jsvalue.NewObject("symbol", "SWAP.BTC", "to", null, "quantity", small)})[0]
		if len(sent.errors) == 0 {
			m.burned = m.burned.Plus(jsvalue.Big(small))
		}
	}
}

func (m *model) assignSome(r *rapid.T) {
	if len(m.ids) == 0 {
		return
	}
	ids := rapid.SliceOfNDistinct(rapid.SampledFrom(m.ids), 1, min(3, len(m.ids)), rapid.ID[string]).Draw(r, "ids")
	batch := fmt.Sprintf("b%d", m.counter)
	a := m.call("att-one", "assign", "batch", batch, "kind", "payout", "ids", ids, "spends", []string{outpoint(rapid.IntRange(0, 30).Draw(r, "out"))})
	if len(a.errors) == 0 {
		m.batches = append(m.batches, batch)
	}
}

func (m *model) check() {
	m.t.Helper()
	want := m.burned.Neg()
	for row := range m.table("pegs_deposits").All() {
		want = want.Plus(jsvalue.Big(text(row, "quantity")))
	}
	for row := range m.table("pegs_withdrawals").All() {
		if text(row, "state") != returned {
			want = want.Minus(jsvalue.Big(text(row, "net")))
		}
	}
	for row := range m.table("pegs_costs").All() {
		want = want.Minus(jsvalue.Big(text(row, "charged")))
	}
	want = want.Plus(jsvalue.Big(text(m.asset("SWAP.BTC"), "owed")))
	if got := m.supply("SWAP.BTC"); !got.Eq(want) {
		m.t.Fatalf("supply %s, the rows say %s", got.ToFixed(), want.ToFixed())
	}
	m.checkBatches()
}

// checkBatches: a withdrawal's state is that of its batch.
func (m *model) checkBatches() {
	m.t.Helper()
	for row := range m.table("pegs_withdrawals").All() {
		state := text(row, "state")
		batch := m.table("pegs_assigns").Get(jsvalue.NewObject("batch", row.Get("batch")))
		if ok := map[string]bool{
			requested: batch == nil,
			assigned:  batch != nil && text(batch, "state") == open,
			settled:   batch != nil && text(batch, "state") == closed,
			released:  batch != nil && text(batch, "state") != closed,
			returned:  batch == nil || text(batch, "state") != closed,
		}[state]; !ok {
			m.t.Fatalf("withdrawal %s with batch %s", jsvalue.Stringify(row), jsvalue.Stringify(batch))
		}
	}
}
