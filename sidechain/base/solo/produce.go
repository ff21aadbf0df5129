package solo

import (
	"context"
	"errors"
	"fmt"
	"time"

	"causeway/internal/failpoint"
	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
)

// headerRoom is what a block needs beside its transactions, generously.
const headerRoom = 1 << 10

// Produce makes one block if one is due: when a candidate was left by the last
// process, when transactions are pending, or when nothing happened for an idle
// interval. It says whether it did. After a block that could not be stored or
// executed it only repeats that error: what is durable is known to the next
// start. Run calls it; tests may.
func (s *Sequencer) Produce(ctx context.Context) (bool, error) {
	s.producing.Lock()
	defer s.producing.Unlock()
	if s.broken != nil {
		return false, s.broken
	}
	left, err := s.cfg.Store.Candidate()
	if err != nil {
		return false, err
	}
	if left != nil {
		return true, s.resume(ctx, left)
	}
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
	c, err := s.candidate(previous, timestamp, chosen)
	if err != nil {
		return false, err
	}
	return true, s.finish(ctx, c, now)
}

// resume finishes the block that a process began and did not store: it may be
// signed already, so it is this one or none.
func (s *Sequencer) resume(ctx context.Context, c *graphene.SignedBlock) error {
	s.log.Info("finishing the block that was begun before the restart", "number", c.Number(), "transactions", len(c.Transactions))
	if err := CheckCommitment(newBlock(c, nil), s.cfg.Executor.Executed()); err != nil {
		return err
	}
	return s.finish(ctx, c, s.now())
}

// finish makes a candidate the next block: durable before it is signed, signed
// before it is stored, stored before it is executed.
func (s *Sequencer) finish(ctx context.Context, c *graphene.SignedBlock, now time.Time) error {
	b, err := s.seal(ctx, c)
	if err != nil {
		return err
	}
	if err := s.cfg.Store.Append(b); err != nil {
		s.broken = err
		return err
	}
	failpoint.Hit(failpoint.StoredNotApplied)
	err = s.cfg.Executor.Apply(b)
	s.included(b, now) // its transactions are, whatever came of the execution
	if err != nil {
		s.broken = fmt.Errorf("execute base block %d: %w", b.Number, err)
		return s.broken
	}
	s.log.Debug("block", "number", b.Number, "transactions", len(b.Transactions), "bytes", len(b.Raw))
	return nil
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

// candidate is the next block without its signature.
func (s *Sequencer) candidate(previous, timestamp string, chosen []*pending) (*graphene.SignedBlock, error) {
	parent, err := graphene.ParseBlockID(previous)
	if err != nil {
		return nil, err
	}
	state, err := stateCommitment(s.cfg.Executor.Executed())
	if err != nil {
		return nil, err
	}
	c := &graphene.SignedBlock{}
	leaves := make([][32]byte, len(chosen))
	for i, p := range chosen {
		c.Transactions = append(c.Transactions, p.tx)
		leaves[i] = p.leaf
	}
	c.Header = graphene.Header{
		Previous: parent, Timestamp: timestamp, Witness: s.cfg.Machine.Witness(),
		MerkleRoot: graphene.MerkleRoot(leaves), Commitment: state,
	}
	return c, nil
}

// seal makes the candidate durable and then the signed block of it.
func (s *Sequencer) seal(ctx context.Context, c *graphene.SignedBlock) (*base.Block, error) {
	raw, err := c.Serialize()
	if err != nil {
		return nil, err
	}
	if !failpoint.Off(failpoint.CandidateBeforeSignature) {
		if err := s.cfg.Store.Propose(c, raw); err != nil {
			return nil, err
		}
	}
	failpoint.Hit(failpoint.SealedNotSigned)
	header := c.Header.Serialize()
	if c.Signature, err = s.cfg.Signer.SignHeader(ctx, header); err != nil {
		return nil, fmt.Errorf("sign header of base block %d: %w", c.Number(), err)
	}
	failpoint.Hit(failpoint.SignedNotStored)
	if err := s.cfg.Machine.VerifyHeader(&c.SignedHeader); err != nil {
		return nil, err
	}
	copy(raw[len(header):], c.Signature[:]) // it stands right after the header
	return newBlock(c, raw), nil
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
func (s *Sequencer) included(b *base.Block, now time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.lastWall = now
	for i := range b.Transactions {
		if p := s.pool.byID[b.Transactions[i].ID]; p != nil {
			s.pool.remove(p)
			p.finish(Receipt{ID: p.id, Block: b.Number, Index: i}, nil)
		}
	}
}
