package gateway

import (
	"context"
	"errors"
	"log/slog"
	"time"

	"causeway/chains"
	"causeway/internal/failpoint"
	"causeway/pegs"
)

// broadcaster hands signed payouts to the nodes, again and again, until the
// chain has them deep enough. A refusal proves nothing and changes nothing.
type broadcaster struct {
	id       chains.ID
	source   chains.Source
	interval time.Duration
	ledger   *Ledger
	notes    *notes
	log      *slog.Logger
	hook     func(string)
	now      func() time.Time
	sent     map[string]time.Time // txid -> last time a node had it
	refused  map[string]chains.Verdict
}

func newBroadcaster(g *Gateway, f *follower) *broadcaster {
	return &broadcaster{
		id: f.id, source: f.Source, interval: max(g.cfg.RebroadcastAfter, f.Poll), ledger: g.ledger, notes: g.notes,
		log: f.log, hook: g.cfg.Failpoint, now: time.Now, sent: map[string]time.Time{},
		refused: map[string]chains.Verdict{},
	}
}

// bearer is a signed transaction to be broadcast.
type bearer struct {
	batch, txid string
	raw         []byte
	withdrawals []string
	known       bool // a node took it before
}

func (b *broadcaster) step(ctx context.Context) error {
	list, err := b.due()
	if err != nil {
		return err
	}
	var errs []error
	for _, tx := range list {
		errs = append(errs, b.send(ctx, tx))
	}
	return errors.Join(errs...)
}

// due lists the newest variant of every batch that is to be sent now, parents
// first.
func (b *broadcaster) due() (list []bearer, err error) {
	now := b.now()
	err = b.ledger.View(func(s *pegs.State) {
		for _, batch := range s.ToBroadcast(b.id) {
			v := batch.Variants[len(batch.Variants)-1]
			if last, ok := b.sent[v.TxID]; ok && (now.Sub(last) < b.interval || failpoint.Off(failpoint.Rebroadcast)) {
				continue
			}
			list = append(list, bearer{batch.ID, v.TxID, v.Raw, batch.Withdrawals, batch.Broadcast != nil && batch.Broadcast.TxID == v.TxID})
		}
	})
	return list, err
}

func (b *broadcaster) send(ctx context.Context, tx bearer) error {
	b.hook("C16")
	verdict, err := b.give(ctx, tx)
	b.hook("C17")
	switch verdict {
	case chains.Accepted, chains.Known:
		b.sent[tx.txid] = b.now()
	case chains.Conflict, chains.Rejected:
		// Only the chain decides; meanwhile people should know.
		if b.refused[tx.txid] == verdict {
			return nil
		}
		b.refused[tx.txid] = verdict
		b.log.Warn("a node refuses a payout", "batch", tx.batch, "txid", tx.txid, "verdict", string(verdict))
		for _, id := range tx.withdrawals {
			b.notes.set(id, "a node refuses the payout: "+string(verdict))
		}
		return nil
	default:
		return err
	}
	if tx.known {
		return nil
	}
	b.log.Info("payout broadcast", "batch", tx.batch, "txid", tx.txid, "verdict", string(verdict))
	for _, id := range tx.withdrawals {
		b.notes.set(id, "")
	}
	return b.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		batch, ok := s.Batch(tx.batch)
		if !ok || batch.Broadcast != nil && batch.Broadcast.TxID == tx.txid {
			return nil, nil
		}
		return []Entry{{Event: &pegs.Broadcast{Batch: tx.batch, TxID: tx.txid, Verdict: verdict}}}, nil
	})
}

// give hands a transaction to the nodes, unless payouts were halted before any
// node had it: then its outcome is as unknown as before.
func (b *broadcaster) give(ctx context.Context, tx bearer) (chains.Verdict, error) {
	defer b.ledger.act(b.id)()
	halted := false
	if err := b.ledger.View(func(s *pegs.State) {
		c, ok := s.Chain(b.id)
		halted = !ok || c.Stands(pegs.ScopePayouts)
	}); err != nil || halted && !tx.known {
		return chains.Unknown, err
	}
	return b.source.Broadcast(ctx, tx.raw)
}
