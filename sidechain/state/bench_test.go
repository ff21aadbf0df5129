package state

import (
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"causeway/sidechain/jsvalue"
)

var balancesDef = TableDef{
	Name:    "tokens_balances",
	Indexes: []Index{{"account", []string{"account"}}},
	Lookups: []Index{{"account_symbol", []string{"account", "symbol"}}},
}

func balanceRow(i int) Row {
	return jsvalue.NewObject("account", fmt.Sprintf("user%07d", i), "symbol", "BEE", "balance", "1000.00000000",
		"stake", "0", "pendingUnstake", "0", "delegationsIn", "0", "delegationsOut", "0", "pendingUndelegations", "0")
}

// filled returns a store with n balances.
func filled(b *testing.B, path string, n int) (*DB, *Table) {
	b.Helper()
	db, err := Open(path)
	if err != nil {
		b.Fatal(err)
	}
	t := db.Tables().CreateTable(balancesDef)
	for i := range n {
		t.Insert(balanceRow(i))
		if i%10000 == 0 {
			db.Tables().Forget()
		}
	}
	db.Tables().Forget()
	db.Root()
	return db, t
}

// balances differ from one write to the next: a row that does not change costs
// nothing.
var balances = func() (list [997]string) {
	for i := range list {
		list[i] = fmt.Sprintf("%d.00000000", i)
	}
	return list
}()

var sizes = []int{1_000, 1_000_000}

// cpu adds the processor time of the measured part, collector included: on a
// shared machine it says more than the clock does.
func cpu(b *testing.B) (start, stop func()) {
	var from, sum time.Duration
	now := func() time.Duration {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			b.Fatal(err)
		}
		return time.Duration(u.Utime.Nano() + u.Stime.Nano())
	}
	start = func() { b.StartTimer(); from = now() }
	stop = func() {
		b.StopTimer()
		sum += now() - from
		b.ReportMetric(float64(sum)/float64(b.N), "cpu-ns/op")
	}
	b.StopTimer()
	b.ResetTimer()
	return start, stop
}

func forSizes(b *testing.B, run func(b *testing.B, db *DB, t *Table, n int)) {
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			db, t := filled(b, "", n)
			runtime.GC()
			b.ReportAllocs()
			b.ResetTimer()
			start, stop := cpu(b)
			start()
			run(b, db, t, n)
			stop()
		})
	}
}

func BenchmarkInsert(b *testing.B) {
	forSizes(b, func(b *testing.B, db *DB, t *Table, n int) {
		for i := range b.N {
			t.Insert(balanceRow(n + i))
			if i%1000 == 999 {
				db.Tables().Forget()
			}
		}
	})
}

func BenchmarkUpdate(b *testing.B) {
	forSizes(b, func(b *testing.B, db *DB, t *Table, n int) {
		r := rand.New(rand.NewPCG(1, 2))
		for i := range b.N {
			t.Update(jsvalue.NewObject("_id", 1+r.IntN(n), "balance", balances[i%len(balances)]))
			if i%1000 == 999 {
				db.Tables().Forget()
			}
		}
	})
}

func BenchmarkFind1(b *testing.B) {
	forSizes(b, func(b *testing.B, _ *DB, t *Table, n int) {
		r := rand.New(rand.NewPCG(1, 2))
		names := make([]string, 4096)
		for i := range names {
			names[i] = fmt.Sprintf("user%07d", r.IntN(n))
		}
		b.ResetTimer()
		for i := range b.N {
			if t.Find1("account_symbol", names[i%len(names)], "BEE") == nil {
				b.Fatal("not found")
			}
		}
	})
}

func BenchmarkGet(b *testing.B) {
	forSizes(b, func(b *testing.B, _ *DB, t *Table, n int) {
		r := rand.New(rand.NewPCG(1, 2))
		for range b.N {
			if t.Get(float64(1+r.IntN(n))) == nil {
				b.Fatal("not found")
			}
		}
	})
}

// BenchmarkRoot is the root of blocks that change 1000 and 100,000 rows;
// figures are for a row.
func BenchmarkRoot(b *testing.B) {
	for _, n := range sizes {
		for _, changed := range []int{1000, 100_000} {
			b.Run(fmt.Sprintf("%d/%d", n, changed), func(b *testing.B) {
				db, t := filled(b, "", n)
				r := rand.New(rand.NewPCG(1, 2))
				b.ReportAllocs()
				start, stop := cpu(b)
				for i := 0; i < b.N; i += changed {
					for j := range changed {
						t.Update(jsvalue.NewObject("_id", 1+r.IntN(n), "balance", balances[(i+j)%len(balances)]))
					}
					db.Tables().Forget()
					start()
					db.Root()
					stop()
				}
			})
		}
	}
}

