package query

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"causeway/sidechain/jsvalue"
	"causeway/sidechain/state"

	"github.com/google/go-cmp/cmp"
)

func parse(t testing.TB, text string) *jsvalue.Object {
	t.Helper()
	v, err := jsvalue.Parse(text)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	o, ok := v.(*jsvalue.Object)
	if !ok {
		t.Fatalf("%s is no object", text)
	}
	return o
}

func TestMatch(t *testing.T) {
	const row = `{"_id":5,"account":"bob","n":10,"price":{"$numberDecimal":"0.50"},"nul":null,"yes":true,"no":false,
		"tags":["a","b",7],"empty":[],"o":{"x":1,"y":{"z":"deep"}},"list":[{"k":1,"v":"one"},{"k":2},[{"k":9}]],"nan":{"$numberDecimal":"NaN"}}`
	for query, want := range map[string]bool{
		`{}`:                                          true,
		`{"account":"bob"}`:                           true,
		`{"account":"al"}`:                            false,
		`{"account":"bob","n":10}`:                    true,
		`{"account":"bob","n":11}`:                    false,
		`{"$loki":5}`:                                 true,
		`{"_id":{"$gt":4,"$lt":6}}`:                   true,
		`{"n":10.0}`:                                  true,
		`{"n":"10"}`:                                  false,
		`{"n":{"$numberDecimal":"10.000"}}`:           true,
		`{"n":{"$numberLong":"10"}}`:                  true,
		`{"price":0.5}`:                               true,
		`{"price":{"$numberDecimal":"0.5"}}`:          true,
		`{"price":"0.50"}`:                            false,
		`{"price":{"$lte":{"$numberDecimal":"0.5"}}}`: true,
		`{"price":{"$lt":{"$numberDecimal":"0.5"}}}`:  false,
		`{"price":{"$gt":{"$numberInt":"0"}}}`:        true,
		`{"n":{"$eq":10}}`:                            true,
		`{"n":{"$ne":10}}`:                            false,
		`{"n":{"$ne":11}}`:                            true,
		`{"absent":{"$ne":11}}`:                       true,
		`{"n":{"$gt":9}}`:                             true,
		`{"n":{"$gte":10,"$lte":10}}`:                 true,
		`{"n":{"$gt":10}}`:                            false,
		`{"n":{"$gt":"a"}}`:                           false, // bracketing
		`{"n":{"$lt":"a"}}`:                           false,
		`{"account":{"$gt":""}}`:                      true,
		`{"account":{"$gt":5}}`:                       false,
		`{"account":{"$gte":"bob"}}`:                  true,
		`{"account":{"$lt":"boa"}}`:                   false,
		`{"yes":{"$gt":false}}`:                       true,
		`{"yes":1}`:                                   false,
		`{"nan":{"$lt":5}}`:                           false,
		`{"nan":{"$gte":{"$numberDecimal":"NaN"}}}`:   true,
		`{"nul":null}`:                                true,
		`{"absent":null}`:                             true,
		`{"n":null}`:                                  false,
		`{"nul":{"$exists":true}}`:                    true,
		`{"absent":{"$exists":true}}`:                 false,
		`{"absent":{"$exists":false}}`:                true,
		`{"n":{"$exists":0}}`:                         false,
		`{"o.y.z":{"$exists":1}}`:                     true,
		`{"list.v":{"$exists":true}}`:                 true,
		`{"list.w":{"$exists":true}}`:                 false,
		`{"n":{"$in":[1,10]}}`:                        true,
		`{"n":{"$in":["10"]}}`:                        false,
		`{"n":{"$in":[]}}`:                            false,
		`{"n":{"$nin":[]}}`:                           true,
		`{"n":{"$nin":[10]}}`:                         false,
		`{"absent":{"$in":[null]}}`:                   true,
		`{"absent":{"$nin":[1]}}`:                     true,
		`{"tags":"a"}`:                                true,
		`{"tags":7}`:                                  true,
		`{"tags":"c"}`:                                false,
		`{"tags":["a","b",7]}`:                        true,
		`{"tags":["a","b"]}`:                          false,
		`{"tags":{"$in":["x","b"]}}`:                  true,
		`{"tags":{"$nin":["x","b"]}}`:                 false,
		`{"tags":{"$ne":"a"}}`:                        false,
		`{"tags":{"$gt":6}}`:                          true,
		`{"tags":{"$gt":7}}`:                          false,
		`{"tags.1":"b"}`:                              true,
		`{"tags.1":"a"}`:                              false,
		`{"tags.x":"a"}`:                              false,
		`{"empty":[]}`:                                true,
		`{"empty":null}`:                              false,
		`{"o":{"x":1,"y":{"z":"deep"}}}`:              true,
		`{"o":{"y":{"z":"deep"},"x":1}}`:              false, // order counts
		`{"o":{"x":1}}`:                               false,
		`{"o":{}}`:                                    false,
		`{"o.x":1}`:                                   true,
		`{"o.y.z":"deep"}`:                            true,
		`{"o.y.z.a":"deep"}`:                          false,
		`{"o.q":null}`:                                true,
		`{"list.k":2}`:                                true,
		`{"list.k":9}`:                                false, // one array deep only
		`{"list.2.k":9}`:                              true,
		`{"list.0.v":"one"}`:                          true,
		`{"list.1.v":null}`:                           true,
		`{"list.v":null}`:                             true,
		`{"list.0.k":{"$gte":1}}`:                     true,
		`{"list":{"k":2}}`:                            true,
		`{"n":{"$not":{"$gt":9}}}`:                    false,
		`{"n":{"$not":{"$gt":10}}}`:                   true,
		`{"absent":{"$not":{"$gt":10}}}`:              true,
		`{"n":{"$not":{"$not":{"$gt":9}}}}`:           true,
		`{"n":{"$gt":5,"$not":{"$in":[10]}}}`:         false,
		`{"$or":[{"n":1},{"account":"bob"}]}`:         true,
		`{"$or":[{"n":1},{"account":"al"}]}`:          false,
		`{"$and":[{"n":10},{"account":"bob"}]}`:       true,
		`{"$and":[{"n":10},{"account":"al"}]}`:        false,
		`{"$nor":[{"n":1},{"account":"al"}]}`:         true,
		`{"$nor":[{"n":10},{"account":"al"}]}`:        false,
		`{"$or":[{"$and":[{"n":10},{"yes":true}]}],"no":false}`: true,
		`{"$or":[{}]}`: true,
	} {
		f, err := Compile(parse(t, query))
		if err != nil {
			t.Errorf("%s: %v", query, err)
			continue
		}
		if got := f.Match(parse(t, row)); got != want {
			t.Errorf("%s = %v", query, got)
		}
	}
}

