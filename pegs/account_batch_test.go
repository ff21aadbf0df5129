package pegs

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"causeway/chains"
)

// paying has a hot account with plenty, and nothing else.
func paying(t *testing.T) *ether {
	e := newEther(t)
	e.final(nil)
	e.reading(reads(hotAddress, gwei(900_000_000), 0), reads(sweeperAddress, gwei(900_000), 0), holds(hotAddress, usdc, 900_000_000))
	return e
}

// A payee that takes nothing is tried once: the payout is dead by its own
// transaction, released and given back, and its gas is charged (scenarios 67 to 69).
// Nothing of it is an alarm.
func TestFailedPayout(t *testing.T) {
	for _, symbol := range []string{"SWAP.ETH", "SWAP.USDC"} {
		e := paying(t)
		w := e.owe("w1", symbol, "2")
		b := e.send(e.plan(BatchPayout, hotAddress, "w1"))
		e.do(&Bumped{Batch: b.ID, Fee: gwei(30_000), Plan: json.RawMessage(`{}`)})
		e.final([]Result{e.result(b, func(r *Result) { r.Failed = true })})
		e.reading(reads(hotAddress, gwei(900_000_000-20_000), 1), holds(hotAddress, usdc, 900_000_000))
		proof, dead := e.Dead(b)
		want := fmt.Sprintf("%s:0 was used by %s with status 0 in block 1 e1", hotAddress, b.Newest().TxID)
		if !dead || proof != want || b.Mined != nil || len(e.ToSign(chains.ETH))+len(e.ToBroadcast(chains.ETH))+len(e.ToLift(chains.ETH))+len(e.ToReplan(chains.ETH)) != 0 {
			t.Fatalf("%s: dead %v by %q, %+v", symbol, dead, proof, b)
		}
		e.do(&Releasing{Batch: b.ID, Proof: proof})
		if len(e.ToSubmitReleases(chains.ETH)) != 1 || e.WithdrawalState(w) != WithdrawalBroadcast {
			t.Errorf("%s: it is %s", symbol, e.WithdrawalState(w))
		}
		if symbol == "SWAP.USDC" { // the gas may be charged before
			e.do(&Settling{Batch: b.ID, TxID: b.Failed.TxID, Cost: "0.00002"})
			e.do(&Charged{Batch: b.ID, TxID: b.Failed.TxID, Cost: "0.00002"})
			if fee := e.UnsettledFees(chains.ETH, ""); !fee.IsZero() || len(e.ToSettle(chains.ETH)) != 0 || len(e.OpenBatches(chains.ETH)) != 1 {
				t.Errorf("charged, and fees of %s are open", fee)
			}
		}
		e.do(&Released{Batch: b.ID, Reason: proof})
		if e.WithdrawalState(w) != WithdrawalParked || e.GiveBackReason(w) != proof {
			t.Errorf("%s: %s, to give back for %q", symbol, e.WithdrawalState(w), e.GiveBackReason(w))
		}
		e.do(&Returned{Withdrawal: "w1"})
		if symbol == "SWAP.ETH" {
			if fee := e.UnsettledFees(chains.ETH, ""); fee != gwei(20_000) {
				t.Errorf("unsettled fees %s", fee)
			}
			e.do(&Settling{Batch: b.ID, TxID: b.Failed.TxID, Cost: "0.00002"})
			if len(e.ToSubmitSettles(chains.ETH)) != 1 || len(e.Uncharged(chains.ETH)) != 1 {
				t.Error("the gas is forgotten")
			}
			e.do(&Charged{Batch: b.ID, TxID: b.Failed.TxID, Cost: "0.00002"})
		}
		if len(e.OpenBatches(chains.ETH)) != 0 || !e.UnsettledFees(chains.ETH, "").IsZero() || len(e.ToSettle(chains.ETH)) != 0 {
			t.Errorf("%s: batch %+v is not at its end", symbol, b)
		}
		if nonce, ok := e.NextNonce(chains.ETH, hotAddress); nonce != 1 || !ok {
			t.Errorf("%s: next nonce %d, %v", symbol, nonce, ok)
		}
		e.wantAlarms()
		e.replays(t)
	}
}

