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
	return slices.BinarySearchFunc(s, v.place(), func(member T, place int) int { return cmp.Compare(member.place(), place) })
}

// add does nothing when v is there.
func (s *openSet[T]) add(v T) {
	if i, ok := s.find(v); !ok {
		*s = slices.Insert(*s, i, v)
	}
}

// remove does nothing when v is not there.
func (s *openSet[T]) remove(v T) {
	if i, ok := s.find(v); ok {
		*s = slices.Delete(*s, i, i+1)
	}
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

// add does nothing when the output is there.
func (s *outputSet) add(out *Output) {
	if i, ok := s.find(out.Outpoint); !ok {
		*s = slices.Insert(*s, i, out)
	}
}

// remove does nothing when the output is not there.
func (s *outputSet) remove(o chains.Outpoint) {
	if i, ok := s.find(o); ok {
		*s = slices.Delete(*s, i, i+1)
	}
}
