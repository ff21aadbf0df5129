package pegs

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"strings"

	"causeway/pegs/graph"
)

// foldVersion is raised when Apply makes another state of the same records while
// the fields of State stay what they were.
const foldVersion = 2

// stateCodec writes all that is reachable from a State, by its types alone: a
// field that is added is in snapshots and in the hash without a line of code.
var stateCodec = graph.Must(graph.New[State]())

// StateForm names the form of Snapshot: 16 hex digits that change with the fields
// of State, of all that it reaches, and with the meaning of the fold. Snapshots
// and hashes of another form say nothing; the records do.
func StateForm() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d\n%s", foldVersion, stateCodec.Shape()))
	return hex.EncodeToString(sum[:8])
}

// Snapshot is the state as bytes: equal states have equal ones. It only reads, so
// that others may read meanwhile.
func (s *State) Snapshot() []byte { return s.snapshot(0) }

func (s *State) snapshot(size int) []byte { return stateCodec.Append(make([]byte, 0, size), s) }

// Hash is the hash of the state, 64 hex digits: that of its snapshot.
func (s *State) Hash() string {
	sum := sha256.New()
	_ = stateCodec.Write(sum, s) // a hash takes everything
	return hex.EncodeToString(sum.Sum(nil))
}

// HashOf is the hash of the state that a snapshot is of.
func HashOf(snapshot []byte) string {
	sum := sha256.Sum256(snapshot)
	return hex.EncodeToString(sum[:])
}

// ReadSnapshot is the inverse of Snapshot, for a snapshot of this StateForm. The
// state keeps the bytes. It fails with graph.ErrForm.
func ReadSnapshot(snapshot []byte) (*State, error) {
	s := new(State)
	if err := stateCodec.Decode(snapshot, s); err != nil {
		return nil, fmt.Errorf("pegs: snapshot: %w", err)
	}
	s.rebuild()
	return s, nil
}

// Sealed records what the state was after the record before it. A replay that
// comes to another state of the same form is refused.
type Sealed struct {
	Form string `json:"form"` // StateForm
	Hash string `json:"hash"` // 64 hex digits

	seen bool // made of this very state: not computed again
}

// Seal is the event that seals the state as it is, and the snapshot that it
// names; size is about how long that will be, as far as it is known. The state may
// not change before the event is applied.
func (s *State) Seal(size int) (*Sealed, []byte) {
	snapshot := s.snapshot(size)
	return &Sealed{Form: StateForm(), Hash: HashOf(snapshot), seen: true}, snapshot
}

// Kind implements Event.
func (*Sealed) Kind() string { return "sealed" }

func (s *State) sealed(e *Sealed) error {
	if len(e.Form) != 16 || len(e.Hash) != 64 || strings.Trim(e.Form+e.Hash, "0123456789abcdef") != "" {
		return refuse("a seal of form %q and hash %q", e.Form, e.Hash)
	}
	if e.seen || e.Form != StateForm() {
		return nil
	}
	if hash := s.Hash(); hash != e.Hash {
		return refuse("the state is %s, when it was sealed it was %s", hash, e.Hash)
	}
	return nil
}
