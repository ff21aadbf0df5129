package state

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"causeway/sidechain/jsvalue"

	"pgregory.net/rapid"
)

// naiveRoot is the definition of the tree, written down a second time.
func naiveRoot(rows map[string]string, prefix string) string {
	h := func(parts ...string) string {
		sum := sha256.Sum256([]byte(strings.Join(parts, "")))
		return string(sum[:])
	}
	bits := func(key string) string {
		var b strings.Builder
		for _, c := range []byte(key) {
			fmt.Fprintf(&b, "%08b", c)
		}
		return b.String()
	}
	var only string
	n := 0
	for key := range rows {
		if strings.HasPrefix(bits(key), prefix) {
			only = key
			n++
		}
	}
	switch n {
	case 0:
		return string(make([]byte, 32))
	case 1:
		return h("\x00", only, h(rows[only]))
	}
	return h("\x01", naiveRoot(rows, prefix+"0"), naiveRoot(rows, prefix+"1"))
}

func TestRootDefinition(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		db, _ := Open("")
		want := map[string]string{}
		for _, name := range []string{"a_x", "a_y"} {
			tab := db.Tables().CreateTable(TableDef{Name: name})
			for range rapid.IntRange(0, 12).Draw(t, "rows") {
				row := tab.Insert(jsvalue.NewObject("v", rapid.IntRange(0, 9).Draw(t, "v")))
				key := sha256.Sum256([]byte(name + "\x00" + jsvalue.Stringify(row.Get("_id"))))
				want[string(key[:])] = jsvalue.Stringify(row)
			}
		}
		sum := sha256.Sum256([]byte(naiveRoot(want, "") + naiveRoot(nil, "")))
		if got := db.Root(); got != sum {
			t.Fatalf("root %x, want %x", got, sum)
		}
	})
}

// TestRootPinned fixes the root for ever: it is part of consensus.
func TestRootPinned(t *testing.T) {
	db, _ := Open("")
	empty := db.Root()
	db.Tables().CreateTable(balancesDef).Insert(balanceRow(1))
	keyed := db.Base().CreateTable(TableDef{Name: "accounts", PrimaryKey: []string{"name"}})
	keyed.Insert(jsvalue.NewObject("name", "é\"\n", "n", 0.1, "d", dec("1.50")))
	keyed.Insert(jsvalue.NewObject("name", "b", "list", []jsvalue.Value{nil, true, 1e21, jsvalue.NewObject("2", 1, "a", "x")}))
	full := db.Root()
	for _, c := range []struct{ name, want, got string }{
		{"empty", "f5a5fd42d16a20302798ef6ed309979b43003d2320d9f0e8ea9831a92759fb4b", hex.EncodeToString(empty[:])},
		{"full", "1ced24bf20a7bbdcca62a3edbad63f63d2de9b2b780eae5bfa97673386e5656f", hex.EncodeToString(full[:])},
	} {
		if c.got != c.want {
			t.Errorf("%s: %s, want %s", c.name, c.got, c.want)
		}
	}
}

