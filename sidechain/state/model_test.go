package state

import (
	"fmt"
	"maps"
	"slices"
	"sort"
	"testing"

	"causeway/sidechain/jsvalue"

	"pgregory.net/rapid"
)

// model is a table as a plain list of rows.
type model struct {
	primary []string
	rows    []Row
	seq     int
	writes  string
}

func (m model) clone() model {
	m.rows = slices.Clone(m.rows)
	return m
}

func (m *model) find(id jsvalue.Value) int {
	return slices.IndexFunc(m.rows, func(r Row) bool { return naiveCompare(r.Get("_id"), id) == 0 })
}

func (m *model) put(i int, row Row) {
	if i < 0 {
		m.rows = append(m.rows, row)
		return
	}
	m.rows[i] = row
}

func (m *model) insert(row Row) bool {
	var id jsvalue.Value = float64(m.seq)
	if m.primary != nil {
		o := jsvalue.NewObject()
		for _, f := range m.primary {
			o.Set(f, row.Get(f))
		}
		id = o
		if m.find(id) >= 0 {
			return false
		}
	} else {
		m.seq++
	}
	stored := jsvalue.NewObject("_id", id)
	for k, v := range row.All() {
		stored.Set(k, v)
	}
	m.put(-1, stored)
	m.writes += "i"
	return true
}

func (m *model) update(patch Row, unsets []string) {
	i := m.find(patch.Get("_id"))
	old := jsvalue.NewObject("_id", patch.Get("_id"))
	if i >= 0 {
		old = m.rows[i].Clone()
	}
	names := patch.Keys()
	sort.Strings(names)
	for _, name := range names {
		if name != "_id" {
			old.Set(name, patch.Get(name))
		}
	}
	for _, name := range unsets {
		old.Delete(name)
	}
	m.put(i, old)
	m.writes += "u"
}

func (m *model) remove(id jsvalue.Value) {
	m.writes += "r"
	if i := m.find(id); i >= 0 {
		m.rows = slices.Delete(m.rows, i, i+1)
	}
}

// sorted returns the rows that match, by fields and then _id; a field with a
// leading "-" descends.
func (m *model) sorted(match func(Row) bool, fields ...string) []Row {
	var rows []Row
	for _, r := range m.rows {
		if match == nil || match(r) {
			rows = append(rows, r)
		}
	}
	sort.SliceStable(rows, func(i, j int) bool {
		for _, f := range append(fields, "_id") {
			down := f[0] == '-'
			if down {
				f = f[1:]
			}
			if c := naiveCompare(rows[i].Get(f), rows[j].Get(f)); c != 0 {
				return c < 0 != down
			}
		}
		return false
	})
	return rows
}

// rebuilt is the root of a new store with the same rows, put in another order.
func (m *model) rebuilt(def TableDef, seed int) [32]byte {
	db, _ := Open("")
	t := db.Tables().CreateTable(def)
	for i := range m.rows {
		t.Put(m.rows[(i*7+seed)%len(m.rows)])
	}
	for _, r := range m.rows {
		t.Put(r)
	}
	return db.Root()
}

var modelDefs = []TableDef{
	{
		Name:    "t_seq",
		Indexes: []Index{{"a", []string{"a"}}, {"b", []string{"b"}}, {"byBC", []string{"b", "c"}}},
		Lookups: []Index{{"ab", []string{"a", "b"}}, {"b", []string{"b"}}, {"cba", []string{"c", "b", "a"}}},
	},
	{
		Name:       "t_key",
		PrimaryKey: []string{"a", "b"},
		Indexes:    []Index{{"c", []string{"c"}}, {"b", []string{"b"}}},
		Lookups:    []Index{{"ab", []string{"a", "b"}}, {"b", []string{"b"}}, {"cba", []string{"c", "b", "a"}}},
	},
}

// machine drives a table and its model.
type machine struct {
	t      *rapid.T
	db     *DB
	table  *Table
	model  model
	marks  []Mark
	saved  []model
	writes string
	held   []heldRow
}

func genField() *rapid.Generator[jsvalue.Value] {
	return rapid.OneOf(
		rapid.Map(rapid.IntRange(0, 5), func(n int) jsvalue.Value { return float64(n) }),
		rapid.SampledFrom([]jsvalue.Value{"x", "y", "", nil, dec("2.50"), dec("3"), true}),
	)
}

func (m *machine) row() Row {
	row := jsvalue.NewObject()
	for _, f := range rapid.Permutation([]string{"a", "b", "c", "d", "7"}).Draw(m.t, "fields") {
		if f == "a" || f == "b" || rapid.Bool().Draw(m.t, "has") {
			row.Set(f, genField().Draw(m.t, f))
		}
	}
	return row
}

