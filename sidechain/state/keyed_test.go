package state

import (
	"testing"

	"causeway/sidechain/jsvalue"

	"pgregory.net/rapid"
)

var keyedDef = TableDef{
	Name: "c_votes", PrimaryKey: []string{"pool", "voter"},
	Indexes: []Index{{Name: "pool+at", Fields: []string{"pool", "at"}}},
}

// TestKeyed: rows that come with their _id are those that get one, and are
// found by the values of the key.
func TestKeyed(t *testing.T) {
	values := []jsvalue.Value{1.0, 2.5, -3.0, "al", "", "ü", "\xed\xa0\xbd", nil, true, jsvalue.Undefined{},
		jsvalue.NewObject("$numberDecimal", "1.5"), jsvalue.NewObject("a", "x"), []jsvalue.Value{"x"}}
	rapid.Check(t, func(t *rapid.T) {
		plain, late := newTwinOf(keyedDef), newTwinOf(keyedDef)
		for range rapid.IntRange(1, 40).Draw(t, "rows") {
			pool := rapid.SampledFrom(values).Draw(t, "pool")
			voter := rapid.SampledFrom(values).Draw(t, "voter")
			at := rapid.SampledFrom(values).Draw(t, "at")
			id := plain.t.PrimaryID(jsvalue.NewObject("pool", pool, "voter", voter))
			old := late.t.GetBy(pool, voter)
			if a := plain.t.Get(id); (a == nil) != (old == nil) {
				t.Fatalf("found by one way only: %v, %v", a, old)
			}
			if old != nil {
				plain.t.Remove(plain.t.Get(id))
				late.t.Remove(old)
				continue
			}
			plain.t.Insert(jsvalue.NewObject("pool", pool, "voter", voter, "at", at))
			own := jsvalue.NewObject()
			for name, v := range jsvalue.NewObject("pool", pool, "voter", voter).All() {
				if v != (jsvalue.Undefined{}) {
					own.Set(name, v)
				}
			}
			late.t.InsertAs(jsvalue.NewObject("_id", own, "pool", pool, "voter", voter, "at", at))
		}
		if a, b := plain.dump(), late.dump(); a != b {
			t.Fatalf("inserted:\n%s\nas stored:\n%s", a, b)
		}
	})
}

func TestInsertAsRefuses(t *testing.T) {
	_, tab := memory(t, keyedDef)
	row := func(of string) Row {
		return jsvalue.NewObject("_id", jsvalue.NewObject("pool", 1, "voter", of), "pool", 1, "voter", "al")
	}
	tab.InsertAs(row("al"))
	for name, r := range map[string]Row{"twice": row("al"), "another's _id": row("bo")} {
		func() {
			defer func() {
				if recover() == nil {
					t.Errorf("%s: inserted", name)
				}
			}()
			tab.InsertAs(r)
		}()
	}
}

// TestFlatKey: the short way to the key of an object of texts and numbers gives
// what the long one gives.
func TestFlatKey(t *testing.T) {
	for _, o := range []*jsvalue.Object{
		jsvalue.NewObject(),
		jsvalue.NewObject("account", "al"),
		jsvalue.NewObject("pool", 1, "authorperm", "@al/p\x00", "voter", ""),
		jsvalue.NewObject("a", -2.5, "b", 0, "7", 1e300, "ü", "ü"),
	} {
		key, ok := appendFlat([]byte("before"), o)
		if want := append([]byte("before"), objectKey(o)...); !ok || string(key) != string(want) {
			t.Errorf("%s: %x, want %x", jsvalue.Stringify(o), key, want)
		}
	}
	for _, o := range []*jsvalue.Object{jsvalue.NewObject("a", nil), jsvalue.NewObject("a", true), jsvalue.NewObject("a", jsvalue.NewObject())} {
		if _, ok := appendFlat(nil, o); ok {
			t.Errorf("%s is flat", jsvalue.Stringify(o))
		}
	}
}
