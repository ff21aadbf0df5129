package sidechain

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// frame is one call of a contract: the contract.Context of its code.
type frame struct {
	// out are the logs of the outermost call; those of this call begin at
	// errors and events.
	out            *logs
	errors, events int

	rt       *Runtime
	tx       *Transaction
	rec      *record
	sender   string
	action   string
	payload  *jsvalue.Object
	caller   *contract.Caller
	from     contract.Caller // what caller points to in a nested call
	codeHash string
	depth    int // 0 for the outermost call
	setup    bool
	created  []string // tables that Setup made
	rng      *jsvalue.Random
}

var _ contract.Context = (*frame)(nil)

func (f *frame) Sender() string            { return f.sender }
func (f *frame) Owner() string             { return f.rec.owner }
func (f *frame) Name() string              { return f.rec.name }
func (f *frame) ActionName() string        { return f.action }
func (f *frame) Version() int              { return f.rec.version }
func (f *frame) RootTransactionID() string { return f.tx.ID }
func (f *frame) BlockNumber() uint64       { return f.rt.block.number }
func (f *frame) RefBlockNumber() uint64    { return f.rt.block.Ref }
func (f *frame) Timestamp() string         { return f.rt.block.Timestamp }
func (f *frame) Millis() int64             { return f.rt.block.millis }
func (f *frame) Caller() *contract.Caller  { return f.caller }
func (f *frame) UtilityToken() string      { return f.rt.cfg.UtilityToken }

func (f *frame) TransactionID() (string, bool) {
	if f.depth > 0 {
		return "", false
	}
	return f.tx.ID, true
}

func (f *frame) SignedWithActiveKey() bool { return f.payload.Get("isSignedWithActiveKey") == true }

func (f *frame) Assert(cond bool, msg string) bool {
	if !cond && msg != "" {
		f.out.errors = append(f.out.errors, msg)
	}
	return cond
}

// eventShape is an event; one without data lacks the last member.
var eventShape = jsvalue.NewShape("contract", "event", "data")

func (f *frame) Emit(event string, data *jsvalue.Object) {
	if data == nil {
		f.out.events = append(f.out.events, eventShape.Object(f.rec.value(), event))
		return
	}
	f.out.events = append(f.out.events, eventShape.Object(f.rec.value(), event, data))
}

// result are the logs of this call and of those that it made.
func (f *frame) result() logs {
	errs, events := f.out.errors, f.out.events
	return logs{errs[f.errors:len(errs):len(errs)], events[f.events:len(events):len(events)]}
}

// fail forgets the logs of this call but for one error.
func (f *frame) fail(text string) logs {
	f.out.errors, f.out.events = append(f.out.errors[:f.errors], text), f.out.events[:f.events]
	return f.result()
}

// Table implements contract.Context. A table that Setup is just creating is
// there; one of another contract is not, whatever its name.
func (f *frame) Table(name string) *state.Table {
	full := fullName(f.rec.name, name)
	if t := f.rt.reg.byTable[full]; t != nil {
		return t.table
	}
	for _, made := range f.created {
		if made == full {
			return f.rt.tables.Table(full)
		}
	}
	return nil
}

func (f *frame) TableOf(name, table string) *state.Table {
	if t := f.rt.reg.byTable[fullName(name, table)]; t != nil && t.owner.name == name {
		return t.table
	}
	return nil
}

// CreateTable implements contract.Context. An existing table is returned with
// the lookups of the definition added.
func (f *frame) CreateTable(def state.TableDef) *state.Table {
	if !f.setup || !contract.IsAlphanumeric(def.Name) {
		return nil
	}
	known := f.Table(def.Name) != nil
	def.Name = fullName(f.rec.name, def.Name)
	if known {
		def.Indexes = nil
		return f.rt.tables.CreateTable(def)
	}
	f.created = append(f.created, def.Name)
	return f.rt.tables.CreateTable(def)
}

// AddIndexes implements contract.Context.
func (f *frame) AddIndexes(table string, indexes ...state.Index) {
	t := f.rec.table(fullName(f.rec.name, table))
	if !f.setup || t == nil {
		return
	}
	f.rt.tables.CreateTable(state.TableDef{Name: t.full, Indexes: indexes})
	t.indexes = indexCount(t.table.Def())
}