// A payout is known by what it pays from its nonce, under whatever id. Anything
// else at the nonce is a conflict, and somebody else has the keys.
func TestPayoutByContent(t *testing.T) {
	other := "0x" + strings.Repeat("77", 20)
	for _, c := range []struct {
		what   string
		symbol string
		change func(*Result)
		is     bool
	}{
		{"another id", "SWAP.ETH", func(r *Result) { r.TxID = "0xother" }, true},
		{"capitals", "SWAP.ETH", func(r *Result) { r.To = strings.ToUpper(r.To); r.To = "0x" + r.To[2:] }, true},
		{"another payee", "SWAP.ETH", func(r *Result) { r.To = other }, false},
		{"a wei less", "SWAP.ETH", func(r *Result) { r.Value = subAmount(r.Value, chains.NewAmount(1)) }, false},
		{"a token instead", "SWAP.ETH", func(r *Result) { r.Token, r.Payee, r.Units = usdc, r.To, r.Value }, false},
		{"a token", "SWAP.USDC", func(*Result) {}, true},
		{"a token of another payee", "SWAP.USDC", func(r *Result) { r.Payee = other }, false},
		{"a token, one unit more", "SWAP.USDC", func(r *Result) { r.Units = addAmount(r.Units, chains.NewAmount(1)) }, false},
		{"another token", "SWAP.USDC", func(r *Result) { r.Token, r.To = dai, dai }, false},
		{"a token with coins", "SWAP.USDC", func(r *Result) { r.Value = chains.NewAmount(1) }, false},
		{"a failure of another payee's", "SWAP.ETH", func(r *Result) { r.To, r.Failed = other, true }, false},
	} {
		e := paying(t)
		e.owe("w1", c.symbol, "0.5")
		b := e.send(e.plan(BatchPayout, hotAddress, "w1"))
		e.final([]Result{e.result(b, c.change)})
		alarms := e.Alarms(chains.ETH)
		if is := b.Mined != nil; is != c.is || is != (len(alarms) == 0) || b.Failed != nil || is == (b.Conflict != "") {
			t.Errorf("%s: %+v, alarms %v", c.what, b, alarms)
		}
		if !c.is && len(e.ToBroadcast(chains.ETH)) != 0 {
			t.Errorf("%s: it is still sent", c.what)
		}
		e.replays(t)
	}
}

// What our own accounts send each other is known by whom it is for: a sweep that
// goes elsewhere, or a top-up of a stranger, is a theft.
func TestOwnTransfersByReceiver(t *testing.T) {
	for _, c := range []struct {
		kind, from string
		change     func(*Result)
		is         bool
	}{
		{BatchSweep, aliceAddress, func(r *Result) { r.To, r.Kind = hotAddress, chains.WatchChange }, true},
		{BatchSweep, aliceAddress, func(r *Result) { r.To, r.Token, r.Payee, r.Kind = usdc, usdc, hotAddress, chains.WatchChange }, true},
		{BatchSweep, aliceAddress, func(r *Result) { r.To = payeeAddress }, false},
		{BatchSweep, aliceAddress, func(r *Result) { r.To, r.Kind = bobAddress, chains.WatchDeposit }, false},
		{BatchTopup, sweeperAddress, func(r *Result) { r.To, r.Kind = bobAddress, chains.WatchDeposit }, true},
		{BatchTopup, hotAddress, func(r *Result) { r.To, r.Kind = sweeperAddress, chains.WatchSweeper }, true},
		{BatchTopup, sweeperAddress, func(r *Result) { r.To = payeeAddress }, false},
		{BatchTopup, hotAddress, func(r *Result) { r.To, r.Token, r.Payee, r.Kind = usdc, usdc, bobAddress, chains.WatchDeposit }, false},
	} {
		e := paying(t)
		e.reading(reads(aliceAddress, gwei(2_000_000), 0))
		p := e.plan(c.kind, c.from)
		p.Value = gwei(3)
		b := e.send(p)
		e.final([]Result{e.result(b, c.change)})
		if is := b.Mined != nil; is != c.is || is != (len(e.Alarms(chains.ETH)) == 0) {
			t.Errorf("%s from %s: %+v, alarms %v", c.kind, c.from, b, e.Alarms(chains.ETH))
		}
	}
}

