package ethereum

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"causeway/chains"
	"causeway/chains/jsonrpc"
)

// refusal says that the node answered and refused.
func refusal(err error) bool {
	var refused *jsonrpc.Error
	return errors.As(err, &refused)
}

// Broadcast hands a signed transaction to the node. The error is nil but for the
// verdict Unknown. Only an answer about the transaction itself is a verdict; the
// reason for a conflict or a rejection is logged.
func (n *Node) Broadcast(ctx context.Context, raw []byte) (chains.Verdict, error) {
	tx, err := Decode(raw)
	if err != nil {
		return chains.Unknown, fmt.Errorf("ethereum: broadcast: %w", err)
	}
	if tx.ChainID != n.o.ChainID {
		return chains.Unknown, fmt.Errorf("ethereum: broadcast: %w: transaction for chain %d, this is chain %d", chains.ErrWrongNetwork, tx.ChainID, n.o.ChainID)
	}
	var txid string
	err = n.call(ctx, jsonrpc.SmallAnswer, &txid, "eth_sendRawTransaction", hexData(raw))
	if err == nil {
		if txid != tx.Hash.String() {
			return chains.Unknown, n.malformed("sent transaction %s, node speaks of %q", tx.Hash, clip(txid))
		}
		return chains.Accepted, nil
	}
	var refused *jsonrpc.Error
	if !errors.As(err, &refused) {
		return chains.Unknown, err
	}
	switch v := verdict(refused); v {
	case chains.Unknown:
		return v, err
	case chains.Known:
		return v, nil
	default:
		n.log.Warn("node refuses transaction", "txid", tx.Hash.String(), "verdict", string(v), "err", refused)
		return v, nil
	}
}

// What nodes say, in lower case: geth, reth, Erigon, Nethermind (words run
// together), Besu and anvil. The code is -32000 for nearly everything, so the
// words decide, and what has not been heard of stays unknown.
var (
	knownTexts = []string{
		"already known", "alreadyknown", "known transaction", "already imported", "existing tx with same hash", "already in mempool",
	}
	// The nonce is used, by this transaction or another, or a transaction with the
	// same nonce waits that this one does not outbid.
	conflictTexts = []string{
		"nonce too low", "nonce is too low", "oldnonce", "ownnoncealreadyused", "nonce already used",
		"replacement transaction underpriced", "transaction replacement underpriced", "replacementnotallowed",
		"could not replace existing tx", "future transaction tries to replace pending",
	}
	rejectedTexts = []string{
		"insufficient funds", "insufficientfunds", "upfront cost exceeds account balance", "intrinsic gas too low", "out of gas", "gas required exceeds",
		"exceeds block gas limit", "exceeds the block gas limit", "gaslimitexceeded", "gas limit too high", "transaction gas limit too high",
		"less than block base fee", "fee cap less than", "gas price below configured minimum", "feetoolow", "fee too low", "transaction underpriced",
		"higher than max fee", "tip above fee cap", "exceeds the configured cap", "negative value",
		"invalid sender", "invalid signature", "invalid chain id", "wrong chain id", "invalid transaction", "type not supported", "senderiscontract",
		"sender not an eoa", "oversized data", "max initcode size exceeded", "nonce has max value",
	}
)

// verdict reads a refusal of eth_sendRawTransaction.
func verdict(refused *jsonrpc.Error) chains.Verdict {
	message := strings.ToLower(refused.Message)
	for _, list := range []struct {
		texts   []string
		verdict chains.Verdict
	}{{knownTexts, chains.Known}, {conflictTexts, chains.Conflict}, {rejectedTexts, chains.Rejected}} {
		for _, text := range list.texts {
			if strings.Contains(message, text) {
				return list.verdict
			}
		}
	}
	return chains.Unknown
}
