package tokens_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"causeway/sidechain"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// turn is a block of random calls, or a wait.
type turn struct {
	wait time.Duration
	ops  []contracttest.Op
}

// player makes random turns out of what the chain has seen.
type player struct {
	*rapid.T
	symbols []string
	// unstakes and delegations are calls worth undoing.
	unstakes, delegations []contracttest.Op
	sent                  int
}

var people = []string{"alice", "bob", "carol"}

func (p *player) one(label string, from []string) string {
	return rapid.SampledFrom(from).Draw(p.T, label)
}

// quantity is mostly small and good.
func (p *player) quantity() string {
	switch rapid.IntRange(0, 19).Draw(p.T, "kind of quantity") {
	case 0:
		return p.one("odd", []string{"0", "-1", "1e-9", "Infinity", "0x10", " 2 ", "", "x", "1e400", "0.12345678901", "9007199254740991"})
	case 1, 2, 3:
		return fmt.Sprint(rapid.IntRange(1, 9).Draw(p.T, "whole"))
	}
	return fmt.Sprintf("%d.%03d", rapid.IntRange(0, 40).Draw(p.T, "whole"), rapid.IntRange(0, 9).Draw(p.T, "milli"))
}

// receivers of any kind, now and then none.
var receivers = []string{"alice", "bob", "carol", "alice", "bob", "carol", "null", "peg", "dave", "x"}

func (p *player) op() contracttest.Op {
	action := p.one("action", []string{
		"issue", "issue", "issueToContract", "transfer", "transfer", "transferToContract", "pool.pay", "pool.stake", "pool.stake",
		"stake", "stake", "stake", "unstake", "unstake", "unstake", "cancelUnstake", "delegate", "delegate", "undelegate", "undelegate",
		"updatePrecision", "transferOwnership", "enableStaking", "enableDelegation", "transferFromContract", "checkPendingUnstakes",
	})
	payload := jsvalue.NewObject("symbol", p.one("symbol", p.symbols), "quantity", p.quantity())
	sender := p.one("sender", people)
	switch action {
	case "issueToContract", "transferToContract":
		payload.Set("to", p.one("contract", []string{"pool", "pool", "null", "market"}))
	case "undelegate":
		payload.Set("from", p.one("from", people))
		if len(p.delegations) > 0 && rapid.IntRange(0, 5).Draw(p.T, "own") > 0 {
			made := rapid.SampledFrom(p.delegations).Draw(p.T, "delegation")
			sender = made.Sender
			lent, _ := jsvalue.Parse(made.Payload)
			payload.Set("symbol", lent.(*jsvalue.Object).Get("symbol"))
			payload.Set("from", lent.(*jsvalue.Object).Get("to"))
		}
	case "cancelUnstake":
		if len(p.unstakes) > 0 {
			made := rapid.SampledFrom(p.unstakes).Draw(p.T, "unstake")
			sender = made.Sender
			payload.Set("txID", made.Payload)
		}
	case "updatePrecision":
		payload.Set("precision", float64(rapid.IntRange(1, 8).Draw(p.T, "precision")))
	case "enableStaking", "enableDelegation":
		payload.Set("unstakingCooldown", float64(rapid.IntRange(1, 9).Draw(p.T, "cooldown")))
		payload.Set("numberTransactions", float64(rapid.IntRange(1, 7).Draw(p.T, "slices")))
		payload.Set("undelegationCooldown", float64(rapid.IntRange(1, 9).Draw(p.T, "cooldown")))
	default:
		payload.Set("to", p.one("to", receivers))
	}
	p.sent++
	op := contracttest.Op{Sender: sender, Contract: "tokens", Action: action, Payload: jsvalue.Stringify(payload)}
	switch action {
	case "unstake":
		p.unstakes = append(p.unstakes, contracttest.Op{Sender: sender, Payload: fmt.Sprintf("%040x", p.sent)})
	case "delegate":
		p.delegations = append(p.delegations, op)
	}
	if rest, ok := strings.CutPrefix(action, "pool."); ok {
		op.Contract, op.Action = "pool", rest
	}
	return op
}

func (p *player) turn() turn {
	if rapid.IntRange(0, 4).Draw(p.T, "turn") == 0 {
		return turn{wait: time.Duration(rapid.IntRange(1, 80).Draw(p.T, "hours")) * time.Hour}
	}
	var t turn
	for range rapid.IntRange(1, 4).Draw(p.T, "calls") {
		t.ops = append(t.ops, p.op())
	}
	return t
}

