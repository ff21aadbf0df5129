package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"
	"time"

	"causeway/chains"
	"causeway/pegs"
)

// crookedSource is a source that a test can make fail.
type crookedSource struct {
	chains.Source
	mu    sync.Mutex
	err   error
	nodes []chains.NodeHealth
	sent  func() // called at each broadcast, before it goes out
}

func (c *crookedSource) fault() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.err
}

func (c *crookedSource) set(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
}

func (c *crookedSource) Tip(ctx context.Context) (chains.BlockRef, error) {
	if err := c.fault(); err != nil {
		return chains.BlockRef{}, err
	}
	return c.Source.Tip(ctx)
}

func (c *crookedSource) HashAt(ctx context.Context, height uint64) (string, error) {
	if err := c.fault(); err != nil {
		return "", err
	}
	return c.Source.HashAt(ctx, height)
}

func (c *crookedSource) Health() []chains.NodeHealth {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.nodes != nil {
		return c.nodes
	}
	return c.Source.Health()
}

func (c *crookedSource) Broadcast(ctx context.Context, raw []byte) (chains.Verdict, error) {
	if c.sent != nil {
		c.sent()
	}
	return c.Source.Broadcast(ctx, raw)
}

// crookedWorld is a running world whose source can be made to fail.
func crookedWorld(t *testing.T) (*world, *crookedSource) {
	w := newWorld(t)
	source := &crookedSource{}
	w.tune = func(cfg *Config) {
		source.Source = cfg.Chains[0].Source
		cfg.Chains[0].Source, cfg.Chains[0].Patience, cfg.Chains[0].Quorum = source, 50*time.Millisecond, 2
	}
	w.start()
	return w, source
}

func (w *world) height() (height uint64) {
	w.call(&height, "getblockcount")
	return height
}

func (w *world) status() ChainStatus { return w.node.gateway.ChainStatus()[0] }

func TestNodesThatCannotBeReliedUponHaltTheChain(t *testing.T) {
	w, source := crookedWorld(t)
	open := func() bool {
		s := w.status()
		return s.Reason == "" && s.Deposits == StateOpen && s.Minting == StateOpen && s.Payouts == StateOpen
	}
	w.wait("the start", open)
	for _, c := range []struct {
		err error
		say string
	}{
		{fmt.Errorf("%w: 2 different answers", chains.ErrNoQuorum), "2 different answers"},
		{fmt.Errorf("n1: %w: refused", chains.ErrUnavailable), "n1"},
		{fmt.Errorf("%w; %w: version 1", chains.ErrNoQuorum, chains.ErrNodeVersion), "version 1"},
		{fmt.Errorf("%w; %w: block 0 is x", chains.ErrNoQuorum, chains.ErrWrongNetwork), "block 0 is x"},
		{fmt.Errorf("%w: value out of range", chains.ErrBadBlock), "block: "},
		{fmt.Errorf("%w: 200 blocks", chains.ErrReorgTooDeep), "reorg: "},
	} {
		source.set(c.err)
		w.wait("the halt for "+c.say, func() bool {
			s := w.status()
			return s.Deposits == StateHalted && s.Minting == StateHalted && s.Payouts == StateHalted && strings.Contains(s.Reason, c.say)
		})
		if _, err := w.node.gateway.DepositAddress("btc", "alice"); err == nil {
			t.Error("an address is given while deposits are halted")
		}
		source.set(nil)
		w.wait("the end of the halt", open)
	}
	source.set(errors.New("a fault of ours"))
	time.Sleep(200 * time.Millisecond)
	if !open() {
		t.Errorf("halted for what no node did: %+v", w.status())
	}
}

func TestNodesBehindHaltTheChain(t *testing.T) {
	w, source := crookedWorld(t)
	tip := w.height()
	w.wait("the start", func() bool { return w.status().Height == tip })
	halted := func() bool {
		s := w.status()
		return s.Deposits == StateOpen && s.Minting == StateHalted && s.Payouts == StateHalted
	}
	source.mu.Lock()
	source.nodes = []chains.NodeHealth{{Name: "a", OK: true, Height: tip}, {Name: "b", OK: true, Height: tip + 20}}
	source.mu.Unlock()
	w.wait("the halt for two nodes that are far apart", halted)
	source.mu.Lock()
	source.nodes = append(source.nodes, chains.NodeHealth{Name: "c", OK: true, Height: tip})
	source.mu.Unlock()
	w.wait("the end of the halt: one of three may be anywhere", func() bool { return w.status().Reason == "" })
	source.mu.Lock()
	source.nodes = nil
	source.mu.Unlock()
	var hash string
	w.call(&hash, "getblockhash", tip-20)
	w.call(nil, "invalidateblock", hash)
	w.wait("the halt for a chain that was shortened", halted)
	w.call(nil, "reconsiderblock", hash)
	w.wait("the end of the halt", func() bool { return w.status().Reason == "" })
}

