package evm

import (
	"context"
	"errors"
	"fmt"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/common/math"
	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/rpc"
)

// maxFeeHistory is geth's.
const maxFeeHistory = 1024

// GasPrice is the base fee and the tip that are usual: a devnet has no market from
// which geth's oracle could learn.
func (a *ethAPI) GasPrice() *hexutil.Big {
	v, done := a.c.look()
	defer done()
	return hexBig(new(big.Int).Add(v.head().BaseFee(), big.NewInt(defaultTip)))
}

func (a *ethAPI) MaxPriorityFeePerGas() *hexutil.Big { return hexBig(big.NewInt(defaultTip)) }

// feeHistory is the answer of eth_feeHistory.
type feeHistory struct {
	Oldest    *hexutil.Big     `json:"oldestBlock"`
	Reward    [][]*hexutil.Big `json:"reward,omitempty"`
	BaseFees  []*hexutil.Big   `json:"baseFeePerGas"`
	Used      []float64        `json:"gasUsedRatio"`
	BlobFees  []*hexutil.Big   `json:"baseFeePerBlobGas"`
	BlobsUsed []float64        `json:"blobGasUsedRatio"`
}

func (a *ethAPI) FeeHistory(_ context.Context, count math.HexOrDecimal64, newest rpc.BlockNumber, percentiles []float64) (*feeHistory, error) {
	for i, p := range percentiles {
		if p < 0 || p > 100 || i > 0 && p <= percentiles[i-1] {
			return nil, fmt.Errorf("invalid reward percentile: %v", p)
		}
	}
	v, done := a.c.look()
	defer done()
	last := v.number(newest)
	if last == nil {
		return nil, fmt.Errorf("request beyond head block: requested %d, head %d", newest.Int64(), v.height())
	}
	n := min(uint64(count), maxFeeHistory, last.NumberU64()+1)
	if n == 0 {
		return nil, errors.New("no blocks requested")
	}
	first := last.NumberU64() + 1 - n
	h := &feeHistory{Oldest: hexBig(new(big.Int).SetUint64(first))}
	for number := first; number <= last.NumberU64(); number++ {
		b := v.at(number)
		h.BaseFees, h.BlobFees = append(h.BaseFees, hexBig(b.BaseFee())), append(h.BlobFees, hexBig(big.NewInt(1)))
		h.Used, h.BlobsUsed = append(h.Used, float64(b.GasUsed())/float64(b.GasLimit())), append(h.BlobsUsed, 0)
		if len(percentiles) > 0 {
			h.Reward = append(h.Reward, tips(b, percentiles))
		}
	}
	h.BaseFees = append(h.BaseFees, hexBig(eip1559.CalcBaseFee(a.c.config, last.Header())))
	h.BlobFees = append(h.BlobFees, hexBig(big.NewInt(1)))
	return h, nil
}

// tips are the effective tips of a block at percentiles of the gas used.
func tips(b *block, percentiles []float64) []*hexutil.Big {
	type paid struct {
		tip *big.Int
		gas uint64
	}
	var list []paid
	for i, tx := range b.Transactions() {
		list = append(list, paid{new(big.Int).Sub(price(tx, b.BaseFee()), b.BaseFee()), b.receipts[i].GasUsed})
	}
	slices.SortStableFunc(list, func(x, y paid) int { return x.tip.Cmp(y.tip) })
	out := make([]*hexutil.Big, 0, len(percentiles))
	for _, p := range percentiles {
		tip, sum := new(big.Int), uint64(0)
		for _, x := range list {
			tip, sum = x.tip, sum+x.gas
			if float64(sum) >= float64(b.GasUsed())*p/100 {
				break
			}
		}
		out = append(out, hexBig(tip))
	}
	return out
}