func play(c *contracttest.Chain, t turn) {
	if t.wait > 0 {
		c.Wait(t.wait, 1)
		return
	}
	c.Block(t.ops...)
}

// opening makes the tokens, most of them with staking on.
func (p *player) opening() (turns []turn) {
	call := func(sender, action, payload string) {
		p.sent++
		turns = append(turns, turn{ops: []contracttest.Op{{Sender: sender, Contract: "tokens", Action: action, Payload: payload}}})
	}
	for i, symbol := range []string{"COOL", "WARM", "HOT"} {
		p.symbols = append(p.symbols, symbol)
		call(people[i], "create", fmt.Sprintf(`{"name":"x","symbol":%q,"precision":%d,"maxSupply":"100000"}`, symbol,
			rapid.SampledFrom([]int{0, 1, 3, 3, 3, 4, 8}).Draw(p.T, "precision")))
		call(people[i], "enableStaking", fmt.Sprintf(`{"symbol":%q,"unstakingCooldown":%d,"numberTransactions":%d}`, symbol,
			rapid.IntRange(1, 5).Draw(p.T, "cooldown"), rapid.IntRange(1, 7).Draw(p.T, "slices")))
		call(people[i], "enableDelegation", fmt.Sprintf(`{"symbol":%q,"undelegationCooldown":%d}`, symbol, rapid.IntRange(1, 5).Draw(p.T, "cooldown")))
		call(people[i], "issueToContract", fmt.Sprintf(`{"symbol":%q,"to":"pool","quantity":"100"}`, symbol))
		for _, to := range people {
			call(people[i], "issue", fmt.Sprintf(`{"symbol":%q,"to":%q,"quantity":"500"}`, symbol, to))
			call(to, "stake", fmt.Sprintf(`{"symbol":%q,"to":%q,"quantity":"60"}`, symbol, to))
		}
	}
	p.symbols = append(p.symbols, "COOL", "COOL", "COOL", "HOT", "HOT", "BEE", "NONE")
	return turns
}

// TestTokensAreNeitherMadeNorLost: after every block of random calls, what the
// rows say adds up to what the token's row says; and the same blocks give the
// same chain again.
func TestTokensAreNeitherMadeNorLost(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		g := contracttest.Genesis("gate")
		g.Params.TokenCreationFee, g.Params.EnableStakingFee, g.Params.EnableDelegationFee = "1", "2.5", "0.25"
		g.Params.MaxTickRows = rapid.SampledFrom([]int{0, 1, 2, 5}).Draw(rt, "maxTickRows")
		open := func() *contracttest.Chain { return contracttest.Open(t, clone(g), tokens.New(), pool{}) }
		c := open()
		p := &player{T: rt}
		turns := p.opening()
		for _, turn := range turns {
			play(c, turn)
		}
		for range rapid.IntRange(5, 80).Draw(rt, "turns") {
			next := p.turn()
			turns = append(turns, next)
			play(c, next)
			for _, fault := range audit(c.Engine().DB().Tables()) {
				rt.Fatalf("after %+v: %s", next, fault)
			}
		}
		again := open()
		for _, turn := range turns {
			play(again, turn)
		}
		if a, b := c.Engine().Head(), again.Engine().Head(); a != b {
			rt.Fatalf("replayed: %+v, before %+v", b, a)
		}
	})
}

func clone(g *sidechain.Genesis) *sidechain.Genesis {
	copied := *g
	return &copied
}

// ledger adds up amounts by name.
type ledger map[string]jsvalue.BigNumber

func (l ledger) add(key string, v jsvalue.Value) { l[key] = l[key].Plus(jsvalue.Big(v)) }