// AddTable implements contract.Context.
func (f *frame) AddTable(def state.TableDef) *state.Table {
	if t := f.Table(def.Name); t != nil {
		return t
	}
	if f.setup || !contract.IsAlphanumeric(def.Name) {
		return nil
	}
	def.Name = fullName(f.rec.name, def.Name)
	f.rt.tables.CreateTable(def)
	t := f.rt.reg.addTable(f.rec, def.Name, indexCount(def))
	f.rt.reg.newest = append(f.rt.reg.newest, t)
	return t.table
}

func (f *frame) Call(name, action string, params *jsvalue.Object) contract.Result {
	return f.call(f.sender, name, action, params)
}

func (f *frame) CallAs(sender, name, action string, params *jsvalue.Object) contract.Result {
	if !f.rec.trusted {
		const text = "contract may not act for others"
		f.Assert(false, text)
		return contract.Result{Errors: []string{text}}
	}
	return f.call(sender, name, action, params)
}

func (f *frame) CallAsOwner(name, action string, params *jsvalue.Object) contract.Result {
	return f.call(f.rec.owner, name, action, params)
}

func (f *frame) TransferTokens(to, symbol, quantity, toType jsvalue.Value) contract.Result {
	return f.call("null", "tokens", "transferFromContract", outShape.Object(f.rec.value(), to, quantity, symbol, toType))
}

// outShape is the payload of transferFromContract.
var outShape = jsvalue.NewShape("from", "to", "quantity", "symbol", "type")

// inherited are the payload members that a nested call gets from its caller
// (peer-spec 1.5).
var inherited = []string{"amountHIVEHBD", "recipient", "isSignedWithActiveKey"}

// call is a nested call: its logs are appended to this call's, its code hash
// is mixed into it. params becomes its payload.
func (f *frame) call(sender, name, action string, params *jsvalue.Object) contract.Result {
	if name == "mining" && action == "handleNftChange" && f.rule(ruleNFTChange) {
		return contract.Result{}
	}
	if params == nil {
		params = jsvalue.NewObject()
	}
	for _, key := range inherited {
		if v := f.payload.Get(key); jsvalue.Truthy(v) {
			params.Set(key, v)
		}
	}
	inner := &f.rt.frames[f.depth+1]
	*inner = frame{
		out: f.out, errors: len(f.out.errors), events: len(f.out.events),
		rt: f.rt, tx: f.tx, sender: sender, action: action, payload: params, depth: f.depth + 1,
		from: contract.Caller{Name: f.rec.name, Action: f.action, Version: f.rec.version},
	}
	inner.caller = &inner.from
	var result logs
	codeHash := ""
	if action == "createSSC" {
		result = inner.fail("you cannot trigger this action")
	} else {
		result, codeHash = f.rt.run(inner, name)
	}
	if codeHash != "" && f.rule(ruleCodeHash) {
		f.codeHash = f.rt.chained.hash(f.codeHash, codeHash)
	} else {
		f.codeHash += codeHash
	}
	return contract.Result{Errors: result.errors, Events: result.events}
}

// Random implements contract.Context: one generator a call.
func (f *frame) Random() float64 {
	if f.rng == nil {
		id := f.tx.ID
		if f.depth > 0 {
			id = "undefined"
		}
		f.rng = jsvalue.SeedRandom(f.rt.block.PrevRefID + f.rt.block.RefID + id)
	}
	return f.rng.Float64()
}

func (f *frame) Savepoint() contract.Mark {
	return contract.Mark{
		State:  f.rt.tables.Savepoint(),
		Errors: len(f.out.errors), Events: len(f.out.events),
		Writes: len(f.rt.journal),
	}
}

// Rollback implements contract.Context; the errors stay.
func (f *frame) Rollback(m contract.Mark) {
	f.rt.tables.Rollback(m.State)
	f.rt.unwrite(m.Writes)
	f.rt.reg.dropTables()
	f.out.events = f.out.events[:m.Events]
}

func (f *frame) rule(name string) bool { return f.rt.cfg.Rules.on(name, f.tx.Ref, f.tx.HasRef) }

func (f *frame) Switch(name string) bool { return f.rule(name) }

func (f *frame) Param(name string) jsvalue.Value { return f.rt.cfg.Params[name] }

// Genesis implements contract.Context.
func (f *frame) Genesis() *jsvalue.Object {
	if !f.setup {
		return nil
	}
	return f.rt.genesis
}

func (f *frame) AccountExists(name string) bool {
	return f.rt.cfg.AccountExists == nil || f.rt.cfg.AccountExists(name)
}

func (f *frame) ContractExists(name string) bool { return f.rt.reg.records[name] != nil }
