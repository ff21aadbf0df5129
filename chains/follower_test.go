package chains

import (
	"errors"
	"fmt"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

// chainOf mines n blocks named prefix1, prefix2, … on a chain.
func (n *fakeNode) chainOf(chain []string, prefix string, count int) []string {
	for range count {
		chain = n.mine(chain, fmt.Sprintf("%s%d", prefix, len(chain)))
	}
	return chain
}

func mustRun(t *testing.T, w *watcher) {
	t.Helper()
	if err := w.run(); err != nil {
		t.Fatal(err)
	}
}

func (w *watcher) at() BlockRef { return w.tail[len(w.tail)-1] }

func TestFollowerReorg(t *testing.T) {
	for depth := 1; depth <= 10; depth++ {
		n := newFakeNode("g")
		n.chainOf(n.best, "a", 20)
		w := newWatcher(n, FollowerOptions{MaxReorg: 10})
		mustRun(t, w)
		n.chainOf(n.best[:21-depth], "b", depth) // as long: not the node's best
		mustRun(t, w)
		if w.at() != (BlockRef{20, "a20"}) || w.undone != 0 {
			t.Fatalf("depth %d: at %v after a chain of the same length that the node did not choose", depth, w.at())
		}
		n.chainOf(n.best[:21-depth], "c", depth+1)
		mustRun(t, w)
		if w.at() != (BlockRef{21, "c21"}) || w.undone != depth {
			t.Fatalf("depth %d: at %v with %d blocks undone", depth, w.at(), w.undone)
		}
	}
}

func TestFollowerTooDeep(t *testing.T) {
	n := newFakeNode("g")
	n.chainOf(n.best, "a", 20)
	w := newWatcher(n, FollowerOptions{MaxReorg: 10})
	mustRun(t, w)
	n.chainOf(n.best[:10], "b", 20)
	for range 3 {
		if err := w.run(); !errors.Is(err, ErrReorgTooDeep) || w.undone != 0 || w.at().Hash != "a20" {
			t.Fatalf("%v, %d undone, at %v", err, w.undone, w.at())
		}
	}
}

// TestFollowerOfShortTail: nothing but the birthday is known, and it goes.
func TestFollowerOfShortTail(t *testing.T) {
	n := newFakeNode("g")
	n.chainOf(n.best, "a", 8)
	w := newWatcher(n, FollowerOptions{Start: 6, MaxReorg: 5})
	mustRun(t, w)
	if w.tail[0] != (BlockRef{6, "a6"}) {
		t.Fatalf("started at %v", w.tail[0])
	}
	n.chainOf(n.best[:3], "b", 7)
	mustRun(t, w)
	if w.at() != (BlockRef{9, "b9"}) || w.undone != 3 {
		t.Fatalf("at %v with %d undone", w.at(), w.undone)
	}
}

// TestFollowerInfersNothing: what a node does not have, or says wrongly, moves
// nothing.
func TestFollowerInfersNothing(t *testing.T) {
	tests := []struct {
		name string
		lie  func(*fakeNode)
		err  error
	}{
		{"behind by 20", func(n *fakeNode) { n.best = n.best[:10] }, nil},
		{"back by one", func(n *fakeNode) { n.best = n.best[:30] }, nil},
		{"empty", func(n *fakeNode) { n.best = n.best[:1] }, nil},
		{"nothing at all", func(n *fakeNode) { n.best = nil }, nil},
		{"shorter other chain", func(n *fakeNode) { n.best = n.chainOf(n.best[:25], "b", 3) }, nil},
		{"other network, shorter", func(n *fakeNode) { n.best = n.chainOf(nil, "x", 20) }, nil},
		{"other network, longer", func(n *fakeNode) { n.best = n.chainOf(nil, "x", 40) }, ErrReorgTooDeep},
		{"error", func(n *fakeNode) { n.fail = func() error { return errFake } }, errFake},
		{"error that says not found", func(n *fakeNode) {
			n.fail = func() error { return fmt.Errorf("%w: %v", ErrUnavailable, ErrNotFound) }
		}, ErrUnavailable},
		{"hash without bytes", func(n *fakeNode) {
			n.best = append(slices.Clone(n.best[:30]), "invented")
		}, ErrBadBlock},
		{"block under another's hash", func(n *fakeNode) {
			n.best = append(slices.Clone(n.best[:30]), "invented")
			n.blocks["invented"] = n.blocks["a30"]
		}, ErrBadBlock},
		{"child of nobody", func(n *fakeNode) {
			n.mine([]string{"nobody"}, "orphan")
			n.best = append(slices.Clone(n.best[:30]), "orphan")
		}, ErrNotLinked},
		{"next block of nobody", func(n *fakeNode) {
			n.mine([]string{"nobody"}, "orphan")
			n.best = append(slices.Clone(n.best), "orphan")
		}, ErrNotLinked},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			n := newFakeNode("g")
			n.chainOf(n.best, "a", 30)
			w := newWatcher(n, FollowerOptions{MaxReorg: 10})
			mustRun(t, w)
			honest := slices.Clone(n.best)
			tt.lie(n)
			for range 3 {
				if err := w.run(); !errors.Is(err, tt.err) || w.undone != 0 || w.at() != (BlockRef{30, "a30"}) {
					t.Fatalf("%v with %d undone, at %v; want %v", err, w.undone, w.at(), tt.err)
				}
			}
			n.best, n.fail = honest, nil
			n.chainOf(n.best, "a", 2)
			mustRun(t, w)
			if w.at() != (BlockRef{32, "a32"}) || w.undone != 0 {
				t.Fatalf("back to honest: at %v, %d undone", w.at(), w.undone)
			}
		})
	}
}