// A source whose tip is too old, by the clock, mints and pays nothing.
func TestOldTipIsLag(t *testing.T) {
	w := newWorld(t)
	w.start()
	height := w.height()
	w.wait("the start", func() bool { return w.status().Height == height })
	f := w.node.gateway.followers[0]
	copied := &follower{ChainConfig: f.ChainConfig, id: f.id, ledger: f.ledger, watcher: newNodeWatch(f.ChainConfig)}
	var tip chains.Header
	_ = f.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(f.id)
		tail := c.Tail()
		tip = tail[len(tail)-1]
	})
	copied.watcher.now = func() time.Time { return time.Unix(tip.Time, 0).Add(3 * time.Hour) }
	for _, c := range []struct {
		age  time.Duration
		want bool
	}{{0, false}, {3 * time.Hour, false}, {3*time.Hour - time.Second, true}} {
		copied.MaxTipAge = c.age
		if got := copied.lag(tip.BlockRef) != ""; got != c.want {
			t.Errorf("limit %s: lag %t", c.age, got)
		}
	}
}

func TestHaltsOfPeople(t *testing.T) {
	w, _ := crookedWorld(t)
	g, ctx := w.node.gateway, t.Context()
	for _, bad := range []error{
		g.Halt(ctx, "btc", "", "ann"), g.Halt(ctx, "btc", "why", " "), g.Halt(ctx, "btc", "why", gatewayAuthor), g.Halt(ctx, "xmr", "why", "ann"),
		g.Halt(ctx, "btc", "why", "ann", "coffee"), g.Halt(ctx, "btc", "two\nlines", "ann"), g.Resume(ctx, "btc", "why", "ann"),
	} {
		var refused *Error
		if !errors.As(bad, &refused) {
			t.Errorf("accepted: %v", bad)
		}
	}
	do := func(err error) {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
	}
	want := func(deposits, minting, payouts string) {
		t.Helper()
		if s := w.status(); s.Deposits != deposits || s.Minting != minting || s.Payouts != payouts {
			t.Errorf("deposits %s, minting %s, payouts %s", s.Deposits, s.Minting, s.Payouts)
		}
	}
	do(g.Halt(ctx, "btc", "one", "ann", pegs.ScopePayouts))
	want(StateOpen, StateOpen, StateHalted)
	do(g.Halt(ctx, "btc", "two", "bea", pegs.ScopeMinting))
	want(StateOpen, StateHalted, StateHalted)
	do(g.Resume(ctx, "btc", "three", "cid", pegs.ScopePayouts))
	want(StateOpen, StateHalted, StateOpen)
	if s := w.status(); s.Reason != "operator: two" {
		t.Errorf("reason %q", s.Reason)
	}
	do(g.Resume(ctx, "btc", "four", "cid"))
	want(StateOpen, StateOpen, StateOpen)
}

// Scenario 75: once a halt is durable nothing that it forbids happens, and it is
// not durable while something is on its way.
func TestMintsAreNotSubmittedOnceHalted(t *testing.T) {
	w, _ := crookedWorld(t)
	g, ctx := w.node.gateway, t.Context()
	w.pay(w.depositAddress("alice"), "0.5")
	w.mine(2)
	w.wait("the credit", func() bool { return len(w.deposits("alice")["credited"]) == 1 })
	id := w.deposits("alice")["credited"][0].ID
	counted := &countingSubmitter{Submitter: g.cfg.Submitter}
	o := newOperator(g)
	o.submitter = counted
	tasks := []task{{key: "mint " + id, items: []string{id}, action: action("mint", "id", id)}, {key: "settle x", action: action("settle")}}
	actions := []Action{tasks[0].action, tasks[1].action}
	if err := g.Halt(ctx, "btc", "a test", "ann", pegs.ScopeMinting); err != nil {
		t.Fatal(err)
	}
	if _, err := o.handOver(ctx, tasks, actions); !errors.Is(err, errHalted) || counted.actions != 0 {
		t.Errorf("%v, %d actions", err, counted.actions)
	}
	if _, err := o.handOver(ctx, tasks[1:], actions[1:]); err != nil || counted.actions != 1 {
		t.Errorf("a settlement while minting is halted: %v, %d actions", err, counted.actions)
	}
}

// The figures for a monitor count what is open, by state and cause.
func TestFigures(t *testing.T) {
	w, _ := crookedWorld(t)
	g, ctx := w.node.gateway, t.Context()
	if err := errors.Join(g.Halt(ctx, "btc", "a test", "ann", pegs.ScopeMinting), g.Alert(ctx, "btc", "ann", "a test", false)); err != nil {
		t.Fatal(err)
	}
	w.pay(w.depositAddress("alice"), "0.5")
	w.pay(w.depositAddress("bob"), "0.00001")
	w.mine(2)
	w.wait("the figures", func() bool {
		f := g.Figures()
		if len(f.Chains) != 1 {
			return false
		}
		c := f.Chains[0]
		return c.Deposits["confirming"] == 1 && c.Deposits["below_minimum"] == 1 && c.Confirmations == 6 &&
			len(c.Halts) == 1 && c.Halts[0] == causeOperator && len(c.Alerts) == 1 && c.Cap == 0
	})
	if inCoins(chains.NewAmount(150_000_000), chains.BTC) != 1.5 {
		t.Error("amounts are not in coins")
	}
}

// The lag that is borne by default is an hour of blocks, whatever the coin.
func TestDefaultMaxLag(t *testing.T) {
	for interval, want := range map[time.Duration]uint64{10 * time.Minute: 12, 150 * time.Second: 24, time.Minute: 60, 12 * time.Second: 300, 0: 3600} {
		if got := defaultMaxLag(interval); got != want {
			t.Errorf("%s: %d", interval, got)
		}
	}
}
