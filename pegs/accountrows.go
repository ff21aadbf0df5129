package pegs

import (
	"strings"

	"causeway/chains"
)

// earlyRows are rows of the sidechain's deposits that were not seen on the chain yet,
// by what their ids begin with (an address, or a transaction) and by id.
type earlyRows map[string]map[string]*Credited

// group is what the ids of an address, or of a transaction, begin with.
func (e earlyRows) group(id string) string { return id[:strings.LastIndexByte(id, ':')+1] }

func (e earlyRows) find(id string) *Credited { return e[e.group(id)][id] }

func (e earlyRows) add(row *Credited) {
	group := e.group(row.Deposit)
	if e[group] == nil {
		e[group] = map[string]*Credited{}
	}
	e[group][row.Deposit] = row
}

// take finds a row and takes it out.
func (e earlyRows) take(id string) *Credited {
	group := e.group(id)
	row := e[group][id]
	if delete(e[group], id); len(e[group]) == 0 {
		delete(e, group)
	}
	return row
}

// next is the lowest amount above before at which a row of an address begins; id is
// any of the address's.
func (e earlyRows) next(id string, before chains.Amount) (next chains.Amount, ok bool) {
	for other := range e[e.group(id)] {
		if _, at, isCoin := splitCoinID(other); isCoin && before.Less(at) && (!ok || at.Less(next)) {
			next, ok = at, true
		}
	}
	return next, ok
}
