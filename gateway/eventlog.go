package gateway

import (
	"encoding/binary"
	"errors"
	"fmt"

	"causeway/internal/boltfile"
	"causeway/internal/failpoint"
	"causeway/pegs"

	"go.etcd.io/bbolt"
)

// ErrLogDamaged refuses a log whose records contradict each other.
var ErrLogDamaged = errors.New("gateway: event log is damaged")

// logFormat is the version of gateway.db.
const logFormat = "causeway-gateway/1"

var (
	bucketMeta   = []byte("meta")
	bucketEvents = []byte("events") // sequence (8 bytes, big-endian) -> record
	bucketCut    = []byte("cut")    // records that were not whole, kept as evidence

	keyFormat  = []byte("format")
	keyNetwork = []byte("network")
)

// eventLog is gateway.db: records in order, each checked by the one before it.
// Every append is one durable transaction.
type eventLog struct {
	db   *bbolt.DB
	link pegs.Link // of the newest record
	next uint64
}

// openLog opens or makes the log of a network, named by its base chain id, and
// replays it. A newest record that is not whole is set aside: what rested on it
// is decided by the sidechain, the chains and the signer's own journal. Anything
// else that does not fit is ErrLogDamaged.
func openLog(path, network string, readOnly bool, replay func(pegs.Record) error) (*eventLog, error) {
	db, err := openBolt(path, readOnly)
	if errors.Is(err, boltfile.ErrDamaged) {
		return nil, fmt.Errorf("%w: %w", ErrLogDamaged, err)
	}
	if err != nil {
		return nil, fmt.Errorf("gateway: event log: %w", err)
	}
	l := &eventLog{db: db, next: 1}
	err = boltfile.Guard(func() error {
		if !readOnly {
			if err := db.Update(func(tx *bbolt.Tx) error { return prepareLog(tx, network) }); err != nil {
				return err
			}
		}
		return l.replay(network, readOnly, replay)
	})
	if errors.Is(err, boltfile.ErrDamaged) {
		err = fmt.Errorf("%w: %w", ErrLogDamaged, err)
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), db.Close())
	}
	return l, nil
}

func prepareLog(tx *bbolt.Tx, network string) error {
	meta, err := tx.CreateBucketIfNotExists(bucketMeta)
	if err != nil {
		return err
	}
	for _, name := range [][]byte{bucketEvents, bucketCut} {
		if _, err := tx.CreateBucketIfNotExists(name); err != nil {
			return err
		}
	}
	if meta.Get(keyFormat) != nil {
		return nil
	}
	return errors.Join(meta.Put(keyFormat, []byte(logFormat)), meta.Put(keyNetwork, []byte(network)))
}

func (l *eventLog) replay(network string, readOnly bool, apply func(pegs.Record) error) error {
	var cut []byte
	err := l.db.View(func(tx *bbolt.Tx) error {
		meta, events := tx.Bucket(bucketMeta), tx.Bucket(bucketEvents)
		switch {
		case meta == nil || events == nil || string(meta.Get(keyFormat)) != logFormat:
			return fmt.Errorf("%w: it is no %s", ErrLogDamaged, logFormat)
		case string(meta.Get(keyNetwork)) != network:
			return fmt.Errorf("%w: it is of network %s, not %s", ErrLogDamaged, meta.Get(keyNetwork), network)
		}
		newest, _ := events.Cursor().Last()
		return events.ForEach(func(key, value []byte) error {
			record, link, err := pegs.DecodeRecord(value, l.next, l.link)
			if err == nil && binary.BigEndian.Uint64(key) != l.next {
				err = fmt.Errorf("record %d is at place %x", l.next, key)
			}
			if err != nil && string(key) == string(newest) && errors.Is(err, pegs.ErrRecord) {
				cut = append([]byte(nil), key...)
				return nil
			}
			if err != nil {
				return fmt.Errorf("%w: %w", ErrLogDamaged, err)
			}
			if err := apply(record); err != nil {
				return fmt.Errorf("%w: %w", ErrLogDamaged, err)
			}
			l.link, l.next = link, l.next+1
			return nil
		})
	})
	if err != nil || cut == nil || readOnly {
		return err
	}
	return l.db.Update(func(tx *bbolt.Tx) error {
		value := append([]byte(nil), tx.Bucket(bucketEvents).Get(cut)...)
		return errors.Join(tx.Bucket(bucketCut).Put(cut, value), tx.Bucket(bucketEvents).Delete(cut))
	})
}

// append makes records durable, all or none. They must follow the newest one.
func (l *eventLog) append(records []pegs.Record) error {
	link, next := l.link, l.next
	err := l.db.Update(func(tx *bbolt.Tx) error {
		events := tx.Bucket(bucketEvents)
		for _, r := range records {
			stored, after, err := r.Encode(link)
			if err != nil {
				return err
			}
			if r.Seq != next {
				return fmt.Errorf("record %d, want %d", r.Seq, next)
			}
			if err := events.Put(binary.BigEndian.AppendUint64(nil, r.Seq), stored); err != nil {
				return err
			}
			link, next = after, next+1
		}
		failpoint.Hit(failpoint.C3)
		failpoint.Hit(failpoint.C24)
		return failpoint.Fail(failpoint.C23)
	})
	if err != nil {
		return fmt.Errorf("gateway: append to the event log: %w", err)
	}
	l.link, l.next = link, next
	return nil
}

func (l *eventLog) close() error { return l.db.Close() }
