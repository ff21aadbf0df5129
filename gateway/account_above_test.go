package gateway

import (
	"strings"
	"testing"
)

// TestNoDepositVanishes: a deposit that was shown before it was final is shown until the
// ledger has it, although its block is in the ledger long before its account can be
// read.
func TestNoDepositVanishes(t *testing.T) {
	d := newEthDriver(t)
	wire := &faultyWire{seen: map[string]int{}}
	d.wire = wire
	d.boot()
	d.send(outsider, d.address("alice"), ether("2.5"), nil)
	d.mineEth(1)
	d.until("the deposit in a block", func() bool { return len(d.deposits("alice")["confirming"]) == 1 })
	early := d.deposits("alice")["confirming"][0]
	fail := func(fails func(string) bool) {
		wire.mu.Lock()
		defer wire.mu.Unlock()
		wire.fails = fails
	}
	fail(func(body string) bool { return strings.Contains(body, `"eth_getBalance"`) })
	d.mineEth(4)
	turns := 0
	d.until("turns without a reading", func() bool {
		got, err := d.node.gateway.Deposit(early.ID)
		if err != nil || got.State != "confirming" || got.Amount != early.Amount {
			t.Fatalf("after %d turns: %+v, %v", turns, got, err)
		}
		if n := len(d.deposits("alice")["confirming"]); n != 1 {
			t.Fatalf("%d deposits in the list", n)
		}
		turns++
		status := d.node.gateway.ChainStatus()
		return turns > 10 && status[0].Height >= *early.Height
	})
	fail(func(string) bool { return false })
	d.credited("alice", "SWAP.ETH", "2.50000000")
	if got, err := d.node.gateway.Deposit(early.ID); err != nil || got.State != "credited" {
		t.Errorf("in the end %+v, %v", got, err)
	}
	d.node.close()
}
