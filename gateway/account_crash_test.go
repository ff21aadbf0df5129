package gateway

import (
	"maps"
	"os"
	"path/filepath"
	"slices"
	"testing"
)

// round brings ether in for an account and pays some out, dying once on the way. It
// fails unless everything happened exactly once.
func (d *ethDriver) round(point string, nth int) (died string) {
	d.t.Helper()
	d.died = ""
	payee := d.rich[receiver]
	before, paid := d.peg("alice", "SWAP.ETH"), d.holds(payee)
	d.point, d.nth, d.times = point, nth, map[string]int{}
	d.send(outsider, d.address("alice"), ether("0.5"), nil)
	d.finalEth()
	gained, err := ether(before).Add(ether("0.5"))
	if err != nil {
		d.t.Fatal(err)
	}
	d.credited("alice", "SWAP.ETH", eight(gained))
	id := d.withdraw("alice", "SWAP.ETH", "0.4", payee)
	d.state(id, "settled")
	d.point = ""
	if got, err := d.holds(payee).Sub(paid); err != nil || got != ether("0.39995") {
		d.t.Fatalf("the payee received %s, %v", got.Coin(18), err)
	}
	d.balanced()
	return d.died
}

// TestEthCrashAtEveryPoint ends the node at every failpoint of a deposit, its sweep
// and a withdrawal, where it is passed first, last and in between, and boots it again:
// credited once, paid once.
func TestEthCrashAtEveryPoint(t *testing.T) {
	d := ethBooted(t)
	d.round("", 0)
	often := maps.Clone(d.times)
	seen := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(often)) {
		n := often[name]
		for _, nth := range slices.Compact([]int{1, 1 + n/3, 1 + 2*n/3, n}) {
			seen[d.round(name, nth)]++
		}
	}
	t.Log(seen)
	for _, point := range []string{"C1", "C2", "C4", "C5", "C6", "C7", "C10", "C11", "C12", "C13", "C14", "C15", "C16", "C17"} {
		if seen[point] == 0 {
			t.Errorf("failpoint %s was never passed", point)
		}
	}
	d.node.close()
}

// TestEthRestoredLog boots the node with older states of its log, and with none, while
// everything else is as new as it is: nothing is paid or credited a second time.
func TestEthRestoredLog(t *testing.T) {
	d := ethBooted(t)
	d.round("", 0)
	payee := d.rich[receiver]
	var backups [][]byte
	save := func() {
		text, err := os.ReadFile(filepath.Join(d.dir, LogFile))
		if err != nil {
			t.Fatal(err)
		}
		backups = append(backups, text)
	}
	d.send(outsider, d.address("alice"), ether("0.25"), nil)
	for range 3 {
		d.mineEth(1)
		d.pump()
		save()
	}
	paid := d.holds(payee)
	id := d.withdraw("alice", "SWAP.ETH", "0.2", payee)
	for range 12 {
		d.mineEth(1)
		d.pump()
		save()
	}
	d.state(id, "settled")
	balance := d.peg("alice", "SWAP.ETH")
	d.node.close()
	for i, text := range append(backups, nil) {
		path := filepath.Join(d.dir, LogFile)
		for _, name := range []string{path, path + SnapshotSuffix} {
			if err := os.Remove(name); err != nil && !os.IsNotExist(err) {
				t.Fatal(err)
			}
		}
		if text != nil {
			if err := os.WriteFile(path, text, 0o600); err != nil {
				t.Fatal(err)
			}
		}
		d.boot()
		w := d.state(id, "settled")
		d.finalEth()
		if got, err := d.holds(payee).Sub(paid); err != nil || got != ether("0.19995") {
			t.Fatalf("backup %d: the payee received %s, %v: %+v", i, got.Coin(18), err, w)
		}
		if got := d.peg("alice", "SWAP.ETH"); got != balance {
			t.Fatalf("backup %d: alice holds %s, not %s", i, got, balance)
		}
		d.balanced()
		d.node.close()
	}
}
