package state

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"causeway/sidechain/jsvalue"

	"pgregory.net/rapid"
)

var bookDef = TableDef{
	Name:    "m_book",
	Indexes: []Index{{Name: "who", Fields: []string{"who"}}},
	Lookups: []Index{{Name: "who+price", Fields: []string{"who", "price"}}},
}

// twin is a table and what its hook was told.
type twin struct {
	s     *Section
	t     *Table
	heard []string
}

func newTwin() *twin { return newTwinOf(bookDef) }

func newTwinOf(def TableDef) *twin {
	db, err := Open("")
	if err != nil {
		panic(err)
	}
	w := &twin{s: db.Tables()}
	w.t = w.s.CreateTable(def)
	w.s.OnWrite = func(table string, op byte) { w.heard = append(w.heard, table+string(op)) }
	return w
}

func (w *twin) dump() string {
	var b strings.Builder
	for row := range w.t.All() {
		fmt.Fprintln(&b, jsvalue.Stringify(row))
	}
	for _, ix := range w.t.indexes {
		for row := range w.t.Ascend(ix.Name, nil, nil) {
			fmt.Fprintln(&b, jsvalue.Stringify(row.Get("_id")))
		}
	}
	fmt.Fprintf(&b, "%d %d %x %v", w.t.Len(), w.t.Sequence(), w.s.Root(), w.heard)
	return b.String()
}

// TestDeferred: rows that are counted first and stored at the end leave what
// rows leave that are stored at every step, a rollback included.
func TestDeferred(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		plain, late := newTwin(), newTwin()
		marks := [2]Mark{plain.s.Savepoint(), late.s.Savepoint()}
		for range rapid.IntRange(1, 30).Draw(t, "orders") {
			who := rapid.SampledFrom([]string{"al", "bo", "ü", "\xed\xa0\xbd\xed\xb8\x80"}).Draw(t, "who")
			price := rapid.SampledFrom([]jsvalue.Value{1.0, "1", nil, true, jsvalue.NewObject("$numberDecimal", "1.5"),
				jsvalue.NewObject("a", 1), []jsvalue.Value{2.0}, jsvalue.Undefined{}}).Draw(t, "price")
			row := plain.t.Insert(jsvalue.NewObject("who", who, "price", price))
			id := late.t.Reserve()
			changes := rapid.IntRange(0, 3).Draw(t, "changes")
			for i := range changes {
				row = plain.t.Update(jsvalue.NewObject("_id", row.Get("_id"), "n", i))
				late.t.Count(OpUpdate)
			}
			out := jsvalue.NewObject("_id", id, "who", who, "price", price)
			if changes > 0 {
				out.Set("n", changes-1)
			}
			switch rapid.IntRange(0, 3).Draw(t, "end") {
			case 0:
				plain.t.Remove(row)
				late.t.Count(OpRemove)
			case 1: // looked at before it is removed
				plain.t.Remove(row)
				late.t.Remove(late.t.Keep(out))
			case 2:
				late.t.Keep(out)
			case 3: // looked at before its end
				late.t.Keep(jsvalue.NewObject("_id", id, "who", who))
				late.t.Keep(out)
			}
		}
		if a, b := plain.dump(), late.dump(); a != b {
			t.Fatalf("at once:\n%s\nlate:\n%s", a, b)
		}
		plain.s.Rollback(marks[0])
		late.s.Rollback(marks[1])
		if a, b := plain.dump(), late.dump(); a != b || late.t.Len() != 0 || late.t.Sequence() != 1 {
			t.Fatalf("taken back:\n%s\nlate:\n%s", a, b)
		}
	})
}

func TestDeferredRefuses(t *testing.T) {
	_, tab := memory(t, bookDef)
	_, keyed := memory(t, TableDef{Name: "c_k", PrimaryKey: []string{"a"}})
	for name, f := range map[string]func(){
		"no _id":      func() { tab.Keep(jsvalue.NewObject("who", "al")) },
		"no sequence": func() { keyed.Reserve() },
	} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: accepted", name)
				}
			}()
			f()
		}()
	}
}

// TestEdges compares the ends of an index with all of it.
func TestEdges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		w := newTwin()
		for range rapid.IntRange(0, 200).Draw(t, "rows") {
			w.t.Insert(jsvalue.NewObject(
				"who", rapid.SampledFrom([]string{"al", "bo", "", "al\x00"}).Draw(t, "who"),
				"price", rapid.IntRange(0, 5).Draw(t, "price")))
		}
		for _, who := range []string{"al", "bo", "", "al\x00", "zz"} {
			var all []Row
			for row := range w.t.Descend("who+price", []jsvalue.Value{who}, []jsvalue.Value{who}) {
				all = append(all, row)
			}
			var last Row
			if len(all) > 0 {
				last = all[0]
			}
			if got := w.t.FindLast("who+price", who); got != last {
				t.Fatalf("%q: the last is %s, want %s", who, jsvalue.Stringify(got), jsvalue.Stringify(last))
			}
			for _, most := range []int{0, 1, 7, 1000} {
				if got := w.t.CountUpTo(most, "who+price", who); got != min(most, len(all)) {
					t.Fatalf("%q: %d of %d, at most %d", who, got, len(all), most)
				}
				some := slices.Collect(w.t.FindAll("who+price", who))
				if got := w.t.FindSome(most, "who+price", who); !slices.Equal(got, some[:min(most, len(some))]) {
					t.Fatalf("%q: found %d of %d, at most %d", who, len(got), len(some), most)
				}
			}
		}
		whole := slices.Collect(w.t.Descend("who+price", nil, nil))
		if got := w.t.FindLast("who+price"); len(whole) > 0 && got != whole[0] || len(whole) == 0 && got != nil {
			t.Fatalf("the last of all is %s", jsvalue.Stringify(got))
		}
	})
}
