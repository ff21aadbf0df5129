package devnet

import (
	"encoding/hex"
	"encoding/json"
	"errors"

	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

var errNotFound = errors.New("not found")

// view is what one request sees of the chain: the truth bent by the fault that
// was set when it came in. It lives under the chain's lock.
type view struct {
	c     *Chain
	fault Fault
	tip   chainhash.Hash
	best  int32
	fake  *btcutil.Block // FaultLie: what stands at best
}

// view is taken with the lock held.
func (c *Chain) view(fault Fault) (*view, error) {
	snapshot := c.chain.BestSnapshot()
	v := &view{c: c, fault: fault, tip: snapshot.Hash, best: snapshot.Height}
	switch fault {
	case FaultLag:
		v.best = max(0, v.best-LagBlocks)
		hash, err := c.chain.BlockHashByHeight(v.best)
		if err != nil {
			return nil, err
		}
		v.tip = *hash
	case FaultLie:
		if v.best == 0 {
			break
		}
		fake, err := c.lieAbout(v.tip, v.best)
		if err != nil {
			return nil, err
		}
		v.fake, v.tip = fake, *fake.Hash()
	}
	return v, nil
}

// amount prints satoshi.
func (v *view) amount(sat int64) json.Number {
	if v.fault == FaultFloat {
		return floatAmount(sat)
	}
	return formatAmount(sat)
}

// hashAt is the best chain's block at a height.
func (v *view) hashAt(height int64) (chainhash.Hash, error) {
	switch {
	case height < 0 || height > int64(v.best):
		return chainhash.Hash{}, errNotFound
	case height == int64(v.best):
		return v.tip, nil
	}
	hash, err := v.c.chain.BlockHashByHeight(int32(height))
	if err != nil {
		return chainhash.Hash{}, errNotFound
	}
	return *hash, nil
}

// located is a known block.
type located struct {
	hash   chainhash.Hash
	header wire.BlockHeader
	height int32
	main   bool
}

// locate finds a block of the best chain or a stale one.
func (v *view) locate(hash chainhash.Hash) (located, error) {
	if v.fake != nil {
		if hash == *v.fake.Hash() {
			return located{hash, v.fake.MsgBlock().Header, v.best, true}, nil
		}
		if v.c.chain.BestSnapshot().Hash == hash {
			return located{}, errNotFound
		}
	}
	header, err := v.c.chain.HeaderByHash(&hash)
	if err != nil {
		return located{}, errNotFound
	}
	height, main, err := v.c.heightOf(hash, header)
	if err != nil || main && height > v.best {
		return located{}, errNotFound
	}
	return located{hash, header, height, main}, nil
}

// confirmations is 1 for the tip and -1 for a stale block, as in Core.
func (v *view) confirmations(at located) int64 {
	if !at.main {
		return -1
	}
	return int64(v.best-at.height) + 1
}

// raw is a block's bytes.
func (v *view) raw(at located) ([]byte, error) {
	if v.fault != FaultLie {
		return v.c.rawBlock(at.hash)
	}
	block, err := v.block(at)
	if err != nil {
		return nil, err
	}
	return block.Bytes()
}

// block is a block decoded.
func (v *view) block(at located) (*btcutil.Block, error) {
	if v.fake != nil && at.hash == v.tip {
		return btcutil.NewBlock(v.fake.MsgBlock()), nil // its own memo of the bytes
	}
	block, err := v.c.block(at.hash)
	if err != nil {
		return nil, err
	}
	if v.fault == FaultLie {
		for _, tx := range block.MsgBlock().Transactions {
			inflate(tx)
		}
		block = btcutil.NewBlock(block.MsgBlock())
	}
	return block, nil
}

// mempool lists waiting transactions, oldest first.
func (v *view) mempool() []*btcutil.Tx {
	if v.fault == FaultLag {
		return nil
	}
	return v.c.poolTxs()
}

// transaction finds a transaction in the mempool (at is nil) or on the best
// chain.
func (v *view) transaction(id chainhash.Hash) (tx *wire.MsgTx, at *located, err error) {
	if v.fault != FaultLag {
		if waiting, err := v.c.pool.FetchTransaction(&id); err == nil {
			return v.bend(waiting.MsgTx()), nil, nil
		}
	}
	hash, ok := v.c.index[id]
	if !ok {
		return nil, nil, errNotFound
	}
	header, err := v.c.chain.HeaderByHash(&hash)
	if err != nil {
		return nil, nil, err
	}
	height, main, err := v.c.heightOf(hash, header)
	if err != nil {
		return nil, nil, err
	}
	if height > v.best {
		return nil, nil, errNotFound
	}
	block, err := v.c.block(hash)
	if err != nil {
		return nil, nil, err
	}
	for _, tx := range block.Transactions() {
		if *tx.Hash() == id {
			return v.bend(tx.MsgTx()), &located{hash, header, height, main}, nil
		}
	}
	return nil, nil, errNotFound
}

// bend is the transaction itself, or a copy with false amounts.
func (v *view) bend(tx *wire.MsgTx) *wire.MsgTx {
	if v.fault != FaultLie {
		return tx
	}
	tx = tx.Copy()
	inflate(tx)
	return tx
}

// output is an unspent output.
type output struct {
	wire.TxOut
	height   int32 // -1: unconfirmed
	coinbase bool
}

// unspent finds an output that nothing on the chain, and with waiting nothing
// in the mempool, has spent. It is nil when there is none.
func (v *view) unspent(op wire.OutPoint, waiting bool) (*output, error) {
	if v.fault == FaultLag {
		return v.unspentThen(op)
	}
	if waiting {
		if v.c.pool.CheckSpend(op) != nil {
			return nil, nil
		}
		if tx, err := v.c.pool.FetchTransaction(&op.Hash); err == nil {
			if int(op.Index) >= len(tx.MsgTx().TxOut) {
				return nil, nil
			}
			out := &output{*tx.MsgTx().TxOut[op.Index], -1, false}
			return v.bendOutput(out), nil
		}
	}
	v.c.utxoMu.Lock()
	defer v.c.utxoMu.Unlock()
	entry, err := v.c.chain.FetchUtxoEntry(op)
	if err != nil || entry == nil || entry.IsSpent() {
		return nil, err
	}
	out := &output{
		wire.TxOut{Value: entry.Amount(), PkScript: entry.PkScript()},
		entry.BlockHeight(), entry.IsCoinBase(),
	}
	return v.bendOutput(out), nil
}

func (v *view) bendOutput(out *output) *output {
	if v.fault == FaultLie {
		out.Value = lieAmount(out.Value)
	}
	return out
}

// unspentThen is unspent as of LagBlocks ago: an output made by then that is
// unspent now, or spent by a block that is not seen yet.
func (v *view) unspentThen(op wire.OutPoint) (*output, error) {
	tx, at, err := v.transaction(op.Hash)
	if errors.Is(err, errNotFound) {
		return nil, nil
	}
	if err != nil || at.height == 0 || int(op.Index) >= len(tx.TxOut) {
		return nil, err
	}
	honest := *v
	honest.fault = FaultNone
	now, err := honest.unspent(op, false)
	if err != nil {
		return nil, err
	}
	spentSince, err := v.spentAfter(op)
	if err != nil || now == nil && !spentSince {
		return nil, err
	}
	return &output{*tx.TxOut[op.Index], at.height, tx.TxIn[0].PreviousOutPoint.Index == wire.MaxPrevOutIndex}, nil
}

// spentAfter reports whether a block above the view's tip spends an output.
func (v *view) spentAfter(op wire.OutPoint) (bool, error) {
	for height := v.best + 1; height <= v.c.chain.BestSnapshot().Height; height++ {
		block, err := v.c.chain.BlockByHeight(height)
		if err != nil {
			return false, err
		}
		for _, tx := range block.MsgBlock().Transactions {
			for _, in := range tx.TxIn {
				if in.PreviousOutPoint == op {
					return true, nil
				}
			}
		}
	}
	return false, nil
}

func hexTx(tx *wire.MsgTx) (string, error) {
	raw, err := serializeTx(tx)
	return hex.EncodeToString(raw), err
}
