package evm

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/rpc"
)

// geth's errors of eth_getLogs (eth/filters/api.go).
var (
	errUnknownBlock = errors.New("unknown block")
	errRange        = badParams("invalid block range params")
	errHashAndRange = badParams("can't specify fromBlock/toBlock with blockHash")
	errPendingLogs  = badParams("pending logs are not supported")
	errFutureRange  = badParams("block range extends beyond current head block")
)

// maxTopics is how many topics a log has at most.
const maxTopics = 4

// logFilter is the parameter of eth_getLogs.
type logFilter struct {
	BlockHash *common.Hash              `json:"blockHash"`
	From      *rpc.BlockNumber          `json:"fromBlock"`
	To        *rpc.BlockNumber          `json:"toBlock"`
	Address   oneOrMany[common.Address] `json:"address"`
	Topics    []oneOrMany[common.Hash]  `json:"topics"`
}

// oneOrMany is a value, a list of alternatives, or null: anything.
type oneOrMany[T any] []T

// UnmarshalJSON implements json.Unmarshaler.
func (o *oneOrMany[T]) UnmarshalJSON(text []byte) error {
	switch text = bytes.TrimSpace(text); {
	case string(text) == "null":
		return nil
	case text[0] != '[':
		*o = make([]T, 1)
		return json.Unmarshal(text, &(*o)[0])
	}
	var list []*T
	if err := json.Unmarshal(text, &list); err != nil {
		return err
	}
	if slices.Contains(list, nil) { // one of the alternatives is anything
		return nil
	}
	for _, item := range list {
		*o = append(*o, *item)
	}
	return nil
}

// matches says whether a log is asked for.
func (f *logFilter) matches(l *types.Log) bool {
	if len(f.Address) > 0 && !slices.Contains(f.Address, l.Address) || len(f.Topics) > len(l.Topics) {
		return false
	}
	for i, alternatives := range f.Topics {
		if len(alternatives) > 0 && !slices.Contains(alternatives, l.Topics[i]) {
			return false
		}
	}
	return true
}

func (a *ethAPI) GetLogs(_ context.Context, f logFilter) ([]*types.Log, error) {
	if len(f.Topics) > maxTopics {
		return nil, errors.New("exceed max topics")
	}
	v, done := a.c.look()
	defer done()
	blocks, err := v.logBlocks(f)
	if err != nil {
		return nil, err
	}
	found := []*types.Log{}
	for _, b := range blocks {
		for _, r := range v.receipts(b) {
			for _, l := range r.Logs {
				if f.matches(l) {
					found = append(found, l)
				}
			}
		}
	}
	return found, nil
}

// logBlocks are the blocks that a filter asks for.
func (v *view) logBlocks(f logFilter) ([]*block, error) {
	if f.BlockHash != nil {
		if f.From != nil || f.To != nil {
			return nil, errHashAndRange
		}
		b := v.hash(*f.BlockHash)
		if b == nil {
			return nil, errUnknownBlock
		}
		return []*block{b}, nil
	}
	from, to := rpc.LatestBlockNumber, rpc.LatestBlockNumber
	if f.From != nil {
		from = *f.From
	}
	if f.To != nil {
		to = *f.To
	}
	if from == rpc.PendingBlockNumber || to == rpc.PendingBlockNumber {
		return nil, errPendingLogs
	}
	if from >= 0 && to >= 0 && from > to {
		return nil, errRange
	}
	first, last := v.number(from), v.number(to)
	if first == nil || last == nil {
		return nil, errFutureRange
	}
	var blocks []*block
	for n := first.NumberU64(); n <= last.NumberU64(); n++ {
		blocks = append(blocks, v.at(n))
	}
	return blocks, nil
}
