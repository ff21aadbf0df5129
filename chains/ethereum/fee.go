package ethereum

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/ethereum/go-ethereum/common/hexutil"

	"causeway/chains/jsonrpc"
)

// Market is what blocks charge and what tips were paid, in wei per unit of gas.
type Market struct {
	BaseFee Wei // of the next block
	Tip     Wei // the median, over the newest blocks, of the 25th percentile of a block
}

const (
	feeBlocks     = 20
	feePercentile = 25
)

// market asks for the fees of the newest blocks.
func (n *Node) market(ctx context.Context) (Market, error) {
	var history struct {
		BaseFees []hexutil.Big   `json:"baseFeePerGas"`
		Rewards  [][]hexutil.Big `json:"reward"`
	}
	if err := n.call(ctx, jsonrpc.SmallAnswer, &history, "eth_feeHistory", quantity(feeBlocks), string(Latest), []int{feePercentile}); err != nil {
		return Market{}, err
	}
	blocks := len(history.Rewards)
	if blocks == 0 || blocks > feeBlocks || len(history.BaseFees) != blocks+1 {
		return Market{}, n.malformed("fee history of %d blocks with %d base fees", blocks, len(history.BaseFees))
	}
	base, err := WeiFromBig(history.BaseFees[blocks].ToInt())
	if err != nil {
		return Market{}, n.malformed("base fee: %v", err)
	}
	tips := make([]Wei, blocks)
	for i, rewards := range history.Rewards {
		if len(rewards) != 1 {
			return Market{}, n.malformed("fee history with %d percentiles", len(rewards))
		}
		if tips[i], err = WeiFromBig(rewards[0].ToInt()); err != nil {
			return Market{}, n.malformed("tip: %v", err)
		}
	}
	return Market{BaseFee: base, Tip: median(tips)}, nil
}

// median is the lower of the two in the middle.
func median(list []Wei) Wei {
	slices.SortFunc(list, Wei.Cmp)
	return list[(len(list)-1)/2]
}

// FeeLimits bound what is paid for a unit of gas, in wei.
type FeeLimits struct{ Min, Max Wei }

// minTip is the least tip offered, 0.01 gwei: empty blocks report tips of nothing,
// and nodes as they are shipped do not take up less than a tenth of it.
var minTip = NewWei(10_000_000)

// ErrFeeCap: a replacement would cost more than the limits allow.
var ErrFeeCap = errors.New("ethereum: the price of a replacement is above the limit")

// Price is what to offer now: the tip of the market and twice the base fee, which
// outlasts six full blocks, the sum within the limits and the tip within the sum.
// At the upper limit it may be less than the base fee: it then waits.
func (l FeeLimits) Price(m Market) Price {
	tip := m.Tip
	if tip.Less(minTip) {
		tip = minTip
	}
	most := l.Max
	if double, err := m.BaseFee.Times(2); err == nil {
		if sum, err := double.Add(tip); err == nil && sum.Less(most) {
			most = sum
		}
	}
	if most.Less(l.Min) {
		most = l.Min
	}
	if most.Less(tip) {
		tip = most
	}
	return Price{Max: most, Tip: tip}
}

// Replace is what to offer in place of an old price: what the market asks for, and
// at least an eighth more than the old, of the tip too. Nodes take a replacement
// from a tenth more.
func (l FeeLimits) Replace(old Price, m Market) (Price, error) {
	p := l.Price(m)
	most, err := raised(old.Max)
	if err != nil {
		return Price{}, err
	}
	tip, err := raised(old.Tip)
	if err != nil {
		return Price{}, err
	}
	if p.Max.Less(most) {
		p.Max = most
	}
	if p.Tip.Less(tip) {
		p.Tip = tip
	}
	if l.Max.Less(p.Max) {
		return Price{}, fmt.Errorf("%w: %s wei after %s, at most %s", ErrFeeCap, p.Max, old.Max, l.Max)
	}
	return p, nil
}

// raised is w and an eighth, rounded up.
func raised(w Wei) (Wei, error) { return w.Add(w.eighth()) }

// Gas of what we send.
const (
	PlainGas = 21_000 // a transfer of coins to an account without code
	// TokenGas and TokenGasCap bound a transfer of a token: usual ones take 35,000
	// to 65,000, and the cap is what one that eats gas can cost us.
	TokenGas    = 65_000
	TokenGasCap = 100_000
	// PayeeGasCap bounds a transfer of coins to a contract.
	PayeeGasCap = 100_000
)

// What is known of a payee's gas, and why he is not paid.
var (
	// ErrReverts: the transfer would fail: the contract refuses it.
	ErrReverts = errors.New("ethereum: the transfer would be reverted")
	// ErrGasCap: the transfer takes more gas than is spent on one.
	ErrGasCap = errors.New("ethereum: the transfer takes more gas than allowed")
)

// estimate asks what a transfer takes at the newest block.
func (n *Node) estimate(ctx context.Context, from Address, t Transaction) (uint64, error) {
	message := callMessage(t.To, t.Data)
	message["from"], message["value"] = from, hexutil.EncodeBig(t.Value.Big())
	var gas hexutil.Uint64
	err := n.call(ctx, jsonrpc.SmallAnswer, &gas, "eth_estimateGas", message, string(Latest))
	var refused *jsonrpc.Error
	if errors.As(err, &refused) && fails(refused.Message) {
		return 0, fmt.Errorf("%w: %w", ErrReverts, err)
	}
	return uint64(gas), err
}

// failTexts are what nodes say, in lower case, of a call that the code itself brings to
// an end: geth, reth and Nethermind (words run together), Erigon, Besu.
var failTexts = []string{
	"revert", "out of gas", "outofgas", "gas required exceeds", "gas uint64 overflow",
	"invalid opcode", "invalidopcode", "bad instruction", "badinstruction", "opcodenotfound", "invalidfeopcode",
	"invalid jump", "invalidjump", "bad jump", "badjump", "stack underflow", "stackunderflow", "stack limit", "stack overflow", "stackoverflow",
	"write protection", "staticcallviolation", "statechangeduringstaticcall", "return data out of bounds", "outofoffset", "accessviolation",
	"invalid code", "vm execution error", "precompileerror",
}

func fails(message string) bool {
	message = strings.ToLower(message)
	return slices.ContainsFunc(failTexts, func(text string) bool { return strings.Contains(message, text) })
}

// limit is the gas to allow for an estimate: a quarter more, within the bounds.
func gasLimit(estimate, least, most uint64) (uint64, error) {
	if estimate > most {
		return 0, fmt.Errorf("%w: %d, at most %d", ErrGasCap, estimate, most)
	}
	return min(max(estimate+estimate/4, least), most), nil
}
