package tokens

import (
	"cmp"
	"slices"

	"causeway/sidechain/contract"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// pageSize is how many rows the peer's find returns at most.
const pageSize = 1000

// eachDue gives work the rows of a table whose time has come, as the peer does:
// pass by pass, in a pass by _id, so that a row with several overdue periods
// comes once in each, until no row is due. work says whether the row moved on.
// A row that did not would come for ever at the peer; here it comes once a
// tick.
//
// Where the chain bounds the rows of a tick (genesis maxTickRows), those that
// have been due for longest come first, and the rest waits for the next block:
// no longer than the rows of the table need, because work leaves no row due.
func eachDue(ctx contract.Context, t *state.Table, byTime string, work func(state.Row) bool) {
	left, bounded := tickRows(ctx)
	stuck := map[jsvalue.Value]bool{}
	for left > 0 {
		page := dueRows(t, byTime, ctx.Millis(), min(left, pageSize), bounded, stuck)
		if len(page) == 0 {
			return
		}
		for _, row := range page {
			if !work(row) {
				stuck[row.Get("_id")] = true
			}
		}
		if bounded {
			left -= len(page)
		}
	}
}

// tickRows is how many rows a tick may work off.
func tickRows(ctx contract.Context) (n int, bounded bool) {
	limit, bounded := ctx.Param("maxTickRows").(float64)
	if !bounded {
		return pageSize, false
	}
	return int(limit), true
}

// dueRows is a pass: the n rows that are due and come first, by _id.
func dueRows(t *state.Table, byTime string, now int64, n int, bounded bool, stuck map[jsvalue.Value]bool) []state.Row {
	var rows []state.Row
	from, to := []jsvalue.Value{0.0}, []jsvalue.Value{float64(now)}
	for row := range t.Ascend(byTime, from, to) {
		if stuck[row.Get("_id")] {
			continue
		}
		if rows = append(rows, row); bounded && len(rows) == n {
			break
		}
	}
	slices.SortFunc(rows, func(a, b state.Row) int {
		x, _ := a.Number("_id")
		y, _ := b.Number("_id")
		return cmp.Compare(x, y)
	})
	return rows[:min(n, len(rows))]
}
