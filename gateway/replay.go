package gateway

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"

	"causeway/pegs"
)

// replay reads frames in one goroutine, decodes and checks their records in
// others, and applies them in order in one more.
type replay struct {
	apply func(pegs.Record) error
	next  place // of the record to be read
	part  *part // being collected
	ready chan *part
	slots chan struct{} // bounds the parts under way
	ended chan error
	done  place // behind the newest applied record; to be read after finish
	stop  chan struct{}
}

// part is a run of records on its way.
type part struct {
	first   place // before it
	last    place // behind it
	stored  [][]byte
	size    int
	records []pegs.Record
	err     error
	decoded chan struct{}
}

// partSize bounds the bytes of a part.
const partSize = 1 << 18

func newReplay(from place, apply func(pegs.Record) error) *replay {
	workers := runtime.GOMAXPROCS(0) + 1
	r := &replay{
		apply: apply, next: from, done: from, part: newPart(from), ready: make(chan *part, workers),
		slots: make(chan struct{}, workers), ended: make(chan error, 1), stop: make(chan struct{}),
	}
	go func() { r.ended <- r.applyAll() }()
	return r
}

func newPart(from place) *part { return &part{first: from, last: from, decoded: make(chan struct{})} }

// frames reads from r.next to the end of the file. torn is the last frame when
// it is not whole; its whole records are read.
func (r *replay) frames(file *os.File, size int64) (torn *tornFrame, err error) {
	left := max(size-r.next.Offset, 0)
	in := bufio.NewReaderSize(io.NewSectionReader(file, r.next.Offset, left), int(min(left, 1<<20)))
	for {
		before := r.next
		body, err := readFrame(in, size-before.Offset)
		switch {
		case errors.Is(err, io.EOF):
			return nil, nil
		case errors.Is(err, errTorn):
			return r.tornFrame(before, body), nil
		case err != nil:
			return nil, err
		}
		r.next.Offset += frameHead
		for rest := body; len(rest) > 0; {
			record, after, ok := nextRecord(rest)
			if !ok {
				return nil, fmt.Errorf("%w: a frame holds no records at byte %d", ErrLogDamaged, before.Offset)
			}
			r.take(record, len(rest)-len(after))
			rest = after
		}
	}
}

// tornFrame takes the whole records of a frame that is not whole.
func (r *replay) tornFrame(before place, body []byte) *tornFrame {
	torn := &tornFrame{place: before}
	seq, link := before.Seq, before.Link
	for {
		record, after, ok := nextRecord(body)
		if !ok {
			return torn
		}
		_, next, err := pegs.DecodeRecord(record, seq+1, link)
		if err != nil {
			return torn
		}
		torn.whole = append(torn.whole, record)
		r.take(record, 0) // where it will stand is known when it is written anew
		seq, link, body = seq+1, next, after
	}
}

// take adds a record that takes so many bytes of the file.
func (r *replay) take(stored []byte, size int) {
	link, _ := pegs.LinkOf(stored)
	r.next.Seq++
	r.next.Offset += int64(size)
	r.next.Link = link
	p := r.part
	p.stored, p.size, p.last = append(p.stored, stored), p.size+len(stored), r.next
	if p.size >= partSize {
		r.send()
	}
}

// send has the part decoded and applied.
func (r *replay) send() {
	p := r.part
	r.part = newPart(p.last)
	if len(p.stored) == 0 {
		return
	}
	select {
	case r.slots <- struct{}{}:
	case <-r.stop:
		return
	}
	go p.decode()
	r.ready <- p
}

// decode checks and decodes the records of a part. The links inside it were
// stored with them; that they hold is what is checked.
func (p *part) decode() {
	defer close(p.decoded)
	seq, link := p.first.Seq, p.first.Link
	p.records = make([]pegs.Record, 0, len(p.stored))
	for _, stored := range p.stored {
		record, next, err := pegs.DecodeRecord(stored, seq+1, link)
		if err != nil {
			p.err = err
			return
		}
		p.records = append(p.records, record)
		seq, link = seq+1, next
	}
}

func (r *replay) applyAll() error {
	defer close(r.stop)
	for p := range r.ready {
		<-p.decoded
		<-r.slots
		for _, record := range p.records {
			if err := r.apply(record); err != nil {
				return err
			}
		}
		if p.err != nil {
			return p.err
		}
		r.done = p.last
	}
	return nil
}

// finish waits until all is applied.
func (r *replay) finish() error {
	r.send()
	close(r.ready)
	return <-r.ended
}

// firstRecord reads the record behind a place, or says that there is none.
func (l *eventLog) firstRecord(at place) (pegs.Record, bool) {
	size, err := l.size()
	if err != nil || at.Offset < l.start || at.Offset > size-frameHead {
		return pegs.Record{}, false
	}
	in := bufio.NewReader(io.NewSectionReader(l.file, at.Offset, size-at.Offset))
	body, err := readFrame(in, size-at.Offset)
	if err != nil {
		return pegs.Record{}, false
	}
	stored, _, ok := nextRecord(body)
	if !ok {
		return pegs.Record{}, false
	}
	record, _, err := pegs.DecodeRecord(stored, at.Seq+1, at.Link)
	return record, err == nil
}
