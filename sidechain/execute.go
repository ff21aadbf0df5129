package sidechain

import (
	"errors"
	"fmt"
	"runtime/debug"
	"slices"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
)

// maxDepth is the number of calls that may be open at once: the peer has five
// virtual machines.
const maxDepth = 5

// transact executes a user transaction and completes its receipt. count is
// how many transactions of this sender the block has had, this one included.
func (rt *Runtime) transact(tx *Transaction, count int) error {
	rt.journal = rt.journal[:0]
	sender, name, action := tx.Sender, tx.Contract.Value, tx.Action.Value
	switch {
	case sender.Value == "" || name == "" || action == "":
		rt.refuse(tx, "the parameters sender, contract and action are required")
	case sender.Value == "null" && !rt.mayBeNull(tx):
		rt.refuse(tx, "sender null is not allowed")
	case name == "contract" && (action == "deploy" || action == "update") && tx.Payload.Value != "":
		result, codeHash := rt.deploy(tx)
		rt.finish(tx, &result, false, codeHash)
	case name == "contract" && action == "registerTick" && tx.Payload.Value != "":
		result := rt.registerTick(tx)
		rt.finish(tx, &result, false, "")
	default:
		return rt.user(tx, count)
	}
	return nil
}

// nullCalls are the only user transactions that come from "null": the node
// builds them from an operation of an account whose authority was verified.
var nullCalls = [][2]string{{"comments", "comment"}, {"comments", "commentOptions"}, {"comments", "vote"}}

func (rt *Runtime) mayBeNull(tx *Transaction) bool {
	return rt.cfg.Recorded || rt.genesis != nil ||
		tx.nodeBuilt && slices.Contains(nullCalls, [2]string{tx.Contract.Value, tx.Action.Value})
}

// user executes a call of a contract, after the fee where fees are on.
func (rt *Runtime) user(tx *Transaction, count int) error {
	merged := rt.cfg.Rules.on(ruleBurnFee, rt.block.Ref, true) && tx.Sender.Value != "null" && rt.genesis == nil
	var fee logs
	if merged && rt.hasFees() {
		var err error
		if fee, err = rt.burnFee(tx, count); err != nil {
			return err
		}
		if len(fee.errors) > 0 {
			rt.finish(tx, &fee, true, "")
			return nil
		}
	}
	result, codeHash := rt.execute(tx)
	if len(fee.events) > 0 {
		result.events = append(fee.events, result.events...)
	}
	rt.finish(tx, &result, merged, codeHash)
	return nil
}

// hasFees says whether the fee contract is asked: always on the peer's chain,
// on others when it is deployed.
func (rt *Runtime) hasFees() bool {
	return rt.cfg.Rules.History || rt.reg.records["resourcemanager"] != nil
}

// burnFee runs resourcemanager.burnFee for a transaction. The peer parses the
// transaction's payload here outside any try.
func (rt *Runtime) burnFee(tx *Transaction, count int) (logs, error) {
	inner, err := tx.parse()
	if err != nil {
		return logs{}, fmt.Errorf("%w: payload of transaction %s: %w", ErrBlock, tx.ID, err)
	}
	f := rt.frame(tx, "burnFee", feeShape.Object(float64(count), tx.Contract.Value, tx.Action.Value, inner))
	f.out = rt.fee.reset()
	result, _ := rt.run(f, "resourcemanager")
	return result, nil
}

// feeShape is the payload of burnFee.
var feeShape = jsvalue.NewShape("userActionCount", "contract", "action", "payload")

// execute runs the call that a transaction asks for (peer-spec 1.5).
func (rt *Runtime) execute(tx *Transaction) (logs, string) {
	action := tx.Action.Value
	if action == "createSSC" {
		return failed("you cannot trigger this action"), ""
	}
	payload, err := tx.parse()
	if err != nil {
		return failed(syntaxError(err)), ""
	}
	if rt.reg.records[tx.Contract.Value] == nil {
		return failed(noContractError), ""
	}
	object, ok := asObject(payload)
	if !ok {
		return failed("TypeError: Cannot destructure 'payload' as it is null."), ""
	}
	f := rt.frame(tx, action, object)
	if rt.cfg.Recorded {
		f.caller = recordedCaller(object)
	}
	return rt.run(f, tx.Contract.Value)
}

func failed(text string) logs { return logs{errors: []string{text}} }

