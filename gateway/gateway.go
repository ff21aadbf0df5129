package gateway

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"time"

	"causeway/chains"
	"causeway/pegs"

	"golang.org/x/sync/errgroup"
	"golang.org/x/sync/singleflight"
)

// ErrOlderBase refuses to work on a base layer that does not contain the blocks
// that the ledger has acted on (exit 3).
var ErrOlderBase = errors.New("base layer is older than what was paid on it")

// ErrForeignKeys refuses to work with a seed that is not the published one.
var ErrForeignKeys = errors.New("gateway: the wallet's keys are not those published on the sidechain")

// LogFile is the event log's name in the home.
const LogFile = "gateway.db"

// ScannerFile is the scanner's store in the home.
const ScannerFile = "scanner.db"

// Gateway moves value between outside chains and the sidechain.
type Gateway struct {
	cfg       Config
	lock      *Lock // when it is ours to give back
	ledger    *Ledger
	log       *slog.Logger
	chains    []served    // all of them, as configured
	followers []*follower // of those made of outputs
	mempools  map[chains.ID]*mempool
	recalled  map[chains.ID]*recalled
	limits    *signerLimits
	scanners  map[chains.ID]secondReader
	scans     *scanStore
	notes     *notes
	rows      *tail
	prover    *prover
	audited   time.Time // when the books were last looked at
	last      lastAudit
	turns     []loop // of Step
	reading   singleflight.Group
}

// Open locks the home, replays the log, and checks that base layer and keys are
// the ones that the log belongs to. It starts nothing.
func Open(cfg Config) (*Gateway, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	g := &Gateway{cfg: cfg, log: cfg.Log, notes: newNotes(), mempools: map[chains.ID]*mempool{}, recalled: map[chains.ID]*recalled{}, limits: &signerLimits{signer: cfg.Signer, now: time.Now}, scanners: map[chains.ID]secondReader{}}
	if cfg.Lock == nil {
		lock, err := LockHome(cfg.Home)
		if err != nil {
			return nil, err
		}
		g.lock = lock
	}
	if err := g.open(); err != nil {
		return nil, errors.Join(err, g.Close())
	}
	return g, nil
}

func (g *Gateway) open() (err error) {
	if g.ledger, err = openLedger(filepath.Join(g.cfg.Home, LogFile), g.cfg.NetworkID, g.cfg.Now, g.cfg.Failpoint); err != nil {
		return err
	}
	g.ledger.seals.report = func(err error) { g.log.Warn("no snapshot of the ledger was written", "error", err) }
	if err := errors.Join(g.checkBase(), g.checkSigner(context.Background())); err != nil {
		return err
	}
	if g.cfg.SealEvery > 0 {
		if err := g.ledger.sealEach(context.Background(), g.cfg.SealEvery); err != nil {
			return err
		}
	}
	ctx := context.Background()
	keys, err := g.publishedKeys()
	if err != nil {
		return err
	}
	if g.scans, err = openScanStore(filepath.Join(g.cfg.Home, ScannerFile), g.cfg.NetworkID); err != nil {
		return err
	}
	for _, chain := range g.cfg.Chains {
		if err := g.configure(ctx, chain, keys); err != nil {
			return err
		}
		if err := g.watch(chain); err != nil {
			return err
		}
	}
	g.rows = &tail{ledger: g.ledger, sidechain: g.cfg.Sidechain, log: g.log, notes: g.notes, hook: g.cfg.Failpoint, swept: map[chains.ID]bool{}}
	g.prover = newProver(g)
	return g.rows.step(ctx)
}

// watch readies the services of a chain that the ledger knows.
func (g *Gateway) watch(chain ChainConfig) error {
	if chain.Accounts != nil {
		return g.watchAccounts(chain)
	}
	f, err := newFollower(chain, g.ledger, g.cfg.Sidechain, g.log)
	if err != nil {
		return err
	}
	g.chains, g.followers = append(g.chains, f), append(g.followers, f)
	g.mempools[f.id], g.recalled[f.id] = newMempool(f), &recalled{}
	if chain.Scanner != nil {
		g.scanners[f.id] = newScanner(f.id, chain.Scanner, g.scans)
	}
	return nil
}

