package sidechain

import (
	"bytes"
	"slices"
	"sort"
	"strconv"
	"strings"

	"causeway/sidechain/jsvalue"
	"causeway/sidechain/query"
	"causeway/sidechain/state"
)

// Block returns the document of a sidechain block (peer-spec 1.8).
func (e *Engine) Block(number uint64) (*jsvalue.Object, bool) {
	text, ok := e.db.Block(number)
	if !ok {
		return nil, false
	}
	doc, err := jsvalue.Parse(string(text))
	if err != nil {
		e.log.Error("stored block cannot be parsed", "block", number, "err", err)
		return nil, false
	}
	object, ok := doc.(*jsvalue.Object)
	return object, ok
}

// BlockByRef returns the document of the sidechain block that came from a base
// block.
func (e *Engine) BlockByRef(ref uint64) (*jsvalue.Object, bool) {
	n := int(e.Head().Block) + 1
	found := sort.Search(n, func(i int) bool { return e.refOf(uint64(i)) >= ref })
	if found == n || e.refOf(uint64(found)) != ref {
		return nil, false
	}
	return e.Block(uint64(found))
}

// refOf is the base block number of a stored block. It stands near the
// beginning of the document, which may be long.
func (e *Engine) refOf(number uint64) uint64 {
	text, _ := e.db.Block(number)
	_, rest, _ := bytes.Cut(text, []byte(`,"refHiveBlockNumber":`))
	digits, _, _ := bytes.Cut(rest, []byte(","))
	ref, err := strconv.ParseUint(string(digits), 10, 64)
	if err != nil {
		return 0
	}
	return ref
}

// Transaction finds a transaction by its id, as the peer's API shows it
// (peer-spec 6.2): an object; for the bare id of a base transaction whose
// calls have longer ids, the array of all of them with a transactionIndex; or
// nil. The result carries the block's number first.
func (e *Engine) Transaction(id string) jsvalue.Value {
	if block, index, ok := e.db.Tx(id); ok {
		if tx := transactionOf(e.transactions(block), index); tx != nil {
			return withBlock(block, tx, jsvalue.Undefined{})
		}
		return nil
	}
	if len(id) != len(noID) {
		return nil
	}
	var list, txs []jsvalue.Value
	var block uint64 // that txs are of; they all come from one
	for _, ref := range e.db.TxPrefix(id + "-") {
		if txs == nil || ref.Block != block {
			block, txs = ref.Block, e.transactions(ref.Block)
		}
		if tx := transactionOf(txs, ref.Index); tx != nil {
			list = append(list, withBlock(ref.Block, tx, transactionIndex(ref.ID[len(id)+1:])))
		}
	}
	if list == nil {
		return nil
	}
	slices.SortStableFunc(list, func(a, b jsvalue.Value) int { return indexOf(a) - indexOf(b) })
	return list
}

// transactionIndex is Number(suffix): null when the suffix has two levels.
func transactionIndex(suffix string) jsvalue.Value {
	n, err := strconv.Atoi(suffix)
	if err != nil {
		return nil
	}
	return float64(n)
}

// indexOf orders transactions by operation.
func indexOf(tx jsvalue.Value) int {
	id, _ := tx.(*jsvalue.Object).String("transactionId")
	_, suffix, _ := strings.Cut(id, "-")
	first, _, _ := strings.Cut(suffix, "-")
	n, _ := strconv.Atoi(first)
	return n
}

// transactions are those of a stored block.
func (e *Engine) transactions(block uint64) []jsvalue.Value {
	doc, ok := e.Block(block)
	if !ok {
		return nil
	}
	txs, _ := doc.Array("transactions")
	return txs
}

func transactionOf(txs []jsvalue.Value, index int) *jsvalue.Object {
	if index >= len(txs) {
		return nil
	}
	tx, _ := txs[index].(*jsvalue.Object)
	return tx
}

func withBlock(block uint64, tx *jsvalue.Object, index jsvalue.Value) *jsvalue.Object {
	out := jsvalue.NewObject("blockNumber", block)
	if _, none := index.(jsvalue.Undefined); !none {
		out.Set("transactionIndex", index)
	}
	for key, v := range tx.All() {
		out.Set(key, v)
	}
	return out
}

// Contract returns a contract's document, its name beside the _id (peer-spec
// 1.10), or false.
func (e *Engine) Contract(name string) (*jsvalue.Object, bool) {
	e.db.RLock()
	defer e.db.RUnlock()
	row := e.contractRow(name)
	if row == nil {
		return nil, false
	}
	return contractDocument(row), true
}

func (e *Engine) contractRow(name string) state.Row {
	return e.db.Tables().Table(contractsTable).Get(jsvalue.NewObject("name", name))
}

// Table says whether a contract has a table, and its full name. The answer is
// about the block at the time of the call.
func (e *Engine) Table(name, table string) (full string, ok bool) {
	e.db.RLock()
	defer e.db.RUnlock()
	return e.table(name, table)
}

func (e *Engine) table(name, table string) (full string, ok bool) {
	row := e.contractRow(name)
	if row == nil {
		return "", false
	}
	full = fullName(name, table)
	tables, _ := row.Object("tables")
	return full, tables.Has(full)
}

// Find queries a contract's table (peer-spec 1.11). ok is false for an unknown
// contract or table; a malformed query is an error. limit < 0 means all.
func (e *Engine) Find(name, table string, q *jsvalue.Object, limit, offset int, order []state.Order) (rows []state.Row, ok bool, err error) {
	filter, err := query.Compile(q)
	if err != nil {
		return nil, false, err
	}
	e.db.RLock()
	defer e.db.RUnlock()
	full, ok := e.table(name, table)
	if !ok {
		return nil, false, nil
	}
	return filter.Find(e.db.Tables(), full, limit, offset, order), true, nil
}

// Ticks lists the actions that run in every block: {contract, action,
// startRefBlock}.
func (e *Engine) Ticks() []*jsvalue.Object {
	e.db.RLock()
	defer e.db.RUnlock()
	var out []*jsvalue.Object
	for row := range e.db.Tables().Table(ticksTable).All() {
		out = append(out, row)
	}
	return out
}
