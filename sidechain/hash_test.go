package sidechain

import (
	"slices"
	"strings"
	"testing"
)

// TestPeerVector recomputes the worked example of peer-spec 1.7.
func TestPeerVector(t *testing.T) {
	tx := &Transaction{
		Ref: 100000001, HasRef: true, ID: "TXID00000001",
		Sender: T("alice"), Contract: T("tokens"), Action: T("transfer"),
		Payload:      T(`{"symbol":"BEE","to":"bob","quantity":"1","isSignedWithActiveKey":true}`),
		DatabaseHash: "ab", Logs: "{}",
	}
	tx.seal(nil, &arena{})
	b := &Block{
		Number: 7, Ref: 100000001, RefID: "ABCD1", PrevRefID: "ABCD2", Timestamp: "2018-06-01T00:00:00",
		PreviousHash: "PREV", PreviousDatabaseHash: "PREVDB", Transactions: []*Transaction{tx},
	}
	b.seal()
	for _, h := range []struct{ what, got, want string }{
		{"transaction", tx.Hash, "100e67d7abe02ca184eab39c3b2da03529b6e5915e0c0086117836726c580f21"},
		{"merkle root", b.MerkleRoot, "a6ffedd8b485e55057cec55522eb8ba1696bd158f7507029509bc3ef7a8a2fd6"},
		{"database hash", b.DatabaseHash, "a667282675f4876021d392aa6592f39dabf718748c4b738563cb9d5dc8f21f24"},
		{"block", b.Hash, "4e9fc1ce6d537e89fbdf39e6ef15986b1b98f91d3b807d006e48c500497f8a31"},
	} {
		if h.got != h.want {
			t.Errorf("%s hash %s, want %s", h.what, h.got, h.want)
		}
	}
}

// TestDatabaseHash recomputes the other one: two writes to one table after
// "prevdb".
func TestDatabaseHash(t *testing.T) {
	var table digest
	db := []byte("prevdb")
	for i, want := range []string{
		"619094b1821dcc8dbf5db4538246a1202c4bd4b2f52d9f7699e291c7fff62988",
		"6a7c9bac1f7017bd13d10606d15e2381605872bb8754ef2669f1ae028e3629f0",
	} {
		table.sum(table.text())
		db = []byte(sha256Text(append(db, table.text()...)))
		if string(db) != want {
			t.Errorf("after write %d: %s, want %s", i+1, db, want)
		}
	}
}

func TestMerkleOdd(t *testing.T) {
	a, b, c := sha256Text([]byte("a")), sha256Text([]byte("b")), sha256Text([]byte("c"))
	if got, want := merkle([]string{a, b, c}), pairHash(pairHash(a, b), pairHash(c, c)); got != want {
		t.Errorf("three leaves: %s, want %s", got, want)
	}
	if got := merkle(nil); got != "" {
		t.Errorf("no leaves: %s", got)
	}
}

func TestTransactionText(t *testing.T) {
	tx := &Transaction{ID: "x", Payload: Text{}, Logs: `{"errors":["a\"b"]}`}
	want := `{"transactionId":"x","sender":null,"contract":null,"action":null,"payload":null,"executedCodeHash":"","hash":"","databaseHash":"","logs":"{\"errors\":[\"a\\\"b\"]}"}`
	if got := string(tx.AppendJSON(nil)); got != want {
		t.Errorf("%s, want %s", got, want)
	}
	if got := string(tx.appendRef(nil)); got != "undefined" {
		t.Errorf("absent number is %s", got)
	}
}

func TestRules(t *testing.T) {
	peer, ours := Rules{History: true}, Rules{Switches: map[string]bool{"gate": true}}
	for _, tt := range []struct {
		rules Rules
		name  string
		ref   uint64
		has   bool
		want  bool
	}{
		{peer, ruleBurnFee, 96287447, true, false},
		{peer, ruleBurnFee, 96287448, true, true},
		{peer, ruleBurnFee, 0, false, false},
		{peer, ruleCodeHash, 0, false, true},
		{peer, "gate", 99999999, true, false},
		{ours, ruleBurnFee, 1, true, true},
		{ours, "gate", 1, true, true},
		{ours, "other", 1, true, false},
	} {
		if got := tt.rules.on(tt.name, tt.ref, tt.has); got != tt.want {
			t.Errorf("%s at %d: %v", tt.name, tt.ref, got)
		}
	}
}

// TestPairHashes: what is remembered is the hash of the pair, however many
// there are.
func TestPairHashes(t *testing.T) {
	var p pairHashes
	for i := range 200 {
		left, right := string(rune('a'+i%17)), string(rune('a'+i%23))
		if i%3 == 0 {
			left, right = left+right, ""
		}
		if got, want := p.hash(left, right), pairHash(left, right); got != want {
			t.Fatalf("%q and %q: %s, want %s", left, right, got, want)
		}
	}
}

// Strings of an arena are what went into it, long ones too.
func TestArena(t *testing.T) {
	var a arena
	var got, want []string
	for i := range 3000 {
		text := strings.Repeat(string(rune('a'+i%26)), i*7%150)
		if i%500 == 0 {
			text = strings.Repeat("x", arenaSize*i/1000)
		}
		want = append(want, text)
		got = append(got, a.text([]byte(text)))
	}
	if !slices.Equal(got, want) {
		t.Fatal("other strings")
	}
}
