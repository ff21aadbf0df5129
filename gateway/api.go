package gateway

import (
	"fmt"

	"causeway/pegs"
)

// The types of this file are the JSON of /v1 (design, section 7): amounts are
// decimal text in coin units, times RFC 3339 in UTC.

// Error is a refusal to be shown to the client.
type Error struct {
	Code    string // one of the codes below
	Message string
}

// Codes of refusals.
const (
	CodeUnknownAccount = "unknown_account"
	CodeUnknownChain   = "unknown_chain"
	CodeNotFound       = "not_found"
	CodeBadRequest     = "bad_request"
	CodeHalted         = "halted"
	CodeUnavailable    = "unavailable"
)

// Error is the code and the message.
func (e *Error) Error() string { return e.Code + ": " + e.Message }

func refuse(code, format string, args ...any) *Error {
	return &Error{Code: code, Message: fmt.Sprintf(format, args...)}
}

// Page is a part of a list, newest first.
type Page[T any] struct {
	Items []T `json:"items"`
	// NextCursor asks for what follows; null at the end.
	NextCursor *string `json:"next_cursor"`
}

// DepositAddress is where an account pays in.
type DepositAddress struct {
	Chain         string `json:"chain"`
	Account       string `json:"account"`
	Address       string `json:"address"`
	URI           string `json:"uri"` // BIP21
	Epoch         uint32 `json:"epoch"`
	MinDeposit    string `json:"min_deposit"`
	Confirmations uint64 `json:"confirmations"`
}

// Step is one entry of a history.
type Step = pegs.Step

// Deposit is a payment to a deposit address.
type Deposit struct {
	ID                  string  `json:"id"`
	Chain               string  `json:"chain"`
	Symbol              string  `json:"symbol"`
	Account             string  `json:"account"`
	Address             string  `json:"address"`
	TxID                string  `json:"txid"`
	Index               uint32  `json:"index"`
	Block               *string `json:"block"`
	Height              *uint64 `json:"height"`
	Amount              string  `json:"amount"`
	Quantity            string  `json:"quantity"`
	Remainder           string  `json:"remainder"`
	State               string  `json:"state"`
	Reason              string  `json:"reason"`
	Confirmations       uint64  `json:"confirmations"`
	ConfirmationsNeeded uint64  `json:"confirmations_needed"`
	SidechainTx         string  `json:"sidechain_tx"`
	Detail              string  `json:"detail"`
	History             []Step  `json:"history"`
}

// Withdrawal is a burn that is paid out.
type Withdrawal struct {
	ID                  string   `json:"id"`
	Chain               string   `json:"chain"`
	Symbol              string   `json:"symbol"`
	Account             string   `json:"account"`
	Address             string   `json:"address"`
	Quantity            string   `json:"quantity"`
	Fee                 string   `json:"fee"`
	Amount              string   `json:"amount"`
	State               string   `json:"state"`
	Reason              string   `json:"reason"`
	TxID                string   `json:"txid"`
	Variants            []string `json:"variants"`
	Batch               string   `json:"batch"`
	Confirmations       uint64   `json:"confirmations"`
	ConfirmationsNeeded uint64   `json:"confirmations_needed"`
	SidechainTx         string   `json:"sidechain_tx"`
	SettleTx            string   `json:"settle_tx"`
	Detail              string   `json:"detail"`
	History             []Step   `json:"history"`
}

// Asset is a pegged token as users see it.
type Asset struct {
	Symbol        string  `json:"symbol"`
	Chain         string  `json:"chain"`
	Token         *string `json:"token"` // null for the chain's own coin
	Precision     int     `json:"precision"`
	MinDeposit    string  `json:"min_deposit"`
	MinWithdrawal string  `json:"min_withdrawal"`
	WithdrawalFee string  `json:"withdrawal_fee"`
	Deposits      string  `json:"deposits"`    // open or halted
	Withdrawals   string  `json:"withdrawals"` // open or halted
	Confirmations uint64  `json:"confirmations"`
	DerivationKey string  `json:"derivation_key"` // P of the newest epoch
}

// The values of Asset.Deposits, Asset.Withdrawals and the scopes of ChainStatus.
const (
	StateOpen   = "open"
	StateHalted = "halted"
)

// ChainStatus is the state of an outside chain.
type ChainStatus struct {
	Chain      string       `json:"chain"`
	Height     uint64       `json:"height"`
	NodeHeight uint64       `json:"node_height"`
	Nodes      []NodeStatus `json:"nodes"`
	Quorum     int          `json:"quorum"`
	Deposits   string       `json:"deposits"`
	Minting    string       `json:"minting"`
	Payouts    string       `json:"payouts"`
	Reason     string       `json:"reason"`
	// Alerts say why deposits need more confirmations than usual.
	Alerts []string `json:"alerts,omitempty"`
}

// NodeStatus is one node of a chain.
type NodeStatus struct {
	Name   string `json:"name"`
	OK     bool   `json:"ok"`
	Height uint64 `json:"height"`
	// Lag is how many blocks the node is behind the highest one.
	Lag     uint64 `json:"lag,omitempty"`
	Version string `json:"version,omitempty"`
	Network string `json:"network,omitempty"`
	Error   string `json:"error,omitempty"` // of the last question that it failed
}

// Audit and AssetAudit are the books.
type (
	Audit      = pegs.Audit
	AssetAudit = pegs.AssetAudit
)

// Reserves is the audit with every output that it counts.
type Reserves struct {
	Audit
	Items []ReserveItem `json:"items"`
}

// ReserveItem is one unspent output of ours (ETH: one balance).
type ReserveItem struct {
	Chain   string  `json:"chain"`
	Address string  `json:"address"`
	Kind    string  `json:"kind"` // deposit, hot, change or cold
	TxID    *string `json:"txid"`
	Index   *uint32 `json:"index"`
	Token   string  `json:"token,omitempty"` // contract; the chain's own coin has none
	Amount  string  `json:"amount"`
}
