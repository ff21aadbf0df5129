package gateway

import (
	"context"
	"encoding/json"

	"causeway/chains"
	"causeway/hotwallet"
	"causeway/pegs"
)

// Sidechain is the sidechain's state as of final blocks. Lock order: a View is
// never asked for inside Ledger.View or Ledger.Do.
type Sidechain interface {
	// View runs f on the state after one final block, which does not change
	// meanwhile.
	View(f func(SideState) error) error
	// Subscribe is signalled after each block; signals coalesce.
	Subscribe() <-chan struct{}
	// BaseBlock is the id of a stored base block; ok is false when there is none.
	BaseBlock(number uint64) (id string, ok bool, err error)
	// Header is the signed header of a stored base block, as the block begins
	// with it; ok is false when there is none.
	Header(number uint64) (raw []byte, ok bool, err error)
	// Errors are what the contract said of a sidechain transaction, if it was
	// executed. Not to be called inside View.
	Errors(txid string) []string
	// SettledBy is the sidechain transaction that closed a batch, if it can be
	// found. Not to be called inside View.
	SettledBy(row BatchRow) string
	// StateHash is what a sidechain block commits to; ok is false when there is
	// no such block.
	StateHash(block uint64) (hash string, ok bool)
}

// SideHead names the newest sidechain block and the base block that it comes
// from.
type SideHead struct {
	Block uint64
	Base  pegs.BaseRef
}

// SideState is what the gateway reads of the sidechain.
type SideState interface {
	Head() SideHead
	AccountExists(name string) bool
	// AccountsSince lists the accounts made in base block `block` or later, in
	// order of their blocks.
	AccountsSince(block uint64) []string
	Assets() ([]pegs.Asset, error)
	// Keys are the published derivation keys.
	Keys() ([]PublishedKey, error)
	Deposit(id string) (DepositRow, bool)
	// ChainDeposits lists all rows of deposits of a chain.
	ChainDeposits(chain chains.ID) []DepositRow
	// Cost is what was charged for a transaction of ours, in coin units; ok is false
	// while nothing was.
	Cost(chain chains.ID, txid string) (amount string, ok bool)
	// Delayed is the mint of a deposit that the attestors agreed on and that
	// waits for its delay, or is held.
	Delayed(id string) (DelayedMint, bool)
	// WithdrawalsAfter lists at most limit rows above a row number, in order.
	WithdrawalsAfter(row uint64, limit int) ([]WithdrawalRow, error)
	Withdrawal(id string) (WithdrawalRow, bool)
	Batch(id string) (BatchRow, bool, error)
	// Batches lists all rows of a chain.
	Batches(chain chains.ID) ([]BatchRow, error)
	// Prove shows the rows of a batch and of withdrawals under the state root of
	// Head. The proof lacks the header that commits to it, which is that of the
	// next base block.
	Prove(batch string, withdrawals []string) (hotwallet.StateProof, error)
	// FeeAccount is what the fee account holds of a symbol, Owed what it could
	// not pay of settled costs.
	FeeAccount(symbol string) (balance, owed string)
	// AuditView is everything an audit reads of an asset.
	AuditView(asset pegs.Asset) (pegs.AssetView, error)
}

// PublishedKey is the key P of a chain and epoch.
type PublishedKey struct {
	Chain    chains.ID
	Epoch    uint32
	Key      string // 66 hex digits
	Birthday uint64
}

// DepositRow is a row of pegs.deposits.
type DepositRow struct {
	ID, Symbol, Quantity, To, Tx string
}

// DelayedMint is a row of pegs.votes of kind mint.
type DelayedMint struct {
	Due  uint64 // base block
	Held bool
}

// WithdrawalRow is a row of pegs.withdrawals.
type WithdrawalRow struct {
	Row                                                          uint64
	ID, Symbol, Account, Address, Quantity, Fee, Net, Ref, State string
	Chain                                                        chains.ID
	Batch                                                        string
}

// The states of rows that the gateway reads.
const (
	rowAssigned = "assigned"
	rowSettled  = "settled"
	rowReturned = "returned"
	rowClosed   = "closed"   // of a BatchRow
	rowReleased = "released" // of a BatchRow
)

// BatchRow is a row of pegs.assigns.
type BatchRow struct {
	Batch  string
	Chain  chains.ID
	Kind   string
	IDs    []string
	Spends []chains.Outpoint
	State  string // open, closed or released
	TxID   string
	Cost   string
	Closed uint64 // base block that closed it
	Reason string // why it was released
}

// Action is one call of the contract pegs by the attestor.
type Action struct {
	Name    string
	Payload json.RawMessage
}

// Submitter signs actions as the attestor and hands them to the base layer. An
// error that is not a refusal says nothing about what became of them.
type Submitter interface {
	// Submit returns the sidechain transaction ids, one for each action.
	Submit(ctx context.Context, actions []Action) (ids []string, err error)
	// SignState puts the attestor's name to the state after a sidechain block.
	SignState(ctx context.Context, block uint64, stateHash string) error
}

// Signer is the part of hotwallet.Signer that signs payouts.
type Signer interface {
	Sign(ctx context.Context, r hotwallet.SignRequest) (hotwallet.Signed, error)
	// Observe shows the rows of a batch that is to be released.
	Observe(ctx context.Context, r hotwallet.SignRequest) error
	// Variants are all transactions ever signed for a batch, oldest first.
	Variants(batch string) ([]hotwallet.Signed, error)
	// Limits are its own caps on each chain.
	Limits() (map[chains.ID]hotwallet.SignerCaps, error)
}

// Keys is the public side of the wallet.
type Keys interface {
	MasterKey(chain chains.ID, epoch uint32) ([33]byte, error)
	ChangeScript(chain chains.ID, epoch uint32) ([]byte, error)
	ChangeAddress(chain chains.ID, epoch uint32) (string, error)
	// SweeperAddress is Ethereum's account that pays the gas of sweeps.
	SweeperAddress(epoch uint32) (string, error)
}

// NodeRPC is a node's JSON-RPC, for the scanner alone.
type NodeRPC interface {
	Call(ctx context.Context, method string, params []any, result any) error
}
