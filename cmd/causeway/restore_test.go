package main

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/gateway"
	"causeway/hotwallet"
	"causeway/pegs"
)

// order gives the running process an order of anna's.
func (y *yard) order(path, reason string) error {
	y.t.Helper()
	return giveOrder(y.t.Context(), y.home, path, map[string]any{"chain": "btc", "author": "anna", "reason": reason})
}

// command runs causeway on the home's stopped or running stores and returns what
// it printed.
func (y *yard) command(want int, args ...string) (stdout, stderr string) {
	y.t.Helper()
	code, stdout, stderr := exitOf(y.t, y.env, args...)
	if code != want {
		y.t.Fatalf("causeway %s: exit %d, want %d:\n%s", strings.Join(args, " "), code, want, stderr)
	}
	return stdout, stderr
}

// restore makes another home from a backup and goes on with that.
func (y *yard) restore(file string) (made restored) {
	y.t.Helper()
	dir := filepath.Join(y.t.TempDir(), "restored")
	stdout, _ := y.command(exitOK, "restore", file, "--home", dir, "--json")
	must(y.t, json.Unmarshal([]byte(stdout), &made))
	y.home = dir
	return made
}

// signedRaw is the newest signed transaction in the ledger of a stopped home.
func signedRaw(t *testing.T, home, baseChainID string) (raw string) {
	t.Helper()
	l, err := gateway.OpenLedger(filepath.Join(home, gatewayFile), baseChainID)
	must(t, err)
	must(t, l.View(func(s *pegs.State) {
		for _, b := range s.Batches() {
			for _, v := range b.Variants {
				raw = hex.EncodeToString(v.Raw)
			}
		}
	}))
	must(t, l.Close())
	return raw
}

// TestRestoreBackup: a payout was made after the backup and no node knows it. The
// restored home does not know it either, and must not pay again while it can
// still appear.
func TestRestoreBackup(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.start()
	y.treasury("2", "2")
	y.burn("0.1")
	y.settled("bob")
	must(t, y.order("halt", "backup"))
	id := y.burn("0.2")
	payee := y.withdrawal(id).Address
	file := filepath.Join(t.TempDir(), "home.backup")
	stdout, _ := y.command(exitOK, "backup", file, "--home", y.home, "--json")
	var m backupManifest
	must(t, json.Unmarshal([]byte(stdout), &m))
	if m.Stores.BaseBlock < m.Stores.Acted || m.Stores.Records == 0 || len(m.Files) != 7 {
		t.Errorf("%+v", m)
	}
	if _, stderr := y.command(exitRefused, "backup", file, "--home", y.home); !strings.Contains(stderr, "there already") {
		t.Error(stderr)
	}
	y.cable.set("sendrawtransaction", cutBefore) // nobody will ever know but the old home
	must(t, y.order("resume", "done"))
	y.await("the signature", func() bool { return y.withdrawal(id).State == "signed" })
	baseChainID := y.running.BaseChainID
	y.kill()
	lost := signedRaw(t, y.home, baseChainID)
	y.cable.set("sendrawtransaction", "")

	made := y.restore(file)
	if made.Halted != 1 || *made.Stores != m.Stores {
		t.Errorf("%+v", made)
	}
	y.start()
	y.await("the tip", func() bool {
		s := y.status()
		return s.Height == y.height() && strings.Contains(s.Reason, "not before block")
	})
	for _, early := range []uint64{0, 1} {
		y.mine(int(early))
		y.await("the tip", func() bool { return y.status().Height == y.height() })
		if err := y.order("resume", "I looked"); err == nil || !strings.Contains(err.Error(), "payouts of btc stand until block") {
			t.Errorf("resumed: %v", err)
		}
	}
	if w := y.withdrawal(id); w.State != "queued" || len(y.mempool()) > 0 {
		t.Errorf("the withdrawal is %s, the mempool holds %v", w.State, y.mempool())
	}
	// The restart does not forget it, nor begin to count again.
	before := y.status().Reason
	y.restart()
	y.await("the tip", func() bool { return y.status().Height == y.height() })
	if after := y.status(); after.Payouts != "halted" || !strings.Contains(after.Reason, "restored from a backup") || after.Reason != before {
		t.Errorf("after a restart: %+v, before: %s", after, before)
	}
	// The old payout appears after all.
	y.call(nil, "sendrawtransaction", lost)
	y.mine(150)
	y.await("the tip", func() bool { return y.status().Height == y.height() })
	y.await("the alarm", func() bool { return strings.Contains(y.status().Reason, "none of ours") })
	_ = y.order("resume", "a day is over")
	y.mine(2)
	y.await("the tip", func() bool { return y.status().Height == y.height() })
	if paid := y.paidTo()[payee]; len(paid) != 1 || len(y.mempool()) > 0 {
		t.Errorf("paid %+v, the mempool holds %v", paid, y.mempool())
	}
}

