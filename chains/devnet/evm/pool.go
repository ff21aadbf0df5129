package evm

import (
	"errors"
	"fmt"
	"maps"
	"math/big"
	"slices"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/txpool"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/params"
)

const (
	// priceBump is by how many percent a replacement must raise both the tip and the
	// fee cap, as in geth.
	priceBump = 10
	// maxPooled bounds the pool.
	maxPooled = 8192
	// maxTxSize is geth's: four slots of 32 KiB.
	maxTxSize = 128 * 1024
	// feeCapEther is the highest fee that RPC takes, as in geth.
	feeCapEther = 1
)

var (
	errUnprotected = errors.New("only replay-protected (EIP-155) transactions allowed over RPC")
	errPoolFull    = errors.New("txpool is full")
)

// pool holds the transactions that wait, by sender and nonce. The Chain's lock
// guards it.
type pool struct {
	signer types.Signer
	bySent map[common.Address]map[uint64]*pooled
	byHash map[common.Hash]*pooled
	count  uint64 // transactions ever taken: order of arrival
}

// pooled is a waiting transaction.
type pooled struct {
	tx    *types.Transaction
	from  common.Address
	order uint64
}

func newPool(signer types.Signer) *pool {
	return &pool{signer: signer, bySent: map[common.Address]map[uint64]*pooled{}, byHash: map[common.Hash]*pooled{}}
}

// check says whether the pool may take a transaction on top of a block, with
// geth's errors.
func (p *pool) check(tx *types.Transaction, config *params.ChainConfig, head *types.Header, db *state.StateDB) error {
	if p.byHash[tx.Hash()] != nil {
		return txpool.ErrAlreadyKnown
	}
	err := txpool.ValidateTransaction(tx, head, p.signer, &txpool.ValidationOptions{
		Config:  config,
		Accept:  1<<types.LegacyTxType | 1<<types.AccessListTxType | 1<<types.DynamicFeeTxType | 1<<types.SetCodeTxType,
		MaxSize: maxTxSize, MinTip: common.Big1,
	})
	if err != nil {
		return err
	}
	err = txpool.ValidateTransactionWithState(tx, p.signer, &txpool.ValidationOptionsWithState{
		State: db, ExistingExpenditure: p.expenditure,
		ExistingCost: func(from common.Address, nonce uint64) *big.Int {
			if old := p.bySent[from][nonce]; old != nil {
				return old.tx.Cost()
			}
			return nil
		},
	})
	if err != nil {
		return err
	}
	from, err := types.Sender(p.signer, tx)
	if err != nil {
		return err
	}
	switch old := p.bySent[from][tx.Nonce()]; {
	case old != nil && !replaces(tx, old.tx):
		return txpool.ErrReplaceUnderpriced
	case old == nil && len(p.byHash) >= maxPooled:
		return errPoolFull
	}
	return nil
}

// expenditure is what all waiting transactions of a sender cost at most.
func (p *pool) expenditure(from common.Address) *big.Int {
	sum := new(big.Int)
	for _, waiting := range p.bySent[from] {
		sum.Add(sum, waiting.tx.Cost())
	}
	return sum
}

// replaces says whether tx pays enough more than old, which has the same nonce.
func replaces(tx, old *types.Transaction) bool {
	raised := func(old *big.Int) *big.Int {
		n := new(big.Int).Mul(old, big.NewInt(100+priceBump))
		return n.Div(n, big.NewInt(100))
	}
	return tx.GasFeeCapCmp(old) > 0 && tx.GasTipCapCmp(old) > 0 &&
		tx.GasFeeCapIntCmp(raised(old.GasFeeCap())) >= 0 && tx.GasTipCapIntCmp(raised(old.GasTipCap())) >= 0
}

// put takes a checked transaction, in place of one of the same nonce.
func (p *pool) put(tx *types.Transaction) error {
	from, err := types.Sender(p.signer, tx)
	if err != nil {
		return err
	}
	if old := p.bySent[from][tx.Nonce()]; old != nil {
		p.remove(old)
	}
	if p.bySent[from] == nil {
		p.bySent[from] = map[uint64]*pooled{}
	}
	p.count++
	entry := &pooled{tx: tx, from: from, order: p.count}
	p.bySent[from][tx.Nonce()], p.byHash[tx.Hash()] = entry, entry
	return nil
}

func (p *pool) remove(entry *pooled) {
	delete(p.byHash, entry.tx.Hash())
	delete(p.bySent[entry.from], entry.tx.Nonce())
	if len(p.bySent[entry.from]) == 0 {
		delete(p.bySent, entry.from)
	}
}

// clear forgets all transactions.
func (p *pool) clear() {
	clear(p.bySent)
	clear(p.byHash)
}

// list is every waiting transaction in order of arrival.
func (p *pool) list() []*pooled {
	return slices.SortedFunc(maps.Values(p.byHash), func(a, b *pooled) int {
		if a.order < b.order {
			return -1
		}
		return 1
	})
}

// refresh drops what can never be mined on top of a state, or not be paid for.
func (p *pool) refresh(db *state.StateDB) {
	for _, entry := range p.list() {
		if entry.tx.Nonce() < db.GetNonce(entry.from) || db.GetBalance(entry.from).ToBig().Cmp(entry.tx.Cost()) < 0 {
			p.remove(entry)
		}
	}
}

// nonce is the next free one of a sender whose nonce in the state is given.
func (p *pool) nonce(from common.Address, next uint64) uint64 {
	for p.bySent[from][next] != nil {
		next++
	}
	return next
}

// best is the waiting transaction that a block should take next: of those whose
// turn it is and who pay the base fee, the one with the highest tip, and of equal
// ones the first that came. skip holds senders that are not asked again.
func (p *pool) best(db *state.StateDB, baseFee *big.Int, skip map[common.Address]bool) *pooled {
	var best *pooled
	var bestTip *big.Int
	for from, waiting := range p.bySent {
		entry := waiting[db.GetNonce(from)]
		if entry == nil || skip[from] {
			continue
		}
		tip, err := entry.tx.EffectiveGasTip(baseFee)
		if err != nil {
			continue // below the base fee
		}
		order := 1
		if best != nil {
			order = tip.Cmp(bestTip)
		}
		if order > 0 || order == 0 && entry.order < best.order {
			best, bestTip = entry, tip
		}
	}
	return best
}

// checkFee refuses fees that only a mistake explains, as geth's RPC does.
func checkFee(tx *types.Transaction) error {
	fee := new(big.Int).Mul(tx.GasPrice(), new(big.Int).SetUint64(tx.Gas()))
	limit := new(big.Int).Mul(big.NewInt(feeCapEther), big.NewInt(params.Ether))
	if fee.Cmp(limit) <= 0 {
		return nil
	}
	ether, _ := new(big.Rat).SetFrac(fee, big.NewInt(params.Ether)).Float64()
	return fmt.Errorf("tx fee (%.2f ether) exceeds the configured cap (%.2f ether)", ether, float64(feeCapEther))
}
