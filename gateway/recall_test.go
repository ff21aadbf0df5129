package gateway

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"causeway/chains/chaintest"
	"causeway/pegs"
)

// backup is the ledger as it is, and restore puts it back: the signer, the
// sidechain and the nodes know more than it does then.
func (d *simDriver) backup() (restore func()) {
	d.t.Helper()
	path := filepath.Join(d.dir, LogFile)
	text, err := os.ReadFile(path)
	if err != nil {
		d.t.Fatal(err)
	}
	return func() {
		d.t.Helper()
		d.node.close()
		if err := os.WriteFile(path, text, 0o600); err != nil {
			d.t.Fatal(err)
		}
	}
}

// forgotten is a ledger from a backup, not opened yet, that knows the first of two
// variants of a payout. The second was mined, its change paid another withdrawal,
// and both have left the chain and the mempools.
func forgotten(t *testing.T) (d *simDriver, parent, child Withdrawal) {
	d = simBooted(t)
	d.fund(2_000_000)
	parent = d.broadcastOf("0.01", d.payee())
	restore := d.backup()
	d.node0.rate = 10_000
	d.stuck(1)
	d.until("bumped", func() bool { return len(d.withdrawal(parent.ID).Variants) == 2 })
	newest := d.withdrawal(parent.ID).Variants[1]
	d.until("sent", func() bool { return d.sim.Node(0).Pool()[0].ID.String() == newest })
	d.mine(1)
	d.until("mined", func() bool { return d.withdrawal(parent.ID).TxID == newest && d.followed() })
	parent = d.withdrawal(parent.ID)
	child = d.broadcastOf("0.005", d.payee())
	restore()
	d.node0.rate = 2000
	if _, err := d.sim.Reorg(chaintest.Rewrite{Depth: 1, Drop: func(*chaintest.Tx) bool { return true }, Forget: true}); err != nil {
		t.Fatal(err)
	}
	if n := len(d.sim.Node(0).Pool()); n != 0 {
		t.Fatalf("%d transactions wait", n)
	}
	return d, parent, child
}

// What the signer remembers is taken up before anything is sent: were the first
// variant sent again, the other payout could never be mined.
func TestForgottenVariantWithAChild(t *testing.T) {
	d, parent, child := forgotten(t)
	d.boot()
	// Services run at once: here the one that sends is the quicker one.
	slices.SortStableFunc(d.loops, func(a, b loop) int {
		rank := func(l loop) int { return len(l.name) - len(strings.TrimPrefix(l.name, "payouts ")) }
		return rank(a) - rank(b)
	})
	d.node0.before = func(raw []byte) {
		if txid, _, _, err := d.coin().DecodeTransaction(raw); err != nil || txid == parent.Variants[0] {
			t.Errorf("the first variant was sent: %v", err)
		}
	}
	d.until("both sent", func() bool { return len(d.sim.Node(0).Pool()) == 2 })
	d.mine(1)
	d.settles(parent.ID)
	d.settles(child.ID)
	if p, c := d.withdrawal(parent.ID), d.withdrawal(child.ID); p.TxID != parent.TxID || c.TxID != child.TxID {
		t.Errorf("paid by %s and %s", p.TxID, c.TxID)
	}
	if a, b := d.paid(parent.Address), d.paid(child.Address); a != "0.00995000" || b != "0.00495000" {
		t.Errorf("paid %s and %s", a, b)
	}
	d.balanced()
}

// A block holds the first variant after all. What spends the change of the one
// that the ledger has forgotten is dead: it does not stay signed for ever.
func TestForgottenVariantLost(t *testing.T) {
	d, parent, child := forgotten(t)
	d.mineWith(parent.Variants[0])
	d.boot()
	d.settles(parent.ID)
	for range 4 {
		d.mineWith()
		for range 3 {
			d.pump()
		}
	}
	d.until("given back", func() bool { return d.withdrawal(child.ID).State == "returned" })
	if a, b := d.paid(parent.Address), d.paid(child.Address); a != "0.00995000" || b != "0.00000000" {
		t.Errorf("paid %s and %s", a, b)
	}
	d.balanced()
}

// A ledger from a backup does not know of the variant that waits in the mempools
// in place of the one it knows: the change of that one pays nobody.
func TestForgottenVariantInTheMempool(t *testing.T) {
	d := simBooted(t)
	d.fund(2_000_000)
	first, second := d.payee(), d.payee()
	parent := d.broadcastOf("0.01", first).ID
	restore := d.backup()
	d.node0.rate = 10_000
	d.stuck(1)
	d.until("bumped", func() bool { return len(d.withdrawal(parent).Variants) == 2 })
	newest := d.withdrawal(parent).Variants[1]
	d.until("sent", func() bool { return d.sim.Node(0).Pool()[0].ID.String() == newest })
	restore()
	d.node0.rate = 2000
	d.boot()
	id := d.withdraw("alice", "0.005", second)
	for range 8 {
		d.pump()
	}
	if w := d.withdrawal(id); w.State != "queued" || len(d.batches(pegs.BatchPayout)) != 1 {
		t.Errorf("the next one is %s: %s", w.State, w.Detail)
	}
	d.mine(1)
	d.settles(parent)
	d.until("the next one is sent", func() bool { return d.withdrawal(id).State == "broadcast" })
	d.mine(1)
	d.settles(id)
	if p := d.withdrawal(parent); p.TxID != newest || d.paid(first) != "0.00995000" || d.paid(second) != "0.00495000" {
		t.Errorf("paid %s and %s, by %s", d.paid(first), d.paid(second), p.TxID)
	}
	d.balanced()
}