// TestRestoreStopped: the backup of a stopped home, whose last payout really was
// the last thing that happened. After a day of blocks and a person's word it goes
// on.
func TestRestoreStopped(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.start()
	y.treasury("2", "2")
	must(t, y.order("halt", "backup"))
	id := y.burn("0.2")
	if code := y.stop(); code != exitOK {
		t.Errorf("exit %d", code)
	}
	file := filepath.Join(t.TempDir(), "home.backup")
	y.command(exitOK, "backup", file, "--home", y.home)
	text, err := os.ReadFile(file)
	must(t, err)
	if strings.Contains(string(text), "causeway-gateway") || strings.Contains(string(text), "mnemonic") {
		t.Error("it is not encrypted")
	}
	// What is damaged, or opened with another passphrase, leaves no home.
	none := filepath.Join(t.TempDir(), "none")
	for name, damage := range map[string]func([]byte) []byte{
		"cut":     func(b []byte) []byte { return b[:len(b)-100] },
		"altered": func(b []byte) []byte { b[len(b)/2] ^= 1; return b },
		"longer":  func(b []byte) []byte { return append(b, 0) },
	} {
		bad := filepath.Join(t.TempDir(), name)
		must(t, os.WriteFile(bad, damage(append([]byte(nil), text...)), 0o600))
		y.command(exitError, "restore", bad, "--home", none)
	}
	if code, _, stderr := exitOf(t, []string{"CAUSEWAY_PASSPHRASE=wrong"}, "restore", file, "--home", none); code != exitError || !strings.Contains(stderr, "passphrase") {
		t.Errorf("another passphrase: exit %d, %s", code, stderr)
	}
	if _, err := os.Stat(none); !os.IsNotExist(err) {
		t.Errorf("a home was left: %v", err)
	}
	if _, stderr := y.command(exitRefused, "restore", file, "--home", y.home); !strings.Contains(stderr, "not empty") {
		t.Error(stderr)
	}
	y.restore(file)
	y.start()
	y.await("the block from which on it may resume", func() bool { return strings.Contains(y.status().Reason, "not before block") })
	y.mine(150)
	y.await("the tip", func() bool { return y.status().Height == y.height() })
	if w := y.withdrawal(id); w.State != "queued" {
		t.Errorf("the withdrawal is %s", w.State)
	}
	must(t, y.order("resume", "nothing was paid since"))
	y.settled("bob")
}

// TestRestoreFromChains: gateway.db and sidechain.db are gone. Seed, base layer
// and chain give every output, every paid and every unpaid burn, and exactly the
// unpaid ones are paid.
func TestRestoreFromChains(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.start()
	y.treasury("2", "2", "2", "2")
	y.pay(y.depositAddress("alice"), "0.5")
	for range 3 {
		y.burn("0.1")
	}
	y.settled("alice", "bob")
	y.cable.set("sendrawtransaction", cutBefore)
	signed := y.burn("0.2") // bound to inputs, signed, and no node has it
	y.await("the signature", func() bool { return y.withdrawal(signed).State == "signed" })
	must(t, y.order("halt", "for the test"))
	y.burn("0.3") // bound to nothing
	y.burn("0.4")
	y.kill()
	y.cable.set("sendrawtransaction", "")
	must(t, os.Remove(filepath.Join(y.home, gatewayFile)))

	// The nodes have no blocks to give: it says so, and does not wait for ever.
	y.cable.set("getblock", cutBefore)
	if _, stderr := y.command(exitError, "restore", "--from-chains", "--home", y.home, "--wait", "2s"); !strings.Contains(stderr, "waits: btc: ") || !strings.Contains(stderr, "nothing was read for 2s") {
		t.Error(stderr)
	}
	y.cable.set("getblock", "")
	stdout, _ := y.command(exitOK, "restore", "--from-chains", "--home", y.home, "--json")
	var made restored
	must(t, json.Unmarshal([]byte(stdout), &made))
	if len(made.Chains) != 1 || made.Audit == nil || !made.Audit.OK {
		t.Fatalf("%s", stdout)
	}
	c := made.Chains[0]
	if c.Paid != 3 || c.Assigned != 1 || c.Unpaid != 2 || c.Credited != 5 || c.Waiting != 0 || c.Height != y.height() || coins(t, c.Amount).IsZero() {
		t.Errorf("%+v", c)
	}
	if _, err := os.Stat(filepath.Join(made.Aside, stateFile)); err != nil || len(y.mempool()) > 0 {
		t.Errorf("%v, the mempool holds %v", err, y.mempool())
	}
	y.start()
	if credits, payouts := y.settled("alice", "bob"); credits != 5 || payouts != 6 {
		t.Errorf("%d credits, %d payouts", credits, payouts)
	}
}

