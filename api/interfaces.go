package api

import (
	"context"

	"causeway/gateway"
	"causeway/sidechain"
	"causeway/sidechain/base"
	"causeway/sidechain/base/solo"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// Sidechain is what the API reads of the engine.
type Sidechain interface {
	Head() sidechain.Head
	// BlockByRef is a block document (peer specification 1.8) by the base block
	// that it comes from.
	BlockByRef(number uint64) (*jsvalue.Object, bool)
	// Transaction is a transaction, the array of a base transaction's, or nil.
	Transaction(id string) jsvalue.Value
	Contract(name string) (*jsvalue.Object, bool)
	// Table is the full name of a contract's table.
	Table(contract, table string) (full string, ok bool)
	// DB holds the tables and, by number, the blocks' documents.
	DB() *state.DB
}

// BaseLayer is what the API reads of the base layer, and where signed
// transactions go.
type BaseLayer interface {
	Properties() solo.Properties
	Machine() *solo.Machine
	Account(name string) (*jsvalue.Object, bool)
	AccountNames(from string, limit int) []string
	AccountsByKey(key string) []string
	Content(author, permlink string) (*jsvalue.Object, bool, error)
	Votes(author, permlink string) []*jsvalue.Object
	Block(number uint64) (*base.Block, bool, error)
	Transaction(id string) (b *base.Block, index int, ok bool, err error)
	Broadcast(ctx context.Context, tx *graphene.SignedTransaction) error
	BroadcastSynchronous(ctx context.Context, tx *graphene.SignedTransaction) (solo.Receipt, error)
}

// Gateway is what /v1 reads of the gateway. Its errors are *gateway.Error where
// the client is to blame.
type Gateway interface {
	DepositAddress(chain, account string) (gateway.DepositAddress, error)
	Deposits(account, cursor string, limit int) (gateway.Page[gateway.Deposit], error)
	Deposit(id string) (gateway.Deposit, error)
	Withdrawals(account, cursor string, limit int) (gateway.Page[gateway.Withdrawal], error)
	Withdrawal(id string) (gateway.Withdrawal, error)
	Assets() (gateway.Page[gateway.Asset], error)
	ChainStatus() []gateway.ChainStatus
	Figures() gateway.Figures
	Reserves(ctx context.Context) (gateway.Reserves, error)
}