// TestFollowerABA switches a hundred times between two chains and ends as a
// straight run does.
func TestFollowerABA(t *testing.T) {
	n := newFakeNode("g")
	base := n.chainOf(n.best, "s", 5)
	a, b := n.chainOf(base, "a", 6), n.chainOf(base, "b", 6)
	w := newWatcher(n, FollowerOptions{MaxReorg: 1000})
	for range 100 {
		for _, chain := range [][]string{a, b} {
			n.best = chain
			mustRun(t, w)
		}
		a, b = n.chainOf(a, "a", 1), n.chainOf(b, "b", 1)
	}
	n.best = a
	mustRun(t, w)
	straight := newWatcher(n, FollowerOptions{})
	mustRun(t, straight)
	if diff := cmp.Diff(straight.state(), w.state()); diff != "" {
		t.Fatalf("-straight +reorged\n%s", diff)
	}
}

// TestFollowerConfluence: whatever the node does on its way (reorganises, fails,
// lags, in the middle of our steps), the result depends on the final chain only.
func TestFollowerConfluence(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := newFakeNode("g")
		w := newWatcher(n, FollowerOptions{MaxReorg: 1000})
		tree := [][]string{n.best}
		highest := 1
		for i := range rapid.IntRange(1, 40).Draw(t, "moves") {
			switch rapid.IntRange(0, 5).Draw(t, "move") {
			case 0, 1: // a branch off any block ever seen
				from := rapid.SampledFrom(tree).Draw(t, "branch")
				from = from[:rapid.IntRange(1, len(from)).Draw(t, "fork")]
				tree = append(tree, n.chainOf(from, fmt.Sprintf("%d-", i), rapid.IntRange(1, 6).Draw(t, "blocks")))
			case 2: // the node prefers any chain
				n.best = rapid.SampledFrom(tree).Draw(t, "best")
			case 3: // it lags
				n.best = n.best[:rapid.IntRange(1, len(n.best)).Draw(t, "lag")]
			case 4: // it fails at any call, or everything changes between two calls
				calls := n.calls + rapid.IntRange(1, 8).Draw(t, "calls")
				other := rapid.SampledFrom(tree).Draw(t, "race")
				n.fail = func() error {
					if n.calls < calls {
						return nil
					}
					n.fail, n.best = nil, other
					return errFake
				}
			}
			for range rapid.IntRange(0, 12).Draw(t, "steps") {
				if _, err := w.step(); errors.Is(err, ErrReorgTooDeep) || errors.Is(err, ErrBadBlock) {
					t.Fatal(err)
				}
			}
			highest = max(highest, len(w.tail))
		}
		// In the end some chain wins: it is as long as any before it.
		final := rapid.SampledFrom(tree).Draw(t, "final")
		n.fail, n.best = nil, n.chainOf(final, "z", max(0, highest-len(final))+1)
		if err := w.run(); err != nil {
			t.Fatal(err)
		}
		straight := newWatcher(n, FollowerOptions{MaxReorg: 1000})
		if err := straight.run(); err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(straight.tail, w.tail); diff != "" {
			t.Fatalf("tail: -straight +ours\n%s", diff)
		}
		if diff := cmp.Diff(straight.state(), w.state()); diff != "" {
			t.Fatalf("state: -straight +ours\n%s", diff)
		}
	})
}

func TestFollowerRefusesBrokenTails(t *testing.T) {
	f := NewFollower(newFakeNode("g"), fakeChain{}, FollowerOptions{})
	for _, tail := range [][]BlockRef{{{1, "a"}, {3, "b"}}, {{2, "a"}, {1, "b"}}, {{0, ""}}} {
		if _, err := f.Next(t.Context(), tail); err == nil {
			t.Errorf("tail %v accepted", tail)
		}
	}
}
