package gateway

import (
	"errors"
	"strings"
	"testing"
	"time"

	"causeway/chains"
	"causeway/pegs"
)

func wantCode(t *testing.T, what string, err error, code string) {
	t.Helper()
	var refused *Error
	if !errors.As(err, &refused) || refused.Code != code {
		t.Errorf("%s: %v, want %s", what, err, code)
	}
}

// Limits in a running world: small withdrawals are paid, a large one waits for
// its delay by base blocks, over a restart, and can be vetoed and paid after all.
func TestLimitsDelayAndVeto(t *testing.T) {
	w := newWorld(t)
	limits := pegs.Limits{Cap: chains.NewAmount(80_000_000), Window: 1 << 40, Large: chains.NewAmount(20_000_000), Delay: 20}
	w.tune = func(cfg *Config) { cfg.Chains[0].Limits = limits }
	w.start()
	w.pay(w.depositAddress("alice"), "3")
	w.mine(3)
	w.wait("the credit", func() bool { return len(w.deposits("alice")["credited"]) == 1 })
	w.mine(3)
	ask := func(quantity string) string {
		return w.act("alice", "pegs", "withdraw", `{"symbol":"SWAP.BTC","quantity":"`+quantity+`","address":"`+w.miner+`"}`)
	}
	small, large, vetoed, tooLarge := ask("0.1"), ask("0.3"), ask("0.25"), ask("2")
	held := func(id, text string) {
		t.Helper()
		w.wait(text, func() bool {
			v := w.withdrawal(id)
			return v.State == "queued" && strings.Contains(v.Detail, text)
		})
	}
	w.wait("the small payout", func() bool { return w.withdrawal(small).State == "broadcast" })
	for _, id := range []string{large, vetoed} {
		held(id, "a large withdrawal waits until base block")
	}
	ctx := t.Context()
	if err := w.node.gateway.Veto(ctx, vetoed, "ann", "looks wrong", false); err != nil {
		t.Fatal(err)
	}
	w.node.stop()
	w.start()
	g := w.node.gateway
	w.wait("the large payout", func() bool {
		w.mine(1)
		return w.withdrawal(large).State == "broadcast" || w.withdrawal(large).State == "confirmed" || w.withdrawal(large).State == "settled"
	})
	if v := w.withdrawal(vetoed); v.State != "parked" || v.Reason != "vetoed by ann: looks wrong" {
		t.Errorf("vetoed: %s, %q", v.State, v.Reason)
	}
	held(tooLarge, "more than seven eighths of the cap")
	wantCode(t, "veto of what is planned", g.Veto(ctx, large, "ann", "why", true), CodeConflict)
	wantCode(t, "veto of nothing", g.Veto(ctx, "x", "ann", "why", true), CodeNotFound)
	wantCode(t, "veto by nobody", g.Veto(ctx, tooLarge, "", "why", true), CodeBadRequest)
	wantCode(t, "requeue of what waits", g.Requeue(ctx, tooLarge, "ann", "why"), CodeConflict)
	if err := errors.Join(g.Requeue(ctx, vetoed, "bea", "he called"), g.Veto(ctx, tooLarge, "ann", "too large", true)); err != nil {
		t.Fatal(err)
	}
	w.wait("the vetoed payout after all", func() bool { w.mine(1); return w.withdrawal(vetoed).State == "settled" })
	w.wait("the tokens back", func() bool { return w.withdrawal(tooLarge).State == "returned" })
	wantCode(t, "requeue of what was returned", g.Requeue(ctx, tooLarge, "ann", "why"), CodeConflict)
	w.balanced()
}

func TestAlertsAskForMoreConfirmations(t *testing.T) {
	w, source := crookedWorld(t)
	g, ctx := w.node.gateway, t.Context()
	depth := func() uint64 {
		page, err := g.Assets()
		if err != nil {
			t.Fatal(err)
		}
		return page.Items[0].Confirmations
	}
	if depth() != 2 {
		t.Fatalf("at first %d", depth())
	}
	wantCode(t, "end of nothing", g.Alert(ctx, "btc", "ann", "why", true), CodeConflict)
	if err := g.Alert(ctx, "btc", "ann", "a rumour", false); err != nil {
		t.Fatal(err)
	}
	if s := w.status(); depth() != 6 || len(s.Alerts) != 1 || s.Alerts[0] != "operator: a rumour" || s.Reason != "" {
		t.Errorf("alerted: %d, %+v", depth(), s)
	}
	if err := g.Alert(ctx, "btc", "ann", "it was nothing", true); err != nil {
		t.Fatal(err)
	}
	source.mu.Lock()
	source.nodes = []chains.NodeHealth{{Name: "a", OK: true}, {Name: "b", Err: "its block is x", Outvoted: true}, {Name: "c", OK: true}}
	source.mu.Unlock()
	w.wait("the alert about a node that is outvoted", func() bool { return depth() == 6 })
	source.mu.Lock()
	source.nodes = nil
	source.mu.Unlock()
	w.wait("the end of the alert", func() bool { return depth() == 2 })
}

// Scenario 44: blocks that come six times more slowly raise the depth, those of
// an ordinary day do not.
func TestSlowBlocks(t *testing.T) {
	const interval = 10 * time.Minute
	w := newWorld(t)
	w.start()
	height := w.height()
	w.wait("the start", func() bool { return w.status().Height == height })
	f := w.node.gateway.followers[0]
	copied := &follower{ChainConfig: f.ChainConfig, id: f.id, ledger: f.ledger, watcher: newNodeWatch(f.ChainConfig)}
	var before chains.Header
	_ = f.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(f.id)
		tail := c.Tail()
		before = tail[len(tail)-1-slowSpan]
	})
	for _, c := range []struct {
		on   bool
		took time.Duration
		want bool
	}{{true, slowSpan * interval, false}, {true, 2 * slowSpan * interval, false}, {true, 6 * slowSpan * interval, true}, {false, 6 * slowSpan * interval, false}} {
		copied.SlowBlocks = c.on
		copied.watcher.now = func() time.Time { return time.Unix(before.Time, 0).Add(c.took) }
		if got := copied.slow() != ""; got != c.want {
			t.Errorf("%+v: slow %t", c, got)
		}
	}
}
