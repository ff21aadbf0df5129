package conform

import (
	"strings"

	"causeway/sidechain"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// load builds a store from a recorded state and the runtime that continues
// from the recorded block.
func load(root node, cfg sidechain.Config) (*state.DB, *sidechain.Runtime, error) {
	db, err := state.Open("")
	if err != nil {
		return nil, nil, err
	}
	recorded, result := root.get("state"), root.get("result")
	for _, table := range recorded.get("schema").members() {
		db.Tables().CreateTable(readSchema(table))
	}
	for _, table := range recorded.get("tables").members() {
		putRows(db, table, table.items())
	}
	setSequences(db, recorded.get("sequences"))
	contracts, ticks := readContracts(recorded.get("contracts")), readTicks(recorded.get("contractTicks"))
	last := sidechain.Last{
		Number: result.get("blockNumber").number(), Ref: result.get("refHiveBlockNumber").number(),
		Hash: result.get("hash").text(), DatabaseHash: result.get("databaseHash").text(),
	}
	if root.doc.err != nil {
		return nil, nil, root.doc.err
	}
	if err := sidechain.Import(db, contracts, ticks); err != nil {
		return nil, nil, err
	}
	rt, err := sidechain.NewRuntime(db, cfg, &last)
	if err != nil {
		return nil, nil, err
	}
	rt.Trace(true)
	forget(db)
	return db, rt, nil
}

func forget(db *state.DB) {
	db.Tables().Forget()
	db.Base().Forget()
}

// tableName is the member's key: a table's full name.
func tableName(n node) string { return n.path[strings.LastIndexByte(n.path, '.')+1:] }

// readSchema reads {primaryKey, indexes: {name: {field: 1}}}.
func readSchema(n node) state.TableDef {
	def := state.TableDef{Name: tableName(n), PrimaryKey: n.must("primaryKey").texts()}
	indexes := n.get("indexes")
	for name, fields := range indexes.object().All() {
		object, ok := fields.(*jsvalue.Object)
		if !ok || object.Len() == 0 {
			indexes.fail("index %q has no fields", name)
			continue
		}
		for field, direction := range object.All() {
			if direction != 1.0 {
				indexes.fail("index %q does not ascend by %s", name, field)
			}
		}
		ix := state.Index{Name: name, Fields: object.Keys()}
		if len(ix.Fields) == 1 && name == ix.Fields[0]+"_1" {
			ix.Name = ix.Fields[0]
		}
		def.Indexes = append(def.Indexes, ix)
	}
	return def
}

func putRows(db *state.DB, table node, rows []node) {
	t := db.Tables().Table(tableName(table))
	if t == nil {
		table.fail("no such table")
		return
	}
	for _, row := range rows {
		if validID(row.get("_id")) {
			t.Put(row.object())
		}
	}
}

// validID: an _id is a number or an object.
func validID(n node) bool {
	switch n.value.(type) {
	case float64, *jsvalue.Object:
		return true
	}
	n.fail("not an id")
	return false
}

// chainSequence is the sequence of block numbers, which is no table's.
const chainSequence = "chain"

func setSequences(db *state.DB, sequences node) {
	for _, seq := range sequences.members() {
		name := tableName(seq)
		if name == chainSequence {
			continue
		}
		t := db.Tables().Table(name)
		if t == nil {
			seq.fail("no such table")
			return
		}
		t.SetSequence(seq.number())
	}
}

func readContracts(n node) []sidechain.ContractState {
	var out []sidechain.ContractState
	for _, c := range n.members() {
		s := sidechain.ContractState{
			Name: tableName(c), Owner: c.get("owner").text(), CodeHash: c.get("codeHash").text(),
			Version: int(c.get("version").number()),
		}
		for _, t := range c.must("tables").members() {
			s.Tables = append(s.Tables, sidechain.TableState{Name: tableName(t), Hash: t.get("hash").text()})
		}
		out = append(out, s)
	}
	return out
}

func readTicks(n node) []sidechain.TickState {
	var out []sidechain.TickState
	for _, t := range n.items() {
		out = append(out, sidechain.TickState{
			Contract: t.get("contract").text(), Action: t.get("action").text(),
			Start: t.get("startRefBlock").number(),
		})
	}
	return out
}

// apply does a step of type "write": the test changed the database.
func apply(db *state.DB, s step) {
	for _, table := range s.tables.members() {
		putRows(db, table, table.get("upserts").items())
		t := db.Tables().Table(tableName(table))
		for _, id := range table.get("deletes").items() {
			if t != nil && validID(id) {
				removeRow(t, id.value)
			}
		}
	}
	setSequences(db, s.at.get("sequences"))
}

// removeRow deletes without counting it as a contract's write: no call is
// running.
func removeRow(t *state.Table, id jsvalue.Value) {
	t.Remove(jsvalue.NewObject("_id", id))
}
