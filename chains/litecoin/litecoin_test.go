package litecoin

import (
	"testing"

	"causeway/chains"
)

// TestFacts: the limits that nodes of this coin have, on each network.
func TestFacts(t *testing.T) {
	for _, network := range []chains.Network{chains.Mainnet, chains.Testnet, chains.Regtest} {
		coin, err := New(network)
		if err != nil {
			t.Fatal(err)
		}
		f := coin.Facts()
		if coin.ID() != chains.LTC || coin.Network() != network || coin.CoinbaseMaturity() != 100 || f.Decimals != 8 || f.Depths.Floor != 12 || f.Replaceable {
			t.Errorf("%s: %s %s, %+v", network, coin.ID(), coin.Network(), f)
		}
		if (len(coin.Oldest()) > 0) != (network == chains.Mainnet) {
			t.Errorf("%s: oldest nodes %v", network, coin.Oldest())
		}
	}
	if _, err := New("simnet"); err == nil {
		t.Error("simnet is accepted")
	}
}

// TestDust is Litecoin Core's at 30,000 per kvB.
func TestDust(t *testing.T) {
	coin, err := New(chains.Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	for address, want := range map[string]uint64{
		"ltc1qw508d6qejxtdg4y5r3zarvary0c5xw7kgmn4n9": 2940,
		"LeLTxYzww4Y7RsVwue9rAYVSoKQrY69wzT":          5460,
	} {
		script, err := coin.Script(address)
		if err != nil {
			t.Fatal(err)
		}
		if got := coin.Dust(script); got != chains.NewAmount(want) {
			t.Errorf("dust of %s is %s, want %d", address, got, want)
		}
	}
}

// TestAddresses: both forms of P2SH are one script, the new one is shown; what is
// of the extension block or of other coins is refused.
func TestAddresses(t *testing.T) {
	coin, err := New(chains.Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	script := append(append([]byte{0xa9, 20}, make([]byte, 20)...), 0x87)
	shown, err := coin.Address(script)
	if err != nil || shown[0] != 'M' {
		t.Fatalf("%s, %v", shown, err)
	}
	for _, form := range []string{shown, "31h1vYVSYuKP6AhS86fbRdMw9XHieotbST"} {
		if got, err := coin.Script(form); err != nil || string(got) != string(script) {
			t.Errorf("%s: %x, %v", form, got, err)
		}
	}
	for _, foreign := range []string{
		"ltcmweb1qq", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH",
		"D7Y55Kr2eB9UrGmvUGXJmVwTrc6ez2Hzdd", "bitcoincash:qpm2qsznhks23z7629mms6s4cwef74vcwvy22gdx6a", "",
	} {
		if got, err := coin.Script(foreign); err == nil {
			t.Errorf("%q gives %x", foreign, got)
		}
	}
}
