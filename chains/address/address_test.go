package address

import (
	"bytes"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

type goldenRow struct{ Chain, Network, Type, Address, Script, Reason string }

// golden reads addresses made by other programs (bitcoinjs-lib, cashaddrjs,
// ethers).
func golden(t testing.TB) (valid, invalid []goldenRow) {
	t.Helper()
	raw, err := os.ReadFile(filepath.Join("testdata", "addresses.json"))
	if err != nil {
		t.Fatal(err)
	}
	var file struct{ Valid, Invalid []goldenRow }
	if err := json.Unmarshal(raw, &file); err != nil {
		t.Fatal(err)
	}
	if len(file.Valid) == 0 || len(file.Invalid) == 0 {
		t.Fatal("no rows")
	}
	return file.Valid, file.Invalid
}

func networks(r goldenRow) []string {
	if r.Network == "any" {
		return []string{"mainnet", "testnet", "regtest"}
	}
	return []string{r.Network}
}

func TestGolden(t *testing.T) {
	valid, invalid := golden(t)
	for _, r := range valid {
		for _, network := range networks(r) {
			a, err := Decode(r.Chain, network, r.Address)
			if err != nil {
				t.Errorf("%s %s %s: %v", r.Chain, network, r.Address, err)
				continue
			}
			if string(a.Type) != r.Type || hex.EncodeToString(a.Script) != r.Script || a.Canonical != r.Address {
				t.Errorf("%s %s %s = %s %x %s, want %s %s", r.Chain, network, r.Address, a.Type, a.Script, a.Canonical, r.Type, r.Script)
			}
			if text, err := Encode(r.Chain, network, a.Script); err != nil || text != r.Address {
				t.Errorf("Encode(%s, %s, %s) = %s, %v", r.Chain, network, r.Script, text, err)
			}
		}
	}
	for _, r := range invalid {
		for _, network := range networks(r) {
			if a, err := Decode(r.Chain, network, r.Address); err == nil {
				t.Errorf("%s %s %q accepted as %s, but: %s", r.Chain, network, r.Address, a.Type, r.Reason)
			}
		}
	}
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		chain, network, text string
		want                 error
	}{
		{"xmr", "mainnet", "1L7WhLh7rQJ4B4onjWAYtXRgb73aRaRgDL", ErrChain},
		{"btc", "simnet", "1L7WhLh7rQJ4B4onjWAYtXRgb73aRaRgDL", ErrChain},
		{"btc", "mainnet", "", ErrForm},
		{"btc", "mainnet", "1L7WhLh7rQJ4B4onjWAYtXRgb73aRaRgDM", ErrChecksum},
		{"btc", "mainnet", "1L7WhLh7rQJ4B4onjWAYtXRgb73aRaRgD0", ErrForm},
		{"btc", "mainnet", "1" + "1L7WhLh7rQJ4B4onjWAYtXRgb73aRaRgDL", ErrForm},
		{"btc", "mainnet", " 1L7WhLh7rQJ4B4onjWAYtXRgb73aRaRgDL", ErrForm},
		{"btc", "mainnet", strings.Repeat("1", 1<<20), ErrForm},
		{"btc", "mainnet", "mzdTzPn6fRjJxBHQT58viSe1T6eHPrEe33", ErrNetwork},
		{"btc", "mainnet", "bc1q6xj6exspt7kzaaang9nnvd239g23raqlcdxfyq", ErrChecksum},
		{"btc", "mainnet", "bc1q6xj6exSPT7KZAAANG9NNVD239G23RAQLCDXFYP", ErrMixedCase},
		{"btc", "mainnet", "ltc1q6xj6exspt7kzaaang9nnvd239g23raqlu3udu3", ErrNetwork},
		{"btc", "regtest", "tb1q6xj6exspt7kzaaang9nnvd239g23raqljta6lj", ErrNetwork},
		{"btc", "mainnet", "bc1", ErrForm},
		// BIP 350's own vectors: unknown versions and lengths
		{"btc", "mainnet", "BC1SW50QGDZ25J", ErrUnsupported},
		{"btc", "mainnet", "bc1zw508d6qejxtdg4y5r3zarvaryvaxxpcs", ErrUnsupported},
		{"btc", "mainnet", "bc1pfeessrawgf", ErrUnsupported},
		{"btc", "mainnet", "BC1QR508D6QEJXTDG4Y5R3ZARVARYV98GJ9P", ErrForm},
		{"btc", "mainnet", "bc1gmk9yu", ErrForm},
		{"ltc", "mainnet", "ltcmweb1qq", ErrUnsupported},
		{"ltc", "regtest", "tmweb1qqtest", ErrUnsupported},
		{"doge", "mainnet", "bc1q6xj6exspt7kzaaang9nnvd239g23raqlcdxfyp", ErrUnsupported},
		{"bch", "mainnet", "bc1q6xj6exspt7kzaaang9nnvd239g23raqlcdxfyp", ErrUnsupported},
		{"bch", "mainnet", "1L7WhLh7rQJ4B4onjWAYtXRgb73aRaRgDL", ErrUnsupported},
		{"bch", "mainnet", "bchtest:qrg6tty6q906cthhkdqkwd342y4p2y05ruamevl3sh", ErrNetwork},
		{"bch", "mainnet", "qrg6tty6q906cthhkdqkwd342y4p2y05ruamevl3sh", ErrChecksum}, // of the test network, without prefix
		{"bch", "mainnet", "bitcoincash:Qrg6tty6q906cthhkdqkwd342y4p2y05ruefataxht", ErrMixedCase},
		{"bch", "mainnet", "bitcoincash:qrg6tty6q906cthhkdqkwd342y4p2y05ruefataxhq", ErrChecksum},
		{"bch", "mainnet", "bitcoincash:", ErrForm},
		// a 32-byte script hash (CashAddr specification's vectors)
		{"bch", "mainnet", "bitcoincash:qvch8mmxy0rtfrlarg7ucrxxfzds5pamg73h7370aa87d80gyhqxq5nlegake", ErrUnsupported},
		{"eth", "mainnet", "5c88E7A226E11ad1204Cb8D30cD5D6ff6CBa69bc", ErrForm},
		{"eth", "mainnet", "0X5c88E7A226E11ad1204Cb8D30cD5D6ff6CBa69bc", ErrForm},
		{"eth", "mainnet", "0x5c88E7A226E11ad1204Cb8D30cD5D6ff6CBa69bC", ErrChecksum},
		{"eth", "mainnet", "0x5c88E7A226E11ad1204Cb8D30cD5D6ff6CBa69bg", ErrForm},
	} {
		if _, err := Decode(c.chain, c.network, c.text); !errors.Is(err, c.want) {
			t.Errorf("Decode(%s, %s, %.60q): %v, want %v", c.chain, c.network, c.text, err, c.want)
		}
	}
}

