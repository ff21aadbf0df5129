package state

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"slices"
	"sort"

	"causeway/sidechain/jsvalue"
)

// Hash is a SHA-256 digest; its text is lower-case hex.
type Hash [32]byte

// merkle is a compact sparse Merkle tree. The place of a row is the path of
// bits of key = SHA-256(table, 0, JSON of _id). A subtree without rows has the
// hash of 32 zero bytes, one with a single row that row's leaf hash
// SHA-256(0, key, SHA-256(JSON of row)), any other SHA-256(1, left, right).
//
// Nodes live in two arrays without pointers and are named by index. A node's
// hash is kept by its parent, so that hashing a path touches no sibling.
type merkle struct {
	kids       [][2]ref   // of inner nodes; kids[0] is not used
	hashes     [][2]Hash  // of these kids
	leaves     []leafNode // leaves[0] is not used
	freeInner  []uint32
	freeLeaves []uint32
	root       ref
	rootHash   Hash
	buf        []byte
	pending    []leafChange
	at         []ref // scratch of warm
	read       byte  // keeps its reads
}

// innerNode is an inner node out of the arrays.
type innerNode struct {
	kids   [2]ref
	hashes [2]Hash
}

type leafNode struct {
	key, row Hash
}

// ref names a node: 0 is the empty subtree, the top bit marks a leaf.
type ref uint32

const leafBit ref = 1 << 31

func (r ref) isLeaf() bool { return r&leafBit != 0 }

// leafChange says that a leaf is new, changed or (gone) removed.
type leafChange struct {
	order uint64 // first bytes of key
	key   Hash
	hash  Hash
	leaf  uint32
	gone  bool
}

func (c *leafChange) compare(d *leafChange) int {
	if c.order != d.order {
		return cmp.Compare(c.order, d.order)
	}
	return bytes.Compare(c.key[:], d.key[:])
}

func (m *merkle) newLeaf() uint32 {
	if n := len(m.freeLeaves); n > 0 {
		i := m.freeLeaves[n-1]
		m.freeLeaves = m.freeLeaves[:n-1]
		return i
	}
	m.leafAt(0)
	m.leaves = append(m.leaves, leafNode{})
	return uint32(len(m.leaves) - 1)
}

// leafAt is the node of a leaf; there is one for 0 as soon as there is any.
func (m *merkle) leafAt(leaf uint32) *leafNode {
	if m.leaves == nil {
		m.leaves = make([]leafNode, 1)
	}
	return &m.leaves[leaf]
}

func (m *merkle) newInner() ref {
	if n := len(m.freeInner); n > 0 {
		i := m.freeInner[n-1]
		m.freeInner = m.freeInner[:n-1]
		return ref(i)
	}
	if m.kids == nil {
		m.kids, m.hashes = make([][2]ref, 1), make([][2]Hash, 1)
	}
	m.kids = append(m.kids, [2]ref{})
	m.hashes = append(m.hashes, [2]Hash{})
	return ref(len(m.kids) - 1)
}

// set queues a row's leaf; leaf 0 makes a new one. It returns the leaf.
func (m *merkle) set(leaf uint32, table string, id jsvalue.Value, json []byte) uint32 {
	if leaf == 0 {
		leaf = m.newLeaf()
		m.leaves[leaf].key = m.rowKey(table, id)
	}
	l := &m.leaves[leaf]
	l.row = sha256.Sum256(json)
	m.pending = append(m.pending, m.change(leaf))
	return leaf
}

// drop queues the removal of a leaf.
func (m *merkle) drop(leaf uint32) {
	c := leafChange{key: m.leaves[leaf].key, leaf: leaf, gone: true}
	c.order = binary.BigEndian.Uint64(c.key[:])
	m.pending = append(m.pending, c)
}

// change describes a leaf as it stands.
func (m *merkle) change(leaf uint32) leafChange {
	l := &m.leaves[leaf]
	m.buf = append(append(append(m.buf[:0], 0), l.key[:]...), l.row[:]...)
	return leafChange{order: binary.BigEndian.Uint64(l.key[:]), key: l.key, hash: sha256.Sum256(m.buf), leaf: leaf}
}

func (m *merkle) rowKey(table string, id jsvalue.Value) Hash {
	m.buf = appendRowKey(m.buf[:0], table, id)
	return sha256.Sum256(m.buf)
}

func appendRowKey(dst []byte, table string, id jsvalue.Value) []byte {
	return jsvalue.AppendJSON(append(append(dst, table...), 0), id)
}

