package pegs

import "causeway/chains"

// Result is a transaction sent by an account of ours in a final block: what it
// says, and what became of it. It also stands in Match.Spends, as the spend of
// the outpoint {From, Nonce} by TxID. Addresses are 0x and 40 hex digits in lower
// case, amounts wei or base units of the token.
type Result struct {
	TxID  string        `json:"txid"`
	From  string        `json:"from"`
	Nonce uint64        `json:"nonce"`
	To    string        `json:"to"`    // empty: it made a contract
	Value chains.Amount `json:"value"` // as the transaction says, whatever became of it
	// Token, Payee and Units are of a call transfer(payee, units) of a configured
	// token, whose contract To then is.
	Token string        `json:"token,omitempty"`
	Payee string        `json:"payee,omitempty"`
	Units chains.Amount `json:"units,omitzero"`
	// Kind is what the receiver (Payee, without a token To) is of ours; empty for
	// strangers.
	Kind chains.WatchKind `json:"kind,omitempty"`
	// Failed: status 0, or a transfer of a token that moved nothing in spite of
	// status 1. Nothing but Fee left the account.
	Failed bool          `json:"failed,omitempty"`
	Fee    chains.Amount `json:"fee"` // gasUsed × effectiveGasPrice
}

// TokenLog is a Transfer of a configured token (ERC-20, read strictly) that
// touches an account of ours, in the order of the block.
type TokenLog struct {
	TxID   string        `json:"txid"`
	Index  uint32        `json:"index"` // with TxID the identity of the log
	Token  string        `json:"token"`
	From   string        `json:"from"`
	To     string        `json:"to"`
	Amount chains.Amount `json:"amount"`
	// Kind, Account and Epoch say what To is of ours; Kind is empty for strangers.
	Kind    chains.WatchKind `json:"kind,omitempty"`
	Account string           `json:"account,omitempty"`
	Epoch   uint32           `json:"epoch,omitempty"`
	Address string           `json:"address,omitempty"` // To as it is shown (EIP-55)
}

// Balances records what accounts of ours hold in the newest connected block. It
// may come several times for one block.
type Balances struct {
	Chain    chains.ID        `json:"chain"`
	Block    chains.BlockRef  `json:"block"`
	Accounts []AccountBalance `json:"accounts"`
}

// AccountBalance is a reading of one account and asset.
type AccountBalance struct {
	Address string           `json:"address"` // as it is shown (EIP-55)
	Kind    chains.WatchKind `json:"kind"`    // deposit, change (hot) or sweeper
	Account string           `json:"account,omitempty"`
	Epoch   uint32           `json:"epoch"`
	Token   string           `json:"token,omitempty"` // contract in lower case; empty: the coin
	Amount  chains.Amount    `json:"amount"`
	Nonce   uint64           `json:"nonce,omitempty"` // transactions that the account has sent; of the coin alone
	// Cause is the one transaction that explains a rise of the coin, when it is
	// known.
	Cause string `json:"cause,omitempty"`
}

// Charged records that the sidechain has charged a transaction of ours that
// failed: its batch is dead, and cost gas all the same.
type Charged struct {
	Batch string `json:"batch"`
	TxID  string `json:"txid"`
	Cost  string `json:"cost"` // in coin units
}

// Kind implements Event.
func (*Balances) Kind() string { return "balances" }

// Kind implements Event.
func (*Charged) Kind() string { return "charged" }
