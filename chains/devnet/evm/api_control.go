package evm

import (
	"encoding/json"
	"math/big"
	"time"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/common/hexutil"
	"github.com/ethereum/go-ethereum/common/math"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/holiman/uint256"
)

// controlAPI holds the methods with which a test moves the chain, in the spellings
// of anvil, Hardhat and Ganache (namespaces evm, anvil and hardhat).
type controlAPI struct{ c *Chain }

// evmAPI is the namespace evm.
type evmAPI struct{ c *Chain }

// Mine makes one block, or as many as {"blocks":n} says. A time stamp is refused.
func (a *evmAPI) Mine(how *json.RawMessage) (string, error) {
	count := math.HexOrDecimal64(1)
	if how != nil {
		var options struct {
			Blocks    *math.HexOrDecimal64 `json:"blocks"`
			Timestamp json.RawMessage      `json:"timestamp"`
		}
		if err := json.Unmarshal(*how, &options); err != nil || options.Timestamp != nil {
			return "", badParams(`evm_mine takes nothing or {"blocks":n}: blocks are dated by the clock`)
		}
		if options.Blocks != nil {
			count = *options.Blocks
		}
	}
	return "0x0", a.c.mineMany(count)
}

// SetAutomine switches whether each accepted transaction makes a block.
func (a *evmAPI) SetAutomine(on bool) bool {
	a.c.SetAutomine(on)
	return true
}

// SetIntervalMining makes a block every so many seconds; 0 makes none.
func (a *evmAPI) SetIntervalMining(seconds math.HexOrDecimal64) (bool, error) {
	const most = 24 * 3600
	if seconds > most {
		return false, badParams("interval of more than a day")
	}
	a.c.SetInterval(time.Duration(seconds) * time.Second)
	return true, nil
}

func (c *Chain) mineMany(count math.HexOrDecimal64) error {
	if count > maxMine {
		return badParams("at most %d blocks at once", maxMine)
	}
	return c.Mine(int(count))
}

// Mine makes blocks (1 when it is not said how many). An interval between their
// time stamps is refused.
func (a *controlAPI) Mine(count, apart *math.HexOrDecimal64) (any, error) {
	if apart != nil && *apart > 1 {
		return nil, badParams("blocks are dated by the clock: no interval can be chosen")
	}
	if count == nil {
		return nil, a.c.Mine(1)
	}
	return nil, a.c.mineMany(*count)
}

// SetAutomine is evm_setAutomine.
func (a *controlAPI) SetAutomine(on bool) any {
	a.c.SetAutomine(on)
	return nil
}

// Reorg replaces the last blocks by as many others. Its parameters are those of
// anvil_reorg: the depth and a list of [raw transaction, number of the new block
// that holds it], or one object {"depth","txBlockPairs"}. The transactions of the
// blocks that are replaced are gone.
func (a *controlAPI) Reorg(first json.RawMessage, pairs *json.RawMessage) (any, error) {
	depth, with, err := reorgParams(first, pairs)
	if err != nil {
		return nil, err
	}
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	return nil, a.c.reorg(depth, true, with)
}

func reorgParams(first json.RawMessage, pairs *json.RawMessage) (depth uint64, with map[uint64]types.Transactions, err error) {
	var options struct {
		Depth math.HexOrDecimal64 `json:"depth"`
		Pairs [][]json.RawMessage `json:"txBlockPairs"`
	}
	if err := json.Unmarshal(first, &options); err != nil {
		if err := json.Unmarshal(first, &options.Depth); err != nil {
			return 0, nil, badParams("the depth of the reorganisation is expected: %v", err)
		}
	}
	if pairs != nil {
		if err := json.Unmarshal(*pairs, &options.Pairs); err != nil {
			return 0, nil, badParams("a list of [raw transaction, block] is expected: %v", err)
		}
	}
	if options.Depth > maxMine {
		return 0, nil, badParams("at most %d blocks at once", maxMine)
	}
	with = map[uint64]types.Transactions{}
	for i, pair := range options.Pairs {
		var raw hexutil.Bytes
		var at math.HexOrDecimal64
		tx := new(types.Transaction)
		if len(pair) != 2 || json.Unmarshal(pair[0], &raw) != nil || json.Unmarshal(pair[1], &at) != nil || tx.UnmarshalBinary(raw) != nil || at >= options.Depth {
			return 0, nil, badParams("pair %d: a raw transaction and the number of a new block, from 0, are expected", i)
		}
		with[uint64(at)] = append(with[uint64(at)], tx)
	}
	return uint64(options.Depth), with, nil
}

// Rollback removes the last blocks (1 when it is not said how many) and their
// transactions.
func (a *controlAPI) Rollback(depth *math.HexOrDecimal64) (any, error) {
	if depth == nil {
		return nil, a.c.Rollback(1)
	}
	return nil, a.c.Rollback(uint64(*depth))
}

// SetBalance gives an address a balance: see Chain.SetBalance.
func (a *controlAPI) SetBalance(who common.Address, wei math.HexOrDecimal256) (any, error) {
	n := (*big.Int)(&wei)
	balance, overflow := uint256.FromBig(n)
	if overflow || n.Sign() < 0 {
		return nil, badParams("balance is not a number of 256 bits")
	}
	return true, a.c.SetBalance(who, balance)
}

// DropTransaction takes a transaction out of the pool; the answer is null where it
// did not wait.
func (a *controlAPI) DropTransaction(hash common.Hash) (*common.Hash, error) {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	entry := a.c.pool.byHash[hash]
	if entry == nil {
		return nil, nil
	}
	a.c.pool.remove(entry)
	return &hash, a.c.notePool()
}

// DropAllTransactions empties the pool.
func (a *controlAPI) DropAllTransactions() (any, error) {
	a.c.mu.Lock()
	defer a.c.mu.Unlock()
	a.c.pool.clear()
	return nil, a.c.notePool()
}
