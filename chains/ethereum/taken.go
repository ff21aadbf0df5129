package ethereum

import (
	"context"
	"fmt"
)

// TokensTaken is what left an account of a token in a block, by what it held before
// and after it and what the token says came in. Neither the status of a transfer nor
// its log proves that anybody was paid: only this does. Logs of what came in that
// lie make it more, never less. It is an error, and unknown, where the nodes do not
// have the states of these two blocks any more, and where more came in than the
// token says: what left may hide behind that.
func (q *Quorum) TokensTaken(ctx context.Context, block *Block, from, token Address) (Wei, error) {
	var held [2]Wei
	for i, hash := range []string{block.Parent, block.Hash} {
		id, err := ParseHash(hash)
		if err != nil {
			return Wei{}, err
		}
		list, err := q.TokenBalances(ctx, id, token, []Address{from})
		if err != nil {
			return Wei{}, err
		}
		held[i] = list[0]
	}
	had, err := held[0], error(nil)
	for _, t := range block.Transfers(map[Address]bool{token: true}) {
		if t.To != from || t.From == from {
			continue
		}
		if had, err = had.Add(t.Value); err != nil {
			return Wei{}, fmt.Errorf("ethereum: tokens of %s: %w", from, err)
		}
	}
	if had.Less(held[1]) {
		return Wei{}, fmt.Errorf("ethereum: tokens of %s: more came in than token %s says", from, token)
	}
	return had.Sub(held[1])
}
