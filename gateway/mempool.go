package gateway

import (
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"causeway/chains"
	"causeway/pegs"
)

// mempool remembers payments to deposit addresses that no block of the ledger
// holds yet. They are shown as seen, stand in no event and count for nothing. It
// also remembers what spends outputs of ours.
type mempool struct {
	follower *follower

	mu     sync.Mutex
	txs    map[string]*unconfirmed // known transactions
	bytes  int                     // of their raw forms
	order  uint64
	judged judgement
	looked bool // at all of it, once at least, knowing all blocks
}

// judgement is what the meaning of transactions was judged by.
type judgement struct {
	moves   uint64 // of the outputs that are ours
	watched int    // scripts
}

// unconfirmed is what a transaction means to us: mostly nothing.
type unconfirmed struct {
	raw    []byte // to be judged again, while there is room
	pays   []seenPayment
	spends []chains.Outpoint
	// left is, once it has left the mempool, the node's newest block after that.
	// That block or one before it may hold it: until the ledger has read them it
	// is remembered, or it would be nowhere in between.
	left *chains.BlockRef
}

type seenPayment struct {
	pegs.Payment
	chain chains.ID // set by who asks
	at    time.Time
	order uint64
}

const (
	// fetchPerStep bounds the transactions asked for at once.
	fetchPerStep = 200
	// maxRaw bounds the raw transactions that are remembered.
	maxRaw = 64 << 20
)

func newMempool(f *follower) *mempool {
	return &mempool{follower: f, txs: map[string]*unconfirmed{}}
}

func (m *mempool) step(ctx context.Context) error {
	synced := m.follower.caughtUp()
	list, err := m.follower.Source.Mempool(ctx)
	if err != nil {
		return err
	}
	fresh, missed := m.keep(list)
	if len(missed) > 0 {
		tip, err := m.follower.Source.Tip(ctx)
		if err != nil {
			return err
		}
		m.missed(missed, tip)
	}
	if err := m.forget(); err != nil {
		return err
	}
	for _, txid := range fresh {
		raw, err := m.follower.Source.RawTransaction(ctx, txid)
		if errors.Is(err, chains.ErrNotFound) {
			continue
		}
		if err != nil {
			return err
		}
		m.add(txid, raw)
	}
	m.judgeAgain()
	m.mu.Lock()
	defer m.mu.Unlock()
	m.looked = m.looked || synced && len(fresh) < fetchPerStep
	return nil
}

// keep says what is new in the mempool, and what of ours is no longer there. The
// rest of what has left it is forgotten.
func (m *mempool) keep(list []string) (fresh, missed []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	there := make(map[string]bool, len(list))
	for _, txid := range list {
		there[txid] = true
		if tx := m.txs[txid]; tx != nil {
			tx.left = nil
		} else if len(fresh) < fetchPerStep {
			fresh = append(fresh, txid)
		}
	}
	for txid, tx := range m.txs {
		switch {
		case there[txid]:
		case len(tx.pays) == 0 && len(tx.spends) == 0:
			m.drop(txid)
		case tx.left == nil:
			missed = append(missed, txid)
		}
	}
	return fresh, missed
}

// missed notes the block at which transactions were found to have left.
func (m *mempool) missed(list []string, tip chains.BlockRef) {
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, txid := range list {
		if tx := m.txs[txid]; tx != nil {
			tx.left = &tip
		}
	}
}

// forget drops what has left the mempool once the ledger has the blocks that may
// hold it, or goes on without them.
func (m *mempool) forget() error {
	m.mu.Lock()
	var left []chains.BlockRef
	for _, tx := range m.txs {
		if tx.left != nil {
			left = append(left, *tx.left)
		}
	}
	m.mu.Unlock()
	if len(left) == 0 {
		return nil
	}
	err := m.follower.ledger.View(func(s *pegs.State) {
		c, _ := s.Chain(m.follower.id)
		left = slices.DeleteFunc(left, func(ref chains.BlockRef) bool {
			tip, ok := c.Tip()
			return !ok || !c.Has(ref) && tip.Height <= ref.Height
		})
	})
	m.mu.Lock()
	defer m.mu.Unlock()
	for txid, tx := range m.txs {
		if tx.left != nil && slices.Contains(left, *tx.left) {
			m.drop(txid)
		}
	}
	return err
}

