package gateway

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/pegs"
)

// apart is a signer that answers as one in another process does.
type apart struct {
	Signer
	count uint64
	err   error
}

func (a apart) Status(context.Context) (hotwallet.SignerStatus, error) {
	return hotwallet.SignerStatus{Counter: a.count}, a.err
}

// TestSignerOlderThanTheLedger: a signer that has forgotten what the ledger saw it
// sign is refused before anything runs, in this process or in another.
func TestSignerOlderThanTheLedger(t *testing.T) {
	d := newDriver(t)
	d.boot()
	d.pump()
	d.round(0)
	seen := d.node.gateway.SignerCounter()
	if seen == 0 {
		t.Fatal("nothing was signed")
	}
	d.node.close()
	unknown := errors.New("no answer")
	for name, c := range map[string]struct {
		signer apart
		want   error
	}{
		"older": {apart{count: seen - 1}, hotwallet.ErrRollback}, "same": {apart{count: seen}, nil},
		"newer": {apart{count: seen + 5}, nil}, "silent": {apart{err: unknown}, unknown},
	} {
		d.tune = func(cfg *Config) { c.signer.Signer, cfg.Signer = cfg.Signer, c.signer }
		n, err := d.open()
		if !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
		if err == nil {
			n.close()
		}
	}
	d.tune = nil
	must(t, os.Remove(filepath.Join(d.dir, "signer.db")))
	if _, err := d.open(); !errors.Is(err, hotwallet.ErrRollback) || !strings.Contains(err.Error(), "older than gateway.db") {
		t.Errorf("signer.db lost: %v", err)
	}
}

// TestRebuild: an empty ledger reads everything from the sidechain and the chain,
// and does nothing.
func TestRebuild(t *testing.T) {
	d := newDriver(t)
	d.boot()
	d.pump()
	d.round(0)
	d.round(0)
	var payee string
	d.call(&payee, "getnewaddress")
	must(t, d.node.gateway.Halt(t.Context(), chains.BTC, "test", "anna", pegs.ScopePayouts))
	id := d.act("alice", "pegs", "withdraw", `{"symbol":"SWAP.BTC","quantity":"0.003","address":"`+payee+`"}`)
	d.until("queued", func() bool { return d.withdrawal(id).State == "queued" })
	before, err := d.node.gateway.rebuilt()
	must(t, err)
	d.node.close()
	must(t, os.Remove(filepath.Join(d.dir, LogFile)))
	d.boot()
	list, err := d.node.gateway.Rebuild(t.Context(), Rebuilding{})
	must(t, err)
	if len(list) != 1 || list[0].Paid != 2 || list[0].Unpaid != 1 || list[0].Assigned != 0 || list[0].Credited != 2 || list[0].Outputs == 0 {
		t.Errorf("%+v", list)
	}
	if list[0] != before[0] {
		t.Errorf("%+v, before it was %+v", list[0], before[0])
	}
	var mempool []string
	if d.call(&mempool, "getrawmempool"); len(mempool) > 0 {
		t.Errorf("the mempool holds %v", mempool)
	}
	d.until("broadcast", func() bool { return d.withdrawal(id).State == "broadcast" })
	d.mine(2)
	d.until("settled", func() bool { return d.withdrawal(id).State == "settled" })
	if got := d.received(payee); got.Coin(8) != "0.00295000" {
		t.Errorf("the payee received %s", got.Coin(8))
	}
	d.node.close()

	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	d.boot()
	if _, err := d.node.gateway.Rebuild(ctx, Rebuilding{}); !errors.Is(err, context.Canceled) {
		t.Errorf("cancelled: %v", err)
	}
	d.node.close()
}

