package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// The stores of a home.
var storeFiles = []string{baseFile, stateFile, gatewayFile, signerFile, scannerFile}

// snapshot copies the stores of the home, whose process must be dead.
func (y *yard) snapshot() (dir string) {
	y.t.Helper()
	dir = y.t.TempDir()
	copyFiles(y.t, y.home, dir, storeFiles...)
	return dir
}

// copyFiles copies files from one directory to another; one that is not there
// is removed there too.
func copyFiles(t *testing.T, from, to string, names ...string) {
	t.Helper()
	for _, name := range names {
		data, err := os.ReadFile(filepath.Join(from, name))
		if os.IsNotExist(err) {
			_ = os.Remove(filepath.Join(to, name))
			continue
		}
		must(t, err)
		must(t, os.WriteFile(filepath.Join(to, name), data, 0o600))
	}
}

// past is a home with a history: copies of its stores from several moments, the
// process dead at the end.
type past struct {
	*yard
	early string            // before the first withdrawal
	at    map[string]string // in a state of a withdrawal
	now   string
}

func newPast(t *testing.T) *past {
	y := newYard(t)
	y.start()
	y.treasury("2", "2", "2", "2")
	p := &past{yard: y, at: map[string]string{}}
	y.kill()
	p.early = y.snapshot()
	y.start()
	y.pay(y.depositAddress("alice"), "1")
	y.mine(creditDepth)
	for _, state := range []string{"queued", "planned", "signed", "broadcast"} {
		y.hold(state)
		id := y.burn("0.1")
		y.catch(state, func() string { return y.withdrawal(id).State }, "confirmed")
		y.kill()
		p.at[state] = y.snapshot()
		y.hold("")
		y.start()
	}
	y.settled("alice", "bob")
	if code := y.stop(); code != exitOK { // with a checkpoint of the newest state
		t.Errorf("exit %d after SIGTERM", code)
	}
	p.now = y.snapshot()
	return p
}

// TestOlderStoresAreRefused: what cannot be made good again from the other
// stores is refused with exit code 3, and nothing is changed by the attempt.
func TestOlderStoresAreRefused(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	none := t.TempDir()
	const older = "base layer is older than what was paid on it"
	for _, row := range []struct {
		name  string
		files []string
		from  string
		text  string
	}{
		{"base", []string{baseFile}, p.early, older},
		{"base, broadcast", []string{baseFile}, p.at["broadcast"], older},
		{"base gone", []string{baseFile}, none, older},
		{"base and sidechain", []string{baseFile, stateFile}, p.early, older},
		{"base and sidechain gone", []string{baseFile, stateFile}, none, older},
		{"base, sidechain and signer", []string{baseFile, stateFile, signerFile}, p.early, older},
		{"base, sidechain and signer gone", []string{baseFile, stateFile, signerFile}, none, older},
		{"base, sidechain and gateway", []string{baseFile, stateFile, gatewayFile}, p.early, "base.db is older than signer.db"},
		{"base, sidechain and gateway gone", []string{baseFile, stateFile, gatewayFile}, none, "base.db is older than signer.db"},
		{"base, gateway and signer", []string{baseFile, gatewayFile, signerFile}, p.early, "ahead of base.db"},
		{"signer", []string{signerFile}, p.early, "signer.db is older than base.db"},
		{"signer, broadcast", []string{signerFile}, p.at["broadcast"], "signer.db is older than base.db"},
		{"signer gone", []string{signerFile}, none, "signer.db is older than base.db"},
		{"signer and gateway", []string{signerFile, gatewayFile}, p.early, "signer.db is older than base.db"},
		{"signer and gateway gone", []string{signerFile, gatewayFile}, none, "signer.db is older than base.db"},
	} {
		t.Run(row.name, func(t *testing.T) {
			copyFiles(t, p.now, p.home, storeFiles...)
			copyFiles(t, row.from, p.home, row.files...)
			height := p.height()
			code, stderr := p.refused()
			if code != exitRefused || !strings.Contains(stderr, row.text) {
				t.Errorf("exit %d, want %d and %q:\n%s", code, exitRefused, row.text, stderr)
			}
			if list := p.mempool(); len(list) > 0 || p.height() != height {
				t.Errorf("the refused process sent %v", list)
			}
		})
	}
	// Nothing of it did harm to the stores that were not replaced.
	copyFiles(t, p.now, p.home, storeFiles...)
	p.start()
	p.burn("0.1")
	p.settled("alice", "bob")
}

