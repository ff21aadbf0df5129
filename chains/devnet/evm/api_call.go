package evm

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/core/vm"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/holiman/uint256"
)

const (
	callGas     = 50_000_000 // of eth_call, as in geth
	callTimeout = 5 * time.Second
)

// txArgs are a call or a transaction in JSON.
type txArgs struct {
	From                 *common.Address   `json:"from"`
	To                   *common.Address   `json:"to"`
	Gas                  *hexutil.Uint64   `json:"gas"`
	GasPrice             *hexutil.Big      `json:"gasPrice"`
	MaxFeePerGas         *hexutil.Big      `json:"maxFeePerGas"`
	MaxPriorityFeePerGas *hexutil.Big      `json:"maxPriorityFeePerGas"`
	Value                *hexutil.Big      `json:"value"`
	Nonce                *hexutil.Uint64   `json:"nonce"`
	Data                 *hexutil.Bytes    `json:"data"`
	Input                *hexutil.Bytes    `json:"input"`
	AccessList           *types.AccessList `json:"accessList"`
	ChainID              *hexutil.Big      `json:"chainId"`
}

// check refuses what contradicts itself, with geth's texts.
func (a *txArgs) check(chainID *big.Int) error {
	if a.Data != nil && a.Input != nil && string(*a.Data) != string(*a.Input) {
		return errors.New(`both "data" and "input" are set and not equal. Please use "input" to pass transaction call data`)
	}
	if a.GasPrice != nil && (a.MaxFeePerGas != nil || a.MaxPriorityFeePerGas != nil) {
		return errors.New("both gasPrice and (maxFeePerGas or maxPriorityFeePerGas) specified")
	}
	if a.ChainID != nil && a.ChainID.ToInt().Cmp(chainID) != 0 {
		return fmt.Errorf("chainId does not match node's (have=%v, want=%v)", a.ChainID.ToInt(), chainID)
	}
	if a.To == nil && len(a.data()) == 0 {
		return errors.New("contract creation without any data provided")
	}
	return nil
}

func (a *txArgs) data() []byte {
	switch {
	case a.Input != nil:
		return *a.Input
	case a.Data != nil:
		return *a.Data
	}
	return nil
}

func (a *txArgs) from() common.Address {
	if a.From == nil {
		return common.Address{}
	}
	return *a.From
}

// word reads an amount; absent is 0.
func word(n *hexutil.Big) (*uint256.Int, error) {
	if n == nil {
		return new(uint256.Int), nil
	}
	out, overflow := uint256.FromBig(n.ToInt())
	if overflow || n.ToInt().Sign() < 0 {
		return nil, badParams("number is not one of 256 bits")
	}
	return out, nil
}

// message is the call with a gas limit. Without fees, it pays none.
func (a *txArgs) message(gas uint64, baseFee *big.Int) (*core.Message, error) {
	value, err := word(a.Value)
	if err != nil {
		return nil, err
	}
	feeCap, tip := a.MaxFeePerGas, a.MaxPriorityFeePerGas
	if a.GasPrice != nil {
		feeCap, tip = a.GasPrice, a.GasPrice
	}
	capWord, err := word(feeCap)
	if err != nil {
		return nil, err
	}
	tipWord, err := word(tip)
	if err != nil {
		return nil, err
	}
	paid := new(uint256.Int)
	if !capWord.IsZero() {
		base, _ := uint256.FromBig(baseFee)
		if paid.Add(tipWord, base); paid.Gt(capWord) {
			paid.Set(capWord)
		}
	}
	m := &core.Message{From: a.from(), To: a.To, Value: value, GasLimit: gas, GasPrice: paid, GasFeeCap: capWord, GasTipCap: tipWord, Data: a.data()}
	if a.AccessList != nil {
		m.AccessList = *a.AccessList
	}
	return m.SkipNonceCheck().SkipEOACheck().SkipGasLimitCapCheck(), nil
}

