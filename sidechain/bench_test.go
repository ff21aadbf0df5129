package sidechain_test

import (
	"crypto/sha256"
	"fmt"
	"path/filepath"
	"testing"

	"causeway/sidechain"
	"causeway/sidechain/contracts/contracttest"
	"causeway/sidechain/graphene"
	"causeway/sidechain/state"
)

const perBlock = 1000

// transferChain is an engine with many holders, and blocks of transfers
// between them.
func transferChain(b *testing.B, path string, holders int) (node, *chain) {
	b.Helper()
	g := contracttest.Genesis()
	for i := range holders {
		g.Accounts = append(g.Accounts, sidechain.GenesisAccount{
			Name: fmt.Sprintf("holder%d", i), Tokens: map[string]string{"BEE": "1000"},
		})
	}
	text, err := g.Encode()
	if err != nil {
		b.Fatal(err)
	}
	db, err := state.Open(path)
	if err != nil {
		b.Fatal(err)
	}
	engine, err := sidechain.OpenEngine(sidechain.EngineConfig{
		Genesis: g, GenesisBytes: text, DB: db, Contracts: contracts(),
		CheckpointBlocks: 10, CheckpointEvery: -1,
	})
	if err != nil {
		b.Fatal(err)
	}
	return node{engine, db}, &chain{}
}

func benchmarkTransfers(b *testing.B, path string) {
	const holders = 1_000
	n, c := transferChain(b, path, holders)
	defer n.stop(b)
	var ops []graphene.Operation
	next := 0
	b.ReportAllocs()
	b.ResetTimer()
	for i := 0; i < b.N; i += perBlock {
		b.StopTimer()
		ops = ops[:0]
		for range perBlock {
			from, to := next*7919%holders, (next*104729+1)%holders
			if from == to {
				to = (to + 1) % holders
			}
			ops = append(ops, transfer(fmt.Sprintf("holder%d", from), fmt.Sprintf("holder%d", to), "0.001"))
			next++
		}
		block := c.add(ops...)
		b.StartTimer()
		if err := n.Apply(block); err != nil {
			b.Fatal(err)
		}
	}
	b.StopTimer()
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "transfers/s")
}

// BenchmarkTransfers: blocks of 1,000 transfers among 1,000 holders, one
// operation is one transfer.
func BenchmarkTransfers(b *testing.B) {
	b.Run("memory", func(b *testing.B) { benchmarkTransfers(b, "") })
	b.Run("disk", func(b *testing.B) { benchmarkTransfers(b, filepath.Join(b.TempDir(), "sidechain.db")) })
}

// BenchmarkHashing is the floor of a transfer: SHA-256 over texts of the
// lengths that a transfer in a block of 1,000 has hashed, and nothing else. The
// state root is not in it (BenchmarkRoot of package state).
func BenchmarkHashing(b *testing.B) {
	lengths := []int{
		64, 128, 64, 128, // table and database hash of two writes
		128, 128, // its share of both merkle trees
		650, // the transaction
		950, // its share of the block
	}
	text := make([]byte, 1024)
	var sum [32]byte
	for b.Loop() {
		for _, n := range lengths {
			text[0] ^= sum[0]
			sum = sha256.Sum256(text[:n])
		}
	}
}
