package devnet

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"path/filepath"
	"sync"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/database"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/mining"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"

	"causeway/chains/devnet/kit"
)

// Config is what New needs. Only Params is required.
type Config struct {
	Params Params
	// Dir keeps the chain; empty is a temporary directory removed by Close.
	Dir string
	// Listen is a loopback host:port; empty is a free port on 127.0.0.1.
	Listen string
	// User and Pass are the RPC credentials; both empty makes random ones.
	User, Pass string
	// Logger may be nil.
	Logger *slog.Logger
	// Clock dates the blocks; nil is time.Now.
	Clock func() time.Time
}

// Chain is a running embedded chain with its RPC server. Its methods may be
// called from any goroutine.
type Chain struct {
	kit.Switch // SetFault, Fault

	params Params
	net    *chaincfg.Params
	log    *slog.Logger
	clock  func() time.Time
	dir    *kit.Dir

	// mu is held for writing by everything that changes chain, mempool or
	// wallet, and for reading by everything that looks at them.
	mu       sync.RWMutex
	utxoMu   sync.Mutex // btcd's utxo cache counts its memory without a lock
	db       database.DB
	chain    *blockchain.BlockChain
	pool     *mempool.TxPool
	template *mining.BlkTmplGenerator
	sigs     *txscript.SigCache
	hashes   *txscript.HashCache
	journal  *kit.Journal
	wallet   *wallet
	index    map[chainhash.Hash]chainhash.Hash       // transaction -> block, best chain only
	detached []*btcutil.Block                        // disconnected by the operation under way
	opened   map[wire.OutPoint]*blockchain.UtxoEntry // ForkID: outputs that the transaction under way may spend
	made     uint64                                  // extra nonce: more than the blocks ever made

	fake   fakeTip
	server *server

	closing sync.Once
	closed  error
}

// New opens the chain in cfg.Dir, or begins one whose wallet is funded, and
// serves its RPC until Close.
func New(cfg Config) (*Chain, error) {
	if cfg.Params.Net == nil || cfg.Params.Addresses == nil || cfg.Params.Name == "" || cfg.Params.ForkID && cfg.Params.SegWit {
		return nil, errors.New("devnet: incomplete Params")
	}
	c := &Chain{
		params: cfg.Params,
		net:    cfg.Params.network(),
		log:    cfg.Logger,
		clock:  cfg.Clock,
		index:  map[chainhash.Hash]chainhash.Hash{},
		sigs:   txscript.NewSigCache(10_000),
		hashes: txscript.NewHashCache(1_000),
	}
	if c.log == nil {
		c.log = slog.New(slog.DiscardHandler)
	}
	if c.clock == nil {
		c.clock = time.Now
	}
	if err := c.open(cfg); err != nil {
		return nil, fmt.Errorf("devnet %s: %w", cfg.Params.Name, errors.Join(err, c.Close()))
	}
	return c, nil
}

func (c *Chain) open(cfg Config) error {
	listener, err := kit.ListenLoopback(cfg.Listen)
	if err != nil {
		return err
	}
	if c.dir, err = kit.OpenDir(cfg.Dir, "causeway-devnet-"+c.params.Name+"-"); err != nil {
		return errors.Join(err, listener.Close())
	}
	if err := c.openState(); err != nil {
		return errors.Join(err, listener.Close())
	}
	c.server, err = c.serve(listener, cfg.User, cfg.Pass)
	return err
}

// openState brings chain, mempool and wallet to where they were.
func (c *Chain) openState() error {
	j, records, err := openJournal(filepath.Join(c.dir.Path, "chain.journal"), *c.net.GenesisHash)
	if err != nil {
		return err
	}
	c.journal = j
	if err := c.restore(records); err != nil {
		return err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.wallet, err = newWallet(c.params, c.net); err != nil {
		return err
	}
	c.openPool()
	if err := c.scan(records); err != nil {
		return err
	}
	c.chain.Subscribe(c.notified)
	c.reloadPool(records)
	return c.fund()
}

// fund mines the wallet's first coins on a chain that is still too short.
func (c *Chain) fund() error {
	want := c.params.fundBlocks(c.net)
	for c.chain.BestSnapshot().Height < want {
		if _, err := c.mine(c.wallet.minerScript()); err != nil {
			return fmt.Errorf("funding the wallet: %w", err)
		}
	}
	return nil
}

// openPool makes the mempool and the block template generator over the chain.
func (c *Chain) openPool() {
	c.pool = mempool.New(&mempool.Config{
		Policy: mempool.Policy{
			MaxTxVersion:         2,
			DisableRelayPriority: true,
			FreeTxRelayLimit:     0,
			MaxSigOpCostPerTx:    blockchain.MaxBlockSigOpsCost / 4,
			MinRelayTxFee:        btcutil.Amount(c.params.Fees.Relay),
			AcceptNonStd:         c.params.ForkID, // admit looks
			RejectReplacement:    c.params.FirstSeen,
		},
		ChainParams:    c.net,
		FetchUtxoView:  c.fetchView,
		BestHeight:     func() int32 { return c.chain.BestSnapshot().Height },
		MedianTimePast: func() time.Time { return c.chain.BestSnapshot().MedianTime },
		CalcSequenceLock: func(tx *btcutil.Tx, view *blockchain.UtxoViewpoint) (*blockchain.SequenceLock, error) {
			return c.chain.CalcSequenceLock(tx, view, true)
		},
		IsDeploymentActive: c.chain.IsDeploymentActive,
		SigCache:           c.sigs,
		HashCache:          c.hashes,
	})
	policy := &mining.Policy{BlockMaxWeight: blockchain.MaxBlockWeight - 4000, BlockMaxSize: blockchain.MaxBlockBaseSize}
	c.template = mining.NewBlkTmplGenerator(policy, c.net, c.source(), c.chain, blockTime(c.clock), c.sigs, c.hashes)
}

// URL is the RPC endpoint with its credentials.
func (c *Chain) URL() string { return c.server.url }

// Params is the flavour the chain was made with.
func (c *Chain) Params() Params { return c.params }

// Close stops the server and leaves everything on disk. It may be called more
// than once.
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
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.db != nil {
		errs = append(errs, c.closeStore())
	}
	if c.journal != nil {
		errs = append(errs, c.journal.Close())
	}
	if c.dir != nil {
		errs = append(errs, c.dir.Close())
	}
	return errors.Join(errs...)
}

// blockTime is the clock in the form that btcd's packages ask for.
type blockTime func() time.Time

func (t blockTime) AdjustedTime() time.Time         { return time.Unix(t().Unix(), 0) }
func (t blockTime) AddTimeSample(string, time.Time) {}
func (t blockTime) Offset() time.Duration           { return 0 }
