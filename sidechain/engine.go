package sidechain

import (
	"cmp"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	"causeway/sidechain/base"
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// Errors of an Engine.
var (
	// ErrSequence: the block is not the next one of the chain that was
	// executed so far.
	ErrSequence = errors.New("sidechain: not the next base block")
	// ErrStopped: an earlier block could not be executed. The state is that of
	// the block before it, and stays it.
	ErrStopped = errors.New("sidechain: the engine has stopped")
	// ErrOtherChain: the store holds the state of another network.
	ErrOtherChain = errors.New("sidechain: store belongs to another chain")
)

// EngineConfig is what OpenEngine needs.
type EngineConfig struct {
	Genesis      *Genesis
	GenesisBytes []byte // the document as it stands, hashed into its chain id
	DB           *state.DB
	// Contracts of the chain, in the order in which genesis deploys them.
	// "tokens" is among them.
	Contracts []contract.Contract
	// Machine is the base layer's own state, nil for layers without one.
	Machine base.Machine
	Logger  *slog.Logger
	// CheckpointBlocks and CheckpointEvery bound what a crash makes the node
	// derive again; zero means 1,000 blocks and 2 seconds. A negative
	// CheckpointEvery leaves only the count.
	CheckpointBlocks int
	CheckpointEvery  time.Duration
}

// Head is the newest state.
type Head struct {
	Block        uint64 `json:"block"`    // newest sidechain block
	Hash         string `json:"hash"`     // of it
	BlockRef     uint64 `json:"blockRef"` // base block that it came from
	DatabaseHash string `json:"databaseHash"`
	RefBlock     uint64 `json:"refBlock"`  // newest executed base block
	RefID        string `json:"refID"`     // its id, 40 zeros before block 1
	Timestamp    string `json:"timestamp"` // its time (base.TimeLayout)
	StateHash    string `json:"stateHash"` // of the newest sidechain block
	StateRoot    string `json:"stateRoot"` // after the newest base block
}

// noID is the id that base block 1 names as its previous one.
const noID = "0000000000000000000000000000000000000000"

// Keys of the engine's small records.
const (
	metaChain = "engine/chain"
	metaHead  = "engine/head"
)

// Engine executes the base layer's blocks. It implements base.Executor. Apply
// is for one caller at a time; everything else may be called beside it.
type Engine struct {
	cfg      EngineConfig
	log      *slog.Logger
	db       *state.DB
	rt       *Runtime
	streamer streamer
	keeper   *keeper
	stopped  error // under the store's lock: a block failed

	mu   sync.RWMutex
	head Head
	subs []chan struct{}
}

var _ base.Executor = (*Engine)(nil)

// OpenEngine opens the chain in the store; an empty store gets block 0.
func OpenEngine(cfg EngineConfig) (*Engine, error) {
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	e := &Engine{cfg: cfg, log: cfg.Logger.With("component", "engine"), db: cfg.DB}
	rules := Rules{Switches: cfg.Genesis.Switches}
	if err := checkSwitches(cfg); err != nil {
		return nil, err
	}
	e.streamer = streamer{id: "ssc-" + cfg.Genesis.ChainID, rules: rules}

	e.db.Lock()
	defer e.db.Unlock()
	chain := BaseChainID(cfg.GenesisBytes)
	id := hex.EncodeToString(chain[:])
	switch stored := e.db.Meta(metaChain); {
	case stored == nil:
		if err := e.genesis(rules, id); err != nil {
			e.db.Freeze()
			return nil, fmt.Errorf("%w: block 0: %w", ErrGenesis, err)
		}
	case string(stored) != id:
		return nil, fmt.Errorf("%w: %s, not %s", ErrOtherChain, stored, id)
	default:
		if err := e.resume(rules); err != nil {
			return nil, err
		}
	}
	e.keeper = newKeeper(e.db, cfg.CheckpointBlocks, cfg.CheckpointEvery, e.log)
	return e, nil
}

// checkSwitches refuses a genesis with a switch that nobody asks for: a
// misspelt one would silently be off.
func checkSwitches(cfg EngineConfig) error {
	var known []string
	for _, c := range cfg.Contracts {
		if s, ok := c.(contract.Switched); ok {
			known = append(known, s.Switches()...)
		}
	}
	for _, name := range slices.Sorted(maps.Keys(cfg.Genesis.Switches)) {
		if !slices.Contains(known, name) {
			return fmt.Errorf("%w: unknown switch %q (known: %s)", ErrGenesis, name, strings.Join(known, ", "))
		}
	}
	return nil
}

// resume continues from the newest block of the store.
func (e *Engine) resume(rules Rules) error {
	if err := json.Unmarshal(e.db.Meta(metaHead), &e.head); err != nil {
		return fmt.Errorf("%w: record of the newest block: %w", state.ErrDamaged, err)
	}
	h := &e.head
	rt, err := NewRuntime(e.db, e.config(rules), &Last{h.Block, h.BlockRef, h.Hash, h.DatabaseHash})
	if err != nil {
		return err
	}
	for _, r := range rt.reg.sorted() {
		if r.impl == nil {
			return fmt.Errorf("%w: contract %s with code %s", ErrNotBuilt, r.name, r.codeHash)
		}
	}
	e.rt = rt
	for _, c := range e.cfg.Contracts {
		if e.contractRow(c.Name()) == nil {
			return fmt.Errorf("%w: its genesis did not deploy contract %s, this version's does", ErrOtherChain, c.Name())
		}
	}
	root := e.db.Root()
	if hex.EncodeToString(root[:]) != h.StateRoot {
		return fmt.Errorf("%w: state root %x is not the one recorded, %s", state.ErrDamaged, root, h.StateRoot)
	}
	e.forget()
	return nil
}

// config describes the chain to the runtime.
func (e *Engine) config(rules Rules) Config {
	g := e.cfg.Genesis
	cfg := Config{
		Rules: rules, Owner: g.Admin, UtilityToken: g.Profile.UtilityToken,
		Params: genesisParams(g),
	}
	for _, c := range e.cfg.Contracts {
		cfg.Versions = append(cfg.Versions, Version{Contract: c, Trusted: true})
	}
	cfg.PegAccount = g.Admin
	if d, ok := e.cfg.Machine.(base.Directory); ok {
		cfg.AccountExists = func(name string) bool { return d.AccountExists(e.db.Base(), name) }
	}
	return cfg
}

// genesisParams are the answers of contract.Context.Param.
func genesisParams(g *Genesis) map[string]jsvalue.Value {
	return map[string]jsvalue.Value{
		"account_fee":            g.Params.AccountFee,
		"max_block_transactions": float64(g.Params.MaxBlockTransactions),
		"tokenCreationFee":       g.Params.TokenCreationFee,
		"enableStakingFee":       g.Params.EnableStakingFee,
		"enableDelegationFee":    g.Params.EnableDelegationFee,
		"maxTickRows":            float64(cmp.Or(g.Params.MaxTickRows, DefaultMaxTickRows)),
		"maxFillsPerOrder":       float64(cmp.Or(g.Params.MaxFillsPerOrder, DefaultMaxFillsPerOrder)),
		"maxExpiredPerOrder":     float64(cmp.Or(g.Params.MaxExpiredPerOrder, DefaultMaxExpiredPerOrder)),
		"native_peg":             g.Profile.NativePeg,
		"base_coin":              g.Profile.BaseCoin,
		"gate":                   g.Pegs.Gate,
		"fee_account":            g.Pegs.FeeAccount,
		"admin":                  g.Admin,
		"admin_delay":            float64(g.Pegs.AdminDelay),
	}
}

// Apply executes the next base block, as a whole or not at all. An error means
// that the node must stop: the block breaks a rule of its layer, or this
// software cannot execute it. The engine then executes no other, and nothing is
// written to the store's file any more; readers see the state of the block
// before. ErrSequence alone changes nothing.
func (e *Engine) Apply(b *base.Block) error {
	if err := e.apply(b); err != nil {
		return fmt.Errorf("base block %d: %w", b.Number, err)
	}
	e.notify()
	return e.keeper.applied()
}

func (e *Engine) apply(b *base.Block) (err error) {
	e.db.Lock()
	defer e.db.Unlock()
	if e.stopped != nil {
		return e.stopped
	}
	head := e.Head()
	if b.Number != head.RefBlock+1 || b.Previous != head.RefID {
		return fmt.Errorf("%w: %d with previous %s after %d with id %s", ErrSequence, b.Number, b.Previous, head.RefBlock, head.RefID)
	}
	whole := false
	tables, layer := e.db.Tables().Savepoint(), e.db.Base().Savepoint()
	defer func() {
		if !whole { // an error, or a panic on its way
			e.db.Tables().Rollback(tables)
			e.db.Base().Rollback(layer)
			e.stop(b.Number, err)
		}
		e.forget()
	}()
	if e.cfg.Machine != nil {
		if err := e.cfg.Machine.Apply(e.db.Base(), b); err != nil {
			return err
		}
	}
	var block *Block
	if txs := e.streamer.Transactions(b); len(txs) > 0 {
		block, _, err = e.rt.Produce(Input{
			Ref: b.Number, RefID: b.ID, PrevRefID: b.Previous, Timestamp: b.Timestamp, Transactions: txs,
		})
		if err != nil {
			return err
		}
	}
	head.RefBlock, head.RefID, head.Timestamp = b.Number, b.ID, b.Timestamp
	if err := e.commit(head, block); err != nil {
		return err
	}
	whole = true
	return nil
}

// stop ends the engine after a block that failed and was taken back.
func (e *Engine) stop(number uint64, cause error) {
	e.db.Freeze()
	if cause == nil {
		cause = errors.New("it panicked")
	}
	e.stopped = fmt.Errorf("%w at base block %d: %w", ErrStopped, number, cause)
	if root := e.db.Root(); hex.EncodeToString(root[:]) != e.Head().StateRoot {
		e.log.Error("a block that failed could not be taken back: what this process answers is not the state", "block", number)
	}
}

// commit stores a block, when there is one, and the new head.
func (e *Engine) commit(head Head, block *Block) error {
	root := e.db.Root()
	head.StateRoot = hex.EncodeToString(root[:])
	var document []byte
	if block != nil {
		head.StateHash = stateHash(head.StateHash, block.Hash, root)
		head.Block, head.BlockRef = block.Number, block.Ref
		head.Hash, head.DatabaseHash = block.Hash, block.DatabaseHash
		block.StateRoot, block.StateHash = head.StateRoot, head.StateHash
		document = block.document()
	}
	record, err := json.Marshal(head)
	if err != nil {
		return fmt.Errorf("sidechain: record of the newest block: %w", err)
	}
	// From here on nothing can fail.
	if block != nil {
		e.db.AppendBlock(block.Number, document, block.ids())
	}
	e.db.SetMeta(metaHead, record)
	e.mu.Lock()
	e.head = head
	e.mu.Unlock()
	return nil
}

// stateHash chains the state roots: SHA-256 of the previous state hash, the
// block's hash and its state root, 32 bytes each (ADR 0001). The first one
// follows 32 zero bytes.
func stateHash(previous, hash string, root [32]byte) string {
	var text [96]byte
	hex.Decode(text[:32], []byte(previous))
	hex.Decode(text[32:64], []byte(hash))
	copy(text[64:], root[:])
	return sha256Text(text[:])
}

func (e *Engine) forget() {
	e.db.Tables().Forget()
	e.db.Base().Forget()
}

// Head is the newest state.
func (e *Engine) Head() Head {
	e.mu.RLock()
	defer e.mu.RUnlock()
	return e.head
}

// Executed implements base.Executor.
func (e *Engine) Executed() base.Commitment {
	h := e.Head()
	return base.Commitment{RefBlock: h.RefBlock, StateHash: h.StateHash, StateRoot: h.StateRoot}
}

// DB is the store, for readers.
func (e *Engine) DB() *state.DB { return e.db }

// Subscribe returns a channel that receives after blocks were applied. A
// reader that is busy misses signals, never the last one. The channel stays
// open.
func (e *Engine) Subscribe() <-chan struct{} {
	ch := make(chan struct{}, 1)
	e.mu.Lock()
	defer e.mu.Unlock()
	e.subs = append(e.subs, ch)
	return ch
}

func (e *Engine) notify() {
	e.mu.RLock()
	defer e.mu.RUnlock()
	for _, ch := range e.subs {
		select {
		case ch <- struct{}{}:
		default:
		}
	}
}

// Checkpoint writes the state of the newest block to disk; after a block that
// failed it is state.ErrFrozen.
func (e *Engine) Checkpoint() error { return e.keeper.checkpoint() }

// Close stops the checkpoints after a last one. The store stays open: it
// belongs to who opened it.
func (e *Engine) Close() error { return e.keeper.close() }

// zeroHash is what stands before the first state hash.
var zeroHash = strings.Repeat("0", 64)
