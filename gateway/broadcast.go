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

// offer hands every node that answers the variants of a batch, until it has one:
// all are as good, they pay the same, and nodes may have different ones.
func (b *broadcaster) offer(ctx context.Context, variants []bearer) error {
	b.hook("C16")
	verdicts, err := b.give(ctx, variants)
	b.hook("C17")
	errs := []error{err}
	refused := chains.Verdict("")
	for i, verdict := range verdicts {
		switch verdict {
		case chains.Accepted, chains.Known:
			errs = append(errs, b.taken(ctx, variants[i], verdict))
			refused = ""
		case chains.Conflict, chains.Rejected:
			b.refuses(variants[i], verdict)
			refused = verdict
		case chains.Unknown:
			refused = ""
		}
	}
	if refused != "" {
		for _, id := range variants[0].withdrawals {
			b.notes.set(id, "a node refuses the payout: "+string(refused))
		}
	}
	return errors.Join(errs...)
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

// refuses notes that nodes refuse a variant. Only the chain decides; meanwhile
// people should know.
func (b *broadcaster) refuses(tx bearer, verdict chains.Verdict) {
	if b.refused[tx.txid] != verdict {
		b.refused[tx.txid] = verdict
		b.log.Warn("a node refuses a payout", "batch", tx.batch, "txid", tx.txid, "verdict", string(verdict))
	}
}

// taken notes that a node has a variant, and books the first time.
func (b *broadcaster) taken(ctx context.Context, tx bearer, verdict chains.Verdict) error {
	b.sent[tx.txid] = b.now()
	if tx.known {
		return nil
	}
	b.log.Info("payout broadcast", "batch", tx.batch, "txid", tx.txid, "verdict", string(verdict))
	for _, id := range tx.withdrawals {
		b.notes.set(id, "")
	}
	return b.ledger.Do(ctx, func(s *pegs.State) ([]Entry, error) {
		batch, ok := s.Batch(tx.batch)
		if !ok || slices.Contains(batch.Taken, tx.txid) {
			return nil, nil
		}
		return []Entry{{Event: &pegs.Broadcast{Batch: tx.batch, TxID: tx.txid, Verdict: verdict}}}, nil
	})
}

// give hands variants to the nodes, but for those that may not be sent any more:
// then their outcome is as unknown as before. No halt becomes durable meanwhile.
func (b *broadcaster) give(ctx context.Context, variants []bearer) ([]chains.Verdict, error) {
	defer b.ledger.act(b.id)()
	may := map[string]bool{}
	if err := b.ledger.View(func(s *pegs.State) {
		if batch, ok := s.Batch(variants[0].batch); ok {
			for _, v := range s.Sendable(batch) {
				may[v.TxID] = true
			}
		}
	}); err != nil {
		return nil, err
	}
	var raws [][]byte
	var places []int
	for i, tx := range variants {
		if may[tx.txid] {
			raws, places = append(raws, tx.raw), append(places, i)
		}
	}
	verdicts := make([]chains.Verdict, len(variants))
	if len(raws) == 0 {
		return verdicts, nil
	}
	said, err := offerTo(ctx, b.chain, raws)
	for i, verdict := range said {
		verdicts[places[i]] = verdict
	}
	return verdicts, err
}

// offerTo hands variants to the nodes of a chain: to each of them where the chain
// knows how.
func offerTo(ctx context.Context, chain served, variants [][]byte) ([]chains.Verdict, error) {
	if c, ok := chain.(interface {
		offer(ctx context.Context, variants [][]byte) ([]chains.Verdict, error)
	}); ok {
		return c.offer(ctx, variants)
	}
	return chains.OfferOne(variants, func(raw []byte) (chains.Verdict, error) { return chain.broadcast(ctx, raw) })
}
