package gateway

import (
	"context"
	"errors"
	"log/slog"
	"slices"
	"time"

	"causeway/chains"
	"causeway/internal/failpoint"
	"causeway/pegs"
)

// broadcaster hands signed payouts to the nodes, again and again, until the
// chain has them deep enough. A refusal proves nothing and changes nothing.
type broadcaster struct {
	id       chains.ID
	chain    served
	interval time.Duration
	ledger   *Ledger
	notes    *notes
	log      *slog.Logger
	hook     func(string)
	now      func() time.Time
	sent     map[string]time.Time // txid -> last time a node had it
	refused  map[string]chains.Verdict
	recalled *recalled
}

func newBroadcaster(g *Gateway, f served) *broadcaster {
	id := f.conf().ID()
	return &broadcaster{
		id: id, chain: f, interval: max(g.cfg.RebroadcastAfter, f.conf().Poll), ledger: g.ledger, notes: g.notes,
		log: g.log.With("chain", string(id)), hook: g.cfg.Failpoint, now: time.Now, sent: map[string]time.Time{},
		refused: map[string]chains.Verdict{}, recalled: g.recalled[id],
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
	for _, variants := range list {
		errs = append(errs, b.offer(ctx, variants))
	}
	return errors.Join(errs...)
}

// offer sends the first variant of a batch that the nodes take. The others are as
// good: they pay the same.
func (b *broadcaster) offer(ctx context.Context, variants []bearer) error {
	var verdict chains.Verdict
	for _, tx := range variants {
		var err error
		if verdict, err = b.send(ctx, tx); err != nil {
			return err
		}
		if verdict != chains.Conflict && verdict != chains.Rejected {
			return nil
		}
	}
	for _, id := range variants[0].withdrawals {
		b.notes.set(id, "a node refuses the payout: "+string(verdict))
	}
	return nil
}

// due lists the variants, best first, of every batch that is to be sent now,
// parents first: of those about which the signer was asked.
func (b *broadcaster) due() (list [][]bearer, err error) {
	err = b.ledger.View(func(s *pegs.State) {
		for _, batch := range s.ToBroadcast(b.id) {
			if !b.recalled.tried(batch.ID) {
				continue
			}
			var variants []bearer
			for _, v := range s.Sendable(batch) {
				variants = append(variants, bearer{batch.ID, v.TxID, v.Raw, batch.Withdrawals, slices.Contains(batch.Taken, v.TxID)})
			}
			if !b.rests(variants) {
				list = append(list, variants)
			}
		}
	})
	return list, err
}

// rests says whether a node took the best variant, or one instead of it, so
// short a time ago that it need not be sent again.
func (b *broadcaster) rests(variants []bearer) bool {
	for _, tx := range variants {
		if last, ok := b.sent[tx.txid]; ok && (b.now().Sub(last) < b.interval || failpoint.Off(failpoint.Rebroadcast)) {
			return true
		}
		if b.refused[tx.txid] == "" {
			return false
		}
	}
	return false
}

func (b *broadcaster) send(ctx context.Context, tx bearer) (chains.Verdict, error) {
	b.hook("C16")
	verdict, err := b.give(ctx, tx)
	b.hook("C17")
	switch verdict {
	case chains.Accepted, chains.Known:
		b.sent[tx.txid] = b.now()
	case chains.Conflict, chains.Rejected:
		// Only the chain decides; meanwhile people should know.
		if b.refused[tx.txid] != verdict {
			b.refused[tx.txid] = verdict
			b.log.Warn("a node refuses a payout", "batch", tx.batch, "txid", tx.txid, "verdict", string(verdict))
		}
		return verdict, nil
	default:
		return verdict, err
	}
	if tx.known {
		return verdict, nil
	}
	b.log.Info("payout broadcast", "batch", tx.batch, "txid", tx.txid, "verdict", string(verdict))
	for _, id := range tx.withdrawals {
		b.notes.set(id, "")
	}
	return verdict, b.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		batch, ok := s.Batch(tx.batch)
		if !ok || slices.Contains(batch.Taken, tx.txid) {
			return nil, nil
		}
		return []Entry{{Event: &pegs.Broadcast{Batch: tx.batch, TxID: tx.txid, Verdict: verdict}}}, nil
	})
}

// give hands a transaction to the nodes, unless it may not be sent any more: then
// its outcome is as unknown as before. No halt becomes durable meanwhile.
func (b *broadcaster) give(ctx context.Context, tx bearer) (chains.Verdict, error) {
	defer b.ledger.act(b.id)()
	may := false
	if err := b.ledger.View(func(s *pegs.State) {
		batch, ok := s.Batch(tx.batch)
		may = ok && slices.ContainsFunc(s.Sendable(batch), func(v pegs.Signed) bool { return v.TxID == tx.txid })
	}); err != nil || !may {
		return chains.Unknown, err
	}
	return b.chain.broadcast(ctx, tx.raw)
}
