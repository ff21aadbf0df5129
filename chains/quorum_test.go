package chains

import (
	"context"
	"errors"
	"slices"
	"testing"
)

// stubNode answers every question in one way.
type stubNode struct {
	tip     BlockRef
	hash    map[uint64]string
	raw     []byte
	mempool []string
	verdict Verdict
	rate    FeeRate
	err     error
}

func (s stubNode) Tip(context.Context) (BlockRef, error) { return s.tip, s.err }
func (s stubNode) HashAt(_ context.Context, h uint64) (string, error) {
	if s.err == nil && s.hash[h] == "" {
		return "", ErrNotFound
	}
	return s.hash[h], s.err
}
func (s stubNode) RawBlock(context.Context, string) ([]byte, error)   { return s.raw, s.err }
func (s stubNode) Mempool(context.Context) ([]string, error)          { return s.mempool, s.err }
func (s stubNode) Broadcast(context.Context, []byte) (Verdict, error) { return s.verdict, s.err }
func (s stubNode) RawTransaction(context.Context, string) ([]byte, error) {
	if s.err == nil && s.raw == nil {
		return nil, ErrNotFound
	}
	return s.raw, s.err
}
func (s stubNode) EstimateFee(context.Context, int) (FeeRate, bool, error) {
	return s.rate, s.rate > 0, s.err
}
func (s stubNode) Health() []NodeHealth { return []NodeHealth{{OK: s.err == nil}} }

func nodeAt(h uint64, fork string) stubNode {
	n := stubNode{hash: map[uint64]string{}, raw: []byte(fork)}
	for i := range h + 1 {
		n.hash[i] = "s"
		if i > 10 {
			n.hash[i] = fork
		}
	}
	n.tip = BlockRef{h, n.hash[h]}
	return n
}

func TestQuorumNeedsAMajority(t *testing.T) {
	for nodes, least := range map[int]int{1: 1, 2: 2, 3: 2, 4: 3, 5: 3} {
		for need := -1; need <= nodes+1; need++ {
			_, err := NewQuorum(make([]Source, nodes), need)
			if (err == nil) != (need >= least && need <= nodes) {
				t.Errorf("%d of %d: %v", need, nodes, err)
			}
		}
	}
}

func TestQuorumBlocks(t *testing.T) {
	down := stubNode{err: errFake}
	tests := []struct {
		name  string
		nodes []Source
		need  int
		tip   BlockRef
		at12  string
		err   error // of at12
	}{
		{"all agree", []Source{nodeAt(15, "a"), nodeAt(15, "a"), nodeAt(15, "a")}, 2, BlockRef{15, "a"}, "a", nil},
		{"one ahead", []Source{nodeAt(19, "a"), nodeAt(15, "a"), nodeAt(15, "a")}, 2, BlockRef{15, "a"}, "a", nil},
		{"two ahead", []Source{nodeAt(19, "a"), nodeAt(17, "a"), nodeAt(15, "a")}, 2, BlockRef{17, "a"}, "a", nil},
		{"one lies", []Source{nodeAt(15, "b"), nodeAt(15, "a"), nodeAt(15, "a")}, 2, BlockRef{15, "a"}, "a", nil},
		{"one lies and is ahead", []Source{nodeAt(99, "b"), nodeAt(15, "a"), nodeAt(15, "a")}, 2, BlockRef{15, "a"}, "a", nil},
		{"one is down", []Source{down, nodeAt(15, "a"), nodeAt(15, "a")}, 2, BlockRef{15, "a"}, "a", nil},
		{"one is empty", []Source{nodeAt(0, "a"), nodeAt(15, "a"), nodeAt(15, "a")}, 2, BlockRef{15, "a"}, "a", nil},
		{"fork: what they share", []Source{nodeAt(12, "b"), nodeAt(12, "a")}, 2, BlockRef{10, "s"}, "", ErrNoQuorum},
		{"two down: never lowered", []Source{down, down, nodeAt(15, "a")}, 2, BlockRef{}, "", ErrNoQuorum},
		{"one down, two differ", []Source{down, nodeAt(15, "b"), nodeAt(15, "a")}, 2, BlockRef{10, "s"}, "", ErrNoQuorum},
		{"enough have no such block", []Source{nodeAt(5, "a"), nodeAt(6, "a"), nodeAt(15, "a")}, 2, BlockRef{6, "s"}, "", ErrNotFound},
		{"one has none, one is down", []Source{nodeAt(5, "a"), down, nodeAt(15, "a")}, 2, BlockRef{5, "s"}, "", ErrNoQuorum},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			q, err := NewQuorum(tt.nodes, tt.need)
			if err != nil {
				t.Fatal(err)
			}
			for range 20 { // answers come in any order
				tip, err := q.Tip(t.Context())
				if tip != tt.tip || (err != nil) != (tip == BlockRef{}) || err != nil && (!errors.Is(err, ErrNoQuorum) || errors.Is(err, ErrNotFound)) {
					t.Fatalf("tip %v, %v; want %v", tip, err, tt.tip)
				}
				hash, err := q.HashAt(t.Context(), 12)
				if hash != tt.at12 || !errors.Is(err, tt.err) || tt.err != ErrNotFound && errors.Is(err, ErrNotFound) {
					t.Fatalf("hash at 12 %q, %v; want %q, %v", hash, err, tt.at12, tt.err)
				}
			}
		})
	}
}

