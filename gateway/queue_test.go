package gateway

import (
	"testing"
)

// A withdrawal that needs more inputs than an assign operation can name is paid
// after coins were merged, and does not keep smaller ones waiting meanwhile.
func TestManySmallCoins(t *testing.T) {
	d := booted(t)
	address := d.depositAddress("alice")
	for i := range 150 {
		d.pay(address, "0.0002")
		if i%20 == 19 {
			d.mine(1)
		}
	}
	d.mine(3)
	d.until("credited", func() bool { return len(d.deposits("alice")["credited"]) == 150 })
	d.act("alice", "tokens", "transfer", `{"to":"pegfees","symbol":"SWAP.BTC","quantity":"0.001"}`)
	d.until("fees", func() bool { return d.balance("pegfees") != "0" })
	var first, second string
	d.call(&first, "getnewaddress")
	d.call(&second, "getnewaddress")
	large := d.withdraw("alice", "0.028", first)
	small := d.withdraw("alice", "0.0003", second)
	d.until("the small one is broadcast", func() bool { return d.withdrawal(small).State == "broadcast" })
	for range 8 {
		d.mine(2)
		for range 8 {
			d.pump()
		}
	}
	if got := d.withdrawal(large); got.State != "settled" || d.received(first).Coin(8) != "0.02795000" {
		t.Errorf("the large one is %+v", got)
	}
	d.balanced()
}