// drop forgets a transaction. The lock is held.
func (m *mempool) drop(txid string) {
	m.bytes -= len(m.txs[txid].raw)
	delete(m.txs, txid)
}

// add takes in a transaction.
func (m *mempool) add(txid string, raw []byte) {
	pays, spends := m.judge(txid, raw)
	m.mu.Lock()
	defer m.mu.Unlock()
	tx := &unconfirmed{}
	if m.bytes+len(raw) <= maxRaw {
		tx.raw = raw
		m.bytes += len(raw)
	}
	m.txs[txid] = tx
	m.mean(tx, pays, spends)
}

// judge says what a transaction means by what is known now: which accounts are
// watched, which outputs are ours. It is called without the lock.
func (m *mempool) judge(txid string, raw []byte) (pays []pegs.Payment, spends []chains.Outpoint) {
	id, outputs, inputs, err := m.follower.Coin.DecodeTransaction(raw)
	if err != nil || id != txid {
		return nil, nil
	}
	for _, in := range inputs {
		if m.follower.ours(in.Outpoint) {
			spends = append(spends, in.Outpoint)
		}
	}
	for _, out := range outputs {
		if w, ok := m.follower.set.Lookup(out.Script); ok && w.Kind == chains.WatchDeposit {
			pays = append(pays, paymentOf(chains.Payment{Output: out, Watch: w}))
		}
	}
	return pays, spends
}

// mean records what a transaction was found to mean; what was seen stays seen.
// The lock is held.
func (m *mempool) mean(tx *unconfirmed, pays []pegs.Payment, spends []chains.Outpoint) {
	for _, p := range pays {
		if slices.ContainsFunc(tx.pays, func(s seenPayment) bool { return s.Outpoint == p.Outpoint }) {
			continue
		}
		m.order++
		tx.pays = append(tx.pays, seenPayment{Payment: p, at: time.Now().UTC(), order: m.order})
	}
	tx.spends = spends
}

// judgeAgain judges all transactions when blocks or accounts came since: a
// payment may be older than the account's watch, a spend older than the block of
// what it spends.
func (m *mempool) judgeAgain() {
	now := judgement{m.follower.movesSoFar(), m.follower.set.Len()}
	m.mu.Lock()
	raws := map[string][]byte{}
	if now != m.judged {
		for txid, tx := range m.txs {
			if tx.raw != nil && tx.left == nil {
				raws[txid] = tx.raw
			}
		}
	}
	m.mu.Unlock()
	for txid, raw := range raws {
		pays, spends := m.judge(txid, raw)
		m.mu.Lock()
		m.mean(m.txs[txid], pays, spends)
		m.mu.Unlock()
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	m.judged = now
}

// unknown says why nothing new may be paid: the mempool was not looked at since
// the start, or holds a transaction that spends outputs of ours which no batch
// has a claim to. A ledger and a sidechain that come from a backup do not know
// what was paid after it; blocks, and this, may.
func (m *mempool) unknown(s *pegs.State, c *pegs.Chain) (reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.looked {
		return "the mempool was not looked at since the blocks were read"
	}
	for txid, tx := range m.txs {
		for _, o := range tx.spends {
			if out, ok := c.Output(o); ok && out.Spent == nil && !s.Keeps(c, o) {
				return "transaction " + txid + " spends outputs of ours and is none of ours"
			}
		}
	}
	return ""
}

// payments lists what was seen, of one account unless it is empty, newest first.
func (m *mempool) payments(account string) []seenPayment {
	m.mu.Lock()
	defer m.mu.Unlock()
	var list []seenPayment
	for _, tx := range m.txs {
		for _, p := range tx.pays {
			if account == "" || p.Account == account {
				list = append(list, p)
			}
		}
	}
	slices.SortFunc(list, func(a, b seenPayment) int { return int(b.order) - int(a.order) })
	return list
}

// find is the payment of an outpoint.
func (m *mempool) find(o chains.Outpoint) (seenPayment, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if tx := m.txs[o.TxID]; tx != nil {
		for _, p := range tx.pays {
			if p.Outpoint == o {
				return p, true
			}
		}
	}
	return seenPayment{}, false
}