// apply brings the tree up to date with what was queued and returns its root.
func (m *merkle) apply() Hash {
	if len(m.pending) > 0 {
		slices.SortFunc(m.pending, func(a, b leafChange) int { return a.compare(&b) })
		m.root, m.rootHash = m.update(m.root, m.rootHash, m.pending, 0, true)
		m.pending = m.pending[:0]
	}
	return m.rootHash
}

// warmChunk is for how many leaves warm reads ahead: their paths fit a cache.
const warmChunk = 2048

// warm reads the paths of changed leaves below r level by level. These reads do
// not wait for each other, those of update do, from node to node; in a large
// tree that is most of its time. It changes nothing.
func (m *merkle) warm(r ref, cs []leafChange, depth int) {
	at := m.at[:0]
	for range cs {
		at = append(at, r)
	}
	m.at = at
	for more := true; more; depth++ {
		more = false
		for i, r := range at {
			if r == 0 || r.isLeaf() {
				continue
			}
			more = true
			m.read += m.hashes[r][0][0]
			at[i] = m.kids[r][bit(&cs[i].key, depth)]
		}
	}
}

// update applies changes, sorted by key, to the subtree r with hash h. cold: no
// path was read ahead yet.
func (m *merkle) update(r ref, h Hash, cs []leafChange, depth int, cold bool) (ref, Hash) {
	switch {
	case len(cs) == 0:
		return r, h
	case r == 0:
		return m.build(m.kept(cs), depth)
	case r.isLeaf():
		return m.build(m.kept(m.withLeaf(r, cs)), depth)
	}
	if cold && len(cs) <= warmChunk {
		m.warm(r, cs, depth)
		cold = false
	}
	cut := split(cs, depth)
	n := innerNode{m.kids[r], m.hashes[r]}
	if cut > 0 {
		n.kids[0], n.hashes[0] = m.update(n.kids[0], n.hashes[0], cs[:cut], depth+1, cold)
	}
	if cut < len(cs) {
		n.kids[1], n.hashes[1] = m.update(n.kids[1], n.hashes[1], cs[cut:], depth+1, cold)
	}
	return m.join(r, &n)
}

// build makes the subtree of new leaves.
func (m *merkle) build(cs []leafChange, depth int) (ref, Hash) {
	switch len(cs) {
	case 0:
		return 0, Hash{}
	case 1:
		return ref(cs[0].leaf) | leafBit, cs[0].hash
	}
	cut := split(cs, depth)
	var n innerNode
	n.kids[0], n.hashes[0] = m.build(cs[:cut], depth+1)
	n.kids[1], n.hashes[1] = m.build(cs[cut:], depth+1)
	return m.join(m.newInner(), &n)
}

// join stores inner node r, which collapses into its only leaf or into
// nothing.
func (m *merkle) join(r ref, n *innerNode) (ref, Hash) {
	for i, kid := range n.kids {
		if other := n.kids[1-i]; kid == 0 && (other == 0 || other.isLeaf()) {
			m.freeInner = append(m.freeInner, uint32(r))
			return other, n.hashes[1-i]
		}
	}
	m.kids[r], m.hashes[r] = n.kids, n.hashes
	m.buf = append(append(append(m.buf[:0], 1), n.hashes[0][:]...), n.hashes[1][:]...)
	return r, sha256.Sum256(m.buf)
}

// withLeaf is cs and the standing leaf r, unless cs speaks of it.
func (m *merkle) withLeaf(r ref, cs []leafChange) []leafChange {
	leaf := uint32(r &^ leafBit)
	for i := range cs {
		if cs[i].leaf == leaf {
			return cs
		}
	}
	standing := m.change(leaf)
	i, _ := slices.BinarySearchFunc(cs, standing, func(a, b leafChange) int { return a.compare(&b) })
	return slices.Insert(slices.Clone(cs), i, standing)
}

// kept frees the leaves that are gone and returns the others.
func (m *merkle) kept(cs []leafChange) []leafChange {
	if !slices.ContainsFunc(cs, func(c leafChange) bool { return c.gone }) {
		return cs
	}
	var out []leafChange
	for _, c := range cs {
		if c.gone {
			m.freeLeaves = append(m.freeLeaves, c.leaf)
			continue
		}
		out = append(out, c)
	}
	return out
}

// split returns how many of the sorted changes have bit depth clear.
func split(cs []leafChange, depth int) int {
	return sort.Search(len(cs), func(i int) bool { return bit(&cs[i].key, depth) == 1 })
}

// bit is the side, 0 or 1, that key takes at a depth.
func bit(key *Hash, depth int) int { return int(key[depth>>3]>>(7-depth&7)) & 1 }
