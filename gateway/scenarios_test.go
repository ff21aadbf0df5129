package gateway

import (
	"encoding/hex"
	"fmt"
	"testing"

	"causeway/chains"
)

// rotate publishes the key of the next epoch and starts again, as an operator does
// once it is in force.
func (d *driver) rotate(epoch uint32) {
	d.t.Helper()
	p, err := d.wallet().MasterKey(chains.BTC, epoch)
	if err != nil {
		d.t.Fatal(err)
	}
	before := d.depositAddress("alice")
	d.act("causeway", "pegs", "setKey", fmt.Sprintf(`{"chain":"btc","epoch":%d,"key":%q,"birthday":0}`, epoch, hex.EncodeToString(p[:])))
	for n := range d.genesis.Pegs.AdminDelay + 2 {
		d.act("bob", "tokens", "transfer", fmt.Sprintf(`{"to":"carol","symbol":"BEE","quantity":"1","memo":"%d"}`, n))
		d.pump()
	}
	d.node.close()
	d.boot()
	if d.depositAddress("alice") == before {
		d.t.Fatal("the new key is not used")
	}
}

// Scenarios 20 and 87: a new key leaves the addresses of the old one alone. What is
// paid to them is credited as before, and the coins of both keys pay together.
func TestOldAddressesAfterANewKey(t *testing.T) {
	d := booted(t)
	old := d.depositAddress("alice")
	flying := d.pay(old, "0.01")
	d.rotate(1)
	d.mine(2)
	d.until("what was under way is credited", func() bool { return d.find(flying).State == "credited" })
	late, fresh := d.pay(old, "0.02"), d.pay(d.depositAddress("alice"), "0.03")
	d.mine(5)
	d.until("both are credited", func() bool { return d.find(late).State == "credited" && d.find(fresh).State == "credited" })
	if got := d.balance("alice"); got != "0.06000000" {
		t.Errorf("alice holds %s", got)
	}
	var payee string
	d.call(&payee, "getnewaddress")
	id := d.withdraw("alice", "0.055", payee)
	d.until("broadcast", func() bool { return d.withdrawal(id).State == "broadcast" })
	d.mine(2)
	d.until("settled", func() bool { return d.withdrawal(id).State == "settled" })
	if got := d.received(payee).Coin(8); got != "0.05495000" {
		t.Errorf("the payee received %s", got)
	}
	d.balanced()
}

// Scenario 92: the gateway was away while blocks came, more than it keeps. What was
// paid meanwhile is credited once, what was on its way is settled.
func TestLongDowntime(t *testing.T) {
	d := booted(t)
	d.credit("alice", "0.02")
	d.mine(2)
	var payee string
	d.call(&payee, "getnewaddress")
	id := d.withdraw("alice", "0.01", payee)
	d.until("broadcast", func() bool { return d.withdrawal(id).State == "broadcast" })
	bob := d.depositAddress("bob")
	d.node.close()
	paid := 0
	for range 20 {
		d.pay(bob, "0.001")
		paid++
		d.mine(10)
	}
	d.boot()
	d.until("caught up", func() bool { return d.caughtUp() && len(d.deposits("bob")["credited"]) == paid })
	d.until("settled", func() bool { return d.withdrawal(id).State == "settled" })
	if got := d.balance("bob"); got != "0.02000000" {
		t.Errorf("bob holds %s", got)
	}
	d.balanced()
}

// Scenarios 23, 56 and 78: of the withdrawals of one block those that can be paid
// are paid together, the one to our own script is given back; one to the user's own
// deposit address is a payout and a deposit. The lock time is the newest block.
func TestWithdrawalsOfOneBlock(t *testing.T) {
	d := booted(t)
	d.credit("alice", "0.05")
	d.mine(2)
	d.until("followed", d.caughtUp)
	change, err := d.wallet().ChangeAddress(chains.BTC, 0)
	if err != nil {
		t.Fatal(err)
	}
	var ids, payees []string
	for range 3 {
		var to string
		d.call(&to, "getnewaddress")
		payees = append(payees, to)
		ids = append(ids, d.withdraw("alice", "0.005", to))
	}
	refused := d.withdraw("alice", "0.006", change)
	own := d.withdraw("alice", "0.007", d.depositAddress("alice"))
	d.until("broadcast", func() bool { return d.withdrawal(ids[0]).State == "broadcast" })
	var tx struct {
		LockTime uint64 `json:"locktime"`
	}
	var height uint64
	d.call(&tx, "getrawtransaction", d.withdrawal(ids[0]).TxID, 1)
	d.call(&height, "getblockcount")
	if tx.LockTime != height {
		t.Errorf("lock time %d, the newest block is %d", tx.LockTime, height)
	}
	d.mine(2)
	for _, id := range append(ids, own) {
		d.until("settled", func() bool { return d.withdrawal(id).State == "settled" })
		if d.withdrawal(id).Batch != d.withdrawal(own).Batch {
			t.Errorf("%s is in a batch of its own", id)
		}
	}
	for _, to := range payees {
		if got := d.received(to).Coin(8); got != "0.00495000" {
			t.Errorf("a payee received %s", got)
		}
	}
	d.until("given back", func() bool { return d.withdrawal(refused).State == "returned" })
	d.until("credited to himself", func() bool { return len(d.deposits("alice")["credited"]) == 2 })
	// 0.05 less three of 0.005, and less the fees of those that came back.
	if got := d.balance("alice"); got != "0.03490000" {
		t.Errorf("alice holds %s", got)
	}
	d.balanced()
}
