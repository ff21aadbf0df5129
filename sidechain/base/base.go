package base

import (
	"context"

	"causeway/sidechain/graphene"
	"causeway/sidechain/state"
)

// TimeLayout is the form of every timestamp on the base layer and the
// sidechain: UTC, whole seconds, no zone.
const TimeLayout = "2006-01-02T15:04:05"

// Block is one final block of a base layer: ordered, authenticated operations.
type Block struct {
	Number    uint64
	ID        string // 40 hex digits, Hive's form: the number in the first 8
	Previous  string // ID of block Number-1; 40 zeros before block 1
	Timestamp string // TimeLayout
	Witness   string // account that produced the block
	// Transactions in order. Signatures and authorities were checked by the
	// layer before the block was called final.
	Transactions []Transaction
	// Commitment is what the header says of the sidechain's state (solo only).
	Commitment *Commitment
	// Raw is the layer's own stored form, with signatures; nil where the layer
	// keeps none.
	Raw []byte
}

// Transaction is one signed transaction of a base block.
type Transaction struct {
	ID string // 40 hex digits
	graphene.SignedTransaction
}

// Commitment names the newest executed block at or below the parent and its
// state (design, "Block commitment").
type Commitment struct {
	RefBlock  uint64 // number of the base block whose execution gave the state
	StateHash string // 64 hex digits
	StateRoot string // 64 hex digits
}

// Machine is the deterministic state of a base layer that has state of its
// own (solo: accounts, authorities, coin balances, content). The engine calls
// Apply for every block, before the sidechain transactions of that block, on
// the section of the store that belongs to the base layer.
//
// Apply must be a pure function of the section and the block. An error means
// that the block breaks a rule of the layer: the node stops.
type Machine interface {
	// Genesis writes the layer's rows of block 0.
	Genesis(base *state.Section) error
	Apply(base *state.Section, b *Block) error
}

// Directory is implemented, besides Machine, by layers that keep accounts. Where
// it is not, every valid name exists.
type Directory interface {
	// AccountExists asks the section of the store that belongs to the layer.
	AccountExists(base *state.Section, name string) bool
}

// Executor turns base blocks into state: the engine, as a sequencer or
// follower sees it.
type Executor interface {
	// Apply executes the next block. It is called once a block is durable.
	Apply(b *Block) error
	// Executed names the newest executed base block and its state. Before
	// block 1 RefBlock is 0 and the hashes are those of genesis.
	Executed() Commitment
}

// Layer is a running base layer: it delivers final blocks to its Executor and
// takes signed transactions.
type Layer interface {
	// Run produces or follows blocks until ctx ends.
	Run(ctx context.Context) error
	// Broadcast admits a transaction; a refusal is a *RejectError with the
	// text that hived would give.
	Broadcast(ctx context.Context, tx *graphene.SignedTransaction) error
	// Block returns a stored block, or false.
	Block(number uint64) (*Block, bool, error)
	// Head is the newest final block; before block 1 its number is 0 and its
	// id 40 zeros.
	Head() (number uint64, id string, timestamp string)
}
