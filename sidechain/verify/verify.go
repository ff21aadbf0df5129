package verify

import (
	"bytes"
	"context"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"causeway/sidechain"
	"causeway/sidechain/base"
	"causeway/sidechain/base/solo"
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// ErrDiffers is wrapped when a derived block is not the one that is compared
// with it.
var ErrDiffers = errors.New("verify: the chains differ")

// ErrNotYet is what a Source answers for a block that it has not come to: a node
// that was killed may have stored less than it is going to derive again.
var ErrNotYet = errors.New("verify: not stored yet")

// Source gives the blocks to compare with, as stored text; ok is false when
// there is no block of that number.
type Source interface {
	Block(ctx context.Context, number uint64) (text []byte, ok bool, err error)
}

// Config says what is verified and against what.
type Config struct {
	Genesis   *sidechain.Genesis
	Document  []byte // of genesis
	Contracts []contract.Contract
	Store     *solo.Store
	Source    Source
	// Path of the store that is filled; empty holds it in memory.
	Path           string
	SkipSignatures bool // of transactions and headers
	// Proof is checked against the state that is derived; nil: none.
	Proof *Proof
	Log   *slog.Logger
}

// Proof is a row, or its absence, at a base block: the answer of /v1/proof.
type Proof struct {
	Block    uint64          `json:"block"` // the sidechain's newest then
	RefBlock uint64          `json:"ref_block"`
	Table    string          `json:"table"`
	ID       json.RawMessage `json:"id"`
	Row      json.RawMessage `json:"row"` // null: there is none
	Path     state.Proof     `json:"path"`
	Root     state.Hash      `json:"root"`
}

// Check says whether the proof holds by itself, under its own root.
func (p *Proof) Check() error {
	id, err := jsvalue.Parse(string(p.ID))
	if err != nil {
		return fmt.Errorf("%w: id: %w", state.ErrProof, err)
	}
	var row state.Row
	if len(p.Row) > 0 && string(p.Row) != "null" {
		if row, err = object(p.Row); err != nil {
			return fmt.Errorf("%w: row: %w", state.ErrProof, err)
		}
	}
	return state.VerifyProof(p.Root, p.Table, id, row, p.Path)
}

// Report says what was compared. Everything in it was derived here.
type Report struct {
	BaseBlocks   uint64 `json:"base_blocks"`
	Blocks       uint64 `json:"blocks"` // compared, block 0 included
	Transactions uint64 `json:"transactions"`
	Hash         string `json:"hash"`
	StateHash    string `json:"state_hash"`
	StateRoot    string `json:"state_root"`
}

// Run derives every block and compares. ErrDiffers names the first block that
// is not the same.
func Run(ctx context.Context, cfg Config) (report Report, err error) {
	db, err := state.Open(cfg.Path)
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	chainID := sidechain.BaseChainID(cfg.Document)
	var names []string
	for _, c := range cfg.Contracts {
		names = append(names, c.Name())
	}
	machine, err := solo.NewMachine(solo.MachineConfig{Genesis: cfg.Genesis, ChainID: chainID, ContractNames: names, SkipSignatures: cfg.SkipSignatures})
	if err != nil {
		return report, err
	}
	engine, err := sidechain.OpenEngine(sidechain.EngineConfig{
		Genesis: cfg.Genesis, GenesisBytes: cfg.Document, DB: db, Contracts: cfg.Contracts, Machine: machine, Logger: cfg.Log,
	})
	if err != nil {
		return report, err
	}
	defer func() { err = errors.Join(err, engine.Close()) }()
	c := &comparer{ctx: ctx, Engine: engine, db: db, source: cfg.Source, report: &report, proof: cfg.Proof}
	if cfg.Proof != nil {
		if err := cfg.Proof.Check(); err != nil {
			return report, err
		}
	}
	if err := c.compare(0); err != nil {
		return report, err
	}
	if err := solo.Replay(ctx, machine, cfg.Store, db, c, cfg.Log); err != nil {
		return report, err
	}
	if c.proof != nil {
		return report, fmt.Errorf("%w: it is of base block %d, the newest is %d", state.ErrProof, c.proof.RefBlock, engine.Head().RefBlock)
	}
	head := engine.Head()
	report.BaseBlocks, report.Hash, report.StateHash, report.StateRoot = head.RefBlock, head.Hash, head.StateHash, head.StateRoot
	if _, more, err := cfg.Source.Block(ctx, head.Block+1); err != nil && !errors.Is(err, ErrNotYet) {
		return report, err
	} else if more {
		return report, fmt.Errorf("%w: block %d is there, which no base block gives", ErrDiffers, head.Block+1)
	}
	return report, nil
}

// comparer is an engine that compares each block it makes.
type comparer struct {
	*sidechain.Engine
	ctx    context.Context // of Run: an Executor has no context of its own
	db     *state.DB
	source Source
	report *Report
	proof  *Proof // until its block was derived
}

// Apply implements base.Executor.
func (c *comparer) Apply(b *base.Block) error {
	before := c.Head().Block
	if err := c.Engine.Apply(b); err != nil {
		return err
	}
	head := c.Head()
	if c.proof != nil && c.proof.RefBlock == head.RefBlock {
		if root := hex.EncodeToString(c.proof.Root[:]); root != head.StateRoot {
			return fmt.Errorf("%w: its root is %s, after base block %d it is %s", state.ErrProof, root, head.RefBlock, head.StateRoot)
		}
		if c.proof.Block != head.Block {
			return fmt.Errorf("%w: it says sidechain block %d, after base block %d it is %d", state.ErrProof, c.proof.Block, head.RefBlock, head.Block)
		}
		c.proof = nil
	}
	if head.Block != before {
		return c.compare(head.Block)
	}
	return nil
}

func (c *comparer) compare(number uint64) error {
	derived, ok := c.db.Block(number)
	if !ok {
		return fmt.Errorf("verify: block %d was not derived", number)
	}
	text, ok, err := c.source.Block(c.ctx, number)
	if errors.Is(err, ErrNotYet) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("block %d: %w", number, err)
	}
	if !ok {
		return fmt.Errorf("%w: block %d is missing", ErrDiffers, number)
	}
	if !bytes.Equal(derived, text) {
		return fmt.Errorf("%w: block %d: %s", ErrDiffers, number, difference(derived, text))
	}
	doc, err := object(derived)
	if err != nil {
		return err
	}
	txs, _ := doc.Array("transactions")
	c.report.Blocks++
	c.report.Transactions += uint64(len(txs))
	return nil
}

// difference names the first member of a block that is not the same.
func difference(derived, given []byte) string {
	a, errA := object(derived)
	b, errB := object(given)
	if errA != nil || errB != nil {
		return "it is no block"
	}
	for name, value := range a.All() {
		other := b.Get(name)
		if !jsvalue.Equal(value, other) {
			return fmt.Sprintf("%s is %.100s, derived is %.100s", name, jsvalue.Stringify(other), jsvalue.Stringify(value))
		}
	}
	return "it has other members"
}

func object(text []byte) (*jsvalue.Object, error) {
	v, err := jsvalue.Parse(string(text))
	if err != nil {
		return nil, err
	}
	o, ok := v.(*jsvalue.Object)
	if !ok {
		return nil, errors.New("not an object")
	}
	return o, nil
}
