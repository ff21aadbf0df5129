package gateway

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"causeway/chains"
)

// crashed is what a failpoint throws to end the process as a kill would.
type crashed struct{ point string }

// driver runs a node step by step in one goroutine, so that it can be ended at
// any point of its doing.
type driver struct {
	*world
	loops []loop
	count sync.Mutex // some tests have two goroutines pass failpoints
	calls int        // failpoints passed since the node was opened
	crash int        // the failpoint to die at, 0: none
	died  string
	point string         // the failpoint to die at
	nth   int            // when it is passed so often
	times map[string]int // how often each was, since the node was opened
}

func newDriver(t *testing.T) *driver { return &driver{world: newWorld(t)} }

// hook counts the failpoints.
func (d *driver) hook(name string) {
	d.count.Lock()
	d.calls++
	d.times[name]++
	dies := d.calls == d.crash || name == d.point && d.times[name] == d.nth
	d.count.Unlock()
	if dies {
		panic(crashed{name})
	}
}

// boot opens the node from what is on the disk.
func (d *driver) boot() {
	d.t.Helper()
	d.calls, d.times = 0, map[string]int{}
	n, err := d.open()
	if err != nil {
		d.t.Fatal(err)
	}
	n.gateway.cfg.Failpoint = d.hook
	n.gateway.ledger.hook = d.hook
	n.gateway.rows.hook = d.hook
	n.gateway.cfg.RetryAfter = time.Microsecond
	d.node, d.loops = n, nil
	for _, l := range n.gateway.loops() {
		if l.name != "audit" && l.name != "state votes" {
			d.loops = append(d.loops, l)
		}
	}
}

// pump gives every service one step and makes a base block; false when the node
// died on the way.
func (d *driver) pump() (alive bool) {
	d.t.Helper()
	defer func() {
		if r := recover(); r != nil {
			c, ok := r.(crashed)
			if !ok {
				panic(r)
			}
			d.died, alive = c.point, false
			d.node.close()
		}
	}()
	ctx := context.Background()
	d.clock.tick()
	if _, err := d.node.sequencer.Produce(ctx); err != nil {
		d.t.Fatal(err)
	}
	for _, l := range d.loops {
		if err := l.step(ctx); err != nil && !errors.Is(err, chains.ErrUnavailable) {
			d.t.Fatalf("%s: %v", l.name, err)
		}
	}
	return true
}

// until pumps, booting again after a death, until the answer is yes.
func (d *driver) until(what string, ask func() bool) {
	d.t.Helper()
	for range 200 {
		if d.node != nil && ask() {
			return
		}
		if !d.pump() {
			d.crash, d.point = 0, ""
			d.boot()
		}
	}
	d.t.Fatalf("in vain: %s\n%s", what, d.describe())
}

// received sums what an address of the node's wallet got.
func (d *driver) received(address string) chains.Amount {
	d.t.Helper()
	var sum chains.Amount
	var height int
	d.call(&height, "getblockcount")
	for h := max(height-30, 0); h <= height; h++ {
		var hash string
		var block scanBlock
		d.call(&hash, "getblockhash", h)
		d.call(&block, "getblock", hash, 2)
		if err := decodeTxs(&block); err != nil {
			d.t.Fatal(err)
		}
		script, err := d.coin().Script(address)
		if err != nil {
			d.t.Fatal(err)
		}
		for _, tx := range block.RawTx {
			for _, out := range tx.Vout {
				if out.ScriptPubKey.Hex != fmt.Sprintf("%x", script) {
					continue
				}
				amount, err := chains.FromCoin(string(out.Value), 8)
				if err != nil {
					d.t.Fatal(err)
				}
				if sum, err = sum.Add(amount); err != nil {
					d.t.Fatal(err)
				}
			}
		}
	}
	return sum
}