func TestQuorumRawBlock(t *testing.T) {
	q, _ := NewQuorum([]Source{stubNode{raw: []byte("x")}, stubNode{raw: []byte("y")}, stubNode{raw: []byte("x")}}, 2)
	if raw, err := q.RawBlock(t.Context(), "h"); err != nil || string(raw) != "x" {
		t.Errorf("%q, %v", raw, err)
	}
	q, _ = NewQuorum([]Source{stubNode{raw: []byte("x")}, stubNode{raw: []byte("y")}}, 2)
	if raw, err := q.RawBlock(t.Context(), "h"); !errors.Is(err, ErrNoQuorum) {
		t.Errorf("%q, %v", raw, err)
	}
}

func TestQuorumBroadcast(t *testing.T) {
	v := func(v Verdict) Source { return stubNode{verdict: v} }
	down := stubNode{verdict: Unknown, err: errFake}
	for _, tt := range []struct {
		nodes []Source
		want  Verdict
	}{
		{[]Source{v(Accepted), v(Rejected), down}, Accepted},
		{[]Source{v(Known), v(Conflict), down}, Known},
		{[]Source{v(Conflict), v(Rejected), v(Conflict)}, Conflict},
		{[]Source{v(Rejected), v(Rejected), v(Rejected)}, Rejected},
		{[]Source{v(Rejected), v(Conflict), down}, Unknown},
		{[]Source{down, down, down}, Unknown},
	} {
		q, _ := NewQuorum(tt.nodes, 2)
		got, err := q.Broadcast(t.Context(), nil)
		if got != tt.want || (err != nil) != (got == Unknown) {
			t.Errorf("%v: %s, %v; want %s", tt.nodes, got, err, tt.want)
		}
	}
}

func TestQuorumRest(t *testing.T) {
	down := stubNode{err: errFake}
	q, _ := NewQuorum([]Source{stubNode{mempool: []string{"c", "a", "c"}, rate: 5}, down, stubNode{mempool: []string{"b", "a"}, rate: 9}}, 2)
	// What one node alone says, however often, may be made up.
	if txids, err := q.Mempool(t.Context()); err != nil || !slices.Equal(txids, []string{"a"}) {
		t.Errorf("mempool %v, %v", txids, err)
	}
	if rate, ok, err := q.EstimateFee(t.Context(), 6); err != nil || !ok || rate != 5 {
		t.Errorf("fee %d, %v, %v", rate, ok, err)
	}
	if _, err := q.RawTransaction(t.Context(), "t"); !errors.Is(err, ErrNotFound) {
		t.Errorf("transaction that two of three do not know: %v", err)
	}
	if h := q.Health(); len(h) != 3 || h[1].OK {
		t.Errorf("health %v", h)
	}
	q, _ = NewQuorum([]Source{down, down, stubNode{mempool: []string{"a"}, rate: 5}}, 2)
	if txids, err := q.Mempool(t.Context()); !errors.Is(err, ErrNoQuorum) {
		t.Errorf("mempool of one: %v, %v", txids, err)
	}
	if _, ok, err := q.EstimateFee(t.Context(), 6); ok || !errors.Is(err, ErrNoQuorum) {
		t.Errorf("fee of one: %v, %v", ok, err)
	}
	if _, err := q.RawTransaction(t.Context(), "t"); !errors.Is(err, ErrNoQuorum) || errors.Is(err, ErrNotFound) {
		t.Errorf("transaction that one does not know: %v", err)
	}
}