func TestCompileErrors(t *testing.T) {
	deep := func(n int, open, inner, end string) string {
		return strings.Repeat(open, n) + inner + strings.Repeat(end, n)
	}
	many := make([]string, MaxClauses+1)
	for i := range many {
		many[i] = fmt.Sprintf(`"f%d":1`, i)
	}
	for _, c := range []struct {
		query string
		want  error
	}{
		{`{"$where":"1"}`, ErrQuery},
		{`{"$expr":{"$gt":["$a","$b"]}}`, ErrQuery},
		{`{"a":{"$regex":"x"}}`, ErrQuery},
		{`{"a":{"$gt":1,"b":2}}`, ErrQuery},
		{`{"a":{"$not":5}}`, ErrQuery},
		{`{"a":{"$not":{}}}`, ErrQuery},
		{`{"a":{"$not":{"x":1}}}`, ErrQuery},
		{`{"a":{"$in":5}}`, ErrQuery},
		{`{"a":{"$nin":{"b":1}}}`, ErrQuery},
		{`{"$and":[]}`, ErrQuery},
		{`{"$or":{}}`, ErrQuery},
		{`{"$nor":[1]}`, ErrQuery},
		{`{"a":{"$numberDecimal":"1e99999"}}`, ErrQuery},
		{`{"a":{"$numberDecimal":"x"}}`, ErrQuery},
		{`{"a":{"$numberLong":"x"}}`, ErrQuery},
		{`{"a":[{"$numberInt":"true"}]}`, ErrQuery},
		{deep(MaxDepth+1, `{"$and":[`, `{"a":1}`, `]}`), ErrTooLarge},
		{`{"a":` + deep(MaxDepth+1, `{"$not":`, `{"$gt":1}`, `}`) + `}`, ErrTooLarge},
		{`{"a":` + deep(MaxDepth+2, `[`, ``, `]`) + `}`, ErrTooLarge},
		{`{"a":` + deep(MaxDepth+2, `{"b":`, `1`, `}`) + `}`, ErrTooLarge},
		{`{` + strings.Join(many, ",") + `}`, ErrTooLarge},
		{`{"$or":[` + strings.TrimSuffix(strings.Repeat(`{},`, MaxClauses+1), ",") + `]}`, ErrTooLarge},
		{`{"a":{"$in":[` + strings.TrimSuffix(strings.Repeat(`1,`, MaxValues+1), ",") + `]}}`, ErrTooLarge},
		{`{"` + strings.Repeat("a.", MaxPath) + `a":1}`, ErrTooLarge},
	} {
		if _, err := Compile(parse(t, c.query)); !errors.Is(err, c.want) {
			t.Errorf("%.60s: %v", c.query, err)
		} else if len(err.Error()) > 120 {
			t.Errorf("%.60s: error of %d bytes", c.query, len(err.Error()))
		}
	}
}

