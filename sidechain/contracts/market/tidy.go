package market

import (
	"causeway/sidechain/contract"
	"causeway/sidechain/state"
)

// mostTidied is how many orders an update of the contract removes of a kind:
// whole pages of a thousand, until so many are gone.
const mostTidied = 5000

// tidy removes orders that should not be there when the contract is updated.
// Nothing is given back, as at the peer.
func (e *edition) tidy(ctx contract.Context) {
	r := e.newRun(ctx, "", pair{})
	if e.badOrders {
		r.removeWhere(buys, func(row state.Row) bool { return row.Get("tokensLocked") == "0.00000000" })
	}
	for _, account := range e.cleared {
		for _, s := range [...]side{buys, sells} {
			r.removeWhere(s, func(row state.Row) bool { return row.Get("account") == account })
		}
	}
}

// removeWhere removes orders from a book, the oldest first.
func (r *run) removeWhere(s side, match func(state.Row) bool) {
	var rows []state.Row
	for row := range r.books[s].All() {
		if len(rows) == mostTidied {
			break
		}
		if match(row) {
			rows = append(rows, row)
		}
	}
	for _, row := range rows {
		r.books[s].Remove(row)
		m := marketOf(row, r.usual)
		r.refresh(&m, s)
	}
}
