package chaintest

import (
	"cmp"
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/btcutil/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/mining"
	"github.com/btcsuite/btcd/txscript/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// branch is the blocks from the genesis to a tip, by height.
type branch []*Block

func branchTo(tip *Block) branch {
	b := make(branch, tip.Height+1)
	for ; tip != nil; tip = tip.Parent {
		b[tip.Height] = tip
	}
	return b
}

func (b branch) tip() *Block { return b[len(b)-1] }

func (b branch) has(block *Block) bool {
	return block.Height < len(b) && b[block.Height] == block
}

// where is the block of the branch that holds a transaction, nil for none.
func (b branch) where(tx *Tx) *Block {
	for _, block := range tx.blocks {
		if b.has(block) {
			return block
		}
	}
	return nil
}

// output is an output that exists in the branch, with its block.
func (s *Sim) output(b branch, op wire.OutPoint) (*wire.TxOut, *Block) {
	tx := s.txs[op.Hash]
	if tx == nil || int(op.Index) >= len(tx.Msg.TxOut) {
		return nil, nil
	}
	if block := b.where(tx); block != nil {
		return tx.Msg.TxOut[op.Index], block
	}
	return nil, nil
}

// spender is the transaction of the branch that spends an outpoint.
func (s *Sim) spender(b branch, op wire.OutPoint) *Tx {
	for _, tx := range s.spenders[op] {
		if b.where(tx) != nil {
			return tx
		}
	}
	return nil
}

// Mine implements Payer: blocks on the best branch, of all that waits in any
// node's mempool, the first node's first.
func (s *Sim) Mine(blocks int) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	for range blocks {
		if _, err := s.extend(s.best, s.waiting(s.best), nil); err != nil {
			return err
		}
	}
	return nil
}

// waiting lists what of all mempools can stand together in a block on parent.
func (s *Sim) waiting(parent *Block) (list []*Tx) {
	var all []*Tx
	for _, n := range s.nodes {
		all = append(all, n.pool...)
	}
	return s.fitting(branchTo(parent), all)
}

// fitting are the transactions that are valid on a branch one after the other.
func (s *Sim) fitting(b branch, candidates []*Tx) (list []*Tx) {
	spent := map[wire.OutPoint]bool{}
	made := map[chainhash.Hash]*Tx{}
	for _, tx := range candidates {
		if made[tx.ID] != nil || b.where(tx) != nil || s.fits(b, tx, spent, made) != nil {
			continue
		}
		for _, in := range tx.Msg.TxIn {
			spent[in.PreviousOutPoint] = true
		}
		made[tx.ID] = tx
		list = append(list, tx)
	}
	return list
}

var (
	errMissing   = errors.New("bad-txns-inputs-missingorspent")
	errConflict  = errors.New("txn-mempool-conflict")
	errPremature = errors.New("bad-txns-premature-spend-of-coinbase")
)

// fits says why a transaction cannot follow a branch and the transactions made
// after it.
func (s *Sim) fits(b branch, tx *Tx, spent map[wire.OutPoint]bool, made map[chainhash.Hash]*Tx) error {
	for _, in := range tx.Msg.TxIn {
		op := in.PreviousOutPoint
		if spent[op] {
			return errConflict
		}
		if parent := made[op.Hash]; parent != nil && int(op.Index) < len(parent.Msg.TxOut) {
			continue
		}
		out, block := s.output(b, op)
		if out == nil || s.spender(b, op) != nil {
			return errMissing
		}
		if block.txs[0].ID == op.Hash && len(b)-block.Height < int(s.net.CoinbaseMaturity) {
			return errPremature
		}
	}
	return nil
}

// Extend makes a block on any block of the tree. Nodes follow it if it is higher
// than what they have.
func (s *Sim) Extend(parent *Block, txs ...*Tx) (*Block, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.extend(parent, txs, nil)
}

// MineOnly makes a block on the best one of those of the transactions, in that
// order, that are valid there, whether a node has heard of them or not; whatever
// else waits goes on waiting.
func (s *Sim) MineOnly(msgs ...*wire.MsgTx) (*Block, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	b := branchTo(s.best)
	var list []*Tx
	made := map[chainhash.Hash]*Tx{}
	for _, msg := range msgs {
		tx := s.txs[msg.TxHash()]
		if tx == nil {
			tx = &Tx{Msg: msg, ID: msg.TxHash()}
		}
		if len(s.fitting(b, append(slices.Clone(list), tx))) == len(list) {
			continue
		}
		if _, err := s.check(b, tx, made); err != nil {
			continue
		}
		tx = s.enter(tx.Msg)
		list, made[tx.ID] = append(list, tx), tx
	}
	return s.extend(s.best, list, nil)
}