// parse is `payload ? JSON.parse(payload) : {}`, done once.
func (tx *Transaction) parse() (jsvalue.Value, error) {
	if tx.parsed != nil {
		return tx.parsed, nil
	}
	if tx.Payload.Value == "" {
		return jsvalue.NewObject(), nil
	}
	v, err := jsvalue.Parse(tx.Payload.Value)
	if err == nil {
		tx.parsed = v
	}
	return v, err
}

// syntaxError is the text of the exception that JSON.parse throws.
func syntaxError(err error) string {
	var syntax *jsvalue.SyntaxError
	if errors.As(err, &syntax) {
		return "SyntaxError: " + syntax.Message()
	}
	return "SyntaxError: " + err.Error()
}

// asObject is the payload as contracts see it: arrays, texts, numbers and
// booleans have no members that they could name. Only null has none to take
// apart.
func asObject(v jsvalue.Value) (*jsvalue.Object, bool) {
	if object, ok := v.(*jsvalue.Object); ok {
		return object, true
	}
	return jsvalue.NewObject(), v != nil
}

// recordedCaller reads the caller that a recorded payload names.
func recordedCaller(payload *jsvalue.Object) *contract.Caller {
	info, ok := payload.Object("callingContractInfo")
	if !ok {
		return nil
	}
	c := &contract.Caller{}
	c.Name, _ = info.String("name")
	c.Action, _ = info.String("action")
	version, _ := info.Number("version")
	c.Version = int(version)
	return c
}

// frame is the outermost call of a transaction. There is one at a time, and it
// is good until the next.
func (rt *Runtime) frame(tx *Transaction, action string, payload *jsvalue.Object) *frame {
	f := &rt.frames[0]
	*f = frame{rt: rt, tx: tx, out: rt.out.reset(), sender: tx.Sender.Value, action: action, payload: payload}
	return f
}

// run executes a frame on a contract. The code hash is empty when the engine
// itself refused the call.
func (rt *Runtime) run(f *frame, name string) (result logs, codeHash string) {
	rec := rt.reg.records[name]
	if rec == nil {
		return f.fail(noContractError), ""
	}
	if f.depth >= maxDepth {
		return f.fail(unknownError), ""
	}
	action := rec.actions[f.action]
	if action == nil {
		if rec.impl == nil || rec.partial {
			panic(fmt.Errorf("%w: %s.%s (code %s)", ErrNotBuilt, name, f.action, rec.codeHash))
		}
		return f.fail(unknownError), ""
	}
	f.rec, f.codeHash = rec, rec.codeHash
	if text := f.guarded(func() { action(f, f.payload) }); text != "" {
		return f.fail(text), ""
	}
	return f.result(), f.codeHash
}

// guarded runs code as the innermost call and returns the text of an uncaught
// exception, or "".
func (f *frame) guarded(code func()) (text string) {
	outer := f.rt.top
	f.rt.top = f
	defer func() {
		switch p := recover().(type) {
		case nil:
			f.rt.top = outer
		case contract.Exception:
			f.rt.top, text = outer, string(p)
		default:
			panic(traced(p))
		}
	}()
	code()
	return ""
}

// defect is a panic with the stack where it happened.
type defect struct {
	cause any
	stack []byte
}

func traced(p any) any {
	switch p.(type) {
	case defect, error:
		return p
	}
	return defect{p, debug.Stack()}
}

// refuse completes a receipt with a single error of the engine's.
func (rt *Runtime) refuse(tx *Transaction, text string) {
	result := failed(text)
	rt.finish(tx, &result, false, "")
}

// finish completes a receipt. eventsFirst is the order after the fee's merge.
func (rt *Runtime) finish(tx *Transaction, l *logs, eventsFirst bool, codeHash string) {
	rt.buf = l.appendJSON(rt.buf[:0], eventsFirst)
	tx.Logs, tx.ExecutedCodeHash, tx.parsed = rt.texts.text(rt.buf), codeHash, nil
	tx.DatabaseHash = rt.texts.text(rt.dbHash.text())
	rt.buf = tx.seal(rt.buf, &rt.texts)
}

