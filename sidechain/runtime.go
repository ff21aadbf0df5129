package sidechain

import (
	"encoding/base64"
	"errors"
	"fmt"
	"runtime/debug"
	"time"

	"causeway/sidechain/base"
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// ErrBlock: the peer's node would throw while it produces this block. Such a
// block leaves no trace.
var ErrBlock = errors.New("sidechain: block cannot be produced")

// Version is a native contract that stands for a deployable one.
type Version struct {
	// Source is the SHA-256 of the peer's contract text, "" for contracts that
	// have none.
	Source   string
	Contract contract.Contract
	// Trusted contracts may act as anyone (contract.Context.CallAs).
	Trusted bool
}

// Config is what a Runtime must know of its chain.
type Config struct {
	Rules    Rules
	Versions []Version
	// Owner may deploy contracts, update those of "null" and register ticks;
	// PegAccount may deploy and register too ("" for nobody).
	Owner, PegAccount string
	UtilityToken      string
	// Params is what contract.Context.Param answers.
	Params map[string]jsvalue.Value
	// SourceOf turns the code of a deployment into the name of its source: the
	// SHA-256 of a text, or the code hash of a native contract. nil: the code
	// is base64 of either the text or the code hash.
	SourceOf func(code string) (string, error)
	// Recorded: the blocks were recorded at the block-level interface of a
	// peer, which trusts whoever builds them: sender "null" and a payload's
	// callingContractInfo count as they stand. Never for a base layer's blocks.
	Recorded bool
	// AccountExists asks the base layer; nil where it keeps no accounts.
	AccountExists func(name string) bool
}

// Input is a block to produce.
type Input struct {
	Ref                         uint64
	RefID, PrevRefID, Timestamp string
	Transactions                []*Transaction
}

// Trace is what execution did beyond what the block shows.
type Trace struct {
	// Writes lists, for each transaction of the input, the table writes in
	// order, as "u:tokens_balances".
	Writes [][]string
	// VirtualWrites does so for the block's virtual transactions.
	VirtualWrites [][]string
	// SilentTicks are ticks that wrote but are not in the block.
	SilentTicks []SilentTick
	// HashChanged: nothing was kept, but the database hash moved.
	HashChanged bool
}

// SilentTick is one of Trace.SilentTicks.
type SilentTick struct {
	Transaction *Transaction
	Writes      []string
}

// Runtime executes blocks against a store. It is not safe for concurrent use;
// the caller holds the store's write lock.
type Runtime struct {
	cfg    Config
	tables *state.Section
	reg    *registry

	last    Last
	next    uint64 // number of the next block
	dbHash  digest
	block   *running
	top     *frame // innermost call
	frames  [maxDepth + 1]frame
	out     logs // of the outermost call
	fee     logs // of the fee's
	chained pairHashes
	journal []write
	buf     []byte
	texts   arena // receipts of the block
	tracing bool
	genesis *jsvalue.Object // while the genesis block is executed
}

// Last is the newest block as the next one refers to it.
type Last struct {
	Number             uint64
	Ref                uint64
	Hash, DatabaseHash string
}

// running is the block being executed.
type running struct {
	Input
	number uint64
	millis int64
}

// write is one counted table write of a transaction, with the hashes before
// it.
type write struct {
	table     *tableRecord
	op        byte
	tableHash digest
	dbHash    digest
}

// NewRuntime reads the chain's contracts from the store. last is the newest
// block, nil before block 0.
func NewRuntime(db *state.DB, cfg Config, last *Last) (*Runtime, error) {
	rt := &Runtime{cfg: cfg, tables: db.Tables(), last: Last{Hash: "0"}}
	if last != nil {
		rt.last, rt.next = *last, last.Number+1
	}
	if rt.cfg.SourceOf == nil {
		rt.cfg.SourceOf = sourceOf
	}
	reg, err := newRegistry(rt.tables, rt.byCodeHash)
	if err != nil {
		return nil, err
	}
	rt.reg = reg
	rt.tables.OnWrite = rt.wrote
	return rt, nil
}

// Last is the newest block that was produced.
func (rt *Runtime) Last() Last { return rt.last }

// Trace makes Produce return a full trace.
func (rt *Runtime) Trace(on bool) { rt.tracing = on }

// sourceOf names the source of base64 code.
func sourceOf(code string) (string, error) {
	text, err := base64.StdEncoding.DecodeString(code)
	if err != nil {
		return "", fmt.Errorf("sidechain: code is not base64: %w", err)
	}
	if len(text) == len(digest{}.hex) {
		return string(text), nil
	}
	return sha256Text(text), nil
}

func (rt *Runtime) byCodeHash(_, codeHash string) (contract.Contract, bool) {
	for i := range rt.cfg.Versions {
		if v := &rt.cfg.Versions[i]; v.Contract.CodeHash() == codeHash {
			return v.Contract, v.Trusted
		}
	}
	return nil, false
}

// bySource finds the native version of a deployed text, by the text's SHA-256
// or directly by code hash.
func (rt *Runtime) bySource(source string) (contract.Contract, bool) {
	for i := range rt.cfg.Versions {
		if v := &rt.cfg.Versions[i]; v.Source == source && source != "" || v.Contract.CodeHash() == source {
			return v.Contract, v.Trusted
		}
	}
	return nil, false
}

// Produce executes a block. It returns nil when nothing is left to store. An
// error wraps ErrBlock or ErrNotBuilt, or tells of a defect; the store is then
// as before.
func (rt *Runtime) Produce(in Input) (b *Block, tr *Trace, err error) {
	mark := rt.tables.Savepoint()
	defer func() {
		if p := recover(); p != nil {
			err = rt.defect(p)
		}
		rt.block, rt.top = nil, nil
		if err != nil {
			b, tr = nil, nil
			rt.tables.Rollback(mark)
			err = errors.Join(err, rt.reg.load())
		}
	}()
	when, err := time.Parse(base.TimeLayout, in.Timestamp)
	if err != nil {
		return nil, nil, fmt.Errorf("sidechain: timestamp of base block %d: %w", in.Ref, err)
	}
	rt.block = &running{Input: in, number: rt.next, millis: when.UnixMilli()}
	return rt.produce()
}

// defect turns a panic into an error.
func (rt *Runtime) defect(p any) error {
	if err, ok := p.(error); ok && errors.Is(err, ErrNotBuilt) {
		return err
	}
	d, ok := p.(defect)
	if !ok {
		d = defect{p, debug.Stack()}
	}
	where := "block"
	if rt.top != nil {
		where = rt.top.rec.name + "." + rt.top.action
	}
	return fmt.Errorf("sidechain: %s panicked: %v\n%s", where, d.cause, d.stack)
}

func (rt *Runtime) produce() (*Block, *Trace, error) {
	in := rt.block.Input
	tr := &Trace{}
	b := &Block{
		Number: rt.block.number, Ref: in.Ref, RefID: in.RefID, PrevRefID: in.PrevRefID, Timestamp: in.Timestamp,
		PreviousHash: rt.last.Hash, PreviousDatabaseHash: rt.last.DatabaseHash,
	}
	rt.dbHash = parseDigest(rt.last.DatabaseHash)
	counts := make(map[string]int)
	keepAll := rt.cfg.Rules.on(ruleCommentLogs, in.Ref, true)
	for _, tx := range in.Transactions {
		counts[tx.Sender.or()]++
		if err := rt.transact(tx, counts[tx.Sender.or()]); err != nil {
			return nil, nil, err
		}
		tr.Writes = append(tr.Writes, rt.writes())
		if keepAll || tx.Contract.Value != "comments" || tx.Logs == emptyLogs {
			b.Transactions = append(b.Transactions, tx)
		}
	}
	rt.runTicks(b, tr)
	tr.HashChanged = rt.dbHash.String() != rt.last.DatabaseHash
	rt.reg.store()
	if len(b.Transactions)+len(b.VirtualTransactions) == 0 {
		return nil, tr, nil
	}
	b.seal()
	rt.last, rt.next = Last{b.Number, b.Ref, b.Hash, b.DatabaseHash}, b.Number+1
	return b, tr, nil
}

// ticksOf lists the virtual transactions of a block, kept or not.
func (rt *Runtime) ticksOf(ref uint64) []*Transaction {
	var txs []*Transaction
	for _, t := range rt.reg.ticks {
		if ref >= t.Start {
			txs = append(txs, virtual(t.Contract, t.Action, ""))
		}
	}
	if ref%inflationPeriod == 0 {
		txs = append(txs, virtual("inflation", "issueNewTokens", `{ "isSignedWithActiveKey": true }`))
	}
	return txs
}

// inflationPeriod is the number of base blocks between two inflations.
const inflationPeriod = 1200

func virtual(name, action, payload string) *Transaction {
	return &Transaction{Sender: T("null"), Contract: T(name), Action: T(action), Payload: T(payload)}
}

// runTicks executes the virtual transactions. One without effect on the logs
// is not kept in the block, though its writes are.
func (rt *Runtime) runTicks(b *Block, tr *Trace) {
	for i, tx := range rt.ticksOf(b.Ref) {
		tx.Ref, tx.HasRef = b.Ref, true
		tx.ID = fmt.Sprintf("%d-%d", b.Ref, i)
		tx.nodeBuilt = true
		rt.journal = rt.journal[:0]
		result, codeHash := rt.execute(tx)
		rt.finish(tx, &result, false, codeHash)
		switch writes := rt.writes(); {
		case tx.Logs != emptyLogs && tx.Logs != unknownLogs && tx.Logs != noContractLogs:
			b.VirtualTransactions = append(b.VirtualTransactions, tx)
			tr.VirtualWrites = append(tr.VirtualWrites, writes)
		case len(rt.journal) > 0:
			tr.SilentTicks = append(tr.SilentTicks, SilentTick{tx, writes})
		}
	}
}

// wrote is told of every write to a contract table (peer-spec 1.7).
func (rt *Runtime) wrote(table string, op byte) {
	t := rt.reg.byTable[table]
	if t == nil || rt.top == nil || rt.top.setup && op == state.OpInsert {
		return
	}
	rt.journal = append(rt.journal, write{t, op, t.hash, rt.dbHash})
	t.hash.sum(t.hash.text())
	rt.buf = append(append(rt.buf[:0], rt.dbHash.text()...), t.hash.text()...)
	rt.dbHash.sum(rt.buf)
	t.owner.dirty = true
}

// unwrite takes the hashes back to a place in the journal.
func (rt *Runtime) unwrite(to int) {
	for i := len(rt.journal) - 1; i >= to; i-- {
		w := &rt.journal[i]
		w.table.hash, rt.dbHash = w.tableHash, w.dbHash
	}
	rt.journal = rt.journal[:to]
}

// writes is the journal of a transaction for a trace.
func (rt *Runtime) writes() []string {
	if !rt.tracing {
		return nil
	}
	list := make([]string, len(rt.journal))
	for i := range rt.journal {
		list[i] = string(rt.journal[i].op) + ":" + rt.journal[i].table.full
	}
	return list
}
