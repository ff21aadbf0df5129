package gateway

import (
	"context"
	"encoding/hex"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"time"

	"causeway/chains"
	"causeway/chains/ethereum"
	"causeway/pegs"
)

// AccountChain is an outside chain that keeps accounts instead of outputs
// (Ethereum), and how it is reached.
type AccountChain struct {
	ID      chains.ID
	Network chains.Network
	// Nodes are asked for everything; what is believed of them a quorum said, or a
	// hash proves.
	Nodes *ethereum.Quorum
	// ChainID is that of EIP-155, Finality the tag of the blocks that are believed.
	ChainID  uint64
	Finality ethereum.Tag
	Tokens   []AccountToken
	// Fees bound what is paid for a unit of gas, in wei.
	Fees ethereum.FeeLimits
	// MaxFinalityLag is how far the newest final block may be behind the newest one,
	// by the nodes' clocks, before that is an alert; at half as much again minting
	// halts. 0: any time.
	MaxFinalityLag time.Duration
	// SweepAbove is what a deposit address must hold of the coin to be swept though
	// nobody waits for it; zero: pegs never decides by itself, sweeps are for the
	// queue alone. What a sweep costs is never more than a part of it (sweepShare).
	SweepAbove chains.Amount
}

// AccountToken is an ERC-20 that is served.
type AccountToken struct {
	Symbol     string // of its asset
	Address    ethereum.Address
	Decimals   int
	SweepAbove chains.Amount // as AccountChain.SweepAbove, in the token's units
}

// key is the form of the contract that the ledger knows it by.
func (t AccountToken) key() string { return keyOf(t.Address) }

// keyOf is an account in small letters.
func keyOf(a ethereum.Address) string { return "0x" + hex.EncodeToString(a[:]) }

// contracts is the set of the tokens' contracts.
func (a *AccountChain) contracts() map[ethereum.Address]bool {
	set := make(map[ethereum.Address]bool, len(a.Tokens))
	for _, t := range a.Tokens {
		set[t.Address] = true
	}
	return set
}

func (a *AccountChain) check() error {
	switch {
	case a.ID != chains.ETH:
		return fmt.Errorf("gateway: %q is no chain of accounts", a.ID)
	case a.Nodes == nil || a.ChainID == 0:
		return fmt.Errorf("gateway: %s needs nodes and a chain id", a.ID)
	case a.Fees.Max.IsZero() || a.Fees.Max.Less(a.Fees.Min):
		return fmt.Errorf("gateway: %s: fees from %s to %s wei", a.ID, a.Fees.Min, a.Fees.Max)
	}
	return nil
}

// watchAccounts readies the services of a chain of accounts that the ledger knows.
func (g *Gateway) watchAccounts(chain ChainConfig) error {
	id := chain.ID()
	g.recalled[id] = &recalled{}
	f, err := newAccountFollower(g, chain)
	if err != nil {
		return err
	}
	g.chains = append(g.chains, f)
	if chain.Scanner != nil {
		var tokens []string
		for _, t := range chain.Accounts.Tokens {
			tokens = append(tokens, t.key())
		}
		g.scanners[id] = newAccountScanner(id, chain.Scanner, g.scans, tokens)
	}
	return nil
}

// sweeper is the account of an epoch that pays the gas of sweeps.
func (g *Gateway) sweeper(epoch uint32) (s pegs.OwnScript, err error) {
	s.Kind = chains.WatchSweeper
	if s.Address, err = g.cfg.Keys.SweeperAddress(epoch); err != nil {
		return s, err
	}
	account, err := ethereum.ParseAddress(s.Address)
	s.Script = hex.EncodeToString(account[:])
	return s, err
}