func TestOtherSpellings(t *testing.T) {
	for _, c := range []struct{ chain, network, text, canonical string }{
		// old P2SH versions of Litecoin
		{"ltc", "mainnet", "3LoXctBZQJcSGEWDrbq9K9ncjdLJ4pQEmq", "MT1fvmbXMRTs4jn7xUpV8o324Kvk4dcaET"},
		{"ltc", "regtest", "2NCMjgd7b1m7nU28mXjT1w6mswyYTpoWYZD", "QfiVodyq2sAscCtp9qV31oDK6MzHjew8H9"},
		// CashAddr without prefix, in upper case, token-aware
		{"bch", "mainnet", "qrg6tty6q906cthhkdqkwd342y4p2y05ruefataxht", "bitcoincash:qrg6tty6q906cthhkdqkwd342y4p2y05ruefataxht"},
		{"bch", "mainnet", "BITCOINCASH:QRG6TTY6Q906CTHHKDQKWD342Y4P2Y05RUEFATAXHT", "bitcoincash:qrg6tty6q906cthhkdqkwd342y4p2y05ruefataxht"},
		{"bch", "mainnet", "bitcoincash:zr6m7j9njldwwzlg9v7v53unlr4jkmx6eycnjehshe", "bitcoincash:qr6m7j9njldwwzlg9v7v53unlr4jkmx6eylep8ekg2"},
		{"bch", "testnet", "bchtest:pr6m7j9njldwwzlg9v7v53unlr4jkmx6eyvwc0uz5t", "bchtest:pr6m7j9njldwwzlg9v7v53unlr4jkmx6eyvwc0uz5t"},
		{"btc", "mainnet", "BC1Q6XJ6EXSPT7KZAAANG9NNVD239G23RAQLCDXFYP", "bc1q6xj6exspt7kzaaang9nnvd239g23raqlcdxfyp"},
		{"eth", "mainnet", "0x5c88e7a226e11ad1204cb8d30cd5d6ff6cba69bc", "0x5c88E7A226E11ad1204Cb8D30cD5D6ff6CBa69bc"},
		{"eth", "regtest", "0x5C88E7A226E11AD1204CB8D30CD5D6FF6CBA69BC", "0x5c88E7A226E11ad1204Cb8D30cD5D6ff6CBa69bc"},
	} {
		a, err := Decode(c.chain, c.network, c.text)
		if err != nil || a.Canonical != c.canonical {
			t.Errorf("Decode(%s, %s, %s) = %s, %v", c.chain, c.network, c.text, a.Canonical, err)
		}
	}
}

