package state

import (
	"fmt"
	"math"
	"slices"
	"strings"
	"testing"

	"causeway/sidechain/jsvalue"
)

func memory(t *testing.T, def TableDef) (*Section, *Table) {
	t.Helper()
	s := mustOpen(t, "").Tables()
	return s, s.CreateTable(def)
}

func wantRow(t *testing.T, got Row, want string) {
	t.Helper()
	if text := jsvalue.Stringify(got); text != want {
		t.Fatalf("row is %s, want %s", text, want)
	}
}

func TestRowForms(t *testing.T) {
	_, tab := memory(t, TableDef{Name: "c_t"})
	inner := jsvalue.NewObject("x", 1)
	list := []jsvalue.Value{inner, math.NaN(), jsvalue.Undefined{}}
	given := jsvalue.NewObject("b", 1, "_id", 77, "a", jsvalue.Undefined{}, "nan", math.Inf(1), "zero", math.Copysign(0, -1),
		"list", list, "pair", "\xed\xa0\xbd\xed\xb8\x80", "lone", "\xed\xa0\xbd")
	row := tab.Insert(given)
	wantRow(t, row, `{"_id":1,"b":1,"nan":null,"zero":0,"list":[{"x":1},null,null],"pair":"😀","lone":"\ud83d"}`)
	if f, _ := row.Number("zero"); math.Signbit(f) {
		t.Fatal("minus zero was kept")
	}
	inner.Set("x", 2) // the caller's own
	list[1] = "changed"
	wantRow(t, tab.Get(1), `{"_id":1,"b":1,"nan":null,"zero":0,"list":[{"x":1},null,null],"pair":"😀","lone":"\ud83d"}`)
	parsed, err := jsvalue.Parse(jsvalue.Stringify(row))
	if err != nil || !jsvalue.Equal(parsed, row) {
		t.Fatalf("not the same after a round trip: %v", err)
	}
	old := row
	row = tab.Update(jsvalue.NewObject("_id", 1, "z", 1, "zero", 5, "c", 2, "b", jsvalue.Undefined{}, "m", nil), "list", "pair", "lone", "nope", "_id")
	wantRow(t, row, `{"_id":1,"b":1,"nan":null,"zero":5,"c":2,"m":null,"z":1}`)
	wantRow(t, old, `{"_id":1,"b":1,"nan":null,"zero":0,"list":[{"x":1},null,null],"pair":"😀","lone":"\ud83d"}`)
	wantRow(t, tab.Update(jsvalue.NewObject("z", 1, "a", 2, "_id", 9)), `{"_id":9,"a":2,"z":1}`)
	wantRow(t, tab.Put(jsvalue.NewObject("z", 1, "_id", 9, "a", 3)), `{"_id":9,"z":1,"a":3}`)
	if tab.Sequence() != 2 || tab.Len() != 2 {
		t.Fatalf("next id %d, %d rows", tab.Sequence(), tab.Len())
	}
}

func TestPrimaryKey(t *testing.T) {
	_, tab := memory(t, TableDef{Name: "comments_votes", PrimaryKey: []string{"pool", "voter"}})
	for _, r := range []Row{
		jsvalue.NewObject("voter", "bob", "pool", 2, "w", 1),
		jsvalue.NewObject("voter", "al", "pool", 10),
		jsvalue.NewObject("pool", 2, "voter", "al"),
		jsvalue.NewObject("pool", "2", "voter", "al"),
		jsvalue.NewObject("pool", 2),
	} {
		tab.Insert(r)
	}
	var got []string
	for row := range tab.All() {
		got = append(got, jsvalue.Stringify(row.Get("_id")))
	}
	want := []string{`{"pool":2}`, `{"pool":2,"voter":"al"}`, `{"pool":2,"voter":"bob"}`, `{"pool":10,"voter":"al"}`, `{"pool":"2","voter":"al"}`}
	if !slices.Equal(got, want) {
		t.Fatalf("order %s", got)
	}
	wantRow(t, tab.Get(jsvalue.NewObject("pool", 2, "voter", "bob")), `{"_id":{"pool":2,"voter":"bob"},"voter":"bob","pool":2,"w":1}`)
	if tab.Get(jsvalue.NewObject("voter", "bob", "pool", 2)) != nil || tab.Get(2) != nil {
		t.Fatal("found by another id")
	}
}

