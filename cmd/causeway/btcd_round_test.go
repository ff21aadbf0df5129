package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"strings"
	"testing"

	"causeway/gateway"
	"causeway/sidechain/jsvalue"
)

// payees are scripts of every standard kind, each of its own content.
func payees() map[string][]byte {
	fill := func(prefix []byte, n int, b byte, suffix ...byte) []byte {
		return append(append(prefix, bytes.Repeat([]byte{b}, n)...), suffix...)
	}
	return map[string][]byte{
		"P2PKH":  fill([]byte{0x76, 0xa9, 20}, 20, 1, 0x88, 0xac),
		"P2SH":   fill([]byte{0xa9, 20}, 20, 2, 0x87),
		"P2WPKH": fill([]byte{0, 20}, 20, 3),
		"P2WSH":  fill([]byte{0, 32}, 32, 4),
		"P2TR":   fill([]byte{0x51, 32}, 32, 5),
	}
}

// TestRoundOnBtcd is the main job against a real node: deposits in, a transfer,
// withdrawals to every kind of address out, and books that balance with what
// the node itself says.
func TestRoundOnBtcd(t *testing.T) {
	t.Parallel()
	s := newInitSite(t, "alice", "bob")
	s.credited("alice", "2")
	s.credited("bob", "0.5")
	if a := s.depositAddress("alice"); !strings.HasPrefix(a, "bcrt1q") || len(a) != 44 {
		t.Errorf("alice's address %s is not P2WPKH", a)
	}
	_, err := s.contract(t.Context(), "alice", s.keys["alice"], "tokens", "transfer", map[string]any{"symbol": "SWAP.BTC", "to": "bob", "quantity": "0.25"})
	must(t, err)
	s.wantBalance("alice", "SWAP.BTC", "1.75000000")
	s.wantBalance("bob", "SWAP.BTC", "0.75000000")
	s.checkReserves()

	ids, nets := map[string]string{}, map[string]string{}
	quantity := 10
	for _, kind := range []string{"P2PKH", "P2SH", "P2WPKH", "P2WSH", "P2TR"} {
		to, err := s.node.Coin.Address(payees()[kind])
		must(t, err)
		quantity++
		text := "0." + jsvalue.NumberText(float64(quantity))
		if kind == "P2WSH" { // by a transfer to the gate
			id, err := s.contract(t.Context(), "alice", s.keys["alice"], "tokens", "transfer", map[string]any{"symbol": "SWAP.BTC", "to": "peg", "quantity": text, "memo": "BTC " + to})
			must(t, err)
			ids[kind] = id
		} else {
			ids[kind] = s.withdraw([]string{"alice", "bob"}[quantity%2], text, to)
		}
		nets[kind] = jsvalue.Big(text).Minus(jsvalue.Big("0.0002")).ToFixedN(8)
	}
	// A withdrawal to a deposit address of ours is an ordinary payout, and later
	// an ordinary deposit; one to the hot address is given back.
	again := s.withdraw("bob", "0.05", s.depositAddress("alice"))
	var listing keyListing
	code, stdout, stderr := exitOf(t, nil, "keys", "--home", s.home, "--json")
	if err := json.Unmarshal([]byte(stdout), &listing); code != exitOK || err != nil {
		t.Fatalf("keys: exit %d, %v: %s", code, err, stderr)
	}
	before, err := s.balance(t.Context(), "bob", "SWAP.BTC")
	must(t, err)
	hot := s.withdraw("bob", "0.01", listing.Chains[0].Hot)
	s.mineUntil("all payouts", func() bool {
		for _, id := range ids {
			if s.withdrawal(id).State != "settled" {
				return false
			}
		}
		return s.withdrawal(again).State == "settled" && s.withdrawal(hot).State == "returned"
	})
	s.wantBalance("bob", "SWAP.BTC", jsvalue.Big(before).Minus(jsvalue.Big("0.0002")).ToFixedN(8)) // the fee stays
	s.node.Generate(inputDepth)
	s.caughtUp()
	for kind, script := range payees() {
		s.wantReceived(script, nets[kind])
		w := s.withdrawal(ids[kind])
		if w.Amount != nets[kind] || w.Fee != "0.00020000" || w.Reason != "" || !slices.Contains(w.Variants, w.TxID) || w.SettleTx == "" {
			t.Errorf("%s: %s", kind, show(w))
		}
	}
	hotScript, err := s.node.Coin.Script(listing.Chains[0].Hot)
	must(t, err)
	if slices.Contains(s.received()[hex.EncodeToString(hotScript)], "0.00980000") {
		t.Error("the withdrawal to the hot address was paid")
	}
	s.await("the payout to alice's address to be credited", func() bool {
		return slices.ContainsFunc(s.deposits("alice"), func(d gateway.Deposit) bool { return d.Amount == "0.04980000" && d.State == "credited" })
	})
	r := s.checkReserves()
	if a := r.Assets[0]; a.PendingWithdrawals != "0.00000000" || a.Uncredited != "0.00000000" || a.InFlight != "0.00000000" || a.NetworkFees != "0.00000000" {
		t.Errorf("the books at rest: %s", show(a))
	}
	if code, stdout := s.audit(); code != exitOK {
		t.Errorf("audit of a running home: exit %d: %s", code, stdout)
	}
	if code := s.stop(); code != exitOK {
		t.Errorf("exit %d after SIGTERM", code)
	}
	if code, stdout := s.audit(); code != exitOK {
		t.Errorf("audit of a stopped home: exit %d: %s", code, stdout)
	}
	s.withoutNode()
}