// checkBase refuses a base layer that lacks the newest block that the ledger
// acted on. Blocks are linked by hash, so the others are there when it is.
func (g *Gateway) checkBase() error {
	var base pegs.BaseRef
	if err := g.ledger.View(func(s *pegs.State) { base = s.Base }); err != nil || base.Number == 0 {
		return err
	}
	id, ok, err := g.cfg.Sidechain.BaseBlock(base.Number)
	if err != nil {
		return err
	}
	if !ok || id != base.ID {
		return fmt.Errorf("%w: block %d %s is not in it", ErrOlderBase, base.Number, base.ID)
	}
	return nil
}

func (g *Gateway) publishedKeys() (keys []PublishedKey, err error) {
	err = g.cfg.Sidechain.View(func(v SideState) error {
		keys, err = v.Keys()
		return err
	})
	return keys, err
}

// configure writes down what is configured, and the published keys, where they
// are news.
func (g *Gateway) configure(ctx context.Context, cfg ChainConfig, keys []PublishedKey) error {
	id := cfg.ID()
	want := pegs.Configured{
		Chain: id, Network: g.cfg.Network, Start: cfg.Start, Confirmations: cfg.Confirmations,
		InputExtra: pegs.DefaultInputExtra, Policy: cfg.policy(), Limits: cfg.Limits,
	}
	if cfg.Accounts != nil {
		want.InputExtra, want.Confirmations = 0, 0
	} else if cfg.InputExtra != nil {
		want.InputExtra = *cfg.InputExtra
	}
	var epochs []pegs.EpochAdded
	for _, key := range keys {
		if key.Chain != id {
			continue
		}
		epoch, err := g.epoch(key)
		if err != nil {
			return err
		}
		if len(epochs) == 0 && cfg.Start == 0 {
			want.Start = key.Birthday
		}
		epochs = append(epochs, epoch)
	}
	if len(epochs) == 0 {
		return fmt.Errorf("%w: no key of %s is published", ErrForeignKeys, id)
	}
	return g.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		var entries []Entry
		known := map[uint32]bool{}
		c, ok := s.Chain(id)
		if !ok || c.Config != want {
			entries = append(entries, Entry{Event: &want})
		}
		if ok {
			for _, e := range c.Epochs {
				known[e.Epoch] = true
			}
		}
		for _, e := range epochs {
			if !known[e.Epoch] {
				entries = append(entries, Entry{Event: &e})
			}
		}
		return entries, nil
	})
}

// epoch is a published key with our own scripts, if it is ours.
func (g *Gateway) epoch(key PublishedKey) (pegs.EpochAdded, error) {
	master, err := g.cfg.Keys.MasterKey(key.Chain, key.Epoch)
	if err != nil {
		return pegs.EpochAdded{}, err
	}
	if hex.EncodeToString(master[:]) != key.Key {
		return pegs.EpochAdded{}, fmt.Errorf("%w: %s epoch %d is %s there", ErrForeignKeys, key.Chain, key.Epoch, key.Key)
	}
	script, err := g.cfg.Keys.ChangeScript(key.Chain, key.Epoch)
	if err != nil {
		return pegs.EpochAdded{}, err
	}
	address, err := g.cfg.Keys.ChangeAddress(key.Chain, key.Epoch)
	if err != nil {
		return pegs.EpochAdded{}, err
	}
	epoch := pegs.EpochAdded{
		Chain: key.Chain, Epoch: key.Epoch, Key: key.Key, Birthday: key.Birthday,
		Scripts: []pegs.OwnScript{{Kind: chains.WatchChange, Address: address, Script: hex.EncodeToString(script)}},
	}
	if key.Chain != chains.ETH {
		return epoch, nil
	}
	sweeper, err := g.sweeper(key.Epoch)
	epoch.Scripts = append(epoch.Scripts, sweeper)
	return epoch, err
}

