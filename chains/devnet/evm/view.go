package evm

import (
	"errors"
	"fmt"
	"math/big"
	"slices"
	"sync"

	"github.com/ethereum/go-ethereum/common"
	"github.com/ethereum/go-ethereum/consensus/misc/eip1559"
	"github.com/ethereum/go-ethereum/core/state"
	"github.com/ethereum/go-ethereum/core/types"
	"github.com/ethereum/go-ethereum/params"
	"github.com/ethereum/go-ethereum/rpc"
	"github.com/ethereum/go-ethereum/trie"
	"github.com/holiman/uint256"

	"causeway/chains/devnet/kit"
)

// geth's errors for blocks that are not there (eth/api_backend.go).
var (
	errNoHeader     = errors.New("header not found")
	errNoHash       = errors.New("header for hash not found")
	errNotCanonical = errors.New("hash is not currently canonical")
)

// view is what one request sees of the chain: the truth bent by the fault that is
// set. The lock is held for reading as long as it lives.
type view struct {
	c     *Chain
	fault kit.Fault
	chain []*block // up to the latest block that is seen
}

// look begins a request that reads. done ends it.
func (c *Chain) look() (v *view, done func()) {
	c.mu.RLock()
	v = &view{c: c, fault: c.Fault(), chain: c.chain}
	if v.fault == kit.FaultLag {
		v.chain = c.chain[:max(1, len(c.chain)-kit.LagBlocks)]
	}
	return v, c.mu.RUnlock
}

// lies says whether amounts are shown doubled.
func (v *view) lies() bool { return v.fault == kit.FaultLie }

// height is the number of the latest block.
func (v *view) height() uint64 { return uint64(len(v.chain)) - 1 }

// head is the latest block.
func (v *view) head() *block { return v.at(v.height()) }

// at is the canonical block with a number; nil when there is none.
func (v *view) at(n uint64) *block {
	switch {
	case n > v.height():
		return nil
	case v.lies() && n == v.height() && n > 0:
		return v.c.lieAbout(v.chain[n])
	}
	return v.chain[n]
}

// number resolves a number or a tag; nil when there is no such block. The pending
// block is not one of the chain: see pending.
func (v *view) number(n rpc.BlockNumber) *block {
	back := func(n uint64) *block { return v.at(v.height() - min(n, v.height())) }
	switch n {
	case rpc.LatestBlockNumber, rpc.PendingBlockNumber:
		return v.head()
	case rpc.SafeBlockNumber:
		return back(v.c.epoch)
	case rpc.FinalizedBlockNumber:
		return back(2 * v.c.epoch)
	case rpc.EarliestBlockNumber:
		return v.at(0)
	}
	if n < 0 {
		return nil
	}
	return v.at(uint64(n))
}

// hash is the block with a hash, which may be one that is not canonical any more;
// nil when there is none.
func (v *view) hash(hash common.Hash) *block {
	if tip := v.head(); tip.Hash() == hash {
		return tip
	}
	b := v.c.byHash[hash]
	if b != nil && v.fault == kit.FaultLag && b.NumberU64() > v.height() {
		return nil
	}
	return b
}

// canonical says whether a block is on the chain that is seen.
func (v *view) canonical(b *block) bool {
	at := v.at(b.NumberU64())
	return at != nil && at.Hash() == b.Hash()
}

// block resolves a number, a tag or a hash (EIP-1898); nil when there is none.
func (v *view) block(which rpc.BlockNumberOrHash) (*block, error) {
	if n, ok := which.Number(); ok {
		return v.number(n), nil
	}
	hash, _ := which.Hash()
	b := v.hash(hash)
	if b != nil && which.RequireCanonical && !v.canonical(b) {
		return nil, errNotCanonical
	}
	return b, nil
}

