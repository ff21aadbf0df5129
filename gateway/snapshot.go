package gateway

import (
	"bufio"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"

	"causeway/pegs"

	"github.com/google/renameio/v2"
)

// SnapshotSuffix names the snapshot of a log, beside the log itself.
//
// A snapshot spares a start the reading of the log from its beginning. It is a
// file beside the log, replaced as a whole and worth nothing without the log:
// a line of JSON, snapshotHead, then the state in the form of package pegs. It
// counts only when the log holds, right behind the record it stands at, a seal
// with its very hash. The log keeps all its records.
const SnapshotSuffix = ".snapshot"

// snapshotHead is the first line of a snapshot.
type snapshotHead struct {
	Format string `json:"format"` // snapshotFormat
	Form   string `json:"form"`   // pegs.StateForm
	Offset int64  `json:"offset"` // in the log, behind the record it stands at
	Seq    uint64 `json:"seq"`    // of that record
	Link   string `json:"link"`   // of that record, hex
	Size   int    `json:"size"`   // of the state's form
	Hash   string `json:"hash"`   // of the state's form
}

const snapshotFormat = "causeway-snapshot/1"

const (
	// sealEvery is how many records there are between two seals at least. Of a
	// large state there are more, one for every bytesPerRecord bytes of its form:
	// sealing costs a fixed share of the work, and a start replays no more than
	// that many records.
	sealEvery      = 4096
	bytesPerRecord = 256
)

// writeSnapshot replaces the snapshot of a log.
func writeSnapshot(path string, at place, seal *pegs.Sealed, state []byte) error {
	head, err := json.Marshal(snapshotHead{
		Format: snapshotFormat, Form: seal.Form, Offset: at.Offset, Seq: at.Seq, Link: hex.EncodeToString(at.Link[:]),
		Size: len(state), Hash: seal.Hash,
	})
	if err != nil {
		return err
	}
	file, err := renameio.NewPendingFile(path, renameio.WithPermissions(0o600))
	if err != nil {
		return err
	}
	_, errHead := file.Write(append(head, '\n'))
	_, errState := file.Write(state)
	if err := errors.Join(errHead, errState); err != nil {
		return errors.Join(err, file.Cleanup())
	}
	return file.CloseAtomicallyReplace()
}

// errNoSnapshot: the log is to be read from its beginning, for that reason.
var errNoSnapshot = errors.New("no snapshot that fits")

// readSnapshot reads the snapshot of a log and holds it against the log.
func readSnapshot(path string, l *eventLog) (*pegs.State, place, int, error) {
	none := func(why string) (*pegs.State, place, int, error) {
		return nil, place{}, 0, fmt.Errorf("%w: %s", errNoSnapshot, why)
	}
	file, err := os.Open(path)
	if err != nil {
		return nil, place{}, 0, err
	}
	defer file.Close()
	in := bufio.NewReader(file)
	var head snapshotHead
	line, err := in.ReadBytes('\n')
	if err != nil || json.Unmarshal(line, &head) != nil {
		return none("its head is not whole")
	}
	at := place{Offset: head.Offset, Seq: head.Seq}
	link, err := hex.DecodeString(head.Link)
	switch {
	case head.Format != snapshotFormat:
		return none("its format is " + head.Format)
	case head.Form != pegs.StateForm():
		return none("it is of another version of the state")
	case err != nil || len(link) != len(at.Link) || copy(at.Link[:], link) == 0 || !l.sealedAt(at, head.Hash):
		return none("the log has no seal for it")
	}
	text, err := io.ReadAll(io.LimitReader(in, int64(head.Size)+1))
	if err != nil || pegs.HashOf(text) != head.Hash {
		return none("its hash is another")
	}
	state, err := pegs.ReadSnapshot(text)
	if err != nil {
		return none(err.Error())
	}
	if state.Seq != at.Seq {
		return none(fmt.Sprintf("it is the state at record %d", state.Seq))
	}
	return state, at, len(text), nil
}

// sealedAt says whether the log's record behind a place seals a state of that hash.
func (l *eventLog) sealedAt(at place, hash string) bool {
	record, ok := l.firstRecord(at)
	if !ok {
		return false
	}
	seal, ok := record.Event.(*pegs.Sealed)
	return ok && seal.Form == pegs.StateForm() && seal.Hash == hash
}

// sealer says when the next seal is due, and writes snapshots in the background,
// one at a time.
type sealer struct {
	path   string
	every  uint64
	due    uint64 // number of the record from which on a seal is due
	size   int    // of the last state
	busy   chan struct{}
	report func(error)
}

// newSealer goes on after the snapshot of so many bytes at a record.
func newSealer(path string, every, seq uint64, size int) *sealer {
	s := &sealer{path: path, every: every, busy: make(chan struct{}, 1)}
	s.report = func(error) {}
	s.next(seq, size)
	return s
}

// next notes that a state of so many bytes was sealed, or read, at a record.
func (s *sealer) next(seq uint64, size int) {
	s.due, s.size = seq+max(s.every, uint64(size)/bytesPerRecord), size
}

// room is what the next state will take, as far as the last one tells.
func (s *sealer) room() int { return s.size + s.size/2 }

// keep writes a snapshot, unless one is being written.
func (s *sealer) keep(at place, seal *pegs.Sealed, state []byte) {
	select {
	case s.busy <- struct{}{}:
	default:
		return
	}
	go func() {
		defer func() { <-s.busy }()
		if err := writeSnapshot(s.path, at, seal, state); err != nil {
			s.report(err)
		}
	}()
}

// wait waits for the snapshot that is being written.
func (s *sealer) wait() {
	s.busy <- struct{}{}
	<-s.busy
}
