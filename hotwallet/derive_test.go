package hotwallet

import (
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"strings"
	"testing"

	"causeway/chains"

	"pgregory.net/rapid"
)

const testMnemonic = "abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon abandon about"

type derivationRow struct {
	Chain   chains.ID      `json:"chain"`
	Network chains.Network `json:"network"`
	Epoch   uint32         `json:"epoch"`
	Account string         `json:"account"`
	Path    string         `json:"path"`
	P       string         `json:"P"`
	Message string         `json:"message"`
	Tweak   string         `json:"tweak"`
	Key     string         `json:"key"`
	Address string         `json:"address"`
	Change  string         `json:"change"`
}

func derivationRows(t *testing.T) []derivationRow {
	t.Helper()
	raw, err := os.ReadFile("testdata/derivation.json")
	if err != nil {
		t.Fatal(err)
	}
	var doc struct {
		Mnemonic string          `json:"mnemonic"`
		Items    []derivationRow `json:"items"`
	}
	if err := json.Unmarshal(raw, &doc); err != nil {
		t.Fatal(err)
	}
	if doc.Mnemonic != testMnemonic || len(doc.Items) != 180 {
		t.Fatalf("golden file has %d rows", len(doc.Items))
	}
	return doc.Items
}

func testWallet(t testing.TB, network chains.Network) *Wallet {
	t.Helper()
	w, err := NewWallet(NewSecret(testMnemonic), network)
	if err != nil {
		t.Fatal(err)
	}
	return w
}

// TestGoldenDerivation checks every step of the rule against values that other
// programs computed: P, message, tweak, key and both addresses.
func TestGoldenDerivation(t *testing.T) {
	wallets := map[chains.Network]*Wallet{
		chains.Mainnet: testWallet(t, chains.Mainnet),
		chains.Testnet: testWallet(t, chains.Testnet),
		chains.Regtest: testWallet(t, chains.Regtest),
	}
	for _, row := range derivationRows(t) {
		w := wallets[row.Network]
		name := string(row.Chain) + " " + string(row.Network) + " " + row.Account
		p, err := w.MasterKey(row.Chain, row.Epoch)
		if err != nil {
			t.Fatal(name, err)
		}
		checkHex(t, name+" P", p[:], row.P)

		b, err := NewBranch(p, row.Network, row.Chain, row.Epoch)
		if err != nil {
			t.Fatal(name, err)
		}
		checkHex(t, name+" message", append(append([]byte(nil), b.prefix...), row.Account...), row.Message)
		tweak, err := b.tweak(row.Account)
		if err != nil {
			t.Fatal(name, err)
		}
		bytes := tweak.Bytes()
		checkHex(t, name+" tweak", bytes[:], row.Tweak)

		key, err := DepositKey(p, row.Network, row.Chain, row.Epoch, row.Account)
		if err != nil {
			t.Fatal(name, err)
		}
		checkHex(t, name+" key", key[:], row.Key)
		checkText(t, name+" address", row.Address)(DepositAddress(p, row.Network, row.Chain, row.Epoch, row.Account))
		checkText(t, name+" change", row.Change)(w.ChangeAddress(row.Chain, row.Epoch))

		private, _, err := w.keyFor(row.Chain, chains.Watch{Kind: chains.WatchDeposit, Account: row.Account, Epoch: row.Epoch})
		if err != nil {
			t.Fatal(name, err)
		}
		checkHex(t, name+" private key's public", private.PubKey().SerializeCompressed(), row.Key)
	}
}

func checkHex(t *testing.T, what string, got []byte, want string) {
	t.Helper()
	if hex.EncodeToString(got) != want {
		t.Errorf("%s: got %x, want %s", what, got, want)
	}
}

func checkText(t *testing.T, what, want string) func(string, error) {
	return func(got string, err error) {
		t.Helper()
		if err != nil || got != want {
			t.Errorf("%s: got %q (%v), want %q", what, got, err, want)
		}
	}
}

