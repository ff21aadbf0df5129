package evm

import (
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
)

// The members and their forms are geth's (internal/ethapi), which follow
// execution-apis.

// object is a JSON object.
type object = map[string]any

func hexBig(n *big.Int) *hexutil.Big {
	if n == nil {
		return nil
	}
	return (*hexutil.Big)(n)
}

func hexBytes(data []byte) *hexutil.Bytes { return (*hexutil.Bytes)(&data) }

// showHeader is a block without its transactions.
func showHeader(b *block) object {
	h := b.Header()
	return object{
		"number": hexBig(h.Number), "hash": b.Hash(), "parentHash": h.ParentHash, "nonce": h.Nonce, "mixHash": h.MixDigest,
		"sha3Uncles": h.UncleHash, "logsBloom": h.Bloom, "stateRoot": h.Root, "miner": h.Coinbase, "difficulty": hexBig(h.Difficulty),
		"extraData": hexutil.Bytes(h.Extra), "gasLimit": hexutil.Uint64(h.GasLimit), "gasUsed": hexutil.Uint64(h.GasUsed),
		"timestamp": hexutil.Uint64(h.Time), "transactionsRoot": h.TxHash, "receiptsRoot": h.ReceiptHash, "baseFeePerGas": hexBig(h.BaseFee),
		"withdrawalsRoot": h.WithdrawalsHash, "blobGasUsed": hexutil.Uint64(*h.BlobGasUsed), "excessBlobGas": hexutil.Uint64(*h.ExcessBlobGas),
		"parentBeaconBlockRoot": h.ParentBeaconRoot, "requestsHash": h.RequestsHash,
		"size": hexutil.Uint64(b.Size()), "uncles": []common.Hash{}, "withdrawals": b.Withdrawals(),
	}
}

// showBlock is a block with its transactions, or with their hashes.
func (v *view) showBlock(b *block, full bool) object {
	shown := showHeader(b)
	txs := make([]any, 0, len(b.Transactions()))
	for i, tx := range b.Transactions() {
		if full {
			txs = append(txs, v.showTx(tx, b, i))
		} else {
			txs = append(txs, tx.Hash())
		}
	}
	shown["transactions"] = txs
	return shown
}

// showPending is the block that would be made now, whose identity nobody knows yet.
func (v *view) showPending(b *block, full bool) object {
	shown := v.showBlock(b, false)
	for _, unknown := range []string{"hash", "nonce", "miner"} {
		shown[unknown] = nil
	}
	if full {
		txs := make([]any, 0, len(b.Transactions()))
		for _, tx := range b.Transactions() {
			txs = append(txs, v.showTx(tx, nil, 0))
		}
		shown["transactions"] = txs
	}
	return shown
}

// showTx is a transaction, which waits when b is nil.
func (v *view) showTx(tx *types.Transaction, b *block, index int) object {
	from, _ := types.Sender(v.c.signer, tx) // it was checked when it came in
	sigV, sigR, sigS := tx.RawSignatureValues()
	shown := object{
		"type": hexutil.Uint64(tx.Type()), "from": from, "to": tx.To(), "gas": hexutil.Uint64(tx.Gas()), "gasPrice": hexBig(tx.GasPrice()),
		"hash": tx.Hash(), "input": hexutil.Bytes(tx.Data()), "nonce": hexutil.Uint64(tx.Nonce()), "value": hexBig(v.wei(tx.Value())),
		"chainId": hexBig(tx.ChainId()), "v": hexBig(sigV), "r": hexBig(sigR), "s": hexBig(sigS),
		"blockHash": nil, "blockNumber": nil, "blockTimestamp": nil, "transactionIndex": nil,
	}
	if b != nil {
		shown["blockHash"], shown["blockNumber"] = b.Hash(), hexBig(b.Number())
		shown["blockTimestamp"], shown["transactionIndex"] = hexutil.Uint64(b.Time()), hexutil.Uint64(index)
	}
	if tx.Type() == types.LegacyTxType {
		return shown
	}
	shown["accessList"], shown["yParity"] = tx.AccessList(), hexutil.Uint64(sigV.Sign())
	if tx.AccessList() == nil {
		shown["accessList"] = types.AccessList{}
	}
	if tx.Type() == types.AccessListTxType {
		return shown
	}
	shown["maxFeePerGas"], shown["maxPriorityFeePerGas"] = hexBig(tx.GasFeeCap()), hexBig(tx.GasTipCap())
	if b != nil {
		shown["gasPrice"] = hexBig(price(tx, b.BaseFee()))
	}
	if list := tx.SetCodeAuthorizations(); list != nil {
		shown["authorizationList"] = list
	}
	return shown
}

// price is what a transaction pays for each unit of gas at a base fee.
func price(tx *types.Transaction, baseFee *big.Int) *big.Int {
	sum := new(big.Int).Add(tx.GasTipCap(), baseFee)
	if sum.Cmp(tx.GasFeeCap()) > 0 {
		return tx.GasFeeCap()
	}
	return sum
}

// showReceipt is the receipt of a mined transaction.
func (v *view) showReceipt(r *types.Receipt, tx *types.Transaction) object {
	from, _ := types.Sender(v.c.signer, tx) // it was checked when it came in
	shown := object{
		"blockHash": r.BlockHash, "blockNumber": hexBig(r.BlockNumber), "transactionHash": tx.Hash(), "transactionIndex": hexutil.Uint64(r.TransactionIndex),
		"from": from, "to": tx.To(), "gasUsed": hexutil.Uint64(r.GasUsed), "cumulativeGasUsed": hexutil.Uint64(r.CumulativeGasUsed),
		"contractAddress": nil, "logs": r.Logs, "logsBloom": r.Bloom, "type": hexutil.Uint64(tx.Type()),
		"effectiveGasPrice": hexBig(r.EffectiveGasPrice), "status": hexutil.Uint64(r.Status),
	}
	if r.Logs == nil {
		shown["logs"] = []*types.Log{}
	}
	if r.ContractAddress != (common.Address{}) {
		shown["contractAddress"] = r.ContractAddress
	}
	return shown
}
