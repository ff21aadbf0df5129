package pegs

import (
	"encoding/json"
	"fmt"
	"reflect"

	"causeway/chains"
)

// Event is one thing that happened or was decided. Events are values; their
// JSON form is stored for ever and may only be extended.
type Event interface {
	// Kind names the type in the log.
	Kind() string
}

// Configured records what the configuration says of a chain, so that a replay
// uses the configuration of its time.
type Configured struct {
	Chain         chains.ID      `json:"chain"`
	Network       chains.Network `json:"network"`
	Start         uint64         `json:"start"`         // height of the first block to look at
	Confirmations uint64         `json:"confirmations"` // 0: by exposure
	InputExtra    uint64         `json:"input_extra"`   // depth beyond the credit depth that payout inputs need
	Policy        Policy         `json:"policy"`
	Limits        Limits         `json:"limits,omitzero"`
}

// EpochAdded records a published key and the scripts of ours that belong to it.
type EpochAdded struct {
	Chain    chains.ID   `json:"chain"`
	Epoch    uint32      `json:"epoch"`
	Key      string      `json:"key"` // 66 hex digits
	Birthday uint64      `json:"birthday"`
	Scripts  []OwnScript `json:"scripts"`
}

// OwnScript is a script of ours that belongs to no user.
type OwnScript struct {
	Kind    chains.WatchKind `json:"kind"`
	Address string           `json:"address"`
	Script  string           `json:"script"` // hex
}

// Watching records that the deposit addresses of accounts are matched in every
// block connected from now on.
type Watching struct {
	Chain    chains.ID `json:"chain"`
	Accounts []string  `json:"accounts"`
}

// Backscanned records that the blocks before Watching were searched too: all of
// them, or up to a block that cannot leave the chain any more.
type Backscanned struct {
	Chain    chains.ID        `json:"chain"`
	Accounts []string         `json:"accounts"`
	Matched  []Match          `json:"matched,omitempty"`
	Upto     *chains.BlockRef `json:"upto,omitempty"`
}

// Connected records a block that extends the chain that we follow.
type Connected struct {
	Chain chains.ID `json:"chain"`
	Match
}

// Match is what one block holds for us.
type Match struct {
	Header   chains.Header `json:"header"`
	Payments []Payment     `json:"payments,omitempty"`
	// Spends holds every input of each transaction that spends an output of ours.
	Spends []chains.Spend `json:"spends,omitempty"`
	// Results and Tokens are of chains of accounts (Chain.Accounts) alone.
	Results []Result   `json:"results,omitempty"`
	Tokens  []TokenLog `json:"tokens,omitempty"`
}

// Payment is an output that pays a script of ours.
type Payment struct {
	Outpoint chains.Outpoint  `json:"outpoint"`
	Amount   chains.Amount    `json:"amount"`
	Script   string           `json:"script"` // hex
	Coinbase bool             `json:"coinbase,omitempty"`
	MinDepth uint64           `json:"min_depth,omitempty"` // depth that this output itself asks for
	Tokens   bool             `json:"tokens,omitempty"`    // not only coins: counted, never spent; a deposit is held
	Kind     chains.WatchKind `json:"kind"`
	Account  string           `json:"account,omitempty"`
	Epoch    uint32           `json:"epoch"`
	Address  string           `json:"address"`
}

// Disconnected records that the newest block left the chain.
type Disconnected struct {
	Chain chains.ID       `json:"chain"`
	Block chains.BlockRef `json:"block"`
}

// AssetsSeen records the peg assets of the sidechain when they changed.
type AssetsSeen struct {
	Assets []Asset `json:"assets"`
}

// Minting is the intent to submit mint operations for deposits.
type Minting struct {
	Deposit  string `json:"deposit"`
	Symbol   string `json:"symbol"`
	Quantity string `json:"quantity"`
	To       string `json:"to"`
}

// Credited records a row of the sidechain's table of deposits.
type Credited struct {
	Deposit  string `json:"deposit"`
	Symbol   string `json:"symbol"`
	Quantity string `json:"quantity"`
	To       string `json:"to"`
	Tx       string `json:"tx"`
}

// Requested records a withdrawal whose tokens were burned in a final block.
type Requested struct {
	Withdrawal string    `json:"withdrawal"`
	Row        uint64    `json:"row"` // number of the row in the sidechain's table
	Symbol     string    `json:"symbol"`
	Chain      chains.ID `json:"chain"`
	Account    string    `json:"account"`
	Address    string    `json:"address"`
	Quantity   string    `json:"quantity"`
	Fee        string    `json:"fee"`
	Net        string    `json:"net"`
	Ref        string    `json:"ref,omitempty"`
}

// Queued records that a withdrawal can be paid: to Script, Amount.
type Queued struct {
	Withdrawal string        `json:"withdrawal"`
	Script     string        `json:"script"` // hex
	Amount     chains.Amount `json:"amount"`
	Author     string        `json:"author,omitempty"` // of the order to pay what was parked
	Reason     string        `json:"reason,omitempty"`
}

