package gateway

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"

	"causeway/internal/boltfile"
	"causeway/internal/failpoint"
	"causeway/pegs"
)

// Errors of a log that cannot be opened.
var (
	// ErrLogDamaged refuses a log whose records contradict each other.
	ErrLogDamaged = errors.New("gateway: event log is damaged")
	// ErrNewerFormat refuses a store that a newer program has written.
	ErrNewerFormat = errors.New("gateway: the event log is of a newer format than this program knows")
)

// logFormat is the number of the form of gateway.db that is written. See
// migrations for the older ones.
const logFormat = 2

// eventLog is gateway.db: a line that names the format, a line that names the
// network, and frames of records to the end. Nothing in it is ever changed; it
// only grows. One process at a time writes it, or several read it.
type eventLog struct {
	path string
	file *os.File
	// place is behind the newest durable record: where the next frame goes.
	place
	start int64  // where the first frame is
	buf   []byte // of the frame being written
	// failed is set when it is not known what is durable.
	failed error
}

// place is a point between two records of the log.
type place struct {
	Offset int64     // in the file; the start of a frame or of a record within one
	Seq    uint64    // of the record before it, 0 at the beginning
	Link   pegs.Link // of that record
}

func logHeader(network string) []byte {
	return fmt.Appendf(nil, "causeway-gateway/%d\n%s\n", logFormat, network)
}

// openLog opens or makes the log of a network, named by its base chain id. Its
// records are not read yet.
func openLog(path, network string, readOnly bool) (l *eventLog, err error) {
	if err := migrate(path, network, readOnly); err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	flags, how := os.O_RDWR|os.O_CREATE, syscall.LOCK_EX
	if readOnly {
		flags, how = os.O_RDONLY, syscall.LOCK_SH
	}
	file, err := os.OpenFile(path, flags, 0o600)
	if err != nil {
		return nil, fmt.Errorf("gateway: event log: %w", err)
	}
	l = &eventLog{path: path, file: file}
	if err := holdFile(file, how); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s: %w", ErrHomeInUse, path, err), file.Close())
	}
	if err := l.readHeader(network, readOnly); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", path, err), file.Close())
	}
	return l, nil
}

// holdFile locks a file, waiting a second for another process to let go of it.
func holdFile(file *os.File, how int) (err error) {
	for range 100 {
		if err = syscall.Flock(int(file.Fd()), how|syscall.LOCK_NB); !errors.Is(err, syscall.EWOULDBLOCK) {
			return err
		}
		time.Sleep(10 * time.Millisecond)
	}
	return err
}

// beginning is before the first record.
func (l *eventLog) beginning() place { return place{Offset: l.start} }

// readHeader checks whose log it is. One that ends within the header holds
// nothing yet, and is begun anew.
func (l *eventLog) readHeader(network string, readOnly bool) error {
	want := logHeader(network)
	l.start = int64(len(want))
	l.place = l.beginning()
	got := make([]byte, len(want)+64)
	n, err := l.file.ReadAt(got, 0)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	got = got[:n]
	format, rest, _ := bytes.Cut(got, []byte("\n"))
	switch ours, _, _ := bytes.Cut(want, []byte("\n")); {
	case bytes.HasPrefix(got, want):
		return nil
	case bytes.HasPrefix(want, got) && readOnly:
		return nil
	case bytes.HasPrefix(want, got):
		return errors.Join(l.write(want, 0), boltfile.SyncDirectory(filepath.Dir(l.path)))
	case bytes.Equal(format, ours):
		other, _, _ := bytes.Cut(rest, []byte("\n"))
		return fmt.Errorf("%w: it is of network %.80q, not %s", ErrLogDamaged, other, network)
	}
	return fmt.Errorf("%w: it is no event log", ErrLogDamaged)
}