// round brings 0.01 in for an account and pays 0.005 out to a fresh address,
// dying once on the way. It fails unless everything happened exactly once.
func (d *driver) round(crash int) (died string) {
	d.t.Helper()
	d.died = ""
	before := d.balance("alice")
	txid := d.pay(d.depositAddress("alice"), "0.01")
	d.mine(1)
	d.calls, d.crash = 0, crash
	d.until("deposit in a block", func() bool { return d.find(txid).Confirmations == 1 })
	d.mine(1)
	d.until("credited", func() bool { return d.find(txid).State == "credited" })
	var payee string
	d.call(&payee, "getnewaddress")
	d.mine(1)
	id := d.act("alice", "pegs", "withdraw", `{"symbol":"SWAP.BTC","quantity":"0.005","address":"`+payee+`"}`)
	d.until("broadcast", func() bool { return d.withdrawal(id).State == "broadcast" })
	d.mine(2)
	d.until("settled", func() bool { return d.withdrawal(id).State == "settled" })
	d.crash = 0
	if got := d.received(payee); got.Coin(8) != "0.00495000" {
		d.t.Fatalf("the payee received %s", got.Coin(8))
	}
	if gained := minus(d.t, d.balance("alice"), before); gained != "0.00500000" {
		d.t.Fatalf("alice gained %s", gained)
	}
	d.balanced()
	return d.died
}

func minus(t *testing.T, a, b string) string {
	x, err := chains.FromCoin(a, 8)
	if err != nil {
		t.Fatal(err)
	}
	y, err := chains.FromCoin(b, 8)
	if err != nil {
		t.Fatal(err)
	}
	z, err := x.Sub(y)
	if err != nil {
		t.Fatal(err)
	}
	return z.Coin(8)
}

func (d *driver) find(txid string) Deposit {
	for _, list := range d.deposits("alice") {
		for _, deposit := range list {
			if deposit.TxID == txid {
				return deposit
			}
		}
	}
	return Deposit{}
}

// TestCrashAtEveryPoint ends the node at every failpoint of a deposit and a
// withdrawal, one after the other, and boots it again: credited once, paid once.
func TestCrashAtEveryPoint(t *testing.T) {
	d := newDriver(t)
	d.boot()
	d.pump()
	seen := map[string]int{}
	for crash := 1; ; crash++ {
		died := d.round(crash)
		if died == "" {
			t.Logf("%d points: %v", crash-1, seen)
			break
		}
		seen[died]++
	}
	for _, point := range []string{"C1", "C2", "C4", "C5", "C6", "C7", "C10", "C11", "C12", "C13", "C14", "C15", "C16", "C17"} {
		if seen[point] == 0 {
			t.Errorf("failpoint %s was never passed", point)
		}
	}
	d.node.close()
}

// TestRestoredLog boots the node with every older state of its log, as from a
// backup, while everything else is as new as it is: nothing is paid or credited
// a second time, and the books balance.
func TestRestoredLog(t *testing.T) {
	d := newDriver(t)
	d.boot()
	d.pump()
	backups := [][]byte{}
	d.round(0)
	save := func() {
		text, err := os.ReadFile(filepath.Join(d.dir, LogFile))
		if err != nil {
			t.Fatal(err)
		}
		backups = append(backups, text)
	}
	txid := d.pay(d.depositAddress("alice"), "0.01")
	d.mine(1)
	for range 2 {
		d.pump()
		save()
	}
	d.mine(1)
	for range 3 {
		d.pump()
		save()
	}
	var payee string
	d.call(&payee, "getnewaddress")
	id := d.act("alice", "pegs", "withdraw", `{"symbol":"SWAP.BTC","quantity":"0.005","address":"`+payee+`"}`)
	for range 8 {
		d.pump()
		save()
	}
	d.mine(2)
	for range 6 {
		d.pump()
		save()
	}
	balance := d.balance("alice")
	d.node.close()
	os.Remove(filepath.Join(d.dir, LogFile))
	backups = append(backups, nil)
	for i, text := range backups {
		path := filepath.Join(d.dir, LogFile)
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		if text == nil {
			os.Remove(path)
		}
		d.boot()
		d.until(fmt.Sprintf("backup %d: settled", i), func() bool {
			return d.withdrawal(id).State == "settled" && d.find(txid).State == "credited"
		})
		if got := d.received(payee); got.Coin(8) != "0.00495000" {
			t.Fatalf("backup %d: the payee received %s", i, got.Coin(8))
		}
		if got := d.balance("alice"); got != balance {
			t.Fatalf("backup %d: alice holds %s, not %s", i, got, balance)
		}
		d.balanced()
		d.mine(1)
		d.pump()
		d.node.close()
	}
}