// deploy adds a contract to the chain or replaces its code (peer-spec 1.10).
func (rt *Runtime) deploy(tx *Transaction) (logs, string) {
	if s := tx.Sender.Value; rt.genesis == nil && s != "null" && s != rt.cfg.Owner && s != rt.cfg.PegAccount {
		return failed("the contract deployment is currently unavailable"), ""
	}
	parsed, err := jsvalue.Parse(tx.Payload.Value)
	if err != nil {
		return failed(rt.deployError(tx, syntaxError(err))), ""
	}
	payload, ok := asObject(parsed)
	if !ok {
		return failed(rt.deployError(tx, "TypeError: Cannot destructure property 'name' of 'payload' as it is null.")), ""
	}
	name, isName := contract.Text(payload, "name")
	code, isCode := contract.Text(payload, "code")
	if !isName || !isCode {
		return failed("parameters name and code are mandatory and they must be strings"), ""
	}
	if !validContractName(name) {
		return failed("invalid contract name"), ""
	}
	owner, existing := tx.Sender.Value, rt.reg.records[name]
	if existing != nil && owner == rt.cfg.Owner && existing.owner == "null" {
		owner = "null"
	}
	if existing != nil && existing.owner != owner {
		return failed("you are not allowed to update this contract"), ""
	}
	impl, trusted, text := rt.codeOf(name, code)
	if impl == nil {
		return failed(text), ""
	}
	return rt.setUp(tx, name, owner, impl, trusted)
}

// deployError is the text of an exception during a deployment; the peer hides
// it from a height on.
func (rt *Runtime) deployError(tx *Transaction, exception string) string {
	if rt.cfg.Rules.History && rt.cfg.Rules.on(ruleDeployError, tx.Ref, tx.HasRef) {
		return "A node.js error occoured during deployment"
	}
	return exception
}

// codeOf finds the native contract that deployed code stands for. On the
// peer's chain an unknown one means that this software cannot follow; on others
// a contract has one name, because rights hang on names.
func (rt *Runtime) codeOf(name, code string) (impl contract.Contract, trusted bool, text string) {
	source, err := rt.cfg.SourceOf(code)
	if err == nil {
		if impl, trusted = rt.bySource(source); impl != nil && (rt.cfg.Rules.History || impl.Name() == name) {
			return impl, trusted, ""
		}
	}
	if rt.cfg.Rules.History {
		panic(fmt.Errorf("%w: contract %s, source %s", ErrNotBuilt, name, source))
	}
	return nil, false, "the code of contract " + name + " is not known to this chain"
}

// setUp runs a contract's Setup and then puts it on the chain.
func (rt *Runtime) setUp(tx *Transaction, name, owner string, impl contract.Contract, trusted bool) (logs, string) {
	rec := rt.reg.records[name]
	if rec == nil {
		rec = &record{name: name, version: 1}
	}
	f := rt.frame(tx, "createSSC", jsvalue.NewObject())
	f.setup, f.sender = true, owner
	f.rec = &record{name: name, owner: owner, version: rec.version, tables: rec.tables, trusted: trusted}
	if text := f.guarded(func() { impl.Setup(f) }); text != "" {
		return failed(rt.deployError(tx, text)), ""
	}
	if rt.reg.records[name] != nil {
		rec.version++
	}
	rec.owner = owner
	rec.bind(impl, trusted)
	for _, full := range f.created {
		rt.reg.addTable(rec, full, indexCount(rt.tables.Table(full).Def()))
	}
	rt.reg.put(rec)
	rt.reg.ensureLookups(rec)
	return f.result(), impl.CodeHash()
}

// registerTick appends a contract's action to the list of ticks.
func (rt *Runtime) registerTick(tx *Transaction) logs {
	if s := tx.Sender.Value; s != rt.cfg.Owner && s != rt.cfg.PegAccount {
		return failed("registerTick unauthorized")
	}
	parsed, err := jsvalue.Parse(tx.Payload.Value)
	if err != nil {
		return failed(syntaxError(err))
	}
	payload, _ := asObject(parsed)
	name, _ := payload.String("contractName")
	action, _ := payload.String("tickAction")
	if rt.reg.records[name] == nil {
		return failed("contract does not exist")
	}
	for _, t := range rt.reg.ticks {
		if t.Contract == name && t.Action == action {
			return failed("contract tick already registered")
		}
	}
	t := tick{name, action, tx.Ref + 1}
	rt.reg.addTick(t)
	return logs{events: []*jsvalue.Object{jsvalue.NewObject(
		"contract", "contract", "event", "registerTick",
		"data", jsvalue.NewObject("contract", t.Contract, "action", t.Action, "startRefBlock", t.Start))}}
}
