package query

import (
	"strconv"

	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// conjunction holds when all its clauses do.
type conjunction []clause

func (all conjunction) match(row state.Row) bool {
	for _, c := range all {
		if !c.match(row) {
			return false
		}
	}
	return true
}

// disjunction holds when one of its branches does.
type disjunction []conjunction

func (any disjunction) match(row state.Row) bool {
	for _, c := range any {
		if c.match(row) {
			return true
		}
	}
	return false
}

// negation holds when its clause does not.
type negation struct{ clause }

func (n negation) match(row state.Row) bool { return !n.clause.match(row) }

// condition holds when the test holds for one of the values at path.
type condition struct {
	field string
	path  []string
	test  test
}

// test is a predicate of one value. whole says that the value stands in the row
// as it is, rather than as an element of an array there.
type test interface {
	holds(v jsvalue.Value, whole bool) bool
}

func (c *condition) match(row state.Row) bool {
	found, ok := c.walk(row, c.path)
	return ok || !found && c.test.holds(jsvalue.Undefined{}, true)
}

// walk looks for a value at path below o for which the test holds. found says
// that the path led to any value at all, absent members of objects included.
func (c *condition) walk(o *jsvalue.Object, path []string) (found, ok bool) {
	v := o.Get(path[0])
	if len(path) == 1 {
		return true, c.value(v)
	}
	switch x := v.(type) {
	case *jsvalue.Object:
		return c.walk(x, path[1:])
	case []jsvalue.Value:
		return c.walkArray(x, path[1:])
	}
	return false, false
}

// walkArray follows path into the elements of an array, and into one of them
// when path starts with its number.
func (c *condition) walkArray(list []jsvalue.Value, path []string) (found, ok bool) {
	if i, err := strconv.ParseUint(path[0], 10, 32); err == nil && i < uint64(len(list)) {
		found, ok = c.element(list[i], path[1:])
		if ok {
			return true, true
		}
	}
	for _, e := range list {
		if o, isObject := e.(*jsvalue.Object); isObject {
			f, ok := c.walk(o, path)
			if ok {
				return true, true
			}
			found = found || f
		}
	}
	return found, false
}

// element goes on from an array element that was named by its number.
func (c *condition) element(v jsvalue.Value, path []string) (found, ok bool) {
	if len(path) == 0 {
		return true, c.value(v)
	}
	switch x := v.(type) {
	case *jsvalue.Object:
		return c.walk(x, path)
	case []jsvalue.Value:
		return c.walkArray(x, path)
	}
	return false, false
}

// value tests a value and, when it is an array, its elements.
func (c *condition) value(v jsvalue.Value) bool {
	if c.test.holds(v, true) {
		return true
	}
	list, _ := v.([]jsvalue.Value)
	for _, e := range list {
		if c.test.holds(e, false) {
			return true
		}
	}
	return false
}
