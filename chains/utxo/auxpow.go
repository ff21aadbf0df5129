package utxo

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"math"
)

// AuxPoW is how a coin takes part in merge mining (the "merged mining
// specification" of Namecoin, as Dogecoin has it since block 371,337): a block
// may rest on the work done for a block of another coin, whose coinbase commits
// to it.
type AuxPoW struct {
	// ChainID stands in the upper half of a block's version, and decides where
	// in the tree of merge-mined chains a block of ours must be.
	ChainID uint32
	// Strict refuses blocks with another chain id, and parents with ours.
	Strict bool
}

const (
	auxVersion     = 0x100 // bit of the version: an auxiliary proof follows
	chainIDShift   = 16
	maxChainBranch = 30
	maxTxBranch    = 64 // more than any parent can have
	// maxEarlyRoot is where, without the merged mining header, the root must
	// begin in the parent's coinbase script.
	maxEarlyRoot = 20
)

// mergedMining marks the root in a parent's coinbase script.
var mergedMining = []byte{0xfa, 0xbe, 'm', 'm'}

// parentParams measures the coinbase of a parent, of whatever coin.
var parentParams = Params{Segwit: true, MaxMoney: math.MaxInt64}

// auxProof is what follows the header of a merge-mined block.
type auxProof struct {
	coinbase    hash   // txid of the parent's coinbase
	script      []byte // of the coinbase's first input
	branch      []hash // from the coinbase to the parent's merkle root
	index       uint32
	chainBranch []hash // from the block to the root in the script
	chainIndex  uint32
	parent      []byte // the parent's header
}

// worked finds the header that was worked on for a block, which is the block's
// own or that of a parent that commits to it, and where the transactions begin.
func (a *AuxPoW) worked(raw []byte, id hash) (header []byte, body int, err error) {
	version := binary.LittleEndian.Uint32(raw)
	if legacy := version == 1 || version == 2; !legacy && a.Strict && version>>chainIDShift != a.ChainID {
		return nil, 0, fmt.Errorf("version %08x: chain id %d, want %d", version, version>>chainIDShift, a.ChainID)
	}
	if version&auxVersion == 0 {
		return raw[:HeaderBytes], HeaderBytes, nil
	}
	cur := cursor{data: raw, pos: HeaderBytes}
	proof, err := cur.auxProof()
	if err != nil {
		return nil, 0, fmt.Errorf("auxiliary proof of work at byte %d: %w", cur.pos, err)
	}
	if err := a.check(proof, id, version>>chainIDShift); err != nil {
		return nil, 0, fmt.Errorf("auxiliary proof of work: %w", err)
	}
	return proof.parent, cur.pos, nil
}

// auxProof reads the parent's coinbase, the hash of the parent (which nobody
// checks), both branches and the parent's header.
func (c *cursor) auxProof() (p auxProof, err error) {
	l, err := c.transaction(&parentParams)
	if err != nil {
		return p, fmt.Errorf("coinbase of the parent: %w", err)
	}
	stripped, _ := l.stripped(c.data, nil)
	p.coinbase = sha256d(stripped)
	l.eachInput(c.data, func(_, script []byte) {
		if p.script == nil {
			p.script = script
		}
	})
	if err := c.skip(32); err != nil {
		return p, err
	}
	if p.branch, p.index, err = c.branch(maxTxBranch); err != nil {
		return p, err
	}
	if p.chainBranch, p.chainIndex, err = c.branch(maxChainBranch); err != nil {
		return p, err
	}
	p.parent, err = c.take(HeaderBytes)
	return p, err
}

// branch reads a merkle branch and the place that it begins at.
func (c *cursor) branch(limit int) (hashes []hash, index uint32, err error) {
	n, err := c.count(32)
	if err != nil {
		return nil, 0, err
	}
	if n > limit {
		return nil, 0, fmt.Errorf("merkle branch of %d", n)
	}
	for range n {
		h, err := c.take(32)
		if err != nil {
			return nil, 0, err
		}
		hashes = append(hashes, hash(h))
	}
	place, err := c.take(4)
	if err != nil {
		return nil, 0, err
	}
	return hashes, binary.LittleEndian.Uint32(place), nil
}

// climb is the merkle root above a leaf.
func climb(leaf hash, branch []hash, index uint32) hash {
	var pair [64]byte
	for _, other := range branch {
		left, right := leaf, other
		if index&1 == 1 {
			left, right = other, leaf
		}
		copy(pair[:32], left[:])
		copy(pair[32:], right[:])
		leaf = sha256d(pair[:])
		index >>= 1
	}
	return leaf
}

// check verifies that the parent commits to the block, exactly once and at the
// one place that is ours.
func (a *AuxPoW) check(p auxProof, id hash, chainID uint32) error {
	switch root := climb(p.coinbase, p.branch, p.index); {
	case p.index != 0:
		return errors.New("the parent's transaction is no coinbase")
	case a.Strict && binary.LittleEndian.Uint32(p.parent)>>chainIDShift == chainID:
		return errors.New("the parent has our own chain id")
	case !bytes.Equal(root[:], p.parent[36:68]):
		return errors.New("the coinbase is not in the parent")
	}
	root := climb(id, p.chainBranch, p.chainIndex)
	for i, j := 0, 31; i < j; i, j = i+1, j-1 {
		root[i], root[j] = root[j], root[i]
	}
	at := bytes.Index(p.script, root[:])
	mark := bytes.Index(p.script, mergedMining)
	switch {
	case at < 0:
		return errors.New("the parent's coinbase does not hold the root of the chains")
	case mark >= 0 && bytes.Contains(p.script[mark+1:], mergedMining):
		return errors.New("two merged mining headers")
	case mark >= 0 && mark+len(mergedMining) != at:
		return errors.New("the merged mining header is not before the root")
	case mark < 0 && at > maxEarlyRoot:
		return errors.New("the root of the chains comes late and without a merged mining header")
	}
	tail := p.script[at+len(root):]
	if len(tail) < 8 {
		return errors.New("no size and nonce behind the root")
	}
	size, nonce := binary.LittleEndian.Uint32(tail), binary.LittleEndian.Uint32(tail[4:])
	if size != 1<<len(p.chainBranch) {
		return fmt.Errorf("a tree of %d chains has no branch of %d", size, len(p.chainBranch))
	}
	if want := chainSlot(nonce, chainID, len(p.chainBranch)); p.chainIndex != want {
		return fmt.Errorf("place %d among the chains, want %d", p.chainIndex, want)
	}
	return nil
}

// chainSlot is the place of a chain in a tree of 1<<height, so that the same
// work cannot count twice on it.
func chainSlot(nonce, chainID uint32, height int) uint32 {
	slot := nonce*1103515245 + 12345
	slot = (slot+chainID)*1103515245 + 12345
	return slot % (1 << height)
}
