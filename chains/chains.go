package chains

import (
	"context"
	"time"
)

// ID names an outside chain: btc, ltc, bch, doge or eth.
type ID string

// The chains of the mission.
const (
	BTC  ID = "btc"
	LTC  ID = "ltc"
	BCH  ID = "bch"
	DOGE ID = "doge"
	ETH  ID = "eth"
)

// Network is which of a chain's networks is meant.
type Network string

// The networks a gateway can run on.
const (
	Mainnet Network = "mainnet"
	Testnet Network = "testnet"
	Regtest Network = "regtest"
)

// Outpoint names one output of a transaction: the identity of a payment.
// TxID is in the form that the chain's own tools print (lower-case hex).
type Outpoint struct {
	TxID  string `json:"txid"`
	Index uint32 `json:"index"`
}

// BlockRef says where on a chain something is. It is never an identity.
type BlockRef struct {
	Height uint64 `json:"height"`
	Hash   string `json:"hash"`
}

// Header is what links a block to its parent.
type Header struct {
	BlockRef
	Parent string `json:"parent"`
	Time   int64  `json:"time"` // Unix seconds by the miner's clock; never used for money
}

// Output is one output of a decoded transaction.
type Output struct {
	Outpoint
	Script   []byte
	Amount   Amount
	Coinbase bool
	// MinDepth is how deep this output must be, whatever the policy, before it
	// is credited or spent (Litecoin's peg-outs); 0 asks for nothing special.
	MinDepth uint64
	// Tokens says that more than coins lies on the output (CashTokens): the
	// coins count, but to spend it would destroy the tokens.
	Tokens bool
}

// Spend is one input of a decoded transaction: Outpoint is consumed by By.
type Spend struct {
	Outpoint
	By string `json:"by"`
}

// Block is a fully decoded and verified block: every output and every input in
// block order, but for the input of the coinbase, which spends nothing. The
// spends of one transaction are neighbours.
type Block struct {
	Header
	Transactions []string // txids in block order
	Outputs      []Output
	Spends       []Spend
}

// Matched is what a block holds for a set of watched scripts.
type Matched struct {
	Header
	Payments []Payment
	// Spends of outpoints that the watch set knows, and every input of any
	// transaction that spends at least one of them.
	Spends []Spend
}

// Payment is an output that pays a watched script.
type Payment struct {
	Output
	Watch Watch
}

// Watch says whom a watched script belongs to.
type Watch struct {
	Kind    WatchKind `json:"kind"`
	Account string    `json:"account,omitempty"` // for deposits
	Epoch   uint32    `json:"epoch"`
	Address string    `json:"address"`
}

// WatchKind is the role of a watched script.
type WatchKind string

// The roles of watched scripts.
const (
	WatchDeposit WatchKind = "deposit"
	WatchHot     WatchKind = "hot"
	WatchChange  WatchKind = "change"
	WatchCold    WatchKind = "cold"
	// WatchSweeper is the account that pays the gas of sweeps (Ethereum).
	WatchSweeper WatchKind = "sweeper"
)

// Chain is the pure codec and policy of one UTXO chain on one network. It does
// no I/O and has no clock: the same code runs in tests and simulators.
type Chain interface {
	ID() ID
	Network() Network
	// DecodeBlock parses a raw block, recomputes its hash and merkle root and
	// refuses it (ErrBadBlock) when they differ from want or from the header.
	// Height is not in the result: the caller knows it. Scripts and texts of
	// the result share the memory of raw.
	DecodeBlock(raw []byte, want string) (*Block, error)
	// DecodeTransaction parses one raw transaction, which must be all of raw
	// (ErrBadTransaction). The scripts share the memory of raw.
	DecodeTransaction(raw []byte) (txid string, outputs []Output, spends []Spend, err error)
	// Script parses an address strictly: network, checksum, allowed type.
	Script(address string) ([]byte, error)
	// Address is the canonical address of a script.
	Address(script []byte) (string, error)
	// Dust is the smallest amount that nodes relay to script.
	Dust(script []byte) Amount
	// CoinbaseMaturity is the depth at which a coinbase output can be spent.
	CoinbaseMaturity() uint64
	// Facts are the coin's properties that policy reads.
	Facts() Facts
}

// Facts are properties of a coin that policy reads and nobody configures.
type Facts struct {
	Name     string // "Bitcoin"
	Decimals int    // 1 coin = 10^Decimals base units
	Depths   Depths
	// Maturity is the depth at which a coinbase output can be spent.
	Maturity uint64
	// Interval is the time between blocks that the chain aims at.
	Interval time.Duration
	// Window is how many newest blocks to remember by hash.
	Window int
	// Replaceable says that nodes as they are shipped take a transaction's
	// dearer variant in its place (BIP125). Where they do not, a child that
	// spends its change can raise what the two pay.
	Replaceable bool
	// RelayFee is the least rate that nodes relay, and RelayStep what a
	// replacement must pay more, for its own size (BIP125 rule 4).
	RelayFee, RelayStep FeeRate
}

// Depths are numbers of confirmations; a transaction in the newest block has 1.
type Depths struct {
	Floor   uint64 // never credit earlier
	Normal  uint64
	Large   uint64 // large, or with the chain under suspicion
	Extreme uint64 // beyond a day's cap
}

// Verdict is what is known after a broadcast.
type Verdict string

// The verdicts. Only the chain itself ever says that a payment failed.
const (
	Accepted Verdict = "accepted" // now in the node's mempool
	Known    Verdict = "known"    // was there already, or is in a block
	Conflict Verdict = "conflict" // an input is spent or missing: investigate
	Rejected Verdict = "rejected" // policy or consensus refusal: investigate
	Unknown  Verdict = "unknown"  // error or time-out: nothing may be inferred
)

// FeeRate is a miner fee in thousandths of a satoshi per virtual byte, which is
// satoshi per 1000 virtual bytes (sat/kvB).
type FeeRate uint64

// Source is one door to the nodes of a chain. Every error means "unknown".
type Source interface {
	// Tip is the best block the nodes agree on.
	Tip(ctx context.Context) (BlockRef, error)
	// HashAt is the hash of the best chain's block at a height; ErrNotFound
	// when the chain is shorter.
	HashAt(ctx context.Context, height uint64) (string, error)
	// RawBlock is the block's bytes by hash.
	RawBlock(ctx context.Context, hash string) ([]byte, error)
	// Mempool lists unconfirmed txids.
	Mempool(ctx context.Context) ([]string, error)
	// RawTransaction is an unconfirmed (or indexed) transaction's bytes;
	// ErrNotFound when the node does not know it, which proves nothing. Bytes that
	// decode to ErrHidden have an id that cannot be checked.
	RawTransaction(ctx context.Context, txid string) ([]byte, error)
	// Broadcast hands a signed transaction to the nodes. The error is nil but
	// for the verdict Unknown.
	Broadcast(ctx context.Context, raw []byte) (Verdict, error)
	// EstimateFee is the node's idea of the rate for confirmation within so
	// many blocks; ok is false when it has none.
	EstimateFee(ctx context.Context, blocks int) (rate FeeRate, ok bool, err error)
	// Health describes each node.
	Health() []NodeHealth
}

// NodeHealth is the last that is known of one node.
type NodeHealth struct {
	Name    string // host and port, never credentials
	OK      bool
	Height  uint64
	Err     string
	Checked time.Time
	Version string  // what the node says of itself; empty when not known
	Network Network // empty until its block 0 was seen to be that network's
	// Outvoted says that it contradicts enough others.
	Outvoted bool
}
