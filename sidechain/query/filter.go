package query

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// Bounds of a query.
const (
	MaxDepth   = 16   // nesting of $and, $or, $nor, $not, and of values
	MaxClauses = 256  // conditions
	MaxValues  = 4096 // values compared with, lists and nested ones counted
	MaxPath    = 32   // parts of a dotted path
)

// Errors of Compile; texts say where.
var (
	ErrQuery    = errors.New("query: invalid query")
	ErrTooLarge = errors.New("query: query too large")
)

// Filter is a compiled query.
type Filter struct {
	all   conjunction
	facts []state.Fact
}

// clause is a condition on a row.
type clause interface {
	match(row state.Row) bool
}

// Compile reads a query. An empty one, or nil, matches every row.
func Compile(query *jsvalue.Object) (*Filter, error) {
	c := compiler{}
	all, err := c.object(query, 0)
	if err != nil {
		return nil, err
	}
	f := &Filter{all: all}
	f.collect(all)
	return f, nil
}

// Match says whether a row satisfies the query.
func (f *Filter) Match(row state.Row) bool { return f.all.match(row) }

// collect gathers what the query says of single fields, for the choice of an
// index.
func (f *Filter) collect(all conjunction) {
	for _, c := range all {
		switch c := c.(type) {
		case conjunction:
			f.collect(c)
		case *condition:
			switch t := c.test.(type) {
			case membership:
				if t.indexable() {
					f.facts = append(f.facts, state.Fact{Field: c.field, Values: t.values})
				}
			case comparison:
				f.bound(c.field, t)
			}
		}
	}
}

// bound adds a comparison to the range of its field.
func (f *Filter) bound(field string, t comparison) {
	i := slices.IndexFunc(f.facts, func(k state.Fact) bool { return k.Field == field && k.Values == nil })
	if i < 0 {
		i = len(f.facts)
		f.facts = append(f.facts, state.Fact{Field: field})
	}
	if t.below {
		f.facts[i].Max = t.value
	} else {
		f.facts[i].Min = t.value
	}
}

// compiler counts what a query uses of its bounds.
type compiler struct {
	clauses, values int
}

func (c *compiler) object(query *jsvalue.Object, depth int) (conjunction, error) {
	if depth > MaxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d", ErrTooLarge, MaxDepth)
	}
	var all conjunction
	for name, v := range query.All() {
		if c.clauses++; c.clauses > MaxClauses {
			return nil, fmt.Errorf("%w: more than %d conditions", ErrTooLarge, MaxClauses)
		}
		var err error
		var parts conjunction
		switch name {
		case "$and", "$or", "$nor":
			parts, err = c.logical(name, v, depth)
		case "$loki":
			parts, err = c.field("_id", v, depth)
		default:
			parts, err = c.field(name, v, depth)
		}
		if err != nil {
			return nil, err
		}
		all = append(all, parts...)
	}
	return all, nil
}

// logical compiles $and, $or and $nor with their list of queries.
func (c *compiler) logical(name string, v jsvalue.Value, depth int) (conjunction, error) {
	list, ok := v.([]jsvalue.Value)
	if !ok || len(list) == 0 {
		return nil, fmt.Errorf("%w: %s must be a nonempty array", ErrQuery, name)
	}
	var branches []conjunction
	for _, e := range list {
		o, ok := e.(*jsvalue.Object)
		if !ok {
			return nil, fmt.Errorf("%w: %s must hold objects", ErrQuery, name)
		}
		branch, err := c.object(o, depth+1)
		if err != nil {
			return nil, err
		}
		if c.clauses++; c.clauses > MaxClauses {
			return nil, fmt.Errorf("%w: more than %d conditions", ErrTooLarge, MaxClauses)
		}
		branches = append(branches, branch)
	}
	switch name {
	case "$or":
		return conjunction{disjunction(branches)}, nil
	case "$nor":
		return conjunction{negation{disjunction(branches)}}, nil
	}
	all := make(conjunction, len(branches))
	for i, branch := range branches {
		all[i] = branch
	}
	return all, nil
}

