package state

import "sort"

// maxItems is the capacity of a node of a btree.
const maxItems = 64

// btree is an ordered map from order keys to entries: a B+ tree with linked
// leaves. Iteration survives writes: after a write the iterator seeks again
// from the last key that it gave.
type btree struct {
	root *bnode
	size int
	mods uint64 // changes of the set of keys
}

// bnode is a leaf (kids nil) or an inner node. In an inner node keys[i] is a
// lower bound of the keys below kids[i]; keys[0] counts as minus infinity.
type bnode struct {
	keys       []string
	items      []*entry
	kids       []*bnode
	next, prev *bnode
}

// position returns the index of the first key >= key.
func (n *bnode) position(key string) int {
	return sort.Search(len(n.keys), func(i int) bool { return n.keys[i] >= key })
}

// child returns the index of the kid that may hold key.
func (n *bnode) child(key string) int {
	return sort.Search(len(n.keys)-1, func(i int) bool { return n.keys[i+1] > key })
}

// set stores e under key.
func (b *btree) set(key string, e *entry) {
	if b.root == nil {
		b.root = &bnode{}
	}
	if right := b.insert(b.root, key, e); right != nil {
		left := b.root
		b.root = &bnode{keys: []string{left.keys[0], right.keys[0]}, kids: []*bnode{left, right}}
	}
}

// insert returns the new right neighbour when n was split.
func (b *btree) insert(n *bnode, key string, e *entry) *bnode {
	if n.kids == nil {
		i := n.position(key)
		if i < len(n.keys) && n.keys[i] == key {
			n.items[i] = e
			return nil
		}
		b.size++
		b.mods++
		n.keys = insertAt(n.keys, i, key)
		n.items = insertAt(n.items, i, e)
		return n.split(i)
	}
	i := n.child(key)
	right := b.insert(n.kids[i], key, e)
	if right == nil {
		return nil
	}
	n.keys = insertAt(n.keys, i+1, right.keys[0])
	n.kids = insertAt(n.kids, i+1, right)
	return n.split(i + 1)
}

// split halves a node that is too large; a node that grew at its very end is
// left full, so that ascending keys fill the tree.
func (n *bnode) split(at int) *bnode {
	if len(n.keys) <= maxItems {
		return nil
	}
	half := len(n.keys) / 2
	if at == len(n.keys)-1 && n.next == nil {
		half = len(n.keys) - 1
	}
	right := &bnode{keys: cut(&n.keys, half)}
	if n.kids != nil {
		right.kids = cut(&n.kids, half)
		return right
	}
	right.items = cut(&n.items, half)
	right.next, right.prev = n.next, n
	if n.next != nil {
		n.next.prev = right
	}
	n.next = right
	return right
}

// remove deletes key and says whether it was there.
func (b *btree) remove(key string) bool {
	if b.root == nil || !b.delete(b.root, key) {
		return false
	}
	b.size--
	b.mods++
	for b.root.kids != nil && len(b.root.kids) <= 1 {
		if len(b.root.kids) == 0 {
			b.root = nil
			return true
		}
		b.root = b.root.kids[0]
	}
	return true
}

func (b *btree) delete(n *bnode, key string) bool {
	if n.kids == nil {
		i := n.position(key)
		if i == len(n.keys) || n.keys[i] != key {
			return false
		}
		n.keys = removeAt(n.keys, i)
		n.items = removeAt(n.items, i)
		return true
	}
	i := n.child(key)
	if !b.delete(n.kids[i], key) {
		return false
	}
	n.tidy(i)
	return true
}

// tidy drops kid i when it is empty and joins it with a neighbour of the same
// parent once both together fill at most half a node.
func (n *bnode) tidy(i int) {
	kid := n.kids[i]
	switch {
	case len(kid.keys) == 0:
		if kid.kids == nil {
			kid.unlink()
		}
		n.keys = removeAt(n.keys, i)
		n.kids = removeAt(n.kids, i)
	case i+1 < len(n.kids) && len(kid.keys)+len(n.kids[i+1].keys) <= maxItems/2:
		n.join(i)
	case i > 0 && len(kid.keys)+len(n.kids[i-1].keys) <= maxItems/2:
		n.join(i - 1)
	}
}

// join appends kid i+1 to kid i.
func (n *bnode) join(i int) {
	left, right := n.kids[i], n.kids[i+1]
	if left.kids == nil {
		left.items = append(left.items, right.items...)
		right.unlink()
	} else {
		right.keys[0] = n.keys[i+1]
		left.kids = append(left.kids, right.kids...)
	}
	left.keys = append(left.keys, right.keys...)
	n.keys = removeAt(n.keys, i+1)
	n.kids = removeAt(n.kids, i+1)
}

// unlink takes a leaf out of the chain of leaves.
func (n *bnode) unlink() {
	if n.prev != nil {
		n.prev.next = n.next
	}
	if n.next != nil {
		n.next.prev = n.prev
	}
}

// seek returns the place of the first key >= key; the leaf is nil at the end.
func (b *btree) seek(key string) (*bnode, int) {
	n := b.root
	if n == nil {
		return nil, 0
	}
	for n.kids != nil {
		n = n.kids[n.child(key)]
	}
	return n.at(n.position(key))
}

// at normalises a position that may lie behind the last key of a leaf.
func (n *bnode) at(i int) (*bnode, int) {
	for n != nil && i >= len(n.keys) {
		n, i = n.next, 0
	}
	return n, i
}

// last returns the place of the last key < key, or of the last key at all when
// key is empty.
func (b *btree) last(key string) (*bnode, int) {
	n := b.root
	if n == nil {
		return nil, 0
	}
	for n.kids != nil {
		i := len(n.kids) - 1
		if key != "" {
			i = n.child(key)
		}
		n = n.kids[i]
	}
	i := len(n.keys) - 1
	if key != "" {
		i = n.position(key) - 1
	}
	for n != nil && i < 0 {
		if n = n.prev; n != nil {
			i = len(n.keys) - 1
		}
	}
	return n, i
}

// ascend visits keys >= from in order until visit returns false.
func (b *btree) ascend(from string, visit func(key string, e *entry) bool) {
	n, i := b.seek(from)
	for n != nil {
		key, mods := n.keys[i], b.mods
		if !visit(key, n.items[i]) {
			return
		}
		if b.mods == mods {
			n, i = n.at(i + 1)
			continue
		}
		if n, i = b.seek(key); n != nil && n.keys[i] == key {
			n, i = n.at(i + 1)
		}
	}
}

// descend visits keys < before (all when empty) in descending order.
func (b *btree) descend(before string, visit func(key string, e *entry) bool) {
	n, i := b.last(before)
	for n != nil {
		key, mods := n.keys[i], b.mods
		if !visit(key, n.items[i]) {
			return
		}
		if i > 0 && b.mods == mods {
			i--
			continue
		}
		n, i = b.last(key)
	}
}

func insertAt[T any](s []T, i int, v T) []T {
	if s == nil {
		s = make([]T, 0, 4)
	}
	s = append(s, v)
	copy(s[i+1:], s[i:])
	s[i] = v
	return s
}

func removeAt[T any](s []T, i int) []T {
	var zero T
	copy(s[i:], s[i+1:])
	s[len(s)-1] = zero
	return s[:len(s)-1]
}

// cut moves the elements from half on into a new slice.
func cut[T any](s *[]T, half int) []T {
	right := make([]T, len(*s)-half, maxItems+1)
	copy(right, (*s)[half:])
	clear((*s)[half:])
	*s = (*s)[:half]
	return right
}
