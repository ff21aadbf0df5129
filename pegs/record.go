package pegs

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// RecordVersion is the version of the stored form of records that is written.
// Version 1, JSON as a whole, is still read.
const RecordVersion = 2

// ErrRecord is wrapped when a stored record cannot be read.
var ErrRecord = errors.New("pegs: unreadable record")

// BaseRef names a block of the base layer.
type BaseRef struct {
	Number uint64 `json:"number"`
	ID     string `json:"id"`
}

// Record is one event with its place in the log.
type Record struct {
	Seq uint64    // 1, 2, 3 …
	At  time.Time // when it was appended, whole milliseconds; for people, never for rules
	// Base is the base block that the event acts on: the newest executed one
	// when a row of the sidechain was read. Zero for events that act on none.
	Base  BaseRef
	Event Event
}

// Link is the checksum of a record: it covers the record and, by the link
// before it, the whole log so far.
type Link [sha256.Size]byte

// Encode is the record's stored form: 32 bytes of Link, then the version (one
// byte), the sequence number, the time in milliseconds since 1970, number and id
// of the base block (number 0: no id), the kind, and the event as JSON up to the
// end. Numbers are varints, texts are preceded by their length.
func (r Record) Encode(previous Link) ([]byte, Link, error) {
	if !r.At.Equal(r.At.Truncate(time.Millisecond)) {
		return nil, Link{}, fmt.Errorf("pegs: encode %s: %s is not a whole millisecond", r.Event.Kind(), r.At)
	}
	data, err := json.Marshal(r.Event)
	if err != nil {
		return nil, Link{}, fmt.Errorf("pegs: encode %s: %w", r.Event.Kind(), err)
	}
	b := make([]byte, len(Link{}), len(Link{})+len(data)+len(r.Base.ID)+64)
	b = append(b, RecordVersion)
	b = binary.AppendUvarint(b, r.Seq)
	b = binary.AppendVarint(b, r.At.UnixMilli())
	b = binary.AppendUvarint(b, r.Base.Number)
	if r.Base.Number != 0 {
		b = appendText(b, r.Base.ID)
	}
	b = append(appendText(b, r.Event.Kind()), data...)
	link := linkOf(previous, b[len(Link{}):])
	copy(b, link[:])
	return b, link, nil
}

func appendText(b []byte, text string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(text))), text...)
}

// LinkOf is the link that a stored record carries, unchecked; ok is false when
// the bytes are too few for one.
func LinkOf(stored []byte) (link Link, ok bool) { return link, copy(link[:], stored) == len(link) }

// DecodeRecord is the inverse of Encode. It fails with ErrRecord when the bytes
// are not what was written after previous, at place seq.
func DecodeRecord(stored []byte, seq uint64, previous Link) (Record, Link, error) {
	link, ok := LinkOf(stored)
	if !ok || len(stored) == len(link) {
		return Record{}, Link{}, fmt.Errorf("%w %d: %d bytes", ErrRecord, seq, len(stored))
	}
	text := stored[len(link):]
	if link != linkOf(previous, text) {
		return Record{}, Link{}, fmt.Errorf("%w %d: checksum", ErrRecord, seq)
	}
	var r Record
	var err error
	switch text[0] {
	case '{':
		r, err = decodeV1(text)
	case RecordVersion:
		r, err = decodeV2(text[1:])
	default:
		err = fmt.Errorf("version %d is newer than this program's %d", text[0], RecordVersion)
	}
	if err == nil && r.Seq != seq {
		err = fmt.Errorf("it is record %d", r.Seq)
	}
	if err != nil {
		return Record{}, Link{}, fmt.Errorf("%w %d: %w", ErrRecord, seq, err)
	}
	return r, link, nil
}

// storedRecord is version 1.
type storedRecord struct {
	Version int             `json:"v"`
	Seq     uint64          `json:"seq"`
	At      time.Time       `json:"at"`
	Kind    string          `json:"kind"`
	Base    *BaseRef        `json:"base,omitempty"`
	Data    json.RawMessage `json:"data"`
}

func decodeV1(text []byte) (Record, error) {
	var s storedRecord
	if err := strict(text, &s); err != nil {
		return Record{}, err
	}
	if s.Version != 1 {
		return Record{}, fmt.Errorf("version %d", s.Version)
	}
	r := Record{Seq: s.Seq, At: s.At}
	if s.Base != nil {
		r.Base = *s.Base
	}
	var err error
	r.Event, err = decodeEvent(s.Kind, s.Data)
	return r, err
}

func decodeV2(text []byte) (r Record, err error) {
	f := fields{rest: text}
	r.Seq = f.uint()
	r.At = time.UnixMilli(f.int()).UTC()
	if r.Base.Number = f.uint(); r.Base.Number != 0 {
		r.Base.ID = f.text()
	}
	kind := f.text()
	if f.bad {
		return r, errors.New("it ends early")
	}
	r.Event, err = decodeEvent(kind, f.rest)
	return r, err
}

// fields takes the head of a record apart.
type fields struct {
	rest []byte
	bad  bool
}

func (f *fields) skip(n int) {
	if n <= 0 || n > len(f.rest) {
		f.bad, n = true, 0
	}
	f.rest = f.rest[n:]
}

func (f *fields) uint() uint64 {
	v, n := binary.Uvarint(f.rest)
	f.skip(n)
	return v
}

func (f *fields) int() int64 {
	v, n := binary.Varint(f.rest)
	f.skip(n)
	return v
}

func (f *fields) text() string {
	n := f.uint()
	if n == 0 || f.bad || n > uint64(len(f.rest)) {
		f.bad = f.bad || n != 0
		return ""
	}
	text := string(f.rest[:n])
	f.skip(int(n))
	return text
}

func decodeEvent(kind string, data []byte) (Event, error) {
	event, err := newEvent(kind)
	if err != nil {
		return nil, err
	}
	if err := strict(data, event); err != nil {
		return nil, fmt.Errorf("%s: %w", kind, err)
	}
	return event, nil
}

func linkOf(previous Link, text []byte) Link {
	h := sha256.New()
	h.Write(previous[:])
	h.Write(text)
	return Link(h.Sum(nil))
}

func strict(text []byte, v any) error {
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.DisallowUnknownFields()
	if err := dec.Decode(v); err != nil {
		return err
	}
	if rest := text[dec.InputOffset():]; len(bytes.TrimSpace(rest)) > 0 {
		return errors.New("text after the value")
	}
	return nil
}
