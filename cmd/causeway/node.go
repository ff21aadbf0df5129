package main

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"math"
	"net"
	"net/http"
	"os"
	"time"

	"golang.org/x/sync/errgroup"

	"causeway/api"
	"causeway/chains"
	"causeway/gateway"
	"causeway/hotwallet"
	"causeway/internal/boltfile"
	pegscontract "causeway/pegs/contract"
	"causeway/sidechain"
	"causeway/sidechain/base"
	"causeway/sidechain/base/solo"
	"causeway/sidechain/contract"
	"causeway/sidechain/contracts/comments"
	"causeway/sidechain/contracts/hivepegged"
	"causeway/sidechain/contracts/market"
	"causeway/sidechain/contracts/resourcemanager"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/state"
)

// chainContracts are the contracts of a new chain in the order in which
// genesis deploys them. The base layer's own coin is a token only where an
// account backs it.
func chainContracts(g *sidechain.Genesis) []contract.Contract {
	list := []contract.Contract{tokens.New(), resourcemanager.New(), market.New(), comments.New(), pegscontract.New()}
	if g.BasePeg != nil {
		list = append(list, hivepegged.New(*g.BasePeg))
	}
	return list
}

// nodeOptions are what differs between run, dev and an audit of a stopped home.
type nodeOptions struct {
	home     home
	lock     *gateway.Lock
	genesis  *sidechain.Genesis
	document []byte // of genesis
	config   Config
	keys     *hotwallet.Keystore // of a signer in this process
	log      *slog.Logger
	// findSigner gives a signer in another process; nil: it is in this one.
	findSigner func(context.Context) (signing, error)

	readOnly  bool // a stopped home
	acceptGap bool
	noGapRule bool          // dev: no rule about gaps
	offset    time.Duration // dev: of the clock
	extra     map[string]http.HandlerFunc
	running   running // accounts and chains to show
}

// node is a whole gateway in one process: stores, engine, sequencer, gateway,
// API.
type node struct {
	nodeOptions
	baseID    [32]byte
	db        *state.DB
	store     *solo.Store
	machine   *solo.Machine
	engine    *sidechain.Engine
	signer    signing
	caps      map[chains.ID]hotwallet.SignerCaps // of signer
	layer     baseLayer
	sequencer *solo.Sequencer // nil where the layer follows
	gateway   *gateway.Gateway
	public    net.Listener
	admin     net.Listener
	closers   []func() error
}

// baseLayer is a base layer as node and API use it.
type baseLayer interface {
	base.Layer
	api.BaseLayer
}

// openVerifier opens a node alone: no keys, no gateway, nothing to sign with.
func openVerifier(ctx context.Context, o nodeOptions) (*node, error) {
	return open(ctx, o, (*node).openStores, (*node).openEngine, (*node).openLayer)
}

// openNode opens everything in the order in which it depends on each other.
// On failure whatever was opened is closed again.
func openNode(ctx context.Context, o nodeOptions) (*node, error) {
	return open(ctx, o, (*node).openStores, (*node).openEngine, (*node).openSigner, (*node).openLayer, (*node).openGateway)
}

func open(ctx context.Context, o nodeOptions, steps ...func(*node, context.Context) error) (*node, error) {
	n := &node{nodeOptions: o, baseID: sidechain.BaseChainID(o.document)}
	for _, step := range steps {
		if err := step(n, ctx); err != nil {
			return nil, errors.Join(exitCode(n.explain(err)), n.close())
		}
	}
	return n, nil
}

// explain says of a base layer that does not fit the signer's journal or the
// state what matters most: that more was paid than it knows of.
func (n *node) explain(err error) error {
	if !errors.Is(err, hotwallet.ErrRollback) && !errors.Is(err, solo.ErrAhead) || n.engine == nil || !n.home.has(gatewayFile) {
		return err
	}
	older := gateway.CheckBase(gateway.Config{
		Home: n.home.dir, NetworkID: hex.EncodeToString(n.baseID[:]), Sidechain: gateway.NewSidechain(n.engine, n.store),
	})
	if !errors.Is(older, gateway.ErrOlderBase) {
		return err
	}
	return fmt.Errorf("%w (%w)", older, err)
}

