package gateway

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"causeway/pegs"
)

// ErrLedgerStopped: the ledger was closed, or an append failed and what is
// durable is not known: only a restart knows.
var ErrLedgerStopped = errors.New("gateway: ledger has stopped")

// Entry is an event to be appended; Base is set when it acts on a base block.
type Entry struct {
	Event pegs.Event
	Base  pegs.BaseRef
}

// Ledger is the state and the one writer of its log. Everybody else sends it
// decisions: functions of the state that return events.
type Ledger struct {
	log   *eventLog
	now   func() time.Time
	hook  func(string)
	tasks chan ledgerTask
	done  chan struct{}
	quit  chan struct{}
	once  sync.Once

	mu     sync.RWMutex // held for writing while records are applied and made durable
	state  *pegs.State
	broken error

	subscribers struct {
		sync.Mutex
		list []chan struct{}
	}

	acting sync.Map // chains.ID -> *sync.RWMutex: see act and exclude
}

type ledgerTask struct {
	decide func(*pegs.State) ([]Entry, error)
	reply  chan error
}

// openLedger replays the log and starts the writer.
func openLedger(path, network string, now func() time.Time, hook func(string)) (*Ledger, error) {
	l := &Ledger{
		now: now, hook: hook, state: pegs.NewState(),
		tasks: make(chan ledgerTask), done: make(chan struct{}), quit: make(chan struct{}),
	}
	log, err := openLog(path, network, false, l.state.Apply)
	if err != nil {
		return nil, err
	}
	l.log = log
	go l.write()
	return l, nil
}

// readLedger replays the log of a stopped home. Do is refused.
func readLedger(path, network string) (*Ledger, error) {
	l := &Ledger{state: pegs.NewState(), hook: func(string) {}, done: make(chan struct{}), quit: make(chan struct{})}
	log, err := openLog(path, network, true, l.state.Apply)
	if err != nil {
		return nil, err
	}
	l.log = log
	close(l.done)
	return l, nil
}

// close stops the writer and closes the log.
func (l *Ledger) close() error {
	l.once.Do(func() { close(l.quit) })
	<-l.done
	return l.log.close()
}

func (l *Ledger) write() {
	defer close(l.done)
	for {
		select {
		case <-l.quit:
			return
		case task := <-l.tasks:
			task.reply <- l.perform(task.decide)
		}
	}
}

// Do asks the writer to append what decide returns. When it returns nil the
// events are durable and in the state. decide must not wait for anything.
func (l *Ledger) Do(ctx context.Context, decide func(*pegs.State) ([]Entry, error)) error {
	task := ledgerTask{decide: decide, reply: make(chan error, 1)}
	l.hook("C1")
	select {
	case l.tasks <- task:
		err := <-task.reply
		l.hook("C2")
		return err
	case <-l.done:
		return ErrLedgerStopped
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Append is Do for events that depend on nothing.
func (l *Ledger) Append(ctx context.Context, events ...pegs.Event) error {
	return l.Do(ctx, func(*pegs.State) ([]Entry, error) {
		list := make([]Entry, len(events))
		for i, e := range events {
			list[i].Event = e
		}
		return list, nil
	})
}

func (l *Ledger) perform(decide func(*pegs.State) ([]Entry, error)) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.broken != nil {
		return l.broken
	}
	entries, err := decide(l.state)
	if err != nil || len(entries) == 0 {
		return err
	}
	at := l.now().UTC().Truncate(time.Millisecond)
	var records []pegs.Record
	for _, e := range entries {
		r := pegs.Record{Seq: l.state.Seq + 1, At: at, Base: e.Base, Event: e.Event}
		if err = l.state.Apply(r); err != nil {
			break // what came before stands by itself
		}
		records = append(records, r)
	}
	if len(records) > 0 {
		if failed := l.log.append(records); failed != nil {
			// The state is ahead of the log: nobody may act on it.
			l.broken = fmt.Errorf("%w: %w", ErrLedgerStopped, failed)
			return l.broken
		}
	}
	l.notify()
	return err
}

// View runs f on the state, which does not change meanwhile. f must not keep
// what it is shown, nor wait for anything.
func (l *Ledger) View(f func(*pegs.State)) error {
	l.mu.RLock()
	defer l.mu.RUnlock()
	if l.broken != nil {
		return l.broken
	}
	f(l.state)
	return nil
}

// Changed is a channel that is signalled after events; signals coalesce.
func (l *Ledger) Changed() <-chan struct{} {
	c := make(chan struct{}, 1)
	l.subscribers.Lock()
	defer l.subscribers.Unlock()
	l.subscribers.list = append(l.subscribers.list, c)
	return c
}

func (l *Ledger) notify() {
	l.subscribers.Lock()
	defer l.subscribers.Unlock()
	for _, c := range l.subscribers.list {
		select {
		case c <- struct{}{}:
		default:
		}
	}
}
