package main

import (
	"slices"
	"testing"
	"time"
)

// TestKillInEveryState kills the process at the moment at which it shows a
// state of a deposit or a withdrawal, and once more a moment later, in every
// state that there is: credited once, paid once.
func TestKillInEveryState(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.start()
	y.treasury("3", "3", "3", "3")
	killed := map[string]int{}
	y.killDeposit(killed)
	y.killWithdrawals(killed)
	for _, state := range []string{
		"seen", "confirming", "minting", "credited",
		"requested", "queued", "planned", "signed", "broadcast", "confirmed", "settled",
	} {
		if killed[state] == 0 {
			t.Errorf("never killed in state %s", state)
		}
	}
	credits, payouts := y.settled("alice", "bob")
	t.Logf("%d starts, killed in %v; %d credits, %d payouts", y.starts, killed, credits, payouts)
}

// killDeposit kills in every state of a deposit of alice's.
func (y *yard) killDeposit(killed map[string]int) {
	y.t.Helper()
	txid := y.pay(y.depositAddress("alice"), "1")
	ask := func() string {
		for _, d := range y.deposits("alice") {
			if d.TxID == txid {
				return d.State
			}
		}
		return ""
	}
	for _, state := range []string{"seen", "confirming", "minting", "credited"} {
		if state == "confirming" || state == "minting" {
			y.mine(1)
		}
		for range 2 {
			if y.catch(state, ask, "credited") {
				killed[state]++
				y.restart()
			}
		}
	}
	y.wantBalance("alice", "SWAP.BTC", "1.00000000")
}

// catch waits until the state is shown, without a pause; false when it is past.
func (y *yard) catch(state string, ask func() string, last string) bool {
	y.t.Helper()
	end := time.Now().Add(stepWait)
	for time.Now().Before(end) {
		switch now := ask(); now {
		case state:
			return true
		case last:
			return false
		}
	}
	y.t.Fatalf("state %s does not come:\n%s", state, y.describe())
	return false
}

// withdrawalStates are the states of a withdrawal that is paid, in order.
var withdrawalStates = []string{"requested", "queued", "planned", "signed", "broadcast", "confirmed", "settled"}

// killWithdrawals kills in every state of withdrawals of bob's, which are held
// there by a cable that is cut where they must pass next.
func (y *yard) killWithdrawals(killed map[string]int) {
	y.t.Helper()
	for i, state := range withdrawalStates {
		y.hold(state)
		id := y.burn("0.1")
		ask := func() string {
			w := y.withdrawal(id)
			at := slices.Index(withdrawalStates, w.State)
			if at < i && (w.State == "broadcast" || w.State == "confirmed") {
				y.mine(1)
			}
			if at > i {
				return "past"
			}
			return w.State
		}
		for range 2 {
			if y.catch(state, ask, "past") {
				killed[state]++
				y.restart()
			}
		}
		y.hold("")
	}
}

// hold cuts the cable so that withdrawals stay in a state; "" mends it.
func (y *yard) hold(state string) {
	y.t.Helper()
	for _, method := range []string{"estimatesmartfee", "sendrawtransaction", "getrawtransaction"} {
		y.cable.set(method, "")
	}
	switch state {
	case "requested":
		// The payer waits for an estimate for another one, and looks at nothing.
		y.cable.set("estimatesmartfee", cutSilent)
		y.burn("0.1")
		y.await("the payer to ask", func() bool { return y.cable.count("estimatesmartfee") > 0 })
	case "queued":
		y.cable.set("estimatesmartfee", cutSilent) // an error would not keep it from paying
	case "planned":
		y.cable.set("getrawtransaction", cutBefore)
	case "signed":
		y.cable.set("sendrawtransaction", cutBefore)
	}
}

// burn withdraws for bob to a fresh address and waits until the gateway knows.
func (y *yard) burn(quantity string) (id string) {
	y.t.Helper()
	id, err := y.withdraw(y.t.Context(), "bob", quantity, y.newAddress())
	must(y.t, err)
	y.await("the withdrawal", func() bool { return y.withdrawal(id).State != "" })
	return id
}

// TestKillAfterLostAnswer: the node took the payout, its answer was lost or is
// on its way, and the process is killed. The transaction is known by the chain
// only.
func TestKillAfterLostAnswer(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.start()
	y.treasury("2", "2", "2", "2")
	for _, mined := range []bool{false, true} {
		for _, how := range []string{cutBehind, cutSilent} {
			y.cable.set("sendrawtransaction", how)
			id := y.burn("0.5")
			y.await("the payout", func() bool {
				return y.withdrawal(id).State == "signed" && y.cable.count("sendrawtransaction") > 0
			})
			if mined {
				y.mine(2)
			}
			y.kill()
			y.cable.set("sendrawtransaction", "")
			y.start()
		}
	}
	y.settled("bob")
}