func TestProof(t *testing.T) {
	db, _ := Open("")
	for n, s := range []*Section{db.Base(), db.Tables()} {
		tab := s.CreateTable(balancesDef)
		for i := range 300 + n {
			tab.Insert(balanceRow(i))
		}
	}
	root := db.Root()
	const name = "tokens_balances"
	row := db.Tables().Table(name).Get(17)
	p, err := db.Tables().Prove(name, row.Get("_id"))
	if err != nil {
		t.Fatal(err)
	}
	text, err := json.Marshal(p)
	if err != nil {
		t.Fatal(err)
	}
	var again Proof
	if err := json.Unmarshal(text, &again); err != nil {
		t.Fatal(err)
	}
	if err := VerifyProof(root, name, 17.0, row, again); err != nil {
		t.Fatal(err)
	}
	changed := row.Clone()
	changed.Set("balance", "1000000.00000000")
	other := db.Tables().Table(name).Get(18)
	absent, err := db.Tables().Prove(name, 1000.0)
	if err != nil {
		t.Fatal(err)
	}
	if err := VerifyProof(root, name, 1000.0, nil, absent); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		name  string
		table string
		id    jsvalue.Value
		row   Row
		edit  func(p *Proof)
	}{
		{"changed row", name, 17.0, changed, nil},
		{"another row", name, 18.0, other, nil},
		{"another id", name, 18.0, row, nil},
		{"another table", "tokens_balance", 17.0, row, nil},
		{"absent", name, 17.0, nil, nil},
		{"absent beside itself", name, 17.0, nil, func(p *Proof) {
			p.Other = &Leaf{Key: rowKey(name, 17.0), Row: sha256.Sum256([]byte(jsvalue.Stringify(row)))}
		}},
		{"absent beside another", name, 17.0, nil, func(p *Proof) {
			p.Other = &Leaf{Key: rowKey(name, 18.0), Row: sha256.Sum256([]byte(jsvalue.Stringify(other)))}
		}},
		{"row and another", name, 17.0, row, func(p *Proof) { p.Other = &Leaf{} }},
		{"the other section", name, 17.0, row, func(p *Proof) { p.Section = "base" }},
		{"no section", name, 17.0, row, func(p *Proof) { p.Section = "" }},
		{"sibling changed", name, 17.0, row, func(p *Proof) { p.Siblings[2][0] ^= 1 }},
		{"sibling missing", name, 17.0, row, func(p *Proof) { p.Siblings = p.Siblings[1:] }},
		{"siblings too many", name, 17.0, row, func(p *Proof) { p.Siblings = make([]Hash, 257) }},
		{"other root", name, 17.0, row, func(p *Proof) { p.Beside[0] ^= 1 }},
	} {
		q := p
		q.Siblings = append([]Hash(nil), p.Siblings...)
		if c.edit != nil {
			c.edit(&q)
		}
		if err := VerifyProof(root, c.table, c.id, c.row, q); !errors.Is(err, ErrProof) {
			t.Errorf("%s: %v", c.name, err)
		}
	}
	if err := VerifyProof([32]byte{}, name, 17.0, row, p); !errors.Is(err, ErrProof) {
		t.Errorf("another root: %v", err)
	}
	if last, ok := db.LastRoot(); last != root || !ok {
		t.Errorf("last root %x, %v", last, ok)
	}
	db.Base().Table(name).Remove(row)
	if _, ok := db.LastRoot(); ok {
		t.Error("the last root is not stale")
	}
	if _, err := db.Tables().Prove(name, 17.0); !errors.Is(err, ErrRootStale) {
		t.Errorf("proof of a stale root: %v", err)
	}
}

func TestHashText(t *testing.T) {
	var h Hash
	for _, bad := range []string{"", "00", strings.Repeat("0", 63) + "x", strings.Repeat("0", 66)} {
		if h.UnmarshalText([]byte(bad)) == nil {
			t.Errorf("%q is taken", bad)
		}
	}
}

// FuzzVerifyProof: no proof that strangers make up holds, or crashes.
func FuzzVerifyProof(f *testing.F) {
	db, _ := Open("")
	tab := db.Tables().CreateTable(balancesDef)
	for i := range 50 {
		tab.Insert(balanceRow(i))
	}
	root := db.Root()
	p, _ := db.Tables().Prove("tokens_balances", 7.0)
	text, _ := json.Marshal(p)
	f.Add(text, `{"_id":7}`)
	f.Add([]byte(`{"section":"tables","siblings":[],"other":{"key":"","row":""}}`), "")
	f.Fuzz(func(t *testing.T, text []byte, rowText string) {
		var p Proof
		if json.Unmarshal(text, &p) != nil {
			return
		}
		v, _ := jsvalue.Parse(rowText)
		row, _ := v.(Row)
		if VerifyProof(root, "tokens_balances", 7.0, row, p) == nil && !jsvalue.Equal(row, tab.Get(7)) {
			t.Fatal("a made-up proof holds")
		}
	})
}
