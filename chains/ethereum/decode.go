package ethereum

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/big"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/trie"

	"causeway/chains"
)

func badBlock(format string, args ...any) error {
	return fmt.Errorf("%w: %s", chains.ErrBadBlock, fmt.Sprintf(format, args...))
}

// wireHeader is a header as nodes write it. The fields below the first blank line
// came with later forks.
type wireHeader struct {
	Hash        *common.Hash     `json:"hash"`
	ParentHash  *common.Hash     `json:"parentHash"`
	UncleHash   common.Hash      `json:"sha3Uncles"`
	Coinbase    common.Address   `json:"miner"`
	Root        common.Hash      `json:"stateRoot"`
	TxHash      common.Hash      `json:"transactionsRoot"`
	ReceiptHash common.Hash      `json:"receiptsRoot"`
	Bloom       types.Bloom      `json:"logsBloom"`
	Difficulty  *hexutil.Big     `json:"difficulty"`
	Number      *hexutil.Big     `json:"number"`
	GasLimit    hexutil.Uint64   `json:"gasLimit"`
	GasUsed     hexutil.Uint64   `json:"gasUsed"`
	Time        hexutil.Uint64   `json:"timestamp"`
	Extra       hexutil.Bytes    `json:"extraData"`
	MixDigest   common.Hash      `json:"mixHash"`
	Nonce       types.BlockNonce `json:"nonce"`

	BaseFee             *hexutil.Big    `json:"baseFeePerGas"`
	WithdrawalsHash     *common.Hash    `json:"withdrawalsRoot"`
	BlobGasUsed         *hexutil.Uint64 `json:"blobGasUsed"`
	ExcessBlobGas       *hexutil.Uint64 `json:"excessBlobGas"`
	ParentBeaconRoot    *common.Hash    `json:"parentBeaconBlockRoot"`
	RequestsHash        *common.Hash    `json:"requestsHash"`
	BlockAccessListHash *common.Hash    `json:"blockAccessListHash"`
	SlotNumber          *hexutil.Uint64 `json:"slotNumber"`
}

// header takes the header over, whose fields must hash to the hash it claims. A
// field that a later version of the protocol adds is not known here, so that the
// hash is another: such a block is refused, and the chain stops.
func (w *wireHeader) header() (*types.Header, error) {
	if w.Hash == nil || w.ParentHash == nil || w.Number == nil || w.Difficulty == nil {
		return nil, badBlock("header without hash, parent, height or difficulty")
	}
	h := &types.Header{
		ParentHash: *w.ParentHash, UncleHash: w.UncleHash, Coinbase: w.Coinbase, Root: w.Root, TxHash: w.TxHash, ReceiptHash: w.ReceiptHash,
		Bloom: w.Bloom, Difficulty: w.Difficulty.ToInt(), Number: w.Number.ToInt(), GasLimit: uint64(w.GasLimit), GasUsed: uint64(w.GasUsed),
		Time: uint64(w.Time), Extra: w.Extra, MixDigest: w.MixDigest, Nonce: w.Nonce,
		BaseFee: (*big.Int)(w.BaseFee), WithdrawalsHash: w.WithdrawalsHash, BlobGasUsed: (*uint64)(w.BlobGasUsed), ExcessBlobGas: (*uint64)(w.ExcessBlobGas),
		ParentBeaconRoot: w.ParentBeaconRoot, RequestsHash: w.RequestsHash, BlockAccessListHash: w.BlockAccessListHash, SlotNumber: (*uint64)(w.SlotNumber),
	}
	switch got := h.Hash(); {
	case *w.Hash != got:
		return nil, badBlock("header hashes to %s, its hash is said to be %s", got, *w.Hash)
	case !h.Number.IsUint64() || h.Time > 1<<62:
		return nil, badBlock("height %s, time %d", clip(h.Number.String()), h.Time)
	}
	return h, nil
}

// decodeHeader reads a header.
func decodeHeader(raw json.RawMessage) (*types.Header, error) {
	var w wireHeader
	if err := json.Unmarshal(raw, &w); err != nil {
		return nil, badBlock("header: %s", clip(err.Error()))
	}
	return w.header()
}