// book is a table of open orders.
func book(t testing.TB) (*state.DB, *state.Section) {
	t.Helper()
	db, err := state.Open("")
	if err != nil {
		t.Fatal(err)
	}
	tab := db.Tables().CreateTable(state.TableDef{
		Name: "market_sellBook",
		Indexes: []state.Index{
			{Name: "symbol", Fields: []string{"symbol"}}, {Name: "account", Fields: []string{"account"}},
			{Name: "priceDec", Fields: []string{"priceDec"}}, {Name: "byAccount", Fields: []string{"account", "priceDec"}},
		},
		Lookups: []state.Index{{Name: "book", Fields: []string{"symbol", "priceDec"}}},
	})
	for i := range 60 {
		tab.Insert(jsvalue.NewObject("symbol", fmt.Sprintf("S%d", i%3), "account", fmt.Sprintf("a%d", i%5),
			"priceDec", jsvalue.NewObject("$numberDecimal", fmt.Sprintf("%d.%d", i%7, i%2))))
	}
	keyed := db.Tables().CreateTable(state.TableDef{Name: "comments_votes", PrimaryKey: []string{"pool", "voter"}})
	for i := range 20 {
		keyed.Insert(jsvalue.NewObject("voter", fmt.Sprintf("v%d", i%10), "pool", i/10, "w", i))
	}
	return db, db.Tables()
}

func order(text string) (list []state.Order) {
	for _, name := range strings.Fields(text) {
		list = append(list, state.Order{Index: strings.TrimPrefix(name, "-"), Descending: name[0] == '-'})
	}
	return list
}

// TestFind compares finds that may use an index with the same over a table that
// has none but those for the order.
func TestFind(t *testing.T) {
	_, sec := book(t)
	for _, query := range []string{
		`{}`, `{"symbol":"S1"}`, `{"symbol":"S1","account":"a2"}`, `{"symbol":{"$in":["S0","S2","S0","x"]}}`,
		`{"symbol":"S1","priceDec":{"$gte":{"$numberDecimal":"2"},"$lt":5}}`, `{"priceDec":{"$gt":3.5}}`, `{"priceDec":{"$lte":1}}`,
		`{"_id":7}`, `{"_id":{"$in":[3,5,4,99]}}`, `{"_id":{"$gt":55}}`, `{"_id":{"$lte":4}}`, `{"_id":{"$ne":5}}`,
		`{"account":"a1","$or":[{"symbol":"S0"},{"symbol":"S1"}]}`, `{"$and":[{"account":"a1"},{"symbol":"S2"}]}`,
		`{"account":null}`, `{"absent":null}`, `{"account":{"$gt":5}}`, `{"account":{"$in":[]}}`, `{"account":"a1","account.x":1}`,
		`{"symbol":"S1","symbol":{"$ne":"S1"}}`, `{"symbol":{"$gt":"S0"},"account":{"$lt":"a3"}}`,
	} {
		for _, o := range []string{"", "_id", "-_id", "symbol", "-symbol", "priceDec", "-priceDec", "account -priceDec", "-byAccount", "nope", "symbol nope", "book"} {
			for _, window := range [][2]int{{1000, 0}, {5, 0}, {3, 4}, {-1, 2}, {5, 500}} {
				limit, offset := window[0], window[1]
				got, err := Find(sec, "market_sellBook", parse(t, query), limit, offset, order(o))
				if err != nil {
					t.Fatalf("%s: %v", query, err)
				}
				f, _ := Compile(parse(t, query))
				f.facts = nil
				want := f.Find(sec, "market_sellBook", -1, 0, order(o))
				want = want[min(offset, len(want)):]
				if limit >= 0 {
					want = want[:min(limit, len(want))]
				}
				if diff := cmp.Diff(ids(want), ids(got)); diff != "" {
					t.Fatalf("%s by %q, %d from %d: %s", query, o, limit, offset, diff)
				}
			}
		}
	}
}

