package pegs

import (
	"cmp"
	"slices"

	"causeway/chains"
)

// openSet holds those of a list that are not at their end, in the order of the
// list: whoever looks for work goes through it without sorting.
type openSet[T interface{ place() int }] []T

func (s openSet[T]) find(v T) (int, bool) {
	if n := len(s); n > 0 && s[n-1].place() < v.place() {
		return n, false // most are newer than all others
	}
	return slices.BinarySearchFunc(s, v.place(), func(member T, place int) int { return cmp.Compare(member.place(), place) })
}

// add does nothing when v is there.
func (s *openSet[T]) add(v T) {
	if i, ok := s.find(v); !ok {
		*s = slices.Insert(*s, i, v)
	}
}

// remove does nothing when v is not there. The shorter part moves: mostly it is
// the oldest that go.
func (s *openSet[T]) remove(v T) {
	i, ok := s.find(v)
	switch {
	case !ok:
	case i < len(*s)/2:
		var none T
		copy((*s)[1:i+1], (*s)[:i])
		(*s)[0] = none
		*s = (*s)[1:]
	default:
		*s = slices.Delete(*s, i, i+1)
	}
}

// turn lists at most n members of a set from a place on, and from the last to the
// first again, and says at which place the next turn begins.
func turn[T interface{ place() int }](set openSet[T], from, n int) (list []T, next int) {
	first, _ := slices.BinarySearchFunc(set, from, func(member T, place int) int { return cmp.Compare(member.place(), place) })
	for i := range min(n, len(set)) {
		list = append(list, set[(first+i)%len(set)])
	}
	if len(list) > 0 {
		next = list[len(list)-1].place() + 1
	}
	return list, next
}

// outputSet holds outputs in the order of their outpoints.
type outputSet []*Output

func (s outputSet) find(o chains.Outpoint) (int, bool) {
	return slices.BinarySearchFunc(s, o, func(out *Output, o chains.Outpoint) int { return compareOutpoints(out.Outpoint, o) })
}

func (s outputSet) has(o chains.Outpoint) bool {
	_, ok := s.find(o)
	return ok
}

// add adds outputs; those that are there stay. It goes through the set once,
// however many they are.
func (s *outputSet) add(list ...*Output) {
	fresh := slices.DeleteFunc(slices.Clone(list), func(out *Output) bool { return s.has(out.Outpoint) })
	slices.SortFunc(fresh, func(a, b *Output) int { return compareOutpoints(a.Outpoint, b.Outpoint) })
	fresh = slices.Compact(fresh)
	old := len(*s)
	*s = append(*s, fresh...)
	for to := len(*s) - 1; len(fresh) > 0; to-- { // from behind, in place
		last := fresh[len(fresh)-1]
		if old > 0 && compareOutpoints((*s)[old-1].Outpoint, last.Outpoint) > 0 {
			old--
			(*s)[to] = (*s)[old]
			continue
		}
		(*s)[to] = last
		fresh = fresh[:len(fresh)-1]
	}
}

// remove removes outputs, those of them that are there, as add adds them.
func (s *outputSet) remove(list ...*Output) {
	places := make([]int, 0, len(list))
	for _, out := range list {
		if i, ok := s.find(out.Outpoint); ok {
			places = append(places, i)
		}
	}
	if len(places) == 0 {
		return
	}
	slices.Sort(places)
	places = slices.Compact(places)
	to := places[0]
	for n, at := range places {
		end := len(*s)
		if n+1 < len(places) {
			end = places[n+1]
		}
		to += copy((*s)[to:], (*s)[at+1:end])
	}
	clear((*s)[to:])
	*s = (*s)[:to]
}
