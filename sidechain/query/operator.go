package query

import (
	"bytes"
	"fmt"
	"slices"

	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// builder makes the test of an operator from its operand; negated says that
// the operator is the test's opposite.
type builder func(v jsvalue.Value) (t test, negated bool, err error)

// operators are those that take a value; $not, $and, $or and $nor are syntax.
var operators = map[string]builder{
	"$eq":     func(v jsvalue.Value) (test, bool, error) { return newMembership(v), false, nil },
	"$ne":     func(v jsvalue.Value) (test, bool, error) { return newMembership(v), true, nil },
	"$in":     func(v jsvalue.Value) (test, bool, error) { return list("$in", v, false) },
	"$nin":    func(v jsvalue.Value) (test, bool, error) { return list("$nin", v, true) },
	"$gt":     func(v jsvalue.Value) (test, bool, error) { return newComparison(v, false, false, true), false, nil },
	"$gte":    func(v jsvalue.Value) (test, bool, error) { return newComparison(v, false, true, true), false, nil },
	"$lt":     func(v jsvalue.Value) (test, bool, error) { return newComparison(v, true, false, false), false, nil },
	"$lte":    func(v jsvalue.Value) (test, bool, error) { return newComparison(v, true, true, false), false, nil },
	"$exists": func(v jsvalue.Value) (test, bool, error) { return existence{}, !jsvalue.Truthy(v), nil },
}

func list(op string, v jsvalue.Value, negated bool) (test, bool, error) {
	values, ok := v.([]jsvalue.Value)
	if !ok {
		return nil, false, fmt.Errorf("%w: %s needs an array", ErrQuery, op)
	}
	return newMembership(values...), negated, nil
}

// membership holds for values equal to one of a list.
type membership struct {
	values []jsvalue.Value
	keys   []string // sorted order keys
}

func newMembership(values ...jsvalue.Value) membership {
	m := membership{values: values, keys: make([]string, len(values))}
	for i, v := range values {
		m.keys[i] = string(state.AppendKey(nil, v))
	}
	slices.Sort(m.keys)
	return m
}

func (m membership) holds(v jsvalue.Value, _ bool) bool {
	if len(m.values) == 1 {
		if want, ok := m.values[0].(string); ok {
			got, ok := v.(string)
			return ok && got == want
		}
	}
	var a [96]byte
	key := state.AppendKey(a[:0], v)
	if len(m.keys) == 1 {
		return m.keys[0] == string(key)
	}
	_, found := slices.BinarySearch(m.keys, string(key))
	return found
}

// indexable says whether an index over whole values finds all that m does.
func (m membership) indexable() bool {
	return !slices.ContainsFunc(m.values, func(v jsvalue.Value) bool {
		_, isArray := v.([]jsvalue.Value)
		return isArray
	})
}

// comparison holds for values of the operand's class that are below, equal to
// or above it.
type comparison struct {
	value               jsvalue.Value
	key                 []byte
	below, equal, above bool
}

func newComparison(v jsvalue.Value, below, equal, above bool) comparison {
	return comparison{v, state.AppendKey(nil, v), below, equal, above}
}

func (c comparison) holds(v jsvalue.Value, _ bool) bool {
	var a [96]byte
	key := state.AppendKey(a[:0], v)
	if !state.SameClass(key, c.key) {
		return false
	}
	switch bytes.Compare(key, c.key) {
	case -1:
		return c.below
	case 0:
		return c.equal
	}
	return c.above
}

// existence holds for members that are there.
type existence struct{}

func (existence) holds(v jsvalue.Value, whole bool) bool {
	_, undefined := v.(jsvalue.Undefined)
	return whole && !undefined
}
