package devnet

import (
	"encoding/hex"
	"encoding/json"
	"os"
	"strconv"
	"testing"

	"pgregory.net/rapid"
)

// golden holds addresses computed by other programs.
type golden struct {
	Valid, Invalid []struct{ Chain, Network, Type, Address, Script, Reason string }
}

func classic(chain, network string) (ClassicAddresses, bool) {
	type key struct{ chain, network string }
	forms := map[key]ClassicAddresses{
		{"btc", "mainnet"}:  {[]byte{0x00}, []byte{0x05}, "bc"},
		{"btc", "testnet"}:  {[]byte{0x6f}, []byte{0xc4}, "tb"},
		{"btc", "regtest"}:  Bitcoin().Addresses.(ClassicAddresses),
		{"ltc", "mainnet"}:  {[]byte{0x30}, []byte{0x32, 0x05}, "ltc"},
		{"ltc", "testnet"}:  {[]byte{0x6f}, []byte{0x3a, 0xc4}, "tltc"},
		{"ltc", "regtest"}:  {[]byte{0x6f}, []byte{0x3a, 0xc4}, "rltc"},
		{"doge", "mainnet"}: {[]byte{0x1e}, []byte{0x16}, ""},
		{"doge", "testnet"}: {[]byte{0x71}, []byte{0xc4}, ""},
		{"doge", "regtest"}: {[]byte{0x6f}, []byte{0xc4}, ""},
	}
	codec, ok := forms[key{chain, network}]
	return codec, ok
}

func TestGoldenAddresses(t *testing.T) {
	data, err := os.ReadFile("testdata/addresses.json")
	if err != nil {
		t.Fatal(err)
	}
	var g golden
	if err := json.Unmarshal(data, &g); err != nil {
		t.Fatal(err)
	}
	checked := 0
	for _, v := range g.Valid {
		codec, ok := classic(v.Chain, v.Network)
		if !ok {
			continue
		}
		checked++
		script, err := codec.Decode(v.Address)
		if err != nil || hex.EncodeToString(script) != v.Script {
			t.Errorf("%s: %x, %v, want %s", v.Address, script, err, v.Script)
		}
		if text := codec.Encode(script); text != v.Address {
			t.Errorf("%x: %s, want %s", script, text, v.Address)
		}
	}
	for _, v := range g.Invalid {
		codec, ok := classic(v.Chain, v.Network)
		if !ok {
			continue
		}
		checked++
		if script, err := codec.Decode(v.Address); err == nil {
			t.Errorf("%s %s %q (%s) decodes to %x", v.Chain, v.Network, v.Address, v.Reason, script)
		}
	}
	if checked < 120 {
		t.Errorf("only %d golden addresses checked", checked)
	}
}

func FuzzAddress(f *testing.F) {
	f.Add("bcrt1q6xj6exspt7kzaaang9nnvd239g23raqlszyhgm")
	f.Add("mzdTzPn6fRjJxBHQT58viSe1T6eHPrEe33")
	f.Add("bcrt1pwcsrdc00pn48yv4vmy9z300fzalh5j98g9ply7kh3jka3xllc3nsvpne2g")
	codec := Bitcoin().Addresses
	f.Fuzz(func(t *testing.T, text string) {
		script, err := codec.Decode(text)
		if err != nil {
			return
		}
		again, err := codec.Decode(codec.Encode(script))
		if err != nil || string(again) != string(script) {
			t.Fatalf("%q: %x then %x: %v", text, script, again, err)
		}
	})
}

func TestAmounts(t *testing.T) {
	for text, want := range map[string]int64{
		"0": 0, "0.0": 0, "1": coin, "1.5": 150_000_000, "0.00000001": 1, "1e-8": 1, "1E-8": 1, "0.1e-7": 1,
		"21000000": 21_000_000 * coin, "20999999.9769": 2_099_999_997_690_000, "-0.5": -50_000_000, "1.10000000000": 110_000_000,
		"0.000000001e1": 1, "12e0": 12 * coin, "0e30": 0, "1e+1": 10 * coin,
	} {
		if got, err := parseAmount(text); err != nil || got != want {
			t.Errorf("%s: %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", " 1", "1 ", "1.", ".5", "+1", "01", "0x1", "1e", "NaN", "Infinity", "1,5", "0.000000001", "1e-9", "1e1000000000", "1e31",
		"92233720368.54775808", "true", "\"1\"", "1e99999999999999999999", "--1", "１",
	} {
		if got, err := parseAmount(text); err == nil {
			t.Errorf("%q is %d", text, got)
		}
	}
	rapid.Check(t, func(t *rapid.T) {
		sat := rapid.Int64().Draw(t, "sat")
		got, err := parseAmount(formatAmount(sat).String())
		if sat == -1<<63 { // its magnitude does not fit
			return
		}
		if err != nil || got != sat {
			t.Fatalf("%d: %s is %d: %v", sat, formatAmount(sat), got, err)
		}
	})
	for sat, want := range map[int64]string{1: "1e-08", 30_000_000: "0.30000000000000004", 0: "0.0", 2000: "2e-05"} {
		if got := floatAmount(sat); got.String() != want {
			t.Errorf("%d as a float: %s, want %s", sat, got, want)
		}
	}
	rapid.Check(t, func(t *rapid.T) { // a float still rounds to the right amount
		sat := rapid.Int64Range(0, 21_000_000*coin).Draw(t, "sat")
		f, err := floatAmount(sat).Float64()
		if err != nil {
			t.Fatal(err)
		}
		if got, err := parseAmount(strconv.FormatFloat(f, 'f', 8, 64)); err != nil || got != sat {
			t.Fatalf("%d as a float: %s, which is %d (%v)", sat, floatAmount(sat), got, err)
		}
	})
}
