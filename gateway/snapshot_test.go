package gateway

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/pegs"
)

// sealedLog is the path of a log with seals every few records and a snapshot.
func sealedLog(t *testing.T, records int) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), LogFile)
	l := testLedger(t, path)
	l.seals.every = 10
	l.seals.next(0, 0)
	fill(t, l, 0)
	for i := range records {
		if err := l.Append(context.Background(), &pegs.EpochAdded{Chain: chains.BTC, Epoch: uint32(i)}); err != nil {
			t.Fatal(err)
		}
		l.seals.wait()
	}
	if err := l.close(); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestStartFromSnapshot(t *testing.T) {
	path := sealedLog(t, 57)
	l := testLedger(t, path)
	want, seq := hashOf(t, l)
	if l.from.Seq < seq-12 || epochs(t, l) != 57 {
		t.Errorf("started at record %d of %d, %d epochs", l.from.Seq, seq, epochs(t, l))
	}
	v, err := l.Verify(t.Context())
	if err != nil || v.Records != seq || v.Seals < 5 || v.Hash != want {
		t.Errorf("verified %+v: %v", v, err)
	}
	if err := l.Append(t.Context(), &pegs.EpochAdded{Chain: chains.BTC, Epoch: 100}); err != nil {
		t.Fatal(err)
	}
	want, _ = hashOf(t, l)
	l.close()
	must(t, os.Remove(path+SnapshotSuffix))
	l = testLedger(t, path)
	defer l.close()
	if got, _ := hashOf(t, l); got != want || l.from.Seq != 0 {
		t.Errorf("the whole log makes another state, or was not read (from %d)", l.from.Seq)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// A snapshot that is damaged, of another version, or not of this log is no
// snapshot: the log has everything.
func TestSnapshotsThatDoNotFit(t *testing.T) {
	path := sealedLog(t, 57)
	whole, err := os.ReadFile(path + SnapshotSuffix)
	must(t, err)
	log, err := os.ReadFile(path)
	must(t, err)
	l, err := readLedger(path, "net")
	must(t, err)
	want, seq := hashOf(t, l)
	from := l.from
	l.close()
	if from.Seq == 0 {
		t.Fatal("no snapshot")
	}
	try := func(name string, log, snapshot []byte) {
		t.Helper()
		must(t, os.WriteFile(path, log, 0o600))
		must(t, os.WriteFile(path+SnapshotSuffix, snapshot, 0o600))
		l, err := readLedger(path, "net")
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		defer l.close()
		if l.from.Seq != 0 {
			t.Fatalf("%s: it was used", name)
		}
		if got, n := hashOf(t, l); n == seq && got != want {
			t.Fatalf("%s: another state", name)
		}
	}
	for n := 0; n < len(whole); n += 11 {
		try(fmt.Sprintf("%d bytes", n), log, whole[:n])
		altered := bytes.Clone(whole)
		altered[n] ^= 1
		if bytes.Contains(altered, []byte(pegs.StateForm())) && bytes.IndexByte(altered, '\n') == bytes.IndexByte(whole, '\n') {
			try(fmt.Sprintf("byte %d", n), log, altered)
		}
	}
	try("a byte more", log, append(bytes.Clone(whole), 0))
	try("another form", log, bytes.Replace(whole, []byte(pegs.StateForm()), []byte("0123456789abcdef"), 1))
	try("another format", log, bytes.Replace(whole, []byte("causeway-snapshot/1"), []byte("causeway-snapshot/2"), 1))
	try("older log", log[:from.Offset], whole)
	try("log cut in the seal", log[:from.Offset+40], whole)
	must(t, os.Remove(path))
	fresh := testLedger(t, path)
	fresh.close()
	text, err := os.ReadFile(path)
	must(t, err)
	try("log made anew", text, whole)
}

// The replay refuses a log whose seals the records do not come to.
func TestWrongSeal(t *testing.T) {
	path := filepath.Join(t.TempDir(), LogFile)
	l := testLedger(t, path)
	fill(t, l, 3)
	place, seq := l.log.place, l.log.Seq
	l.close()
	for name, form := range map[string]string{"ours": pegs.StateForm(), "older": "0123456789abcdef"} {
		seal := pegs.Record{Seq: seq + 1, Event: &pegs.Sealed{Form: form, Hash: strings.Repeat("a", 64)}}
		stored, _, err := seal.Encode(place.Link)
		must(t, err)
		text, err := os.ReadFile(path)
		must(t, err)
		must(t, os.WriteFile(path, appendFrame(text[:place.Offset:place.Offset], [][]byte{stored}), 0o600))
		l, err := readLedger(path, "net")
		if form == pegs.StateForm() {
			if !errors.Is(err, ErrLogDamaged) || !errors.Is(err, pegs.ErrTransition) {
				t.Errorf("%s: %v", name, err)
			}
			continue
		}
		must(t, err)
		l.close()
	}
}

// The larger the state, the fewer the seals.
func TestSealsGetRarer(t *testing.T) {
	s := newSealer("", 10, 100, 0)
	if s.due != 110 {
		t.Errorf("due at %d", s.due)
	}
	s.next(1000, 100*bytesPerRecord)
	if s.due != 1100 {
		t.Errorf("due at %d", s.due)
	}
}

func TestSnapshotThatCannotBeWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), LogFile)
	l := testLedger(t, path)
	said := make(chan error, 10)
	l.seals.path, l.seals.every = filepath.Join(path, "nowhere"), 2
	l.seals.report = func(err error) { said <- err }
	l.seals.next(0, 0)
	fill(t, l, 3)
	if err := <-said; !errors.Is(err, fs.ErrNotExist) && !strings.Contains(err.Error(), "not a directory") {
		t.Error(err)
	}
	must(t, l.close())
	l = testLedger(t, path)
	defer l.close()
	if epochs(t, l) != 3 || l.from.Seq != 0 {
		t.Error("the log itself is not whole")
	}
}
