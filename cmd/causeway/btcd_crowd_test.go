package main

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"slices"
	"testing"
	"time"

	"causeway/gateway"
	"causeway/internal/nodetest"
)

// TestCrowdOnBtcd pays a hundred deposits at once and thirty withdrawals out
// again: more than ordinary accounts may say in one block, and many payees in
// one transaction.
func TestCrowdOnBtcd(t *testing.T) {
	t.Parallel()
	s := newSite(t, "alice")
	const users, each, outs = 10, 10, 3
	var names, addresses []string
	for i := range users {
		names = append(names, fmt.Sprintf("user%02d", i))
	}
	s.createAccount("alice", names...)
	for _, name := range names {
		addresses = append(addresses, s.depositAddress(name))
	}
	for i := range each {
		var outputs []nodetest.Payout
		for _, to := range addresses {
			outputs = append(outputs, nodetest.Payout{Address: to, Amount: coins(t, fmt.Sprintf("0.0%d", i+1))})
		}
		s.node.Send(outputs...)
	}
	s.node.Generate(creditDepth)
	start := time.Now()
	s.await("all credits", func() bool {
		states := map[string]int{}
		for _, d := range s.deposits("") {
			states[d.State]++
		}
		return states["credited"] == users*each
	})
	t.Logf("%d deposits credited after %s", users*each, time.Since(start))
	for _, name := range names {
		s.wantBalance(name, "SWAP.BTC", "0.46000000") // 0.01 to 0.09, and 0.010
	}

	// The last three want the same amount at the same address.
	ids, scripts := []string{}, [][]byte{}
	for i := range users * outs {
		script := append([]byte{0, 20}, bytes.Repeat([]byte{byte(100 + min(i, users*outs-3))}, 20)...)
		to, err := s.node.Coin.Address(script)
		must(t, err)
		scripts = append(scripts, script)
		from := names[i%users]
		ids = append(ids, s.submit(from, s.keys[from], "pegs", "withdraw", fmt.Sprintf(`{"symbol":"SWAP.BTC","quantity":"0.1","address":%q}`, to)))
	}
	for _, id := range ids {
		if said := s.errorsOf(id); len(said) > 0 {
			t.Fatalf("withdrawal %s: %q", id, said)
		}
	}
	var batches []string
	s.mineUntil("all payouts", func() bool {
		var page gateway.Page[gateway.Withdrawal]
		must(t, s.get(t.Context(), "/v1/withdrawals?limit=500", &page))
		settled := 0
		for _, w := range page.Items {
			if w.State == "settled" {
				settled++
			}
			if w.Batch != "" && !slices.Contains(batches, w.Batch) {
				batches = append(batches, w.Batch)
			}
		}
		return settled == len(ids)
	})
	t.Logf("%d withdrawals in %d transactions", len(ids), len(batches))
	got := s.received()
	for i, script := range scripts {
		times := 1
		if i >= len(scripts)-3 {
			times = 3
		}
		if amounts := got[hex.EncodeToString(script)]; !slices.Equal(amounts, slices.Repeat([]string{"0.09980000"}, times)) {
			t.Errorf("payee %d received %v", i, amounts)
		}
	}
	s.checkReserves()
}