// loops are the services, those that take facts in before those that act on them.
func (g *Gateway) loops() []loop {
	var list []loop
	add := func(name string, interval time.Duration, step func(context.Context) error, wake ...<-chan struct{}) {
		list = append(list, loop{name: name, log: g.log, interval: interval, wake: wake, step: step})
	}
	side, pace := g.cfg.Sidechain.Subscribe, g.cfg.Pace
	add("sidechain", pace, g.rows.step, side(), g.ledger.Changed())
	of := func(c *ChainConfig) addLoop {
		return func(name string, interval time.Duration, step func(context.Context) error, wake ...<-chan struct{}) {
			add(name+" "+string(c.ID()), interval, step, wake...)
		}
	}
	for _, f := range g.chains {
		add("follow "+string(f.conf().ID()), f.conf().Poll, f.step, side())
		list[len(list)-1].most = max(followPause, f.conf().Poll) // nodes that are back end a halt soon
		f.watchers(g, of(f.conf()))
	}
	add("alarms", pace, g.watchAlarms, g.ledger.Changed())
	add("restored", pace, g.watchRestored, g.ledger.Changed())
	add("operator", pace, newOperator(g).step, g.ledger.Changed())
	for _, f := range g.chains {
		id := f.conf().ID()
		add("limits "+string(id), pace, newLimiter(g, id).step, g.ledger.Changed(), side())
		f.payers(g, of(f.conf()))
		add("broadcast "+string(id), f.conf().Poll, newBroadcaster(g, f).step, g.ledger.Changed())
	}
	for _, f := range g.chains {
		if s := g.scanners[f.conf().ID()]; s != nil {
			add("scanner "+string(f.conf().ID()), pace, s.step)
		}
	}
	votes := &stateVotes{sidechain: g.cfg.Sidechain, submitter: g.cfg.Submitter}
	add("state votes", time.Minute, votes.step, side())
	add("audit", min(g.cfg.AuditEvery, pace), g.watchBooks)
	return list
}

// Run serves until ctx ends. It returns nil then, and an error when a fault of
// ours forbids to go on.
func (g *Gateway) Run(ctx context.Context) error {
	group, ctx := errgroup.WithContext(ctx)
	for _, l := range g.loops() {
		group.Go(func() error { return l.run(ctx) })
	}
	return group.Wait()
}

// Step gives every service one turn, one after the other in the caller's
// goroutine: what simulations do in place of Run. As in Run, the world's errors
// are retried, at the next step, and only faults of ours are returned.
func (g *Gateway) Step(ctx context.Context) error {
	if g.turns == nil {
		g.turns = g.loops()
	}
	for _, l := range g.turns {
		if err := l.step(ctx); fatal(err) {
			return err
		} else if err != nil {
			l.log.Debug("will try again", "service", l.name, "error", err)
		}
	}
	return nil
}

// Close closes the stores and gives the home free. Run must have returned.
func (g *Gateway) Close() error {
	var errs []error
	for _, s := range g.scanners {
		errs = append(errs, s.flush())
	}
	if g.ledger != nil {
		errs = append(errs, g.ledger.close())
	}
	if g.scans != nil {
		errs = append(errs, g.scans.close())
	}
	if g.lock != nil {
		errs = append(errs, g.lock.Unlock())
	}
	return errors.Join(errs...)
}

// SignerCounter is the greatest count that the signer has shown, to be given to
// hotwallet.OpenSigner.
func (g *Gateway) SignerCounter() (n uint64) {
	_ = g.ledger.View(func(s *pegs.State) { n = s.SignerCounter() })
	return n
}
