package gateway

import (
	"testing"

	"causeway/chains"
	"causeway/pegs"
)

func TestAmbiguousAddressesAreShown(t *testing.T) {
	const old = "31h1vYVSYuKP6AhS86fbRdMw9XHieotbST" // P2SH of Bitcoin, and of Litecoin once
	const want = "the address is one of BTC too; it is paid on LTC"
	w := &pegs.Withdrawal{Chain: chains.LTC, Address: old}
	if got := warnAmbiguous("", w, chains.Mainnet); got != want {
		t.Error(got)
	}
	if got := warnAmbiguous("waits", w, chains.Mainnet); got != "waits; "+want {
		t.Error(got)
	}
	w.Address = "ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9"
	if got := warnAmbiguous("waits", w, chains.Mainnet); got != "waits" {
		t.Error(got)
	}
}
