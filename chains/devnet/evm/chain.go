package evm

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/big"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/rawdb"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/triedb"

	"causeway/chains/devnet/kit"
)

// Config is what New needs; the zero value is a chain like anvil's, in a temporary
// directory, that makes blocks only when it is told to.
type Config struct {
	// Dir keeps the chain; empty is a temporary directory removed by Close.
	Dir string
	// Listen is a loopback host:port; empty is a free port on 127.0.0.1.
	Listen string
	// ChainID is the EIP-155 chain id; 0 is DefaultChainID.
	ChainID uint64
	// SlotsInEpoch says how old safe and finalized are: the block n and 2n before the
	// latest, or genesis. 0 is 32.
	SlotsInEpoch uint64
	// KeptStates is the number of newest blocks whose state is told; older states are
	// missing as at a node that prunes (geth keeps 128). 0 tells all.
	KeptStates uint64
	// Tokens exist from genesis on.
	Tokens []Token
	// Automine makes a block for each accepted transaction that can be executed.
	Automine bool
	// Interval makes a block each time it has passed; 0 makes none.
	Interval time.Duration
	// Logger may be nil.
	Logger *slog.Logger
	// Clock dates the blocks; nil is time.Now.
	Clock func() time.Time
}

// Chain is a running embedded chain with its RPC server. Its methods may be called
// from any goroutine.
type Chain struct {
	kit.Switch // SetFault, Fault

	config   *params.ChainConfig
	signer   types.Signer
	epoch    uint64
	kept     uint64
	log      *slog.Logger
	clock    func() time.Time
	dir      *kit.Dir
	states   state.Database
	accounts []Account
	tokens   map[string]common.Address

	// mu is held for writing by everything that changes what follows, and for
	// reading by everything that looks at it.
	mu      sync.RWMutex
	journal *kit.Journal
	stuck   error    // the journal could not be written
	chain   []*block // the canonical one, by number
	byHash  map[common.Hash]*block
	mined   map[common.Hash]place // transactions of the canonical chain
	pool    *pool
	made    uint64 // blocks ever made: no two have the same extra data
	auto    bool

	ticker  *interval
	fake    fakeTip
	server  *server
	closing sync.Once
	closed  error
}

// place is where a transaction was mined.
type place struct {
	block *block
	index int
}

// New opens the chain in cfg.Dir, or begins one, and serves its RPC until Close. A
// directory that was begun with another chain id or other tokens is refused.
func New(cfg Config) (*Chain, error) {
	if cfg.ChainID == 0 {
		cfg.ChainID = DefaultChainID
	}
	if cfg.SlotsInEpoch == 0 {
		cfg.SlotsInEpoch = 32
	}
	c := &Chain{
		config: chainConfig(cfg.ChainID), epoch: cfg.SlotsInEpoch, kept: cfg.KeptStates, log: cfg.Logger, clock: cfg.Clock, auto: cfg.Automine,
		byHash: map[common.Hash]*block{}, mined: map[common.Hash]place{}, tokens: map[string]common.Address{},
	}
	c.signer = types.LatestSigner(c.config)
	c.pool = newPool(c.signer)
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.clock == nil {
		c.clock = time.Now
	}
	if err := c.open(cfg); err != nil {
		return nil, fmt.Errorf("devnet eth: %w", errors.Join(err, c.Close()))
	}
	return c, nil
}

func (c *Chain) open(cfg Config) (err error) {
	if c.dir, err = kit.OpenDir(cfg.Dir, "causeway-devnet-eth-"); err != nil {
		return err
	}
	if c.accounts, err = devAccounts(); err != nil {
		return err
	}
	disk := rawdb.NewMemoryDatabase()
	c.states = state.NewMPTDatabase(triedb.NewDatabase(disk, triedb.HashDefaults), state.NewCodeDB(disk))
	genesis, err := c.makeGenesis(cfg.Tokens)
	if err != nil {
		return fmt.Errorf("genesis: %w", err)
	}
	c.chain, c.byHash[genesis.Hash()] = []*block{genesis}, genesis
	if err := c.restore(filepath.Join(c.dir.Path, "chain.journal")); err != nil {
		return err
	}
	listener, err := kit.ListenLoopback(cfg.Listen)
	if err != nil {
		return err
	}
	if c.server, err = c.serve(listener); err != nil {
		return errors.Join(err, listener.Close())
	}
	c.ticker = newInterval(c, cfg.Interval)
	return nil
}

// URL is the RPC endpoint. It has no credentials, as anvil and geth have none.
func (c *Chain) URL() string { return c.server.url }

// ChainID is the EIP-155 chain id.
func (c *Chain) ChainID() uint64 { return c.config.ChainID.Uint64() }

// Accounts are the funded accounts, the first of which owns the tokens.
func (c *Chain) Accounts() []Account { return slices.Clone(c.accounts) }

// Token is the address of a configured token; the zero address when there is none
// of this symbol.
func (c *Chain) Token(symbol string) common.Address { return c.tokens[symbol] }

// Height is the number of the latest block.
func (c *Chain) Height() uint64 {
	c.mu.RLock()
	defer c.mu.RUnlock()
	return c.head().NumberU64()
}

// head is the latest block. The lock is held.
func (c *Chain) head() *block { return c.chain[len(c.chain)-1] }

// Fund sends wei from the first account to an address by an ordinary transaction,
// which waits for a block unless Automine is set. It returns the transaction's hash.
func (c *Chain) Fund(to common.Address, wei *big.Int) (common.Hash, error) {
	return c.send(txArgs{From: &c.accounts[0].Address, To: &to, Value: hexBig(wei)})
}

// Send signs and sends a transaction of a funded account: to nil creates a
// contract. Gas, nonce and fees are found as eth_sendTransaction finds them.
func (c *Chain) Send(from common.Address, to *common.Address, wei *big.Int, data []byte) (common.Hash, error) {
	return c.send(txArgs{From: &from, To: to, Value: hexBig(wei), Data: hexBytes(data)})
}

// Close stops the server and leaves everything on disk. It may be called more than
// once.
func (c *Chain) Close() error {
	c.closing.Do(func() { c.closed = c.close() })
	return c.closed
}

func (c *Chain) close() error {
	var errs []error
	if c.server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), 2*time.Second)
		errs = append(errs, c.server.stop(ctx))
		cancel()
	}
	if c.ticker != nil {
		c.ticker.set(0)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.journal != nil {
		errs = append(errs, c.journal.Close())
	}
	if c.dir != nil {
		errs = append(errs, c.dir.Close())
	}
	return errors.Join(errs...)
}
