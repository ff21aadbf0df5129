package gateway

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/pegs"
)

// The fixtures are logs of history() as formats of the past wrote them. They are
// never written anew: a log of today must open with every program to come. When a
// format changes, the log of the old one stays and the new one is added
// (CAUSEWAY_WRITE_FIXTURES=1 writes those that are missing).
var fixtures = map[string]bool{ // file -> of today's format
	"gateway-1.db": false, "gateway-2.db": true,
}

func fixture(t *testing.T, name string) (path string) {
	t.Helper()
	kept := filepath.Join("testdata", name)
	if _, err := os.Stat(kept); os.IsNotExist(err) && os.Getenv("CAUSEWAY_WRITE_FIXTURES") != "" {
		l := writeHistory(t, kept)
		l.seals.due = 0
		l.seal()
		must(t, l.close())
		must(t, os.Remove(kept+SnapshotSuffix))
	}
	text, err := os.ReadFile(kept)
	must(t, err)
	path = filepath.Join(t.TempDir(), LogFile)
	must(t, os.WriteFile(path, text, 0o600))
	return path
}

// TestFixtures: the logs of every format open, hold what they were written with,
// and can be written on.
func TestFixtures(t *testing.T) {
	wanted := writeHistory(t, filepath.Join(t.TempDir(), LogFile))
	want, records := hashOf(t, wanted)
	must(t, wanted.close())
	for name, today := range fixtures {
		path := fixture(t, name)
		before, err := os.ReadFile(path)
		must(t, err)
		if l, err := readLedger(path, fixtureNetwork); today != (err == nil) {
			t.Errorf("%s: read: %v", name, err)
		} else if err == nil {
			l.close()
		}
		l, err := openLedger(path, fixtureNetwork, fixtureTime(), quiet)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		must(t, l.View(func(s *pegs.State) {
			seal := s.Seq - records // of today's: the last record
			s.Seq = records
			if got := s.Hash(); got != want || seal > 1 {
				t.Errorf("%s: %d records make another state than the events do today.\n"+
					"If Apply was changed with intent, raise pegs.foldVersion; if events were, old logs must still mean what they meant.", name, records)
			}
			s.Seq += seal
			d, _ := s.Deposit("btc:t1:0")
			w, _ := s.Withdrawal("w1")
			c, _ := s.Chain(chains.BTC)
			if d.State() != pegs.DepositCredited || s.WithdrawalState(w) != pegs.WithdrawalSettled || s.Base.Number != 22 || s.SignerCounter() != 4 || !c.HaltedBy("audit") {
				t.Errorf("%s: deposit %s, withdrawal %s, base %+v", name, d.State(), s.WithdrawalState(w), s.Base)
			}
		}))
		must(t, l.Append(t.Context(), &pegs.Configured{Chain: chains.LTC}))
		if _, err := l.Verify(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		must(t, l.close())
		after, err := os.ReadFile(path)
		must(t, err)
		if today && !bytes.HasPrefix(after, before) {
			t.Errorf("%s: what was written was changed", name)
		}
		if old, err := os.ReadFile(path + ".format-1"); !today && (err != nil || !bytes.Equal(old, before)) {
			t.Errorf("%s: the old file is not kept: %v", name, err)
		}
		reopened := openFixture(t, path)
		must(t, reopened.close())
	}
}

func openFixture(t *testing.T, path string) *Ledger {
	t.Helper()
	l, err := readLedger(path, fixtureNetwork)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

// A log of format 1 that is damaged, or somebody else's, is refused and left.
func TestMigrationRefuses(t *testing.T) {
	path := fixture(t, "gateway-1.db")
	whole, err := os.ReadFile(path)
	must(t, err)
	altered := bytes.Replace(whole, []byte(`"kind":"minting"`), []byte(`"kind":"Minting"`), -1)
	for name, c := range map[string]struct {
		text    []byte
		network string
		says    string
	}{
		"altered": {altered, fixtureNetwork, "checksum"}, "cut": {whole[:20000], fixtureNetwork, "damaged"},
		"another network": {whole, "other", "it is of network fixture"},
	} {
		must(t, os.WriteFile(path, c.text, 0o600))
		_, err := openLog(path, c.network, false)
		if err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("%s: %v", name, err)
		}
		if text, err := os.ReadFile(path); err != nil || !bytes.Equal(text, c.text) {
			t.Errorf("%s: it was changed", name)
		}
	}
}