// field compiles what is asked of one field: a value or an object of
// operators.
func (c *compiler) field(name string, v jsvalue.Value, depth int) (conjunction, error) {
	if strings.HasPrefix(name, "$") {
		return nil, fmt.Errorf("%w: unknown operator %q", ErrQuery, clip(name))
	}
	path := strings.Split(name, ".")
	if len(path) > MaxPath {
		return nil, fmt.Errorf("%w: a path has more than %d parts", ErrTooLarge, MaxPath)
	}
	o, ok := v.(*jsvalue.Object)
	if !ok || !isOperators(o) {
		value, err := c.literal(v, 0)
		if err != nil {
			return nil, err
		}
		return conjunction{&condition{name, path, newMembership(value)}}, nil
	}
	return c.operators(name, path, o, depth)
}

// operators compiles {"$gt": …, "$lt": …}.
func (c *compiler) operators(name string, path []string, o *jsvalue.Object, depth int) (conjunction, error) {
	if depth > MaxDepth {
		return nil, fmt.Errorf("%w: nested deeper than %d", ErrTooLarge, MaxDepth)
	}
	var all conjunction
	for op, v := range o.All() {
		if c.clauses++; c.clauses > MaxClauses {
			return nil, fmt.Errorf("%w: more than %d conditions", ErrTooLarge, MaxClauses)
		}
		if op == "$not" {
			inner, ok := v.(*jsvalue.Object)
			if !ok || inner.Len() == 0 || !isOperators(inner) {
				return nil, fmt.Errorf("%w: $not needs an object of operators", ErrQuery)
			}
			part, err := c.operators(name, path, inner, depth+1)
			if err != nil {
				return nil, err
			}
			all = append(all, negation{part})
			continue
		}
		build, ok := operators[op]
		if !ok {
			return nil, fmt.Errorf("%w: unknown operator %q", ErrQuery, clip(op))
		}
		value, err := c.literal(v, 0)
		if err != nil {
			return nil, err
		}
		test, negated, err := build(value)
		if err != nil {
			return nil, err
		}
		part := clause(&condition{name, path, test})
		if negated {
			part = negation{part}
		}
		all = append(all, part)
	}
	return all, nil
}

// literal takes a value to compare with, numbers of extended JSON included.
func (c *compiler) literal(v jsvalue.Value, depth int) (jsvalue.Value, error) {
	if c.values++; c.values > MaxValues {
		return nil, fmt.Errorf("%w: more than %d values", ErrTooLarge, MaxValues)
	}
	if depth > MaxDepth {
		return nil, fmt.Errorf("%w: a value is nested deeper than %d", ErrTooLarge, MaxDepth)
	}
	switch x := v.(type) {
	case []jsvalue.Value:
		list := make([]jsvalue.Value, len(x))
		for i, e := range x {
			var err error
			if list[i], err = c.literal(e, depth+1); err != nil {
				return nil, err
			}
		}
		return list, nil
	case *jsvalue.Object:
		if number, ok, err := extendedNumber(x); ok || err != nil {
			return number, err
		}
		o := jsvalue.NewObject()
		for name, e := range x.All() {
			value, err := c.literal(e, depth+1)
			if err != nil {
				return nil, err
			}
			o.Set(name, value)
		}
		return o, nil
	}
	return v, nil
}

// extendedNumber reads {"$numberDecimal":…} and its like; ok is false for
// other objects.
func extendedNumber(o *jsvalue.Object) (v jsvalue.Value, ok bool, err error) {
	if o.Len() != 1 {
		return nil, false, nil
	}
	name := o.Keys()[0]
	switch name {
	case "$numberDecimal":
		if state.IsDecimal(o) {
			return o, true, nil
		}
	case "$numberInt", "$numberLong", "$numberDouble":
		text, _ := o.String(name)
		if v, err := jsvalue.Parse(text); err == nil {
			if f, ok := v.(float64); ok {
				return f, true, nil
			}
		}
	default:
		return nil, false, nil
	}
	return nil, false, fmt.Errorf("%w: %s is no number", ErrQuery, name)
}

// isOperators says whether an object is a list of operators rather than a
// value.
func isOperators(o *jsvalue.Object) bool {
	for name := range o.All() {
		return strings.HasPrefix(name, "$") && !strings.HasPrefix(name, "$number")
	}
	return false
}

// clip bounds a stranger's text in an error.
func clip(s string) string {
	if len(s) > 32 {
		return s[:32]
	}
	return s
}
