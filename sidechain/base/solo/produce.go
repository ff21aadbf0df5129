package solo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
)

// headerRoom is what a block needs beside its transactions, generously.
const headerRoom = 1 << 10

// Produce makes one block if one is due: when transactions are pending, or
// nothing happened for an idle interval. It says whether it did. Run calls it;
// tests may.
func (s *Sequencer) Produce(ctx context.Context) (bool, error) {
	s.producing.Lock()
	defer s.producing.Unlock()
	now, parent := s.now(), s.parentTime()
	if now.Before(parent) {
		return false, nil
	}
	number, previous, _ := s.cfg.Store.Head()
	if err := s.checkGap(number, now.Sub(parent)); err != nil {
		return false, err
	}
	timestamp := nextTime(now, parent)
	chosen, err := s.build(timestamp)
	if err != nil {
		return false, err
	}
	if len(chosen) == 0 && number > 0 && now.Sub(parent) < s.cfg.IdleInterval {
		return false, nil
	}
	b, err := s.seal(ctx, previous, timestamp, chosen)
	if err != nil {
		return false, err
	}
	if err := s.cfg.Store.Append(b); err != nil {
		return false, err
	}
	if err := s.cfg.Executor.Apply(b); err != nil {
		return false, fmt.Errorf("execute base block %d: %w", b.Number, err)
	}
	s.included(b, chosen, now)
	s.log.Debug("block", "number", b.Number, "transactions", len(b.Transactions), "bytes", len(b.Raw))
	return true, nil
}

// nextTime is the time of a block: the clock's, at least a second after the
// parent's.
func nextTime(now, parent time.Time) string {
	t := now.UTC().Truncate(time.Second)
	if first := parent.Add(time.Second); t.Before(first) {
		t = first
	}
	return t.Format(base.TimeLayout)
}

// checkGap refuses to go on when the clock stands far ahead of the chain,
// unless this was accepted for the first block of this run.
func (s *Sequencer) checkGap(number uint64, gap time.Duration) error {
	accepted := s.acceptGap
	s.acceptGap = false
	if number == 0 || gap <= maxGap || accepted || s.cfg.NoGapRule {
		return nil
	}
	return fmt.Errorf("%w: by %s; if the clock is right, start with --accept-gap", ErrGap, gap.Truncate(time.Second))
}

// build chooses pending transactions for the next block, in the order in which
// they came: each is applied on top of those before it, and all is taken back
// in the end. Those that cannot be valid any more leave the pool; those beyond
// their accounts' limits or the block's size wait.
func (s *Sequencer) build(timestamp string) ([]*pending, error) {
	s.mu.Lock()
	candidates := s.pool.list()
	s.mu.Unlock()
	if len(candidates) == 0 {
		return nil, nil
	}
	db := s.cfg.State
	db.Lock()
	defer db.Unlock()
	sec := db.Base()
	defer sec.Root() // the tree is as it was, and clean for readers
	start := sec.Savepoint()
	defer sec.Rollback(start)

	r, err := s.cfg.Machine.begin(sec, timestamp)
	if err != nil {
		return nil, err
	}
	var chosen []*pending
	size := headerRoom
	for _, p := range candidates {
		if size+p.size > MaxBlock {
			break
		}
		mark := sec.Savepoint()
		err := r.apply(p.prepared, len(chosen))
		if err == nil {
			chosen = append(chosen, p)
			size += p.size
			continue
		}
		sec.Rollback(mark)
		var reject *base.RejectError
		if !errors.As(err, &reject) {
			return nil, err
		}
		if reject.Kind != base.RejectLimit {
			s.drop(p, reject)
		}
	}
	return chosen, nil
}

// seal makes the signed block.
func (s *Sequencer) seal(ctx context.Context, previous, timestamp string, chosen []*pending) (*base.Block, error) {
	parent, err := graphene.ParseBlockID(previous)
	if err != nil {
		return nil, err
	}
	state, err := stateCommitment(s.cfg.Executor.Executed())
	if err != nil {
		return nil, err
	}
	signed := &graphene.SignedBlock{}
	leaves := make([][32]byte, len(chosen))
	for i, p := range chosen {
		signed.Transactions = append(signed.Transactions, p.tx)
		leaves[i] = p.leaf
	}
	signed.Header = graphene.Header{
		Previous: parent, Timestamp: timestamp, Witness: s.cfg.Machine.Witness(),
		MerkleRoot: graphene.MerkleRoot(leaves), Commitment: state,
	}
	if signed.Signature, err = s.cfg.Signer.SignHeader(ctx, signed.Header.Serialize()); err != nil {
		return nil, fmt.Errorf("sign header of base block %d: %w", signed.Number(), err)
	}
	if err := s.cfg.Machine.VerifyHeader(&signed.SignedHeader); err != nil {
		return nil, err
	}
	raw, err := signed.Serialize()
	if err != nil {
		return nil, err
	}
	return newBlock(signed, raw), nil
}

// drop takes a transaction out of the pool and tells who waits for it.
func (s *Sequencer) drop(p *pending, why *base.RejectError) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.pool.remove(p)
	p.finish(Receipt{ID: p.id, Expired: why.Kind == base.RejectExpired}, why)
	s.log.Debug("transaction dropped", "id", p.id, "kind", why.Kind, "reason", why.Message)
}

// included tells those who wait that the block is final.
func (s *Sequencer) included(b *base.Block, chosen []*pending, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastWall = now
	for i, p := range chosen {
		s.pool.remove(p)
		p.finish(Receipt{ID: p.id, Block: b.Number, Index: i}, nil)
	}
}
