package gateway

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	"causeway/internal/failpoint"
	"causeway/pegs"
)

// recalled notes of which open batches of a chain the signer was asked, since the
// start, what it remembers. A ledger from a backup may not know the newest variant,
// and others may spend its change: if an older one were sent, or its change spent,
// payouts would die for nothing.
type recalled struct {
	mu    sync.Mutex
	asked map[string]bool // batch -> the signer has answered
}

// unanswered lists those of the open batches of which the signer has said nothing
// yet, and forgets the batches that are not open any more.
func (r *recalled) unanswered(open []string) (list []string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	next := make(map[string]bool, len(open))
	for _, id := range open {
		if answered, asked := r.asked[id]; asked {
			next[id] = answered
		}
		if !next[id] {
			list = append(list, id)
		}
	}
	r.asked = next
	return list
}

func (r *recalled) note(batch string, answered bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asked[batch] = answered
}

// tried says whether the signer was asked about a batch. One that does not answer
// keeps nothing from being sent that the ledger has.
func (r *recalled) tried(batch string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.asked[batch]
	return ok
}

// remember takes up what the signer remembers of every open batch, once.
func (p *office) remember(ctx context.Context) error {
	var open []string
	if err := p.ledger.View(func(s *pegs.State) {
		for _, b := range s.OpenBatches(p.id) {
			if (b.Assigned != nil || failpoint.Off(failpoint.AssignBeforeSign)) && b.Learns() {
				open = append(open, b.ID)
			}
		}
	}); err != nil {
		return err
	}
	var errs []error
	for _, id := range p.recalled.unanswered(open) {
		err := p.recall(ctx, id)
		if err != nil {
			errs = append(errs, fmt.Errorf("what the signer remembers of batch %s: %w", id, err))
		}
		p.recalled.note(id, err == nil)
	}
	return errors.Join(errs...)
}

// recall takes up the variants of a batch that only the signer remembers: the
// ledger may come from a backup.
func (p *office) recall(ctx context.Context, batch string) error {
	variants, err := p.signer.Variants(batch)
	if err != nil {
		return err
	}
	return p.ledger.Do(ctx, func(s *pegs.State) (entries []Entry, err error) {
		b, ok := s.Batch(batch)
		if !ok || b.Assigned == nil || !b.Learns() {
			return nil, nil
		}
		for _, v := range variants {
			if slices.ContainsFunc(b.Variants, func(known pegs.Signed) bool { return known.TxID == v.TxID }) {
				continue
			}
			event, err := p.papers.signedEvent(batch, v)
			if err != nil {
				return nil, err
			}
			entries = append(entries, Entry{Event: event})
		}
		return entries, nil
	})
}