// wireTx is a transaction as nodes write it.
type wireTx struct {
	tx   *types.Transaction
	from common.Address
}

// UnmarshalJSON keeps what the signature covers, and the sender as the node says.
func (w *wireTx) UnmarshalJSON(raw []byte) error {
	var claim struct {
		From common.Address `json:"from"`
	}
	w.tx = new(types.Transaction)
	if err := w.tx.UnmarshalJSON(raw); err != nil {
		return err
	}
	err := json.Unmarshal(raw, &claim)
	w.from = claim.From
	return err
}

// wireReceipt is a receipt as nodes write it: of what the receipts' root covers
// everything but the bloom, which is computed.
type wireReceipt struct {
	Type    hexutil.Uint64  `json:"type"`
	Root    hexutil.Bytes   `json:"root"`
	Status  *hexutil.Uint64 `json:"status"`
	GasUsed *hexutil.Uint64 `json:"cumulativeGasUsed"`
	TxHash  common.Hash     `json:"transactionHash"`
	Logs    []wireLog       `json:"logs"`
}

type wireLog struct {
	Address common.Address `json:"address"`
	Topics  []common.Hash  `json:"topics"`
	Data    hexutil.Bytes  `json:"data"`
	Removed bool           `json:"removed"`
}

// decodeBlock reads a block with its transactions, and its receipts, and verifies
// all of it against the hash.
func decodeBlock(rawBlock, rawReceipts json.RawMessage, want Hash) (*Block, error) {
	var body struct {
		wireHeader
		Transactions []wireTx            `json:"transactions"`
		Withdrawals  []*types.Withdrawal `json:"withdrawals"`
	}
	if err := json.Unmarshal(rawBlock, &body); err != nil {
		return nil, badBlock("%s", clip(err.Error()))
	}
	h, err := body.header()
	if err != nil {
		return nil, err
	}
	if got := Hash(*body.Hash); got != want {
		return nil, badBlock("it is block %s", got)
	}
	var wire []wireReceipt
	if err := json.Unmarshal(rawReceipts, &wire); err != nil {
		return nil, badBlock("receipts: %s", clip(err.Error()))
	}
	txs := make(types.Transactions, len(body.Transactions))
	for i := range txs {
		txs[i] = body.Transactions[i].tx
	}
	hasher := trie.NewStackTrie(nil)
	if got := types.DeriveSha(txs, hasher); got != h.TxHash {
		return nil, badBlock("%d transactions have the root %s, the header says %s", len(txs), got, h.TxHash)
	}
	if err := checkWithdrawals(h, body.Withdrawals, hasher); err != nil {
		return nil, err
	}
	receipts, err := checkReceipts(h, txs, wire, hasher)
	if err != nil {
		return nil, err
	}
	b := &Block{Header: headerOf(h), Coinbase: Address(h.Coinbase), header: h}
	for _, w := range body.Withdrawals {
		amount, _ := NewWei(w.Amount).Times(1e9) // 64 bits of gwei
		b.Withdrawals = append(b.Withdrawals, Withdrawal{To: Address(w.Address), Amount: amount})
	}
	if h.BaseFee != nil {
		if b.BaseFee, err = WeiFromBig(h.BaseFee); err != nil {
			return nil, badBlock("base fee: %v", err)
		}
	}
	b.Transactions = make([]Mined, len(txs))
	var before uint64
	for i := range txs {
		if b.Transactions[i], err = mined(&body.Transactions[i], receipts[i], before, h.BaseFee); err != nil {
			return nil, badBlock("transaction %d: %v", i, err)
		}
		before = receipts[i].CumulativeGasUsed
	}
	return b, nil
}

func checkWithdrawals(h *types.Header, list types.Withdrawals, hasher types.ListHasher) error {
	for i, w := range list {
		if w == nil {
			return badBlock("withdrawal %d is null", i)
		}
	}
	if h.WithdrawalsHash == nil {
		if len(list) != 0 {
			return badBlock("%d withdrawals, of which the header knows nothing", len(list))
		}
		return nil
	}
	if got := types.DeriveSha(list, hasher); got != *h.WithdrawalsHash {
		return badBlock("%d withdrawals have the root %s, the header says %s", len(list), got, *h.WithdrawalsHash)
	}
	return nil
}

