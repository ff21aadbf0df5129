package graphene

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"pgregory.net/rapid"
)

func TestAssetText(t *testing.T) {
	for _, row := range []struct {
		text string
		want Asset
		back string // "": the same
	}{
		{"1.000 HIVE", Asset{1000, 3, "HIVE"}, ""},
		{"0.001 HBD", Asset{1, 3, "HBD"}, ""},
		{"-0.001 HBD", Asset{-1, 3, "HBD"}, ""},
		{"7 VESTS", Asset{7, 0, "VESTS"}, ""},
		{"1.000000 VESTS", Asset{1000000, 6, "VESTS"}, ""},
		{"9223372036854775.807 HIVE", Asset{1<<63 - 1, 3, "HIVE"}, ""},
		{"-9223372036854775.808 HIVE", Asset{-1 << 63, 3, "HIVE"}, ""},
		{"1.000 STEEM", Asset{1000, 3, "HIVE"}, "1.000 HIVE"},
		{"1.000 SBD", Asset{1000, 3, "HBD"}, "1.000 HBD"},
	} {
		got, err := ParseAsset(row.text)
		if err != nil || got != row.want {
			t.Errorf("ParseAsset(%q) = %+v, %v", row.text, got, err)
		}
		if row.back == "" {
			row.back = row.text
		}
		if got.String() != row.back {
			t.Errorf("%q is written %q", row.text, got)
		}
	}
	for _, text := range []string{
		"", "1.000", "HIVE", "1.000HIVE", "1.000  HIVE", " 1.000 HIVE", "1.000 HIVE ", "1. HIVE", ".5 HIVE", "1.0.0 HIVE",
		"1,000 HIVE", "1e3 HIVE", "+1.000 HIVE", "0x1 HIVE", "01.000 HIVE", "--1.000 HIVE", "- HIVE", "1.000 hive", "1.000 HIVEHIVE",
		"9223372036854775.808 HIVE", "1.000000000000000 HIVE", "1e1000000000 HIVE", "NaN HIVE", "1.000 H\x00VE", "١.000 HIVE",
	} {
		if a, err := ParseAsset(text); !errors.Is(err, ErrAsset) {
			t.Errorf("ParseAsset(%q) = %+v, %v", text, a, err)
		}
	}
}

func TestKeyTexts(t *testing.T) {
	key, err := LoginKey("alice", "active", "causeway")
	if err != nil {
		t.Fatal(err)
	}
	public, wif := key.Public().String(), key.WIF()
	for _, text := range []string{"", "STM", "TST" + public[3:], public[3:], public + "1", public[:len(public)-1], "STM" + strings.Repeat("1", 200), strings.Replace(public, "8", "9", 1), "STM0OIl"} {
		if _, err := ParsePublicKey("STM", text); !errors.Is(err, ErrKey) {
			t.Errorf("ParsePublicKey(%q): %v", text, err)
		}
	}
	for _, text := range []string{"", "5", wif + "1", wif[:50], "6" + wif[1:], strings.Replace(wif, "H", "J", 1), strings.Repeat("1", 51)} {
		if _, err := ParseWIF(text); !errors.Is(err, ErrKey) {
			t.Errorf("ParseWIF(%q): %v", text, err)
		}
	}
	for _, text := range []string{"", "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141", strings.Repeat("f", 64)} {
		var secret [32]byte
		hex.Decode(secret[:], []byte(text))
		if _, err := NewPrivateKey(secret); !errors.Is(err, ErrKey) {
			t.Errorf("NewPrivateKey(%s): %v", text, err)
		}
	}
	if null := (PublicKey{}); null.String() != "STM1111111111111111111111111111111114T1Anm" || null.Valid() {
		t.Errorf("null key %s, valid %v", null, null.Valid())
	}
	for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%x", "%d"} {
		if text := fmt.Sprintf(verb, key); strings.Contains(text, wif) || !strings.Contains(text, "redacted") && verb[1] != 'd' && verb[1] != 'x' {
			t.Errorf("%s shows %s", verb, text)
		}
	}
}

func TestSign(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		key, err := LoginKey("x", "y", rapid.String().Draw(t, "password"))
		if err != nil {
			t.Fatal(err)
		}
		digest := sha256.Sum256([]byte(rapid.String().Draw(t, "message")))
		sig := key.Sign(digest)
		if !sig.Canonical() || !sig.fcCanonical() || sig != key.Sign(digest) {
			t.Fatalf("signature %s", sig)
		}
		if got, err := Recover(digest, sig); err != nil || got != key.Public() {
			t.Fatalf("recovered %s, %v", got, err)
		}
		if again, err := ParseSignature(strings.ToUpper(sig.String())); err != nil || again != sig {
			t.Fatal("ParseSignature", err)
		}
		sig[0] ^= 64
		if _, err := Recover(digest, sig); !errors.Is(err, ErrSignature) {
			t.Fatalf("recovery byte %d: %v", sig[0], err)
		}
	})
}

