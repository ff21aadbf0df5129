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
	seals *sealer // nil for a reader
	// from is where the start began to replay, fromSize the size of the snapshot
	// there.
	from     place
	fromSize int
	now      func() time.Time
	hook     func(string)
	tasks    chan *ledgerTask
	done     chan struct{}
	quit     chan struct{}
	once     sync.Once

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
	err    error
}

// tasksPerCommit bounds the decisions that share one write to the disk.
const tasksPerCommit = 1024

// openLedger brings the state to the end of the log and starts the writer.
func openLedger(path, network string, now func() time.Time, hook func(string)) (*Ledger, error) {
	l := &Ledger{now: now, hook: hook, tasks: make(chan *ledgerTask), done: make(chan struct{}), quit: make(chan struct{})}
	if err := l.load(path, network, false); err != nil {
		return nil, err
	}
	l.seals = newSealer(path+SnapshotSuffix, sealEvery, l.from.Seq, l.fromSize)
	go l.write()
	return l, nil
}

// readLedger reads the log of a stopped home. Do is refused.
func readLedger(path, network string) (*Ledger, error) {
	l := &Ledger{hook: func(string) {}, done: make(chan struct{}), quit: make(chan struct{})}
	if err := l.load(path, network, true); err != nil {
		return nil, err
	}
	close(l.done)
	return l, nil
}

// load starts from the snapshot, when there is one that fits, and replays what
// the log holds after it.
func (l *Ledger) load(path, network string, readOnly bool) (err error) {
	if l.log, err = openLog(path, network, readOnly); err != nil {
		return err
	}
	l.state, l.from, l.fromSize, err = readSnapshot(path+SnapshotSuffix, l.log)
	if err != nil { // the log has everything
		l.state, l.from = pegs.NewState(), l.log.beginning()
	}
	if err := l.log.replay(l.from, readOnly, l.state.Apply); err != nil {
		return errors.Join(err, l.log.close())
	}
	return nil
}

// close stops the writer and closes the log.
func (l *Ledger) close() error {
	l.once.Do(func() { close(l.quit) })
	<-l.done
	if l.seals != nil {
		l.seals.wait()
	}
	return l.log.close()
}

func (l *Ledger) write() {
	defer close(l.done)
	for {
		select {
		case <-l.quit:
			return
		case task := <-l.tasks:
			tasks := l.waiting(task)
			l.perform(tasks)
			for _, t := range tasks {
				t.reply <- t.err
			}
			l.seal()
		}
	}
}

// waiting is a decision with all that wait behind it.
func (l *Ledger) waiting(first *ledgerTask) []*ledgerTask {
	tasks := []*ledgerTask{first}
	for len(tasks) < tasksPerCommit {
		select {
		case task := <-l.tasks:
			tasks = append(tasks, task)
		default:
			return tasks
		}
	}
	return tasks
}

// Do asks the writer to append what decide returns. When it returns nil the
// events are durable and in the state. decide must not wait for anything. It may
// be shown events of others that become durable with its own.
func (l *Ledger) Do(ctx context.Context, decide func(*pegs.State) ([]Entry, error)) error {
	task := &ledgerTask{decide: decide, reply: make(chan error, 1)}
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

// commit is what becomes durable together.
type commit struct {
	stored [][]byte
	end    place // behind the newest record; its offset is not known yet
}

// perform decides in order and makes all that was decided durable at once.
func (l *Ledger) perform(tasks []*ledgerTask) {
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &commit{end: l.log.place}
	for _, t := range tasks {
		if t.err = l.broken; t.err == nil {
			t.err = l.decide(t.decide, c)
		}
	}
	if len(c.stored) == 0 {
		return
	}
	if err := l.log.append(c.stored, c.end); err != nil {
		// The state is ahead of the log: nobody may act on it.
		l.broken = fmt.Errorf("%w: %w", ErrLedgerStopped, err)
		for _, t := range tasks {
			t.err = l.broken
		}
		return
	}
	l.notify()
}

func (l *Ledger) decide(decide func(*pegs.State) ([]Entry, error), c *commit) error {
	entries, err := decide(l.state)
	if err != nil || len(entries) == 0 {
		return err
	}
	at := l.now().UTC().Truncate(time.Millisecond)
	for _, e := range entries {
		r := pegs.Record{Seq: l.state.Seq + 1, At: at, Base: e.Base, Event: e.Event}
		if err := l.add(r, c); err != nil {
			return err // what came before stands by itself
		}
	}
	return nil
}

// add applies a record as it will be read from the log: the state is the same
// today and after a restart.
func (l *Ledger) add(r pegs.Record, c *commit) error {
	stored, link, err := r.Encode(c.end.Link)
	if err != nil {
		return err
	}
	asRead, _, err := pegs.DecodeRecord(stored, r.Seq, c.end.Link)
	if err != nil {
		return err
	}
	if seal, ok := r.Event.(*pegs.Sealed); ok {
		asRead.Event = seal // was made of this state, and need not be computed again
	}
	if err := l.state.Apply(asRead); err != nil {
		return err
	}
	c.stored, c.end.Seq, c.end.Link = append(c.stored, stored), r.Seq, link
	return nil
}

// sealEach sets how many records there are between two seals.
func (l *Ledger) sealEach(ctx context.Context, n uint64) error {
	return l.Do(ctx, func(*pegs.State) ([]Entry, error) {
		l.seals.every = n
		l.seals.next(l.from.Seq, l.fromSize)
		return nil, nil
	})
}

// seal records the hash of the state when it is time to, and has a snapshot
// written. Only this goroutine changes the state, so that others may read it
// while its form is made.
func (l *Ledger) seal() {
	if l.broken != nil || l.state.Seq < l.seals.due {
		return
	}
	at := l.log.place
	event, state := l.state.Seal(l.seals.room())
	l.mu.Lock()
	defer l.mu.Unlock()
	c := &commit{end: at}
	r := pegs.Record{Seq: l.state.Seq + 1, At: l.now().UTC().Truncate(time.Millisecond), Event: event}
	err := l.add(r, c)
	if err == nil {
		err = l.log.append(c.stored, c.end)
	}
	if err != nil {
		l.broken = fmt.Errorf("%w: %w", ErrLedgerStopped, err)
		return
	}
	l.seals.next(r.Seq, len(state))
	l.seals.keep(at, event, state)
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
