package state

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"

	"causeway/sidechain/jsvalue"
)

// ErrProof is what VerifyProof's errors wrap.
var ErrProof = errors.New("state: proof does not hold")

// ErrRootStale: rows were written since the last Root.
var ErrRootStale = errors.New("state: rows changed since the last root")

// MarshalText gives lower-case hex.
func (h Hash) MarshalText() ([]byte, error) { return []byte(hex.EncodeToString(h[:])), nil }

// UnmarshalText reads 64 hex digits.
func (h *Hash) UnmarshalText(text []byte) error {
	if len(text) != 64 {
		return fmt.Errorf("state: a hash has 64 hex digits, not %d", len(text))
	}
	_, err := hex.Decode(h[:], text)
	return err
}

// Proof shows that a row is, or that an id is not, under a state root. It
// speaks of one section: a verifier that knows which one it wants compares
// Section itself.
type Proof struct {
	Section  string `json:"section"`         // "tables" or "base"
	Siblings []Hash `json:"siblings"`        // from the top down
	Other    *Leaf  `json:"other,omitempty"` // absence: the row that stands alone where the id would be
	Beside   Hash   `json:"beside"`          // root of the other section
}

// Leaf is a row's place and content.
type Leaf struct {
	Key Hash `json:"key"` // SHA-256(table, 0, JSON of _id)
	Row Hash `json:"row"` // SHA-256(JSON of row)
}

// Prove builds the proof of the row with that id, or of its absence, under the
// root that DB.Root last returned. It needs the read lock.
func (s *Section) Prove(table string, id jsvalue.Value) (Proof, error) {
	if !s.db.tables.clean() || !s.db.base.clean() {
		return Proof{}, ErrRootStale
	}
	p := Proof{Section: s.name, Siblings: []Hash{}, Beside: s.db.base.merkle.rootHash}
	if s == s.db.base {
		p.Beside = s.db.tables.merkle.rootHash
	}
	m := &s.merkle
	key := rowKey(table, id)
	r := m.root
	for depth := 0; r != 0 && !r.isLeaf(); depth++ {
		side := bit(&key, depth)
		p.Siblings = append(p.Siblings, m.hashes[r][1-side])
		r = m.kids[r][side]
	}
	if r != 0 {
		if l := &m.leaves[r&^leafBit]; l.key != key {
			p.Other = &Leaf{Key: l.key, Row: l.row}
		}
	}
	return p, nil
}

// VerifyProof checks a proof against a state root (DB.Root). row is the row
// that the table holds under id; nil asserts that it holds none. It needs
// nothing but its arguments.
func VerifyProof(root [32]byte, table string, id jsvalue.Value, row Row, p Proof) error {
	if len(p.Siblings) > 256 {
		return fmt.Errorf("%w: path of %d steps", ErrProof, len(p.Siblings))
	}
	key := rowKey(table, id)
	h, err := startHash(key, id, row, p)
	if err != nil {
		return err
	}
	for i := len(p.Siblings) - 1; i >= 0; i-- {
		left, right := h, p.Siblings[i]
		if bit(&key, i) == 1 {
			left, right = right, left
		}
		h = innerHash(left, right)
	}
	whole := Hash{}
	switch p.Section {
	case sectionTables:
		whole = joinRoots(h, p.Beside)
	case sectionBase:
		whole = joinRoots(p.Beside, h)
	default:
		return fmt.Errorf("%w: unknown section %q", ErrProof, p.Section)
	}
	if whole != root {
		return fmt.Errorf("%w: it leads to root %x", ErrProof, whole)
	}
	return nil
}

// startHash is the hash at the end of the path.
func startHash(key Hash, id jsvalue.Value, row Row, p Proof) (Hash, error) {
	switch {
	case row != nil && p.Other != nil:
		return Hash{}, fmt.Errorf("%w: it speaks of another row", ErrProof)
	case row != nil:
		if !bytes.Equal(jsvalue.AppendJSON(nil, row.Get(idField)), jsvalue.AppendJSON(nil, id)) {
			return Hash{}, fmt.Errorf("%w: the row has another _id", ErrProof)
		}
		return leafHash(key, sha256.Sum256(jsvalue.AppendJSON(nil, row))), nil
	case p.Other == nil:
		return Hash{}, nil
	}
	if p.Other.Key == key {
		return Hash{}, fmt.Errorf("%w: the row is there", ErrProof)
	}
	for i := range p.Siblings {
		if bit(&p.Other.Key, i) != bit(&key, i) {
			return Hash{}, fmt.Errorf("%w: the other row stands elsewhere", ErrProof)
		}
	}
	return leafHash(p.Other.Key, p.Other.Row), nil
}

func rowKey(table string, id jsvalue.Value) Hash {
	return sha256.Sum256(appendRowKey(nil, table, id))
}

func leafHash(key, row Hash) Hash {
	return sha256.Sum256(append(append([]byte{0}, key[:]...), row[:]...))
}

func innerHash(left, right Hash) Hash {
	return sha256.Sum256(append(append([]byte{1}, left[:]...), right[:]...))
}
