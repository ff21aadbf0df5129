package chaintest

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"time"

	"github.com/btcsuite/btcd/blockchain"
	"github.com/btcsuite/btcd/chainhash/v2"
	"github.com/btcsuite/btcd/wire/v2"
)

// What some coins have around and among the transactions of a block, by an encoder
// of the simulator's own:
//
//	Litecoin      …, last transaction with flag 8 (HogEx)], extension block
//	Dogecoin      header, work of another coin's block that commits to it, [transactions]
//	Bitcoin Cash  transactions in the order of their ids, children before parents too

// extensionBalance is what lies in the extension block at first, in base units.
const extensionBalance = 1_000_000 * 100_000_000

// extensionBlock is as long as the smallest one. Nobody outside it reads it.
var extensionBlock = append([]byte{1}, make([]byte, 200)...)

// hogAddr is the script that holds all coins of the extension block: witness
// version 8 and a commitment, which differs in every block.
func (s *Sim) hogAddr() []byte {
	sum := sha256.Sum256(binary.LittleEndian.AppendUint64([]byte("extension"), s.made))
	return append([]byte{0x58, 32}, sum[:]...)
}

// hogEx is the last transaction of a block on parent: it takes over the coins of
// the extension block and pays what leaves it.
func (s *Sim) hogEx(parent *Block, pegOuts []*wire.TxOut) *wire.MsgTx {
	held := s.extension
	if last := parent.hogEx; last != nil {
		held = wire.OutPoint{Hash: last.ID}
	}
	rest := s.txs[held.Hash].Msg.TxOut[held.Index].Value
	for _, out := range pegOuts {
		rest -= out.Value
	}
	tx := wire.NewMsgTx(2)
	tx.AddTxIn(wire.NewTxIn(&held, nil, nil))
	tx.TxOut = append([]*wire.TxOut{wire.NewTxOut(rest, s.hogAddr())}, pegOuts...)
	return tx
}

// PegOut pays out of the extension block, in the next block of the best branch.
// Who rewrites that block lets it be paid again later, or drops it.
func (s *Sim) PegOut(outputs ...Output) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	outs, err := s.outputs(outputs)
	s.pegOuts = append(s.pegOuts, outs...)
	return err
}

// HogEx says whether a transaction pays what leaves the extension block.
func (t *Tx) HogEx() bool { return t.hogEx }

// payments are the transactions that can be mined elsewhere too, parents first.
func (b *Block) payments() (list []*Tx) {
	waiting := slices.DeleteFunc(slices.Clone(b.txs[1:]), func(tx *Tx) bool { return tx.hogEx })
	for len(waiting) > 0 {
		inside := map[chainhash.Hash]bool{}
		for _, tx := range waiting {
			inside[tx.ID] = true
		}
		var later []*Tx
		for _, tx := range waiting {
			if slices.ContainsFunc(tx.Msg.TxIn, func(in *wire.TxIn) bool { return inside[in.PreviousOutPoint.Hash] }) {
				later = append(later, tx)
			} else {
				list = append(list, tx)
			}
		}
		waiting = later
	}
	return list
}

// canonical puts transactions in the order in which blocks of the coin have them.
func (s *Sim) canonical(txs []*Tx) []*Tx {
	txs = slices.Clone(txs)
	if s.params.ForkID {
		slices.SortFunc(txs, func(a, b *Tx) int {
			x, y := a.ID, b.ID
			slices.Reverse(x[:])
			slices.Reverse(y[:])
			return bytes.Compare(x[:], y[:])
		})
	}
	return txs
}

// raw is a block as nodes send it.
func (b *Block) raw() ([]byte, error) {
	var out headerBytes
	if err := b.Msg.Header.Serialize(&out); err != nil {
		return nil, err
	}
	out = append(out, b.proof...)
	list := b.Msg.Transactions
	if err := wire.WriteVarInt(&out, 0, uint64(len(list))); err != nil {
		return nil, err
	}
	for i, msg := range list {
		text, err := (&Tx{Msg: msg, hogEx: b.hogEx != nil && i == len(list)-1}).raw()
		if err != nil {
			return nil, err
		}
		out = append(out, text...)
	}
	if b.hogEx != nil {
		out = append(out, extensionBlock...)
	}
	return out, nil
}