// accountFollower keeps the ledger's view of one chain of accounts.
type accountFollower struct {
	ChainConfig
	id        chains.ID
	ledger    *Ledger
	sidechain Sidechain
	notes     *notes
	log       *slog.Logger
	steps     *ethereum.Follower
	tokens    map[ethereum.Address]bool
	book      *addressBook
	set       *chains.WatchSet
	accounts  uint64 // base block up to which accounts are watched, and one more
	scan      *accountBackscan
	watcher   nodeWatch
	readings  readings
	above     unfinal

	mu      sync.Mutex
	head    chains.Header // the nodes' newest block
	final   chains.Header // and the newest one that is final
	synced  bool          // stood at the newest final block since the start
	unsound map[ethereum.Address]string
	judged  bool // the tokens' contracts were asked since the start
}

func newAccountFollower(g *Gateway, cfg ChainConfig) (*accountFollower, error) {
	id := cfg.ID()
	f := &accountFollower{
		ChainConfig: cfg, id: id, ledger: g.ledger, sidechain: g.cfg.Sidechain, notes: g.notes, log: g.log.With("chain", string(id)),
		watcher: newNodeWatch(cfg), tokens: cfg.Accounts.contracts(), unsound: map[ethereum.Address]string{},
	}
	var err error
	view := g.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(id)
		f.steps = ethereum.NewFollower(cfg.Accounts.Nodes, cfg.Accounts.Finality, chains.FollowerOptions{Start: c.Config.Start, MaxReorg: max(c.Config.Policy.Keep-1, 1)})
		if f.book, err = newAddressBook(c); err != nil {
			return
		}
		f.set = chains.NewWatchSet()
		err = f.watch(c.WatchedAccounts())
	})
	if view != nil {
		err = view
	}
	return f, err
}

// watch adds the addresses of accounts, beside those that belong to no user.
func (f *accountFollower) watch(accounts []string) error {
	list, err := f.book.scripts(accounts)
	if err != nil {
		return err
	}
	for _, s := range list {
		if _, known := f.set.Lookup(s.script); known {
			continue
		}
		if err := f.set.Add(s.script, s.watch); err != nil {
			return err
		}
		f.readings.join(ethereum.Address(s.script))
	}
	return nil
}

// owner says whose an account is; ok is false for strangers.
func (f *accountFollower) owner(a ethereum.Address) (chains.Watch, bool) { return f.set.Lookup(a[:]) }

func (f *accountFollower) conf() *ChainConfig { return &f.ChainConfig }

func (f *accountFollower) health() []chains.NodeHealth { return f.Accounts.Nodes.Health() }

func (f *accountFollower) broadcast(ctx context.Context, raw []byte) (chains.Verdict, error) {
	return f.Accounts.Nodes.Broadcast(ctx, raw)
}

// caughtUp implements served.
func (f *accountFollower) caughtUp() bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.synced
}

func (f *accountFollower) aim() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.final.Height
}

func (f *accountFollower) height() uint64 {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.head.Height
}

// shown counts from the nodes' newest block: what it takes is that the block is
// final, which it is as many blocks below the newest one as there are between.
func (f *accountFollower) shown(in *chains.BlockRef, _, _ uint64) (confirmations, needed uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	head := max(f.head.Height, f.final.Height)
	needed = head - f.final.Height + 1
	if in != nil && in.Height <= head {
		confirmations = head - in.Height + 1
	}
	return confirmations, needed
}

func (f *accountFollower) watchers(g *Gateway, add addLoop) { add("unfinal", f.Poll, f.lookAbove) }

func (f *accountFollower) payers(g *Gateway, add addLoop) {
	p := newAccountPayer(g, f)
	add("payouts", max(f.Poll, g.cfg.Pace), p.step, g.ledger.Changed(), g.cfg.Sidechain.Subscribe())
}

func (f *accountFollower) payable(g *Gateway, s *pegs.State, w *pegs.Withdrawal) (script []byte, reason string) {
	return newAccountPayer(g, f).payable(s, w)
}

// soundToken says why nothing is done with a token, or nothing.
func (f *accountFollower) soundToken(contract string) (reason string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for token, why := range f.unsound {
		if strings.EqualFold(keyOf(token), contract) {
			return why
		}
	}
	return ""
}
