package machine

import (
	"fmt"
	"slices"
	"strings"
)

// Result is what a search found.
type Result struct {
	States, Steps int
	// Fault is the first invariant that was broken, or the dead end, with the
	// steps to it; empty when there is none.
	Fault string
	Trace []string
}

// edge is how a state was first reached.
type edge struct {
	from int32
	name string
}

// search is the work of Search.
type search struct {
	protocol Protocol
	index    map[state]int32
	states   []state
	first    []edge
	// steps without mishaps, from one state to another.
	from, to []int32
}

// Search visits every state that a protocol can reach, at most limit of them (0:
// no limit), and stops at the first that is broken.
func Search(p Protocol, limit int) Result {
	s := &search{protocol: p, index: map[state]int32{}}
	s.visit(state{}, edge{-1, ""})
	r := Result{}
	var steps []step
	for at := 0; at < len(s.states); at++ {
		steps = p.after(&s.states[at], steps[:0])
		for _, one := range steps {
			r.Steps++
			to, fresh := s.visit(one.next, edge{int32(at), one.name})
			if one.kind != hostile && to != int32(at) {
				s.from, s.to = append(s.from, int32(at)), append(s.to, to)
			}
			if !fresh {
				continue
			}
			if fault := one.next.broken(); fault != "" && strings.HasPrefix(fault, p.only) {
				r.States, r.Fault, r.Trace = len(s.states), fault, s.trace(to)
				return r
			}
			if limit > 0 && len(s.states) > limit {
				r.States, r.Fault = len(s.states), fmt.Sprintf("more than %d states", limit)
				return r
			}
		}
	}
	r.States = len(s.states)
	if dead, ok := s.deadEnd(); ok {
		r.Fault, r.Trace = "stuck for ever: no way leads from here to a settled or returned burn", s.trace(dead)
	}
	return r
}

// visit gives the number of a state, which is fresh when it has none yet.
func (s *search) visit(one state, how edge) (number int32, fresh bool) {
	one = canonical(&one)
	if number, ok := s.index[one]; ok {
		return number, false
	}
	number = int32(len(s.states))
	s.index[one] = number
	s.states, s.first = append(s.states, one), append(s.first, how)
	return number, true
}

// canonical is one of the states that differ only in names: always the same one.
// The names in a trace are those of the states, and may change on the way.
func canonical(s *state) state {
	best := *s
	for swap := 1; swap < burns*coins; swap++ {
		if n := s.swapped(swap&1, swap>>1); n.before(&best) {
			best = n
		}
	}
	return best
}

// deadEnd finds a state from which no good one can be reached.
func (s *search) deadEnd() (int32, bool) {
	reaches := make([]bool, len(s.states))
	var queue []int32
	for i := range s.states {
		if s.states[i].good() {
			reaches[i] = true
			queue = append(queue, int32(i))
		}
	}
	back := s.backward()
	for len(queue) > 0 {
		at := queue[len(queue)-1]
		queue = queue[:len(queue)-1]
		for _, from := range back(at) {
			if !reaches[from] {
				reaches[from] = true
				queue = append(queue, from)
			}
		}
	}
	for i, ok := range reaches {
		if !ok {
			return int32(i), true
		}
	}
	return 0, false
}

// backward gives the states from which a step leads to one.
func (s *search) backward() func(int32) []int32 {
	start := make([]int32, len(s.states)+1)
	for _, to := range s.to {
		start[to+1]++
	}
	for i := range s.states {
		start[i+1] += start[i]
	}
	list, next := make([]int32, len(s.from)), slices.Clone(start)
	for i, to := range s.to {
		list[next[to]] = s.from[i]
		next[to]++
	}
	return func(to int32) []int32 { return list[start[to]:start[to+1]] }
}

func (s *search) trace(to int32) (steps []string) {
	for ; s.first[to].from >= 0; to = s.first[to].from {
		steps = append([]string{s.first[to].name}, steps...)
	}
	return steps
}
