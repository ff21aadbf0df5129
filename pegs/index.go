package pegs

import "causeway/chains"

// index holds what whoever looks for work would have to search the state for. It
// follows from the rest of the state, is in no snapshot and in no hash, and is
// made again by rebuild. Empty queues are left out, so that equal states have
// equal indexes.
type index struct {
	deposits    map[queueName]*openSet[*Deposit]    // confirming and minting
	withdrawals map[queueName]*openSet[*Withdrawal] // requested, queued (all, and by admission) and parked
}

// queueName names what of a chain is in a state.
type queueName struct {
	chain chains.ID
	state string
}

// The withdrawals that are queued are in one of these queues as well.
const (
	unadmitted WithdrawalState = "unadmitted" // not let through by the limits
	admitted   WithdrawalState = "admitted"   // or of a token, which nothing limits
)

func newIndex() index {
	return index{deposits: map[queueName]*openSet[*Deposit]{}, withdrawals: map[queueName]*openSet[*Withdrawal]{}}
}

// put takes a member into a queue, or out of it.
func put[T interface{ place() int }](queues map[queueName]*openSet[T], name queueName, v T, there bool) {
	q := queues[name]
	switch {
	case there && q == nil:
		queues[name] = &openSet[T]{v}
	case there:
		q.add(v)
	case q != nil:
		if q.remove(v); len(*q) == 0 {
			delete(queues, name)
		}
	}
}

func queue[T interface{ place() int }](queues map[queueName]*openSet[T], chain chains.ID, state string) openSet[T] {
	if q := queues[queueName{chain, state}]; q != nil {
		return *q
	}
	return nil
}

// enqueueDeposit puts a deposit into the queue of its state.
func (s *State) enqueueDeposit(d *Deposit, state DepositState) {
	if state != DepositConfirming && state != DepositMinting {
		state = ""
	}
	if state == d.queue {
		return
	}
	if d.queue != "" {
		put(s.index.deposits, queueName{d.Chain, string(d.queue)}, d, false)
	}
	if d.queue = state; state != "" {
		put(s.index.deposits, queueName{d.Chain, string(state)}, d, true)
	}
}

// enqueue puts a withdrawal into the queues of its state.
func (s *State) enqueue(w *Withdrawal, state WithdrawalState) {
	part := WithdrawalState("")
	switch state {
	case WithdrawalQueued:
		if part = unadmitted; w.Admitted != 0 || w.Token != "" { // no limits are set on tokens
			part = admitted
		}
	case WithdrawalRequested, WithdrawalParked:
	default:
		state = ""
	}
	s.move(w, &w.queue, state)
	s.move(w, &w.part, part)
}

// move takes a withdrawal from the queue that it is in to another; none is empty.
func (s *State) move(w *Withdrawal, in *WithdrawalState, to WithdrawalState) {
	if *in == to {
		return
	}
	if *in != "" {
		put(s.index.withdrawals, queueName{w.Chain, string(*in)}, w, false)
	}
	if *in = to; to != "" {
		put(s.index.withdrawals, queueName{w.Chain, string(to)}, w, true)
	}
}

// rebuild makes the index of a state that was read.
func (s *State) rebuild() {
	s.index = newIndex()
	for _, d := range s.depositList {
		s.enqueueDeposit(d, d.State())
	}
	for _, w := range s.withdrawalList {
		s.enqueue(w, s.WithdrawalState(w))
	}
	for _, c := range s.chains {
		c.made = map[string][]*Output{}
		for _, out := range c.outputs {
			c.note(out)
			s.reckon(c, out)
		}
	}
}

// note keeps the index of the outputs that a transaction made and that are no
// deposits.
func (c *Chain) note(out *Output) {
	if out.Kind != chains.WatchDeposit {
		c.made[out.Outpoint.TxID] = append(c.made[out.Outpoint.TxID], out)
	}
}
