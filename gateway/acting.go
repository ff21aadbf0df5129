package gateway

import (
	"context"
	"errors"
	"maps"
	"slices"
	"sync"

	"causeway/chains"
	"causeway/pegs"
)

// What a halt forbids must not happen once the halt is durable, not even a moment
// later by somebody who looked a moment before. So who does what cannot be taken
// back holds the chain (act) while he looks at the state and does it, and who
// halts waits until nobody does (exclude).

func (l *Ledger) lockOf(chain chains.ID) *sync.RWMutex {
	lock, _ := l.acting.LoadOrStore(chain, &sync.RWMutex{})
	return lock.(*sync.RWMutex)
}

// act keeps halts of a chain waiting until release is called. Nobody who holds a
// chain may halt one or act again.
func (l *Ledger) act(chain chains.ID) (release func()) {
	lock := l.lockOf(chain)
	lock.RLock()
	return lock.RUnlock
}

// exclude waits until nobody acts on a chain and keeps others from it until
// release is called.
func (l *Ledger) exclude(chain chains.ID) (release func()) {
	lock := l.lockOf(chain)
	lock.Lock()
	return lock.Unlock
}

// errHalted: what was to be done was forbidden a moment before.
var errHalted = errors.New("gateway: halted meanwhile")

// handOver submits actions, but none when one of them mints on a chain whose
// minting was halted since they were listed.
func (o *operator) handOver(ctx context.Context, tasks []task, actions []Action) (ids []string, err error) {
	minting := map[chains.ID]bool{}
	if err := o.ledger.View(func(s *pegs.State) {
		for _, t := range tasks {
			if t.action.Name != "mint" {
				continue
			}
			if d, ok := s.Deposit(t.items[0]); ok {
				minting[d.Chain] = true
			}
		}
	}); err != nil {
		return nil, err
	}
	order := slices.Sorted(maps.Keys(minting))
	for _, id := range order {
		defer o.ledger.act(id)()
	}
	halted := false
	if err := o.ledger.View(func(s *pegs.State) {
		halted = slices.ContainsFunc(order, func(id chains.ID) bool {
			c, _ := s.Chain(id)
			return c.Stands(pegs.ScopeMinting)
		})
	}); err != nil {
		return nil, err
	}
	if halted {
		return nil, errHalted
	}
	return o.submitter.Submit(ctx, actions)
}
