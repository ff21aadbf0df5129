package pegs

import (
	"errors"
	"testing"

	"causeway/chains"

	"pgregory.net/rapid"
)

func TestNeed(t *testing.T) {
	p := btcPolicy
	p.Extreme = 10
	for _, c := range []struct {
		network    chains.Network
		configured uint64
		exposure   uint64
		alert      bool
		want       uint64
	}{
		{chains.Regtest, 0, 0, false, 3}, {chains.Regtest, 1, 0, false, 1}, {chains.Mainnet, 1, 0, false, 2}, {chains.Mainnet, 8, 0, false, 8},
		{chains.Mainnet, 0, 2 * coin, false, 3}, {chains.Mainnet, 0, 3 * coin, false, 4}, {chains.Mainnet, 0, 5*coin - 1, false, 6},
		{chains.Mainnet, 0, 5 * coin, false, 6}, {chains.Mainnet, 0, 5*coin + 1, false, 7}, {chains.Mainnet, 0, 8 * coin, false, 10},
		{chains.Mainnet, 0, 21_000_000 * coin, false, 10}, {chains.Testnet, 4, 100 * coin, false, 4},
		{chains.Mainnet, 0, 0, true, 6}, {chains.Mainnet, 4, 0, true, 6}, {chains.Mainnet, 0, 7 * coin, true, 9}, {chains.Regtest, 1, 0, true, 6},
	} {
		if got := p.Need(c.network, c.configured, chains.NewAmount(c.exposure), c.alert); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
	old := btcPolicy // of a log from before there was an extreme
	if got := old.Need(chains.Mainnet, 0, chains.NewAmount(500*coin), false); got != 6 {
		t.Errorf("without an extreme: %d", got)
	}
	if PolicyOf(chains.BTC, chains.Facts{Decimals: 8}).Much != chains.NewAmount(5*coin) {
		t.Error("the value at risk is not in base units")
	}
}

// More value, an alert or a higher floor never lower the depth.
func TestNeedIsMonotone(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		p := Policy{
			Floor: rapid.Uint64Range(0, 50).Draw(t, "floor"), Normal: rapid.Uint64Range(0, 50).Draw(t, "normal"),
			Large: rapid.Uint64Range(0, 80).Draw(t, "large"), Extreme: rapid.Uint64Range(0, 150).Draw(t, "extreme"),
			Much: chains.NewAmount(rapid.Uint64().Draw(t, "much")),
		}
		configured := rapid.Uint64Range(0, 20).Draw(t, "configured")
		a, b := rapid.Uint64().Draw(t, "a"), rapid.Uint64().Draw(t, "b")
		less, more := chains.NewAmount(min(a, b)), chains.NewAmount(max(a, b))
		calm := p.Need(chains.Mainnet, configured, less, false)
		if calm < p.Floor || calm < 1 || p.Need(chains.Mainnet, configured, more, false) < calm || p.Need(chains.Mainnet, configured, less, true) < calm {
			t.Fatalf("%+v: %d", p, calm)
		}
	})
}

// Scenario 26: ten deposits of a tenth need the depth of their sum, all of them,
// also the ones that came first.
func TestSplittingADepositDoesNotHelp(t *testing.T) {
	depth := func(parts int) uint64 {
		b := newBook(t)
		b.do(&Configured{Chain: chains.BTC, Network: chains.Regtest, Policy: btcPolicy})
		for i := range parts {
			b.block([]Payment{pays("t", uint32(i), "alice", 5*coin/uint64(parts))})
		}
		c, _ := b.Chain(chains.BTC)
		if first := b.deposit("t", 0); b.Needed(first) != c.CreditDepth() {
			t.Errorf("%d parts: the first needs %d, the chain %d", parts, b.Needed(first), c.CreditDepth())
		}
		return c.CreditDepth()
	}
	if depth(1) != 6 || depth(10) != 6 || depth(100) != 6 {
		t.Errorf("whole %d, split %d and %d", depth(1), depth(10), depth(100))
	}
}

// What left the chain is no risk, what left the window neither.
func TestExposureIsOfTheWindow(t *testing.T) {
	b := newBook(t)
	policy := btcPolicy
	policy.Keep = 5
	b.do(&Configured{Chain: chains.BTC, Network: chains.Regtest, Policy: policy})
	c, _ := b.Chain(chains.BTC)
	b.block([]Payment{pays("t", 0, "alice", 50*coin)})
	b.back()
	if c.CreditDepth() != 3 {
		t.Errorf("after it left the chain: %d", c.CreditDepth())
	}
	b.block([]Payment{pays("t", 0, "alice", 50*coin)})
	for i, want := range []uint64{6, 6, 6, 6, 6, 3} {
		if got := c.CreditDepth(); got != want {
			t.Errorf("after %d blocks: %d", i, got)
		}
		b.block(nil)
	}
}

func TestAlerts(t *testing.T) {
	b := newBook(t)
	c, _ := b.Chain(chains.BTC)
	slow := &Alerted{Chain: chains.BTC, Cause: "slow", Reason: "blocks are slow", Author: "gateway"}
	b.do(slow)
	if c.CreditDepth() != 6 || len(c.Alerts()) != 1 {
		t.Errorf("depth %d, alerts %v", c.CreditDepth(), c.Alerts())
	}
	over := *slow
	over.Over = true
	for _, bad := range []Event{slow, &Alerted{Chain: chains.BTC, Cause: "slow"}, &Alerted{Chain: chains.BTC, Cause: "x", Over: true, Reason: "r", Author: "a"}} {
		if err := b.try(bad); !errors.Is(err, ErrTransition) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	b.do(&over)
	if c.CreditDepth() != 2 || len(c.Alerts()) != 0 {
		t.Errorf("afterwards: depth %d, alerts %v", c.CreditDepth(), c.Alerts())
	}
}

// Blocks below the first are searched when the configuration says so.
func TestLoweredStart(t *testing.T) {
	b := &book{t: t, State: NewState(), hash: "root", height: 10}
	set := func(start uint64) {
		b.do(&Configured{Chain: chains.BTC, Network: chains.Regtest, Start: start, Policy: btcPolicy})
	}
	set(10)
	b.do(&Watching{Chain: chains.BTC, Accounts: []string{"alice"}})
	b.blocks(2)
	c, _ := b.Chain(chains.BTC)
	set(12)
	if len(c.Incomplete()) != 0 {
		t.Error("searched again for a higher start")
	}
	set(5)
	if len(c.Incomplete()) != 1 || c.Next() != 12 {
		t.Errorf("incomplete %v, next %d", c.Incomplete(), c.Next())
	}
}
