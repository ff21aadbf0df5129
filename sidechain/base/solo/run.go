package solo

import (
	"causeway/sidechain/base"
	"causeway/sidechain/graphene"
	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"
)

// run is the execution of one block on the base section: the block being
// applied, being built, or that a broadcast transaction would be in.
type run struct {
	m         *Machine
	sec       *state.Section
	number    uint64
	timestamp string
	seconds   uint32
	index     int // of the transaction being applied
	operation int // of the operation being applied
	used      map[string]*usage
}

// usage counts what one account did in the block.
type usage struct{ transactions, operations int }

// begin opens the block after the head. It writes nothing.
func (m *Machine) begin(sec *state.Section, timestamp string) (*run, error) {
	seconds, err := graphene.ParseTime(timestamp)
	if err != nil {
		return nil, err
	}
	return &run{
		m: m, sec: sec, number: readHead(sec).Number + 1,
		timestamp: timestamp, seconds: seconds, used: make(map[string]*usage),
	}, nil
}

// forget drops the ids of transactions that are expired now.
func (r *run) forget() {
	seen := r.sec.Table(tableSeen)
	for row := range seen.Ascend("expiration", nil, []jsvalue.Value{float64(r.seconds)}) {
		seen.Remove(row)
	}
}

// finish closes the block.
func (r *run) finish(id string) {
	properties := r.sec.Table(tableProperties)
	properties.Update(changed(headRow(r.sec), "number", r.number, "id", id, "time", r.timestamp))
	r.sec.Table(tableBlocks).Update(newRow("_id", r.number%TaposWindow, "number", r.number, "id", id))
}

// apply checks a transaction against the state and writes what it does. An
// error is a *base.RejectError; what was written before it must be rolled back.
func (r *run) apply(p *prepared, index int) error {
	r.index = index
	if err := r.checkTimes(p); err != nil {
		return err
	}
	if err := r.checkLimits(p); err != nil {
		return err
	}
	if err := r.knowsAccounts(p); err != nil {
		return err
	}
	if err := r.authorize(p); err != nil {
		return err
	}
	for i, op := range p.tx.Operations {
		r.operation = i
		if err := r.perform(op); err != nil {
			return err
		}
	}
	r.sec.Table(tableSeen).Insert(newRow("id", p.id, "expiration", p.expiration, "block", r.number))
	r.count(p)
	return nil
}

// perform is the table of the operations' rules.
func (r *run) perform(op graphene.Operation) error {
	switch o := op.(type) {
	case *graphene.CustomJSON:
		return nil // its meaning is the sidechain's
	case *graphene.Transfer:
		return r.transfer(o)
	case *graphene.AccountCreate:
		return r.accountCreate(o)
	case *graphene.AccountUpdate:
		return r.accountUpdate(o)
	case *graphene.Comment:
		return r.comment(o)
	case *graphene.CommentOptions:
		return r.commentOptions(o)
	case *graphene.Vote:
		return r.vote(o)
	}
	return base.Reject(base.RejectInvalid, "operation %s has no rule", op.Name())
}

// checkTimes: not seen, not expired, not too far ahead, built on this chain.
func (r *run) checkTimes(p *prepared) error {
	if r.sec.Table(tableSeen).Find1("id", p.id) != nil {
		return duplicate(p.id)
	}
	if p.expiration <= r.seconds {
		return base.Reject(base.RejectExpired, "transaction expiration exception: expired at %s, the block's time is %s", p.tx.Expiration, r.timestamp)
	}
	if p.expiration-r.seconds > MaxExpiration {
		return base.Reject(base.RejectExpired, "transaction expiration exception: %s is more than %d seconds after the block's time %s", p.tx.Expiration, MaxExpiration, r.timestamp)
	}
	if !r.refersToChain(p.tx) {
		return base.Reject(base.RejectTapos, "transaction tapos exception: ref_block_num %d and ref_block_prefix %d name no recent block", p.tx.RefBlockNum, p.tx.RefBlockPrefix)
	}
	return nil
}

func duplicate(id string) error {
	return base.Reject(base.RejectDuplicate, "Duplicate transaction check failed: %s", id)
}

// refersToChain looks for the newest block, at or below the head, whose number
// ends in the transaction's 16 bits. Block 0 has the zero id.
func (r *run) refersToChain(tx *graphene.SignedTransaction) bool {
	head := r.number - 1
	back := uint64(uint16(head) - tx.RefBlockNum)
	if back > head || back >= TaposWindow {
		return false
	}
	if head == back {
		return tx.RefBlockPrefix == 0
	}
	id, ok := blockIDAt(r.sec, head-back)
	return ok && id.RefPrefix() == tx.RefBlockPrefix
}

// checkLimits bounds what one account may put into a block, for every account
// whose consent the transaction needs.
func (r *run) checkLimits(p *prepared) error {
	for _, name := range p.required.Accounts() {
		have := r.used[name]
		if have == nil {
			have = &usage{}
		}
		if have.transactions+1 > r.m.perBlock ||
			have.operations+len(p.tx.Operations) > r.m.perBlock*operationsPerTransaction {
			return base.Reject(base.RejectLimit, "account %s has reached its limit of %d transactions and %d operations in a block",
				name, r.m.perBlock, r.m.perBlock*operationsPerTransaction)
		}
	}
	return nil
}

func (r *run) count(p *prepared) {
	for _, name := range p.required.Accounts() {
		have := r.used[name]
		if have == nil {
			have = &usage{}
			r.used[name] = have
		}
		have.transactions++
		have.operations += len(p.tx.Operations)
	}
}

// invalid refuses an operation.
func invalid(format string, args ...any) error {
	return base.Reject(base.RejectInvalid, format, args...)
}
