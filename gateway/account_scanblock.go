package gateway

import (
	"context"
	"encoding/hex"
	"fmt"
	"strings"

	"causeway/chains"
)

// scanAccountBlock is a block as nodes of Ethereum print it.
type scanAccountBlock struct {
	height      uint64
	Number      string          `json:"number"`
	Hash        string          `json:"hash"`
	Parent      string          `json:"parentHash"`
	Miner       string          `json:"miner"`
	Txs         []scanAccountTx `json:"transactions"`
	Withdrawals []struct {
		Address string `json:"address"`
	} `json:"withdrawals"`
}

type scanAccountTx struct {
	Hash  string `json:"hash"`
	From  string `json:"from"`
	To    string `json:"to"`
	Nonce string `json:"nonce"`
	Value string `json:"value"`
	Input string `json:"input"`
}

type scanReceipt struct {
	Hash      string    `json:"transactionHash"`
	BlockHash string    `json:"blockHash"`
	Status    string    `json:"status"`
	GasUsed   string    `json:"gasUsed"`
	GasPrice  string    `json:"effectiveGasPrice"`
	Logs      []scanLog `json:"logs"`
}

type scanLog struct {
	Address string   `json:"address"`
	Topics  []string `json:"topics"`
	Data    string   `json:"data"`
}

// block is the block at a height.
func (s *accountScanner) block(ctx context.Context, height uint64) (*scanAccountBlock, error) {
	return agreed(ctx, s.node, func(ctx context.Context, node NodeRPC) (*scanAccountBlock, error) {
		var block *scanAccountBlock
		if err := node.Call(ctx, "eth_getBlockByNumber", []any{fmt.Sprintf("0x%x", height), true}, &block); err != nil {
			return nil, err
		}
		if block == nil {
			return nil, fmt.Errorf("gateway: scanner: %w: block %d", chains.ErrNotFound, height)
		}
		if number, err := hexUint(block.Number); err != nil || number != height {
			return nil, fmt.Errorf("%w: asked for block %d, got %q", errScanned, height, clip(block.Number))
		}
		block.height = height
		return block, nil
	})
}

// receipt is that of a transaction of a block.
func (s *accountScanner) receipt(ctx context.Context, block *scanAccountBlock, txid string) (*scanReceipt, error) {
	return agreed(ctx, s.node, func(ctx context.Context, node NodeRPC) (*scanReceipt, error) {
		var r *scanReceipt
		if err := node.Call(ctx, "eth_getTransactionReceipt", []any{txid}, &r); err != nil {
			return nil, err
		}
		if r == nil || r.BlockHash != block.Hash || r.Hash != txid {
			return nil, fmt.Errorf("gateway: scanner: no receipt of transaction %s in block %s", clip(txid), clip(block.Hash))
		}
		return r, nil
	})
}

func (r *scanReceipt) fee() (fee chains.Amount, err error) {
	used, err := hexBig(r.GasUsed)
	if err != nil {
		return fee, err
	}
	price, err := hexBig(r.GasPrice)
	if err != nil {
		return fee, err
	}
	return chains.AmountFromBig(used.Mul(used, price))
}

// tells says whether a log of a token names an account as the sender of a transfer.
func (r *scanReceipt) tells(token, from string) bool {
	for _, l := range r.Logs {
		if strings.EqualFold(l.Address, token) && len(l.Topics) == 3 && strings.HasSuffix(strings.ToLower(l.Topics[1]), from[2:]) {
			return true
		}
	}
	return false
}

// into is what a log says that a token moved to an account.
func (l *scanLog) into(token, to string) (units chains.Amount, ok bool) {
	if !strings.EqualFold(l.Address, token) || len(l.Topics) != 3 || l.Topics[0] != transferTopic || !strings.HasSuffix(strings.ToLower(l.Topics[2]), to[2:]) {
		return units, false
	}
	units, err := hexAmount(l.Data)
	return units, err == nil
}

// transferTopic is the hash of Transfer(address,address,uint256).
const transferTopic = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef"

// words lists what a log holds as if all of it were addresses: whoever a token may
// have done something to is among them.
func (l *scanLog) words() (list []string) {
	text := strings.TrimPrefix(l.Data, "0x")
	for _, topic := range l.Topics {
		text = strings.TrimPrefix(topic, "0x") + text
	}
	for ; len(text) >= 64; text = text[64:] {
		list = append(list, "0x"+text[24:64])
	}
	return list
}

// logs lists the logs of our tokens in a block.
func (s *accountScanner) logs(ctx context.Context, block *scanAccountBlock) ([]scanLog, error) {
	if len(s.tokens) == 0 {
		return nil, nil
	}
	return agreed(ctx, s.node, func(ctx context.Context, node NodeRPC) (logs []scanLog, err error) {
		err = node.Call(ctx, "eth_getLogs", []any{map[string]any{"blockHash": block.Hash, "address": s.tokens}}, &logs)
		return logs, err
	})
}

// at names a block by its hash (EIP-1898).
func at(hash string) map[string]any { return map[string]any{"blockHash": hash} }

func (s *accountScanner) coinBalance(ctx context.Context, address, block string) (chains.Amount, error) {
	return agreed(ctx, s.node, func(ctx context.Context, node NodeRPC) (a chains.Amount, err error) {
		var text string
		if err := node.Call(ctx, "eth_getBalance", []any{address, at(block)}, &text); err != nil {
			return a, err
		}
		return hexAmount(text)
	})
}

// tokenBalance is what balanceOf of a token says.
func (s *accountScanner) tokenBalance(ctx context.Context, address, token, block string) (chains.Amount, error) {
	call := map[string]any{"to": token, "data": "0x70a08231" + strings.Repeat("0", 24) + address[2:]}
	return agreed(ctx, s.node, func(ctx context.Context, node NodeRPC) (a chains.Amount, err error) {
		var text string
		if err := node.Call(ctx, "eth_call", []any{call, at(block)}, &text); err != nil {
			return a, err
		}
		if len(text) != 2+64 {
			return a, fmt.Errorf("gateway: scanner: token %s: balance %q", token, clip(text))
		}
		return hexAmount(text)
	})
}

// transferUnits is the second argument of a call transfer(address,uint256).
func transferUnits(input string) (units chains.Amount, ok bool) {
	raw, err := hex.DecodeString(strings.TrimPrefix(input, "0x"))
	if err != nil || len(raw) != 4+64 || hex.EncodeToString(raw[:4]) != "a9059cbb" {
		return units, false
	}
	units, err = hexAmount("0x" + hex.EncodeToString(raw[36:]))
	return units, err == nil
}