// write makes bytes at an offset durable, and the end of the file.
func (l *eventLog) write(b []byte, at int64) error {
	if _, err := l.file.WriteAt(b, at); err != nil {
		return err
	}
	if err := l.file.Truncate(at + int64(len(b))); err != nil {
		return err
	}
	return l.file.Sync()
}

// replay reads the records from a place to the end, in order, and leaves the log
// ready for the next. The newest frame may not be whole: its whole records count,
// and the rest is cut off and kept beside the log: what rested on it is decided
// by the sidechain, the chains and the signer's own journal. Anything else that
// does not fit is ErrLogDamaged.
func (l *eventLog) replay(from place, readOnly bool, apply func(pegs.Record) error) error {
	size, err := l.size()
	if err != nil {
		return err
	}
	reading := newReplay(from, apply)
	torn, err := reading.frames(l.file, size)
	if errDecode := reading.finish(); errDecode != nil {
		return fmt.Errorf("%s: %w: %w", l.path, ErrLogDamaged, errDecode)
	}
	if err != nil {
		return fmt.Errorf("%s: %w", l.path, err)
	}
	l.place = reading.done
	if torn == nil {
		return nil
	}
	if later, err := wholeFrameAfter(l.file, torn.Offset+1, size); err != nil || later {
		return errors.Join(err, fmt.Errorf("%s: %w: record %d is not whole, and others follow", l.path, ErrLogDamaged, reading.done.Seq+1))
	}
	if readOnly {
		return nil
	}
	return l.mend(*torn, size)
}

func (l *eventLog) size() (int64, error) {
	info, err := l.file.Stat()
	if err != nil {
		return 0, err
	}
	return max(info.Size(), l.start), nil
}

// tornFrame is the frame at which a log ends and that is not whole.
type tornFrame struct {
	place          // before it
	whole [][]byte // its records up to the first that is not
}

// cutFile keeps what was cut off a log.
const cutFile = ".cut"

// mend cuts a torn frame off and writes what is whole of it as a frame.
func (l *eventLog) mend(torn tornFrame, size int64) error {
	rest := make([]byte, size-torn.Offset)
	if _, err := l.file.ReadAt(rest, torn.Offset); err != nil {
		return err
	}
	evidence, err := os.OpenFile(l.path+cutFile, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(evidence, "from byte %d of the log, %d bytes:\n%s\n", torn.Offset, len(rest), rest)
	if err = errors.Join(err, evidence.Sync(), evidence.Close()); err != nil {
		return err
	}
	var frame []byte
	if len(torn.whole) > 0 {
		frame = appendFrame(nil, torn.whole)
	}
	l.Offset = torn.Offset + int64(len(frame))
	return l.write(frame, torn.Offset)
}

// append makes stored records durable, all or none: l.place is then next. They
// must follow the newest one.
func (l *eventLog) append(stored [][]byte, next place) error {
	if l.failed != nil {
		return l.failed
	}
	frames, err := appendFrames(l.buf[:0], stored, frameSize)
	if err == nil {
		l.buf = frames
		err = l.commit()
	}
	if err != nil {
		l.failed = fmt.Errorf("gateway: append to the event log: %w", err)
		return l.failed
	}
	next.Offset = l.Offset + int64(len(l.buf))
	l.place = next
	return nil
}

// commit writes the frames in l.buf.
func (l *eventLog) commit() error {
	half := 0
	if failpoint.Enabled { // a process can end while half a frame is written
		half = len(l.buf) / 2
		if _, err := l.file.WriteAt(l.buf[:half], l.Offset); err != nil {
			return err
		}
		failpoint.Hit(failpoint.C3)
		if err := failpoint.Fail(failpoint.C23); err != nil {
			return err
		}
	}
	if _, err := l.file.WriteAt(l.buf[half:], l.Offset+int64(half)); err != nil {
		return err
	}
	failpoint.Hit(failpoint.C24)
	return l.file.Sync()
}

func (l *eventLog) close() error { return l.file.Close() }