// checkReceipts makes receipts of what the node sent, and compares their number,
// order, bloom, root and gas with transactions and header.
func checkReceipts(h *types.Header, txs types.Transactions, wire []wireReceipt, hasher types.ListHasher) (types.Receipts, error) {
	if len(wire) != len(txs) {
		return nil, badBlock("%d receipts for %d transactions", len(wire), len(txs))
	}
	receipts := make(types.Receipts, len(wire))
	var gas uint64
	for i := range wire {
		r, err := wire[i].receipt(txs[i])
		if err != nil {
			return nil, badBlock("receipt %d: %v", i, err)
		}
		if r.CumulativeGasUsed < gas {
			return nil, badBlock("receipt %d: gas goes down", i)
		}
		gas, receipts[i] = r.CumulativeGasUsed, r
	}
	if got := types.DeriveSha(receipts, hasher); got != h.ReceiptHash {
		return nil, badBlock("%d receipts have the root %s, the header says %s", len(receipts), got, h.ReceiptHash)
	}
	if types.MergeBloom(receipts) != h.Bloom {
		return nil, badBlock("the bloom of its logs is not the header's")
	}
	if gas != h.GasUsed {
		return nil, badBlock("gas of %d, the header says %d", gas, h.GasUsed)
	}
	return receipts, nil
}

func (w *wireReceipt) receipt(tx *types.Transaction) (*types.Receipt, error) {
	switch {
	case w.TxHash != tx.Hash():
		return nil, fmt.Errorf("of transaction %s, not %s", w.TxHash, tx.Hash())
	case uint64(w.Type) != uint64(tx.Type()):
		return nil, fmt.Errorf("of type %d, the transaction of %d", w.Type, tx.Type())
	case w.GasUsed == nil:
		return nil, errors.New("without gas")
	case (w.Status == nil) == (len(w.Root) == 0), len(w.Root) != 0 && len(w.Root) != 32:
		return nil, errors.New("without a status")
	case w.Status != nil && *w.Status > 1:
		return nil, fmt.Errorf("status %d", *w.Status)
	}
	r := &types.Receipt{Type: tx.Type(), PostState: w.Root, CumulativeGasUsed: uint64(*w.GasUsed)}
	if w.Status != nil {
		r.Status = uint64(*w.Status)
	}
	for i := range w.Logs {
		l := &w.Logs[i]
		if l.Removed {
			return nil, fmt.Errorf("log %d was removed", i)
		}
		r.Logs = append(r.Logs, &types.Log{Address: l.Address, Topics: l.Topics, Data: l.Data})
	}
	r.Bloom = types.CreateBloom(r)
	return r, nil
}

// mined puts a transaction and its receipt together; before is the gas that the
// block had used before it.
func mined(w *wireTx, r *types.Receipt, before uint64, baseFee *big.Int) (Mined, error) {
	price := w.tx.GasFeeCap()
	if baseFee != nil {
		if tip, err := w.tx.EffectiveGasTip(baseFee); err == nil {
			price = tip.Add(tip, baseFee)
		}
	}
	values, err := weiOfAll(w.tx.Value(), price)
	if err != nil {
		return Mined{}, err
	}
	m := Mined{
		Hash: Hash(w.tx.Hash()), From: Address(w.from), Value: values[0], Data: w.tx.Data(), Nonce: w.tx.Nonce(),
		Succeeded: r.Status == types.ReceiptStatusSuccessful, GasUsed: r.CumulativeGasUsed - before, GasPrice: values[1],
		signed: w.tx,
	}
	if to := w.tx.To(); to != nil {
		m.To = (*Address)(to)
	}
	if m.Fee, err = m.GasPrice.Times(m.GasUsed); err != nil {
		return Mined{}, err
	}
	for i, l := range r.Logs {
		topics := make([]Hash, len(l.Topics))
		for j := range topics {
			topics[j] = Hash(l.Topics[j])
		}
		m.Logs = append(m.Logs, Log{Index: uint32(i), Address: Address(l.Address), Topics: topics, Data: l.Data})
	}
	return m, nil
}
