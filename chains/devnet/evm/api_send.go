package evm

import (
	"context"
	"errors"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/params"
)

// defaultTip is what transactions pay that do not say: 1 gwei for each unit of gas.
const defaultTip = params.GWei

var errUnknownAccount = errors.New("unknown account")

func (a *ethAPI) SendRawTransaction(_ context.Context, raw hexutil.Bytes) (common.Hash, error) {
	tx := new(types.Transaction)
	if err := tx.UnmarshalBinary(raw); err != nil {
		return common.Hash{}, err
	}
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	return tx.Hash(), a.c.submit(tx)
}

// SendTransaction signs with the key of one of the funded accounts.
func (a *ethAPI) SendTransaction(_ context.Context, args txArgs) (common.Hash, error) {
	return a.c.send(args)
}

func (c *Chain) send(args txArgs) (common.Hash, error) {
	i := slices.IndexFunc(c.accounts, func(a Account) bool { return a.Address == args.from() })
	if i < 0 {
		return common.Hash{}, errUnknownAccount
	}
	if err := args.check(c.config.ChainID); err != nil {
		return common.Hash{}, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	data, err := c.complete(args)
	if err != nil {
		return common.Hash{}, err
	}
	tx, err := types.SignNewTx(c.accounts[i].Key, c.signer, data)
	if err != nil {
		return common.Hash{}, err
	}
	return tx.Hash(), c.submit(tx)
}

// complete finds what a transaction does not say: nonce, gas and fees as of the
// pending block. The lock is held.
func (c *Chain) complete(args txArgs) (types.TxData, error) {
	w, err := c.fill(c.head())
	if err != nil {
		return nil, err
	}
	defer w.release()
	nonce := c.pool.nonce(args.from(), w.state.GetNonce(args.from()))
	if args.Nonce != nil {
		nonce = uint64(*args.Nonce)
	}
	var gas uint64
	if args.Gas != nil {
		gas = uint64(*args.Gas)
	} else if gas, err = c.estimate(empty(), w.state, w.header, args); err != nil {
		return nil, err
	}
	value := new(big.Int)
	if args.Value != nil {
		value = args.Value.ToInt()
	}
	if args.GasPrice != nil {
		return &types.LegacyTx{Nonce: nonce, GasPrice: args.GasPrice.ToInt(), Gas: gas, To: args.To, Value: value, Data: args.data()}, nil
	}
	tip, feeCap := big.NewInt(defaultTip), new(big.Int)
	if args.MaxPriorityFeePerGas != nil {
		tip = args.MaxPriorityFeePerGas.ToInt()
	}
	feeCap.Add(tip, new(big.Int).Lsh(w.header.BaseFee, 1))
	if args.MaxFeePerGas != nil {
		feeCap = args.MaxFeePerGas.ToInt()
	}
	tx := &types.DynamicFeeTx{ChainID: c.config.ChainID, Nonce: nonce, GasTipCap: tip, GasFeeCap: feeCap, Gas: gas, To: args.To, Value: value, Data: args.data()}
	if args.AccessList != nil {
		tx.AccessList = *args.AccessList
	}
	return tx, nil
}
