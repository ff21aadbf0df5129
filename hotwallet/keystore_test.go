package hotwallet

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"causeway/chains"
	"causeway/sidechain/graphene"
)

// testWorkFactor keeps scrypt fast in tests.
const testWorkFactor = 4

func testRole(t testing.TB, role Role, account string) RoleKey {
	t.Helper()
	key, err := graphene.LoginKey(account, string(role), "test")
	if err != nil {
		t.Fatal(err)
	}
	r, err := NewRoleKey(role, account, NewSecret(key.WIF()))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func testContent(t testing.TB) Content {
	return Content{Mnemonic: NewSecret(testMnemonic), Roles: []RoleKey{
		testRole(t, RoleSequencer, "sequencer"), testRole(t, RoleAttestor, "gateway"),
	}}
}

func TestKeystoreRoundTrip(t *testing.T) {
	path := filepath.Join(t.TempDir(), "keys.age")
	pass := NewSecret("correct horse")
	made, err := Create(path, pass, testContent(t), testWorkFactor)
	if err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode() != 0o600 {
		t.Errorf("mode %v (%v)", info.Mode(), err)
	}
	raw, err := os.ReadFile(path)
	if err != nil || bytes.Contains(raw, []byte("abandon")) || !bytes.HasPrefix(raw, []byte("-----BEGIN AGE")) {
		t.Errorf("file is %q (%v)", raw, err)
	}
	opened, err := Open(path, pass)
	if err != nil {
		t.Fatal(err)
	}
	if opened.Mnemonic().Reveal() != testMnemonic {
		t.Error("mnemonic changed")
	}
	for i, r := range opened.Roles() {
		want := made.Roles()[i]
		if r.Role != want.Role || r.Account != want.Account || r.Public != want.Public || r.WIF().Reveal() != want.WIF().Reveal() {
			t.Errorf("role %d is %s %s", i, r.Role, r.Account)
		}
	}
	if err := opened.Rewrite(NewSecret("other"), testWorkFactor); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(path, pass); !errors.Is(err, ErrPassphrase) {
		t.Errorf("old passphrase: %v", err)
	}
	again, err := Open(path, NewSecret("other"))
	if err != nil {
		t.Fatal(err)
	}
	if w, err := again.Wallet(chains.Regtest); err != nil || w.Network() != chains.Regtest {
		t.Errorf("wallet: %v", err)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("left behind: %v (%v)", entries, err)
	}
}

func TestKeystoreRefuses(t *testing.T) {
	dir := t.TempDir()
	path, pass := filepath.Join(dir, "keys.age"), NewSecret("pass")
	if _, err := Create(path, pass, testContent(t), testWorkFactor); err != nil {
		t.Fatal(err)
	}
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Create(path, pass, testContent(t), testWorkFactor); !errors.Is(err, ErrExists) {
		t.Errorf("overwriting: %v", err)
	}
	if _, err := Open(filepath.Join(dir, "none"), pass); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("no file: %v", err)
	}
	for _, p := range []string{"Pass", "", "pass "} {
		if _, err := Open(path, NewSecret(p)); !errors.Is(err, ErrPassphrase) {
			t.Errorf("passphrase %q: %v", p, err)
		}
	}
	damaged := filepath.Join(dir, "damaged")
	for name, b := range map[string][]byte{
		"empty": {},
		"text":  []byte("not a keystore"),
		"cut":   raw[:len(raw)/2],
		"large": bytes.Repeat([]byte("x"), maxKeystoreSize+1),
		"bit":   flip(raw, bytes.Index(raw, []byte("-----END"))-8),
	} {
		if err := os.WriteFile(damaged, b, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Open(damaged, pass); !errors.Is(err, ErrDamaged) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := Create(filepath.Join(dir, "new"), NewSecret(""), testContent(t), testWorkFactor); err == nil {
		t.Error("empty passphrase accepted")
	}
	if _, err := Create(filepath.Join(dir, "new"), pass, Content{}, testWorkFactor); err == nil {
		t.Error("empty content accepted")
	}
	if _, err := Create(filepath.Join(dir, "new"), pass, testContent(t), maxWorkFactor+1); err == nil {
		t.Error("work factor out of range accepted")
	}
}

// flip changes one base64 letter.
func flip(raw []byte, at int) []byte {
	b := bytes.Clone(raw)
	for b[at] == '\n' || b[at] == '=' {
		at--
	}
	if b[at] == 'A' {
		b[at] = 'B'
	} else {
		b[at] = 'A'
	}
	return b
}

// TestKeystoreDocuments puts documents into a rightly encrypted file that are
// not keystores; no error may quote them.
func TestKeystoreDocuments(t *testing.T) {
	path, pass := filepath.Join(t.TempDir(), "keys.age"), NewSecret("pass")
	for name, doc := range map[string]string{
		"format":   `{"format":"causeway-keystore/9","mnemonic":"hushhush","roles":[]}`,
		"unknown":  `{"format":"causeway-keystore/1","hushhush":1}`,
		"checksum": `{"format":"causeway-keystore/1","mnemonic":"abandon hushhush"}`,
		"role":     `{"format":"causeway-keystore/1","roles":[{"role":"king","wif":"hushhush"}]}`,
		"wif":      `{"format":"causeway-keystore/1","roles":[{"role":"attestor","wif":"hushhush"}]}`,
		"json":     `hushhush`,
	} {
		sealed, err := encrypt([]byte(doc), pass, testWorkFactor)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, sealed, 0o600); err != nil {
			t.Fatal(err)
		}
		_, err = Open(path, pass)
		if !errors.Is(err, ErrDamaged) || strings.Contains(err.Error(), "hushhush") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestMnemonic(t *testing.T) {
	fresh, err := NewMnemonic()
	if err != nil || len(strings.Fields(fresh.Reveal())) != 24 {
		t.Fatalf("%d words (%v)", len(strings.Fields(fresh.Reveal())), err)
	}
	for text, ok := range map[string]bool{
		testMnemonic: true,
		"  ABANDON abandon abandon abandon abandon abandon\tabandon abandon abandon abandon abandon\nabout ": true,
		fresh.Reveal(): true,
		strings.Replace(testMnemonic, "about", "abandon", 1): false, // checksum
		strings.Replace(testMnemonic, "about", "abouts", 1):  false,
		strings.TrimSuffix(testMnemonic, " about"):           false,
		"": false,
	} {
		got, err := ImportMnemonic(text)
		if (err == nil) != ok || !ok && !errors.Is(err, ErrMnemonic) {
			t.Errorf("%d words: %v", len(strings.Fields(text)), err)
		}
		if ok && got.Reveal() != strings.ToLower(strings.Join(strings.Fields(text), " ")) {
			t.Error("phrase not normalised")
		}
	}
	if _, err := NewWallet(NewSecret("abandon abandon"), chains.Regtest); !errors.Is(err, ErrMnemonic) {
		t.Errorf("wallet of a bad phrase: %v", err)
	}
}

func TestGenerateRoleKey(t *testing.T) {
	a, err := GenerateRoleKey(RoleAdmin, "causeway")
	if err != nil {
		t.Fatal(err)
	}
	b, err := GenerateRoleKey(RoleAdmin, "causeway")
	if err != nil || a.Public == b.Public {
		t.Errorf("not random: %v", err)
	}
	if _, err := GenerateRoleKey("king", ""); err == nil {
		t.Error("unknown role accepted")
	}
}

// TestSecretsDoNotPrint prints everything that holds a secret in every way and
// looks for it.
func TestSecretsDoNotPrint(t *testing.T) {
	content := testContent(t)
	path := filepath.Join(t.TempDir(), "keys.age")
	k, err := Create(path, NewSecret("pass"), content, testWorkFactor)
	if err != nil {
		t.Fatal(err)
	}
	w := testWallet(t, chains.Regtest)
	s, err := OpenSigner(SignerConfig{
		Journal: filepath.Join(t.TempDir(), "signer.db"), Wallet: w, Roles: content.Roles, Sequencer: content.Roles[0].Public,
	})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	type holder struct {
		A any
		b Secret
	}
	var out bytes.Buffer
	logger := slog.New(slog.NewJSONHandler(&out, nil))
	for _, v := range []any{NewSecret(testMnemonic), content, content.Roles[0], k, w, s, *k} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%q", "%x", "%d"} {
			fmt.Fprintf(&out, verb+"\n", v)
			fmt.Fprintf(&out, verb+"\n", holder{A: v, b: NewSecret(testMnemonic)})
		}
		logger.Info("secret", "value", v)
		if b, err := json.Marshal(v); err == nil {
			out.Write(b)
		}
	}
	forbidden := []string{"abandon", "6162616e646f6e", content.Roles[0].WIF().Reveal(), content.Roles[1].WIF().Reveal()}
	for _, f := range forbidden {
		if strings.Contains(out.String(), f) {
			t.Errorf("printed: %q", f)
		}
	}
	if !NewSecret("").Empty() || !(Secret{}).Empty() || NewSecret("x").Empty() {
		t.Error("Empty is wrong")
	}
}
