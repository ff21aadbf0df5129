package sidechain

import (
	"cmp"
	"fmt"
	"slices"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// ErrNotBuilt is contract.ErrNotBuilt.
var ErrNotBuilt = contract.ErrNotBuilt

// The system tables: names without the separator cannot meet a contract's
// table, and no find reaches them.
const (
	contractsTable = "contracts"
	ticksTable     = "ticks"
)

var (
	contractsDef = state.TableDef{Name: contractsTable, PrimaryKey: []string{"name"}}
	ticksDef     = state.TableDef{Name: ticksTable}
)

// record is a deployed contract.
type record struct {
	name, owner, codeHash string
	boxed                 jsvalue.Value // name, for events
	version               int
	impl                  contract.Contract // nil: not built
	actions               map[string]contract.Action
	partial, trusted      bool
	tables                []*tableRecord // in order of creation
	dirty                 bool           // the stored row is out of date
}

// tableRecord is a contract's table as the contract's document shows it.
type tableRecord struct {
	owner      *record
	full       string
	table      *state.Table
	hash       digest
	indexes    int
	primaryKey []string
}

func (r *record) table(full string) *tableRecord {
	i := slices.IndexFunc(r.tables, func(t *tableRecord) bool { return t.full == full })
	if i < 0 {
		return nil
	}
	return r.tables[i]
}

// value is the name as a value that every event shares.
func (r *record) value() jsvalue.Value {
	if r.boxed == nil {
		r.boxed = r.name
	}
	return r.boxed
}

// bind makes impl the code of the contract.
func (r *record) bind(impl contract.Contract, trusted bool) {
	r.impl, r.actions, r.trusted = impl, nil, trusted
	if impl == nil {
		return
	}
	r.codeHash, r.actions = impl.CodeHash(), impl.Actions()
	_, r.partial = impl.(contract.Partial)
}

// row is the contract's document as it is stored.
func (r *record) row() state.Row {
	tables := jsvalue.NewObject()
	for _, t := range r.tables {
		doc := jsvalue.NewObject("size", 0, "hash", t.hash.String(), "nbIndexes", t.indexes)
		if len(t.primaryKey) > 0 {
			doc.Set("primaryKey", t.primaryKey)
		}
		tables.Set(t.full, doc)
	}
	return jsvalue.NewObject("_id", jsvalue.NewObject("name", r.name),
		"name", r.name, "owner", r.owner, "codeHash", r.codeHash, "tables", tables, "version", r.version)
}

// registry is the contracts and ticks of a chain. It is a view of the system
// tables, brought up to date with them when a block is undone.
type registry struct {
	tables  *state.Section
	records map[string]*record
	byTable map[string]*tableRecord // by full name
	newest  []*tableRecord          // made by actions of this block
	ticks   []tick
	resolve func(name, codeHash string) (impl contract.Contract, trusted bool)
}

// tick is an action that runs after the user transactions of every block.
type tick struct {
	Contract, Action string
	Start            uint64 // first base block
}

// newRegistry reads the system tables, creating them when they are missing.
func newRegistry(tables *state.Section, resolve func(name, codeHash string) (contract.Contract, bool)) (*registry, error) {
	reg := &registry{tables: tables, resolve: resolve}
	tables.CreateTable(contractsDef)
	tables.CreateTable(ticksDef)
	return reg, reg.load()
}

// load replaces the view by what the system tables say.
func (reg *registry) load() error {
	reg.records = map[string]*record{}
	reg.byTable = map[string]*tableRecord{}
	reg.ticks, reg.newest = nil, nil
	for row := range reg.tables.Table(contractsTable).All() {
		r, err := reg.readRecord(row)
		if err != nil {
			return err
		}
		reg.records[r.name] = r
	}
	for row := range reg.tables.Table(ticksTable).All() {
		name, _ := row.String("contract")
		action, _ := row.String("action")
		start, _ := row.Number("startRefBlock")
		reg.ticks = append(reg.ticks, tick{name, action, uint64(start)})
	}
	return nil
}

func (reg *registry) readRecord(row state.Row) (*record, error) {
	r := &record{}
	r.name, _ = row.String("name")
	r.owner, _ = row.String("owner")
	r.codeHash, _ = row.String("codeHash")
	version, _ := row.Number("version")
	r.version = int(version)
	impl, trusted := reg.resolve(r.name, r.codeHash)
	r.bind(impl, trusted)
	tables, _ := row.Object("tables")
	for full := range tables.All() {
		doc, _ := tables.Object(full)
		if reg.tables.Table(full) == nil {
			return nil, missingTable(r.name, full)
		}
		hash, _ := doc.String("hash")
		n, _ := doc.Number("nbIndexes")
		reg.addTable(r, full, int(n)).hash = parseDigest(hash)
	}
	reg.ensureLookups(r)
	return r, nil
}

func missingTable(name, table string) error {
	return fmt.Errorf("sidechain: contract %s names the table %s, which does not exist", name, table)
}

// ensureLookups gives tables that came from elsewhere the indexes that their
// contract's typed finds need.
func (reg *registry) ensureLookups(r *record) {
	tabler, ok := r.impl.(contract.Tabler)
	if !ok {
		return
	}
	for _, def := range tabler.Tables() {
		if t := r.table(fullName(r.name, def.Name)); t != nil {
			def.Name, def.Indexes = t.full, nil
			reg.tables.CreateTable(def)
		}
	}
}

// addTable makes a table of the store one of the contract's.
func (reg *registry) addTable(r *record, full string, indexes int) *tableRecord {
	table := reg.tables.Table(full)
	t := &tableRecord{owner: r, full: full, table: table, indexes: indexes, primaryKey: table.Def().PrimaryKey}
	r.tables = append(r.tables, t)
	reg.byTable[full] = t
	r.dirty = true
	return t
}

// dropTables forgets tables of actions that a savepoint took back, the newest
// first.
func (reg *registry) dropTables() {
	for i := len(reg.newest) - 1; i >= 0; i-- {
		t := reg.newest[i]
		if reg.tables.Table(t.full) == t.table {
			return
		}
		delete(reg.byTable, t.full)
		t.owner.tables = slices.DeleteFunc(t.owner.tables, func(other *tableRecord) bool { return other == t })
		reg.newest = reg.newest[:i]
	}
}

func fullName(contract, table string) string { return contract + "_" + table }

// put adds a contract to the chain or replaces its code.
func (reg *registry) put(r *record) {
	reg.records[r.name] = r
	r.dirty = true
}

// addTick appends to the list of ticks.
func (reg *registry) addTick(t tick) {
	reg.ticks = append(reg.ticks, t)
	reg.tables.Table(ticksTable).Insert(jsvalue.NewObject(
		"contract", t.Contract, "action", t.Action, "startRefBlock", t.Start))
}

// store writes the documents of contracts that a block changed.
func (reg *registry) store() {
	for _, r := range reg.sorted() {
		if r.dirty {
			reg.tables.Table(contractsTable).Update(r.row())
			r.dirty = false
		}
	}
	reg.newest = nil
}

// contractDocument is the contract's document as the API returns it (peer-spec 1.10),
// with the name beside the _id. Native contracts have no code.
func contractDocument(row state.Row) *jsvalue.Object {
	doc := jsvalue.NewObject("_id", row.Get("name"))
	for _, key := range []string{"name", "owner"} {
		doc.Set(key, row.Get(key))
	}
	doc.Set("code", "")
	for _, key := range []string{"codeHash", "tables", "version"} {
		doc.Set(key, row.Get(key))
	}
	return doc
}

// indexCount is what the peer counts as a table's indexes.
func indexCount(def state.TableDef) int { return len(def.Indexes) }

// validContractName: letters and digits, 3 to 50, none of the three reserved
// names (peer-spec 1.10).
func validContractName(name string) bool {
	reserved := []string{"contract", "blockProduction", "null"}
	return contract.IsAlphanumeric(name) && len(name) >= 3 && len(name) <= 50 && !slices.Contains(reserved, name)
}

// sorted lists the contracts by name.
func (reg *registry) sorted() []*record {
	out := make([]*record, 0, len(reg.records))
	for _, r := range reg.records {
		out = append(out, r)
	}
	slices.SortFunc(out, func(a, b *record) int { return cmp.Compare(a.name, b.name) })
	return out
}
