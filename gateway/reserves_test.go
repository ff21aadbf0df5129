package gateway

import (
	"context"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"causeway/chains"
)

// countingSidechain counts how often the state is held still.
type countingSidechain struct {
	Sidechain
	views atomic.Int32
}

func (c *countingSidechain) View(f func(SideState) error) error {
	c.views.Add(1)
	return c.Sidechain.View(f)
}

// slowNode answers when the gate is open.
type slowNode struct {
	NodeRPC
	gate chan struct{}
}

func (n *slowNode) Call(ctx context.Context, method string, params []any, result any) error {
	<-n.gate
	return n.NodeRPC.Call(ctx, method, params, result)
}

// Anybody may ask for the reserves, which reads everything: many who ask at once
// get one answer, and who goes away waits for none.
func TestReservesAreReadOnce(t *testing.T) {
	d := booted(t)
	d.credit("alice", "0.02")
	d.mine(1)
	d.until("followed", d.caughtUp)
	side := &countingSidechain{Sidechain: d.node.gateway.cfg.Sidechain}
	node := &slowNode{NodeRPC: d.rpc, gate: make(chan struct{})}
	d.node.gateway.cfg.Sidechain = side
	d.node.gateway.scanners[chains.BTC].(*scanner).node = node
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := d.node.gateway.Reserves(ctx); err == nil {
		t.Error("an answer for somebody who has left")
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if r, err := d.node.gateway.Reserves(context.Background()); err != nil || !r.OK || len(r.Items) != 1 {
				t.Errorf("%+v, %v", r, err)
			}
		})
	}
	time.Sleep(50 * time.Millisecond)
	close(node.gate)
	wait.Wait()
	if n := side.views.Load(); n > 2 {
		t.Errorf("the state was read %d times", n)
	}
}
