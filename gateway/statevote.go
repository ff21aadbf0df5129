package gateway

import (
	"context"
)

// stateEvery is after how many sidechain blocks an attestor signs the state
// (design, "Block commitment").
const stateEvery = 20

// stateVotes makes the attestor sign the state hash of every twentieth
// sidechain block, as it comes. A vote that a crash swallowed is not made up
// for: the hashes are chained, so the next one says all that it said.
type stateVotes struct {
	sidechain Sidechain
	submitter Submitter
	next      uint64 // block to sign; 0 before the first step
}

func (v *stateVotes) step(ctx context.Context) error {
	var head uint64
	if err := v.sidechain.View(func(s SideState) error { head = s.Head().Block; return nil }); err != nil {
		return err
	}
	if v.next == 0 {
		v.next = head/stateEvery*stateEvery + stateEvery
	}
	for ; v.next <= head; v.next += stateEvery {
		hash, ok := v.sidechain.StateHash(v.next)
		if !ok {
			return nil
		}
		if err := v.submitter.SignState(ctx, v.next, hash); err != nil {
			return err
		}
	}
	return nil
}
