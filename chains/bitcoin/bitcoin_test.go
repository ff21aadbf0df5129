package bitcoin

import (
	"bytes"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"strings"
	"testing"

	"causeway/chains"

	"github.com/btcsuite/btcd/chaincfg/v2"
	"github.com/btcsuite/btcd/chainhash/v2"
)

func TestNetworks(t *testing.T) {
	for net, genesis := range map[chains.Network]string{
		chains.Mainnet: "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
		chains.Testnet: "00000000da84f2bafbbc53dee25a72ae507ff4914b867c565be350b0da8bf043",
		chains.Regtest: "0f9188f13cb7b2c71f2a335e3a4fc328bf5beb436012afca590b1a11466e2206",
	} {
		coin, err := New(net)
		if err != nil {
			t.Fatal(err)
		}
		if coin.Genesis() != genesis || coin.ID() != chains.BTC || coin.Network() != net || coin.CoinbaseMaturity() != 100 {
			t.Errorf("%s: %s %s %s, maturity %d", net, coin.ID(), coin.Network(), coin.Genesis(), coin.CoinbaseMaturity())
		}
	}
	if _, err := New("simnet"); err == nil {
		t.Error("simnet is accepted")
	}
}

func TestGenesisBlocks(t *testing.T) {
	for net, params := range map[chains.Network]*chaincfg.Params{chains.Testnet: &chaincfg.TestNet4Params, chains.Regtest: &chaincfg.RegressionNetParams} {
		coin, err := New(net)
		if err != nil {
			t.Fatal(err)
		}
		var buf bytes.Buffer
		if err := params.GenesisBlock.Serialize(&buf); err != nil {
			t.Fatal(err)
		}
		if _, err := coin.DecodeBlock(buf.Bytes(), coin.Genesis()); err != nil {
			t.Errorf("genesis of %s: %v", net, err)
		}
	}
}

// TestWorkFloor: on mainnet, the work of today is asked for, not that of 2009.
func TestWorkFloor(t *testing.T) {
	coin, err := New(chains.Mainnet)
	if err != nil {
		t.Fatal(err)
	}
	for bits, want := range map[uint32]string{
		0x17053894: "not enough proof of work", // 2023: the target is fine, these bytes are not
		0x171320bc: "not enough proof of work", // January 2020
		0x17200000: "target out of range",
		0x1d00ffff: "target out of range", // 2009
	} {
		raw := make([]byte, 81)
		binary.LittleEndian.PutUint32(raw[72:], bits)
		id := chainhash.DoubleHashH(raw[:80])
		if _, err := coin.DecodeBlock(raw, id.String()); !errors.Is(err, chains.ErrBadBlock) || !strings.Contains(err.Error(), want) {
			t.Errorf("bits %08x: %v, want %q", bits, err, want)
		}
	}
}

func TestAddresses(t *testing.T) {
	coin, err := New(chains.Regtest)
	if err != nil {
		t.Fatal(err)
	}
	script, err := coin.Script("bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080")
	if err != nil || hex.EncodeToString(script) != "0014751e76e8199196d454941c45d1b3a323f1433bd6" {
		t.Fatalf("%x, %v", script, err)
	}
	if text, err := coin.Address(script); err != nil || text != "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080" {
		t.Fatalf("%s, %v", text, err)
	}
	for _, foreign := range []string{"bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "1BgGZ9tcN4rm9KBzDn7KprQz87SZ26SAMH", "nonsense", ""} {
		if script, err := coin.Script(foreign); err == nil {
			t.Errorf("%q gives %x", foreign, script)
		}
	}
	if coin.Dust(script) != chains.NewAmount(294) || coin.Facts().Decimals != 8 || coin.Facts().Depths.Floor != 2 {
		t.Errorf("dust %s, facts %+v", coin.Dust(script), coin.Facts())
	}
}