func (m *machine) id() jsvalue.Value {
	if n := len(m.model.rows); n > 0 && rapid.IntRange(0, 9).Draw(m.t, "known") > 0 {
		return m.model.rows[rapid.IntRange(0, n-1).Draw(m.t, "which")].Get("_id")
	}
	if m.model.primary != nil {
		return jsvalue.NewObject("a", genField().Draw(m.t, "a"), "b", genField().Draw(m.t, "b"))
	}
	return float64(rapid.IntRange(1, 40).Draw(m.t, "id"))
}

func (m *machine) insert(*rapid.T) {
	row := m.row()
	if m.model.primary != nil && m.table.Get(m.table.PrimaryID(row)) != nil {
		return
	}
	if m.model.primary == nil && m.table.Get(m.table.Sequence()) != nil {
		m.table.SetSequence(m.table.Sequence() + 1) // an upsert took the id
		m.model.seq++
		return
	}
	m.table.Insert(row)
	if !m.model.insert(row) {
		m.t.Fatal("the model has the row")
	}
}

func (m *machine) update(*rapid.T) {
	patch := m.row()
	patch.Set("_id", m.id())
	patch.Set("u", jsvalue.Undefined{})
	unsets := rapid.SliceOfN(rapid.SampledFrom([]string{"c", "d", "zz"}), 0, 2).Draw(m.t, "unsets")
	m.table.Update(patch, unsets...)
	patch.Delete("u")
	m.model.update(patch, unsets)
}

// change gives fields that a row has other values, or the ones they have.
func (m *machine) change(*rapid.T) {
	row := m.table.Get(m.id())
	if row == nil {
		return
	}
	patch := jsvalue.NewObject("_id", row.Get("_id"))
	var pairs []any
	for name, v := range row.All() {
		if name == "_id" || !rapid.Bool().Draw(m.t, "changes") {
			continue
		}
		if rapid.Bool().Draw(m.t, "really") {
			v = genField().Draw(m.t, name)
		}
		pairs = append(pairs, name, v)
		patch.Set(name, v)
	}
	before := jsvalue.Stringify(row)
	change := func(pairs ...any) Row { return m.table.Change(row, pairs...) }
	a, isA := row.String("a")
	b, isB := row.String("b")
	if p := m.table.PlaceText("ab", a, b); isA && isB && p.Row() == row {
		change = p.Change
	}
	next := change(pairs...)
	if jsvalue.Stringify(row) != before || (next == row) != (jsvalue.Stringify(next) == before) {
		m.t.Fatalf("%s was changed to %s in place or for nothing", before, jsvalue.Stringify(next))
	}
	m.model.update(patch, nil)
}

// overwrite gives a field of a row another value, often in place. Rows that
// were read before the newest savepoint never change.
func (m *machine) overwrite(*rapid.T) {
	row := m.table.Get(m.id())
	if row == nil || row.Len() < 2 {
		return
	}
	name, _ := row.At(rapid.IntRange(1, row.Len()-1).Draw(m.t, "member"))
	if name == "_id" {
		return
	}
	v := genField().Draw(m.t, name)
	m.table.Overwrite(row, name, v)
	m.model.update(jsvalue.NewObject("_id", row.Get("_id"), name, v), nil)
}

// guard keeps a row and its text; from the savepoint on it is nobody's to change.
func (m *machine) guard() {
	if row := m.table.Get(m.id()); row != nil {
		m.held = append(m.held, heldRow{row, jsvalue.Stringify(row)})
	}
}

type heldRow struct {
	row  Row
	text string
}

func (m *machine) remove(*rapid.T) {
	id := m.id()
	was := m.model.find(id) >= 0
	if m.table.Remove(jsvalue.NewObject("_id", id)) != was {
		m.t.Fatal("remove says otherwise")
	}
	m.model.remove(id)
}

func (m *machine) savepoint(*rapid.T) {
	m.marks = append(m.marks, m.db.Tables().Savepoint())
	m.guard()
	m.saved = append(m.saved, m.model.clone())
}

func (m *machine) rollback(*rapid.T) {
	if len(m.marks) == 0 {
		return
	}
	i := rapid.IntRange(0, len(m.marks)-1).Draw(m.t, "mark")
	m.db.Tables().Rollback(m.marks[i])
	writes := m.model.writes
	m.model = m.saved[i].clone()
	m.model.writes = writes
	m.marks, m.saved = m.marks[:i+1], m.saved[:i+1]
}

func (m *machine) forget(*rapid.T) {
	m.db.Tables().Forget()
	m.marks, m.saved = nil, nil
}

func (m *machine) root(*rapid.T) {
	if got, want := m.db.Root(), m.model.rebuilt(m.table.Def(), 3); got != want {
		m.t.Fatalf("root %x, rebuilt from the rows %x", got, want)
	}
	for range 3 {
		m.prove()
	}
}