func TestEncodeRefuses(t *testing.T) {
	for _, c := range []struct{ chain, script string }{
		{"btc", ""}, {"btc", "6a"}, {"btc", "5220" + strings.Repeat("00", 32)}, {"doge", "0014" + strings.Repeat("00", 20)},
		{"bch", "5120" + strings.Repeat("00", 32)}, {"eth", "00"},
	} {
		script, _ := hex.DecodeString(c.script)
		if text, err := Encode(c.chain, "mainnet", script); err == nil {
			t.Errorf("Encode(%s, %s) = %s", c.chain, c.script, text)
		}
	}
	if _, err := Encode("btc", "nowhere", nil); !errors.Is(err, ErrChain) {
		t.Error(err)
	}
}

// TestRoundTrip: every script that a chain can pay has one address, which
// gives the script back, and no other network of that chain reads it as
// something else.
func TestRoundTrip(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		chain := rapid.SampledFrom([]string{"btc", "ltc", "bch", "doge", "eth"}).Draw(t, "chain")
		network := rapid.SampledFrom([]string{"mainnet", "testnet", "regtest"}).Draw(t, "network")
		hash := rapid.SliceOfN(rapid.Byte(), 32, 32).Draw(t, "hash")
		scripts := map[string][][]byte{
			"btc": {payToPubKeyHash(hash[:20]), payToScriptHash(hash[:20]), payToWitness(0, hash[:20]), payToWitness(0, hash), payToWitness(1, hash)},
			"bch": {payToPubKeyHash(hash[:20]), payToScriptHash(hash[:20])},
			"eth": {hash[:20]},
		}
		scripts["ltc"], scripts["doge"] = scripts["btc"], scripts["bch"]
		script := rapid.SampledFrom(scripts[chain]).Draw(t, "script")
		text, err := Encode(chain, network, script)
		if err != nil {
			t.Fatal(err)
		}
		a, err := Decode(chain, network, text)
		if err != nil || !bytes.Equal(a.Script, script) || a.Canonical != text {
			t.Fatalf("%s gives %x, %v", text, a.Script, err)
		}
		// one wrong character is never accepted as another script
		i := rapid.IntRange(0, len(text)-1).Draw(t, "at")
		c := rapid.SampledFrom([]byte("023456789acdefghjklmnpqrstuvwxyzABCDEF1")).Draw(t, "char")
		wrong := text[:i] + string(c) + text[i+1:]
		if b, err := Decode(chain, network, wrong); err == nil && !bytes.Equal(b.Script, script) && chain != "eth" {
			t.Fatalf("%s and %s are both addresses", text, wrong)
		}
	})
}

func FuzzDecode(f *testing.F) {
	valid, invalid := golden(f)
	for _, r := range append(valid, invalid...) {
		f.Add(r.Chain, networks(r)[0], r.Address)
	}
	f.Fuzz(func(t *testing.T, chain, network, text string) {
		a, err := Decode(chain, network, text)
		if err != nil {
			for _, kind := range []error{ErrChain, ErrForm, ErrChecksum, ErrNetwork, ErrMixedCase, ErrUnsupported} {
				if errors.Is(err, kind) {
					return
				}
			}
			t.Fatalf("error without a kind: %v", err)
		}
		again, err := Decode(chain, network, a.Canonical)
		if err != nil || !bytes.Equal(again.Script, a.Script) || again.Canonical != a.Canonical || again.Type != a.Type {
			t.Fatalf("%q becomes %q, which gives %+v, %v", text, a.Canonical, again, err)
		}
	})
}
