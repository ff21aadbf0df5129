package contract

import (
	"crypto/sha256"
	"encoding/hex"

	seam "causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// Name is the contract's name on the chain.
const Name = "pegs"

// TickAction is run by the chain once a block: it applies admin changes and
// delayed mints that are due.
const TickAction = "checkPending"

// rules names this version of the rules; its SHA-256 is the code hash.
const rules = "causeway/pegs/1"

// Accounts with a meaning of their own.
const null = "null"

type pegs struct {
	hash    string
	actions map[string]seam.Action
}

// New returns the contract. It must be registered as trusted: it calls tokens
// as "null" and as the fee account.
func New() seam.Contract {
	sum := sha256.Sum256([]byte(rules))
	return &pegs{
		hash: hex.EncodeToString(sum[:]),
		actions: map[string]seam.Action{
			"withdraw":     action(anyone, (*call).withdraw),
			"mint":         action(attestor, (*call).mint),
			"assign":       action(attestor, (*call).assign),
			"settle":       action(attestor, (*call).settle),
			"cost":         action(attestor, (*call).cost),
			"release":      action(attestor, (*call).release),
			"giveBack":     action(attestor, (*call).giveBack),
			"hold":         action(attestorOrAdmin, (*call).hold),
			"pause":        action(admin, (*call).pause),
			"setAsset":     action(admin, (*call).setAsset),
			"setAttestors": action(admin, (*call).setAttestors),
			"setKey":       action(admin, (*call).setKey),
			"collectFees":  action(admin, (*call).collectFees),
			TickAction:     action(chain, (*call).checkPending),
		},
	}
}

// Name implements contract.Contract.
func (p *pegs) Name() string { return Name }

// CodeHash implements contract.Contract.
func (p *pegs) CodeHash() string { return p.hash }

// Actions implements contract.Contract.
func (p *pegs) Actions() map[string]seam.Action { return p.actions }

// Tables implements contract.Tabler.
func (p *pegs) Tables() []state.TableDef { return tables() }

// Ticks implements contract.Ticker.
func (p *pegs) Ticks() []string { return []string{TickAction} }

// role says who may call an action.
type role uint8

const (
	anyone role = iota
	attestor
	admin
	attestorOrAdmin
	chain
)

// call is one run of an action.
type call struct {
	seam.Context
	payload *jsvalue.Object
	params  state.Row
}

// action wraps the code of an action: who may call it, and a savepoint that a
// failure returns to.
func action(who role, run func(*call) bool) seam.Action {
	return func(ctx seam.Context, payload *jsvalue.Object) {
		c := &call{Context: ctx, payload: payload, params: firstRow(ctx.Table("params"))}
		if who == chain && c.params == nil {
			return // a chain without pegs
		}
		mark := ctx.Savepoint()
		if !c.Assert(c.params != nil, "the pegs are not set up") || !c.allowed(who) || !run(c) {
			ctx.Rollback(mark)
		}
	}
}

// allowed checks how the action was called and by whom.
func (c *call) allowed(who role) bool {
	if who == chain {
		return c.Assert(c.Sender() == null && c.Caller() == nil, "not authorized")
	}
	caller := c.Caller()
	gated := who == anyone && caller != nil && caller.Name == "tokens" && caller.Action == "transfer"
	if !c.Assert(caller == nil || gated, "must be called directly") ||
		!c.Assert(c.SignedWithActiveKey(), "you must use a custom_json signed with your active key") {
		return false
	}
	switch who {
	case attestor:
		return c.Assert(c.isAttestor(c.Sender()), "must be an attestor")
	case admin:
		return c.Assert(c.isAdmin(), "must be the admin")
	case attestorOrAdmin:
		return c.Assert(c.isAdmin() || c.isAttestor(c.Sender()), "must be an attestor or the admin")
	}
	return c.Assert(c.Sender() != null, "not authorized")
}

func (c *call) isAdmin() bool { return c.Sender() == text(c.params, "admin") }

func (c *call) isAttestor(account string) bool {
	row := c.Table("attestors").Find1("account", account)
	return row != nil && row.Get("until") == nil
}

// ok reports a problem, if there is one.
func (c *call) ok(problem string) bool { return c.Assert(problem == "", problem) }

// ref is the base block being executed.
func (c *call) ref() float64 { return float64(c.RefBlockNumber()) }

// firstRow is the oldest row, or nil.
func firstRow(t *state.Table) state.Row {
	if t != nil {
		for row := range t.All() {
			return row
		}
	}
	return nil
}

// text is a string member, "" when there is none.
func text(row *jsvalue.Object, key string) string {
	s, _ := row.String(key)
	return s
}

// number is a number member, 0 when there is none.
func number(row *jsvalue.Object, key string) float64 {
	f, _ := row.Number(key)
	return f
}

// change stores a row with some members replaced.
func change(t *state.Table, row state.Row, kv ...any) state.Row {
	next := row.Clone()
	for i := 0; i < len(kv); i += 2 {
		next.Set(kv[i].(string), kv[i+1])
	}
	return t.Update(next)
}

// texts is an array member of strings, ok only when every element is one.
func texts(o *jsvalue.Object, key string) ([]string, bool) {
	list, ok := o.Array(key)
	if !ok {
		return nil, false
	}
	out := make([]string, len(list))
	for i, v := range list {
		if out[i], ok = v.(string); !ok {
			return nil, false
		}
	}
	return out, true
}

// optionalTexts is texts, where null and nothing are an empty list.
func optionalTexts(o *jsvalue.Object, key string) ([]string, bool) {
	if !o.Has(key) || o.Get(key) == nil {
		return []string{}, true
	}
	return texts(o, key)
}
