package pegs

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

// RecordVersion is the version of the stored form of records.
const RecordVersion = 1

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
	At  time.Time // when it was appended; for people, never for rules
	// Base is the base block that the event acts on: the newest executed one
	// when a row of the sidechain was read. Zero for events that act on none.
	Base  BaseRef
	Event Event
}

type storedRecord struct {
	Version int             `json:"v"`
	Seq     uint64          `json:"seq"`
	At      time.Time       `json:"at"`
	Kind    string          `json:"kind"`
	Base    *BaseRef        `json:"base,omitempty"`
	Data    json.RawMessage `json:"data"`
}

// Link is the checksum of a record: it covers the record and, by the link
// before it, the whole log so far.
type Link [sha256.Size]byte

// Encode is the record's stored form: 32 bytes of Link, then JSON.
func (r Record) Encode(previous Link) ([]byte, Link, error) {
	data, err := json.Marshal(r.Event)
	if err != nil {
		return nil, Link{}, fmt.Errorf("pegs: encode %s: %w", r.Event.Kind(), err)
	}
	stored := storedRecord{Version: RecordVersion, Seq: r.Seq, At: r.At.UTC(), Kind: r.Event.Kind(), Data: data}
	if r.Base != (BaseRef{}) {
		stored.Base = &r.Base
	}
	text, err := json.Marshal(stored)
	if err != nil {
		return nil, Link{}, fmt.Errorf("pegs: encode %s: %w", r.Event.Kind(), err)
	}
	link := linkOf(previous, text)
	return append(link[:], text...), link, nil
}

// DecodeRecord is the inverse of Encode. It fails with ErrRecord when the bytes
// are not what was written after previous, at place seq.
func DecodeRecord(stored []byte, seq uint64, previous Link) (Record, Link, error) {
	if len(stored) < len(Link{}) {
		return Record{}, Link{}, fmt.Errorf("%w %d: %d bytes", ErrRecord, seq, len(stored))
	}
	link, text := Link(stored[:len(Link{})]), stored[len(Link{}):]
	if link != linkOf(previous, text) {
		return Record{}, Link{}, fmt.Errorf("%w %d: checksum", ErrRecord, seq)
	}
	var s storedRecord
	if err := strict(text, &s); err != nil {
		return Record{}, Link{}, fmt.Errorf("%w %d: %w", ErrRecord, seq, err)
	}
	if s.Version != RecordVersion || s.Seq != seq {
		return Record{}, Link{}, fmt.Errorf("%w %d: version %d, sequence %d", ErrRecord, seq, s.Version, s.Seq)
	}
	event, err := newEvent(s.Kind)
	if err != nil {
		return Record{}, Link{}, err
	}
	if err := strict(s.Data, event); err != nil {
		return Record{}, Link{}, fmt.Errorf("%w %d: %s: %w", ErrRecord, seq, s.Kind, err)
	}
	r := Record{Seq: seq, At: s.At, Event: event}
	if s.Base != nil {
		r.Base = *s.Base
	}
	return r, link, nil
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
	if dec.More() {
		return errors.New("text after the value")
	}
	return nil
}