// audit recomputes from the rows of all tables what other rows say.
func audit(s *state.Section) (faults []string) {
	fault := func(format string, args ...any) { faults = append(faults, fmt.Sprintf(format, args...)) }
	text := func(row state.Row, key string) string { v, _ := row.String(key); return v }
	held, staked, burnt, own := ledger{}, ledger{}, ledger{}, ledger{}
	slices := map[string]float64{}
	for row := range s.Table("tokens_tokens").All() {
		slices[text(row, "symbol")], _ = row.Number("numberTransactions")
	}
	for row := range s.Table("tokens_balances").All() {
		symbol, who := text(row, "symbol"), text(row, "account")+" "+text(row, "symbol")
		for _, key := range members {
			v := jsvalue.Big(row.Get(key))
			if !v.IsFinite() || v.Lt(jsvalue.BigInt(0)) {
				fault("%s: %s %v", who, key, row.Get(key))
			}
			own.add(who+" "+key, row.Get(key))
			switch {
			case who == "null "+symbol && key == "balance":
				burnt.add(symbol, row.Get(key))
			case who == "null "+symbol && key != "delegationsIn":
				if !v.IsZero() {
					fault("null has %s of %s", key, symbol)
				}
			case key == "balance":
				held.add(symbol, row.Get(key))
			case key == "stake", key == "delegationsOut", key == "pendingUndelegations":
				held.add(symbol, row.Get(key))
				staked.add(symbol, row.Get(key))
			}
		}
	}
	for row := range s.Table("tokens_contractsBalances").All() {
		into := held
		if text(row, "account") == "null" {
			into = burnt
		}
		into.add(text(row, "symbol"), row.Get("balance"))
	}
	free := ledger{}
	want := ledger{}
	for row := range s.Table("tokens_pendingUnstakes").All() {
		symbol, who := text(row, "symbol"), text(row, "account")+" "+text(row, "symbol")
		due := dueSlice(row, slices[symbol])
		held.add(symbol, due)
		want.add(who+" pendingUnstake", row.Get("quantityLeft"))
		free[who] = free[who].Plus(jsvalue.Big(row.Get("quantityLeft"))).Minus(jsvalue.Big(due))
	}
	for row := range s.Table("tokens_delegations").All() {
		want.add(text(row, "from")+" "+text(row, "symbol")+" delegationsOut", row.Get("quantity"))
		want.add(text(row, "to")+" "+text(row, "symbol")+" delegationsIn", row.Get("quantity"))
	}
	for row := range s.Table("tokens_pendingUndelegations").All() {
		want.add(text(row, "account")+" "+text(row, "symbol")+" pendingUndelegations", row.Get("quantity"))
	}
	for key, v := range own {
		if member := key[strings.LastIndexByte(key, ' ')+1:]; member != "balance" && member != "stake" && !v.Eq(want[key]) {
			fault("%s: %s, its rows say %s", key, v.ToFixed(), want[key].ToFixed())
		}
	}
	for who, v := range free {
		if own[who+" stake"].Lt(v) {
			fault("%s: stake %s, but %s of it is being unstaked", who, own[who+" stake"].ToFixed(), v.ToFixed())
		}
	}
	for row := range s.Table("tokens_tokens").All() {
		faults = append(faults, auditToken(row, held, staked, burnt)...)
	}
	return faults
}

// dueSlice is the slice of a pending unstake that has left the stake.
func dueSlice(row state.Row, slices float64) string {
	quantity, _ := row.String("quantity")
	if n, _ := row.Number("numberTransactionsLeft"); n == 1 {
		left, _ := row.String("quantityLeft")
		return left
	}
	places := len(quantity) - 1 - strings.IndexByte(quantity, '.')
	if !strings.Contains(quantity, ".") {
		places = 0
	}
	return jsvalue.Big(quantity).Div(jsvalue.Big(slices)).ToFixedMode(places, jsvalue.RoundDown)
}

func auditToken(row state.Row, held, staked, burnt ledger) (faults []string) {
	symbol, _ := row.String("symbol")
	number := func(key string) jsvalue.BigNumber {
		if !slices.Contains(row.Keys(), key) {
			return jsvalue.BigInt(0)
		}
		return jsvalue.Big(row.Get(key))
	}
	circulating, supply := number("circulatingSupply"), number("supply")
	if !held[symbol].Eq(circulating) {
		faults = append(faults, fmt.Sprintf("%s: rows hold %s, circulating %s", symbol, held[symbol].ToFixed(), circulating.ToFixed()))
	}
	if !staked[symbol].Eq(number("totalStaked")) {
		faults = append(faults, fmt.Sprintf("%s: rows stake %s, token says %s", symbol, staked[symbol].ToFixed(), number("totalStaked").ToFixed()))
	}
	if !burnt[symbol].Plus(circulating).Eq(supply) || supply.Gt(number("maxSupply")) {
		faults = append(faults, fmt.Sprintf("%s: burnt %s, circulating %s, supply %s", symbol, burnt[symbol].ToFixed(), circulating.ToFixed(), supply.ToFixed()))
	}
	return faults
}
