package pegs

import (
	"slices"
	"testing"

	"causeway/chains"
)

// A deposit that was deep enough, was to be minted and then changed its block is
// as shallow as its new block is: the depth counts again.
func TestMintWaitsAgainAfterAReorg(t *testing.T) {
	b := newBook(t)
	b.blocks(3)
	b.block([]Payment{pays("t1", 0, "alice", 50_000)})
	b.blocks(1)
	d := b.deposit("t1", 0)
	b.do(&Minting{Deposit: d.ID, Symbol: d.Symbol, Quantity: d.Quantity, To: "alice"})
	b.back()
	b.back()
	b.block(nil)
	b.block([]Payment{pays("t1", 0, "alice", 50_000)})
	if b.Confirmations(d) != 1 || len(slices.Collect(b.ToSubmitMints(chains.BTC))) != 0 {
		t.Errorf("%d deep, %d mints to submit", b.Confirmations(d), len(slices.Collect(b.ToSubmitMints(chains.BTC))))
	}
	b.blocks(1)
	if len(slices.Collect(b.ToSubmitMints(chains.BTC))) != 1 {
		t.Error("deep again, and not submitted")
	}
}