func (m *machine) prove() {
	id := m.id()
	row := m.table.Get(id)
	if row != nil {
		id = row.Get("_id") // the same, but perhaps written otherwise
	}
	p, err := m.db.Tables().Prove(m.table.Def().Name, id)
	if err != nil {
		m.t.Fatal(err)
	}
	if err := VerifyProof(m.db.Root(), m.table.Def().Name, id, row, p); err != nil {
		m.t.Fatalf("proof of %s: %v", jsvalue.Stringify(row), err)
	}
	lie := Row(nil)
	if row == nil {
		lie = jsvalue.NewObject("_id", id)
	}
	if VerifyProof(m.db.Root(), m.table.Def().Name, id, lie, p) == nil {
		m.t.Fatal("a proof shows the opposite too")
	}
}

func (m *machine) same(what string, got, want []Row) {
	m.t.Helper()
	if len(got) != len(want) {
		m.t.Fatalf("%s: %d rows, want %d", what, len(got), len(want))
	}
	for i := range got {
		if g, w := jsvalue.Stringify(got[i]), jsvalue.Stringify(want[i]); g != w {
			m.t.Fatalf("%s: row %d is %s, want %s", what, i, g, w)
		}
	}
}

func (m *machine) finds(*rapid.T) {
	a, b := genField().Draw(m.t, "a"), genField().Draw(m.t, "b")
	is := func(f string, v jsvalue.Value) func(Row) bool {
		return func(r Row) bool { return naiveCompare(r.Get(f), v) == 0 }
	}
	both := func(r Row) bool { return is("a", a)(r) && is("b", b)(r) }
	want := m.model.sorted(both)
	m.same("FindAll", slices.Collect(m.table.FindAll("ab", a, b)), want)
	m.same("FindAll prefix", slices.Collect(m.table.FindAll("ab", a)), m.model.sorted(is("a", a), "b"))
	if got := m.table.Find1("ab", a, b); len(want) == 0 && got != nil || len(want) > 0 && !jsvalue.Equal(got, want[0]) {
		m.t.Fatalf("Find1 = %s of %d", jsvalue.Stringify(got), len(want))
	}
	if got, want := m.table.Find1("cba", a), m.model.sorted(is("c", a), "b", "a"); len(want) == 0 && got != nil || len(want) > 0 && !jsvalue.Equal(got, want[0]) {
		m.t.Fatalf("Find1 by prefix = %s of %d", jsvalue.Stringify(got), len(want))
	}
	x, isX := a.(string)
	y, isY := b.(string)
	if isX && isY && m.table.FindText("ab", x, y) != m.table.Find1("ab", a, b) {
		m.t.Fatal("FindText is not Find1")
	}
	if isX && isY && m.model.primary != nil && m.table.GetKey(x, y) != m.table.Get(jsvalue.NewObject("a", a, "b", b)) {
		m.t.Fatal("GetKey is not Get")
	}
	low := func(r Row) bool { return is("c", a)(r) && naiveCompare(r.Get("b"), b) <= 0 }
	high := func(r Row) bool { return is("c", a)(r) && naiveCompare(r.Get("b"), b) >= 0 }
	m.same("Ascend", slices.Collect(m.table.Ascend("cba", []jsvalue.Value{a}, []jsvalue.Value{a, b})), m.model.sorted(low, "b", "a"))
	m.same("Descend", slices.Collect(m.table.Descend("cba", []jsvalue.Value{a}, []jsvalue.Value{a, b})), m.model.sorted(high, "-b", "-a"))
	m.same("Descend all", slices.Collect(m.table.Descend("b", nil, nil)), m.model.sorted(nil, "-b"))
}

var modelOrders = []struct {
	order  []Order
	fields []string
}{
	{nil, nil},
	{[]Order{{"_id", true}}, []string{"-_id"}},
	{[]Order{{"$loki", false}}, nil},
	{[]Order{{"b", true}}, []string{"-b"}},
	{[]Order{{"b_1", false}, {"_id", true}}, []string{"b", "-_id"}},
	{[]Order{{"b", false}, {"_id", false}}, []string{"b"}},
	{[]Order{{"b", true}, {"ab", false}}, nil}, // hidden, so unknown
}

