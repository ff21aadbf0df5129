package pegs

import (
	"fmt"
	"testing"
	"time"

	"causeway/chains"
)

// benchLog is a log of blocks, one in ten with a deposit that is then credited.
func benchLog(b *testing.B, n int) (stored [][]byte) {
	s := NewState()
	var link Link
	add := func(e Event) {
		r := Record{Seq: s.Seq + 1, At: time.UnixMilli(int64(s.Seq)).UTC(), Event: e}
		if err := s.Apply(r); err != nil {
			b.Fatal(err)
		}
		text, next, err := r.Encode(link)
		if err != nil {
			b.Fatal(err)
		}
		stored, link = append(stored, text), next
	}
	add(&Configured{Chain: chains.BTC, Network: chains.Regtest, Confirmations: 1, Policy: btcPolicy})
	add(&AssetsSeen{Assets: []Asset{testAsset}})
	add(&Watching{Chain: chains.BTC, Accounts: []string{"alice"}})
	parent := "root"
	for height := 0; len(stored) < n; height++ {
		hash := fmt.Sprintf("%064x", height)
		m := Match{Header: chains.Header{BlockRef: chains.BlockRef{Height: uint64(height), Hash: hash}, Parent: parent}}
		if height%10 == 0 {
			m.Payments = []Payment{pays(hash, 0, "alice", 50_000)}
		}
		add(&Connected{Chain: chains.BTC, Match: m})
		if height%10 == 0 {
			id := DepositID(chains.BTC, at(hash, 0))
			add(&Minting{Deposit: id, Symbol: "SWAP.BTC", Quantity: "0.00050000", To: "alice"})
			add(&Credited{Deposit: id, Symbol: "SWAP.BTC", Quantity: "0.00050000", To: "alice", Tx: hash})
		}
		parent = hash
	}
	return stored
}

// BenchmarkReplay is reading a stored record and applying it.
func BenchmarkReplay(b *testing.B) {
	log := benchLog(b, 50_000)
	b.ReportAllocs()
	var s *State
	var link Link
	for i := range b.N {
		at := i % len(log)
		if at == 0 {
			s, link = NewState(), Link{}
		}
		r, next, err := DecodeRecord(log[at], uint64(at)+1, link)
		if err != nil {
			b.Fatal(err)
		}
		if err := s.Apply(r); err != nil {
			b.Fatal(err)
		}
		link = next
	}
}

// BenchmarkSnapshot writes and reads the state of 100,000 deposits; the figure is
// for one of them.
func BenchmarkSnapshot(b *testing.B) {
	s := NewState()
	do := func(e Event) {
		if err := s.Apply(Record{Seq: s.Seq + 1, At: time.UnixMilli(int64(s.Seq)).UTC(), Event: e}); err != nil {
			b.Fatal(err)
		}
	}
	do(&Configured{Chain: chains.BTC, Network: chains.Regtest, Confirmations: 1, Policy: btcPolicy})
	do(&AssetsSeen{Assets: []Asset{testAsset}})
	const deposits, blocks = 100_000, 100
	for height := range blocks {
		m := Match{Header: chains.Header{BlockRef: chains.BlockRef{Height: uint64(height), Hash: fmt.Sprint(height)}, Parent: fmt.Sprint(height - 1)}}
		for i := range deposits / blocks {
			m.Payments = append(m.Payments, pays(fmt.Sprintf("%032x%032x", height, i), 0, "alice", 50_000))
		}
		do(&Connected{Chain: chains.BTC, Match: m})
	}
	text := s.Snapshot()
	b.Run("write", func(b *testing.B) {
		for range b.N/deposits + 1 {
			s.Snapshot()
		}
		b.ReportMetric(float64(len(text))/deposits, "B/deposit")
	})
	b.Run("read", func(b *testing.B) {
		for range b.N/deposits + 1 {
			if _, err := ReadSnapshot(text); err != nil {
				b.Fatal(err)
			}
		}
	})
	b.Run("hash", func(b *testing.B) {
		for range b.N/deposits + 1 {
			HashOf(text)
		}
	})
}
