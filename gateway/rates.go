package gateway

import (
	"slices"

	"causeway/chains"
)

// ratesKept is how many fee rates are remembered, one for a block.
const ratesKept = 144

// rates are the newest fee rates of a chain, in memory only: they tell a low one.
type rates struct {
	list   []chains.FeeRate
	height uint64 // of the newest
}

// add remembers the rate at a height; a newer one at the same height replaces it.
func (r *rates) add(height uint64, rate chains.FeeRate) {
	if len(r.list) > 0 && height <= r.height {
		r.list[len(r.list)-1] = rate
		return
	}
	r.list, r.height = append(r.list, rate), height
	if len(r.list) > ratesKept {
		r.list = slices.Delete(r.list, 0, 1)
	}
}

// newest is the last rate that was known.
func (r *rates) newest() (rate chains.FeeRate, ok bool) {
	if len(r.list) == 0 {
		return 0, false
	}
	return r.list[len(r.list)-1], true
}

// low says whether a rate is within the lowest quarter of the last blocks, of
// which some must be known.
func (r *rates) low(rate chains.FeeRate, least int) bool {
	if len(r.list) < least {
		return false
	}
	sorted := slices.Sorted(slices.Values(r.list))
	return rate <= sorted[(len(sorted)-1)/4]
}
