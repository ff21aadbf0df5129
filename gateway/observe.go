package gateway

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"causeway/hotwallet"
	"causeway/pegs"
)

// show lets the signer see what the batch of a release was assigned. Otherwise a
// signer that signed nothing for it, or whose journal came from a backup, could
// not judge the release. While the proof waits for its header so does the release.
func (o *operator) show(ctx context.Context, t task) (waits bool, err error) {
	id := strings.TrimPrefix(t.key, "release ")
	var r hotwallet.SignRequest
	if err := o.sidechain.View(func(v SideState) error { r, err = rowsOf(v, id); return err }); err != nil {
		return false, err
	}
	if err := o.ledger.View(func(s *pegs.State) {
		if b, ok := s.Batch(r.Assign.Batch); ok {
			r.Perished = s.PerishedBefore(b)
		}
	}); err != nil {
		return false, err
	}
	key := fmt.Sprintf("%s %d", r.Assign.Batch, len(r.Perished))
	if o.shown[key] {
		return false, nil
	}
	why, err := o.prover.show(ctx, &r)
	if err != nil {
		return false, err
	}
	if why != "" {
		for _, item := range t.items {
			o.notes.set(item, why)
		}
		o.attempts[t.key].next = o.now() // at the next look
		return true, nil
	}
	err = o.signer.Observe(ctx, r)
	if err == nil || errors.Is(err, hotwallet.ErrStale) {
		o.prover.forget(r.Assign.Batch)
	}
	o.shown[key] = err == nil
	return false, err
}

// rowsOf is what a request says of the batch with that id, or of the batch that
// pays the withdrawal with that id.
func rowsOf(v SideState, id string) (r hotwallet.SignRequest, err error) {
	batch := id
	if w, ok := v.Withdrawal(id); ok {
		batch = w.Batch
	}
	row, ok, err := v.Batch(batch)
	if err != nil {
		return r, err
	}
	if !ok {
		return r, fmt.Errorf("%w: batch %s is not assigned", ErrOlderBase, batch)
	}
	r.Assign = row.assign()
	for _, id := range row.IDs {
		w, ok := v.Withdrawal(id)
		if !ok {
			return r, fmt.Errorf("%w: withdrawal %s is not there", ErrOlderBase, id)
		}
		r.Withdrawals = append(r.Withdrawals, w.request())
	}
	return r, nil
}
