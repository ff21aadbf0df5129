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

// mempool remembers payments to deposit addresses that no block holds yet. They
// are shown as seen, stand in no event and count for nothing. It also remembers
// what spends outputs of ours.
type mempool struct {
	follower *follower

	mu     sync.Mutex
	txs    map[string][]seenPayment // known transactions, with what they pay us
	spends map[string][]chains.Outpoint
	order  uint64
	looked bool // at all of it, once at least
}

type seenPayment struct {
	pegs.Payment
	chain chains.ID // set by who asks
	at    time.Time
	order uint64
}

// fetchPerStep bounds the transactions asked for at once.
const fetchPerStep = 200

func newMempool(f *follower) *mempool {
	return &mempool{follower: f, txs: map[string][]seenPayment{}, spends: map[string][]chains.Outpoint{}}
}

func (m *mempool) step(ctx context.Context) error {
	list, err := m.follower.Source.Mempool(ctx)
	if err != nil {
		return err
	}
	fresh := m.keep(list)
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
	m.mu.Lock()
	defer m.mu.Unlock()
	m.looked = m.looked || len(fresh) < fetchPerStep
	return nil
}

// keep forgets what has left the mempool and says what is new in it.
func (m *mempool) keep(list []string) (fresh []string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	there := make(map[string]bool, len(list))
	for _, txid := range list {
		there[txid] = true
		if _, known := m.txs[txid]; !known && len(fresh) < fetchPerStep {
			fresh = append(fresh, txid)
		}
	}
	for txid := range m.txs {
		if !there[txid] {
			delete(m.txs, txid)
			delete(m.spends, txid)
		}
	}
	return fresh
}

func (m *mempool) add(txid string, raw []byte) {
	var found []seenPayment
	var spent []chains.Outpoint
	id, outputs, spends, err := m.follower.Coin.DecodeTransaction(raw)
	if err == nil && id == txid {
		for _, spend := range spends {
			if m.follower.ours(spend.Outpoint) {
				spent = append(spent, spend.Outpoint)
			}
		}
		for _, out := range outputs {
			if w, ok := m.follower.set.Lookup(out.Script); ok && w.Kind == chains.WatchDeposit {
				found = append(found, seenPayment{Payment: paymentOf(chains.Payment{Output: out, Watch: w}), at: time.Now().UTC()})
			}
		}
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for i := range found {
		m.order++
		found[i].order = m.order
	}
	m.txs[txid] = found
	if len(spent) > 0 {
		m.spends[txid] = spent
	}
}

// unknown says why nothing new may be paid: the mempool was not looked at since
// the start, or holds a transaction that spends outputs of ours which no batch
// has a claim to. A ledger and a sidechain that come from a backup do not know
// what was paid after it; blocks, and this, may.
func (m *mempool) unknown(c *pegs.Chain) (reason string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !m.looked {
		return "the mempool was not looked at yet"
	}
	for txid, spent := range m.spends {
		for _, o := range spent {
			if out, ok := c.Output(o); ok && out.Spent == nil && c.KeptFor(o) == "" {
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
	for _, found := range m.txs {
		for _, p := range found {
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
	for _, p := range m.txs[o.TxID] {
		if p.Outpoint == o {
			return p, true
		}
	}
	return seenPayment{}, false
}