// TestTweakRetries puts a MAC in place of HMAC that first gives values that
// are no scalars: each must add one zero byte to the message.
func TestTweakRetries(t *testing.T) {
	w := testWallet(t, chains.Regtest)
	public, err := w.Branch(chains.BTC, 0)
	if err != nil {
		t.Fatal(err)
	}
	order, _ := hex.DecodeString("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141")
	highest := append([]byte(nil), order...)
	highest[31]--
	bad := [][]byte{make([]byte, 32), order, append([]byte{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, order[8:]...)}
	for tries := 0; tries <= len(bad); tries++ {
		b := *public
		var messages []string
		b.mac = func(key, message []byte) [32]byte {
			if [33]byte(key) != b.p {
				t.Errorf("key of the MAC is %x, not P", key)
			}
			messages = append(messages, string(message))
			if n := len(messages); n <= tries {
				return [32]byte(bad[n-1])
			}
			return [32]byte(highest)
		}
		got, err := b.tweak("alice")
		if err != nil {
			t.Fatal(err)
		}
		if bytes := got.Bytes(); [32]byte(highest) != bytes {
			t.Errorf("tweak is %x", bytes)
		}
		for i, m := range messages {
			want := "causeway/deposit/1\x00regtest\x00btc\x000\x00alice" + strings.Repeat("\x00", i)
			if m != want {
				t.Errorf("message %d is %q, want %q", i, m, want)
			}
		}
		if len(messages) != tries+1 {
			t.Errorf("%d tries instead of %d", len(messages), tries+1)
		}
	}
	b := *public
	b.mac = func(_, _ []byte) [32]byte { return [32]byte{} }
	if _, err := b.Key("alice"); !errors.Is(err, errTweak) {
		t.Errorf("a MAC that never gives a scalar: %v", err)
	}
}

// TestDepositKeysMatch: the public rule and the private one meet in the same
// point, for any chain, epoch and account.
func TestDepositKeysMatch(t *testing.T) {
	w := testWallet(t, chains.Regtest)
	rapid.Check(t, func(t *rapid.T) {
		chain := rapid.SampledFrom([]chains.ID{chains.BTC, chains.LTC, chains.BCH, chains.DOGE, chains.ETH}).Draw(t, "chain")
		epoch := rapid.Uint32Range(0, 4).Draw(t, "epoch")
		account := rapid.StringMatching(`[a-z][a-z0-9.-]{2,15}`).Draw(t, "account")
		p, err := w.MasterKey(chain, epoch)
		if err != nil {
			t.Fatal(err)
		}
		public, err := DepositKey(p, chains.Regtest, chain, epoch, account)
		if err != nil {
			t.Fatal(err)
		}
		private, script, err := w.keyFor(chain, chains.Watch{Kind: chains.WatchDeposit, Account: account, Epoch: epoch})
		if err != nil {
			t.Fatal(err)
		}
		if [33]byte(private.PubKey().SerializeCompressed()) != public {
			t.Errorf("private and public derivation differ")
		}
		branch, err := NewBranch(p, chains.Regtest, chain, epoch)
		if err != nil {
			t.Fatal(err)
		}
		want, err := branch.Script(account)
		if err != nil || string(want) != string(script) {
			t.Errorf("script %x, want %x (%v)", script, want, err)
		}
	})
}

func TestBranchRefuses(t *testing.T) {
	good, err := testWallet(t, chains.Regtest).MasterKey(chains.BTC, 0)
	if err != nil {
		t.Fatal(err)
	}
	hybrid := good
	hybrid[0] = 6
	for name, f := range map[string]func() error{
		"chain":   func() error { _, err := NewBranch(good, chains.Regtest, "eos", 0); return err },
		"network": func() error { _, err := NewBranch(good, "simnet", chains.BTC, 0); return err },
		"zero P":  func() error { _, err := NewBranch([33]byte{}, chains.Regtest, chains.BTC, 0); return err },
		"form":    func() error { _, err := NewBranch(hybrid, chains.Regtest, chains.BTC, 0); return err },
		"empty":   func() error { _, err := DepositKey(good, chains.Regtest, chains.BTC, 0, ""); return err },
		"nul":     func() error { _, err := DepositKey(good, chains.Regtest, chains.BTC, 0, "a\x00"); return err },
		"unicode": func() error { _, err := DepositAddress(good, chains.Regtest, chains.BTC, 0, "ålice"); return err },
		"epoch":   func() error { _, err := testWallet(t, chains.Regtest).MasterKey(chains.BTC, 1<<31); return err },
		"cold": func() error {
			_, _, err := testWallet(t, chains.Regtest).keyFor(chains.BTC, chains.Watch{Kind: chains.WatchCold})
			return err
		},
	} {
		if f() == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestSweeperApart: the ETH sweeper is neither the hot address nor P's.
func TestSweeperApart(t *testing.T) {
	w := testWallet(t, chains.Mainnet)
	sweeper, err := w.SweeperAddress(0)
	if err != nil {
		t.Fatal(err)
	}
	hot, err := w.ChangeAddress(chains.ETH, 0)
	if err != nil || hot == sweeper {
		t.Errorf("hot %s, sweeper %s (%v)", hot, sweeper, err)
	}
}

func BenchmarkDepositScript(b *testing.B) {
	branch, err := testWallet(b, chains.Mainnet).Branch(chains.BTC, 0)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := branch.Script("alice"); err != nil {
			b.Fatal(err)
		}
	}
}
