package devnet

import (
	"bytes"
	"encoding/json"
	"errors"
	"math"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mempool"
	"github.com/btcsuite/btcd/wire/v2"
)

func txMethods() map[string]method {
	return map[string]method{
		"getrawtransaction":  {params: []string{"txid", "verbosity|verbose", "blockhash"}, required: 1, run: getRawTransaction},
		"getrawmempool":      {params: []string{"verbose", "mempool_sequence"}, empty: "[]", run: getRawMempool},
		"gettxout":           {params: []string{"txid", "n", "include_mempool"}, required: 2, run: getTxOut},
		"estimatesmartfee":   {params: []string{"conf_target", "estimate_mode"}, required: 1, empty: `{"errors":["Insufficient data or no feerate found"],"blocks":0}`, run: estimateSmartFee},
		"sendrawtransaction": {params: []string{"hexstring", "maxfeerate", "maxburnamount"}, required: 1, acts: true, run: sendRawTransaction},
		"testmempoolaccept":  {params: []string{"rawtxs", "maxfeerate"}, required: 1, acts: true, run: testMempoolAccept},
	}
}

func getRawTransaction(k *call) (any, error) {
	id, err := k.hash(0)
	if err != nil {
		return nil, err
	}
	verbose, err := k.level(1, 0)
	if err != nil {
		return nil, err
	}
	tx, at, err := k.findTransaction(id)
	if err != nil {
		return nil, err
	}
	if verbose <= 0 {
		return hexTx(tx)
	}
	result, err := k.v.txJSON(tx)
	if err != nil || at == nil {
		return result, err
	}
	if k.has(2) {
		result.InActiveChain = &at.main
	}
	confirmations := max(0, k.v.confirmations(*at))
	result.BlockHash, result.Confirmations = at.hash.String(), &confirmations
	result.BlockTime = at.header.Timestamp.Unix()
	result.Time = result.BlockTime
	return result, nil
}

func (k *call) findTransaction(id chainhash.Hash) (*wire.MsgTx, *located, error) {
	if id == k.c.net.GenesisBlock.Header.MerkleRoot {
		return nil, nil, fail(codeAddressOrKey, "The genesis block coinbase is not considered an ordinary transaction and cannot be retrieved")
	}
	if !k.has(2) {
		tx, at, err := k.v.transaction(id)
		if errors.Is(err, errNotFound) {
			err = fail(codeAddressOrKey, "No such mempool or blockchain transaction. Use gettransaction for wallet transactions.")
		}
		return tx, at, err
	}
	hash, err := k.hash(2)
	if err != nil {
		return nil, nil, err
	}
	at, err := k.v.locate(hash)
	if err != nil {
		return nil, nil, fail(codeAddressOrKey, "Block hash not found")
	}
	block, err := k.v.block(at)
	if err != nil {
		return nil, nil, err
	}
	for _, tx := range block.Transactions() {
		if *tx.Hash() == id {
			return tx.MsgTx(), &at, nil
		}
	}
	return nil, nil, fail(codeAddressOrKey, "No such transaction found in the provided block. Use gettransaction for wallet transactions.")
}

type mempoolEntryJSON struct {
	VSize  int64          `json:"vsize"`
	Weight int64          `json:"weight"`
	Time   int64          `json:"time"`
	Height int32          `json:"height"`
	Fees   map[string]any `json:"fees"`
	WTxID  string         `json:"wtxid"`
}

func getRawMempool(k *call) (any, error) {
	verbose, err := k.boolean(0, false)
	if err != nil {
		return nil, err
	}
	waiting := k.v.mempool()
	if !verbose {
		ids := make([]string, len(waiting))
		for i, tx := range waiting {
			ids[i] = tx.Hash().String()
		}
		return ids, nil
	}
	entries := make(map[string]mempoolEntryJSON, len(waiting))
	if len(waiting) == 0 {
		return entries, nil
	}
	for _, desc := range k.c.pool.TxDescs() {
		size := mempool.GetTxVirtualSize(desc.Tx)
		entries[desc.Tx.Hash().String()] = mempoolEntryJSON{
			VSize: size, Weight: weightOf(desc.Tx), Time: desc.Added.Unix(), Height: desc.Height,
			Fees:  map[string]any{"base": k.v.amount(desc.Fee)},
			WTxID: desc.Tx.WitnessHash().String(),
		}
	}
	return entries, nil
}

