package gateway

import (
	"context"
	"errors"
	"fmt"

	"causeway/pegs"
)

// MarkRestored writes into the log of a home that was made from a backup, before
// anything runs on it, that payouts of every chain stand still: whatever was paid
// after the backup is known to the network alone. It says how many chains there
// are.
func MarkRestored(ctx context.Context, path, network, reason, author string) (chains int, err error) {
	l, err := OpenLedger(path, network)
	if err != nil {
		return 0, err
	}
	err = l.Do(ctx, func(s *pegs.State) (entries []Entry, err error) {
		for _, id := range s.ChainIDs() {
			entries = append(entries, Entry{Event: &pegs.Halted{
				Chain: id, Scopes: []pegs.Scope{pegs.ScopePayouts}, Cause: pegs.CauseRestored, Reason: reason, Author: author,
			}})
		}
		chains = len(entries)
		return entries, nil
	})
	if closing := l.Close(); err == nil {
		err = closing
	}
	return chains, err
}

// MarkAdopted writes into the log of a stopped home that a signer which had lost its
// journal was let sign on from a base block.
func MarkAdopted(ctx context.Context, path, network string, block uint64, reason, author string) error {
	l, err := OpenLedger(path, network)
	if err != nil {
		return err
	}
	return errors.Join(l.Append(ctx, &pegs.SignerAdopted{Block: block, Author: author, Reason: reason}), l.Close())
}

// watchRestored sets the block until which the payouts of a restored home stand:
// as many after the one with which the chain was first read to its end as the
// ledger could take back, about a day of them. By then a payout that the backup
// does not know is in a block or can be taken for lost by a person.
func (g *Gateway) watchRestored(ctx context.Context) error {
	for _, f := range g.chains {
		id := f.conf().ID()
		waits := false
		if err := g.ledger.View(func(s *pegs.State) {
			c, _ := s.Chain(id)
			halt, ok := c.HaltOf(pegs.CauseRestored)
			waits = ok && halt.Until == 0
		}); err != nil {
			return err
		}
		if !waits || !f.caughtUp() {
			continue
		}
		err := g.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
			c, _ := s.Chain(id)
			halt, ok := c.HaltOf(pegs.CauseRestored)
			tip, any := c.Tip()
			if !ok || !any || halt.Until != 0 {
				return nil, nil
			}
			event := halt.Halted
			event.Until = tip.Height + uint64(max(c.Config.Policy.Keep, 1))
			event.Reason = fmt.Sprintf("%s; not before block %d", event.Reason, event.Until)
			return []Entry{{Event: &event}}, nil
		})
		if err != nil {
			return err
		}
	}
	return nil
}