// raw is a transaction as nodes send it.
func (t *Tx) raw() ([]byte, error) {
	var out headerBytes
	err := t.Msg.Serialize(&out)
	if err != nil || !t.hogEx {
		return out, err
	}
	flagged := slices.Concat(out[:4], []byte{0, 8}, out[4:len(out)-4], []byte{0})
	return append(flagged, out[len(out)-4:]...), nil
}

// auxVersion is the bit of a version that announces the work of a parent.
const auxVersion = 0x100

// merged says whether the next block is merge-mined: every second one is.
func (s *Sim) merged() bool { return s.chainID != 0 && s.rng.IntN(2) == 0 }

// seal does the work for a header: its own, or that of a parent which commits to
// it, whose proof it gives.
func (s *Sim) seal(header *wire.BlockHeader, merged bool) (proof []byte, err error) {
	if !merged {
		return nil, s.solve(header)
	}
	header.Version |= auxVersion
	return s.auxProof(header.BlockHash())
}

// auxProof is a parent that commits to a block, with branches of random length.
func (s *Sim) auxProof(block chainhash.Hash) ([]byte, error) {
	branch, chains := s.siblings(), s.siblings()
	nonce := s.rng.Uint32()
	slot := nonce*1103515245 + 12345
	slot = ((slot+s.chainID)*1103515245 + 12345) % (1 << len(chains))
	root := climb(block, chains, slot)
	slices.Reverse(root[:])
	script := append([]byte{4, 1, 2, 3, 4, 0xfa, 0xbe, 'm', 'm'}, root[:]...)
	script = binary.LittleEndian.AppendUint32(script, 1<<len(chains))
	script = binary.LittleEndian.AppendUint32(script, nonce)
	coinbase := wire.NewMsgTx(1)
	coinbase.AddTxIn(wire.NewTxIn(wire.NewOutPoint(&chainhash.Hash{}, wire.MaxPrevOutIndex), script, nil))
	coinbase.AddTxOut(wire.NewTxOut(6_25000000, []byte{0x51}))
	parent := wire.BlockHeader{
		Version: 0x20000000, Bits: s.net.PowLimitBits, Timestamp: s.net.GenesisBlock.Header.Timestamp.Add(time.Hour),
		MerkleRoot: climb(coinbase.TxHash(), branch, 0),
	}
	if err := s.solve(&parent); err != nil {
		return nil, err
	}
	var out headerBytes
	if err := coinbase.Serialize(&out); err != nil {
		return nil, err
	}
	out = append(out, make([]byte, chainhash.HashSize)...) // hash of the parent: nobody looks
	out = appendBranch(appendBranch(out, branch, 0), chains, slot)
	err := parent.Serialize(&out)
	return out, err
}

// siblings are the hashes beside a path up a merkle tree.
func (s *Sim) siblings() (list []chainhash.Hash) {
	for range s.rng.IntN(3) {
		list = append(list, s.invented())
	}
	return list
}

func climb(leaf chainhash.Hash, branch []chainhash.Hash, index uint32) chainhash.Hash {
	for _, other := range branch {
		if index&1 == 0 {
			leaf = blockchain.HashMerkleBranches(&leaf, &other)
		} else {
			leaf = blockchain.HashMerkleBranches(&other, &leaf)
		}
		index >>= 1
	}
	return leaf
}

func appendBranch(out []byte, branch []chainhash.Hash, index uint32) []byte {
	out = append(out, byte(len(branch)))
	for _, h := range branch {
		out = append(out, h[:]...)
	}
	return binary.LittleEndian.AppendUint32(out, index)
}

// Tokens is a prefix of Bitcoin Cash's that puts an amount of a fungible token on
// an output.
func Tokens(category [32]byte, amount byte) []byte {
	return append(append([]byte{tokenPrefix}, category[:]...), 0x10, amount)
}

const (
	tokenPrefix = 0xef
	tokenSize   = 1 + 32 + 1 + 1 // of what Tokens makes
)

// locking parts a script from the tokens in front of it.
func (s *Sim) locking(script []byte) (tokens, rest []byte) {
	if s.params.ForkID && len(script) > tokenSize && script[0] == tokenPrefix {
		return script[:tokenSize], script[tokenSize:]
	}
	return nil, script
}

// Locking is the script of an output without the tokens in front of it.
func (s *Sim) Locking(script []byte) (rest []byte, tokens bool) {
	prefix, rest := s.locking(script)
	return rest, prefix != nil
}
