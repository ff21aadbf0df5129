package solo

import (
	"context"
	"fmt"
	"testing"

	"causeway/sidechain/graphene"
)

// BenchmarkBroadcast: admission of signed custom_json, signature included.
func BenchmarkBroadcast(b *testing.B) {
	n := newNetwork(b, func(c *Config) { c.Pool = PoolLimits{Transactions: 1 << 30, Bytes: 1 << 40, PerAccount: 1 << 30} })
	txs := make([]*graphene.SignedTransaction, 0, b.N)
	for i := range b.N {
		op := customJSON("alice")
		op.JSON = fmt.Sprint(i)
		txs = append(txs, n.tx([]string{"alice/active"}, op))
	}
	b.ResetTimer()
	for _, tx := range txs {
		if err := n.Broadcast(context.Background(), tx); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkProduce: a block of 100 transactions, from the pool to the executor,
// with every commit of base.db on disk. Of its two commits the first stores the
// candidate.
func BenchmarkProduce(b *testing.B) {
	n := newNetwork(b, nil)
	n.machine.perBlock = 1 << 20
	n.store.db.NoSync = false
	for i := range b.N {
		b.StopTimer()
		for k := range 100 {
			op := customJSON("alice")
			op.JSON = fmt.Sprint(100*i + k)
			if err := n.Broadcast(context.Background(), n.tx([]string{"alice/active"}, op)); err != nil {
				b.Fatal(err)
			}
		}
		b.StartTimer()
		n.produce()
	}
}

// BenchmarkReplay: a verifier's work per transaction, signature included, in
// blocks of 500.
func BenchmarkReplay(b *testing.B) {
	for _, row := range []struct {
		name string
		op   func(i int) graphene.Operation
	}{
		{"custom_json", func(i int) graphene.Operation {
			op := customJSON("alice")
			op.JSON = fmt.Sprintf(`{"contractName":"tokens","contractAction":"transfer","contractPayload":{"symbol":"COOL","to":"bob","quantity":"%d"}}`, i)
			return op
		}},
		{"transfer", func(i int) graphene.Operation {
			op := transfer("alice", "bob", "0.001 HIVE")
			op.Memo = fmt.Sprint(i)
			return op
		}},
	} {
		b.Run(row.name, func(b *testing.B) {
			n := newNetwork(b, nil)
			n.machine.perBlock = 1 << 20
			const perBlock = 500
			for i := 0; i < b.N; {
				for ; i < b.N && n.pending() < perBlock; i++ {
					if err := n.Broadcast(context.Background(), n.tx([]string{"alice/active"}, row.op(i))); err != nil {
						b.Fatal(err)
					}
				}
				n.produce()
			}
			m := newMachine(b)
			m.perBlock = 1 << 20
			x := newFakeExecutor(b, m)
			b.ReportAllocs()
			b.ResetTimer()
			if err := Replay(context.Background(), m, n.store, x.db, x, n.log); err != nil {
				b.Fatal(err)
			}
		})
	}
}
