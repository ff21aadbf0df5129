package gateway

import (
	"errors"
	"fmt"
	"log/slog"
	"time"

	"causeway/chains"
	"causeway/chains/utxo"
	"causeway/hotwallet"
	"causeway/pegs"
)

// ChainConfig is one outside chain and how it is reached.
type ChainConfig struct {
	// Exactly one of Coin, with Source, and Accounts is set.
	Coin     *utxo.Coin
	Source   chains.Source
	Accounts *AccountChain
	Quorum   int // nodes that are asked to agree, for display
	// Scanner is a node's JSON-RPC for the independent scanner; without one
	// audits of the chain are never ok.
	Scanner NodeRPC
	// Start is the height of the first block to look at, 0: the keys' birthday.
	Start         uint64
	Confirmations uint64 // 0: by exposure
	// InputExtra is how much deeper than a credit payout inputs from outside
	// must be; nil: pegs.DefaultInputExtra.
	InputExtra *uint64
	Poll       time.Duration
	// Patience is how long too few nodes may agree, or the nodes may be behind,
	// before the chain is halted; 0: ten polls, at least 2 s.
	Patience time.Duration
	// MaxLag is how many blocks the nodes that agree may be behind our own newest
	// block, or behind the highest node; 0: those of an hour, at least 12.
	MaxLag uint64
	// MaxTipAge is how old the newest block may be by its miner's clock; 0: any age.
	MaxTipAge time.Duration
	// SlowBlocks says that blocks which come much more slowly than the coin aims
	// at are an alert. Not on regtest, where they come when somebody wants them.
	SlowBlocks bool
	// Limits bound what is paid out.
	Limits pegs.Limits
	FeeMin chains.FeeRate
	FeeMax chains.FeeRate
	// Caps are limits of what is planned, beside those that the signer says it has;
	// zero is none.
	Caps hotwallet.SignerCaps
}

// ID is which chain it is.
func (c *ChainConfig) ID() chains.ID {
	if c.Accounts != nil {
		return c.Accounts.ID
	}
	return c.Coin.ID()
}

func (c *ChainConfig) network() chains.Network {
	if c.Accounts != nil {
		return c.Accounts.Network
	}
	return c.Coin.Network()
}

// slot is how often chains of accounts make a block (Ethereum: SECONDS_PER_SLOT).
const slot = 12 * time.Second

// interval is the time between blocks that the chain aims at.
func (c *ChainConfig) interval() time.Duration {
	if c.Accounts != nil {
		return slot
	}
	return c.Coin.Facts().Interval
}

func (c *ChainConfig) policy() pegs.Policy {
	if c.Accounts != nil {
		return pegs.AccountPolicy()
	}
	return pegs.PolicyOf(c.ID(), c.Coin.Facts())
}

// check says what is wrong with a configuration.
func (c *ChainConfig) valid() error {
	if c.Accounts != nil {
		return c.Accounts.check()
	}
	if c.FeeMin == 0 || c.FeeMax < c.FeeMin {
		return fmt.Errorf("gateway: %s: fee rates from %d to %d", c.ID(), c.FeeMin, c.FeeMax)
	}
	return nil
}

// Config is what a Gateway is made of.
type Config struct {
	Home    string
	Network chains.Network
	// NetworkID names the sidechain network whose log this is: the base chain id.
	NetworkID string
	Chains    []ChainConfig
	Sidechain Sidechain
	Submitter Submitter
	Signer    Signer
	Keys      Keys
	Log       *slog.Logger

	// Lock is the home's lock when the caller holds it; nil: Open takes it.
	Lock *Lock
	// RetryAfter is how long an operation's row is waited for before it is
	// submitted again; 0: 10 s. Later attempts wait longer.
	RetryAfter time.Duration
	// AuditEvery is the interval of the audit that halts; 0: 1 min.
	AuditEvery time.Duration
	// AuditPause is how long an audit waits before it looks again at parts that do
	// not stand at the same point; 0: 100 ms.
	AuditPause time.Duration
	// RebroadcastAfter is the pause between two broadcasts of a payout that a node
	// has taken; 0: 10 s, and never less than a chain's poll.
	RebroadcastAfter time.Duration
	// Pace is how often services look again that wait for nothing outside; 0: 1 s.
	Pace time.Duration
	// SealEvery is how many records there are between two seals of the ledger's
	// state, while the state is small; 0: 4096.
	SealEvery uint64
	// Now is the clock of histories; nil: time.Now.
	Now func() time.Time
	// Failpoint is called at the crash points C1 to C20 of the life cycles; nil
	// in production.
	Failpoint func(name string)
}

func (c *Config) complete() error {
	if c.Sidechain == nil || c.Submitter == nil || c.Signer == nil || c.Keys == nil || c.Log == nil || c.NetworkID == "" {
		return errors.New("gateway: the configuration is not complete")
	}
	return c.defaults()
}

// defaults fills in what may be left out.
func (c *Config) defaults() error {
	if c.Now == nil {
		c.Now = time.Now
	}
	if c.Failpoint == nil {
		c.Failpoint = func(string) {}
	}
	if c.RetryAfter <= 0 {
		c.RetryAfter = 10 * time.Second
	}
	if c.RebroadcastAfter <= 0 {
		c.RebroadcastAfter = 10 * time.Second
	}
	if c.Pace <= 0 {
		c.Pace = time.Second
	}
	if c.AuditPause <= 0 {
		c.AuditPause = 100 * time.Millisecond
	}
	if c.AuditEvery <= 0 {
		c.AuditEvery = time.Minute
	}
	for i := range c.Chains {
		chain := &c.Chains[i]
		if chain.network() != c.Network {
			return fmt.Errorf("gateway: %s is of network %s, not %s", chain.ID(), chain.network(), c.Network)
		}
		if chain.Poll <= 0 {
			chain.Poll = time.Second
		}
		if chain.Patience <= 0 {
			chain.Patience = max(10*chain.Poll, 2*time.Second)
		}
		if chain.MaxLag == 0 {
			chain.MaxLag = defaultMaxLag(chain.interval())
		}
		if err := chain.valid(); err != nil {
			return err
		}
	}
	return nil
}
