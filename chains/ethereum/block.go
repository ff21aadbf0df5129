package ethereum

import (
	"fmt"

	"github.com/ethereum/go-ethereum/core/types"

	"causeway/chains"
)

// Block is a block whose contents were verified against its hash: the header
// hashes to it, and transactions, receipts, withdrawals and bloom are those that
// the header commits to. Hashes in Header are the text of Hash.
type Block struct {
	chains.Header
	BaseFee  Wei
	Coinbase Address
	// Transactions are in block order, each with its outcome.
	Transactions []Mined
	// Withdrawals are the accounts that the consensus layer paid.
	Withdrawals []Withdrawal

	header *types.Header
}

// Mined is a transaction of a block and what it did.
type Mined struct {
	Hash Hash
	// From is what the node says; only the signature proves it (Sender).
	From  Address
	To    *Address // nil: it creates a contract
	Value Wei
	Data  []byte
	Nonce uint64
	// Succeeded is the receipt's status 1. A transaction that failed moved nothing
	// but its fee and used its nonce up.
	Succeeded bool
	GasUsed   uint64
	// GasPrice is the effective price of a unit of gas, and Fee GasUsed times that:
	// what the sender paid. (What a blob transaction pays for blobs is beside it.)
	GasPrice, Fee Wei
	Logs          []Log

	signed *types.Transaction
}

// Sender recovers the sender from the signature. It costs a tenth of a
// millisecond, which is why it is not done for everybody's transactions.
func (m *Mined) Sender() (Address, error) {
	var signer types.Signer = types.HomesteadSigner{} // before EIP-155
	if m.signed.Type() != types.LegacyTxType || m.signed.Protected() {
		id := m.signed.ChainId()
		if id.Sign() <= 0 {
			return Address{}, fmt.Errorf("ethereum: sender of %s: chain id %s", m.Hash, id)
		}
		signer = types.LatestSignerForChainID(id)
	}
	from, err := types.Sender(signer, m.signed)
	if err != nil {
		return Address{}, fmt.Errorf("ethereum: sender of %s: %w", m.Hash, err)
	}
	return Address(from), nil
}

// Log is an event of a contract.
type Log struct {
	// Index is the place among the logs of the transaction's own receipt, from 0.
	// Nodes print the place among all logs of the block (logIndex) instead, which
	// changes when a reorganisation moves the transaction: where, not who.
	Index   uint32
	Address Address
	Topics  []Hash
	Data    []byte
}

// Withdrawal is value that the consensus layer moves to an account.
type Withdrawal struct {
	To     Address
	Amount Wei
}

// Transfer is an ERC-20 Transfer that a contract says it made. That its event is
// honest is for the balance to say (Quorum.TokenBalances).
type Transfer struct {
	Token    Address
	From, To Address
	Value    Wei // in the token's units; not zero
	TxID     Hash
	// Index is that of the Log: the place in the transaction's own receipt.
	Index uint32
}

// ID is the deposit's identity: eth:0x<txid>:<index>. It is the same in every
// block that the transaction may come to stand in.
func (t Transfer) ID() string { return fmt.Sprintf("eth:%s:%d", t.TxID, t.Index) }

// Outpoint is the same identity as an outpoint.
func (t Transfer) Outpoint() chains.Outpoint {
	return chains.Outpoint{TxID: t.TxID.String(), Index: t.Index}
}