// TestAdoptSigner: signer.db alone is lost. Without an order nothing runs; with
// one the signer signs on, and what was signed before is not paid twice.
func TestAdoptSigner(t *testing.T) {
	t.Parallel()
	y := newYard(t)
	y.start()
	y.treasury("2", "2")
	y.burn("0.1")
	y.settled("bob")
	y.cable.set("sendrawtransaction", cutBehind) // the node has it, its answer is lost
	id := y.burn("0.2")
	y.await("the payout", func() bool { return len(y.mempool()) == 1 && y.withdrawal(id).State == "signed" })
	y.kill()
	y.cable.set("sendrawtransaction", "")
	must(t, os.Remove(filepath.Join(y.home, signerFile)))
	if code, stderr := y.refused(); code != exitRefused || !strings.Contains(stderr, "signer.db is older than base.db") {
		t.Errorf("exit %d: %s", code, stderr)
	}
	must(t, os.Remove(filepath.Join(y.home, signerFile)))
	if _, stderr := y.command(exitRefused, "restore", "--from-chains", "--home", y.home); !strings.Contains(stderr, "--adopt-signer") {
		t.Error(stderr)
	}
	y.command(exitUsage, "restore", "--adopt-signer", "--home", y.home)
	stdout, _ := y.command(exitOK, "restore", "--adopt-signer", "--reason", "disk died", "--home", y.home, "--json")
	var made restored
	must(t, json.Unmarshal([]byte(stdout), &made))
	if made.Adopted == 0 || made.Aside != "" {
		t.Errorf("%+v", made)
	}
	text, err := os.ReadFile(filepath.Join(y.home, gatewayFile))
	must(t, err)
	if !bytes.Contains(text, []byte(`signer-adopted{`)) || !bytes.Contains(text, []byte(`"disk died"`)) {
		t.Error("the ledger does not say that it was adopted, and why")
	}
	y.start()
	y.burn("0.1")
	y.settled("bob")
}

func TestRestoreUsage(t *testing.T) {
	for _, args := range [][]string{
		{"restore"}, {"restore", "--home", "x"}, {"restore", "a", "b", "--home", "x"}, {"restore", "a", "--from-chains", "--home", "x"},
		{"restore", "a"}, {"backup", "--home", "x"}, {"backup", "a"},
	} {
		code, _, stderr := exitOf(t, nil, args...)
		if code != exitUsage {
			t.Errorf("%v: exit %d: %s", args, code, stderr)
		}
	}
	dir := t.TempDir()
	must(t, os.WriteFile(filepath.Join(dir, "x.backup"), []byte("nothing"), 0o600))
	code, _, stderr := exitOf(t, nil, "restore", filepath.Join(dir, "x.backup"), "--home", filepath.Join(dir, "h"))
	if code != exitError || !strings.Contains(stderr, errBackup.Error()) {
		t.Errorf("exit %d: %s", code, stderr)
	}
}

// What a backup's archive may not be.
func TestForgedBackups(t *testing.T) {
	secret := hotwallet.NewSecret("x")
	from := home{t.TempDir()}
	var parts []backupPart
	for _, name := range append([]string{"evil"}, backupMust...) {
		must(t, os.WriteFile(from.path(name), []byte(name), 0o600))
	}
	parts, err := sumFiles(from, backupMust)
	must(t, err)
	for name, change := range map[string]func(*backupManifest){
		"none": func(*backupManifest) {}, "format": func(m *backupManifest) { m.Format = "causeway-backup/2" },
		"a file less":   func(m *backupManifest) { m.Files = m.Files[1:] },
		"another place": func(m *backupManifest) { m.Files = append(m.Files, backupPart{Name: "evil", Size: 4}) },
		"another sum":   func(m *backupManifest) { m.Files[0].SHA256 = strings.Repeat("0", 64) },
	} {
		m := backupManifest{Format: backupFormat, Files: append([]backupPart(nil), parts...)}
		change(&m)
		path := filepath.Join(t.TempDir(), "b")
		file, err := os.Create(path)
		must(t, err)
		must(t, writeBackup(file, m, from, secret, 1))
		_, err = file.Seek(0, 0)
		must(t, err)
		_, err = readBackup(file, home{t.TempDir()}, secret)
		if (err == nil) != (name == "none") {
			t.Errorf("%s: %v", name, err)
		}
		must(t, file.Close())
	}
}
