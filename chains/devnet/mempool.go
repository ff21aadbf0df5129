package devnet

import (
	"errors"
	"strings"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/mempool"
)

// Bitcoin Core's words.
const (
	textInMempool  = "txn-already-in-mempool"
	textInChain    = "Transaction already in block chain"
	textMissing    = "bad-txns-inputs-missingorspent"
	textFeeTooHigh = "Fee exceeds maximum configured by user (e.g. -maxtxfee, maxfeerate)"
)

// submit takes a transaction into the mempool. The lock is held for writing.
func (c *Chain) submit(tx *btcutil.Tx, maxFeeRate int64) error {
	if _, err := c.checkTx(tx, maxFeeRate); err != nil {
		return err
	}
	if _, err := c.pool.ProcessTransaction(tx, false, true, 0); err != nil {
		return refusal(err)
	}
	return c.noteTx(tx)
}

// checkTx says whether the mempool would take a transaction, and if not why,
// as an *rpcError. The lock is held for writing.
func (c *Chain) checkTx(tx *btcutil.Tx, maxFeeRate int64) (*mempool.MempoolAcceptResult, error) {
	if c.pool.IsTransactionInPool(tx.Hash()) {
		return nil, fail(codeAlreadyInChain, textInMempool)
	}
	if _, mined := c.index[*tx.Hash()]; mined {
		return nil, fail(codeAlreadyInChain, textInChain)
	}
	if err := c.admit(tx); err != nil {
		return nil, err
	}
	verdict, err := c.pool.CheckMempoolAcceptance(tx)
	if err != nil {
		return nil, refusal(err)
	}
	if len(verdict.MissingParents) > 0 {
		return nil, fail(codeVerify, textMissing)
	}
	if maxFeeRate > 0 && int64(verdict.TxFee) > feeFor(4*verdict.TxSize, maxFeeRate) {
		return nil, fail(codeVerify, textFeeTooHigh)
	}
	return verdict, nil
}

// acceptAgain takes in a transaction that was in the mempool or on the chain
// before; orphan says that what it spends is not there.
func (c *Chain) acceptAgain(tx *btcutil.Tx) (orphan bool) {
	if c.admit(tx) != nil {
		return false
	}
	missing, _, err := c.pool.MaybeAcceptTransaction(tx, false, false)
	return err == nil && len(missing) > 0
}

func weightOf(tx *btcutil.Tx) int64 { return blockchain.GetTransactionWeight(tx) }

// chainReasons are Core's words for btcd's consensus errors.
var chainReasons = map[blockchain.ErrorCode]string{
	blockchain.ErrNoTxInputs:        "bad-txns-vin-empty",
	blockchain.ErrNoTxOutputs:       "bad-txns-vout-empty",
	blockchain.ErrTxTooBig:          "bad-txns-oversize",
	blockchain.ErrDuplicateTxInputs: "bad-txns-inputs-duplicate",
	blockchain.ErrBadTxInput:        "bad-txns-prevout-null",
	blockchain.ErrMissingTxOut:      textMissing,
	blockchain.ErrImmatureSpend:     "bad-txns-premature-spend-of-coinbase",
	blockchain.ErrSpendTooHigh:      "bad-txns-in-belowout",
	blockchain.ErrUnfinalizedTx:     "non-final",
	blockchain.ErrScriptMalformed:   "mandatory-script-verify-flag-failed",
	blockchain.ErrScriptValidation:  "mandatory-script-verify-flag-failed",
	blockchain.ErrTooManySigOps:     "bad-txns-too-many-sigops",
	blockchain.ErrOverwriteTx:       textInChain,
}

// policyReasons are Core's words for btcd's mempool errors, which have codes
// too coarse to tell them apart: the first phrase found decides. quiet ones
// are given without btcd's detail.
var policyReasons = []struct {
	phrase, reason string
	quiet          bool
}{
	{"output already spent in mempool", "txn-mempool-conflict", true},
	{"is an individual coinbase", "coinbase", true},
	{"insufficient fee rate", "insufficient fee", false},
	{"insufficient absolute fee", "insufficient fee", false},
	{"evicts more", "too many potential replacements", false},
	{"replacement transaction spends parent", "bad-txns-spends-conflicting-tx", false},
	{"replacement transaction spends new", "replacement-adds-unconfirmed", false},
	{"fees which is under", "min relay fee not met", false},
	{"rate limiter", "min relay fee not met", false},
	{"payment is dust", "dust", true},
	{"is not finalized", "non-final", true},
	{"sequence locks", "non-BIP68-final", true},
	{"transaction version", "version", true},
	{"weight of transaction", "tx-size", true},
	{"is too small", "tx-size-small", true},
	{"has witness data", "no-witness-yet", true},
	{"is not push only", "scriptsig-not-pushonly", true},
	{"script size is larger", "scriptsig-size", true},
	{"nulldata script", "multi-op-return", true},
	{"non-standard input", "bad-txns-nonstandard-inputs", true},
	{"transaction output", "scriptpubkey", true},
	{"sigop cost", "bad-txns-too-many-sigops", false},
}

// refusal translates an error of btcd's mempool.
func refusal(err error) error {
	var rule mempool.RuleError
	if !errors.As(err, &rule) {
		return fail(codeVerify, "TX rejected: %v", err)
	}
	var chainRule blockchain.RuleError
	if errors.As(rule.Err, &chainRule) {
		reason, ok := chainReasons[chainRule.ErrorCode]
		switch {
		case reason == textMissing:
			return fail(codeVerify, textMissing)
		case reason == textInChain:
			return fail(codeAlreadyInChain, textInChain)
		case chainRule.ErrorCode == blockchain.ErrBadTxOutValue:
			reason = badOutput(chainRule.Description)
		case !ok:
			reason = chainRule.ErrorCode.String()
		}
		return fail(codeRejected, "%s, %s", reason, chainRule.Description)
	}
	text := rule.Error()
	switch {
	case strings.Contains(text, "already have transaction"):
		return fail(codeAlreadyInChain, textInMempool)
	case strings.Contains(text, "already exists in blockchain"):
		return fail(codeAlreadyInChain, textInChain)
	case strings.Contains(text, "orphan transaction"):
		return fail(codeVerify, textMissing)
	}
	for _, known := range policyReasons {
		if !strings.Contains(text, known.phrase) {
			continue
		}
		if known.quiet {
			return fail(codeRejected, "%s", known.reason)
		}
		return fail(codeRejected, "%s, %s", known.reason, text)
	}
	return fail(codeRejected, "%s", text)
}

func badOutput(detail string) string {
	switch {
	case strings.Contains(detail, "negative"):
		return "bad-txns-vout-negative"
	case strings.Contains(detail, "total value"):
		return "bad-txns-txouttotal-toolarge"
	}
	return "bad-txns-vout-toolarge"
}