// TestMarkRestored: payouts of a home that comes from a backup stand still from
// before the first step on, until a day of blocks after the chain was read to its
// end, and then until a person takes the halt away.
func TestMarkRestored(t *testing.T) {
	d := newDriver(t)
	d.boot()
	d.pump()
	d.round(0)
	d.node.close()
	n, err := MarkRestored(t.Context(), filepath.Join(d.dir, LogFile), tohex(d.chainID[:]), "restored from a backup", "restore")
	if err != nil || n != 1 {
		t.Fatalf("%d chains: %v", n, err)
	}
	d.boot()
	resume := func() error { return d.node.gateway.Resume(t.Context(), chains.BTC, "I looked", "anna") }
	if err := resume(); err == nil || !strings.Contains(err.Error(), "was not read to its end") {
		t.Errorf("before anything was read: %v", err)
	}
	halt := func() (h pegs.Halt) {
		must(t, d.node.gateway.ledger.View(func(s *pegs.State) {
			c, _ := s.Chain(chains.BTC)
			h, _ = c.HaltOf(pegs.CauseRestored)
		}))
		return h
	}
	d.until("the block is known", func() bool { return halt().Until != 0 })
	var height uint64
	d.call(&height, "getblockcount")
	if until := halt().Until; until != height+144 || len(halt().Scopes) != 1 {
		t.Errorf("until block %d, the newest is %d", until, height)
	}
	var payee string
	d.call(&payee, "getnewaddress")
	id := d.act("alice", "pegs", "withdraw", `{"symbol":"SWAP.BTC","quantity":"0.003","address":"`+payee+`"}`)
	d.mine(143)
	d.until("the last block but one", func() bool { return d.node.gateway.ChainStatus()[0].Height == height+143 })
	if err := resume(); err == nil || !strings.Contains(err.Error(), "stand until block") {
		t.Errorf("a block early: %v", err)
	}
	wantCode(t, "given back though it may have been paid", d.node.gateway.Veto(t.Context(), id, "anna", "it takes so long", true), CodeHalted)
	if state := d.withdrawal(id).State; state != "queued" {
		t.Errorf("the withdrawal is %s", state)
	}
	d.node.close()
	d.boot() // it does not begin to count again
	d.mine(1)
	d.until("the last block", func() bool { return d.node.gateway.ChainStatus()[0].Height == height+144 })
	d.pump()
	if until := halt().Until; until != height+144 {
		t.Errorf("until block %d after a restart", until)
	}
	if d.withdrawal(id).State != "queued" {
		t.Error("it was paid without a person's word")
	}
	must(t, resume())
	d.until("broadcast", func() bool { return d.withdrawal(id).State == "broadcast" })
	d.node.close()
}

// A rebuild whose nodes do not answer says so, node by node, and gives up when
// nothing moves for too long; what was read is kept.
func TestRebuildWaits(t *testing.T) {
	d := simBooted(t)
	d.fund(2_000_000)
	d.node.close()
	must(t, os.Remove(filepath.Join(d.dir, LogFile)))
	d.boot()
	away := &goneNode{Source: d.node0, after: 30}
	f, _ := d.node.gateway.served(chains.BTC).(*follower)
	f.Source, f.steps = away, chains.NewFollower(away, f.Coin, chains.FollowerOptions{MaxReorg: 100})
	now := time.Unix(1_000_000, 0)
	var lines []string
	r := Rebuilding{
		Patience: time.Minute, Report: func(line string) { lines = append(lines, line) },
		now: func() time.Time { return now }, pause: func(_ context.Context, d time.Duration) { now = now.Add(d) },
	}
	_, err := d.node.gateway.Rebuild(t.Context(), r)
	if err == nil || !strings.Contains(err.Error(), "nothing was read for 1m0s") || !strings.Contains(err.Error(), "unplugged") {
		t.Errorf("%v", err)
	}
	said := strings.Join(lines, "\n")
	for _, want := range []string{"btc: block ", "btc: node gone: unplugged", "waits: btc: "} {
		if !strings.Contains(said, want) {
			t.Errorf("it does not say %q:\n%s", want, said)
		}
	}
	if n := len(lines); n > 30 {
		t.Errorf("%d lines", n)
	}
	away.after = 1 << 30
	list, err := d.node.gateway.Rebuild(t.Context(), r)
	if err != nil || len(list) != 1 || list[0].Credited != 1 {
		t.Errorf("%+v, %v", list, err)
	}
}

// goneNode answers so many questions and no more.
type goneNode struct {
	chains.Source
	after, asked int
}

func (n *goneNode) ask() error {
	if n.asked++; n.asked > n.after {
		return fmt.Errorf("%w: unplugged", chains.ErrUnavailable)
	}
	return nil
}

func (n *goneNode) Tip(ctx context.Context) (chains.BlockRef, error) {
	if err := n.ask(); err != nil {
		return chains.BlockRef{}, err
	}
	return n.Source.Tip(ctx)
}

func (n *goneNode) RawBlock(ctx context.Context, hash string) ([]byte, error) {
	if err := n.ask(); err != nil {
		return nil, err
	}
	return n.Source.RawBlock(ctx, hash)
}

func (n *goneNode) Health() []chains.NodeHealth {
	return []chains.NodeHealth{{Name: "gone", OK: n.asked <= n.after, Err: "unplugged"}}
}
