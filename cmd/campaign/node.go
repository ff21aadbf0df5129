package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"path/filepath"
	"sync"
	"time"

	"causeway/api"
	"causeway/chains"
	"causeway/gateway"
	"causeway/hotwallet"
	"causeway/internal/failpoint"
	"causeway/pegs"
	"causeway/pegs/contract"
	"causeway/sidechain"
	"causeway/sidechain/base/solo"
	sidecontract "causeway/sidechain/contract"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/state"
)

// nodeOptions are what a node is opened with.
type nodeOptions struct {
	home   string
	nodes  []string                               // of the outside chain, by URL
	depth  uint64                                 // at which deposits are credited; 0: the coin's own
	extra  uint64                                 // how much deeper what payouts spend is
	free   bool                                   // it runs by itself, not step by step
	large  bool                                   // much is under way
	limits pegs.Limits                            // of payouts
	wrap   func(chains.Source, int) chains.Source // nil: as they are
	log    *slog.Logger
}

// node is base layer, engine, signer, gateway and API in one process, opened and
// closed in the order in which they depend on each other.
type node struct {
	nodeOptions
	*network
	clock     *tickClock
	wallet    *hotwallet.Wallet
	base      *solo.Store
	signer    *hotwallet.LocalSigner
	engine    *sidechain.Engine
	sequencer *solo.Sequencer
	gateway   *gateway.Gateway
	handler   http.Handler
	closers   []func() error
}

// tickClock goes on when it is told to: base blocks carry whole seconds, and a
// campaign has no time to wait for them.
type tickClock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *tickClock) time() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *tickClock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.now = c.now.Add(d)
}

