package gateway

import (
	"context"
	"fmt"

	"causeway/pegs"
)

// Verified says what a full replay of the log found.
type Verified struct {
	Records uint64 // all of them
	Seals   uint64 // hashes of the state that were computed again
	Hash    string // of the state, 64 hex digits
}

// Verify reads the whole log again, whatever snapshot the ledger was started
// from: every link, every transition, every seal that this version of the state
// can compute; and holds the state that comes out against the one in use. It
// fails with ErrLogDamaged. The ledger goes on meanwhile.
func (l *Ledger) Verify(ctx context.Context) (v Verified, err error) {
	var end place
	if err := l.View(func(s *pegs.State) { end, v.Hash = l.log.place, s.Hash() }); err != nil {
		return v, err
	}
	if l.seals == nil { // a reader counts what is whole of a torn frame
		if end.Offset, err = l.log.size(); err != nil {
			return v, err
		}
	}
	state := pegs.NewState()
	reading := newReplay(l.log.beginning(), func(r pegs.Record) error {
		if seal, ok := r.Event.(*pegs.Sealed); ok && seal.Form == pegs.StateForm() {
			v.Seals++
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
		return state.Apply(r)
	})
	_, err = reading.frames(l.log.file, end.Offset)
	if errApply := reading.finish(); ctx.Err() != nil {
		return v, ctx.Err()
	} else if errApply != nil {
		return v, fmt.Errorf("%w: %w", ErrLogDamaged, errApply)
	}
	if err != nil {
		return v, err
	}
	if reading.done.Seq != end.Seq || reading.done.Link != end.Link {
		return v, fmt.Errorf("%w: it holds %d records, the ledger %d", ErrLogDamaged, reading.done.Seq, end.Seq)
	}
	if hash := state.Hash(); hash != v.Hash {
		return v, fmt.Errorf("%w: its records make state %s, in use is %s", ErrLogDamaged, hash, v.Hash)
	}
	v.Records = end.Seq
	return v, nil
}