func (s *Sim) extend(parent *Block, txs []*Tx, reward []*wire.TxOut) (*Block, error) {
	b := branchTo(parent)
	if fit := s.fitting(b, txs); len(fit) != len(txs) {
		return nil, fmt.Errorf("chaintest: %d of %d transactions fit on block %d", len(fit), len(txs), parent.Height)
	}
	s.made++
	msg, proof, err := s.assemble(parent, txs, reward)
	if err != nil {
		return nil, err
	}
	block := &Block{Parent: parent, Height: parent.Height + 1, Hash: msg.BlockHash(), Msg: msg, proof: proof}
	for _, m := range msg.Transactions {
		tx := s.enter(m)
		tx.blocks = append(tx.blocks, block)
		block.txs = append(block.txs, tx)
	}
	if s.extension != (wire.OutPoint{}) {
		block.hogEx = block.txs[len(block.txs)-1]
		block.hogEx.hogEx = true
	}
	s.blocks[block.Hash] = block
	for b := block; b != nil && b.reach < block.Height; b = b.Parent {
		b.reach = block.Height
	}
	if block.Height > s.best.Height {
		s.best = block
	}
	s.propagate()
	return block, nil
}

// assemble makes a block, with work and what proves it beside the header. The
// coinbase holds a number that never repeats.
func (s *Sim) assemble(parent *Block, txs []*Tx, reward []*wire.TxOut) (*wire.MsgBlock, []byte, error) {
	script, err := txscript.NewScriptBuilder().AddInt64(int64(parent.Height + 1)).AddInt64(int64(s.made) + 1<<32).Script()
	if err != nil {
		return nil, nil, err
	}
	coinbase := wire.NewMsgTx(1)
	coinbase.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{}, math.MaxUint32), script, nil))
	if reward == nil {
		reward = []*wire.TxOut{wire.NewTxOut(0, s.wallet.script)}
	}
	coinbase.TxOut = slices.Clone(reward)
	list := []*btcutil.Tx{btcutil.NewTx(coinbase)}
	for _, tx := range s.canonical(txs) {
		list = append(list, btcutil.NewTx(tx.Msg))
	}
	if s.extension != (wire.OutPoint{}) {
		var leaving []*wire.TxOut
		if parent.Height == s.best.Height { // not for a branch that nobody follows
			leaving, s.pegOuts = s.pegOuts, nil
		}
		list = append(list, btcutil.NewTx(s.hogEx(parent, leaving)))
	}
	if s.params.SegWit {
		mining.AddWitnessCommitment(list[0], list)
		list[0] = btcutil.NewTx(coinbase)
	}
	msg := &wire.MsgBlock{Header: wire.BlockHeader{
		Version: cmp.Or(s.params.BlockVersion, 0x20000000), PrevBlock: parent.Hash, MerkleRoot: blockchain.CalcMerkleRoot(list, false),
		Timestamp: s.net.GenesisBlock.Header.Timestamp.Add(time.Duration(parent.Height+1) * 10 * time.Minute), Bits: s.net.PowLimitBits,
	}}
	for _, tx := range list {
		msg.Transactions = append(msg.Transactions, tx.MsgTx())
	}
	proof, err := s.seal(&msg.Header, s.merged())
	return msg, proof, err
}

// solve finds the nonce: at the lowest difficulty every second one will do.
func (s *Sim) solve(header *wire.BlockHeader) error {
	target := blockchain.CompactToBig(header.Bits)
	for nonce := uint32(0); nonce < math.MaxUint32; nonce++ {
		header.Nonce = nonce
		hash, err := s.work(header)
		if err != nil {
			return err
		}
		if blockchain.HashToBig(&hash).Cmp(target) <= 0 {
			return nil
		}
	}
	return errors.New("chaintest: no nonce solves the block")
}

// propagate brings all nodes as near to the best block as they may come.
func (s *Sim) propagate() {
	for _, n := range s.nodes {
		n.follow()
	}
}