// state is the state after a block, or of the pending one, and that block's header.
func (v *view) state(which rpc.BlockNumberOrHash) (*state.StateDB, *types.Header, error) {
	n, byNumber := which.Number()
	if byNumber && n == rpc.PendingBlockNumber && v.fault == kit.FaultNone {
		w, err := v.c.fill(v.c.head())
		if err != nil {
			return nil, nil, err
		}
		defer w.release()
		return w.state, w.header, nil
	}
	b, err := v.block(which)
	switch {
	case err != nil:
		return nil, nil, err
	case b == nil && byNumber:
		return nil, nil, errNoHeader
	case b == nil:
		return nil, nil, errNoHash
	}
	if v.c.kept > 0 && b.NumberU64()+v.c.kept <= v.height() {
		return nil, nil, fmt.Errorf("historical state %x is not available", b.Root())
	}
	db, err := v.c.stateAt(b.Root())
	return db, b.Header(), err
}

// pending is the block that would be made now.
func (v *view) pending() (*block, error) {
	if v.fault != kit.FaultNone {
		return v.head(), nil
	}
	w, err := v.c.fill(v.c.head())
	if err != nil {
		return nil, err
	}
	defer w.release()
	return w.finish()
}

// waiting is the pool.
func (v *view) waiting() []*pooled {
	if v.fault == kit.FaultLag {
		return nil
	}
	return v.c.pool.list()
}

// transaction finds a canonical transaction.
func (v *view) transaction(hash common.Hash) (b *block, index int, ok bool) {
	at, ok := v.c.mined[hash]
	if !ok || at.block.NumberU64() > v.height() {
		return nil, 0, false
	}
	return v.at(at.block.NumberU64()), at.index, true
}

// receipts are a block's, with doubled amounts where the view lies.
func (v *view) receipts(b *block) types.Receipts {
	if v.lies() && b == v.c.byHash[b.Hash()] { // not the false block, whose receipts are false already
		return lieReceipts(b.receipts)
	}
	return b.receipts
}

// wei is an amount, doubled where the view lies.
func (v *view) wei(n *big.Int) *big.Int {
	if v.lies() {
		return new(big.Int).Lsh(n, 1)
	}
	return n
}

// nextBaseFee is the base fee of the next block. The lock is held.
func (c *Chain) nextBaseFee() *big.Int { return eip1559.CalcBaseFee(c.config, c.head().Header()) }

// fakeTip is the block that FaultLie shows in place of the latest.
type fakeTip struct {
	mu    sync.Mutex
	of    *block
	block *block
}

// lieAbout makes (once for each tip) the false latest block: its receipts are
// false, and its header commits to them.
func (c *Chain) lieAbout(tip *block) *block {
	c.fake.mu.Lock()
	defer c.fake.mu.Unlock()
	if c.fake.of == tip {
		return c.fake.block
	}
	header := tip.Header()
	header.Extra = append(slices.Clone(header.Extra), '?')
	receipts := lieReceipts(tip.receipts)
	b := types.NewBlock(header, tip.Body(), receipts, trie.NewListHasher())
	if err := receipts.DeriveFields(c.config, b.Hash(), b.NumberU64(), b.Time(), b.BaseFee(), big.NewInt(params.BlobTxMinBlobGasprice), b.Transactions()); err != nil {
		c.log.Error("devnet eth: false block", "err", err)
	}
	c.fake.of, c.fake.block = tip, &block{Block: b, receipts: receipts}
	return c.fake.block
}

// lieReceipts are copies in which nothing failed and every amount is doubled.
func lieReceipts(honest types.Receipts) types.Receipts {
	list := make(types.Receipts, len(honest))
	for i, r := range honest {
		fake := *r
		fake.Status = types.ReceiptStatusSuccessful
		fake.Logs = make([]*types.Log, len(r.Logs))
		for j, l := range r.Logs {
			fakeLog := *l
			fakeLog.Data = lieWords(l.Data)
			fake.Logs[j] = &fakeLog
		}
		list[i] = &fake
	}
	return list
}

// lieWords doubles a single 256-bit word, which is how amounts are encoded, and
// leaves other data alone.
func lieWords(data []byte) []byte {
	if len(data) != 32 {
		return data
	}
	n := new(uint256.Int).SetBytes(data)
	word := n.Lsh(n, 1).Bytes32()
	return word[:]
}
