package ethereum

import (
	"context"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"time"

	"causeway/chains"
	"causeway/chains/jsonrpc"
)

// Reader reads one node's JSON for the audit. It shares nothing with what the
// gateway believes the chain by, but the protocol's framing: no decoder of blocks,
// no type of go-ethereum, so that an error there is found by the sums. Numbers are
// the hex text of the node, read digit by digit.
type Reader struct{ client *jsonrpc.Client }

// NewReader reads a node. A timeout of 0 is jsonrpc.DefaultTimeout.
func NewReader(nodeURL string, timeout time.Duration) (*Reader, error) {
	client, err := jsonrpc.New(nodeURL, jsonrpc.Options{Timeout: timeout})
	if err != nil {
		return nil, err
	}
	return &Reader{client}, nil
}

// Close drops idle connections.
func (r *Reader) Close() { r.client.Close() }

// scannedBlock is a block as far as the audit reads it.
type scannedBlock struct {
	Hash   string `json:"hash"`
	Number string `json:"number"`
}

// Block is the block of a tag or of a height as hex text.
func (r *Reader) Block(ctx context.Context, tag string) (chains.BlockRef, error) {
	var b scannedBlock
	if err := r.client.CallLimit(ctx, 8<<20, &b, "eth_getBlockByNumber", tag, false); err != nil {
		return chains.BlockRef{}, err
	}
	height, err := hexNumber(b.Number)
	if err != nil || !height.IsUint64() || len(b.Hash) != 66 {
		return chains.BlockRef{}, r.malformed("block %s is %q at height %q", tag, b.Hash, b.Number)
	}
	return chains.BlockRef{Height: height.Uint64(), Hash: b.Hash}, nil
}

// Balances are the wei of accounts (0x…) at a block's hash, in their order.
func (r *Reader) Balances(ctx context.Context, block string, accounts []string) ([]chains.Amount, error) {
	return r.read(ctx, accounts, func(account string) (string, []any) {
		return "eth_getBalance", []any{account, map[string]any{"blockHash": block}}
	})
}

// TokenBalances are the units of a token that accounts hold at a block's hash.
func (r *Reader) TokenBalances(ctx context.Context, block, token string, accounts []string) ([]chains.Amount, error) {
	return r.read(ctx, accounts, func(account string) (string, []any) {
		data := "0x70a08231" + strings.Repeat("0", 24) + strings.TrimPrefix(account, "0x")
		return "eth_call", []any{map[string]any{"to": token, "data": data}, map[string]any{"blockHash": block}}
	})
}

// read asks one question about each account, in parts.
func (r *Reader) read(ctx context.Context, accounts []string, question func(string) (string, []any)) ([]chains.Amount, error) {
	var amounts []chains.Amount
	for len(accounts) > 0 {
		part := accounts[:min(len(accounts), 100)]
		accounts = accounts[len(part):]
		answers, calls := make([]string, len(part)), make([]jsonrpc.Call, len(part))
		for i, account := range part {
			calls[i].Method, calls[i].Params = question(account)
			calls[i].Result = &answers[i]
		}
		if err := r.client.Batch(ctx, jsonrpc.SmallAnswer, calls); err != nil {
			return nil, err
		}
		for i := range calls {
			if calls[i].Err != nil {
				return nil, fmt.Errorf("%s: %w", part[i], calls[i].Err)
			}
			v, err := hexNumber(answers[i])
			if err != nil {
				return nil, r.malformed("%s of %s: %v", calls[i].Method, part[i], err)
			}
			amount, err := chains.AmountFromBig(v)
			if err != nil {
				return nil, r.malformed("%s of %s: %v", calls[i].Method, part[i], err)
			}
			amounts = append(amounts, amount)
		}
	}
	return amounts, nil
}

// Spent is what a transaction did, as the node says.
type Spent struct {
	Block     chains.BlockRef
	From      string // as the node writes it, in lower case
	Succeeded bool
	Fee       chains.Amount // wei: gas used times the effective price
}

// Spent reads the receipt of a transaction; ok is false when the node has none.
func (r *Reader) Spent(ctx context.Context, txid string) (s Spent, ok bool, err error) {
	var receipt struct {
		TxID   string `json:"transactionHash"`
		Block  string `json:"blockHash"`
		Height string `json:"blockNumber"`
		From   string `json:"from"`
		Status string `json:"status"`
		Gas    string `json:"gasUsed"`
		Price  string `json:"effectiveGasPrice"`
	}
	err = r.client.CallLimit(ctx, 8<<20, &receipt, "eth_getTransactionReceipt", txid)
	if errors.Is(err, jsonrpc.ErrNull) {
		return Spent{}, false, nil
	}
	if err != nil {
		return Spent{}, false, err
	}
	var numbers [4]*big.Int
	for i, text := range []string{receipt.Height, receipt.Status, receipt.Gas, receipt.Price} {
		if numbers[i], err = hexNumber(text); err != nil {
			return Spent{}, false, r.malformed("receipt of %s: %v", txid, err)
		}
	}
	fee, err := chains.AmountFromBig(new(big.Int).Mul(numbers[2], numbers[3]))
	if err != nil || receipt.TxID != txid || !numbers[0].IsUint64() || numbers[1].BitLen() > 1 {
		return Spent{}, false, r.malformed("receipt of %s is of %q with status %q", txid, clip(receipt.TxID), clip(receipt.Status))
	}
	return Spent{
		Block: chains.BlockRef{Height: numbers[0].Uint64(), Hash: receipt.Block}, From: strings.ToLower(receipt.From),
		Succeeded: numbers[1].Sign() == 1, Fee: fee,
	}, true, nil
}

func (r *Reader) malformed(format string, args ...any) error {
	return fmt.Errorf("%s: %w: %s", r.client.Name(), chains.ErrUnavailable, fmt.Sprintf(format, args...))
}

// hexNumber reads 0x and at most 64 hex digits.
func hexNumber(text string) (*big.Int, error) {
	digits, ok := strings.CutPrefix(text, "0x")
	if !ok || digits == "" || len(digits) > 64 {
		return nil, fmt.Errorf("%q is no number", clip(text))
	}
	if len(digits)%2 == 1 {
		digits = "0" + digits
	}
	raw, err := hex.DecodeString(digits)
	if err != nil {
		return nil, fmt.Errorf("%q is no number", clip(text))
	}
	return new(big.Int).SetBytes(raw), nil
}