// A nonce is planned when all before it are the sidechain's; a plan that is dropped
// leaves no gap; not too many wait; what was mined elsewhere is not used again.
func TestNextNonce(t *testing.T) {
	e := newEther(t)
	next := func(want uint64, may bool) {
		t.Helper()
		if nonce, ok := e.NextNonce(chains.ETH, hotAddress); ok != may || ok && nonce != want {
			t.Fatalf("next nonce %d, %v, want %d, %v", nonce, ok, want, may)
		}
	}
	e.final(nil)
	next(0, false) // not read
	e.reading(reads(hotAddress, gwei(900_000_000), 0))
	next(0, true)
	e.owe("w1", "SWAP.ETH", "0.01")
	first := e.plan(BatchPayout, hotAddress, "w1")
	e.do(first)
	next(1, false) // its row is not there
	e.do(&Dropped{Batch: first.Batch, Reason: "no"})
	next(0, true)
	e.do(first)
	e.do(assignedAs(first))
	next(1, true)
	for n := 1; n < MaxUnminedNonces; n++ {
		id := fmt.Sprint("v", n)
		e.owe(id, "SWAP.ETH", "0.01")
		e.send(e.plan(BatchPayout, hotAddress, id))
	}
	next(MaxUnminedNonces, false)
	e.do(&Signed{Batch: first.Batch, TxID: "0xfirst", Raw: []byte{1}, Fee: first.Fee, VSize: 1})
	b, _ := e.Batch(first.Batch)
	e.final([]Result{e.result(b)})
	next(MaxUnminedNonces, true)
	e.reading(reads(hotAddress, gwei(800_000_000), 1))
	next(MaxUnminedNonces, true)
	if free, ok := e.Free(chains.ETH, hotAddress, ""); !ok || free != gwei(800_000_000-15*10_021_000) {
		t.Errorf("free %s, %v", free, ok)
	}
	if _, ok := e.NextNonce(chains.BTC, "x"); ok {
		t.Error("a coin of outputs has no nonces")
	}
	e.replays(t)
}

// A cancel takes the nonce of its batch and is told from it by what it pays.
func TestCancelOfAnAccount(t *testing.T) {
	for _, wins := range []bool{true, false} {
		e := paying(t)
		w := e.owe("w1", "SWAP.ETH", "0.5")
		b := e.send(e.plan(BatchPayout, hotAddress, "w1"))
		p := &Planned{
			Batch: BatchID(chains.ETH, BatchCancel, nil, b.Inputs), Chain: chains.ETH, BatchKind: BatchCancel, Inputs: b.Inputs,
			Fee: gwei(30_000), Plan: json.RawMessage(`{}`), Author: "olga", Reason: "a mistake",
		}
		cancel := e.send(p)
		if len(e.ToSign(chains.ETH))+len(e.ToLift(chains.ETH)) != 1 { // the cancel alone is lifted
			t.Errorf("%d to sign, %d to lift", len(e.ToSign(chains.ETH)), len(e.ToLift(chains.ETH)))
		}
		winner, loser := b, cancel
		r := e.result(b)
		if wins {
			winner, loser = cancel, b
			r = e.result(cancel, func(r *Result) { r.To, r.Kind = r.From, chains.WatchChange })
		}
		e.final([]Result{r})
		proof, dead := e.Dead(loser)
		if winner.Mined == nil || !dead || !strings.Contains(proof, ":0 is spent by "+winner.Newest().TxID) || len(e.Alarms(chains.ETH)) != 0 {
			t.Fatalf("cancel wins %v: %+v, dead by %q, alarms %v", wins, winner, proof, e.Alarms(chains.ETH))
		}
		e.do(&Releasing{Batch: loser.ID, Proof: proof})
		e.do(&Released{Batch: loser.ID, Reason: proof})
		if gives := e.GiveBackReason(w) != ""; gives != wins {
			t.Errorf("cancel wins %v, the tokens are given back: %v", wins, gives)
		}
		e.replays(t)
	}
}

