package query

import (
	"context"
	"fmt"

	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// Find compiles a query and returns the rows that match, sorted by order and
// then by _id ascending, from the offset-th on, at most limit (all when
// negative). An order that names an unknown index is ignored as a whole. The
// result is nil when the table does not exist. The caller holds the read lock.
func Find(sec *state.Section, table string, query *jsvalue.Object, limit, offset int, order []state.Order) ([]state.Row, error) {
	f, err := Compile(query)
	if err != nil {
		return nil, err
	}
	return f.Find(sec, table, limit, offset, order), nil
}

// Find is the function Find with a compiled query.
func (f *Filter) Find(sec *state.Section, table string, limit, offset int, order []state.Order) []state.Row {
	t := sec.Table(table)
	if t == nil {
		return nil
	}
	return t.Select(f.matcher(), order, offset, limit, f.facts...)
}

func (f *Filter) matcher() func(state.Row) bool {
	if len(f.all) == 0 {
		return nil
	}
	return f.Match
}

// pause is after how many rows FindContext lets a writer in.
const pause = 1024

// FindContext is Find for strangers' queries: it takes the read lock itself,
// lets the writer in after every thousand rows, and stops when ctx ends. A
// query that reads more rows than that may see several blocks.
func (f *Filter) FindContext(ctx context.Context, db *state.DB, sec *state.Section, table string, limit, offset int, order []state.Order) ([]state.Row, error) {
	if err := ctx.Err(); err != nil {
		return nil, fmt.Errorf("query: %w", err)
	}
	db.RLock()
	defer db.RUnlock()
	t := sec.Table(table)
	if t == nil {
		return nil, nil
	}
	var stopped error
	seen := 0
	rows := t.Select(func(row state.Row) bool {
		if seen++; seen%pause == 0 {
			db.RUnlock()
			if stopped == nil {
				stopped = ctx.Err()
			}
			db.RLock()
		}
		return stopped == nil && f.Match(row)
	}, order, offset, limit, f.facts...)
	if stopped != nil {
		return nil, fmt.Errorf("query: %w", stopped)
	}
	return rows, nil
}
