package solo

import (
	"context"
	"slices"

	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
)

// PoolLimits bound the transactions that wait for a block. Zero means the
// default.
type PoolLimits struct {
	Transactions int // default 20,000
	Bytes        int // default 64 MiB
	PerAccount   int // default 1,000
}

// pool holds pending transactions in the order in which they came.
type pool struct {
	limits  PoolLimits
	order   []*pending
	byID    map[string]*pending
	bytes   int
	account map[string]int
}

// pending is a transaction on its way into a block.
type pending struct {
	*prepared
	done    chan struct{} // closed when the fate is known
	gone    bool          // out of the pool
	receipt Receipt
	err     error
}

// Receipt says where a transaction went. Expired: it went nowhere, its time is
// over.
type Receipt struct {
	ID      string
	Block   uint64
	Index   int
	Expired bool
}

func (p *pending) finish(receipt Receipt, err error) {
	p.receipt, p.err = receipt, err
	close(p.done)
}

func newPool(limits PoolLimits) pool {
	if limits.Transactions <= 0 {
		limits.Transactions = 20_000
	}
	if limits.Bytes <= 0 {
		limits.Bytes = 64 << 20
	}
	if limits.PerAccount <= 0 {
		limits.PerAccount = 1_000
	}
	return pool{limits: limits, byID: make(map[string]*pending), account: make(map[string]int)}
}

func (p *pool) len() int { return len(p.byID) }

// list is the transactions in order.
func (p *pool) list() []*pending {
	p.order = slices.DeleteFunc(p.order, func(t *pending) bool { return t.gone })
	return slices.Clone(p.order)
}

// room refuses what would exceed the limits, or is there already.
func (p *pool) room(t *prepared) error {
	if p.byID[t.id] != nil {
		return duplicate(t.id)
	}
	if len(p.byID) >= p.limits.Transactions || p.bytes+t.size > p.limits.Bytes {
		return base.Reject(base.RejectFull, "too many pending transactions")
	}
	for _, name := range t.required.Accounts() {
		if p.account[name] >= p.limits.PerAccount {
			return base.Reject(base.RejectFull, "too many pending transactions of %s", name)
		}
	}
	return nil
}

func (p *pool) add(t *prepared) *pending {
	entry := &pending{prepared: t, done: make(chan struct{})}
	p.order = append(p.order, entry)
	p.byID[t.id] = entry
	p.bytes += t.size
	for _, name := range t.required.Accounts() {
		p.account[name]++
	}
	return entry
}

// remove takes one out; list forgets it.
func (p *pool) remove(t *pending) {
	if t.gone {
		return
	}
	t.gone = true
	delete(p.byID, t.id)
	p.bytes -= t.size
	for _, name := range t.required.Accounts() {
		if p.account[name]--; p.account[name] <= 0 {
			delete(p.account, name)
		}
	}
}

// clear ends all that is pending with an error.
func (p *pool) clear(err error) {
	for _, t := range p.list() {
		p.remove(t)
		t.finish(Receipt{ID: t.id}, err)
	}
}

// Broadcast implements [base.Layer]: the transaction is checked against the
// head's state and waits for the next block. A refusal is a *base.RejectError.
func (s *Sequencer) Broadcast(ctx context.Context, tx *graphene.SignedTransaction) error {
	_, err := s.admit(ctx, tx)
	return err
}

// BroadcastSynchronous waits until the transaction is in a block. A
// transaction that expires meanwhile gives a Receipt with Expired and no
// error; one that became impossible gives its *base.RejectError.
func (s *Sequencer) BroadcastSynchronous(ctx context.Context, tx *graphene.SignedTransaction) (Receipt, error) {
	p, err := s.admit(ctx, tx)
	if err != nil {
		return Receipt{}, err
	}
	select {
	case <-ctx.Done():
		return Receipt{ID: p.id}, ctx.Err()
	case <-p.done:
	}
	if p.receipt.Expired {
		return p.receipt, nil
	}
	return p.receipt, p.err
}

func (s *Sequencer) admit(ctx context.Context, tx *graphene.SignedTransaction) (*pending, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	tx, err := normal(tx)
	if err != nil {
		return nil, err
	}
	p, err := s.cfg.Machine.parse(tx)
	if err != nil {
		return nil, err
	}
	if err := s.checkOpen(tx); err != nil {
		return nil, err
	}
	if err := s.glance(p); err != nil {
		return nil, err
	}
	if err := s.cfg.Machine.recoverKeys(p); err != nil {
		return nil, err
	}
	if err := s.try(p); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.halted != nil {
		return nil, &base.RejectError{Kind: base.RejectNoProducer, Message: "no block is being produced: " + s.halted.Error(), Err: s.halted}
	}
	if err := s.pool.room(p); err != nil {
		return nil, err
	}
	s.poke()
	return s.pool.add(p), nil
}

// normal gives the transaction the one spelling that a block will have.
func normal(tx *graphene.SignedTransaction) (*graphene.SignedTransaction, error) {
	if err := tx.Validate(); err != nil {
		return nil, validate(tx)
	}
	b, err := tx.SerializeSigned()
	if err != nil {
		return nil, &base.RejectError{Kind: base.RejectSignature, Message: err.Error(), Err: err}
	}
	d := graphene.NewDecoder(b)
	out := graphene.DecodeSigned(d)
	if err := d.Close(); err != nil {
		return nil, &base.RejectError{Kind: base.RejectInvalid, Message: err.Error(), Err: err}
	}
	return out, nil
}

// checkOpen is the one rule that is the sequencer's alone.
func (s *Sequencer) checkOpen(tx *graphene.SignedTransaction) error {
	if s.cfg.AccountsOpen {
		return nil
	}
	for _, op := range tx.Operations {
		if o, ok := op.(*graphene.AccountCreate); ok && o.Creator != s.cfg.Machine.genesis.Admin {
			return base.Reject(base.RejectClosed, "accounts are created by %s only", s.cfg.Machine.genesis.Admin)
		}
	}
	return nil
}

// glance refuses what can be refused without recovering keys, which is dear.
func (s *Sequencer) glance(p *prepared) error {
	s.mu.Lock()
	err := s.pool.room(p)
	s.mu.Unlock()
	if err != nil {
		return err
	}
	timestamp := s.Properties().Time
	db := s.cfg.State
	db.RLock()
	defer db.RUnlock()
	r, err := s.cfg.Machine.begin(db.Base(), timestamp)
	if err != nil {
		return err
	}
	if err := r.checkTimes(p); err != nil {
		return err
	}
	return r.knowsAccounts(p)
}

// try applies the transaction to the head's state and takes it back.
func (s *Sequencer) try(p *prepared) error {
	timestamp := s.Properties().Time
	db := s.cfg.State
	db.Lock()
	defer db.Unlock()
	sec := db.Base()
	defer sec.Root()
	mark := sec.Savepoint()
	defer sec.Rollback(mark)
	r, err := s.cfg.Machine.begin(sec, timestamp)
	if err != nil {
		return err
	}
	return r.apply(p, 0)
}