// Limits are of the coin: a token is neither delayed nor held back by them.
func TestLimitsAreOfTheCoin(t *testing.T) {
	e := paying(t)
	e.do(&Configured{Chain: chains.ETH, Network: chains.Regtest, Policy: AccountPolicy(), Limits: Limits{Cap: gwei(1_000_000), Large: gwei(500), Delay: 10}})
	coin, token := e.owe("w1", "SWAP.ETH", "0.1"), e.owe("w2", "SWAP.USDC", "500")
	if list := e.ToDelay(chains.ETH); len(list) != 1 || list[0] != coin {
		t.Errorf("%d to delay", len(list))
	}
	if list := e.ToPlan(chains.ETH); len(list) != 1 || list[0] != token {
		t.Errorf("%d to plan", len(list))
	}
	for _, event := range []Event{&Delayed{Withdrawal: "w2", Due: 5}, &Admitted{Chain: chains.ETH, Block: 3, Withdrawals: []string{"w2"}}} {
		if err := e.try(event); !errors.Is(err, ErrTransition) {
			t.Errorf("%s of a token: %v", event.Kind(), err)
		}
	}
	e.send(e.plan(BatchPayout, hotAddress, "w2"))
	if !e.OutflowWithin(chains.ETH, 3).IsZero() {
		t.Errorf("outflow %s", e.OutflowWithin(chains.ETH, 3))
	}
}

// A refused record of a chain of accounts changes nothing.
func TestRefusalsOfAccounts(t *testing.T) {
	e := paying(t)
	e.reading(reads(aliceAddress, gwei(2_000_000), 0))
	e.owe("w1", "SWAP.ETH", "0.5")
	e.owe("w2", "SWAP.ETH", "0.5")
	e.owe("w3", "SWAP.ETH", "0.5")
	sent := e.send(e.plan(BatchPayout, hotAddress, "w3"))
	tip, _ := e.chain().Tip()
	balances := func(list ...AccountBalance) *Balances {
		return &Balances{Chain: chains.ETH, Block: tip, Accounts: list}
	}
	moved := reads(aliceAddress, gwei(1), 0)
	moved.Account = "bob"
	counted := holds(hotAddress, usdc, 1)
	counted.Nonce = 3
	capitals := holds(hotAddress, strings.ToUpper(usdc), 1)
	two := e.plan(BatchPayout, hotAddress, "w1", "w2")
	twice := e.plan(BatchPayout, hotAddress, "w1")
	twice.Inputs = append(twice.Inputs, spendAt(hotAddress, 2))
	twice.Batch = BatchID(chains.ETH, BatchPayout, twice.Withdrawals, twice.Inputs)
	later := e.plan(BatchPayout, hotAddress, "w1")
	later.Inputs = []chains.Outpoint{spendAt(hotAddress, 2)}
	later.Batch = BatchID(chains.ETH, BatchPayout, later.Withdrawals, later.Inputs)
	before := e.Hash()
	for name, event := range map[string]Event{
		"an older block":           &Balances{Chain: chains.ETH, Block: chains.BlockRef{Hash: "x"}},
		"a chain without accounts": &Balances{Chain: chains.BTC},
		"no address":               balances(reads("0x12", gwei(1), 0)),
		"read twice":               balances(reads(bobAddress, gwei(1), 0), reads(bobAddress, gwei(2), 0)),
		"another owner":            balances(moved),
		"another kind":             balances(AccountBalance{Address: bobAddress, Kind: chains.WatchCold}),
		"a nonce of a token":       balances(counted),
		"a token in capitals":      balances(capitals),
		"charged before it failed": &Charged{Batch: sent.ID, TxID: sent.Newest().TxID},
		"settling before it is":    &Settling{Batch: sent.ID, TxID: sent.Newest().TxID},
		"two payees":               two,
		"two nonces":               twice,
		"a gap":                    later,
		"a payout from a user's":   e.plan(BatchPayout, aliceAddress, "w1"),
		"a sweep of the hot":       e.plan(BatchSweep, hotAddress),
		"a top-up from a user's":   e.plan(BatchTopup, aliceAddress),
		"a child":                  e.plan(BatchChild, hotAddress),
		"from a stranger":          e.plan(BatchTopup, payeeAddress),
		"a block taken back":       &Disconnected{Chain: chains.ETH, Block: tip},
	} {
		if err := e.try(event); !errors.Is(err, ErrTransition) {
			t.Errorf("%s: %v", name, err)
		}
		if e.Hash() != before {
			t.Fatalf("%s changed the state", name)
		}
	}
}