// run executes a message on a state, which it changes, in the context of a block.
func (c *Chain) run(ctx context.Context, db *state.StateDB, header *types.Header, m *core.Message) (*core.ExecutionResult, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	machine := vm.NewEVM(core.NewEVMBlockContext(header, c.headers(), &header.Coinbase), db, c.config, vm.Config{NoBaseFee: true})
	defer machine.Release()
	stop := context.AfterFunc(ctx, machine.Cancel)
	defer stop()
	db.SetTxContext(common.Hash{}, 0, 0)
	result, err := core.ApplyMessage(machine, m, core.NewGasPool(math.MaxUint64))
	switch {
	case machine.Cancelled():
		return nil, fmt.Errorf("execution aborted (timeout = %v)", callTimeout)
	case err != nil:
		return nil, fmt.Errorf("err: %w (supplied gas %d)", err, m.GasLimit)
	}
	return result, db.Error()
}

// latest is the block that is meant when none is named.
func latest(which *rpc.BlockNumberOrHash) rpc.BlockNumberOrHash {
	if which == nil {
		return rpc.BlockNumberOrHashWithNumber(rpc.LatestBlockNumber)
	}
	return *which
}

// noOverrides refuses the overrides that geth knows and this chain does not.
func noOverrides(overrides *json.RawMessage) error {
	if overrides != nil && string(*overrides) != "null" && string(*overrides) != "{}" {
		return badParams("state overrides are not supported")
	}
	return nil
}

func (a *ethAPI) Call(ctx context.Context, args txArgs, which *rpc.BlockNumberOrHash, overrides *json.RawMessage) (hexutil.Bytes, error) {
	if err := noOverrides(overrides); err != nil {
		return nil, err
	}
	v, done := a.c.look()
	defer done()
	db, header, err := v.state(latest(which))
	if err != nil {
		return nil, err
	}
	gas := uint64(callGas)
	if args.Gas != nil {
		gas = min(gas, uint64(*args.Gas))
	}
	m, err := args.message(gas, header.BaseFee)
	if err != nil {
		return nil, err
	}
	result, err := a.c.run(ctx, db, header, m)
	switch {
	case err != nil:
		return nil, err
	case errors.Is(result.Err, vm.ErrExecutionReverted):
		return nil, reverted(result.Revert())
	case v.lies():
		return lieWords(result.Return()), result.Err
	}
	return result.Return(), result.Err
}

func (a *ethAPI) EstimateGas(ctx context.Context, args txArgs, which *rpc.BlockNumberOrHash, overrides *json.RawMessage) (hexutil.Uint64, error) {
	if err := noOverrides(overrides); err != nil {
		return 0, err
	}
	v, done := a.c.look()
	defer done()
	db, header, err := v.state(latest(which))
	if err != nil {
		return 0, err
	}
	gas, err := a.c.estimate(ctx, db, header, args)
	return hexutil.Uint64(gas), err
}

// estimate is the least gas limit with which a transaction succeeds on a state.
func (c *Chain) estimate(ctx context.Context, db *state.StateDB, header *types.Header, args txArgs) (uint64, error) {
	high := min(header.GasLimit, params.MaxTxGas)
	if args.Gas != nil && uint64(*args.Gas) >= params.TxGas {
		high = min(high, uint64(*args.Gas))
	}
	try := func(gas uint64) (*core.ExecutionResult, error) {
		m, err := args.message(gas, header.BaseFee)
		if err != nil {
			return nil, err
		}
		result, err := c.run(ctx, db.Copy(), header, m)
		if errors.Is(err, core.ErrIntrinsicGas) || errors.Is(err, core.ErrFloorDataGas) {
			return &core.ExecutionResult{Err: vm.ErrOutOfGas}, nil
		}
		return result, err
	}
	result, err := try(high)
	switch {
	case err != nil:
		return 0, err
	case errors.Is(result.Err, vm.ErrExecutionReverted):
		return 0, reverted(result.Revert())
	case errors.Is(result.Err, vm.ErrOutOfGas):
		return 0, fmt.Errorf("gas required exceeds allowance (%d)", high)
	case result.Err != nil:
		return 0, result.Err
	}
	low := max(result.UsedGas, params.TxGas) - 1
	for low+1 < high {
		middle := low + (high-low)/2
		if low < params.TxGas {
			middle = params.TxGas // most transactions are plain transfers
		}
		if result, err = try(middle); err != nil {
			return 0, err
		}
		if result.Failed() {
			low = middle
		} else {
			high = middle
		}
	}
	return high, nil
}
