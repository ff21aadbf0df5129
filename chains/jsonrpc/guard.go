package jsonrpc

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"causeway/chains"
)

// Guard lets calls through to a node that has shown what it is, and keeps what is
// known of the node's health.
type Guard struct {
	identify func(context.Context) error
	starting func(*Error) bool
	log      *slog.Logger

	mu      sync.Mutex
	checked bool // identified, since the last failure
	health  chains.NodeHealth
}

// NewGuard guards a node of a name. identify finds out whether it is one to be
// asked; it runs before the first call, and again after each failure. starting
// (nil: none) tells refusals of a node that is not ready from answers.
func NewGuard(name string, identify func(context.Context) error, starting func(*Error) bool, log *slog.Logger) *Guard {
	if starting == nil {
		starting = func(*Error) bool { return false }
	}
	return &Guard{identify: identify, starting: starting, log: log, health: chains.NodeHealth{Name: name}}
}

// Do makes calls of a node that is the right one.
func (g *Guard) Do(ctx context.Context, calls func() error) error {
	err := g.check(ctx)
	if err == nil {
		err = calls()
	}
	g.note(ctx, err)
	return err
}

// check identifies the node, once until something fails. A refusal here is not
// one of the call that was meant.
func (g *Guard) check(ctx context.Context) error {
	g.mu.Lock()
	checked := g.checked
	g.mu.Unlock()
	if checked {
		return nil
	}
	err := g.identify(ctx)
	var refused *Error
	if errors.As(err, &refused) {
		return fmt.Errorf("%w: %v", chains.ErrUnavailable, err)
	}
	if err != nil {
		return err
	}
	g.mu.Lock()
	g.checked = true
	g.mu.Unlock()
	return nil
}

// note keeps the outcome of a call as the node's health. A refusal is an answer
// of a healthy node, unless it is starting; a call that our side gave up says
// nothing.
func (g *Guard) note(ctx context.Context, err error) {
	if errors.Is(ctx.Err(), context.Canceled) {
		return
	}
	var refused *Error
	if errors.As(err, &refused) && !g.starting(refused) {
		err = nil
	}
	g.mu.Lock()
	was, knew := g.health.OK, !g.health.Checked.IsZero()
	g.health.OK, g.health.Err, g.health.Checked = err == nil, "", time.Now()
	if err != nil {
		g.health.Err = err.Error()
		g.checked = false
	}
	g.mu.Unlock()
	switch {
	case err != nil && (was || !knew):
		g.log.Warn("node is failing", "err", err)
	case err == nil && knew && !was:
		g.log.Info("node is back")
	}
}

// Introduced keeps what the node is, for its health.
func (g *Guard) Introduced(network chains.Network, version string) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.health.Network, g.health.Version = network, version
}

// Saw keeps how high the node's chain is.
func (g *Guard) Saw(height uint64) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.health.Height = height
}

// Health is the last that is known of the node.
func (g *Guard) Health() chains.NodeHealth {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.health
}