// TestProgrammingErrors are panics: they are the same on every node.
func TestProgrammingErrors(t *testing.T) {
	s, tab := memory(t, TableDef{Name: "c_t", PrimaryKey: []string{"k"}})
	tab.Insert(jsvalue.NewObject("k", 1))
	for name, f := range map[string]func(){
		"duplicate key":          func() { tab.Insert(jsvalue.NewObject("k", 1)) },
		"no _id":                 func() { tab.Update(jsvalue.NewObject("k", 1)) },
		"put no _id":             func() { tab.Put(jsvalue.NewObject("k", 1)) },
		"change of no row":       func() { tab.Change(jsvalue.NewObject("_id", jsvalue.NewObject("k", 1), "k", 2), "k", 3) },
		"change of no field":     func() { tab.Change(tab.Get(jsvalue.NewObject("k", 1)), "nope", 3) },
		"change of _id":          func() { tab.Change(tab.Get(jsvalue.NewObject("k", 1)), "_id", 3) },
		"change without a value": func() { tab.Change(tab.Get(jsvalue.NewObject("k", 1)), append([]any(nil), "k")...) },
		"unknown index":          func() { tab.Find1("nope", 1) },
		"empty index":            func() { s.CreateTable(TableDef{Name: "c_u", Indexes: []Index{{Name: "x"}}}) },
		"forgotten mark":         func() { m := s.Savepoint(); tab.Insert(jsvalue.NewObject("k", 2)); s.Forget(); s.Rollback(m) },
		"undone mark": func() {
			m := s.Savepoint()
			tab.Insert(jsvalue.NewObject("k", 3))
			n := s.Savepoint()
			s.Rollback(m)
			s.Rollback(n)
		},
	} {
		func() {
			defer func() {
				if r := recover(); r == nil || !strings.Contains(fmt.Sprint(r), "state: ") {
					t.Errorf("%s: %v", name, r)
				}
			}()
			f()
		}()
	}
}

func TestRollbackOfDefinitions(t *testing.T) {
	s, tab := memory(t, TableDef{Name: "c_t", Indexes: []Index{{"a", []string{"a"}}}, Lookups: []Index{{"l", []string{"l"}}}})
	tab.Insert(jsvalue.NewObject("a", 1, "b", 2, "l", 3))
	s.Forget()
	root := s.Root()
	m := s.Savepoint()
	s.CreateTable(TableDef{Name: "c_t", Indexes: []Index{{"b", []string{"b"}}}, Lookups: []Index{{"m", []string{"l"}}}})
	tab.Insert(jsvalue.NewObject("a", 1, "b", 1))
	if got := tab.Select(nil, []Order{{"b", false}}, 0, -1); len(got) != 2 || got[0].Get("b") != 1.0 {
		t.Fatal("the new index has no rows")
	}
	if tab.Find1("m", 3) == nil {
		t.Fatal("the new lookup has no rows")
	}
	s.CreateTable(TableDef{Name: "c_new"}).Insert(jsvalue.NewObject("x", 1))
	s.Root()
	s.Rollback(m)
	if s.Table("c_new") != nil || len(tab.Def().Indexes) != 1 || len(tab.Def().Lookups) != 1 || tab.Sequence() != 2 {
		t.Fatal("definitions or sequence stayed")
	}
	if tab.Find1("a", 1) == nil || tab.Find1("l", 3) == nil {
		t.Fatal("the old indexes are gone")
	}
	if s.Root() != root {
		t.Fatal("another root")
	}
	wantRow(t, s.CreateTable(TableDef{Name: "c_new"}).Insert(jsvalue.NewObject("x", 1)), `{"_id":1,"x":1}`)
}