func getTxOut(k *call) (any, error) {
	id, err := k.hash(0)
	if err != nil {
		return nil, err
	}
	n, err := k.integer(1, 0)
	if err != nil {
		return nil, err
	}
	waiting, err := k.boolean(2, true)
	if err != nil {
		return nil, err
	}
	if n < 0 || n > math.MaxUint32 {
		return nil, nil // Core answers null for any output that does not exist
	}
	out, err := k.v.unspent(wire.OutPoint{Hash: id, Index: uint32(n)}, waiting)
	if err != nil || out == nil {
		return nil, err
	}
	confirmations := int32(0)
	if out.height >= 0 {
		confirmations = k.v.best - out.height + 1
	}
	return struct {
		BestBlock     string      `json:"bestblock"`
		Confirmations int32       `json:"confirmations"`
		Value         json.Number `json:"value"`
		ScriptPubKey  scriptJSON  `json:"scriptPubKey"`
		Coinbase      bool        `json:"coinbase"`
	}{k.v.tip.String(), confirmations, k.v.amount(out.Value), k.c.scriptJSON(out.PkScript), out.coinbase}, nil
}

// estimateSmartFee answers the flavour's fixed rate: a regtest has no market.
func estimateSmartFee(k *call) (any, error) {
	target, err := k.integer(0, 0)
	if err != nil {
		return nil, err
	}
	if target < 1 || target > 1008 {
		return nil, fail(codeParameter, "Invalid conf_target, must be between 1 and 1008")
	}
	return struct {
		FeeRate json.Number `json:"feerate"`
		Blocks  int64       `json:"blocks"`
	}{k.v.amount(k.c.params.Fees.Wallet), max(2, target)}, nil
}

func sendRawTransaction(k *call) (any, error) {
	text, err := k.text(0)
	if err != nil {
		return nil, err
	}
	tx, err := decodeTx(text)
	if err != nil {
		return nil, err
	}
	limit, err := k.maxFeeRate()
	if err != nil {
		return nil, err
	}
	k.c.mu.Lock()
	defer k.c.mu.Unlock()
	if err := k.c.submit(tx, limit); err != nil {
		return nil, err
	}
	return tx.Hash().String(), nil
}

// maxFeeRate reads parameter 1, in coins per 1000 virtual bytes; 0 is no limit.
func (k *call) maxFeeRate() (int64, error) {
	if !k.has(1) {
		return k.c.params.Fees.Max, nil
	}
	return k.amount(1)
}

type acceptJSON struct {
	TxID    string         `json:"txid"`
	WTxID   string         `json:"wtxid"`
	Allowed bool           `json:"allowed"`
	VSize   int64          `json:"vsize,omitempty"`
	Fees    map[string]any `json:"fees,omitempty"`
	Reason  string         `json:"reject-reason,omitempty"`
}

// testMempoolAccept judges each transaction by itself, not as a package.
func testMempoolAccept(k *call) (any, error) {
	var texts []string
	if k.values[0][0] != '[' || json.Unmarshal(k.values[0], &texts) != nil {
		return nil, k.mismatch(0, "array")
	}
	if len(texts) < 1 || len(texts) > 25 {
		return nil, fail(codeParameter, "Array must contain between 1 and 25 transactions.")
	}
	limit, err := k.maxFeeRate()
	if err != nil {
		return nil, err
	}
	results := make([]acceptJSON, len(texts))
	for i, text := range texts {
		tx, err := decodeTx(text)
		if err != nil {
			return nil, fail(codeDeserialization, "TX decode failed: %s. Make sure the tx has at least one input.", clip(text))
		}
		results[i] = k.c.tryTx(tx, limit)
	}
	return results, nil
}

func (c *Chain) tryTx(tx *btcutil.Tx, limit int64) acceptJSON {
	result := acceptJSON{TxID: tx.Hash().String(), WTxID: tx.WitnessHash().String()}
	c.mu.Lock() // btcd's check writes to the mempool's rate limiter
	verdict, err := c.checkTx(tx, limit)
	c.mu.Unlock()
	if err == nil {
		result.Allowed, result.VSize = true, verdict.TxSize
		result.Fees = map[string]any{"base": formatAmount(int64(verdict.TxFee))}
		return result
	}
	result.Reason = err.Error()
	var failure *rpcError
	if errors.As(err, &failure) {
		reason, _, _ := bytes.Cut([]byte(failure.Message), []byte(", "))
		result.Reason = string(reason)
	}
	switch result.Reason {
	case textMissing:
		result.Reason = "missing-inputs"
	case textInChain:
		result.Reason = "txn-already-known"
	case textFeeTooHigh:
		result.Reason = "max-fee-exceeded"
	}
	return result
}
