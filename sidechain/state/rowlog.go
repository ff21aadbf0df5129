package state

import (
	"encoding/binary"
	"fmt"
	"slices"

	"causeway/sidechain/jsvalue"

	bolt "go.etcd.io/bbolt"
)

// rowLog is how the file keeps rows: segments of row versions, numbered in the
// order in which they were written. The newest version of a row counts. A
// checkpoint appends what changed, whatever rows they are, so it writes pages
// one after the other; and when less than half of the log counts, it first
// appends again what counts in the oldest segments, and deletes them. So the
// work of cleaning is spread, and bounded by the changes that caused it.
//
// Only checkpoints use it, one at a time.
type rowLog struct {
	segments []segment // oldest first
	next     uint32    // number of the next one, from 1
	bytes    int       // of all segments
	live     int       // of these the newest versions
	slack    int       // how much may be out of date in any case
}

type segment struct {
	number uint32
	size   int
}

const (
	// segmentSize is when a segment is full. A segment that a checkpoint
	// began is ended by it.
	segmentSize = 256 << 10
	// logSlack is rowLog.slack, but for tests.
	logSlack = 1 << 20
	// versionSize is about what a version takes, for the bound of cleaning.
	versionSize = 96
)

// A segment is a sequence of items: a tag, and what follows it.
const (
	itemTable     = iota // uvarint length, "section/table": of the items that follow
	itemRow              // uvarint _id + 1, uvarint length, row
	itemKeyed            // uvarint length, order key of _id; uvarint length, row
	itemGone             // uvarint _id + 1: the row was removed
	itemKeyedGone        // uvarint length, order key of _id
)

// version is a row as it was when it was captured; nil when it was removed.
type version struct {
	entry *entry
	row   Row
}

// tableCapture is what a checkpoint takes of a table under the lock.
type tableCapture struct {
	table    *Table
	record   tableRecord // without the names
	changed  bool        // the record must be written
	versions []version
}

// capture lists the rows that changed since the last checkpoint.
func (t *Table) capture() []version {
	versions := make([]version, 0, len(t.toDisk))
	for _, e := range t.toDisk {
		e.inDisk = false
		versions = append(versions, version{e, e.row})
		if e.row == nil {
			t.section.purge = append(t.section.purge, change{t, e})
		}
	}
	t.toDisk = nil
	return versions
}

// clean takes the oldest segments out of the log, while too much of it is out
// of date, and adds to the captures what still counts in them. The caller holds
// the read lock and has not called Table.capture yet.
func (l *rowLog) clean(db *DB, b *batch) error {
	changed := 0
	for i := range b.tables {
		changed += len(b.tables[i].table.toDisk)
	}
	budget := segmentSize + 2*changed*versionSize
	return db.bolt.View(func(tx *bolt.Tx) error {
		for len(l.segments) > 0 && l.bytes > 2*l.live+l.slack && budget > 0 {
			oldest := l.segments[0]
			data := tx.Bucket(bucketRows).Get(segmentKey(oldest.number))
			if data == nil {
				break // not in the file yet: a checkpoint failed
			}
			if err := db.rescue(b, oldest.number, data); err != nil {
				return err
			}
			budget -= oldest.size
			b.cleaned = append(b.cleaned, oldest.number)
			l.bytes -= oldest.size
			l.segments = l.segments[1:]
		}
		return nil
	})
}

// rescue captures the rows whose newest version is in a segment.
func (db *DB) rescue(b *batch, number uint32, data []byte) error {
	var c *tableCapture
	return readSegment(data, func(name string) error {
		i := slices.IndexFunc(b.tables, func(c tableCapture) bool { return c.table.path() == name })
		if i < 0 {
			return fmt.Errorf("%w: rows of %.100q", ErrDamaged, name)
		}
		c = &b.tables[i]
		return nil
	}, func(it item) error {
		if e := c.table.byID.find(it.number, it.key); e != nil && e.segment == number && !e.inDisk {
			c.versions = append(c.versions, version{e, e.row})
		}
		return nil
	})
}

// path names the table within the file.
func (t *Table) path() string { return t.section.name + "/" + t.def.Name }

// segmentWriter cuts versions into segments.
type segmentWriter struct {
	log  *rowLog
	out  []pair
	buf  []byte
	row  []byte // scratch
	last *Table // of the segment so far
}

func (w *segmentWriter) add(t *Table, v version) {
	e := v.entry
	w.log.live -= int(e.size)
	e.size = 0
	if v.row == nil && e.segment == 0 {
		return // it came and went between two checkpoints
	}
	if w.buf == nil {
		w.buf, w.last = make([]byte, 0, segmentSize+segmentSize/8), nil
	}
	if w.last != t {
		w.buf, w.last = appendText(append(w.buf, itemTable), t.path()), t
	}
	start := len(w.buf)
	tag := byte(itemRow)
	if v.row == nil {
		tag = itemGone
	}
	if e.number > 0 {
		w.buf = binary.AppendUvarint(append(w.buf, tag), e.number)
	} else {
		w.buf = appendText(append(w.buf, tag+1), e.key)
	}
	if v.row == nil {
		e.segment = 0
	} else {
		w.row = t.names.appendRow(w.row[:0], v.row)
		w.buf = append(binary.AppendUvarint(w.buf, uint64(len(w.row))), w.row...)
		e.segment, e.size = w.log.next, uint32(len(w.buf)-start)
		w.log.live += int(e.size)
	}
	if len(w.buf) >= segmentSize {
		w.cut()
	}
}

