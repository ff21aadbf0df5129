package state

import (
	"math/rand/v2"
	"os"
	"runtime/pprof"
	"testing"

	"causeway/sidechain/jsvalue"
)

func BenchmarkZZ(b *testing.B) {
	n := 1000000
	db, t := filled(b, "", n)
	r := rand.New(rand.NewPCG(1, 2))
	f, _ := os.Create("/tmp/zz.prof")
	pprof.StartCPUProfile(f)
	start, stop := cpu(b)
	for i := 0; i < b.N; i += 1000 {
		for range 1000 {
			t.Update(jsvalue.NewObject("_id", 1+r.IntN(n), "balance", "999.00000000"))
		}
		db.Tables().Forget()
		start()
		db.Root()
		stop()
	}
	pprof.StopCPUProfile()
}