func (m *machine) selects(*rapid.T) {
	v := genField().Draw(m.t, "v")
	eq := func(r Row) bool { return naiveCompare(r.Get("b"), v) == 0 }
	atLeast := func(r Row) bool {
		return naiveCompare(r.Get("b"), v) >= 0 && naiveRank(r.Get("b")) == naiveRank(v)
	}
	choices := []struct {
		match func(Row) bool
		facts []Fact
	}{
		{nil, nil},
		{eq, nil},
		{eq, []Fact{{Field: "b", Values: []jsvalue.Value{v}}}},
		{func(r Row) bool { return eq(r) || r.Get("b") == "x" }, []Fact{{Field: "b", Values: []jsvalue.Value{v, "x"}}}},
		{atLeast, []Fact{{Field: "b", Min: v}}},
	}
	orders := modelOrders
	if m.model.primary == nil {
		orders = append(orders, struct {
			order  []Order
			fields []string
		}{[]Order{{"byBC", true}}, []string{"-b", "-c"}})
	}
	c := rapid.SampledFrom(choices).Draw(m.t, "choice")
	o := rapid.SampledFrom(orders).Draw(m.t, "order")
	offset, limit := rapid.IntRange(0, 5).Draw(m.t, "offset"), rapid.IntRange(-1, 6).Draw(m.t, "limit")
	want := m.model.sorted(c.match, o.fields...)
	want = want[min(offset, len(want)):]
	if limit >= 0 {
		want = want[:min(limit, len(want))]
	}
	m.same(fmt.Sprintf("Select %v %v", c.facts, o.order), m.table.Select(c.match, o.order, offset, limit, c.facts...), want)
}

func (m *machine) check(*rapid.T) {
	m.same("All", slices.Collect(m.table.All()), m.model.sorted(nil))
	if m.table.Len() != len(m.model.rows) || m.table.Sequence() != uint64(m.model.seq) {
		m.t.Fatalf("%d rows, next id %d; want %d, %d", m.table.Len(), m.table.Sequence(), len(m.model.rows), m.model.seq)
	}
	for _, h := range m.held {
		if text := jsvalue.Stringify(h.row); text != h.text {
			m.t.Fatalf("a row that was read as %s is %s", h.text, text)
		}
	}
	if m.writes != m.model.writes {
		m.t.Fatalf("writes %s, want %s", m.writes, m.model.writes)
	}
}

func (m *machine) actions() map[string]func(*rapid.T) {
	return map[string]func(*rapid.T){
		"insert": m.insert, "insert2": m.insert, "update": m.update, "update2": m.update, "change": m.change,
		"overwrite": m.overwrite, "overwrite2": m.overwrite, "remove": m.remove,
		"savepoint": m.savepoint, "rollback": m.rollback, "forget": m.forget, "root": m.root,
		"finds": m.finds, "selects": m.selects, "": m.check,
	}
}

func newMachine(t *rapid.T, db *DB, def TableDef) *machine {
	m := &machine{t: t, db: db, table: db.Tables().CreateTable(def), model: model{primary: def.PrimaryKey, seq: 1}}
	db.Tables().OnWrite = func(table string, op byte) {
		if table != def.Name {
			t.Fatalf("write to %s", table)
		}
		m.writes += string(op)
	}
	db.Tables().Forget()
	return m
}

func TestTableModel(t *testing.T) {
	for _, def := range modelDefs {
		t.Run(def.Name, rapid.MakeCheck(func(t *rapid.T) {
			db, err := Open("")
			if err != nil {
				t.Fatal(err)
			}
			t.Repeat(newMachine(t, db, def).actions())
		}))
	}
}

// TestCheckpointModel adds checkpoints and restarts.
func TestCheckpointModel(t *testing.T) {
	for _, def := range modelDefs {
		t.Run(def.Name, func(t *testing.T) {
			dir, n := t.TempDir(), 0
			rapid.Check(t, func(t *rapid.T) {
				n++
				path := fmt.Sprintf("%s/%d.db", dir, n)
				db, err := Open(path)
				if err != nil {
					t.Fatal(err)
				}
				db.log.slack = 100 // so that it is cleaned
				m := newMachine(t, db, def)
				actions := m.actions()
				maps.DeleteFunc(actions, func(name string, _ func(*rapid.T)) bool { return name == "finds" })
				actions["checkpoint"] = func(t *rapid.T) {
					m.forget(t)
					if err := m.db.Checkpoint(); err != nil {
						t.Fatal(err)
					}
				}
				actions["restart"] = func(t *rapid.T) {
					m.forget(t)
					root := m.db.Root()
					if err := m.db.Close(); err != nil {
						t.Fatal(err)
					}
					hook := m.db.Tables().OnWrite
					if m.db, err = Open(path); err != nil {
						t.Fatal(err)
					}
					m.db.Tables().OnWrite = hook
					m.db.log.slack = 100
					m.table = m.db.Tables().Table(def.Name)
					if m.db.Root() != root {
						t.Fatal("another root after the restart")
					}
					m.finds(t)
				}
				t.Repeat(actions)
				if err := m.db.Close(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}