// TestBook is price-time priority: best price first, then the older order.
func TestBook(t *testing.T) {
	_, tab := memory(t, TableDef{Name: "market_sellBook", Lookups: []Index{{"book", []string{"symbol", "priceDec"}}}})
	for _, price := range []string{"0.5", "0.10", "10", "0.1", "2", "0.50000000"} {
		tab.Insert(jsvalue.NewObject("symbol", "A", "priceDec", dec(price)))
	}
	tab.Insert(jsvalue.NewObject("symbol", "AA", "priceDec", dec("0.01")))
	ids := func(seq func(func(Row) bool)) (ids []float64) {
		for row := range seq {
			id, _ := row.Number("_id")
			ids = append(ids, id)
		}
		return ids
	}
	v := func(vals ...jsvalue.Value) []jsvalue.Value { return vals }
	for _, c := range []struct {
		name string
		got  []float64
		want []float64
	}{
		{"asks", ids(tab.Ascend("book", v("A"), v("A", dec("2")))), []float64{2, 4, 1, 6, 5}},
		{"bids", ids(tab.Descend("book", v("A"), v("A", dec("0.5")))), []float64{3, 5, 1, 6}},
		{"bids of all symbols", ids(tab.Descend("book", nil, nil)), []float64{7, 3, 5, 1, 6, 2, 4}},
		{"equal", ids(tab.FindAll("book", "A", 0.5)), []float64{1, 6}},
		{"none", ids(tab.FindAll("book", "B")), nil},
	} {
		if !slices.Equal(c.got, c.want) {
			t.Errorf("%s: %v, want %v", c.name, c.got, c.want)
		}
	}
	for row := range tab.FindAll("book", "A") { // writing while walking
		tab.Remove(row)
	}
	if tab.Len() != 1 {
		t.Fatalf("%d rows left", tab.Len())
	}
}

func TestSelectOverArrays(t *testing.T) {
	_, tab := memory(t, TableDef{Name: "c_t", Indexes: []Index{{"tags", []string{"tags"}}}})
	tab.Insert(jsvalue.NewObject("tags", "a"))
	row := tab.Insert(jsvalue.NewObject("tags", []jsvalue.Value{"b", "a"}))
	all := func(Row) bool { return true }
	if got := tab.Select(all, nil, 0, -1, Fact{Field: "tags", Values: []jsvalue.Value{"a"}}); len(got) != 2 {
		t.Fatalf("an index over arrays was used: %d rows", len(got))
	}
	tab.Remove(row)
	if got := tab.Select(all, nil, 0, -1, Fact{Field: "tags", Values: []jsvalue.Value{"b"}}); len(got) != 0 {
		t.Fatalf("the index was not used: %d rows", len(got))
	}
}

func TestCodec(t *testing.T) {
	d := newDictionary(nil)
	row := jsvalue.NewObject("_id", 1, "a", -1.5, "b", []jsvalue.Value{true, nil, dec("1.0")}, "c", jsvalue.NewObject("x", "y"))
	data := d.appendRow(nil, row)
	got, err := d.row(data)
	if err != nil || !jsvalue.Equal(got, row) {
		t.Fatalf("%s, %v", jsvalue.Stringify(got), err)
	}
	for n := range data {
		if _, err := d.row(data[:n]); err == nil {
			t.Fatalf("%d of %d bytes are taken for a row", n, len(data))
		}
	}
	if _, err := d.row(append(data, 0)); err == nil {
		t.Fatal("bytes behind the row are ignored")
	}
}

func FuzzCodec(f *testing.F) {
	d := newDictionary([]string{"_id", "account"})
	f.Add(d.appendRow(nil, jsvalue.NewObject("_id", 1, "account", "x", "n", []jsvalue.Value{1.5, dec("2")})))
	f.Add([]byte{valObject, 1, 1, valArray, 200, 1})
	f.Fuzz(func(t *testing.T, data []byte) {
		row, err := d.row(data)
		if err != nil {
			return
		}
		again, err := newDictionary(nil).row(newDictionary([]string{}).appendObject(nil, row))
		if err != nil || jsvalue.Stringify(again) != jsvalue.Stringify(row) {
			t.Fatalf("%s becomes %s: %v", jsvalue.Stringify(row), jsvalue.Stringify(again), err)
		}
	})
}

func FuzzKey(f *testing.F) {
	f.Add(`1`, `{"$numberDecimal":"1.0"}`)
	f.Add(`"a\u0000"`, `["a",{"b":null}]`)
	f.Fuzz(func(t *testing.T, x, y string) {
		a, errA := jsvalue.Parse(x)
		b, errB := jsvalue.Parse(y)
		if errA != nil || errB != nil {
			return
		}
		if Compare(a, b) != -Compare(b, a) || Compare(a, a) != 0 {
			t.Fatalf("%s and %s are not ordered", x, y)
		}
	})
}