// BenchmarkTransfer is what a transfer does to the state: two lookups and two
// updates, and a root every 1000.
func BenchmarkTransfer(b *testing.B) {
	forSizes(b, func(b *testing.B, db *DB, t *Table, n int) {
		r := rand.New(rand.NewPCG(1, 2))
		names := make([]string, 1<<16)
		for i := range names {
			names[i] = fmt.Sprintf("user%07d", r.IntN(n))
		}
		b.ResetTimer()
		for i := range b.N {
			for j := range 2 {
				row := t.Find1("account_symbol", names[(2*i+j)%len(names)], "BEE")
				t.Update(jsvalue.NewObject("_id", row.Get("_id"), "balance", balances[i%len(balances)]))
			}
			if i%1000 == 999 {
				db.Tables().Forget()
				db.Root()
			}
		}
	})
}

// BenchmarkCheckpoint is one checkpoint of 10,000 changed rows and 10,000
// transactions; figures are for a row.
func BenchmarkCheckpoint(b *testing.B) {
	const changed = 10_000
	for _, n := range sizes {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			db, t := filled(b, filepath.Join(b.TempDir(), "s.db"), n)
			defer db.Close()
			if err := db.Checkpoint(); err != nil {
				b.Fatal(err)
			}
			start, stop := cpu(b)
			r := rand.New(rand.NewPCG(1, 2))
			b.ReportAllocs()
			for i := 0; i < b.N; i += changed {
				txs := make([]string, changed)
				for j := range txs {
					t.Update(jsvalue.NewObject("_id", 1+r.IntN(n), "balance", fmt.Sprintf("%d.00000000", i+j)))
					txs[j] = fmt.Sprintf("%016x%016x%08x", r.Uint64(), r.Uint64(), r.Uint32())
				}
				db.AppendBlock(uint64(i), make([]byte, 300*changed), txs)
				db.Tables().Forget()
				db.Root()
				start()
				if err := db.Checkpoint(); err != nil {
					b.Fatal(err)
				}
				stop()
			}
		})
	}
}

func BenchmarkOpen(b *testing.B) {
	const n = 200_000
	path := filepath.Join(b.TempDir(), "s.db")
	db, _ := filled(b, path, n)
	if err := db.Close(); err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	start, stop := cpu(b)
	for i := 0; i < b.N; i += n {
		start()
		db, err := Open(path)
		if err != nil {
			b.Fatal(err)
		}
		stop()
		db.Close()
	}
}

// BenchmarkBookWalk takes the best of 100,000 resting orders, one a step, and
// puts another in.
func BenchmarkBookWalk(b *testing.B) {
	db, _ := Open("")
	t := db.Tables().CreateTable(TableDef{
		Name:    "market_buyBook",
		Indexes: []Index{{"symbol", []string{"symbol"}}, {"priceDec", []string{"priceDec"}}},
		Lookups: []Index{{"book", []string{"symbol", "priceDec"}}},
	})
	r := rand.New(rand.NewPCG(1, 2))
	order := func() Row {
		price := fmt.Sprintf("%d.%08d", r.IntN(100), r.IntN(100_000_000))
		return jsvalue.NewObject("symbol", "TKN", "price", price, "priceDec", jsvalue.NewObject("$numberDecimal", price))
	}
	for range 100_000 {
		t.Insert(order())
	}
	b.ReportAllocs()
	b.ResetTimer()
	for n := 0; n < b.N; {
		for row := range t.Descend("book", []jsvalue.Value{"TKN"}, []jsvalue.Value{"TKN"}) {
			t.Remove(row)
			t.Insert(order())
			if n++; n%1000 == 0 {
				db.Tables().Forget()
			}
			if n >= b.N {
				break
			}
		}
	}
}

// BenchmarkCodec compares the file's form of a row with JSON text (ADR 0002).
func BenchmarkCodec(b *testing.B) {
	row := storedRow(1.0, balanceRow(1))
	d := newDictionary(nil)
	data, text := d.appendRow(nil, row), jsvalue.AppendJSON(nil, row)
	buf := make([]byte, 0, 512)
	b.Run("encode", func(b *testing.B) {
		b.ReportMetric(float64(len(data)), "bytes")
		for range b.N {
			buf = d.appendRow(buf[:0], row)
		}
	})
	b.Run("decode", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if _, err := d.row(data); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("encode JSON", func(b *testing.B) {
		b.ReportMetric(float64(len(text)), "bytes")
		for range b.N {
			buf = jsvalue.AppendJSON(buf[:0], row)
		}
	})
	b.Run("decode JSON", func(b *testing.B) {
		b.ReportAllocs()
		for range b.N {
			if _, err := jsvalue.Parse(string(text)); err != nil {
				b.Fatal(err)
			}
		}
	})
}