// mempool lists what waits for a block.
func (y *yard) mempool() (list []string) {
	y.t.Helper()
	y.call(&list, "getrawmempool")
	return list
}

// longTests says whether tests take their long form (CAUSEWAY_LONG=1).
func longTests() bool { return os.Getenv("CAUSEWAY_LONG") != "" }

// TestOlderStoresAreSafe: what can be derived again is, and a ledger that has
// forgotten mints and payouts makes none of them again.
func TestOlderStoresAreSafe(t *testing.T) {
	t.Parallel()
	p := newPast(t)
	none := t.TempDir()
	for _, row := range []struct {
		name  string
		files []string
		from  string
		long  bool
	}{
		{"sidechain", []string{stateFile}, p.early, false},
		{"sidechain gone", []string{stateFile}, none, true},
		{"gateway", []string{gatewayFile}, p.early, false},
		{"gateway, queued", []string{gatewayFile}, p.at["queued"], true},
		{"gateway, planned", []string{gatewayFile}, p.at["planned"], true},
		{"gateway, signed", []string{gatewayFile}, p.at["signed"], true},
		{"gateway, broadcast", []string{gatewayFile}, p.at["broadcast"], true},
		{"gateway gone", []string{gatewayFile}, none, true},
		{"gateway and sidechain", []string{gatewayFile, stateFile}, p.early, true},
		{"gateway, sidechain and scanner gone", []string{gatewayFile, stateFile, scannerFile}, none, false},
		{"scanner", []string{scannerFile}, p.early, true},
	} {
		if row.long && !longTests() {
			continue
		}
		copyFiles(t, row.from, p.home, row.files...)
		p.start()
		p.burn("0.02")
		credits, payouts := p.settled("alice", "bob")
		p.kill()
		if t.Failed() {
			t.Fatalf("%s: %d credits, %d payouts", row.name, credits, payouts)
		}
	}
}

// TestWholeHomeOlder: all stores come from one backup, so that they agree, and
// it holds a withdrawal that was paid since, with coins that came since. The
// chain alone knows, or only the mempool. Both must be read before anything is
// paid.
func TestWholeHomeOlder(t *testing.T) {
	t.Parallel()
	for _, mined := range []bool{true, false} {
		y := newYard(t)
		y.start()
		y.treasury("2", "2")
		y.hold("queued")
		id := y.burn("0.1")
		y.await("the withdrawal", func() bool { return y.withdrawal(id).State == "queued" })
		payee := y.withdrawal(id).Address
		y.kill()
		backup := y.snapshot()
		y.start()
		y.pay(y.depositAddress("alice"), "0.15") // the payout will prefer it
		y.mine(inputDepth + 1)
		y.hold("")
		y.await("the payout", func() bool { return y.withdrawal(id).State == "broadcast" })
		if mined {
			y.settled("alice", "bob")
		}
		y.kill()

		copyFiles(t, backup, y.home, storeFiles...)
		y.cable.set("getblock", cutSilent) // a long way to the tip
		y.start()
		time.Sleep(2 * time.Second)
		if mined {
			y.cable.set("getblock", "")
		} else {
			time.Sleep(3 * time.Second)
			if list := y.mempool(); len(list) != 1 {
				t.Errorf("the mempool holds %v", list)
			}
			y.cable.set("getblock", "")
			time.Sleep(3 * time.Second)
			if w := y.withdrawal(id); len(y.mempool()) != 1 || w.State != "queued" || !strings.Contains(w.Detail, "none of ours") {
				t.Errorf("the mempool holds %v, the withdrawal is %s: %s", y.mempool(), w.State, w.Detail)
			}
			y.mine(1)
		}
		y.await("the halt", func() bool { return y.status().Payouts == "halted" })
		y.awaitAudit(false)
		y.mine(2)
		time.Sleep(time.Second)
		if got := y.paidTo()[payee]; len(got) != 1 || len(y.mempool()) > 0 {
			t.Errorf("mined %t: %s was paid by %+v, the mempool holds %v", mined, payee, got, y.mempool())
		}
		y.kill()
	}
}