// exitCode gives the errors that mean refusal or a broken invariant their exit
// codes.
func exitCode(err error) error {
	refused := []error{
		solo.ErrAhead, solo.ErrGap, solo.ErrOtherChain, solo.ErrStoreInUse, solo.ErrSigner, sidechain.ErrOtherChain,
		gateway.ErrOlderBase, gateway.ErrHomeInUse, gateway.ErrForeignKeys, gateway.ErrLogDamaged, gateway.ErrNewerFormat, hotwallet.ErrRollback, hotwallet.ErrForeignJournal,
		boltfile.ErrInUse,
	}
	for _, kind := range refused {
		if errors.Is(err, kind) {
			return &exitErr{exitRefused, err}
		}
	}
	if errors.Is(err, solo.ErrDiverged) || errors.Is(err, solo.ErrEquivocation) {
		return &exitErr{exitInvariant, err}
	}
	return err
}

func (n *node) defers(closer func() error) { n.closers = append(n.closers, closer) }

// close closes the stores, the last opened first.
func (n *node) close() error {
	var errs []error
	for i := len(n.closers) - 1; i >= 0; i-- {
		errs = append(errs, n.closers[i]())
	}
	n.closers = nil
	return errors.Join(errs...)
}

// openStoppedNode opens a stopped home for questions: nothing is written, no
// passphrase is needed. What base.db has beyond sidechain.db is executed in
// memory.
func openStoppedNode(ctx context.Context, o nodeOptions) (*node, error) {
	o.readOnly = true
	return open(ctx, o, (*node).openStores, (*node).openEngine, (*node).replay, (*node).openGateway)
}

// replay brings the engine of a stopped home to the head of base.db.
func (n *node) replay(ctx context.Context) error {
	return solo.Replay(ctx, n.machine, n.store, n.db, n.engine, n.log)
}

func (n *node) openStores(context.Context) (err error) {
	if n.store, err = solo.OpenStore(n.home.path(baseFile), n.baseID, solo.StoreOptions{ReadOnly: n.readOnly}); err != nil {
		return err
	}
	n.defers(n.store.Close)
	openState := state.Open
	if n.readOnly {
		openState = state.OpenReadOnly
	}
	tunePages(fileSize(n.home.path(stateFile)))
	if n.db, err = openState(n.home.path(stateFile)); err != nil {
		return err
	}
	n.defers(n.db.Close)
	return nil
}

// newMachine is the base layer of a network: its names may not be those of the
// contracts.
func newMachine(g *sidechain.Genesis, baseID [32]byte, contracts []contract.Contract) (*solo.Machine, error) {
	var names []string
	for _, c := range contracts {
		names = append(names, c.Name())
	}
	return solo.NewMachine(solo.MachineConfig{Genesis: g, ChainID: baseID, ContractNames: names})
}

func (n *node) openEngine(context.Context) error {
	contracts := chainContracts(n.genesis)
	var err error
	if n.machine, err = newMachine(n.genesis, n.baseID, contracts); err != nil {
		return err
	}
	cfg := sidechain.EngineConfig{
		Genesis: n.genesis, GenesisBytes: n.document, DB: n.db, Contracts: contracts, Machine: n.machine, Logger: n.log,
	}
	if n.readOnly { // no checkpoints
		cfg.CheckpointBlocks, cfg.CheckpointEvery = math.MaxInt, -1
	}
	if n.engine, err = sidechain.OpenEngine(cfg); err != nil {
		return err
	}
	if !n.readOnly {
		n.defers(n.engine.Close)
	}
	return nil
}

// openSigner readies the signer: one in this process, or the one that the
// command found or starts.
func (n *node) openSigner(ctx context.Context) (err error) {
	if n.caps, err = allCaps(n.genesis, n.config); err != nil {
		return err
	}
	if n.findSigner != nil {
		n.signer, err = n.findSigner(ctx)
	} else {
		n.signer, err = n.openLocalSigner()
	}
	if err != nil {
		n.signer = nil
		return err
	}
	n.defers(n.signer.close)
	return nil
}

// newLogger writes text to a terminal and JSON elsewhere.
func newLogger(out *os.File, level slog.Level) *slog.Logger {
	options := &slog.HandlerOptions{Level: level}
	if info, err := out.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		return slog.New(slog.NewTextHandler(out, options))
	}
	return slog.New(slog.NewJSONHandler(out, options))
}