func ids(rows []state.Row) []string {
	out := []string{}
	for _, row := range rows {
		out = append(out, jsvalue.Stringify(row.Get("_id")))
	}
	return out
}

func TestFindByPrimaryKey(t *testing.T) {
	_, sec := book(t)
	for query, want := range map[string][]string{
		`{"voter":"v3","pool":1}`:                        {`{"pool":1,"voter":"v3"}`},
		`{"voter":"v3","pool":1,"w":13}`:                 {`{"pool":1,"voter":"v3"}`},
		`{"voter":"v3","pool":1,"w":14}`:                 {},
		`{"_id":{"pool":1,"voter":"v3"}}`:                {`{"pool":1,"voter":"v3"}`},
		`{"_id":{"voter":"v3","pool":1}}`:                {},
		`{"voter":"v3"}`:                                 {`{"pool":0,"voter":"v3"}`, `{"pool":1,"voter":"v3"}`},
		`{"_id.voter":"v3","pool":{"$gt":0}}`:            {`{"pool":1,"voter":"v3"}`},
		`{"voter":"v3","pool":{"$in":[1]}}`:              {`{"pool":1,"voter":"v3"}`},
		`{"voter":{"$eq":"v3"},"pool":{"$lte":0}}`:       {`{"pool":0,"voter":"v3"}`},
		`{"voter":"v3","pool":{"$numberDecimal":"1.0"}}`: {`{"pool":1,"voter":"v3"}`},
	} {
		got, err := Find(sec, "comments_votes", parse(t, query), 10, 0, nil)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, ids(got)); diff != "" {
			t.Errorf("%s: %s", query, diff)
		}
	}
}

