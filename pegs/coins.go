package pegs

import (
	"cmp"
	"slices"

	"causeway/chains"
)

// coinSet holds outputs in the order of their amounts, those of one amount in that
// of their outpoints. It is a list of short lists, so that a change moves little.
type coinSet struct {
	parts [][]*Output // none is empty
}

// partSize is the most that a part holds.
const partSize = 256

func compareCoins(a, b *Output) int {
	return cmp.Or(a.Amount.Cmp(b.Amount), compareOutpoints(a.Outpoint, b.Outpoint))
}

// find says in which part an output is or would be, and where.
func (s *coinSet) find(out *Output) (part, at int, ok bool) {
	part, _ = slices.BinarySearchFunc(s.parts, out, func(p []*Output, out *Output) int { return compareCoins(p[len(p)-1], out) })
	if part = min(part, len(s.parts)-1); part < 0 {
		return 0, 0, false
	}
	at, ok = slices.BinarySearchFunc(s.parts[part], out, compareCoins)
	return part, at, ok
}

// add does nothing when the output is there.
func (s *coinSet) add(out *Output) {
	part, at, ok := s.find(out)
	switch {
	case ok:
	case len(s.parts) == 0:
		s.parts = [][]*Output{{out}}
	default:
		p := slices.Insert(s.parts[part], at, out)
		s.parts[part] = p
		if len(p) > partSize {
			s.parts[part] = slices.Clip(p[:partSize/2])
			s.parts = slices.Insert(s.parts, part+1, slices.Clone(p[partSize/2:]))
		}
	}
}

// remove does nothing when the output is not there.
func (s *coinSet) remove(out *Output) {
	part, at, ok := s.find(out)
	if !ok {
		return
	}
	if s.parts[part] = slices.Delete(s.parts[part], at, at+1); len(s.parts[part]) == 0 {
		s.parts = slices.Delete(s.parts, part, part+1)
	}
	if len(s.parts) == 0 {
		s.parts = nil
	}
}

// up goes through the set, the smallest of at least an amount first.
func (s *coinSet) up(least chains.Amount, yield func(*Output) bool) {
	first, _ := slices.BinarySearchFunc(s.parts, least, func(p []*Output, a chains.Amount) int { return p[len(p)-1].Amount.Cmp(a) })
	for first > 0 && !s.parts[first-1][len(s.parts[first-1])-1].Amount.Less(least) {
		first-- // an amount that fills many parts
	}
	for _, p := range s.parts[first:] {
		for _, out := range p {
			if !out.Amount.Less(least) && !yield(out) {
				return
			}
		}
	}
}

// down goes through the set, the largest first.
func (s *coinSet) down(yield func(*Output) bool) {
	for _, p := range slices.Backward(s.parts) {
		for _, out := range slices.Backward(p) {
			if !yield(out) {
				return
			}
		}
	}
}

// reckon keeps the index of a chain's coins after a change of an output, of its
// deposit, or of what it is kept for. The index leaves out what is of no use
// whatever the depth; spendable decides.
func (s *State) reckon(c *Chain, out *Output) {
	holder := s.batches[c.kept[out.Outpoint]]
	useful := out.In != nil && out.Spent == nil && out.usable() && (holder == nil || holder.Released != nil)
	if useful == out.reckoned {
		return
	}
	if out.reckoned = useful; useful {
		c.coins.add(out)
	} else {
		c.coins.remove(out)
	}
}

// reckonInputs does so for the inputs of a batch.
func (s *State) reckonInputs(b *Batch) {
	c := s.chains[b.Chain]
	for _, in := range b.Inputs {
		if out := c.outputs[in]; out != nil {
			s.reckon(c, out)
		}
	}
}

// Coins picks of Spendable what a choice of inputs is made of: in blocks, the most
// largest, the most smallest, and as many of those that are at least near, the
// smallest of them first; and all change in no block. Without so many it is all of
// Spendable. The order is fixed.
func (s *State) Coins(id chains.ID, near chains.Amount, most int) []Coin {
	c, ok := s.chains[id]
	if !ok {
		return nil
	}
	var list []Coin
	taken := map[*Output]bool{}
	take := func(walk func(func(*Output) bool)) {
		n := 0
		walk(func(out *Output) bool {
			if depth := c.Depth(out.In); s.spendable(c, out, depth) {
				if n++; !taken[out] {
					taken[out] = true
					list = append(list, Coin{Output: out, Depth: depth})
				}
			}
			return n < most
		})
	}
	take(c.coins.down)
	for _, least := range []chains.Amount{{}, near} {
		take(func(yield func(*Output) bool) { c.coins.up(least, yield) })
	}
	slices.SortFunc(list, func(a, b Coin) int { return compareOutpoints(a.Outpoint, b.Outpoint) })
	return append(list, s.change(c)...)
}

// MoreCoins says whether more than n coins in blocks may be spent.
func (s *State) MoreCoins(id chains.ID, n int) bool {
	c := s.chains[id]
	if c == nil {
		return false
	}
	c.coins.down(func(out *Output) bool {
		if s.spendable(c, out, c.Depth(out.In)) {
			n--
		}
		return n >= 0
	})
	return n < 0
}
