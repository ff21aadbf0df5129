package state

import (
	"fmt"
	"slices"
	"sort"
	"testing"

	"pgregory.net/rapid"
)

// check walks the whole tree and returns its keys.
func (b *btree) check(t *rapid.T) []string {
	var keys []string
	var leaves []*bnode
	var visit func(n *bnode, low, high string)
	visit = func(n *bnode, low, high string) {
		if len(n.keys) > maxItems {
			t.Fatalf("node of %d keys", len(n.keys))
		}
		if n.kids == nil {
			leaves = append(leaves, n)
			for i, key := range n.keys {
				if key < low || high != "" && key >= high || n.items[i].key != key {
					t.Fatalf("key %q outside of [%q, %q)", key, low, high)
				}
			}
			keys = append(keys, n.keys...)
			return
		}
		for i, kid := range n.kids {
			l, h := low, high
			if i > 0 {
				l = n.keys[i]
			}
			if i+1 < len(n.kids) {
				h = n.keys[i+1]
			}
			visit(kid, l, h)
		}
	}
	if b.root != nil {
		visit(b.root, "", "")
	}
	for i, leaf := range leaves {
		if i > 0 && leaf.prev != leaves[i-1] || i+1 < len(leaves) && leaf.next != leaves[i+1] {
			t.Fatalf("leaf %d is linked wrongly", i)
		}
	}
	if !sort.StringsAreSorted(keys) || len(keys) != b.size {
		t.Fatalf("%d keys, size %d, sorted %v", len(keys), b.size, sort.StringsAreSorted(keys))
	}
	return keys
}

func TestBtreeModel(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var b btree
		model := map[string]bool{}
		for range rapid.IntRange(1, 12).Draw(t, "rounds") {
			start := rapid.IntRange(0, 3000).Draw(t, "start")
			count := rapid.IntRange(1, 600).Draw(t, "count")
			step := rapid.SampledFrom([]int{1, -1, 7, 919}).Draw(t, "step")
			remove := rapid.Bool().Draw(t, "remove")
			for i := range count {
				key := fmt.Sprintf("%04d", ((start+i*step)%3000+3000)%3000)
				if remove {
					if b.remove(key) != model[key] {
						t.Fatalf("remove %s", key)
					}
					delete(model, key)
				} else {
					b.set(key, &entry{key: key})
					model[key] = true
				}
			}
			keys := b.check(t)
			if len(keys) != len(model) {
				t.Fatalf("%d keys, want %d", len(keys), len(model))
			}
			from := fmt.Sprintf("%04d", rapid.IntRange(0, 3100).Draw(t, "from"))
			i, _ := slices.BinarySearch(keys, from)
			var up, down []string
			b.ascend(from, func(key string, _ *entry) bool { up = append(up, key); return true })
			b.descend(from, func(key string, _ *entry) bool { down = append(down, key); return true })
			slices.Reverse(down)
			if !slices.Equal(up, keys[i:]) || !slices.Equal(down, keys[:i]) {
				t.Fatalf("from %s: %d up, %d down of %d", from, len(up), len(down), len(keys))
			}
		}
	})
}

// TestBtreeWriteWhileIterating removes and inserts inside a walk: every key that
// stays is seen once.
func TestBtreeWriteWhileIterating(t *testing.T) {
	var b btree
	for i := range 1000 {
		key := fmt.Sprintf("%04d", 2*i)
		b.set(key, &entry{key: key})
	}
	seen := 0
	b.ascend("", func(key string, _ *entry) bool {
		seen++
		b.remove(key)
		b.set("-"+key, &entry{key: "-" + key}) // behind the walk
		return true
	})
	if seen != 1000 || b.size != 1000 {
		t.Fatalf("saw %d, %d left", seen, b.size)
	}
	seen = 0
	b.descend("", func(key string, _ *entry) bool {
		seen++
		b.remove(key)
		return true
	})
	if seen != 1000 || b.size != 0 {
		t.Fatalf("saw %d, %d left", seen, b.size)
	}
}
