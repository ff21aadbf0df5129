package chains

import (
	"bytes"
	"fmt"
	"hash/maphash"
	"math"
	"sync"
)

// WatchSet is a set of watched scripts, made for millions of them: each costs 8
// to 16 bytes in a table of fingerprints, which is all that an output which is
// not ours touches, and 20 bytes plus the lengths of its script, address
// and account in memory without pointers, against which a fingerprint's hit is
// confirmed byte for byte. Scripts are only ever added. Safe for concurrent use.
type WatchSet struct {
	seed maphash.Seed

	mu sync.RWMutex
	// table is open-addressed; a slot is fingerprint<<32 | entry number + 1, or 0.
	table   []uint64
	entries []watchEntry
	chunks  [][]byte // script, address and account of each entry, one after the other
}

// watchEntry is one watched script without its texts.
type watchEntry struct {
	chunk   uint32
	offset  uint32
	epoch   uint32
	script  uint16
	address uint8
	account uint8
	kind    uint8
}

const (
	watchChunk  = 1 << 20
	minTable    = 64
	maxWatched  = math.MaxUint32 - 1
	maxWatchTxt = math.MaxUint8
)

// watchKinds numbers the kinds for storage in memory.
var watchKinds = [...]WatchKind{WatchDeposit, WatchHot, WatchChange, WatchCold, WatchSweeper}

// NewWatchSet makes an empty set.
func NewWatchSet() *WatchSet {
	return &WatchSet{seed: maphash.MakeSeed(), table: make([]uint64, minTable)}
}

// Len is the number of watched scripts.
func (s *WatchSet) Len() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return len(s.entries)
}

// Add watches a script. To add a script again with the same Watch does nothing;
// with another one it is an error, because a script has one owner.
func (s *WatchSet) Add(script []byte, w Watch) error {
	kind := -1
	for i, k := range watchKinds {
		if k == w.Kind {
			kind = i
		}
	}
	if kind < 0 || len(script) == 0 || len(script) > math.MaxUint16 || len(w.Account) > maxWatchTxt || len(w.Address) > maxWatchTxt {
		return fmt.Errorf("chains: cannot watch a script of %d bytes as %q of %q", len(script), w.Kind, clip(w.Account))
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if old, ok := s.find(script); ok {
		if old != w {
			return fmt.Errorf("chains: script of %s is watched as %s of %q and not as %s of %q", old.Address, old.Kind, old.Account, w.Kind, w.Account)
		}
		return nil
	}
	if len(s.entries) >= maxWatched {
		return fmt.Errorf("chains: more than %d watched scripts", len(s.entries))
	}
	if 2*(len(s.entries)+1) > len(s.table) {
		s.grow()
	}
	s.store(script, w, uint8(kind))
	s.insert(s.fingerprint(script), uint32(len(s.entries)))
	return nil
}

// store keeps the entry and its texts.
func (s *WatchSet) store(script []byte, w Watch, kind uint8) {
	need := len(script) + len(w.Address) + len(w.Account)
	if n := len(s.chunks); n == 0 || len(s.chunks[n-1])+need > cap(s.chunks[n-1]) {
		s.chunks = append(s.chunks, make([]byte, 0, max(watchChunk, need)))
	}
	at := len(s.chunks) - 1
	chunk := s.chunks[at]
	s.entries = append(s.entries, watchEntry{
		chunk: uint32(at), offset: uint32(len(chunk)), epoch: w.Epoch, kind: kind,
		script: uint16(len(script)), address: uint8(len(w.Address)), account: uint8(len(w.Account)),
	})
	chunk = append(chunk, script...)
	chunk = append(chunk, w.Address...)
	s.chunks[at] = append(chunk, w.Account...)
}

// fingerprint is a keyed hash: strangers cannot make scripts collide.
func (s *WatchSet) fingerprint(script []byte) uint64 { return maphash.Bytes(s.seed, script) }

// insert puts entry number n-1 into the table.
func (s *WatchSet) insert(print uint64, n uint32) {
	mask := uint64(len(s.table) - 1)
	for i := print & mask; ; i = (i + 1) & mask {
		if s.table[i] == 0 {
			s.table[i] = print&^math.MaxUint32 | uint64(n)
			return
		}
	}
}

// grow doubles the table.
func (s *WatchSet) grow() {
	s.table = make([]uint64, 2*len(s.table))
	for i := range s.entries {
		s.insert(s.fingerprint(s.entries[i].scriptIn(s.chunks)), uint32(i+1))
	}
}

func (e *watchEntry) scriptIn(chunks [][]byte) []byte {
	return chunks[e.chunk][e.offset : e.offset+uint32(e.script)]
}

// Lookup tells whom a script belongs to. It takes no memory when it is nobody
// of ours.
func (s *WatchSet) Lookup(script []byte) (Watch, bool) {
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.find(script)
}

func (s *WatchSet) find(script []byte) (Watch, bool) {
	print := s.fingerprint(script)
	mask := uint64(len(s.table) - 1)
	for i := print & mask; s.table[i] != 0; i = (i + 1) & mask {
		if slot := s.table[i]; (slot^print)>>32 == 0 {
			e := &s.entries[uint32(slot)-1]
			if bytes.Equal(e.scriptIn(s.chunks), script) {
				return s.watch(e), true
			}
		}
	}
	return Watch{}, false
}

func (s *WatchSet) watch(e *watchEntry) Watch {
	texts := s.chunks[e.chunk][e.offset+uint32(e.script):]
	return Watch{
		Kind:    watchKinds[e.kind],
		Epoch:   e.epoch,
		Address: string(texts[:e.address]),
		Account: string(texts[e.address : int(e.address)+int(e.account)]),
	}
}