// Parked records that a withdrawal cannot be paid, or that Author vetoed it.
// GiveBack asks the sidechain to return the tokens; without it a human decides:
// it can be queued again, or parked to be given back.
type Parked struct {
	Withdrawal string `json:"withdrawal"`
	Reason     string `json:"reason"`
	Author     string `json:"author,omitempty"`
	GiveBack   bool   `json:"give_back,omitempty"`
}

// Returned records that the sidechain gave the tokens of a withdrawal back.
type Returned struct {
	Withdrawal string `json:"withdrawal"`
	Tx         string `json:"tx,omitempty"`
}

// Planned is the intent to pay withdrawals from outputs of ours.
type Planned struct {
	Batch       string            `json:"batch"`
	Chain       chains.ID         `json:"chain"`
	BatchKind   string            `json:"kind"`
	Withdrawals []string          `json:"withdrawals"`
	Inputs      []chains.Outpoint `json:"inputs"`
	Fee         chains.Amount     `json:"fee"`
	// Plan is what the signer needs to build the same bytes again; opaque here.
	Plan json.RawMessage `json:"plan"`
	// Token and Value are what leaves the account, fee apart, on a chain of accounts;
	// a payout's may be left out.
	Token string        `json:"token,omitempty"`
	Value chains.Amount `json:"value,omitzero"`
	// BaseBlock is the base block at which it was planned: for rules that count
	// them. 0 where none counts.
	BaseBlock uint64 `json:"base_block,omitempty"`
	// Author and Reason are whose order a cancel is, and why.
	Author string `json:"author,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// Bumped is the intent to sign a further variant of a batch: the same inputs,
// payees and amounts, a higher fee.
type Bumped struct {
	Batch string          `json:"batch"`
	Fee   chains.Amount   `json:"fee"`
	Plan  json.RawMessage `json:"plan"`
}

// Dropped records that a planned batch can never be assigned: the sidechain
// decided otherwise about one of its withdrawals. Nothing of it was signed.
type Dropped struct {
	Batch  string `json:"batch"`
	Reason string `json:"reason"`
}

// Assigned records the sidechain's final row that ties a batch to its inputs.
// A batch that we do not know is adopted: the row alone says what decides it.
type Assigned struct {
	Batch       string            `json:"batch"`
	Chain       chains.ID         `json:"chain"`
	BatchKind   string            `json:"kind"`
	Withdrawals []string          `json:"withdrawals"`
	Inputs      []chains.Outpoint `json:"inputs"`
	Tx          string            `json:"tx,omitempty"`
}

// Replanned gives an adopted batch its plan: the same inputs, the same payees.
type Replanned struct {
	Batch string          `json:"batch"`
	Fee   chains.Amount   `json:"fee"`
	Plan  json.RawMessage `json:"plan"`
	Token string          `json:"token,omitempty"` // as in Planned
	Value chains.Amount   `json:"value,omitzero"`
}

// Signed records the bytes of one variant of a batch. They are a bearer cheque.
type Signed struct {
	Batch string        `json:"batch"`
	TxID  string        `json:"txid"`
	Raw   []byte        `json:"raw"` // base64 in JSON
	Fee   chains.Amount `json:"fee"`
	VSize uint64        `json:"vsize"`
	// Counter is the signer's own count of what it has signed: it may never be
	// lower when it is asked again.
	Counter uint64 `json:"counter"`
	// Change holds the outputs that pay scripts of ours other than deposit
	// addresses.
	Change []Payment `json:"change,omitempty"`
}

// Broadcast records the first time that a node took a variant.
type Broadcast struct {
	Batch   string         `json:"batch"`
	TxID    string         `json:"txid"`
	Verdict chains.Verdict `json:"verdict"`
}

// Settling is the intent to submit the settlement of a confirmed batch.
type Settling struct {
	Batch string `json:"batch"`
	TxID  string `json:"txid"`
	Cost  string `json:"cost"` // in coin units
}

// Settled records the sidechain's row that closed a batch.
type Settled struct {
	Batch string `json:"batch"`
	TxID  string `json:"txid"`
	Cost  string `json:"cost"`
	Tx    string `json:"tx,omitempty"`
}

// Releasing is the intent to submit the release of a batch that is dead: the
// proof names the input that another transaction has spent for good.
type Releasing struct {
	Batch string `json:"batch"`
	Proof string `json:"proof"`
}

// Released records the sidechain's row that proves a batch dead: no variant of
// it can ever be mined. What nothing has spent of its inputs is free again.
type Released struct {
	Batch  string `json:"batch"`
	Reason string `json:"reason"`
}

// SignerAdopted records that a signer which had lost its journal was let sign on
// from a base block, by order of a person.
type SignerAdopted struct {
	Block  uint64 `json:"block"`
	Author string `json:"author"`
	Reason string `json:"reason"`
}

// Kind implements Event.
func (*SignerAdopted) Kind() string { return "signer-adopted" }

// Claimed is the order of a person to mint a deposit that is not minted by
// itself, to the account that its address belongs to.
type Claimed struct {
	Deposit string `json:"deposit"`
	Author  string `json:"author"`
	Reason  string `json:"reason"`
}

// Acknowledged records that a person has looked at what the ledger is alarmed about
// of a transaction: those facts give no cause to halt any more. Whatever else
// happens to it is a new alarm.
type Acknowledged struct {
	Chain chains.ID `json:"chain"`
	TxID  string    `json:"txid"`
	// Facts name the alarms (State.Facts). Events of the past have none: they took
	// the transaction out of the alarms for good.
	Facts  []string `json:"facts,omitempty"`
	Author string   `json:"author"`
	Reason string   `json:"reason"`
}

// Scope is what can be halted by itself, per chain.
type Scope string

// The scopes.
const (
	ScopeDeposits Scope = "deposits"
	ScopeMinting  Scope = "minting"
	ScopePayouts  Scope = "payouts"
)

// Scopes lists all of them.
func Scopes() []Scope { return []Scope{ScopeDeposits, ScopeMinting, ScopePayouts} }

// GatewayAuthor is the author of what no person ordered.
const GatewayAuthor = "gateway"

// Halted stops scopes of a chain for a cause. Several causes may hold at once.
type Halted struct {
	Chain  chains.ID `json:"chain"`
	Scopes []Scope   `json:"scopes"`
	Cause  string    `json:"cause"`
	Reason string    `json:"reason"`
	Author string    `json:"author"`
	// Until is of CauseRestored alone: the height of the block with which it may be
	// taken away. 0: not known yet.
	Until uint64 `json:"until,omitempty"`
}

// CauseRestored halts the payouts of a home that was restored from a backup:
// payouts of later than the backup may be under way that only the network knows.
const CauseRestored = "restored"

// Resumed takes a cause away.
type Resumed struct {
	Chain  chains.ID `json:"chain"`
	Cause  string    `json:"cause"`
	Reason string    `json:"reason"`
	Author string    `json:"author"`
}

func (*Configured) Kind() string   { return "configured" }
func (*EpochAdded) Kind() string   { return "epoch" }
func (*Watching) Kind() string     { return "watching" }
func (*Backscanned) Kind() string  { return "backscanned" }
func (*Connected) Kind() string    { return "connected" }
func (*Disconnected) Kind() string { return "disconnected" }
func (*AssetsSeen) Kind() string   { return "assets" }
func (*Minting) Kind() string      { return "minting" }
func (*Credited) Kind() string     { return "credited" }
func (*Requested) Kind() string    { return "requested" }
func (*Queued) Kind() string       { return "queued" }
func (*Parked) Kind() string       { return "parked" }
func (*Returned) Kind() string     { return "returned" }
func (*Planned) Kind() string      { return "planned" }
func (*Dropped) Kind() string      { return "dropped" }
func (*Assigned) Kind() string     { return "assigned" }
func (*Bumped) Kind() string       { return "bumped" }
func (*Replanned) Kind() string    { return "replanned" }
func (*Signed) Kind() string       { return "signed" }
func (*Broadcast) Kind() string    { return "broadcast" }
func (*Settling) Kind() string     { return "settling" }
func (*Settled) Kind() string      { return "settled" }
func (*Releasing) Kind() string    { return "releasing" }
func (*Released) Kind() string     { return "released" }
func (*Claimed) Kind() string      { return "claimed" }
func (*Acknowledged) Kind() string { return "acknowledged" }
func (*Halted) Kind() string       { return "halted" }
func (*Resumed) Kind() string      { return "resumed" }

// registry holds the type of every kind of event.
var registry = registered(
	&Configured{}, &EpochAdded{}, &Watching{}, &Backscanned{}, &Connected{}, &Disconnected{},
	&AssetsSeen{}, &Minting{}, &Credited{}, &Requested{}, &Queued{}, &Parked{}, &Returned{},
	&Planned{}, &Dropped{}, &Assigned{}, &Replanned{}, &Signed{}, &Broadcast{}, &Settling{},
	&Settled{}, &Released{}, &Halted{}, &Resumed{}, &Sealed{}, &Bumped{}, &Releasing{}, &Claimed{}, &Acknowledged{},
	&Delayed{}, &Admitted{}, &Alerted{}, &Perished{}, &SignerAdopted{}, &Balances{}, &Charged{},
)

func registered(list ...Event) map[string]reflect.Type {
	kinds := map[string]reflect.Type{}
	for _, e := range list {
		kinds[e.Kind()] = reflect.TypeOf(e).Elem()
	}
	return kinds
}

// newEvent makes an empty event of a kind.
func newEvent(kind string) (Event, error) {
	if t, ok := registry[kind]; ok {
		if e, ok := reflect.New(t).Interface().(Event); ok {
			return e, nil
		}
	}
	return nil, fmt.Errorf("%w: kind %q", ErrRecord, kind)
}