func openNode(net *network, o nodeOptions) (*node, error) {
	n := &node{nodeOptions: o, network: net, clock: &tickClock{now: time.Date(2026, 1, 1, 0, 10, 0, 0, time.UTC)}}
	if err := n.open(); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

func (n *node) open() error {
	lock, err := gateway.LockHome(n.home)
	if err != nil {
		return err
	}
	n.defers(lock.Unlock)
	if err := n.openBase(); err != nil {
		return err
	}
	cfg, err := n.gatewayConfig(lock)
	if err != nil {
		return err
	}
	if n.gateway, err = gateway.Open(cfg); err != nil {
		return err
	}
	n.defers(n.gateway.Close)
	server := api.New(api.Config{
		Version: "campaign", ChainID: networkID, BaseChainID: hex.EncodeToString(n.baseID[:]),
		Chain: n.engine, Base: n.sequencer, Gateway: n.gateway, Log: n.log,
	})
	mux := http.NewServeMux()
	admin := server.AdminHandler(api.Admin{Operator: n.gateway})
	for _, path := range []string{"/operator/", "/metrics", "/debug/pprof/"} {
		mux.Handle(path, admin)
	}
	mux.Handle("/", server.Handler())
	n.handler = mux
	return nil
}

func (n *node) defers(closer func() error) { n.closers = append(n.closers, closer) }

func (n *node) close() error {
	var errs []error
	for i := len(n.closers) - 1; i >= 0; i-- {
		errs = append(errs, n.closers[i]())
	}
	n.closers = nil
	return errors.Join(errs...)
}

// openBase opens stores, engine, signer and sequencer.
func (n *node) openBase() error {
	store, err := solo.OpenStore(filepath.Join(n.home, "base.db"), n.baseID, solo.StoreOptions{})
	if err != nil {
		return err
	}
	n.defers(store.Close)
	db, err := state.Open(filepath.Join(n.home, "sidechain.db"))
	if err != nil {
		return err
	}
	n.defers(db.Close)
	contracts := []sidecontract.Contract{tokens.New(), contract.New()}
	machine, err := solo.NewMachine(solo.MachineConfig{Genesis: n.genesis, ChainID: n.baseID, ContractNames: []string{"tokens", "pegs"}})
	if err != nil {
		return err
	}
	if n.engine, err = sidechain.OpenEngine(sidechain.EngineConfig{
		Genesis: n.genesis, GenesisBytes: n.document, DB: db, Contracts: contracts, Machine: machine, Logger: n.log,
	}); err != nil {
		return err
	}
	n.defers(n.engine.Close)
	if err := n.openSigner(); err != nil {
		return err
	}
	head, err := store.HeadHeader()
	if err != nil {
		return err
	}
	candidate, err := store.CandidateHeader()
	if err != nil {
		return err
	}
	headers, err := n.signer.Sequencer(head, candidate)
	if err != nil {
		return err
	}
	if _, _, at := store.Head(); at != "" {
		if newest, err := time.Parse("2006-01-02T15:04:05", at); err == nil && newest.After(n.clock.time()) {
			n.clock.now = newest
		}
	}
	n.sequencer, err = solo.New(context.Background(), solo.Config{
		Machine: machine, Store: store, State: db, Executor: n.engine, Logger: n.log, AccountsOpen: true,
		Signer: headers, Clock: n.clock.time, NoGapRule: true,
	})
	n.base = store
	return err
}

func (n *node) openSigner() error {
	var err error
	if n.wallet, err = newWallet(); err != nil {
		return err
	}
	var roles []hotwallet.RoleKey
	for _, r := range []struct {
		role          hotwallet.Role
		name, account string
	}{{hotwallet.RoleSequencer, "sequencer", ""}, {hotwallet.RoleAttestor, "gateway", "gateway"}} {
		key, err := userKey(r.name)
		if err != nil {
			return err
		}
		role, err := hotwallet.NewRoleKey(r.role, r.account, hotwallet.NewSecret(key.WIF()))
		if err != nil {
			return err
		}
		roles = append(roles, role)
	}
	sequencer, err := userKey("sequencer")
	if err != nil {
		return err
	}
	cfg := hotwallet.SignerConfig{
		Journal: filepath.Join(n.home, "signer.db"), Wallet: n.wallet, Roles: roles,
		BaseChainID: n.baseID, ContractID: "ssc-" + networkID, Sequencer: sequencer.Public(),
	}
	if err := n.kind.signer(n, &cfg); err != nil {
		return err
	}
	if n.signer, err = hotwallet.OpenSigner(cfg); err == nil {
		n.defers(n.signer.Close)
	}
	return err
}

// gatewayConfig connects the outside chain: of several nodes more than half must
// agree.
func (n *node) gatewayConfig(lock *gateway.Lock) (cfg gateway.Config, err error) {
	chain, err := n.kind.gateway(n)
	if err != nil {
		return cfg, err
	}
	return gateway.Config{
		Home: n.home, Network: chains.Regtest, NetworkID: hex.EncodeToString(n.baseID[:]), Lock: lock,
		Chains:    []gateway.ChainConfig{chain},
		Sidechain: gateway.NewSidechain(n.engine, n.base), Signer: n.signer, Keys: n.wallet, Log: n.log,
		Submitter:  gateway.NewAttestor(n.sequencer, n.signer, "gateway", networkID),
		Failpoint:  failpoint.Hit,
		RetryAfter: n.pace().retry, RebroadcastAfter: n.pace().poll, Pace: 10 * n.pace().poll,
		AuditEvery: n.pace().audit, AuditPause: n.pace().pause,
	}, nil
}

// pace is how long a node waits between what it does again. One that goes step by
// step waits for no clock, so that what it does does not depend on one.
type pace struct{ poll, retry, audit, pause time.Duration }

func (n *node) pace() pace {
	switch {
	case n.free:
		return pace{poll: time.Millisecond, retry: time.Microsecond, audit: 20 * time.Millisecond}
	case n.large: // as it is run: nothing gets lost, and what is sent twice takes room in blocks
		return pace{poll: time.Millisecond, retry: 10 * time.Second, audit: 24 * time.Hour}
	}
	return pace{poll: 1, retry: 1, audit: 24 * time.Hour, pause: 1}
}

// step makes a base block if there is anything for one, and gives every service
// of the gateway a turn.
func (n *node) step(ctx context.Context) error {
	n.clock.add(2 * time.Second)
	if _, err := n.sequencer.Produce(ctx); err != nil {
		return fmt.Errorf("base layer: %w", err)
	}
	return n.gateway.Step(ctx)
}

// run serves as a process does, with all services at once, until ctx ends.
func (n *node) run(ctx context.Context) error {
	done := make(chan error, 2)
	go func() {
		for ctx.Err() == nil {
			n.clock.add(time.Second)
			if _, err := n.sequencer.Produce(ctx); err != nil && ctx.Err() == nil {
				done <- fmt.Errorf("base layer: %w", err)
				return
			}
			time.Sleep(3 * time.Millisecond)
		}
		done <- nil
	}()
	go func() { done <- n.gateway.Run(ctx) }()
	first := <-done
	if first != nil {
		return first
	}
	return <-done
}
