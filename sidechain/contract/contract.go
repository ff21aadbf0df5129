package contract

import (
	"errors"

	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// Contract is one deterministic program of the sidechain. It holds no state:
// everything lives in tables.
type Contract interface {
	// Name is the contract's name on the chain, e.g. "tokens".
	Name() string
	// Version identifies the rules; it takes the place of the peer's code hash
	// in executedCodeHash (64 hex digits).
	CodeHash() string
	// Setup is the peer's createSSC: it creates tables and migrates rows. It
	// runs at genesis, at deploy and at update.
	Setup(ctx Context)
	// Actions maps action names to their code. The map is built once.
	Actions() map[string]Action
}

// Action is one callable of a contract. The payload is never nil. Its values may
// be shared with the caller and with stored rows: an action changes nothing in
// them, it clones. Rule violations are reported by ctx.Assert, never by panic.
type Action func(ctx Context, payload *jsvalue.Object)

// Caller describes the contract that called the current action.
type Caller struct {
	Name    string
	Action  string
	Version int
}

// Result is what a nested call returns to its caller: only what that call
// added. Errors and events have already been appended to the transaction's
// logs.
type Result struct {
	Errors []string
	Events []*jsvalue.Object
}

// OK says whether the call asserted nothing.
func (r Result) OK() bool { return len(r.Errors) == 0 }

// Context is everything an action may know and do. It is valid only during
// the call.
type Context interface {
	// Sender is the account that acts; "null" for the chain itself.
	Sender() string
	// Owner is the account that owns the running contract.
	Owner() string
	// Name is the running contract, ActionName the running action.
	Name() string
	ActionName() string
	// Version counts deployments of the running contract from 1.
	Version() int
	// TransactionID is the sidechain transaction id; ok is false inside a
	// nested call, as at the peer.
	TransactionID() (id string, ok bool)
	// RootTransactionID is the id of the transaction that led here, nested or
	// not. For ticks it is the virtual transaction's id.
	RootTransactionID() string
	// BlockNumber is the sidechain block being executed, RefBlockNumber the
	// base block it comes from, Timestamp that block's time (base.TimeLayout)
	// and Millis the same as Unix milliseconds.
	BlockNumber() uint64
	RefBlockNumber() uint64
	Timestamp() string
	Millis() int64
	// Caller is the calling contract, nil when the action was called directly.
	Caller() *Caller
	// SignedWithActiveKey is payload.isSignedWithActiveKey === true.
	SignedWithActiveKey() bool

	// Assert appends msg to the transaction's errors unless cond holds, and
	// returns cond. An empty msg fails silently.
	Assert(cond bool, msg string) bool
	// Emit appends an event of the running contract.
	Emit(event string, data *jsvalue.Object)

	// Table returns a table of the running contract by its short name
	// ("balances"), TableOf a table of another contract for reading. Writes
	// through Table move the database hash. Both return nil when absent.
	Table(name string) *state.Table
	TableOf(contract, name string) *state.Table
	// CreateTable is for Setup. The definition carries short names; the
	// context adds the prefix.
	CreateTable(def state.TableDef) *state.Table
	// AddTable makes a table of the running contract while an action runs, for
	// contracts with a table for each of their tokens; nil for a name that is
	// not alphanumeric. A table that exists is returned as it is. What takes the
	// action's writes back takes the table back too.
	AddTable(def state.TableDef) *state.Table
	// AddIndexes is for Setup at an update: it adds indexes that a find of the
	// API may sort by to a table of the running contract that exists.
	AddIndexes(table string, indexes ...state.Index)

	// Call executes another contract's action with the same sender, CallAs
	// with another one. CallAs is refused unless the running contract was
	// registered as trusted (native contracts that are part of the chain).
	// params is the callee's from then on: who needs it again makes it again.
	Call(contract, action string, params *jsvalue.Object) Result
	CallAs(sender, contract, action string, params *jsvalue.Object) Result
	// CallAsOwner is the peer's executeSmartContractAsOwner.
	CallAsOwner(contract, action string, params *jsvalue.Object) Result
	// TransferTokens moves tokens out of the running contract's balance:
	// tokens.transferFromContract by sender "null". toType is "user" or
	// "contract". All are texts; who has them as values already passes these.
	TransferTokens(to, symbol, quantity, toType jsvalue.Value) Result

	// Random is the peer's api.random().
	Random() float64

	// Savepoint marks the state and the logs; Rollback returns to the mark:
	// rows, the database hash and the events are as if nothing had happened
	// since; the errors asserted since stay, or the caller would not learn why.
	// A mark is good until the action returns and may be rolled back to more
	// than once. For contracts without the peer's no-rollback rule.
	Savepoint() Mark
	Rollback(Mark)

	// Switch says whether a named rule is on: the Rule constants of this
	// package (by height on chains with the peer's history, always on new
	// ones), else a genesis switch. Param reads a member of genesis `params`,
	// or "gate", "fee_account", "admin", "admin_delay", "native_peg" and
	// "base_coin" (nil when absent).
	Switch(name string) bool
	Param(name string) jsvalue.Value
	// Genesis is the parsed genesis document while Setup runs at genesis, nil
	// otherwise.
	Genesis() *jsvalue.Object
	// AccountExists asks the base layer; always true where the layer keeps no
	// accounts.
	AccountExists(name string) bool
	// ContractExists says whether a contract of that name is deployed.
	ContractExists(name string) bool
	// UtilityToken is the profile's utility token (BEE).
	UtilityToken() string
}

// Mark is a savepoint: positions in the undo journal of the state, in the
// running call's logs and in the transaction's journal of table writes.
type Mark struct {
	State          state.Mark
	Errors, Events int
	Writes         int
}

// Tabler is implemented by contracts that want their table definitions in
// force even where Setup never ran in this database (a state loaded from
// elsewhere): the engine creates missing indexes and lookups of tables that
// exist. Names are short.
type Tabler interface {
	Tables() []state.TableDef
}

// ErrNotBuilt: the chain asks for a contract, a version of one, an action or a
// case of one that this software does not have. It is never a property of the
// transaction: the node must stop. A contract that meets such a case, which
// only a recorded state can hold, panics with an error that wraps it.
var ErrNotBuilt = errors.New("sidechain: not built")

// Exception is the one other panic value that a contract may raise: an uncaught
// JavaScript error of the peer, as "<Name>: <message>". The call's events are
// lost, its writes stay, its only error is this text.
type Exception string

// Names of rules that came into force at a height of the peer's chain. The
// heights stand in the engine's one table of switches.
const (
	// RuleDoubleDash: account names may hold two dashes in a row.
	RuleDoubleDash = "account-double-dash"
)

// Names of rules that the peer's chain never had and every other chain has from
// its first block (ADR 0001).
const (
	// RuleOptionalHooks: a contract that wants to know of stakes is told only
	// when the chain has it. At the peer its absence is an error in the log.
	RuleOptionalHooks = "optional-stake-hooks"
	// RuleFixedSlices: the slices of an unstake keep the decimals that it was
	// started with. At the peer a later updatePrecision changes them, and what
	// is paid out is no longer what was taken from the stake.
	RuleFixedSlices = "fixed-unstake-slices"
	// RuleStakeBurns: tokens that are staked to "null" are burned. At the peer
	// they count as circulating for ever.
	RuleStakeBurns = "stake-to-null-burns"
	// RulePendingLimit: an account has at most MaxPendingUnstakes of a token,
	// because each is looked at whenever stake is unstaked or delegated. The
	// peer has no limit, but looks at 1,000 only, so that more of them free
	// stake that is not there.
	RulePendingLimit = "pending-unstake-limit"
)

// MaxPendingUnstakes is the limit of RulePendingLimit.
const MaxPendingUnstakes = 250

// Partial marks a contract of which only some actions are built. Calling
// another one is an error of the node, not of the transaction: the engine
// stops, a conformance run fails.
type Partial interface {
	Partial()
}

// Ticker is implemented by contracts with actions that run after the user
// transactions of every block, as sender "null" with an empty payload. On a
// new chain they are registered at genesis, in order of deployment; on the
// peer's chain the list is part of the state.
type Ticker interface {
	Ticks() []string
}

// Switched is implemented by contracts that ask for genesis switches. A genesis
// document may name no others.
type Switched interface {
	Switches() []string
}

// Owned is implemented by contracts that belong to another account than the
// admin on a new chain. GenesisOwner is the account that deploys it at genesis.
type Owned interface {
	GenesisOwner() string
}