func (w *segmentWriter) cut() {
	if len(w.buf) == 0 {
		return
	}
	l := w.log
	w.out = append(w.out, pair{segmentKey(l.next), w.buf})
	l.segments = append(l.segments, segment{l.next, len(w.buf)})
	l.bytes += len(w.buf)
	l.next++
	w.buf = nil
}

func segmentKey(number uint32) []byte { return binary.BigEndian.AppendUint32(nil, number) }

// item is one version in a segment.
type item struct {
	number uint64 // _id + 1 of a whole number, else 0
	key    []byte // order key of another _id
	gone   bool
	row    []byte
	size   int // of the whole item
}

// readSegment visits what a segment holds.
func readSegment(data []byte, table func(path string) error, visit func(item) error) error {
	named := false
	for len(data) > 0 {
		r := segmentReader{data: data[1:]}
		var it item
		switch tag := data[0]; {
		case tag == itemTable:
			name := string(r.text())
			if r.bad {
				return errRow
			}
			if err := table(name); err != nil {
				return err
			}
			named, data = true, r.data
			continue
		case tag > itemKeyedGone || !named:
			return errRow
		case tag == itemRow || tag == itemGone:
			it.number, it.gone = r.uvarint(), tag == itemGone
		default:
			it.key, it.gone = r.text(), tag == itemKeyedGone
		}
		if !it.gone {
			it.row = r.text()
		}
		if r.bad || it.number == 0 && it.key == nil {
			return errRow
		}
		it.size = len(data) - len(r.data)
		if err := visit(it); err != nil {
			return err
		}
		data = r.data
	}
	return nil
}

type segmentReader struct {
	data []byte
	bad  bool
}

func (r *segmentReader) uvarint() uint64 {
	n, size := binary.Uvarint(r.data)
	if size <= 0 {
		r.bad = true
		return 0
	}
	r.data = r.data[size:]
	return n
}

func (r *segmentReader) text() []byte {
	n := r.uvarint()
	if r.bad || n > uint64(len(r.data)) {
		r.bad = true
		return nil
	}
	text := r.data[:n:n]
	r.data = r.data[n:]
	return text
}

// loadRows reads the log, the newest segment first: of each row the first
// version that is met counts.
func (db *DB) loadRows(rows *bolt.Bucket) error {
	tables := map[string]*Table{}
	for _, s := range []*Section{db.tables, db.base} {
		for _, t := range s.tables {
			tables[t.path()] = t
		}
	}
	l := &db.log
	c := rows.Cursor()
	for k, data := c.Last(); k != nil; k, data = c.Prev() {
		if len(k) != 4 || len(data) == 0 {
			return fmt.Errorf("%w: a segment %x of %d bytes", ErrDamaged, k, len(data))
		}
		s := segment{binary.BigEndian.Uint32(k), len(data)}
		l.segments = append(l.segments, s)
		l.bytes += s.size
		l.next = max(l.next, s.number+1)
		var t *Table
		err := readSegment(data, func(name string) error {
			if t = tables[name]; t == nil {
				return fmt.Errorf("rows of %.100q, which is not defined", name)
			}
			return nil
		}, func(it item) error { return t.loadVersion(l, s.number, it) })
		if err != nil {
			return fmt.Errorf("%w: segment %d: %w", ErrDamaged, s.number, err)
		}
	}
	slices.Reverse(l.segments)
	for _, t := range tables {
		t.loaded()
	}
	return nil
}

// loadVersion takes a version, unless a newer one was met before.
func (t *Table) loadVersion(l *rowLog, number uint32, it item) error {
	if t.byID.find(it.number, it.key) != nil {
		return nil
	}
	e := &entry{key: string(it.key), number: it.number}
	if !it.gone {
		row, err := t.names.row(it.row)
		if err != nil {
			return err
		}
		id := row.Get(idField)
		e.key = string(AppendKey(nil, id))
		if wholeNumber(id) != it.number || it.number == 0 && e.key != string(it.key) {
			return fmt.Errorf("row %.100s under another id", jsvalue.Stringify(row))
		}
		e.row, e.segment, e.size = row, number, uint32(it.size)
		l.live += it.size
	}
	t.byID.put(e)
	t.toDisk = append(t.toDisk, e)
	return nil
}

// loaded builds the indexes and leaves of the rows that were met, in order of
// their ids, and forgets the removed ones.
func (t *Table) loaded() {
	met := t.toDisk
	t.toDisk = nil
	slices.SortFunc(met, (*entry).compare)
	for _, e := range met {
		if e.row == nil {
			t.byID.drop(e)
			continue
		}
		t.count++
		t.ids.set(e.key, e)
		for _, ix := range t.indexes {
			ix.add(e, e.row)
		}
		t.section.buf = jsvalue.AppendJSON(t.section.buf[:0], e.row)
		e.leaf = t.section.merkle.set(0, t.def.Name, e.row.Get(idField), t.section.buf)
	}
}
