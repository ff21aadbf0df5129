package kit

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func known(r Record) bool { return r.Kind == 'T' }

func TestJournal(t *testing.T) {
	path := filepath.Join(t.TempDir(), "j")
	header := []byte("magic")
	var want []Record
	j, records, err := OpenJournal(path, header, known)
	if err != nil || len(records) != 0 {
		t.Fatal(records, err)
	}
	for i := range 5 {
		want = append(want, Record{'T', bytes.Repeat([]byte{'x'}, i)})
	}
	if err := j.Append(want[:2]...); err != nil {
		t.Fatal(err)
	}
	if err := j.Append(want[2:]...); err != nil {
		t.Fatal(err)
	}
	if err := j.Close(); err != nil {
		t.Fatal(err)
	}
	whole, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	damaged := bytes.Clone(whole)
	damaged[len(damaged)-3] ^= 1 // the last record's checksum
	unknown := bytes.Clone(whole)
	for name, tc := range map[string]struct {
		data []byte
		want int
	}{
		"whole": {whole, 5}, "damaged": {damaged, 4}, "torn": {unknown[:len(unknown)-1], 4}, "header torn": {whole[:3], 0}, "absent": {nil, 0},
	} {
		if err := os.WriteFile(path, tc.data, 0o600); err != nil {
			t.Fatal(err)
		}
		// Twice: what was cut off stays so.
		for range 2 {
			j, records, err := OpenJournal(path, header, known)
			if err != nil {
				t.Fatal(name, err)
			}
			if len(records) != tc.want || tc.want > 0 && !cmp.Equal(records, want[:tc.want]) {
				t.Errorf("%s: %d records, want %d", name, len(records), tc.want)
			}
			if err := j.Close(); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := os.WriteFile(path, whole, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := OpenJournal(path, []byte("other"), known); err == nil {
		t.Error("opened the journal of another chain")
	}
	if _, records, err := OpenJournal(path, header, func(Record) bool { return false }); err != nil || len(records) != 0 {
		t.Errorf("%d records that nobody can read, %v", len(records), err)
	}
}

func FuzzParseRecords(f *testing.F) {
	f.Add([]byte{'T', 1, 0, 0, 0, 7, 0, 0, 0, 0})
	f.Add([]byte{'B', 0xff, 0xff, 0xff, 0xff})
	f.Fuzz(func(t *testing.T, data []byte) {
		records, used := ParseRecords(data, func(Record) bool { return true })
		size := 0
		for _, r := range records {
			size += len(r.Payload) + recordOverhead
		}
		if used > len(data) || used != size {
			t.Fatalf("%d bytes used of %d for %d", used, len(data), size)
		}
	})
}

func TestDir(t *testing.T) {
	path := filepath.Join(t.TempDir(), "a", "b")
	d, err := OpenDir(path, "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := OpenDir(path, ""); err == nil {
		t.Error("a second process may have it")
	}
	if err := d.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(path); err != nil {
		t.Error("it is gone:", err)
	}
	temp, err := OpenDir("", "kit-test-")
	if err != nil {
		t.Fatal(err)
	}
	if err := temp.Close(); err != nil {
		t.Error(err)
	}
	if _, err := os.Stat(temp.Path); err == nil {
		t.Error("a temporary directory is left behind")
	}
}

func TestListenLoopback(t *testing.T) {
	for addr, ok := range map[string]bool{"": true, "127.0.0.1:0": true, "localhost:0": true, "0.0.0.0:0": false, ":0": false, "192.0.2.1:0": false, "x": false} {
		listener, err := ListenLoopback(addr)
		if (err == nil) != ok {
			t.Errorf("%q: %v", addr, err)
		}
		if err == nil {
			listener.Close()
		}
	}
}

func TestSwitch(t *testing.T) {
	var s Switch
	if s.Fault() != FaultNone {
		t.Error("the zero value is", s.Fault())
	}
	if err := s.SetFault("hungry"); err == nil {
		t.Error("took an unknown fault")
	}
	for _, fault := range Faults() {
		if err := s.SetFault(fault); err != nil || s.Fault() != fault {
			t.Error(fault, s.Fault(), err)
		}
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { s.BreakDown(w) }))
	defer server.Close()
	dropped, refused := 0, 0
	for range 4 {
		response, err := http.Post(server.URL, "", nil)
		switch {
		case err != nil:
			dropped++
		case response.StatusCode == http.StatusServiceUnavailable:
			refused++
		}
		if err == nil {
			response.Body.Close()
		}
	}
	if dropped != 2 || refused != 2 {
		t.Errorf("%d dropped and %d refused of 4", dropped, refused)
	}
}
