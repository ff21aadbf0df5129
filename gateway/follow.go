package gateway

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"sync"
	"time"

	"causeway/chains"
	"causeway/internal/failpoint"
	"causeway/pegs"
)

// Causes of automatic halts.
const (
	causeBlock     = "block"     // a block that cannot be read
	causeReorg     = "reorg"     // a reorganisation deeper than we follow
	causeAlarm     = "alarm"     // the ledger's own alarms: shortfall, foreign spends
	causeSigner    = "signer"    // the signer refuses
	causeAudit     = "audit"     // the books do not balance
	causeSidechain = "sidechain" // the sidechain says what the ledger cannot follow
	causeQuorum    = "quorum"    // too few nodes answer, or they do not agree
	causeVersion   = "version"   // too few nodes are of a version to be trusted
	causeNetwork   = "network"   // too few nodes are on our network
	causeLag       = "lag"       // the nodes are behind
)

// gatewayAuthor is the author of automatic halts.
const gatewayAuthor = "gateway"

// follower keeps the ledger's view of one outside chain.
type follower struct {
	ChainConfig
	id        chains.ID
	ledger    *Ledger
	sidechain Sidechain
	log       *slog.Logger
	steps     *chains.Follower
	book      *addressBook
	set       *chains.WatchSet
	accounts  uint64 // base block up to which accounts are watched, and one more
	scan      *backscan
	keepEvery uint64
	watcher   nodeWatch

	mu         sync.Mutex
	nodeHeight uint64
	synced     bool   // stood at the node's newest block since the start
	moves      uint64 // what changed the outputs that are ours, since the start
}

// followPause is the longest pause before nodes that fail are asked again.
const followPause = 5 * time.Second

// blocksPerStep bounds how long one step goes on before others are served.
const blocksPerStep = 500

func newFollower(cfg ChainConfig, ledger *Ledger, side Sidechain, log *slog.Logger) (*follower, error) {
	f := &follower{ChainConfig: cfg, id: cfg.ID(), ledger: ledger, sidechain: side, log: log.With("chain", string(cfg.ID())), watcher: newNodeWatch(cfg), keepEvery: keepEvery}
	var err error
	view := ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(f.id)
		keep := c.Config.Policy.Keep
		f.steps = chains.NewFollower(cfg.Source, cfg.Coin, chains.FollowerOptions{Start: c.Config.Start, MaxReorg: max(keep-1, 1)})
		if f.book, err = newAddressBook(c); err == nil {
			f.set, err = f.book.watchSet(c.WatchedAccounts())
		}
	})
	return f, errors.Join(view, err)
}

