package rpcnode

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"causeway/chains"
)

// Broadcast implements chains.Source. Only an answer about the transaction
// itself is a verdict; a node that is starting, overloaded or gone, or that
// answers anything unheard of, leaves it Unknown. The reason for a conflict or
// a rejection is logged.
func (n *Node) Broadcast(ctx context.Context, raw []byte) (chains.Verdict, error) {
	want, _, _, err := n.coin.DecodeTransaction(raw)
	if err != nil {
		return chains.Unknown, fmt.Errorf("rpcnode: broadcast: %w", err)
	}
	var txid string
	err = n.call(ctx, smallAnswer, &txid, "sendrawtransaction", hex.EncodeToString(raw))
	if err == nil {
		if txid != want {
			return chains.Unknown, n.malformed("sent transaction %s, node speaks of %q", want, clip(txid))
		}
		return chains.Accepted, nil
	}
	var refused *RPCError
	if !errors.As(err, &refused) {
		return chains.Unknown, err
	}
	switch v := verdict(refused); v {
	case chains.Unknown:
		return v, err
	case chains.Known:
		return v, nil
	default:
		n.log.Warn("node refuses transaction", "txid", want, "verdict", string(v), "err", refused)
		return v, nil
	}
}

// What nodes say, in lower case. The lists hold the words of Bitcoin Core of
// many years, its descendants and btcd.
var (
	knownTexts = []string{
		"txn-already-in-mempool", "already in mempool", "already have transaction", "txn-already-known",
		"txn-same-nonwitness-data-in-mempool", "already in block chain", "already in utxo set", "already exists",
	}
	conflictTexts = []string{
		"missing inputs", "missing-inputs", "missingorspent", "inputs-spent", "orphan transaction",
		"txn-mempool-conflict", "already spent", "replacement", "spends-conflicting-tx",
	}
)

// verdict reads a refusal of sendrawtransaction.
func verdict(refused *RPCError) chains.Verdict {
	message := strings.ToLower(refused.Message)
	has := func(texts []string) bool {
		for _, text := range texts {
			if strings.Contains(message, text) {
				return true
			}
		}
		return false
	}
	switch refused.Code {
	case codeInChain:
		return chains.Known
	case codeVerify, codeRejected, codeDeserialise:
		switch {
		case has(knownTexts):
			return chains.Known
		case has(conflictTexts):
			return chains.Conflict
		}
		return chains.Rejected
	}
	return chains.Unknown
}