// serve runs everything until ctx ends. ready is called once requests are
// answered and running.json is written.
func (n *node) serve(ctx context.Context, ready func()) error {
	group, ctx := errgroup.WithContext(ctx)
	cfg := api.Config{
		Version: version, ChainID: n.genesis.ChainID, BaseChainID: hex.EncodeToString(n.baseID[:]),
		Chain: n.engine, Base: n.layer, Log: n.log.With("component", "api"),
	}
	group.Go(func() error { return n.layer.Run(ctx) })
	if n.gateway != nil {
		cfg.Gateway = n.gateway
		group.Go(func() error { return n.gateway.Run(ctx) })
	}
	server := api.New(cfg)
	group.Go(func() error { return api.Serve(ctx, n.public, server.Handler()) })
	group.Go(func() error { return api.Serve(ctx, n.admin, server.AdminHandler(n.adminSurface())) })

	r := n.running
	r.URL, r.Admin, r.PID = "http://"+n.public.Addr().String(), "http://"+n.admin.Addr().String(), os.Getpid()
	r.Started = time.Now().UTC().Format(time.RFC3339)
	r.ChainID, r.BaseChainID = n.genesis.ChainID, hex.EncodeToString(n.baseID[:])
	if err := r.write(n.home.dir); err != nil {
		return err
	}
	defer os.Remove(n.home.path(runningFile))
	n.log.Info("ready", "url", r.URL, "admin", r.Admin, "chain_id", r.ChainID, "base_chain_id", r.BaseChainID)
	ready()
	return exitCode(group.Wait())
}

// adminSurface is what the admin listener shows of this process.
func (n *node) adminSurface() api.Admin {
	surface := api.Admin{Extra: map[string]http.HandlerFunc{"GET /status": n.serveStatus}}
	if n.gateway != nil {
		surface.Extra["GET /audit"] = n.serveAudit
		surface.Operator = n.gateway
		surface.Checks = append(surface.Checks, api.Check{Name: "gateway", Run: n.gateway.Ready})
	}
	maps.Copy(surface.Extra, n.copyPaths())
	maps.Copy(surface.Extra, n.extra)
	return surface
}

// listen opens both listeners: a taken port is known before anything runs.
func (n *node) listen() (err error) {
	if n.public, err = net.Listen("tcp", n.config.HTTP.Listen); err != nil {
		return fmt.Errorf("http.listen: %w", err)
	}
	n.defers(ignoreClosed(n.public))
	if n.admin, err = net.Listen("tcp", n.config.HTTP.Admin); err != nil {
		return fmt.Errorf("http.admin: %w", err)
	}
	n.defers(ignoreClosed(n.admin))
	return nil
}

// ignoreClosed closes a listener that its server may have closed already.
func ignoreClosed(l net.Listener) func() error {
	return func() error {
		if err := l.Close(); err != nil && !errors.Is(err, net.ErrClosed) {
			return err
		}
		return nil
	}
}

// openLayer brings the engine to the head of base.db and readies the base
// layer: the producer of blocks, or a follower of one.
func (n *node) openLayer(ctx context.Context) error {
	if n.config.Base.Kind != "solo" {
		return fmt.Errorf("base layer %s is not built: only solo is", n.config.Base.Kind)
	}
	if n.config.Base.Role == "follower" {
		return n.openFollower(ctx)
	}
	if n.signer == nil {
		return refusedErr("this node has no keys: it can only follow (base.role = \"follower\" and base.upstream in %s)", configFile)
	}
	return n.openSequencer(ctx)
}

func (n *node) openFollower(ctx context.Context) error {
	var upstreams []solo.Upstream
	for _, address := range n.config.Base.Upstream {
		up, err := solo.NewHTTPUpstream(address)
		if err != nil {
			return err
		}
		upstreams = append(upstreams, up)
	}
	f, err := solo.NewFollower(ctx, solo.FollowerConfig{
		Machine: n.machine, Store: n.store, State: n.db, Executor: n.engine, Upstreams: upstreams, Logger: n.log,
	})
	n.layer = f
	return err
}

func (n *node) openSequencer(ctx context.Context) error {
	head, err := n.store.HeadHeader()
	if err != nil {
		return err
	}
	candidate, err := n.store.CandidateHeader()
	if err != nil {
		return err
	}
	signer, err := n.signer.sequencer(ctx, head, candidate)
	if err != nil {
		return err
	}
	n.sequencer, err = solo.New(ctx, solo.Config{
		Machine: n.machine, Store: n.store, State: n.db, Executor: n.engine,
		Signer: signer, Offset: n.offset, Interval: n.config.Base.BlockInterval.Duration,
		AccountsOpen: n.config.Accounts.Open, AcceptGap: n.acceptGap, NoGapRule: n.noGapRule, Logger: n.log,
	})
	n.layer = n.sequencer
	return err
}