// step watches new accounts, follows the chain to its tip, and searches the past
// for accounts that came later.
func (f *follower) step(ctx context.Context) error {
	more, err := true, error(nil)
	for more && err == nil {
		if err := f.watchNew(ctx); err != nil {
			return err
		}
		more, err = f.follow(ctx)
	}
	if fatal(err) {
		return err
	}
	tip, tipErr := f.Source.Tip(ctx)
	if ctx.Err() != nil {
		return ctx.Err()
	}
	if halt := errors.Join(haltFor(ctx, f.ledger, f.id, err), f.watchNodes(ctx, err, tip, tipErr)); halt != nil {
		return halt
	}
	if err != nil {
		return err
	}
	if err := f.backscan(ctx); err != nil {
		return fmt.Errorf("search of the past: %w", err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if tipErr == nil {
		f.nodeHeight = tip.Height
	}
	own, ok := f.tip()
	f.synced = f.synced || tipErr == nil && ok && own.Height >= tip.Height
	return nil
}

// caughtUp says whether the chain was followed to its end since the start.
func (f *follower) caughtUp() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.synced
}

// watchNew matches the deposit addresses of new accounts from the next block on.
func (f *follower) watchNew(ctx context.Context) (err error) {
	extend := func(fresh []string) error { return f.book.extend(f.set, fresh) }
	f.accounts, err = watchNewcomers(ctx, f.id, f.ledger, f.sidechain, f.accounts, extend)
	return err
}

// watchNewcomers has the accounts of base block `since` and later watched that are
// not yet, and says where to look on from.
func watchNewcomers(ctx context.Context, id chains.ID, l *Ledger, side Sidechain, since uint64, extend func([]string) error) (uint64, error) {
	var fresh []string
	var upTo uint64
	err := side.View(func(v SideState) error {
		fresh, upTo = v.AccountsSince(since), v.Head().Base.Number
		return nil
	})
	if err != nil {
		return since, err
	}
	if err := l.View(func(s *pegs.State) {
		c, _ := s.Chain(id)
		fresh = slices.DeleteFunc(fresh, func(name string) bool { live, _ := c.Watched(name); return live })
	}); err != nil || len(fresh) == 0 {
		return upTo, err
	}
	if err := extend(fresh); err != nil {
		return since, err
	}
	return upTo, l.Append(ctx, &pegs.Watching{Chain: id, Accounts: fresh})
}

// follow takes the chain's steps one by one; more says that there may be others.
func (f *follower) follow(ctx context.Context) (more bool, err error) {
	for range blocksPerStep {
		var tail []chains.BlockRef
		if err := f.ledger.View(func(s *pegs.State) {
			c, _ := s.Chain(f.id)
			tail = c.TailRefs()
		}); err != nil {
			return false, err
		}
		event, err := f.steps.Next(ctx, tail)
		if err != nil || event == nil {
			return false, err
		}
		if err := f.record(ctx, event); err != nil {
			return false, err
		}
		f.moved()
	}
	return true, nil
}

// moved counts a change of the outputs that are ours.
func (f *follower) moved() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.moves++
}

// movesSoFar is how often they have changed since the start.
func (f *follower) movesSoFar() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.moves
}

func (f *follower) record(ctx context.Context, event chains.Event) error {
	switch e := event.(type) {
	case chains.Connected:
		match := matchOf(f.set.Match(e.Block, f.ours))
		if n := len(match.Payments); n > 0 || len(match.Spends) > 0 {
			f.log.Info("block with payments of ours", "height", match.Header.Height, "block", match.Header.Hash, "payments", n, "spends", len(match.Spends))
		}
		if len(match.Spends) > 0 {
			failpoint.Hit(failpoint.C19)
		}
		return f.ledger.Append(ctx, &pegs.Connected{Chain: f.id, Match: match})
	case chains.Disconnected:
		f.log.Warn("block left the chain", "height", e.Height, "block", e.Hash)
		err := f.ledger.Append(ctx, &pegs.Disconnected{Chain: f.id, Block: e.BlockRef})
		failpoint.Hit(failpoint.C20)
		return err
	}
	return fmt.Errorf("gateway: unknown event %T of a follower", event)
}

// ours says whether the ledger knows an outpoint as ours.
func (f *follower) ours(o chains.Outpoint) (ok bool) {
	err := f.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(f.id)
		ok = c.Knows(o)
	})
	return ok && err == nil
}

// haltFor halts the chain when what came back is no passing fault, and takes the
// halt back when it has passed after all.
func haltFor(ctx context.Context, l *Ledger, chain chains.ID, err error) error {
	causes := map[string]bool{
		causeBlock: errors.Is(err, chains.ErrBadBlock),
		causeReorg: errors.Is(err, chains.ErrReorgTooDeep),
	}
	for _, cause := range []string{causeBlock, causeReorg} {
		reason := ""
		if causes[cause] {
			reason = err.Error()
		} else if err != nil {
			continue // unknown: no halt is taken back
		}
		if e := setHalt(ctx, l, chain, cause, reason); e != nil {
			return e
		}
	}
	return nil
}

func (f *follower) height() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.nodeHeight
}