func TestNothing(t *testing.T) {
	db, sec := book(t)
	if rows, err := Find(sec, "nope", nil, 10, 0, nil); rows != nil || err != nil {
		t.Errorf("unknown table: %v, %v", rows, err)
	}
	if rows, err := Find(sec, "market_sellBook", parse(t, `{"x":1}`), 10, 0, nil); rows == nil || len(rows) != 0 || err != nil {
		t.Errorf("no match: %v, %v", rows, err)
	}
	if rows, err := Find(sec, "market_sellBook", parse(t, `{"$loki":2}`), 1, 0, nil); len(rows) != 1 || err != nil {
		t.Errorf("alias of _id: %v, %v", rows, err)
	}
	if rows, err := Find(sec, "market_sellBook", parse(t, `{"$loki":{"$foo":1}}`), 1, 0, nil); rows != nil || err == nil {
		t.Errorf("unknown operator: %v, %v", rows, err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	f, _ := Compile(parse(t, `{"symbol":"S1"}`))
	rows, err := f.FindContext(ctx, db, sec, "market_sellBook", 3, 0, nil)
	if len(rows) != 3 || err != nil {
		t.Errorf("FindContext: %v, %v", rows, err)
	}
	if rows, err := f.FindContext(ctx, db, sec, "nope", 3, 0, nil); rows != nil || err != nil {
		t.Errorf("FindContext: %v, %v", rows, err)
	}
	cancel()
	if _, err := f.FindContext(ctx, db, sec, "market_sellBook", 3, 0, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("FindContext: %v", err)
	}
}

// TestFindContextLetsWriterIn: a long find does not hold up a block.
func TestFindContextLetsWriterIn(t *testing.T) {
	db, sec := book(t)
	tab := sec.Table("market_sellBook")
	for range 5 * pause {
		tab.Insert(jsvalue.NewObject("symbol", "X"))
	}
	started, wrote := make(chan struct{}), make(chan struct{})
	go func() {
		<-started
		db.Lock()
		tab.Insert(jsvalue.NewObject("symbol", "last"))
		db.Unlock()
		close(wrote)
	}()
	f, _ := Compile(parse(t, `{"nope":1}`))
	close(started)
	for done := false; !done; {
		if _, err := f.FindContext(context.Background(), db, sec, "market_sellBook", 10, 0, nil); err != nil {
			t.Fatal(err)
		}
		select {
		case <-wrote:
			done = true
		default:
		}
	}
}

func TestProject(t *testing.T) {
	const row = `{"_id":1,"a":1,"b":{"x":1,"y":{"z":2}},"c":[{"x":1,"y":2},5,[{"y":3}]]}`
	for _, c := range []struct{ spec, want string }{
		{`{}`, row},
		{`{"a":1}`, `{"_id":1,"a":1}`},
		{`{"c":1,"a":1,"nope":1}`, `{"_id":1,"a":1,"c":[{"x":1,"y":2},5,[{"y":3}]]}`},
		{`{"a":1,"_id":0}`, `{"a":1}`},
		{`{"a":0}`, `{"_id":1,"b":{"x":1,"y":{"z":2}},"c":[{"x":1,"y":2},5,[{"y":3}]]}`},
		{`{"b":0,"c":0,"_id":0}`, `{"a":1}`},
		{`{"_id":1}`, `{"_id":1}`},
		{`{"_id":0}`, `{"a":1,"b":{"x":1,"y":{"z":2}},"c":[{"x":1,"y":2},5,[{"y":3}]]}`},
		{`{"b":0,"c":0,"_id":1}`, `{"_id":1,"a":1}`},
		{`{"b.y.z":1}`, `{"_id":1,"b":{"y":{"z":2}}}`},
		{`{"b.x":0,"c":0}`, `{"_id":1,"a":1,"b":{"y":{"z":2}}}`},
		{`{"c.y":1,"a.q":1}`, `{"_id":1,"c":[{"y":2},[{"y":3}]]}`},
		{`{"c.y":0,"b":0}`, `{"_id":1,"a":1,"c":[{"x":1},5,[{}]]}`},
		{`{"b.x":1,"b":1}`, `{"_id":1,"b":{"x":1,"y":{"z":2}}}`},
		{`{"b":1,"b.x":1}`, `{"_id":1,"b":{"x":1,"y":{"z":2}}}`},
	} {
		p, err := CompileProjection(parse(t, c.spec))
		if err != nil {
			t.Errorf("%s: %v", c.spec, err)
			continue
		}
		if got := jsvalue.Stringify(p.Apply(parse(t, row))); got != c.want {
			t.Errorf("%s: %s, want %s", c.spec, got, c.want)
		}
	}
	for _, bad := range []string{`{"a":2}`, `{"a":true}`, `{"a":"1"}`, `{"a":1,"b":0}`, `{"_id":{}}`, `{"` + strings.Repeat("a.", MaxPath) + `":1}`} {
		if _, err := CompileProjection(parse(t, bad)); !errors.Is(err, ErrProject) && !errors.Is(err, ErrTooLarge) {
			t.Errorf("%.40s: %v", bad, err)
		}
	}
	if p, err := CompileProjection(nil); p != nil || err != nil {
		t.Errorf("nil: %v, %v", p, err)
	}
}

// FuzzCompile: a query of a stranger is refused or answers the same with and
// without an index, and never crashes.
func FuzzCompile(f *testing.F) {
	_, sec := book(f)
	f.Add(`{"symbol":"S1","priceDec":{"$gt":{"$numberDecimal":"0.5"}}}`)
	f.Add(`{"$or":[{"_id":{"$in":[1,2,null]}},{"account":{"$not":{"$exists":0}}}]}`)
	f.Add(`{"voter":"v1","pool":1,"a.0.b":[[]]}`)
	f.Fuzz(func(t *testing.T, text string) {
		v, err := jsvalue.Parse(text)
		if err != nil {
			return
		}
		o, _ := v.(*jsvalue.Object)
		filter, err := Compile(o)
		if err != nil {
			return
		}
		for _, table := range []string{"market_sellBook", "comments_votes"} {
			got := ids(filter.Find(sec, table, 10, 1, order("-symbol")))
			plain := *filter
			plain.facts = nil
			if diff := cmp.Diff(ids(plain.Find(sec, table, 10, 1, order("-symbol"))), got); diff != "" {
				t.Fatalf("%s: %s", text, diff)
			}
		}
	})
}

func BenchmarkFindOrders(b *testing.B) {
	_, sec := book(b)
	query := parse(b, `{"symbol":"S1","account":"a2"}`)
	b.ReportAllocs()
	for range b.N {
		if _, err := Find(sec, "market_sellBook", query, 100, 0, order("-priceDec")); err != nil {
			b.Fatal(err)
		}
	}
}