func TestAccountNames(t *testing.T) {
	for _, name := range []string{"abc", "alice", "a1-", "alice-2", "abc.def", "a--b", "abcdefghijklmnop", "null"} {
		if want := name != "a1-"; ValidAccountName(name) != want {
			t.Errorf("%q: valid %v", name, !want)
		}
	}
	for _, name := range []string{"", "ab", "abcdefghijklmnopq", "1ab", "-ab", "ab.", ".abc", "abc..def", "abc.de", "Abc", "a_b", "abé", "abc ", "a\x00bc", "ab-.abc"} {
		if ValidAccountName(name) {
			t.Errorf("%q is valid", name)
		}
	}
}

func TestUnknownOperation(t *testing.T) {
	for _, text := range []string{
		`["limit_order_create",{"owner":"alice"}]`, `[5,{"owner":"alice"}]`, `{"type":"limit_order_create_operation","value":{}}`,
	} {
		var tx Transaction
		err := json.Unmarshal([]byte(`{"expiration":"2026-01-01T00:00:00","operations":[`+text+`]}`), &tx)
		var unknown *UnknownOperationError
		if !errors.As(err, &unknown) || !strings.Contains(err.Error(), "custom_json") {
			t.Errorf("%s: %v", text, err)
		}
	}
	for _, text := range []string{`[]`, `["vote"]`, `["vote",[]]`, `["vote",null]`, `["vote",{},{}]`, `7`, `null`, `{}`, `{"type":"vote_operation"}`, `["vote",{"weight":"x"}]`, `["vote",{"weight":40000}]`, `["vote",{"weight":1.5}]`} {
		var tx Transaction
		if err := json.Unmarshal([]byte(`{"expiration":"2026-01-01T00:00:00","operations":[`+text+`]}`), &tx); err == nil {
			t.Errorf("%s was read", text)
		}
	}
}

func TestForgedLengths(t *testing.T) {
	frame := func(operations string) string { return "000000000000" + "00000000" + operations }
	for _, text := range []string{
		"", "00", frame(""), frame("01"), frame("ffffffff0f"), frame("ffffffff7f"), frame("ffffffffff01"),
		frame("8000" + "00"),                       // long form of 0
		frame("0112" + "ffffffff0f"),               // custom_json by four billion accounts
		frame("0112" + "0000" + "ffffffff0f"),      // with an id that long
		frame("0105" + "0000"),                     // unknown tag
		frame("00" + "01"),                         // extensions
		frame("00" + "00" + "00"),                  // left over
		frame("0112" + "0000" + "01ff" + "0000"),   // id is not UTF-8
		frame("010a" + "0561616161" + "61" + "02"), // flag 2
	} {
		b, err := hex.DecodeString(text)
		if err != nil {
			t.Fatal(err)
		}
		if tx, err := Decode(b); !errors.Is(err, ErrMalformed) {
			t.Errorf("Decode(%s) = %+v, %v", text, tx, err)
		}
	}
	if n := testing.AllocsPerRun(10, func() { Decode([]byte("\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\xff\xff\xff\xff\x0f")) }); n > 20 {
		t.Errorf("%v allocations for a forged length", n)
	}
}

func TestTimes(t *testing.T) {
	for _, text := range []string{"1970-01-01T00:00:00", "2026-11-22T07:00:00", "2106-02-07T06:28:15"} {
		s, err := ParseTime(text)
		if err != nil || FormatTime(s) != text {
			t.Errorf("%s: %d, %v", text, s, err)
		}
	}
	for _, text := range []string{"", "2026-11-22", "2026-11-22T07:00:00Z", "2026-11-22 07:00:00", "2106-02-07T06:28:16", "1969-12-31T23:59:59", "2026-02-30T00:00:00", "2026-11-22T07:00:00.5"} {
		if s, err := ParseTime(text); err == nil {
			t.Errorf("%q is %d", text, s)
		}
	}
}

func TestMerkleRoot(t *testing.T) {
	leaf := func(i byte) [32]byte { return sha256.Sum256([]byte{i}) }
	pair := func(a, b [32]byte) [32]byte { return sha256.Sum256(append(a[:], b[:]...)) }
	a, b, c := leaf(1), leaf(2), leaf(3)
	ab := pair(a, b)
	abc := pair(ab, c)
	for i, row := range []struct {
		leaves [][32]byte
		want   [20]byte
	}{
		{nil, [20]byte{}},
		{[][32]byte{a}, RIPEMD160(a[:])},
		{[][32]byte{a, b}, RIPEMD160(ab[:])},
		{[][32]byte{a, b, c}, RIPEMD160(abc[:])},
	} {
		if got := MerkleRoot(row.leaves); got != row.want {
			t.Errorf("row %d: %x, want %x", i, got, row.want)
		}
	}
}

func BenchmarkRecover(b *testing.B) {
	key, err := LoginKey("a", "b", "c")
	if err != nil {
		b.Fatal(err)
	}
	digest := sha256.Sum256([]byte("x"))
	sig := key.Sign(digest)
	for b.Loop() {
		if _, err := Recover(digest, sig); err != nil {
			b.Fatal(err)
		}
	}
}