// withoutNode looks at a home whose bitcoin node is dead: it runs, says that it
// is not ready, and does not take what cannot be known for a broken invariant.
func (s *site) withoutNode() {
	s.t.Helper()
	s.node.Stop()
	if code, stdout := s.audit(); code != exitError {
		s.t.Errorf("audit of a stopped home without its node: exit %d: %s", code, stdout)
	}
	s.start()
	for path, want := range map[string]int{"/livez": http.StatusOK, "/readyz": http.StatusServiceUnavailable} {
		res, err := http.Get(s.running.Admin + path)
		must(s.t, err)
		res.Body.Close()
		if res.StatusCode != want {
			s.t.Errorf("%s without the node: %s", path, res.Status)
		}
	}
	if code, stdout := s.audit(); code != exitError {
		s.t.Errorf("audit of a running home without its node: exit %d: %s", code, stdout)
	}
	if c := s.status(); len(c.Nodes) != 1 || c.Nodes[0].OK {
		s.t.Errorf("status without the node: %s", show(c))
	}
	if status, answer := s.ask(http.MethodGet, "/v1/reserves", "", ""); status != http.StatusServiceUnavailable && !strings.Contains(answer, `"ok":false`) {
		s.t.Errorf("reserves without the node: %d %s", status, answer)
	}
	if code := s.stop(); code != exitOK {
		s.t.Errorf("exit %d without the node", code)
	}
}

// TestKillOnBtcd kills the process in every state of a deposit and of a
// withdrawal that can be seen from outside: credited once, paid once.
func TestKillOnBtcd(t *testing.T) {
	t.Parallel()
	s := newSite(t, "alice")
	killed := map[string]bool{}
	// killAt kills the process when it shows a state for the first time.
	killAt := func(state string) {
		t.Helper()
		if killed[state] {
			return
		}
		killed[state] = true
		s.kill()
		s.start()
	}
	to := s.depositAddress("alice")
	txid := s.node.Pay(to, coins(t, "1"))
	last := func(list []gateway.Deposit) string {
		if len(list) != 1 || list[0].TxID != txid {
			return ""
		}
		return list[0].State
	}
	s.await("the payment to be seen", func() bool { return last(s.deposits("alice")) == "seen" })
	killAt("seen")
	s.mineUntil("the credit", func() bool {
		state := last(s.deposits("alice"))
		if state != "" {
			killAt("deposit " + state)
		}
		return state == "credited"
	})
	s.wantBalance("alice", "SWAP.BTC", "1.00000000")

	script := payees()["P2TR"]
	payee, err := s.node.Coin.Address(script)
	must(t, err)
	id := s.withdraw("alice", "0.4", payee)
	killAt("burned")
	var states []string
	s.mineUntil("the settlement", func() bool {
		var w gateway.Withdrawal
		_ = s.get(t.Context(), "/v1/withdrawals/"+id, &w) // not known in the first moment
		if w.State != "" {
			killAt("withdrawal " + w.State)
		}
		for _, step := range w.History {
			if !slices.Contains(states, step.State) {
				states = append(states, step.State)
			}
		}
		return w.State == "settled"
	})
	want := []string{"requested", "queued", "planned", "signed", "broadcast", "confirmed", "settled"}
	if !slices.Equal(states, want) {
		t.Errorf("the withdrawal went through %v, want %v", states, want)
	}
	s.node.Generate(inputDepth)
	s.caughtUp()
	s.wantReceived(script, "0.39980000")
	s.wantBalance("alice", "SWAP.BTC", "0.60000000")
	s.checkReserves()
	t.Logf("killed at %d moments: %v", len(killed), killed)
	if len(killed) < 7 {
		t.Errorf("killed only at %v", killed)
	}
}
