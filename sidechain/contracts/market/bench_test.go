package market_test

import (
	"fmt"
	"path/filepath"
	"testing"
	"time"

	"causeway/sidechain"
	"causeway/sidechain/base"
	"causeway/sidechain/contract"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/contracts/market"
	"causeway/sidechain/contracts/resourcemanager"
	"causeway/sidechain/contracts/tokens"
	"causeway/sidechain/graphene"
	"causeway/sidechain/state"
)

const (
	perBlock = 1000
	holders  = 10_000
)

// exchange is an engine whose holders have COOL and SWAP.HIVE to trade.
type exchange struct {
	b      *testing.B
	engine *sidechain.Engine
	last   string
	ref    uint64
	ids    int
	clock  time.Time
}

func openExchange(b *testing.B, path string) *exchange {
	b.Helper()
	g := contracttest.Genesis()
	peg := "honey"
	g.BasePeg = &peg
	for i := range holders {
		g.Accounts = append(g.Accounts, sidechain.GenesisAccount{Name: holder(i)})
	}
	text, err := g.Encode()
	if err != nil {
		b.Fatal(err)
	}
	db, err := state.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	x := &exchange{b: b}
	x.engine, err = sidechain.OpenEngine(sidechain.EngineConfig{
		Genesis: g, GenesisBytes: text, DB: db, CheckpointBlocks: 10, CheckpointEvery: -1,
		Contracts: []contract.Contract{tokens.New(), resourcemanager.New(), market.New()},
	})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		if err := x.engine.Close(); err != nil {
			b.Error(err)
		}
		if err := db.Close(); err != nil {
			b.Error(err)
		}
	})
	x.last = x.engine.Head().RefID
	if x.clock, err = time.Parse(base.TimeLayout, contracttest.Start); err != nil {
		b.Fatal(err)
	}
	x.apply(x.block(op("causeway", "tokens", "create", `{"name":"Cool","symbol":"COOL","precision":8,"maxSupply":"1000000000"}`)))
	for at := 0; at < holders; at += perBlock {
		var ops []graphene.Operation
		for i := at; i < at+perBlock; i++ {
			ops = append(ops,
				op("causeway", "tokens", "issue", `{"symbol":"COOL","to":"`+holder(i)+`","quantity":"10000"}`),
				op("honey", "tokens", "transfer", `{"symbol":"SWAP.HIVE","to":"`+holder(i)+`","quantity":"10000"}`))
		}
		for n := 0; n < len(ops); n += 20 { // the limit for one sender in a block
			x.apply(x.block(ops[n : n+20]...))
		}
	}
	return x
}

func holder(i int) string { return fmt.Sprintf("holder%d", i) }

func op(sender, name, action, payload string) graphene.Operation {
	return &graphene.CustomJSON{
		ID: "ssc-causeway-test", RequiredAuths: []string{sender},
		JSON: `{"contractName":"` + name + `","contractAction":"` + action + `","contractPayload":` + payload + `}`,
	}
}

func order(i int, action, quantity, price string) graphene.Operation {
	return op(holder(i), "market", action, `{"symbol":"COOL","quantity":"`+quantity+`","price":"`+price+`"}`)
}

func (x *exchange) block(ops ...graphene.Operation) *base.Block {
	x.ref++
	x.clock = x.clock.Add(3 * time.Second)
	b := &base.Block{
		Number: x.ref, ID: fmt.Sprintf("%08x%032x", x.ref, x.ref), Previous: x.last, Timestamp: x.clock.Format(base.TimeLayout),
	}
	x.last = b.ID
	for _, o := range ops {
		x.ids++
		tx := base.Transaction{ID: fmt.Sprintf("%040x", x.ids)}
		tx.Operations = []graphene.Operation{o}
		b.Transactions = append(b.Transactions, tx)
	}
	return b
}

func (x *exchange) apply(b *base.Block) {
	if err := x.engine.Apply(b); err != nil {
		x.b.Fatal(err)
	}
}

// crossing is a block of orders of which every second one is filled by the one
// before it.
func (x *exchange) crossing(next *int) *base.Block {
	ops := make([]graphene.Operation, 0, perBlock)
	for len(ops) < perBlock {
		n := *next
		*next += 2
		price := fmt.Sprintf("0.%03d", 300+n/2%100)
		ops = append(ops, order(n%holders, "sell", "1.5", price), order((n+1)%holders, "buy", "1.5", price))
	}
	return x.block(ops...)
}

func (x *exchange) measure(next *int) {
	b := x.b
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += perBlock {
		b.StopTimer()
		block := x.crossing(next)
		b.StartTimer()
		x.apply(block)
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "orders/s")
}

// BenchmarkOrders: blocks of 1,000 limit orders of 10,000 accounts, every
// second one crossing the one before; one operation is one order. The book is
// empty otherwise, or holds 100,000 resting orders.
func BenchmarkOrders(b *testing.B) {
	b.Run("memory", func(b *testing.B) {
		next := 0
		openExchange(b, "").measure(&next)
	})
	b.Run("disk", func(b *testing.B) {
		next := 0
		openExchange(b, filepath.Join(b.TempDir(), "sidechain.db")).measure(&next)
	})
	b.Run("resting", func(b *testing.B) {
		x := openExchange(b, "")
		for at := 0; at < 100_000; {
			var ops []graphene.Operation
			for range perBlock {
				price := fmt.Sprintf("%d.%04d", 1+at%7, at%10_000)
				ops = append(ops, order(at%holders, "sell", "0.1", price))
				at++
			}
			x.apply(x.block(ops...))
		}
		next := 0
		x.measure(&next)
	})
}

// BenchmarkWorstOrder: one order that does all that the bounds let it do, in a
// block of its own; it clears 100 expired orders, meets 500 orders and removes
// 1,100 old trades.
func BenchmarkWorstOrder(b *testing.B) {
	x := openExchange(b, "")
	next := 0
	place := func(n int, action, quantity, price, life string) {
		var ops []graphene.Operation
		for range n {
			ops = append(ops, op(holder(next%holders), "market", action,
				`{"symbol":"COOL","quantity":"`+quantity+`","price":"`+price+`","expiration":`+life+`}`))
			next++
		}
		x.apply(x.block(ops...))
	}
	b.ResetTimer()
	for range b.N {
		b.StopTimer()
		for range 6 { // old trades
			place(100, "sell", "0.01", "1", "100")
			place(100, "buy", "0.01", "1", "100")
			place(100, "sell", "0.01", "1", "100")
			place(100, "buy", "0.01", "1", "100")
		}
		place(100, "sell", "0.01", "9", "10")
		x.clock = x.clock.Add(25 * time.Hour)
		place(500, "sell", "0.01", "1", "2592000")
		last := x.block(order(next%holders, "buy", "5", "2"))
		b.StartTimer()
		x.apply(last)
	}
}
